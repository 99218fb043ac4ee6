// The REST door: route table, ban, weights, security, headers. What a route does is in the handlers' files.
#include "market/binance_face.hpp"
#include "market/binance_words.hpp"

namespace market {

std::unique_ptr<Face> make_binance_face(Market& market) { return std::make_unique<binance::BinanceFace>(market); }

namespace binance {

namespace {

constexpr auto kPublic = Security::none;
constexpr auto kKey = Security::key;
constexpr auto kSigned = Security::signed_request;

}  // namespace

const BinanceFace::Endpoint BinanceFace::kEndpoints[] = {
    // method, path, security, weight, weight without symbol, order counts 10 s / 1 min, handler
    {"GET", "/fapi/v1/ping", kPublic, 1, 1, 0, 0, &BinanceFace::get_ping},
    {"GET", "/fapi/v1/time", kPublic, 1, 1, 0, 0, &BinanceFace::get_time},
    {"GET", "/fapi/v1/exchangeInfo", kPublic, 1, 1, 0, 0, &BinanceFace::get_exchange_info},
    {"GET", "/fapi/v1/premiumIndex", kPublic, 1, 10, 0, 0, &BinanceFace::get_premium_index},
    {"GET", "/fapi/v1/ticker/24hr", kPublic, 1, 40, 0, 0, &BinanceFace::get_ticker_24h},
    {"GET", "/fapi/v1/ticker/price", kPublic, 1, 2, 0, 0, &BinanceFace::get_ticker_price},
    {"GET", "/fapi/v2/ticker/price", kPublic, 1, 2, 0, 0, &BinanceFace::get_ticker_price},
    {"GET", "/fapi/v1/ticker/bookTicker", kPublic, 2, 5, 0, 0, &BinanceFace::get_book_ticker},
    {"GET", "/fapi/v1/depth", kPublic, 10, 10, 0, 0, &BinanceFace::get_depth},
    {"GET", "/fapi/v1/klines", kPublic, 5, 5, 0, 0, &BinanceFace::get_klines},
    {"GET", "/fapi/v1/fundingRate", kPublic, 0, 0, 0, 0, &BinanceFace::get_funding_rate},
    {"GET", "/fapi/v1/fundingInfo", kPublic, 0, 0, 0, 0, &BinanceFace::get_empty_list},

    {"POST", "/fapi/v1/listenKey", kKey, 1, 1, 0, 0, &BinanceFace::post_listen_key},
    {"PUT", "/fapi/v1/listenKey", kKey, 1, 1, 0, 0, &BinanceFace::put_listen_key},
    {"DELETE", "/fapi/v1/listenKey", kKey, 1, 1, 0, 0, &BinanceFace::delete_listen_key},

    {"GET", "/fapi/v2/balance", kSigned, 5, 5, 0, 0, &BinanceFace::get_balance},
    {"GET", "/fapi/v3/balance", kSigned, 5, 5, 0, 0, &BinanceFace::get_balance},
    {"GET", "/fapi/v2/account", kSigned, 5, 5, 0, 0, &BinanceFace::get_account_v2},
    {"GET", "/fapi/v3/account", kSigned, 5, 5, 0, 0, &BinanceFace::get_account_v3},
    {"GET", "/fapi/v2/positionRisk", kSigned, 5, 5, 0, 0, &BinanceFace::get_position_risk_v2},
    {"GET", "/fapi/v3/positionRisk", kSigned, 5, 5, 0, 0, &BinanceFace::get_position_risk_v3},
    {"GET", "/fapi/v1/positionSide/dual", kSigned, 30, 30, 0, 0, &BinanceFace::get_position_mode},
    {"POST", "/fapi/v1/positionSide/dual", kSigned, 1, 1, 0, 0, &BinanceFace::post_position_mode},
    {"POST", "/fapi/v1/leverage", kSigned, 1, 1, 0, 0, &BinanceFace::post_leverage},
    {"POST", "/fapi/v1/marginType", kSigned, 1, 1, 0, 0, &BinanceFace::post_margin_type},
    {"GET", "/fapi/v1/multiAssetsMargin", kSigned, 30, 30, 0, 0, &BinanceFace::get_multi_assets},
    {"GET", "/fapi/v1/symbolConfig", kSigned, 5, 5, 0, 0, &BinanceFace::get_symbol_config},
    {"GET", "/fapi/v1/accountConfig", kSigned, 5, 5, 0, 0, &BinanceFace::get_account_config},
    {"GET", "/fapi/v1/leverageBracket", kSigned, 1, 1, 0, 0, &BinanceFace::get_leverage_bracket},
    {"GET", "/fapi/v1/commissionRate", kSigned, 20, 20, 0, 0, &BinanceFace::get_commission_rate},
    {"GET", "/fapi/v1/income", kSigned, 30, 30, 0, 0, &BinanceFace::get_income},
    {"GET", "/fapi/v1/rateLimit/order", kSigned, 1, 1, 0, 0, &BinanceFace::get_order_limits},

    {"POST", "/fapi/v1/order", kSigned, 0, 0, 1, 1, &BinanceFace::post_order},
    {"POST", "/fapi/v1/order/test", kSigned, 0, 0, 1, 1, &BinanceFace::post_order_test},
    {"PUT", "/fapi/v1/order", kSigned, 0, 0, 1, 1, &BinanceFace::put_order},
    {"GET", "/fapi/v1/order", kSigned, 1, 1, 0, 0, &BinanceFace::get_order},
    {"DELETE", "/fapi/v1/order", kSigned, 1, 1, 0, 0, &BinanceFace::delete_order},
    {"POST", "/fapi/v1/batchOrders", kSigned, 5, 5, 5, 1, &BinanceFace::post_batch},
    {"PUT", "/fapi/v1/batchOrders", kSigned, 5, 5, 5, 1, &BinanceFace::put_batch},
    {"DELETE", "/fapi/v1/batchOrders", kSigned, 1, 1, 0, 0, &BinanceFace::delete_batch},
    {"DELETE", "/fapi/v1/allOpenOrders", kSigned, 1, 1, 0, 0, &BinanceFace::delete_all_open},
    {"POST", "/fapi/v1/countdownCancelAll", kSigned, 10, 10, 0, 0, &BinanceFace::post_countdown},
    {"GET", "/fapi/v1/openOrder", kSigned, 1, 1, 0, 0, &BinanceFace::get_open_order},
    {"GET", "/fapi/v1/openOrders", kSigned, 1, 40, 0, 0, &BinanceFace::get_open_orders},
    {"GET", "/fapi/v1/allOrders", kSigned, 5, 5, 0, 0, &BinanceFace::get_all_orders},
    {"GET", "/fapi/v1/userTrades", kSigned, 5, 5, 0, 0, &BinanceFace::get_user_trades},

    {"POST", "/fapi/v1/algoOrder", kSigned, 0, 0, 1, 1, &BinanceFace::post_algo},
    {"GET", "/fapi/v1/algoOrder", kSigned, 1, 1, 0, 0, &BinanceFace::get_algo},
    {"DELETE", "/fapi/v1/algoOrder", kSigned, 1, 1, 0, 0, &BinanceFace::delete_algo},
    {"DELETE", "/fapi/v1/algoOpenOrders", kSigned, 1, 1, 0, 0, &BinanceFace::delete_all_algo},
    {"GET", "/fapi/v1/openAlgoOrders", kSigned, 1, 40, 0, 0, &BinanceFace::get_open_algo},
    {"GET", "/fapi/v1/allAlgoOrders", kSigned, 5, 5, 0, 0, &BinanceFace::get_all_algo},
};

HttpReply BinanceFace::on_http(const HttpRequest& request, Ms now) {
    HttpReply reply = answer(request, now);
    if (knobs.unknown_fields && reply.status == 200) reply.body = decorated(std::move(reply.body));
    reply.due_ms = now + market_.random.between(knobs.rest_latency_min_ms, knobs.rest_latency_max_ms);
    publish(now);
    return reply;
}

HttpReply BinanceFace::answer(const HttpRequest& request, Ms now) {
    const Ms banned_until = std::max(knobs.banned_until_ms, limits_.banned_until());
    if (banned_until > now) {
        HttpReply reply = refused({418, -1003, "Way too many requests; IP(127.0.0.1) banned until " +
                                                   std::to_string(banned_until) +
                                                   ". Please use the websocket for live updates to avoid bans."});
        reply.headers.emplace_back("Retry-After", std::to_string((banned_until - now + 999) / 1000));
        return reply;
    }
    for (const Endpoint& endpoint : kEndpoints) {
        if (request.method == endpoint.method && request.path == endpoint.path) return dispatch(endpoint, request, now);
    }
    return unknown_path(request);
}

HttpReply BinanceFace::dispatch(const Endpoint& endpoint, const HttpRequest& request, Ms now) {
    Call call{request, Query(request.query + "&" + request.body), nullptr, now};      // on duplicates the query wins
    const std::string key(request.header("x-mbx-apikey"));
    const auto limited = [&](const Limits::Verdict& verdict) {
        HttpReply reply = refused(verdict.problem);
        reply.headers.emplace_back("Retry-After", std::to_string(verdict.retry_after_s));
        return finish(std::move(reply), endpoint, key, now);
    };
    if (!knobs.ignores_rate_limits) {
        const int weight = call.parameters.has("symbol") ? endpoint.weight : endpoint.weight_all;
        if (auto verdict = limits_.spend_weight(weight, now); verdict.problem) return limited(verdict);
    }
    const auto secret_of = [this](const std::string& name) -> const std::string* {
        const Account* account = market_.account(name);
        return account ? &account->secret : nullptr;
    };
    if (Problem problem = check_security(request, endpoint.security, now, secret_of)) {
        return finish(refused(problem), endpoint, key, now);
    }
    call.account = market_.account(key);
    if (call.account && call.account->read_only && endpoint.security == kSigned && std::string_view(endpoint.method) != "GET") {
        return finish(refused({401, -2015, "Invalid API-key, IP, or permissions for action."}), endpoint, key, now);
    }
    if (endpoint.orders_10s > 0 && !knobs.ignores_rate_limits) {
        auto verdict = limits_.spend_orders(key, endpoint.orders_10s, endpoint.orders_1m, now);
        if (verdict.problem) return limited(verdict);
    }
    return finish((this->*endpoint.handler)(call), endpoint, key, now);
}

HttpReply BinanceFace::finish(HttpReply reply, const Endpoint& endpoint, const std::string& account, Ms now) {
    reply.headers.emplace_back("X-MBX-USED-WEIGHT-1M", std::to_string(limits_.used_weight(now)));
    if (endpoint.orders_10s == 0) return reply;
    reply.headers.emplace_back("X-MBX-ORDER-COUNT-10S", std::to_string(limits_.orders_ten_seconds(account, now)));
    reply.headers.emplace_back("X-MBX-ORDER-COUNT-1M", std::to_string(limits_.orders_minute(account, now)));
    return reply;
}

HttpReply BinanceFace::unknown_path(const HttpRequest& request) const {
    if (venue.missing_path_is_json) {
        return refused({404, -5000, "Path " + request.path + ", Method " + request.method + " is invalid"});
    }
    return {404,
            {{"Content-Type", "text/html"}},
            "<html>\n<head><title>404 Not Found</title></head>\n<body><h1>404 Not Found</h1></body>\n</html>\n",
            0};
}

HttpReply BinanceFace::refused(const Problem& problem) {
    JsonWriter w;
    w.open().number("code", problem.code).field("msg", problem.message).close();
    return {problem.http_status, {}, w.take(), 0};
}

HttpReply BinanceFace::success_message(const char* text) {
    JsonWriter w;
    w.open().number("code", 200).field("msg", text).close();
    return ok(w.take());
}

HttpReply BinanceFace::error_reply(int code, const std::string& message, int http_status, Ms) const {
    return refused({http_status, code, message});
}

std::string BinanceFace::status_word(const Order& order) const {
    return order.kind == OrderKind::conditional ? algo_status_word(order) : order_status_word(order);
}

bool BinanceFace::is_later_page(const HttpRequest& request) const {
    const Query query(request.query);
    return query.has("fromId") || query.has("orderId") || query.has("algoId") || query.integer("page").value_or(1) > 1;
}

// A member nobody has heard of at the start of every object, and one enum value likewise.
std::string BinanceFace::decorated(std::string json) {
    std::string out;
    bool in_text = false;
    for (size_t i = 0; i < json.size(); ++i) {
        out += json[i];
        if (json[i] == '"' && (i == 0 || json[i - 1] != '\\')) in_text = !in_text;
        if (json[i] != '{' || in_text) continue;
        out += "\"x" + market_.random.text(5) + "\":{\"y\":[1,\"z\",null]}";
        if (i + 1 < json.size() && json[i + 1] != '}') out += ',';
    }
    static constexpr std::string_view kKnown = "\"EXPIRE_MAKER\"";
    if (const size_t at = out.find(kKnown); at != std::string::npos) out.replace(at, kKnown.size(), "\"EXPIRE_SOMEHOW\"");
    return out;
}

}  // namespace binance
}  // namespace market
