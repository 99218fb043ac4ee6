#include <gtest/gtest.h>

#include "app/load.hpp"
#include "app/wall_fake.hpp"

namespace tradesync {
namespace {

using namespace test;

class LoadTradingTest : public testing::Test {
 protected:
  LoadTradingTest() {
    for (const char* name : {"epoch", "position_modes", "leverages", "balances", "own_orders", "trades", "commands", "recent_fills"})
      table(name) = {};
    wall.tables["monitoring.worker_reserve_order_ids"] = {{"100"}, {"101"}};
  }
  std::vector<Row>& table(const std::string& name) { return wall.tables["monitoring.worker_load_" + name]; }
  LoadResult load() { return load_trading(7, "v1", loaded, error); }

  WallFake wall;
  Loaded loaded;
  std::string error;
  const Cell none;
};

TEST_F(LoadTradingTest, account_that_never_traded_has_an_epoch_and_a_block_of_ids) {
  table("epoch") = {{"abcdefgh"}};
  ASSERT_EQ(load(), LoadResult::ok);
  EXPECT_EQ(loaded.epoch, "abcdefgh");
  EXPECT_EQ(loaded.order_ids, (std::vector<std::int64_t>{100, 101}));
  EXPECT_TRUE(loaded.trades.empty());
}

TEST_F(LoadTradingTest, account_without_an_epoch_can_send_nothing) {
  ASSERT_EQ(load(), LoadResult::ok);
  EXPECT_EQ(loaded.epoch, "");
}

TEST_F(LoadTradingTest, trade_is_read_with_what_was_wanted_of_it) {
  table("trades") = {{"42", "BTCUSDT", "long", "t", "pending_sl", none, "500", "3", "2.5", "99.5", "0", "100.25", "4.9", none,
                      "1785000000000", "t", "750.5"},
                     {"43", "ETHUSDT", "both", "f", "closed", "1", none, none, "2", none, "80", none, "0", "stop_loss", none, "f", none}};
  ASSERT_EQ(load(), LoadResult::ok);
  ASSERT_EQ(loaded.trades.size(), 2u);
  const LoadedTrade& open = loaded.trades[0];
  EXPECT_EQ(open.id, 42);
  EXPECT_EQ(open.position_side, PositionSide::long_);
  EXPECT_TRUE(open.is_long);
  EXPECT_EQ(open.status, PositionStatus::pending_sl);
  EXPECT_EQ(open.wanted_quantity, std::nullopt);
  EXPECT_EQ(open.wanted_notional, Decimal(500));
  EXPECT_EQ(open.leverage, Decimal(3));
  EXPECT_EQ(open.stop_loss_percent.text(), "2.5");
  EXPECT_EQ(open.wanted_stop_price, Decimal::parse("99.5"));
  EXPECT_EQ(open.wanted_take_profit, std::nullopt) << "zero says that there shall be none";
  EXPECT_EQ(open.entry_price, Decimal::parse("100.25"));
  EXPECT_EQ(open.quantity.text(), "4.9");
  EXPECT_EQ(open.unprotected_since_ms, 1785000000000);
  EXPECT_TRUE(open.row_is_open);
  EXPECT_EQ(open.max_notional, Decimal::parse("750.5"));
  const LoadedTrade& over = loaded.trades[1];
  EXPECT_FALSE(over.is_long);
  EXPECT_EQ(over.wanted_take_profit, Decimal(80));
  EXPECT_EQ(over.exit_reason, "stop_loss");
  EXPECT_EQ(over.unprotected_since_ms, 0);
  EXPECT_FALSE(over.row_is_open);
  EXPECT_EQ(over.max_notional, std::nullopt);
}

TEST_F(LoadTradingTest, own_order_is_read_with_its_ticket_and_its_fills) {
  table("own_orders") = {{"7", "42", "stop_loss", "2", "BTCUSDT", "tabcdefgh-7-2", "conditional", "sell", "long", "stop_market", "0.5",
                          none, "99", "t", none, "submitting", "0", "0.25", "24.75", "1785000000000"}};
  ASSERT_EQ(load(), LoadResult::ok);
  ASSERT_EQ(loaded.own_orders.size(), 1u);
  const LoadedOwnOrder& own = loaded.own_orders[0];
  EXPECT_EQ(own.id, 7);
  EXPECT_EQ(own.position_id, 42);
  EXPECT_EQ(own.purpose, Purpose::stop_loss);
  EXPECT_EQ(own.attempt, 2);
  EXPECT_EQ(own.ticket.client_order_id, "tabcdefgh-7-2");
  EXPECT_EQ(own.ticket.kind, OrderKind::conditional);
  EXPECT_EQ(own.ticket.side, Side::sell);
  EXPECT_EQ(own.ticket.position_side, PositionSide::long_);
  EXPECT_EQ(own.ticket.type, "stop_market");
  EXPECT_EQ(own.ticket.quantity.text(), "0.5");
  EXPECT_EQ(own.ticket.price, std::nullopt);
  EXPECT_EQ(own.ticket.stop_price, Decimal(99));
  EXPECT_TRUE(own.ticket.reduce_only);
  EXPECT_EQ(own.order_id, "");
  EXPECT_EQ(own.status, OrderStatus::submitting);
  EXPECT_EQ(own.traded_quantity.text(), "0.25");
  EXPECT_EQ(own.traded_value.text(), "24.75");
  EXPECT_EQ(own.sent_ms, 1785000000000);
}

TEST_F(LoadTradingTest, command_is_read_and_one_of_an_unknown_kind_is_left_alone) {
  table("commands") = {{"3", "close_position", "t", "42", "BTCUSDT", none, none, none, "manual", "0.5", none, none, none, "v1"},
                       {"4", "cancel_order", "f", none, "BTCUSDT", "c", "99", "conditional", none, none, none, none, "1785000000000", "v1"},
                       {"5", "fly_to_the_moon", "f", none, none, none, none, none, none, none, none, none, none, "v1"}};
  ASSERT_EQ(load(), LoadResult::ok);
  ASSERT_EQ(loaded.commands.size(), 2u);
  EXPECT_EQ(loaded.commands[0].kind, CommandKind::close_position);
  EXPECT_TRUE(loaded.commands[0].running);
  EXPECT_EQ(loaded.commands[0].position_id, 42);
  EXPECT_EQ(loaded.commands[0].reason, "manual");
  EXPECT_EQ(loaded.commands[0].quantity, Decimal::parse("0.5"));
  EXPECT_EQ(loaded.commands[0].price, std::nullopt);
  EXPECT_EQ(loaded.commands[0].valid_until_ms, 0);
  EXPECT_EQ(loaded.commands[1].order_kind, OrderKind::conditional);
  EXPECT_EQ(loaded.commands[1].client_order_id, "c");
  EXPECT_EQ(loaded.commands[1].order_id, "99");
  EXPECT_EQ(loaded.commands[1].valid_until_ms, 1785000000000);
}

TEST_F(LoadTradingTest, opening_that_was_asked_for_while_we_read_is_left_to_the_next_look) {
  table("commands") = {{"3", "open_position", "f", "42", "BTCUSDT", none, none, none, none, none, none, none, none, "v1"},
                       {"4", "set_leverage", "f", none, "BTCUSDT", none, none, none, none, none, none, "5", none, "v1"},
                       {"5", "close_position", "f", "42", "BTCUSDT", none, none, none, "manual", none, none, none, none, "v1"},
                       {"6", "close_position", "f", "41", "BTCUSDT", none, none, none, "manual", none, none, none, none, "v1"}};
  ASSERT_EQ(load(), LoadResult::ok);
  ASSERT_EQ(loaded.commands.size(), 2u);
  EXPECT_EQ(loaded.commands[0].id, 4);
  EXPECT_EQ(loaded.commands[1].id, 6);
}

TEST_F(LoadTradingTest, modes_leverages_and_paper_balances_are_read) {
  table("position_modes") = {{"", "f"}, {"BTCUSDT", "t"}};
  table("leverages") = {{"BTCUSDT", "7"}};
  table("balances") = {{"USDT", "1000", none, "990.5", "1785000000000"}};
  ASSERT_EQ(load(), LoadResult::ok);
  ASSERT_EQ(loaded.position_modes.size(), 2u);
  EXPECT_TRUE(loaded.position_modes[1].hedge);
  EXPECT_EQ(loaded.leverages.at("BTCUSDT"), Decimal(7));
  ASSERT_EQ(loaded.balances.size(), 1u);
  EXPECT_EQ(loaded.balances[0].available_balance, std::nullopt);
  EXPECT_EQ(loaded.balances[0].equity, Decimal::parse("990.5"));
}

TEST_F(LoadTradingTest, fills_that_the_venue_may_repeat_are_known_by_symbol_and_id) {
  table("recent_fills") = {{"BTCUSDT", "77"}, {"ETHUSDT", "77"}};
  ASSERT_EQ(load(), LoadResult::ok);
  EXPECT_EQ(loaded.recent_fills, (std::vector<std::string>{"BTCUSDT|77", "ETHUSDT|77"}));
}

TEST_F(LoadTradingTest, settings_that_the_tables_do_not_say_stay_as_built_in) {
  table("settings") = {{"protect_deadline", "7000"}, {"paper_balance", "123.5"}, {"slippage_bps", none}, {"position_size", "50"}};
  TradingSettings settings;
  ASSERT_EQ(load_trading_settings(7, settings, error), LoadResult::ok);
  EXPECT_EQ(settings.protect_deadline_ms, 7000);
  EXPECT_EQ(settings.paper_balance.text(), "123.5");
  EXPECT_EQ(settings.slippage_bps, TradingSettings().slippage_bps);
  EXPECT_EQ(settings.taker_fee_bps, TradingSettings().taker_fee_bps);
}

TEST_F(LoadTradingTest, account_that_changed_while_it_was_read_is_read_again) {
  table("commands") = {{"4", "set_leverage", "f", none, "BTCUSDT", none, none, none, none, none, none, "5", none, "v2"}};
  EXPECT_EQ(load(), LoadResult::account_changed);
  EXPECT_TRUE(loaded.commands.empty());
}

TEST_F(LoadTradingTest, part_that_cannot_be_read_stops_the_start_and_is_named) {
  wall.failing = {"monitoring.worker_load_own_orders"};
  EXPECT_EQ(load(), LoadResult::failed);
  EXPECT_NE(error.find("worker_load_own_orders"), std::string::npos);
  wall.tables.erase("monitoring.worker_load_epoch");
  EXPECT_EQ(load(), LoadResult::gone);
}

}  // namespace
}  // namespace tradesync
