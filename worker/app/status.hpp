// What worker_status and stream_status show, published to shared memory: at once when the state changes, else four times
// a second at most.
#pragma once
#include <string>
#include <string_view>

#include "core/engine.hpp"

namespace tradesync {

class StatusBoard {
 public:
  struct Input {
    std::string state, last_error, halt_reason;
    bool halted = false;
    std::int64_t events = 0, commits = 0, dead_letters = 0;
    int pending_rows = 0;
  };
  void publish(const Engine& engine, const Input& input, std::int64_t now_ms);

 private:
  std::string state_;
  std::int64_t since_unix_ms_ = 0, published_ms_ = 0;
  bool fresh_ = true;
};

// Text that PostgreSQL can store: control bytes, NUL and everything beyond ASCII become '?'; bounded.
std::string printable(std::string_view bytes);

}  // namespace tradesync
