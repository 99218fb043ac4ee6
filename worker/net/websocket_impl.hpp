// What the two halves of the WebSockets share. Private to websocket.cpp and websocket_events.cpp, the only files that
// know libwebsockets.
#pragma once
#include <libwebsockets.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "net/tls.hpp"
#include "net/uv_handles.hpp"
#include "net/websocket.hpp"

namespace tradesync::net {

inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

// Must exceed a TLS record (16 KiB): libwebsockets spins on a paused socket otherwise.
inline constexpr unsigned kReadBytes = 64 * 1024;

// The reason of a TLS failure is nowhere but in libwebsockets' log. It is kept per thread until taken.
void keep_complaint(int level, const char* line);
std::string take_complaint();

const lws_protocols* protocols();

inline std::string peer(const Url& url) { return url.host + ":" + std::to_string(url.port); }

struct WebSockets::Impl {
  struct Socket {
    enum class State {
      waiting,     // for an address, or refused and about to be reported
      connecting,  // TCP, TLS, upgrade
      open,
      closing,     // our close frame is on its way
    };
    Impl* owner = nullptr;
    std::uint64_t id = 0;
    State state = State::waiting;
    Url url;
    std::uint64_t lookup = 0;  // the resolver's ticket, 0 = none
    lws* wsi = nullptr;
    std::int64_t deadline_ms = kNever;
    std::string reason;               // set when we know better than libwebsockets why it ends
    std::deque<std::string> outgoing;  // each with LWS_PRE bytes of room in front
    std::size_t outgoing_bytes = 0;
    std::string partial;  // fragments of a message that is not complete yet
    bool binary = false;  // what the message at hand began as
    bool paused = false, ping_wanted = false, ping_sent = false, in_grace = false, close_frame_sent = false;
  };

  Impl(Loop& the_loop, Inbox& the_inbox, const std::string& ca_file);
  ~Impl();

  // websocket.cpp: asked for by the app
  void connect(std::uint64_t id, const std::string& text);
  bool send(Socket& socket, const std::string& text);
  void close(Socket& socket);
  void ping(Socket& socket);
  void resume_reading();

  // websocket.cpp: the life of a socket
  void open_connection(Socket& socket, const std::string& address);
  void send_close_frame(Socket& socket);
  void end(Socket& socket, const std::string& why);   // the last word; the Socket is gone afterwards
  void kill(Socket& socket, const std::string& why);  // and the connection too; not inside a callback of this socket
  void set_deadline(Socket& socket, std::int64_t delay_ms);
  void arm();
  void on_time();
  void expire(Socket& socket);
  void nudge() { lws_cancel_service(context); }
  Socket* find(std::uint64_t id);

  // websocket_events.cpp: told by libwebsockets
  static int on_event(lws* wsi, lws_callback_reasons reason, void*, void* in, std::size_t size);
  int handle(Socket& socket, lws* wsi, lws_callback_reasons reason, const char* in, std::size_t size);
  void note_life(Socket& socket);
  int on_received(Socket& socket, lws* wsi, std::string_view bytes);
  int on_writable(Socket& socket, lws* wsi);
  void drain();
  void drain(std::uint64_t id);

  Loop& loop;
  Inbox& inbox;
  SslContext ssl;
  lws_context* context = nullptr;
  std::map<std::uint64_t, std::unique_ptr<Socket>> sockets;
  Timer timer;
  UvHandle<uv_check_t> after_poll;
};

}  // namespace tradesync::net
