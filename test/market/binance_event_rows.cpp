// User stream messages (binance-usdm.md 12): decimals trimmed, money with 8 digits.
#include "market/binance_rows.hpp"

#include "market/binance_words.hpp"

namespace market::binance {

namespace {

std::string money(Decimal value) { return value.money().fixed(8); }

const char* order_word(const Order& order) {
    const bool forced = order.origin == Origin::liquidation || order.origin == Origin::adl;
    return forced ? "LIQUIDATION" : regular_type_word(order);
}

void begin(JsonWriter& w, const char* type, Stamp stamp) {
    w.open().field("e", type).number("E", stamp.event_ms).number("T", stamp.transaction_ms);
}

}  // namespace

std::string order_trade_update(const Order& order, const char* execution_type, const Fill* fill, Decimal bid_notional,
                               Decimal ask_notional, Stamp stamp) {
    JsonWriter w;
    begin(w, "ORDER_TRADE_UPDATE", stamp);
    w.key("o").open().field("s", order.symbol).field("c", order.client_id).field("S", side_word(order.side))
        .field("o", order_word(order)).field("f", time_in_force_word(order)).field("q", order.quantity)
        .field("p", order.type == OrderType::limit ? order.price : Decimal()).field("ap", order.average_price())
        .field("sp", "0").field("x", execution_type).field("X", order_status_word(order)).number("i", order.number)
        .field("l", fill ? fill->quantity : Decimal()).field("z", order.filled).field("L", fill ? fill->price : Decimal())
        .field("n", fill ? money(fill->fee) : "0").field("N", "USDT").number("T", stamp.transaction_ms)
        .number("t", fill ? fill->number : 0).field("b", bid_notional).field("a", ask_notional)
        .boolean("m", fill && fill->is_maker).boolean("R", order.reduce_only).field("wt", "CONTRACT_PRICE")
        .field("ot", order_word(order)).field("ps", position_side_word(order.slot)).boolean("cp", false)
        .field("rp", fill ? fill->realized_pnl.money() : Decimal()).boolean("pP", false).number("si", 0).number("ss", 0)
        .field("V", "EXPIRE_MAKER").field("pm", "NONE").number("gtd", 0)
        .field("er", is_terminal(order.status) ? expiry_reason(order.end_reason) : "0").close().close();
    return w.take();
}

std::string trade_lite(const Fill& fill, const Order& order, const Instrument& instrument, Stamp stamp) {
    const int price = price_digits(instrument), quantity = quantity_digits(instrument);
    JsonWriter w;
    begin(w, "TRADE_LITE", stamp);
    w.field("s", fill.symbol).field("q", order.quantity.fixed(quantity))
        .field("p", (order.type == OrderType::limit ? order.price : Decimal()).fixed(price)).boolean("m", fill.is_maker)
        .field("c", order.client_id).field("S", side_word(fill.side)).field("L", fill.price.fixed(price))
        .field("l", fill.quantity.fixed(quantity)).number("t", fill.number).number("i", order.number).close();
    return w.take();
}

std::string algo_update(const Order& algo, const Order* child, const char* status, const Instrument& instrument,
                        Stamp stamp) {
    const bool trailing = algo.stop_kind == StopKind::trailing;
    JsonWriter w;
    begin(w, "ALGO_UPDATE", stamp);
    w.key("o").open().field("caid", algo.client_id).number("aid", algo.number).field("at", "CONDITIONAL")
        .field("o", algo_type_word(algo)).field("s", algo.symbol).field("S", side_word(algo.side))
        .field("ps", position_side_word(algo.slot)).field("f", time_in_force_word(algo))
        .field("q", algo.close_position ? "0" : algo.quantity.fixed(quantity_digits(instrument))).field("X", status)
        .field("ai", child ? child->id : std::string());
    if (child) {
        w.field("ap", child->filled.is_zero() ? "0" : child->average_price().fixed(5)).field("aq", child->filled)
            .field("act", regular_type_word(*child));
    }
    w.field("tp", algo.trigger_price).field("p", algo.type == OrderType::limit ? algo.price : Decimal())
        .field("V", "EXPIRE_MAKER").field("wt", working_type_word(algo.trigger_by)).field("pm", "NONE")
        .boolean("cp", algo.close_position).boolean("pP", false).boolean("R", algo.reduce_only || algo.close_position)
        .number("tt", algo.triggered_ms).number("gtd", 0);
    if (const std::string reason = reject_reason(algo); !reason.empty()) w.field("rm", reason);
    if (trailing) w.field("cr", algo.trailing_percent);
    return w.boolean("ia", !trailing || algo.trailing_active).close().close().take();
}

std::string account_position_member(const Position& position, bool isolated, Decimal taker_fee) {
    JsonWriter w;
    w.open().field("s", position.symbol).field("pa", position.quantity)
        .field("ep", position.is_flat() ? Decimal() : position.entry_price)
        .field("bep", break_even_price(position, taker_fee)).field("cr", position.total_realized_gross)
        .field("up", position.is_flat() ? "0" : money(position.unrealized)).field("mt", isolated ? "isolated" : "cross")
        .field("iw", "0").field("ps", position_side_word(position.slot)).field("ma", "USDT").close();
    return w.take();
}

}  // namespace market::binance
