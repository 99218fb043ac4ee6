// The sequences of bybit-v5.md 10.3, paging, and what the streams owe their listeners.
#include "market/bybit_bench.hpp"

#include <algorithm>

using namespace market;

namespace {

constexpr char kOpen[] = R"({"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Market","qty":"0.02","positionIdx":0,"orderLinkId":"e1"})";
constexpr char kOpenWithStop[] = R"({"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Market","qty":"0.02","positionIdx":0,"orderLinkId":"e1","stopLoss":"62500","slTriggerBy":"MarkPrice","tpslMode":"Full"})";

std::string limit_order(int number) {
    return R"({"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.001","price":"60000","orderLinkId":"l)" +
           std::to_string(number) + "\"}";
}

std::string stop_at(const char* price) {
    return std::string(R"({"category":"linear","symbol":"BTCUSDT","tpslMode":"Full","positionIdx":0,"slTriggerBy":"MarkPrice","stopLoss":")") + price + "\"}";
}

// All rows of a listing, page by page, with the cursor given back as `encode` makes it.
std::vector<std::string> walk(BybitBench& bench, const std::string& path, const std::string& query, const char* id,
                              std::string (*encode)(std::string_view), std::string cursor = "") {
    constexpr int kMaxPages = 1'000;
    std::vector<std::string> ids;
    for (int page = 0; page < kMaxPages; ++page) {
        const Json result = bench.get(path, query + (cursor.empty() ? "" : "&cursor=" + encode(cursor)))["result"];
        for (size_t i = 0; i < result["list"].size(); ++i) ids.push_back(result["list"].at(i).text(id));
        cursor = result.text("nextPageCursor");
        if (cursor.empty()) return ids;
    }
    ADD_FAILURE() << "the listing never ends";
    return ids;
}

std::string verbatim(std::string_view text) { return std::string(text); }

}  // namespace

TEST(BybitSequence, opening_with_a_stop_tells_fill_order_position_stop_wallet) {
    BybitBench bench;
    bench.connect(1);
    EXPECT_EQ(bench.code(bench.post("/v5/order/create", kOpenWithStop)), 0);
    EXPECT_EQ(bench.story(), "execution order:Filled position:0.02 order:Untriggered position:0.02 wallet");
    const Json row = bench.get("/v5/position/list", "category=linear&symbol=BTCUSDT")["result"]["list"].at(0);
    EXPECT_EQ(row.text("stopLoss"), "62500");
    EXPECT_EQ(row.text("avgPrice"), "63920.1");
    EXPECT_EQ(row.text("breakEvenPrice"), "63990.45080294");
    EXPECT_EQ(row.text("curRealisedPnl"), "-0.7031211");
}

TEST(BybitSequence, moving_the_stop_keeps_its_order_and_repeating_it_is_not_modified) {
    BybitBench bench;
    bench.connect(1);
    bench.post("/v5/order/create", kOpenWithStop);
    const std::string query = "category=linear&symbol=BTCUSDT&orderFilter=StopOrder";
    const std::string before = bench.get("/v5/order/realtime", query)["result"]["list"].at(0).text("orderId");
    bench.frames();
    EXPECT_EQ(bench.code(bench.post("/v5/position/trading-stop", stop_at("62600"))), 0);
    EXPECT_EQ(bench.story(), "order:Untriggered position:0.02");
    EXPECT_EQ(bench.code(bench.post("/v5/position/trading-stop", stop_at("62600"))), 34040);
    const Json after = bench.get("/v5/order/realtime", query)["result"]["list"].at(0);
    EXPECT_EQ(after.text("orderId"), before);
    EXPECT_EQ(after.text("triggerPrice"), "62600");
    EXPECT_EQ(after.text("orderLinkId"), "");
}

