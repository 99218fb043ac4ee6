#include <gtest/gtest.h>

#include "exchanges/binance/examples_test.hpp"

namespace tradesync::binance::test {
namespace {

template <class T>
T only(const Reply& reply) {
  EXPECT_EQ(reply.outcome, Outcome::ok) << reply.message;
  EXPECT_EQ(reply.facts.size(), 1u);
  return reply.facts.empty() ? T{} : std::get<T>(reply.facts[0]);
}

std::string list(std::string_view row) { return std::string("[").append(row).append("]"); }

TEST(BinanceRest, every_example_is_understood_completely) {
  for (const auto& example : kRestExamples) {
    Request request = question(example.kind);
    request.id = 42;
    const Reply answer = reply(request, example.body);
    EXPECT_EQ(answer.outcome, Outcome::ok) << answer.message;
    EXPECT_EQ(answer.id, 42u);
    EXPECT_EQ(answer.http_status, 200);
    EXPECT_EQ(answer.next_cursor, example.kind == RequestKind::ticker ? kLastPriceStep : "");
  }
}

TEST(BinanceRest, the_venues_clock_is_read) {
  EXPECT_EQ(reply(RequestKind::server_time, R"({"serverTime":1795000001234})").venue_time_ms, 1795000001234);
  EXPECT_EQ(reply(RequestKind::server_time, "{}").outcome, Outcome::failed);
}

TEST(BinanceRest, an_order_row_reads_like_its_event) {
  for (const auto& answer : {reply(RequestKind::order, kOrderRow), reply(RequestKind::open_orders, list(kOrderRow)),
                             reply(RequestKind::closed_orders, list(kOrderRow))}) {
    const auto order = only<Order>(answer);
    EXPECT_EQ(order.kind, OrderKind::regular);
    EXPECT_EQ(order.order_id, "1000123456789");
    EXPECT_EQ(order.client_order_id, "c1_0007");
    EXPECT_EQ(order.status, OrderStatus::filled);
    EXPECT_EQ(order.type, "market");
    EXPECT_EQ(order.price, std::nullopt);
    EXPECT_EQ(order.stop_price, std::nullopt);
    EXPECT_EQ(order.average_price, dec("61234.54"));
    EXPECT_EQ(order.filled_quantity, dec("0.05"));
    EXPECT_EQ(order.created_ms, 1795000001230);
    EXPECT_EQ(order.version, (Version{1795000001234, 1795000001234}));
  }
}

TEST(BinanceRest, avg_price_may_be_missing) {
  const auto row = replaced(kOrderRow, R"("avgPrice":"61234.54000",)", "");
  EXPECT_EQ(only<Order>(reply(RequestKind::order, row)).average_price, std::nullopt);
}

TEST(BinanceRest, a_trailing_orders_stop_price_means_nothing) {
  const auto stop = replaced(kOrderRow, R"("stopPrice":"0.00")", R"("stopPrice":"7103.04")");
  EXPECT_EQ(only<Order>(reply(RequestKind::order, stop)).stop_price, dec("7103.04"));
  const auto trailing = replaced(stop, R"("origType":"MARKET")", R"("origType":"TRAILING_STOP_MARKET")");
  EXPECT_EQ(only<Order>(reply(RequestKind::order, trailing)).stop_price, std::nullopt);
}

TEST(BinanceRest, an_algo_row_reads_with_exponents_and_both_names_of_its_type) {
  const auto order = only<Order>(reply(RequestKind::conditional_order, kAlgoRow));
  EXPECT_EQ(order.kind, OrderKind::conditional);
  EXPECT_EQ(order.order_id, "1000000311223344");
  EXPECT_EQ(order.type, "stop_market");
  EXPECT_EQ(order.quantity, dec("0.0005"));
  EXPECT_EQ(order.status, OrderStatus::filled);
  EXPECT_EQ(order.position_side, PositionSide::short_);
  EXPECT_EQ(order.stop_price, dec("60000"));
  EXPECT_EQ(order.price, std::nullopt);
  EXPECT_EQ(order.average_price, dec("59990"));
  EXPECT_EQ(order.child_order_id, "1000123457001");
  EXPECT_EQ(order.created_ms, 1795000003000);
  EXPECT_EQ(order.version, (Version{1795000900037, 1795000900037}));
  const auto older = replaced(kAlgoRow, R"("orderType")", R"("type")");
  EXPECT_EQ(only<Order>(reply(RequestKind::open_conditional_orders, list(older))).type, "stop_market");
}

TEST(BinanceRest, a_finished_algo_row_without_its_quantity_leaves_the_end_to_the_child) {
  const auto older = replaced(kAlgoRow, R"("actualQty":"0.0005",)", "");
  EXPECT_EQ(only<Order>(reply(RequestKind::conditional_order, older)).status, OrderStatus::triggered);
}

TEST(BinanceRest, flat_rows_come_only_for_the_symbol_that_was_asked) {
  const auto position = only<VenuePosition>(reply(RequestKind::positions, kPositionRows));
  EXPECT_EQ(position.symbol, "BTCUSDT");
  EXPECT_EQ(position.quantity, dec("-0.05"));
  EXPECT_EQ(position.entry_price, dec("61234.54"));
  EXPECT_EQ(position.mark_price, dec("61240.1"));
  EXPECT_EQ(position.unrealized_pnl, dec("0.278"));
  EXPECT_EQ(position.liquidation_price, Decimal());
  EXPECT_EQ(position.leverage, std::nullopt);
  EXPECT_EQ(position.version, (Version{1795000001234, 1795000001234}));

  Request request;
  request.kind = RequestKind::positions;
  request.symbol = "ETHUSDT";
  const Reply both = reply(request, kPositionRows);
  ASSERT_EQ(both.facts.size(), 2u);
  EXPECT_EQ(std::get<VenuePosition>(both.facts[1]).version, Version{});
  EXPECT_EQ(reply(request, "[]").outcome, Outcome::ok);
}

TEST(BinanceRest, balances_carry_wallet_available_and_equity) {
  const auto balance = only<Balance>(reply(RequestKind::balances, kBalanceRows));
  EXPECT_EQ(balance.asset, "USDT");
  EXPECT_EQ(balance.wallet_balance, dec("9998.4691365"));
  EXPECT_EQ(balance.available_balance, dec("9845.6468865"));
  EXPECT_EQ(balance.equity, dec("9998.7471365"));
  EXPECT_EQ(balance.updated_ms, 1795000001234);
}

TEST(BinanceRest, position_mode_leverage_and_listen_key_are_read) {
  EXPECT_TRUE(reply(RequestKind::position_mode, R"({"dualSidePosition":true})").hedge_mode);
  EXPECT_FALSE(reply(RequestKind::position_mode, R"({"dualSidePosition":"false"})").hedge_mode);
  EXPECT_EQ(reply(RequestKind::position_mode, "{}").outcome, Outcome::failed);
  EXPECT_EQ(only<Leverage>(reply(RequestKind::leverages, kSymbolConfig)).leverage, Decimal(20));
  EXPECT_EQ(reply(RequestKind::create_listen_key, R"({"listenKey":"abc"})").listen_key, "abc");
  EXPECT_EQ(reply(RequestKind::create_listen_key, "{}").outcome, Outcome::failed);
  EXPECT_EQ(reply(RequestKind::keep_alive_listen_key, "{}").outcome, Outcome::ok);
}

TEST(BinanceRest, an_instrument_carries_its_limits_and_a_dead_one_has_none) {
  const Reply answer = reply(RequestKind::instruments, kExchangeInfo);
  ASSERT_EQ(answer.facts.size(), 2u);
  const auto& live = std::get<Instrument>(answer.facts[0]);
  EXPECT_EQ(live.symbol, "BTCUSDT");
  EXPECT_EQ(live.status, "trading");
  EXPECT_EQ(live.contract_type, "perpetual");
  EXPECT_EQ(live.base_asset, "BTC");
  EXPECT_EQ(live.quote_asset, "USDT");
  EXPECT_EQ(live.settle_asset, "USDT");
  EXPECT_EQ(live.tick_size, dec("0.1"));
  EXPECT_EQ(live.quantity_step, dec("0.001"));
  EXPECT_EQ(live.min_quantity, dec("0.001"));
  EXPECT_EQ(live.max_quantity, dec("1000"));
  EXPECT_EQ(live.max_market_quantity, dec("120"));
  EXPECT_EQ(live.min_notional, dec("100"));
  const auto& dead = std::get<Instrument>(answer.facts[1]);
  EXPECT_EQ(dead.status, "closed");
  EXPECT_TRUE(dead.tick_size.is_zero());

  Request request;
  request.kind = RequestKind::instruments;
  request.symbol = "BTCUSDT";
  EXPECT_EQ(only<Instrument>(reply(request, kExchangeInfo)).symbol, "BTCUSDT");
}

TEST(BinanceRest, one_odd_instrument_does_not_spoil_the_others) {
  const Reply answer = reply(RequestKind::instruments, replaced(kExchangeInfo, R"("tickSize":"0.10")", R"("tickSize":"?")"));
  EXPECT_EQ(answer.outcome, Outcome::ok);
  ASSERT_EQ(answer.facts.size(), 2u);
  EXPECT_EQ(std::get<Notice>(answer.facts[0]).symbol, "BTCUSDT");
  EXPECT_EQ(std::get<Notice>(answer.facts[0]).message, "filters: a limit is not a decimal number");
  EXPECT_EQ(std::get<Instrument>(answer.facts[1]).symbol, "OLDUSDT_240329");
}

TEST(BinanceRest, a_trade_row_is_a_fill) {
  const auto fill = only<Fill>(reply(RequestKind::executions, kTradeRows));
  EXPECT_EQ(fill.trade_id, "5600000101");
  EXPECT_EQ(fill.order_id, "1000123456789");
  EXPECT_EQ(fill.client_order_id, "");
  EXPECT_EQ(fill.position_side, PositionSide::both);
  EXPECT_EQ(fill.price, dec("61234.5"));
  EXPECT_EQ(fill.quantity, dec("0.03"));
  EXPECT_EQ(fill.fee, dec("0.9185175"));
  EXPECT_EQ(fill.fee_currency, "USDT");
  EXPECT_EQ(fill.realized_pnl, Decimal());
  EXPECT_EQ(fill.exec_type, "trade");
  EXPECT_FALSE(fill.is_maker);
  EXPECT_EQ(fill.executed_ms, 1795000001234);
  EXPECT_EQ(fill.sequence, 1795000001234);
}

TEST(BinanceRest, income_names_each_traded_symbol_once) {
  const auto notice = only<Notice>(reply(RequestKind::income_symbols, kIncomeRows));
  EXPECT_EQ(notice.event_type, "income");
  EXPECT_EQ(notice.symbol, "BTCUSDT");
}

TEST(BinanceRest, a_list_that_is_no_list_concludes_nothing) {
  for (const auto kind : {RequestKind::positions, RequestKind::open_orders, RequestKind::open_conditional_orders,
                          RequestKind::executions, RequestKind::closed_orders, RequestKind::balances, RequestKind::leverages,
                          RequestKind::income_symbols, RequestKind::instruments}) {
    EXPECT_EQ(reply(kind, "{}").outcome, Outcome::failed);
    EXPECT_EQ(reply(kind, R"({"symbols":null})").outcome, Outcome::failed);
    EXPECT_EQ(reply(kind, "<html>").outcome, Outcome::failed);
    EXPECT_EQ(reply(kind, "").outcome, Outcome::failed);
  }
}

TEST(BinanceRest, one_malformed_row_makes_the_answer_inconclusive_but_the_others_come_through) {
  const auto broken = replaced(kTradeRows, R"("qty":"0.030")", R"("qty":"1234567890123456789012345678901234567890.5")");
  const std::string two = "[" + broken.substr(1, broken.size() - 2) + "," + std::string(kTradeRows.substr(1));
  const Reply answer = reply(RequestKind::executions, two);
  EXPECT_EQ(answer.outcome, Outcome::failed);
  EXPECT_EQ(answer.facts.size(), 1u);
  EXPECT_EQ(answer.message, "userTrades[0].qty: not a decimal number of at most 38 digits");
}

std::string trades(std::size_t count, std::int64_t first_id) {
  const std::string_view row = kTradeRows.substr(1, kTradeRows.size() - 2);
  std::string rows;
  for (std::size_t i = 0; i < count; ++i)
    rows.append(i == 0 ? "[" : ",").append(replaced(row, "5600000101", std::to_string(first_id + static_cast<std::int64_t>(i))));
  return rows + "]";
}

TEST(BinanceRest, a_full_page_of_trades_goes_on_behind_its_largest_id) {
  EXPECT_EQ(reply(RequestKind::executions, trades(kTradePage - 1, 100)).next_cursor, "");
  EXPECT_EQ(reply(RequestKind::executions, trades(kTradePage, 100)).next_cursor, "1100");
}

TEST(BinanceRest, a_full_page_with_a_lost_row_has_no_next_page) {
  const std::string page = replaced(trades(kTradePage, 100), R"("price":"61234.50")", R"("price":"?")");
  const Reply answer = reply(RequestKind::executions, page);
  EXPECT_EQ(answer.outcome, Outcome::failed);
  EXPECT_EQ(answer.next_cursor, "");
  EXPECT_EQ(answer.facts.size(), kTradePage - 1);
}

std::string orders(std::size_t count, std::int64_t first_ms, std::int64_t step_ms) {
  std::string rows;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string created = std::to_string(first_ms + static_cast<std::int64_t>(i) * step_ms);
    rows.append(i == 0 ? "[" : ",").append(replaced(kOrderRow, "1795000001230", created));
  }
  return rows + "]";
}

TEST(BinanceRest, a_full_page_of_orders_goes_on_at_its_newest_creation) {
  EXPECT_EQ(reply(RequestKind::closed_orders, orders(kOrderPage - 1, 5000, 1)).next_cursor, "");
  EXPECT_EQ(reply(RequestKind::closed_orders, orders(kOrderPage, 5000, 1)).next_cursor, "5999");
  EXPECT_EQ(reply(RequestKind::closed_orders, orders(kOrderPage, 5000, 0)).next_cursor, "5001");
}

TEST(BinanceRest, income_pages_are_counted) {
  std::string rows = "[";
  for (std::size_t i = 0; i < kIncomePage; ++i)
    rows.append(i == 0 ? "" : ",").append(R"({"symbol":"A","incomeType":"COMMISSION"})");
  Request request;
  request.kind = RequestKind::income_symbols;
  EXPECT_EQ(reply(request, rows + "]").next_cursor, "2");
  request.cursor = "7";
  EXPECT_EQ(reply(request, rows + "]").next_cursor, "8");
  EXPECT_EQ(reply(request, "[]").next_cursor, "");
}

TEST(BinanceRest, a_placed_order_is_what_its_acknowledgement_says) {
  const auto order = only<Order>(reply(placing(entry()), kPlaced));
  EXPECT_EQ(order.kind, OrderKind::regular);
  EXPECT_EQ(order.order_id, "1000123456789");
  EXPECT_EQ(order.client_order_id, "t0-1");
  EXPECT_EQ(order.status, OrderStatus::new_);
  EXPECT_EQ(order.quantity, dec("0.05"));
  EXPECT_TRUE(order.filled_quantity.is_zero());
  EXPECT_EQ(order.average_price, std::nullopt);
  EXPECT_EQ(order.version, (Version{1795000001234, 1795000001234}));

  const auto stop = only<Order>(reply(placing(stop_loss()), kAlgoPlaced));
  EXPECT_EQ(stop.kind, OrderKind::conditional);
  EXPECT_EQ(stop.order_id, "1000000311223344");
  EXPECT_EQ(stop.client_order_id, "t0-2");
  EXPECT_EQ(stop.type, "stop_market");
  EXPECT_EQ(stop.stop_price, Decimal(60000));
  EXPECT_TRUE(stop.reduce_only);
}

TEST(BinanceRest, the_older_and_the_final_form_of_an_acknowledgement_are_read) {
  const std::string filled = replaced(replaced(replaced(kPlaced, R"("NEW")", R"("FILLED")"), R"("executedQty":"0.000")",
                                               R"("executedQty":"0.050","avgPrice":"61234.54","cumQuote":"3061.727")"),
                                      R"("price":"0.00")", R"("price":"0")");
  const auto order = only<Order>(reply(placing(entry()), filled));
  EXPECT_EQ(order.status, OrderStatus::filled);
  EXPECT_EQ(order.filled_quantity, dec("0.05"));
  EXPECT_EQ(order.average_price, dec("61234.54"));
}

TEST(BinanceRest, an_answer_that_does_not_speak_of_our_order_leaves_it_unknown) {
  for (const std::string& body :
       {std::string("{}"), std::string("[]"), std::string(kAlgoPlaced), replaced(kPlaced, "t0-1", "t0-9"),
        replaced(kPlaced, R"("clientOrderId":"t0-1",)", ""), replaced(kPlaced, R"("orderId":1000123456789,)", ""),
        replaced(kPlaced, R"("status":"NEW",)", ""), replaced(kPlaced, R"("side":"BUY")", R"("side":"?")"),
        std::string(R"({"code":200,"msg":"success"})")}) {
    const Reply answer = reply(placing(entry()), body);
    EXPECT_EQ(answer.outcome, Outcome::failed) << body;
    EXPECT_TRUE(answer.facts.empty());
    EXPECT_NE(answer.message, "");
  }
  EXPECT_EQ(reply(placing(stop_loss()), kPlaced).outcome, Outcome::failed);
  Request one = question(RequestKind::order);
  one.client_order_id = "t0-1";
  EXPECT_EQ(reply(one, kPlaced).outcome, Outcome::ok);
  EXPECT_EQ(reply(one, kOrderRow).outcome, Outcome::failed);
  one.order_id = "77";
  EXPECT_EQ(reply(one, kPlaced).outcome, Outcome::failed);
}

TEST(BinanceRest, a_canceled_order_comes_back_as_it_ended_and_a_conditional_one_is_acknowledged) {
  const std::string ended = replaced(kPlaced, R"("NEW")", R"("CANCELED")");
  const std::string partly = replaced(ended, R"("executedQty":"0.000")", R"("executedQty":"0.020")");
  const auto order = only<Order>(reply(RequestKind::cancel_order, partly));
  EXPECT_EQ(order.status, OrderStatus::canceled);
  EXPECT_EQ(order.filled_quantity, dec("0.02"));

  Request stop = question(RequestKind::cancel_order);
  stop.ticket.kind = OrderKind::conditional;
  stop.client_order_id = "t0-2";
  const Reply acknowledged = reply(stop, kAlgoCanceled);
  EXPECT_EQ(acknowledged.outcome, Outcome::ok) << acknowledged.message;
  EXPECT_TRUE(acknowledged.facts.empty());
  stop.client_order_id = "t0-3";
  EXPECT_EQ(reply(stop, kAlgoCanceled).outcome, Outcome::failed);
  stop.order_id = "1000000311223344";
  EXPECT_EQ(reply(stop, kAlgoCanceled).outcome, Outcome::ok);
  stop.order_id = "1";
  EXPECT_EQ(reply(stop, kAlgoCanceled).outcome, Outcome::failed);
  EXPECT_EQ(reply(stop, "{}").outcome, Outcome::failed);
}

TEST(BinanceRest, a_ticker_is_read_in_two_steps) {
  Request ticker = question(RequestKind::ticker);
  const Reply first = reply(ticker, kPremiumIndex);
  const auto mark = only<Price>(first);
  EXPECT_EQ(mark.symbol, "BTCUSDT");
  EXPECT_EQ(mark.mark, dec("61240.1"));
  EXPECT_EQ(mark.last, std::nullopt);
  EXPECT_EQ(mark.at_ms, 1795000000000);
  ticker.cursor = first.next_cursor;
  const Reply second = reply(ticker, kLastPrice);
  EXPECT_EQ(only<Price>(second).last, dec("61234.5"));
  EXPECT_EQ(only<Price>(second).mark, std::nullopt);
  EXPECT_EQ(second.next_cursor, "");
  ticker.symbol = "ETHUSDT";
  EXPECT_EQ(reply(ticker, kLastPrice).outcome, Outcome::failed);
  EXPECT_EQ(reply(RequestKind::ticker, list(kPremiumIndex)).outcome, Outcome::failed);
}

TEST(BinanceRest, the_tickers_of_a_day_are_volumes_in_quote_currency) {
  const auto ticker = only<Ticker>(reply(RequestKind::tickers, list(kDay)));
  EXPECT_EQ(ticker.symbol, "BTCUSDT");
  EXPECT_EQ(ticker.quote_volume, dec("9145099231.42"));
  EXPECT_EQ(ticker.last, dec("61234.5"));
  EXPECT_EQ(only<Ticker>(reply(RequestKind::tickers, R"([{"symbol":"AUSDT","quoteVolume":"0"}])")).last, std::nullopt);
  const Reply untraded = reply(RequestKind::tickers, std::string("[") + R"({"symbol":"NEWUSDT","lastPrice":"1"},)" + std::string(kDay) + "]");
  EXPECT_EQ(only<Ticker>(untraded).symbol, "BTCUSDT") << "no volume, no ticker";
  EXPECT_TRUE(reply(RequestKind::tickers, "[]").facts.empty());
  for (std::string_view row : {R"({"symbol":"AUSDT","quoteVolume":"much"})", R"({"symbol":"AUSDT","quoteVolume":"-1"})",
                               R"({"quoteVolume":"1"})", R"({"symbol":"AUSDT","quoteVolume":"1","lastPrice":"-1"})"})
    EXPECT_EQ(reply(RequestKind::tickers, list(row)).outcome, Outcome::failed) << row;
  EXPECT_EQ(reply(RequestKind::tickers, kDay).outcome, Outcome::failed) << "not a list";
}

TEST(BinanceRest, the_leverage_that_holds_is_a_fact) {
  const auto leverage = only<Leverage>(reply(RequestKind::set_leverage, kLeverageSet));
  EXPECT_EQ(leverage.symbol, "BTCUSDT");
  EXPECT_EQ(leverage.leverage, Decimal(20));
  EXPECT_EQ(reply(RequestKind::set_leverage, R"({"code":200,"msg":"success"})").outcome, Outcome::failed);
}

TEST(BinanceRest, stops_of_positions_are_never_confirmed_here) {
  EXPECT_EQ(reply(RequestKind::set_position_stop, "{}").outcome, Outcome::failed);
}

}  // namespace
}  // namespace tradesync::binance::test
