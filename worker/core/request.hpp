// Questions to a venue over REST and the answers, venue-neutral. The core sends and pages; codecs translate.
#pragma once
#include <cstdint>
#include <string>

#include "core/fact.hpp"

namespace tradesync {

enum class RequestKind : std::uint8_t {
  server_time,               // Reply::venue_time_ms
  instruments,               // Instrument facts
  positions,                 // VenuePosition facts: every non-zero position; with `symbol`: that symbol, zero rows included
  position_mode,             // Reply::hedge_mode (Binance; for Bybit it needs `symbol`)
  leverages,                 // Leverage facts (Binance symbolConfig; Bybit positions carry it)
  balances,                  // Balance facts
  open_orders,               // Order facts; regular only where conditional_orders_apart
  open_conditional_orders,   // Order facts, kind conditional (Binance algo orders)
  closed_orders,             // Order facts since `since_ms` (Bybit order/history; Binance allOrders without symbol)
  executions,                // Fill and Funding facts since `since_ms`; with `symbol` where executions_per_symbol,
                             //   from `from_id` (inclusive) when it is not empty
  income_symbols,            // Binance income: Fill-less; one Notice per symbol touched, event_type "income", since `since_ms`
  order,                     // one Order by `order_id`, kind regular
  conditional_order,         // one Order by `order_id`, kind conditional
  create_listen_key,         // Reply::listen_key
  keep_alive_listen_key,     // Reply::listen_key may be empty
};

struct Request {
  std::uint64_t id = 0;
  RequestKind kind = RequestKind::server_time;
  std::string symbol;
  std::string order_id;
  std::int64_t since_ms = 0;
  std::int64_t until_ms = 0;  // 0 = open end
  std::string from_id;
  std::string cursor;         // page: what Reply::next_cursor of the previous page said, "" for the first
};

enum class Outcome : std::uint8_t {
  ok,            // understood completely; if next_cursor is set there is another page
  not_found,     // the venue knows no such order (order, conditional_order)
  refused,       // a definite no (parameters, permissions of this call)
  unauthorized,  // key, signature, IP: no use trying again soon
  clock,         // timestamp outside the window: measure again, then retry
  throttled,     // come back after retry_after_ms
  banned,        // all REST must stop until retry_after_ms has passed
  listen_key_gone,  // -1125
  failed,        // timeout, 5xx, cut or unreadable body: nothing may be concluded
};

struct Reply {
  std::uint64_t id = 0;
  Outcome outcome = Outcome::failed;
  int http_status = 0;              // 0 = no HTTP answer at all
  int venue_code = 0;
  std::string message;              // never contains keys or signatures
  std::int64_t retry_after_ms = 0;
  Facts facts;
  std::string next_cursor;
  std::string listen_key;
  bool hedge_mode = false;
  std::int64_t venue_time_ms = 0;   // server time in the answer, 0 when it has none
  int used_weight = -1;             // what the venue's headers say about the budget, -1 = nothing
  // Filled by the app, monotonic clock:
  std::int64_t sent_ms = 0, received_ms = 0;
};

}  // namespace tradesync
