// WebSockets by libwebsockets, which is known in this file only. It is a guest of our libuv loop, so after every call
// made outside its own callbacks it must be nudged, or its timers never fire. Its other traps: the reason of a TLS
// failure is in its log only, it resolves names on the loop (we pass numeric addresses), it follows redirects unless
// told not to, and it waits 30 s for a host that does not answer (we run our own clock).
#include "net/websocket.hpp"

#include <libwebsockets.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <deque>
#include <limits>
#include <map>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "net/resolver.hpp"
#include "net/tls.hpp"
#include "net/uv_handles.hpp"

namespace tradesync::net {

namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr int kPongGraceMs = 1000;        // an answer that arrived while we were busy elsewhere must count
constexpr unsigned kReadBytes = 64 * 1024;  // above a TLS record (16 KiB): libwebsockets spins on a paused socket otherwise
constexpr unsigned kMaxDescriptors = 2 * kMaxSockets;  // sockets that are finishing their close handshake count too

constexpr lws_retry_bo_t kNoOwnPings{};  // when to ping is the app's business

// The last thing libwebsockets complained about. Its log function takes no context, hence the variable.
constinit thread_local char last_complaint[200] = "";

void keep_complaint(int, const char* line) {
  std::string_view text(line);
  while (text.ends_with('\n')) text.remove_suffix(1);
  last_complaint[text.copy(last_complaint, sizeof last_complaint - 1)] = '\0';
}

std::string take_complaint() {
  std::string text = last_complaint;
  last_complaint[0] = '\0';
  return text;
}

// libwebsockets ignores SIGPIPE for the whole process; the host's choice is put back.
class KeepSigpipe {
 public:
  KeepSigpipe() { sigaction(SIGPIPE, nullptr, &saved_); }
  ~KeepSigpipe() { sigaction(SIGPIPE, &saved_, nullptr); }
  KeepSigpipe(const KeepSigpipe&) = delete;
  KeepSigpipe& operator=(const KeepSigpipe&) = delete;

 private:
  struct sigaction saved_;
};

struct Socket {
  enum class State {
    waiting,     // for an address, or refused and about to be reported
    connecting,  // TCP, TLS, upgrade
    open,
    closing,     // our close frame is on its way
  };
  WebSockets::Impl* owner = nullptr;
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

}  // namespace

struct WebSockets::Impl {
  Impl(Loop& the_loop, Inbox& the_inbox, const std::string& ca_file);
  ~Impl();

  void connect(std::uint64_t id, const std::string& text);
  bool send(Socket& socket, const std::string& text);
  void close(Socket& socket);
  void ping(Socket& socket);
  void resume_reading();

  void open_connection(Socket& socket, const std::string& address);
  void send_close_frame(Socket& socket);
  void end(Socket& socket, const std::string& why);
  void kill(Socket& socket, const std::string& why);
  void set_deadline(Socket& socket, std::int64_t delay_ms);
  void arm();
  void on_time();
  void expire(Socket& socket);
  void nudge() { lws_cancel_service(context); }
  Socket* find(std::uint64_t id);

  static int on_event(lws* wsi, lws_callback_reasons reason, void*, void* in, std::size_t size);
  int handle(Socket& socket, lws* wsi, lws_callback_reasons reason, const char* in, std::size_t size);
  void note_life(Socket& socket);
  int on_received(Socket& socket, lws* wsi, std::string_view bytes);
  int on_writable(Socket& socket, lws* wsi);

