// Questions as HTTP requests. All parameters travel in the query, percent-encoded before they are signed.
#include "exchanges/binance/binance.hpp"
#include "exchanges/url.hpp"

namespace tradesync::binance {
namespace {

// Refused when older than this on arrival (§3.1): the venue's own default, said aloud. It absorbs a slow network; the
// clock's offset is already in venue_now_ms.
constexpr std::int64_t kRecvWindowMs = 5000;

enum class Security : std::uint8_t { none, key, signature };

struct Call {
  std::string_view method;
  std::string_view path;
  Security security;
};

Call call(RequestKind kind) {
  switch (kind) {
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
    case RequestKind::order: return {"GET", "/fapi/v1/order", Security::signature};
    case RequestKind::conditional_order: return {"GET", "/fapi/v1/algoOrder", Security::signature};
    case RequestKind::create_listen_key: return {"POST", "/fapi/v1/listenKey", Security::key};
    case RequestKind::keep_alive_listen_key: return {"PUT", "/fapi/v1/listenKey", Security::key};
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

Query parameters(const Request& request) {
  Query query;
  switch (request.kind) {
    case RequestKind::server_time:
    case RequestKind::instruments:  // knows no symbol parameter
    case RequestKind::position_mode:
    case RequestKind::balances:
    case RequestKind::create_listen_key:
    case RequestKind::keep_alive_listen_key:
      break;
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
      add_symbol(query, request);
      query.add("orderId", request.order_id);
      break;
    case RequestKind::conditional_order:
      query.add("algoId", request.order_id);
      break;
  }
  return query;
}

}  // namespace

HttpRequest encode_request(const Request& request, const Endpoints& endpoints, const Credentials& credentials,
                           std::int64_t venue_now_ms) {
  const Call target = call(request.kind);
  HttpRequest http;
  http.method = target.method;
  http.url.append(endpoints.rest).append(target.path);
  if (target.security == Security::none) return http;

  http.headers.emplace_back("X-MBX-APIKEY", credentials.api_key);
  if (target.security == Security::key) return http;

  Query query = parameters(request);
  query.add("recvWindow", kRecvWindowMs).add("timestamp", venue_now_ms);
  http.url.append("?").append(sign(query.text(), credentials));
  return http;
}

}  // namespace tradesync::binance
