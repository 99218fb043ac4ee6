#include <gtest/gtest.h>

#include "exchanges/bybit/examples_test.hpp"

namespace tradesync::bybit::test {
namespace {

template <class T>
T only(const Reply& reply) {
  EXPECT_EQ(reply.outcome, Outcome::ok) << reply.message;
  EXPECT_EQ(reply.facts.size(), 1u);
  return reply.facts.size() == 1 ? std::get<T>(reply.facts[0]) : T{};
}

TEST(BybitRest, server_time_comes_in_milliseconds) {
  const Reply answer =
      reply(RequestKind::server_time, envelope(R"({"timeSecond":"1785000000","timeNano":"1785000000129456789"})"));
  EXPECT_EQ(answer.outcome, Outcome::ok);
  EXPECT_EQ(answer.venue_time_ms, 1785000000129);
  EXPECT_EQ(answer.id, 77u);
  EXPECT_EQ(reply(RequestKind::server_time, envelope("{}")).venue_time_ms, 1785000103001);
  EXPECT_EQ(reply(RequestKind::server_time, R"({"retCode":0,"result":{}})").outcome, Outcome::failed);
}

TEST(BybitRest, an_instrument_is_read_whole) {
  const auto instrument = only<Instrument>(reply(RequestKind::instruments, list(kInstrumentRow)));
  EXPECT_EQ(instrument.symbol, "1000PEPEUSDT");
  EXPECT_EQ(instrument.status, "trading");
  EXPECT_EQ(instrument.contract_type, "perpetual");
  EXPECT_EQ(instrument.base_asset, "1000PEPE");
  EXPECT_EQ(instrument.quote_asset, "USDT");
  EXPECT_EQ(instrument.settle_asset, "USDT");
  EXPECT_EQ(instrument.tick_size, dec("0.0000001"));
  EXPECT_EQ(instrument.quantity_step, Decimal(100));
  EXPECT_EQ(instrument.min_quantity, Decimal(100));
  EXPECT_EQ(instrument.max_quantity, Decimal(100000000));
  EXPECT_EQ(instrument.max_market_quantity, Decimal(20000000));
  EXPECT_EQ(instrument.min_notional, Decimal(5));
  EXPECT_EQ(instrument.max_leverage, Decimal(50));
}

TEST(BybitRest, a_contract_in_its_auction_is_not_trading) {
  EXPECT_EQ(only<Instrument>(reply(RequestKind::instruments,
                                   list(replaced(kInstrumentRow, "\"isPreListing\":false", "\"isPreListing\":true"))))
                .status,
            "pre_launch");
}

TEST(BybitRest, one_odd_instrument_is_shown_and_does_not_stop_the_others) {
  const Reply answer = reply(
      RequestKind::instruments,
      list(std::string(kInstrumentRow) + "," + replaced(kInstrumentRow, "\"tickSize\":\"0.0000001\"", "\"tickSize\":\"\"")));
  EXPECT_EQ(answer.outcome, Outcome::ok);
  ASSERT_EQ(answer.facts.size(), 2u);
  const auto& notice = std::get<Notice>(answer.facts[1]);
  EXPECT_EQ(notice.event_type, "instrument_not_understood");
  EXPECT_EQ(notice.symbol, "1000PEPEUSDT");
  EXPECT_TRUE(
      reply(RequestKind::instruments, list(replaced(kInstrumentRow, "\"settleCoin\":\"USDT\"", "\"settleCoin\":\"USDC\"")))
          .facts.empty());
}

TEST(BybitRest, a_position_is_read_whole) {
  const auto position = only<VenuePosition>(reply(RequestKind::positions, list(kRestPositionRow)));
  EXPECT_EQ(position.quantity, dec("0.02"));
  EXPECT_EQ(position.entry_price, dec("63920.1"));
  EXPECT_EQ(position.liquidation_price, dec("51000.5"));
  EXPECT_EQ(position.stop_loss, Decimal(62500));
  EXPECT_EQ(position.take_profit, Decimal());
  EXPECT_EQ(position.version, (Version{612233445566, 1785000100123}));
  EXPECT_EQ(only<Leverage>(reply(RequestKind::leverages, list(kRestPositionRow))).leverage, Decimal(10));
}

TEST(BybitRest, hedge_mode_shows_in_the_slots) {
  EXPECT_FALSE(reply(RequestKind::position_mode, list(kRestPositionRow)).hedge_mode);
  const std::string slots = replaced(kClosedPositionRow, "\"positionIdx\":0", "\"positionIdx\":1") + "," +
                            replaced(kClosedPositionRow, "\"positionIdx\":0", "\"positionIdx\":2");
  const Reply hedge = reply(RequestKind::position_mode, list(slots));
  EXPECT_EQ(hedge.outcome, Outcome::ok);
  EXPECT_TRUE(hedge.hedge_mode);
  EXPECT_TRUE(hedge.facts.empty());
}

TEST(BybitRest, balances_orders_and_executions_are_the_rows_of_the_stream) {
  const Reply wallet = reply(RequestKind::balances, list(kWalletRow));
  ASSERT_EQ(wallet.facts.size(), 2u);
  EXPECT_EQ(std::get<Balance>(wallet.facts[0]).updated_ms, 1785000103001);
  EXPECT_EQ(only<Order>(reply(RequestKind::open_orders, list(kStopRow))).kind, OrderKind::conditional);
  EXPECT_EQ(only<Order>(reply(RequestKind::open_conditional_orders, list(kStopRow))).type, "stop_market");
  EXPECT_EQ(only<Order>(reply(RequestKind::closed_orders, list(kOldStyleOrderRow))).status, OrderStatus::canceled);
  EXPECT_EQ(only<Fill>(reply(RequestKind::executions, list(kExecutionRow))).fee, dec("0.7085144"));
  EXPECT_EQ(only<Funding>(reply(RequestKind::executions, list(kFundingRow))).amount, dec("-0.0871"));
}

TEST(BybitRest, pages_follow_the_cursor_until_it_ends) {
  Request request;
  request.kind = RequestKind::open_orders;
  EXPECT_EQ(reply(request, list(kStopRow, "page_args%3D5c%26")).next_cursor, "page_args%3D5c%26");
  EXPECT_EQ(reply(request, list(kStopRow)).next_cursor, "");
  EXPECT_EQ(
      reply(request,
            envelope(R"({"nextPageCursor":null,"list":[{"symbol":"AUSDT","orderId":"1","side":"Buy","orderStatus":"New"}]})"))
          .next_cursor,
      "");
  EXPECT_EQ(reply(request, list("", "page_args%3D5c%26")).next_cursor, "");
  request.cursor = "page_args%3D5c%26";
  EXPECT_EQ(reply(request, list(kStopRow, "page_args%3D5c%26")).next_cursor, "");
}

TEST(BybitRest, an_order_is_unknown_only_when_both_places_know_nothing) {
  Request request;
  request.kind = RequestKind::order;
  EXPECT_EQ(only<Order>(reply(request, list(kOrderRow, "more"))).order_id, "7d1f0c52-3b0e-4d7e-9a41-5f2c8e61b0a3");
  EXPECT_EQ(reply(request, list(kOrderRow, "more")).next_cursor, "");
  const Reply first = reply(request, list(""));
  EXPECT_EQ(first.outcome, Outcome::ok);
  EXPECT_EQ(first.next_cursor, kHistoryStep);
  request.cursor = first.next_cursor;
  EXPECT_EQ(reply(request, list("")).outcome, Outcome::not_found);
  EXPECT_EQ(reply(request, list(kOldStyleOrderRow)).outcome, Outcome::ok);
}

TEST(BybitRest, a_success_without_its_list_is_no_success) {
  for (RequestKind kind : {RequestKind::positions, RequestKind::open_orders, RequestKind::executions, RequestKind::balances,
                           RequestKind::closed_orders, RequestKind::order, RequestKind::instruments, RequestKind::position_mode})
    for (const std::string& body : {envelope("{}"), envelope("null"), envelope("[]"), envelope(R"({"list":null})"),
                                    envelope(R"({"list":{}})"), std::string(R"({"retCode":0,"retMsg":"OK"})")})
      EXPECT_EQ(reply(kind, body).outcome, Outcome::failed) << body;
}

TEST(BybitRest, an_answer_with_an_unreadable_row_concludes_nothing_but_keeps_the_others) {
  const std::string rows = std::string(kRestPositionRow) + "," +
                           replaced(kRestPositionRow, "\"0.02\"", "\"1234567890123456789012345678901234567890\"") + "," +
                           std::string(kRestPositionRow);
  const Reply answer = reply(RequestKind::positions, list(rows, "next"));
  EXPECT_EQ(answer.outcome, Outcome::failed);
  EXPECT_EQ(answer.message, "position: size: not a decimal number of at most 38 digits");
  EXPECT_EQ(answer.facts.size(), 2u);
  EXPECT_EQ(answer.next_cursor, "");
}

TEST(BybitRest, an_accepted_order_is_the_ticket_under_the_venues_id) {
  OrderTicket ticket = entry();
  ticket.stop_price = Decimal(62500);
  ticket.position_side = PositionSide::long_;
  const auto order = only<Order>(reply(placing(ticket), envelope(kIds)));
  EXPECT_EQ(order.order_id, "7d1f0c52-3b0e-4d7e-9a41-5f2c8e61b0a3");
  EXPECT_EQ(order.client_order_id, "t0-1");
  EXPECT_EQ(order.symbol, "BTCUSDT");
  EXPECT_EQ(order.kind, OrderKind::regular);
  EXPECT_EQ(order.side, Side::buy);
  EXPECT_EQ(order.position_side, PositionSide::long_);
  EXPECT_EQ(order.type, "market");
  EXPECT_EQ(order.status, OrderStatus::new_);
  EXPECT_EQ(order.venue_status, "");
  EXPECT_EQ(order.quantity, dec("0.02"));
  EXPECT_EQ(order.stop_price, std::nullopt) << "the attached stop belongs to the position";
  EXPECT_EQ(order.version, Version{});
  EXPECT_TRUE(std::get<Order>(reply(RequestKind::open_orders, list(kOrderRow)).facts.at(0)).version.newer_than(order.version));

  const auto stop = only<Order>(reply(placing(stop_order()), envelope(replaced(kIds, "t0-1", "t0-2"))));
  EXPECT_EQ(stop.kind, OrderKind::conditional);
  EXPECT_EQ(stop.type, "stop_market");
  EXPECT_EQ(stop.stop_price, Decimal(62500));
  EXPECT_TRUE(stop.reduce_only);
}

TEST(BybitRest, an_answer_that_does_not_speak_of_our_order_leaves_it_unknown) {
  for (const std::string& body :
       {envelope("{}"), envelope("null"), envelope("[]"), envelope(R"({"list":[]})"), envelope(R"({"orderLinkId":"t0-1"})"),
        envelope(R"({"orderId":"","orderLinkId":"t0-1"})"), envelope(R"({"orderId":"7d1f"})"),
        envelope(replaced(kIds, "t0-1", "t0-9")), std::string("{}"), std::string(R"({"retCode":0})")}) {
    const Reply answer = reply(placing(entry()), body);
    EXPECT_EQ(answer.outcome, Outcome::failed) << body;
    EXPECT_TRUE(answer.facts.empty());
    EXPECT_NE(answer.message, "");
  }
  Request one;
  one.kind = RequestKind::order;
  one.client_order_id = "t0-1";
  EXPECT_EQ(reply(one, list(kOrderRow)).outcome, Outcome::ok);
  one.client_order_id = "t0-9";
  EXPECT_EQ(reply(one, list(kOrderRow)).outcome, Outcome::failed);
  one.order_id = "7d1f0c52-3b0e-4d7e-9a41-5f2c8e61b0a3";
  EXPECT_EQ(reply(one, list(kOrderRow)).outcome, Outcome::ok);
}

TEST(BybitRest, a_cancel_is_acknowledged_and_tells_nothing_of_the_order) {
  Request cancel = question(RequestKind::cancel_order);
  const Reply answer = reply(cancel, envelope(kIds));
  EXPECT_EQ(answer.outcome, Outcome::ok);
  EXPECT_TRUE(answer.facts.empty());
  cancel.client_order_id = "t0-9";
  EXPECT_EQ(reply(cancel, envelope(kIds)).outcome, Outcome::failed);
  cancel.order_id = "7d1f0c52-3b0e-4d7e-9a41-5f2c8e61b0a3";
  EXPECT_EQ(reply(cancel, envelope(kIds)).outcome, Outcome::ok);
  EXPECT_EQ(reply(cancel, envelope("{}")).outcome, Outcome::failed);
}

TEST(BybitRest, settings_are_acknowledged_by_an_empty_object) {
  for (RequestKind kind : {RequestKind::set_position_stop, RequestKind::set_leverage}) {
    EXPECT_EQ(reply(kind, envelope("{}")).outcome, Outcome::ok);
    EXPECT_TRUE(reply(kind, envelope("{}")).facts.empty());
    EXPECT_EQ(reply(kind, "{}").outcome, Outcome::failed);
    EXPECT_EQ(reply(kind, R"({"retCode":0,"retMsg":"OK"})").outcome, Outcome::failed);
  }
}

TEST(BybitRest, a_ticker_is_one_price) {
  const auto price = only<Price>(reply(RequestKind::ticker, list(kTickerRow)));
  EXPECT_EQ(price.symbol, "BTCUSDT");
  EXPECT_EQ(price.mark, dec("63918.24"));
  EXPECT_EQ(price.last, dec("63920.1"));
  EXPECT_EQ(price.at_ms, 1785000103001);
  EXPECT_EQ(reply(RequestKind::ticker, list("")).outcome, Outcome::failed);
  EXPECT_EQ(reply(RequestKind::ticker, list(replaced(kTickerRow, "63918.24", ""))).outcome, Outcome::failed);
  EXPECT_EQ(reply(RequestKind::ticker, list(replaced(kTickerRow, "BTCUSDT", "ETHUSDT"))).outcome, Outcome::failed);
}

TEST(BybitRest, the_tickers_of_a_day_are_turnovers_in_quote_currency) {
  const auto ticker = only<Ticker>(reply(RequestKind::tickers, list(kDayRow)));
  EXPECT_EQ(ticker.symbol, "BTCUSDT");
  EXPECT_EQ(ticker.quote_volume, dec("5120345678.1234"));
  EXPECT_EQ(ticker.last, dec("63920.1"));
  EXPECT_TRUE(reply(RequestKind::tickers, list(replaced(kDayRow, "5120345678.1234", ""))).facts.empty()) << "no turnover, no ticker";
  EXPECT_EQ(reply(RequestKind::tickers, list("")).outcome, Outcome::ok);
  for (std::string_view bad : {"much", "-1"})
    EXPECT_EQ(reply(RequestKind::tickers, list(replaced(kDayRow, "5120345678.1234", bad))).outcome, Outcome::failed) << bad;
  EXPECT_EQ(reply(RequestKind::tickers, list(replaced(kDayRow, "63920.10", "-1"))).outcome, Outcome::failed);
  EXPECT_EQ(reply(RequestKind::tickers, list(replaced(kDayRow, "BTCUSDT", ""))).outcome, Outcome::failed);
}

TEST(BybitRest, the_stops_of_a_position_are_conditional_orders_that_only_reduce) {
  const auto stop_of = [](std::string_view type, std::string_view create, bool flags) {
    std::string row = replaced(replaced(kStopRow, R"("stopOrderType":"StopLoss")", "\"stopOrderType\":\"" + std::string(type) + '"'),
                               "CreateByStopLoss", create);
    if (!flags)
      for (std::string_view flag : {R"("reduceOnly":)", R"("closeOnTrigger":)"})
        row = replaced(row, std::string(flag) + "true", std::string(flag) + "false");
    return only<Order>(reply(RequestKind::open_orders, list(row)));
  };
  for (bool flags : {true, false}) {
    for (const auto& [type, create] : {std::pair{"StopLoss", "CreateByStopLoss"}, {"", "CreateByStopLoss"}, {"StopLoss", ""}}) {
      const Order stop = stop_of(type, create, flags);
      EXPECT_EQ(stop.kind, OrderKind::conditional);
      EXPECT_EQ(stop.type, "stop_market");
      EXPECT_TRUE(stop.reduce_only);
      EXPECT_EQ(stop.client_order_id, "");
      EXPECT_EQ(stop.stop_price, Decimal(62500));
    }
    const Order target = stop_of("TakeProfit", "CreateByTakeProfit", flags);
    EXPECT_EQ(target.type, "take_profit_market");
    EXPECT_TRUE(target.reduce_only);
  }
  // Somebody's own conditional order may open a position.
  EXPECT_FALSE(stop_of("Stop", "CreateByUser", false).reduce_only);
  EXPECT_FALSE(stop_of("Stop", "CreateByStopOrder", false).reduce_only);
  EXPECT_FALSE(stop_of("", "CreateByStopOrder", false).reduce_only);
}

}  // namespace
}  // namespace tradesync::bybit::test
