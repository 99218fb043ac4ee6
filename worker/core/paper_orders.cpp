// Orders on paper: accepted, filled at once, resting, fired, canceled.
#include <algorithm>

#include "core/paper.hpp"

namespace tradesync {

Reply Paper::place(const Request& request, Facts& pushed) {
  const OrderTicket& ticket = request.ticket;
  if (const auto no = why_not(ticket)) return refused(request, now_ms_, no->why, no->message);
  Reply reply = answered(request, now_ms_);
  Order order = order_of(ticket);
  const bool waits = ticket.kind == OrderKind::conditional || (ticket.type == "limit" && !is_reached(order, *mark_of(ticket.symbol)));
  if (waits) {
    report(order, OrderStatus::new_, pushed);
    open_.push_back(order);
  } else if (!fill_now(order, ticket, pushed)) {
    return refused(request, now_ms_, Refusal::filter, "the numbers given for " + ticket.symbol + " are too large");
  }
  reply.facts.push_back(order);
  return reply;
}

Order Paper::order_of(const OrderTicket& ticket) {
  Order order;
  order.symbol = ticket.symbol;
  order.order_id = next_id();
  order.client_order_id = ticket.client_order_id;
  order.kind = ticket.kind;
  order.side = ticket.side;
  order.type = ticket.type;
  order.price = ticket.type == "limit" ? ticket.price : std::nullopt;
  order.quantity = ticket.quantity;
  order.reduce_only = ticket.reduce_only;
  order.created_ms = now_ms_;
  // A resting entry keeps its attached stop where the tables keep it across a restart.
  const bool attached = ticket.kind == OrderKind::regular && rules_.position_stops && !ticket.reduce_only && ticket.stop_price &&
                        ticket.stop_price->is_positive();
  if (ticket.kind == OrderKind::conditional || attached) order.stop_price = ticket.stop_price;
  return order;
}

// A market order, or a limit order that the market has reached already: it takes the market's price, never a worse one.
bool Paper::fill_now(Order& order, const OrderTicket& ticket, Facts& pushed) {
  if (order.reduce_only) order.quantity = std::min(order.quantity, reducible(order.symbol, order.side));
  Decimal price = *market_price(order.symbol, order.side);
  if (ticket.type == "limit") price = order.side == Side::buy ? std::min(price, *order.price) : std::max(price, *order.price);
  return execute(order, order.quantity, price, Liquidity::taker, pushed);
}

Reply Paper::cancel(const Request& request, Facts& pushed) {
  const Order* found = find(request, request.ticket.kind);
  if (!found || is_terminal(found->status)) {
    Reply reply = refused(request, now_ms_, Refusal::other, "no such open order");
    reply.outcome = Outcome::not_found;
    return reply;
  }
  Reply reply = answered(request, now_ms_);
  Order order = take(static_cast<std::size_t>(found - open_.data()));
  finish(order, OrderStatus::canceled, "", pushed);
  if (is_system(order)) {
    holdings_[order.symbol].version = next_version();
    pushed.push_back(position_of(order.symbol));
  }
  reply.facts.push_back(order);
  return reply;
}

// The mark has reached this order; it has been taken off the open ones.
void Paper::fire(Order order, Facts& pushed) {
  if (order.kind == OrderKind::conditional) return trigger(std::move(order), pushed);
  const Decimal quantity = order.reduce_only ? std::min(order.quantity, reducible(order.symbol, order.side)) : order.quantity;
  if (!quantity.is_zero() && execute(order, quantity, *order.price, Liquidity::maker, pushed)) return;
  finish(order, OrderStatus::canceled, "the order cannot be filled", pushed);
}

void Paper::trigger(Order order, Facts& pushed) {
  report(order, OrderStatus::triggered, pushed);
  const Decimal quantity = order.reduce_only ? std::min(order.quantity, reducible(order.symbol, order.side)) : order.quantity;
  if (quantity.is_zero()) return finish(order, OrderStatus::rejected, "there is no position to reduce", pushed);
  const auto price = market_price(order.symbol, order.side);
  if (!price) return finish(order, OrderStatus::rejected, "no live price", pushed);
  if (!order.reduce_only)
    if (const auto no = balance_error(order.symbol, order.side, quantity, *price))
      return finish(order, OrderStatus::rejected, no->message, pushed);
  if (!rules_.position_stops) return trigger_child(order, quantity, *price, pushed);
  order.quantity = quantity;
  if (!execute(order, quantity, *price, Liquidity::taker, pushed))
    finish(order, OrderStatus::rejected, "the numbers are too large", pushed);
}

// Where conditional orders live apart, the one that fired becomes a regular order with the same client id.
void Paper::trigger_child(Order& order, const Decimal& quantity, const Decimal& price, Facts& pushed) {
  Order child = order;
  child.kind = OrderKind::regular;
  child.type = "market";
  child.order_id = next_id();
  child.stop_price.reset();
  child.quantity = quantity;
  child.created_ms = now_ms_;
  order.child_order_id = child.order_id;
  if (!execute(child, quantity, price, Liquidity::taker, pushed))
    return finish(order, OrderStatus::rejected, "the numbers are too large", pushed);
  order.filled_quantity = child.filled_quantity;
  order.average_price = child.average_price;
  finish(order, quantity == order.quantity ? OrderStatus::filled : OrderStatus::canceled, "", pushed);
}

}  // namespace tradesync
