// Questions under way: pages, retries, the venue's budget and its bans. Whoever asks gets one complete answer or a definite
// no; "failed" never leaves this file – reading is idempotent, so it is simply asked again, slower each time.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "core/backoff.hpp"
#include "core/effect.hpp"
#include "core/rate_budget.hpp"
#include "core/rules.hpp"
#include "core/venue_clock.hpp"

namespace tradesync {

struct Answer {
  Request request;
  Reply reply;                     // outcome ok, not_found, refused or listen_key_gone; facts of all pages
  std::int64_t as_of_ms = 0;       // venue time at which the first page was sent, at the latest before it
};

class Requests {
 public:
  enum class Priority : std::uint8_t { urgent, normal, background };
  struct Trouble {
    bool began = false, ended = false;  // a run of failures began or ended with this reply
    Outcome outcome = Outcome::ok;
    std::string message;
  };

  Requests(const VenueRules& rules, VenueClock& clock, Random& random);

  // Returns the id under which the answer comes. keep_asking: a refusal is retried too (the answer is indispensable).
  std::uint64_t ask(Request request, Priority priority, bool keep_asking = true);
  void drop(std::uint64_t id);
  void drop_all();
  bool waiting_for(std::uint64_t id) const { return pending_.contains(id); }
  bool waiting_for(RequestKind kind) const;

  // Feeds one HTTP reply in. true: `answer` is complete.
  bool on_reply(Reply reply, std::int64_t now_ms, Answer& answer, Trouble& trouble);
  // Sends what may be sent now.
  void pump(std::int64_t now_ms, std::vector<Action>& actions);
  std::int64_t next_deadline(std::int64_t now_ms);

  const std::string& last_error() const { return last_error_; }

 private:
  struct Pending {
    Request request;
    Priority priority = Priority::normal;
    bool keep_asking = true, in_flight = false;
    std::int64_t due_ms = 0, as_of_ms = 0;
    Backoff backoff;
    Facts facts;
    int pages = 0, failures = 0;
  };
  bool sendable(const Pending& pending) const;
  void retry(Pending& pending, const Reply& reply, std::int64_t now_ms);
  static bool needs_clock(RequestKind kind);

  const VenueRules& rules_;
  VenueClock& clock_;
  Random& random_;
  RateBudget budget_;
  std::map<std::uint64_t, Pending> pending_;
  std::uint64_t last_id_ = 0;
  std::size_t in_flight_ = 0;
  bool in_trouble_ = false;
  std::string last_error_;
};

}  // namespace tradesync