TEST(BybitSequence, stop_hit_closes_the_position_to_size_zero_without_a_side) {
    BybitBench bench;
    bench.connect(1);
    bench.post("/v5/order/create", kOpenWithStop);
    bench.frames();
    bench.price("62400");
    bool closed = false, executed = false;
    for (const Json& frame : bench.frames()) {
        const Json row = frame["data"].at(0);
        if (frame.text("topic") == "execution") {
            executed = true;
            EXPECT_EQ(row.text("closedSize"), "0.02");
            EXPECT_EQ(row.text("stopOrderType"), "StopLoss");
            EXPECT_EQ(row.text("createType"), "CreateByStopLoss");
        }
        if (frame.text("topic") != "position") continue;
        closed = true;
        EXPECT_EQ(row.text("size"), "0");
        EXPECT_EQ(row.text("side", "?"), "");
        EXPECT_EQ(row.text("stopLoss"), "0");
    }
    EXPECT_TRUE(executed && closed);
}

TEST(BybitSequence, cancel_that_loses_against_a_fill_says_filled_twice) {
    BybitBench bench;
    bench.connect(1);
    bench.post("/v5/order/create", limit_order(1));
    Account& account = *bench.market.account(bench.key);
    bench.market.lose_next_cancel(account, account.orders.back());
    bench.frames();
    EXPECT_EQ(bench.code(bench.post("/v5/order/cancel", R"({"category":"linear","symbol":"BTCUSDT","orderLinkId":"l1"})")), 0);
    std::vector<Json> orders;
    for (const Json& frame : bench.frames())
        if (frame.text("topic") == "order") orders.push_back(frame["data"].at(0));
    ASSERT_EQ(orders.size(), 2u);
    EXPECT_EQ(orders[1].text("orderStatus"), "Filled");
    EXPECT_EQ(orders[1].text("cancelType"), "CancelByUser");
    EXPECT_EQ(orders[1].text("rejectReason"), "EC_OrigClOrdIDDoesNotExist");
    EXPECT_EQ(account.fills.size(), 1u);
}

TEST(BybitSequence, repeated_client_id_is_a_duplicate_even_after_the_order_ended) {
    BybitBench bench;
    bench.post("/v5/order/create", kOpen);
    EXPECT_EQ(bench.code(bench.post("/v5/order/create", kOpen)), 110072);
    const Json found = bench.get("/v5/order/realtime", "category=linear&symbol=BTCUSDT&orderLinkId=e1")["result"]["list"];
    EXPECT_EQ(found.at(0).text("orderStatus"), "Filled");
    EXPECT_EQ(bench.get("/v5/order/history", "category=linear&symbol=BTCUSDT&orderLinkId=e1")["result"]["list"].size(), 1u);
}

TEST(BybitSequence, nothing_is_replayed_after_a_gap_but_the_execution_list_has_the_fill) {
    BybitBench bench;
    bench.connect(1);
    bench.face->on_close(1);
    bench.post("/v5/order/create", kOpen);
    bench.connect(2);
    EXPECT_EQ(bench.story(), "");
    const Json fills = bench.get("/v5/execution/list", "category=linear")["result"]["list"];
    ASSERT_EQ(fills.size(), 1u);
    EXPECT_EQ(fills.at(0).text("execId"), bench.market.account(bench.key)->fills.back().trade_id);
}

TEST(BybitSequence, hedge_short_slot_closes_in_two_steps_and_keeps_its_index) {
    BybitBench bench;
    EXPECT_EQ(bench.code(bench.post("/v5/position/switch-mode", R"({"category":"linear","coin":"USDT","mode":3})")), 0);
    bench.connect(1);
    const auto order = [&](const char* side, const char* quantity, bool reduce, int idx) {
        return bench.code(bench.post("/v5/order/create", std::string(R"({"category":"linear","symbol":"BTCUSDT","orderType":"Market","side":")") + side +
            "\",\"qty\":\"" + quantity + "\",\"positionIdx\":" + std::to_string(idx) + ",\"reduceOnly\":" + (reduce ? "true}" : "false}")));
    };
    EXPECT_EQ(order("Sell", "0.03", false, 0), 10001);
    EXPECT_EQ(order("Sell", "0.03", false, 2), 0);
    EXPECT_EQ(order("Buy", "0.01", true, 2), 0);
    EXPECT_EQ(bench.story(), "execution order:Filled position:0.03 wallet execution order:Filled position:0.02 wallet");
    EXPECT_EQ(order("Buy", "0.02", true, 2), 0);
    for (const Json& frame : bench.frames())
        if (frame.text("topic") == "position") {
            EXPECT_EQ(frame["data"].at(0).text("positionIdx"), "2");
            EXPECT_EQ(frame["data"].at(0).text("size"), "0");
        }
}

