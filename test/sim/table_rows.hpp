// The rows of the database that the simulation needs, as plain values: what schema monitoring holds about one account.
// Names are the columns' names; 0 and "" stand for NULL where no optional says otherwise.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "core/states.hpp"
#include "sim/virtual_clock.hpp"

namespace tradesync::sim {

struct OrderRow {
  std::int64_t id = 0, position_id = 0;
  std::string symbol, client_order_id, order_id, kind = "regular", purpose = "external", side, position_side, type;
  OrderStatus status = OrderStatus::submitting;
  std::string venue_status, reject_reason, child_order_id, source = "own";  // own, rest, stream
  std::optional<Decimal> price, stop_price, average_price;
  Decimal quantity, filled_quantity;
  bool reduce_only = false;
  int attempt = 1;
  Ms created_ms = 0, venue_updated_ms = 0, acknowledged_ms = 0;
  std::int64_t version_order = 0, version_time = 0;
  bool is_open() const { return !is_terminal(status); }
  bool is_own() const { return purpose != "external"; }
};

struct TradeRow {
  std::string symbol, trade_id, order_id, client_order_id, side, position_side, exec_type;
  Decimal price, quantity, fee;
  std::optional<Decimal> realized_pnl, closed_quantity;
  Ms executed_ms = 0;
  std::int64_t sequence = 0, position_id = 0;
};

struct PositionRow {
  std::int64_t id = 0, flipped_from = 0;
  std::string symbol, position_side, side, exit_reason, exchange_order_id;
  PositionStatus status = PositionStatus::pending_entry;
  Decimal quantity, max_quantity, entered_quantity;
  std::optional<Decimal> entry_price, stop_loss_price, take_profit_price, exit_price, leverage, wanted_leverage;
  std::optional<Decimal> wanted_quantity, wanted_notional, stop_loss_percent, wanted_stop_price, wanted_take_profit;
  bool has_stop_loss = false, managed = true, settled = false;
  Ms opened_ms = 0, closed_ms = 0, venue_updated_ms = 0, unprotected_since_ms = 0, protected_ms = 0;
  // Its entry has been filled, and its end is not written yet.
  bool holds() const {
    return status == PositionStatus::pending_sl || status == PositionStatus::active || status == PositionStatus::closing;
  }
  bool is_open() const {
    switch (status) {
#define POSITION_STATE(name, open, meaning) \
  case PositionStatus::name: return open;
#define POSITION_MOVE(from, to)
#include "core/position_states.def"
#undef POSITION_STATE
#undef POSITION_MOVE
    }
    return false;
  }
};

// venue_position_state: the last report of every position.
struct VenueRow {
  std::string symbol, position_side, source;
  Decimal quantity;  // signed
  std::optional<Decimal> entry_price, leverage, stop_loss, take_profit;
  Ms opened_ms = 0, venue_updated_ms = 0;
  std::int64_t version_order = 0, version_time = 0;
};

struct CommandRow {
  std::int64_t id = 0, position_id = 0;
  std::string kind, symbol, client_order_id, reason, status = "queued", error;
  std::optional<Decimal> quantity, price, leverage;
  Ms created_ms = 0, valid_until_ms = 0, finished_ms = 0;
  int halts_before = 0, halts_after = 0;   // halts that had ended when it was committed; that had begun when it ended
  bool is_final() const { return status == "done" || status == "failed" || status == "expired"; }
};

struct InstrumentRow {
  std::string symbol, status;
  Decimal tick_size, quantity_step, min_quantity, max_market_quantity, min_notional;
};

struct BalanceRow {
  std::string asset;
  std::optional<Decimal> wallet_balance, available_balance, equity;
  Ms updated_ms = 0;
};

}  // namespace tradesync::sim
