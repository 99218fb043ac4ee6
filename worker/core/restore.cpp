#include "core/restore.hpp"

#include <algorithm>
#include <utility>

namespace tradesync {

void Restore::begin(const Cursors& cursors, std::int64_t venue_now_ms) {
  forget();
  running_ = true;
  until_ms_ = venue_now_ms;
  as_of_ms = venue_now_ms;
  since_ms_ = cursors.account_ms > 0 ? std::max<std::int64_t>(cursors.account_ms - rules_.execution_overlap_ms, 1) : 0;

  ask(RequestKind::positions);
  ask(RequestKind::open_orders);
  if (rules_.conditional_orders_apart) ask(RequestKind::open_conditional_orders);
  ask(RequestKind::balances);
  if (rules_.leverage_apart) ask(RequestKind::leverages);
  if (rules_.position_mode_account_wide) ask(RequestKind::position_mode);
  if (since_ms_ == 0) return;
  ask_windows(RequestKind::closed_orders, Purpose::closed_orders, since_ms_);
  if (!rules_.executions_per_symbol) ask_windows(RequestKind::executions, Purpose::snapshot, since_ms_);
}

void Restore::forget() {
  for (const auto& [id, purpose] : waiting_) requests_.drop(id);
  waiting_.clear();
  vanished_.clear();
  income_symbols_.clear();
  positions.clear();
  orders.clear();
  fills.clear();
  fundings.clear();
  balances.clear();
  leverages.clear();
  gone_orders.clear();
  running_ = second_part_asked_ = income_asked_ = hedge_mode = false;
  positions_as_of_ms = 0;
}

void Restore::ask(RequestKind kind, Purpose purpose) {
  Request request;
  request.kind = kind;
  waiting_[requests_.ask(std::move(request), Requests::Priority::normal)] = purpose;
}

// Both venues bound the span of one query (7 days): an account that slept longer is read window by window.
void Restore::ask_windows(RequestKind kind, Purpose purpose, std::int64_t since_ms, const std::string& symbol, const std::string& from_id) {
  const std::int64_t window = rules_.max_window_ms > 0 ? rules_.max_window_ms : INT64_MAX / 2;
  for (std::int64_t from = since_ms; from < until_ms_ || from == since_ms; from += window) {
    Request request;
    request.kind = kind;
    request.symbol = symbol;
    request.from_id = from_id;
    request.since_ms = from;
    // The last window stays open: what happens while we ask belongs to it.
    request.until_ms = from + window < until_ms_ ? from + window : 0;
    const bool indispensable = purpose != Purpose::closed_orders;
    waiting_[requests_.ask(std::move(request), Requests::Priority::normal, indispensable)] = purpose;
    if (!from_id.empty()) return;  // ids page through without windows
  }
}

void Restore::take(Facts& facts, std::int64_t asked_ms) {
  for (auto& fact : facts) {
    // A balance without a time of its own is as new as the question.
    if (auto* balance = std::get_if<Balance>(&fact); balance && balance->updated_ms == 0) balance->updated_ms = asked_ms;
    if (auto* order = std::get_if<Order>(&fact)) orders.push_back(std::move(*order));
    else if (auto* fill = std::get_if<Fill>(&fact)) fills.push_back(std::move(*fill));
    else if (auto* position = std::get_if<VenuePosition>(&fact)) positions.push_back(std::move(*position));
    else if (auto* balance = std::get_if<Balance>(&fact)) balances.push_back(std::move(*balance));
    else if (auto* funding = std::get_if<Funding>(&fact)) fundings.push_back(std::move(*funding));
    else if (auto* leverage = std::get_if<Leverage>(&fact)) leverages.push_back(std::move(*leverage));
    else if (auto* notice = std::get_if<Notice>(&fact); notice && notice->event_type == "income") income_symbols_.insert(notice->symbol);
  }
}

bool Restore::on_answer(Answer& answer) {
  const auto it = waiting_.find(answer.request.id);
  if (it == waiting_.end()) return false;
  const Purpose purpose = it->second;
  waiting_.erase(it);
  if (answer.as_of_ms > 0) as_of_ms = std::min(as_of_ms, answer.as_of_ms);
  if (answer.request.kind == RequestKind::positions) positions_as_of_ms = answer.as_of_ms;
  if (answer.request.kind == RequestKind::position_mode) hedge_mode = answer.reply.hedge_mode;

  // A venue that does not list closed orders without a symbol tells by its income which symbols traded.
  if (purpose == Purpose::closed_orders && answer.reply.outcome == Outcome::refused && rules_.executions_per_symbol && !std::exchange(income_asked_, true))
    ask_windows(RequestKind::income_symbols, Purpose::income, since_ms_);
  if (purpose == Purpose::vanished_order) {
    const auto vanished = vanished_.find(answer.request.id);
    if (answer.reply.outcome == Outcome::not_found && vanished != vanished_.end())
      gone_orders.emplace_back(std::move(vanished->second), answer.as_of_ms);
    if (vanished != vanished_.end()) vanished_.erase(vanished);
  }
  take(answer.reply.facts, answer.as_of_ms);
  return true;
}

// Which symbols may have traded since we last knew everything: where a position or an open order differs from what we
// hold, and what the venue itself names.
std::set<std::string> Restore::touched_symbols(const Orders& held_orders, const Positions& held_positions) const {
  std::set<std::string> touched = income_symbols_;
  std::set<std::string> listed;
  for (const auto& position : positions) {
    listed.insert(position.symbol);
    const VenuePosition* held = held_positions.find(position.symbol, position.position_side);
    if (!held || held->quantity != position.quantity || position.version.newer_than(held->version)) touched.insert(position.symbol);
  }
  for (const auto& symbol : held_positions.open_symbols())
    if (!listed.contains(symbol)) touched.insert(symbol);
  std::set<std::string> listed_orders;
  for (const auto& order : orders) {
    listed_orders.insert(order.symbol + "|" + order.order_id);
    const Order* held = held_orders.find(order.symbol, order.order_id, order.kind);
    const bool filled_since = order.filled_quantity.is_positive() && (!held || held->filled_quantity != order.filled_quantity);
    if (filled_since) touched.insert(order.symbol);
  }
  for (const auto& order : held_orders.open())
    if (!listed_orders.contains(order.symbol + "|" + order.order_id)) touched.insert(order.symbol);
  return touched;
}

void Restore::ask_executions_of(const std::set<std::string>& symbols, const Cursors& cursors) {
  for (const auto& symbol : symbols) {
    const auto from = cursors.read_from.find(symbol);
    const std::string from_id = from == cursors.read_from.end() ? std::string() : from->second;
    ask_windows(RequestKind::executions, Purpose::snapshot, since_ms_, symbol, from_id);
  }
}

void Restore::ask_vanished(const Orders& held_orders) {
  std::set<std::string> listed;
  for (const auto& order : orders) listed.insert(std::string(text(order.kind)) + order.symbol + "|" + order.order_id);
  for (auto& order : held_orders.open()) {
    if (listed.contains(std::string(text(order.kind)) + order.symbol + "|" + order.order_id)) continue;
    Request request;
    request.kind = order.kind == OrderKind::conditional && rules_.conditional_orders_apart ? RequestKind::conditional_order : RequestKind::order;
    request.symbol = order.symbol;
    request.order_id = order.order_id;
    const std::uint64_t id = requests_.ask(std::move(request), Requests::Priority::normal);
    waiting_[id] = Purpose::vanished_order;
    vanished_.emplace(id, std::move(order));
  }
}

void Restore::advance(const Orders& held_orders, const Positions& held_positions, const Cursors& cursors) {
  if (!first_part_done() || second_part_asked_) return;
  second_part_asked_ = true;
  ask_vanished(held_orders);
  if (since_ms_ != 0 && rules_.executions_per_symbol) ask_executions_of(touched_symbols(held_orders, held_positions), cursors);
}

}  // namespace tradesync