TEST(BybitSequence, settings_that_are_already_so_have_their_own_codes) {
    BybitBench bench;
    bench.post("/v5/order/create", kOpen);
    EXPECT_EQ(bench.code(bench.post("/v5/position/switch-mode", R"({"category":"linear","symbol":"BTCUSDT","mode":3})")), 110024);
    EXPECT_EQ(bench.code(bench.post("/v5/position/switch-mode", R"({"category":"linear","symbol":"BTCUSDT","mode":0})")), 110025);
    EXPECT_EQ(bench.code(bench.post("/v5/position/set-leverage", R"({"category":"linear","symbol":"BTCUSDT","buyLeverage":"10","sellLeverage":"10"})")), 110043);
    EXPECT_EQ(bench.code(bench.post("/v5/position/set-leverage", R"({"category":"linear","symbol":"BTCUSDT","buyLeverage":"5","sellLeverage":"5"})")), 0);
}

TEST(BybitStream, resting_order_pushes_an_unchanged_position_with_the_same_sequence) {
    BybitBench bench;
    bench.connect(1);
    bench.post("/v5/order/create", limit_order(1));
    const auto frames = bench.frames();
    ASSERT_EQ(frames.size(), 3u);
    EXPECT_EQ(frames[0]["data"].at(0).text("orderStatus"), "New");
    const std::string sequence = frames[1]["data"].at(0).text("seq");
    EXPECT_EQ(frames[0].text("id"), "9000123_BTCUSDT_" + sequence);
    EXPECT_EQ(frames[1]["data"].at(0).text("updatedTime"), "0");
    EXPECT_EQ(frames[2].text("topic"), "wallet");
}

TEST(BybitStream, fills_of_one_matching_event_share_sequence_and_have_distinct_ids) {
    BybitBench bench;
    bench.connect(1);
    bench.market.set_book("BTCUSDT", std::nullopt, 4);
    bench.post("/v5/order/create", kOpen);
    const Json rows = bench.frames().at(0)["data"];
    ASSERT_EQ(rows.size(), 4u);
    std::set<std::string> ids, sequences;
    for (size_t i = 0; i < rows.size(); ++i) {
        ids.insert(rows.at(i).text("execId"));
        sequences.insert(rows.at(i).text("seq"));
    }
    EXPECT_EQ(ids.size(), 4u);
    EXPECT_EQ(sequences.size(), 1u);
}

TEST(BybitStream, post_only_that_would_take_is_cancelled_with_its_reason) {
    BybitBench bench;
    bench.connect(1);
    bench.post("/v5/order/create", R"({"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.001","price":"64000","timeInForce":"PostOnly"})");
    const Json row = bench.frames().at(0)["data"].at(0);
    EXPECT_EQ(row.text("orderStatus"), "Cancelled");
    EXPECT_EQ(row.text("rejectReason"), "EC_PostOnlyWillTakeLiquidity");
}

TEST(BybitStream, one_bad_topic_rejects_the_whole_subscription) {
    BybitBench bench;
    bench.face->open(1, "/v5/public/linear", bench.now);
    bench.face->on_text(1, R"({"req_id":"p","op":"subscribe","args":["tickers.BTCUSDT","tickers.NOPEUSDT"]})", bench.now);
    const Json reply = bench.frames().at(0);
    EXPECT_FALSE(reply.boolean("success", true));
    EXPECT_EQ(reply.text("ret_msg"), "error:handler not found,topic:tickers.NOPEUSDT");
    EXPECT_TRUE(bench.face->sessions().at(0).subscriptions.empty());
}

