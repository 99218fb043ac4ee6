// What differs between venues, as data, so that the core needs no branch on a venue's name.
// Each exchange folder fills one of these in its session.cpp, with the source of every number.
#pragma once
#include <cstdint>
#include <string_view>

#include "core/request.hpp"

namespace tradesync {

struct VenueRules {
  std::string_view name;

  // Private stream: either a listen key in the URL (Binance), or a login and then a subscription (Bybit).
  bool listen_key = false;
  bool login = false;
  std::int64_t listen_key_keep_alive_ms = 0;

  std::int64_t ping_interval_ms = 0;     // application-level ping we must send; 0 = none, protocol pings suffice
  std::int64_t private_silence_ms = 0;   // nothing at all on the private stream for this long: it is dead
  std::int64_t rotate_after_ms = 0;      // planned rotation before the venue cuts the connection; 0 = it does not
  std::int64_t price_stale_ms = 0;       // a subscribed symbol without a price for this long is stale

  int symbols_per_connection = 0;        // public stream
  int symbols_per_subscribe = 0;
  int commands_per_second = 0;           // per connection

  bool conditional_orders_apart = false; // open_orders does not list conditional orders
  bool executions_per_symbol = false;    // executions need a symbol (Binance userTrades)
  bool leverage_apart = false;           // positions do not carry leverage
  bool position_mode_account_wide = false;

  std::int64_t execution_overlap_ms = 0; // how far before the cursor executions are read again
  std::int64_t max_window_ms = 0;        // longest since..until window of executions and closed_orders

  bool position_stops = false;           // stops belong to the position (Bybit trading-stop), else they are conditional orders
  std::int64_t receive_window_ms = 0;    // a write older than this in venue time is refused by the venue
  int conditional_orders_at_most = 0;    // open conditional orders per account; 0 = no limit
  std::int64_t unfilled_memory_ms = 0;   // how long the venue remembers an order that ended without a fill
  int order_budget = 0;                  // writes per order_budget_window_ms
  std::int64_t order_budget_window_ms = 0;

  int budget = 0;                        // request weight per budget_window_ms
  std::int64_t budget_window_ms = 0;
  int (*weight)(const Request&) = nullptr;
};

}  // namespace tradesync
