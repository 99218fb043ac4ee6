// Bybit's GET endpoints (bybit-v5.md 3). Every list is paged by a key that grows along the list, so that rows which appear
// or vanish between two pages neither repeat nor hide others.
#include "market/bybit_face.hpp"

#include <algorithm>
#include <cstdio>

namespace market::bybit {

namespace {

constexpr Ms kDay = 86'400'000;

struct Row {
    std::string key;                                       // ascending along the list
    std::string json;
};

// Newest first: larger numbers get smaller keys.
std::string newest_first(int64_t number) {
    char text[24];
    snprintf(text, sizeof text, "%019lld", static_cast<long long>(INT64_MAX - number));
    return text;
}

// The cursor travels percent-encoded once; clients send it back verbatim or encoded again.
std::string encode_cursor(const std::string& key) { return percent_encode("page_args=" + key + "&symbol=" + std::to_string(key.size()) + "&"); }

std::string decode_cursor(std::string cursor) {
    for (std::string next = percent_decode(cursor); next != cursor; next = percent_decode(cursor)) cursor = next;
    return Query(cursor).get("page_args");
}

class Page {
public:
    Page(const Query& query, size_t fallback, size_t maximum)
        : after_(decode_cursor(query.get("cursor"))),
          limit_(static_cast<size_t>(std::clamp<int64_t>(query.integer("limit").value_or(static_cast<int64_t>(fallback)), 1,
                                                         static_cast<int64_t>(maximum)))) {}
    bool is_past(const std::string& key) const { return after_.empty() || key > after_; }
    bool is_full() const { return rows_.size() > limit_; }  // one more than fits: there is a next page
    void add(Row row) { rows_.push_back(std::move(row)); }

