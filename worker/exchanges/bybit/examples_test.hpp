// One message of every kind, in the shapes of protocol/bybit-v5.md with invented values, and the two ways to decode them in
// a test. Tests only.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exchanges/bybit/bybit.hpp"
#include "exchanges/padded_message.hpp"

namespace tradesync::bybit::test {

inline constexpr std::string_view kOrderRow = R"({"category":"linear","symbol":"BTCUSDT",
 "orderId":"7d1f0c52-3b0e-4d7e-9a41-5f2c8e61b0a3","orderLinkId":"t0-1","parentOrderLinkId":"","blockTradeId":"","side":"Buy",
 "positionIdx":0,"orderStatus":"Filled","cancelType":"UNKNOWN","rejectReason":"EC_NoError","timeInForce":"IOC","isLeverage":"",
 "price":"67116.1","qty":"0.02","avgPrice":"63920.1","leavesQty":"0","leavesValue":"0","cumExecQty":"0.02",
 "cumExecValue":"1278.402","cumExecFee":"0.7031211","orderType":"Market","stopOrderType":"","orderIv":"","triggerPrice":"",
 "takeProfit":"","stopLoss":"","triggerBy":"","tpTriggerBy":"","slTriggerBy":"","triggerDirection":0,"placeType":"",
 "lastPriceOnCreated":"63920.1","closeOnTrigger":false,"reduceOnly":false,"smpGroup":0,"smpType":"None","smpOrderId":"",
 "slLimitPrice":"0","tpLimitPrice":"0","tpslMode":"UNKNOWN","createType":"CreateByUser","marketUnit":"",
 "createdTime":"1785000100120","updatedTime":"1785000100123","feeCurrency":"","closedPnl":"0","slippageTolerance":"0",
 "slippageToleranceType":"UNKNOWN","cumFeeDetail":{"USDT":"0.7031211"},"rpiTakerAccess":false,"rpiMatchedQty":"0"})";

inline constexpr std::string_view kStopRow = R"({"category":"linear","symbol":"BTCUSDT",
 "orderId":"5c0e7a44-8a1b-4a6e-b5d9-0d6f6a0e9c11","orderLinkId":"","side":"Sell","positionIdx":0,"orderStatus":"Untriggered",
 "cancelType":"UNKNOWN","rejectReason":"EC_NoError","timeInForce":"IOC","price":"0","qty":"0.02","avgPrice":"",
 "leavesQty":"0.02","cumExecQty":"0","cumExecValue":"0","orderType":"Market","stopOrderType":"StopLoss",
 "triggerPrice":"62500","takeProfit":"","stopLoss":"","triggerBy":"MarkPrice","triggerDirection":2,"closeOnTrigger":true,
 "reduceOnly":true,"tpslMode":"Full","createType":"CreateByStopLoss","createdTime":"1785000102210",
 "updatedTime":"1785000102212","cumFeeDetail":{}})";

inline constexpr std::string_view kOldStyleOrderRow = R"({"orderId":"9b0c7a10-2d3e-4f50-8a61-b2c3d4e5f607",
 "orderLinkId":"t0-2","blockTradeId":"","symbol":"BTCUSDT","price":"63925.00","qty":"0.010","side":"Buy","isLeverage":"",
 "positionIdx":0,"orderStatus":"Cancelled","createType":"CreateByUser","cancelType":"UNKNOWN",
 "rejectReason":"EC_PostOnlyWillTakeLiquidity","avgPrice":"0","leavesQty":"0.000","leavesValue":"0","cumExecQty":"0.000",
 "cumExecValue":"0","cumExecFee":"0","timeInForce":"PostOnly","orderType":"Limit","stopOrderType":"UNKNOWN","orderIv":"",
 "triggerPrice":"0.00","takeProfit":"0.00","stopLoss":"0.00","tpTriggerBy":"UNKNOWN","slTriggerBy":"UNKNOWN",
 "triggerDirection":0,"triggerBy":"UNKNOWN","reduceOnly":false,"closeOnTrigger":false,"tpslMode":"",
 "createdTime":"1785000120100","updatedTime":"1785000120103","extraFees":"","cumFeeDetail":{}})";

