// WebSocket sessions: routes, control messages (binance-usdm.md 14.1), user data by listen key (1.2, 11), ticking.
#include "market/binance_face.hpp"
#include "market/binance_words.hpp"

#include <algorithm>

namespace market::binance {

namespace {

constexpr int kMessagesPerSecond = 10;
constexpr size_t kStreamsPerSession = 1024;
constexpr Ms kLifetime = 24LL * 3'600'000;

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const size_t end = std::min(text.find(separator), text.size());
        if (end > 0) parts.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    const std::string_view rest = text.substr(prefix.size());
    if (!rest.empty() && rest.front() != '/') return false;
    text = rest;
    return true;
}

Route take_route(std::string_view& path) {
    if (take_prefix(path, "/public")) return Route::public_data;
    if (take_prefix(path, "/market")) return Route::market_data;
    if (take_prefix(path, "/private")) return Route::private_data;
    return Route::unrouted;
}

std::string error_text(int code, const std::string& message, const Json* id) {
    JsonWriter w;
    w.open().key("error").open().number("code", code).field("msg", message).close();
    if (id) w.key("id").raw(id->dump());
    return w.close().take();
}

std::string result_text(std::string_view result, const Json& id) {
    JsonWriter w;
    return w.open().key("result").raw(result).key("id").raw(id.dump()).close().take();
}

std::string unknown_method(const std::string& method) {
    return "Invalid request: unknown variant " + method +
           ", expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`";
}

bool is_unsigned_integer(const Json& id) {
    const std::string text = id.dump();
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

// ---- coming and going

bool BinanceFace::open(SessionId id, std::string_view path_and_query, Ms now) {
    const size_t mark = std::min(path_and_query.find('?'), path_and_query.size());
    std::string_view path = path_and_query.substr(0, mark);
    const Query query(path_and_query.substr(std::min(mark + 1, path_and_query.size())));
    Session session;
    session.path = path_and_query;
    session.route = take_route(path);
    session.opened_ms = session.last_due_ms = now;
    session.combined = take_prefix(path, "/stream");
    if (!session.combined && !take_prefix(path, "/ws")) return false;

    std::vector<std::string> names = split(percent_decode(path), '/');
    for (const auto& [name, value] : query.items()) {
        if (name == "listenKey") names.push_back(value);
        if (name == "streams") for (std::string& stream : split(value, '/')) names.push_back(std::move(stream));
        if (name == "events") for (const std::string& event : split(value, '/')) session.wanted_events.insert(event);
    }
    if (names.size() > kStreamsPerSession) return false;
    for (const std::string& name : names) session.streams.push_back(MarketStream::parse(name));
    for (MarketStream& stream : session.streams) if (stream.period_ms > 0) stream.last_slot = now / stream.period_ms;
    sessions_[id] = std::move(session);
    return true;
}

void BinanceFace::close(SessionId id, Ms now) {
    outbound_.push_back({Outbound::Kind::close, id, "", std::max(now, sessions_.at(id).last_due_ms), false});
    sessions_.erase(id);
}

std::vector<SessionInfo> BinanceFace::sessions() const {
    std::vector<SessionInfo> found;
    for (const auto& [id, session] : sessions_) {
        SessionInfo info{id, session.route == Route::private_data ? Stream::private_data : Stream::public_data, session.path, "", {}};
        for (const MarketStream& stream : session.streams) {
            info.subscriptions.push_back(stream.name);
            if (session.route != Route::private_data || !info.account.empty()) continue;
            info.account = listen_keys_.account_of(stream.name, session.opened_ms);
        }
        found.push_back(std::move(info));
    }
    return found;
}

// ---- control messages

void BinanceFace::on_text(SessionId id, std::string_view text, Ms now) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    Session& session = found->second;
    if (session.message_second != now / 1000) session.messages = 0;
    session.message_second = now / 1000;
    if (++session.messages > kMessagesPerSecond && !knobs.ignores_rate_limits) return close(id, now);
    const auto message = Json::parse(text);
    if (!message || !message->is_object()) {
        send(id, session, "", error_text(3, "Invalid JSON: expected value at line 1 column 1", nullptr), now, false);
        return close(id, now);
    }
    answer_control(id, session, *message, now);
}

void BinanceFace::answer_control(SessionId id, Session& session, const Json& message, Ms now) {
    const Json number = message["id"], params = message["params"];
    const std::string method = message.text("method");
    const auto reply = [&](const std::string& text) { send(id, session, "", text, now, false); };
    if (!message.has("id") || !is_unsigned_integer(number)) {
        return reply(error_text(2, "Invalid request: request ID must be an unsigned integer", nullptr));
    }
    if (method.empty()) return reply(error_text(2, "Invalid request: missing field `method`", &number));
    if (method == "LIST_SUBSCRIPTIONS") {
        JsonWriter w;
        w.array();
        for (const MarketStream& stream : session.streams) w.value(stream.name);
        return reply(result_text(w.end_array().text(), number));
    }
    if (method == "SUBSCRIBE") {
        if (session.streams.size() + params.size() > kStreamsPerSession) {
            return reply(error_text(2, "Invalid request: too many parameters", &number));
        }
        for (size_t i = 0; i < params.size(); ++i) {
            MarketStream stream = MarketStream::parse(params.at(i).as_text());
            if (stream.period_ms > 0) stream.last_slot = now / stream.period_ms;
            std::erase_if(session.streams, [&](const MarketStream& present) { return present.name == stream.name; });
            session.streams.push_back(std::move(stream));
        }
        return reply(result_text("null", number));
    }
    if (method == "UNSUBSCRIBE") {
        for (size_t i = 0; i < params.size(); ++i) {
            const std::string name = params.at(i).as_text();
            std::erase_if(session.streams, [&](const MarketStream& stream) { return stream.name == name; });
        }
        return reply(result_text("null", number));
    }
    if (method != "SET_PROPERTY" && method != "GET_PROPERTY") return reply(error_text(2, unknown_method(method), &number));
    if (params.size() == 0 || params.at(0).as_text() != "combined") return reply(error_text(0, "Unknown property", &number));
    if (method == "GET_PROPERTY") return reply(result_text(session.combined ? "true" : "false", number));
    const std::string value = params.size() > 1 ? params.at(1).dump() : "";
    if (value != "true" && value != "false") return reply(error_text(1, "Invalid value type: expected Boolean", &number));
    session.combined = value == "true";
    reply(result_text("null", number));
}

// ---- sending

// An empty stream name is an answer, which is never wrapped.
void BinanceFace::send(SessionId id, Session& session, const std::string& stream, const std::string& payload, Ms due,
                       bool is_event) {
    std::string text = is_event && knobs.unknown_fields ? decorated(payload) : payload;
    if (session.combined && !stream.empty()) {
        JsonWriter w;
        text = w.open().field("stream", stream).key("data").raw(text).close().take();
    }
    session.last_due_ms = std::max(session.last_due_ms, due);
    outbound_.push_back({Outbound::Kind::text, id, std::move(text), session.last_due_ms, is_event});
}

void BinanceFace::publish(Ms now) {
    const std::vector<Event> events = market_.take_events();
    if (events.empty()) return;
    publish_user(events, now);
    publish_trades(events, now);
}

void BinanceFace::publish_user(const std::vector<Event>& events, Ms now) {
    int64_t sequence = -1;
    Ms due = now;
    for (const UserMessage& message : user_messages(events, market_, isolated_, venue.events)) {
        if (message.sequence != sequence) {
            due = now + market_.random.between(knobs.event_latency_min_ms, knobs.event_latency_max_ms);
        }
        sequence = message.sequence;
        for (auto& [id, session] : sessions_) {
            if (session.route != Route::private_data) continue;
            if (!session.wanted_events.empty() && !session.wanted_events.contains(message.type)) continue;
            for (const MarketStream& stream : session.streams) {
                if (listen_keys_.account_of(stream.name, now) != message.account) continue;
                send(id, session, stream.name, message.text, due, true);
            }
        }
    }
}

void BinanceFace::publish_trades(const std::vector<Event>& events, Ms now) {
    for (const Event& event : events) {
        const PublicTrade* trade = std::get_if<PublicTrade>(&event.what);
        const bool contract = std::holds_alternative<InstrumentChanged>(event.what);
        if (!trade && !contract) continue;
        if (trade) ++aggregate_number_;
        const Topic topic = trade ? Topic::aggregate_trade : Topic::contract_info;
        for (auto& [id, session] : sessions_) {
            for (const MarketStream& stream : session.streams) {
                const bool wanted = stream.topic == topic && (contract || stream.symbol == event.symbol) &&
                                    stream.delivers_on(session.route) && !is_muted(stream);
                if (!wanted) continue;
                send(id, session, stream.name,
                     trade ? aggregate_trade_text(event.symbol, *trade, aggregate_number_, event.time_ms)
                           : contract_info_text(*market_.instrument(event.symbol), event.time_ms),
                     now, true);
            }
        }
    }
}

bool BinanceFace::is_muted(const MarketStream& stream) const {
    return knobs.failing_subscriptions.contains(stream.name) || knobs.failing_subscriptions.contains(stream.symbol);
}

// ---- time

void BinanceFace::tick(Ms now) {
    run_countdowns(now);
    publish(now);
    expire_keys(now);
    std::vector<SessionId> too_old;
    for (auto& [id, session] : sessions_) {
        tick_streams(id, session, now);
        if (session.opened_ms + kLifetime <= now) too_old.push_back(id);
    }
    for (const SessionId id : too_old) close(id, now);
}

void BinanceFace::tick_streams(SessionId id, Session& session, Ms now) {
    for (MarketStream& stream : session.streams) {
        if (!stream.delivers_on(session.route) || is_muted(stream)) continue;
        if (stream.period_ms == 0) {
            const Instrument* instrument = market_.instrument(stream.symbol);
            const bool on_change = stream.topic == Topic::book_ticker || stream.topic == Topic::depth;
            const bool too_soon = now < stream.last_slot + knobs.price_interval_ms;
            if (!on_change || !instrument || instrument->price_version == stream.last_version || too_soon) continue;
            stream.last_version = instrument->price_version;
            stream.last_slot = now;
        } else {
            if (now / stream.period_ms == stream.last_slot) continue;
            stream.last_slot = now / stream.period_ms;
        }
        if (const std::string text = tick_text(stream, market_, now); !text.empty()) {
            send(id, session, stream.name, text, now, true);
        }
    }
}

// The socket stays open after its key ran out, and silent.
void BinanceFace::expire_keys(Ms now) {
    for (const ListenKeys::Expired& expired : listen_keys_.expire(now)) {
        JsonWriter w;
        w.open().field("e", "listenKeyExpired").number("E", now).field("listenKey", expired.key).close();
        for (auto& [id, session] : sessions_) {
            const bool listens = session.route == Route::private_data &&
                                 std::any_of(session.streams.begin(), session.streams.end(),
                                             [&](const MarketStream& stream) { return stream.name == expired.key; });
            if (listens) send(id, session, expired.key, w.text(), now, true);
        }
    }
}

void BinanceFace::run_countdowns(Ms now) {
    for (auto entry = countdowns_.begin(); entry != countdowns_.end();) {
        if (entry->second > now) { ++entry; continue; }
        const auto& [key, symbol] = entry->first;
        const auto wanted = [&, this](const Order& order) {
            return order.symbol == symbol && (order.kind == OrderKind::regular || venue.countdown_cancels_algo_orders);
        };
        if (Account* account = market_.account(key)) market_.cancel_all(*account, wanted, now);
        entry = countdowns_.erase(entry);
    }
}

// ---- load: frames whose order ids exist nowhere else

std::string BinanceFace::flood_template(FloodKind kind, const Account& account, const std::string& symbol) const {
    const Instrument& instrument = market_.instruments().at(symbol);
    constexpr Ms kTimeMark = 1'111'111'111'111;              // 13 digits, replaced by the marks below
    constexpr int64_t kNumberMark = 1'222'222'222'222;       // a leading 1, then 12 digits: the id stays a JSON number
    std::string text;
    if (kind == FloodKind::price) {
        text = mark_price_text(instrument, kTimeMark);
    } else {
        Order order;
        order.account = account.key;
        order.symbol = symbol;
        order.number = kNumberMark;
        order.client_id = "flood-222222222222";
        order.type = OrderType::limit;
        order.price = instrument.last;
        order.quantity = instrument.min_quantity;
        text = order_trade_update(order, "NEW", nullptr, 0, 0, {kTimeMark, kTimeMark});
    }
    const auto replace_all = [&](const std::string& from, const std::string& to) {
        for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) text.replace(at, from.size(), to);
    };
    replace_all(std::to_string(kTimeMark), std::string(13, '$'));
    replace_all("222222222222", std::string(12, '#'));
    return text;
}

}  // namespace market::binance
