// Tables only; see bybit_words.hpp.
#include "market/bybit_words.hpp"

namespace market::bybit {

Code code_of(Refusal refusal, Act act, const Instrument* instrument) {
    switch (refusal) {
        case Refusal::none: return {};
        case Refusal::unknown_symbol: return {10001, "Not supported symbols"};
        case Refusal::symbol_not_trading: return {110074, "This contract is not live"};
        case Refusal::quantity_zero: return {110017, "orderQty will be truncated to zero"};
        case Refusal::quantity_below_min: return {10001, "The number of contracts exceeds minimum limit allowed"};
        case Refusal::quantity_above_max: return {10001, "The number of contracts exceeds maximum limit allowed"};
        case Refusal::quantity_off_step: return {10001, "params error: qty invalid"};
        case Refusal::price_missing: return {10001, "params error: price invalid"};
        case Refusal::price_off_tick: return {10001, "params error: price not a multiple of tick size"};
        case Refusal::price_below_min:
        case Refusal::price_above_max: return {110003, "price is invalid"};
        case Refusal::notional_below_min:
            return {110094, "Order does not meet minimum order value " +
                                (instrument == nullptr ? "5" : instrument->min_notional.text()) + "USDT"};
        case Refusal::margin_insufficient: return {110007, "ab not enough for new order"};
        case Refusal::reduce_only_no_position: return {110017, "current position is zero, cannot fix reduce-only order qty"};
        case Refusal::reduce_only_same_side: return {110017, "Reduce-only rule not satisfied"};
        case Refusal::wrong_slot: return {10001, "position idx not match position mode"};
        case Refusal::duplicate_client_id: return {110072, "OrderLinkedID is duplicate"};
        case Refusal::unknown_order:
        case Refusal::order_finished:
            return {110001, act == Act::amend ? "order not exists or too late to replace" : "order not exists or too late to cancel"};
        case Refusal::would_trigger_at_once: return {110092, "expect Rising, but trigger_price <= current??LastPrice"};
        case Refusal::post_only_would_take: return {110003, "post only would take liquidity"};
        case Refusal::fok_unfillable: return {110003, "fill or kill cannot be filled"};
        case Refusal::close_position_stop_exists: return {110054, "linked orders exist"};
        case Refusal::too_many_orders: return {110020, "Not allowed to have more than 500 active orders"};
        case Refusal::too_many_conditional: return {110009, "The number of stop orders exceeds the maximum allowable limit"};
        case Refusal::not_modified:
            if (act == Act::leverage) return {110043, "leverage not modified"};
            if (act == Act::mode) return {110025, "Position mode is not modified"};
            if (act == Act::amend) return {10001, "order not modified"};
            return {34040, "not modified"};
        case Refusal::quantity_below_filled: return {110064, "The qty should be greater than the filled qty"};
        case Refusal::no_position: return {10001, "can not set tp/sl/ts for zero position"};
        case Refusal::stop_loss_wrong_side: return {10001, "StopLoss set on the wrong side of base_price??LastPrice"};
        case Refusal::take_profit_wrong_side: return {10001, "TakeProfit set on the wrong side of base_price??LastPrice"};
        case Refusal::too_many_partial_stops: return {110061, "More than 20 partial TP/SL orders"};
        case Refusal::leverage_out_of_range: return {110013, "Cannot set leverage: exceeds the maximum of the risk tier"};
        case Refusal::position_exists: return {110024, "You have an existing position, so the position mode cannot be switched"};
        case Refusal::open_orders_exist: return {110028, "You have existing open orders, so the position mode cannot be switched"};
        case Refusal::not_amendable: return {110001, "order not exists or too late to replace"};
    }
    return {10001, "params error"};
}

std::string side_word(Side side) { return side == Side::buy ? "Buy" : "Sell"; }
std::string type_word(OrderType type) { return type == OrderType::limit ? "Limit" : "Market"; }

std::string status_word(const Order& order, bool stops_end_deactivated) {
    switch (order.status) {
        case OrderStatus::open: return "New";
        case OrderStatus::partially_filled: return "PartiallyFilled";
        case OrderStatus::filled: return "Filled";
        case OrderStatus::rejected: return "Rejected";
        case OrderStatus::untriggered: return "Untriggered";
        case OrderStatus::triggered: return "Triggered";
        case OrderStatus::canceled:
            return stops_end_deactivated && order.kind == OrderKind::conditional && order.triggered_ms == 0 ? "Deactivated"
                                                                                                            : "Cancelled";
        case OrderStatus::expired:
        case OrderStatus::finished: return "Cancelled";
    }
    return "Cancelled";
}

std::string time_in_force_word(const Order& order) {
    switch (order.time_in_force) {
        case TimeInForce::gtc: return "GTC";
        case TimeInForce::ioc: return "IOC";
        case TimeInForce::fok: return "FOK";
        case TimeInForce::post_only: return "PostOnly";
    }
    return "GTC";
}

std::string stop_type_word(const Order& order, std::string_view when_none) {
    switch (order.stop_kind) {
        case StopKind::none: return std::string(when_none);
        case StopKind::stop:
        case StopKind::take_profit:
        case StopKind::trailing: return "Stop";
        case StopKind::position_stop_loss: return "StopLoss";
        case StopKind::position_take_profit: return "TakeProfit";
        case StopKind::position_trailing: return "TrailingStop";
        case StopKind::partial_stop_loss: return "PartialStopLoss";
        case StopKind::partial_take_profit: return "PartialTakeProfit";
    }
    return std::string(when_none);
}

std::string create_type_word(const Order& order) {
    switch (order.origin) {
        case Origin::user: return "CreateByUser";
        case Origin::stop_order: return "CreateByStopOrder";
        case Origin::stop_loss:
            return order.stop_kind == StopKind::partial_stop_loss ? "CreateByPartialStopLoss" : "CreateByStopLoss";
        case Origin::take_profit:
            return order.stop_kind == StopKind::partial_take_profit ? "CreateByPartialTakeProfit" : "CreateByTakeProfit";
        case Origin::trailing_stop: return "CreateByTrailingStop";
        case Origin::liquidation: return "CreateByTakeOver_PassThrough";
        case Origin::adl: return "CreateByAdl_PassThrough";
        case Origin::settlement: return "CreateBySettle";
    }
    return "CreateByUser";
}

std::string cancel_type_word(const Order& order) {
    switch (order.end_reason) {
        case EndReason::user: return "CancelByUser";
        case EndReason::reduce_only: return "CancelByReduceOnly";
        case EndReason::position_closed: return "CancelByTpSlTsClear";
        case EndReason::liquidation: return "CancelAllBeforeLiq";
        case EndReason::adl: return "CancelAllBeforeAdl";
        case EndReason::delisting: return "CancelBySettle";
        case EndReason::sibling_triggered: return "CancelByOCOTpCanceledBySlTriggered";
        case EndReason::system_disconnect: return "CancelByDCP";
        case EndReason::none:
        case EndReason::post_only_would_take:
        case EndReason::no_liquidity:
        case EndReason::ioc_remainder:
        case EndReason::fok_unfillable:
        case EndReason::market_remainder:
        case EndReason::margin: return "UNKNOWN";
    }
    return "UNKNOWN";
}

std::string reject_reason_word(const Order& order) {
    switch (order.end_reason) {
        case EndReason::post_only_would_take: return "EC_PostOnlyWillTakeLiquidity";
        case EndReason::no_liquidity: return "EC_NoImmediateQtyToFill";
        case EndReason::ioc_remainder:
        case EndReason::market_remainder: return "EC_CancelForNoFullFill";
        case EndReason::fok_unfillable: return "EC_NoEnoughQtyToFill";
        case EndReason::margin: return "EC_Others";
        case EndReason::user: return order.status == OrderStatus::canceled ? "EC_PerCancelRequest" : "EC_NoError";
        case EndReason::none:
        case EndReason::reduce_only:
        case EndReason::position_closed:
        case EndReason::liquidation:
        case EndReason::adl:
        case EndReason::delisting:
        case EndReason::sibling_triggered:
        case EndReason::system_disconnect: return "EC_NoError";
    }
    return "EC_NoError";
}

std::string trigger_by_word(TriggerBy by) {
    return by == TriggerBy::last ? "LastPrice" : by == TriggerBy::mark ? "MarkPrice" : "IndexPrice";
}

std::string exec_type_word(Origin origin) {
    return origin == Origin::liquidation  ? "BustTrade"
           : origin == Origin::adl        ? "AdlTrade"
           : origin == Origin::settlement ? "Settle"
                                          : "Trade";
}

std::string instrument_status_word(const Instrument& instrument) {
    return instrument.status == "trading"      ? "Trading"
           : instrument.status == "pre_launch" ? "PreLaunch"
           : instrument.status == "delivering" ? "Delivering"
                                               : "Closed";
}

int position_idx(Slot slot) { return slot == Slot::both ? 0 : slot == Slot::long_side ? 1 : 2; }

std::optional<Side> parse_side(std::string_view word) {
    if (word == "Buy") return Side::buy;
    if (word == "Sell") return Side::sell;
    return std::nullopt;
}

std::optional<Slot> parse_position_idx(int64_t idx) {
    if (idx == 0) return Slot::both;
    if (idx == 1) return Slot::long_side;
    if (idx == 2) return Slot::short_side;
    return std::nullopt;
}

TriggerBy parse_trigger_by(std::string_view word) {
    return word == "MarkPrice" ? TriggerBy::mark : word == "IndexPrice" ? TriggerBy::index : TriggerBy::last;
}

std::optional<TimeInForce> parse_time_in_force(std::string_view word) {
    if (word.empty() || word == "GTC") return TimeInForce::gtc;
    if (word == "IOC") return TimeInForce::ioc;
    if (word == "FOK") return TimeInForce::fok;
    if (word == "PostOnly" || word == "RPI") return TimeInForce::post_only;
    return std::nullopt;
}

}  // namespace market::bybit