inline constexpr std::string_view kExecutionRow = R"({"category":"linear","symbol":"BTCUSDT","closedSize":"0.02",
 "execFee":"0.7085144","execId":"5a1e9f70-3c44-5be2-a0d1-7f8e9d0c1b2a","execPrice":"64410.4","execQty":"0.02",
 "execType":"Trade","execValue":"1288.208","feeRate":"0.00055","tradeIv":"","markPrice":"64408.9","leavesQty":"0",
 "orderId":"c2b7b3c0-18b0-4e0d-9a4c-6f5e1d2c3b4a","orderLinkId":"t0-3","orderPrice":"61190.2","orderQty":"0.02",
 "orderType":"Market","stopOrderType":"UNKNOWN","side":"Sell","execTime":"1785000940066","isLeverage":"0","isMaker":false,
 "seq":612239981200,"marketUnit":"","execPnl":"9.806","createType":"CreateByUser","extraFees":"","feeCurrency":"USDT"})";

inline constexpr std::string_view kFundingRow = R"({"category":"linear","symbol":"ETHUSDT","closedSize":"0","execFee":"0.0871",
 "execId":"d0c9b8a7-1122-4c33-8d44-5e6f70819203","execPrice":"3485.2","execQty":"0.25","execType":"Funding",
 "execValue":"871.3","feeRate":"0.0001","leavesQty":"0","orderId":"1785024000000-funding","orderLinkId":"",
 "orderPrice":"0","orderQty":"0","orderType":"UNKNOWN","stopOrderType":"UNKNOWN","side":"Buy","execTime":"1785024000000",
 "isMaker":false,"seq":330011223344,"execPnl":"0","createType":"","extraFees":"","feeCurrency":"USDT"})";

inline constexpr std::string_view kStreamPositionRow = R"({"positionIdx":0,"tradeMode":0,"riskId":1,"riskLimitValue":"2000000",
 "symbol":"BTCUSDT","side":"Sell","size":"0.02","entryPrice":"63920.1","sessionAvgPrice":"","leverage":"10",
 "positionValue":"1278.402","markPrice":"63918.24","positionIM":"128.46928899","takeProfit":"0","stopLoss":"65000",
 "trailingStop":"0","unrealisedPnl":"-0.0372","cumRealisedPnl":"-48.21","curRealisedPnl":"-0.7031211",
 "createdTime":"1730805600084","updatedTime":"1785000100123","openTime":1785000100120,"tpslMode":"Full","liqPrice":"",
 "category":"linear","positionStatus":"Normal","seq":612233445566,"isReduceOnly":false})";

inline constexpr std::string_view kRestPositionRow = R"({"positionIdx":0,"riskId":1,"symbol":"BTCUSDT","side":"Buy","size":"0.02",
 "avgPrice":"63920.1","positionValue":"1278.402","leverage":"10","markPrice":"63918.24","liqPrice":"51000.5","takeProfit":"",
 "stopLoss":"62500","trailingStop":"0","unrealisedPnl":"-0.0372","seq":612233445566,"createdTime":"1730805600084",
 "updatedTime":"1785000100123","openTime":1785000100120})";

inline constexpr std::string_view kClosedPositionRow =
    R"({"positionIdx":0,"symbol":"BTCUSDT","side":"","size":"0","entryPrice":"0",
 "leverage":"10","positionValue":"0","markPrice":"64408.9","takeProfit":"0","stopLoss":"0","unrealisedPnl":"0",
 "updatedTime":"1785000940071","openTime":0,"liqPrice":"","category":"linear","seq":612239981200})";

inline constexpr std::string_view kWalletRow = R"({"accountIMRate":"0.0125","totalEquity":"10250.0096789",
 "totalWalletBalance":"10250.0468789","totalAvailableBalance":"10121.54038991","totalPerpUPL":"-0.0372","coin":[
 {"coin":"USDT","equity":"10250.0096789","usdValue":"10250.0096789","walletBalance":"10250.0468789",
 "availableToWithdraw":"","borrowAmount":"0","collateralSwitch":true,"marginCollateral":true,"colRes":"0"},
 {"coin":"BTC","equity":"0.1","walletBalance":"0.1","availableToWithdraw":"0.09"}],"accountType":"UNIFIED"})";

inline constexpr std::string_view kInstrumentRow = R"({"symbol":"1000PEPEUSDT","symbolId":391,"contractType":"LinearPerpetual",
 "status":"Trading","baseCoin":"1000PEPE","quoteCoin":"USDT","launchTime":"1683270000000","deliveryTime":"0","priceScale":"7",
 "leverageFilter":{"minLeverage":"1","maxLeverage":"50.00","leverageStep":"0.01"},"priceFilter":{"minPrice":"0.0000001",
 "maxPrice":"0.1999998","tickSize":"0.0000001"},"lotSizeFilter":{"maxOrderQty":"100000000","minOrderQty":"100",
 "qtyStep":"100","postOnlyMaxOrderQty":"100000000","maxMktOrderQty":"20000000","minNotionalValue":"5"},
 "unifiedMarginTrade":true,"fundingInterval":240,"settleCoin":"USDT","isPreListing":false,"preListingInfo":null,
 "symbolType":""})";

