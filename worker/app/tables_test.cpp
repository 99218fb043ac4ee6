#include "app/tables.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/test_rules_test.hpp"

namespace tradesync {
namespace {

using namespace test;

class TablesTest : public testing::Test {
 protected:
  // The tables that have rows, in the order in which they are written.
  std::vector<std::string> written(std::int64_t unix_offset_ms = 0) {
    tables.clear();
    tables.fill(changes, unix_offset_ms);
    std::vector<std::string> names;
    for (const Rows& rows : tables.all())
      if (!rows.empty()) names.push_back(std::string(rows.function()).substr(std::string("monitoring.worker_").size()));
    return names;
  }
  const Rows& rows(const std::string& name) {
    for (const Rows& each : tables.all())
      if (each.function() == "monitoring.worker_" + name && !each.empty()) return each;
    ADD_FAILURE() << name << " has no rows";
    static const Rows none("", "", 1);
    return none;
  }

  Changes changes;
  Tables tables;
};

TEST_F(TablesTest, no_changes_write_nothing) { EXPECT_TRUE(written().empty()); }

TEST_F(TablesTest, what_depends_on_others_is_written_after_them) {
  changes.cursors.push_back({"account", "", "1"});
  changes.events.push_back({"e", "INFO", "", "", "", "m"});
  changes.prices.push_back({"BTCUSDT", decimal("1"), {}, 1});
  changes.balances.push_back({"USDT", decimal("1"), {}, {}, 1});
  changes.put(PositionChange{position("BTCUSDT", "1", {1, 1}), Source::stream});
  changes.fills.push_back(fill("BTCUSDT", "1", "1", 1, 1));
  changes.put(OrderChange{order("BTCUSDT", "1", OrderStatus::filled, {1, 1})});
  changes.dead_letters.push_back({"frame", "", "x", "y"});
  Instrument instrument;
  instrument.symbol = "BTCUSDT";
  changes.instruments.push_back(instrument);
  EXPECT_EQ(written(),
            (std::vector<std::string>{"save_dead_letters", "save_instruments", "save_orders", "save_trades", "save_positions",
                                      "save_balances", "save_prices", "save_events", "save_cursors"}));
}

TEST_F(TablesTest, stages_are_written_one_after_the_other_closings_first) {
  changes.put(PositionChange{position("BTCUSDT", "1", {1, 1}), Source::stream});
  changes.put(Closing{"BTCUSDT", PositionSide::both, "long", 2, "closed_on_exchange"});
  changes.put(PositionChange{position("BTCUSDT", "-1", {2, 2}), Source::stream});
  EXPECT_EQ(written(), (std::vector<std::string>{"save_positions", "close_positions", "save_positions"}));
  EXPECT_EQ(rows("close_positions").cell(0, 2), "long");
  EXPECT_EQ(rows("close_positions").cell(0, 4), "closed_on_exchange");
}

TEST_F(TablesTest, order_says_what_is_known_and_null_where_nothing_is) {
  Order full = order("BTCUSDT", "7", OrderStatus::partially_filled, {11, 22}, "4");
  full.client_order_id = "mine";
  full.price = decimal("100.50");
  full.reduce_only = true;
  full.created_ms = 9;
  full.purpose = Purpose::stop_loss;
  full.position_id = 42;
  changes.put(OrderChange{full, Source::rest});
  changes.put(OrderChange{order("BTCUSDT", "8", OrderStatus::new_, {})});
  written();
  const Rows& orders = rows("save_orders");
  ASSERT_EQ(orders.columns(), 24);
  const char* expected[] = {"BTCUSDT", "7",     "mine",  "regular", "buy", "both",  "limit", "partially_filled",
                            "",        "100.5", nullptr, "10",      "4",   nullptr, "t",     nullptr,
                            nullptr,   "9",     "22",    "11",      "22",  "rest",  "stop_loss", "42"};
  for (int column = 0; column < 24; ++column) {
    const auto cell = orders.cell(0, column);
    if (expected[column]) EXPECT_EQ(cell, expected[column]) << column;
    else EXPECT_EQ(cell, std::nullopt) << column;
  }
  EXPECT_EQ(orders.cell(1, 2), std::nullopt);
  EXPECT_EQ(orders.cell(1, 17), std::nullopt) << "no time of creation";
  EXPECT_EQ(orders.cell(1, 21), "stream");
  EXPECT_EQ(orders.cell(1, 22), "external");
  EXPECT_EQ(orders.cell(1, 23), std::nullopt) << "the tables find its position";
}

TEST_F(TablesTest, fill_whose_side_nobody_said_has_none) {
  changes.fills.push_back(fill("BTCUSDT", "1", "-2.5", 33, 44, std::nullopt));
  written();
  const Rows& trades = rows("save_trades");
  EXPECT_EQ(trades.cell(0, 4), "sell");
  EXPECT_EQ(trades.cell(0, 5), std::nullopt);
  EXPECT_EQ(trades.cell(0, 7), "2.5");
  EXPECT_EQ(trades.cell(0, 15), "33");
}

TEST_F(TablesTest, balances_of_one_asset_are_folded_and_the_last_word_wins) {
  changes.balances.push_back({"USDT", decimal("1"), decimal("10"), decimal("100"), 5});
  changes.balances.push_back({"USDT", decimal("2"), {}, {}, 7});
  changes.balances.push_back({"USDT", decimal("3"), {}, {}, 6});
  changes.balances.push_back({"BNB", decimal("4"), {}, {}, 1});
  written();
  const Rows& balances = rows("save_balances");
  ASSERT_EQ(balances.count(), 2);
  EXPECT_EQ(balances.cell(0, 0), "BNB");
  EXPECT_EQ(balances.cell(1, 1), "2") << "an older report does not win by coming last";
  EXPECT_EQ(balances.cell(1, 2), "10");
  EXPECT_EQ(balances.cell(1, 3), "100");
}

TEST_F(TablesTest, one_row_per_key_in_a_turn) {
  Instrument old_step, new_step;
  old_step.symbol = new_step.symbol = "BTCUSDT";
  new_step.tick_size = decimal("0.5");
  changes.instruments = {old_step, new_step};
  changes.leverages = {{"BTCUSDT", decimal("5")}, {"BTCUSDT", decimal("7")}};
  Funding funding;
  funding.symbol = "BTCUSDT";
  funding.funding_id = "f";
  changes.fundings = {funding, funding};
  written();
  EXPECT_EQ(rows("save_instruments").count(), 1);
  EXPECT_EQ(rows("save_instruments").cell(0, 6), "0.5");
  EXPECT_EQ(rows("save_leverages").count(), 1);
  EXPECT_EQ(rows("save_leverages").cell(0, 1), "7");
  EXPECT_EQ(rows("save_funding").count(), 1);
}

TEST_F(TablesTest, synchronisation_that_began_and_ended_within_a_turn_is_one_row_in_wall_time) {
  changes.sync_runs.push_back({"start", 100, 0, false, 0, ""});
  changes.sync_runs.push_back({"start", 100, 250, true, 2, ""});
  written(1785000000000);
  const Rows& runs = rows("save_sync_runs");
  ASSERT_EQ(runs.count(), 1);
  EXPECT_EQ(runs.cell(0, 2), "1785000000100");
  EXPECT_EQ(runs.cell(0, 3), "1785000000250");
  EXPECT_EQ(runs.cell(0, 4), "t");
  EXPECT_EQ(runs.cell(0, 5), "2");
}

TEST_F(TablesTest, running_synchronisation_has_no_end) {
  changes.sync_runs.push_back({"start", 100, 0, false, 0, ""});
  written(1785000000000);
  EXPECT_EQ(rows("save_sync_runs").cell(0, 3), std::nullopt);
}

TEST_F(TablesTest, rows_about_one_thing_have_one_subject) {
  changes.put(OrderChange{order("BTCUSDT", "7", OrderStatus::new_, {1, 1})});
  changes.fills.push_back(fill("BTCUSDT", "9", "1", 1, 1));
  changes.put(Closing{"BTCUSDT", PositionSide::long_, "long", 2, "closed_on_exchange"});
  changes.put(PositionChange{position("BTCUSDT", "-1", {2, 2}, PositionSide::long_), Source::stream});
  changes.prices.push_back({"BTCUSDT", decimal("1"), {}, 1});
  written();
  EXPECT_EQ(subject_of(rows("save_orders"), 0), "order|BTCUSDT|7|regular");
  EXPECT_EQ(subject_of(rows("save_trades"), 0), "trade|BTCUSDT|9");
  EXPECT_EQ(subject_of(rows("close_positions"), 0), "position|BTCUSDT|long");
  EXPECT_EQ(subject_of(rows("save_positions"), 0), subject_of(rows("close_positions"), 0));
  EXPECT_EQ(subject_of(rows("save_prices"), 0), "") << "the next price comes anyway";
}

}  // namespace
}  // namespace tradesync
