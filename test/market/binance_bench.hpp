// What every Binance test needs: one market, one face, one account, and a client that signs by itself.
#pragma once

#include "market/binance_face.hpp"

#include <gtest/gtest.h>

namespace market::binance {

constexpr const char* kKey = "simKeyA1B2C3D4E5F6G7H8J9K0L1M2N3P4Q5R6S7T8U9V0W1X2Y3Z4a5b6c7d8e9";
constexpr const char* kSecret = "simSecret0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b";

class Bench : public testing::Test {
protected:
    Ms now = 1'795'000'000'000;
    Market market{Venue::binance, 7};
    BinanceFace face{market};
    Account& account = market.add_account(kKey, kSecret, 10000, false);

    Bench() { market.add_usual_instruments(now); }

    HttpReply raw(const std::string& method, const std::string& path, const std::string& query,
                  Headers headers = {{"x-mbx-apikey", kKey}}, const std::string& body = "") {
        return face.on_http({method, path, query, std::move(headers), body}, now);
    }
    // Adds timestamp and signature.
    HttpReply call(const std::string& method, const std::string& path, const std::string& parameters = "") {
        std::string query = parameters + (parameters.empty() ? "" : "&") + "timestamp=" + std::to_string(now);
        query += "&signature=" + hmac_sha256_hex(kSecret, query);
        return raw(method, path, query);
    }
    Json json(const HttpReply& reply) { return *Json::parse(reply.body); }
    int64_t code(const HttpReply& reply) { return reply.status == 200 ? 0 : json(reply).integer("code").value_or(0); }
    Json good(const std::string& method, const std::string& path, const std::string& parameters = "") {
        const HttpReply reply = call(method, path, parameters);
        EXPECT_EQ(reply.status, 200) << path << " " << reply.body;
        return json(reply);
    }

    // Opens a private stream; what it hears is collected by drain().
    std::string listen() {
        const std::string key = json(raw("POST", "/fapi/v1/listenKey", "")).text("listenKey");
        EXPECT_TRUE(face.open(1, "/private/ws?listenKey=" + key, now));
        return key;
    }
    std::vector<Json> drain(SessionId session = 1) {
        std::vector<Json> heard;
        for (const Outbound& out : face.take_outbound()) {
            if (out.session == session && out.kind == Outbound::Kind::text) heard.push_back(*Json::parse(out.text));
        }
        return heard;
    }
    // "ORDER_TRADE_UPDATE NEW", "ALGO_UPDATE TRIGGERED", "ACCOUNT_UPDATE ORDER", "TRADE_LITE"
    static std::string label(const Json& event) {
        const std::string type = event.text("e");
        if (type == "ORDER_TRADE_UPDATE") return type + " " + event["o"].text("x");
        if (type == "ALGO_UPDATE") return type + " " + event["o"].text("X");
        if (type == "ACCOUNT_UPDATE") return type + " " + event["a"].text("m");
        return type;
    }
    static std::vector<std::string> labels(const std::vector<Json>& events) {
        std::vector<std::string> found;
        for (const Json& event : events) found.push_back(label(event));
        return found;
    }
    void price(const char* mark, const char* last) {
        market.set_price("BTCUSDT", Decimal::of(mark), Decimal::of(last), now);
        face.tick(now);
    }
};

}  // namespace market::binance
