// The model market without any face: money, positions, triggers, and the promise that a seed decides everything.
#include "market/market.hpp"

#include <gtest/gtest.h>

using namespace market;

namespace {

constexpr Ms kNow = 1'785'000'000'000;

struct Bench {
    explicit Bench(Venue venue = Venue::bybit, uint64_t seed = 1) : market(venue, seed) {
        market.add_usual_instruments(kNow);
        account = &market.add_account("key", "secret", 100'000, false);
    }
    Placed trade(Side side, const char* quantity, bool reduce_only = false) {
        OrderRequest request;
        request.symbol = "BTCUSDT";
        request.side = side;
        request.quantity = Decimal::of(quantity);
        request.reduce_only = reduce_only;
        return market.place(*account, request, kNow);
    }
    Placed limit(Side side, const char* quantity, const char* price) {
        OrderRequest request;
        request.symbol = "BTCUSDT";
        request.side = side;
        request.type = OrderType::limit;
        request.quantity = Decimal::of(quantity);
        request.price = Decimal::of(price);
        return market.place(*account, request, kNow);
    }
    void price(const char* value) { market.set_price("BTCUSDT", Decimal::of(value), Decimal::of(value), kNow); }
    const Position& position() { return *account->position("BTCUSDT", Slot::both); }
    const Decimal& wallet() { return account->usdt().wallet; }

    Market market;
    Account* account;
};

}  // namespace

// bybit-v5.md 10.1: long 0.02 BTC @ 63920.1, mark 63918.24, 10x, MMR 0.5 %
TEST(Market, margins_reproduce_the_recorded_bybit_position) {
    Bench bench;
    bench.trade(Side::buy, "0.02");
    bench.market.set_price("BTCUSDT", Decimal::of("63918.24"), std::nullopt, kNow);
    EXPECT_EQ(bench.position().initial_margin.text(), "128.46928899");
    EXPECT_EQ(bench.position().maintenance_margin.text(), "7.02463299");
    EXPECT_EQ(bench.position().unrealized.text(), "-0.0372");
}

TEST(Market, parts_of_a_taker_fill_may_lie_apart) {
    Bench bench;
    bench.market.set_book("BTCUSDT", std::nullopt, 3, 2);
    bench.trade(Side::buy, "0.03");
    bench.trade(Side::sell, "0.03");
    std::vector<std::string> prices;
    for (const Fill& fill : bench.account->fills) prices.push_back(fill.price.text());
    EXPECT_EQ(prices, (std::vector<std::string>{"63920.1", "63920.3", "63920.5", "63920.1", "63919.9", "63919.7"}));
}

TEST(Market, resting_order_reserves_the_recorded_margin) {
    Bench bench;
    bench.limit(Side::buy, "0.01", "62500.5");
    EXPECT_EQ(bench.account->totals.order_initial.text(), "63.15363023");
}

// binance-usdm.md 16
TEST(Market, binance_scenario_gives_the_documented_wallet) {
    Bench bench(Venue::binance);
    bench.account->balances.at("USDT").wallet = 10'000;
    bench.market.set_leverage(*bench.account, "BTCUSDT", 20, kNow);
    bench.price("61234.5");
    bench.trade(Side::buy, "0.030");
    EXPECT_EQ(bench.wallet().text(), "9999.0814825");
    bench.price("61234.6");
    bench.trade(Side::buy, "0.020");
    bench.market.set_price("BTCUSDT", Decimal::of("61240.1"), std::nullopt, kNow);
    EXPECT_EQ(bench.wallet().text(), "9998.4691365");
    EXPECT_EQ(bench.position().entry_price.text(), "61234.54");
    EXPECT_EQ(bench.position().unrealized.text(), "0.278");
    EXPECT_EQ(bench.position().initial_margin.text(), "153.10025");
    bench.price("59990");
    bench.trade(Side::sell, "0.050", true);
    EXPECT_EQ(bench.account->fills.back().realized_pnl.text(), "-62.227");
    EXPECT_EQ(bench.wallet().text(), "9934.7423865");
    EXPECT_TRUE(bench.position().is_flat());
}

TEST(Market, closed_pnl_is_net_of_both_fees) {
    Bench bench;
    bench.trade(Side::buy, "0.02");
    bench.price("64410.4");
    bench.trade(Side::sell, "0.02", true);
    EXPECT_EQ(bench.account->closed.back().pnl().text(), "8.3943645");
}

TEST(Market, flip_leaves_the_remainder_at_the_new_price) {
    Bench bench;
    bench.trade(Side::buy, "0.02");
    bench.price("64000");
    bench.trade(Side::sell, "0.05");
    EXPECT_EQ(bench.position().quantity.text(), "-0.03");
    EXPECT_EQ(bench.position().entry_price.text(), "64000");
    EXPECT_EQ(bench.account->fills.back().closed_quantity.text(), "0.02");
}

TEST(Market, wallet_equals_start_plus_realized_minus_fees_after_a_random_day) {
    Bench bench(Venue::bybit, 42);
    Random random(7);
    for (int i = 0; i < 2'000; ++i) {
        bench.market.random_walk("BTCUSDT", kNow + i);
        bench.trade(random.between(0, 1) == 0 ? Side::buy : Side::sell, "0.005");
        if (i % 100 == 0) bench.market.pay_funding("BTCUSDT", Decimal::of("0.0001"), kNow + i);
    }
    Decimal expected = 100'000, quantity;
    for (const Fill& fill : bench.account->fills) {
        expected += fill.realized_pnl - fill.fee;
        quantity += fill.side == Side::buy ? fill.quantity : -fill.quantity;
    }
    for (const Funding& funding : bench.account->funding) expected += funding.amount;
    EXPECT_EQ(bench.wallet(), expected);
    EXPECT_EQ(bench.position().quantity, quantity);
    EXPECT_EQ(bench.account->totals.unrealized, bench.position().unrealized);
}

TEST(Market, same_seed_gives_the_same_journal) {
    const auto run = [](uint64_t seed) {
        Bench bench(Venue::bybit, seed);
        std::string trace;
        for (int i = 0; i < 200; ++i) {
            bench.market.random_walk("BTCUSDT", kNow + i);
            bench.trade(i % 2 == 0 ? Side::buy : Side::sell, "0.01");
        }
        for (const Event& event : bench.market.take_events())
            if (const auto* traded = std::get_if<Traded>(&event.what)) trace += traded->fill.trade_id + traded->fill.price.text();
        return trace;
    };
    EXPECT_EQ(run(5), run(5));
    EXPECT_NE(run(5), run(6));
}

TEST(Market, everything_of_one_matching_event_has_one_sequence_and_sequences_grow) {
    Bench bench;
    bench.market.set_book("BTCUSDT", std::nullopt, 3);
    bench.trade(Side::buy, "0.03");
    std::set<int64_t> sequences;
    int fills = 0;
    for (const Event& event : bench.market.take_events()) {
        sequences.insert(event.sequence);
        fills += std::holds_alternative<Traded>(event.what);
    }
    EXPECT_EQ(fills, 3);
    EXPECT_EQ(sequences.size(), 1u);
    bench.trade(Side::buy, "0.01");
    EXPECT_GT(bench.position().sequence, *sequences.begin());
}

TEST(Market, thin_book_cancels_the_rest_of_a_market_order) {
    Bench bench;
    bench.market.set_book("BTCUSDT", Decimal::of("0.02"), 1);
    const Placed placed = bench.trade(Side::buy, "0.05");
    EXPECT_EQ(placed.order->status, OrderStatus::canceled);
    EXPECT_EQ(placed.order->filled.text(), "0.02");
}

TEST(Market, resting_order_fills_as_maker_when_the_price_reaches_it) {
    Bench bench;
    const Placed placed = bench.limit(Side::buy, "0.01", "63000");
    EXPECT_EQ(placed.order->status, OrderStatus::open);
    bench.price("62990");
    EXPECT_EQ(placed.order->status, OrderStatus::filled);
    EXPECT_TRUE(bench.account->fills.back().is_maker);
    EXPECT_EQ(bench.account->fills.back().price.text(), "63000");
    EXPECT_TRUE(bench.account->totals.order_initial.is_zero());
}

TEST(Market, reduce_only_without_position_is_refused_and_oversize_is_cut) {
    Bench bench;
    EXPECT_EQ(bench.trade(Side::sell, "0.01", true).refusal, Refusal::reduce_only_no_position);
    bench.trade(Side::buy, "0.01");
    EXPECT_EQ(bench.trade(Side::sell, "0.05", true).order->filled.text(), "0.01");
    EXPECT_TRUE(bench.position().is_flat());
}

TEST(Market, order_beyond_the_balance_is_refused) {
    Bench bench;
    EXPECT_EQ(bench.trade(Side::buy, "100").refusal, Refusal::margin_insufficient);
}

TEST(Market, position_stop_is_resized_with_the_position_and_cleared_when_it_closes) {
    Bench bench;
    bench.trade(Side::buy, "0.02");
    StopRequest stop;
    stop.stop_loss = Decimal(60'000);
    ASSERT_EQ(bench.market.set_position_stop(*bench.account, "BTCUSDT", Slot::both, stop, kNow), Refusal::none);
    const Order& order = bench.account->orders.back();
    bench.trade(Side::buy, "0.01");
    EXPECT_EQ(order.quantity.text(), "0.03");
    bench.trade(Side::sell, "0.03", true);
    EXPECT_EQ(order.end_reason, EndReason::position_closed);
    EXPECT_TRUE(bench.position().stop_loss.is_zero());
}

TEST(Market, trailing_stop_follows_only_in_favour) {
    Bench bench;
    bench.trade(Side::buy, "0.02");
    StopRequest stop;
    stop.trailing_distance = Decimal(450);
    ASSERT_EQ(bench.market.set_position_stop(*bench.account, "BTCUSDT", Slot::both, stop, kNow), Refusal::none);
    const Order& order = bench.account->orders.back();
    bench.price("64800");
    EXPECT_EQ(order.trigger_price.text(), "64350");
    bench.price("64400");
    EXPECT_EQ(order.trigger_price.text(), "64350");
    bench.price("64350");
    EXPECT_TRUE(bench.position().is_flat());
}

TEST(Market, triggered_binance_stop_leaves_a_child_that_finishes_its_parent) {
    Bench bench(Venue::binance);
    bench.trade(Side::buy, "0.02");
    OrderRequest request;
    request.symbol = "BTCUSDT";
    request.client_id = "sl_btc_01";
    request.side = Side::sell;
    request.stop_kind = StopKind::stop;
    request.trigger_price = Decimal(60'000);
    request.trigger_by = TriggerBy::mark;
    request.close_position = true;
    const Placed algo = bench.market.place(*bench.account, request, kNow);
    ASSERT_TRUE(algo);
    bench.price("59990");
    EXPECT_EQ(algo.order->status, OrderStatus::finished);
    const Order* child = bench.account->order(algo.order->child_id);
    ASSERT_NE(child, nullptr);
    EXPECT_EQ(child->client_id, "sl_btc_01");
    EXPECT_EQ(child->status, OrderStatus::filled);
    EXPECT_TRUE(bench.position().is_flat());
}

TEST(Market, second_close_position_stop_in_one_direction_is_refused_on_binance) {
    Bench bench(Venue::binance);
    bench.trade(Side::buy, "0.02");
    OrderRequest request;
    request.symbol = "BTCUSDT";
    request.side = Side::sell;
    request.stop_kind = StopKind::stop;
    request.trigger_price = Decimal(60'000);
    request.close_position = true;
    EXPECT_TRUE(bench.market.place(*bench.account, request, kNow));
    request.trigger_price = Decimal(61'000);
    EXPECT_EQ(bench.market.place(*bench.account, request, kNow).refusal, Refusal::close_position_stop_exists);
}

TEST(Market, liquidation_takes_orders_first_and_then_the_position) {
    Bench bench;
    bench.trade(Side::buy, "0.02");
    const Placed resting = bench.limit(Side::buy, "0.01", "60000");
    bench.market.liquidate(*bench.account, "BTCUSDT", kNow);
    EXPECT_EQ(resting.order->end_reason, EndReason::liquidation);
    EXPECT_TRUE(bench.position().is_flat());
    EXPECT_EQ(bench.account->fills.back().origin, Origin::liquidation);
}
