// Regular orders and fills over REST (binance-usdm.md 8).
#include "market/binance_face.hpp"
#include "market/binance_words.hpp"

#include <algorithm>

namespace market::binance {

namespace {

constexpr size_t kBatchMaximum = 5, kCancelBatchMaximum = 10;
constexpr size_t kListDefault = 500, kListMaximum = 1000;
constexpr Ms kWeek = 7LL * 86'400'000;

constexpr const char* kAllCanceled = "The operation of cancel all open order is done.";
const Problem kUnknownOrder{400, -2011, "Unknown order sent."};

// One element of batchOrders, as if it had come as a query.
Query as_query(const Json& object) {
    static constexpr const char* kNames[] = {"symbol", "side", "type", "positionSide", "timeInForce", "quantity", "price",
                                             "reduceOnly", "newClientOrderId", "newOrderRespType", "priceMatch", "orderId",
                                             "origClientOrderId"};
    std::string text;
    for (const char* name : kNames) {
        if (object.has(name)) text += std::string(text.empty() ? "" : "&") + name + "=" + percent_encode(object.text(name));
    }
    return Query(text);
}

std::string problem_row(const Problem& problem) {
    JsonWriter w;
    return w.open().number("code", problem.code).field("msg", problem.message).close().take();
}

std::string row_or_problem(const std::variant<std::string, Problem>& outcome) {
    if (const Problem* problem = std::get_if<Problem>(&outcome)) return problem_row(*problem);
    return std::get<std::string>(outcome);
}

Problem check_window(const Query& p) {
    const auto start = p.integer("startTime"), end = p.integer("endTime");
    if (start && end && *start > *end) return {400, -1023, "Start time is greater than end time."};
    if (start && end && *end - *start > kWeek) return {400, -4165, "Invalid time interval"};
    return {};
}

size_t list_limit(const Query& p) {
    return std::clamp<int64_t>(p.integer("limit").value_or(kListDefault), 1, kListMaximum);
}

// The first `limit` rows when reading forward from a point, else the latest ones.
template <class Row>
void cut(std::vector<Row>& rows, size_t limit, bool forward) {
    if (rows.size() <= limit) return;
    if (forward) rows.resize(limit);
    else rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(limit));
}

}  // namespace

// A cancel shows with the same delay as everything else.
std::string BinanceFace::row(const Order& order, OrderShape shape, Ms now) const {
    const bool algo = order.kind == OrderKind::conditional;
    Order shown = order;
    if (order.status == OrderStatus::canceled && !is_visible(order.updated_ms, now)) {
        shown.status = algo ? OrderStatus::untriggered
                            : order.filled.is_zero() ? OrderStatus::open : OrderStatus::partially_filled;
    }
    if (!algo) return order_row(shown, instrument_of(order), shape);
    const Order* child = order.child_id.empty() ? nullptr : market_.accounts().at(order.account).order(order.child_id);
    return algo_row(shown, child, instrument_of(order), shape);
}

// ---- placing

HttpReply BinanceFace::post_order(Call& call) {
    const auto placed = place(call.parameters, *call.account, false, call.now);
    if (const Problem* problem = std::get_if<Problem>(&placed)) return refused(*problem);
    return ok(placed_row(*std::get<const Order*>(placed), call.parameters));
}

HttpReply BinanceFace::post_order_test(Call& call) {
    const auto request = order_request(call.parameters, *call.account, false);
    if (const Problem* problem = std::get_if<Problem>(&request)) return refused(*problem);
    JsonWriter w;
    return ok(w.open().number("orderId", 0).field("symbol", "").field("status", "").field("clientOrderId", "").close().take());
}

HttpReply BinanceFace::post_batch(Call& call) {
    const auto list = Json::parse(call.parameters.get("batchOrders"));
    if (!list || !list->is_array()) return refused({400, -1130, "Data sent for parameter 'batchOrders' is not valid."});
    if (list->size() == 0 || list->size() > kBatchMaximum) return refused({400, -4082, "Invalid number of batch place orders."});
    JsonWriter w;
    w.array();
    for (size_t i = 0; i < list->size(); ++i) {
        const Query parameters = as_query(list->at(i));
        const auto placed = place(parameters, *call.account, false, call.now);
        const Problem* problem = std::get_if<Problem>(&placed);
        w.raw(problem ? problem_row(*problem) : placed_row(*std::get<const Order*>(placed), parameters));
    }
    return ok(w.end_array().take());
}

// ---- changing

