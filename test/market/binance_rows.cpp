// REST rows; the user events are in binance_event_rows.cpp.
#include "market/binance_rows.hpp"

#include "market/binance_words.hpp"

namespace market::binance {

namespace {

std::string price(const Instrument& instrument, Decimal value) { return value.fixed(price_digits(instrument)); }
std::string quantity(const Instrument& instrument, Decimal value) { return value.fixed(quantity_digits(instrument)); }
std::string money(Decimal value) { return value.money().fixed(8); }

// Cross margin, one-way, as if this were the only position (16); "0" when there is none.
std::string liquidation_price(const Holding& holding) {
    if (holding.amount().is_zero()) return "0";
    const Decimal side = holding.amount().sign();
    const Decimal size = holding.amount().abs();
    const Decimal above = holding.account.usdt().wallet - side * holding.position->entry_value;
    const Decimal at = above / (size * (holding.instrument.maintenance_rate - side));
    return at.sign() <= 0 ? "0" : at.fixed(price_digits(holding.instrument) + 6);
}

std::string entry_price(const Holding& holding) {
    return holding.amount().is_zero() ? "0.0" : holding.position->entry_price.text();
}

std::string break_even(const Holding& holding) {
    return holding.amount().is_zero() ? "0.0" : break_even_price(*holding.position, holding.taker_fee).text();
}

Decimal unrealized(const Holding& holding) { return holding.position ? holding.position->unrealized : Decimal(); }
Decimal initial_margin(const Holding& holding) { return holding.position ? holding.position->initial_margin : Decimal(); }
Decimal maintenance(const Holding& holding) { return holding.position ? holding.position->maintenance_margin : Decimal(); }
Ms updated(const Holding& holding) { return holding.position ? holding.position->updated_ms : 0; }

Decimal leverage(const Holding& holding) {
    return holding.position ? holding.position->leverage : holding.account.leverage_of(holding.instrument.symbol);
}

Decimal order_margin(const Holding& holding) {
    Decimal sum;
    for (const Order* order : holding.account.open_orders(holding.instrument.symbol)) {
        if (order->slot == holding.slot) sum += order->initial_margin;
    }
    return sum;
}

}  // namespace

Worth::Worth(const Account& account)
    : wallet(account.usdt().wallet), unrealized(account.totals.unrealized),
      position_initial(account.totals.position_initial), order_initial(account.totals.order_initial),
      maintenance(account.totals.position_maintenance) {}

Decimal break_even_price(const Position& position, Decimal taker_fee) {
    if (position.is_flat()) return 0;
    const Decimal fee = position.entry_price * taker_fee;
    return position.is_long() ? position.entry_price + fee : position.entry_price - fee;
}

Decimal open_notional(const Account& account, const std::string& symbol, Side side) {
    Decimal sum;
    for (const Order* order : account.open_orders(symbol)) {
        if (order->is_on_book() && order->side == side) sum += order->price * order->remaining();
    }
    return sum;
}

std::string order_row(const Order& order, const Instrument& instrument, OrderShape shape) {
    JsonWriter w;
    w.open().number("orderId", order.number).field("symbol", order.symbol).field("status", order_status_word(order))
        .field("clientOrderId", order.client_id)
        .field("price", price(instrument, order.type == OrderType::limit ? order.price : Decimal()));
    if (shape == OrderShape::query) w.field("avgPrice", order.average_price().fixed(price_digits(instrument) + 3));
    w.field("origQty", quantity(instrument, order.quantity)).field("executedQty", quantity(instrument, order.filled));
    if (shape == OrderShape::query) w.field("cumQuote", order.filled_value.fixed(5));
    else w.field("cumQty", quantity(instrument, order.filled));
    w.field("timeInForce", time_in_force_word(order)).field("type", regular_type_word(order))
        .boolean("reduceOnly", order.reduce_only).boolean("closePosition", false).field("side", side_word(order.side))
        .field("positionSide", position_side_word(order.slot)).field("stopPrice", price(instrument, 0))
        .field("workingType", "CONTRACT_PRICE").boolean("priceProtect", false).field("origType", regular_type_word(order))
        .field("priceMatch", "NONE").field("selfTradePreventionMode", "EXPIRE_MAKER").number("goodTillDate", 0);
    if (shape == OrderShape::query) w.number("time", order.created_ms);
    return w.number("updateTime", order.updated_ms).close().take();
}

std::string algo_row(const Order& algo, const Order* child, const Instrument& instrument, OrderShape shape) {
    const bool trailing = algo.stop_kind == StopKind::trailing;
    JsonWriter w;
    w.open().number("algoId", algo.number).field("clientAlgoId", algo.client_id).field("algoType", "CONDITIONAL")
        .field("orderType", algo_type_word(algo)).field("symbol", algo.symbol).field("side", side_word(algo.side))
        .field("positionSide", position_side_word(algo.slot)).field("timeInForce", time_in_force_word(algo))
        .field("quantity", quantity(instrument, algo.quantity)).field("algoStatus", algo_status_word(algo));
    if (shape == OrderShape::query) {
        w.field("actualOrderId", algo.child_id)
            .field("actualPrice", (child ? child->average_price() : Decimal()).fixed(6))
            .field("actualType", child ? regular_type_word(*child) : "")
            .field("actualQty", quantity(instrument, child ? child->filled : Decimal()));
    }
    w.field("triggerPrice", price(instrument, algo.trigger_price))
        .field("price", price(instrument, algo.type == OrderType::limit ? algo.price : Decimal())).null("icebergQuantity");
    if (shape == OrderShape::query) w.field("tpOrderType", "");
    w.field("selfTradePreventionMode", "EXPIRE_MAKER").field("workingType", working_type_word(algo.trigger_by))
        .field("priceMatch", "NONE").boolean("closePosition", algo.close_position).boolean("priceProtect", false)
        .boolean("reduceOnly", algo.reduce_only);
    if (trailing) w.field("activatePrice", algo.activation_price).field("callbackRate", algo.trailing_percent);
    return w.number("createTime", algo.created_ms).number("updateTime", algo.updated_ms)
        .number("triggerTime", algo.triggered_ms).number("goodTillDate", 0).close().take();
}

std::string trade_row(const Fill& fill, const Instrument& instrument) {
    JsonWriter w;
    w.open().field("symbol", fill.symbol).field("pair", fill.symbol).number("id", fill.number)
        .key("orderId").raw(fill.order_id).field("side", side_word(fill.side)).field("price", price(instrument, fill.price))
        .field("qty", quantity(instrument, fill.quantity)).field("realizedPnl", fill.realized_pnl.money())
        .field("quoteQty", fill.value().fixed(5)).field("baseQty", "0").field("commission", money(fill.fee))
        .field("commissionAsset", "USDT").field("marginAsset", "USDT").number("time", fill.time_ms)
        .field("positionSide", position_side_word(fill.slot)).boolean("buyer", fill.side == Side::buy)
        .boolean("maker", fill.is_maker).close();
    return w.take();
}

std::string position_risk_v3_row(const Holding& h) {
    JsonWriter w;
    w.open().field("symbol", h.instrument.symbol).field("positionSide", position_side_word(h.slot))
        .field("positionAmt", quantity(h.instrument, h.amount())).field("entryPrice", entry_price(h))
        .field("breakEvenPrice", break_even(h)).field("markPrice", money(h.instrument.mark))
        .field("unRealizedProfit", money(unrealized(h))).field("liquidationPrice", liquidation_price(h))
        .field("isolatedMargin", "0").field("notional", money(h.notional())).field("marginAsset", "USDT")
        .field("isolatedWallet", "0").field("initialMargin", money(initial_margin(h) + order_margin(h)))
        .field("maintMargin", money(maintenance(h))).field("positionInitialMargin", money(initial_margin(h)))
        .field("openOrderInitialMargin", order_margin(h)).number("adl", h.amount().is_zero() ? 0 : 1)
        .field("bidNotional", open_notional(h.account, h.instrument.symbol, Side::buy))
        .field("askNotional", open_notional(h.account, h.instrument.symbol, Side::sell))
        .number("updateTime", updated(h)).close();
    return w.take();
}

std::string position_risk_v2_row(const Holding& h) {
    JsonWriter w;
    w.open().field("symbol", h.instrument.symbol).field("positionAmt", quantity(h.instrument, h.amount()))
        .field("entryPrice", entry_price(h)).field("breakEvenPrice", break_even(h))
        .field("markPrice", money(h.instrument.mark)).field("unRealizedProfit", money(unrealized(h)))
        .field("liquidationPrice", liquidation_price(h)).field("leverage", leverage(h)).field("maxNotionalValue", "50000000")
        .field("marginType", h.isolated ? "isolated" : "cross").field("isolatedMargin", "0.00000000")
        .field("isAutoAddMargin", "false").field("positionSide", position_side_word(h.slot))
        .field("notional", money(h.notional())).field("isolatedWallet", "0").number("updateTime", updated(h))
        .boolean("isolated", h.isolated).number("adlQuantile", h.amount().is_zero() ? 0 : 1).close();
    return w.take();
}

std::string account_position_row(const Holding& h, bool v2) {
    JsonWriter w;
    w.open().field("symbol", h.instrument.symbol).field("positionSide", position_side_word(h.slot))
        .field("positionAmt", quantity(h.instrument, h.amount())).field("unrealizedProfit", money(unrealized(h)))
        .field("isolatedMargin", "0").field("notional", money(h.notional())).field("isolatedWallet", "0")
        .field("initialMargin", money(initial_margin(h) + order_margin(h))).field("maintMargin", money(maintenance(h)));
    if (v2) {
        w.field("leverage", leverage(h)).boolean("isolated", h.isolated).field("entryPrice", entry_price(h))
            .field("breakEvenPrice", break_even(h)).field("maxNotional", "50000000")
            .field("positionInitialMargin", money(initial_margin(h))).field("openOrderInitialMargin", money(order_margin(h)))
            .field("bidNotional", "0").field("askNotional", "0");
    }
    return w.number("updateTime", updated(h)).close().take();
}

}  // namespace market::binance
