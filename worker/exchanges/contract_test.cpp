// What every venue promises (exchange.hpp), asked of each one in registry.def. A new venue is tested here by its one line.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "exchanges/exchange.hpp"
#include "exchanges/json.hpp"
#include "exchanges/padded_message.hpp"

namespace tradesync {
namespace {

constexpr std::string_view kVenues[] = {
#define EXCHANGE(venue) #venue,
#include "exchanges/registry.def"
#undef EXCHANGE
};

constexpr RequestKind kKinds[] = {RequestKind::server_time,
                                  RequestKind::instruments,
                                  RequestKind::positions,
                                  RequestKind::position_mode,
                                  RequestKind::leverages,
                                  RequestKind::balances,
                                  RequestKind::open_orders,
                                  RequestKind::open_conditional_orders,
                                  RequestKind::closed_orders,
                                  RequestKind::executions,
                                  RequestKind::income_symbols,
                                  RequestKind::order,
                                  RequestKind::conditional_order,
                                  RequestKind::ticker,
                                  RequestKind::tickers,
                                  RequestKind::create_listen_key,
                                  RequestKind::keep_alive_listen_key,
                                  RequestKind::place_order,
                                  RequestKind::cancel_order,
                                  RequestKind::set_position_stop,
                                  RequestKind::set_leverage};

constexpr RequestKind kWrites[] = {RequestKind::place_order, RequestKind::cancel_order, RequestKind::set_position_stop,
                                   RequestKind::set_leverage};

constexpr StreamKind kStreams[] = {StreamKind::private_, StreamKind::public_};

constexpr StreamCommand::What kCommands[] = {StreamCommand::What::authenticate, StreamCommand::What::subscribe_account,
                                             StreamCommand::What::subscribe, StreamCommand::What::unsubscribe,
                                             StreamCommand::What::ping};

constexpr std::string_view kKey = "ThisIsTheApiKey0001", kSecret = "ThisIsTheSecret0002";
constexpr Credentials kCredentials{kKey, kSecret};
constexpr std::int64_t kNow = 1785000000000;

Request question(RequestKind kind) {
  Request request;
  request.id = 42;
  request.kind = kind;
  request.symbol = "BTCUSDT";
  request.order_id = "1000123456789";
  request.since_ms = kNow - 3600000;
  if (!is_write(kind)) return request;
  request.leverage = Decimal(7);
  request.ticket.symbol = "BTCUSDT";
  request.ticket.client_order_id = "tabcd2345-1z-1";
  request.ticket.quantity = Decimal::parse("0.0150").value();
  return request;
}

// Every form an order of ours takes.
std::vector<Request> orders() {
  std::vector<Request> all;
  for (const auto& [kind, type] : {std::pair{OrderKind::regular, "market"},
                                   {OrderKind::regular, "limit"},
                                   {OrderKind::conditional, "stop_market"},
                                   {OrderKind::conditional, "take_profit_market"},
                                   {OrderKind::conditional, "stop"},
                                   {OrderKind::conditional, "take_profit"}})
    for (PositionSide position_side : {PositionSide::both, PositionSide::long_, PositionSide::short_})
      for (bool reduces : {false, true}) {
        Request request = question(RequestKind::place_order);
        request.ticket.kind = kind;
        request.ticket.type = type;
        request.ticket.position_side = position_side;
        request.ticket.side = reduces == (position_side == PositionSide::short_) ? Side::buy : Side::sell;
        request.ticket.reduce_only = reduces;
        request.ticket.price = Decimal::parse("61234.50");
        request.ticket.stop_price = Decimal::parse("60000.10");
        all.push_back(std::move(request));
      }
  return all;
}

// Requests that no venue may ever see.
std::vector<Request> garbage() {
  std::vector<Request> all;
  const auto spoil = [&](RequestKind kind, auto change) {
    all.push_back(question(kind));
    change(all.back());
  };
  const auto spoil_order = [&](auto change) { spoil(RequestKind::place_order, [&](Request& request) { change(request.ticket); }); };
  spoil_order([](OrderTicket& ticket) { ticket = {}; });
  spoil_order([](OrderTicket& ticket) { ticket.symbol.clear(); });
  spoil_order([](OrderTicket& ticket) { ticket.client_order_id.clear(); });
  spoil_order([](OrderTicket& ticket) { ticket.client_order_id = "a&quantity=9"; });
  spoil_order([](OrderTicket& ticket) { ticket.client_order_id = std::string(37, 'a'); });
  spoil_order([](OrderTicket& ticket) { ticket.quantity = Decimal(); });
  spoil_order([](OrderTicket& ticket) { ticket.quantity = Decimal(-1); });
  spoil_order([](OrderTicket& ticket) { ticket.type = "limit"; });
  spoil_order([](OrderTicket& ticket) { ticket.type = "stop_market", ticket.stop_price = Decimal(1); });
  spoil_order([](OrderTicket& ticket) { ticket.kind = OrderKind::conditional, ticket.stop_price = Decimal(1); });
  spoil_order([](OrderTicket& ticket) { ticket.kind = OrderKind::conditional, ticket.type = "stop_market"; });
  spoil_order([](OrderTicket& ticket) { ticket.position_side = PositionSide::long_, ticket.reduce_only = true; });
  spoil(RequestKind::cancel_order, [](Request& request) { request.order_id.clear(); });
  spoil(RequestKind::cancel_order, [](Request& request) { request.symbol.clear(); });
  spoil(RequestKind::set_position_stop, [](Request& request) { request.ticket.symbol.clear(); });
  spoil(RequestKind::set_position_stop, [](Request& request) { request.ticket.stop_price = Decimal(-1); });
  spoil(RequestKind::set_leverage, [](Request& request) { request.leverage = Decimal(); });
  spoil(RequestKind::set_leverage, [](Request& request) { request.leverage = Decimal(-3); });
  spoil(RequestKind::set_leverage, [](Request& request) { request.symbol.clear(); });
  spoil(RequestKind::order, [](Request& request) { request.order_id.clear(); });
  spoil(RequestKind::conditional_order, [](Request& request) { request.order_id.clear(); });
  spoil(RequestKind::ticker, [](Request& request) { request.symbol.clear(); });
  return all;
}

class Contract : public testing::TestWithParam<std::string_view> {
 protected:
  const Exchange& venue() const { return *find_exchange(GetParam()); }
  Endpoints endpoints() const { return *venue().endpoints("mainnet"); }
  Reply answer(RequestKind kind, int status, std::string_view body, bool complete = true) const {
    const PaddedMessage padded(body);
    return venue().decode(question(kind),
                          {.status = status, .complete = complete, .body = padded.view(), .error = "no answer", .headers = {}});
  }
  Decoded read(StreamKind kind, std::string_view text) const {
    Decoded out;
    venue().decode(kind, PaddedMessage(text).view(), out);
    return out;
  }
};

void expect_no_conclusion(const Reply& reply) {
  EXPECT_EQ(reply.outcome, Outcome::failed) << reply.message;
  EXPECT_TRUE(reply.facts.empty());
  EXPECT_EQ(reply.next_cursor, "");
  EXPECT_EQ(reply.listen_key, "");
  EXPECT_FALSE(reply.hedge_mode);
  EXPECT_EQ(reply.id, 42u);
}

TEST(Registry, a_name_that_no_venue_has_finds_none) {
  EXPECT_EQ(find_exchange("nowhere"), nullptr);
  EXPECT_EQ(find_exchange(""), nullptr);
}

TEST_P(Contract, a_venue_is_found_by_its_name_and_always_the_same_one) {
  ASSERT_NE(find_exchange(GetParam()), nullptr);
  EXPECT_EQ(find_exchange(GetParam()), find_exchange(GetParam()));
  EXPECT_EQ(venue().rules().name, GetParam());
}

TEST_P(Contract, rules_are_complete) {
  const VenueRules& rules = venue().rules();
  EXPECT_NE(rules.listen_key, rules.login);
  EXPECT_EQ(rules.listen_key, rules.listen_key_keep_alive_ms > 0);
  EXPECT_GT(rules.private_silence_ms + rules.ping_interval_ms, 0);
  EXPECT_GT(rules.price_stale_ms, 0);
  EXPECT_GT(rules.symbols_per_connection, 0);
  EXPECT_GT(rules.symbols_per_subscribe, 0);
  EXPECT_LE(rules.symbols_per_subscribe, rules.symbols_per_connection);
  EXPECT_GT(rules.commands_per_second, 0);
  EXPECT_GT(rules.execution_overlap_ms, 0);
  EXPECT_GT(rules.max_window_ms, 0);
  EXPECT_GT(rules.budget_window_ms, 0);
  EXPECT_GT(rules.receive_window_ms, 0);
  EXPECT_GT(rules.unfilled_memory_ms, rules.receive_window_ms);
  EXPECT_GE(rules.conditional_orders_at_most, 0);
  EXPECT_GT(rules.order_budget, 0);
  EXPECT_GT(rules.order_budget_window_ms, 0);
  ASSERT_NE(rules.weight, nullptr);
  for (RequestKind kind : kKinds) {
    EXPECT_GE(rules.weight(question(kind)), 0);
    EXPECT_LE(rules.weight(question(kind)), rules.budget);
  }
}

TEST_P(Contract, endpoints_are_secure_and_unknown_environments_have_none) {
  for (const char* environment : {"mainnet", "testnet"}) {
    const auto known = venue().endpoints(environment);
    ASSERT_TRUE(known) << environment;
    EXPECT_TRUE(known->rest.starts_with("https://"));
    for (const std::string& stream : {known->public_stream, known->private_stream}) EXPECT_TRUE(stream.starts_with("wss://"));
    for (const std::string& base : {known->rest, known->public_stream, known->private_stream}) EXPECT_FALSE(base.ends_with('/'));
  }
  EXPECT_NE(venue().endpoints("mainnet")->rest, venue().endpoints("testnet")->rest);
  for (const char* environment : {"", "Mainnet", "live"}) EXPECT_FALSE(venue().endpoints(environment));
}

TEST_P(Contract, an_override_replaces_the_hosts_everywhere) {
  const Endpoints local{"http://127.0.0.1:1", "ws://127.0.0.1:2", "ws://127.0.0.1:3"};
  for (RequestKind kind : kKinds) {
    const std::string url = venue().encode(question(kind), local, kCredentials, kNow).url;
    EXPECT_TRUE(url.empty() || url.starts_with("http://127.0.0.1:1/")) << url;
  }
  EXPECT_TRUE(venue().stream_url(StreamKind::public_, local, "key").starts_with("ws://127.0.0.1:2"));
  EXPECT_TRUE(venue().stream_url(StreamKind::private_, local, "key").starts_with("ws://127.0.0.1:3"));
}

TEST_P(Contract, only_questions_the_venue_does_not_have_are_empty) {
  const VenueRules& rules = venue().rules();
  for (RequestKind kind : kKinds) {
    const bool about_listen_keys = kind == RequestKind::create_listen_key || kind == RequestKind::keep_alive_listen_key;
    const bool missing = (about_listen_keys && !rules.listen_key) ||
                         (kind == RequestKind::income_symbols && !rules.executions_per_symbol) ||
                         (kind == RequestKind::set_position_stop && !rules.position_stops);
    EXPECT_EQ(venue().encode(question(kind), endpoints(), kCredentials, kNow).url.empty(), missing) << static_cast<int>(kind);
  }
}

TEST_P(Contract, the_secret_never_leaves_and_the_key_stays_out_of_addresses) {
  for (RequestKind kind : kKinds) {
    const HttpRequest http = venue().encode(question(kind), endpoints(), kCredentials, kNow);
    EXPECT_EQ(http.url.find(kKey), std::string::npos);
    for (const std::string& text : {http.url, http.body}) EXPECT_EQ(text.find(kSecret), std::string::npos);
    for (const auto& [name, value] : http.headers) EXPECT_EQ(value.find(kSecret), std::string::npos) << name;
  }
  for (StreamKind stream : kStreams)
    for (StreamCommand::What what : kCommands)
      EXPECT_EQ(venue().encode({what, "1", {"BTCUSDT"}}, stream, kCredentials, kNow).find(kSecret), std::string::npos);
}

TEST_P(Contract, nothing_in_a_question_can_break_out_of_its_parameter) {
  const std::string evil = "a&b=c#d e\r\nHost: x/../?\xC3\xA4\"},{\\";
  for (RequestKind kind : kKinds)
    for (bool by_client_id : {false, true}) {
      Request request = question(kind);
      request.symbol = request.ticket.symbol = request.cursor = request.from_id = evil;
      request.order_id = by_client_id ? "" : evil;
      request.client_order_id = evil;
      const HttpRequest http = venue().encode(request, endpoints(), kCredentials, kNow);
      EXPECT_EQ(http.url.find("&b="), std::string::npos) << http.url;
      EXPECT_EQ(http.url.find_first_of("# \r\n\xC3\""), std::string::npos) << http.url;
      if (http.body.empty()) continue;
      const PaddedMessage body(http.body);
      const json::Document document = json::parse(body.view());
      ASSERT_EQ(document.error, "") << http.body;
      EXPECT_EQ(document.root["symbol"].text(), evil);
    }
}

TEST_P(Contract, every_form_of_an_order_is_sent_signed_and_complete) {
  for (const Request& request : orders()) {
    const HttpRequest http = venue().encode(request, endpoints(), kCredentials, kNow);
    EXPECT_EQ(http.method, "POST");
    const std::string said = http.url + http.body;
    for (const char* part : {"BTCUSDT", "tabcd2345-1z-1", "0.015"}) EXPECT_NE(said.find(part), std::string::npos) << said;
    EXPECT_EQ(said.find("61234.5") != std::string::npos, request.ticket.type.find("market") == std::string::npos) << said;
    if (request.ticket.kind == OrderKind::conditional) {
      EXPECT_NE(said.find("60000.1"), std::string::npos) << said;
    }
  }
}

TEST_P(Contract, every_write_changes_with_the_clock_and_goes_to_the_venue_that_was_named) {
  for (RequestKind kind : kWrites) {
    const HttpRequest http = venue().encode(question(kind), endpoints(), kCredentials, kNow);
    if (kind == RequestKind::set_position_stop && !venue().rules().position_stops) continue;
    EXPECT_TRUE(http.url.starts_with(endpoints().rest + "/")) << http.url;
    EXPECT_TRUE(http.method == "POST" || http.method == "DELETE") << http.method;
    const HttpRequest later = venue().encode(question(kind), endpoints(), kCredentials, kNow + 1);
    EXPECT_TRUE(later.url != http.url || later.headers != http.headers);
  }
}

TEST_P(Contract, what_no_venue_may_see_is_not_encoded) {
  for (const Request& request : garbage()) {
    const HttpRequest http = venue().encode(request, endpoints(), kCredentials, kNow);
    EXPECT_EQ(http.method + http.url + http.body, "") << static_cast<int>(request.kind);
    EXPECT_TRUE(http.headers.empty());
  }
}

// Never "ok", never "refused": the order may be there.
TEST_P(Contract, an_answer_to_a_write_that_is_not_understood_leaves_everything_open) {
  for (RequestKind kind : kWrites)
    for (const char* body :
         {"", "{}", "[]", "<html>", "null", "OK", "{\"code\":", R"({"retCode":null})", R"({"result":{}})", R"({"msg":"success"})",
          R"({"orderId":1})", R"({"retCode":"x","result":{}})", R"({"retMsg":"OK","result":{"orderId":"1"}})"})
      for (int status : {200, 201, 204, 302, 400, 404, 408, 500, 502, 503, 504}) expect_no_conclusion(answer(kind, status, body));
}

TEST_P(Contract, only_a_refusal_has_a_reason) {
  for (RequestKind kind : kKinds)
    for (int status : {0, 200, 400, 401, 403, 404, 418, 429, 500, 503})
      for (const char* body : {"", "{}", R"({"code":-2019,"msg":"x"})", R"({"code":-2011,"msg":"x"})", R"({"code":-1008,"msg":"x"})",
                               R"({"retCode":110007,"retMsg":"x"})", R"({"retCode":110001,"retMsg":"x"})"}) {
        const Reply reply = answer(kind, status, body);
        EXPECT_TRUE(reply.outcome == Outcome::refused || reply.refusal == Refusal::other) << status << body;
      }
}

TEST_P(Contract, the_same_question_is_encoded_the_same_way) {
  for (const Request& request : orders())
    EXPECT_EQ(venue().encode(request, endpoints(), kCredentials, kNow).body,
              venue().encode(request, endpoints(), kCredentials, kNow).body);
  for (RequestKind kind : kKinds)
    EXPECT_EQ(venue().encode(question(kind), endpoints(), kCredentials, kNow).url,
              venue().encode(question(kind), endpoints(), kCredentials, kNow).url);
}

TEST_P(Contract, a_failed_answer_concludes_nothing) {
  for (RequestKind kind : kKinds) {
    for (const char* body : {"", "[]", "{}", R"({"retCode":0,"retMsg":"OK","result":{"list":[]},"time":1785000000000})"}) {
      expect_no_conclusion(answer(kind, 0, body));
      expect_no_conclusion(answer(kind, 200, body, false));
      expect_no_conclusion(answer(kind, 502, body));
    }
    for (const char* body : {"", "<html>", "OK", "{", "[", "nul", "\xFF"}) {
      expect_no_conclusion(answer(kind, 200, body));
      expect_no_conclusion(answer(kind, 500, body));
      expect_no_conclusion(answer(kind, 503, body));
    }
  }
}

TEST_P(Contract, rate_limits_and_bans_say_how_long_to_stay_away) {
  for (RequestKind kind : kKinds)
    for (const Reply& reply : {answer(kind, 429, "{}"), answer(kind, 403, "<html>"), answer(kind, 418, "{}")})
      if (reply.outcome == Outcome::throttled || reply.outcome == Outcome::banned) {
        EXPECT_GT(reply.retry_after_ms, 0);
        EXPECT_TRUE(reply.facts.empty());
      }
  EXPECT_EQ(answer(RequestKind::positions, 429, "{}").outcome, Outcome::throttled);
}

TEST_P(Contract, an_unknown_event_yields_no_facts_and_no_error) {
  for (StreamKind stream : kStreams)
    for (const char* text : {"{}", R"({"e":"SOMETHING_NEW","E":1,"a":{"P":[]}})", R"({"topic":"something.new","data":[{"a":1}]})",
                             R"({"stream":"x@y","data":{"e":"somethingNew"}})", R"({"hello":["world",null,1.5]})"}) {
      const Decoded decoded = read(stream, text);
      EXPECT_TRUE(decoded.facts.empty()) << text;
      EXPECT_EQ(decoded.error, "") << text;
      EXPECT_FALSE(decoded.account_event);
    }
}

TEST_P(Contract, an_unreadable_frame_is_an_error) {
  for (StreamKind stream : kStreams)
    for (const char* text : {"", "{", "pong", "{}{}", "{\"a\":\"\\u0000\"}", "{\"a\":\"\xFF\"}", "{\"a\":01}"}) {
      const Decoded decoded = read(stream, text);
      EXPECT_TRUE(decoded.facts.empty()) << text;
      EXPECT_NE(decoded.error, "") << text;
    }
}

TEST_P(Contract, decoding_appends_to_the_facts_of_the_caller) {
  Decoded out;
  out.facts.push_back(Pong{});
  venue().decode(StreamKind::public_, PaddedMessage("{}").view(), out);
  EXPECT_EQ(out.facts.size(), 1u);
}

TEST_P(Contract, a_subscribe_command_of_full_size_is_one_frame_that_names_every_symbol) {
  StreamCommand command{StreamCommand::What::subscribe, "12", {}};
  for (int i = 0; i < venue().rules().symbols_per_subscribe; ++i)
    command.symbols.push_back("S" + std::to_string(1000 + i) + "USDT");
  for (auto what : {StreamCommand::What::subscribe, StreamCommand::What::unsubscribe}) {
    command.what = what;
    const PaddedMessage frame(venue().encode(command, StreamKind::public_, kCredentials, kNow));
    EXPECT_LE(frame.view().size(), 8192u);
    ASSERT_EQ(json::parse(frame.view()).error, "");
    for (const std::string& symbol : command.symbols) {
      std::string lower = symbol;
      for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      EXPECT_TRUE(frame.view().find(symbol) != std::string_view::npos || frame.view().find(lower) != std::string_view::npos)
          << symbol;
    }
  }
}

TEST_P(Contract, every_command_is_one_json_object_or_nothing) {
  for (StreamKind stream : kStreams)
    for (StreamCommand::What what : kCommands)
      for (const std::vector<std::string>& symbols :
           {std::vector<std::string>{}, {"BTCUSDT"}, {"\xE6\xB5\x8BUSDT"}, {"\"],\"x\":[\""}}) {
        const PaddedMessage frame(venue().encode({what, "3", symbols}, stream, kCredentials, kNow));
        if (!frame.view().empty()) {
          EXPECT_EQ(json::parse(frame.view()).error, "") << frame.view();
        }
      }
}

TEST_P(Contract, decoding_never_throws_on_garbage) {
  std::mt19937 random(20260725);
  constexpr std::string_view kPieces[] = {"{",
                                          "}",
                                          "[",
                                          "]",
                                          ",",
                                          ":",
                                          "\"e\"",
                                          "\"ORDER_TRADE_UPDATE\"",
                                          "\"ACCOUNT_UPDATE\"",
                                          "\"ALGO_UPDATE\"",
                                          "\"o\"",
                                          "\"a\"",
                                          "\"P\"",
                                          "\"B\"",
                                          "\"topic\"",
                                          "\"order\"",
                                          "\"position\"",
                                          "\"execution\"",
                                          "\"wallet\"",
                                          "\"data\"",
                                          "\"symbol\"",
                                          "\"BTCUSDT\"",
                                          "\"retCode\"",
                                          "\"result\"",
                                          "\"list\"",
                                          "\"code\"",
                                          "\"msg\"",
                                          "0",
                                          "-1",
                                          "200",
                                          "-1003",
                                          "1e60",
                                          "\"\"",
                                          "null",
                                          "true",
                                          "\"\\ud800\"",
                                          "\xC3",
                                          "\"id\"",
                                          "\"op\"",
                                          "\"auth\"",
                                          "\"orderId\"",
                                          "\"algoId\"",
                                          "\"orderLinkId\"",
                                          "\"clientOrderId\"",
                                          "\"tabcd2345-1z-1\"",
                                          "\"msg\":\"Service Unavailable.\"",
                                          "\"retCode\":0"};
  constexpr int kStatuses[] = {0, 200, 204, 400, 401, 403, 418, 429, 500, 503};
  for (int round = 0; round < 20000; ++round) {
    std::string text = round % 2 ? "{" : "";
    for (unsigned i = 0, n = random() % 24; i < n; ++i) {
      if (random() % 8 == 0) text.push_back(static_cast<char>(random()));
      else text.append(kPieces[random() % std::size(kPieces)]);
    }
    ASSERT_NO_THROW(read(kStreams[random() % 2], text)) << text;
    ASSERT_NO_THROW(answer(kKinds[random() % std::size(kKinds)], kStatuses[random() % std::size(kStatuses)], text)) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Venues, Contract, testing::ValuesIn(kVenues), [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace tradesync
