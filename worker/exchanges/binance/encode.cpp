// Questions and orders as HTTP requests. All parameters travel in the query, also of POST and DELETE (§3.1 allows it), and
// are percent-encoded before they are signed.
#include "exchanges/binance/binance.hpp"
#include "exchanges/ticket.hpp"

namespace tradesync::binance {
namespace {

enum class Security : std::uint8_t { none, key, signature };

struct Call {
  std::string_view method;
  std::string_view path;
  Security security;
};

std::string_view order_path(OrderKind kind) {
  switch (kind) {
    case OrderKind::regular: return "/fapi/v1/order";
    case OrderKind::conditional: return "/fapi/v1/algoOrder";
  }
  return {};
}

// A path of "" is a question this venue does not have.
Call call_for(const Request& request) {
  switch (request.kind) {
    case RequestKind::server_time: return {"GET", "/fapi/v1/time", Security::none};
    case RequestKind::instruments: return {"GET", "/fapi/v1/exchangeInfo", Security::none};
    case RequestKind::positions: return {"GET", "/fapi/v3/positionRisk", Security::signature};
    case RequestKind::position_mode: return {"GET", "/fapi/v1/positionSide/dual", Security::signature};
    case RequestKind::leverages: return {"GET", "/fapi/v1/symbolConfig", Security::signature};
    case RequestKind::balances: return {"GET", "/fapi/v3/balance", Security::signature};
    case RequestKind::open_orders: return {"GET", "/fapi/v1/openOrders", Security::signature};
    case RequestKind::open_conditional_orders: return {"GET", "/fapi/v1/openAlgoOrders", Security::signature};
    case RequestKind::closed_orders: return {"GET", "/fapi/v1/allOrders", Security::signature};
    case RequestKind::executions: return {"GET", "/fapi/v1/userTrades", Security::signature};
    case RequestKind::income_symbols: return {"GET", "/fapi/v1/income", Security::signature};
    case RequestKind::order: return {"GET", order_path(OrderKind::regular), Security::signature};
    case RequestKind::conditional_order: return {"GET", order_path(OrderKind::conditional), Security::signature};
    case RequestKind::ticker:
      return {"GET", request.cursor == kLastPriceStep ? "/fapi/v2/ticker/price" : "/fapi/v1/premiumIndex", Security::none};
    case RequestKind::tickers: return {"GET", "/fapi/v1/ticker/24hr", Security::none};
    case RequestKind::create_listen_key: return {"POST", "/fapi/v1/listenKey", Security::key};
    case RequestKind::keep_alive_listen_key: return {"PUT", "/fapi/v1/listenKey", Security::key};
    case RequestKind::place_order: return {"POST", order_path(request.ticket.kind), Security::signature};
    case RequestKind::cancel_order: return {"DELETE", order_path(request.ticket.kind), Security::signature};
    case RequestKind::set_leverage: return {"POST", "/fapi/v1/leverage", Security::signature};
    case RequestKind::set_position_stop: return {};  // stops are orders here (§10)
  }
  return {};
}

void add_symbol(Query& query, const Request& request) {
  if (!request.symbol.empty()) query.add("symbol", request.symbol);
}

void add_window(Query& query, std::int64_t since_ms, std::int64_t until_ms) {
  if (since_ms > 0) query.add("startTime", since_ms);
  if (until_ms > 0) query.add("endTime", until_ms);
}

// The next page starts where the previous one ended, by trade id; ids and times exclude each other (§8.8).
void add_trade_range(Query& query, const Request& request) {
  const std::string& from_id = request.cursor.empty() ? request.from_id : request.cursor;
  if (from_id.empty()) add_window(query, request.since_ms, request.until_ms);
  else query.add("fromId", from_id);
  query.add("limit", static_cast<std::int64_t>(kTradePage));
}

// Order ids grow per symbol only, so pages of a whole account follow the creation time.
void add_order_range(Query& query, const Request& request) {
  if (request.cursor.empty()) {
    add_window(query, request.since_ms, request.until_ms);
  } else {
    query.add("startTime", request.cursor);
    add_window(query, 0, request.until_ms);
  }
  query.add("limit", static_cast<std::int64_t>(kOrderPage));
}

// Leverage is a whole number here (§7).
bool is_whole_leverage(const Request& request) {
  return request.kind != RequestKind::set_leverage || request.leverage.text().find('.') == std::string::npos;
}

Query parameters(const Request& request) {
  Query query;
  switch (request.kind) {
    case RequestKind::server_time:
    case RequestKind::instruments:  // knows no symbol parameter
    case RequestKind::position_mode:
    case RequestKind::balances:
    case RequestKind::tickers:      // all symbols
    case RequestKind::create_listen_key:
    case RequestKind::keep_alive_listen_key:
    case RequestKind::set_position_stop:
      break;
    case RequestKind::ticker:
    case RequestKind::positions:
    case RequestKind::leverages:
    case RequestKind::open_orders:
    case RequestKind::open_conditional_orders:
      add_symbol(query, request);
      break;
    case RequestKind::closed_orders:
      add_symbol(query, request);
      add_order_range(query, request);
      break;
    case RequestKind::executions:
      add_symbol(query, request);
      add_trade_range(query, request);
      break;
    case RequestKind::income_symbols:
      add_symbol(query, request);
      add_window(query, request.since_ms, request.until_ms);
      query.add("page", request.cursor.empty() ? "1" : request.cursor);
      query.add("limit", static_cast<std::int64_t>(kIncomePage));
      break;
    case RequestKind::order:
      add_order_reference(query, request, OrderKind::regular);
      break;
    case RequestKind::conditional_order:
      add_order_reference(query, request, OrderKind::conditional);
      break;
    case RequestKind::place_order:
      add_order(query, request.ticket);
      break;
    case RequestKind::cancel_order:
      add_order_reference(query, request, request.ticket.kind);
      break;
    case RequestKind::set_leverage:
      add_symbol(query, request);
      query.add("leverage", request.leverage.text());
      break;
  }
  return query;
}

}  // namespace

HttpRequest encode_request(const Request& request, const Endpoints& endpoints, const Credentials& credentials,
                           std::int64_t venue_now_ms) {
  const Call target = call_for(request);
  if (target.path.empty() || !is_sendable(request) || !is_whole_leverage(request)) return {};
  HttpRequest http;
  http.method = target.method;
  http.url.append(endpoints.rest).append(target.path);
  Query query = parameters(request);
  if (target.security == Security::none) {
    if (!query.empty()) http.url.append("?").append(query.text());
    return http;
  }

  http.headers.emplace_back("X-MBX-APIKEY", credentials.api_key);
  if (target.security == Security::key) return http;

  query.add("recvWindow", kReceiveWindowMs).add("timestamp", venue_now_ms);
  http.url.append("?").append(sign(query.text(), credentials));
  return http;
}

}  // namespace tradesync::binance
