// Questions, orders and commands as Bybit wants them. A GET has no body: one with a body is answered by HTTP 403 (§2.1).
// A POST has nothing else.
#include "exchanges/bybit/bybit.hpp"
#include "exchanges/json_write.hpp"
#include "exchanges/ticket.hpp"
#include "exchanges/url.hpp"

namespace tradesync::bybit {
namespace {

// How far in the future a login may lie; clients use 1 to 10 s (§2.2).
constexpr std::int64_t kLoginValidMs = 10000;

enum class Access { public_, signed_ };

struct Call {
  std::string_view path;
  Query query;
  Access access = Access::signed_;
};

// Without a symbol the lists want to know a settlement coin (§3.6, §3.14).
void add_scope(Query& query, const Request& request) {
  query.add("category", "linear");
  if (request.symbol.empty()) query.add("settleCoin", "USDT");
  else query.add("symbol", request.symbol);
}

void add_window(Query& query, const Request& request) {
  if (request.since_ms > 0) query.add("startTime", request.since_ms);
  if (request.until_ms > 0) query.add("endTime", request.until_ms);
}

// The largest page each endpoint allows; the defaults of 20 and 50 would need many more requests.
void add_page(Query& query, const Request& request, int limit) {
  query.add("limit", limit);
  if (!request.cursor.empty()) query.add_encoded("cursor", request.cursor);
}

// A path of "" is a question this venue does not have.
Call call_for(const Request& request) {
  Call call;
  switch (request.kind) {
    case RequestKind::server_time:
      call.path = "/v5/market/time";
      call.access = Access::public_;
      break;
    case RequestKind::instruments:
      call.path = "/v5/market/instruments-info";
      call.access = Access::public_;
      call.query.add("category", "linear");
      if (!request.symbol.empty()) call.query.add("symbol", request.symbol);
      add_page(call.query, request, 1000);
      break;
    case RequestKind::positions:
    case RequestKind::position_mode:
    case RequestKind::leverages:
      call.path = "/v5/position/list";
      add_scope(call.query, request);
      add_page(call.query, request, 200);
      break;
    case RequestKind::balances:
      call.path = "/v5/account/wallet-balance";
      call.query.add("accountType", "UNIFIED");
      break;
    case RequestKind::open_orders:
    case RequestKind::open_conditional_orders:
      call.path = "/v5/order/realtime";
      add_scope(call.query, request);
      call.query.add("openOnly", 0);
      if (request.kind == RequestKind::open_conditional_orders) call.query.add("orderFilter", "StopOrder");
      add_page(call.query, request, 50);
      break;
    case RequestKind::closed_orders:
      call.path = "/v5/order/history";
      add_scope(call.query, request);
      add_window(call.query, request);
      add_page(call.query, request, 50);
      break;
    case RequestKind::executions:
      call.path = "/v5/execution/list";
      add_scope(call.query, request);
      add_window(call.query, request);
      add_page(call.query, request, 100);
      break;
    case RequestKind::order:
    case RequestKind::conditional_order:
      call.path = request.cursor == kHistoryStep ? "/v5/order/history" : "/v5/order/realtime";
      add_scope(call.query, request);
      if (!request.order_id.empty()) call.query.add("orderId", request.order_id);
      else call.query.add("orderLinkId", request.client_order_id);
      break;
    case RequestKind::ticker:
      call.path = "/v5/market/tickers";
      call.access = Access::public_;
      add_scope(call.query, request);
      break;
    case RequestKind::tickers:  // all symbols in one answer (§3.3)
      call.path = "/v5/market/tickers";
      call.access = Access::public_;
      call.query.add("category", "linear");
      break;
    case RequestKind::place_order: call.path = "/v5/order/create"; break;
    case RequestKind::cancel_order: call.path = "/v5/order/cancel"; break;
    case RequestKind::set_position_stop: call.path = "/v5/position/trading-stop"; break;
    case RequestKind::set_leverage: call.path = "/v5/position/set-leverage"; break;
    case RequestKind::income_symbols:
    case RequestKind::create_listen_key:
    case RequestKind::keep_alive_listen_key: break;
  }
  return call;
}

std::string subscription(std::string_view op, const StreamCommand& command, JsonList topics) {
  if (topics.empty()) return {};
  if (command.id.empty()) return write_json({{"op", std::string(op)}, {"args", std::move(topics)}});
  return write_json({{"req_id", command.id}, {"op", std::string(op)}, {"args", std::move(topics)}});
}

JsonList ticker_topics(const StreamCommand& command) {
  JsonList topics;
  for (const auto& symbol : command.symbols) topics.emplace_back("tickers." + symbol);
  return topics;
}

}  // namespace

HttpRequest encode_request(const Request& request, const Endpoints& endpoints, const Credentials& credentials,
                           std::int64_t venue_now_ms) {
  const Call call = call_for(request);
  if (call.path.empty() || !is_sendable(request)) return {};
  HttpRequest http;
  http.url = endpoints.rest;
  http.url.append(call.path);
  if (is_write(request.kind)) {
    http.method = "POST";
    http.body = order_body(request);
    if (http.body.empty()) return {};
    sign(http, http.body, credentials, venue_now_ms);
    http.headers.emplace_back("Content-Type", "application/json");
    return http;
  }
  http.method = "GET";
  if (!call.query.empty()) http.url.append("?").append(call.query.text());
  if (call.access == Access::signed_) sign(http, call.query.text(), credentials, venue_now_ms);
  return http;
}

std::string encode_command(const StreamCommand& command, StreamKind kind, const Credentials& credentials,
                           std::int64_t venue_now_ms) {
  const bool is_private = kind == StreamKind::private_;
  switch (command.what) {
    case StreamCommand::What::authenticate: {
      if (!is_private) return {};
      const std::int64_t expires_ms = venue_now_ms + kLoginValidMs;
      return subscription("auth", command,
                          {std::string(credentials.api_key), expires_ms, stream_signature(credentials.api_secret, expires_ms)});
    }
    case StreamCommand::What::subscribe_account:
      if (!is_private) return {};
      return subscription(
          "subscribe", command,
          {std::string("position.linear"), std::string("order.linear"), std::string("execution.linear"), std::string("wallet")});
    case StreamCommand::What::subscribe:
      return is_private ? std::string() : subscription("subscribe", command, ticker_topics(command));
    case StreamCommand::What::unsubscribe:
      return is_private ? std::string() : subscription("unsubscribe", command, ticker_topics(command));
    case StreamCommand::What::ping:
      if (command.id.empty()) return write_json({{"op", std::string("ping")}});
      return write_json({{"req_id", command.id}, {"op", std::string("ping")}});
  }
  return {};
}

}  // namespace tradesync::bybit
