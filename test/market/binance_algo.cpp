// The algo (conditional) order service over REST (binance-usdm.md 10).
#include "market/binance_face.hpp"
#include "market/binance_words.hpp"

#include <algorithm>

namespace market::binance {

namespace {

constexpr int64_t kListDefault = 500, kListMaximum = 1000;
constexpr Ms kWeek = 7LL * 86'400'000;

bool is_waiting_algo(const Order& order) {
    return order.kind == OrderKind::conditional && order.status == OrderStatus::untriggered;
}

}  // namespace

const Order* BinanceFace::find_algo(const Call& call) const {
    const std::string id = call.parameters.get("algoId"), client_id = call.parameters.get("clientAlgoId");
    return id.empty() ? call.account->order_by_client_id(client_id, true) : call.account->order(id, true);
}

HttpReply BinanceFace::post_algo(Call& call) {
    const auto placed = place(call.parameters, *call.account, true, call.now);
    if (const Problem* problem = std::get_if<Problem>(&placed)) return refused(*problem);
    const Order& order = *std::get<const Order*>(placed);
    return ok(algo_row(order, nullptr, instrument_of(order), OrderShape::reply));
}

HttpReply BinanceFace::get_algo(Call& call) {
    const Order* order = find_algo(call);
    if (!order || !is_visible(order->created_ms, call.now)) return refused({400, -2013, "Order does not exist."});
    return ok(row(*order, OrderShape::query, call.now));
}

// The reply says "200" as a string, unlike every other acknowledgement.
HttpReply BinanceFace::delete_algo(Call& call) {
    const Order* order = find_algo(call);
    if (!order || market_.cancel(*call.account, *order, call.now) != Refusal::none) {
        return refused({400, -2011, "Unknown order sent."});
    }
    JsonWriter w;
    w.open().number("algoId", order->number).field("clientAlgoId", order->client_id).field("code", "200").field("msg", "success");
    return ok(w.close().take());
}

HttpReply BinanceFace::delete_all_algo(Call& call) {
    const std::string symbol = call.parameters.get("symbol");
    if (!market_.instrument(symbol)) return refused(refusal_problem(Refusal::unknown_symbol, nullptr));
    market_.cancel_all(*call.account, [&](const Order& o) { return o.symbol == symbol && is_waiting_algo(o); }, call.now);
    return success_message("The operation of cancel all open order is done.");
}

HttpReply BinanceFace::get_open_algo(Call& call) {
    const std::string id = call.parameters.get("algoId");
    JsonWriter w;
    w.array();
    for (const Order* order : call.account->open_orders(call.parameters.get("symbol"))) {
        const bool shown = order->kind == OrderKind::conditional && is_visible(order->created_ms, call.now) &&
                           (id.empty() || id == order->id);
        if (shown) w.raw(row(*order, OrderShape::query, call.now));
    }
    return ok(w.end_array().take());
}

HttpReply BinanceFace::get_all_algo(Call& call) {
    const Query& p = call.parameters;
    if (p.get("symbol").empty()) return refused(missing_parameter("symbol"));
    const auto start = p.integer("startTime"), end = p.integer("endTime");
    if (start && end && *end - *start > kWeek) return refused({400, -4165, "Invalid time interval"});
    const bool forward = start || p.has("algoId");
    std::vector<const Order*> rows;
    for (const Order& order : call.account->orders) {
        const bool wanted = order.kind == OrderKind::conditional && order.symbol == p.get("symbol") &&
                            order.number >= p.integer("algoId").value_or(0) && order.created_ms >= start.value_or(0) &&
                            order.created_ms <= end.value_or(INT64_MAX);
        if (wanted && is_visible(order.created_ms, call.now)) rows.push_back(&order);
    }
    const size_t limit = std::clamp(p.integer("limit").value_or(kListDefault), int64_t{1}, kListMaximum);
    const size_t first = forward || rows.size() <= limit ? 0 : rows.size() - limit;
    JsonWriter w;
    w.array();
    for (size_t i = first; i < rows.size() && i < first + limit; ++i) w.raw(row(*rows[i], OrderShape::query, call.now));
    return ok(w.end_array().take());
}

}  // namespace market::binance
