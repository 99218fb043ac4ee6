// Orders as parameters. Regular and conditional orders live in two services with different names for the same things.
#include "exchanges/binance/binance.hpp"
#include "exchanges/ticket.hpp"

namespace tradesync::binance {
namespace {

std::string_view side_word(Side side) { return side == Side::buy ? "BUY" : "SELL"; }

// One-way mode: no positionSide (§8.1), and reduceOnly says that the order may only close. Hedge mode: the position is named
// and reduceOnly is refused, even "false" (-1106); what closes is then told by side and position alone.
void add_position(Query& query, const OrderTicket& ticket) {
  switch (ticket.position_side) {
    case PositionSide::both:
      if (ticket.reduce_only) query.add("reduceOnly", "true");
      break;
    case PositionSide::long_: query.add("positionSide", "LONG"); break;
    case PositionSide::short_: query.add("positionSide", "SHORT"); break;
  }
}

// timeInForce with a price only: with MARKET it is refused (-1106).
void add_amounts(Query& query, const OrderTicket& ticket) {
  query.add("quantity", ticket.quantity.text());
  if (is_limit(ticket.type) && ticket.price) query.add("price", ticket.price->text()).add("timeInForce", "GTC");
}

std::string upper(std::string_view word) {
  std::string out(word);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

}  // namespace

void add_order(Query& query, const OrderTicket& ticket) {
  if (ticket.kind == OrderKind::conditional) query.add("algoType", "CONDITIONAL");
  query.add("symbol", ticket.symbol).add("side", side_word(ticket.side)).add("type", upper(ticket.type));
  add_position(query, ticket);
  add_amounts(query, ticket);
  switch (ticket.kind) {
    case OrderKind::regular:
      // ACK is the form that was seen on the wire and does not wait for the match; fills come by the stream (§0.3 no. 3, §8.1).
      query.add("newClientOrderId", ticket.client_order_id).add("newOrderRespType", "ACK");
      break;
    case OrderKind::conditional:
      if (ticket.stop_price) query.add("triggerPrice", ticket.stop_price->text());
      query.add("workingType", "MARK_PRICE").add("clientAlgoId", ticket.client_order_id);
      break;
  }
}

void add_order_reference(Query& query, const Request& request, OrderKind kind) {
  const bool by_id = !request.order_id.empty();
  const std::string& id = by_id ? request.order_id : request.client_order_id;
  switch (kind) {
    case OrderKind::regular:
      if (!request.symbol.empty()) query.add("symbol", request.symbol);
      query.add(by_id ? "orderId" : "origClientOrderId", id);
      break;
    case OrderKind::conditional:  // knows no symbol (§10.1)
      query.add(by_id ? "algoId" : "clientAlgoId", id);
      break;
  }
}

}  // namespace tradesync::binance