  Loop& loop;
  Inbox& inbox;
  SslContext ssl;
  lws_context* context = nullptr;
  std::map<std::uint64_t, std::unique_ptr<Socket>> sockets;
  Timer timer;
};

namespace {

const lws_protocols* protocols() {
  static const lws_protocols list[] = {{"tradesync", WebSockets::Impl::on_event, 0, kReadBytes, 0, nullptr, 0},
                                       {nullptr, nullptr, 0, 0, 0, nullptr, 0}};
  return list;
}

std::string peer(const Url& url) { return url.host + ":" + std::to_string(url.port); }

std::string why_not_connected(lws* wsi, const char* in, std::size_t size) {
  std::string why = in == nullptr ? "connection failed" : std::string(in, strnlen(in, size));
  if (const unsigned status = lws_http_client_http_response(wsi); status >= 100 && status != 101)
    why += " (HTTP " + std::to_string(status) + ")";
  if (const std::string complaint = take_complaint(); !complaint.empty()) why += ": " + complaint;
  return why;
}

std::string why_peer_closed(const char* in, std::size_t size) {
  if (size < 2) return "closed by the server";
  const unsigned code = static_cast<unsigned char>(in[0]) << 8 | static_cast<unsigned char>(in[1]);
  std::string text(in + 2, size - 2);
  std::replace_if(text.begin(), text.end(), [](char c) { return c < 0x20 || c == 0x7f; }, '?');
  return "closed by the server: " + std::to_string(code) + (text.empty() ? "" : " " + text);
}

// What belongs into the Host header; libwebsockets cuts the port off again for SNI and the certificate check.
std::string host_header(const Url& url) {
  const std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  const bool usual = url.port == (url.tls ? 443 : 80);
  return usual ? host : host + ":" + std::to_string(url.port);
}

}  // namespace

WebSockets::Impl::Impl(Loop& the_loop, Inbox& the_inbox, const std::string& ca_file)
    : loop(the_loop), inbox(the_inbox), ssl(new_client_context(ca_file)), timer(the_loop.raw(), [this] { on_time(); }) {
  lws_set_log_level(LLL_ERR | LLL_WARN, keep_complaint);
  void* loops[] = {loop.raw()};
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = protocols();
  info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                 LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN;
  info.foreign_loops = loops;
  info.provided_client_ssl_ctx = ssl.get();
  info.pt_serv_buf_size = kReadBytes;
  info.fd_limit_per_thread = kMaxDescriptors;  // tables for the whole RLIMIT_NOFILE otherwise
  info.timeout_secs = kConnectTimeoutMs / 1000;
  info.http_proxy_address = "";  // or it takes one from the environment
  {
    const KeepSigpipe guard;
    context = lws_create_context(&info);
  }
  if (context == nullptr)
    throw std::runtime_error("libwebsockets cannot start (is its libuv plug-in, libwebsockets-evlib-uv, installed?): " +
                             take_complaint());
  take_complaint();  // about the empty proxy address
}

// With a loop of ours, libwebsockets is destroyed in two phases: the handles close in turns of the loop in between.
WebSockets::Impl::~Impl() {
  for (auto& [id, socket] : sockets) {
    if (socket->lookup != 0) loop.resolver().cancel(socket->lookup);
    if (socket->wsi != nullptr) lws_set_opaque_user_data(socket->wsi, nullptr);
  }
  lws_context_destroy(context);
  for (int turn = 0; turn < 50; ++turn) uv_run(loop.raw(), UV_RUN_NOWAIT);
  lws_context_destroy(context);
}

Socket* WebSockets::Impl::find(std::uint64_t id) {
  const auto found = sockets.find(id);
  return found == sockets.end() ? nullptr : found->second.get();
}

void WebSockets::Impl::connect(std::uint64_t id, const std::string& text) {
  const bool full = sockets.size() >= kMaxSockets;
  auto& slot = sockets[id];
  slot = std::make_unique<Socket>();
  Socket& socket = *slot;
  socket.owner = this;
  socket.id = id;
  const bool usable = parse_url(text, socket.url, socket.reason);
  if (usable && !socket.url.scheme.starts_with("ws")) socket.reason = "the URL must begin with wss:// or ws://";
  // libwebsockets would check the certificate against an empty name, that is, not at all.
  if (usable && socket.url.tls && socket.url.host.find(':') != std::string::npos)
    socket.reason = "TLS to a numeric IPv6 address is not possible; use a host name";
  if (full) socket.reason = "too many sockets";
  if (!socket.reason.empty()) return set_deadline(socket, 0);
  set_deadline(socket, kConnectTimeoutMs);
  socket.lookup = loop.resolver().lookup(
      socket.url.host, kConnectTimeoutMs, [this, &socket](const std::string& address, const std::string& error) {
        socket.lookup = 0;
        if (address.empty()) return end(socket, error);
        open_connection(socket, address);
      });
}

void WebSockets::Impl::open_connection(Socket& socket, const std::string& address) {
  const std::uint64_t id = socket.id;
  const std::string host = host_header(socket.url);
  socket.state = Socket::State::connecting;
  take_complaint();
  lws_client_connect_info info{};
  info.context = context;
  info.address = address.c_str();
  info.port = socket.url.port;
  info.path = socket.url.target.c_str();
  info.host = host.c_str();
  info.ssl_connection = (socket.url.tls ? LCCSCF_USE_SSL : 0) | LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
  info.local_protocol_name = protocols()[0].name;
  info.opaque_user_data = &socket;
  info.retry_and_idle_policy = &kNoOwnPings;
  lws* started = lws_client_connect_via_info(&info);
  nudge();
  Socket* same = find(id);  // gone if it failed at once and a callback said so
  if (same == nullptr) return;
  same->wsi = started;
  if (started == nullptr) end(*same, "no connection to " + peer(same->url) + ": " + take_complaint());
}

bool WebSockets::Impl::send(Socket& socket, const std::string& text) {
  if (socket.state != Socket::State::open || socket.outgoing_bytes + text.size() > kMaxQueuedBytes) return false;
  socket.outgoing.push_back(std::string(LWS_PRE, '\0') + text);
  socket.outgoing_bytes += text.size();
  lws_callback_on_writable(socket.wsi);
  nudge();
  return true;
}

void WebSockets::Impl::close(Socket& socket) {
  socket.reason = "closed by us";
  if (socket.state != Socket::State::open) return set_deadline(socket, 0);
  socket.state = Socket::State::closing;
  socket.partial.clear();
  set_deadline(socket, kCloseTimeoutMs);
  if (socket.paused) lws_rx_flow_control(socket.wsi, 1);  // the answer to our close frame must get through
  if (socket.outgoing.empty()) send_close_frame(socket);
}

// Not by returning -1 from the writeable callback, the usual way: Debian builds libwebsockets with a self-test for libuv
// that closes such a socket a second time, before the frame is out. Not for use inside a callback of this socket.
void WebSockets::Impl::send_close_frame(Socket& socket) {
  socket.close_frame_sent = true;
  lws_close_reason(socket.wsi, LWS_CLOSE_STATUS_NORMAL, nullptr, 0);
  lws_set_timeout(socket.wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
  nudge();
}

void WebSockets::Impl::ping(Socket& socket) {
  if (socket.state != Socket::State::open || socket.ping_sent) return;
  socket.ping_wanted = socket.ping_sent = true;
  set_deadline(socket, kPongTimeoutMs);
  lws_callback_on_writable(socket.wsi);
  nudge();
}

void WebSockets::Impl::resume_reading() {
  bool any = false;
  for (auto& [id, socket] : sockets) {
    if (!socket->paused) continue;
    socket->paused = false;
    any = true;
    lws_rx_flow_control(socket->wsi, 1);
  }
  if (any) nudge();
}

// The last word about a socket. libwebsockets may go on closing it, but nobody listens to that any more.
void WebSockets::Impl::end(Socket& socket, const std::string& why) {
  if (socket.lookup != 0) loop.resolver().cancel(socket.lookup);
  if (socket.wsi != nullptr) lws_set_opaque_user_data(socket.wsi, nullptr);
  const std::uint64_t id = socket.id;
  inbox.push_closed(id, socket.reason.empty() ? why : socket.reason, loop.now_ms());
  sockets.erase(id);
}

// Not for use inside a callback of this socket.
void WebSockets::Impl::kill(Socket& socket, const std::string& why) {
  lws* wsi = socket.wsi;
  end(socket, why);
  if (wsi == nullptr) return;
  lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
  nudge();
}

void WebSockets::Impl::set_deadline(Socket& socket, std::int64_t delay_ms) {
  socket.deadline_ms = loop.now_ms() + delay_ms;
  arm();
}

// Sets the one timer to the earliest deadline. What is due at once waits for run_once(), too: the app may be reading
// the inbox while it calls us.
void WebSockets::Impl::arm() {
  std::int64_t next = kNever;
  for (const auto& [id, socket] : sockets) next = std::min(next, socket->deadline_ms);
  if (next == kNever) return timer.stop();
  timer.start(next - loop.now_ms());
}

void WebSockets::Impl::on_time() {
  const std::int64_t now = loop.now_ms();
  std::vector<std::uint64_t> due;
  for (const auto& [id, socket] : sockets)
    if (socket->deadline_ms <= now) due.push_back(id);
  for (std::uint64_t id : due)
    if (Socket* socket = find(id)) expire(*socket);
  arm();
}

void WebSockets::Impl::expire(Socket& socket) {
  switch (socket.state) {
    case Socket::State::waiting:
    case Socket::State::connecting:
      return kill(socket, "no connection to " + peer(socket.url) + " within " + std::to_string(kConnectTimeoutMs) + " ms");
    case Socket::State::closing:
      if (socket.close_frame_sent || !socket.outgoing.empty()) return kill(socket, "closed by us");
      set_deadline(socket, kCloseTimeoutMs);
      return send_close_frame(socket);
    case Socket::State::open:
      // The answer may be waiting unread, because we were paused or came late ourselves.
      if (socket.in_grace && !socket.paused)
        return kill(socket, "no answer to a ping within " + std::to_string(kPongTimeoutMs) + " ms");
      socket.in_grace = true;
      socket.deadline_ms = loop.now_ms() + kPongGraceMs;
      return;
  }
}

int WebSockets::Impl::on_event(lws* wsi, lws_callback_reasons reason, void*, void* in, std::size_t size) {
  if (wsi == nullptr) return 0;
  auto* socket = static_cast<Socket*>(lws_get_opaque_user_data(wsi));
  if (socket == nullptr) return 0;
  int result = -1;  // drop the connection
  rethrow_later(socket->owner->loop.raw(), [&] {
    result = socket->owner->handle(*socket, wsi, reason, static_cast<const char*>(in), size);
  });
  return result;
}

int WebSockets::Impl::handle(Socket& socket, lws* wsi, lws_callback_reasons reason, const char* in, std::size_t size) {
  socket.wsi = wsi;
  switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
      socket.state = Socket::State::open;
      socket.deadline_ms = kNever;
      take_complaint();
      inbox.push_opened(socket.id, loop.now_ms());
      return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
      return on_received(socket, wsi, {in, size});
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
      note_life(socket);
      return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
      return on_writable(socket, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
      if (socket.reason.empty()) socket.reason = why_peer_closed(in, size);
      return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
      end(socket, "no connection to " + peer(socket.url) + ": " + why_not_connected(wsi, in, size));
      return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
      end(socket, "connection lost without a close frame");
      return 0;
    default:
      return 0;
  }
}

void WebSockets::Impl::note_life(Socket& socket) {
  if (!socket.ping_sent) return;
  socket.ping_sent = socket.in_grace = false;
  socket.deadline_ms = kNever;
}

int WebSockets::Impl::on_received(Socket& socket, lws* wsi, std::string_view bytes) {
  if (socket.state != Socket::State::open) return 0;
  note_life(socket);
  const bool first = lws_is_first_fragment(wsi) != 0, last = lws_is_final_fragment(wsi) != 0;
  if (first) {
    socket.binary = lws_frame_is_binary(wsi) != 0;
    socket.partial.clear();
  }
  if (first && last) {  // nearly always: no copy but the one into the inbox
    inbox.push_text(socket.id, bytes, socket.binary, loop.now_ms());
  } else {
    if (socket.partial.size() + bytes.size() > kMaxMessageBytes) {
      socket.reason = "a message is longer than " + std::to_string(kMaxMessageBytes) + " bytes";
      end(socket, "");
      return -1;
    }
    socket.partial.append(bytes);
    if (!last) return 0;
    inbox.push_text(socket.id, socket.partial, socket.binary, loop.now_ms());
    socket.partial = std::string();
  }
  if (!inbox.wants_more()) {
    socket.paused = true;
    lws_rx_flow_control(wsi, 0);
  }
  return 0;
}

// One frame each time; libwebsockets asks again when the kernel has taken it.
int WebSockets::Impl::on_writable(Socket& socket, lws* wsi) {
  if (socket.ping_wanted) {
    unsigned char room[LWS_PRE];
    socket.ping_wanted = false;
    if (lws_write(wsi, room + LWS_PRE, 0, LWS_WRITE_PING) < 0) return -1;
  } else if (!socket.outgoing.empty()) {
    std::string& frame = socket.outgoing.front();
    const std::size_t size = frame.size() - LWS_PRE;
    if (lws_write(wsi, reinterpret_cast<unsigned char*>(frame.data()) + LWS_PRE, size, LWS_WRITE_TEXT) < 0) return -1;
    socket.outgoing_bytes -= size;
    socket.outgoing.pop_front();
  } else {
    if (socket.state == Socket::State::closing && !socket.close_frame_sent) set_deadline(socket, 0);
    return 0;
  }
  lws_callback_on_writable(wsi);
  return 0;
}

WebSockets::WebSockets(Loop& loop, Inbox& inbox, std::string ca_file)
    : impl_(std::make_unique<Impl>(loop, inbox, ca_file)) {}

WebSockets::~WebSockets() = default;

void WebSockets::connect(std::uint64_t id, const std::string& url) { impl_->connect(id, url); }

bool WebSockets::send(std::uint64_t id, std::string text) {
  Socket* socket = impl_->find(id);
  return socket != nullptr && impl_->send(*socket, text);
}

void WebSockets::close(std::uint64_t id) {
  if (Socket* socket = impl_->find(id)) impl_->close(*socket);
}

void WebSockets::ping(std::uint64_t id) {
  if (Socket* socket = impl_->find(id)) impl_->ping(*socket);
}

void WebSockets::resume_reading() { impl_->resume_reading(); }

}  // namespace tradesync::net
