#include <gtest/gtest.h>

#include "exchanges/bybit/examples_test.hpp"
#include "exchanges/hmac.hpp"

namespace tradesync::bybit::test {
namespace {

constexpr Credentials kCredentials{"bbTestKey00A1b2C3d", "s3cr3tForDocsOnly0123456789abcdefXYZ"};
const Endpoints kEndpoints{"https://api.example", "wss://public.example", "wss://private.example"};

std::string header(const HttpRequest& http, std::string_view name) {
  for (const auto& [key, value] : http.headers)
    if (key == name) return value;
  return {};
}
std::string signature(std::string_view payload, std::int64_t timestamp) {
  HttpRequest http;
  sign(http, payload, kCredentials, timestamp);
  return header(http, "X-BAPI-SIGN");
}
// With the window of the vector in place of ours.
std::string signature(std::string_view payload, std::int64_t timestamp, std::string_view window) {
  return hmac_sha256_hex(kCredentials.api_secret,
                         std::to_string(timestamp).append(kCredentials.api_key).append(window).append(payload));
}
std::string url(const Request& request) { return encode_request(request, kEndpoints, kCredentials, 1785000000123).url; }
std::string url(RequestKind kind) {
  Request request;
  request.kind = kind;
  return url(request);
}

// protocol/bybit-v5.md §2.3
TEST(BybitSign, the_documents_vectors_hold) {
  EXPECT_EQ(signature("category=linear&settleCoin=USDT&limit=200", 1785000000123),
            "f2c21b9adbca88d1bcb7b96fabb949538b26286de60235beef44d9d2d7008fee");
  EXPECT_EQ(signature("category=linear&settleCoin=USDT&openOnly=0&limit=50&cursor=page_args%3D0b6a1f2e-5c1d-4f0e-9a57-"
                      "3f1d2c4b5a60%26symbol%3D5%26",
                      1785000001456, "10000"),
            "ab60c192c14cf51580e91cda667c3c02b827ed601961ef5dfd721a8c27e473a8");
  EXPECT_EQ(signature("", 1785000002000), "e884f2dd202be7d3873e3db2e869e8389d0bc411b35dd6fcd87b79024a77c433");
  EXPECT_EQ(
      signature(
          R"({"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.010","price":"64250.50","timeInForce":"PostOnly","positionIdx":0,"orderLinkId":"cl-20260725-000001","reduceOnly":false})",
          1785000003789),
      "762ed8e4588f8be1036e28a12b4d002ad4c7d49378f4ce885bc7460063d88439");
  EXPECT_EQ(signature(R"({"category": "linear", "symbol": "ETHUSDT", "buyLeverage": "5", "sellLeverage": "5"})", 1785000004001),
            "4d415da9147146a7e8a4abf706d2e84ed6d132eeeece558f2432144d0f90706e");
  EXPECT_EQ(
      signature(
          R"({"category":"linear","symbol":"BTCUSDT","tpslMode":"Full","positionIdx":0,"stopLoss":"61800.00","slTriggerBy":"MarkPrice"})",
          1785000005250, "8000"),
      "853f700c581da06b9ecf7798279ac83db4cd0eca74fc7ee5b76449c96160f320");
  EXPECT_EQ(stream_signature(kCredentials.api_secret, 1785000010000),
            "0cfc7c829b1ae6808ec819525fde4a729a1a5e3675b212bcf2ea5f7164cba03d");
  EXPECT_EQ(stream_signature(kCredentials.api_secret, 1785000062345),
            "c663794c1d3edd92b763fa11ce79dcda2a4574dc9a88b6814c7f34d299377e99");
}

TEST(BybitEncode, a_private_question_is_signed_over_the_bytes_of_its_query) {
  Request request;
  request.kind = RequestKind::positions;
  const HttpRequest http = encode_request(request, kEndpoints, kCredentials, 1785000000123);
  EXPECT_EQ(http.method, "GET");
  EXPECT_EQ(http.body, "");
  EXPECT_EQ(http.url, "https://api.example/v5/position/list?category=linear&settleCoin=USDT&limit=200");
  EXPECT_EQ(header(http, "X-BAPI-API-KEY"), kCredentials.api_key);
  EXPECT_EQ(header(http, "X-BAPI-TIMESTAMP"), "1785000000123");
  EXPECT_EQ(header(http, "X-BAPI-RECV-WINDOW"), "5000");
  EXPECT_EQ(header(http, "X-BAPI-SIGN"), "f2c21b9adbca88d1bcb7b96fabb949538b26286de60235beef44d9d2d7008fee");  // vector G1
}

TEST(BybitEncode, market_data_goes_out_unsigned) {
  for (RequestKind kind : {RequestKind::server_time, RequestKind::instruments}) {
    Request request;
    request.kind = kind;
    EXPECT_TRUE(encode_request(request, kEndpoints, kCredentials, 1).headers.empty());
  }
}

TEST(BybitEncode, every_question_has_its_endpoint) {
  const std::string base = "https://api.example/v5/";
  EXPECT_EQ(url(RequestKind::server_time), base + "market/time");
  EXPECT_EQ(url(RequestKind::instruments), base + "market/instruments-info?category=linear&limit=1000");
  EXPECT_EQ(url(RequestKind::balances), base + "account/wallet-balance?accountType=UNIFIED");
  EXPECT_EQ(url(RequestKind::open_orders), base + "order/realtime?category=linear&settleCoin=USDT&openOnly=0&limit=50");
  EXPECT_EQ(url(RequestKind::open_conditional_orders),
            base + "order/realtime?category=linear&settleCoin=USDT&openOnly=0&orderFilter=StopOrder&limit=50");
  EXPECT_EQ(url(RequestKind::closed_orders), base + "order/history?category=linear&settleCoin=USDT&limit=50");
  EXPECT_EQ(url(RequestKind::executions), base + "execution/list?category=linear&settleCoin=USDT&limit=100");
}

TEST(BybitEncode, windows_symbols_and_cursors_go_into_the_query) {
  Request request;
  request.kind = RequestKind::executions;
  request.symbol = "\xE6\xB5\x8B\xE8\xAF\x95USDT";
  request.since_ms = 1785000000000;
  request.until_ms = 1785000900000;
  request.cursor = "page_args%3D5c%26symbol%3D5%26";
  EXPECT_EQ(url(request),
            "https://api.example/v5/execution/list?category=linear&symbol=%E6%B5%8B%E8%AF%95USDT&startTime=1785000000000"
            "&endTime=1785000900000&limit=100&cursor=page_args%3D5c%26symbol%3D5%26");
}

TEST(BybitEncode, one_order_is_looked_for_in_two_places) {
  Request request;
  request.kind = RequestKind::order;
  request.symbol = "BTCUSDT";
  request.order_id = "7d1f";
  EXPECT_EQ(url(request), "https://api.example/v5/order/realtime?category=linear&symbol=BTCUSDT&orderId=7d1f");
  request.cursor = kHistoryStep;
  EXPECT_EQ(url(request), "https://api.example/v5/order/history?category=linear&symbol=BTCUSDT&orderId=7d1f");
}

TEST(BybitEncode, one_order_is_asked_by_our_id_when_the_venues_is_not_known) {
  Request request;
  request.kind = RequestKind::conditional_order;
  request.symbol = "BTCUSDT";
  request.client_order_id = "t0-1";
  EXPECT_EQ(url(request), "https://api.example/v5/order/realtime?category=linear&symbol=BTCUSDT&orderLinkId=t0-1");
  request.cursor = kHistoryStep;
  EXPECT_EQ(url(request), "https://api.example/v5/order/history?category=linear&symbol=BTCUSDT&orderLinkId=t0-1");
  request.order_id = "7d1f";
  EXPECT_EQ(url(request), "https://api.example/v5/order/history?category=linear&symbol=BTCUSDT&orderId=7d1f");
  request.order_id = request.client_order_id = "";
  EXPECT_EQ(url(request), "");
}

TEST(BybitEncode, a_ticker_is_asked_unsigned) {
  const HttpRequest http = encode_request(question(RequestKind::ticker), kEndpoints, kCredentials, 1);
  EXPECT_EQ(http.url, "https://api.example/v5/market/tickers?category=linear&symbol=BTCUSDT");
  EXPECT_TRUE(http.headers.empty());
}

TEST(BybitEncode, the_tickers_of_all_symbols_are_asked_unsigned) {
  Request request = question(RequestKind::tickers);
  for (const char* symbol : {"", "BTCUSDT"}) {
    request.symbol = symbol;
    const HttpRequest http = encode_request(request, kEndpoints, kCredentials, 1);
    EXPECT_EQ(http.url, "https://api.example/v5/market/tickers?category=linear");
    EXPECT_TRUE(http.headers.empty());
  }
}

HttpRequest written(const Request& request) { return encode_request(request, kEndpoints, kCredentials, 1785000003789); }
// What is sent, and that it is signed over exactly these bytes.
std::string body(const Request& request) {
  const HttpRequest http = written(request);
  EXPECT_EQ(http.method, "POST");
  EXPECT_EQ(header(http, "Content-Type"), "application/json");
  EXPECT_EQ(header(http, "X-BAPI-SIGN"), signature(http.body, 1785000003789));
  EXPECT_EQ(http.url.find('?'), std::string::npos);
  return http.body;
}
std::string body(const OrderTicket& ticket) { return body(placing(ticket)); }

// The signature was computed with another program over these very bytes.
TEST(BybitEncode, an_entry_carries_its_stop) {
  OrderTicket ticket = entry();
  ticket.stop_price = dec("62500.00");
  const HttpRequest http = written(placing(ticket));
  EXPECT_EQ(http.url, "https://api.example/v5/order/create");
  EXPECT_EQ(
      http.body,
      R"({"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Market","qty":"0.02",)"
      R"("positionIdx":0,"orderLinkId":"t0-1","stopLoss":"62500","slTriggerBy":"MarkPrice","tpslMode":"Full"})");
  EXPECT_EQ(header(http, "X-BAPI-SIGN"), "a74c47c981733b399a973db0894518b6441ab875616e790a1d5660c7e98d23e3");
  EXPECT_EQ(header(http, "X-BAPI-TIMESTAMP"), "1785000003789");
  EXPECT_EQ(header(http, "X-BAPI-RECV-WINDOW"), "5000");
}

TEST(BybitEncode, an_order_names_its_slot_and_whether_it_only_reduces) {
  EXPECT_EQ(
      body(entry()),
      R"({"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Market","qty":"0.02","positionIdx":0,"orderLinkId":"t0-1"})");
  OrderTicket ticket = entry();
  ticket.position_side = PositionSide::long_;
  ticket.side = Side::sell;
  ticket.reduce_only = true;
  ticket.stop_price = Decimal(62500);  // not allowed on an order that reduces
  EXPECT_EQ(
      body(ticket),
      R"({"category":"linear","symbol":"BTCUSDT","side":"Sell","orderType":"Market","qty":"0.02",)"
      R"("positionIdx":1,"orderLinkId":"t0-1","reduceOnly":true})");
  ticket = entry();
  ticket.position_side = PositionSide::short_;
  ticket.side = Side::sell;
  ticket.type = "limit";
  ticket.price = dec("0.00000012");
  EXPECT_EQ(
      body(ticket),
      R"({"category":"linear","symbol":"BTCUSDT","side":"Sell","orderType":"Limit","qty":"0.02","price":"0.00000012","timeInForce":"GTC",)"
      R"("positionIdx":2,"orderLinkId":"t0-1"})");
}

TEST(BybitEncode, a_conditional_order_says_from_which_side_the_price_comes) {
  OrderTicket ticket = stop_order();
  EXPECT_EQ(
      body(ticket),
      R"({"category":"linear","symbol":"BTCUSDT","side":"Sell","orderType":"Market","qty":"0.02",)"
      R"("positionIdx":0,"orderLinkId":"t0-2","reduceOnly":true,"triggerPrice":"62500","triggerDirection":2,"triggerBy":"MarkPrice"})");
  const auto direction = [&](Side side, const char* type) {
    ticket.side = side;
    ticket.type = type;
    ticket.price = Decimal(1);
    const std::string text = body(ticket);
    const std::size_t at = text.find("\"triggerDirection\":");
    return at == std::string::npos ? '?' : text[at + 19];
  };
  EXPECT_EQ(direction(Side::sell, "stop_market"), '2');
  EXPECT_EQ(direction(Side::buy, "stop_market"), '1');
  EXPECT_EQ(direction(Side::sell, "take_profit_market"), '1');
  EXPECT_EQ(direction(Side::buy, "take_profit_market"), '2');
  EXPECT_EQ(direction(Side::buy, "stop"), '1');
  EXPECT_EQ(direction(Side::buy, "take_profit"), '2');
}

TEST(BybitEncode, cancels_name_the_order) {
  Request cancel = question(RequestKind::cancel_order);
  EXPECT_EQ(written(cancel).url, "https://api.example/v5/order/cancel");
  EXPECT_EQ(body(cancel), R"({"category":"linear","symbol":"BTCUSDT","orderLinkId":"t0-1"})");
  cancel.order_id = "7d1f";
  EXPECT_EQ(body(cancel), R"({"category":"linear","symbol":"BTCUSDT","orderId":"7d1f"})");
}

TEST(BybitEncode, a_position_stop_changes_only_what_it_mentions) {
  Request stop = question(RequestKind::set_position_stop);
  EXPECT_EQ(written(stop).url, "https://api.example/v5/position/trading-stop");
  const std::string start = R"({"category":"linear","symbol":"BTCUSDT","tpslMode":"Full","positionIdx":)";
  EXPECT_EQ(body(stop), start + "0}");
  stop.ticket.stop_price = dec("61800.00");
  EXPECT_EQ(body(stop), start + R"(0,"stopLoss":"61800","slTriggerBy":"MarkPrice"})");  // P3 of the documents, shortest notation
  stop.ticket.position_side = PositionSide::short_;
  stop.ticket.take_profit = Decimal(0);
  EXPECT_EQ(body(stop), start + R"(2,"stopLoss":"61800","slTriggerBy":"MarkPrice","takeProfit":"0"})");
  stop.ticket.stop_price.reset();
  stop.ticket.take_profit = dec("3010.5");
  EXPECT_EQ(body(stop), start + R"(2,"takeProfit":"3010.5","tpTriggerBy":"MarkPrice"})");
}

TEST(BybitEncode, leverage_is_set_for_both_sides) {
  Request leverage = question(RequestKind::set_leverage);
  EXPECT_EQ(written(leverage).url, "https://api.example/v5/position/set-leverage");
  leverage.leverage = dec("12.50");
  EXPECT_EQ(body(leverage), R"({"category":"linear","symbol":"BTCUSDT","buyLeverage":"12.5","sellLeverage":"12.5"})");
}

TEST(BybitEncode, text_that_is_no_utf8_is_not_sent) {
  Request leverage = question(RequestKind::set_leverage);
  leverage.symbol = "BTC\xFFUSDT";
  EXPECT_EQ(written(leverage).url, "");
  EXPECT_EQ(written(leverage).body, "");
}

TEST(BybitEncode, a_question_the_venue_does_not_have_is_empty) {
  for (RequestKind kind : {RequestKind::income_symbols, RequestKind::create_listen_key, RequestKind::keep_alive_listen_key})
    EXPECT_EQ(url(kind), "");
}

std::string command(StreamCommand::What what, StreamKind kind, std::vector<std::string> symbols = {}, std::string id = "7") {
  return encode_command({what, std::move(id), std::move(symbols)}, kind, kCredentials, 1785000000000);
}

TEST(BybitEncode, commands_are_the_frames_of_the_documents) {
  using What = StreamCommand::What;
  EXPECT_EQ(
      command(What::authenticate, StreamKind::private_),
      R"({"req_id":"7","op":"auth","args":["bbTestKey00A1b2C3d",1785000010000,"0cfc7c829b1ae6808ec819525fde4a729a1a5e3675b212bcf2ea5f7164cba03d"]})");  // vector W1
  EXPECT_EQ(command(What::subscribe_account, StreamKind::private_),
            R"({"req_id":"7","op":"subscribe","args":["position.linear","order.linear","execution.linear","wallet"]})");
  EXPECT_EQ(command(What::subscribe, StreamKind::public_, {"BTCUSDT", "ETHUSDT"}),
            R"({"req_id":"7","op":"subscribe","args":["tickers.BTCUSDT","tickers.ETHUSDT"]})");
  EXPECT_EQ(command(What::unsubscribe, StreamKind::public_, {"BTCUSDT"}, ""),
            R"({"op":"unsubscribe","args":["tickers.BTCUSDT"]})");
  EXPECT_EQ(command(What::ping, StreamKind::public_), R"({"req_id":"7","op":"ping"})");
  EXPECT_EQ(command(What::ping, StreamKind::private_, {}, ""), R"({"op":"ping"})");
}

TEST(BybitEncode, a_command_that_makes_no_sense_on_its_stream_is_empty) {
  using What = StreamCommand::What;
  EXPECT_EQ(command(What::authenticate, StreamKind::public_), "");
  EXPECT_EQ(command(What::subscribe_account, StreamKind::public_), "");
  EXPECT_EQ(command(What::subscribe, StreamKind::private_, {"BTCUSDT"}), "");
  EXPECT_EQ(command(What::subscribe, StreamKind::public_), "");
}

}  // namespace
}  // namespace tradesync::bybit::test
