#include "core/own_orders.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "core/states.hpp"

namespace tradesync {
namespace {

constexpr std::int64_t kNever = INT64_MAX;

std::string order_key(const std::string& symbol, const std::string& order_id, OrderKind kind) {
  std::string key = symbol;
  key.push_back(kind == OrderKind::regular ? '|' : '~');
  return key.append(order_id);
}

// Somebody should ask what became of it: its fate is unknown, or it should have ended by now.
bool wants_look_up(const OwnOrder& order, bool cancel_wanted) {
  if (order.is_final()) return false;
  const bool immediate = order.ticket.kind == OrderKind::regular && order.ticket.type == "market";
  return order.status == OrderStatus::unknown || order.status == OrderStatus::triggered || immediate || cancel_wanted;
}

bool certainly_not_taken(const Reply& reply) {
  const bool never_left = reply.outcome == Outcome::failed && reply.sent_ms == 0;
  return never_left || reply.outcome == Outcome::throttled || reply.outcome == Outcome::banned || reply.outcome == Outcome::clock;
}

}  // namespace

std::optional<Decimal> OwnOrder::price_from_fills() const {
  if (!traded_quantity.is_positive() || traded_quantity < filled_quantity) return std::nullopt;
  return divide(traded_value, traded_quantity, 18, Rounding::half_even);
}

OwnOrders::OwnOrders(const VenueRules& rules, const VenueClock& clock, Requests& requests, Writes& writes, Orders& mirror)
    : rules_(rules), clock_(clock), requests_(requests), writes_(writes), mirror_(mirror) {}

void OwnOrders::touch(const OwnOrder& order) {
  touched_.insert(order.position_id);
  wake_at_ms_ = 0;
}

// What an earlier life has left undecided was sent, for all we know, right up to this moment.
void OwnOrders::load(std::string epoch, const std::vector<std::int64_t>& ids, const std::vector<LoadedOwnOrder>& orders, std::int64_t now_ms) {
  epoch_ = std::move(epoch);
  add_ids(ids);
  for (const LoadedOwnOrder& row : orders) {
    OwnOrder order;
    order.id = row.id;
    order.position_id = row.position_id;
    order.purpose = row.purpose;
    order.attempt = row.attempt;
    order.ticket = row.ticket;
    order.order_id = row.order_id;
    order.status = row.status;
    order.filled_quantity = row.filled_quantity;
    order.traded_quantity = row.traded_quantity;
    order.traded_value = row.traded_value;
    order.answered = !row.order_id.empty();
    order.sent_ms = now_ms;
    order.sent_from_venue_ms = row.sent_ms;
    if (wants_look_up(order, false) || order.is_undecided()) order.look_up_at_ms = now_ms;
    if (!order.order_id.empty()) by_order_id_[order_key(order.ticket.symbol, order.order_id, order.ticket.kind)] = order.id;
    orders_.insert_or_assign(order.id, std::move(order));
  }
}

// ------------------------------------------------------------------------------------------------ sending

OwnOrder& OwnOrders::submit(Purpose purpose, std::int64_t position_id, OrderTicket ticket, std::int64_t now_ms, Changes& changes) {
  OwnOrder order;
  order.id = ids_.front();
  ids_.erase(ids_.begin());
  order.position_id = position_id;
  order.purpose = purpose;
  order.ticket = std::move(ticket);
  order.ticket.client_order_id = client_order_id(epoch_, order.id, order.attempt);
  OwnOrder& kept = orders_.insert_or_assign(order.id, std::move(order)).first->second;
  put_row(kept, changes);
  send(kept, now_ms);
  touch(kept);
  return kept;
}

void OwnOrders::submit_again(OwnOrder& order, std::int64_t now_ms, Changes& changes) {
  ++order.attempt;
  order.ticket.client_order_id = client_order_id(epoch_, order.id, order.attempt);
  order.status = OrderStatus::submitting;
  order.order_id.clear();
  order.venue_status.clear();
  order.reject_reason.clear();
  order.refusal = Refusal::other;
  order.never_accepted = order.answered = false;
  order.ended_ms = 0;
  order.look_up_at_ms = order.resend_at_ms = order.proof_at_ms = kNever;
  order.look_up_pause_ms = 0;
  order.late_negatives = order.proof_rounds = 0;
  put_row(order, changes);
  send(order, now_ms);
  touch(order);
}

void OwnOrders::send(OwnOrder& order, std::int64_t now_ms) {
  Request request;
  request.kind = RequestKind::place_order;
  request.symbol = order.ticket.symbol;
  request.client_order_id = order.ticket.client_order_id;
  request.ticket = order.ticket;
  order.sent_from_venue_ms = clock_.known() ? clock_.venue_now(now_ms) : 0;
  order.write = writes_.send(std::move(request));
  asked_[order.write] = order.id;
}

void OwnOrders::put_row(const OwnOrder& order, Changes& changes) const {
  changes.put(OwnOrderRow{order.id, order.position_id, order.purpose, order.ticket, order.status, order.venue_status,
                          order.reject_reason, order.attempt});
}

void OwnOrders::end(OwnOrder& order, OrderStatus status, std::string venue_status, std::string reason, std::int64_t now_ms, Changes& changes) {
  note_move(order.status, status);
  order.status = status;
  order.venue_status = std::move(venue_status);
  order.reject_reason = std::move(reason);
  order.ended_ms = now_ms;
  order.look_up_at_ms = order.resend_at_ms = order.proof_at_ms = kNever;
  put_row(order, changes);
}

void OwnOrders::become_unknown(OwnOrder& order, std::int64_t now_ms, Changes& changes) {
  if (move_to(order.status, OrderStatus::unknown)) put_row(order, changes);
  order.look_up_pause_ms = 0;
  look_up_later(order, now_ms);
}

void OwnOrders::cancel(OwnOrder& order, std::int64_t now_ms, Changes& changes) {
  if (order.is_final() || order.cancel_wanted) return;
  touch(order);
  const bool waits_to_be_sent_again = order.resend_at_ms != kNever;
  const bool not_gone = order.write != 0 && writes_.withdraw(order.write);
  if (waits_to_be_sent_again || not_gone) {
    asked_.erase(order.write);
    order.write = 0;
    return end(order, OrderStatus::canceled, "WITHDRAWN", "taken back before it was sent", now_ms, changes);
  }
  order.cancel_wanted = true;
  order.cancel_at_ms = now_ms;
}

void OwnOrders::forget(std::int64_t id) {
  const auto it = orders_.find(id);
  if (it == orders_.end()) return;
  std::erase_if(asked_, [&](const auto& entry) { return entry.second == id; });
  std::erase_if(by_order_id_, [&](const auto& entry) { return entry.second == id; });
  orders_.erase(it);
}

// ------------------------------------------------------------------------------------------------ what the venue answers

bool OwnOrders::on_written(const Writes::Written& written, const Reply& reply, std::int64_t now_ms, Changes& changes) {
  const auto asked = asked_.find(written.request.id);
  if (asked == asked_.end()) return false;
  OwnOrder& order = orders_.at(asked->second);
  asked_.erase(asked);
  touch(order);
  if (order.cancel_write == written.request.id) {
    order.cancel_write = 0;
    on_canceled(order, reply, now_ms);
  } else if (order.write == written.request.id) {
    order.write = 0;
    order.sent_ms = written.sent_ms;
    // Wanted before the venue's clock was known; it has been since, or nothing could have been signed.
    if (order.sent_from_venue_ms == 0 && written.sent_ms != 0) order.sent_from_venue_ms = clock_.venue_now(written.sent_ms) - limits::kProofSlackMs;
    on_placed(order, reply, now_ms, changes);
  }
  return true;
}

void OwnOrders::on_placed(OwnOrder& order, const Reply& reply, std::int64_t now_ms, Changes& changes) {
  if (reply.outcome == Outcome::ok) {
    order.answered = true;
    for (const Fact& fact : reply.facts)
      if (const auto* report = std::get_if<Order>(&fact)) {
        Order copy = *report;
        on_order(copy, now_ms);
      }
    if (move_to(order.status, OrderStatus::new_)) put_row(order, changes);
    if (wants_look_up(order, order.cancel_wanted)) look_up_later(order, now_ms);
    return;
  }
  // Something else has told already that it is there: the answer is of no interest.
  if (!order.is_undecided()) return;
  if (certainly_not_taken(reply)) {
    if (order.attempt >= limits::kAttemptsAtMost || order.cancel_wanted)
      return end(order, OrderStatus::rejected, "NOT_SENT", reply.message, now_ms, changes);
    order.resend_at_ms = now_ms + std::max(reply.retry_after_ms, limits::kResendPauseMs * order.attempt);
    return;
  }
  const bool definite = reply.outcome == Outcome::unauthorized || (reply.outcome == Outcome::refused && reply.refusal != Refusal::duplicate);
  if (!definite) return become_unknown(order, now_ms, changes);
  order.refusal = reply.refusal;
  end(order, OrderStatus::rejected, std::to_string(reply.venue_code), reply.message, now_ms, changes);
}

void OwnOrders::on_canceled(OwnOrder& order, const Reply& reply, std::int64_t now_ms) {
  if (order.is_final()) return;
  // Done, or there is nothing to cancel: a report tells which. Otherwise once more, a little later.
  if (reply.outcome == Outcome::ok || reply.outcome == Outcome::not_found) look_up_later(order, now_ms);
  order.cancel_at_ms = now_ms + limits::kLookUpFirstMs + order.look_up_pause_ms;
}

void OwnOrders::on_order(Order& report, std::int64_t now_ms) {
  bool is_child = false;
  OwnOrder* order = match(report, is_child);
  if (!order) return;
  touch(*order);
  report.purpose = order->purpose;
  report.position_id = order->position_id;
  if (!report.order_id.empty()) by_order_id_[order_key(report.symbol, report.order_id, report.kind)] = order->id;

  if (order->filled_quantity < report.filled_quantity) {
    order->filled_quantity = report.filled_quantity;
    order->average_price = report.average_price;
  }
  if (is_child) {
    if (order->child_order_id.empty()) order->child_order_id = report.order_id;
    order->child_ended |= is_terminal(report.status);
    return;
  }
  order->answered = true;
  order->resend_at_ms = kNever;
  restart_proof(*order, now_ms);
  order->proof_at_ms = kNever;
  if (order->order_id.empty()) order->order_id = report.order_id;
  if (!report.child_order_id.empty()) {
    order->child_order_id = report.child_order_id;
    by_order_id_[order_key(report.symbol, report.child_order_id, OrderKind::regular)] = order->id;
  }
  if (!report.reject_reason.empty()) order->reject_reason = report.reject_reason;
  if (report.status == order->status || !move_to(order->status, report.status)) return;
  order->venue_status = report.venue_status;
  if (order->is_final()) {
    order->ended_ms = now_ms;
    order->look_up_at_ms = kNever;
  } else if (wants_look_up(*order, order->cancel_wanted) && order->look_up_at_ms == kNever) {
    look_up_later(*order, now_ms);
  }
}

void OwnOrders::on_fill(const Fill& fill) {
  OwnOrder* order = nullptr;
  for (OrderKind kind : {OrderKind::regular, OrderKind::conditional})
    if (const auto it = by_order_id_.find(order_key(fill.symbol, fill.order_id, kind)); !order && it != by_order_id_.end()) order = find(it->second);
  if (!order && !fill.client_order_id.empty()) order = by_client_id(fill.client_order_id);
  if (!order) return;
  touch(*order);
  const auto value = multiply(fill.price, fill.quantity);
  const auto total_value = value ? add(order->traded_value, *value) : std::nullopt;
  const auto total = add(order->traded_quantity, fill.quantity);
  if (!total_value || !total) return;
  order->traded_value = *total_value;
  order->traded_quantity = *total;
  if (order->first_fill_ms == 0) order->first_fill_ms = fill.executed_ms;
  // A fill is the best proof that an order exists.
  if (order->is_undecided()) move_to(order->status, OrderStatus::partially_filled);
}

OwnOrder* OwnOrders::match(const Order& report, bool& is_child) {
  OwnOrder* order = report.client_order_id.empty() ? nullptr : by_client_id(report.client_order_id);
  if (!order) {
    const auto it = by_order_id_.find(order_key(report.symbol, report.order_id, report.kind));
    if (it != by_order_id_.end()) order = find(it->second);
  }
  // A triggered conditional order becomes a regular one with the same client id.
  is_child = order && order->ticket.kind == OrderKind::conditional && report.kind == OrderKind::regular && report.order_id != order->order_id;
  return order;
}

// ------------------------------------------------------------------------------------------------ looking for it

void OwnOrders::look_up_later(OwnOrder& order, std::int64_t now_ms) {
  order.look_up_pause_ms = order.look_up_pause_ms == 0 ? limits::kLookUpFirstMs
                                                        : std::min(order.look_up_pause_ms * 3 / 2, limits::kLookUpLastMs);
  order.look_up_at_ms = now_ms + order.look_up_pause_ms;
}

RequestKind OwnOrders::look_up_kind(const VenueRules& rules, OrderKind kind) {
  return kind == OrderKind::conditional && rules.conditional_orders_apart ? RequestKind::conditional_order : RequestKind::order;
}

void OwnOrders::look_up(OwnOrder& order, std::int64_t now_ms) {
  if (order.look_up != 0 || order.write != 0) {  // one question at a time, and none before the answer
    order.look_up_at_ms = now_ms + limits::kLookUpFirstMs;
    return;
  }
  Request request;
  request.kind = look_up_kind(rules_, order.ticket.kind);
  request.symbol = order.ticket.symbol;
  request.client_order_id = order.ticket.client_order_id;
  order.look_up = requests_.ask(std::move(request), Requests::Priority::urgent);
  order.look_up_at_ms = kNever;
  asked_[order.look_up] = order.id;
}

bool OwnOrders::on_answer(const Answer& answer, bool live, std::int64_t now_ms, Changes& changes) {
  const auto asked = asked_.find(answer.request.id);
  if (asked == asked_.end()) return false;
  OwnOrder& order = orders_.at(asked->second);
  asked_.erase(asked);
  touch(order);
  if (order.look_up != answer.request.id) {
    on_proof(order, answer, live, now_ms, changes);
    return true;
  }
  order.look_up = 0;
  for (const Fact& fact : answer.reply.facts)
    if (const auto* report = std::get_if<Order>(&fact)) {
      Order copy = *report;
      on_order(copy, now_ms);
    }
  const bool no_longer_possible =
      answer.as_of_ms > clock_.venue_now(order.sent_ms) + rules_.receive_window_ms + limits::kProofSlackMs;
  if (answer.reply.outcome == Outcome::not_found && order.is_undecided() && no_longer_possible && ++order.late_negatives == 1)
    order.proof_at_ms = now_ms;
  if (wants_look_up(order, order.cancel_wanted) || order.is_undecided()) look_up_later(order, now_ms);
  return true;
}

void OwnOrders::step(bool live, std::int64_t now_ms, Changes& changes) {
  if (now_ms < wake_at_ms_) return;
  for (auto& [id, order] : orders_) {
    if (order.is_final()) continue;
    if (now_ms >= order.resend_at_ms) submit_again(order, now_ms, changes);
    if (now_ms >= order.look_up_at_ms) look_up(order, now_ms);
    if (now_ms >= order.proof_at_ms && live) ask_for_proof(order, now_ms);
    if (order.cancel_wanted && order.is_live() && order.cancel_write == 0 && now_ms >= order.cancel_at_ms) {
      Request request;
      request.kind = RequestKind::cancel_order;
      request.symbol = order.ticket.symbol;
      request.order_id = order.order_id;
      request.client_order_id = order.ticket.client_order_id;
      request.ticket = order.ticket;
      order.cancel_write = writes_.send(std::move(request));
      order.cancel_at_ms = kNever;
      asked_[order.cancel_write] = id;
    }
  }
  wake_at_ms_ = std::max(earliest(live), now_ms + 1);
}

// A proof waits for the session to be live; the look-ups in between keep asking.
std::int64_t OwnOrders::earliest(bool live) const {
  std::int64_t deadline = kNever;
  for (const auto& [id, order] : orders_) {
    if (order.is_final()) continue;
    deadline = std::min({deadline, order.resend_at_ms, order.look_up_at_ms, live ? order.proof_at_ms : kNever});
    if (order.cancel_wanted && order.is_live() && order.cancel_write == 0) deadline = std::min(deadline, order.cancel_at_ms);
  }
  return deadline;
}

OwnOrder* OwnOrders::find(std::int64_t id) {
  const auto it = orders_.find(id);
  return it == orders_.end() ? nullptr : &it->second;
}

std::vector<OwnOrder*> OwnOrders::of_position(std::int64_t position_id) {
  std::vector<OwnOrder*> found;
  for (auto& [id, order] : orders_)
    if (order.position_id == position_id) found.push_back(&order);
  return found;
}

OwnOrder* OwnOrders::by_client_id(std::string_view client_order_id) {
  const auto id = parse_client_order_id(client_order_id);
  if (!id || id->epoch != epoch_) {
    // An order of an earlier epoch of this very account is still ours when its row came along.
    for (auto& [row, order] : orders_)
      if (id && row == id->row && order.ticket.client_order_id == client_order_id) return &order;
    return nullptr;
  }
  OwnOrder* order = find(id->row);
  return order && order->attempt == id->attempt ? order : nullptr;
}

}  // namespace tradesync
