// A Bybit face with a client that signs: for tests only.
#pragma once

#include "market/face.hpp"
#include "market/wire_text.hpp"

#include <gtest/gtest.h>

namespace market {

struct BybitBench {
    explicit BybitBench(uint64_t seed = 1) : market(Venue::bybit, seed), face(make_bybit_face(market)) {
        market.add_usual_instruments(now);
        market.add_account(key, secret, 100'000, false);
    }
    HttpReply send(const std::string& method, const std::string& path, const std::string& query, const std::string& body) {
        HttpRequest request{method, path, query, {}, body};
        const std::string stamp = std::to_string(now), payload = method == "GET" ? query : body;
        request.headers = {{"x-bapi-api-key", key}, {"x-bapi-timestamp", stamp}, {"x-bapi-recv-window", "5000"},
                           {"x-bapi-sign", hmac_sha256_hex(secret, stamp + key + "5000" + payload)}};
        return face->on_http(request, now);
    }
    Json get(const std::string& path, const std::string& query) { return *Json::parse(send("GET", path, query, "").body); }
    Json post(const std::string& path, const std::string& body) { return *Json::parse(send("POST", path, "", body).body); }
    int64_t code(const Json& reply) { return *reply.integer("retCode"); }

    // Connects, authenticates, subscribes to the four private topics and forgets the answers.
    void connect(SessionId session) {
        const std::string expires = std::to_string(now + 5'000);
        face->open(session, "/v5/private", now);
        face->on_text(session, "{\"op\":\"auth\",\"args\":[\"" + key + "\"," + expires + ",\"" +
                                   hmac_sha256_hex(secret, "GET/realtime" + expires) + "\"]}", now);
        face->on_text(session, R"({"op":"subscribe","args":["order","execution","position","wallet"]})", now);
        face->take_outbound();
    }
    std::vector<Json> frames() {
        face->tick(now);
        std::vector<Json> all;
        for (const Outbound& frame : face->take_outbound())
            if (frame.kind == Outbound::Kind::text) all.push_back(*Json::parse(frame.text));
        return all;
    }
    // "execution order:Filled position:0.02 ..." for the frames since the last call.
    std::string story() {
        std::string told;
        for (const Json& frame : frames()) {
            const std::string topic = frame.text("topic");
            const Json row = frame["data"].at(0);
            told += (told.empty() ? "" : " ") + topic;
            if (topic == "order") told += ":" + row.text("orderStatus");
            if (topic == "position") told += ":" + row.text("size");
        }
        return told;
    }
    void price(const char* value) { market.set_price("BTCUSDT", Decimal::of(value), Decimal::of(value), now); }

    const std::string key = "bbTestKey00A1b2C3d", secret = "s3cr3tForDocsOnly0123456789abcdefXYZ";
    Ms now = 1'785'000'000'000;
    Market market;
    std::unique_ptr<Face> face;
};

}  // namespace market
