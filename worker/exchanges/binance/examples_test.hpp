// One message of every kind, in the shapes of protocol/binance-usdm.md with invented values, and the two ways to decode
// them in a test. Tests only.
#pragma once
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exchanges/binance/binance.hpp"

namespace tradesync::binance::test {

inline constexpr std::string_view kOrderNew = R"({"e":"ORDER_TRADE_UPDATE","E":1795000001235,"T":1795000001234,"o":{
 "s":"BTCUSDT","c":"c1_0007","S":"BUY","o":"MARKET","f":"GTC","q":"0.05","p":"0","ap":"0","sp":"0","x":"NEW","X":"NEW",
 "i":1000123456789,"l":"0","z":"0","L":"0","n":"0","N":"USDT","T":1795000001234,"t":0,"b":"0","a":"0","m":false,"R":false,
 "wt":"CONTRACT_PRICE","ot":"MARKET","ps":"BOTH","cp":false,"rp":"0","pP":false,"si":0,"ss":0,"V":"EXPIRE_MAKER",
 "pm":"NONE","gtd":0,"er":"0"}})";

inline constexpr std::string_view kOrderTrade = R"({"e":"ORDER_TRADE_UPDATE","E":1795000001235,"T":1795000001234,"o":{
 "s":"BTCUSDT","c":"c1_0007","S":"BUY","o":"MARKET","f":"GTC","q":"0.05","p":"0","ap":"61234.5","sp":"0","x":"TRADE",
 "X":"PARTIALLY_FILLED","i":1000123456789,"l":"0.03","z":"0.03","L":"61234.5","n":"0.91851750","N":"USDT",
 "T":1795000001233,"t":5600000101,"b":"0","a":"0","m":true,"R":false,"wt":"CONTRACT_PRICE","ot":"MARKET","ps":"BOTH",
 "cp":false,"rp":"-1.25","pP":false,"si":0,"ss":0,"V":"EXPIRE_MAKER","pm":"NONE","gtd":0,"er":"0"}})";

inline constexpr std::string_view kOrderCanceled = R"({"e":"ORDER_TRADE_UPDATE","E":1795000060011,"T":1795000060009,"o":{
 "s":"BTCUSDT","c":"c1_0011","S":"SELL","o":"LIMIT","f":"GTC","q":"0.1","p":"61000","ap":"61000","sp":"0","x":"CANCELED",
 "X":"CANCELED","i":1000123456801,"l":"0","z":"0.04","L":"0","T":1795000060009,"t":0,"m":false,"R":true,"ot":"LIMIT",
 "ps":"LONG","cp":false,"rp":"0","er":"4"}})";

inline constexpr std::string_view kAlgoNew = R"({"e":"ALGO_UPDATE","T":1795000003000,"E":1795000003004,"o":{
 "caid":"sl_btc_01","aid":1000000311223344,"at":"CONDITIONAL","o":"STOP_MARKET","s":"BTCUSDT","S":"SELL","ps":"BOTH",
 "f":"GTC","q":"0.050","X":"NEW","ai":"","tp":"60000","p":"0","V":"EXPIRE_MAKER","wt":"MARK_PRICE","pm":"NONE",
 "cp":false,"pP":false,"R":true,"tt":0,"gtd":0,"ia":true}})";

inline constexpr std::string_view kAlgoFinished = R"({"e":"ALGO_UPDATE","T":1795000900031,"E":1795000900037,"o":{
 "caid":"sl_btc_01","aid":1000000311223344,"at":"CONDITIONAL","o":"STOP_MARKET","s":"BTCUSDT","S":"SELL","ps":"BOTH",
 "f":"GTC","q":"0.050","X":"FINISHED","ai":"1000123457001","ap":"59990.00000","aq":"0.050","act":"MARKET","tp":"60000",
 "p":"0","V":"EXPIRE_MAKER","wt":"MARK_PRICE","pm":"NONE","cp":false,"pP":false,"R":true,"tt":1795000900019,"gtd":0}})";

