// Bybit's WebSocket sessions: who is connected, what they asked for, what they are answered (bybit-v5.md 2.2, 5, 6, 8).
#include "market/bybit_face.hpp"

#include <algorithm>
#include <charconv>

namespace market::bybit {

namespace {

constexpr Ms kIdleCheckEvery = 30'000;
constexpr size_t kMaxArgsLength = 21'000;
constexpr size_t kMaxRequestIdLength = 36;

const std::set<std::string, std::less<>> kPrivateTopics = {
    "order", "execution", "execution.fast", "position", "wallet", "greeks", "dcp.future", "strategy",
    "order.linear", "execution.linear", "execution.fast.linear", "position.linear"};

// max_active_time=30s ... 600s, or 1m.
Ms idle_limit(const Query& query) {
    const std::string text = query.get("max_active_time");
    int64_t amount = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
    if (error != std::errc() || amount <= 0) return 600'000;
    const bool minutes = end != text.data() + text.size() && *end == 'm';
    return std::clamp<Ms>(amount * (minutes ? 60'000 : 1'000), 30'000, 600'000);
}

}  // namespace

bool BybitFace::open(SessionId id, std::string_view path_and_query, Ms now) {
    const size_t mark = path_and_query.find('?');
    const std::string path(path_and_query.substr(0, mark));
    const Query query(mark == std::string_view::npos ? "" : path_and_query.substr(mark + 1));
    Session session;
    if (path == "/v5/public/linear")
        session.info.stream = Stream::public_data;
    else if (path == "/v5/private")
        session.info.stream = Stream::private_data;
    else if (path == "/v5/trade")
        session.info.stream = Stream::trade;
    else
        return false;
    session.info.id = id;
    session.info.path = path;
    session.conn_id = market_.random.text(20) + "-" + market_.random.text(3);
    session.last_heard_ms = session.last_said_ms = now;
    if (session.info.stream != Stream::public_data) session.idle_limit_ms = idle_limit(query);
    sessions_[id] = std::move(session);
    return true;
}

void BybitFace::on_close(SessionId id) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    if (found->second.info.stream == Stream::public_data)
        for (const std::string& topic : found->second.topics)
            if (--topic_users_[topic] == 0) topic_users_.erase(topic);
    sessions_.erase(found);
}

std::vector<SessionInfo> BybitFace::sessions() const {
    std::vector<SessionInfo> all;
    for (const auto& [id, session] : sessions_) {
        all.push_back(session.info);
        all.back().subscriptions.assign(session.topics.begin(), session.topics.end());
    }
    return all;
}

void BybitFace::say(Session& session, std::string text, Ms due, bool is_event) {
    session.last_due_ms = std::max(due, session.last_due_ms);
    session.last_said_ms = session.last_due_ms;
    outbound_.push_back({Outbound::Kind::text, session.info.id, std::move(text), session.last_due_ms, is_event});
}

void BybitFace::hang_up(Session& session, Ms now) {
    outbound_.push_back({Outbound::Kind::close, session.info.id, "", std::max(now, session.last_due_ms), false});
}

// ---- requests

void BybitFace::on_text(SessionId id, std::string_view text, Ms now) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    Session& session = found->second;
    session.last_heard_ms = now;
    const auto message = Json::parse(text);
    if (message && message->is_object()) {
        handle(session, *message, now);
        translate(now);
        return;
    }
    JsonWriter w;
    w.open().boolean("success", false).field("ret_msg", "Failed to decode incoming data:" + std::string(text.substr(0, 100)));
    say(session, w.field("conn_id", session.conn_id).field("req_id", "").field("op", "").close().take(), now, false);
}

void BybitFace::handle(Session& session, const Json& message, Ms now) {
    const std::string op = message.text("op");
    if (session.info.stream == Stream::trade) return trade(session, message, now);
    if (op == "ping") {
        JsonWriter w;
        w.open();
        if (session.info.stream == Stream::public_data) {
            w.boolean("success", true).field("ret_msg", "pong").field("conn_id", session.conn_id);
            w.field("req_id", message.text("req_id")).field("op", "ping");
        } else {
            if (message.has("req_id")) w.field("req_id", message.text("req_id"));
            w.field("op", "pong").key("args").array().value(std::to_string(now)).end_array().field("conn_id", session.conn_id);
        }
        return say(session, w.close().take(), now, false);
    }
    if (op == "auth") return authenticate(session, message, now);
    if (op == "subscribe" || op == "unsubscribe") return subscribe(session, message, op == "subscribe", now);
    JsonWriter w;
    w.open().boolean("success", false).field("ret_msg", "error:invalid op").field("conn_id", session.conn_id);
    say(session, w.field("req_id", message.text("req_id")).field("op", op).close().take(), now, false);
}

