#include <gtest/gtest.h>

#include "exchanges/binance/examples_test.hpp"
#include "exchanges/hmac.hpp"

namespace tradesync::binance::test {
namespace {

// §3.2. The values are invented for tests.
constexpr Credentials kKeys{"simKeyA1B2C3D4E5F6G7H8J9K0L1M2N3P4Q5R6S7T8U9V0W1X2Y3Z4a5b6c7d8e9",
                            "simSecret0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b"};
constexpr std::int64_t kNow = 1767225600123;

struct Vector {
  std::string_view payload, signature;
};
constexpr Vector kVectors[] = {
    {"timestamp=1767225600123&symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.003&price=61234.50&newClientOrderId=c1_0001"
     "&recvWindow=5000", "36370b893af4e02c03ec0c596c714935f4d8944e1f313300f8c349447fcaef71"},
    {"timestamp=1767225600123&symbol=BTCUSDT&origClientOrderId=c1_0001&recvWindow=5000",
     "84f4ac5f2beb1c2610d418f56fa1e6b89b193596d1276655b096f7167d4a6f65"},
    {"timestamp=1767225600123&algoType=CONDITIONAL&symbol=ETHUSDT&side=SELL&type=STOP_MARKET&triggerPrice=2990.10&closePosition=true"
     "&workingType=MARK_PRICE&clientAlgoId=sl%3Aeth%2F01&recvWindow=5000",
     "40e3be3c8ed83f6956dec9f490dcaf295cbaff112bd2151cfda428abba83af4c"},
    {"symbol=BTCUSDT&side=SELL&type=MARKETquantity=0.003&reduceOnly=true&timestamp=1767225600123",
     "ef3e21323cbf8832c993e6713ef74ec42bde8187cb2d8611c27316e900cf172e"},
    {"timestamp=1767225600123&symbol=%E6%B5%8B%E8%AF%95USDT&side=BUY&type=MARKET&quantity=1&newClientOrderId=c1_0002&recvWindow=5000",
     "9a23d082e0a67ab7294e9575245a8ce9c1075d2800805558e11bd889af9578e9"},
    {"timestamp=1767225600123", "f16f1404c83c52dd76c000d8dc320e38540ebd942f3f3a41693dcc85028442b2"},
    {"apiKey=simKeyA1B2C3D4E5F6G7H8J9K0L1M2N3P4Q5R6S7T8U9V0W1X2Y3Z4a5b6c7d8e9&newClientOrderId=c1_0001&price=61234.50&quantity=0.003"
     "&recvWindow=5000&side=BUY&symbol=BTCUSDT&timeInForce=GTC&timestamp=1767225600123&type=LIMIT",
     "4f0fe3ac158a420625d000660f15c7dbb78aa1b8a77afaa9b74b32e718042db3"},
    {"apiKey=simKeyA1B2C3D4E5F6G7H8J9K0L1M2N3P4Q5R6S7T8U9V0W1X2Y3Z4a5b6c7d8e9&timestamp=1767225600123",
     "8701dee1e3b28e9edfc719e3c55c63a290ac50b12bf8d7156fb60db5e447aece"},
};

TEST(BinanceSign, every_vector_of_the_documents_is_reproduced) {
  for (const auto& [payload, signature] : kVectors) {
    EXPECT_EQ(hmac_sha256_hex(kKeys.api_secret, payload), signature);
    EXPECT_EQ(sign(std::string(payload), kKeys), std::string(payload) + "&signature=" + std::string(signature));
  }
}

Request request(RequestKind kind) {
  Request out;
  out.kind = kind;
  return out;
}

HttpRequest encoded(const Request& request) { return encode_request(request, *endpoints("mainnet"), kKeys, kNow); }

// What was asked, without the parts every signed call ends with; checks those on the way.
std::string asked(const Request& request) {
  const HttpRequest http = encoded(request);
  EXPECT_EQ(http.body, "");
  EXPECT_EQ(http.headers, (Headers{{"X-MBX-APIKEY", std::string(kKeys.api_key)}}));
  const std::size_t query = http.url.find('?'), signature = http.url.find("&signature=");
  EXPECT_NE(signature, std::string::npos) << http.url;
  const std::string payload = http.url.substr(query + 1, signature - query - 1);
  EXPECT_EQ(http.url.substr(signature + 11), hmac_sha256_hex(kKeys.api_secret, payload));
  const std::string tail = "recvWindow=5000&timestamp=1767225600123";
  EXPECT_TRUE(payload.ends_with(tail)) << payload;
  std::string path = http.method + " " + http.url.substr(std::string("https://fapi.binance.com").size());
  return path.substr(0, path.find(tail));
}

TEST(BinanceEncode, public_calls_carry_no_key_and_no_signature) {
  for (const auto& [kind, path] : {std::pair{RequestKind::server_time, "/fapi/v1/time"},
                                   {RequestKind::instruments, "/fapi/v1/exchangeInfo"}}) {
    const HttpRequest http = encoded(request(kind));
    EXPECT_EQ(http.method, "GET");
    EXPECT_EQ(http.url, std::string("https://fapi.binance.com") + path);
    EXPECT_TRUE(http.headers.empty());
  }
}

TEST(BinanceEncode, listen_key_calls_carry_the_key_and_nothing_else) {
  for (const auto& [kind, method] : {std::pair{RequestKind::create_listen_key, "POST"}, {RequestKind::keep_alive_listen_key, "PUT"}}) {
    const HttpRequest http = encoded(request(kind));
    EXPECT_EQ(http.method, method);
    EXPECT_EQ(http.url, "https://fapi.binance.com/fapi/v1/listenKey");
    EXPECT_EQ(http.headers.size(), 1u);
    EXPECT_EQ(http.body, "");
  }
}

TEST(BinanceEncode, questions_about_the_whole_account_name_no_symbol) {
  EXPECT_EQ(asked(request(RequestKind::positions)), "GET /fapi/v3/positionRisk?");
  EXPECT_EQ(asked(request(RequestKind::position_mode)), "GET /fapi/v1/positionSide/dual?");
  EXPECT_EQ(asked(request(RequestKind::leverages)), "GET /fapi/v1/symbolConfig?");
  EXPECT_EQ(asked(request(RequestKind::balances)), "GET /fapi/v3/balance?");
  EXPECT_EQ(asked(request(RequestKind::open_orders)), "GET /fapi/v1/openOrders?");
  EXPECT_EQ(asked(request(RequestKind::open_conditional_orders)), "GET /fapi/v1/openAlgoOrders?");
}

TEST(BinanceEncode, symbols_are_percent_encoded_before_signing) {
  Request one = request(RequestKind::positions);
  one.symbol = "BTCUSDT";
  EXPECT_EQ(asked(one), "GET /fapi/v3/positionRisk?symbol=BTCUSDT&");
  one.symbol = "\u6d4b\u8bd5USDT";
  EXPECT_EQ(asked(one), "GET /fapi/v3/positionRisk?symbol=%E6%B5%8B%E8%AF%95USDT&");
}

TEST(BinanceEncode, one_order_is_asked_in_its_own_service) {
  Request one = request(RequestKind::order);
  one.symbol = "BTCUSDT";
  one.order_id = "1000123456789";
  EXPECT_EQ(asked(one), "GET /fapi/v1/order?symbol=BTCUSDT&orderId=1000123456789&");
  one.kind = RequestKind::conditional_order;
  EXPECT_EQ(asked(one), "GET /fapi/v1/algoOrder?algoId=1000123456789&");
  one.client_order_id = "t0-1";
  EXPECT_EQ(asked(one), "GET /fapi/v1/algoOrder?algoId=1000123456789&") << "the venue's id comes first";
  one.order_id.clear();
  EXPECT_EQ(asked(one), "GET /fapi/v1/algoOrder?clientAlgoId=t0-1&");
  one.kind = RequestKind::order;
  EXPECT_EQ(asked(one), "GET /fapi/v1/order?symbol=BTCUSDT&origClientOrderId=t0-1&");
  one.client_order_id = "web:a/1 &x";  // somebody else's
  EXPECT_EQ(asked(one), "GET /fapi/v1/order?symbol=BTCUSDT&origClientOrderId=web%3Aa%2F1%20%26x&");
}

TEST(BinanceEncode, a_ticker_is_two_public_calls) {
  Request ticker = question(RequestKind::ticker);
  EXPECT_EQ(encoded(ticker).url, "https://fapi.binance.com/fapi/v1/premiumIndex?symbol=BTCUSDT");
  EXPECT_TRUE(encoded(ticker).headers.empty());
  ticker.cursor = kLastPriceStep;
  EXPECT_EQ(encoded(ticker).url, "https://fapi.binance.com/fapi/v2/ticker/price?symbol=BTCUSDT");
}

TEST(BinanceEncode, the_tickers_of_all_symbols_are_one_public_call) {
  Request request = question(RequestKind::tickers);
  for (const char* symbol : {"", "BTCUSDT"}) {
    request.symbol = symbol;
    EXPECT_EQ(encoded(request).url, "https://fapi.binance.com/fapi/v1/ticker/24hr");
    EXPECT_TRUE(encoded(request).headers.empty());
  }
}

std::string placed(const OrderTicket& ticket) { return asked(placing(ticket)); }

// The signature was computed with another program over these very bytes.
TEST(BinanceEncode, an_order_is_one_signed_line) {
  const HttpRequest http = encoded(placing(entry()));
  EXPECT_EQ(http.method, "POST");
  EXPECT_EQ(http.body, "");
  EXPECT_EQ(http.url,
            "https://fapi.binance.com/fapi/v1/order?symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.05&newClientOrderId=t0-1"
            "&newOrderRespType=ACK&recvWindow=5000&timestamp=1767225600123"
            "&signature=c5798163442c40b241152de2c5c82d996c70a6dd45328428e5dfa7d40de56edd");
}

TEST(BinanceEncode, an_order_says_how_it_is_meant_in_one_way_mode) {
  OrderTicket ticket = entry();
  ticket.side = Side::sell;
  ticket.reduce_only = true;
  ticket.stop_price = Decimal(1);  // belongs to venues with stops on positions
  EXPECT_EQ(placed(ticket),
            "POST /fapi/v1/order?symbol=BTCUSDT&side=SELL&type=MARKET&reduceOnly=true&quantity=0.05&newClientOrderId=t0-1"
            "&newOrderRespType=ACK&");
  ticket.type = "limit";
  ticket.price = dec("61234.50");
  EXPECT_EQ(placed(ticket),
            "POST /fapi/v1/order?symbol=BTCUSDT&side=SELL&type=LIMIT&reduceOnly=true&quantity=0.05&price=61234.5&timeInForce=GTC"
            "&newClientOrderId=t0-1&newOrderRespType=ACK&");
}

TEST(BinanceEncode, in_hedge_mode_the_position_is_named_and_reduce_only_never_sent) {
  OrderTicket ticket = entry();
  ticket.position_side = PositionSide::long_;
  EXPECT_EQ(placed(ticket),
            "POST /fapi/v1/order?symbol=BTCUSDT&side=BUY&type=MARKET&positionSide=LONG&quantity=0.05&newClientOrderId=t0-1"
            "&newOrderRespType=ACK&");
  ticket.side = Side::sell;
  ticket.reduce_only = true;
  EXPECT_EQ(placed(ticket),
            "POST /fapi/v1/order?symbol=BTCUSDT&side=SELL&type=MARKET&positionSide=LONG&quantity=0.05&newClientOrderId=t0-1"
            "&newOrderRespType=ACK&");
  OrderTicket stop = stop_loss();
  stop.side = Side::buy;
  stop.position_side = PositionSide::short_;
  EXPECT_EQ(placed(stop),
            "POST /fapi/v1/algoOrder?algoType=CONDITIONAL&symbol=BTCUSDT&side=BUY&type=STOP_MARKET&positionSide=SHORT&quantity=0.05"
            "&triggerPrice=60000&workingType=MARK_PRICE&clientAlgoId=t0-2&");
}

TEST(BinanceEncode, stops_go_to_their_own_service_and_watch_the_mark_price) {
  EXPECT_EQ(placed(stop_loss()),
            "POST /fapi/v1/algoOrder?algoType=CONDITIONAL&symbol=BTCUSDT&side=SELL&type=STOP_MARKET&reduceOnly=true&quantity=0.05"
            "&triggerPrice=60000&workingType=MARK_PRICE&clientAlgoId=t0-2&");
  OrderTicket target = stop_loss();
  target.type = "take_profit";
  target.price = dec("62000.1");
  target.stop_price = dec("0.00000012");  // never with an exponent
  EXPECT_EQ(placed(target),
            "POST /fapi/v1/algoOrder?algoType=CONDITIONAL&symbol=BTCUSDT&side=SELL&type=TAKE_PROFIT&reduceOnly=true&quantity=0.05"
            "&price=62000.1&timeInForce=GTC&triggerPrice=0.00000012&workingType=MARK_PRICE&clientAlgoId=t0-2&");
}

TEST(BinanceEncode, cancels_name_the_order_in_its_service) {
  Request cancel = question(RequestKind::cancel_order);
  EXPECT_EQ(asked(cancel), "DELETE /fapi/v1/order?symbol=BTCUSDT&origClientOrderId=t0-1&");
  cancel.order_id = "1000123456789";
  EXPECT_EQ(asked(cancel), "DELETE /fapi/v1/order?symbol=BTCUSDT&orderId=1000123456789&");
  cancel.ticket.kind = OrderKind::conditional;
  EXPECT_EQ(asked(cancel), "DELETE /fapi/v1/algoOrder?algoId=1000123456789&");
  cancel.order_id.clear();
  EXPECT_EQ(asked(cancel), "DELETE /fapi/v1/algoOrder?clientAlgoId=t0-1&");
}

TEST(BinanceEncode, leverage_is_a_whole_number) {
  Request leverage = question(RequestKind::set_leverage);
  EXPECT_EQ(asked(leverage), "POST /fapi/v1/leverage?symbol=BTCUSDT&leverage=20&");
  leverage.leverage = dec("20.50");
  EXPECT_EQ(encoded(leverage).url, "");
  leverage.leverage = dec("20.0");
  EXPECT_EQ(asked(leverage), "POST /fapi/v1/leverage?symbol=BTCUSDT&leverage=20&");
}

TEST(BinanceEncode, a_position_has_no_stop_of_its_own_here) {
  Request stop = question(RequestKind::set_position_stop);
  stop.ticket = stop_loss();
  EXPECT_EQ(encoded(stop).url, "");
  EXPECT_EQ(encoded(stop).method, "");
}

TEST(BinanceEncode, trades_are_asked_by_time_or_by_id_but_never_by_both) {
  Request trades = request(RequestKind::executions);
  trades.symbol = "BTCUSDT";
  trades.since_ms = 1000;
  trades.until_ms = 2000;
  EXPECT_EQ(asked(trades), "GET /fapi/v1/userTrades?symbol=BTCUSDT&startTime=1000&endTime=2000&limit=1000&");
  trades.from_id = "77";
  EXPECT_EQ(asked(trades), "GET /fapi/v1/userTrades?symbol=BTCUSDT&fromId=77&limit=1000&");
  trades.cursor = "1077";
  EXPECT_EQ(asked(trades), "GET /fapi/v1/userTrades?symbol=BTCUSDT&fromId=1077&limit=1000&");
}

TEST(BinanceEncode, pages_of_orders_move_the_start_of_the_window) {
  Request orders = request(RequestKind::closed_orders);
  orders.since_ms = 1000;
  EXPECT_EQ(asked(orders), "GET /fapi/v1/allOrders?startTime=1000&limit=1000&");
  orders.until_ms = 9000;
  orders.cursor = "5999";
  EXPECT_EQ(asked(orders), "GET /fapi/v1/allOrders?startTime=5999&endTime=9000&limit=1000&");
}

TEST(BinanceEncode, income_is_paged_by_number) {
  Request income = request(RequestKind::income_symbols);
  income.since_ms = 1000;
  EXPECT_EQ(asked(income), "GET /fapi/v1/income?startTime=1000&page=1&limit=1000&");
  income.cursor = "2";
  EXPECT_EQ(asked(income), "GET /fapi/v1/income?startTime=1000&page=2&limit=1000&");
}

}  // namespace
}  // namespace tradesync::binance::test
