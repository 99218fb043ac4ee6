// Bybit's POST endpoints: orders, stops, settings (bybit-v5.md 3.7-3.13, 3.18, 3.19). Answers carry ids only; what became
// of an order is told by the stream.
#include "market/bybit_face.hpp"

#include <algorithm>

namespace market::bybit {

namespace {

constexpr size_t kMaxClientIdLength = 36;
constexpr size_t kMaxBatch = 20;
constexpr size_t kMaxCancelAll = 500;

bool is_client_id(std::string_view id) {
    return id.size() <= kMaxClientIdLength && std::all_of(id.begin(), id.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
           });
}

Answer ids(const Order& order) {
    JsonWriter w;
    w.open().field("orderId", order.id).field("orderLinkId", order.client_id);
    return Answer::ok(w.close().take());
}

Answer missing(const char* name) { return Answer::error(10001, std::string("params error: ") + name + " invalid"); }

// Trigger texts carry prices as integers x 10^4.
std::string scaled(Decimal price) { return Decimal::of((price * 10'000).fixed(0)).text(); }

std::optional<Answer> read_order(const Json& body, OrderRequest& request) {
    request.symbol = body.text("symbol");
    request.client_id = body.text("orderLinkId");
    const auto side = parse_side(body.text("side"));
    const std::string type = body.text("orderType");
    const auto slot = parse_position_idx(body.integer("positionIdx").value_or(0));
    const auto time_in_force = parse_time_in_force(body.text("timeInForce"));
    const auto quantity = body.decimal("qty");
    if (!side) return missing("side");
    if (type != "Market" && type != "Limit") return missing("orderType");
    if (!slot) return missing("positionIdx");
    if (!time_in_force) return missing("timeInForce");
    if (!quantity || quantity->sign() < 0) return missing("qty");
    if (!is_client_id(request.client_id)) return missing("orderLinkId");
    request.side = *side;
    request.slot = *slot;
    request.type = type == "Limit" ? OrderType::limit : OrderType::market;
    request.time_in_force = *time_in_force;
    request.quantity = *quantity;
    request.reduce_only = body.boolean("reduceOnly");
    request.close_on_trigger = body.boolean("closeOnTrigger");
    request.close_position = quantity->is_zero() && request.reduce_only && request.close_on_trigger;
    if (request.type == OrderType::limit) {
        const auto price = body.decimal("price");
        if (!price) return missing("price");
        request.price = *price;
    }
    return std::nullopt;
}

std::optional<Answer> read_trigger(const Json& body, const Instrument* instrument, OrderRequest& request) {
    const std::string text = body.text("triggerPrice");
    if (text.empty() || text == "0") return std::nullopt;
    const auto price = Decimal::parse(text);
    if (!price || price->sign() < 0) return missing("triggerPrice");
    const auto direction = body.integer("triggerDirection");
    if (!direction || (*direction != 1 && *direction != 2)) return missing("triggerDirection");
    request.stop_kind = StopKind::stop;
    request.trigger_price = *price;
    request.trigger_by = parse_trigger_by(body.text("triggerBy"));
    request.trigger_when = *direction == 1 ? TriggerWhen::rises : TriggerWhen::falls;
    if (instrument == nullptr) return std::nullopt;
    const Decimal base = request.trigger_by == TriggerBy::mark ? instrument->mark : instrument->last;
    const std::string tail = "current[" + scaled(base) + "]??" + trigger_by_word(request.trigger_by);
    if (*direction == 1 && *price <= base)
        return Answer::error(110092, "expect Rising, but trigger_price[" + scaled(*price) + "] <= " + tail);
    if (*direction == 2 && *price >= base)
        return Answer::error(110093, "expect Falling, but trigger_price[" + scaled(*price) + "] >= " + tail);
    return std::nullopt;
}

// stopLoss / takeProfit: "" and absence leave alone, "0" removes.
std::optional<Decimal> stop_price(const Json& body, const char* name) {
    return body.text(name).empty() ? std::nullopt : body.decimal(name);
}

// SL / TP on the wrong side of the price they are compared with.
std::optional<Answer> wrong_side(bool is_long, const char* prefix, const char* name, bool below, Decimal price, Decimal base,
                                 TriggerBy by) {
    const bool fine = below ? price < base : price > base;
    if (fine) return std::nullopt;
    return Answer::error(10001, std::string(prefix) + name + ":" + scaled(price) + " set for " + (is_long ? "Buy" : "Sell") +
                                    " position should " + (below ? "lower" : "higher") + " than base_price:" + scaled(base) +
                                    "??" + trigger_by_word(by));
}

std::optional<Answer> check_stops(const std::optional<Decimal>& stop_loss, TriggerBy stop_loss_by,
                                  const std::optional<Decimal>& take_profit, TriggerBy take_profit_by, bool is_long,
                                  const Instrument& instrument, const char* prefix) {
    const auto base = [&](TriggerBy by) { return by == TriggerBy::mark ? instrument.mark : instrument.last; };
    if (stop_loss && !stop_loss->is_zero())
        if (auto wrong = wrong_side(is_long, prefix, "StopLoss", is_long, *stop_loss, base(stop_loss_by), stop_loss_by)) return wrong;
    if (take_profit && !take_profit->is_zero())
        return wrong_side(is_long, prefix, "TakeProfit", !is_long, *take_profit, base(take_profit_by), take_profit_by);
    return std::nullopt;
}

}  // namespace

// ---- orders

Answer BybitFace::create(const Call& call) {
    if (call.body.text("category", "linear") != "linear") return Answer::error(10001, "Illegal category");
    OrderRequest request;
    if (auto bad = read_order(call.body, request)) return *bad;
    const Instrument* instrument = market_.instrument(request.symbol);
    if (auto bad = read_trigger(call.body, instrument, request)) return *bad;

    request.attached.stop_loss = stop_price(call.body, "stopLoss");
    request.attached.take_profit = stop_price(call.body, "takeProfit");
    request.attached.stop_loss_by = parse_trigger_by(call.body.text("slTriggerBy"));
    request.attached.take_profit_by = parse_trigger_by(call.body.text("tpTriggerBy"));
    if (request.attached.stop_loss && request.attached.stop_loss->is_zero()) request.attached.stop_loss.reset();
    if (request.attached.take_profit && request.attached.take_profit->is_zero()) request.attached.take_profit.reset();
    if (request.attached.any() && request.reduce_only) return Answer::error(10001, "TP/SL cannot be set on a reduce-only order");
    if (request.attached.any() && instrument != nullptr) {
        Instrument reference = *instrument;                // a limit order's stops are compared with its own price
        if (request.type == OrderType::limit) reference.mark = reference.last = request.price;
        if (auto wrong = check_stops(request.attached.stop_loss, request.attached.stop_loss_by, request.attached.take_profit,
                                     request.attached.take_profit_by, request.side == Side::buy, reference, ""))
            return *wrong;
    }
    const Placed placed = market_.place(*call.account, request, call.now);
    return placed ? ids(*placed.order) : Answer{code_of(placed.refusal, Act::create, instrument), "{}", "{}"};
}

const Order* BybitFace::find_order(const Call& call) const {
    const std::string id = call.body.text("orderId");
    const Order* order = id.empty() ? call.account->order_by_client_id(call.body.text("orderLinkId")) : call.account->order(id);
    const bool fits = order != nullptr && order->symbol == call.body.text("symbol");
    return fits ? order : nullptr;
}

Answer BybitFace::amend(const Call& call) {
    const Order* order = find_order(call);
    if (order == nullptr) return {code_of(Refusal::unknown_order, Act::amend, nullptr), "{}", "{}"};
    AmendRequest request;
    request.quantity = stop_price(call.body, "qty");
    request.price = stop_price(call.body, "price");
    request.trigger_price = stop_price(call.body, "triggerPrice");
    request.stop_loss = stop_price(call.body, "stopLoss");
    request.take_profit = stop_price(call.body, "takeProfit");
    const Instrument* instrument = market_.instrument(order->symbol);
    const Refusal refusal = market_.amend(*call.account, *order, request, call.now);
    if (refusal == Refusal::none) return ids(*order);
    Code code = code_of(refusal, Act::amend, instrument);
    if (refusal == Refusal::would_trigger_at_once && order->trigger_when == TriggerWhen::falls)
        code = {110093, "expect Falling, but trigger_price >= current??" + trigger_by_word(order->trigger_by)};
    return {code, "{}", "{}"};
}

Answer BybitFace::cancel(const Call& call) {
    const Order* order = find_order(call);
    if (order == nullptr) return {code_of(Refusal::unknown_order, Act::cancel, nullptr), "{}", "{}"};
    const Refusal refusal = market_.cancel(*call.account, *order, call.now);
    return refusal == Refusal::none ? ids(*order) : Answer{code_of(refusal, Act::cancel, nullptr), "{}", "{}"};
}

Answer BybitFace::cancel_all(const Call& call) {
    const std::string symbol = call.body.text("symbol"), base = call.body.text("baseCoin"), settle = call.body.text("settleCoin");
    const std::string filter = call.body.text("orderFilter"), stop_type = call.body.text("stopOrderType");
    if (symbol.empty() && base.empty() && settle.empty())
        return Answer::error(10001, "Missing some parameters that must be filled in, please check");
    size_t count = 0;
    const auto is_wanted = [&](const Order& order) {
        if (!symbol.empty() && order.symbol != symbol) return false;
        if (symbol.empty() && !base.empty() && market_.instruments().at(order.symbol).base != base) return false;
        const bool waits = order.status == OrderStatus::untriggered;
        if (filter == "Order" && waits) return false;
        if (filter == "StopOrder" && (!waits || (stop_type == "Stop" && stop_type_word(order, "") != "Stop"))) return false;
        return ++count <= kMaxCancelAll;
    };
    JsonWriter w;
    w.open().key("list").array();
    for (const Order* order : market_.cancel_all(*call.account, is_wanted, call.now))
        w.open().field("orderId", order->id).field("orderLinkId", order->client_id).close();
    return Answer::ok(w.end_array().field("success", "1").close().take());
}

// ---- batches: the outer answer is always fine, each leg has its own code

Answer BybitFace::create_batch(const Call& call) { return batch(call, &BybitFace::create); }
Answer BybitFace::amend_batch(const Call& call) { return batch(call, &BybitFace::amend); }
Answer BybitFace::cancel_batch(const Call& call) { return batch(call, &BybitFace::cancel); }

Answer BybitFace::batch(const Call& call, Handler one) {
    const Json legs = call.body["request"];
    if (call.body.text("category") != "linear") return Answer::error(10001, "Illegal category");
    if (legs.size() == 0 || legs.size() > kMaxBatch) return Answer::error(10001, "params error: request invalid");
    const bool creates = one == &BybitFace::create;
    JsonWriter list, codes;
    list.open().key("list").array();
    codes.open().key("list").array();
    for (size_t i = 0; i < legs.size(); ++i) {
        const Json leg = legs.at(i);
        const Answer answer = (this->*one)({call.query, leg, call.account, call.now});
        const auto made = Json::parse(answer.result);
        const bool ok = answer.code.code == 0;
        list.open().field("category", "linear").field("symbol", leg.text("symbol"));
        list.field("orderId", ok ? made->text("orderId") : "").field("orderLinkId", leg.text("orderLinkId"));
        if (creates) list.field("createAt", ok ? std::to_string(call.now) : "");
        list.close();
        codes.open().number("code", answer.code.code).field("msg", answer.code.message).close();
    }
    return {{}, list.end_array().close().take(), codes.end_array().close().take()};
}

// ---- positions and settings

Answer BybitFace::set_leverage(const Call& call) {
    const auto buy = call.body.decimal("buyLeverage"), sell = call.body.decimal("sellLeverage");
    if (!buy || !sell) return missing("leverage");
    if (*buy != *sell) return Answer::error(10001, "buyLeverage and sellLeverage must be equal");
    const std::string symbol = call.body.text("symbol");
    const Refusal refusal = market_.set_leverage(*call.account, symbol, *buy, call.now);
    return {code_of(refusal, Act::leverage, market_.instrument(symbol)), "{}", "{}"};
}

Answer BybitFace::switch_mode(const Call& call) {
    const auto mode = call.body.integer("mode");
    const std::string symbol = call.body.text("symbol"), coin = call.body.text("coin");
    if (!mode || (*mode != 0 && *mode != 3)) return Answer::error(10001, "position_mode invalid");
    if (symbol.empty() && coin != "USDT") return missing("symbol");
    const Refusal refusal = market_.set_hedge(*call.account, symbol, *mode == 3, call.now);
    return {code_of(refusal, Act::mode, market_.instrument(symbol)), "{}", "{}"};
}

Answer BybitFace::trading_stop(const Call& call) {
    const Json& body = call.body;
    const std::string symbol = body.text("symbol"), mode = body.text("tpslMode", "Full");
    const auto slot = parse_position_idx(body.integer("positionIdx").value_or(0));
    const Instrument* instrument = market_.instrument(symbol);
    if (instrument == nullptr) return {code_of(Refusal::unknown_symbol, Act::trading_stop, nullptr), "{}", "{}"};
    if (!slot) return missing("positionIdx");
    StopRequest request;
    request.stop_loss = stop_price(body, "stopLoss");
    request.take_profit = stop_price(body, "takeProfit");
    request.trailing_distance = stop_price(body, "trailingStop");
    request.stop_loss_by = parse_trigger_by(body.text("slTriggerBy"));
    request.take_profit_by = parse_trigger_by(body.text("tpTriggerBy"));
    request.activation_price = body.decimal("activePrice").value_or(0);
    if (mode == "Partial") {
        const auto take_profit_size = body.decimal("tpSize"), stop_loss_size = body.decimal("slSize");
        if (take_profit_size && stop_loss_size && *take_profit_size != *stop_loss_size) return missing("tpSize");
        request.partial_quantity = stop_loss_size.value_or(take_profit_size.value_or(0));
        if (request.partial_quantity.is_zero()) return missing("slSize");
        const char* limit = request.stop_loss ? "slLimitPrice" : "tpLimitPrice";
        const bool is_limit = body.text(request.stop_loss ? "slOrderType" : "tpOrderType") == "Limit";
        if (is_limit) request.limit_price = body.decimal(limit).value_or(0);
    }
    const Position* held = call.account->position(symbol, *slot);
    const bool fits_mode = call.account->is_hedge(symbol) == (*slot != Slot::both);
    const bool is_held = held != nullptr && !held->is_flat() && is_visible(held->opened_ms, call.now);
    if (fits_mode && !is_held) return {code_of(Refusal::no_position, Act::trading_stop, instrument), "{}", "{}"};
    const char* prefix = mode == "Partial" ? "Partial" : "";
    if (fits_mode && is_held)
        if (auto wrong = check_stops(request.stop_loss, request.stop_loss_by, request.take_profit, request.take_profit_by,
                                     held->is_long(), *instrument, prefix))
            return *wrong;
    const Refusal refusal = market_.set_position_stop(*call.account, symbol, *slot, request, call.now);
    return {code_of(refusal, Act::trading_stop, instrument), "{}", "{}"};
}

Answer BybitFace::set_margin_mode(const Call& call) {
    if (call.body.text("setMarginMode") == "REGULAR_MARGIN") return Answer::ok(R"({"reasons":[]})");
    return Answer::error(10001, "only REGULAR_MARGIN is modelled");
}

Answer BybitFace::set_dcp(const Call& call) {
    const auto window = call.body.integer("timeWindow");
    if (call.body.text("product") != "DERIVATIVES") return missing("product");
    if (!window || *window < 3 || *window > 300) return missing("timeWindow");
    dcp_[call.account->key] = {*window * 1'000, 0};
    return Answer::ok("{}");
}

}  // namespace market::bybit