void BybitFace::authenticate(Session& session, const Json& message, Ms now) {
    const bool trade_socket = session.info.stream == Stream::trade;
    const Json args = message["args"];
    const std::string key = args.at(0).as_text(), expires = args.at(1).as_text(), signature = args.at(2).as_text();
    Account* account = market_.account(key);
    std::string problem;
    if (session.info.stream == Stream::public_data)
        problem = "error:invalid op";
    else if (account == nullptr)
        problem = "API key is invalid.";
    else if (Query("e=" + expires).integer("e").value_or(0) <= now)
        problem = "Params Error: expires is in the past";
    else if (hmac_sha256_hex(account->secret, "GET/realtime" + expires) != signature)
        problem = "error sign! origin_string[GET/realtime" + expires + "]";
    const bool repeated = problem.empty() && trade_socket && !session.info.account.empty();

    JsonWriter w;
    w.open();
    if (trade_socket) {
        if (message.has("reqId")) w.field("reqId", message.text("reqId"));
        w.number("retCode", repeated ? 20001 : problem.empty() ? 0 : 10004);
        w.field("retMsg", repeated ? "Repeat auth" : problem.empty() ? "OK" : problem).field("op", "auth").field("connId", session.conn_id);
    } else {
        w.boolean("success", problem.empty()).field("ret_msg", problem).field("op", "auth").field("conn_id", session.conn_id);
        if (message.has("req_id")) w.field("req_id", message.text("req_id"));
    }
    say(session, w.close().take(), now, false);
    if (problem.empty())
        session.info.account = key;
    else if (session.info.stream != Stream::public_data)
        hang_up(session, now);
}

bool BybitFace::is_known_topic(const Session& session, const std::string& topic) const {
    if (session.info.stream == Stream::private_data) return kPrivateTopics.count(topic) > 0;
    const size_t dot = topic.rfind('.');
    if (dot == std::string::npos) return false;
    const std::string kind = topic.substr(0, dot);
    const Instrument* instrument = market_.instrument(topic.substr(dot + 1));
    const bool known_kind = kind == "tickers" || kind == "publicTrade" || kind == "orderbook.1" || kind == "orderbook.50" ||
                            kind == "orderbook.200" || kind == "orderbook.1000";
    return known_kind && instrument != nullptr && instrument->status != "closed";
}

void BybitFace::subscribe(Session& session, const Json& message, bool add, Ms now) {
    const Json args = message["args"];
    const bool is_public = session.info.stream == Stream::public_data;
    std::vector<std::string> topics;
    size_t length = 0;
    for (size_t i = 0; i < args.size(); ++i) {
        topics.push_back(args.at(i).as_text());
        length += topics.back().size();
    }
    std::string problem;
    if (!is_public && session.info.account.empty()) problem = "Request not authorized";
    if (problem.empty() && add && session.args_length + length > kMaxArgsLength) problem = "error:args length exceeds 21000";
    for (const std::string& topic : topics) {
        if (!problem.empty()) break;
        const std::string symbol = topic.substr(topic.rfind('.') + 1);
        const bool failing = knobs.failing_subscriptions.count(topic) > 0 || knobs.failing_subscriptions.count(symbol) > 0;
        if (!is_known_topic(session, topic) || failing) problem = "error:handler not found,topic:" + topic;
        else if (add && session.topics.count(topic) > 0) problem = "error:already subscribed,topic:" + topic;
    }
    JsonWriter w;
    w.open().boolean("success", problem.empty()).field("ret_msg", problem).field("conn_id", session.conn_id);
    if (is_public || message.has("req_id")) w.field("req_id", message.text("req_id"));
    say(session, w.field("op", add ? "subscribe" : "unsubscribe").close().take(), now, false);
    if (!problem.empty()) return;

    for (const std::string& topic : topics) {
        if (add) {
            session.topics.insert(topic);
            session.args_length += topic.size();
            if (!is_public) continue;
            ++topic_users_[topic];
            push_snapshot(session, topic, now);
        } else if (session.topics.erase(topic) > 0) {
            session.args_length -= topic.size();
            if (is_public && --topic_users_[topic] == 0) topic_users_.erase(topic);
        }
    }
}

// ---- the trade socket: the same handlers as REST, another envelope