inline constexpr std::string_view kAccountUpdate = R"({"e":"ACCOUNT_UPDATE","E":1795000001235,"T":1795000001234,"a":{
 "m":"ORDER","B":[{"a":"USDT","wb":"9999.08148250","cw":"9999.08148250","bc":"0"}],
 "P":[{"s":"BTCUSDT","pa":"-0.030","ep":"147.30000000000001","bep":"61265.11725","cr":"0","up":"0.16800000","mt":"cross",
 "iw":"0","ps":"BOTH","ma":"USDT"}]}})";

inline constexpr std::string_view kFunding = R"({"e":"ACCOUNT_UPDATE","E":1795017600412,"T":1795017600410,"a":{
 "m":"FUNDING_FEE","S":"BTCUSDT","B":[{"a":"USDT","wb":"9998.16293600","cw":"9998.16293600","bc":"-0.30620050"}],"P":[]}})";

inline constexpr std::string_view kTradeLite = R"({"e":"TRADE_LITE","E":1795000001235,"T":1795000001234,"s":"BTCUSDT",
 "q":"0.050","p":"0.00","m":false,"c":"c1_0007","S":"BUY","L":"61234.50","l":"0.030","t":5600000101,"i":1000123456789})";

inline constexpr std::string_view kMarginCall = R"({"e":"MARGIN_CALL","E":1795003600000,"cw":"41.20750012","p":[
 {"s":"ETHUSDT","ps":"LONG","pa":"0.850","mt":"CROSSED","iw":"0","mp":"2804.55000000","up":"-38.2","mm":"11.91933750"}]})";

inline constexpr std::string_view kLeverageChanged =
    R"({"e":"ACCOUNT_CONFIG_UPDATE","E":1795000000302,"T":1795000000300,"ac":{"s":"BTCUSDT","l":20}})";
inline constexpr std::string_view kMultiAssetMode =
    R"({"e":"ACCOUNT_CONFIG_UPDATE","E":1795000000512,"T":1795000000510,"ai":{"j":true}})";
inline constexpr std::string_view kListenKeyExpired =
    R"({"e":"listenKeyExpired","E":1795003600101,"listenKey":"WsSimKey0000000000000000000000000000000000000000000000000000000"})";
inline constexpr std::string_view kTriggerRejected = R"({"e":"CONDITIONAL_ORDER_TRIGGER_REJECT","E":1795000700012,
 "T":1795000700010,"or":{"s":"ETHUSDT","i":1000123458888,"r":"reason text"}})";
inline constexpr std::string_view kMarkPrice = R"({"e":"markPriceUpdate","E":1795000002000,"s":"BTCUSDT","p":"61240.10000000",
 "ap":"61238.90000000","i":"61251.84652174","P":"61266.02511903","r":"0.00004120","T":1795017600000,"st":1})";
inline constexpr std::string_view kMiniTicker = R"({"e":"24hrMiniTicker","E":1795000002111,"s":"BTCUSDT","c":"61234.50",
 "o":"62046.90","h":"62399.00","l":"60880.10","v":"148213.551","q":"9145099231.42"})";
inline constexpr std::string_view kWrapped = R"({"stream":"btcusdt@markPrice@1s","data":{"e":"markPriceUpdate",
 "E":1795000002000,"s":"BTCUSDT","p":"61240.1","T":1795017600000}})";
inline constexpr std::string_view kAck = R"({"result":null,"id":1})";
inline constexpr std::string_view kCommandError = R"({"error":{"code":2,"msg":"Invalid request: unknown variant"},"id":7})";

inline constexpr std::string_view kStreamExamples[] = {
    kOrderNew, kOrderTrade, kOrderCanceled, kAlgoNew, kAlgoFinished, kAccountUpdate, kFunding, kTradeLite, kMarginCall,
    kLeverageChanged, kMultiAssetMode, kListenKeyExpired, kTriggerRejected, kMarkPrice, kMiniTicker, kWrapped, kAck, kCommandError};

