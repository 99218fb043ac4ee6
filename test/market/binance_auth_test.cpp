// Signature vectors V1-V6 of binance-usdm.md 3.2 and the order in which bad requests are refused.
#include "market/binance_bench.hpp"

namespace market::binance {
namespace {

struct Vector { const char* name; const char* query; const char* body; const char* signature; };

constexpr Vector kVectors[] = {
    {"V1", "",
     "timestamp=1767225600123&symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.003&price=61234.50&"
     "newClientOrderId=c1_0001&recvWindow=5000",
     "36370b893af4e02c03ec0c596c714935f4d8944e1f313300f8c349447fcaef71"},
    {"V2", "timestamp=1767225600123&symbol=BTCUSDT&origClientOrderId=c1_0001&recvWindow=5000", "",
     "84f4ac5f2beb1c2610d418f56fa1e6b89b193596d1276655b096f7167d4a6f65"},
    {"V3", "",
     "timestamp=1767225600123&algoType=CONDITIONAL&symbol=ETHUSDT&side=SELL&type=STOP_MARKET&triggerPrice=2990.10&"
     "closePosition=true&workingType=MARK_PRICE&clientAlgoId=sl%3Aeth%2F01&recvWindow=5000",
     "40e3be3c8ed83f6956dec9f490dcaf295cbaff112bd2151cfda428abba83af4c"},
    {"V4", "symbol=BTCUSDT&side=SELL&type=MARKET", "quantity=0.003&reduceOnly=true&timestamp=1767225600123",
     "ef3e21323cbf8832c993e6713ef74ec42bde8187cb2d8611c27316e900cf172e"},
    {"V5", "",
     "timestamp=1767225600123&symbol=%E6%B5%8B%E8%AF%95USDT&side=BUY&type=MARKET&quantity=1&newClientOrderId=c1_0002&"
     "recvWindow=5000",
     "9a23d082e0a67ab7294e9575245a8ce9c1075d2800805558e11bd889af9578e9"},
    {"V6", "timestamp=1767225600123", "", "f16f1404c83c52dd76c000d8dc320e38540ebd942f3f3a41693dcc85028442b2"},
};

constexpr Ms kVectorTime = 1767225600123;
const std::string kSecretText = kSecret;

Problem check(const HttpRequest& request, Ms now, Security security = Security::signed_request) {
    return check_security(request, security, now,
                          [](const std::string& key) { return key == kKey ? &kSecretText : nullptr; });
}

HttpRequest signed_request(const Vector& vector) {
    std::string query = vector.query, body = vector.body;
    (body.empty() ? query : body) += std::string("&signature=") + vector.signature;
    return {"POST", "/fapi/v1/order", query, {{"x-mbx-apikey", kKey}}, body};
}

TEST(BinanceSignature, documented_vectors_are_accepted) {
    for (const Vector& vector : kVectors) {
        EXPECT_EQ(check(signed_request(vector), kVectorTime + 20).code, 0) << vector.name;
    }
}

TEST(BinanceSignature, one_changed_byte_is_refused) {
    for (const Vector& vector : kVectors) {
        HttpRequest request = signed_request(vector);
        (request.body.empty() ? request.query : request.body).insert(0, "x=1&");
        EXPECT_EQ(check(request, kVectorTime).code, -1022) << vector.name;
    }
}

TEST(BinanceSignature, upper_case_hex_is_accepted) {
    HttpRequest request = signed_request(kVectors[5]);
    for (char& c : request.query) if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 32);
    request.query.replace(0, 9, "timestamp");
    request.query.replace(request.query.find("&") + 1, 9, "signature");
    EXPECT_EQ(check(request, kVectorTime).code, 0);
}

TEST(BinanceSignature, refusals_come_in_the_documented_order) {
    EXPECT_EQ(check({"GET", "/p", "", {}, ""}, kVectorTime).code, -2014);
    EXPECT_EQ(check({"GET", "/p", "", {}, ""}, kVectorTime).http_status, 401);
    EXPECT_EQ(check({"GET", "/p", "", {{"x-mbx-apikey", "other"}}, ""}, kVectorTime).code, -1102);
    const std::string stamp = "timestamp=" + std::to_string(kVectorTime);
    EXPECT_EQ(check({"GET", "/p", stamp, {{"x-mbx-apikey", "other"}}, ""}, kVectorTime).code, -1102);
    EXPECT_EQ(check({"GET", "/p", stamp + "&signature=00", {{"x-mbx-apikey", "other"}}, ""}, kVectorTime).code, -2015);
    EXPECT_EQ(check({"GET", "/p", stamp + "&signature=00", {{"x-mbx-apikey", kKey}}, ""}, kVectorTime + 5001).code, -1021);
    EXPECT_EQ(check({"GET", "/p", stamp + "&signature=00", {{"x-mbx-apikey", kKey}}, ""}, kVectorTime).code, -1022);
}

TEST(BinanceSignature, time_window_has_the_documented_edges) {
    const HttpRequest request = signed_request(kVectors[5]);
    EXPECT_EQ(check(request, kVectorTime + 5000).code, 0);
    EXPECT_EQ(check(request, kVectorTime + 5001).code, -1021);
    EXPECT_EQ(check(request, kVectorTime - 999).code, 0);
    EXPECT_EQ(check(request, kVectorTime - 1000).code, -1021);
}

TEST(BinanceSignature, key_only_routes_need_no_signature) {
    EXPECT_EQ(check({"POST", "/fapi/v1/listenKey", "", {{"x-mbx-apikey", kKey}}, ""}, kVectorTime, Security::key).code, 0);
    EXPECT_EQ(check({"POST", "/fapi/v1/listenKey", "", {}, ""}, kVectorTime, Security::key).http_status, 401);
}

}  // namespace
}  // namespace market::binance
