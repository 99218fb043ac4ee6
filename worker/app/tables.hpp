// One turn's changes as rows for the worker_save_* functions, in the order in which they must run.
// This is the only file that knows both the core's nouns and the columns of the SQL row types.
#pragma once
#include <deque>

#include "app/rows.hpp"
#include "core/effect.hpp"

namespace tradesync {

// The order inside one transaction: dead letters first (they hold cursors back), then our own orders, positions and
// commands (a report finds the row of its order, a closing the reason why), then what positions are settled from, then
// positions stage by stage, cursors last.
class Tables {
 public:
  // unix_ms − monotonic_ms, for the few rows that carry our own times.
  void fill(const Changes& changes, std::int64_t unix_offset_ms);
  void clear() { tables_.clear(); }
  std::deque<Rows>& all() { return tables_; }

 private:
  void fill_trading(const Changes& changes);  // tables_trading.cpp
  Rows& table(const char* function, const char* row_type, int columns);
  std::deque<Rows> tables_;
};

// "trade|BTCUSDT|…": what a row is about, so that a row which had to wait keeps its followers waiting, too. "" = nothing.
std::string subject_of(const Rows& rows, int row);
// Rows that must be in the tables before the orders they describe may leave.
bool is_own_orders(const Rows& rows);

}  // namespace tradesync