struct RestExample {
  RequestKind kind;
  std::string_view body;
};

inline constexpr std::string_view kOrderRow = R"({"orderId":1000123456789,"symbol":"BTCUSDT","status":"FILLED",
 "clientOrderId":"c1_0007","price":"0.00","avgPrice":"61234.54000","origQty":"0.050","executedQty":"0.050",
 "cumQuote":"3061.72700","timeInForce":"GTC","type":"MARKET","reduceOnly":false,"closePosition":false,"side":"BUY",
 "positionSide":"BOTH","stopPrice":"0.00","workingType":"CONTRACT_PRICE","priceProtect":false,"origType":"MARKET",
 "priceMatch":"NONE","selfTradePreventionMode":"EXPIRE_MAKER","goodTillDate":0,"time":1795000001230,"updateTime":1795000001234})";

inline constexpr std::string_view kAlgoRow = R"({"algoId":1000000311223344,"clientAlgoId":"sl_btc_01","algoType":"CONDITIONAL",
 "orderType":"STOP_MARKET","symbol":"BTCUSDT","side":"SELL","positionSide":"SHORT","timeInForce":"GTC","quantity":"5.0E-4",
 "algoStatus":"FINISHED","actualOrderId":"1000123457001","actualPrice":"59990.000000","actualType":"MARKET",
 "actualQty":"0.0005","triggerPrice":"60000.00","price":"0.00","icebergQuantity":null,"tpOrderType":"",
 "selfTradePreventionMode":"EXPIRE_MAKER","workingType":"MARK_PRICE","priceMatch":"NONE","closePosition":false,
 "priceProtect":false,"reduceOnly":true,"createTime":1795000003000,"updateTime":1795000900037,"triggerTime":1795000900019,
 "goodTillDate":0})";

inline constexpr std::string_view kPositionRows = R"([{"symbol":"BTCUSDT","positionSide":"BOTH","positionAmt":"-0.050",
 "entryPrice":"61234.540000000001","breakEvenPrice":"61265.15727","markPrice":"61240.10000000","unRealizedProfit":"0.27800000",
 "liquidationPrice":"0","isolatedMargin":"0","notional":"3062.00500000","marginAsset":"USDT","isolatedWallet":"0","adl":1,
 "updateTime":1795000001234},{"symbol":"ETHUSDT","positionSide":"BOTH","positionAmt":"0","entryPrice":"0.0",
 "markPrice":"2800","unRealizedProfit":"0","liquidationPrice":"0","updateTime":0}])";

inline constexpr std::string_view kBalanceRows = R"([{"accountAlias":"SgFzmYsR","asset":"USDT","balance":"9998.46913650",
 "crossWalletBalance":"9998.46913650","crossUnPnl":"0.27800000","availableBalance":"9845.64688650",
 "maxWithdrawAmount":"9845.64688650","marginAvailable":true,"updateTime":1795000001234}])";

inline constexpr std::string_view kTradeRows = R"([{"symbol":"BTCUSDT","pair":"BTCUSDT","id":5600000101,
 "orderId":1000123456789,"side":"BUY","price":"61234.50","qty":"0.030","realizedPnl":"0","quoteQty":"1837.03500","baseQty":"0",
 "commission":"0.91851750","commissionAsset":"USDT","marginAsset":"USDT","time":1795000001234,"positionSide":"BOTH",
 "buyer":true,"maker":false}])";

inline constexpr std::string_view kIncomeRows = R"([{"symbol":"BTCUSDT","incomeType":"COMMISSION","income":"-0.91851750",
 "asset":"USDT","info":"COMMISSION","time":1795000001234,"tranId":90011200344455667,"tradeId":"5600000101"},
 {"symbol":"BTCUSDT","incomeType":"REALIZED_PNL","income":"1","asset":"USDT","time":1795000001234,"tranId":1},
 {"symbol":"XRPUSDT","incomeType":"FUNDING_FEE","income":"-0.3","asset":"USDT","time":1795017600000,"tranId":2,"tradeId":""},
 {"symbol":"","incomeType":"TRANSFER","income":"100","asset":"USDT","time":1795017600000,"tranId":3,"tradeId":""}])";

