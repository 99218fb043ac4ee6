#include <gtest/gtest.h>

#include "exchanges/binance/examples_test.hpp"

namespace tradesync::binance::test {
namespace {

template <class T>
T only(const Decoded& decoded) {
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(decoded.facts.size(), 1u);
  return decoded.facts.empty() ? T{} : std::get<T>(decoded.facts[0]);
}

TEST(BinanceStream, a_new_order_carries_its_creation_and_version) {
  const auto decoded = decode(kOrderNew);
  const auto order = only<Order>(decoded);
  EXPECT_TRUE(decoded.account_event);
  EXPECT_EQ(order.symbol, "BTCUSDT");
  EXPECT_EQ(order.order_id, "1000123456789");
  EXPECT_EQ(order.client_order_id, "c1_0007");
  EXPECT_EQ(order.kind, OrderKind::regular);
  EXPECT_EQ(order.side, Side::buy);
  EXPECT_EQ(order.position_side, PositionSide::both);
  EXPECT_EQ(order.type, "market");
  EXPECT_EQ(order.status, OrderStatus::new_);
  EXPECT_EQ(order.venue_status, "NEW");
  EXPECT_EQ(order.price, std::nullopt);
  EXPECT_EQ(order.stop_price, std::nullopt);
  EXPECT_EQ(order.average_price, std::nullopt);
  EXPECT_EQ(order.quantity, dec("0.05"));
  EXPECT_TRUE(order.filled_quantity.is_zero());
  EXPECT_FALSE(order.reduce_only);
  EXPECT_EQ(order.reject_reason, "");
  EXPECT_EQ(order.created_ms, 1795000001234);
  EXPECT_EQ(order.version, (Version{1795000001234, 1795000001235}));
}

TEST(BinanceStream, a_trade_yields_the_order_and_then_its_fill) {
  const auto decoded = decode(kOrderTrade);
  ASSERT_EQ(decoded.error, "");
  ASSERT_EQ(decoded.facts.size(), 2u);
  const auto& order = std::get<Order>(decoded.facts[0]);
  EXPECT_EQ(order.status, OrderStatus::partially_filled);
  EXPECT_EQ(order.average_price, dec("61234.5"));
  EXPECT_EQ(order.created_ms, 0);
  const auto& fill = std::get<Fill>(decoded.facts[1]);
  EXPECT_EQ(fill.symbol, "BTCUSDT");
  EXPECT_EQ(fill.trade_id, "5600000101");
  EXPECT_EQ(fill.order_id, "1000123456789");
  EXPECT_EQ(fill.client_order_id, "c1_0007");
  EXPECT_EQ(fill.side, Side::buy);
  EXPECT_EQ(fill.position_side, PositionSide::both);
  EXPECT_EQ(fill.price, dec("61234.5"));
  EXPECT_EQ(fill.quantity, dec("0.03"));
  EXPECT_EQ(fill.fee, dec("0.9185175"));
  EXPECT_EQ(fill.fee_currency, "USDT");
  EXPECT_EQ(fill.realized_pnl, dec("-1.25"));
  EXPECT_EQ(fill.closed_quantity, std::nullopt);
  EXPECT_EQ(fill.exec_type, "trade");
  EXPECT_TRUE(fill.is_maker);
  EXPECT_EQ(fill.executed_ms, 1795000001233);
  EXPECT_EQ(fill.sequence, 1795000001234);
}

TEST(BinanceStream, commission_may_be_absent_or_null) {
  for (const auto& text : {replaced(kOrderTrade, R"("n":"0.91851750","N":"USDT",)", ""),
                           replaced(kOrderTrade, R"("n":"0.91851750","N":"USDT")", R"("n":null,"N":null)")}) {
    const auto decoded = decode(text);
    ASSERT_EQ(decoded.error, "");
    const auto& fill = std::get<Fill>(decoded.facts.at(1));
    EXPECT_TRUE(fill.fee.is_zero());
    EXPECT_EQ(fill.fee_currency, "");
  }
}

TEST(BinanceStream, only_executions_that_change_a_position_are_fills) {
  for (const std::string what : {"NEW", "CANCELED", "EXPIRED", "AMENDMENT", "REJECTED", "TRADE_PREVENTION", "SOMETHING"})
    only<Order>(decode(replaced(kOrderTrade, R"("x":"TRADE")", R"("x":")" + what + "\"")));
  only<Order>(decode(replaced(kOrderTrade, R"("t":5600000101)", R"("t":0)")));
  only<Order>(decode(replaced(kOrderTrade, R"("l":"0.03")", R"("l":"0")")));
  EXPECT_EQ(decode(replaced(kOrderTrade, R"("x":"TRADE")", R"("x":"CALCULATED")")).facts.size(), 2u);
}

TEST(BinanceStream, the_venues_own_orders_name_the_kind_of_execution) {
  const auto exec_type = [](std::string_view client_order_id) {
    return std::get<Fill>(decode(replaced(kOrderTrade, "c1_0007", client_order_id)).facts.at(1)).exec_type;
  };
  EXPECT_EQ(exec_type("autoclose-1795000001234"), "bust_trade");
  EXPECT_EQ(exec_type("adl_autoclose"), "adl_trade");
  EXPECT_EQ(exec_type("settlement_autoclose-17"), "settle");
  EXPECT_EQ(exec_type("delivery_autoclose-17"), "delivery");
}

TEST(BinanceStream, a_canceled_order_keeps_its_fills_and_says_why) {
  const auto order = only<Order>(decode(kOrderCanceled));
  EXPECT_EQ(order.status, OrderStatus::canceled);
  EXPECT_EQ(order.filled_quantity, dec("0.04"));
  EXPECT_EQ(order.price, dec("61000"));
  EXPECT_EQ(order.position_side, PositionSide::long_);
  EXPECT_EQ(order.side, Side::sell);
  EXPECT_TRUE(order.reduce_only);
  EXPECT_EQ(order.reject_reason, "reduce-only order displaced or would reverse");
}

TEST(BinanceStream, an_unknown_status_leaves_the_order_unknown_and_an_unknown_side_spoils_it) {
  const auto order = only<Order>(decode(replaced(kOrderNew, R"("X":"NEW")", R"("X":"ASLEEP")")));
  EXPECT_EQ(order.status, OrderStatus::unknown);
  EXPECT_EQ(order.venue_status, "ASLEEP");
  const auto spoiled = decode(replaced(kOrderNew, R"("S":"BUY")", R"("S":"HOLD")"));
  EXPECT_TRUE(spoiled.facts.empty());
  EXPECT_EQ(spoiled.error, "ORDER_TRADE_UPDATE.o.S: neither BUY nor SELL");
}

TEST(BinanceStream, numbers_may_come_as_text_and_text_as_numbers) {
  auto text = replaced(kOrderTrade, R"("i":1000123456789)", R"("i":"1000123456789")");
  text = replaced(text, R"("z":"0.03")", R"("z":0.03)");
  const auto decoded = decode(text);
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(std::get<Order>(decoded.facts.at(0)).order_id, "1000123456789");
  EXPECT_EQ(std::get<Order>(decoded.facts.at(0)).filled_quantity, dec("0.03"));
}

TEST(BinanceStream, an_order_id_beyond_two_to_the_53_keeps_every_digit) {
  const auto decoded = decode(replaced(kOrderNew, "1000123456789", "9007199254740993007"));
  EXPECT_EQ(only<Order>(decoded).order_id, "9007199254740993007");
}

TEST(BinanceStream, a_broken_fill_does_not_take_its_order_along) {
  const auto decoded = decode(replaced(kOrderTrade, R"("L":"61234.5")", R"("L":"0.1234567890123456789012345678901234567890")"));
  EXPECT_EQ(decoded.facts.size(), 1u);
  EXPECT_EQ(decoded.error, "ORDER_TRADE_UPDATE.o.L: not a decimal number of at most 38 digits");
}

TEST(BinanceStream, a_trailing_orders_stop_price_means_nothing) {
  auto text = replaced(kOrderNew, R"("ot":"MARKET")", R"("ot":"TRAILING_STOP_MARKET")");
  EXPECT_EQ(only<Order>(decode(replaced(text, R"("sp":"0")", R"("sp":"7103.04")"))).stop_price, std::nullopt);
}

TEST(BinanceStream, a_stop_order_is_conditional) {
  const auto order = only<Order>(decode(kAlgoNew));
  EXPECT_EQ(order.kind, OrderKind::conditional);
  EXPECT_EQ(order.order_id, "1000000311223344");
  EXPECT_EQ(order.client_order_id, "sl_btc_01");
  EXPECT_EQ(order.type, "stop_market");
  EXPECT_EQ(order.status, OrderStatus::new_);
  EXPECT_EQ(order.stop_price, dec("60000"));
  EXPECT_EQ(order.price, std::nullopt);
  EXPECT_EQ(order.quantity, dec("0.05"));
  EXPECT_TRUE(order.reduce_only);
  EXPECT_EQ(order.child_order_id, "");
  EXPECT_EQ(order.created_ms, 1795000003000);
  EXPECT_EQ(order.version, (Version{1795000003000, 1795000003004}));
}

TEST(BinanceStream, a_finished_stop_is_filled_only_when_its_child_filled_it) {
  const auto filled = only<Order>(decode(kAlgoFinished));
  EXPECT_EQ(filled.status, OrderStatus::filled);
  EXPECT_EQ(filled.venue_status, "FINISHED");
  EXPECT_EQ(filled.child_order_id, "1000123457001");
  EXPECT_EQ(filled.average_price, dec("59990"));

  const auto part = only<Order>(decode(replaced(kAlgoFinished, R"("aq":"0.050")", R"("aq":"0.020")")));
  EXPECT_EQ(part.status, OrderStatus::canceled);
  EXPECT_EQ(part.filled_quantity, dec("0.02"));

  const auto whole_position = replaced(replaced(kAlgoFinished, R"("q":"0.050")", R"("q":"0")"), R"("cp":false)", R"("cp":true)");
  EXPECT_EQ(only<Order>(decode(whole_position)).status, OrderStatus::filled);
  EXPECT_EQ(only<Order>(decode(replaced(whole_position, R"("aq":"0.050")", R"("aq":"0")"))).status, OrderStatus::canceled);
  EXPECT_EQ(only<Order>(decode(replaced(kAlgoFinished, R"("aq":"0.050",)", ""))).status, OrderStatus::triggered);
}

TEST(BinanceStream, every_algo_status_has_its_word) {
  const auto status = [](std::string_view word) {
    return only<Order>(decode(replaced(kAlgoNew, R"("X":"NEW")", R"("X":")" + std::string(word) + "\""))).status;
  };
  EXPECT_EQ(status("TRIGGERING"), OrderStatus::triggered);
  EXPECT_EQ(status("TRIGGERED"), OrderStatus::triggered);
  EXPECT_EQ(status("CANCELED"), OrderStatus::canceled);
  EXPECT_EQ(status("REJECTED"), OrderStatus::rejected);
  EXPECT_EQ(status("EXPIRED"), OrderStatus::expired);
}

