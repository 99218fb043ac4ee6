// A managed position through its whole life, on paper, in both ways of keeping stops.
#include <gtest/gtest.h>

#include <set>

#include "core/paper_world_test.hpp"

namespace tradesync::test {
namespace {

class Trading : public testing::TestWithParam<bool> {
 protected:
  PaperWorld world{GetParam() ? login_rules() : key_rules()};
};
INSTANTIATE_TEST_SUITE_P(BothWays, Trading, testing::Values(false, true), [](const auto& info) { return info.param ? "position_stops" : "stop_orders"; });

TEST_P(Trading, OpensProtectsAndReports) {
  const auto id = world.open("AUSDT", true, "0.5");
  world.run(3000);
  EXPECT_EQ(world.statuses[id], PositionStatus::active);
  EXPECT_EQ(world.quantity("AUSDT"), decimal("0.5"));
  // Bought 2 bp above 100, stop 4 % below that, rounded up to the tick.
  EXPECT_EQ(world.rows[id].entry_price, decimal("100.02"));
  EXPECT_EQ(world.rows[id].stop_loss_price, decimal("96.02"));
  EXPECT_EQ(world.rows[id].has_stop_loss, true);
  EXPECT_EQ(world.results[1].status, "done");
  const auto stops = world.open_orders(Purpose::stop_loss);
  ASSERT_EQ(stops.size(), 1u);
  EXPECT_EQ(stops[0].stop_price, decimal("96.02"));
  EXPECT_TRUE(stops[0].reduce_only);
}

TEST_P(Trading, ClosesFlatAndLeavesNoOrderBehind) {
  const auto id = world.open("AUSDT", false, "0.5");
  world.run(2000);
  ASSERT_EQ(world.statuses[id], PositionStatus::active);
  const auto close = world.command(CommandKind::close_position, id);
  world.run(3000);
  EXPECT_TRUE(world.quantity("AUSDT").is_zero());
  EXPECT_EQ(world.results[close].status, "done");
  ASSERT_EQ(world.closed.size(), 1u);
  EXPECT_EQ(world.closed[0].symbol, "AUSDT");
  EXPECT_TRUE(world.open_orders(Purpose::stop_loss).empty());
  EXPECT_EQ(world.statuses[id], PositionStatus::closing);  // the row itself is closed by the closing
}

TEST_P(Trading, AStopThatFiresClosesThePosition) {
  const auto id = world.open("AUSDT", true, "0.5");
  world.run(2000);
  ASSERT_EQ(world.statuses[id], PositionStatus::active);
  world.marks["AUSDT"] = "96";
  world.run(3000);
  EXPECT_TRUE(world.quantity("AUSDT").is_zero());
  EXPECT_EQ(world.closed.size(), 1u);
  EXPECT_TRUE(world.open_orders(Purpose::stop_loss).empty());
}

TEST_P(Trading, MovesTheStopAndSetsATarget) {
  const auto id = world.open("AUSDT", true, "0.5");
  world.run(2000);
  const auto moved = world.command(CommandKind::set_stop_loss, id, "98.5");
  const auto target = world.command(CommandKind::set_take_profit, id, "110");
  world.run(2000);
  EXPECT_EQ(world.results[moved].status, "done");
  EXPECT_EQ(world.results[target].status, "done");
  EXPECT_EQ(world.rows[id].stop_loss_price, decimal("98.5"));
  EXPECT_EQ(world.rows[id].take_profit_price, decimal("110"));
  EXPECT_EQ(world.open_orders(Purpose::stop_loss).size(), 1u);
  const auto wrong = world.command(CommandKind::set_stop_loss, id, "101");
  world.run(100);
  EXPECT_EQ(world.results[wrong].status, "failed");
  world.marks["AUSDT"] = "111";
  world.run(3000);
  EXPECT_TRUE(world.quantity("AUSDT").is_zero());
  EXPECT_TRUE(world.open_orders(Purpose::stop_loss).empty());
  EXPECT_TRUE(world.open_orders(Purpose::take_profit).empty());
}

TEST_P(Trading, APartialCloseResizesTheStop) {
  const auto id = world.open("AUSDT", true, "0.5");
  world.run(2000);
  const auto part = world.command(CommandKind::close_position, id, "0.2");
  world.run(3000);
  EXPECT_EQ(world.results[part].status, "done");
  EXPECT_EQ(world.quantity("AUSDT"), decimal("0.3"));
  EXPECT_EQ(world.statuses[id], PositionStatus::active);
  const auto stops = world.open_orders(Purpose::stop_loss);
  ASSERT_EQ(stops.size(), 1u);
  EXPECT_EQ(stops[0].quantity, decimal("0.3"));
}

TEST_P(Trading, WhatCannotBeSizedFailsBeforeAnythingLeaves) {
  const auto id = world.open("AUSDT", true, "0.0004");
  world.run(1000);
  EXPECT_EQ(world.statuses[id], PositionStatus::failed);
  EXPECT_EQ(world.results[1].status, "failed");
  EXPECT_NE(world.results[1].error.find("0.0004"), std::string::npos);
  EXPECT_TRUE(world.own.empty());
}

TEST_P(Trading, WhatTheRiskLimitsLeftIsNotExceeded) {
  const auto refused = world.open("AUSDT", true, "0.5", "4", decimal("49.99"));
  world.run(3000);
  EXPECT_EQ(world.statuses[refused], PositionStatus::failed);
  EXPECT_EQ(world.rows[refused].exit_reason, "max_notional");
  EXPECT_EQ(world.results[1].status, "failed");
  EXPECT_EQ(world.results[1].error, "quantity 0.5 of AUSDT at price 100 is worth 50, above max_notional 49.99, which the risk limits of the account left for it");
  EXPECT_TRUE(world.own.empty()) << "nothing has left";
  const auto fits = world.open("AUSDT", true, "0.5", "4", decimal("50"));
  world.run(3000);
  EXPECT_EQ(world.statuses[fits], PositionStatus::active);
}

TEST_P(Trading, ThePaperAccountShowsItsStartBalance) {
  ASSERT_EQ(world.balances.size(), 1u);
  EXPECT_EQ(world.balances["USDT"].wallet_balance, decimal("10000"));
}

TEST_P(Trading, AnOpeningWhoseRowWasReadBeforeItsCommandWaitsForIt) {
  LoadedTrade early;
  early.id = 77;
  early.symbol = "BUSDT";
  early.wanted_quantity = decimal("1");
  early.stop_loss_percent = decimal("4");
  Command other;
  other.id = 70;
  other.kind = CommandKind::set_leverage;
  other.symbol = "AUSDT";
  other.leverage = decimal("2");
  world.step(CommandsRead{{other}, {early}, {}});
  world.run(200);
  EXPECT_FALSE(world.statuses.contains(77));
  Command command;
  command.id = 71;
  command.position_id = 77;
  command.symbol = "BUSDT";
  command.valid_until_ms = world.now + 1'700'000'000'000 + 30000;
  world.step(CommandsRead{{command}, {early}, {}});
  world.run(1000);
  EXPECT_EQ(world.statuses[77], PositionStatus::active);
}

TEST_P(Trading, ManyAtOnce) {
  std::vector<std::int64_t> ids;
  for (const char* symbol : {"AUSDT", "BUSDT"}) ids.push_back(world.open(symbol, symbol[0] == 'A', "1"));
  world.run(3000);
  for (auto id : ids) EXPECT_EQ(world.statuses[id], PositionStatus::active);
}

// Ids begin at the present time: a start that begins where the one before began would give them out once more.
TEST_P(Trading, PaperIdsAreNewAfterARestart) {
  world.open("AUSDT", true, "0.5");
  world.run(3000);
  std::set<std::string> before;
  for (const auto& [key, order] : world.orders) before.insert(order.order_id);
  ASSERT_FALSE(before.empty());
  world.orders.clear();
  world.start(Loaded{});
  world.open("BUSDT", true, "1");
  world.run(3000);
  ASSERT_FALSE(world.orders.empty());
  for (const auto& [key, order] : world.orders) EXPECT_FALSE(before.contains(order.order_id)) << order.order_id;
}

// The row was written before anybody knew that somebody else holds that place.
TEST_P(Trading, NothingIsSentIntoThePositionOfSomebodyElse) {
  Loaded loaded;
  LoadedPosition held;
  held.position = position("BUSDT", "-3", {});
  held.reported = held.row_open = true;
  held.row_side = "short";
  loaded.positions.push_back(held);
  world.start(std::move(loaded));
  const auto id = world.open("BUSDT", true, "1");
  world.run(1000);
  EXPECT_EQ(world.statuses[id], PositionStatus::failed);
  EXPECT_EQ(world.rows[id].exit_reason, "position_exists");
  EXPECT_TRUE(world.own.empty());
  EXPECT_EQ(world.quantity("BUSDT"), decimal("-3")) << "told once more: its place is free for a row of its own";
}

TEST_P(Trading, HaltedMeansNothingNew) {
  world.step(AccountChanged{"halted by hand"});
  const auto id = world.open("AUSDT", true, "0.5");
  world.run(500);
  EXPECT_EQ(world.statuses[id], PositionStatus::canceled);
  EXPECT_EQ(world.results[1].status, "failed");
  EXPECT_TRUE(world.own.empty());
}

}  // namespace
}  // namespace tradesync::test
