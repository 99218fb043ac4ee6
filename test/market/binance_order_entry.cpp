// From the parameters of 8.1 and 10.2 to a request the market understands, with the venue's refusals in between.
#include "market/binance_face.hpp"
#include "market/binance_words.hpp"

#include <algorithm>
#include <cctype>

namespace market::binance {

namespace {

constexpr size_t kLongestClientId = 36;
constexpr Ms kUnfilledMemory = 3LL * 86'400'000;       // canceled without a fill: forgotten after this
constexpr Ms kOrderMemory = 90LL * 86'400'000;

Problem illegal(std::string_view name) {
    return {400, -1100, "Illegal characters found in parameter '" + std::string(name) + "'."};
}

Problem not_required(std::string_view name) {
    return {400, -1106, "Parameter '" + std::string(name) + "' sent when not required."};
}

Problem too_precise() { return {400, -1111, "Precision is over the maximum defined for this asset."}; }

Problem check_client_id(std::string_view name, const std::string& id) {
    if (id.size() > kLongestClientId) return {400, -4015, "Client order id length should be less than 36 chars"};
    const bool legal = std::all_of(id.begin(), id.end(), [](unsigned char c) {
        return std::isalnum(c) || c == '.' || c == ':' || c == '/' || c == '_' || c == '-';
    });
    return legal ? Problem{} : illegal(name);
}

// A decimal parameter; empty when absent. A text that is no decimal is a problem.
Problem read_decimal(const Query& parameters, std::string_view name, std::optional<Decimal>& value) {
    const std::string text = parameters.get(name);
    if (text.empty()) return {};
    value = Decimal::parse(text);
    return value ? Problem{} : illegal(name);
}

bool is_market_type(std::string_view type) { return type == "MARKET" || type.ends_with("_MARKET"); }

}  // namespace

std::variant<OrderRequest, Problem> BinanceFace::order_request(const Query& p, const Account& account, bool algo) const {
    OrderRequest request;
    if (algo && p.get("algoType") != "CONDITIONAL") return missing_parameter("algotype");
    request.symbol = p.get("symbol");
    if (request.symbol.empty()) return missing_parameter("symbol");
    const Instrument* instrument = market_.instrument(request.symbol);
    if (!instrument) return refusal_problem(Refusal::unknown_symbol, nullptr);

    const std::string side = p.get("side"), type = p.get("type");
    if (side.empty()) return missing_parameter("side");
    if (!parse_side(side)) return Problem{400, -1117, "Invalid side."};
    request.side = *parse_side(side);
    if (type.empty()) return missing_parameter("type");
    if (!algo && is_algo_type(type)) {
        return Problem{400, -4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."};
    }
    if (algo ? !is_algo_type(type) : type != "LIMIT" && type != "MARKET") return Problem{400, -1116, "Invalid orderType."};
    request.type = is_market_type(type) ? OrderType::market : OrderType::limit;

    const auto slot = parse_position_side(p.get("positionSide"));
    if (!slot) return Problem{400, -4060, "Invalid position side."};
    if (account.hedge == (*slot == Slot::both)) return refusal_problem(Refusal::wrong_slot, nullptr);
    request.slot = *slot;
    request.close_position = algo && p.get("closePosition") == "true";
    if (p.has("reduceOnly") && (account.hedge || request.close_position)) return not_required("reduceonly");
    request.reduce_only = p.get("reduceOnly") == "true";

    const char* id_name = algo ? "clientAlgoId" : "newClientOrderId";
    request.client_id = p.get(id_name);
    if (Problem problem = check_client_id(id_name, request.client_id)) return problem;
    if (algo) {
        if (Problem problem = read_trigger(p, type, request)) return problem;
    }
    if (Problem problem = read_limits_and_amounts(p, *instrument, request)) return problem;
    if (Problem problem = check_percent_price(request)) return problem;
    return request;
}

// quantity, price and timeInForce.
Problem BinanceFace::read_limits_and_amounts(const Query& p, const Instrument& instrument, OrderRequest& request) const {
    std::optional<Decimal> quantity, price;
    if (Problem problem = read_decimal(p, "quantity", quantity)) return problem;
    if (Problem problem = read_decimal(p, "price", price)) return problem;
    if (request.close_position && quantity) return not_required("quantity");
    if (!request.close_position && !quantity) return missing_parameter("quantity");
    if (p.has("priceMatch") && p.get("priceMatch") != "NONE") return {400, -5037, "Invalid price match"};
    if (request.type == OrderType::limit) {
        if (!price) return missing_parameter("price");
        if (!p.has("timeInForce") && request.stop_kind == StopKind::none) return missing_parameter("timeinforce");
        if (price->sign() <= 0) return {400, -4001, "Price less than 0."};
    } else if (request.stop_kind == StopKind::none) {
        if (price) return not_required("price");
        if (p.has("timeInForce")) return not_required("timeinforce");
    }
    const auto time_in_force = parse_time_in_force(p.get("timeInForce", "GTC"));
    if (!time_in_force) return {400, -1115, "Invalid timeInForce."};
    request.time_in_force = *time_in_force;
    request.quantity = quantity.value_or(0);
    request.price = request.type == OrderType::limit ? *price : Decimal();
    if (request.quantity.decimals() > quantity_digits(instrument) || request.price.decimals() > price_digits(instrument)) {
        return too_precise();
    }
    return {};
}

Problem BinanceFace::read_trigger(const Query& p, std::string_view type, OrderRequest& request) const {
    const bool trailing = type == "TRAILING_STOP_MARKET";
    request.stop_kind = trailing                          ? StopKind::trailing
                        : type.starts_with("TAKE_PROFIT") ? StopKind::take_profit
                                                          : StopKind::stop;
    const std::string working = p.get("workingType", "CONTRACT_PRICE");
    if (working != "CONTRACT_PRICE" && working != "MARK_PRICE") return {400, -4031, "Invalid working type."};
    request.trigger_by = working == "MARK_PRICE" ? TriggerBy::mark : TriggerBy::last;
    if (request.close_position && !(type == "STOP_MARKET" || type == "TAKE_PROFIT_MARKET")) {
        return {400, -4136, "Target strategy invalid for orderType " + std::string(type) + ", closePosition true"};
    }
    const bool opens = request.slot != Slot::both && (request.side == Side::buy) == (request.slot == Slot::long_side);
    if (request.close_position && opens) return refusal_problem(Refusal::reduce_only_same_side, nullptr);

    std::optional<Decimal> trigger, rate, activation;
    if (Problem problem = read_decimal(p, "triggerPrice", trigger)) return problem;
    if (Problem problem = read_decimal(p, "callbackRate", rate)) return problem;
    if (Problem problem = read_decimal(p, "activatePrice", activation)) return problem;
    if (!trailing && (!trigger || trigger->sign() <= 0)) return missing_parameter("triggerprice");
    if (trailing && !rate) return missing_parameter("callbackrate");
    if (trailing && (*rate < Decimal::of("0.1") || *rate > Decimal(20))) {
        return {400, -1130, "Data sent for parameter 'callbackRate' is not valid."};
    }
    request.trigger_price = trigger.value_or(0);
    request.trailing_percent = rate.value_or(0);
    request.activation_price = activation.value_or(0);
    return {};
}

// PERCENT_PRICE is one-sided: a buy may not be far above, a sell not far below the mark price.
Problem BinanceFace::check_percent_price(const OrderRequest& request) const {
    const Instrument& instrument = *market_.instrument(request.symbol);
    const bool in_grid = request.price.is_multiple_of(instrument.tick) && request.price >= instrument.min_price &&
                         request.price <= instrument.max_price;
    if (request.type != OrderType::limit || request.stop_kind != StopKind::none || !in_grid) return {};
    const Decimal bound = instrument.mark * Decimal::of(request.side == Side::buy ? "1.05" : "0.95");
    if (request.side == Side::buy && request.price > bound) {
        return {400, -4016, "Limit price can't be higher than " + bound.fixed(price_digits(instrument)) + "."};
    }
    if (request.side == Side::sell && request.price < bound) {
        return {400, -4024, "Limit price can't be lower than " + bound.fixed(price_digits(instrument)) + "."};
    }
    return {};
}

std::variant<const Order*, Problem> BinanceFace::place(const Query& parameters, Account& account, bool algo, Ms now) {
    auto wanted = order_request(parameters, account, algo);
    if (Problem* problem = std::get_if<Problem>(&wanted)) return std::move(*problem);
    const OrderRequest& request = std::get<OrderRequest>(wanted);
    const Placed placed = market_.place(account, request, now);
    if (!placed) return refusal_problem(placed.refusal, market_.instrument(request.symbol));
    return placed.order;
}

// ACK shows the order as it was accepted, even if it is filled already; RESULT shows what became of it.
std::string BinanceFace::placed_row(const Order& order, const Query& parameters) const {
    const OrderShape shape = venue.old_reply_shape ? OrderShape::query : OrderShape::reply;
    if (parameters.get("newOrderRespType") == "RESULT") return order_row(order, instrument_of(order), shape);
    Order accepted = order;
    accepted.status = OrderStatus::open;
    accepted.filled = accepted.filled_value = 0;
    accepted.updated_ms = accepted.created_ms;
    return order_row(accepted, instrument_of(order), shape);
}

std::variant<const Order*, Problem> BinanceFace::find_order(const Query& p, const Account& account, Ms now) const {
    const std::string symbol = p.get("symbol"), id = p.get("orderId"), client_id = p.get("origClientOrderId");
    if (symbol.empty()) return missing_parameter("symbol");
    if (!market_.instrument(symbol)) return refusal_problem(Refusal::unknown_symbol, nullptr);
    if (id.empty() && client_id.empty()) {
        return Problem{400, -1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"};
    }
    const Order* order = id.empty() ? account.order_by_client_id(client_id) : account.order(id);
    const Problem unknown{400, -2013, "Order does not exist."};
    if (!order || order->symbol != symbol) return unknown;
    const bool forgotten = order->created_ms + kOrderMemory < now ||
                           (!order->is_open() && order->filled.is_zero() && order->updated_ms + kUnfilledMemory < now);
    if (forgotten) return unknown;
    return order;
}

}  // namespace market::binance