TEST(BinanceStream, a_reason_counts_only_for_a_stop_that_failed) {
  const auto with_reason = replaced(kAlgoNew, R"("gtd":0)", R"("gtd":0,"rm":"Reduce Only reject")");
  EXPECT_EQ(only<Order>(decode(with_reason)).reject_reason, "");
  EXPECT_EQ(only<Order>(decode(replaced(with_reason, R"("X":"NEW")", R"("X":"REJECTED")"))).reject_reason, "Reduce Only reject");
  const auto filled = replaced(kAlgoFinished, R"("gtd":0)", R"("gtd":0,"rm":"Reduce Only reject")");
  EXPECT_EQ(only<Order>(decode(filled)).reject_reason, "");
}

TEST(BinanceStream, activation_of_a_trailing_stop_is_not_its_creation) {
  const auto trailing = replaced(kAlgoNew, "STOP_MARKET", "TRAILING_STOP_MARKET");
  EXPECT_EQ(only<Order>(decode(trailing)).created_ms, 0);
  EXPECT_EQ(only<Order>(decode(replaced(trailing, R"("ia":true)", R"("ia":false)"))).created_ms, 1795000003000);
}

TEST(BinanceStream, an_account_update_yields_balances_and_positions) {
  const auto decoded = decode(kAccountUpdate);
  ASSERT_EQ(decoded.error, "");
  ASSERT_EQ(decoded.facts.size(), 2u);
  EXPECT_TRUE(decoded.account_event);
  const auto& balance = std::get<Balance>(decoded.facts[0]);
  EXPECT_EQ(balance.asset, "USDT");
  EXPECT_EQ(balance.wallet_balance, dec("9999.0814825"));
  EXPECT_EQ(balance.available_balance, std::nullopt);
  EXPECT_EQ(balance.updated_ms, 1795000001234);
  const auto& position = std::get<VenuePosition>(decoded.facts[1]);
  EXPECT_EQ(position.symbol, "BTCUSDT");
  EXPECT_EQ(position.quantity, dec("-0.03"));
  EXPECT_EQ(position.entry_price, dec("147.3"));
  EXPECT_EQ(position.unrealized_pnl, dec("0.168"));
  EXPECT_EQ(position.leverage, std::nullopt);
  EXPECT_EQ(position.mark_price, std::nullopt);
  EXPECT_EQ(position.version, (Version{1795000001234, 1795000001235}));
}

