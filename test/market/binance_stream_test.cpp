// User stream sequences, the worked scenario of binance-usdm.md 16, listen keys, routes and control messages.
#include "market/binance_bench.hpp"

namespace market::binance {
namespace {

class BinanceStream : public Bench {
protected:
    BinanceStream() {
        market.set_leverage(account, "BTCUSDT", 20, now);
        price("61240.1", "61234.5");
        face.take_outbound();
    }
    void order(const std::string& parameters) { good("POST", "/fapi/v1/order", "symbol=BTCUSDT&" + parameters); }
    void scenario_entry() {
        order("side=BUY&type=MARKET&quantity=0.030");
        price("61240.1", "61234.6");
        order("side=BUY&type=MARKET&quantity=0.020");
    }
    std::vector<std::string> subscribe(SessionId session, const std::string& path, const std::string& stream) {
        EXPECT_TRUE(face.open(session, path, now));
        face.on_text(session, R"({"method":"SUBSCRIBE","params":[")" + stream + R"("],"id":1})", now);
        now += 5000;
        price("61250.1", "61250");
        return labels(drain(session));
    }
};

TEST_F(BinanceStream, taker_fill_arrives_in_the_observed_sequence) {
    listen();
    order("side=BUY&type=MARKET&quantity=0.030&newClientOrderId=c1");
    const std::vector<Json> events = drain();
    ASSERT_EQ(labels(events), (std::vector<std::string>{"TRADE_LITE", "ORDER_TRADE_UPDATE NEW", "ACCOUNT_UPDATE ORDER",
                                                        "ORDER_TRADE_UPDATE TRADE"}));
    for (const Json& event : events) EXPECT_EQ(event.integer("T"), now);
    EXPECT_EQ(events[0].text("t"), events[3]["o"].text("t"));
    EXPECT_EQ(events[3]["o"].text("n"), "0.91851750");
    EXPECT_EQ(events[3]["o"].text("X"), "FILLED");
    EXPECT_EQ(events[1]["o"].text("z"), "0");
}

TEST_F(BinanceStream, resting_fill_is_a_maker_and_cancel_is_one_message) {
    order("side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.1&price=61000&newClientOrderId=c1");
    listen();
    market.fill(account, *account.order_by_client_id("c1"), Decimal::of("0.04"), 61000, now);
    face.tick(now);
    const std::vector<Json> events = drain();
    ASSERT_EQ(labels(events), (std::vector<std::string>{"TRADE_LITE", "ACCOUNT_UPDATE ORDER", "ORDER_TRADE_UPDATE TRADE"}));
    EXPECT_TRUE(events[2]["o"].boolean("m"));
    EXPECT_EQ(events[2]["o"].text("X"), "PARTIALLY_FILLED");
    good("DELETE", "/fapi/v1/order", "symbol=BTCUSDT&origClientOrderId=c1");
    const std::vector<Json> canceled = drain();
    ASSERT_EQ(labels(canceled), std::vector<std::string>{"ORDER_TRADE_UPDATE CANCELED"});
    EXPECT_EQ(canceled[0]["o"].text("z"), "0.04");
}

TEST_F(BinanceStream, amendment_that_crosses_fills_without_a_second_new) {
    order("side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.1&price=61000&newClientOrderId=c1");
    listen();
    good("PUT", "/fapi/v1/order", "symbol=BTCUSDT&side=BUY&origClientOrderId=c1&quantity=0.1&price=61300");
    EXPECT_EQ(labels(drain()), (std::vector<std::string>{"ORDER_TRADE_UPDATE AMENDMENT", "TRADE_LITE", "ACCOUNT_UPDATE ORDER",
                                                         "ORDER_TRADE_UPDATE TRADE"}));
}

TEST_F(BinanceStream, merged_account_update_comes_once_for_many_fills) {
    market.set_book("BTCUSDT", std::nullopt, 3);
    listen();
    order("side=BUY&type=MARKET&quantity=0.030");
    EXPECT_EQ(drain().size(), 1u + 3 * 3) << "NEW, and three messages for each of three fills";
    face.venue.events.account_update_per_fill = false;
    order("side=BUY&type=MARKET&quantity=0.030");
    const std::vector<Json> events = drain();
    ASSERT_EQ(events.size(), 1u + 3 * 2 + 1);
    EXPECT_EQ(label(events[events.size() - 2]), "ACCOUNT_UPDATE ORDER");
    EXPECT_EQ(events[events.size() - 2]["a"]["P"].at(0).text("pa"), "0.06");
}

TEST_F(BinanceStream, worked_scenario_entry_has_the_documented_figures) {
    listen();
    scenario_entry();
    const std::vector<Json> events = drain();
    ASSERT_EQ(events.size(), 8u);
    const Json first = events[2]["a"], second = events[6]["a"];
    EXPECT_EQ(first["B"].at(0).text("wb"), "9999.08148250");
    EXPECT_EQ(first["P"].at(0).text("pa"), "0.03");
    EXPECT_EQ(first["P"].at(0).text("ep"), "61234.5");
    EXPECT_EQ(first["P"].at(0).text("bep"), "61265.11725");
    EXPECT_EQ(first["P"].at(0).text("up"), "0.16800000");
    EXPECT_EQ(events[7]["o"].text("n"), "0.61234600");
    EXPECT_EQ(second["B"].at(0).text("wb"), "9998.46913650");
    EXPECT_EQ(second["P"].at(0).text("pa"), "0.05");
    EXPECT_EQ(second["P"].at(0).text("ep"), "61234.54");
    EXPECT_EQ(second["P"].at(0).text("bep"), "61265.15727");
    EXPECT_EQ(second["P"].at(0).text("up"), "0.27800000");
}

TEST_F(BinanceStream, worked_scenario_position_and_account_agree_over_rest) {
    scenario_entry();
    const Json risk = good("GET", "/fapi/v3/positionRisk").at(0);
    EXPECT_EQ(risk.text("notional"), "3062.00500000");
    EXPECT_EQ(risk.text("initialMargin"), "153.10025000");
    EXPECT_EQ(risk.text("maintMargin"), "15.31002500") << "3062.005 x the model's 0.005";
    EXPECT_EQ(risk.text("liquidationPrice"), "0");
    EXPECT_EQ(risk.text("entryPrice"), "61234.54");
    const Json total = good("GET", "/fapi/v3/account");
    EXPECT_EQ(total.text("totalMarginBalance"), "9998.74713650");
    EXPECT_EQ(total.text("availableBalance"), "9845.64688650");
    EXPECT_EQ(good("GET", "/fapi/v3/balance").at(0).text("crossUnPnl"), "0.27800000");
}

TEST_F(BinanceStream, funding_is_a_balance_without_positions) {
    scenario_entry();
    listen();
    market.pay_funding("BTCUSDT", Decimal::of("0.0001"), now);
    face.tick(now);
    const std::vector<Json> events = drain();
    ASSERT_EQ(labels(events), std::vector<std::string>{"ACCOUNT_UPDATE FUNDING_FEE"});
    EXPECT_EQ(events[0]["a"].text("S"), "BTCUSDT");
    EXPECT_EQ(events[0]["a"]["B"].at(0).text("bc"), "-0.30620050");
    EXPECT_EQ(events[0]["a"]["B"].at(0).text("wb"), "9998.16293600");
    EXPECT_EQ(events[0]["a"]["P"].size(), 0u);
}

TEST_F(BinanceStream, worked_scenario_stop_fires_in_the_documented_sequence) {
    scenario_entry();
    const std::string stop = "algoType=CONDITIONAL&symbol=BTCUSDT&side=SELL&type=";
    good("POST", "/fapi/v1/algoOrder",
         stop + "STOP_MARKET&triggerPrice=60000&quantity=0.05&reduceOnly=true&workingType=MARK_PRICE&clientAlgoId=sl");
    good("POST", "/fapi/v1/algoOrder", stop + "TAKE_PROFIT_MARKET&triggerPrice=65000&closePosition=true&clientAlgoId=tp");
    listen();
    price("60001", "59990");
    EXPECT_TRUE(drain().empty()) << "the mark price decides, not the last";
    now += 10;
    price("60000", "59990");
    const std::vector<Json> events = drain();
    ASSERT_EQ(labels(events),
              (std::vector<std::string>{"ALGO_UPDATE TRIGGERING", "ALGO_UPDATE TRIGGERED", "TRADE_LITE", "ORDER_TRADE_UPDATE NEW",
                                        "ACCOUNT_UPDATE ORDER", "ORDER_TRADE_UPDATE TRADE", "ALGO_UPDATE FINISHED",
                                        "ALGO_UPDATE EXPIRED"}));
    EXPECT_EQ(events[0]["o"].text("ai"), "");
    EXPECT_EQ(events[1]["o"].text("aq"), "0");
    const Json fill = events[5]["o"], finished = events[6]["o"], holding = events[4]["a"]["P"].at(0);
    EXPECT_EQ(finished.text("ai"), fill.text("i"));
    EXPECT_EQ(finished.text("ap"), "59990.00000");
    EXPECT_EQ(fill.text("c"), "sl");
    EXPECT_EQ(fill.text("rp"), "-62.227");
    EXPECT_EQ(fill.text("n"), "1.49975000");
    EXPECT_EQ(events[4]["a"]["B"].at(0).text("wb"), "9934.74238650");
    EXPECT_EQ(holding.text("pa"), "0");
    EXPECT_EQ(holding.text("ep"), "0");
    EXPECT_EQ(holding.text("cr"), "-62.227");
    EXPECT_EQ(events[7]["o"].text("caid"), "tp");
    EXPECT_EQ(good("GET", "/fapi/v1/algoOrder", "clientAlgoId=sl").text("actualOrderId"), fill.text("i"));
}

TEST_F(BinanceStream, triggered_may_come_after_the_child) {
    scenario_entry();
    good("POST", "/fapi/v1/algoOrder",
         "algoType=CONDITIONAL&symbol=BTCUSDT&side=SELL&type=STOP_MARKET&triggerPrice=60000&quantity=0.05&reduceOnly=true");
    face.venue.events.triggered_after_child = true;
    listen();
    price("59990", "59990");
    EXPECT_EQ(labels(drain()),
              (std::vector<std::string>{"ALGO_UPDATE TRIGGERING", "TRADE_LITE", "ORDER_TRADE_UPDATE NEW", "ACCOUNT_UPDATE ORDER",
                                        "ORDER_TRADE_UPDATE TRADE", "ALGO_UPDATE TRIGGERED", "ALGO_UPDATE FINISHED"}));
}

TEST_F(BinanceStream, hedge_mode_adds_an_empty_both_row) {
    market.set_hedge(account, "", true, now);
    listen();
    order("side=SELL&type=MARKET&quantity=0.01&positionSide=SHORT");
    const Json rows = drain()[2]["a"]["P"];
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows.at(0).text("ps"), "BOTH");
    EXPECT_EQ(rows.at(0).text("pa"), "0");
    EXPECT_EQ(rows.at(1).text("ps"), "SHORT");
    EXPECT_EQ(rows.at(1).text("pa"), "-0.01");
}

TEST_F(BinanceStream, liquidation_carries_the_special_client_id) {
    scenario_entry();
    listen();
    market.liquidate(account, "BTCUSDT", now);
    face.tick(now);
    const Json last = drain().back()["o"];
    EXPECT_TRUE(last.text("c").starts_with("autoclose-"));
    EXPECT_EQ(last.text("o"), "LIQUIDATION");
}

// ---- listen keys

TEST_F(BinanceStream, listen_key_lives_sixty_minutes_from_the_last_call) {
    const std::string key = listen();
    now += ListenKeys::kValidity - 1;
    EXPECT_EQ(json(raw("POST", "/fapi/v1/listenKey", "")).text("listenKey"), key) << "the active key, extended";
    now += ListenKeys::kValidity - 1;
    EXPECT_EQ(raw("PUT", "/fapi/v1/listenKey", "").status, 200);
    now += ListenKeys::kValidity;
    face.tick(now);
    const std::vector<Json> events = drain();
    ASSERT_EQ(labels(events), std::vector<std::string>{"listenKeyExpired"});
    EXPECT_EQ(events[0].text("listenKey"), key);
    EXPECT_EQ(code(raw("PUT", "/fapi/v1/listenKey", "")), -1125);
    EXPECT_NE(json(raw("POST", "/fapi/v1/listenKey", "")).text("listenKey"), key);
    order("side=BUY&type=MARKET&quantity=0.01");
    EXPECT_TRUE(drain().empty()) << "the old socket stays open and silent";
}

TEST_F(BinanceStream, deleting_the_key_silences_every_consumer) {
    listen();
    EXPECT_EQ(raw("DELETE", "/fapi/v1/listenKey", "").body, "{}");
    order("side=BUY&type=MARKET&quantity=0.01");
    EXPECT_TRUE(drain().empty());
}

TEST_F(BinanceStream, every_documented_private_url_form_delivers) {
    const std::string key = json(raw("POST", "/fapi/v1/listenKey", "")).text("listenKey");
    const std::string paths[] = {"/private/ws/" + key, "/private/ws?listenKey=" + key,
                                 "/private/ws?listenKey=" + key + "&events=ORDER_TRADE_UPDATE/ACCOUNT_UPDATE",
                                 "/private/stream?listenKey=" + key, "/private/stream?streams="};
    SessionId id = 10;
    for (const std::string& path : paths) ASSERT_TRUE(face.open(id++, path, now)) << path;
    face.on_text(14, R"({"method":"SUBSCRIBE","params":[")" + key + R"("],"id":1})", now);
    ASSERT_TRUE(face.open(20, "/ws/" + key, now));
    order("side=BUY&type=MARKET&quantity=0.01");
    std::map<SessionId, int> frames;
    for (const Outbound& out : face.take_outbound()) frames[out.session] += out.is_event;
    EXPECT_EQ(frames, (std::map<SessionId, int>{{10, 4}, {11, 4}, {12, 3}, {13, 4}, {14, 4}}))
        << "an unrouted URL stays silent";
}

// ---- market streams

TEST_F(BinanceStream, streams_deliver_on_their_own_route_only) {
    const std::vector<std::string> silent = {""};
    EXPECT_EQ(subscribe(1, "/market/ws", "btcusdt@markPrice@1s"), (std::vector<std::string>{"", "markPriceUpdate"}));
    EXPECT_EQ(subscribe(2, "/public/ws", "btcusdt@bookTicker"), (std::vector<std::string>{"", "bookTicker"}));
    EXPECT_EQ(subscribe(3, "/ws", "btcusdt@bookTicker"), (std::vector<std::string>{"", "bookTicker"}));
    EXPECT_EQ(subscribe(4, "/public/ws", "btcusdt@markPrice@1s"), silent);
    EXPECT_EQ(subscribe(5, "/market/ws", "btcusdt@bookTicker"), silent);
    EXPECT_EQ(subscribe(6, "/ws", "btcusdt@markPrice@1s"), silent);
    EXPECT_EQ(subscribe(7, "/market/ws", "btcusdt@noSuchThing"), silent);
    EXPECT_EQ(subscribe(8, "/market/ws", "BTCUSDT@markPrice"), silent) << "stream names are lower case";
}

TEST_F(BinanceStream, combined_mode_wraps_events_and_not_answers) {
    ASSERT_TRUE(face.open(1, "/market/stream?streams=btcusdt@markPrice@1s/ethusdt@markPrice@1s", now));
    face.on_text(1, R"({"method":"LIST_SUBSCRIPTIONS","id":3})", now);
    EXPECT_EQ(drain()[0]["result"].size(), 2u);
    now += 1000;
    face.tick(now);
    const std::vector<Json> events = drain();
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].text("stream"), "btcusdt@markPrice@1s");
    EXPECT_EQ(events[0]["data"].text("p"), "61240.10000000");
    face.on_text(1, R"({"method":"UNSUBSCRIBE","params":["btcusdt@markPrice@1s"],"id":4})", now);
    drain();
    now += 1000;
    face.tick(now);
    EXPECT_EQ(drain().size(), 1u);
}

