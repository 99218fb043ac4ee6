// Positions on paper: what a fill does to them, and the stops that belong to them.
#include <algorithm>

#include "core/paper.hpp"
#include "core/paper_trade.hpp"

namespace tradesync {
namespace {

// What executions list; a cursor is never further behind than a restart, after which the tables know.
constexpr std::size_t kFillsAtMost = 5000;
constexpr std::int64_t kDefaultLeverage = 10;  // of a new account at a venue, where the symbol allows it

}  // namespace

bool Paper::execute(Order& order, const Decimal& quantity, const Decimal& price, Liquidity liquidity, Facts& pushed) {
  const std::string& asset = instrument_of(order.symbol).settle_asset;
  Holding& holding = holdings_[order.symbol];
  const auto after = book(holding.quantity, holding.entry_price, order.side == Side::buy ? quantity : -quantity, price);
  const auto fee = fee_of(quantity, price);
  if (!after || !fee || !multiply(after->quantity, after->entry_price)) return false;
  const auto wallet = exact::minus(add(wallet_of(asset), after->realized_pnl), fee);
  if (!wallet) return false;

  const Decimal before = holding.quantity;
  const std::optional<Decimal> attached = order.kind == OrderKind::regular ? order.stop_price : std::nullopt;
  order.filled_quantity = quantity;
  order.average_price = price;
  finish(order, quantity == order.quantity ? OrderStatus::filled : OrderStatus::canceled, "", pushed);
  push_fill(order, price, *fee, after->realized_pnl, after->closed_quantity, liquidity, pushed);

  const bool opens = before.is_zero() || (!after->quantity.is_zero() && after->quantity.is_negative() != before.is_negative());
  if (opens) holding.opened_ms = now_ms_;
  if (after->quantity.is_zero()) holding.opened_ms = 0;
  holding.quantity = after->quantity;
  holding.entry_price = after->entry_price;
  holding.version = order.version;  // the position's word contains the fill of the same number
  wallets_[asset] = *wallet;
  follow_position(order, before, attached, pushed);
  pushed.push_back(balance_of(asset));
  return true;
}

void Paper::push_fill(const Order& order, const Decimal& price, const Decimal& fee, const Decimal& realized, const Decimal& closed,
                      Liquidity liquidity, Facts& pushed) {
  Fill fill;
  fill.symbol = order.symbol;
  fill.trade_id = next_id();
  fill.order_id = order.order_id;
  fill.client_order_id = order.client_order_id;
  fill.side = order.side;
  fill.position_side = PositionSide::both;
  fill.price = price;
  fill.quantity = order.filled_quantity;
  fill.fee = fee;
  fill.fee_currency = instrument_of(order.symbol).settle_asset;
  fill.realized_pnl = realized;
  fill.closed_quantity = closed;
  fill.exec_type = "trade";
  fill.is_maker = liquidity == Liquidity::maker;
  fill.executed_ms = now_ms_;
  fill.sequence = order.version.order;
  fills_.push_back(fill);
  if (fills_.size() > kFillsAtMost) fills_.pop_front();
  pushed.push_back(std::move(fill));
}

// The position's own stops go with it: resized, removed when it is flat or has turned. Resting orders with nothing left to
// reduce end as well, conditional ones stay: they are refused when they fire. The position is told before its stops.
void Paper::follow_position(const Order& order, const Decimal& before, const std::optional<Decimal>& stop, Facts& pushed) {
  const std::string symbol = order.symbol;
  const Decimal now = held(symbol);
  const bool ended = !before.is_zero() && (now.is_zero() || now.is_negative() != before.is_negative());
  Facts stops;
  for (std::size_t i = 0; i < open_.size();) {
    Order& other = open_[i];
    const bool own = other.symbol == symbol && is_system(other);
    const bool idle = other.symbol == symbol && other.kind == OrderKind::regular && other.reduce_only &&
                      reducible(symbol, other.side).is_zero();
    if ((own && ended) || idle) {
      Order over = take(i);
      finish(over, own || rules_.position_stops ? OrderStatus::canceled : OrderStatus::expired, "", stops);
      continue;
    }
    if (own && other.quantity != now.absolute()) {
      other.quantity = now.absolute();
      report(other, OrderStatus::new_, stops);
    }
    ++i;
  }
  const bool of_this_side = !now.is_zero() && now.is_positive() == (order.side == Side::buy);
  if (stop && of_this_side) set_system_order(symbol, "stop_market", *stop, stops);
  pushed.push_back(position_of(symbol));
  pushed.insert(pushed.end(), stops.begin(), stops.end());
}

// Places, moves or (price 0) removes the position's own stop or take profit.
void Paper::set_system_order(const std::string& symbol, std::string_view type, const Decimal& price, Facts& pushed) {
  const Decimal now = held(symbol);
  const Order* found = system_order(symbol, type);
  if (price.is_zero()) {
    if (!found) return;
    Order over = take(static_cast<std::size_t>(found - open_.data()));
    return finish(over, OrderStatus::canceled, "", pushed);
  }
  if (found) {
    Order& order = open_[static_cast<std::size_t>(found - open_.data())];
    order.stop_price = price;
    return report(order, OrderStatus::new_, pushed);
  }
  Order order;
  order.symbol = symbol;
  order.order_id = next_id();
  order.kind = OrderKind::conditional;
  order.side = now.is_positive() ? Side::sell : Side::buy;
  order.type = type;
  order.stop_price = price;
  order.quantity = now.absolute();
  order.reduce_only = true;
  order.created_ms = now_ms_;
  report(order, OrderStatus::new_, pushed);
  open_.push_back(std::move(order));
}

Reply Paper::set_position_stop(const Request& request, Facts& pushed) {
  const OrderTicket& ticket = request.ticket;
  const auto no = [&](Refusal why, const std::string& message) { return refused(request, now_ms_, why, message + ticket.symbol); };
  if (!rules_.position_stops) return no(Refusal::other, "stops of this venue are conditional orders, not part of the position in ");
  if (ticket.position_side != PositionSide::both) return no(Refusal::position_mode, "the paper account is in one-way mode: ");
  const Decimal now = held(ticket.symbol);
  if (now.is_zero()) return no(Refusal::zero_position, "there is no position in ");
  const auto mark = mark_of(ticket.symbol);
  if (!mark) return no(Refusal::other, "no live price of ");

  Reply reply = answered(request, now_ms_);
  std::vector<std::pair<std::string_view, Decimal>> wanted;
  if (ticket.stop_price) wanted.emplace_back("stop_market", *ticket.stop_price);
  if (ticket.take_profit) wanted.emplace_back("take_profit_market", *ticket.take_profit);
  std::erase_if(wanted, [&](const auto& one) { return one.second == system_price(ticket.symbol, one.first); });
  for (const auto& [type, price] : wanted) {
    const Decimal& tick = instrument_of(ticket.symbol).tick_size;
    const bool below = (type == "stop_market") == now.is_positive();
    if (price.is_zero()) continue;
    if (price.is_negative() || (tick.is_positive() && to_step(price, tick, Rounding::down) != price))
      return no(Refusal::filter, "price " + price.text() + " is not a multiple of tick_size " + tick.text() + " of ");
    if (below ? price >= *mark : price <= *mark)
      return no(Refusal::would_trigger, std::string(type) + " " + price.text() + " would trigger at mark price " + mark->text() + " of ");
  }
  if (wanted.empty()) {
    reply.refusal = Refusal::not_modified;  // with Outcome::ok, as venues' "not modified" is read
    return reply;
  }
  Facts stops;
  for (const auto& [type, price] : wanted) set_system_order(ticket.symbol, type, price, stops);
  holdings_[ticket.symbol].version = next_version();
  pushed.insert(pushed.end(), stops.begin(), stops.end());
  pushed.push_back(position_of(ticket.symbol));
  return reply;
}

Reply Paper::set_leverage(const Request& request, Facts& pushed) {
  const auto instrument = instruments_.find(request.symbol);
  if (instrument == instruments_.end())
    return refused(request, now_ms_, Refusal::not_tradable, "symbol " + request.symbol + " is not known");
  const auto& most = instrument->second.max_leverage;
  if (request.leverage < Decimal(1) || (most && request.leverage > *most))
    return refused(request, now_ms_, Refusal::filter,
                   "leverage " + request.leverage.text() + " of " + request.symbol + " is not between 1 and max_leverage" +
                       (most ? " " + most->text() : ""));
  Reply reply = answered(request, now_ms_);
  const bool changes = leverage_of(request.symbol) != request.leverage;
  leverages_[request.symbol] = request.leverage;
  if (!changes) {
    reply.refusal = Refusal::not_modified;
    return reply;
  }
  pushed.push_back(Leverage{request.symbol, request.leverage});
  if (!held(request.symbol).is_zero()) {
    holdings_[request.symbol].version = next_version();
    pushed.push_back(position_of(request.symbol));
    pushed.push_back(balance_of(instrument->second.settle_asset));
  }
  return reply;
}

// A position's own stop or take profit: nobody placed it as an order, so it has no client id.
bool Paper::is_system(const Order& order) const {
  return rules_.position_stops && order.kind == OrderKind::conditional && order.client_order_id.empty();
}

const Order* Paper::system_order(const std::string& symbol, std::string_view type) const {
  const auto it = std::find_if(open_.begin(), open_.end(), [&](const Order& order) {
    return order.symbol == symbol && is_system(order) && order.type == type;
  });
  return it == open_.end() ? nullptr : &*it;
}

Decimal Paper::system_price(const std::string& symbol, std::string_view type) const {
  const Order* order = system_order(symbol, type);
  return order && order->stop_price ? *order->stop_price : Decimal();
}

VenuePosition Paper::position_of(const std::string& symbol) const {
  VenuePosition position;
  position.symbol = symbol;
  position.version = {0, now_ms_};  // never held: flat as of now
  position.leverage = leverage_of(symbol);
  position.mark_price = mark_of(symbol);
  position.unrealized_pnl = unrealized(symbol);
  if (rules_.position_stops) {
    position.stop_loss = system_price(symbol, "stop_market");
    position.take_profit = system_price(symbol, "take_profit_market");
  }
  const auto it = holdings_.find(symbol);
  if (it == holdings_.end()) return position;
  position.quantity = it->second.quantity;
  position.entry_price = it->second.entry_price;
  position.opened_ms = it->second.opened_ms;
  position.version = it->second.version;
  return position;
}

Decimal Paper::held(const std::string& symbol) const {
  const auto it = holdings_.find(symbol);
  return it == holdings_.end() ? Decimal() : it->second.quantity;
}

// How much of the position an order of this side would reduce.
Decimal Paper::reducible(const std::string& symbol, Side side) const {
  const Decimal now = held(symbol);
  return now.is_negative() == (side == Side::buy) ? now.absolute() : Decimal();
}

Decimal Paper::leverage_of(const std::string& symbol) const {
  if (const auto it = leverages_.find(symbol); it != leverages_.end()) return it->second;
  const auto& most = instrument_of(symbol).max_leverage;
  return most && *most < Decimal(kDefaultLeverage) && most->is_positive() ? *most : Decimal(kDefaultLeverage);
}

}  // namespace tradesync