TEST(BinanceStream, in_hedge_mode_the_empty_one_way_row_is_left_out) {
  const std::string_view row = R"({"s":"BTCUSDT","pa":"0","ep":"0","up":"0","ps":"BOTH"})";
  const auto message = [](std::string_view rows) {
    return std::string(R"({"e":"ACCOUNT_UPDATE","E":2,"T":1,"a":{"m":"ORDER","P":[)").append(rows).append("]}}");
  };
  EXPECT_EQ(only<VenuePosition>(decode(message(row))).quantity, Decimal());
  const auto hedge = std::string(row) + R"(,{"s":"BTCUSDT","pa":"-1","ep":"6563.8","up":"0","ps":"SHORT"})";
  EXPECT_EQ(only<VenuePosition>(decode(message(hedge))).position_side, PositionSide::short_);
}

TEST(BinanceStream, one_malformed_row_is_named_and_the_others_come_through) {
  const auto decoded = decode(R"({"e":"ACCOUNT_UPDATE","E":2,"T":1,"a":{"m":"ORDER","B":[{"a":"USDT","wb":"1"},{"a":"BNB","wb":"x"}],
    "P":[{"s":"A","pa":"1","ep":"1","ps":"BOTH"},{"s":"B","pa":"1","ps":"BOTH"},7]}})");
  EXPECT_EQ(decoded.facts.size(), 2u);
  EXPECT_EQ(decoded.error, "ACCOUNT_UPDATE.a.B[1].wb: not a decimal number of at most 38 digits");
  EXPECT_TRUE(decoded.account_event);
}

