// Payloads other projects recorded, where they lie beside the repository (they are not part of it). Run from its root.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "exchanges/bybit/examples_test.hpp"

namespace tradesync::bybit::test {
namespace {

constexpr const char* kFolder = "../shared/fixtures/bybit/";

class BybitFixtures : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::ifstream(std::string(kFolder) + "ws_account_order.json")) GTEST_SKIP() << "no recorded payloads at " << kFolder;
  }
  static std::string read(const std::string& name) {
    std::ifstream file(kFolder + name);
    EXPECT_TRUE(file) << name;
    return {std::istreambuf_iterator<char>(file), {}};
  }
  template <class T>
  static T only(const std::string& name, StreamKind kind = StreamKind::private_) {
    const Decoded decoded = decode(kind, read(name));
    EXPECT_EQ(decoded.error, "");
    EXPECT_EQ(decoded.facts.size(), 1u);
    return std::get<T>(decoded.facts.at(0));
  }
  static Facts rest(RequestKind kind, const std::string& name) {
    Reply answer = reply(kind, read(name));
    EXPECT_EQ(answer.outcome, Outcome::ok) << answer.message;
    return std::move(answer.facts);
  }
};

TEST_F(BybitFixtures, stream_orders) {
  const auto canceled = only<Order>("ws_account_order.json");
  EXPECT_EQ(canceled.order_id, "abcdef123456");
  EXPECT_EQ(canceled.client_order_id, "client-1");
  EXPECT_EQ(canceled.kind, OrderKind::conditional);
  EXPECT_EQ(canceled.type, "stop");
  EXPECT_EQ(canceled.status, OrderStatus::canceled);
  EXPECT_EQ(canceled.price, Decimal(30000));
  EXPECT_EQ(canceled.stop_price, std::nullopt);
  EXPECT_EQ(canceled.version, (Version{0, 1700000005000}));

  const auto filled = only<Order>("ws_account_order_filled.json");
  EXPECT_EQ(filled.kind, OrderKind::conditional);
  EXPECT_EQ(filled.status, OrderStatus::filled);
  EXPECT_EQ(filled.filled_quantity, dec("0.1"));
  EXPECT_EQ(filled.average_price, dec("30000.5"));
  EXPECT_EQ(filled.stop_price, Decimal(29500));

  const auto stop = only<Order>("ws_account_order_stop_loss.json");
  EXPECT_EQ(stop.type, "stop_market");
  EXPECT_EQ(stop.status, OrderStatus::new_);
  EXPECT_EQ(stop.stop_price, Decimal(48000));
  EXPECT_EQ(stop.quantity, dec("0.5"));
  EXPECT_TRUE(stop.reduce_only);
}

TEST_F(BybitFixtures, stream_execution) {
  const auto fill = only<Fill>("ws_account_execution.json");
  EXPECT_EQ(fill.trade_id, "0ab1bdf7-4219-438b-b30a-32ec863018f7");
  EXPECT_EQ(fill.side, Side::sell);
  EXPECT_EQ(fill.price, dec("95900.1"));
  EXPECT_EQ(fill.fee, dec("26.3725275"));
  EXPECT_EQ(fill.closed_quantity, dec("0.5"));
  EXPECT_EQ(fill.sequence, 140612148849382);
}

TEST_F(BybitFixtures, stream_position_and_wallet) {
  const auto position = only<VenuePosition>("ws_account_position.json");
  EXPECT_EQ(position.symbol, "ETHUSDT");
  EXPECT_EQ(position.quantity, dec("-0.01"));
  EXPECT_EQ(position.entry_price, dec("3641.075"));
  EXPECT_EQ(position.liquidation_price, dec("51764.83003276"));
  EXPECT_EQ(position.version, (Version{325852190774, 1762199125472}));

  const Decoded wallet = decode(StreamKind::private_, read("ws_account_wallet.json"));
  ASSERT_EQ(wallet.facts.size(), 2u);
  EXPECT_EQ(std::get<Balance>(wallet.facts[1]).wallet_balance, dec("9647.75537647"));
  EXPECT_EQ(std::get<Balance>(wallet.facts[1]).available_balance, dec("9519.89806037"));
}

TEST_F(BybitFixtures, stream_answers_and_ticker) {
  EXPECT_TRUE(only<Authenticated>("ws_auth_success.json").ok);
  EXPECT_EQ(only<Acknowledged>("ws_subscription_ack.json").command_id, "sub-orderbook-1");
  const auto price = only<Price>("ws_ticker_linear.json", StreamKind::public_);
  EXPECT_EQ(price.mark, dec("17217.33"));
  EXPECT_EQ(price.last, Decimal(17216));
}

TEST_F(BybitFixtures, rest_rows) {
  const Facts executions = rest(RequestKind::executions, "http_get_executions.json");
  ASSERT_EQ(executions.size(), 2u);
  EXPECT_TRUE(std::get<Fill>(executions[0]).is_maker);
  EXPECT_EQ(std::get<Fill>(executions[1]).fee, dec("0.9"));
  EXPECT_EQ(reply(RequestKind::executions, read("http_get_executions.json")).next_cursor, "132766%3A2%2C132766%3A2");

  const Facts instruments = rest(RequestKind::instruments, "http_get_instruments_linear.json");
  ASSERT_EQ(instruments.size(), 2u);
  EXPECT_EQ(std::get<Instrument>(instruments[0]).tick_size, dec("0.5"));
  EXPECT_EQ(std::get<Instrument>(instruments[1]).max_market_quantity, Decimal(500));

  const Facts stops = rest(RequestKind::open_orders, "http_get_orders_realtime_tp_sl.json");
  ASSERT_EQ(stops.size(), 2u);
  EXPECT_EQ(std::get<Order>(stops[0]).type, "take_profit_market");
  EXPECT_EQ(std::get<Order>(stops[1]).type, "stop");
  EXPECT_EQ(std::get<Order>(stops[1]).price, Decimal(47500));

  const Facts positions = rest(RequestKind::positions, "http_get_positions.json");
  ASSERT_EQ(positions.size(), 3u);
  EXPECT_EQ(std::get<VenuePosition>(positions[0]).quantity, dec("0.5"));
  EXPECT_EQ(std::get<VenuePosition>(positions[1]).quantity, Decimal(-5));
  EXPECT_TRUE(std::get<VenuePosition>(positions[2]).quantity.is_zero());

  const Facts balances = rest(RequestKind::balances, "http_get_wallet_balance.json");
  ASSERT_EQ(balances.size(), 3u);
  EXPECT_EQ(std::get<Balance>(balances[1]).available_balance, dec("1000.5"));
}

}  // namespace
}  // namespace tradesync::bybit::test
