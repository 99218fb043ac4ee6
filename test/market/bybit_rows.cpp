// Row shapes of bybit-v5.md 3.2-3.6, 3.14-3.17, 5.4-5.8. REST and stream spell "not set" differently; both are kept.
#include "market/bybit_rows.hpp"

#include "market/bybit_words.hpp"
#include "market/json_writer.hpp"
#include "market/margin.hpp"

namespace market::bybit {

namespace {

std::string ms(Ms time) { return std::to_string(time); }

std::string text_or(Decimal value, std::string_view when_zero) {
    return value.is_zero() ? std::string(when_zero) : value.text();
}

void add_unknown_fields(JsonWriter& w, const RowStyle& style) {
    if (!style.unknown_fields) return;
    w.field("futureField", "not in any document").number("futureNumber", 7).key("futureObject").open().boolean("deep", true).close();
}

std::string ratio(Decimal part, Decimal whole) { return whole.sign() <= 0 ? "0" : Decimal::of((part / whole).fixed(4)).text(); }

}  // namespace

std::string order_row(const Order& order, RowStyle style, bool refused_late) {
    const bool stream = style.where == Where::stream;
    const bool is_stop = order.stop_kind != StopKind::none;
    const bool done = is_terminal(order.status);
    const Decimal leaves = done ? Decimal() : order.remaining();
    JsonWriter w;
    w.open();
    if (stream) w.field("category", "linear");
    w.field("symbol", order.symbol).field("orderId", order.id).field("orderLinkId", order.client_id);
    w.field("parentOrderLinkId", "").field("blockTradeId", "").field("side", side_word(order.side));
    w.number("positionIdx", position_idx(order.slot)).field("orderStatus", status_word(order, style.stops_end_deactivated));
    w.field("createType", style.unknown_fields ? "CreateByFutureFeature" : create_type_word(order));
    w.field("cancelType", refused_late ? "CancelByUser" : cancel_type_word(order));
    w.field("rejectReason", refused_late ? "EC_OrigClOrdIDDoesNotExist" : reject_reason_word(order));
    w.field("timeInForce", time_in_force_word(order)).field("isLeverage", "");
    w.field("price", order.price).field("qty", order.quantity);
    w.field("avgPrice", text_or(order.average_price(), ""));
    w.field("leavesQty", leaves).field("leavesValue", leaves * order.price);
    w.field("cumExecQty", order.filled).field("cumExecValue", order.filled_value).field("cumExecFee", order.fees);
    w.key("cumFeeDetail").open();
    if (!order.fees.is_zero()) w.field("USDT", order.fees);
    w.close();
    w.field("orderType", type_word(order.type)).field("stopOrderType", stop_type_word(order, "")).field("orderIv", "");
    const bool trailing = order.stop_kind == StopKind::position_trailing;
    w.field("triggerPrice", text_or(trailing ? order.activation_price : order.trigger_price, ""));
    w.field("takeProfit", order.attached.take_profit ? order.attached.take_profit->text() : "");
    w.field("stopLoss", order.attached.stop_loss ? order.attached.stop_loss->text() : "");
    w.field("tpTriggerBy", order.attached.take_profit ? trigger_by_word(order.attached.take_profit_by) : "");
    w.field("slTriggerBy", order.attached.stop_loss ? trigger_by_word(order.attached.stop_loss_by) : "");
    w.field("triggerBy", is_stop ? trigger_by_word(order.trigger_by) : "");
    w.number("triggerDirection", !is_stop ? 0 : order.trigger_when == TriggerWhen::rises ? 1 : 2);
    w.field("lastPriceOnCreated", order.last_price_on_created).field("placeType", "");
    w.boolean("reduceOnly", order.reduce_only).boolean("closeOnTrigger", order.close_on_trigger);
    w.field("tpslMode", is_full_stop(order.stop_kind)      ? "Full"
                        : is_partial_stop(order.stop_kind) ? "Partial"
                                                           : "UNKNOWN");
    w.field("tpLimitPrice", "0").field("slLimitPrice", "0").number("smpGroup", 0);
    w.field("smpType", "None").field("smpOrderId", "").field("marketUnit", "");
    w.field("slippageTolerance", "0").field("slippageToleranceType", "UNKNOWN");
    w.boolean("rpiTakerAccess", false).field("rpiMatchedQty", "0");
    w.field("createdTime", ms(order.created_ms)).field("updatedTime", ms(order.updated_ms));
    if (stream) w.field("feeCurrency", "").field("closedPnl", order.realized_pnl);
    add_unknown_fields(w, style);
    return w.close().take();
}

std::string fill_row(const Fill& fill, const Order& order, RowStyle style) {
    JsonWriter w;
    w.open();
    if (style.where == Where::stream) w.field("category", "linear").field("isLeverage", "0").field("marketUnit", "");
    w.field("symbol", fill.symbol).field("orderId", fill.order_id).field("orderLinkId", fill.client_id);
    w.field("side", side_word(fill.side)).field("orderPrice", order.price).field("orderQty", order.quantity);
    w.field("leavesQty", fill.remaining).field("createType", create_type_word(order));
    w.field("orderType", type_word(order.type)).field("stopOrderType", stop_type_word(order, "UNKNOWN"));
    w.field("execFee", fill.fee).field("feeRate", fill.fee_rate).field("feeCurrency", "USDT");
    w.field("execId", fill.trade_id).field("execPrice", fill.price).field("execQty", fill.quantity);
    w.field("execType", exec_type_word(fill.origin)).field("execValue", fill.value()).field("execTime", ms(fill.time_ms));
    w.boolean("isMaker", fill.is_maker).field("markPrice", fill.mark_price).field("indexPrice", "");
    w.field("underlyingPrice", "").field("tradeIv", "").field("markIv", "").field("blockTradeId", "");
    w.field("closedSize", fill.closed_quantity).field("execPnl", fill.realized_pnl).field("extraFees", "");
    w.number("seq", fill.sequence);
    add_unknown_fields(w, style);
    return w.close().take();
}

std::string fast_fill_row(const Fill& fill) {
    JsonWriter w;
    w.open().field("category", "linear").field("symbol", fill.symbol).field("execId", fill.trade_id);
    w.field("execPrice", fill.price).field("execQty", fill.quantity).field("orderId", fill.order_id);
    w.boolean("isMaker", fill.is_maker).field("orderLinkId", fill.is_maker ? "" : fill.client_id);
    w.field("side", side_word(fill.side)).field("execTime", ms(fill.time_ms)).number("seq", fill.sequence);
    return w.close().take();
}

std::string funding_row(const Funding& funding, RowStyle style) {
    JsonWriter w;
    w.open();
    if (style.where == Where::stream) w.field("category", "linear").field("isLeverage", "0").field("marketUnit", "");
    w.field("symbol", funding.symbol).field("orderId", funding.trade_id).field("orderLinkId", "");
    w.field("side", side_word(funding.position_side)).field("orderPrice", "0").field("orderQty", "0").field("leavesQty", "0");
    w.field("createType", "").field("orderType", "UNKNOWN").field("stopOrderType", "UNKNOWN");
    w.field("execFee", -funding.amount).field("feeRate", funding.rate).field("feeCurrency", "USDT");
    w.field("execId", funding.trade_id).field("execPrice", funding.mark_price).field("execQty", funding.quantity);
    w.field("execType", "Funding").field("execValue", funding.mark_price * funding.quantity);
    w.field("execTime", ms(funding.time_ms)).boolean("isMaker", false).field("markPrice", funding.mark_price);
    w.field("indexPrice", "").field("underlyingPrice", "").field("tradeIv", "").field("markIv", "").field("blockTradeId", "");
    w.field("closedSize", "0").field("execPnl", "0").field("extraFees", "").number("seq", funding.sequence);
    add_unknown_fields(w, style);
    return w.close().take();
}

std::string position_row(const Position& position, Decimal mark, Decimal close_fee_rate, RowStyle style) {
    const bool stream = style.where == Where::stream;
    const std::string_view unset = stream ? "0" : "";
    JsonWriter w;
    w.open();
    if (stream) w.field("category", "linear");
    w.number("positionIdx", position_idx(position.slot)).number("riskId", 1).field("riskLimitValue", "2000000");
    w.field("symbol", position.symbol);
    w.field("side", position.is_flat() ? "" : side_word(position.is_long() ? Side::buy : Side::sell));
    w.field("size", position.quantity.abs()).field(stream ? "entryPrice" : "avgPrice", position.entry_price);
    w.field("positionValue", position.entry_value).number("tradeMode", 0).field("positionStatus", "Normal");
    w.number("autoAddMargin", 0).number("adlRankIndicator", position.is_flat() ? 0 : 2);
    w.field("leverage", position.leverage).field("breakEvenPrice", margin::break_even(position, close_fee_rate));
    w.field("positionBalance", "0").field("markPrice", mark).field("liqPrice", "").field("bustPrice", "");
    w.field("positionIM", position.initial_margin).field("positionIMByMp", position.initial_margin);
    w.field("positionMM", position.maintenance_margin).field("positionMMByMp", position.maintenance_margin);
    w.field("tpslMode", "Full").field("takeProfit", text_or(position.take_profit, unset));
    w.field("stopLoss", text_or(position.stop_loss, unset)).field("trailingStop", position.trailing_stop);
    w.field("unrealisedPnl", position.unrealized).field("curRealisedPnl", position.current_realized);
    w.field("cumRealisedPnl", position.total_realized).number("seq", position.sequence).boolean("isReduceOnly", false);
    w.field("mmrSysUpdatedTime", "").field("leverageSysUpdatedTime", "").field("sessionAvgPrice", "");
    w.field("createdTime", ms(position.created_ms)).field("updatedTime", ms(position.updated_ms));
    w.number("openTime", position.opened_ms);
    add_unknown_fields(w, style);
    return w.close().take();
}

std::string wallet_row(const Balance& balance, const Totals& totals, RowStyle style) {
    const Decimal equity = balance.wallet + totals.unrealized;
    const Decimal initial = totals.position_initial + totals.order_initial;
    const std::string im_rate = ratio(initial, equity), mm_rate = ratio(totals.position_maintenance, equity);
    JsonWriter w;
    w.open().field("accountType", "UNIFIED").field("accountLTV", "0");
    w.field("accountIMRate", im_rate).field("accountMMRate", mm_rate);
    w.field("accountIMRateByMp", im_rate).field("accountMMRateByMp", mm_rate);
    w.field("totalEquity", equity).field("totalWalletBalance", balance.wallet).field("totalMarginBalance", equity);
    w.field("totalAvailableBalance", equity - initial).field("totalPerpUPL", totals.unrealized);
    w.field("totalInitialMargin", initial).field("totalMaintenanceMargin", totals.position_maintenance);
    w.field("totalInitialMarginByMp", initial).field("totalMaintenanceMarginByMp", totals.position_maintenance);
    w.key("coin").array().open();
    w.field("coin", balance.asset).field("equity", equity).field("usdValue", equity).field("walletBalance", balance.wallet);
    w.field("locked", "0").field("spotHedgingQty", "0").field("borrowAmount", "0").field("spotBorrow", "0");
    w.field("accruedInterest", "0").field("totalOrderIM", totals.order_initial);
    w.field("totalPositionIM", totals.position_initial).field("totalPositionMM", totals.position_maintenance);
    w.field("unrealisedPnl", totals.unrealized).field("cumRealisedPnl", balance.total_realized).field("bonus", "0");
    w.field("colRes", "0").boolean("marginCollateral", true).boolean("collateralSwitch", true);
    w.field("availableToWithdraw", "").field("availableToBorrow", "");
    add_unknown_fields(w, style);
    w.close().end_array();
    add_unknown_fields(w, style);
    return w.close().take();
}

std::string closed_pnl_row(const ClosedPnl& closed) {
    JsonWriter w;
    w.open().field("symbol", closed.symbol).field("orderId", closed.order_id).field("side", side_word(closed.side));
    w.field("qty", closed.order_quantity).field("orderPrice", closed.order_price).field("orderType", type_word(closed.order_type));
    w.field("execType", exec_type_word(closed.origin)).field("closedSize", closed.quantity);
    w.field("cumEntryValue", closed.entry_value).field("avgEntryPrice", closed.entry_value / closed.quantity);
    w.field("cumExitValue", closed.exit_value).field("avgExitPrice", closed.exit_value / closed.quantity);
    w.field("closedPnl", closed.pnl()).field("fillCount", std::to_string(closed.fill_count)).field("leverage", closed.leverage);
    w.field("openFee", closed.open_fee).field("closeFee", closed.close_fee);
    w.field("createdTime", ms(closed.created_ms)).field("updatedTime", ms(closed.updated_ms));
    return w.close().take();
}

std::string instrument_row(const Instrument& instrument, RowStyle style) {
    JsonWriter w;
    w.open().field("symbol", instrument.symbol).number("symbolId", instrument.number).field("contractType", "LinearPerpetual");
    w.field("status", instrument_status_word(instrument)).field("baseCoin", instrument.base).field("quoteCoin", "USDT");
    w.field("settleCoin", "USDT").field("symbolType", style.unknown_fields ? "moonrock" : "");
    w.field("launchTime", ms(instrument.launched_ms)).field("deliveryTime", "0").field("deliveryFeeRate", "");
    w.field("priceScale", std::to_string(instrument.tick.decimals()));
    w.key("leverageFilter").open().field("minLeverage", "1").field("maxLeverage", Decimal(instrument.max_leverage).fixed(2));
    w.field("leverageStep", "0.01").close();
    w.key("priceFilter").open().field("minPrice", instrument.min_price).field("maxPrice", instrument.max_price);
    w.field("tickSize", instrument.tick).close();
    w.key("lotSizeFilter").open().field("maxOrderQty", instrument.max_quantity).field("minOrderQty", instrument.min_quantity);
    w.field("qtyStep", instrument.step).field("postOnlyMaxOrderQty", instrument.max_quantity);
    w.field("maxMktOrderQty", instrument.max_market_quantity).field("minNotionalValue", instrument.min_notional).close();
    w.boolean("unifiedMarginTrade", true).number("fundingInterval", 480).field("copyTrading", "both");
    w.field("upperFundingRate", "0.005").field("lowerFundingRate", "-0.005").field("displayName", "");
    w.boolean("forbidUplWithdrawal", false).boolean("isPreListing", false).null("preListingInfo");
    w.key("riskParameters").open().field("priceLimitRatioX", "0.05").field("priceLimitRatioY", "0.1").close();
    add_unknown_fields(w, style);
    return w.close().take();
}

std::vector<std::pair<std::string, std::string>> ticker_members(const Instrument& instrument, Where where) {
    const int digits = instrument.tick.decimals();
    const auto price = [&](Decimal value) { return value.fixed(digits); };
    const Decimal bid = max(instrument.last - instrument.tick, instrument.tick);
    const Decimal change = instrument.previous_24h.is_zero()
                               ? Decimal()
                               : (instrument.last - instrument.previous_24h) / instrument.previous_24h;
    std::vector<std::pair<std::string, std::string>> members = {
        {"symbol", instrument.symbol},
        {"price24hPcnt", change.fixed(6)},
        {"lastPrice", price(instrument.last)},
        {"prevPrice24h", price(instrument.previous_24h)},
        {"highPrice24h", price(max(instrument.last, instrument.previous_24h))},
        {"lowPrice24h", price(min(instrument.last, instrument.previous_24h))},
        {"prevPrice1h", price(instrument.previous_24h)},
        {"bid1Price", price(bid)},
        {"bid1Size", (instrument.min_quantity * (7 + static_cast<int>(instrument.price_version % 50))).text()},
        {"ask1Price", price(instrument.last)},
        {"ask1Size", (instrument.min_quantity * (3 + static_cast<int>(instrument.price_version % 70))).text()},
        {"markPrice", price(instrument.mark)},
        {"indexPrice", price(instrument.index)},
        {"openInterest", "51234.118"},
        {"openInterestValue", (Decimal::of("51234.118") * instrument.mark).fixed(2)},
        {"singleOpenInterest", "25617.059"},
        {"singleOpenInterestValue", (Decimal::of("25617.059") * instrument.mark).fixed(2)},
        {"turnover24h", instrument.quote_volume().fixed(4)},
        {"volume24h", "80345.7710"},
        {"fundingIntervalHour", "8"},
        {"fundingCap", "0.005"},
        {"nextFundingTime", ms(instrument.next_funding_ms)},
        {"fundingRate", instrument.funding_rate.text()},
        {"preOpenPrice", ""},
        {"preQty", ""},
        {"curPreListingPhase", ""},
    };
    if (where == Where::stream) {
        members.insert(members.begin() + 1, {"tickDirection", instrument.price_version % 2 == 0 ? "PlusTick" : "ZeroMinusTick"});
    } else {
        for (const char* name : {"predictedDeliveryPrice", "basisRate", "basis", "basisRateYear", "deliveryFeeRate"})
            members.emplace_back(name, "");
        members.emplace_back("deliveryTime", "0");
    }
    return members;
}

}  // namespace market::bybit