TEST(BinanceStream, funding_is_a_balance_and_a_payment) {
  const auto decoded = decode(kFunding);
  ASSERT_EQ(decoded.error, "");
  ASSERT_EQ(decoded.facts.size(), 2u);
  EXPECT_EQ(std::get<Balance>(decoded.facts[0]).wallet_balance, dec("9998.162936"));
  const auto& funding = std::get<Funding>(decoded.facts[1]);
  EXPECT_EQ(funding.symbol, "BTCUSDT");
  EXPECT_EQ(funding.amount, dec("-0.3062005"));
  EXPECT_EQ(funding.asset, "USDT");
  EXPECT_EQ(funding.at_ms, 1795017600410);
  EXPECT_EQ(funding.rate, std::nullopt);
  EXPECT_EQ(funding.funding_id, std::get<Funding>(decode(kFunding).facts[1]).funding_id);
  EXPECT_NE(funding.funding_id, std::get<Funding>(decode(replaced(kFunding, "-0.3062", "0.3062")).facts[1]).funding_id);
}

TEST(BinanceStream, isolated_funding_without_a_symbol_takes_it_from_its_position) {
  auto text = replaced(kFunding, R"("S":"BTCUSDT",)", "");
  text = replaced(text, R"("P":[])", R"("P":[{"s":"ETHUSDT","pa":"1","ep":"2800","up":"0","ps":"BOTH"}])");
  EXPECT_EQ(std::get<Funding>(decode(text).facts.at(1)).symbol, "ETHUSDT");
}

