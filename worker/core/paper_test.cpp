#include "core/paper.hpp"

#include "core/paper_account_test.hpp"

namespace tradesync {
namespace {

using namespace test;

// Both venues' ways, where there is no difference.
class PaperBothWays : public testing::TestWithParam<bool> {
 protected:
  PaperAccount account{GetParam() ? with_position_stops() : key_rules()};
  PaperBothWays() { account.mark("AAAUSDT", "100"); }
};
INSTANTIATE_TEST_SUITE_P(, PaperBothWays, testing::Bool());

TEST_P(PaperBothWays, market_order_fills_at_once_and_tells_everything_in_order) {
  const Reply reply = account.place(buy("2", "mine"));
  ASSERT_EQ(reply.outcome, Outcome::ok);
  const Order answer = last_of<Order>(reply.facts);
  EXPECT_EQ(answer.status, OrderStatus::filled);
  EXPECT_EQ(answer.average_price, decimal("100"));

  ASSERT_EQ(account.pushed.size(), 4u);
  const Order order = std::get<Order>(account.pushed[0]);
  const Fill fill = std::get<Fill>(account.pushed[1]);
  const VenuePosition position = std::get<VenuePosition>(account.pushed[2]);
  const Balance balance = std::get<Balance>(account.pushed[3]);
  EXPECT_EQ(order.client_order_id, "mine");
  EXPECT_EQ(order.created_ms, account.now_ms);
  EXPECT_EQ(fill.order_id, order.order_id);
  EXPECT_EQ(fill.client_order_id, "mine");
  EXPECT_EQ(fill.fee.text(), "0.1");  // 200 × 5 bps
  EXPECT_EQ(fill.fee_currency, "USDT");
  EXPECT_EQ(fill.position_side, PositionSide::both);
  EXPECT_EQ(fill.realized_pnl, Decimal());
  EXPECT_EQ(fill.closed_quantity, Decimal());
  EXPECT_EQ(fill.exec_type, "trade");
  EXPECT_EQ(position.quantity.text(), "2");
  EXPECT_EQ(position.entry_price.text(), "100");
  EXPECT_EQ(position.opened_ms, account.now_ms);
  EXPECT_EQ(position.leverage->text(), "10");
  EXPECT_EQ(fill.sequence, position.version.order);  // the report contains the fill
  EXPECT_EQ(balance.wallet_balance.text(), "9999.9");
  EXPECT_EQ(balance.available_balance->text(), "9979.9");
  EXPECT_EQ(balance.equity->text(), "9999.9");
}

TEST_P(PaperBothWays, closing_realizes_and_pays_the_fee) {
  account.place(buy("2"));
  account.mark("AAAUSDT", "110");
  EXPECT_EQ(account.position().unrealized_pnl->text(), "20");
  EXPECT_EQ(account.balance().equity->text(), "10019.9");
  account.place(reducing(sell("0.5")));
  const Fill fill = last_of<Fill>(account.pushed);
  EXPECT_EQ(fill.realized_pnl->text(), "5");
  EXPECT_EQ(fill.closed_quantity->text(), "0.5");
  EXPECT_EQ(fill.fee.text(), "0.0275");
  EXPECT_EQ(last_of<Balance>(account.pushed).wallet_balance.text(), "10004.8725");
  EXPECT_EQ(account.position().quantity.text(), "1.5");
  EXPECT_EQ(account.position().entry_price.text(), "100");
}

TEST_P(PaperBothWays, market_orders_take_last_price_and_slip_against_us_onto_the_tick) {
  PaperAccount slipping(account.rules, TradingSettings());
  slipping.mark("AAAUSDT", "100");
  slipping.place(buy("1"));
  EXPECT_EQ(last_of<Fill>(slipping.pushed).price.text(), "100.1");  // 100.02
  slipping.last("AAAUSDT", "101");
  slipping.place(reducing(sell("1")));
  EXPECT_EQ(last_of<Fill>(slipping.pushed).price.text(), "100.9");  // 100.9798
}

TEST_P(PaperBothWays, reduce_only_never_flips_and_never_opens) {
  EXPECT_EQ(account.place(reducing(sell("1"))).refusal, Refusal::reduce_only);
  account.place(buy("2"));
  EXPECT_EQ(account.place(reducing(buy("1"))).refusal, Refusal::reduce_only);
  EXPECT_TRUE(account.pushed.empty());
  account.place(reducing(sell("5")));
  EXPECT_EQ(told(account.pushed), "market filled 2/2");
  EXPECT_TRUE(account.position().quantity.is_zero());
}

TEST_P(PaperBothWays, without_reduce_only_a_larger_order_flips) {
  account.place(buy("2"));
  const std::int64_t opened_ms = account.now_ms;
  account.mark("AAAUSDT", "110");
  account.place(sell("5"));
  EXPECT_EQ(account.position().quantity.text(), "-3");
  EXPECT_EQ(account.position().entry_price.text(), "110");
  EXPECT_GT(account.position().opened_ms, opened_ms);
  EXPECT_EQ(account.balance().wallet_balance.text(), "10019.625");  // 10000 − 0.1 + 20 − 0.275
}

TEST_P(PaperBothWays, limit_orders_wait_for_the_mark_and_fill_at_their_price) {
  account.place(at_limit(buy("1", "low"), "99"));
  EXPECT_EQ(told(account.pushed), "limit new 0/1");
  EXPECT_EQ(account.balance().available_balance->text(), "9990.1");  // its margin is reserved
  account.mark("AAAUSDT", "99.1");
  EXPECT_TRUE(account.pushed.empty());
  account.mark("AAAUSDT", "98");
  EXPECT_EQ(told(account.pushed), "limit filled 1/1");
  EXPECT_EQ(last_of<Fill>(account.pushed).price.text(), "99");
  EXPECT_TRUE(last_of<Fill>(account.pushed).is_maker);
  // One that the market has reached already takes the market's price, not its own.
  account.place(at_limit(buy("1", "high"), "150"));
  EXPECT_EQ(last_of<Fill>(account.pushed).price.text(), "98");
  EXPECT_FALSE(last_of<Fill>(account.pushed).is_maker);
}

TEST_P(PaperBothWays, resting_reduce_only_orders_end_with_the_position) {
  account.place(buy("2"));
  account.place(reducing(at_limit(sell("2", "target"), "120")));
  account.place(reducing(sell("2")));
  const std::string ended = account.rules.position_stops ? "canceled" : "expired";
  EXPECT_EQ(told(account.pushed), "market filled 2/2; limit " + ended + " 0/2");
  EXPECT_TRUE(account.list(RequestKind::open_orders).facts.empty());
}

TEST_P(PaperBothWays, a_last_price_of_long_ago_is_not_where_the_market_is) {
  account.place(buy("2"));
  account.place(reducing(conditional(sell("2", "stop"), "95")));
  account.last("AAAUSDT", "100");
  account.now_ms += 5000;
  account.mark("AAAUSDT", "90");
  EXPECT_EQ(last_of<Fill>(account.pushed).price.text(), "90");
}

TEST_P(PaperBothWays, conditional_orders_fire_at_the_first_mark_beyond_them) {
  account.place(buy("2"));
  account.place(reducing(conditional(sell("2", "stop"), "95")));
  account.place(reducing(conditional(sell("2", "target"), "105", "take_profit_market")));
  account.mark("AAAUSDT", "95.1");
  account.last("AAAUSDT", "90");  // only the mark triggers
  EXPECT_TRUE(account.pushed.empty());
  account.mark("AAAUSDT", "95");
  const Fill fill = last_of<Fill>(account.pushed);
  EXPECT_EQ(fill.price.text(), "90");  // the market is where it is
  EXPECT_EQ(fill.realized_pnl->text(), "-20");
  EXPECT_TRUE(account.position().quantity.is_zero());
  // The other one stays, and is refused when it fires on nothing.
  account.mark("AAAUSDT", "105");
  EXPECT_EQ(told(account.pushed), "take_profit_market triggered 0/2; take_profit_market rejected 0/2");
  EXPECT_EQ(last_of<Order>(account.pushed).reject_reason, "there is no position to reduce");
}

TEST_P(PaperBothWays, buying_stops_trigger_above_and_buying_targets_below) {
  account.place(sell("1"));
  account.place(reducing(conditional(buy("1", "stop"), "105")));
  account.place(reducing(conditional(buy("1", "target"), "95", "take_profit_market")));
  account.mark("AAAUSDT", "104.9");
  account.mark("AAAUSDT", "95.1");
  EXPECT_TRUE(all<Fill>(account.pushed).empty());
  account.mark("AAAUSDT", "94");
  EXPECT_EQ(last_of<Fill>(account.pushed).price.text(), "94");
}

TEST_P(PaperBothWays, a_stop_whose_condition_holds_would_trigger) {
  account.place(buy("2"));
  EXPECT_EQ(account.place(reducing(conditional(sell("2"), "100"))).refusal, Refusal::would_trigger);
  EXPECT_EQ(account.place(reducing(conditional(sell("2"), "100", "take_profit_market"))).refusal, Refusal::would_trigger);
  EXPECT_EQ(account.place(reducing(conditional(sell("2"), "99.9"))).outcome, Outcome::ok);
}

TEST_P(PaperBothWays, entries_on_trigger_need_the_balance_then) {
  account.place(conditional(buy("100", "entry"), "110"));
  account.place(buy("400"));
  account.place(buy("500"));
  EXPECT_EQ(account.place(buy("100")).refusal, Refusal::balance);
  account.mark("AAAUSDT", "110");
  EXPECT_EQ(last_of<Order>(account.pushed).status, OrderStatus::rejected);
  EXPECT_EQ(last_of<Order>(account.pushed).client_order_id, "entry");
  EXPECT_NE(last_of<Order>(account.pushed).reject_reason, "");
}

TEST_P(PaperBothWays, margin_and_fee_must_be_available) {
  account.set_leverage("1");
  EXPECT_EQ(account.place(buy("100")).refusal, Refusal::balance);     // 10000 + 5
  EXPECT_EQ(account.place(buy("99.95")).outcome, Outcome::ok);        // 9995 + 4.9975
  EXPECT_EQ(account.place(buy("0.06")).refusal, Refusal::balance);
  EXPECT_EQ(account.place(sell("199.8")).outcome, Outcome::ok);       // what closes frees its margin
  EXPECT_EQ(account.place(reducing(buy("99.85"))).outcome, Outcome::ok);
}

TEST_P(PaperBothWays, what_a_venue_refuses_paper_refuses) {
  const auto refusal = [&](const OrderTicket& ticket) {
    const Reply reply = account.place(ticket);
    EXPECT_EQ(reply.outcome, Outcome::refused);
    EXPECT_FALSE(reply.message.empty());
    EXPECT_TRUE(account.pushed.empty());
    return reply.refusal;
  };
  EXPECT_EQ(refusal(buy("0.005")), Refusal::filter);
  EXPECT_EQ(refusal(buy("0.04")), Refusal::filter);   // worth 4
  EXPECT_EQ(refusal(buy("500.01")), Refusal::filter);
  EXPECT_EQ(refusal(buy("0")), Refusal::filter);
  EXPECT_EQ(refusal(buy("-1")), Refusal::filter);
  EXPECT_EQ(refusal(at_limit(buy("1"), "99.95")), Refusal::filter);
  EXPECT_EQ(refusal(conditional(sell("1"), "99.95")), Refusal::filter);
  OrderTicket hedge = buy("1");
  hedge.position_side = PositionSide::long_;
  EXPECT_EQ(refusal(hedge), Refusal::position_mode);
  OrderTicket elsewhere = buy("1");
  elsewhere.symbol = "CCCUSDT";
  EXPECT_EQ(refusal(elsewhere), Refusal::not_tradable);
  OrderTicket silent = buy("10");
  silent.symbol = "BBBUSDT";
  const Reply reply = account.place(silent);
  EXPECT_EQ(reply.refusal, Refusal::other);
  EXPECT_EQ(reply.message, "no live price of BBBUSDT");
  Instrument settling = paper_instrument("AAAUSDT", "0.1", "0.01");
  account.place(buy("1"));
  settling.status = "settling";
  account.paper.on_instrument(settling);
  EXPECT_EQ(refusal(buy("1")), Refusal::not_tradable);
  EXPECT_EQ(account.place(reducing(sell("1"))).outcome, Outcome::ok);
}

TEST_P(PaperBothWays, a_client_id_is_good_for_one_order) {
  account.place(at_limit(buy("1", "one"), "90"));
  EXPECT_EQ(account.place(buy("1", "one")).refusal, Refusal::duplicate);
  account.place(buy("1", "two"));
  EXPECT_EQ(account.place(buy("1", "two")).refusal, Refusal::duplicate);  // filled, and not filled again
  EXPECT_EQ(account.position().quantity.text(), "1");
}

TEST_P(PaperBothWays, orders_are_found_by_either_id) {
  account.place(at_limit(buy("1", "rests"), "90"));
  const std::string id = last_of<Order>(account.pushed).order_id;
  account.place(buy("1", "filled"));
  EXPECT_EQ(last_of<Order>(account.look_up(RequestKind::order, "rests").facts).order_id, id);
  EXPECT_EQ(last_of<Order>(account.look_up(RequestKind::order, "", id).facts).client_order_id, "rests");
  EXPECT_EQ(last_of<Order>(account.look_up(RequestKind::order, "filled").facts).status, OrderStatus::filled);
  EXPECT_EQ(account.look_up(RequestKind::order, "never").outcome, Outcome::not_found);
  EXPECT_EQ(account.look_up(RequestKind::order, "").outcome, Outcome::not_found);
  EXPECT_EQ(account.look_up(RequestKind::conditional_order, "never").outcome, Outcome::not_found);
}

TEST_P(PaperBothWays, canceled_orders_are_gone_and_unknown_ones_not_found) {
  account.place(at_limit(buy("1", "rests"), "90"));
  EXPECT_EQ(account.cancel(OrderKind::regular, "rests").outcome, Outcome::ok);
  EXPECT_EQ(told(account.pushed), "limit canceled 0/1");
  EXPECT_EQ(account.cancel(OrderKind::regular, "rests").outcome, Outcome::not_found);
  EXPECT_EQ(account.cancel(OrderKind::regular, "never").outcome, Outcome::not_found);
  account.mark("AAAUSDT", "80");
  EXPECT_TRUE(account.pushed.empty());
}

TEST_P(PaperBothWays, leverage_changes_once_and_within_bounds) {
  EXPECT_EQ(account.set_leverage("20").outcome, Outcome::ok);
  EXPECT_EQ(last_of<Leverage>(account.pushed).leverage.text(), "20");
  const Reply again = account.set_leverage("20");
  EXPECT_EQ(again.outcome, Outcome::ok);
  EXPECT_TRUE(account.pushed.empty());
  EXPECT_EQ(account.set_leverage("51").refusal, Refusal::filter);
  EXPECT_EQ(account.set_leverage("0.5").refusal, Refusal::filter);
  EXPECT_EQ(last_of<Leverage>(account.list(RequestKind::leverages, "AAAUSDT").facts).leverage.text(), "20");
  EXPECT_EQ(last_of<Leverage>(account.list(RequestKind::leverages, "BBBUSDT").facts).leverage.text(), "10");
  EXPECT_EQ(account.list(RequestKind::leverages).facts.size(), 1u);
}

TEST_P(PaperBothWays, lists_say_what_is_there) {
  EXPECT_TRUE(account.list(RequestKind::positions).facts.empty());
  const VenuePosition flat = account.position();  // by symbol: zero rows, too
  EXPECT_TRUE(flat.quantity.is_zero());
  EXPECT_EQ(flat.version, (Version{0, account.now_ms}));
  EXPECT_FALSE(account.list(RequestKind::position_mode).hedge_mode);
  EXPECT_EQ(account.balance().wallet_balance.text(), "10000");

  account.place(buy("1", "a"));
  const Fill first = last_of<Fill>(account.pushed);
  const std::int64_t between_ms = account.now_ms + 1;
  account.place(reducing(sell("1", "b")));
  const Fill second = last_of<Fill>(account.pushed);
  EXPECT_NE(first.trade_id, second.trade_id);
  EXPECT_EQ(account.list(RequestKind::executions).facts.size(), 2u);
  Request since;
  since.kind = RequestKind::executions;
  since.since_ms = between_ms;
  EXPECT_EQ(last_of<Fill>(account.ask(since).facts).trade_id, second.trade_id);
  EXPECT_EQ(account.ask(since).facts.size(), 1u);
  since.since_ms = 0;
  since.until_ms = between_ms;
  EXPECT_EQ(account.ask(since).facts.size(), 1u);
  since.until_ms = 0;
  since.from_id = second.trade_id;  // inclusive
  EXPECT_EQ(account.ask(since).facts.size(), 1u);
  EXPECT_EQ(told(account.list(RequestKind::closed_orders).facts), "market filled 1/1; market filled 1/1");
  EXPECT_TRUE(account.list(RequestKind::closed_orders, "BBBUSDT").facts.empty());
  EXPECT_EQ(last_of<Notice>(account.list(RequestKind::income_symbols).facts).symbol, "AAAUSDT");
  EXPECT_EQ(account.list(RequestKind::server_time).outcome, Outcome::refused);
  EXPECT_EQ(account.list(RequestKind::ticker).outcome, Outcome::refused);
}

TEST_P(PaperBothWays, versions_grow_even_within_a_millisecond_and_when_the_clock_steps_back) {
  Version before;
  for (int i = 0; i < 50; ++i) {
    account.now_ms -= i % 2 == 0 ? 1000 : 10;
    account.place(i % 3 == 0 ? reducing(sell("0.1")) : buy("0.1"));
    const auto positions = all<VenuePosition>(account.pushed);
    if (positions.empty()) continue;
    EXPECT_TRUE(positions.back().version.newer_than(before)) << i;
    EXPECT_GT(positions.back().version.time, before.time);
    before = positions.back().version;
  }
  EXPECT_GT(before.order, 0);
}

TEST_P(PaperBothWays, numbers_that_do_not_fit_are_refused) {
  Instrument limitless = paper_instrument("AAAUSDT", "0.1", "0.01");
  limitless.max_quantity = limitless.max_market_quantity = Decimal();
  account.paper.on_instrument(limitless);
  EXPECT_EQ(account.place(buy("99999999999999999999999999999999999999")).refusal, Refusal::filter);
  EXPECT_EQ(account.place(buy("100000000000000000000")).refusal, Refusal::balance);
  EXPECT_TRUE(account.position().quantity.is_zero());
}

}  // namespace
}  // namespace tradesync
