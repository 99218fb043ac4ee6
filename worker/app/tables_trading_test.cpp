#include <gtest/gtest.h>

#include "app/tables.hpp"
#include "core/test_rules_test.hpp"

namespace tradesync {
namespace {

using namespace test;

class TradingTablesTest : public testing::Test {
 protected:
  const Rows& rows(const std::string& name) {
    tables.clear();
    tables.fill(changes, 0);
    for (const Rows& each : tables.all())
      if (each.function() == "monitoring.worker_save_" + name) return each;
    ADD_FAILURE() << "no table " << name;
    static const Rows none("", "", 1);
    return none;
  }
  void expect_cells(const Rows& rows, const std::vector<const char*>& expected) {
    ASSERT_EQ(rows.count(), 1);
    ASSERT_EQ(rows.columns(), static_cast<int>(expected.size()));
    for (int column = 0; column < rows.columns(); ++column) {
      const char* cell = expected[static_cast<std::size_t>(column)];
      if (cell) EXPECT_EQ(rows.cell(0, column), cell) << column;
      else EXPECT_EQ(rows.cell(0, column), std::nullopt) << column;
    }
  }
  Changes changes;
  Tables tables;
};

TEST_F(TradingTablesTest, own_order_is_its_ticket_and_what_we_know) {
  OwnOrderRow own;
  own.id = 7;
  own.position_id = 42;
  own.purpose = Purpose::stop_loss;
  own.attempt = 2;
  own.ticket.symbol = "BTCUSDT";
  own.ticket.client_order_id = "tabcdefgh-7-2";
  own.ticket.kind = OrderKind::conditional;
  own.ticket.side = Side::sell;
  own.ticket.position_side = PositionSide::long_;
  own.ticket.type = "stop_market";
  own.ticket.quantity = decimal("0.5");
  own.ticket.stop_price = decimal("99");
  own.ticket.reduce_only = true;
  changes.put(own);
  expect_cells(rows("own_orders"), {"7", "42", "stop_loss", "2", "BTCUSDT", "tabcdefgh-7-2", "conditional", "sell", "long", "stop_market",
                                    "0.5", nullptr, "99", "t", "submitting", nullptr, nullptr});
  EXPECT_EQ(subject_of(rows("own_orders"), 0), "own|7");
}

TEST_F(TradingTablesTest, own_order_without_a_position_has_none) {
  OwnOrderRow own;
  own.id = 7;
  changes.put(own);
  EXPECT_EQ(rows("own_orders").cell(0, 1), std::nullopt);
}

TEST_F(TradingTablesTest, position_update_leaves_alone_what_it_does_not_say) {
  PositionUpdate update;
  update.id = 42;
  changes.put(update);
  expect_cells(rows("position_updates"), {"42", nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                                          nullptr, nullptr, nullptr, "f"});
  EXPECT_EQ(subject_of(rows("position_updates"), 0), "position|42");
}

TEST_F(TradingTablesTest, position_update_says_everything_once) {
  PositionUpdate update;
  update.id = 42;
  update.status = PositionStatus::pending_sl;
  update.position_side = PositionSide::short_;
  update.quantity = decimal("3");
  update.entry_price = decimal("100");
  update.stop_loss_price = decimal("101");
  update.take_profit_price = decimal("90");
  update.wanted_stop_price = decimal("102");
  update.wanted_take_profit = decimal("0");
  update.has_stop_loss = true;
  update.exit_reason = "manual";
  update.exchange_order_id = "99";
  update.opened_ms = 1785000000000;
  update.unprotected_since_ms = 1785000000500;
  changes.put(update);
  expect_cells(rows("position_updates"), {"42", "pending_sl", "short", "3", "100", "101", "90", "102", "0", "t", "manual", "99",
                                          "1785000000000", "1785000000500", "f"});
}

TEST_F(TradingTablesTest, protected_position_clears_the_time_since_which_it_was_not) {
  PositionUpdate update;
  update.id = 42;
  update.unprotected_since_ms = 0;
  changes.put(update);
  EXPECT_EQ(rows("position_updates").cell(0, 13), std::nullopt);
  EXPECT_EQ(rows("position_updates").cell(0, 14), "t");
}

TEST_F(TradingTablesTest, command_and_position_mode_rows) {
  changes.put(CommandResult{3, "running", ""});
  changes.put(CommandResult{3, "failed", "no"});
  changes.position_modes = {{"BTCUSDT", true}, {"ETHUSDT", true}, {"BTCUSDT", false}};
  expect_cells(rows("commands"), {"3", "failed", "no"});
  ASSERT_EQ(rows("position_modes").count(), 2) << "an upsert takes a key once";
  EXPECT_EQ(rows("position_modes").cell(1, 0), "BTCUSDT");
  EXPECT_EQ(rows("position_modes").cell(1, 1), "f");
}

TEST_F(TradingTablesTest, what_we_want_is_written_before_what_the_venue_says_of_it) {
  changes.put(OrderChange{order("BTCUSDT", "1", OrderStatus::filled, {1, 1})});
  changes.put(CommandResult{3, "done", ""});
  changes.put(Closing{"BTCUSDT", PositionSide::both, "long", 2, "manual"});
  PositionUpdate update;
  update.id = 42;
  changes.put(update);
  OwnOrderRow own;
  own.id = 7;
  changes.put(own);
  changes.position_modes = {{"", false}};
  Instrument instrument;
  instrument.symbol = "BTCUSDT";
  changes.instruments = {instrument};
  tables.clear();
  tables.fill(changes, 0);
  std::vector<std::string> names;
  for (const Rows& each : tables.all())
    if (!each.empty()) names.push_back(std::string(each.function()).substr(std::string("monitoring.worker_").size()));
  EXPECT_EQ(names, (std::vector<std::string>{"save_instruments", "save_position_modes", "save_own_orders", "save_position_updates",
                                             "save_commands", "save_orders", "close_positions"}));
}

TEST_F(TradingTablesTest, event_names_its_position) {
  changes.events.push_back({"position_opened", "INFO", "BTCUSDT", "", "", "m", 42});
  changes.events.push_back({"e", "INFO", "", "", "", "m"});
  EXPECT_EQ(rows("events").columns(), 8);
  EXPECT_EQ(rows("events").cell(0, 7), "42");
  EXPECT_EQ(rows("events").cell(1, 7), std::nullopt);
}

}  // namespace
}  // namespace tradesync
