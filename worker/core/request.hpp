// Questions and orders to a venue over REST and the answers, venue-neutral. The core sends and pages; codecs translate.
#pragma once
#include <cstdint>
#include <optional>
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
  order,                     // one Order by `order_id`, else by `client_order_id`; kind regular
  conditional_order,         // the same, kind conditional
  ticker,                    // one Price fact of `symbol`: mark and last
  tickers,                   // Ticker facts: every symbol that has a 24 h volume
  create_listen_key,         // Reply::listen_key
  keep_alive_listen_key,     // Reply::listen_key may be empty
  // From here on the venue does something. Never sent twice by itself: not by net, not by Requests (core/own_orders).
  place_order,               // `ticket`; Reply::facts may hold one Order: what the answer says of it
  cancel_order,              // by `order_id`, else `client_order_id`; `ticket.kind` says which kind, `symbol` is set
  set_position_stop,         // rules.position_stops: `ticket` symbol, position_side, stop_price and take_profit (0 = remove)
  set_leverage,              // `symbol`, `leverage`; "not modified" is Outcome::ok
};
// Does this request change something at the venue?
constexpr bool is_write(RequestKind kind) { return kind >= RequestKind::place_order; }

// One order as we want it. Quantities and prices are on the instrument's steps already.
struct OrderTicket {
  std::string symbol, client_order_id;
  OrderKind kind = OrderKind::regular;
  Side side = Side::buy;
  PositionSide position_side = PositionSide::both;  // both: one-way mode
  std::string type = "market";             // market limit stop_market take_profit_market
  Decimal quantity;
  std::optional<Decimal> price;            // limit
  std::optional<Decimal> stop_price;       // conditional: trigger on mark price. rules.position_stops, entry: attached stop loss.
                                           // set_position_stop: the stop loss wanted, 0 = none, nullopt = leave as it is
  std::optional<Decimal> take_profit;      // set_position_stop only
  bool reduce_only = false;
};

struct Request {
  std::uint64_t id = 0;
  RequestKind kind = RequestKind::server_time;
  std::string symbol;
  std::string order_id;
  std::string client_order_id;
  std::int64_t since_ms = 0;
  std::int64_t until_ms = 0;  // 0 = open end
  std::string from_id;
  std::string cursor;         // page: what Reply::next_cursor of the previous page said, "" for the first
  OrderTicket ticket;
  Decimal leverage;
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
  failed,        // timeout, 5xx, cut or unreadable body: nothing may be concluded. Of a write: unknown, ask by client id
};

// Why a write was refused, as far as we act on it. With Outcome::refused; not_modified comes with ok, too.
enum class Refusal : std::uint8_t {
  other,
  filter,          // quantity, price, precision, notional
  balance,         // margin insufficient
  position_mode,   // position side or index does not fit the account's mode: read it again
  reduce_only,     // nothing to reduce, or more than there is
  would_trigger,   // the stop's condition holds already
  duplicate,       // this client id is in use: the order is there, look it up
  zero_position,   // Bybit trading-stop: it does not see the position (yet)
  not_modified,    // what we want is so already (set_position_stop: 34040)
  too_many_orders,
  not_tradable,    // symbol closed, settling, reduce-only for now
};

struct Reply {
  std::uint64_t id = 0;
  Outcome outcome = Outcome::failed;
  Refusal refusal = Refusal::other;
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
  // Filled by the app, monotonic clock; sent_ms 0 = no byte of the request left this machine.
  std::int64_t sent_ms = 0, received_ms = 0;
};

}  // namespace tradesync
