// How long to wait before trying again: doubling ceiling, full jitter, so that a thousand clients do not return together.
#pragma once
#include "core/limits.hpp"
#include "core/random.hpp"

namespace tradesync {

class Backoff {
 public:
  explicit Backoff(std::int64_t first_ms = limits::kBackoffFirstMs, std::int64_t last_ms = limits::kBackoffLastMs)
      : first_ms_(first_ms), last_ms_(last_ms), ceiling_ms_(first_ms) {}

  // The next pause, between half of the first step and the ceiling.
  std::int64_t next(Random& random) {
    const std::int64_t floor_ms = first_ms_ / 2;
    const std::int64_t pause = floor_ms + random.up_to(ceiling_ms_ - floor_ms);
    ceiling_ms_ = ceiling_ms_ * 2 > last_ms_ ? last_ms_ : ceiling_ms_ * 2;
    return pause;
  }
  void reset() { ceiling_ms_ = first_ms_; }

 private:
  std::int64_t first_ms_, last_ms_, ceiling_ms_;
};

}  // namespace tradesync