std::variant<std::string, Problem> BinanceFace::modify(const Query& p, Account& account, Ms now) {
    for (const char* name : {"symbol", "side", "quantity", "price"}) {
        if (p.get(name).empty()) return missing_parameter(name);
    }
    const auto found = find_order(p, account, now);
    if (const Problem* problem = std::get_if<Problem>(&found)) return *problem;
    const Order& order = *std::get<const Order*>(found);
    const Instrument& instrument = instrument_of(order);
    if (order.type != OrderType::limit) return refusal_problem(Refusal::not_amendable, nullptr);
    if (!order.is_on_book()) return Problem{400, -2013, "Order does not exist."};
    if (p.has("reduceOnly") && (p.get("reduceOnly") == "true") != order.reduce_only) {
        return Problem{400, -5047, "Modify order reduceOnly mismatch."};
    }
    AmendRequest request;
    request.quantity = Decimal::parse(p.get("quantity"));
    request.price = Decimal::parse(p.get("price"));
    if (!request.quantity || !request.price) return missing_parameter(request.quantity ? "price" : "quantity");
    if (request.quantity->decimals() > quantity_digits(instrument) || request.price->decimals() > price_digits(instrument)) {
        return Problem{400, -1111, "Precision is over the maximum defined for this asset."};
    }
    if (!request.quantity->is_multiple_of(instrument.step)) return refusal_problem(Refusal::quantity_off_step, &instrument);
    const bool crosses = order.side == Side::buy ? *request.price >= instrument.last : *request.price <= instrument.last;
    const bool dies = *request.quantity <= order.filled || (order.time_in_force == TimeInForce::post_only && crosses);
    const Refusal refusal = dies ? market_.cancel(account, order, now) : market_.amend(account, order, request, now);
    if (refusal != Refusal::none) return refusal_problem(refusal, &instrument);
    return row(order, OrderShape::reply, now);
}

HttpReply BinanceFace::put_order(Call& call) {
    const auto outcome = modify(call.parameters, *call.account, call.now);
    if (const Problem* problem = std::get_if<Problem>(&outcome)) return refused(*problem);
    return ok(std::get<std::string>(outcome));
}

HttpReply BinanceFace::put_batch(Call& call) {
    const auto list = Json::parse(call.parameters.get("batchOrders"));
    if (!list || !list->is_array()) return refused({400, -1130, "Data sent for parameter 'batchOrders' is not valid."});
    if (list->size() == 0 || list->size() > kBatchMaximum) return refused({400, -4082, "Invalid number of batch place orders."});
    JsonWriter w;
    w.array();
    for (size_t i = 0; i < list->size(); ++i) w.raw(row_or_problem(modify(as_query(list->at(i)), *call.account, call.now)));
    return ok(w.end_array().take());
}

// ---- cancelling. Every way of not finding an open order is -2011: it may well be filled.

std::variant<std::string, Problem> BinanceFace::cancel(const Query& p, Account& account, Ms now) {
    const auto found = find_order(p, account, now);
    if (const Problem* problem = std::get_if<Problem>(&found)) return problem->code == -2013 ? kUnknownOrder : *problem;
    const Order& order = *std::get<const Order*>(found);
    if (const Refusal refusal = market_.cancel(account, order, now); refusal != Refusal::none) {
        return refusal_problem(refusal, nullptr);
    }
    return order_row(order, instrument_of(order), OrderShape::reply);
}

HttpReply BinanceFace::delete_order(Call& call) {
    const auto outcome = cancel(call.parameters, *call.account, call.now);
    if (const Problem* problem = std::get_if<Problem>(&outcome)) return refused(*problem);
    return ok(std::get<std::string>(outcome));
}

HttpReply BinanceFace::delete_batch(Call& call) {
    const Query& p = call.parameters;
    const bool by_id = p.has("orderIdList");
    const auto list = Json::parse(p.get(by_id ? "orderIdList" : "origClientOrderIdList"));
    if (!list || !list->is_array()) return refused(missing_parameter("orderIdList"));
    if (list->size() > kCancelBatchMaximum) return refused({400, -4032, "Exceed maximum cancel order size."});
    JsonWriter w;
    w.array();
    for (size_t i = 0; i < list->size(); ++i) {
        const Query one("symbol=" + percent_encode(p.get("symbol")) + (by_id ? "&orderId=" : "&origClientOrderId=") +
                        percent_encode(list->at(i).as_text()));
        w.raw(row_or_problem(cancel(one, *call.account, call.now)));
    }
    return ok(w.end_array().take());
}

HttpReply BinanceFace::delete_all_open(Call& call) {
    const std::string symbol = call.parameters.get("symbol");
    if (!market_.instrument(symbol)) return refused(refusal_problem(Refusal::unknown_symbol, nullptr));
    market_.cancel_all(*call.account, [&](const Order& o) { return o.symbol == symbol && o.kind == OrderKind::regular; }, call.now);
    return success_message(kAllCanceled);
}

