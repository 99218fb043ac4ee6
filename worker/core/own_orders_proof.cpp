// When may an order that nobody knows be called "never accepted"? Only when its receive window has passed in venue time, every
// source that could know of it has answered twice, two seconds apart, without naming it, our own knowledge of the account
// has no hole since it was sent, and the venue's memory still covers that time (DESIGN §1.3). Anything less: still unknown.
#include <algorithm>

#include "core/limits.hpp"
#include "core/own_orders.hpp"

namespace tradesync {

void OwnOrders::ask_for_proof(OwnOrder& order, std::int64_t now_ms) {
  if (!order.proof_waiting.empty() || order.write != 0) {
    order.proof_at_ms = now_ms + limits::kProofPauseMs;
    return;
  }
  order.proof_at_ms = INT64_MAX;
  order.proof_spoiled = false;
  const bool apart = order.ticket.kind == OrderKind::conditional && rules_.conditional_orders_apart;
  const std::int64_t since_ms = std::max<std::int64_t>(order.sent_from_venue_ms - rules_.execution_overlap_ms, 1);
  const auto ask = [&](RequestKind kind, bool by_client_id) {
    Request request;
    request.kind = kind;
    request.symbol = order.ticket.symbol;
    if (by_client_id) request.client_order_id = order.ticket.client_order_id;
    if (kind == RequestKind::closed_orders || kind == RequestKind::executions) request.since_ms = since_ms;
    const std::uint64_t id = requests_.ask(std::move(request), Requests::Priority::normal);
    order.proof_waiting.insert(id);
    asked_[id] = order.id;
  };
  ask(look_up_kind(rules_, order.ticket.kind), true);
  ask(apart ? RequestKind::open_conditional_orders : RequestKind::open_orders, false);
  ask(RequestKind::closed_orders, false);
  ask(RequestKind::executions, false);
}

// A fill of an order that nobody has named yet may be of the one we look for.
bool OwnOrders::may_belong_to(const OwnOrder& order, const Fill& fill) {
  if (!fill.client_order_id.empty()) return fill.client_order_id == order.ticket.client_order_id;
  return fill.side == order.ticket.side && fill.executed_ms >= order.sent_from_venue_ms && !mirror_.side_of(fill.symbol, fill.order_id);
}

void OwnOrders::restart_proof(OwnOrder& order, std::int64_t now_ms) {
  for (std::uint64_t id : order.proof_waiting) {
    requests_.drop(id);
    asked_.erase(id);
  }
  order.proof_waiting.clear();
  order.proof_rounds = 0;
  order.proof_at_ms = now_ms + limits::kProofPauseMs;
}

void OwnOrders::on_proof(OwnOrder& order, const Answer& answer, bool live, std::int64_t now_ms, Changes& changes) {
  order.proof_waiting.erase(answer.request.id);
  for (const Fact& fact : answer.reply.facts) {
    if (const auto* report = std::get_if<Order>(&fact)) {
      Order copy = *report;
      on_order(copy, now_ms);
    }
    if (const auto* fill = std::get_if<Fill>(&fact)) order.proof_spoiled |= may_belong_to(order, *fill);
  }
  if (!order.is_undecided() || !order.proof_waiting.empty()) return;

  const std::int64_t age_ms = clock_.venue_now(now_ms) - order.sent_from_venue_ms;
  const bool remembered = rules_.unfilled_memory_ms == 0 || age_ms < rules_.unfilled_memory_ms;
  if (order.proof_spoiled || !live || !remembered) return restart_proof(order, now_ms);
  if (++order.proof_rounds < 2) {
    order.proof_at_ms = now_ms + limits::kProofPauseMs;
    return;
  }
  order.never_accepted = true;
  end(order, OrderStatus::rejected, "NEVER_ACCEPTED", "the exchange has never accepted this order", now_ms, changes);
}

}  // namespace tradesync