inline constexpr std::string_view kTickerSnapshot = R"({"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT",
 "tickDirection":"ZeroPlusTick","lastPrice":"63920.10","markPrice":"63918.24","indexPrice":"63931.75","bid1Price":"63920.00",
 "preOpenPrice":"","curPreListingPhase":""},"cs":612233440001,"ts":1785000099910})";
inline constexpr std::string_view kTickerMarkDelta = R"({"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT",
 "markPrice":"63919.02","indexPrice":"63932.10"},"cs":612233440512,"ts":1785000100110})";
inline constexpr std::string_view kTickerBookDelta = R"({"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT",
 "bid1Size":"7.902","ask1Price":"63920.20"},"cs":612233440377,"ts":1785000100010})";

inline constexpr std::string_view kAuthOk = R"({"success":true,"ret_msg":"","op":"auth","conn_id":"d9ab-3k","req_id":"a1"})";
inline constexpr std::string_view kTradeAuthOk = R"({"retCode":0,"retMsg":"OK","op":"auth","connId":"d9ab-4x"})";
inline constexpr std::string_view kAuthFailed =
    R"({"success":false,"ret_msg":"invalid signature","op":"auth","conn_id":"d9ab-3k"})";
inline constexpr std::string_view kTradeAuthFailed = R"({"retCode":10004,"retMsg":"error sign","op":"auth","connId":"d9ab-4x"})";
inline constexpr std::string_view kSubscribed =
    R"({"success":true,"ret_msg":"","op":"subscribe","conn_id":"d9ab-3k","req_id":"17"})";
inline constexpr std::string_view kSubscribeFailed =
    R"({"success":false,"ret_msg":"error:handler not found,topic:tickers.NOPEUSDT","conn_id":"d9ab","req_id":"18","op":"subscribe"})";
inline constexpr std::string_view kPublicPong = R"({"success":true,"ret_msg":"pong","conn_id":"d9ab","req_id":"","op":"ping"})";
inline constexpr std::string_view kPrivatePong = R"({"req_id":"h7","op":"pong","args":["1785000300456"],"conn_id":"d9ab"})";
inline constexpr std::string_view kTradePong =
    R"({"retCode":0,"retMsg":"OK","op":"pong","data":["1785000300456"],"connId":"d9ab"})";

