#include "app/tables.hpp"

#include <algorithm>
#include <map>

namespace tradesync {
namespace {

void add(Rows& rows, const OrderChange& change) {
  const Order& o = change.order;
  rows.text(o.symbol).text(o.order_id).text_or_null(o.client_order_id).text(text(o.kind)).text(text(o.side))
      .text(text(o.position_side)).text(o.type).text(text(o.status)).text(o.venue_status).decimal(o.price)
      .decimal(o.stop_price).decimal(o.quantity).decimal(o.filled_quantity).decimal(o.average_price).boolean(o.reduce_only)
      .text_or_null(o.child_order_id).text_or_null(o.reject_reason).time_or_null(o.created_ms).time_or_null(o.version.time)
      .number(o.version.order).number(o.version.time).text(text(change.source)).text(text(o.purpose))
      .id_or_null(o.position_id);
}

void add(Rows& rows, const Fill& f) {
  rows.text(f.symbol).text(f.trade_id).text(f.order_id).text_or_null(f.client_order_id).text(text(f.side));
  if (f.position_side) rows.text(text(*f.position_side));
  else rows.null();
  rows.decimal(f.price).decimal(f.quantity).decimal(f.fee).text_or_null(f.fee_currency).decimal(f.realized_pnl)
      .decimal(f.closed_quantity).boolean(f.is_maker).text(f.exec_type).time_or_null(f.executed_ms).number(f.sequence);
}

void add(Rows& rows, const PositionChange& change) {
  const VenuePosition& p = change.position;
  rows.text(p.symbol).text(text(p.position_side)).decimal(p.quantity).decimal(p.entry_price).decimal(p.mark_price)
      .decimal(p.unrealized_pnl).decimal(p.leverage).decimal(p.liquidation_price).decimal(p.stop_loss).decimal(p.take_profit)
      .time_or_null(p.opened_ms).number(p.version.order).number(p.version.time).time_or_null(p.version.time).text(text(change.source));
}

void add(Rows& rows, const Closing& c) {
  rows.text(c.symbol).text(text(c.position_side)).text_or_null(c.side).time_or_null(c.closed_ms).text(c.reason);
}

void add(Rows& rows, const Instrument& i) {
  rows.text(i.symbol).text(i.status).text(i.contract_type).text(i.base_asset).text(i.quote_asset).text(i.settle_asset)
      .decimal(i.tick_size).decimal(i.quantity_step).decimal(i.min_quantity).decimal(i.max_quantity)
      .decimal(i.max_market_quantity).decimal(i.min_notional).decimal(i.max_leverage);
}

// Several messages of one turn about one asset: the last word wins, what it leaves out stays.
std::vector<Balance> folded(const std::vector<Balance>& balances) {
  std::map<std::string, Balance> last;
  for (const Balance& balance : balances) {
    Balance next = balance;
    if (const auto it = last.find(balance.asset); it != last.end()) {
      if (!next.available_balance) next.available_balance = it->second.available_balance;
      if (!next.equity) next.equity = it->second.equity;
      if (next.updated_ms < it->second.updated_ms) continue;
    }
    last[balance.asset] = std::move(next);
  }
  std::vector<Balance> out;
  for (auto& [asset, balance] : last) out.push_back(std::move(balance));
  return out;
}

template <class Row, class Key>
std::map<std::string, const Row*> last_per_key(const std::vector<Row>& rows, Key key) {
  std::map<std::string, const Row*> last;
  for (const Row& row : rows) last[key(row)] = &row;
  return last;
}

}  // namespace

Rows& Tables::table(const char* function, const char* row_type, int columns) {
  return tables_.emplace_back(function, row_type, columns);
}

void Tables::fill(const Changes& changes, std::int64_t unix_offset_ms) {
  const auto wall_time = [&](std::int64_t monotonic_ms) { return monotonic_ms == 0 ? 0 : monotonic_ms + unix_offset_ms; };

  Rows& dead_letters = table("monitoring.worker_save_dead_letters", "monitoring.dead_letter_row", 6);
  for (const DeadLetter& d : changes.dead_letters)
    dead_letters.text(d.kind).text_or_null(d.symbol).text(d.frame).text(d.error).text(d.sqlstate).null();

  Rows& instruments = table("monitoring.worker_save_instruments", "monitoring.instrument_row", 13);
  for (const auto& [symbol, row] : last_per_key(changes.instruments, [](const Instrument& i) { return i.symbol; })) add(instruments, *row);

  fill_trading(changes);
  Rows& orders = table("monitoring.worker_save_orders", "monitoring.order_row", 24);
  for (const OrderChange& change : changes.orders) add(orders, change);
  // Without a crossing of zero there is one stage, or none.
  const std::size_t stage_count = std::max<std::size_t>(changes.stages.size(), 1);
  for (std::size_t i = 0; i < stage_count; ++i) {
    Rows& trades = table("monitoring.worker_save_trades", "monitoring.trade_row", 16);
    const std::size_t first = i == 0 ? 0 : changes.stages[i].first_fill;
    const std::size_t end = i + 1 < changes.stages.size() ? changes.stages[i + 1].first_fill : changes.fills.size();
    for (std::size_t fill = first; fill < end; ++fill) add(trades, changes.fills[fill]);
    if (changes.stages.empty()) break;
    Rows& closings = table("monitoring.worker_close_positions", "monitoring.close_row", 5);
    for (const Closing& closing : changes.stages[i].closings) add(closings, closing);
    Rows& positions = table("monitoring.worker_save_positions", "monitoring.position_row", 15);
    for (const PositionChange& change : changes.stages[i].positions) add(positions, change);
  }

  Rows& balances = table("monitoring.worker_save_balances", "monitoring.balance_row", 5);
  for (const Balance& b : folded(changes.balances))
    balances.text(b.asset).decimal(b.wallet_balance).decimal(b.available_balance).decimal(b.equity).time_or_null(b.updated_ms);
  Rows& leverages = table("monitoring.worker_save_leverages", "monitoring.leverage_row", 2);
  for (const auto& [symbol, row] : last_per_key(changes.leverages, [](const Leverage& l) { return l.symbol; }))
    leverages.text(symbol).decimal(row->leverage);
  Rows& funding = table("monitoring.worker_save_funding", "monitoring.funding_row", 6);
  for (const auto& [key, row] : last_per_key(changes.fundings, [](const Funding& f) { return f.symbol + "|" + f.funding_id; }))
    funding.text(row->symbol).text(row->funding_id).decimal(row->amount).decimal(row->rate).text_or_null(row->asset).time_or_null(row->at_ms);

  Rows& prices = table("monitoring.worker_save_prices", "monitoring.price_row", 4);
  for (const Price& p : changes.prices) prices.text(p.symbol).decimal(p.mark).decimal(p.last).time_or_null(p.at_ms);
  Rows& stale = table("monitoring.worker_mark_stale", "monitoring.stale_row", 1);
  for (const std::string& symbol : changes.stale) stale.text(symbol);

  Rows& runs = table("monitoring.worker_save_sync_runs", "monitoring.sync_run_row", 7);
  // A run that began and ended within this turn is one row: its end.
  for (const auto& [key, run] : last_per_key(changes.sync_runs, [](const SyncRun& r) { return std::to_string(r.started_ms) + r.reason; }))
    runs.null().text(run->reason).time_or_null(wall_time(run->started_ms)).time_or_null(wall_time(run->finished_ms)).boolean(run->complete)
        .number(run->findings).text_or_null(run->detail);
  Rows& events = table("monitoring.worker_save_events", "monitoring.event_row", 8);
  for (const EventRow& e : changes.events)
    events.text(e.event_type).text(e.severity).text_or_null(e.symbol).text_or_null(e.order_id).text_or_null(e.data).text_or_null(e.message).null()
        .id_or_null(e.position_id);

  Rows& cursors = table("monitoring.worker_save_cursors", "monitoring.cursor_row", 3);
  for (const Cursor& c : changes.cursors) cursors.text(c.stream).text(c.symbol).text(c.position);
}

std::string subject_of(const Rows& rows, int row) {
  const std::string_view function = rows.function();
  const auto cell = [&](int column) { return std::string(rows.cell(row, column).value_or("")); };
  if (function == "monitoring.worker_save_orders") return "order|" + cell(0) + "|" + cell(1) + "|" + cell(3);
  if (function == "monitoring.worker_save_positions" || function == "monitoring.worker_close_positions") return "position|" + cell(0) + "|" + cell(1);
  if (function == "monitoring.worker_save_trades") return "trade|" + cell(0) + "|" + cell(1);
  if (function == "monitoring.worker_save_balances") return "balance|" + cell(0);
  if (is_own_orders(rows)) return "own|" + cell(0);
  if (function == "monitoring.worker_save_position_updates") return "position|" + cell(0);
  if (function == "monitoring.worker_save_commands") return "command|" + cell(0);
  return {};
}

}  // namespace tradesync
