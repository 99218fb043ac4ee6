// Faults: what is asked for happens, so often as asked, and nothing else does.
#include "market/bybit_bench.hpp"
#include "market/faults.hpp"

using namespace market;

namespace {

Outbound event(const char* text, Ms due) { return {Outbound::Kind::text, 1, text, due, true}; }

HttpRequest time_request() { return {"GET", "/v5/market/time", "", {}, ""}; }

}  // namespace

TEST(Faults, without_any_nothing_changes) {
    Faults faults(1);
    const auto out = faults.disturb(event("a", 5));
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(out[0].text, "a");
    EXPECT_EQ(out[0].due_ms, 5);
}

TEST(Faults, answers_are_never_lost) {
    Faults faults(1);
    faults.lose_per_million = 1'000'000;
    Outbound answer = event("a", 5);
    answer.is_event = false;
    EXPECT_EQ(faults.disturb(answer).size(), 1u);
    EXPECT_TRUE(faults.disturb(event("b", 5)).empty());
}

TEST(Faults, delay_keeps_the_order_of_a_session) {
    Faults faults(3);
    faults.delay_min_ms = 1;
    faults.delay_max_ms = 100;
    Ms last = 0;
    for (int i = 0; i < 200; ++i) {
        const Ms due = faults.disturb(event("a", i)).at(0).due_ms;
        EXPECT_GE(due, last);
        EXPECT_GT(due, i);
        last = due;
    }
}

TEST(Faults, duplicates_come_about_as_often_as_asked) {
    Faults faults(9);
    faults.duplicate_per_million = 250'000;
    size_t frames = 0;
    for (int i = 0; i < 4'000; ++i) frames += faults.disturb(event("a", i)).size();
    EXPECT_NEAR(static_cast<double>(frames), 5'000, 200);
}

TEST(Faults, an_http_rule_is_used_up_after_its_number_of_times) {
    BybitBench bench;
    Faults faults(1);
    Faults::HttpRule rule;
    rule.path = "/v5/market";
    rule.times = 2;
    rule.retry_after = "3";
    faults.add(rule);
    EXPECT_EQ(faults.answer(*bench.face, time_request(), bench.now).reply.status, 503);
    EXPECT_EQ(faults.answer(*bench.face, time_request(), bench.now).reply.headers.at(0).second, "3");
    EXPECT_EQ(faults.answer(*bench.face, time_request(), bench.now).reply.status, 200);
}

TEST(Faults, a_lost_answer_may_have_taken_effect) {
    BybitBench bench;
    Faults faults(1);
    Faults::HttpRule rule;
    rule.kind = Faults::HttpRule::Kind::return_code;
    rule.path = "/v5/order/create";
    rule.code = 10016;
    rule.status = 200;
    rule.executes = true;
    faults.add(rule);
    const std::string body = R"({"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Market","qty":"0.01","orderLinkId":"x"})";
    const std::string stamp = std::to_string(bench.now);
    HttpRequest request{"POST", "/v5/order/create", "", {}, body};
    request.headers = {{"x-bapi-api-key", bench.key}, {"x-bapi-timestamp", stamp}, {"x-bapi-recv-window", "5000"},
                       {"x-bapi-sign", hmac_sha256_hex(bench.secret, stamp + bench.key + "5000" + body)}};
    EXPECT_EQ(bench.code(*Json::parse(faults.answer(*bench.face, request, bench.now).reply.body)), 10016);
    EXPECT_EQ(bench.market.account(bench.key)->fills.size(), 1u);
}

TEST(Faults, a_rule_may_mean_some_requests_of_a_path_only) {
    BybitBench bench;
    Faults faults(1);
    Faults::HttpRule rule;
    rule.path = "/v5/market";
    rule.method = "GET";
    rule.contains = "ETHUSDT";
    rule.skip = 1;
    faults.add(rule);
    const auto status = [&](const char* method, const char* query, const char* body) {
        return faults.answer(*bench.face, {method, "/v5/market/time", query, {}, body}, bench.now).reply.status;
    };
    EXPECT_NE(status("GET", "symbol=BTCUSDT", ""), 503);
    EXPECT_NE(status("POST", "", R"({"symbol":"ETHUSDT"})"), 503);
    EXPECT_NE(status("GET", "symbol=ETHUSDT", ""), 503) << "the first one passes";
    EXPECT_EQ(status("GET", "", R"({"symbol":"ETHUSDT"})"), 503);
    EXPECT_NE(status("GET", "symbol=ETHUSDT", ""), 503) << "used up";
}

TEST(Faults, only_the_named_page_of_a_listing_fails) {
    BybitBench bench;
    Faults faults(1);
    Faults::HttpRule rule;
    rule.kind = Faults::HttpRule::Kind::page;
    rule.path = "/v5/market/instruments-info";
    rule.status = 500;
    rule.page = 2;
    faults.add(rule);
    HttpRequest request{"GET", "/v5/market/instruments-info", "category=linear&limit=10", {}, ""};
    const HttpReply first = faults.answer(*bench.face, request, bench.now).reply;
    EXPECT_EQ(first.status, 200);
    request.query += "&cursor=" + Json::parse(first.body)->operator[]("result").text("nextPageCursor");
    EXPECT_EQ(faults.answer(*bench.face, request, bench.now).reply.status, 500);
    EXPECT_EQ(faults.answer(*bench.face, request, bench.now).reply.status, 200);
}