TEST_F(BinanceStream, control_errors_have_their_codes) {
    ASSERT_TRUE(face.open(1, "/market/ws", now));
    const struct { const char* text; int64_t code; } kTable[] = {
        {R"({"method":"SUBSCIBE","params":["btcusdt@ticker"],"id":1})", 2}, {R"({"method":"SUBSCRIBE","params":["x"]})", 2},
        {R"({"method":"SUBSCRIBE","params":["x"],"id":"a"})", 2},           {R"({"id":1})", 2},
        {R"({"method":"GET_PROPERTY","params":["colour"],"id":1})", 0},
        {R"({"method":"SET_PROPERTY","params":["combined",7],"id":1})", 1},
    };
    for (const auto& row : kTable) {
        face.on_text(1, row.text, now);
        EXPECT_EQ(drain()[0]["error"].integer("code"), row.code) << row.text;
    }
    face.on_text(1, "{not json", now);
    const std::vector<Outbound> out = face.take_outbound();
    ASSERT_EQ(out.size(), 2u);
    EXPECT_EQ((*Json::parse(out[0].text))["error"].integer("code"), 3);
    EXPECT_EQ(out[1].kind, Outbound::Kind::close);
}

TEST_F(BinanceStream, the_eleventh_message_in_a_second_disconnects) {
    now = (now / 1000 + 1) * 1000;
    ASSERT_TRUE(face.open(1, "/market/ws", now));
    for (int i = 0; i < 10; ++i) face.on_text(1, R"({"method":"LIST_SUBSCRIPTIONS","id":1})", now);
    EXPECT_EQ(drain().size(), 10u);
    face.on_text(1, R"({"method":"LIST_SUBSCRIPTIONS","id":1})", now);
    EXPECT_EQ(face.take_outbound().at(0).kind, Outbound::Kind::close);
    EXPECT_TRUE(face.sessions().empty());
}

