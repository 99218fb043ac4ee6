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
  EXPECT_EQ(outcome(503, error_body(-1008)), Outcome::failed);
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
