// See tables.hpp. Dispatch by function name, orders and commands.
#include "sim/tables.hpp"

#include <algorithm>
#include <stdexcept>

namespace tradesync::sim {

bool is_newer(std::int64_t order_new, std::int64_t time_new, const std::string& source_new, std::int64_t order_old,
              std::int64_t time_old, const std::string& source_old) {
  if (order_new > 0 && order_old > 0 && order_new != order_old) return order_new > order_old;
  if (time_new != time_old) return time_new > time_old;
  return source_new == "stream" && source_old == "rest";
}

Decimal sum(const Decimal& a, const Decimal& b) { return add(a, b).value(); }
Decimal difference(const Decimal& a, const Decimal& b) { return subtract(a, b).value(); }

void Tables::execute(const wall_call& call, int row) {
  using Save = void (Tables::*)(const CellsOf&);
  static const std::map<std::string, Save, std::less<>> saves = {
      {"monitoring.worker_save_own_orders", &Tables::save_own_order},
      {"monitoring.worker_save_position_updates", &Tables::save_position_update},
      {"monitoring.worker_save_commands", &Tables::save_command},
      {"monitoring.worker_save_orders", &Tables::save_order},
      {"monitoring.worker_save_trades", &Tables::save_trade},
      {"monitoring.worker_close_positions", &Tables::close_position},
      {"monitoring.worker_save_positions", &Tables::save_position},
      {"monitoring.worker_save_instruments", &Tables::save_instrument},
      {"monitoring.worker_save_balances", &Tables::save_balance},
      {"monitoring.worker_save_leverages", &Tables::save_leverage},
      {"monitoring.worker_save_prices", &Tables::save_price},
      {"monitoring.worker_save_events", &Tables::save_event},
  };
  const std::string_view function = call.function;
  const CellsOf cells(call, row);
  if (halts(call, row)) halt("position mode changed on the exchange");
  if (const auto save = saves.find(function); save != saves.end()) {
    (this->*save->second)(cells);
  } else if (function == "monitoring.worker_save_position_modes") {
    save_position_mode(cells);
  } else if (function == "monitoring.worker_save_funding") {
    save_funding(cells);
  } else if (function == "monitoring.worker_save_cursors") {
    cursors[{cells.text(0), cells.text(1)}] = cells.text(2);
  } else if (function == "monitoring.worker_save_dead_letters") {
    dead_letters.push_back(cells.text(0) + ": " + cells.text(3) + " " + cells.text(2));
  } else if (function != "monitoring.worker_save_sync_runs" && function != "monitoring.worker_mark_stale") {
    throw std::logic_error("the simulation has no function " + std::string(function));
  }
}

// ------------------------------------------------------------------------------------------------ look-ups

PositionRow* Tables::position(std::int64_t id) {
  for (PositionRow& row : positions)
    if (row.id == id) return &row;
  return nullptr;
}

PositionRow* Tables::open_position(const std::string& symbol, const std::string& position_side) {
  for (auto row = positions.rbegin(); row != positions.rend(); ++row)
    if (row->symbol == symbol && row->position_side == position_side && row->is_open()) return &*row;
  return nullptr;
}

CommandRow* Tables::command(std::int64_t id) {
  for (CommandRow& row : commands)
    if (row.id == id) return &row;
  return nullptr;
}

const OrderRow* Tables::order_by_client_id(const std::string& client_order_id, const std::string& kind) const {
  for (const OrderRow& row : orders)
    if (row.is_own() && row.client_order_id == client_order_id && (kind.empty() || row.kind == kind)) return &row;
  return nullptr;
}

OrderRow* Tables::order_of(const std::string& symbol, const std::string& order_id, const std::string& kind) {
  const auto at = venue_order_at_.find(symbol + "|" + order_id + "|" + kind);
  return at == venue_order_at_.end() ? nullptr : &orders[at->second];
}

// ------------------------------------------------------------------------------------------------ moves

void Tables::move(OrderRow& row, OrderStatus to, bool larger_fill) {
  if (row.status == to) return;
  const bool end_to_end = is_terminal(row.status) && is_terminal(to) && larger_fill;
  if (!may_move(row.status, to) && !end_to_end)
    broken("order " + std::to_string(row.id) + " moves from " + std::string(text(row.status)) + " to " + std::string(text(to)));
  row.status = to;
}

// One write may make several moves and show the last one only (monitoring.may_move_position).
bool can_reach(PositionStatus from, PositionStatus to) {
  std::set<PositionStatus> reached = {from};
  for (std::size_t before = 0; before != reached.size();) {
    before = reached.size();
    for (const PositionStatus at : std::set<PositionStatus>(reached))
      for (int i = 0; i <= static_cast<int>(PositionStatus::canceled); ++i)
        if (may_move(at, static_cast<PositionStatus>(i))) reached.insert(static_cast<PositionStatus>(i));
  }
  return reached.contains(to);
}

void Tables::move(PositionRow& row, PositionStatus to) {
  if (row.status == to) return;
  if (!can_reach(row.status, to))
    broken("position " + std::to_string(row.id) + " moves from " + std::string(text(row.status)) + " to " + std::string(text(to)));
  row.status = to;
}

// ------------------------------------------------------------------------------------------------ our own orders

// worker_save_own_orders: an entry goes on record before a halt or not at all (TS015).
std::string Tables::refuses(const wall_call& call, int row, bool halts) const {
  if ((!halted && !halts) || std::string_view(call.function) != "monitoring.worker_save_own_orders") return {};
  const CellsOf cells(call, row);
  return cells.view(2) == "entry" && cells.view(14) == "submitting" ? "TS015" : "";
}

// own_order_row: id position_id purpose attempt symbol client_order_id kind side position_side type quantity price
// stop_price reduce_only status venue_status reject_reason
void Tables::save_own_order(const CellsOf& cells) {
  const std::int64_t id = cells.number(0);
  const auto status = order_status_from(cells.view(14));
  if (id <= 0 || !status) return broken("own order without number or status");
  const auto at = own_at_.find(id);
  OrderRow* known = at == own_at_.end() ? nullptr : &orders[at->second];
  const int attempt = static_cast<int>(cells.number(3));
  const bool again = known && attempt > known->attempt && known->order_id.empty() &&
                     (known->status == OrderStatus::rejected || known->status == OrderStatus::unknown ||
                         known->status == OrderStatus::submitting);
  if (!known || again) {
    if (const OrderRow* other = order_by_client_id(cells.text(5), cells.text(6)); other && other->id != id)
      broken("client id " + cells.text(5) + " is in two rows");
    if (!known) {
      own_at_[id] = orders.size();
      known = &orders.emplace_back();
      known->id = id;
      known->created_ms = clock_.unix_ms();
    }
    OrderRow& row = *known;
    row.position_id = cells.number(1);
    row.purpose = cells.text(2);
    row.attempt = attempt;
    row.symbol = cells.text(4);
    row.client_order_id = cells.text(5);
    row.kind = cells.text(6);
    row.side = cells.text(7);
    row.position_side = cells.text(8);
    row.type = cells.text(9);
    row.quantity = cells.amount(10);
    row.price = cells.decimal(11);
    row.stop_price = cells.decimal(12);
    row.reduce_only = cells.boolean(13);
    row.status = *status;
    row.venue_status = cells.text(15);
    row.reject_reason = cells.text(16);
    if (*status == OrderStatus::submitting && on_submitting) on_submitting(row);
    return;
  }
  OrderRow& row = *known;
  const bool same = attempt == row.attempt && cells.view(5) == row.client_order_id;
  const bool may_say = same && (row.source == "own" || row.status == OrderStatus::unknown || *status == OrderStatus::rejected);
  if (may_say && may_move(row.status, *status)) {
    row.status = *status;
    if (!cells.is_null(15)) row.venue_status = cells.text(15);
    if (!cells.is_null(16)) row.reject_reason = cells.text(16);
  } else if (*status == OrderStatus::submitting && (!same || row.status != *status)) {
    broken("order " + std::to_string(id) + " attempt " + std::to_string(attempt) + " cannot be sent again (TS032)");
  }
}

// ------------------------------------------------------------------------------------------------ what the venue says

// A report about an order of ours that the venue had not answered yet.
OrderRow* Tables::own_order_waiting_for(const CellsOf& cells) {
  const std::string client_id = cells.text(2), kind = cells.text(3);
  if (client_id.empty()) return nullptr;
  for (OrderRow& row : orders)
    if (row.is_own() && row.order_id.empty() && row.kind == kind && row.client_order_id == client_id) return &row;
  return nullptr;
}

bool Tables::takes_over(const OrderRow& row, const OrderRow& report) const {
  if (!row.is_open() || report.filled_quantity > row.filled_quantity) return report.filled_quantity > row.filled_quantity;
  if (!report.is_open() && report.filled_quantity == row.filled_quantity) return true;
  if (is_newer(report.version_order, report.version_time, report.source, row.version_order, row.version_time, row.source)) return true;
  if (is_newer(row.version_order, row.version_time, row.source, report.version_order, report.version_time, report.source)) return false;
  return rank(report.status) > rank(row.status) || report.filled_quantity > row.filled_quantity;
}

namespace {

// order_row: symbol order_id client_order_id kind side position_side type status venue_status price stop_price quantity
// filled_quantity average_price reduce_only child_order_id reject_reason created_at venue_updated_at version_order
// version_time source purpose position_id
OrderRow report_from(const CellsOf& cells) {
  OrderRow report;
  report.symbol = cells.text(0);
  report.order_id = cells.text(1);
  report.client_order_id = cells.text(2);
  report.kind = cells.text(3);
  report.side = cells.text(4);
  report.position_side = cells.text(5);
  report.type = cells.text(6);
  report.status = order_status_from(cells.view(7)).value_or(OrderStatus::unknown);
  report.venue_status = cells.text(8);
  report.price = cells.decimal(9);
  report.stop_price = cells.decimal(10);
  report.quantity = cells.amount(11);
  report.filled_quantity = cells.amount(12);
  report.average_price = cells.decimal(13);
  report.reduce_only = cells.boolean(14);
  report.child_order_id = cells.text(15);
  report.reject_reason = cells.text(16);
  report.created_ms = cells.number(17);
  report.venue_updated_ms = cells.number(18);
  report.version_order = cells.number(19);
  report.version_time = cells.number(20);
  report.source = cells.text(21);
  report.purpose = cells.is_null(22) ? "external" : cells.text(22);
  report.position_id = cells.number(23);
  return report;
}

}  // namespace

// The first report that carries the client id of an order of ours: the venue's word counts, whatever we had concluded.
void Tables::complete(OrderRow& row, const OrderRow& report) {
  move(row, report.status, false);
  row.order_id = report.order_id;
  row.type = report.type;
  row.venue_status = report.venue_status;
  row.price = report.price;
  row.stop_price = report.stop_price;
  row.quantity = report.quantity;
  row.filled_quantity = report.filled_quantity;
  row.average_price = report.average_price;
  row.reduce_only = report.reduce_only;
  row.position_side = report.position_side;
  row.child_order_id = report.child_order_id;
  row.reject_reason = report.reject_reason;
  row.acknowledged_ms = clock_.unix_ms();
  row.venue_updated_ms = report.venue_updated_ms;
  row.version_order = report.version_order;
  row.version_time = report.version_time;
  row.source = report.source;
}

void Tables::save_order(const CellsOf& cells) {
  OrderRow report = report_from(cells);
  if (report.order_id.empty()) return broken("a report of an order without the venue's id");
  const std::string key = report.symbol + "|" + report.order_id + "|" + report.kind;
  OrderRow* row = order_of(report.symbol, report.order_id, report.kind);
  if (!row)
    if (OrderRow* awaited = own_order_waiting_for(cells)) {
      venue_order_at_[key] = own_at_.at(awaited->id);
      return complete(*awaited, report);
    }
  if (!row) {
    // The child of a conditional order of ours is ours, too.
    if (report.kind == "regular" && !report.client_order_id.empty())
      if (const OrderRow* parent = order_by_client_id(report.client_order_id, "conditional")) {
        report.purpose = parent->purpose;
        report.position_id = parent->position_id;
      }
    if (report.position_id == 0)
      if (const PositionRow* open = open_position(report.symbol, report.position_side)) report.position_id = open->id;
    report.id = next_order_id++;
    if (report.created_ms == 0) report.created_ms = report.venue_updated_ms ? report.venue_updated_ms : clock_.unix_ms();
    venue_order_at_[key] = orders.size();
    orders.push_back(std::move(report));
    return;
  }
  if (!takes_over(*row, report)) return;
  const bool larger = report.filled_quantity > row->filled_quantity;
  if (row->is_open() || !report.is_open()) {
    move(*row, report.status, larger);
    row->venue_status = report.venue_status;
  }
  if (row->client_order_id.empty()) row->client_order_id = report.client_order_id;
  row->type = report.type;
  row->price = report.price;
  row->stop_price = report.stop_price;
  row->quantity = report.quantity;
  if (!(report.filled_quantity < row->filled_quantity) && report.average_price) row->average_price = report.average_price;
  if (larger) row->filled_quantity = report.filled_quantity;
  row->reduce_only = report.reduce_only;
  if (row->position_id == 0 || (row->purpose == "external" && report.purpose != "external" && report.position_id != 0))
    row->position_id = report.position_id;
  if (row->purpose == "external") row->purpose = report.purpose;
  if (!report.child_order_id.empty()) row->child_order_id = report.child_order_id;
  if (!report.reject_reason.empty()) row->reject_reason = report.reject_reason;
  row->venue_updated_ms = std::max(row->venue_updated_ms, report.venue_updated_ms);
  row->version_order = std::max(row->version_order, report.version_order);
  row->version_time = std::max(row->version_time, report.version_time);
  row->source = report.source;
}

// ------------------------------------------------------------------------------------------------ small ones

void Tables::save_command(const CellsOf& cells) {
  CommandRow* row = command(cells.number(0));
  if (!row) return broken("result of a command that nobody gave");
  if (row->is_final()) return;
  row->status = cells.text(1);
  row->error = cells.text(2);
  if (!row->is_final()) return;
  row->finished_ms = clock_.unix_ms();
  row->halts_after = halt_count;
}

// A mode that changes under positions that hold something halts the account: the rows may name the wrong side.
bool Tables::halts(const wall_call& call, int row) const {
  if (std::string_view(call.function) != "monitoring.worker_save_position_modes") return false;
  const CellsOf cells(call, row);
  const auto known = modes.find(cells.text(0));
  if (known == modes.end() || known->second == cells.boolean(1)) return false;
  return std::any_of(positions.begin(), positions.end(), [&](const PositionRow& each) {
    return each.managed && each.holds() && (known->first.empty() || known->first == each.symbol);
  });
}

void Tables::save_position_mode(const CellsOf& cells) { modes[cells.text(0)] = cells.boolean(1); }

void Tables::halt(const std::string& reason) {
  halted = true;
  halt_reason = reason;
  ++halt_count;
  ++account_version;
  if (on_halted) on_halted();
}

void Tables::resume() {
  halted = false;
  halt_reason.clear();
  ++account_version;
}

// funding_row: symbol trade_id …
void Tables::save_funding(const CellsOf& cells) { fundings.insert(cells.text(1)); }

void Tables::save_instrument(const CellsOf& cells) {
  instruments[cells.text(0)] = {cells.text(0), cells.text(1), cells.amount(6), cells.amount(7), cells.amount(8), cells.amount(10),
      cells.amount(11)};
}

void Tables::save_balance(const CellsOf& cells) {
  BalanceRow& row = balances[cells.text(0)];
  row.asset = cells.text(0);
  if (cells.number(4) < row.updated_ms) return;
  if (auto value = cells.decimal(1)) row.wallet_balance = value;
  if (auto value = cells.decimal(2)) row.available_balance = value;
  if (auto value = cells.decimal(3)) row.equity = value;
  row.updated_ms = cells.number(4);
}

void Tables::save_leverage(const CellsOf& cells) {
  for (auto& [key, row] : venue_positions)
    if (key.first == cells.text(0)) row.leverage = cells.decimal(1);
  for (PositionRow& row : positions)
    if (row.symbol == cells.text(0) && row.is_open()) row.leverage = cells.decimal(1);
}

void Tables::save_price(const CellsOf& cells) {
  if (auto mark = cells.decimal(1)) marks[cells.text(0)] = *mark;
}

void Tables::save_event(const CellsOf& cells) {
  events.push_back({clock_.unix_ms(), cells.text(0), cells.text(1), cells.text(2), cells.text(5), cells.number(7)});
}

}  // namespace tradesync::sim
