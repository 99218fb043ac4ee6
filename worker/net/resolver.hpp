// Host name to numeric address, off the loop. Private to net/: WebSockets and Http ask, nobody else.
#pragma once
#include <uv.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "net/uv_handles.hpp"

namespace tradesync::net {

class Resolver {
 public:
  // address is numeric and error empty, or the other way round. Runs inside Loop::run_once(), never inside lookup().
  using Done = std::function<void(const std::string& address, const std::string& error)>;

  explicit Resolver(uv_loop_t* loop);
  ~Resolver();  // open look-ups are forgotten; waits for the thread, two seconds at most
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Answers exactly once within timeout_ms, unless cancelled. A name with IPv4 addresses gives the first of them,
  // otherwise the first IPv6 address. Returns the ticket for cancel(), never 0.
  std::uint64_t lookup(const std::string& host, std::int64_t timeout_ms, Done done);
  void cancel(std::uint64_t ticket);  // unknown and answered tickets are ignored

 private:
  struct Shared;
  struct Waiting {
    std::string host;
    std::int64_t timeout_ms, deadline_ms;
    Done done;
  };

  bool start_thread();
  void answer(std::uint64_t ticket, const std::string& address, const std::string& error);
  void deliver();
  void expire();
  void arm();

  std::map<std::uint64_t, Waiting> waiting_;
  std::uint64_t last_ticket_ = 0;
  std::shared_ptr<Shared> shared_;
  std::thread thread_;
  UvHandle<uv_async_t> bell_;
  Timer timer_;
};

}  // namespace tradesync::net
