// Request weight per window, refilled continuously, plus the pauses the venue orders (429, 418, 10006).
#pragma once
#include <algorithm>
#include <cstdint>

namespace tradesync {

class RateBudget {
 public:
  RateBudget(int budget, std::int64_t window_ms) : budget_(budget), window_ms_(window_ms), available_milli_(full()) {}

  bool take(int weight, std::int64_t now_ms) {
    refill(now_ms);
    if (now_ms < paused_until_ms_ || available_milli_ < cost(weight)) return false;
    available_milli_ -= cost(weight);
    return true;
  }
  // When take(weight) may succeed.
  std::int64_t ready_at(int weight, std::int64_t now_ms) {
    refill(now_ms);
    const std::int64_t missing = cost(weight) - available_milli_;
    const std::int64_t refilled = missing <= 0 ? now_ms : now_ms + (missing * window_ms_) / full() + 1;
    return std::max(refilled, paused_until_ms_);
  }
  // The venue's own count wins when it is higher than ours: others may share the address.
  void correct(int used_weight, std::int64_t now_ms) {
    refill(now_ms);
    const std::int64_t left = (static_cast<std::int64_t>(budget_) - used_weight) * 1000;
    available_milli_ = std::min(available_milli_, std::max<std::int64_t>(left, 0));
  }
  void pause_until(std::int64_t at_ms) { paused_until_ms_ = std::max(paused_until_ms_, at_ms); }
  bool paused(std::int64_t now_ms) const { return now_ms < paused_until_ms_; }

 private:
  std::int64_t full() const { return static_cast<std::int64_t>(budget_) * 1000; }
  std::int64_t cost(int weight) const { return std::min<std::int64_t>(static_cast<std::int64_t>(weight) * 1000, full()); }
  void refill(std::int64_t now_ms) {
    if (now_ms <= refilled_ms_) return;
    if (refilled_ms_ != 0) {
      const std::int64_t elapsed = std::min(now_ms - refilled_ms_, window_ms_);
      available_milli_ = std::min(full(), available_milli_ + elapsed * full() / window_ms_);
    }
    refilled_ms_ = now_ms;
  }

  int budget_;
  std::int64_t window_ms_, available_milli_, refilled_ms_ = 0, paused_until_ms_ = 0;
};

}  // namespace tradesync
