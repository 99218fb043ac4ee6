// What the account machine needs of the outside world to reach an exchange: sockets and requests, by number.
// The worker implements it with libwebsockets and libcurl, the deterministic simulation with a model exchange.
#pragma once
#include <cstdint>
#include <string>

#include "exchanges/exchange.hpp"

namespace tradesync {

// None of these calls back at once: what comes of them is fed to the machine later (on_opened, on_closed, on_text, on_http).
// Numbers are never used again.
class Wire {
 public:
  virtual ~Wire() = default;
  // Ends in on_opened or on_closed.
  virtual void open(std::uint64_t link, const std::string& url) = 0;
  // One whole text message, in order.
  virtual void send(std::uint64_t link, std::string text) = 0;
  // A ping of the protocol itself, not a message; a link that stays silent after it ends in on_closed.
  virtual void ping(std::uint64_t link) = 0;
  // Then follows on_closed.
  virtual void close(std::uint64_t link) = 0;
  // Leaves at most once. Always ends in one on_http with this number; a response with status 0 = no answer.
  virtual void request(std::uint64_t id, HttpRequest request) = 0;
  // What was asked for so far leaves now, before anything else is done. A wire that sends at once has nothing to do.
  virtual void flush() {}
};

}  // namespace tradesync
