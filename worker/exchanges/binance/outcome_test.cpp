#include <gtest/gtest.h>

#include "exchanges/binance/examples_test.hpp"

namespace tradesync::binance::test {
namespace {

std::string error_body(int code, std::string_view msg = "words") {
  return "{\"code\":" + std::to_string(code) + ",\"msg\":\"" + std::string(msg) + "\"}";
}

Outcome outcome(int status, std::string_view body, RequestKind kind = RequestKind::positions) {
  return reply(kind, body, status).outcome;
}

// Of a write.
Outcome written(int status, std::string_view body, RequestKind kind = RequestKind::place_order) { return outcome(status, body, kind); }

struct Expected {
  Refusal refusal;
  std::vector<int> codes;
};

TEST(BinanceOutcome, a_refused_order_says_why) {
  const Expected table[] = {
      {Refusal::duplicate, {-4116}},
      {Refusal::would_trigger, {-2021}},
      {Refusal::reduce_only, {-2022, -2024, -4118}},
      {Refusal::position_mode, {-1106, -4060, -4061}},
      {Refusal::balance, {-2018, -2019, -2028}},
      {Refusal::filter, {-1013, -1111, -4001, -4002, -4003, -4004, -4005, -4006, -4007, -4013, -4014, -4016, -4023, -4024, -4131,
                         -4164, -4210}},
      {Refusal::too_many_orders, {-2025, -4045}},
      {Refusal::not_tradable, {-1122, -4022, -4087, -4088, -4105, -4106, -4107, -4140, -4141, -4189, -4192, -4400, -4411}},
      {Refusal::other, {-1100, -1102, -1115, -1116, -1117, -1121, -1130, -2010, -2020, -2023, -2027, -4015, -4028, -4120, -4130, -9999}},
  };
  for (const auto& [refusal, codes] : table)
    for (const int code : codes)
      for (const int status : {400, 200}) {
        const Reply answer = reply(RequestKind::place_order, error_body(code), status);
        EXPECT_EQ(answer.outcome, Outcome::refused) << code;
        EXPECT_EQ(answer.refusal, refusal) << code;
        EXPECT_EQ(answer.venue_code, code);
        EXPECT_TRUE(answer.facts.empty());
      }
}

TEST(BinanceOutcome, a_write_whose_fate_is_open_is_failed_and_nothing_else) {
  for (const int code : {-1000, -1001, -1006, -1007, -1016})
    for (const int status : {200, 400, 503}) EXPECT_EQ(written(status, error_body(code)), Outcome::failed) << code;
  for (const int status : {408, 500, 502, 503, 504, 302, 100})
    for (const std::string_view body : {"<html>", "", "{}", R"({"code":-2019,"msg":"Margin is insufficient."})"})
      EXPECT_EQ(written(status, body), Outcome::failed) << status << body;
  EXPECT_EQ(written(503, error_body(-1000, "Unknown error, please check your request or try again later.")), Outcome::failed);
  EXPECT_EQ(written(503, R"({"msg":"Unknown error, please check your request or try again later."})"), Outcome::failed);
  EXPECT_EQ(written(503, "Service Unavailable."), Outcome::failed) << "a gateway says so too";
  EXPECT_EQ(written(502, R"({"msg":"Service Unavailable."})"), Outcome::failed);
  EXPECT_EQ(written(503, error_body(-1000, "Service Unavailable.")), Outcome::failed);
  EXPECT_EQ(written(404, "<html>"), Outcome::failed);
  EXPECT_EQ(written(400, "<html>"), Outcome::failed);
  EXPECT_EQ(written(200, "<html>"), Outcome::failed);
  EXPECT_EQ(written(200, kPlaced.substr(0, 100)), Outcome::failed);
}

TEST(BinanceOutcome, an_overloaded_exchange_has_not_executed_and_may_be_asked_again_soon) {
  for (const Reply& answer :
       {reply(RequestKind::place_order, error_body(-1008), 503), reply(RequestKind::place_order, error_body(-1008), 200),
        reply(RequestKind::place_order, error_body(-1008), 429),
        reply(RequestKind::place_order, R"({"code":0,"msg":"Service Unavailable."})", 503),
        reply(RequestKind::cancel_order, R"({"msg":"Service Unavailable."})", 503)}) {
    EXPECT_EQ(answer.outcome, Outcome::throttled);
    EXPECT_EQ(answer.retry_after_ms, 1000);
  }
  EXPECT_EQ(written(429, error_body(-1015)), Outcome::throttled);
  EXPECT_EQ(written(200, error_body(-1015)), Outcome::throttled);
  EXPECT_EQ(written(418, error_body(-1003)), Outcome::banned);
  EXPECT_EQ(written(403, "<html>"), Outcome::banned);
  EXPECT_EQ(written(400, error_body(-1021)), Outcome::clock);
  EXPECT_EQ(written(400, error_body(-5028)), Outcome::clock);
  EXPECT_EQ(written(401, error_body(-2015)), Outcome::unauthorized);
}

TEST(BinanceOutcome, an_order_that_cannot_be_canceled_any_more_is_not_found) {
  for (const int code : {-2011, -2013, -4117}) {
    EXPECT_EQ(written(400, error_body(code), RequestKind::cancel_order), Outcome::not_found) << code;
    EXPECT_EQ(written(400, error_body(code), RequestKind::place_order), Outcome::refused) << code;
    EXPECT_EQ(written(400, error_body(code), RequestKind::set_leverage), Outcome::refused) << code;
    EXPECT_EQ(written(500, error_body(code), RequestKind::cancel_order), Outcome::failed) << code;
  }
}

TEST(BinanceOutcome, without_a_complete_answer_nothing_is_concluded_whatever_the_body_says) {
  const Padded body("[]");
  Request request;
  request.kind = RequestKind::positions;
  HttpResponse cut{.status = 200, .complete = false, .body = body.text(), .error = "connection reset", .headers = {}};
  EXPECT_EQ(decode_reply(request, cut).outcome, Outcome::failed);
  EXPECT_EQ(decode_reply(request, cut).message, "connection reset");
  HttpResponse none{.status = 0, .complete = true, .body = body.text(), .error = {}, .headers = {}};
  EXPECT_EQ(decode_reply(request, none).outcome, Outcome::failed);
  EXPECT_EQ(decode_reply(request, none).message, "no complete answer");
}

TEST(BinanceOutcome, codes_of_a_refusal_are_told_apart) {
  EXPECT_EQ(outcome(400, error_body(-1121)), Outcome::refused);
  EXPECT_EQ(outcome(400, error_body(-1102)), Outcome::refused);
  EXPECT_EQ(outcome(400, error_body(-1021)), Outcome::clock);
  EXPECT_EQ(outcome(400, error_body(-5028)), Outcome::clock);
  EXPECT_EQ(outcome(400, error_body(-1022)), Outcome::unauthorized);
  EXPECT_EQ(outcome(401, error_body(-2014)), Outcome::unauthorized);
  EXPECT_EQ(outcome(401, error_body(-2015)), Outcome::unauthorized);
  for (const int code : {-1002, -1005, -1011, -2017}) EXPECT_EQ(outcome(400, error_body(code)), Outcome::unauthorized) << code;
  EXPECT_EQ(outcome(401, ""), Outcome::unauthorized);
  EXPECT_EQ(outcome(400, error_body(-1125), RequestKind::keep_alive_listen_key), Outcome::listen_key_gone);
  EXPECT_EQ(outcome(400, error_body(-1007)), Outcome::failed);
  EXPECT_EQ(outcome(400, error_body(-1003)), Outcome::throttled);
}

TEST(BinanceOutcome, only_a_question_for_one_order_can_be_answered_with_not_found) {
  EXPECT_EQ(outcome(400, error_body(-2013), RequestKind::order), Outcome::not_found);
  EXPECT_EQ(outcome(400, error_body(-2013), RequestKind::conditional_order), Outcome::not_found);
  EXPECT_EQ(outcome(400, error_body(-2013), RequestKind::open_orders), Outcome::refused);
  EXPECT_EQ(outcome(500, error_body(-2013), RequestKind::order), Outcome::failed);
  EXPECT_EQ(outcome(404, "<html>", RequestKind::order), Outcome::refused);
}

TEST(BinanceOutcome, an_error_inside_a_200_is_an_error_and_a_positive_code_is_not) {
  const Reply refused = reply(RequestKind::order, error_body(-1121, "Invalid symbol."));
  EXPECT_EQ(refused.outcome, Outcome::refused);
  EXPECT_EQ(refused.venue_code, -1121);
  EXPECT_EQ(refused.message, "Invalid symbol.");
  EXPECT_EQ(outcome(200, R"({"code":200,"msg":"success"})", RequestKind::keep_alive_listen_key), Outcome::ok);
  EXPECT_EQ(outcome(200, R"({"code":"200","msg":"success"})", RequestKind::keep_alive_listen_key), Outcome::ok);
}

TEST(BinanceOutcome, an_exchange_in_trouble_proves_nothing) {
  for (const int status : {408, 500, 502, 503, 504, 599, 302, 100}) EXPECT_EQ(outcome(status, "<html>"), Outcome::failed) << status;
  EXPECT_EQ(outcome(503, error_body(-1000)), Outcome::failed);
  EXPECT_EQ(outcome(400, "<html>proxy</html>"), Outcome::failed);
}

TEST(BinanceOutcome, throttling_waits_as_long_as_it_is_told) {
  EXPECT_EQ(reply(RequestKind::positions, error_body(-1003), 429, {{"retry-after", "7"}}).retry_after_ms, 7000);
  EXPECT_EQ(reply(RequestKind::positions, error_body(-1003), 429).retry_after_ms, 60'000);
  EXPECT_EQ(reply(RequestKind::positions, error_body(-1003), 429, {{"retry-after", "soon"}}).retry_after_ms, 60'000);
  EXPECT_EQ(outcome(429, ""), Outcome::throttled);
}

TEST(BinanceOutcome, a_ban_lasts_until_the_time_it_names) {
  const auto words = error_body(-1003, "Way too many requests; IP(1.2.3.4) banned until 1795226400000. Please use the websocket.");
  const Reply by_date = reply(RequestKind::positions, words, 418, {{"date", "Sat, 21 Nov 2026 01:55:00 GMT"}});
  EXPECT_EQ(by_date.outcome, Outcome::banned);
  EXPECT_EQ(by_date.retry_after_ms, 1795226400000 - 1795226100000);
  const Headers longer{{"retry-after", "900"}, {"date", "Sat, 21 Nov 2026 01:55:00 GMT"}};
  EXPECT_EQ(reply(RequestKind::positions, words, 418, longer).retry_after_ms, 900'000);
  EXPECT_EQ(reply(RequestKind::positions, words, 418).retry_after_ms, 120'000);
  EXPECT_EQ(reply(RequestKind::positions, words, 429).outcome, Outcome::banned);
  EXPECT_EQ(reply(RequestKind::positions, words, 418, {{"date", "Sat, 21 Foo 2026 01:55:00 GMT"}}).retry_after_ms, 120'000);
  const auto for_ever = error_body(-1003, "banned until 9223372036854775807");
  EXPECT_EQ(reply(RequestKind::positions, for_ever, 418, {{"date", "Tue, 02 Jan 1900 01:55:00 GMT"}}).retry_after_ms, 120'000);
  const Headers long_ago{{"date", "Fri, 02 Jan 1970 01:55:00 GMT"}};
  EXPECT_EQ(reply(RequestKind::positions, words, 418, long_ago).retry_after_ms, 3LL * 24 * 3600 * 1000);
}

TEST(BinanceOutcome, the_firewall_is_left_alone_for_minutes) {
  const Reply answer = reply(RequestKind::positions, "<html>", 403);
  EXPECT_EQ(answer.outcome, Outcome::banned);
  EXPECT_EQ(answer.retry_after_ms, 120'000);
  EXPECT_EQ(answer.message, "HTTP 403");
}

TEST(BinanceOutcome, the_used_weight_is_reported_with_every_answer) {
  EXPECT_EQ(reply(RequestKind::positions, "[]", 200, {{"x-mbx-used-weight-1m", "117"}}).used_weight, 117);
  EXPECT_EQ(reply(RequestKind::positions, "", 503, {{"x-mbx-used-weight-1m", "117"}}).used_weight, 117);
  EXPECT_EQ(reply(RequestKind::positions, "[]").used_weight, -1);
}

TEST(BinanceOutcome, messages_are_one_bounded_line_without_anything_as_long_as_a_secret) {
  const std::string secret(64, 'a');
  const auto message = reply(RequestKind::order, error_body(-1102, "bad key " + secret + "\\nsignature=" + secret + "&x=1"), 400).message;
  EXPECT_EQ(message, "bad key *** signature=***&x=1");
  std::string words;
  for (int i = 0; i < 500; ++i) words += "\u00e9 ";
  const auto bounded = reply(RequestKind::order, error_body(-1102, words), 400).message;
  EXPECT_LE(bounded.size(), 300u);
  EXPECT_EQ(words.substr(0, bounded.size()), bounded);
  EXPECT_NE(bounded.size() % 3, 1u);  // no half character at the end
}

}  // namespace
}  // namespace tradesync::binance::test