inline constexpr std::string_view kSymbolConfig = R"([{"symbol":"BTCUSDT","marginType":"CROSSED","isAutoAddMargin":false,
 "leverage":20,"maxNotionalValue":"50000000"}])";

inline constexpr std::string_view kExchangeInfo = R"({"timezone":"UTC","serverTime":1,"rateLimits":[],"exchangeFilters":[],
 "assets":[],"symbols":[{"symbol":"BTCUSDT","pair":"BTCUSDT","contractType":"PERPETUAL","status":"TRADING",
 "baseAsset":"BTC","quoteAsset":"USDT","marginAsset":"USDT","pricePrecision":2,"filters":[
 {"filterType":"PRICE_FILTER","minPrice":"261.10","maxPrice":"809484","tickSize":"0.10"},
 {"filterType":"LOT_SIZE","minQty":"0.001","maxQty":"1000","stepSize":"0.001"},
 {"filterType":"MARKET_LOT_SIZE","minQty":"0.001","maxQty":"120","stepSize":"0.001"},
 {"filterType":"MAX_NUM_ORDERS","limit":200},{"filterType":"MIN_NOTIONAL","notional":"100"},
 {"filterType":"POSITION_RISK_CONTROL","positionControlSide":"NONE"}]},
 {"symbol":"OLDUSDT_240329","contractType":"","status":"CLOSE","baseAsset":"OLD"}]})";

inline constexpr std::string_view kPlaced = R"({"orderId":1000123456789,"symbol":"BTCUSDT","status":"NEW",
 "clientOrderId":"t0-1","price":"0.00","origQty":"0.050","executedQty":"0.000","cumQty":"0.000","timeInForce":"GTC",
 "type":"MARKET","reduceOnly":false,"closePosition":false,"side":"BUY","positionSide":"BOTH","stopPrice":"0.00",
 "workingType":"CONTRACT_PRICE","priceProtect":false,"origType":"MARKET","priceMatch":"NONE",
 "selfTradePreventionMode":"EXPIRE_MAKER","goodTillDate":0,"updateTime":1795000001234})";

inline constexpr std::string_view kAlgoPlaced = R"({"algoId":1000000311223344,"clientAlgoId":"t0-2","algoType":"CONDITIONAL",
 "orderType":"STOP_MARKET","symbol":"BTCUSDT","side":"SELL","positionSide":"BOTH","timeInForce":"GTC","quantity":"0.050",
 "algoStatus":"NEW","triggerPrice":"60000.00","price":"0.00","icebergQuantity":null,"selfTradePreventionMode":"EXPIRE_MAKER",
 "workingType":"MARK_PRICE","priceMatch":"NONE","closePosition":false,"priceProtect":false,"reduceOnly":true,
 "createTime":1795000003000,"updateTime":1795000003000,"triggerTime":0,"goodTillDate":0})";

inline constexpr std::string_view kAlgoCanceled =
    R"({"algoId":1000000311223344,"clientAlgoId":"t0-2","code":"200","msg":"success"})";
inline constexpr std::string_view kLeverageSet = R"({"leverage":20,"maxNotionalValue":"50000000","symbol":"BTCUSDT"})";
inline constexpr std::string_view kPremiumIndex = R"({"symbol":"BTCUSDT","markPrice":"61240.10000000",
 "indexPrice":"61251.84652174","estimatedSettlePrice":"61266.02511903","lastFundingRate":"0.00004120",
 "interestRate":"0.00010000","nextFundingTime":1795017600000,"time":1795000000000})";
inline constexpr std::string_view kLastPrice = R"({"symbol":"BTCUSDT","price":"61234.50","time":1795000000123})";

