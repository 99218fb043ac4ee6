// Venue time from our monotonic clock: a jump of the machine's wall clock cannot touch it.
// The true offset of one sample lies between (answer − received) and (answer − sent). We keep the lower bound of the best
// sample and sign with it: slightly behind, because both venues refuse a timestamp 1 s ahead whatever the window.
#pragma once
#include <cstdint>

#include "core/limits.hpp"

namespace tradesync {

class VenueClock {
 public:
  bool known() const { return known_; }
  void add_sample(std::int64_t sent_ms, std::int64_t received_ms, std::int64_t venue_ms) {
    const std::int64_t round_trip = received_ms - sent_ms;
    const bool stale = received_ms - measured_ms_ > limits::kClockSampleAgeMs;
    const std::int64_t low = venue_ms - received_ms, high = venue_ms - sent_ms;
    // A sample that contradicts the kept one means that a clock moved: the new one is the truth.
    const bool contradicts = known_ && (high < offset_ms_ || low > offset_ms_ + round_trip_ms_);
    if (known_ && !stale && !contradicts && round_trip > round_trip_ms_) return;
    known_ = true;
    offset_ms_ = low;
    round_trip_ms_ = round_trip;
    measured_ms_ = received_ms;
  }
  void forget() { known_ = false; }

  // At or a little before the venue's own clock.
  std::int64_t venue_now(std::int64_t now_ms) const { return now_ms + offset_ms_; }
  std::int64_t offset_ms() const { return offset_ms_; }
  std::int64_t uncertainty_ms() const { return round_trip_ms_; }

 private:
  bool known_ = false;
  std::int64_t offset_ms_ = 0, round_trip_ms_ = 0, measured_ms_ = 0;
};

}  // namespace tradesync
