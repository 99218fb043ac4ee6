#include <gtest/gtest.h>

#include "exchanges/bybit/examples_test.hpp"

namespace tradesync::bybit::test {
namespace {

TEST(BybitSession, every_environment_has_its_hosts) {
  EXPECT_EQ(endpoints("mainnet")->rest, "https://api.bybit.com");
  EXPECT_EQ(endpoints("testnet")->rest, "https://api-testnet.bybit.com");
  EXPECT_EQ(endpoints("testnet")->public_stream, "wss://stream-testnet.bybit.com");
  EXPECT_EQ(endpoints("demo")->private_stream, "wss://stream-demo.bybit.com");
  EXPECT_EQ(endpoints("demo")->public_stream, endpoints("mainnet")->public_stream);
  EXPECT_FALSE(endpoints("moon"));
}

TEST(BybitSession, stream_addresses_are_those_of_linear_contracts) {
  const auto mainnet = *endpoints("mainnet");
  EXPECT_EQ(exchange().stream_url(StreamKind::private_, mainnet, ""), "wss://stream.bybit.com/v5/private");
  EXPECT_EQ(exchange().stream_url(StreamKind::public_, mainnet, ""), "wss://stream.bybit.com/v5/public/linear");
}

TEST(BybitSession, writes_have_a_budget_of_their_own_below_each_endpoints_limit) {
  const VenueRules& rules = exchange().rules();
  EXPECT_TRUE(rules.position_stops);
  EXPECT_EQ(rules.conditional_orders_at_most, 0);
  EXPECT_EQ(rules.unfilled_memory_ms, 24LL * 3600 * 1000);
  EXPECT_EQ(rules.receive_window_ms, 5000);
  EXPECT_LT(rules.order_budget, 10);
  EXPECT_EQ(rules.order_budget_window_ms, 1000);
  EXPECT_EQ(rules.weight(question(RequestKind::place_order)), 0);
  EXPECT_EQ(rules.weight(question(RequestKind::ticker)), 1);
}

TEST(BybitSession, a_full_connection_stays_below_the_limit_of_topic_characters) {
  StreamCommand command{StreamCommand::What::subscribe, "1", {}};
  for (int i = 0; i < exchange().rules().symbols_per_connection; ++i) command.symbols.push_back(std::string(30, 'A'));
  EXPECT_LE(exchange().encode(command, StreamKind::public_, {}, 0).size(), 21000u);
}

}  // namespace
}  // namespace tradesync::bybit::test