// A push with the given rows: {"topic":…,"data":[…]}.
inline std::string push(std::string_view topic, std::string_view rows) {
  return std::string(R"({"topic":")")
      .append(topic)
      .append(R"(","id":"9000123_x_1","creationTime":1785000100128,"data":[)")
      .append(rows)
      .append("]}");
}

inline std::string envelope(std::string_view result) {
  return std::string(R"({"retCode":0,"retMsg":"OK","result":)")
      .append(result)
      .append(R"(,"retExtInfo":{},"time":1785000103001})");
}
inline std::string list(std::string_view rows, std::string_view cursor = {}) {
  return envelope(
      std::string(R"({"category":"linear","nextPageCursor":")").append(cursor).append(R"(","list":[)").append(rows).append("]}"));
}

struct StreamExample {
  StreamKind kind;
  std::string text;
};
inline std::vector<StreamExample> stream_examples() {
  const auto both = [](std::string_view a, std::string_view b) { return std::string(a).append(",").append(b); };
  return {{StreamKind::private_, push("order", both(kOrderRow, kStopRow))},
          {StreamKind::private_, push("execution.linear", both(kExecutionRow, kFundingRow))},
          {StreamKind::private_, push("position", both(kStreamPositionRow, kClosedPositionRow))},
          {StreamKind::private_, push("wallet", kWalletRow)},
          {StreamKind::public_, std::string(kTickerSnapshot)},
          {StreamKind::public_, std::string(kTickerMarkDelta)},
          {StreamKind::public_, std::string(kTickerBookDelta)},
          {StreamKind::private_, std::string(kAuthOk)},
          {StreamKind::private_, std::string(kTradeAuthFailed)},
          {StreamKind::private_, std::string(kSubscribed)},
          {StreamKind::public_, std::string(kSubscribeFailed)},
          {StreamKind::public_, std::string(kPublicPong)},
          {StreamKind::private_, std::string(kPrivatePong)}};
}

inline Decimal dec(std::string_view text) { return Decimal::parse(text).value(); }

inline OrderTicket entry() {
  OrderTicket ticket;
  ticket.symbol = "BTCUSDT";
  ticket.client_order_id = "t0-1";
  ticket.quantity = dec("0.020");
  return ticket;
}

inline OrderTicket stop_order() {
  OrderTicket ticket = entry();
  ticket.client_order_id = "t0-2";
  ticket.kind = OrderKind::conditional;
  ticket.side = Side::sell;
  ticket.type = "stop_market";
  ticket.stop_price = Decimal(62500);
  ticket.reduce_only = true;
  return ticket;
}

inline Request question(RequestKind kind) {
  Request request;
  request.id = 77;
  request.kind = kind;
  if (kind == RequestKind::ticker || is_write(kind)) request.symbol = "BTCUSDT";
  if (kind == RequestKind::place_order) request.ticket = entry();
  if (kind == RequestKind::cancel_order) request.client_order_id = "t0-1";
  if (kind == RequestKind::set_position_stop) request.ticket.symbol = "BTCUSDT";
  if (kind == RequestKind::set_leverage) request.leverage = Decimal(10);
  return request;
}

inline Request placing(const OrderTicket& ticket) {
  Request request = question(RequestKind::place_order);
  request.ticket = ticket;
  return request;
}

inline constexpr std::string_view kTickerRow = R"({"symbol":"BTCUSDT","lastPrice":"63920.10","indexPrice":"63931.75",
 "markPrice":"63918.24","prevPrice24h":"63010.00","openInterest":"51234.118","fundingRate":"0.0000712","bid1Price":"63920.00",
 "ask1Price":"63920.10","deliveryTime":"0","basis":""})";
inline constexpr std::string_view kDayRow = R"({"symbol":"BTCUSDT","lastPrice":"63920.10","markPrice":"63918.24",
 "turnover24h":"5120345678.1234","volume24h":"80345.7710","curPreListingPhase":""})";
inline constexpr std::string_view kIds = R"({"orderId":"7d1f0c52-3b0e-4d7e-9a41-5f2c8e61b0a3","orderLinkId":"t0-1"})";

struct RestExample {
  RequestKind kind;
  std::string body;
};
inline std::vector<RestExample> rest_examples() {
  return {{RequestKind::server_time, envelope(R"({"timeSecond":"1785000000","timeNano":"1785000000123456789"})")},
          {RequestKind::instruments, list(kInstrumentRow)},
          {RequestKind::positions, list(kRestPositionRow)},
          {RequestKind::position_mode, list(kRestPositionRow)},
          {RequestKind::leverages, list(kRestPositionRow)},
          {RequestKind::balances, list(kWalletRow)},
          {RequestKind::open_orders, list(kStopRow, "page_args%3D5c%26")},
          {RequestKind::open_conditional_orders, list(kStopRow)},
          {RequestKind::closed_orders, list(kOldStyleOrderRow)},
          {RequestKind::executions, list(kExecutionRow)},
          {RequestKind::order, list(kOrderRow)},
          {RequestKind::conditional_order, list(kStopRow)},
          {RequestKind::ticker, list(kTickerRow)},
          {RequestKind::tickers, list(kDayRow)},
          {RequestKind::place_order, envelope(kIds)},
          {RequestKind::cancel_order, envelope(kIds)},
          {RequestKind::set_position_stop, envelope("{}")},
          {RequestKind::set_leverage, envelope("{}")}};
}

inline Decoded decode(StreamKind kind, std::string_view text) {
  Decoded out;
  decode_message(kind, PaddedMessage(text).view(), out);
  return out;
}

using Headers = std::vector<std::pair<std::string, std::string>>;

inline Reply reply(const Request& request, std::string_view body, int status = 200, Headers headers = {}) {
  const PaddedMessage padded(body);
  return decode_reply(request,
                      {.status = status, .complete = true, .body = padded.view(), .error = {}, .headers = std::move(headers)});
}
inline Reply reply(RequestKind kind, std::string_view body, int status = 200, Headers headers = {}) {
  return reply(question(kind), body, status, std::move(headers));
}

inline std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
  std::string out(text);
  const std::size_t at = out.find(what);
  if (at == std::string::npos) return "the example does not hold what the test wants to replace";
  return out.replace(at, what.size(), with);
}

}  // namespace tradesync::bybit::test
