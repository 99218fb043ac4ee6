// One WebSocket connection as the core sees it: a state, its times, its back-off. No sockets here.
#pragma once
#include <cstdint>
#include <string>

#include "core/backoff.hpp"
#include "core/states.hpp"

namespace tradesync {

// Numbers for connections, unique for the life of the process.
class LinkIds {
 public:
  std::uint64_t next() { return ++last_; }

 private:
  std::uint64_t last_ = 0;
};

// What stream_status shows. Times are monotonic, 0 = never.
struct StreamReport {
  std::string stream, state;
  std::int64_t connected_ms = 0, last_message_ms = 0;
  int reconnects = 0, subscriptions = 0;
  std::int64_t lag_ms = -1;
};

struct Link {
  std::uint64_t id = 0;
  LinkState state = LinkState::down;
  std::int64_t opened_ms = 0, last_message_ms = 0, deadline_ms = 0, next_ping_ms = 0;

  bool exists() const { return state != LinkState::down; }
  bool up() const { return state == LinkState::up; }
};

}  // namespace tradesync