HttpReply BinanceFace::post_countdown(Call& call) {
    const std::string symbol = call.parameters.get("symbol");
    const auto time = call.parameters.integer("countdownTime");
    if (!market_.instrument(symbol)) return refused(refusal_problem(Refusal::unknown_symbol, nullptr));
    if (!time || *time < 0) return refused(missing_parameter("countdowntime"));
    const std::pair<std::string, std::string> place{call.account->key, symbol};
    if (*time == 0) countdowns_.erase(place);
    else countdowns_[place] = call.now + *time;
    JsonWriter w;
    return ok(w.open().field("symbol", symbol).field("countdownTime", std::to_string(*time)).close().take());
}

// ---- reading

HttpReply BinanceFace::get_order(Call& call) {
    const auto found = find_order(call.parameters, *call.account, call.now);
    if (const Problem* problem = std::get_if<Problem>(&found)) return refused(*problem);
    const Order& order = *std::get<const Order*>(found);
    if (!is_visible(order.created_ms, call.now)) return refused({400, -2013, "Order does not exist."});
    return ok(row(order, OrderShape::query, call.now));
}

HttpReply BinanceFace::get_open_order(Call& call) {
    const auto found = find_order(call.parameters, *call.account, call.now);
    if (const Problem* problem = std::get_if<Problem>(&found)) return refused(*problem);
    const Order& order = *std::get<const Order*>(found);
    if (!order.is_open() || !is_visible(order.created_ms, call.now)) return refused({400, -2013, "Order does not exist."});
    return ok(row(order, OrderShape::query, call.now));
}

HttpReply BinanceFace::get_open_orders(Call& call) {
    JsonWriter w;
    w.array();
    for (const Order* order : call.account->open_orders(call.parameters.get("symbol"))) {
        const bool shown = order->kind == OrderKind::regular && is_visible(order->created_ms, call.now);
        if (shown) w.raw(row(*order, OrderShape::query, call.now));
    }
    return ok(w.end_array().take());
}

HttpReply BinanceFace::get_all_orders(Call& call) {
    const Query& p = call.parameters;
    if (Problem problem = check_window(p)) return refused(problem);
    std::vector<const Order*> rows;
    for (const Order& order : call.account->orders) {
        const bool wanted = order.kind == OrderKind::regular && (!p.has("symbol") || p.get("symbol") == order.symbol) &&
                            order.number >= p.integer("orderId").value_or(0) &&
                            order.created_ms >= p.integer("startTime").value_or(0) &&
                            order.created_ms <= p.integer("endTime").value_or(INT64_MAX);
        if (wanted && is_visible(order.created_ms, call.now)) rows.push_back(&order);
    }
    cut(rows, list_limit(p), p.has("orderId") || p.has("startTime"));
    JsonWriter w;
    w.array();
    for (const Order* order : rows) w.raw(row(*order, OrderShape::query, call.now));
    return ok(w.end_array().take());
}

HttpReply BinanceFace::get_user_trades(Call& call) {
    const Query& p = call.parameters;
    const std::string symbol = p.get("symbol");
    if (symbol.empty()) return refused(missing_parameter("symbol"));
    if (!market_.instrument(symbol)) return refused(refusal_problem(Refusal::unknown_symbol, nullptr));
    if (p.has("fromId") && (p.has("startTime") || p.has("endTime"))) {
        return refused({400, -1128, "Combination of optional parameters invalid."});
    }
    if (Problem problem = check_window(p)) return refused(problem);
    const bool bounded = p.has("fromId") || p.has("startTime") || p.has("endTime") || p.has("orderId");
    const Ms since = p.integer("startTime").value_or(bounded ? 0 : call.now - kWeek);
    std::vector<const Fill*> rows;
    for (const Fill& fill : call.account->fills) {
        const bool wanted = fill.symbol == symbol && fill.number >= p.integer("fromId").value_or(0) &&
                            (!p.has("orderId") || p.get("orderId") == fill.order_id) && fill.time_ms >= since &&
                            fill.time_ms <= p.integer("endTime").value_or(INT64_MAX);
        if (wanted && is_visible(fill.time_ms, call.now)) rows.push_back(&fill);
    }
    cut(rows, list_limit(p), p.has("fromId") || p.has("startTime"));
    JsonWriter w;
    w.array();
    for (const Fill* fill : rows) w.raw(trade_row(*fill, *market_.instrument(symbol)));
    return ok(w.end_array().take());
}

}  // namespace market::binance
