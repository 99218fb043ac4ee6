#include <gtest/gtest.h>

#include "exchanges/bybit/examples_test.hpp"

namespace tradesync::bybit::test {
namespace {

std::string refusal(int code, std::string_view message = "x") {
  return R"({"retCode":)" + std::to_string(code) + R"(,"retMsg":")" + std::string(message) +
         R"(","result":{},"retExtInfo":{},"time":1785000000000})";
}
Outcome of(int code, int status = 200, RequestKind kind = RequestKind::positions) {
  return reply(kind, refusal(code), status).outcome;
}

TEST(BybitOutcome, the_return_code_decides) {
  for (int code : {10003, 10004, 10007, 10008, 10009, 10010, 33004}) EXPECT_EQ(of(code), Outcome::unauthorized) << code;
  for (int code : {10001, 10005, 10017, 10024, 10029, 110025, 987654}) EXPECT_EQ(of(code), Outcome::refused) << code;
  for (int code : {10000, 10016, 10019}) EXPECT_EQ(of(code), Outcome::failed) << code;
  for (int code : {429, 10006}) EXPECT_EQ(of(code), Outcome::throttled) << code;
  EXPECT_EQ(of(10002), Outcome::clock);
  EXPECT_EQ(of(10018), Outcome::banned);
  EXPECT_EQ(of(110001, 200, RequestKind::order), Outcome::not_found);
  EXPECT_EQ(of(110001, 200, RequestKind::conditional_order), Outcome::not_found);
  EXPECT_EQ(of(110001), Outcome::refused);
}

TEST(BybitOutcome, the_return_code_comes_before_the_http_status) {
  EXPECT_EQ(of(10006, 403), Outcome::throttled);
  EXPECT_EQ(of(10003, 401), Outcome::unauthorized);
  EXPECT_EQ(of(10002, 500), Outcome::clock);
}

TEST(BybitOutcome, without_a_return_code_the_http_status_decides) {
  const auto of_status = [](int status) { return reply(RequestKind::positions, "<html>sorry</html>", status).outcome; };
  EXPECT_EQ(of_status(401), Outcome::unauthorized);
  EXPECT_EQ(of_status(403), Outcome::banned);
  EXPECT_EQ(of_status(429), Outcome::throttled);
  EXPECT_EQ(of_status(400), Outcome::refused);
  EXPECT_EQ(of_status(404), Outcome::refused);
  for (int status : {200, 204, 301, 500, 502, 503, 504, 999}) EXPECT_EQ(of_status(status), Outcome::failed) << status;
}

TEST(BybitOutcome, a_success_inside_an_error_status_is_no_success) {
  EXPECT_EQ(reply(RequestKind::positions, list(""), 502).outcome, Outcome::failed);
}

TEST(BybitOutcome, no_complete_answer_is_failed_whatever_it_says) {
  const std::string body = list("");
  const PaddedMessage padded(body);
  Request request;
  request.kind = RequestKind::positions;
  const Reply none =
      decode_reply(request, {.status = 0, .complete = true, .body = padded.view(), .error = "timed out", .headers = {}});
  EXPECT_EQ(none.outcome, Outcome::failed);
  EXPECT_EQ(none.message, "timed out");
  const Reply cut = decode_reply(request, {.status = 200, .complete = false, .body = padded.view(), .error = "", .headers = {}});
  EXPECT_EQ(cut.outcome, Outcome::failed);
  EXPECT_EQ(cut.http_status, 200);
  EXPECT_TRUE(cut.facts.empty());
}

TEST(BybitOutcome, the_pause_comes_from_the_headers) {
  const auto pause = [](int code, int status, Headers headers) {
    return reply(RequestKind::positions, refusal(code), status, std::move(headers)).retry_after_ms;
  };
  EXPECT_EQ(pause(10006, 200, {{"x-bapi-limit-reset-timestamp", "1785000000720"}}), 720);
  EXPECT_EQ(pause(10006, 200, {{"x-bapi-limit-reset-timestamp", "1784999999000"}}), 1000);
  EXPECT_EQ(pause(10006, 200, {{"x-bapi-limit-reset-timestamp", "99999999999999"}}), 24 * 3600 * 1000);
  EXPECT_EQ(pause(10006, 200, {{"x-bapi-limit-reset-timestamp", "soon"}}), 1000);
  EXPECT_EQ(pause(10006, 200, {}), 1000);
  EXPECT_EQ(pause(10006, 429, {{"retry-after", "3"}}), 3000);
  EXPECT_EQ(pause(10018, 200, {}), 600000);
  EXPECT_EQ(reply(RequestKind::positions, "no", 403).retry_after_ms, 600000);
  EXPECT_EQ(pause(10003, 200, {{"retry-after", "3"}}), 0);
}

TEST(BybitOutcome, the_used_budget_comes_from_the_headers) {
  const auto used = [](Headers headers) { return reply(RequestKind::positions, list(""), 200, std::move(headers)).used_weight; };
  EXPECT_EQ(used({{"x-bapi-limit", "50"}, {"x-bapi-limit-status", "43"}}), 7);
  EXPECT_EQ(used({}), -1);
  EXPECT_EQ(used({{"x-bapi-limit", "50"}, {"x-bapi-limit-status", "51"}}), -1);
  EXPECT_EQ(used({{"x-bapi-limit", "x"}, {"x-bapi-limit-status", "1"}}), -1);
}

TEST(BybitOutcome, an_echoed_key_is_never_shown) {
  const Reply answer = reply(RequestKind::positions,
                             refusal(10004, "error sign! origin_string[1785000000123bbTestKey00A1b2C3d5000category=linear]"));
  EXPECT_EQ(answer.message, "error sign! origin_string");
  EXPECT_EQ(answer.venue_code, 10004);
  const auto login =
      decode(StreamKind::private_, R"({"success":false,"op":"auth","ret_msg":"error sign! origin_string[bbTestKey00A1b2C3d]"})");
  EXPECT_EQ(std::get<Authenticated>(login.facts.at(0)).message, "error sign! origin_string");
}

TEST(BybitOutcome, messages_are_bounded_and_stay_valid_utf8) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "\xE6\xB5\x8B";
  EXPECT_EQ(shown("a" + text).size(), 298u);  // 1 + 99 whole characters: the next one would cross 300
}

}  // namespace
}  // namespace tradesync::bybit::test