inline constexpr std::string_view kDay = R"({"symbol":"BTCUSDT","priceChange":"-812.40","priceChangePercent":"-1.309",
 "weightedAvgPrice":"61702.18","lastPrice":"61234.50","lastQty":"0.004","openPrice":"62046.90","highPrice":"62399.00",
 "lowPrice":"60880.10","volume":"148213.551","quoteVolume":"9145099231.42","openTime":1794913560000,
 "closeTime":1795000009876,"firstId":6900000001,"lastId":6903120044,"count":3120040})";
inline constexpr std::string_view kDayRows = R"([{"symbol":"BTCUSDT","lastPrice":"61234.50","quoteVolume":"9145099231.42"}])";

inline constexpr RestExample kRestExamples[] = {
    {RequestKind::server_time, R"({"serverTime":1795000001234})"},
    {RequestKind::instruments, kExchangeInfo},
    {RequestKind::positions, kPositionRows},
    {RequestKind::position_mode, R"({"dualSidePosition":true})"},
    {RequestKind::leverages, kSymbolConfig},
    {RequestKind::balances, kBalanceRows},
    {RequestKind::open_orders, "[]"},
    {RequestKind::open_conditional_orders, "[]"},
    {RequestKind::closed_orders, "[]"},
    {RequestKind::executions, kTradeRows},
    {RequestKind::income_symbols, kIncomeRows},
    {RequestKind::order, kOrderRow},
    {RequestKind::conditional_order, kAlgoRow},
    {RequestKind::create_listen_key, R"({"listenKey":"simListenKey0123456789"})"},
    {RequestKind::keep_alive_listen_key, "{}"},
    {RequestKind::ticker, kPremiumIndex},
    {RequestKind::tickers, kDayRows},
    {RequestKind::place_order, kPlaced},
    {RequestKind::cancel_order, kPlaced},
    {RequestKind::set_leverage, kLeverageSet},
};

inline Decimal dec(std::string_view text) { return Decimal::parse(text).value(); }

inline OrderTicket entry() {
  OrderTicket ticket;
  ticket.symbol = "BTCUSDT";
  ticket.client_order_id = "t0-1";
  ticket.quantity = dec("0.050");
  return ticket;
}

inline OrderTicket stop_loss() {
  OrderTicket ticket = entry();
  ticket.client_order_id = "t0-2";
  ticket.kind = OrderKind::conditional;
  ticket.side = Side::sell;
  ticket.type = "stop_market";
  ticket.stop_price = dec("60000.00");
  ticket.reduce_only = true;
  return ticket;
}

inline Request question(RequestKind kind) {
  Request request;
  request.kind = kind;
  if (kind == RequestKind::ticker || is_write(kind)) request.symbol = "BTCUSDT";
  if (kind == RequestKind::place_order) request.ticket = entry();
  if (kind == RequestKind::cancel_order) request.client_order_id = "t0-1";
  if (kind == RequestKind::set_leverage) request.leverage = Decimal(20);
  return request;
}

inline Request placing(const OrderTicket& ticket) {
  Request request = question(RequestKind::place_order);
  request.ticket = ticket;
  return request;
}

// A copy with the readable bytes behind it that decode() is promised. They would complete or break JSON if they were read as
// a part of it, and the heap block ends with them, so that the address sanitizer sees a read beyond.
class Padded {
 public:
  explicit Padded(std::string_view text) : size_(text.size()), bytes_(new char[text.size() + kMessagePadding]) {
    text.copy(bytes_.get(), size_);
    std::fill_n(bytes_.get() + size_, kMessagePadding, '}');
  }
  std::string_view text() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

inline Decoded decode(std::string_view message) {
  Decoded out;
  decode_message(Padded(message).text(), out);
  return out;
}

using Headers = std::vector<std::pair<std::string, std::string>>;

inline Reply reply(const Request& request, std::string_view body, int status = 200, Headers headers = {}) {
  const Padded padded(body);
  return decode_reply(request, {.status = status, .complete = true, .body = padded.text(), .error = {}, .headers = std::move(headers)});
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

}  // namespace tradesync::binance::test
