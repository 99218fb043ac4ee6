// Order entry and reading over REST: filters and their codes, life of orders, algo service, limits.
#include "market/binance_bench.hpp"

namespace market::binance {
namespace {

class BinanceOrders : public Bench {
protected:
    BinanceOrders() { price("61240.1", "61234.5"); }
    int64_t place(const std::string& parameters) { return code(call("POST", "/fapi/v1/order", parameters)); }
    int64_t place_algo(const std::string& parameters) {
        return code(call("POST", "/fapi/v1/algoOrder", "algoType=CONDITIONAL&symbol=BTCUSDT&" + parameters));
    }
    void buy(const std::string& quantity) {
        ASSERT_EQ(place("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=" + quantity), 0);
    }
};

TEST_F(BinanceOrders, each_violation_has_its_code) {
    const struct { const char* parameters; int64_t code; } kTable[] = {
        {"side=BUY&type=MARKET&quantity=1", -1102},
        {"symbol=NOPEUSDT&side=BUY&type=MARKET&quantity=1", -1121},
        {"symbol=BTCUSDT&type=MARKET&quantity=1", -1102},
        {"symbol=BTCUSDT&side=HOLD&type=MARKET&quantity=1", -1117},
        {"symbol=BTCUSDT&side=BUY&type=ICEBERG&quantity=1", -1116},
        {"symbol=BTCUSDT&side=BUY&type=STOP_MARKET&stopPrice=70000&quantity=1", -4120},
        {"symbol=BTCUSDT&side=BUY&type=TRAILING_STOP_MARKET&quantity=1", -4120},
        {"symbol=BTCUSDT&side=BUY&type=MARKET", -1102},
        {"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&price=1", -1106},
        {"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1", -1102},
        {"symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=60000", -1102},
        {"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=XYZ&quantity=1&price=60000", -1115},
        {"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=abc", -1100},
        {"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.0001", -1111},
        {"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=60000.123", -1111},
        {"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=60000.15", -4014},
        {"symbol=APTUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=5&price=6.4403", -4014},
        {"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0", -4003},
        {"symbol=SUIUSDT&side=BUY&type=MARKET&quantity=15", -4023},
        {"symbol=SUIUSDT&side=BUY&type=MARKET&quantity=5", -4004},
        {"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=501", -4005},
        {"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1191&price=60000", -4005},
        {"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=0", -4001},
        {"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=9999999", -4002},
        {"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=4000", -4164},
        {"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=65000", -4016},
        {"symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.01&price=58000", -4024},
        {"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTX&quantity=0.01&price=61300", -5022},
        {"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=FOK&quantity=0.01&price=61000", -5021},
        {"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=100", -2019},
        {"symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.01&reduceOnly=true", -2022},
        {"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&positionSide=LONG", -4061},
        {"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&positionSide=UP", -4060},
        {"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&newClientOrderId=a%20b", -1100},
        {"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&newClientOrderId=0123456789012345678901234567890123456789", -4015},
    };
    for (const auto& row : kTable) EXPECT_EQ(place(row.parameters), row.code) << row.parameters;
    EXPECT_EQ(good("GET", "/fapi/v1/allOrders").size(), 0u) << "a refused order leaves no trace";
}

TEST_F(BinanceOrders, client_id_is_unique_among_open_orders_only) {
    const std::string order = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=60000&newClientOrderId=c1";
    EXPECT_EQ(place(order), 0);
    EXPECT_EQ(place(order), -4116);
    good("DELETE", "/fapi/v1/order", "symbol=BTCUSDT&origClientOrderId=c1");
    EXPECT_EQ(place(order), 0);
}

TEST_F(BinanceOrders, market_order_is_acknowledged_as_new_and_result_as_filled) {
    const Json ack = good("POST", "/fapi/v1/order", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.050&newClientOrderId=m1");
    EXPECT_EQ(ack.text("status"), "NEW");
    EXPECT_EQ(ack.text("executedQty"), "0.000");
    EXPECT_FALSE(ack.has("avgPrice"));
    EXPECT_FALSE(ack.has("cumQuote"));
    const Json query = good("GET", "/fapi/v1/order", "symbol=BTCUSDT&origClientOrderId=m1");
    EXPECT_EQ(query.text("status"), "FILLED");
    EXPECT_EQ(query.text("avgPrice"), "61234.50000");
    EXPECT_EQ(query.text("cumQuote"), "3061.72500");
    const Json result = good("POST", "/fapi/v1/order", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.050&newOrderRespType=RESULT");
    EXPECT_EQ(result.text("status"), "FILLED");
    EXPECT_EQ(result.text("executedQty"), "0.050");
}

TEST_F(BinanceOrders, order_ids_need_64_bit_integers) {
    const Json ack = good("POST", "/fapi/v1/order", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.050");
    EXPECT_GT(*ack.integer("orderId"), int64_t{1} << 53);
}

TEST_F(BinanceOrders, cancel_of_a_finished_or_unknown_order_is_2011_and_query_of_unknown_2013) {
    buy("0.01");
    const std::string id = good("GET", "/fapi/v1/allOrders").at(0).text("orderId");
    EXPECT_EQ(code(call("DELETE", "/fapi/v1/order", "symbol=BTCUSDT&orderId=" + id)), -2011);
    EXPECT_EQ(code(call("DELETE", "/fapi/v1/order", "symbol=BTCUSDT&orderId=1")), -2011);
    EXPECT_EQ(code(call("GET", "/fapi/v1/order", "symbol=BTCUSDT&orderId=1")), -2013);
    EXPECT_EQ(code(call("GET", "/fapi/v1/openOrder", "symbol=BTCUSDT&orderId=" + id)), -2013);
    EXPECT_EQ(good("GET", "/fapi/v1/order", "symbol=BTCUSDT&orderId=" + id).text("status"), "FILLED");
}

TEST_F(BinanceOrders, unfilled_cancelled_orders_are_forgotten_after_three_days) {
    place("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=60000&newClientOrderId=c1");
    good("DELETE", "/fapi/v1/order", "symbol=BTCUSDT&origClientOrderId=c1");
    now += 3LL * 86'400'000;
    EXPECT_EQ(good("GET", "/fapi/v1/order", "symbol=BTCUSDT&origClientOrderId=c1").text("status"), "CANCELED");
    now += 1;
    EXPECT_EQ(code(call("GET", "/fapi/v1/order", "symbol=BTCUSDT&origClientOrderId=c1")), -2013);
}

TEST_F(BinanceOrders, batch_answers_each_element_by_itself) {
    const std::string list = R"([{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","quantity":"0.010","price":"60000"},)"
                             R"({"symbol":"BTCUSDT","side":"SELL","type":"MARKET","quantity":"0.010","reduceOnly":"true"}])";
    const Json reply = good("POST", "/fapi/v1/batchOrders", "batchOrders=" + percent_encode(list));
    EXPECT_EQ(reply.at(0).text("status"), "NEW");
    EXPECT_EQ(reply.at(1).integer("code"), -2022);
    const Json canceled = good("DELETE", "/fapi/v1/batchOrders",
                               "symbol=BTCUSDT&orderIdList=" + percent_encode("[" + reply.at(0).text("orderId") + ",77]"));
    EXPECT_EQ(canceled.at(0).text("status"), "CANCELED");
    EXPECT_EQ(canceled.at(1).integer("code"), -2011);
}

TEST_F(BinanceOrders, modify_changes_price_and_no_change_is_refused) {
    place("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=60000&newClientOrderId=c1");
    const std::string target = "symbol=BTCUSDT&side=BUY&origClientOrderId=c1&quantity=0.01&price=";
    EXPECT_EQ(good("PUT", "/fapi/v1/order", target + "60100").text("price"), "60100.00");
    EXPECT_EQ(code(call("PUT", "/fapi/v1/order", target + "60100")), -5027);
    EXPECT_EQ(code(call("PUT", "/fapi/v1/order", target + "60100.15")), -4014);
}

TEST_F(BinanceOrders, hedge_mode_needs_a_position_side_and_refuses_reduce_only) {
    good("POST", "/fapi/v1/positionSide/dual", "dualSidePosition=true");
    EXPECT_EQ(code(call("POST", "/fapi/v1/positionSide/dual", "dualSidePosition=true")), -4059);
    EXPECT_EQ(place("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01"), -4061);
    EXPECT_EQ(place("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&positionSide=LONG&reduceOnly=false"), -1106);
    EXPECT_EQ(place("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&positionSide=LONG"), 0);
    EXPECT_EQ(place("symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.01&positionSide=SHORT"), 0);
    const Json risk = good("GET", "/fapi/v3/positionRisk");
    ASSERT_EQ(risk.size(), 2u);
    EXPECT_EQ(risk.at(0).text("positionAmt"), "0.010");
    EXPECT_EQ(risk.at(1).text("positionAmt"), "-0.010");
    EXPECT_EQ(code(call("POST", "/fapi/v1/positionSide/dual", "dualSidePosition=false")), -4068);
}

// ---- the algo service

TEST_F(BinanceOrders, stops_live_in_the_algo_service_alone) {
    buy("0.05");
    EXPECT_EQ(place_algo("side=SELL&type=STOP_MARKET&triggerPrice=60000&quantity=0.05&reduceOnly=true&clientAlgoId=s1"), 0);
    EXPECT_EQ(good("GET", "/fapi/v1/openOrders").size(), 0u);
    const Json open = good("GET", "/fapi/v1/openAlgoOrders");
    ASSERT_EQ(open.size(), 1u);
    EXPECT_EQ(open.at(0).text("orderType"), "STOP_MARKET");
    EXPECT_EQ(open.at(0).text("actualOrderId"), "");
    good("DELETE", "/fapi/v1/allOpenOrders", "symbol=BTCUSDT");
    EXPECT_EQ(good("GET", "/fapi/v1/openAlgoOrders").size(), 1u) << "cancel-all leaves stops alone";
    EXPECT_EQ(call("DELETE", "/fapi/v1/algoOrder", "clientAlgoId=s1").body.find("\"code\":\"200\"") != std::string::npos, true);
    EXPECT_EQ(code(call("DELETE", "/fapi/v1/algoOrder", "clientAlgoId=s1")), -2011);
    EXPECT_EQ(good("GET", "/fapi/v1/algoOrder", "clientAlgoId=s1").text("algoStatus"), "CANCELED");
    EXPECT_EQ(code(call("GET", "/fapi/v1/algoOrder", "clientAlgoId=other")), -2013);
}

TEST_F(BinanceOrders, one_close_position_stop_per_direction_and_class) {
    buy("0.05");
    EXPECT_EQ(place_algo("side=SELL&type=STOP_MARKET&triggerPrice=60000&closePosition=true"), 0);
    EXPECT_EQ(place_algo("side=SELL&type=STOP_MARKET&triggerPrice=59000&closePosition=true"), -4130);
    EXPECT_EQ(place_algo("side=SELL&type=TAKE_PROFIT_MARKET&triggerPrice=65000&closePosition=true"), 0);
    EXPECT_EQ(good("GET", "/fapi/v1/openAlgoOrders").at(0).text("timeInForce"), "GTE_GTC");
    buy("0.01");
    EXPECT_EQ(place("symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.06&reduceOnly=true"), 0);
    EXPECT_EQ(good("GET", "/fapi/v1/openAlgoOrders").size(), 0u) << "they expire with the position";
    EXPECT_EQ(good("GET", "/fapi/v1/allAlgoOrders", "symbol=BTCUSDT").at(0).text("algoStatus"), "EXPIRED");
}

TEST_F(BinanceOrders, algo_parameters_are_checked) {
    buy("0.05");
    EXPECT_EQ(place_algo("side=SELL&type=LIMIT&triggerPrice=60000&quantity=0.05"), -1116);
    EXPECT_EQ(place_algo("side=SELL&type=STOP_MARKET&quantity=0.05"), -1102);
    EXPECT_EQ(place_algo("side=SELL&type=STOP_MARKET&triggerPrice=60000"), -1102);
    EXPECT_EQ(place_algo("side=SELL&type=STOP_MARKET&triggerPrice=60000&quantity=0.05&closePosition=true"), -1106);
    EXPECT_EQ(place_algo("side=SELL&type=STOP&triggerPrice=60000&price=59900&closePosition=true"), -4136);
    EXPECT_EQ(place_algo("side=SELL&type=STOP_MARKET&triggerPrice=61235&quantity=0.05"), -2021);
    EXPECT_EQ(place_algo("side=SELL&type=STOP_MARKET&triggerPrice=61239&quantity=0.05&workingType=MARK_PRICE"), 0);
}

TEST_F(BinanceOrders, reduce_only_stop_without_position_is_rejected_at_the_trigger) {
    EXPECT_EQ(place_algo("side=SELL&type=STOP_MARKET&triggerPrice=60000&quantity=0.05&reduceOnly=true&clientAlgoId=s1"), 0);
    listen();
    drain();
    price("59990", "59990");
    EXPECT_EQ(labels(drain()), (std::vector<std::string>{"ALGO_UPDATE TRIGGERING", "ALGO_UPDATE REJECTED"}));
    EXPECT_EQ(good("GET", "/fapi/v1/algoOrder", "clientAlgoId=s1").text("algoStatus"), "REJECTED");
}

// ---- reading

TEST_F(BinanceOrders, flat_symbols_are_missing_in_version_3_and_present_in_version_2) {
    EXPECT_EQ(good("GET", "/fapi/v3/positionRisk", "symbol=BTCUSDT").size(), 0u);
    EXPECT_EQ(good("GET", "/fapi/v2/positionRisk", "symbol=BTCUSDT").at(0).text("positionAmt"), "0.000");
    EXPECT_EQ(good("GET", "/fapi/v2/positionRisk").size(), market.instruments().size());
    place("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=60000");
    EXPECT_EQ(good("GET", "/fapi/v3/positionRisk").size(), 1u) << "an open order is enough";
}

TEST_F(BinanceOrders, user_trades_page_by_from_id) {
    for (int i = 0; i < 5; ++i) buy("0.01");
    const Json first = good("GET", "/fapi/v1/userTrades", "symbol=BTCUSDT&limit=2&fromId=1");
    ASSERT_EQ(first.size(), 2u);
    const int64_t next = *first.at(1).integer("id") + 1;
    const Json rest = good("GET", "/fapi/v1/userTrades", "symbol=BTCUSDT&fromId=" + std::to_string(next));
    EXPECT_EQ(rest.size(), 3u);
    EXPECT_EQ(code(call("GET", "/fapi/v1/userTrades", "symbol=BTCUSDT&fromId=1&startTime=1")), -1128);
}

TEST_F(BinanceOrders, young_orders_are_invisible_while_the_venue_lags) {
    face.knobs.visibility_lag_ms = 1200;
    place("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=60000&newClientOrderId=c1");
    EXPECT_EQ(code(call("GET", "/fapi/v1/order", "symbol=BTCUSDT&origClientOrderId=c1")), -2013);
    now += 1200;
    good("DELETE", "/fapi/v1/order", "symbol=BTCUSDT&origClientOrderId=c1");
    EXPECT_EQ(good("GET", "/fapi/v1/order", "symbol=BTCUSDT&origClientOrderId=c1").text("status"), "NEW");
    now += 1200;
    EXPECT_EQ(good("GET", "/fapi/v1/order", "symbol=BTCUSDT&origClientOrderId=c1").text("status"), "CANCELED");
}

TEST_F(BinanceOrders, an_invisible_order_can_be_cancelled) {
    face.knobs.visibility_lag_ms = 1200;
    place("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=60000&newClientOrderId=c1");
    EXPECT_EQ(good("DELETE", "/fapi/v1/order", "symbol=BTCUSDT&origClientOrderId=c1").text("status"), "CANCELED");
}

TEST_F(BinanceOrders, unknown_fields_keep_every_answer_readable) {
    face.knobs.unknown_fields = true;
    buy("0.05");
    EXPECT_EQ(good("GET", "/fapi/v3/positionRisk").at(0).text("positionAmt"), "0.050");
    EXPECT_TRUE(good("GET", "/fapi/v1/ping").is_object());
    EXPECT_EQ(good("GET", "/fapi/v1/exchangeInfo")["symbols"].size(), market.instruments().size());
}

TEST_F(BinanceOrders, dead_mans_switch_cancels_regular_orders_only) {
    place("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=60000");
    place_algo("side=SELL&type=STOP_MARKET&triggerPrice=60000&quantity=0.05");
    EXPECT_EQ(good("POST", "/fapi/v1/countdownCancelAll", "symbol=BTCUSDT&countdownTime=1000").text("countdownTime"), "1000");
    face.tick(now + 999);
    EXPECT_EQ(good("GET", "/fapi/v1/openOrders").size(), 1u);
    face.tick(now + 1000);
    EXPECT_EQ(good("GET", "/fapi/v1/openOrders").size(), 0u);
    EXPECT_EQ(good("GET", "/fapi/v1/openAlgoOrders").size(), 1u);
}

// ---- limits

TEST_F(BinanceOrders, weight_over_the_limit_is_429_and_ignoring_it_418) {
    now = (now / 60'000 + 1) * 60'000;
    for (int i = 0; i < 60; ++i) ASSERT_EQ(call("GET", "/fapi/v1/openOrders").status, 200);
    const HttpReply over = call("GET", "/fapi/v1/time");
    EXPECT_EQ(over.status, 429);
    EXPECT_EQ(code(over), -1003);
    EXPECT_EQ(over.headers.front(), (std::pair<std::string, std::string>{"Retry-After", "60"}));
    for (int i = 0; i < Limits::kRefusalsBeforeBan; ++i) call("GET", "/fapi/v1/time");
    EXPECT_EQ(call("GET", "/fapi/v1/time").status, 418);
    now += Limits::kFirstBan;
    EXPECT_EQ(call("GET", "/fapi/v1/time").status, 200);
}

TEST_F(BinanceOrders, order_replies_count_and_the_301st_in_ten_seconds_is_refused) {
    face.knobs.ignores_rate_limits = false;
    now = (now / 10'000 + 1) * 10'000;
    const std::string bad = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0";
    for (int i = 0; i < 300; ++i) ASSERT_EQ(place(bad), -4003);
    EXPECT_EQ(place(bad), -1015);
    now += 10'000;
    const HttpReply reply = call("POST", "/fapi/v1/order", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.headers[1], (std::pair<std::string, std::string>{"X-MBX-ORDER-COUNT-10S", "1"}));
}

TEST_F(BinanceOrders, unknown_path_is_an_html_page) {
    const HttpReply reply = call("GET", "/fapi/v9/nothing");
    EXPECT_EQ(reply.status, 404);
    EXPECT_EQ(reply.body.front(), '<');
}

}  // namespace
}  // namespace market::binance
