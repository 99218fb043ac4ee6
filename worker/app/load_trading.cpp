// The trading part of what the tables know. Columns by number, in the order of the SQL functions named beside them.
#include <set>

#include "app/load.hpp"
#include "app/table_query.hpp"
#include "core/states.hpp"

namespace tradesync {
namespace {

PositionStatus position_status_from(std::string_view word) {
  constexpr PositionStatus kAll[] = {
#define POSITION_STATE(name, open, meaning) PositionStatus::name,
#define POSITION_MOVE(from, to)
#include "core/position_states.def"
#undef POSITION_STATE
#undef POSITION_MOVE
  };
  for (const PositionStatus status : kAll)
    if (text(status) == word) return status;
  return PositionStatus::active;  // a word of a later version: the position is held, so it is looked after
}

OrderKind order_kind_from(std::string_view word) { return word == "conditional" ? OrderKind::conditional : OrderKind::regular; }

// A stop or a target of zero is the tables' way to say that there shall be none.
std::optional<Decimal> none_if_zero(std::optional<Decimal> price) { return price && price->is_zero() ? std::nullopt : price; }

// A row of type trade_state that begins in column `at`: id, symbol, position_side, is_long, status, wanted_quantity,
// wanted_notional, leverage, stop_loss_percent, wanted_stop_price, wanted_take_profit, entry_price, quantity, exit_reason,
// unprotected_since, is_open, max_notional
LoadedTrade trade_of(const TableQuery& query, int row, int at) {
  LoadedTrade trade;
  trade.id = query.number(row, at);
  trade.symbol = query.text(row, at + 1);
  trade.position_side = position_side_from(query.text(row, at + 2)).value_or(PositionSide::both);
  trade.is_long = query.boolean(row, at + 3);
  trade.status = position_status_from(query.text(row, at + 4));
  trade.wanted_quantity = query.decimal_or_none(row, at + 5);
  trade.wanted_notional = query.decimal_or_none(row, at + 6);
  trade.leverage = query.decimal_or_none(row, at + 7);
  trade.stop_loss_percent = query.decimal(row, at + 8);
  trade.wanted_stop_price = none_if_zero(query.decimal_or_none(row, at + 9));
  trade.wanted_take_profit = none_if_zero(query.decimal_or_none(row, at + 10));
  trade.entry_price = query.decimal_or_none(row, at + 11);
  trade.quantity = query.decimal(row, at + 12);
  trade.exit_reason = query.text(row, at + 13);
  trade.unprotected_since_ms = query.number(row, at + 14);
  trade.row_is_open = query.boolean(row, at + 15);
  trade.max_notional = query.decimal_or_none(row, at + 16);
  return trade;
}

OrderTicket ticket_of(const TableQuery& query, int row) {
  OrderTicket ticket;
  ticket.symbol = query.text(row, 4);
  ticket.client_order_id = query.text(row, 5);
  ticket.kind = order_kind_from(query.text(row, 6));
  ticket.side = query.text(row, 7) == "sell" ? Side::sell : Side::buy;
  ticket.position_side = position_side_from(query.text(row, 8)).value_or(PositionSide::both);
  ticket.type = query.text(row, 9);
  ticket.quantity = query.decimal(row, 10);
  ticket.price = query.decimal_or_none(row, 11);
  ticket.stop_price = query.decimal_or_none(row, 12);
  ticket.reduce_only = query.boolean(row, 13);
  return ticket;
}

LoadResult load_all_trades(std::int32_t account_id, Loaded& loaded, std::string& error) {
  const TableQuery query("monitoring.worker_load_trades", account_id, error);
  for (int row = 0; row < query.rows(); ++row) loaded.trades.push_back(trade_of(query, row, 0));
  return query.result();
}

LoadResult load_own_orders(std::int32_t account_id, Loaded& loaded, std::string& error) {
  // id, position_id, purpose, attempt, the ten columns of the ticket, order_id, status, filled_quantity, traded_quantity,
  // traded_value, created_at
  const TableQuery query("monitoring.worker_load_own_orders", account_id, error);
  for (int row = 0; row < query.rows(); ++row) {
    LoadedOwnOrder own;
    own.id = query.number(row, 0);
    own.position_id = query.number(row, 1);
    own.purpose = purpose_from(query.text(row, 2));
    own.attempt = static_cast<int>(query.number(row, 3));
    own.ticket = ticket_of(query, row);
    own.order_id = query.text(row, 14);
    // A word of a later version: nobody can say what became of it, so the venue is asked.
    own.status = order_status_from(query.text(row, 15)).value_or(OrderStatus::unknown);
    own.filled_quantity = query.decimal(row, 16);
    own.traded_quantity = query.decimal(row, 17);
    own.traded_value = query.decimal(row, 18);
    own.sent_ms = query.number(row, 19);
    loaded.own_orders.push_back(std::move(own));
  }
  return query.result();
}

// Read after the positions: what was asked for in between has no position here yet and is left to the next look.
LoadResult load_all_commands(std::int32_t account_id, const std::string& account_version, Loaded& loaded, std::string& error) {
  std::vector<LoadedTrade> opening;  // all of them are among the positions already, or too new
  const LoadResult result = load_commands(account_id, account_version, loaded.commands, opening, error);
  std::set<std::int64_t> known, too_new;
  for (const LoadedTrade& trade : loaded.trades) known.insert(trade.id);
  for (const Command& command : loaded.commands)
    if (command.kind == CommandKind::open_position && !known.contains(command.position_id)) too_new.insert(command.position_id);
  std::erase_if(loaded.commands, [&](const Command& command) { return too_new.contains(command.position_id); });
  return result;
}

LoadResult load_order_ids(std::int32_t account_id, Loaded& loaded, std::string& error) {
  return reserve_order_ids(account_id, loaded.order_ids, error);
}

LoadResult load_epoch(std::int32_t account_id, Loaded& loaded, std::string& error) {
  const TableQuery query("monitoring.worker_load_epoch", account_id, error);
  if (query.rows() > 0) loaded.epoch = query.text(0, 0);
  return query.result();
}

LoadResult load_position_modes(std::int32_t account_id, Loaded& loaded, std::string& error) {
  // symbol, hedge
  const TableQuery query("monitoring.worker_load_position_modes", account_id, error);
  for (int row = 0; row < query.rows(); ++row) loaded.position_modes.push_back({query.text(row, 0), query.boolean(row, 1)});
  return query.result();
}

LoadResult load_leverages(std::int32_t account_id, Loaded& loaded, std::string& error) {
  // symbol, leverage
  const TableQuery query("monitoring.worker_load_leverages", account_id, error);
  for (int row = 0; row < query.rows(); ++row)
    if (const auto leverage = query.decimal_or_none(row, 1)) loaded.leverages[query.text(row, 0)] = *leverage;
  return query.result();
}

LoadResult load_recent_fills(std::int32_t account_id, Loaded& loaded, std::string& error) {
  // symbol, trade_id
  const TableQuery query("monitoring.worker_load_recent_fills", account_id, error);
  for (int row = 0; row < query.rows(); ++row) loaded.recent_fills.push_back(query.text(row, 0) + "|" + query.text(row, 1));
  return query.result();
}

LoadResult load_balances(std::int32_t account_id, Loaded& loaded, std::string& error) {
  // asset, wallet_balance, available_balance, equity, updated_at
  const TableQuery query("monitoring.worker_load_balances", account_id, error);
  for (int row = 0; row < query.rows(); ++row)
    loaded.balances.push_back({query.text(row, 0), query.decimal(row, 1), query.decimal_or_none(row, 2), query.decimal_or_none(row, 3),
                               query.number(row, 4)});
  return query.result();
}

}  // namespace

LoadResult load_trading(std::int32_t account_id, const std::string& account_version, Loaded& loaded, std::string& error) {
  for (const auto& load : {load_recent_fills, load_epoch, load_order_ids, load_position_modes, load_leverages, load_balances,
                           load_own_orders, load_all_trades})
    if (const LoadResult result = load(account_id, loaded, error); result != LoadResult::ok) return result;
  return load_all_commands(account_id, account_version, loaded, error);
}

LoadResult load_trading_settings(std::int32_t account_id, TradingSettings& settings, std::string& error) {
  // key, value; what the tables do not say stays as it is built in
  const TableQuery query("monitoring.worker_load_settings", account_id, error);
  for (int row = 0; row < query.rows(); ++row) {
    const std::string key = query.text(row, 0);
    if (query.is_null(row, 1)) continue;
    if (key == "protect_deadline") settings.protect_deadline_ms = query.number(row, 1);
    else if (key == "paper_balance") settings.paper_balance = query.decimal(row, 1);
    else if (key == "taker_fee_bps") settings.taker_fee_bps = query.decimal(row, 1);
    else if (key == "slippage_bps") settings.slippage_bps = query.decimal(row, 1);
  }
  return query.result();
}

LoadResult load_commands(std::int32_t account_id, const std::string& account_version, std::vector<Command>& commands,
                         std::vector<LoadedTrade>& opening, std::string& error) {
  // id, kind, running, position_id, symbol, client_order_id, order_id, order_kind, reason, quantity, price, leverage, valid_until,
  // account_version; then the position of an opening that has not begun
  constexpr int kVersion = 13, kTrade = 14;
  const TableQuery query("monitoring.worker_load_commands", account_id, error);
  if (query.rows() > 0 && query.text(0, kVersion) != account_version) return LoadResult::account_changed;
  for (int row = 0; row < query.rows(); ++row) {
    const auto kind = command_kind_from(query.text(row, 1));
    if (!kind) continue;  // of a later version: it expires unanswered
    Command command;
    command.id = query.number(row, 0);
    command.kind = *kind;
    command.running = query.boolean(row, 2);
    command.position_id = query.number(row, 3);
    command.symbol = query.text(row, 4);
    command.client_order_id = query.text(row, 5);
    command.order_id = query.text(row, 6);
    command.order_kind = order_kind_from(query.text(row, 7));
    command.reason = query.text(row, 8);
    command.quantity = query.decimal_or_none(row, 9);
    command.price = query.decimal_or_none(row, 10);
    command.leverage = query.decimal_or_none(row, 11);
    command.valid_until_ms = query.number(row, 12);
    commands.push_back(std::move(command));
    if (!query.is_null(row, kTrade)) opening.push_back(trade_of(query, row, kTrade));
  }
  return query.result();
}

LoadResult reserve_order_ids(std::int32_t account_id, std::vector<std::int64_t>& order_ids, std::string& error) {
  const TableQuery query("monitoring.worker_reserve_order_ids", account_id, error);
  for (int row = 0; row < query.rows(); ++row) order_ids.push_back(query.number(row, 0));
  return query.result();
}

}  // namespace tradesync