TEST_F(BinanceStream, more_than_1024_streams_are_refused) {
    ASSERT_TRUE(face.open(1, "/market/ws", now));
    std::string list;
    for (int i = 0; i < 1024; ++i) list += (i ? ",\"s" : "\"s") + std::to_string(i) + "@ticker\"";
    face.on_text(1, R"({"method":"SUBSCRIBE","params":[)" + list + R"(],"id":1})", now);
    EXPECT_TRUE(drain()[0]["result"].is_null());
    face.on_text(1, R"({"method":"SUBSCRIBE","params":["one@ticker"],"id":2})", now);
    EXPECT_EQ(drain()[0]["error"].integer("code"), 2);
}

TEST_F(BinanceStream, sessions_end_after_24_hours) {
    ASSERT_TRUE(face.open(1, "/public/ws/btcusdt@bookTicker", now));
    now += 24LL * 3'600'000;
    face.tick(now);
    EXPECT_EQ(face.take_outbound().back().kind, Outbound::Kind::close);
}

TEST_F(BinanceStream, flood_templates_stay_json_when_filled_in) {
    for (const FloodKind kind : {FloodKind::order, FloodKind::price}) {
        std::string text = face.flood_template(kind, account, "BTCUSDT");
        for (char& c : text) if (c == '#' || c == '$') c = c == '#' ? '0' : '1';
        EXPECT_TRUE(Json::parse(text).has_value()) << text;
    }
    EXPECT_NE(face.flood_template(FloodKind::order, account, "BTCUSDT").find("\"i\":1############"), std::string::npos);
}

}  // namespace
}  // namespace market::binance
