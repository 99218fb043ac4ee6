// Whatever is asked at whatever price: the account adds up.
#include "core/paper_account_test.hpp"
#include "core/paper_trade.hpp"
#include "core/positions.hpp"
#include "core/random.hpp"
#include "core/states.hpp"

namespace tradesync {
namespace {

using namespace test;

struct Walk {
  Walk(bool position_stops, std::uint64_t seed)
      : random(seed), account(position_stops ? with_position_stops() : key_rules(), TradingSettings()) {
    prices["AAAUSDT"] = 1000;
    prices["BBBUSDT"] = 1000;
    account.mark("AAAUSDT", "100");
    account.mark("BBBUSDT", "10");
  }
  Random random;
  PaperAccount account;
  std::map<std::string, std::int64_t> prices;  // in ticks
  std::map<std::string, Decimal> quantities;   // from fills
  Decimal realized, fees;
  std::map<std::string, Order> orders;
  std::set<std::string> trade_ids;
  int fills = 0, flips = 0, triggers = 0, rejected = 0, ids = 0;

  static Decimal tick(const std::string& symbol) { return decimal(symbol == "AAAUSDT" ? "0.1" : "0.01"); }
  Decimal price_near(const std::string& symbol) {
    return *multiply(Decimal(prices[symbol] + random.up_to(60) - 30), tick(symbol));
  }
  OrderTicket draw();
  void step();
  void check(const std::string& symbol_moved);
  void check_fill(const Fill& fill);
};

OrderTicket Walk::draw() {
  OrderTicket ticket;
  ticket.symbol = random.up_to(1) == 0 ? "AAAUSDT" : "BBBUSDT";
  ticket.client_order_id = "id" + std::to_string(++ids);
  ticket.side = random.up_to(1) == 0 ? Side::buy : Side::sell;
  ticket.quantity = ticket.symbol == "AAAUSDT" ? *divide(Decimal(1 + random.up_to(3000)), Decimal(100), 2, Rounding::down)
                                               : Decimal(1 + random.up_to(200));
  ticket.reduce_only = random.up_to(2) == 0;
  switch (random.up_to(3)) {
    case 0: return at_limit(ticket, price_near(ticket.symbol).text());
    case 1: return conditional(ticket, price_near(ticket.symbol).text(), random.up_to(1) == 0 ? "stop_market" : "take_profit_market");
    case 2: return with_stop(ticket, price_near(ticket.symbol).text());
  }
  return ticket;
}

void Walk::step() {
  std::string moved;
  const auto choice = random.up_to(9);
  if (choice < 4) {
    account.place(draw());
  } else if (choice == 4) {
    Request request;
    request.kind = RequestKind::set_position_stop;
    request.ticket.symbol = random.up_to(1) == 0 ? "AAAUSDT" : "BBBUSDT";
    if (random.up_to(2) > 0) request.ticket.stop_price = random.up_to(5) == 0 ? Decimal() : price_near(request.ticket.symbol);
    if (random.up_to(2) > 0) request.ticket.take_profit = random.up_to(5) == 0 ? Decimal() : price_near(request.ticket.symbol);
    account.ask(request);
  } else if (choice == 5) {
    account.cancel(random.up_to(1) == 0 ? OrderKind::regular : OrderKind::conditional, "id" + std::to_string(random.up_to(ids)));
  } else {
    moved = random.up_to(1) == 0 ? "AAAUSDT" : "BBBUSDT";
    prices[moved] = std::max<std::int64_t>(100, prices[moved] + random.up_to(40) - 20);
    account.mark(moved, multiply(Decimal(prices[moved]), tick(moved))->text());
  }
  check(moved);
}

void Walk::check_fill(const Fill& fill) {
  ++fills;
  ASSERT_TRUE(trade_ids.insert(fill.trade_id).second);
  Decimal& held = quantities[fill.symbol];
  const Decimal before = held;
  held = *add(held, fill.side == Side::buy ? fill.quantity : -fill.quantity);
  const bool turned = !before.is_zero() && !held.is_zero() && before.is_negative() != held.is_negative();
  flips += turned;
  const auto order = orders.find(fill.order_id);
  ASSERT_NE(order, orders.end());
  if (order->second.reduce_only) {
    ASSERT_FALSE(turned);
    ASSERT_LT(held.absolute(), before.absolute());
  }
  const bool reduces = before.is_negative() == (fill.side == Side::buy);
  ASSERT_EQ(*fill.closed_quantity, reduces ? std::min(before.absolute(), fill.quantity) : Decimal());
  realized = *add(realized, *fill.realized_pnl);
  fees = *add(fees, fill.fee);
  ASSERT_EQ(fill.fee, *exact::over(multiply(*multiply(fill.price, fill.quantity), Decimal(5)), Decimal(10000)));
}

void Walk::check(const std::string& moved) {
  for (const Fact& fact : account.pushed) {
    if (const auto* order = std::get_if<Order>(&fact)) {
      const auto known = orders.find(order->order_id);
      if (known != orders.end()) {
        ASSERT_TRUE(order->version.newer_than(known->second.version));
        ASSERT_TRUE(order->status == known->second.status || may_move(known->second.status, order->status))
            << text(known->second.status) << " to " << text(order->status);
      }
      triggers += order->status == OrderStatus::triggered;
      rejected += order->status == OrderStatus::rejected;
      // An order fires at the first price beyond it: when the price has just moved, to there, and (below) never later.
      if (order->status == OrderStatus::triggered) {
        ASSERT_EQ(order->symbol, moved);
        ASSERT_TRUE(is_reached(*order, *multiply(Decimal(prices[moved]), tick(moved))));
      }
      orders[order->order_id] = *order;
    } else if (const auto* fill = std::get_if<Fill>(&fact)) {
      check_fill(*fill);
    } else if (const auto* position = std::get_if<VenuePosition>(&fact)) {
      ASSERT_EQ(position->quantity, quantities[position->symbol]);
      ASSERT_EQ(position->quantity.is_zero(), position->entry_price.is_zero());
    } else if (const auto* balance = std::get_if<Balance>(&fact)) {
      ASSERT_EQ(balance->wallet_balance, *subtract(*add(Decimal(10000), realized), fees));
    }
  }
  for (const auto& [id, order] : orders) {
    if (is_terminal(order.status)) continue;
    const Decimal mark = *multiply(Decimal(prices[order.symbol]), tick(order.symbol));
    // Nothing that the mark has reached is left waiting.
    ASSERT_FALSE(is_reached(order, mark)) << order.type << " " << id << " at " << mark.text();
    if (order.kind == OrderKind::regular || !order.client_order_id.empty()) continue;
    // A position's own stop has the position's size and closes it.
    ASSERT_EQ(order.quantity, quantities[order.symbol].absolute());
    ASSERT_EQ(order.side == Side::sell, quantities[order.symbol].is_positive());
  }
}

class PaperProperty : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(, PaperProperty, testing::Bool());

TEST_P(PaperProperty, the_account_adds_up) {
  int fills = 0, flips = 0, triggers = 0, rejected = 0;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    Walk walk(GetParam(), seed);
    for (int i = 0; i < 400 && !HasFatalFailure(); ++i) walk.step();
    ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
    fills += walk.fills;
    flips += walk.flips;
    triggers += walk.triggers;
    rejected += walk.rejected;
    for (const auto& [symbol, quantity] : walk.quantities) ASSERT_EQ(walk.account.position(symbol).quantity, quantity);
    ASSERT_EQ(walk.account.balance().wallet_balance, *subtract(*add(Decimal(10000), walk.realized), walk.fees));
  }
  EXPECT_GT(fills, 1000);
  EXPECT_GT(flips, 50);
  EXPECT_GT(triggers, 300);
  EXPECT_GT(rejected, 50);
}

// What paper tells satisfies the reader of real venues: every position is explained by its fills, nothing is in doubt.
TEST_P(PaperProperty, the_mirror_explains_every_position) {
  for (std::uint64_t seed = 101; seed <= 110; ++seed) {
    Walk walk(GetParam(), seed);
    Positions positions;
    for (int i = 0; i < 300; ++i) {
      walk.step();
      Changes changes;
      for (const Fact& fact : walk.account.pushed) {
        if (const auto* fill = std::get_if<Fill>(&fact)) positions.book(*fill, 1, changes);
        if (const auto* position = std::get_if<VenuePosition>(&fact)) positions.apply(*position, Source::stream, 1, changes);
      }
      ASSERT_EQ(positions.next_deadline(), INT64_MAX) << "seed " << seed << " step " << i;
    }
    for (const auto& [symbol, quantity] : walk.quantities) ASSERT_EQ(positions.find(symbol, PositionSide::both)->quantity, quantity);
  }
}

}  // namespace
}  // namespace tradesync
