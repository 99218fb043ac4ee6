// The door of Bybit's REST side: which requests reach a handler, and the envelope around what it answers.
#include "market/bybit_face.hpp"

#include <charconv>

namespace market::bybit {

namespace {

constexpr Ms kAddressBan = 600'000;
constexpr Ms kDefaultReceiveWindow = 5'000;

std::optional<Ms> number(std::string_view text) {
    Ms value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && !text.empty() && end == text.data() + text.size() ? std::optional<Ms>(value) : std::nullopt;
}

// Batch requests cost one place per order.
int cost_of(const Json& body) {
    const size_t orders = body["request"].size();
    return orders == 0 ? 1 : static_cast<int>(orders);
}

}  // namespace

const std::vector<BybitFace::Route>& BybitFace::routes() {
    static const std::vector<Route> table = {
        {"GET", "/v5/market/time", 0, false, &BybitFace::time},
        {"GET", "/v5/market/instruments-info", 0, false, &BybitFace::instruments},
        {"GET", "/v5/market/tickers", 0, false, &BybitFace::tickers},
        {"GET", "/v5/market/orderbook", 0, false, &BybitFace::orderbook},
        {"GET", "/v5/market/price-limit", 0, false, &BybitFace::price_limit},
        {"GET", "/v5/market/risk-limit", 0, false, &BybitFace::risk_limit},
        {"GET", "/v5/market/kline", 0, false, &BybitFace::kline},
        {"GET", "/v5/system/status", 0, false, &BybitFace::system_status},
        {"GET", "/v5/account/info", 50, false, &BybitFace::account_info},
        {"GET", "/v5/account/instruments-info", 10, false, &BybitFace::instruments},
        {"GET", "/v5/account/wallet-balance", 50, false, &BybitFace::wallet_balance},
        {"GET", "/v5/account/fee-rate", 5, false, &BybitFace::fee_rate},
        {"GET", "/v5/account/query-dcp-info", 5, false, &BybitFace::dcp_info},
        {"POST", "/v5/account/set-margin-mode", 5, true, &BybitFace::set_margin_mode},
        {"GET", "/v5/user/query-api", 10, false, &BybitFace::query_api},
        {"GET", "/v5/position/list", 50, false, &BybitFace::positions},
        {"GET", "/v5/position/symbol-info", 10, false, &BybitFace::symbol_info},
        {"GET", "/v5/position/closed-pnl", 50, false, &BybitFace::closed_pnl},
        {"POST", "/v5/position/switch-mode", 10, true, &BybitFace::switch_mode},
        {"POST", "/v5/position/set-leverage", 10, true, &BybitFace::set_leverage},
        {"POST", "/v5/position/trading-stop", 10, true, &BybitFace::trading_stop},
        {"GET", "/v5/order/realtime", 50, false, &BybitFace::orders_realtime},
        {"GET", "/v5/order/history", 50, false, &BybitFace::orders_history},
        {"GET", "/v5/execution/list", 50, false, &BybitFace::executions},
        {"POST", "/v5/order/create", 10, true, &BybitFace::create},
        {"POST", "/v5/order/amend", 10, true, &BybitFace::amend},
        {"POST", "/v5/order/cancel", 10, true, &BybitFace::cancel},
        {"POST", "/v5/order/cancel-all", 10, true, &BybitFace::cancel_all},
        {"POST", "/v5/order/create-batch", 10, true, &BybitFace::create_batch},
        {"POST", "/v5/order/amend-batch", 10, true, &BybitFace::amend_batch},
        {"POST", "/v5/order/cancel-batch", 10, true, &BybitFace::cancel_batch},
        {"POST", "/v5/order/disconnected-cancel-all", 5, true, &BybitFace::set_dcp},
    };
    return table;
}

HttpReply BybitFace::reply(const Answer& answer, Ms now) const {
    JsonWriter w;
    w.open().number("retCode", answer.code.code).field("retMsg", answer.code.message);
    w.key("result").raw(answer.result).key("retExtInfo").raw(answer.extra).number("time", now).close();
    return {200, {}, w.take(), 0};
}

HttpReply BybitFace::error_reply(int code, const std::string& message, int http_status, Ms now) const {
    HttpReply made = reply(Answer::error(code, message), now);
    made.status = http_status;
    return made;
}

// The checks of section 2.1 in their order; nothing = go on.
std::optional<HttpReply> BybitFace::refuse(const HttpRequest& request, const Route& route, Account*& account, Ms now) {
    const std::string key(request.header("x-bapi-api-key")), sign(request.header("x-bapi-sign"));
    const std::string_view stamp = request.header("x-bapi-timestamp"), window = request.header("x-bapi-recv-window");
    const auto time = number(stamp);
    if (key.empty() || sign.empty() || !time)
        return error_reply(10001, "Missing some parameters that must be filled in, please check", 401, now);
    account = market_.account(key);
    if (account == nullptr) return error_reply(10003, "API key is invalid.", 200, now);

    const Ms receive_window = number(window).value_or(kDefaultReceiveWindow);
    if (now - receive_window > *time || *time >= now + 1'000)
        return error_reply(10002,
                           "invalid request, please check your server timestamp or recv_window param. req_timestamp[" +
                               std::string(stamp) + "],server_timestamp[" + std::to_string(now) + "],recv_window[" +
                               std::to_string(receive_window) + "]",
                           200, now);
    const std::string origin =
        std::string(stamp) + key + std::string(window) + (route.is_write ? request.body : request.query);
    if (hmac_sha256_hex(account->secret, origin) != sign)
        return error_reply(10004, "error sign! origin_string[" + origin + "]", 200, now);
    if (route.is_write && account->read_only)
        return error_reply(10005, "Permission denied, please check your API key permissions.", 200, now);
    return std::nullopt;
}

HttpReply BybitFace::on_http(const HttpRequest& request, Ms now) {
    if (now >= knobs.banned_until_ms && !knobs.ignores_rate_limits && !limits_.take_address(now))
        knobs.banned_until_ms = now + kAddressBan;
    if (now < knobs.banned_until_ms)
        return {403, {{"content-type", "text/plain"}}, "access too frequent", 0};

    const Route* route = nullptr;
    for (const Route& candidate : routes())
        if (request.path == candidate.path && request.method == candidate.method) route = &candidate;
    if (route == nullptr) return error_reply(10017, "Route not found", 404, now);
    if (request.method == "GET" && !request.body.empty()) return {403, {{"content-type", "text/html"}}, "<html>403 Forbidden</html>", 0};

    Account* account = nullptr;
    if (route->limit > 0)
        if (auto refused = refuse(request, *route, account, now)) return *std::move(refused);

    const auto body = Json::parse(route->is_write ? std::string_view(request.body) : "{}");
    const Query query(request.query);
    Headers headers;
    if (route->limit > 0) {
        const int cost = body ? cost_of(*body) : 1;
        const int cap = knobs.ignores_rate_limits ? 1'000'000 : route->limit;
        const Limits::Grant grant = limits_.take(account->uid, route->path, cap, cost, now);
        headers = {{"X-Bapi-Limit", std::to_string(grant.cap)},
                   {"X-Bapi-Limit-Status", std::to_string(grant.remaining)},
                   {"X-Bapi-Limit-Reset-Timestamp", std::to_string(grant.reset_ms)},
                   {"Traceid", market_.random.text(32)},
                   {"Timenow", std::to_string(now)}};
        if (grant.granted < cost) {
            HttpReply limited = error_reply(10006, "Too many visits!", 200, now);
            limited.headers = std::move(headers);
            return limited;
        }
    }
    HttpReply made = body && body->is_object() ? reply((this->*route->handler)({query, *body, account, now}), now)
                                               : error_reply(10001, "params error: body is not JSON", 200, now);
    made.headers = std::move(headers);
    made.due_ms = now + market_.random.between(knobs.rest_latency_min_ms, knobs.rest_latency_max_ms);
    translate(now);
    return made;
}

bool BybitFace::is_later_page(const HttpRequest& request) const { return !Query(request.query).get("cursor").empty(); }

std::string BybitFace::status_word(const Order& order) const { return bybit::status_word(order, knobs.stops_end_deactivated); }

}  // namespace market::bybit

namespace market {

std::unique_ptr<Face> make_bybit_face(Market& market) { return std::make_unique<bybit::BybitFace>(market); }

std::string_view HttpRequest::header(std::string_view lower_case_name) const {
    for (const auto& [name, value] : headers)
        if (name == lower_case_name) return value;
    return {};
}

}  // namespace market
