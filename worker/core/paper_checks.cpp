// What the paper exchange refuses, in the order in which venues look: form, filters, reduce-only, trigger, number, margin.
#include <algorithm>

#include "core/paper.hpp"
#include "core/paper_trade.hpp"

namespace tradesync {
namespace {

// Open orders of the account, a position's own stops included: far above what venues allow per symbol.
constexpr std::size_t kOpenAtMost = 1000;

bool is_multiple(const Decimal& value, const Decimal& step) {
  if (!step.is_positive()) return true;
  const auto nearest = to_step(value, step, Rounding::down);
  return nearest && *nearest == value;
}

bool is_price(const std::optional<Decimal>& price, const Decimal& tick) {
  return price && price->is_positive() && is_multiple(*price, tick);
}

}  // namespace

Paper::MaybeNo Paper::why_not(const OrderTicket& ticket) const {
  if (auto no = form_error(ticket)) return no;
  if (auto no = filter_error(ticket)) return no;
  if (ticket.kind == OrderKind::regular && ticket.reduce_only && reducible(ticket.symbol, ticket.side).is_zero())
    return No{Refusal::reduce_only, "there is no position in " + ticket.symbol + " that this side reduces"};
  if (auto no = trigger_error(ticket)) return no;
  if (auto no = count_error(ticket)) return no;
  if (ticket.reduce_only || ticket.kind == OrderKind::conditional) return std::nullopt;  // those are looked at when they fire
  const auto price = ticket.type == "limit" ? ticket.price : market_price(ticket.symbol, ticket.side);
  return balance_error(ticket.symbol, ticket.side, ticket.quantity, *price);
}

Paper::MaybeNo Paper::form_error(const OrderTicket& ticket) const {
  const bool known = ticket.kind == OrderKind::regular ? ticket.type == "market" || ticket.type == "limit"
                                                       : ticket.type == "stop_market" || ticket.type == "take_profit_market";
  if (!known)
    return No{Refusal::other, "no " + std::string(text(ticket.kind)) + " orders of type " + ticket.type + " on paper"};
  if (ticket.position_side != PositionSide::both)
    return No{Refusal::position_mode, "the paper account is in one-way mode"};
  const auto instrument = instruments_.find(ticket.symbol);
  if (instrument == instruments_.end()) return No{Refusal::not_tradable, "symbol " + ticket.symbol + " is not known"};
  if (instrument->second.status != "trading" && !ticket.reduce_only)
    return No{Refusal::not_tradable, ticket.symbol + " is not trading: its status is '" + instrument->second.status + "'"};
  const auto same = [&](const Order& order) {
    return !ticket.client_order_id.empty() && order.client_order_id == ticket.client_order_id && may_be(order, ticket.kind);
  };
  // Also one that has ended: a market order is never open, and the same intent must not be filled twice.
  if (std::any_of(open_.begin(), open_.end(), same) || std::any_of(finished_.begin(), finished_.end(), same))
    return No{Refusal::duplicate, "client order id " + ticket.client_order_id + " is in use"};
  if (!mark_of(ticket.symbol) || !market_price(ticket.symbol, ticket.side))
    return No{Refusal::other, "no live price of " + ticket.symbol};
  return std::nullopt;
}

Paper::MaybeNo Paper::filter_error(const OrderTicket& ticket) const {
  const Instrument& instrument = instrument_of(ticket.symbol);
  const std::string of = " of " + ticket.symbol;
  const auto no = [](std::string message) { return No{Refusal::filter, std::move(message)}; };
  const bool is_limit = ticket.type == "limit", is_conditional = ticket.kind == OrderKind::conditional;
  if (is_limit && !is_price(ticket.price, instrument.tick_size))
    return no("the price is not a multiple of tick_size " + instrument.tick_size.text() + of);
  if (is_conditional && !is_price(ticket.stop_price, instrument.tick_size))
    return no("the stop price is not a multiple of tick_size " + instrument.tick_size.text() + of);
  const std::string start = "quantity " + ticket.quantity.text();
  if (!ticket.quantity.is_positive()) return no(start + of + " is not above zero");
  // All of a position may be closed, whatever the step has become.
  const bool closes_all = ticket.reduce_only && ticket.quantity >= held(ticket.symbol).absolute();
  if (!closes_all && !is_multiple(ticket.quantity, instrument.quantity_step))
    return no(start + " is not a multiple of quantity_step " + instrument.quantity_step.text() + of);
  const Decimal& most = is_limit ? instrument.max_quantity : instrument.max_market_quantity;
  if (most.is_positive() && ticket.quantity > most)
    return no(start + " is above " + (is_limit ? "max_quantity " : "max_market_quantity ") + most.text() + of);
  if (!closes_all && ticket.quantity < instrument.min_quantity)
    return no(start + " is below min_quantity " + instrument.min_quantity.text() + of);
  if (ticket.reduce_only) return std::nullopt;
  const auto price = is_limit ? ticket.price : is_conditional ? ticket.stop_price : market_price(ticket.symbol, ticket.side);
  const auto worth = exact::times(price, ticket.quantity);
  if (!worth) return no("the numbers given for " + ticket.symbol + " are too large");
  if (*worth < instrument.min_notional)
    return no(start + " is worth " + worth->text() + ", below min_notional " + instrument.min_notional.text() + of);
  return std::nullopt;
}

// A stop whose condition holds already, and an attached stop on the wrong side of where its entry will be.
Paper::MaybeNo Paper::trigger_error(const OrderTicket& ticket) const {
  const auto mark = mark_of(ticket.symbol);
  if (ticket.kind == OrderKind::conditional) {
    Order order;
    order.kind = ticket.kind;
    order.side = ticket.side;
    order.type = ticket.type;
    order.stop_price = ticket.stop_price;
    if (!is_reached(order, *mark)) return std::nullopt;
    return No{Refusal::would_trigger,
              ticket.type + " " + ticket.stop_price->text() + " would trigger at mark price " + mark->text() + " of " + ticket.symbol};
  }
  if (!rules_.position_stops || ticket.reduce_only || !ticket.stop_price || ticket.stop_price->is_zero()) return std::nullopt;
  if (!is_price(ticket.stop_price, instrument_of(ticket.symbol).tick_size))
    return No{Refusal::filter, "the stop price is not a multiple of tick_size of " + ticket.symbol};
  Decimal base = *mark;  // or better, for a limit order that waits for it
  if (ticket.type == "limit") base = ticket.side == Side::buy ? std::min(base, *ticket.price) : std::max(base, *ticket.price);
  if (ticket.side == Side::buy ? *ticket.stop_price < base : *ticket.stop_price > base) return std::nullopt;
  return No{Refusal::would_trigger, "stop " + ticket.stop_price->text() + " is on the wrong side of price " + base.text() + " of " +
                                        ticket.symbol};
}

Paper::MaybeNo Paper::count_error(const OrderTicket& ticket) const {
  const auto conditional = std::count_if(open_.begin(), open_.end(),
                                         [](const Order& order) { return order.kind == OrderKind::conditional; });
  const bool too_many = ticket.kind == OrderKind::conditional && rules_.conditional_orders_at_most > 0 &&
                        conditional >= rules_.conditional_orders_at_most;
  if (!too_many && open_.size() < kOpenAtMost) return std::nullopt;
  return No{Refusal::too_many_orders, "there are " + std::to_string(open_.size()) + " open orders already"};
}

// Margin for what opens and the fee for all of it, against what is free and what the closed part frees.
Paper::MaybeNo Paper::balance_error(const std::string& symbol, Side side, const Decimal& quantity, const Decimal& price) const {
  const Decimal closing = std::min(quantity, reducible(symbol, side));
  if (closing == quantity) return std::nullopt;
  const auto holding = holdings_.find(symbol);
  const Decimal entry = holding == holdings_.end() ? Decimal() : holding->second.entry_price;
  const std::string& asset = instrument_of(symbol).settle_asset;
  const auto opening = subtract(quantity, closing);
  const auto needed = exact::plus(opening ? margin_of(symbol, *opening, price) : std::nullopt, fee_of(quantity, price));
  const auto free = exact::plus(available(asset), margin_of(symbol, closing, entry));
  if (!needed || !free) return No{Refusal::filter, "the numbers given for " + symbol + " are too large"};
  if (*needed <= *free) return std::nullopt;
  return No{Refusal::balance, "margin and fee of " + needed->text() + " " + asset + " are more than the " + free->text() + " available"};
}

}  // namespace tradesync
