// The one event loop (libuv) on which libwebsockets and libcurl live as guests. Its descriptor sits in PostgreSQL's
// WaitEventSet; after a wake-up run_once() is called, it never blocks. One thread; nothing here knows PostgreSQL.
#pragma once
#include <cstdint>
#include <exception>
#include <memory>
#include <string>

struct uv_loop_s;

namespace tradesync::net {

class Resolver;

class Loop {
 public:
  Loop();   // throws std::runtime_error when libuv cannot start
  ~Loop();  // its guests are gone before; joins the look-up thread (unless that hangs over 2 s: resolver.cpp)
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  uv_loop_s* raw() const { return loop_; }
  int descriptor() const;         // epoll descriptor, level-triggered readable when there is work
  int timeout_ms() const;         // 0: call run_once() now; -1: nothing timed
  void run_once();                // non-blocking; throws what a guest threw while it was called (std::bad_alloc)
  std::int64_t now_ms() const;    // monotonic clock, read fresh
  // For somebody who waits actively: others may have the processor first.
  static void yield();
  Resolver& resolver() { return *resolver_; }

 private:
  uv_loop_s* loop_;
  std::exception_ptr failure_;  // thrown inside a callback of a C library
  std::unique_ptr<Resolver> resolver_;
};

// scheme://host[:port]/path?query. Schemes: http https ws wss.
struct Url {
  std::string scheme, host, target;  // host without brackets; target = path and query, at least "/"
  int port = 0;
  bool tls = false;
};
// false for anything else; plain http/ws only for loopback hosts (localhost, 127.0.0.0/8, ::1).
bool parse_url(const std::string& text, Url& out, std::string& why_not);

// Blocks every signal for its lifetime, so that threads started by libraries meanwhile inherit a full mask.
class BlockSignals {
 public:
  BlockSignals();
  ~BlockSignals();

 private:
  alignas(16) unsigned char saved_[128];
};

}  // namespace tradesync::net
