// The database of one account, in memory: what sql/*.sql does with the rows that the worker writes, with the same rules,
// and what it hands back at a start. Written beside the SQL, not from it: where both agree, the rules are understood.
//   tables.cpp        dispatch, orders, commands    tables_positions.cpp   positions, fills, settlement
//   tables_load.cpp   worker_load_*                 user.cpp               what people call
// A row that would break a constraint or move outside its state table is a broken promise of the worker: it is reported as
// such and ends the run. Refusals that are nobody's fault (locks, lost connections) are the wall's business (wall.cpp).
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/cells.hpp"
#include "sim/table_rows.hpp"

namespace tradesync::sim {

class Tables {
 public:
  explicit Tables(const VirtualClock& clock) : clock_(clock) {}

  // ---- as the wall calls them
  void execute(const wall_call& call, int row);   // one row of one call
  Answer query(const std::string& function);
  // The SQLSTATE with which a function refuses this row of its call; "" = it does not. Nobody's broken promise: what the row
  // says was overtaken by somebody's commit, or (halts) by a row of the same transaction.
  std::string refuses(const wall_call& call, int row, bool halts = false) const;
  bool halts(const wall_call& call, int row) const;

  // ---- the rows
  std::string account_name = "sim", exchange, mode = "live", halt_reason;
  int halt_count = 0, account_version = 1;   // how often it was halted; how often its row changed
  bool enabled = true, halted = false;
  std::string epoch = "abcdefgh";
  std::map<std::string, std::string> settings;
  std::deque<OrderRow> orders;        // a row never moves in memory and never goes away
  std::deque<TradeRow> trades;
  std::deque<PositionRow> positions;
  std::deque<CommandRow> commands;
  std::map<std::pair<std::string, std::string>, VenueRow> venue_positions;  // (symbol, position side)
  std::map<std::string, InstrumentRow> instruments;
  std::map<std::string, BalanceRow> balances;
  std::map<std::string, Decimal> marks;
  std::map<std::string, bool> modes;
  std::map<std::pair<std::string, std::string>, std::string> cursors;  // (stream, symbol)
  struct EventRow { Ms at_ms; std::string type, severity, symbol, message; std::int64_t position_id; };
  std::deque<EventRow> events;
  // Keys of openings whose transactions have not ended: the unique index makes others wait (one_open_position_per_symbol).
  std::set<std::pair<std::string, std::string>> reserved;
  std::vector<std::string> dead_letters;
  std::set<std::string> fundings;     // trade ids

  // Numbers given out; those of rolled back transactions are lost, as in the database.
  std::int64_t next_order_id = 101, next_position_id = 11, next_command_id = 1001;

  PositionRow* position(std::int64_t id);
  PositionRow* open_position(const std::string& symbol, const std::string& position_side);
  CommandRow* command(std::int64_t id);
  void halt(const std::string& reason);
  void resume();
  const OrderRow* order_by_client_id(const std::string& client_order_id, const std::string& kind = "") const;

  // What the worker should never have written, oldest first.
  std::vector<std::string> broken_promises;
  // Told of every row of ours that a commit made (again) submitting: it may leave from now on.
  std::function<void(const OrderRow&)> on_submitting;
  std::function<void()> on_halted;               // by whomever
  std::function<void(const std::string&)> log;   // what the functions made of the rows

 private:
  void save_own_order(const CellsOf& cells);
  void save_order(const CellsOf& cells);
  void save_command(const CellsOf& cells);
  void save_position_update(const CellsOf& cells);
  void save_position(const CellsOf& cells);
  void close_position(const CellsOf& cells);
  void save_trade(const CellsOf& cells);
  void save_instrument(const CellsOf& cells);
  void save_balance(const CellsOf& cells);
  void save_leverage(const CellsOf& cells);
  void save_price(const CellsOf& cells);
  void save_event(const CellsOf& cells);
  void save_position_mode(const CellsOf& cells);
  void save_funding(const CellsOf& cells);

  OrderRow* own_order_waiting_for(const CellsOf& cells);
  OrderRow* order_of(const std::string& symbol, const std::string& order_id, const std::string& kind);
  void complete(OrderRow& row, const OrderRow& report);
  bool takes_over(const OrderRow& row, const OrderRow& report) const;
  bool merge_venue_position(const CellsOf& cells, VenueRow& merged);
  void insert_external(const VenueRow& report, bool flipped);
  Decimal entered_by_fills(const PositionRow& row, Ms until_ms) const;
  PositionRow* position_of_fill(const TradeRow& fill);
  struct Share { Decimal opening, closing, price; std::string order_id, exec_type; };
  std::vector<Share> position_fills(const PositionRow& row) const;
  void settle(PositionRow& row);
  std::string reason_from_fills(const std::vector<Share>& fills, const std::string& generic) const;

  void move(OrderRow& row, OrderStatus to, bool larger_fill);
  void move(PositionRow& row, PositionStatus to);
  void broken(std::string what) { broken_promises.push_back(std::move(what)); }
  void say(const PositionRow& row, const char* what) const {
    if (log) log("    position " + std::to_string(row.id) + " " + row.symbol + " " + row.side + " (" + row.position_side + "): " + what);
  }

  Answer load_account() const;
  Answer load_positions() const;
  Answer load_orders() const;
  Answer load_cursors() const;
  Answer load_trades() const;
  Answer load_own_orders() const;
  Answer load_commands() const;
  Answer load_recent_fills() const;
  Answer reserve_order_ids();

  const VirtualClock& clock_;
  std::map<std::pair<std::string, std::string>, std::size_t> trade_at_;   // (symbol, trade id)
  std::map<std::int64_t, std::size_t> own_at_;                            // orders.id
  std::map<std::string, std::size_t> venue_order_at_;                     // symbol|order id|kind
};

// The version rule of all mirror tables (monitoring.is_newer).
bool is_newer(std::int64_t order_new, std::int64_t time_new, const std::string& source_new, std::int64_t order_old,
              std::int64_t time_old, const std::string& source_old);
// Does position_moves lead from one status to the other, by any number of moves?
bool can_reach(PositionStatus from, PositionStatus to);
Decimal sum(const Decimal& a, const Decimal& b);
Decimal difference(const Decimal& a, const Decimal& b);

}  // namespace tradesync::sim
