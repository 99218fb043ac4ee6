// WebSocket clients (libwebsockets) as numbered sockets. Bytes only: events land in the inbox, nobody is called back.
// Names are looked up off the loop; connecting is given up after kConnectTimeoutMs; the library answers server pings.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "net/inbox.hpp"
#include "net/loop.hpp"

namespace tradesync::net {

inline constexpr int kConnectTimeoutMs = 5000;            // a black hole would otherwise hold us for 30 s
inline constexpr std::size_t kMaxMessageBytes = 4 << 20;  // a longer message closes the socket, with a reason
inline constexpr std::size_t kMaxQueuedBytes = 1 << 20;   // subscriptions are kilobytes; more means nobody drains it
inline constexpr int kCloseTimeoutMs = 2000;              // how long the exchange may take to answer a close frame
inline constexpr int kPongTimeoutMs = 10000;
inline constexpr std::size_t kMaxSockets = 32;            // an account needs two, and four while new ones replace them

class WebSockets {
 public:
  // ca_file: extra certificate authorities in PEM, "" = the system's only. Throws std::runtime_error when the file
  // cannot be read or libwebsockets cannot start (says if its libuv plug-in is missing). The process must ignore
  // SIGPIPE, as PostgreSQL's processes do; no signal's disposition is changed here. Proxies are not used.
  WebSockets(Loop& loop, Inbox& inbox, std::string ca_file);
  ~WebSockets();

  // Always ends in Item::opened or Item::closed{why} for this id, also for an unusable URL, never before the next
  // Loop::run_once(). Ids are never reused.
  void connect(std::uint64_t id, const std::string& url);
  // true when queued: it is sent whole and in order. false for a socket that is not open, or whose queue would pass
  // kMaxQueuedBytes.
  bool send(std::uint64_t id, std::string text);
  // Sends what is queued and a close frame, each within kCloseTimeoutMs if the exchange lets it. Then follows
  // Item::closed{"closed by us"}, no text before it.
  void close(std::uint64_t id);
  // Protocol-level ping (liveness of a silent stream). If nothing at all arrives within kPongTimeoutMs, the socket
  // ends in Item::closed.
  void ping(std::uint64_t id);
  // Reading pauses while the inbox is full; call after inbox.clear().
  void resume_reading();

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tradesync::net
