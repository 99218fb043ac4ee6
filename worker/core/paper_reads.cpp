// The answers of the paper exchange that change nothing: the same lists that a venue gives, complete in one page.
#include <algorithm>
#include <set>

#include "core/paper.hpp"
#include "core/trade_cursor.hpp"

namespace tradesync {
namespace {

bool is_within(const Request& request, const std::string& symbol, std::int64_t at_ms) {
  if (!request.symbol.empty() && symbol != request.symbol) return false;
  return at_ms >= request.since_ms && (request.until_ms == 0 || at_ms <= request.until_ms);
}

}  // namespace

Reply Paper::read(const Request& request) {
  Reply reply = answered(request, now_ms_);
  switch (request.kind) {
    case RequestKind::positions: list_positions(request, reply.facts); break;
    case RequestKind::leverages: list_leverages(request, reply.facts); break;
    case RequestKind::open_orders: list_open(request, false, reply.facts); break;
    case RequestKind::open_conditional_orders: list_open(request, true, reply.facts); break;
    case RequestKind::closed_orders: list_finished(request, reply.facts); break;
    case RequestKind::executions: list_executions(request, reply.facts); break;
    case RequestKind::income_symbols: list_income_symbols(request, reply.facts); break;
    case RequestKind::balances:
      for (const auto& [asset, amount] : wallets_) reply.facts.push_back(balance_of(asset));
      break;
    case RequestKind::order:
    case RequestKind::conditional_order: {
      const auto kind = request.kind == RequestKind::order ? OrderKind::regular : OrderKind::conditional;
      if (const Order* order = find(request, kind)) reply.facts.push_back(*order);
      else reply.outcome = Outcome::not_found;
      break;
    }
    case RequestKind::position_mode:  // one-way, as the reply says from the start
    case RequestKind::server_time:
    case RequestKind::instruments:
    case RequestKind::ticker:
    case RequestKind::tickers:
    case RequestKind::create_listen_key:
    case RequestKind::keep_alive_listen_key:
    case RequestKind::place_order:
    case RequestKind::cancel_order:
    case RequestKind::set_position_stop:
    case RequestKind::set_leverage: break;
  }
  return reply;
}

void Paper::list_open(const Request& request, bool conditional, Facts& facts) const {
  for (const Order& order : open_) {
    if (!request.symbol.empty() && order.symbol != request.symbol) continue;
    const bool is_conditional = order.kind == OrderKind::conditional;
    if (is_conditional == conditional || (!conditional && !rules_.conditional_orders_apart)) facts.push_back(order);
  }
}

void Paper::list_positions(const Request& request, Facts& facts) const {
  if (!request.symbol.empty()) {
    facts.push_back(position_of(request.symbol));
    return;
  }
  for (const auto& [symbol, holding] : holdings_)
    if (!holding.quantity.is_zero()) facts.push_back(position_of(symbol));
}

void Paper::list_finished(const Request& request, Facts& facts) const {
  for (const Order& order : finished_) {
    if (rules_.conditional_orders_apart && order.kind == OrderKind::conditional) continue;
    if (is_within(request, order.symbol, order.version.time)) facts.push_back(order);
  }
}

void Paper::list_executions(const Request& request, Facts& facts) const {
  for (const Fill& fill : fills_) {
    if (!request.from_id.empty() && smaller_id(fill.trade_id, request.from_id)) continue;
    if (is_within(request, fill.symbol, fill.executed_ms)) facts.push_back(fill);
  }
}

void Paper::list_income_symbols(const Request& request, Facts& facts) const {
  std::set<std::string> symbols;
  for (const Fill& fill : fills_)
    if (is_within(request, fill.symbol, fill.executed_ms)) symbols.insert(fill.symbol);
  for (const std::string& symbol : symbols) facts.push_back(Notice{"income", "INFO", symbol, ""});
}

// Without a symbol: those that differ from what a new account has.
void Paper::list_leverages(const Request& request, Facts& facts) const {
  if (!request.symbol.empty()) {
    facts.push_back(Leverage{request.symbol, leverage_of(request.symbol)});
    return;
  }
  for (const auto& [symbol, leverage] : leverages_) facts.push_back(Leverage{symbol, leverage});
}

// Where conditional orders live apart, an order and the conditional order that it came from may carry the same client id.
bool Paper::may_be(const Order& order, OrderKind kind) const { return !rules_.conditional_orders_apart || order.kind == kind; }

const Order* Paper::find(const Request& request, OrderKind kind) const {
  const auto matches = [&](const Order& order) {
    if (!may_be(order, kind) || (!request.symbol.empty() && order.symbol != request.symbol)) return false;
    if (!request.order_id.empty()) return order.order_id == request.order_id;
    return !request.client_order_id.empty() && order.client_order_id == request.client_order_id;
  };
  if (const auto it = std::find_if(open_.begin(), open_.end(), matches); it != open_.end()) return &*it;
  const auto it = std::find_if(finished_.rbegin(), finished_.rend(), matches);
  return it == finished_.rend() ? nullptr : &*it;
}

}  // namespace tradesync
