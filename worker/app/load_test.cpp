#include "app/load.hpp"

#include <gtest/gtest.h>

#include "app/wall_fake.hpp"

namespace tradesync {
namespace {

using namespace test;

class LoadTest : public testing::Test {
 protected:
  LoadTest() {
    wall.tables["monitoring.worker_load_positions"] = {};
    wall.tables["monitoring.worker_load_orders"] = {};
    wall.tables["monitoring.worker_load_cursors"] = {};
  }
  LoadResult load() { return load_state(7, loaded, error); }

  WallFake wall;
  Loaded loaded;
  std::string error;
};

TEST_F(LoadTest, new_account_holds_nothing) {
  EXPECT_EQ(load(), LoadResult::ok);
  EXPECT_TRUE(loaded.positions.empty());
  EXPECT_EQ(loaded.cursors.account_ms, 0);
}

TEST_F(LoadTest, positions_know_whether_the_venue_reported_them) {
  wall.tables["monitoring.worker_load_positions"] = {{"BTCUSDT", "both", "-1.5", "100", "11", "22", "t", "short"},
                                                     {"ETHUSDT", "long", "0", "0", "0", std::nullopt, "t", "long"}};
  ASSERT_EQ(load(), LoadResult::ok);
  ASSERT_EQ(loaded.positions.size(), 2u);
  EXPECT_EQ(loaded.positions[0].position.quantity.text(), "-1.5");
  EXPECT_EQ(loaded.positions[0].position.version, (Version{11, 22}));
  EXPECT_TRUE(loaded.positions[0].reported);
  EXPECT_TRUE(loaded.positions[0].row_open);
  EXPECT_EQ(loaded.positions[0].row_side, "short");
  EXPECT_FALSE(loaded.positions[1].reported);
  EXPECT_EQ(loaded.positions[1].position.position_side, PositionSide::long_);
}

TEST_F(LoadTest, orders_and_cursors_are_read) {
  wall.tables["monitoring.worker_load_orders"] = {
      {"BTCUSDT", "7", std::nullopt, "conditional", "sell", "short", "stop_market", "triggered", "2", "0.5", "1", "2",
       std::nullopt, "99.5", "t", std::nullopt, "1785000000001", "stop_loss", "42"}};
  wall.tables["monitoring.worker_load_cursors"] = {
      {"account", "", "1785000000000"}, {"trades", "BTCUSDT", "77"}, {"else", "", "1"}};
  ASSERT_EQ(load(), LoadResult::ok);
  ASSERT_EQ(loaded.orders.size(), 1u);
  EXPECT_EQ(loaded.orders[0].kind, OrderKind::conditional);
  EXPECT_EQ(loaded.orders[0].side, Side::sell);
  EXPECT_EQ(loaded.orders[0].status, OrderStatus::triggered);
  EXPECT_EQ(loaded.orders[0].filled_quantity.text(), "0.5");
  EXPECT_EQ(loaded.orders[0].price, std::nullopt);
  EXPECT_EQ(loaded.orders[0].stop_price, Decimal::parse("99.5"));
  EXPECT_TRUE(loaded.orders[0].reduce_only);
  EXPECT_EQ(loaded.orders[0].average_price, std::nullopt);
  EXPECT_EQ(loaded.orders[0].created_ms, 1785000000001);
  EXPECT_EQ(loaded.orders[0].purpose, Purpose::stop_loss);
  EXPECT_EQ(loaded.orders[0].position_id, 42);
  EXPECT_EQ(loaded.cursors.account_ms, 1785000000000);
  EXPECT_EQ(loaded.cursors.read_from.at("BTCUSDT"), "77");
}

TEST_F(LoadTest, missing_function_means_that_the_extension_is_gone) {
  wall.tables.erase("monitoring.worker_load_orders");
  EXPECT_EQ(load(), LoadResult::gone);
  EXPECT_NE(error.find("worker_load_orders"), std::string::npos);
}

TEST_F(LoadTest, account_without_a_row_is_no_account) {
  wall.tables["monitoring.worker_load_account"] = {};
  Account account;
  EXPECT_EQ(load_account(7, account, error), LoadResult::no_account);
}

TEST_F(LoadTest, account_row_is_read_and_only_its_connection_matters_for_a_new_start) {
  wall.tables["monitoring.worker_load_account"] = {
      {"main", "bybit", "testnet", "observe", "r", "wp", "wv", "t", "f", std::nullopt, "v1"}};
  Account account;
  ASSERT_EQ(load_account(7, account, error), LoadResult::ok);
  EXPECT_EQ(account.name, "main");
  EXPECT_EQ(account.ws_private_url, "wv");
  EXPECT_TRUE(account.enabled);
  EXPECT_FALSE(account.halted);
  EXPECT_EQ(account.version, "v1");
  Account halted = account;
  halted.halted = true;
  EXPECT_TRUE(account.same_connection(halted));
  halted.mode = "live";
  EXPECT_FALSE(account.same_connection(halted));
}

}  // namespace
}  // namespace tradesync