    Answer answer() const {
        JsonWriter w;
        w.open().field("category", "linear").key("list").array();
        for (size_t i = 0; i < std::min(limit_, rows_.size()); ++i) w.raw(rows_[i].json);
        w.end_array().field("nextPageCursor", is_full() ? encode_cursor(rows_[limit_ - 1].key) : "");
        return Answer::ok(w.close().take());
    }

private:
    std::string after_;
    size_t limit_;
    std::vector<Row> rows_;
};

std::optional<Answer> bad_category(const Call& call) {
    if (call.query.get("category") == "linear") return std::nullopt;
    return Answer::error(10001, "Illegal category");
}

// startTime/endTime of a history call: at most 7 days, by default the last 7.
struct Period {
    Ms start = 0, end = 0;
    bool is_valid = true;
    bool has(Ms time) const { return time >= start && time <= end; }
};

Period period_of(const Call& call) {
    const auto start = call.query.integer("startTime"), end = call.query.integer("endTime");
    Period period;
    period.end = end.value_or(start ? *start + 7 * kDay : call.now);
    period.start = start.value_or(period.end - 7 * kDay);
    period.is_valid = period.start <= period.end && period.end - period.start <= 7 * kDay;
    return period;
}

std::string members_json(const std::vector<std::pair<std::string, std::string>>& members) {
    JsonWriter w;
    w.open();
    for (const auto& [name, value] : members) w.field(name, value);
    return w.close().take();
}

}  // namespace

// ---- market data

Answer BybitFace::time(const Call& call) {
    JsonWriter w;
    w.open().field("timeSecond", std::to_string(call.now / 1'000)).field("timeNano", std::to_string(call.now) + "000000");
    return Answer::ok(w.close().take());
}

Answer BybitFace::instruments(const Call& call) {
    if (auto bad = bad_category(call)) return *bad;
    const std::string symbol = call.query.get("symbol"), base = call.query.get("baseCoin");
    const std::string status = call.query.get("status", symbol.empty() ? "Trading" : "");
    if (!symbol.empty() && market_.instrument(symbol) == nullptr) return Answer::error(10001, "params error: symbol invalid");
    Page page(call.query, call.account == nullptr ? 500 : 200, call.account == nullptr ? 1'000 : 200);
    for (const auto& [name, instrument] : market_.instruments()) {
        if ((!symbol.empty() && name != symbol) || (!base.empty() && instrument.base != base)) continue;
        if (!status.empty() && instrument_status_word(instrument) != status) continue;
        if (!page.is_past(name)) continue;
        page.add({name, instrument_row(instrument, style(Where::rest))});
        if (page.is_full()) break;
    }
    return page.answer();
}

Answer BybitFace::tickers(const Call& call) {
    if (auto bad = bad_category(call)) return *bad;
    const std::string symbol = call.query.get("symbol");
    if (!symbol.empty() && market_.instrument(symbol) == nullptr) return Answer::error(10001, "params error: symbol invalid");
    JsonWriter w;
    w.open().field("category", "linear").key("list").array();
    for (const auto& [name, instrument] : market_.instruments())
        if (symbol.empty() ? instrument.is_trading() : name == symbol)
            w.raw(members_json(ticker_members(instrument, Where::rest)));
    return Answer::ok(w.end_array().close().take());
}

Answer BybitFace::orderbook(const Call& call) {
    const Instrument* instrument = market_.instrument(call.query.get("symbol"));
    if (instrument == nullptr) return Answer::error(10001, "params error: symbol invalid");
    const Decimal bid = max(instrument->last - instrument->tick, instrument->tick);
    JsonWriter w;
    w.open().field("s", instrument->symbol).key("b").array().array().value(bid.text()).value("7.4").end_array().end_array();
    w.key("a").array().array().value(instrument->last.text()).value("2.0").end_array().end_array();
    w.number("ts", call.now).number("u", instrument->price_version + 1).number("seq", instrument->sequence).number("cts", call.now);
    return Answer::ok(w.close().take());
}

Answer BybitFace::price_limit(const Call& call) {
    const Instrument* instrument = market_.instrument(call.query.get("symbol"));
    if (instrument == nullptr) return Answer::error(10001, "params error: symbol invalid");
    JsonWriter w;
    w.open().field("symbol", instrument->symbol);
    w.field("buyLmt", (instrument->mark * Decimal::of("1.1")).floor_to(instrument->tick));
    w.field("sellLmt", (instrument->mark * Decimal::of("0.9")).floor_to(instrument->tick)).field("ts", std::to_string(call.now));
    return Answer::ok(w.close().take());
}

Answer BybitFace::risk_limit(const Call& call) {
    if (auto bad = bad_category(call)) return *bad;
    const std::string symbol = call.query.get("symbol");
    Page page(call.query, 15, 15);
    for (const auto& [name, instrument] : market_.instruments()) {
        if ((!symbol.empty() && name != symbol) || !page.is_past(name)) continue;
        JsonWriter w;
        w.open().number("id", 1).field("symbol", name).field("riskLimitValue", "2000000");
        w.field("maintenanceMargin", instrument.maintenance_rate);
        w.field("initialMargin", (Decimal(1) / Decimal(instrument.max_leverage)).money()).number("isLowestRisk", 1);
        w.field("maxLeverage", Decimal(instrument.max_leverage).fixed(2)).field("mmDeduction", "");
        page.add({name, w.close().take()});
        if (page.is_full()) break;
    }
    return page.answer();
}

Answer BybitFace::kline(const Call& call) {
    const Instrument* instrument = market_.instrument(call.query.get("symbol"));
    if (instrument == nullptr) return Answer::error(10001, "params error: symbol invalid");
    JsonWriter w;
    w.open().field("category", "linear").field("symbol", instrument->symbol).key("list").array();
    const std::string price = instrument->last.text();
    w.array().value(std::to_string(call.now / 60'000 * 60'000)).value(price).value(price).value(price).value(price);
    w.value("0").value("0").end_array().end_array();
    return Answer::ok(w.close().take());
}

Answer BybitFace::system_status(const Call&) { return Answer::ok(R"({"list":[]})"); }

// ---- account

Answer BybitFace::account_info(const Call&) {
    return Answer::ok(R"({"marginMode":"REGULAR_MARGIN","updatedTime":"1751328000000","unifiedMarginStatus":6,)"
                      R"("dcpStatus":"OFF","timeWindow":0,"smpGroup":0,"isMasterTrader":false,"spotHedgingStatus":"OFF"})");
}

Answer BybitFace::wallet_balance(const Call& call) {
    if (call.query.get("accountType") != "UNIFIED") return Answer::error(10001, "accountType only support UNIFIED.");
    JsonWriter w;
    w.open().key("list").array().raw(wallet_row(call.account->usdt(), call.account->totals, style(Where::rest))).end_array();
    return Answer::ok(w.close().take());
}

Answer BybitFace::fee_rate(const Call& call) {
    const std::string symbol = call.query.get("symbol");
    JsonWriter w;
    w.open().field("category", "linear").key("list").array();
    for (const auto& [name, instrument] : market_.instruments()) {
        if (!symbol.empty() && name != symbol) continue;
        w.open().field("symbol", name).field("takerFeeRate", market_.rules.taker_fee);
        w.field("makerFeeRate", market_.rules.maker_fee).close();
    }
    return Answer::ok(w.end_array().close().take());
}

Answer BybitFace::query_api(const Call& call) {
    JsonWriter w;
    w.open().field("id", std::to_string(call.account->uid)).field("note", "simulator").field("apiKey", call.account->key);
    w.number("readOnly", call.account->read_only ? 1 : 0).field("secret", "");
    w.key("permissions").open().key("ContractTrade").raw(R"(["Order","Position"])").key("Wallet").raw("[]").close();
    w.key("ips").raw(R"(["*"])").number("type", 1).number("deadlineDay", 80).field("expiredAt", "2027-06-30T00:00:00Z");
    w.number("uta", 1).number("unified", 0).number("userID", call.account->uid).boolean("isMaster", true);
    return Answer::ok(w.close().take());
}

Answer BybitFace::dcp_info(const Call& call) {
    JsonWriter w;
    w.open().key("dcpInfos").array();
    if (const auto armed = dcp_.find(call.account->key); armed != dcp_.end())
        w.open().field("product", "DERIVATIVES").field("dcpStatus", "ON")
            .field("timeWindow", std::to_string(armed->second.window_ms / 1'000)).close();
    return Answer::ok(w.end_array().close().take());
}

// ---- positions

Answer BybitFace::positions(const Call& call) {
    if (auto bad = bad_category(call)) return *bad;
    const std::string symbol = call.query.get("symbol"), settle = call.query.get("settleCoin");
    if (symbol.empty() && settle.empty()) return Answer::error(10001, "Missing some parameters that must be filled in, please check");
    if (!symbol.empty() && market_.instrument(symbol) == nullptr) return Answer::error(10001, "params error: symbol invalid");

    Page page(call.query, 20, 200);
    const auto add = [&](const Position& position) {
        const std::string key = position.symbol + ":" + std::to_string(position_idx(position.slot));
        if (!page.is_past(key) || page.is_full()) return;
        const Decimal mark = market_.instruments().at(position.symbol).mark;
        page.add({key, position_row(position, mark, market_.rules.close_fee_rate, style(Where::rest))});
    };
    if (symbol.empty()) {
        for (const auto& [key, position] : call.account->positions)
            if (!position.is_flat() && settle == "USDT" && is_visible(position.opened_ms, call.now)) add(position);
        return page.answer();
    }
    // Asked by symbol: the slots of the present mode, flat ones too.
    const std::vector<Slot> slots = call.account->is_hedge(symbol) ? std::vector{Slot::long_side, Slot::short_side}
                                                                    : std::vector{Slot::both};
    for (const Slot slot : slots) {
        const Position* held = call.account->position(symbol, slot);
        if (held != nullptr && (held->is_flat() || is_visible(held->opened_ms, call.now))) {
            add(*held);
            continue;
        }
        Position flat;
        flat.symbol = symbol;
        flat.slot = slot;
        flat.leverage = call.account->leverage_of(symbol);
        add(flat);
    }
    return page.answer();
}

Answer BybitFace::symbol_info(const Call& call) {
    const std::string symbol = call.query.get("symbol");
    Page page(call.query, 200, 1'000);
    for (const auto& [name, instrument] : market_.instruments()) {
        if ((!symbol.empty() && name != symbol) || !page.is_past(name)) continue;
        JsonWriter w;
        w.open().field("symbol", name).field("leverage", call.account->leverage_of(name));
        w.number("positionIdx", call.account->is_hedge(name) ? 1 : 0).field("side", "");
        page.add({name, w.close().take()});
        if (page.is_full()) break;
    }
    return page.answer();
}

Answer BybitFace::closed_pnl(const Call& call) {
    if (auto bad = bad_category(call)) return *bad;
    const Period period = period_of(call);
    if (!period.is_valid) return Answer::error(10001, "The time range between startTime and endTime cannot exceed 7 days");
    const std::string symbol = call.query.get("symbol");
    Page page(call.query, 50, 100);
    const auto& closed = call.account->closed;
    for (size_t i = closed.size(); i-- > 0 && !page.is_full();) {
        const std::string key = newest_first(static_cast<int64_t>(i));
        const bool wanted = (symbol.empty() || closed[i].symbol == symbol) && period.has(closed[i].updated_ms) &&
                            is_visible(closed[i].updated_ms, call.now) && page.is_past(key);
        if (wanted) page.add({key, closed_pnl_row(closed[i])});
    }
    return page.answer();
}

// ---- orders and executions

Answer BybitFace::orders_realtime(const Call& call) {
    const bool by_id = call.query.has("orderId") || call.query.has("orderLinkId");
    return orders(call, !by_id && call.query.get("openOnly") == "1", false);
}

Answer BybitFace::orders_history(const Call& call) { return orders(call, true, true); }

Answer BybitFace::orders(const Call& call, bool closed_only, bool history) {
    if (auto bad = bad_category(call)) return *bad;
    const Query& query = call.query;
    const std::string symbol = query.get("symbol"), base = query.get("baseCoin"), settle = query.get("settleCoin");
    const std::string id = query.get("orderId"), client_id = id.empty() ? query.get("orderLinkId") : "";
    const std::string filter = query.get("orderFilter"), wanted_status = query.get("orderStatus");
    const bool by_id = !id.empty() || !client_id.empty();
    if (!history && !by_id && symbol.empty() && base.empty() && settle.empty())
        return Answer::error(10001, "Missing some parameters that must be filled in, please check");
    const Period period = period_of(call);
    if (history && !period.is_valid) return Answer::error(10001, "The time range between startTime and endTime cannot exceed 7 days");

    const auto& remembered = recently_closed_[call.account->key];
    const auto is_remembered = [&](const Order& order) {
        return std::find(remembered.begin(), remembered.end(), order.id) != remembered.end();
    };
    const auto is_wanted = [&](const Order& order) {
        if (!is_visible(order.created_ms, call.now)) return false;
        if (!symbol.empty() && order.symbol != symbol) return false;
        if (!base.empty() && market_.instruments().at(order.symbol).base != base) return false;
        if (filter == "StopOrder" && order.kind != OrderKind::conditional) return false;
        if (filter == "Order" && order.kind == OrderKind::conditional) return false;
        if (!wanted_status.empty() && status_word(order) != wanted_status) return false;
        if (closed_only == order.is_open() && (closed_only || !by_id)) return false;
        if (!history) return order.is_open() || is_remembered(order);
        const bool unfilled = order.filled.is_zero();
        const Ms kept = unfilled ? kDay : 7 * kDay;
        return by_id ? order.updated_ms + kept >= call.now
                     : period.has(order.created_ms) && (!unfilled || order.updated_ms + kDay >= call.now);
    };

    Page page(query, 20, 50);
    const auto add = [&](const Order* order) {
        if (order == nullptr || !is_wanted(*order)) return;
        const std::string key = newest_first(order->number);
        if (page.is_past(key)) page.add({key, order_row(*order, style(Where::rest))});
    };
    const auto& all = call.account->orders;
    if (by_id) {
        add(id.empty() ? call.account->order_by_client_id(client_id) : call.account->order(id));
    } else if (!closed_only) {
        std::vector<const Order*> open = call.account->open_orders(symbol);
        std::sort(open.begin(), open.end(), [](const Order* a, const Order* b) { return a->number > b->number; });
        for (size_t i = 0; i < open.size() && !page.is_full(); ++i) add(open[i]);
    } else if (!history) {
        std::vector<const Order*> closed;
        for (const std::string& closed_id : remembered) closed.push_back(call.account->order(closed_id));
        std::sort(closed.begin(), closed.end(), [](const Order* a, const Order* b) { return a->number > b->number; });
        for (size_t i = 0; i < closed.size() && !page.is_full(); ++i) add(closed[i]);
    } else {
        for (size_t i = all.size(); i-- > 0 && !page.is_full();) add(&all[i]);
    }
    return page.answer();
}

Answer BybitFace::executions(const Call& call) {
    if (auto bad = bad_category(call)) return *bad;
    const Query& query = call.query;
    const std::string id = query.get("orderId"), client_id = query.get("orderLinkId");
    const bool by_id = !id.empty() || !client_id.empty();
    const std::string symbol = by_id ? "" : query.get("symbol"), type = query.get("execType");
    const Period period = period_of(call);
    if (!period.is_valid) return Answer::error(10001, "The time range between startTime and endTime cannot exceed 7 days");

    Page page(query, 50, 100);
    const auto& fills = call.account->fills;
    const auto& funding = call.account->funding;
    size_t fill = fills.size(), paid = funding.size();
    while ((fill > 0 || paid > 0) && !page.is_full()) {
        const bool is_fill = paid == 0 || (fill > 0 && fills[fill - 1].number > funding[paid - 1].number);
        if (is_fill) {
            const Fill& row = fills[--fill];
            const std::string key = newest_first(row.number);
            const bool wanted = (symbol.empty() || row.symbol == symbol) && (id.empty() || row.order_id == id) &&
                                (client_id.empty() || row.client_id == client_id) &&
                                (type.empty() || exec_type_word(row.origin) == type) && (by_id || period.has(row.time_ms)) &&
                                is_visible(row.time_ms, call.now) && page.is_past(key);
            if (wanted) page.add({key, fill_row(row, *call.account->order(row.order_id), style(Where::rest))});
        } else {
            const Funding& row = funding[--paid];
            const std::string key = newest_first(row.number);
            const bool wanted = !by_id && (symbol.empty() || row.symbol == symbol) && (type.empty() || type == "Funding") &&
                                period.has(row.time_ms) && page.is_past(key);
            if (wanted) page.add({key, funding_row(row, style(Where::rest))});
        }
    }
    return page.answer();
}

}  // namespace market::bybit
