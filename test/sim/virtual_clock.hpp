// Time of one simulated run. Nothing waits: the agenda says what happens next, and time jumps there.
// Three clocks that disagree on purpose: the run's own (true) time, the worker's monotonic clock, the venue's clock. Each
// only goes forward; their distance drifts in steps.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace tradesync::sim {

using Ms = std::int64_t;

inline constexpr Ms kStartMs = 1'000'000;             // no clock of the core may read 0: that means "never" there
inline constexpr Ms kUnixBaseMs = 1'785'000'000'000;  // unix time at true time 0

class VirtualClock {
 public:
  Ms true_ms() const { return true_ms_; }
  Ms local_ms() const { return true_ms_ + local_shift_ms_; }               // the worker's monotonic clock
  Ms unix_ms() const { return kUnixBaseMs + local_ms(); }                  // the database server's wall clock
  Ms venue_ms() const { return kUnixBaseMs + true_ms_ + venue_shift_ms_; }

  void advance_to(Ms true_ms) { if (true_ms > true_ms_) true_ms_ = true_ms; }
  // by >= 0: clocks never go back. A leap of the local one looks to the worker as if the venue had fallen behind.
  void leap_local(Ms by) { local_shift_ms_ += by; }
  void leap_venue(Ms by) { venue_shift_ms_ += by; }
  // The true time at which the venue's (the worker's) clock will show `ms`, unless it leaps before.
  Ms when_venue_shows(Ms ms) const { return ms - kUnixBaseMs - venue_shift_ms_; }
  Ms when_local_shows(Ms ms) const { return ms - local_shift_ms_; }

 private:
  Ms true_ms_ = kStartMs;
  Ms local_shift_ms_ = 0, venue_shift_ms_ = 0;
};

// What is going to happen, in order of true time; what is due at the same time happens in the order of planning.
class Agenda {
 public:
  using Deed = std::function<void()>;

  void at(Ms true_ms, Deed deed) { deeds_.emplace(true_ms, std::move(deed)); }
  bool empty() const { return deeds_.empty(); }
  Ms next_ms() const { return deeds_.empty() ? INT64_MAX : deeds_.begin()->first; }
  // Does everything that is due by now, including what the deeds themselves plan for now.
  void run_due(const VirtualClock& clock) {
    while (!deeds_.empty() && deeds_.begin()->first <= clock.true_ms()) {
      auto deed = deeds_.extract(deeds_.begin());
      deed.mapped()();
    }
  }

 private:
  std::multimap<Ms, Deed> deeds_;
};

}  // namespace tradesync::sim
