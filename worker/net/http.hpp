// HTTP client (libcurl multi on the same loop). Keep-alive connections, answers land in the inbox.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/inbox.hpp"
#include "net/loop.hpp"

namespace tradesync::net {

inline constexpr std::size_t kMaxBodyBytes = 32 << 20;  // exchangeInfo is below 2 MB; more is a fault
inline constexpr std::size_t kMaxCalls = 64;            // in flight at once; the venue's rate limits allow fewer

struct HttpCall {
  std::uint64_t id = 0;  // comes back in Item::id
  std::string method, url, body;  // method: GET POST PUT DELETE
  std::vector<std::pair<std::string, std::string>> headers;
  long timeout_ms = 5000;
};

class Http {
 public:
  // ca_file: extra certificate authorities in PEM, "" = the system's only. Throws std::runtime_error when the file
  // cannot be read or libcurl cannot start. Redirects are not followed, proxies are not used.
  Http(Loop& loop, Inbox& inbox, std::string ca_file);
  ~Http();
  // Always ends in one Item::http with this id, never before the next Loop::run_once(). status 0 = no answer;
  // complete = whole body arrived, otherwise note says what happened. sent_ms is when the first byte could leave;
  // 0 = nothing was sent, so the venue cannot have seen it. Anything but GET is sent at most once: libcurl's silent
  // repeat on a dead keep-alive connection would place an order twice.
  void start(HttpCall call);
  void cancel(std::uint64_t id);  // no item follows

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tradesync::net