TEST(BinanceStream, notices_name_symbol_and_reason) {
  const auto margin = decode(kMarginCall);
  const auto margin_call = only<Notice>(margin);
  EXPECT_FALSE(margin.account_event);
  EXPECT_EQ(margin_call.event_type, "margin_call");
  EXPECT_EQ(margin_call.severity, "CRITICAL");
  EXPECT_EQ(margin_call.symbol, "ETHUSDT");
  EXPECT_EQ(margin_call.message, "margin call: long 0.850 at mark 2804.55000000, maintenance margin 11.91933750");
  const auto rejected = only<Notice>(decode(kTriggerRejected));
  EXPECT_EQ(rejected.event_type, "conditional_order_trigger_reject");
  EXPECT_EQ(rejected.message, "order 1000123458888 was not accepted when it triggered: reason text");
}

TEST(BinanceStream, a_leverage_change_is_a_fact_and_multi_asset_mode_is_not) {
  EXPECT_EQ(only<Leverage>(decode(kLeverageChanged)).leverage, Decimal(20));
  EXPECT_TRUE(decode(kMultiAssetMode).facts.empty());
}

TEST(BinanceStream, an_expired_listen_key_is_told_without_its_value) {
  only<ListenKeyExpired>(decode(kListenKeyExpired));
}

TEST(BinanceStream, prices_carry_what_their_stream_knows) {
  const auto mark = only<Price>(decode(kMarkPrice));
  EXPECT_EQ(mark.symbol, "BTCUSDT");
  EXPECT_EQ(mark.mark, dec("61240.1"));
  EXPECT_EQ(mark.last, std::nullopt);
  EXPECT_EQ(mark.at_ms, 1795000002000);
  const auto last = only<Price>(decode(kMiniTicker));
  EXPECT_EQ(last.last, dec("61234.5"));
  EXPECT_EQ(last.mark, std::nullopt);
  EXPECT_FALSE(decode(kMarkPrice).account_event);
  EXPECT_TRUE(decode(replaced(kMarkPrice, R"("st":1)", R"("st":2)")).facts.empty());
}

TEST(BinanceStream, wrapped_messages_and_lists_of_events_read_the_same) {
  EXPECT_EQ(only<Price>(decode(kWrapped)).mark, dec("61240.1"));
  const auto list = "[" + std::string(kMarkPrice) + "," + std::string(kMarkPrice) + ",3]";
  EXPECT_EQ(decode(list).facts.size(), 2u);
  EXPECT_EQ(decode(R"({"stream":"!markPrice@arr","data":)" + list + "}").facts.size(), 2u);
}

TEST(BinanceStream, answers_to_commands_say_which_and_whether) {
  const auto ack = only<Acknowledged>(decode(kAck));
  EXPECT_TRUE(ack.ok);
  EXPECT_EQ(ack.command_id, "1");
  const auto error = only<Acknowledged>(decode(kCommandError));
  EXPECT_FALSE(error.ok);
  EXPECT_EQ(error.command_id, "7");
  EXPECT_EQ(error.message, "2 Invalid request: unknown variant");
  const auto bare = only<Acknowledged>(decode(R"({"code":3,"msg":"Invalid JSON"})"));
  EXPECT_FALSE(bare.ok);
  EXPECT_EQ(bare.command_id, "");
}

TEST(BinanceStream, what_we_do_not_know_yields_nothing_and_is_no_error) {
  for (const std::string_view text : {std::string_view(kTradeLite), std::string_view(R"({"e":"STRATEGY_UPDATE","su":{}})"),
                                      std::string_view(R"({"e":"NEWS","x":[1,{"y":null}]})"), std::string_view("{}"),
                                      std::string_view("[]"), std::string_view(R"({"e":7})")}) {
    const auto decoded = decode(text);
    EXPECT_TRUE(decoded.facts.empty()) << text;
    EXPECT_EQ(decoded.error, "") << text;
    EXPECT_FALSE(decoded.account_event) << text;
  }
}

}  // namespace
}  // namespace tradesync::binance::test
