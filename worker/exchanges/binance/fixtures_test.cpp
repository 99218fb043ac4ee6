// Payloads other projects recorded, where they lie beside the repository (they are not part of it). Run from its root.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "exchanges/binance/examples_test.hpp"

namespace tradesync::binance::test {
namespace {

constexpr const char* kFolder = "../shared/fixtures/binance/";

class BinanceFixtures : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::ifstream(std::string(kFolder) + "balance.json")) GTEST_SKIP() << "no recorded payloads at " << kFolder;
  }
  static std::string read(const std::string& name) {
    std::ifstream file(kFolder + name);
    EXPECT_TRUE(file) << name;
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static Decoded stream(const std::string& name) {
    Decoded decoded = decode(read(name));
    EXPECT_EQ(decoded.error, "");
    return decoded;
  }
  static Facts rest(RequestKind kind, const std::string& name) {
    Reply answer = reply(kind, read(name));
    EXPECT_EQ(answer.outcome, Outcome::ok) << answer.message;
    return std::move(answer.facts);
  }
};

TEST_F(BinanceFixtures, account_update) {
  const Facts facts = stream("account_update.json").facts;
  ASSERT_EQ(facts.size(), 3u);  // one balance, two legs; the empty one-way row of a hedge account is left out
  EXPECT_EQ(std::get<Balance>(facts[0]).wallet_balance, dec("122624.12345678"));
  const auto& long_leg = std::get<VenuePosition>(facts[1]);
  EXPECT_EQ(long_leg.position_side, PositionSide::long_);
  EXPECT_EQ(long_leg.quantity, Decimal(20));
  EXPECT_EQ(long_leg.entry_price, dec("6563.6"));
  const auto& short_leg = std::get<VenuePosition>(facts[2]);
  EXPECT_EQ(short_leg.position_side, PositionSide::short_);
  EXPECT_EQ(short_leg.quantity, Decimal(-10));
  EXPECT_EQ(short_leg.unrealized_pnl, dec("-1423.156"));
}

TEST_F(BinanceFixtures, algo_update_new) {
  const Facts facts = stream("algo_update_new.json").facts;
  ASSERT_EQ(facts.size(), 1u);
  const auto& order = std::get<Order>(facts[0]);
  EXPECT_EQ(order.kind, OrderKind::conditional);
  EXPECT_EQ(order.order_id, "2148719");
  EXPECT_EQ(order.symbol, "BNBUSDT");
  EXPECT_EQ(order.type, "take_profit");
  EXPECT_EQ(order.status, OrderStatus::new_);
  EXPECT_EQ(order.stop_price, Decimal(750));
  EXPECT_EQ(order.price, Decimal(750));
  EXPECT_EQ(order.reject_reason, "");
}

TEST_F(BinanceFixtures, order_updates) {
  const Facts created = stream("order_update_new.json").facts;
  ASSERT_EQ(created.size(), 1u);
  EXPECT_EQ(std::get<Order>(created[0]).type, "trailing_stop_market");
  EXPECT_EQ(std::get<Order>(created[0]).stop_price, std::nullopt);
  EXPECT_EQ(std::get<Order>(created[0]).position_side, PositionSide::long_);
  const Facts traded = stream("order_update_trade.json").facts;
  ASSERT_EQ(traded.size(), 2u);
  const auto& fill = std::get<Fill>(traded[1]);
  EXPECT_EQ(fill.trade_id, "12345678");
  EXPECT_EQ(fill.price, dec("7100.5"));
  EXPECT_EQ(fill.fee, dec("0.01"));
  EXPECT_EQ(fill.realized_pnl, dec("12.34"));
  EXPECT_TRUE(fill.is_maker);
}

TEST_F(BinanceFixtures, market_streams) {
  const Facts mark = stream("mark_price_stream.json").facts;
  ASSERT_EQ(mark.size(), 1u);
  EXPECT_EQ(std::get<Price>(mark[0]).mark, dec("11794.15"));
  EXPECT_TRUE(stream("book_ticker_stream.json").facts.empty());  // not subscribed to
}

TEST_F(BinanceFixtures, rest_rows) {
  const Facts balances = rest(RequestKind::balances, "balance.json");
  ASSERT_EQ(balances.size(), 1u);
  EXPECT_EQ(std::get<Balance>(balances[0]).equity, dec("122.12345678"));

  const Facts positions = rest(RequestKind::positions, "position_risk.json");
  ASSERT_EQ(positions.size(), 1u);
  EXPECT_EQ(std::get<VenuePosition>(positions[0]).quantity, dec("0.001"));
  EXPECT_EQ(std::get<VenuePosition>(positions[0]).leverage, Decimal(20));
  EXPECT_EQ(std::get<VenuePosition>(positions[0]).liquidation_price, Decimal(45000));

  const Facts stops = rest(RequestKind::open_conditional_orders, "open_algo_orders.json");
  ASSERT_EQ(stops.size(), 1u);
  EXPECT_EQ(std::get<Order>(stops[0]).type, "stop_market");
  EXPECT_EQ(std::get<Order>(stops[0]).stop_price, Decimal(45000));

  const Facts orders = rest(RequestKind::order, "order_response.json");
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_EQ(std::get<Order>(orders[0]).price, Decimal(50000));
  EXPECT_EQ(std::get<Order>(orders[0]).average_price, std::nullopt);
}

}  // namespace
}  // namespace tradesync::binance::test
