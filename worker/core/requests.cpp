#include "core/requests.hpp"

#include <algorithm>
#include <iterator>

#include "core/limits.hpp"

namespace tradesync {

Requests::Requests(const VenueRules& rules, VenueClock& clock, Random& random)
    : rules_(rules), clock_(clock), random_(random), budget_(rules.budget, rules.budget_window_ms) {}

std::uint64_t Requests::ask(Request request, Priority priority, bool keep_asking) {
  Pending pending;
  pending.request = std::move(request);
  pending.request.id = ++last_id_;
  pending.priority = priority;
  pending.keep_asking = keep_asking;
  pending_.emplace(last_id_, std::move(pending));
  return last_id_;
}

void Requests::drop(std::uint64_t id) {
  const auto it = pending_.find(id);
  if (it == pending_.end()) return;
  if (it->second.in_flight) --in_flight_;  // its late reply finds nobody
  pending_.erase(it);
}

void Requests::drop_all() {
  pending_.clear();
  in_flight_ = 0;
}

bool Requests::waiting_for(RequestKind kind) const {
  return std::any_of(pending_.begin(), pending_.end(), [&](const auto& entry) { return entry.second.request.kind == kind; });
}

// Everything that is signed carries a timestamp; market data and listen keys do not.
bool Requests::needs_clock(RequestKind kind) {
  switch (kind) {
    case RequestKind::server_time:
    case RequestKind::instruments:
    case RequestKind::ticker:
    case RequestKind::tickers:
    case RequestKind::create_listen_key:
    case RequestKind::keep_alive_listen_key:
      return false;
    case RequestKind::positions:
    case RequestKind::position_mode:
    case RequestKind::leverages:
    case RequestKind::balances:
    case RequestKind::open_orders:
    case RequestKind::open_conditional_orders:
    case RequestKind::closed_orders:
    case RequestKind::executions:
    case RequestKind::income_symbols:
    case RequestKind::order:
    case RequestKind::conditional_order:
    case RequestKind::place_order:
    case RequestKind::cancel_order:
    case RequestKind::set_position_stop:
    case RequestKind::set_leverage:
      return true;
  }
  return true;
}

bool Requests::sendable(const Pending& pending) const {
  return !pending.in_flight && (clock_.known() || !needs_clock(pending.request.kind));
}

void Requests::pump(std::int64_t now_ms, std::vector<Action>& actions) {
  for (Priority priority : {Priority::urgent, Priority::normal, Priority::background}) {
    for (auto& [id, pending] : pending_) {
      if (in_flight_ >= limits::kRequestsInFlight) return;
      if (pending.priority != priority || !sendable(pending) || pending.due_ms > now_ms) continue;
      if (!budget_.take(rules_.weight(pending.request), now_ms)) return;
      if (pending.pages == 0) pending.as_of_ms = clock_.known() ? clock_.venue_now(now_ms) : 0;
      pending.in_flight = true;
      ++in_flight_;
      actions.push_back(SendRequest{pending.request});
    }
  }
}

std::int64_t Requests::next_deadline(std::int64_t now_ms) {
  if (in_flight_ >= limits::kRequestsInFlight) return INT64_MAX;
  std::int64_t deadline = INT64_MAX;
  for (const auto& [id, pending] : pending_) {
    if (!sendable(pending)) continue;
    deadline = std::min(deadline, std::max(pending.due_ms, budget_.ready_at(rules_.weight(pending.request), now_ms)));
  }
  return deadline;
}

void Requests::retry(Pending& pending, const Reply& reply, std::int64_t now_ms) {
  // A page that failed spoils the whole answer: start again at the first, so that no hole can hide between pages.
  pending.facts.clear();
  pending.pages = 0;
  pending.request.cursor.clear();
  ++pending.failures;
  std::int64_t pause = pending.backoff.next(random_);
  if (reply.outcome == Outcome::unauthorized) pause = std::max(pause, limits::kUnauthorizedPauseMs);
  if (reply.outcome == Outcome::throttled || reply.outcome == Outcome::banned) {
    pause = std::max(pause, reply.retry_after_ms);
    budget_.pause_until(now_ms + pause);
  }
  if (reply.outcome == Outcome::clock) clock_.forget();
  pending.due_ms = now_ms + pause;
}

bool Requests::on_reply(Reply reply, std::int64_t now_ms, Answer& answer, Trouble& trouble) {
  const auto it = pending_.find(reply.id);
  if (it == pending_.end() || !it->second.in_flight) return false;
  Pending& pending = it->second;
  pending.in_flight = false;
  --in_flight_;
  if (reply.used_weight >= 0) budget_.correct(reply.used_weight, now_ms);

  const bool definite_no = reply.outcome == Outcome::refused && !pending.keep_asking;
  const bool final_answer = reply.outcome == Outcome::ok || reply.outcome == Outcome::not_found ||
                            reply.outcome == Outcome::listen_key_gone || definite_no;
  trouble.outcome = reply.outcome;
  if (!final_answer) {
    trouble.message = reply.message;
    trouble.began = !in_trouble_;
    in_trouble_ = true;
    last_error_ = reply.message;
    retry(pending, reply, now_ms);
    return false;
  }
  // One answer that works does not end the trouble of another that still fails.
  const bool others_fail = std::any_of(pending_.begin(), pending_.end(), [&](const auto& entry) {
    return entry.first != reply.id && entry.second.failures > 0;
  });
  trouble.ended = in_trouble_ && reply.outcome == Outcome::ok && !others_fail;
  if (trouble.ended) {
    in_trouble_ = false;
    last_error_.clear();
  }

  std::move(reply.facts.begin(), reply.facts.end(), std::back_inserter(pending.facts));
  // The same cursor twice is a venue going round in circles.
  const bool more = reply.outcome == Outcome::ok && !reply.next_cursor.empty() &&
                    reply.next_cursor != pending.request.cursor && ++pending.pages < limits::kPagesAtMost;
  if (more) {
    pending.request.cursor = reply.next_cursor;
    pending.due_ms = now_ms;
    return false;
  }
  answer.request = pending.request;
  answer.as_of_ms = pending.as_of_ms;
  answer.reply = std::move(reply);
  answer.reply.facts = std::move(pending.facts);
  pending_.erase(it);
  return true;
}

}  // namespace tradesync
