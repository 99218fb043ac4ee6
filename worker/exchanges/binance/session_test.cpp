#include <gtest/gtest.h>

#include <set>

#include "exchanges/binance/examples_test.hpp"

namespace tradesync::binance::test {
namespace {

using What = StreamCommand::What;

std::string encoded(What what, std::string id, std::vector<std::string> symbols) {
  return exchange().encode(StreamCommand{what, std::move(id), std::move(symbols)}, StreamKind::public_, {}, 0);
}

TEST(BinanceSession, every_environment_has_its_own_rest_address) {
  std::set<std::string> seen;
  for (const std::string_view environment : {"mainnet", "testnet", "demo"}) {
    const auto found = exchange().endpoints(environment);
    ASSERT_TRUE(found);
    EXPECT_TRUE(seen.insert(found->rest).second);
    for (const auto& url : {found->rest, found->public_stream, found->private_stream}) EXPECT_FALSE(url.ends_with('/'));
  }
  EXPECT_FALSE(exchange().endpoints("production"));
  EXPECT_FALSE(exchange().endpoints(""));
}

TEST(BinanceSession, streams_use_the_routed_addresses) {
  const Endpoints mainnet = *exchange().endpoints("mainnet");
  EXPECT_EQ(exchange().stream_url(StreamKind::private_, mainnet, "abc"), "wss://fstream.binance.com/private/ws?listenKey=abc");
  EXPECT_EQ(exchange().stream_url(StreamKind::public_, mainnet, ""), "wss://fstream.binance.com/market/ws");
  EXPECT_EQ(exchange().stream_url(StreamKind::public_, {"http://127.0.0.1:1", "ws://127.0.0.1:2", "ws://127.0.0.1:3"}, ""),
            "ws://127.0.0.1:2/market/ws");
}

TEST(BinanceSession, symbols_subscribe_to_mark_and_last_price) {
  EXPECT_EQ(encoded(What::subscribe, "12", {"BTCUSDT", "1000PEPEUSDT"}),
            R"({"method":"SUBSCRIBE","params":["btcusdt@markPrice@1s","btcusdt@miniTicker",)"
            R"("1000pepeusdt@markPrice@1s","1000pepeusdt@miniTicker"],"id":12})");
  EXPECT_EQ(encoded(What::unsubscribe, "13", {"BTCUSDT"}),
            R"({"method":"UNSUBSCRIBE","params":["btcusdt@markPrice@1s","btcusdt@miniTicker"],"id":13})");
}

TEST(BinanceSession, a_command_without_a_number_is_not_sent) { EXPECT_EQ(encoded(What::subscribe, "", {"BTCUSDT"}), ""); }

TEST(BinanceSession, what_the_listen_key_does_already_is_not_sent) {
  for (const What what : {What::authenticate, What::subscribe_account, What::ping}) EXPECT_EQ(encoded(what, "1", {}), "");
}

TEST(BinanceSession, weights_follow_the_documents) {
  const auto weight = [](RequestKind kind, std::string symbol = "") {
    Request request;
    request.kind = kind;
    request.symbol = std::move(symbol);
    return exchange().rules().weight(request);
  };
  EXPECT_EQ(weight(RequestKind::server_time), 1);
  EXPECT_EQ(weight(RequestKind::positions), 5);
  EXPECT_EQ(weight(RequestKind::position_mode), 30);
  EXPECT_EQ(weight(RequestKind::income_symbols), 30);
  EXPECT_EQ(weight(RequestKind::open_orders), 40);
  EXPECT_EQ(weight(RequestKind::open_orders, "BTCUSDT"), 1);
  EXPECT_EQ(weight(RequestKind::open_conditional_orders), 40);
  EXPECT_EQ(weight(RequestKind::executions, "BTCUSDT"), 5);
  EXPECT_EQ(weight(RequestKind::ticker, "BTCUSDT"), 1);
  EXPECT_EQ(weight(RequestKind::tickers), 40);
  EXPECT_EQ(weight(RequestKind::place_order, "BTCUSDT"), 0);
  EXPECT_EQ(weight(RequestKind::cancel_order, "BTCUSDT"), 1);
  EXPECT_EQ(weight(RequestKind::set_leverage, "BTCUSDT"), 1);
}

TEST(BinanceSession, orders_keep_both_windows_of_the_account) {
  const VenueRules& rules = exchange().rules();
  EXPECT_FALSE(rules.position_stops);
  EXPECT_EQ(rules.conditional_orders_at_most, 200);
  EXPECT_EQ(rules.unfilled_memory_ms, 3LL * 24 * 60 * 60'000);
  EXPECT_EQ(rules.receive_window_ms, 5000);
  EXPECT_LE(rules.order_budget * 10'000 / rules.order_budget_window_ms, 300);
  EXPECT_LE(rules.order_budget * 60'000 / rules.order_budget_window_ms, 1200);
}

TEST(BinanceSession, a_listen_key_is_kept_alive_and_a_connection_rotated_before_their_ends) {
  const VenueRules& rules = exchange().rules();
  EXPECT_LT(2 * rules.listen_key_keep_alive_ms, 60 * 60'000);  // one keep-alive may fail
  EXPECT_LT(rules.rotate_after_ms, 24 * 60 * 60'000);
  EXPECT_LE(rules.symbols_per_connection * 2, 1024);
  EXPECT_LE(rules.max_window_ms, 7LL * 24 * 60 * 60'000);
}

}  // namespace
}  // namespace tradesync::binance::test
