// See binance_words.hpp.
#include "market/binance_words.hpp"

#include <algorithm>

namespace market::binance {

const char* side_word(Side side) { return side == Side::buy ? "BUY" : "SELL"; }

const char* position_side_word(Slot slot) {
    switch (slot) {
        case Slot::both: return "BOTH";
        case Slot::long_side: return "LONG";
        case Slot::short_side: return "SHORT";
    }
    return "";
}

const char* time_in_force_word(const Order& order) {
    if (order.kind == OrderKind::conditional && order.close_position) return "GTE_GTC";
    if (order.type == OrderType::market) return "GTC";
    switch (order.time_in_force) {
        case TimeInForce::gtc: return "GTC";
        case TimeInForce::ioc: return "IOC";
        case TimeInForce::fok: return "FOK";
        case TimeInForce::post_only: return "GTX";
    }
    return "";
}

const char* regular_type_word(const Order& order) { return order.type == OrderType::limit ? "LIMIT" : "MARKET"; }

const char* algo_type_word(const Order& order) {
    const bool limit = order.type == OrderType::limit;
    if (order.stop_kind == StopKind::trailing) return "TRAILING_STOP_MARKET";
    if (order.stop_kind == StopKind::take_profit) return limit ? "TAKE_PROFIT" : "TAKE_PROFIT_MARKET";
    return limit ? "STOP" : "STOP_MARKET";
}

const char* working_type_word(TriggerBy by) { return by == TriggerBy::mark ? "MARK_PRICE" : "CONTRACT_PRICE"; }

// The model ends an order with `canceled` and a reason; Binance keeps CANCELED for what somebody asked for.
const char* order_status_word(const Order& order) {
    switch (order.status) {
        case OrderStatus::open: return "NEW";
        case OrderStatus::partially_filled: return "PARTIALLY_FILLED";
        case OrderStatus::filled: return "FILLED";
        case OrderStatus::canceled:
            return order.end_reason == EndReason::user || order.end_reason == EndReason::none ? "CANCELED" : "EXPIRED";
        case OrderStatus::rejected: return "REJECTED";
        case OrderStatus::expired: return "EXPIRED";
        case OrderStatus::untriggered:
        case OrderStatus::triggered:
        case OrderStatus::finished: break;                 // conditional orders only
    }
    return "NEW";
}

const char* algo_status_word(const Order& order) {
    switch (order.status) {
        case OrderStatus::untriggered: return "NEW";
        case OrderStatus::triggered: return "TRIGGERED";
        case OrderStatus::finished:
        case OrderStatus::filled: return "FINISHED";
        case OrderStatus::canceled:
            return order.end_reason == EndReason::user || order.end_reason == EndReason::none ? "CANCELED" : "EXPIRED";
        case OrderStatus::rejected: return "REJECTED";
        case OrderStatus::expired: return "EXPIRED";
        case OrderStatus::open:
        case OrderStatus::partially_filled: break;         // regular orders only
    }
    return "NEW";
}

const char* expiry_reason(EndReason reason) {
    switch (reason) {
        case EndReason::ioc_remainder: return "2";
        case EndReason::reduce_only: return "4";
        case EndReason::liquidation:
        case EndReason::adl: return "5";
        case EndReason::position_closed: return "6";
        case EndReason::delisting: return "7";
        case EndReason::no_liquidity:
        case EndReason::market_remainder: return "9";
        case EndReason::none:
        case EndReason::user:
        case EndReason::post_only_would_take:
        case EndReason::fok_unfillable:
        case EndReason::margin:
        case EndReason::sibling_triggered:
        case EndReason::system_disconnect: return "0";
    }
    return "0";
}

const char* instrument_status_word(const Instrument& instrument) {
    if (instrument.status == "trading") return "TRADING";
    if (instrument.status == "pre_launch") return "PENDING_TRADING";
    return instrument.status == "delivering" ? "DELIVERING" : "CLOSE";
}

std::string reject_reason(const Order& algo) {
    if (algo.status != OrderStatus::rejected) return {};
    return algo.end_reason == EndReason::margin ? "Margin is insufficient." : "Reduce Only reject";
}

std::optional<Side> parse_side(std::string_view word) {
    if (word == "BUY") return Side::buy;
    if (word == "SELL") return Side::sell;
    return std::nullopt;
}

std::optional<Slot> parse_position_side(std::string_view word) {
    if (word.empty() || word == "BOTH") return Slot::both;
    if (word == "LONG") return Slot::long_side;
    if (word == "SHORT") return Slot::short_side;
    return std::nullopt;
}

std::optional<TimeInForce> parse_time_in_force(std::string_view word) {
    if (word == "GTC") return TimeInForce::gtc;
    if (word == "IOC") return TimeInForce::ioc;
    if (word == "FOK") return TimeInForce::fok;
    if (word == "GTX") return TimeInForce::post_only;
    return std::nullopt;
}

bool is_algo_type(std::string_view word) {
    return word == "STOP" || word == "STOP_MARKET" || word == "TAKE_PROFIT" || word == "TAKE_PROFIT_MARKET" ||
           word == "TRAILING_STOP_MARKET";
}

int price_digits(const Instrument& instrument) { return std::max(2, instrument.tick.decimals()); }
int quantity_digits(const Instrument& instrument) { return instrument.step.decimals(); }

Problem missing_parameter(std::string_view name) {
    return {400, -1102, "Mandatory parameter '" + std::string(name) + "' was not sent, was empty/null, or malformed."};
}

Problem refusal_problem(Refusal refusal, const Instrument* instrument) {
    const auto value = [&](Decimal Instrument::*member) { return instrument ? (instrument->*member).text() : std::string(); };
    switch (refusal) {
        case Refusal::none: return {};
        case Refusal::unknown_symbol: return {400, -1121, "Invalid symbol."};
        case Refusal::symbol_not_trading:
            if (instrument && instrument->status == "pre_launch") return {400, -4140, "Invalid symbol status for opening position."};
            return {400, -4141, "Symbol is closed."};
        case Refusal::quantity_zero: return {400, -4003, "Quantity less than or equal to zero."};
        case Refusal::quantity_below_min: return {400, -4004, "Quantity less than min quantity."};
        case Refusal::quantity_above_max: return {400, -4005, "Quantity greater than max quantity."};
        case Refusal::quantity_off_step: return {400, -4023, "Qty not increased by step size."};
        case Refusal::price_missing: return missing_parameter("price");
        case Refusal::price_off_tick: return {400, -4014, "Price not increased by tick size."};
        case Refusal::price_below_min: return {400, -4013, "Price less than min price."};
        case Refusal::price_above_max: return {400, -4002, "Price greater than max price."};
        case Refusal::notional_below_min:
            return {400, -4164, "Order's notional must be no smaller than " + value(&Instrument::min_notional) +
                                " (unless you choose reduce only)."};
        case Refusal::margin_insufficient: return {400, -2019, "Margin is insufficient."};
        case Refusal::reduce_only_no_position:
        case Refusal::reduce_only_same_side:
        case Refusal::no_position: return {400, -2022, "ReduceOnly Order is rejected."};
        case Refusal::wrong_slot: return {400, -4061, "Order's position side does not match user's setting."};
        case Refusal::duplicate_client_id: return {400, -4116, "ClientOrderId is duplicated."};
        case Refusal::unknown_order:
        case Refusal::order_finished: return {400, -2011, "Unknown order sent."};
        case Refusal::would_trigger_at_once: return {400, -2021, "Order would immediately trigger."};
        case Refusal::post_only_would_take:
            return {400, -5022, "Due to the order could not be executed as maker, the Post Only order will be rejected. The "
                                "order will not be recorded in the order history."};
        case Refusal::fok_unfillable:
            return {400, -5021, "Due to the order could not be filled immediately, the FOK order has been rejected. The "
                                "order will not be recorded in the order history."};
        case Refusal::close_position_stop_exists:
            return {400, -4130, "An open stop or take profit order with GTE and closePosition in the direction is existing."};
        case Refusal::too_many_orders: return {400, -2025, "Reach max open order limit."};
        case Refusal::too_many_conditional: return {400, -4045, "Reach max stop order limit."};
        case Refusal::not_modified: return {400, -5027, "No need to modify the order."};
        case Refusal::quantity_below_filled: return {400, -4003, "Quantity less than or equal to zero."};
        case Refusal::stop_loss_wrong_side:
        case Refusal::take_profit_wrong_side: return {400, -2021, "Order would immediately trigger."};
        case Refusal::too_many_partial_stops: return {400, -4045, "Reach max stop order limit."};
        case Refusal::leverage_out_of_range: return {400, -4028, "Leverage is not valid."};
        case Refusal::position_exists: return {400, -4068, "Position side cannot be changed if there exists position."};
        case Refusal::open_orders_exist: return {400, -4067, "Position side cannot be changed if there exists open orders."};
        case Refusal::not_amendable: return {400, -5025, "Limit order only."};
    }
    return {400, -1000, "An unknown error occurred while processing the request."};
}

}  // namespace market::binance
