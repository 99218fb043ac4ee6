#include <gtest/gtest.h>

#include "exchanges/bybit/examples_test.hpp"

namespace tradesync::bybit::test {
namespace {

std::string refusal_of(int code, std::string_view message = "x") {
  return R"({"retCode":)" + std::to_string(code) + R"(,"retMsg":")" + std::string(message) +
         R"(","result":{},"retExtInfo":{},"time":1785000000000})";
}
Outcome of(int code, int status = 200, RequestKind kind = RequestKind::positions) {
  return reply(kind, refusal_of(code), status).outcome;
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

struct Expected {
  Refusal refusal;
  std::vector<int> codes;
};

TEST(BybitOutcome, a_refused_order_says_why) {
  const Expected table[] = {
      {Refusal::duplicate, {110072}},
      {Refusal::would_trigger, {110092, 110093}},
      {Refusal::reduce_only, {110017, 110034}},
      {Refusal::balance, {110004, 110006, 110007, 110012, 110014, 110044, 110045, 110051, 110052, 110053}},
      {Refusal::filter, {30208, 30209, 110003, 110058, 110094, 110120, 110121}},
      {Refusal::too_many_orders, {110009, 110020, 110061}},
      {Refusal::not_tradable, {10024,  10027,  10029,  30228,  110005, 110022, 110023, 110042, 110063, 110066, 110074, 110095, 110096,
                               110097, 110098, 110099, 110100, 110101, 110102, 110103, 110123, 110124, 110125, 110132}},
      {Refusal::not_modified, {34040, 110043}},
      {Refusal::other, {10001, 10005, 10017, 10028, 40004, 110011, 110013, 110018, 110021, 110040, 110086, 110090, 110118, 987654, -5}},
  };
  for (const auto& [refusal, codes] : table)
    for (int code : codes) {
      const Reply answer = reply(RequestKind::place_order, refusal_of(code));
      EXPECT_EQ(answer.outcome, Outcome::refused) << code;
      EXPECT_EQ(answer.refusal, refusal) << code;
      EXPECT_TRUE(answer.facts.empty());
    }
}

TEST(BybitOutcome, a_wrong_parameter_is_told_by_its_text) {
  const auto why = [](std::string_view text) { return reply(RequestKind::set_position_stop, refusal_of(10001, text)).refusal; };
  EXPECT_EQ(why("position idx not match position mode"), Refusal::position_mode);
  EXPECT_EQ(why("can not set tp/sl/ts for zero position"), Refusal::zero_position);
  EXPECT_EQ(why("StopLoss:639000000 set for Buy position should lower than base_price:638000000??LastPrice"), Refusal::would_trigger);
  EXPECT_EQ(why("TakeProfit:1 set for Buy position should be higher than base_price:2??MarkPrice"), Refusal::would_trigger);
  EXPECT_EQ(why("expect Rising, but trigger_price[639150000] <= current[639201000]??LastPrice"), Refusal::would_trigger);
  EXPECT_EQ(why("The number of contracts exceeds minimum limit allowed"), Refusal::filter);
  EXPECT_EQ(why("The number of contracts exceeds maximum limit allowed"), Refusal::filter);
  EXPECT_EQ(why("params error: Qty invalid"), Refusal::filter);
  EXPECT_EQ(why("params error: Price invalid"), Refusal::filter);
  EXPECT_EQ(why("price is invalid"), Refusal::filter);
  EXPECT_EQ(why("params error: side invalid"), Refusal::other);
  EXPECT_EQ(why("Illegal category"), Refusal::other);
  EXPECT_EQ(why(""), Refusal::other);
  EXPECT_EQ(reply(RequestKind::place_order, refusal_of(110007, "zero position")).refusal, Refusal::balance);
}

TEST(BybitOutcome, what_is_so_already_is_done) {
  const auto of_kind = [](int code, RequestKind kind) { return reply(kind, refusal_of(code)); };
  EXPECT_EQ(of_kind(34040, RequestKind::set_position_stop).outcome, Outcome::ok);
  EXPECT_EQ(of_kind(34040, RequestKind::set_position_stop).refusal, Refusal::not_modified);
  EXPECT_EQ(of_kind(110043, RequestKind::set_leverage).outcome, Outcome::ok);
  EXPECT_EQ(of_kind(110043, RequestKind::set_leverage).refusal, Refusal::not_modified);
  EXPECT_EQ(of_kind(34040, RequestKind::set_leverage).outcome, Outcome::refused);
  EXPECT_EQ(of_kind(110043, RequestKind::place_order).outcome, Outcome::refused);
  const std::string null_result = replaced(refusal_of(34040), R"("result":{})", R"("result":null)");
  EXPECT_EQ(reply(RequestKind::set_position_stop, null_result).outcome, Outcome::ok);
  EXPECT_EQ(reply(RequestKind::set_position_stop, refusal_of(34040), 502).outcome, Outcome::failed);
}

TEST(BybitOutcome, a_write_whose_fate_is_open_is_failed_and_nothing_else) {
  for (int code : {429, 10000, 10014, 10016, 10019, 10403, 10429, 20003, 20006})
    EXPECT_EQ(of(code, 200, RequestKind::place_order), Outcome::failed) << code;
  for (int status : {200, 204, 301, 400, 404, 408, 429, 500, 502, 503, 504, 999})
    for (const char* body : {"<html>sorry</html>", "", "{}", R"({"retMsg":"OK"})", "{\"retCode\":"})
      EXPECT_EQ(reply(RequestKind::place_order, body, status).outcome, Outcome::failed) << status << body;
  for (int status : {500, 502, 503, 504}) {
    EXPECT_EQ(of(110007, status, RequestKind::place_order), Outcome::failed) << "a gateway may repeat an older answer";
    EXPECT_EQ(reply(RequestKind::place_order, refusal_of(110007), status).refusal, Refusal::other);
    EXPECT_EQ(reply(RequestKind::place_order, envelope(kIds), status).outcome, Outcome::failed);
  }
}

TEST(BybitOutcome, a_write_that_was_turned_away_at_the_door_is_no_doubt) {
  EXPECT_EQ(of(10006, 200, RequestKind::place_order), Outcome::throttled);
  EXPECT_EQ(of(10006, 429, RequestKind::place_order), Outcome::throttled);
  EXPECT_EQ(of(10018, 200, RequestKind::place_order), Outcome::banned);
  EXPECT_EQ(of(10002, 200, RequestKind::place_order), Outcome::clock);
  EXPECT_EQ(of(10004, 200, RequestKind::place_order), Outcome::unauthorized);
  EXPECT_EQ(reply(RequestKind::place_order, "<html>", 403).outcome, Outcome::banned);
  EXPECT_EQ(reply(RequestKind::place_order, "<html>", 403).retry_after_ms, 600000);
  const Reply busy = reply(RequestKind::cancel_order, refusal_of(110079));
  EXPECT_EQ(busy.outcome, Outcome::throttled);
  EXPECT_EQ(busy.retry_after_ms, 1000);
}

TEST(BybitOutcome, an_order_that_cannot_be_canceled_any_more_is_not_found) {
  for (int code : {110001, 110008, 110010}) {
    EXPECT_EQ(of(code, 200, RequestKind::cancel_order), Outcome::not_found) << code;
    EXPECT_EQ(of(code, 200, RequestKind::set_position_stop), Outcome::refused) << code;
    EXPECT_EQ(of(code, 502, RequestKind::cancel_order), Outcome::failed) << code;
  }
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
    return reply(RequestKind::positions, refusal_of(code), status, std::move(headers)).retry_after_ms;
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
                             refusal_of(10004, "error sign! origin_string[1785000000123bbTestKey00A1b2C3d5000category=linear]"));
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
