// From the market's journal to frames: private topics per matching event, tickers as changed fields only (bybit-v5.md 5, 6).
// Order of one matching event: execution.fast, execution, order, position, (stops made or resized), wallet.
#include "market/bybit_face.hpp"

#include <algorithm>
#include <utility>

namespace market::bybit {

namespace {

constexpr size_t kRememberedClosed = 500;

// "order" and "order.linear" are the same stream under the name it was subscribed with.
bool is_topic(std::string_view subscribed, std::string_view topic) {
    return subscribed == topic || (subscribed.size() == topic.size() + 7 && subscribed.substr(0, topic.size()) == topic &&
                                   subscribed.substr(topic.size()) == ".linear");
}

}  // namespace

bool BybitFace::wants(const std::string& account, std::string_view topic) const {
    for (const auto& [id, session] : sessions_)
        if (session.info.account == account)
            for (const std::string& subscribed : session.topics)
                if (is_topic(subscribed, topic)) return true;
    return false;
}

std::string BybitFace::private_frame(std::string_view topic, const std::string& id, const std::string& rows,
                                     std::string_view time) const {
    std::string frame = "{";
    if (!id.empty()) frame += "\"id\":\"" + id + "\",";
    frame += "\"topic\":\"" + std::string(topic) + "\",\"creationTime\":" + std::string(time) + ",\"data\":[" + rows + "]}";
    return frame;
}

void BybitFace::push_private(const std::string& account, std::string_view topic, const std::string& id,
                             const std::string& rows, Ms due) {
    for (auto& [session_id, session] : sessions_) {
        if (session.info.account != account || session.info.stream != Stream::private_data) continue;
        for (const std::string& subscribed : session.topics)
            if (is_topic(subscribed, topic))
                say(session, private_frame(subscribed, topic == "execution.fast" ? "" : id, rows, std::to_string(due)), due, true);
    }
}

void BybitFace::push_public(const std::string& topic, const std::string& text, Ms due) {
    for (auto& [id, session] : sessions_)
        if (session.topics.count(topic) > 0) say(session, text, due, true);
}

// ---- the journal

void BybitFace::translate(Ms now) {
    const std::vector<Event> events = market_.take_events();
    Ms due = now;
    int64_t matching_event = -1;
    for (size_t i = 0; i < events.size(); ++i) {
        const Event& event = events[i];
        if (event.sequence != matching_event) {
            matching_event = event.sequence;
            due = std::max(due, now + market_.random.between(knobs.event_latency_min_ms, knobs.event_latency_max_ms));
        }
        const Account* account = event.account.empty() ? nullptr : market_.account(event.account);
        const std::string uid = account == nullptr ? "" : std::to_string(account->uid);
        const std::string id = uid + "_" + event.symbol + "_" + std::to_string(event.sequence);

        if (const auto* changed = std::get_if<OrderChanged>(&event.what)) {
            if (is_terminal(changed->order.status) && !changed->refused_late) {
                auto& closed = recently_closed_[event.account];
                closed.push_back(changed->order.id);
                if (closed.size() > kRememberedClosed) closed.pop_front();
            }
            if (!changed->crossing && wants(event.account, "order"))
                push_private(event.account, "order", id, order_row(changed->order, style(Where::stream), changed->refused_late), due);
        } else if (std::holds_alternative<Traded>(event.what)) {
            // All executions of one matching event share a message; public trades stand between them.
            std::string rows, fast_rows;
            const bool wanted = wants(event.account, "execution"), fast_wanted = wants(event.account, "execution.fast");
            for (; i < events.size() && events[i].sequence == event.sequence; ++i) {
                if (const auto* traded = std::get_if<Traded>(&events[i].what)) {
                    if (traded->order.id != std::get<Traded>(event.what).order.id) break;
                    if (wanted) rows += (rows.empty() ? "" : ",") + fill_row(traded->fill, traded->order, style(Where::stream));
                    if (fast_wanted) fast_rows += (fast_rows.empty() ? "" : ",") + fast_fill_row(traded->fill);
                } else if (const auto* trade = std::get_if<PublicTrade>(&events[i].what)) {
                    push_public("publicTrade." + event.symbol, public_trade_frame(*trade, events[i], due), due);
                } else {
                    break;
                }
            }
            --i;
            if (fast_wanted) push_private(event.account, "execution.fast", "", fast_rows, due);
            if (wanted) push_private(event.account, "execution", id, rows, due);
        } else if (const auto* moved = std::get_if<PositionChanged>(&event.what)) {
            if (wants(event.account, "position"))
                push_private(event.account, "position", uid + "_position_" + std::to_string(due),
                             position_row(moved->position, moved->mark, market_.rules.close_fee_rate, style(Where::stream)), due);
        } else if (const auto* wallet = std::get_if<WalletChanged>(&event.what)) {
            if (wants(event.account, "wallet"))
                push_private(event.account, "wallet", uid + "_wallet_" + std::to_string(due),
                             wallet_row(wallet->balance, wallet->totals, style(Where::stream)), due);
        } else if (const auto* paid = std::get_if<FundingPaid>(&event.what)) {
            if (wants(event.account, "execution"))
                push_private(event.account, "execution", id, funding_row(paid->funding, style(Where::stream)), due);
        } else if (const auto* trade = std::get_if<PublicTrade>(&event.what)) {
            push_public("publicTrade." + event.symbol, public_trade_frame(*trade, event, due), due);
        } else if (std::holds_alternative<PriceChanged>(event.what)) {
            dirty_prices_.insert(event.symbol);
        }
    }
}

// ---- public data

std::string BybitFace::public_trade_frame(const PublicTrade& trade, const Event& event, Ms due) const {
    if (topic_users_.count("publicTrade." + event.symbol) == 0) return "";
    JsonWriter w;
    w.open().field("topic", "publicTrade." + event.symbol).field("type", "snapshot").number("ts", due).key("data").array().open();
    w.number("T", event.time_ms).field("s", event.symbol).field("S", side_word(trade.taker)).field("v", trade.quantity);
    w.field("p", trade.price).field("L", "PlusTick").field("i", trade.trade_id).boolean("BT", false).boolean("RPI", false);
    return w.number("seq", event.sequence).close().end_array().close().take();
}

std::string BybitFace::ticker_frame(const Instrument& instrument, std::string_view type, const std::string& members,
                                    Ms now) const {
    return "{\"topic\":\"tickers." + instrument.symbol + "\",\"type\":\"" + std::string(type) + "\",\"data\":{\"symbol\":\"" +
           instrument.symbol + "\"" + members + "},\"cs\":" + std::to_string(instrument.sequence) +
           ",\"ts\":" + std::to_string(now) + "}";
}

std::string BybitFace::book_frame(const Instrument& instrument, const std::string& topic, Ms now) const {
    const Decimal bid = max(instrument.last - instrument.tick, instrument.tick);
    JsonWriter w;
    w.open().field("topic", topic).field("type", "snapshot").number("ts", now).key("data").open().field("s", instrument.symbol);
    w.key("b").array().array().value(bid.text()).value("7.4").end_array().end_array();
    w.key("a").array().array().value(instrument.last.text()).value("2.0").end_array().end_array();
    w.number("u", instrument.price_version + 1).number("seq", instrument.sequence).close().number("cts", now);
    return w.close().take();
}

namespace {

std::string member(const std::pair<std::string, std::string>& field) {
    return ",\"" + field.first + "\":\"" + field.second + "\"";
}

}  // namespace

void BybitFace::push_snapshot(Session& session, const std::string& topic, Ms now) {
    const Instrument& instrument = *market_.instrument(topic.substr(topic.rfind('.') + 1));
    if (topic.rfind("tickers.", 0) == 0) {
        std::string members;
        for (const auto& field : ticker_members(instrument, Where::stream))
            if (field.first != "symbol") members += member(field);
        say(session, ticker_frame(instrument, "snapshot", members, now), now, true);
        ticker_sent_.try_emplace(instrument.symbol, ticker_members(instrument, Where::stream));
    } else if (topic.rfind("orderbook.", 0) == 0) {
        say(session, book_frame(instrument, topic, now), now, true);
    }
}

// Two deltas per change, as recorded: what trades first, what derives from the mark price after it. Neither has all fields.
void BybitFace::push_tickers(Ms now) {
    if (now < tickers_due_ms_) return;
    tickers_due_ms_ = now + knobs.price_interval_ms;
    for (const std::string& symbol : std::exchange(dirty_prices_, {})) {
        const Instrument& instrument = *market_.instrument(symbol);
        if (topic_users_.count("orderbook.1." + symbol) > 0)
            push_public("orderbook.1." + symbol, book_frame(instrument, "orderbook.1." + symbol, now), now);
        if (topic_users_.count("tickers." + symbol) == 0) {
            ticker_sent_.erase(symbol);                    // the next subscriber starts from its own snapshot
            continue;
        }
        auto fields = ticker_members(instrument, Where::stream);
        auto& sent = ticker_sent_[symbol];
        std::string traded, marked;
        for (size_t i = 1; i < fields.size(); ++i) {
            if (i < sent.size() && sent[i].second == fields[i].second) continue;
            const std::string& name = fields[i].first;
            const bool by_mark = name == "markPrice" || name == "indexPrice" || name.find("OpenInterest") != std::string::npos ||
                                 name.find("openInterest") != std::string::npos;
            (by_mark ? marked : traded) += member(fields[i]);
        }
        sent = std::move(fields);
        if (!traded.empty()) push_public("tickers." + symbol, ticker_frame(instrument, "delta", traded, now), now);
        if (!marked.empty()) push_public("tickers." + symbol, ticker_frame(instrument, "delta", marked, now), now);
    }
}

// ---- time and delivery

void BybitFace::tick(Ms now) {
    watch_disconnects(now);
    translate(now);
    push_tickers(now);
    cut_idle(now);
}

std::vector<Outbound> BybitFace::take_outbound() { return std::exchange(outbound_, {}); }

std::string BybitFace::flood_template(FloodKind kind, const Account& account, const std::string& symbol) const {
    static constexpr std::string_view kNumber = "############", kTime = "$$$$$$$$$$$$$";
    const Instrument& instrument = market_.instruments().at(symbol);
    if (kind == FloodKind::price)
        return "{\"topic\":\"tickers." + symbol + "\",\"type\":\"delta\",\"data\":{\"symbol\":\"" + symbol + "\",\"lastPrice\":\"" +
               instrument.last.text() + "\",\"markPrice\":\"" + instrument.mark.text() + "\"},\"cs\":9" + std::string(kNumber) +
               ",\"ts\":" + std::string(kTime) + "}";
    Order order;
    order.id = "f100d000-0000-4000-8000-" + std::string(kNumber);
    order.symbol = symbol;
    order.type = OrderType::limit;
    order.quantity = instrument.min_quantity;
    order.price = instrument.last;
    std::string row = order_row(order, style(Where::stream));
    for (const std::string_view name : {"\"createdTime\":\"0\"", "\"updatedTime\":\"0\""}) {
        const size_t at = row.find(name);
        row.replace(at + name.size() - 2, 1, kTime);
    }
    return private_frame("order", std::to_string(account.uid) + "_" + symbol + "_9" + std::string(kNumber), row, kTime);
}

}  // namespace market::bybit
