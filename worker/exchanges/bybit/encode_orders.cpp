// Bodies of what changes something (§3.8–§3.12). Money is text, positionIdx and triggerDirection are numbers, flags are flags.
#include "exchanges/bybit/bybit.hpp"
#include "exchanges/json_write.hpp"
#include "exchanges/ticket.hpp"

namespace tradesync::bybit {
namespace {

using Members = std::vector<JsonMember>;

Members scope(const std::string& symbol) { return {{"category", std::string("linear")}, {"symbol", symbol}}; }

void add(Members& body, std::string_view key, std::string text) { body.emplace_back(key, std::move(text)); }

std::int64_t position_idx(PositionSide side) {
  switch (side) {
    case PositionSide::both: return 0;
    case PositionSide::long_: return 1;
    case PositionSide::short_: return 2;
  }
  return 0;
}

// A stop of the whole position, triggered by the mark price; "0" removes the one there is (§3.9) and needs no trigger.
void add_stop(Members& body, const Decimal& price, std::string_view key, std::string_view trigger_key) {
  add(body, key, price.text());
  if (!price.is_zero()) add(body, trigger_key, "MarkPrice");
}

// closeOnTrigger is left out although it goes well with a stop: it may cancel other orders of the account for its margin.
void add_trigger(Members& body, const OrderTicket& ticket) {
  if (ticket.stop_price) add(body, "triggerPrice", ticket.stop_price->text());
  body.emplace_back("triggerDirection", std::int64_t{triggers_rising(ticket) ? 1 : 2});
  add(body, "triggerBy", "MarkPrice");
}

std::string place_body(const OrderTicket& ticket) {
  Members body = scope(ticket.symbol);
  add(body, "side", ticket.side == Side::buy ? "Buy" : "Sell");
  add(body, "orderType", is_limit(ticket.type) ? "Limit" : "Market");
  add(body, "qty", ticket.quantity.text());
  if (is_limit(ticket.type) && ticket.price) {
    add(body, "price", ticket.price->text());
    add(body, "timeInForce", "GTC");
  }
  body.emplace_back("positionIdx", position_idx(ticket.position_side));
  add(body, "orderLinkId", ticket.client_order_id);
  if (ticket.reduce_only) body.emplace_back("reduceOnly", true);
  switch (ticket.kind) {
    case OrderKind::regular:
      // Stops may not be attached to an order that reduces (§3.10).
      if (ticket.stop_price && !ticket.reduce_only) {
        add_stop(body, *ticket.stop_price, "stopLoss", "slTriggerBy");
        add(body, "tpslMode", "Full");
      }
      break;
    case OrderKind::conditional: add_trigger(body, ticket); break;
  }
  return write_json(body);
}

std::string cancel_body(const Request& request) {
  Members body = scope(request.symbol);
  if (!request.order_id.empty()) add(body, "orderId", request.order_id);
  else add(body, "orderLinkId", request.client_order_id);
  return write_json(body);
}

// What the ticket does not mention stays as it is.
std::string position_stop_body(const OrderTicket& ticket) {
  Members body = scope(ticket.symbol);
  add(body, "tpslMode", "Full");
  body.emplace_back("positionIdx", position_idx(ticket.position_side));
  if (ticket.stop_price) add_stop(body, *ticket.stop_price, "stopLoss", "slTriggerBy");
  if (ticket.take_profit) add_stop(body, *ticket.take_profit, "takeProfit", "tpTriggerBy");
  return write_json(body);
}

// In cross margin and in one-way mode both sides must be equal (§3.8).
std::string leverage_body(const Request& request) {
  Members body = scope(request.symbol);
  add(body, "buyLeverage", request.leverage.text());
  add(body, "sellLeverage", request.leverage.text());
  return write_json(body);
}

}  // namespace

std::string order_body(const Request& request) {
  switch (request.kind) {
    case RequestKind::place_order: return place_body(request.ticket);
    case RequestKind::cancel_order: return cancel_body(request);
    case RequestKind::set_position_stop: return position_stop_body(request.ticket);
    case RequestKind::set_leverage: return leverage_body(request);
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
    case RequestKind::order:
    case RequestKind::conditional_order:
    case RequestKind::ticker:
    case RequestKind::tickers:
    case RequestKind::create_listen_key:
    case RequestKind::keep_alive_listen_key: break;
  }
  return {};
}

}  // namespace tradesync::bybit
