// What one turn writes: the last state per key, and stages where a position crosses zero twice.
#include "core/effect.hpp"

#include <gtest/gtest.h>

#include "core/test_rules_test.hpp"

namespace tradesync {
namespace {

using namespace test;

PositionChange held(std::string_view quantity, std::int64_t time) {
  return {position("BTCUSDT", quantity, {0, time}), Source::stream};
}
Closing closing(const std::string& symbol = "BTCUSDT") { return {symbol, PositionSide::both, "long", 1, "closed_on_exchange"}; }

TEST(Changes, order_keeps_its_last_state_and_its_creation_time) {
  Changes changes;
  auto first = order("BTCUSDT", "1", OrderStatus::new_, {0, 1});
  first.created_ms = 77;
  changes.put(OrderChange{first});
  changes.put(OrderChange{order("BTCUSDT", "2", OrderStatus::new_, {0, 1})});
  changes.put(OrderChange{order("BTCUSDT", "1", OrderStatus::canceled, {0, 2})});
  ASSERT_EQ(changes.orders.size(), 2u);
  EXPECT_EQ(changes.orders[0].order.status, OrderStatus::canceled);
  EXPECT_EQ(changes.orders[0].order.created_ms, 77);
}

TEST(Changes, position_in_one_direction_is_one_row_of_one_stage) {
  Changes changes;
  changes.put(held("1", 1));
  changes.put(held("2", 2));
  changes.put(held("5", 3));
  ASSERT_EQ(changes.stages.size(), 1u);
  ASSERT_EQ(changes.stages[0].positions.size(), 1u);
  EXPECT_EQ(changes.stages[0].positions[0].position.quantity, decimal("5"));
}

TEST(Changes, what_a_later_message_of_the_turn_leaves_out_stays) {
  Changes changes;
  auto first = held("1", 1);
  first.position.leverage = decimal("10");
  first.position.stop_loss = decimal("90");
  first.position.opened_ms = 5;
  changes.put(first);
  changes.put(held("2", 2));
  const VenuePosition& kept = changes.stages[0].positions[0].position;
  EXPECT_EQ(kept.leverage, decimal("10"));
  EXPECT_EQ(kept.stop_loss, decimal("90"));
  EXPECT_EQ(kept.opened_ms, 5);
}

TEST(Changes, open_close_open_within_one_turn_is_written_in_stages) {
  Changes changes;
  changes.put(held("1", 1));
  changes.put(held("0", 2));
  changes.put(closing());
  changes.put(held("3", 3));
  ASSERT_EQ(changes.stages.size(), 3u);
  EXPECT_EQ(changes.stages[0].positions[0].position.quantity, decimal("1"));
  EXPECT_EQ(changes.stages[1].positions[0].position.quantity, decimal("0"));
  // Within a stage the closings come first: the row that ended makes room for the one that begins.
  ASSERT_EQ(changes.stages[2].closings.size(), 1u);
  EXPECT_EQ(changes.stages[2].positions[0].position.quantity, decimal("3"));
}

TEST(Changes, flip_closes_before_it_opens_in_one_stage) {
  Changes changes;
  changes.put(closing());
  changes.put(held("-1", 2));
  ASSERT_EQ(changes.stages.size(), 1u);
  EXPECT_EQ(changes.stages[0].closings.size(), 1u);
  EXPECT_EQ(changes.stages[0].positions.size(), 1u);
}

TEST(Changes, closing_never_overtakes_the_report_that_it_follows) {
  Changes changes;
  changes.put(held("1", 1));
  changes.put(closing());
  ASSERT_EQ(changes.stages.size(), 2u);
  EXPECT_TRUE(changes.stages[0].closings.empty());
  EXPECT_EQ(changes.stages[1].closings.size(), 1u);
}

TEST(Changes, symbols_and_sides_share_a_stage) {
  Changes changes;
  changes.put(held("1", 1));
  changes.put(PositionChange{position("BTCUSDT", "-1", {0, 1}, PositionSide::short_), Source::stream});
  changes.put(closing("ETHUSDT"));
  changes.put(PositionChange{position("ETHUSDT", "2", {0, 1}), Source::stream});
  ASSERT_EQ(changes.stages.size(), 1u);
  EXPECT_EQ(changes.stages[0].positions.size(), 3u);
}

TEST(Changes, fill_after_a_closing_of_its_symbol_belongs_to_the_next_stage) {
  Changes changes;
  changes.put(fill("BTCUSDT", "1", "-1", 1, 1));
  changes.put(closing());
  changes.put(fill("ETHUSDT", "2", "1", 2, 2));
  EXPECT_EQ(changes.stages.size(), 1u) << "another symbol settles from nothing of it";
  changes.put(fill("BTCUSDT", "3", "1", 3, 3));
  ASSERT_EQ(changes.stages.size(), 2u);
  EXPECT_EQ(changes.stages[0].first_fill, 0u);
  EXPECT_EQ(changes.stages[1].first_fill, 2u);
  EXPECT_EQ(changes.fills.size(), 3u);
}

TEST(Changes, prices_alone_are_no_account_data) {
  Changes changes;
  EXPECT_TRUE(changes.empty());
  changes.prices.push_back({"BTCUSDT", decimal("1"), {}, 1});
  changes.stale.push_back("ETHUSDT");
  EXPECT_FALSE(changes.empty());
  EXPECT_FALSE(changes.has_account_data());
  changes.cursors.push_back({"account", "", "1"});
  EXPECT_TRUE(changes.has_account_data());
}

TEST(Changes, cleared_changes_remember_no_key) {
  Changes changes;
  changes.put(OrderChange{order("BTCUSDT", "1", OrderStatus::new_, {0, 1})});
  changes.put(held("1", 1));
  changes.clear();
  EXPECT_TRUE(changes.empty());
  changes.put(OrderChange{order("BTCUSDT", "1", OrderStatus::new_, {0, 1})});
  changes.put(held("-1", 2));
  EXPECT_EQ(changes.orders.size(), 1u);
  EXPECT_EQ(changes.stages.size(), 1u);
}

}  // namespace
}  // namespace tradesync