void BybitFace::trade(Session& session, const Json& message, Ms now) {
    static const std::map<std::string, std::pair<const char*, Handler>> kOps = {
        {"order.create", {"/v5/order/create", &BybitFace::create}},
        {"order.amend", {"/v5/order/amend", &BybitFace::amend}},
        {"order.cancel", {"/v5/order/cancel", &BybitFace::cancel}},
        {"order.create-batch", {"/v5/order/create-batch", &BybitFace::create_batch}},
        {"order.amend-batch", {"/v5/order/amend-batch", &BybitFace::amend_batch}},
        {"order.cancel-batch", {"/v5/order/cancel-batch", &BybitFace::cancel_batch}}};
    constexpr int kOrdersPerSecond = 10;
    const std::string op = message.text("op"), request_id = message.text("reqId");
    if (op == "auth") return authenticate(session, message, now);

    JsonWriter w;
    w.open();
    if (message.has("reqId")) w.field("reqId", request_id);
    const auto answer_with = [&](const Answer& answer, const Limits::Grant& grant) {
        w.number("retCode", answer.code.code).field("retMsg", answer.code.message).field("op", op);
        w.key("data").raw(answer.result).key("retExtInfo").raw(answer.extra).key("header").open();
        w.field("X-Bapi-Limit", std::to_string(grant.cap)).field("X-Bapi-Limit-Status", std::to_string(grant.remaining));
        w.field("X-Bapi-Limit-Reset-Timestamp", std::to_string(grant.reset_ms)).field("Traceid", market_.random.text(32));
        w.field("Timenow", std::to_string(now)).close().field("connId", session.conn_id);
        say(session, w.close().take(), now + market_.random.between(knobs.rest_latency_min_ms, knobs.rest_latency_max_ms), false);
    };
    if (op == "ping") {
        w.number("retCode", 0).field("retMsg", "OK").field("op", "pong").key("data").array().value(std::to_string(now)).end_array();
        return say(session, w.field("connId", session.conn_id).close().take(), now, false);
    }
    const auto known = kOps.find(op);
    if (known == kOps.end()) return answer_with(Answer::error(10404, "op is not found"), {});
    if (session.info.account.empty()) return answer_with(Answer::error(10003, "Request not authorized"), {});
    if (!request_id.empty() && (request_id.size() > kMaxRequestIdLength || !session.request_ids.insert(request_id).second))
        return answer_with(Answer::error(20006, "reqId is duplicate"), {});
    const Json header = message["header"];
    const Ms stamp = header.integer("X-BAPI-TIMESTAMP").value_or(0);
    const Ms window = header.integer("X-BAPI-RECV-WINDOW").value_or(5'000);
    if (now - window > stamp || stamp >= now + 1'000)
        return answer_with(Answer::error(10002, "invalid request, please check your server timestamp or recv_window param."), {});

    Account& account = *market_.account(session.info.account);
    const Json body = message["args"].at(0);
    const int cost = std::max<int>(1, static_cast<int>(body["request"].size()));
    const Limits::Grant grant = limits_.take(account.uid, known->second.first,
                                             knobs.ignores_rate_limits ? 1'000'000 : kOrdersPerSecond, cost, now);
    if (grant.granted < cost) return answer_with(Answer::error(10006, "Too many visits!"), grant);
    if (!body.is_object()) return answer_with(Answer::error(10001, "params error: args invalid"), grant);
    answer_with((this->*known->second.second)({Query(""), body, &account, now}), grant);
}

// ---- time-outs

void BybitFace::cut_idle(Ms now) {
    if (now < idle_check_ms_) return;
    idle_check_ms_ = now + kIdleCheckEvery;
    for (auto& [id, session] : sessions_)
        if (now - std::max(session.last_heard_ms, session.last_said_ms) > session.idle_limit_ms) hang_up(session, now);
}

// Disconnection protection: when nobody with dcp.future is left for the window, the account's orders go.
void BybitFace::watch_disconnects(Ms now) {
    for (auto& [key, dcp] : dcp_) {
        bool watched = false;
        for (const auto& [id, session] : sessions_)
            watched = watched || (session.info.account == key && session.topics.count("dcp.future") > 0);
        if (watched) {
            dcp.silent_since_ms = -1;                      // armed
        } else if (dcp.silent_since_ms == -1) {
            dcp.silent_since_ms = now;
        } else if (dcp.silent_since_ms > 0 && now - dcp.silent_since_ms > dcp.window_ms) {
            dcp.silent_since_ms = 0;
            Account& account = *market_.account(key);
            for (const Order* order : account.open_orders())
                if (order->is_on_book()) market_.cancel(account, *order, now, EndReason::system_disconnect);
        }
    }
}

}  // namespace market::bybit
