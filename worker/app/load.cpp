#include "app/load.hpp"

#include "app/table_query.hpp"

namespace tradesync {
namespace {

LoadResult load_positions(std::int32_t account_id, Loaded& loaded, std::string& error) {
  // symbol, position_side, quantity, entry_price, version_order, version_time, open, side
  const TableQuery query("monitoring.worker_load_positions", account_id, error);
  for (int row = 0; row < query.rows(); ++row) {
    LoadedPosition held;
    held.position.symbol = query.text(row, 0);
    held.position.position_side = position_side_from(query.text(row, 1)).value_or(PositionSide::both);
    held.position.quantity = query.decimal(row, 2);
    held.position.entry_price = query.decimal(row, 3);
    held.position.version = Version{query.number(row, 4), query.number(row, 5)};
    held.reported = query.number(row, 5) > 0;  // a row that was opened and never shown by the venue has no version
    held.row_open = query.boolean(row, 6);
    held.row_side = query.text(row, 7);
    loaded.positions.push_back(std::move(held));
  }
  return query.result();
}

LoadResult load_orders(std::int32_t account_id, Loaded& loaded, std::string& error) {
  // symbol, order_id, client_order_id, kind, side, position_side, type, status, quantity, filled_quantity, version_order,
  // version_time, price, stop_price, reduce_only, average_price, created_at, purpose, position_id
  const TableQuery query("monitoring.worker_load_orders", account_id, error);
  for (int row = 0; row < query.rows(); ++row) {
    Order order;
    order.symbol = query.text(row, 0);
    order.order_id = query.text(row, 1);
    order.client_order_id = query.text(row, 2);
    order.kind = query.text(row, 3) == "conditional" ? OrderKind::conditional : OrderKind::regular;
    order.side = query.text(row, 4) == "sell" ? Side::sell : Side::buy;
    order.position_side = position_side_from(query.text(row, 5)).value_or(PositionSide::both);
    order.type = query.text(row, 6);
    order.status = order_status_from(query.text(row, 7)).value_or(OrderStatus::unknown);
    order.quantity = query.decimal(row, 8);
    order.filled_quantity = query.decimal(row, 9);
    order.version = Version{query.number(row, 10), query.number(row, 11)};
    order.price = query.decimal_or_none(row, 12);
    order.stop_price = query.decimal_or_none(row, 13);
    order.reduce_only = query.boolean(row, 14);
    order.average_price = query.decimal_or_none(row, 15);
    order.created_ms = query.number(row, 16);
    order.purpose = purpose_from(query.text(row, 17));
    order.position_id = query.number(row, 18);
    loaded.orders.push_back(std::move(order));
  }
  return query.result();
}

LoadResult load_cursors(std::int32_t account_id, Loaded& loaded, std::string& error) {
  // stream, symbol, position
  const TableQuery query("monitoring.worker_load_cursors", account_id, error);
  for (int row = 0; row < query.rows(); ++row) {
    if (query.text(row, 0) == "account") loaded.cursors.account_ms = query.number(row, 2);
    else if (query.text(row, 0) == "trades") loaded.cursors.read_from[query.text(row, 1)] = query.text(row, 2);
  }
  return query.result();
}

}  // namespace

LoadResult load_account(std::int32_t account_id, Account& account, std::string& error) {
  // name, exchange, environment, mode, rest_url, ws_public_url, ws_private_url, enabled, halted, halt_reason, row_version, …
  const TableQuery query("monitoring.worker_load_account", account_id, error);
  if (query.result() != LoadResult::ok) return query.result();
  if (query.rows() == 0) return LoadResult::no_account;
  account = {query.text(0, 0), query.text(0, 1), query.text(0, 2), query.text(0, 3), query.text(0, 4), query.text(0, 5),
             query.text(0, 6), query.text(0, 9), query.text(0, 10), query.boolean(0, 7), query.boolean(0, 8)};
  return LoadResult::ok;
}

LoadResult load_state(std::int32_t account_id, Loaded& loaded, std::string& error) {
  for (const auto& load : {load_positions, load_orders, load_cursors})
    if (const LoadResult result = load(account_id, loaded, error); result != LoadResult::ok) return result;
  return LoadResult::ok;
}

}  // namespace tradesync
