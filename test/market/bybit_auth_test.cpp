// Bybit's door: the test vectors of bybit-v5.md 2.3 pass, anything a byte or a second off does not.
#include "market/bybit_bench.hpp"

using namespace market;

namespace {

struct Vector {
    const char *method, *path;
    Ms stamp;
    const char *window, *payload, *signature;
};

constexpr char kP1[] = R"({"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.010","price":"64250.50","timeInForce":"PostOnly","positionIdx":0,"orderLinkId":"cl-20260725-000001","reduceOnly":false})";
constexpr char kP2[] = R"({"category": "linear", "symbol": "ETHUSDT", "buyLeverage": "5", "sellLeverage": "5"})";
constexpr char kP3[] = R"({"category":"linear","symbol":"BTCUSDT","tpslMode":"Full","positionIdx":0,"stopLoss":"61800.00","slTriggerBy":"MarkPrice"})";

const Vector kVectors[] = {
    {"GET", "/v5/position/list", 1785000000123, "5000", "category=linear&settleCoin=USDT&limit=200",
     "f2c21b9adbca88d1bcb7b96fabb949538b26286de60235beef44d9d2d7008fee"},
    {"GET", "/v5/order/realtime", 1785000001456, "10000",
     "category=linear&settleCoin=USDT&openOnly=0&limit=50&cursor=page_args%3D0b6a1f2e-5c1d-4f0e-9a57-3f1d2c4b5a60%26symbol%3D5%26",
     "ab60c192c14cf51580e91cda667c3c02b827ed601961ef5dfd721a8c27e473a8"},
    {"GET", "/v5/account/info", 1785000002000, "5000", "", "e884f2dd202be7d3873e3db2e869e8389d0bc411b35dd6fcd87b79024a77c433"},
    {"POST", "/v5/order/create", 1785000003789, "5000", kP1, "762ed8e4588f8be1036e28a12b4d002ad4c7d49378f4ce885bc7460063d88439"},
    {"POST", "/v5/position/set-leverage", 1785000004001, "5000", kP2,
     "4d415da9147146a7e8a4abf706d2e84ed6d132eeeece558f2432144d0f90706e"},
    {"POST", "/v5/position/trading-stop", 1785000005250, "8000", kP3,
     "853f700c581da06b9ecf7798279ac83db4cd0eca74fc7ee5b76449c96160f320"},
};

Json ask(BybitBench& bench, const Vector& vector, Ms server_time, const std::string& signature) {
    const bool get = std::string(vector.method) == "GET";
    HttpRequest request{vector.method, vector.path, get ? vector.payload : "", {}, get ? "" : vector.payload};
    request.headers = {{"x-bapi-api-key", bench.key}, {"x-bapi-timestamp", std::to_string(vector.stamp)},
                       {"x-bapi-recv-window", vector.window}, {"x-bapi-sign", signature}};
    return *Json::parse(bench.face->on_http(request, server_time).body);
}

}  // namespace

TEST(BybitAuth, documented_rest_signatures_are_accepted_over_raw_bytes) {
    for (const Vector& vector : kVectors) {
        BybitBench bench;
        const int64_t code = bench.code(ask(bench, vector, vector.stamp, vector.signature));
        EXPECT_NE(code, 10004) << vector.payload;
        EXPECT_NE(code, 10002) << vector.payload;
    }
}

TEST(BybitAuth, a_changed_byte_makes_the_signature_wrong_and_the_answer_shows_what_was_signed) {
    for (Vector vector : kVectors) {
        BybitBench bench;
        const std::string payload = std::string(vector.payload) + " ";
        vector.payload = payload.c_str();
        const Json reply = ask(bench, vector, vector.stamp, vector.signature);
        EXPECT_EQ(bench.code(reply), 10004);
        EXPECT_NE(reply.text("retMsg").find("error sign! origin_string[" + std::to_string(vector.stamp)), std::string::npos);
    }
}

