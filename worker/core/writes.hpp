// Requests that change something at the venue, on their way out: one by one within the venue's order limits, before any
// poll, and each exactly once. Nothing here repeats a request; what an answer means is decided by whoever asked.
#pragma once
#include <deque>
#include <map>

#include "core/effect.hpp"
#include "core/rate_budget.hpp"
#include "core/rules.hpp"
#include "core/venue_clock.hpp"

namespace tradesync {

class Writes {
 public:
  Writes(const VenueRules& rules, VenueClock& clock)
      : clock_(clock), budget_(rules.order_budget > 0 ? rules.order_budget : kNoLimit, rules.order_budget_window_ms > 0 ? rules.order_budget_window_ms : 1000) {}

  // Leaves with the next pump that has room for it. Returns the id under which the answer comes.
  std::uint64_t send(Request request);
  // true: it had not left yet and never will.
  bool withdraw(std::uint64_t id);

  void pump(std::int64_t now_ms, std::vector<Action>& actions);
  std::int64_t next_deadline(std::int64_t now_ms);

  struct Written {
    Request request;
    std::int64_t sent_ms = 0;
  };
  // nullopt: the reply is not to one of ours. Notes what the venue says about its limits and the clock.
  std::optional<Written> take_reply(const Reply& reply, std::int64_t now_ms);
  void drop_all();

 private:
  static constexpr int kNoLimit = 1000000;
  static constexpr std::uint64_t kFirstId = 1ull << 62;  // apart from the ids of Requests
  VenueClock& clock_;
  RateBudget budget_;
  std::uint64_t last_id_ = kFirstId;
  std::deque<Request> waiting_;
  std::map<std::uint64_t, Written> under_way_;
};

}  // namespace tradesync