TEST(BybitStream, ticker_starts_with_a_snapshot_and_goes_on_with_changed_fields_only) {
    BybitBench bench;
    bench.face->open(1, "/v5/public/linear", bench.now);
    bench.face->on_text(1, R"({"op":"subscribe","args":["tickers.BTCUSDT"]})", bench.now);
    const auto first = bench.frames();
    ASSERT_EQ(first.size(), 2u);
    EXPECT_EQ(first[1].text("type"), "snapshot");
    bench.now += 100;
    bench.market.set_price("BTCUSDT", std::nullopt, Decimal::of("63950"), bench.now);
    const auto deltas = bench.frames();
    ASSERT_EQ(deltas.size(), 1u);
    EXPECT_EQ(deltas[0].text("type"), "delta");
    EXPECT_EQ(deltas[0]["data"].text("lastPrice"), "63950.0");
    EXPECT_FALSE(deltas[0]["data"].has("markPrice"));
}

TEST(BybitStream, subscriptions_are_bounded_and_unauthenticated_private_ones_refused) {
    BybitBench bench;
    bench.face->open(1, "/v5/public/linear", bench.now);
    bench.face->on_text(1, R"({"op":"subscribe","args":[")" + std::string(21'001, 'x') + "\"]}", bench.now);
    EXPECT_FALSE(bench.frames().at(0).boolean("success", true));
    bench.face->open(2, "/v5/private", bench.now);
    bench.face->on_text(2, R"({"op":"subscribe","args":["order"]})", bench.now);
    EXPECT_FALSE(bench.frames().at(0).boolean("success", true));
}

TEST(BybitPaging, every_order_comes_once_with_the_cursor_verbatim_or_encoded_again) {
    BybitBench bench;
    bench.face->knobs.ignores_rate_limits = true;
    std::set<std::string> made;
    for (int i = 0; i < 57; ++i) made.insert(bench.post("/v5/order/create", limit_order(i))["result"].text("orderId"));
    for (const auto encode : {&verbatim, &percent_encode}) {
        const auto ids = walk(bench, "/v5/order/realtime", "category=linear&settleCoin=USDT&limit=10", "orderId", encode);
        EXPECT_EQ(ids.size(), made.size());
        EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()), made);
    }
}

TEST(BybitPaging, rows_that_vanish_between_pages_hide_no_others) {
    BybitBench bench;
    bench.face->knobs.ignores_rate_limits = true;
    for (int i = 0; i < 30; ++i) bench.post("/v5/order/create", limit_order(i));
    const std::string query = "category=linear&settleCoin=USDT&limit=10";
    const Json first = bench.get("/v5/order/realtime", query)["result"];
    for (int i = 29; i > 20; --i)
        bench.post("/v5/order/cancel", R"({"category":"linear","symbol":"BTCUSDT","orderLinkId":"l)" + std::to_string(i) + "\"}");
    const auto rest = walk(bench, "/v5/order/realtime", query, "orderLinkId", &verbatim, first.text("nextPageCursor"));
    EXPECT_TRUE(std::find(rest.begin(), rest.end(), "l19") != rest.end());
    EXPECT_TRUE(std::find(rest.begin(), rest.end(), "l0") != rest.end());
}

TEST(BybitPaging, lists_have_the_documented_default_sizes) {
    BybitBench bench;
    bench.market.add_synthetic_instruments(600, bench.now);
    Account& account = *bench.market.account(bench.key);
    for (const auto& [symbol, instrument] : bench.market.instruments())
        bench.market.seed_position(account, symbol, Slot::both, instrument.min_quantity, bench.now);
    EXPECT_EQ(bench.get("/v5/market/instruments-info", "category=linear")["result"]["list"].size(), 500u);
    EXPECT_EQ(bench.get("/v5/position/list", "category=linear&settleCoin=USDT")["result"]["list"].size(), 20u);
    EXPECT_EQ(bench.get("/v5/position/list", "category=linear&settleCoin=USDT&limit=500")["result"]["list"].size(), 200u);
}

