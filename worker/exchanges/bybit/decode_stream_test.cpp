#include <gtest/gtest.h>

#include "exchanges/bybit/examples_test.hpp"

namespace tradesync::bybit::test {
namespace {

template <class T>
T only(const Decoded& decoded) {
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(decoded.facts.size(), 1u);
  return decoded.facts.size() == 1 ? std::get<T>(decoded.facts[0]) : T{};
}
Decoded account(std::string_view topic, std::string_view rows) { return decode(StreamKind::private_, push(topic, rows)); }

TEST(BybitStream, an_order_is_read_whole) {
  const auto decoded = account("order", kOrderRow);
  const auto order = only<Order>(decoded);
  EXPECT_TRUE(decoded.account_event);
  EXPECT_EQ(order.symbol, "BTCUSDT");
  EXPECT_EQ(order.order_id, "7d1f0c52-3b0e-4d7e-9a41-5f2c8e61b0a3");
  EXPECT_EQ(order.client_order_id, "t0-1");
  EXPECT_EQ(order.kind, OrderKind::regular);
  EXPECT_EQ(order.side, Side::buy);
  EXPECT_EQ(order.position_side, PositionSide::both);
  EXPECT_EQ(order.type, "market");
  EXPECT_EQ(order.status, OrderStatus::filled);
  EXPECT_EQ(order.venue_status, "Filled");
  EXPECT_EQ(order.price, std::nullopt);  // the bound of a market order is not its price
  EXPECT_EQ(order.stop_price, std::nullopt);
  EXPECT_EQ(order.quantity, dec("0.02"));
  EXPECT_EQ(order.filled_quantity, dec("0.02"));
  EXPECT_EQ(order.average_price, dec("63920.1"));
  EXPECT_FALSE(order.reduce_only);
  EXPECT_EQ(order.child_order_id, "");
  EXPECT_EQ(order.reject_reason, "");
  EXPECT_EQ(order.created_ms, 1785000100120);
  EXPECT_EQ(order.version, (Version{0, 1785000100123}));
}

TEST(BybitStream, a_position_stop_is_a_conditional_order) {
  const auto order = only<Order>(account("order", kStopRow));
  EXPECT_EQ(order.kind, OrderKind::conditional);
  EXPECT_EQ(order.type, "stop_market");
  EXPECT_EQ(order.status, OrderStatus::new_);
  EXPECT_EQ(order.venue_status, "Untriggered");
  EXPECT_EQ(order.stop_price, dec("62500"));
  EXPECT_EQ(order.price, std::nullopt);
  EXPECT_EQ(order.average_price, std::nullopt);
  EXPECT_TRUE(order.reduce_only);
  EXPECT_EQ(order.client_order_id, "");
}

TEST(BybitStream, the_older_style_of_empty_values_reads_the_same) {
  const auto order = only<Order>(account("order", kOldStyleOrderRow));
  EXPECT_EQ(order.kind, OrderKind::regular);
  EXPECT_EQ(order.type, "limit");
  EXPECT_EQ(order.status, OrderStatus::canceled);
  EXPECT_EQ(order.price, dec("63925"));
  EXPECT_EQ(order.stop_price, std::nullopt);
  EXPECT_EQ(order.average_price, std::nullopt);
  EXPECT_EQ(order.reject_reason, "EC_PostOnlyWillTakeLiquidity");
}

TEST(BybitStream, hedge_slots_become_position_sides) {
  EXPECT_EQ(only<Order>(account("order", replaced(kOrderRow, "\"positionIdx\":0", "\"positionIdx\":1"))).position_side,
            PositionSide::long_);
  EXPECT_EQ(only<Order>(account("order", replaced(kOrderRow, "\"positionIdx\":0", "\"positionIdx\":\"2\""))).position_side,
            PositionSide::short_);
  EXPECT_EQ(account("order", replaced(kOrderRow, "\"positionIdx\":0", "\"positionIdx\":7")).error,
            "order: positionIdx: none of 0, 1, 2");
}

TEST(BybitStream, every_optional_order_field_may_be_absent_null_empty_or_a_number) {
  const auto order = only<Order>(account("order", R"({"symbol":"BTCUSDT","orderId":"o","side":"Sell","orderStatus":"New"})"));
  EXPECT_EQ(order.quantity, Decimal());
  EXPECT_EQ(order.version.time, 0);
  const auto nulls = only<Order>(account(
      "order",
      R"({"symbol":"BTCUSDT","orderId":"o","side":"Sell","orderStatus":"New","price":null,"qty":null,"avgPrice":null,"orderLinkId":null,
          "reduceOnly":null,"updatedTime":null,"triggerPrice":"","cumExecQty":"","createdTime":""})"));
  EXPECT_EQ(nulls.price, std::nullopt);
  const auto numbers = only<Order>(account(
      "order",
      R"({"symbol":"BTCUSDT","orderId":12345,"side":"Sell","orderStatus":"New","orderType":"Limit","price":1.50,"qty":2,"avgPrice":0,
          "reduceOnly":"true","updatedTime":17,"positionIdx":"0"})"));
  EXPECT_EQ(numbers.order_id, "12345");
  EXPECT_EQ(numbers.price, dec("1.5"));
  EXPECT_EQ(numbers.quantity, Decimal(2));
  EXPECT_TRUE(numbers.reduce_only);
  EXPECT_EQ(numbers.version.time, 17);
}

TEST(BybitStream, unknown_words_never_fail_a_message) {
  std::string row = replaced(kOrderRow, "\"Filled\"", "\"Vaporised\"");
  row = replaced(row, "\"stopOrderType\":\"\"", "\"stopOrderType\":\"MoonStop\"");
  row = replaced(row, "CreateByUser", "CreateByCat");
  const auto order = only<Order>(account("order", row));
  EXPECT_EQ(order.status, OrderStatus::unknown);
  EXPECT_EQ(order.venue_status, "Vaporised");
  EXPECT_EQ(order.type, "moon_stop");
  EXPECT_EQ(order.kind, OrderKind::conditional);
}

TEST(BybitStream, one_malformed_row_is_named_and_the_others_come_through) {
  const std::string good(kOrderRow);
  for (const auto& [what, with, fault] :
       {std::tuple{"\"qty\":\"0.02\"", "\"qty\":\"1234567890123456789012345678901234567890\"",
                   "order: qty: not a decimal number of at most 38 digits"},
        std::tuple{"\"cumExecQty\":\"0.02\"", "\"cumExecQty\":\"NaN\"",
                   "order: cumExecQty: not a decimal number of at most 38 digits"},
        std::tuple{"\"side\":\"Buy\"", "\"side\":\"Hold\"", "order: side: neither Buy nor Sell"},
        std::tuple{"\"symbol\":\"BTCUSDT\",", "", "order: symbol: missing"},
        std::tuple{"\"reduceOnly\":false", "\"reduceOnly\":3", "order: reduceOnly: neither true nor false"},
        std::tuple{"\"updatedTime\":\"1785000100123\"", "\"updatedTime\":\"soon\"", "order: updatedTime: not an integer"}}) {
    const auto decoded = account("order", good + "," + replaced(good, what, with) + "," + good);
    EXPECT_EQ(decoded.error, fault);
    EXPECT_EQ(decoded.facts.size(), 2u);
    EXPECT_TRUE(decoded.account_event);
  }
  EXPECT_EQ(account("order", "5," + good).error, "order: row: not an object");
  EXPECT_EQ(decode(StreamKind::private_, R"({"topic":"order","data":{}})").error, "order: data: not a list");
}

TEST(BybitStream, an_execution_becomes_a_fill) {
  const auto decoded = account("execution", kExecutionRow);
  const auto fill = only<Fill>(decoded);
  EXPECT_TRUE(decoded.account_event);
  EXPECT_EQ(fill.symbol, "BTCUSDT");
  EXPECT_EQ(fill.trade_id, "5a1e9f70-3c44-5be2-a0d1-7f8e9d0c1b2a");
  EXPECT_EQ(fill.order_id, "c2b7b3c0-18b0-4e0d-9a4c-6f5e1d2c3b4a");
  EXPECT_EQ(fill.client_order_id, "t0-3");
  EXPECT_EQ(fill.side, Side::sell);
  EXPECT_EQ(fill.position_side, std::nullopt);
  EXPECT_EQ(fill.price, dec("64410.4"));
  EXPECT_EQ(fill.quantity, dec("0.02"));
  EXPECT_EQ(fill.fee, dec("0.7085144"));
  EXPECT_EQ(fill.fee_currency, "USDT");
  EXPECT_EQ(fill.realized_pnl, dec("9.806"));
  EXPECT_EQ(fill.closed_quantity, dec("0.02"));
  EXPECT_EQ(fill.exec_type, "trade");
  EXPECT_FALSE(fill.is_maker);
  EXPECT_EQ(fill.executed_ms, 1785000940066);
  EXPECT_EQ(fill.sequence, 612239981200);
}

TEST(BybitStream, only_executions_that_change_a_position_are_fills) {
  for (const char* type :
       {"Trade", "AdlTrade", "BustTrade", "Delivery", "Settle", "BlockTrade", "MovePosition", "FutureSpread", "CorporateAction"})
    EXPECT_EQ(only<Fill>(account("execution", replaced(kExecutionRow, "\"Trade\"", std::string("\"") + type + "\""))).exec_type,
              lower_snake(type));
  EXPECT_TRUE(account("execution", replaced(kExecutionRow, "\"Trade\"", "\"SessionSettlePnL\"")).facts.empty());
}

TEST(BybitStream, an_execution_of_an_unknown_kind_is_shown_and_not_booked) {
  for (const char* type : {"UNKNOWN", "Gift", ""}) {
    const auto decoded = account("execution", replaced(kExecutionRow, "\"Trade\"", std::string("\"") + type + "\""));
    const auto notice = only<Notice>(decoded);
    EXPECT_EQ(notice.event_type, "execution_not_understood");
    EXPECT_EQ(notice.symbol, "BTCUSDT");
    EXPECT_FALSE(decoded.account_event);
  }
}

TEST(BybitStream, funding_is_paid_when_positive_on_the_wire) {
  const auto funding = only<Funding>(account("execution", kFundingRow));
  EXPECT_EQ(funding.symbol, "ETHUSDT");
  EXPECT_EQ(funding.funding_id, "d0c9b8a7-1122-4c33-8d44-5e6f70819203");
  EXPECT_EQ(funding.amount, dec("-0.0871"));
  EXPECT_EQ(funding.rate, dec("0.0001"));
  EXPECT_EQ(funding.asset, "USDT");
  EXPECT_EQ(funding.at_ms, 1785024000000);
  EXPECT_EQ(only<Funding>(account("execution", replaced(kFundingRow, "\"0.0871\"", "\"-0.0871\""))).amount, dec("0.0871"));
}

TEST(BybitStream, extra_fees_of_the_same_coin_belong_to_the_fee) {
  const auto fill = only<Fill>(account(
      "execution",
      replaced(
          kExecutionRow, "\"extraFees\":\"\"",
          R"("extraFees":[{"feeCoin":"USDT","feeType":"TAX","feeRate":"0.001","fee":"0.01"},{"feeCoin":"BTC","fee":"5"}])")));
  EXPECT_EQ(fill.fee, dec("0.7185144"));
  EXPECT_EQ(account("execution", replaced(kExecutionRow, "\"extraFees\":\"\"", R"("extraFees":[{"fee":"x"}])")).error,
            "execution: extraFees: malformed");
}

TEST(BybitStream, what_an_execution_does_not_say_stays_unsaid) {
  std::string row = replaced(kExecutionRow, "\"closedSize\":\"0.02\"", "\"closedSize\":\"\"");
  row = replaced(row, "\"execPnl\":\"9.806\",", "");
  row = replaced(row, "\"seq\":612239981200", "\"seq\":\"-1\"");
  row = replaced(row, "\"feeCurrency\":\"USDT\"", "\"feeCurrency\":\"\"");
  const auto fill = only<Fill>(account("execution", row));
  EXPECT_EQ(fill.closed_quantity, std::nullopt);
  EXPECT_EQ(fill.realized_pnl, std::nullopt);
  EXPECT_EQ(fill.sequence, 0);
  EXPECT_EQ(fill.fee_currency, "USDT");
  EXPECT_EQ(account("execution", replaced(kExecutionRow, "\"execQty\":\"0.02\"", "\"execQty\":\"\"")).error,
            "execution: execQty: missing");
}

TEST(BybitStream, fast_executions_are_left_to_the_complete_ones) {
  for (const char* topic : {"execution.fast", "execution.fast.linear"}) {
    const auto decoded =
        account(topic, R"({"category":"linear","symbol":"BTCUSDT","execId":"e","execPrice":"1","execQty":"1","side":"Buy"})");
    EXPECT_TRUE(decoded.facts.empty());
    EXPECT_EQ(decoded.error, "");
  }
}

TEST(BybitStream, a_position_has_the_sign_of_its_side) {
  const auto decoded = account("position.linear", kStreamPositionRow);
  const auto position = only<VenuePosition>(decoded);
  EXPECT_TRUE(decoded.account_event);
  EXPECT_EQ(position.symbol, "BTCUSDT");
  EXPECT_EQ(position.position_side, PositionSide::both);
  EXPECT_EQ(position.quantity, dec("-0.02"));
  EXPECT_EQ(position.entry_price, dec("63920.1"));
  EXPECT_EQ(position.mark_price, dec("63918.24"));
  EXPECT_EQ(position.unrealized_pnl, dec("-0.0372"));
  EXPECT_EQ(position.leverage, Decimal(10));
  EXPECT_EQ(position.liquidation_price, Decimal());
  EXPECT_EQ(position.stop_loss, Decimal(65000));
  EXPECT_EQ(position.take_profit, Decimal());
  EXPECT_EQ(position.opened_ms, 1785000100120);
  EXPECT_EQ(position.version, (Version{612233445566, 1785000100123}));
}

TEST(BybitStream, a_closed_position_is_zero_without_a_side) {
  for (const char* side : {"\"\"", "\"None\"", "null"}) {
    const auto position =
        only<VenuePosition>(account("position", replaced(kClosedPositionRow, "\"side\":\"\"", std::string("\"side\":") + side)));
    EXPECT_TRUE(position.quantity.is_zero());
    EXPECT_EQ(position.stop_loss, Decimal());
    EXPECT_EQ(position.version, (Version{612239981200, 1785000940071}));
  }
}

TEST(BybitStream, an_open_position_without_a_side_takes_it_from_its_slot_or_is_refused) {
  const std::string no_side = replaced(kStreamPositionRow, "\"side\":\"Sell\"", "\"side\":\"\"");
  EXPECT_EQ(only<VenuePosition>(account("position", replaced(no_side, "\"positionIdx\":0", "\"positionIdx\":1"))).quantity,
            dec("0.02"));
  EXPECT_EQ(only<VenuePosition>(account("position", replaced(no_side, "\"positionIdx\":0", "\"positionIdx\":2"))).quantity,
            dec("-0.02"));
  EXPECT_EQ(account("position", no_side).error, "position: side: neither Buy nor Sell");
  EXPECT_EQ(account("position", replaced(kStreamPositionRow, "\"size\":\"0.02\"", "\"size\":\"\"")).error,
            "position: size: missing");
}

TEST(BybitStream, position_fields_that_are_absent_stay_unsaid) {
  const auto position = only<VenuePosition>(account("position", R"({"symbol":"BTCUSDT","side":"Buy","size":1,"seq":-1})"));
  EXPECT_EQ(position.stop_loss, std::nullopt);
  EXPECT_EQ(position.take_profit, std::nullopt);
  EXPECT_EQ(position.liquidation_price, std::nullopt);
  EXPECT_EQ(position.mark_price, std::nullopt);
  EXPECT_EQ(position.leverage, std::nullopt);
  EXPECT_EQ(position.version, Version{});
}

TEST(BybitStream, contracts_of_another_settlement_or_category_are_left_out) {
  for (const auto& row : {replaced(kOrderRow, "BTCUSDT", "BTCPERP"), replaced(kOrderRow, "\"linear\"", "\"spot\"")}) {
    const auto decoded = account("order", row);
    EXPECT_TRUE(decoded.facts.empty());
    EXPECT_EQ(decoded.error, "");
    EXPECT_FALSE(decoded.account_event);
  }
}

TEST(BybitStream, a_wallet_gives_one_balance_per_coin) {
  const auto decoded = account("wallet", kWalletRow);
  ASSERT_EQ(decoded.facts.size(), 2u) << decoded.error;
  EXPECT_TRUE(decoded.account_event);
  const auto& usdt = std::get<Balance>(decoded.facts[0]);
  EXPECT_EQ(usdt.asset, "USDT");
  EXPECT_EQ(usdt.wallet_balance, dec("10250.0468789"));
  EXPECT_EQ(usdt.equity, dec("10250.0096789"));
  EXPECT_EQ(usdt.available_balance, dec("10121.54038991"));
  EXPECT_EQ(usdt.updated_ms, 1785000100128);
  const auto& btc = std::get<Balance>(decoded.facts[1]);
  EXPECT_EQ(btc.available_balance, dec("0.09"));
  const auto unsaid =
      account("wallet", R"({"totalAvailableBalance":"","coin":[{"coin":"USDT","walletBalance":"1"},{"coin":"X"}]})");
  ASSERT_EQ(unsaid.facts.size(), 1u);
  EXPECT_EQ(std::get<Balance>(unsaid.facts[0]).available_balance, std::nullopt);
  EXPECT_EQ(unsaid.error, "wallet: walletBalance: missing");
}

TEST(BybitStream, ticker_deltas_carry_only_what_changed) {
  const auto snapshot = only<Price>(decode(StreamKind::public_, kTickerSnapshot));
  EXPECT_EQ(snapshot.symbol, "BTCUSDT");
  EXPECT_EQ(snapshot.mark, dec("63918.24"));
  EXPECT_EQ(snapshot.last, dec("63920.1"));
  EXPECT_EQ(snapshot.at_ms, 1785000099910);
  const auto delta = only<Price>(decode(StreamKind::public_, kTickerMarkDelta));
  EXPECT_EQ(delta.mark, dec("63919.02"));
  EXPECT_EQ(delta.last, std::nullopt);
  EXPECT_TRUE(decode(StreamKind::public_, kTickerBookDelta).facts.empty());
  const auto empty = only<Price>(decode(StreamKind::public_, replaced(kTickerSnapshot, "\"63918.24\"", "\"\"")));
  EXPECT_EQ(empty.mark, std::nullopt);
  EXPECT_FALSE(decode(StreamKind::public_, kTickerSnapshot).account_event);
}

TEST(BybitStream, topics_are_read_on_their_own_stream_only) {
  EXPECT_TRUE(decode(StreamKind::public_, push("order", kOrderRow)).facts.empty());
  EXPECT_TRUE(decode(StreamKind::private_, kTickerSnapshot).facts.empty());
}

TEST(BybitStream, all_shapes_of_the_login_answer_are_understood) {
  const auto authenticated = [](std::string_view text) { return only<Authenticated>(decode(StreamKind::private_, text)); };
  EXPECT_TRUE(authenticated(kAuthOk).ok);
  EXPECT_TRUE(authenticated(kTradeAuthOk).ok);
  EXPECT_TRUE(authenticated(R"({"op":"auth","success":true,"retCode":0,"retMsg":"","connId":"c"})").ok);
  EXPECT_FALSE(authenticated(kAuthFailed).ok);
  EXPECT_EQ(authenticated(kAuthFailed).message, "invalid signature");
  EXPECT_FALSE(authenticated(kTradeAuthFailed).ok);
  EXPECT_FALSE(authenticated(R"({"op":"auth"})").ok);
  EXPECT_FALSE(authenticated(R"({"op":"auth","success":false,"retCode":0})").ok);
}

TEST(BybitStream, a_subscription_answer_names_the_symbol_that_spoiled_it) {
  const auto ok = only<Acknowledged>(decode(StreamKind::private_, kSubscribed));
  EXPECT_TRUE(ok.ok);
  EXPECT_EQ(ok.command_id, "17");
  EXPECT_EQ(ok.failed_symbol, "");
  const auto failed = only<Acknowledged>(decode(StreamKind::public_, kSubscribeFailed));
  EXPECT_FALSE(failed.ok);
  EXPECT_EQ(failed.command_id, "18");
  EXPECT_EQ(failed.failed_symbol, "NOPEUSDT");
  const auto repeated = only<Acknowledged>(decode(
      StreamKind::public_,
      R"({"success":false,"ret_msg":"error:already subscribed,topic:tickers.BTCUSDT","conn_id":"c","req_id":"p3","op":"subscribe"})"));
  EXPECT_EQ(repeated.failed_symbol, "BTCUSDT");
  const auto invalid = only<Acknowledged>(
      decode(StreamKind::public_, R"({"success":false,"ret_msg":"error:invalid op","req_id":"p4","op":"subscrib"})"));
  EXPECT_FALSE(invalid.ok);
  const auto account_topic = only<Acknowledged>(
      decode(StreamKind::private_,
             R"({"success":false,"ret_msg":"error:already subscribed,topic:order.linear","req_id":"5","op":"subscribe"})"));
  EXPECT_EQ(account_topic.failed_symbol, "");
}

TEST(BybitStream, all_shapes_of_a_pong_are_understood) {
  for (const std::string_view text : {kPublicPong, kPrivatePong, kTradePong}) only<Pong>(decode(StreamKind::private_, text));
  only<Pong>(decode(StreamKind::public_, R"({"success":true,"ret_msg":"","op":"ping"})"));
}

TEST(BybitStream, unknown_events_are_nothing) {
  for (const char* text :
       {R"({})", R"([])", R"({"hello":"world"})", R"({"topic":"greeks","data":[{}]})", R"({"topic":"orders","data":[{}]})",
        R"({"topic":"dcp.future","data":5})", R"({"topic":"publicTrade.BTCUSDT","data":[]})", R"({"topic":7})",
        R"({"op":"hello","success":true})", R"([{"topic":"order"}])"})
    for (StreamKind kind : {StreamKind::private_, StreamKind::public_}) {
      const auto decoded = decode(kind, text);
      EXPECT_TRUE(decoded.facts.empty()) << text;
      EXPECT_EQ(decoded.error, "") << text;
    }
}

}  // namespace
}  // namespace tradesync::bybit::test