TEST(BybitAuth, documented_websocket_signatures_open_the_private_stream) {
    const std::pair<Ms, const char*> vectors[] = {
        {1785000010000, "0cfc7c829b1ae6808ec819525fde4a729a1a5e3675b212bcf2ea5f7164cba03d"},
        {1785000062345, "c663794c1d3edd92b763fa11ce79dcda2a4574dc9a88b6814c7f34d299377e99"}};
    for (const auto& [expires, signature] : vectors) {
        BybitBench bench;
        bench.now = expires - 3'000;
        bench.face->open(1, "/v5/private", bench.now);
        bench.face->on_text(1, "{\"op\":\"auth\",\"args\":[\"" + bench.key + "\"," + std::to_string(expires) + ",\"" + signature + "\"]}", bench.now);
        EXPECT_TRUE(bench.frames().at(0).boolean("success"));
        EXPECT_EQ(bench.face->sessions().at(0).account, bench.key);
    }
}

TEST(BybitAuth, expired_websocket_login_is_refused_and_the_socket_closed) {
    BybitBench bench;
    bench.now = 1785000010000;
    bench.face->open(1, "/v5/private", bench.now);
    bench.face->on_text(1, "{\"op\":\"auth\",\"args\":[\"" + bench.key + "\",\"1785000010000\",\"0cfc7c829b1ae6808ec819525fde4a729a1a5e3675b212bcf2ea5f7164cba03d\"]}", bench.now);
    const auto frames = bench.face->take_outbound();
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_FALSE(Json::parse(frames[0].text)->boolean("success", true));
    EXPECT_EQ(frames[1].kind, Outbound::Kind::close);
}

TEST(BybitAuth, time_window_is_recv_window_behind_and_less_than_a_second_ahead) {
    const Vector& vector = kVectors[2];
    const std::pair<Ms, bool> cases[] = {{5'000, true}, {5'001, false}, {-999, true}, {-1'000, false}};
    for (const auto& [server_ahead, accepted] : cases) {
        BybitBench bench;
        const int64_t code = bench.code(ask(bench, vector, vector.stamp + server_ahead, vector.signature));
        EXPECT_EQ(code, accepted ? 0 : 10002) << server_ahead;
    }
}

TEST(BybitAuth, checks_come_in_the_documented_order) {
    BybitBench bench;
    Vector vector = kVectors[2];
    HttpRequest bare{"GET", vector.path, "", {}, ""};
    EXPECT_EQ(bench.face->on_http(bare, bench.now).status, 401);
    bare.headers = {{"x-bapi-api-key", "nobody"}, {"x-bapi-timestamp", "1"}, {"x-bapi-recv-window", "5000"}, {"x-bapi-sign", "00"}};
    EXPECT_EQ(bench.code(*Json::parse(bench.face->on_http(bare, bench.now).body)), 10003);
    bare.headers[0].second = bench.key;
    EXPECT_EQ(bench.code(*Json::parse(bench.face->on_http(bare, bench.now).body)), 10002);
    EXPECT_EQ(bench.code(ask(bench, vector, vector.stamp, "00")), 10004);
    bench.market.account(bench.key)->read_only = true;
    EXPECT_EQ(bench.code(bench.post("/v5/order/create", "{}")), 10005);
}

TEST(BybitAuth, budget_is_a_rolling_second_and_told_in_the_headers) {
    BybitBench bench;
    for (int i = 0; i < 10; ++i) EXPECT_NE(bench.code(bench.post("/v5/order/cancel", "{}")), 10006);
    const HttpReply limited = bench.send("POST", "/v5/order/cancel", "", "{}");
    EXPECT_EQ(bench.code(*Json::parse(limited.body)), 10006);
    EXPECT_EQ(limited.headers.at(2), (std::pair<std::string, std::string>("X-Bapi-Limit-Reset-Timestamp", std::to_string(bench.now + 1'000))));
    bench.now += 1'000;
    EXPECT_NE(bench.code(bench.post("/v5/order/cancel", "{}")), 10006);
}

TEST(BybitAuth, a_get_with_a_body_and_an_address_out_of_budget_are_turned_away_with_403) {
    BybitBench bench;
    EXPECT_EQ(bench.send("GET", "/v5/market/time", "", "{}").status, 403);
    int status = 200;
    for (int i = 0; i < 700; ++i) status = bench.send("GET", "/v5/market/time", "", "").status;
    EXPECT_EQ(status, 403);
    bench.now += 599'000;
    EXPECT_EQ(bench.send("GET", "/v5/market/time", "", "").status, 403);
}