TEST(BybitReads, a_fresh_order_stays_unseen_for_the_visibility_lag) {
    BybitBench bench;
    bench.face->knobs.visibility_lag_ms = 500;
    bench.post("/v5/order/create", kOpen);
    const char* query = "category=linear&symbol=BTCUSDT&orderLinkId=e1";
    EXPECT_EQ(bench.get("/v5/order/realtime", query)["result"]["list"].size(), 0u);
    EXPECT_EQ(bench.code(bench.post("/v5/position/trading-stop", stop_at("62000"))), 10001);
    bench.now += 500;
    EXPECT_EQ(bench.get("/v5/order/realtime", query)["result"]["list"].size(), 1u);
    EXPECT_EQ(bench.code(bench.post("/v5/position/trading-stop", stop_at("62000"))), 0);
}

TEST(BybitReads, unfilled_cancelled_orders_leave_the_history_after_a_day) {
    BybitBench bench;
    bench.post("/v5/order/create", limit_order(1));
    bench.post("/v5/order/cancel", R"({"category":"linear","symbol":"BTCUSDT","orderLinkId":"l1"})");
    const char* query = "category=linear&symbol=BTCUSDT";
    EXPECT_EQ(bench.get("/v5/order/history", query)["result"]["list"].size(), 1u);
    bench.now += 86'400'001;
    EXPECT_EQ(bench.get("/v5/order/history", query)["result"]["list"].size(), 0u);
}

TEST(BybitBatch, legs_fail_one_by_one_under_a_successful_answer) {
    BybitBench bench;
    const Json reply = bench.post("/v5/order/create-batch", R"({"category":"linear","request":[)"
        R"({"symbol":"BTCUSDT","side":"Buy","orderType":"Market","qty":"0.01","orderLinkId":"b-1"},)"
        R"({"symbol":"BTCUSDT","side":"Buy","orderType":"Market","qty":"100","orderLinkId":"b-2"}]})");
    EXPECT_EQ(bench.code(reply), 0);
    EXPECT_EQ(reply["retExtInfo"]["list"].at(0).text("code"), "0");
    EXPECT_EQ(reply["retExtInfo"]["list"].at(1).text("code"), "110007");
    EXPECT_EQ(reply["result"]["list"].at(1).text("orderId"), "");
}

TEST(BybitWrites, refusals_have_their_documented_codes) {
    BybitBench bench;
    bench.face->knobs.ignores_rate_limits = true;
    const auto create = [&](const std::string& members) {
        return bench.code(bench.post("/v5/order/create", R"({"category":"linear","symbol":"BTCUSDT","side":"Sell","orderType":"Market",)" + members + "}"));
    };
    EXPECT_EQ(create(R"("qty":"0.0001")"), 10001);
    EXPECT_EQ(create(R"("qty":"0.01","reduceOnly":true)"), 110017);
    EXPECT_EQ(create(R"("qty":"0.01","triggerPrice":"64000","triggerDirection":2)"), 110093);
    EXPECT_EQ(create(R"("qty":"0.01","triggerPrice":"63000","triggerDirection":1)"), 110092);
    EXPECT_EQ(create(R"("qty":"0.01","orderLinkId":"not allowed!")"), 10001);
    EXPECT_EQ(bench.code(bench.post("/v5/order/cancel", R"({"category":"linear","symbol":"BTCUSDT","orderId":"x"})")), 110001);
    EXPECT_EQ(bench.code(bench.post("/v5/position/trading-stop", stop_at("60000"))), 10001);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(create(R"("qty":"0.01","triggerPrice":"60000","triggerDirection":2)"), 0);
    EXPECT_EQ(create(R"("qty":"0.01","triggerPrice":"60000","triggerDirection":2)"), 110009);
}
