#include "exchanges/ticket.hpp"

#include <algorithm>

namespace tradesync {
namespace {

// What both venues accept as a client id (binance-usdm §8.1, bybit-v5 §3.10).
constexpr std::size_t kLongestClientId = 36;

bool is_client_id(std::string_view id) {
  return !id.empty() && id.size() <= kLongestClientId && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
}

bool is_stop(std::string_view type) { return type == "stop" || type == "stop_market"; }
bool is_take_profit(std::string_view type) { return type == "take_profit" || type == "take_profit_market"; }

bool fits_kind(const OrderTicket& ticket) {
  switch (ticket.kind) {
    case OrderKind::regular: return ticket.type == "market" || ticket.type == "limit";
    case OrderKind::conditional: return ticket.stop_price && (is_stop(ticket.type) || is_take_profit(ticket.type));
  }
  return false;
}

bool adds_to_its_position(const OrderTicket& ticket) {
  switch (ticket.position_side) {
    case PositionSide::both: return false;  // one-way mode: reduceOnly says it
    case PositionSide::long_: return ticket.side == Side::buy;
    case PositionSide::short_: return ticket.side == Side::sell;
  }
  return true;
}

bool is_positive_if_set(const std::optional<Decimal>& price) { return !price || price->is_positive(); }

bool is_order(const OrderTicket& ticket) {
  return !ticket.symbol.empty() && is_client_id(ticket.client_order_id) && fits_kind(ticket) && ticket.quantity.is_positive() &&
         (ticket.price || !is_limit(ticket.type)) && is_positive_if_set(ticket.price) && is_positive_if_set(ticket.stop_price) &&
         !(ticket.reduce_only && adds_to_its_position(ticket));
}

bool is_position_stop(const OrderTicket& ticket) {
  const auto is_negative = [](const std::optional<Decimal>& price) { return price && price->is_negative(); };
  return !ticket.symbol.empty() && !is_negative(ticket.stop_price) && !is_negative(ticket.take_profit);
}

}  // namespace

bool is_limit(std::string_view type) { return type == "limit" || type == "stop" || type == "take_profit"; }

bool triggers_rising(const OrderTicket& ticket) { return is_stop(ticket.type) == (ticket.side == Side::buy); }

bool is_sendable(const Request& request) {
  const bool names_an_order = !request.order_id.empty() || !request.client_order_id.empty();
  switch (request.kind) {
    case RequestKind::server_time:
    case RequestKind::instruments:
    case RequestKind::positions:
    case RequestKind::position_mode:
    case RequestKind::leverages:
    case RequestKind::balances:
    case RequestKind::open_orders:
    case RequestKind::open_conditional_orders:
    case RequestKind::closed_orders:
    case RequestKind::executions:
    case RequestKind::income_symbols:
    case RequestKind::tickers:
    case RequestKind::create_listen_key:
    case RequestKind::keep_alive_listen_key: return true;
    case RequestKind::order:
    case RequestKind::conditional_order: return names_an_order;
    case RequestKind::ticker: return !request.symbol.empty();
    case RequestKind::place_order: return is_order(request.ticket);
    case RequestKind::cancel_order: return names_an_order && !request.symbol.empty();
    case RequestKind::set_position_stop: return is_position_stop(request.ticket);
    case RequestKind::set_leverage: return !request.symbol.empty() && request.leverage >= Decimal(1);
  }
  return false;
}

}  // namespace tradesync
