// See tables.hpp. What a worker is told when it starts, and when it asks for commands.
#include <algorithm>
#include <stdexcept>

#include "sim/tables.hpp"

namespace tradesync::sim {

Answer Tables::query(const std::string& function) {
  if (function == "monitoring.worker_load_account") return load_account();
  if (function == "monitoring.worker_load_positions") return load_positions();
  if (function == "monitoring.worker_load_orders") return load_orders();
  if (function == "monitoring.worker_load_cursors") return load_cursors();
  if (function == "monitoring.worker_load_trades") return load_trades();
  if (function == "monitoring.worker_load_own_orders") return load_own_orders();
  if (function == "monitoring.worker_load_commands") return load_commands();
  if (function == "monitoring.worker_load_recent_fills") return load_recent_fills();
  if (function == "monitoring.worker_reserve_order_ids") return reserve_order_ids();
  Answer answer;
  if (function == "monitoring.worker_load_epoch") {
    answer.row();
    answer.text(epoch);
  } else if (function == "monitoring.worker_load_settings") {
    for (const auto& [key, value] : settings) {
      answer.row();
      answer.text(key).text(value);
    }
  } else if (function == "monitoring.worker_load_position_modes") {
    for (const auto& [symbol, hedge] : modes) {
      answer.row();
      answer.text(symbol).boolean(hedge);
    }
  } else if (function == "monitoring.worker_load_leverages") {
    std::map<std::string, std::set<Decimal>> by_symbol;
    for (const auto& [key, row] : venue_positions)
      if (row.leverage) by_symbol[key.first].insert(*row.leverage);
    for (const auto& [symbol, leverages] : by_symbol) {
      if (leverages.size() != 1) continue;  // the sides of a hedge differ
      answer.row();
      answer.text(symbol).decimal(*leverages.begin());
    }
  } else if (function == "monitoring.worker_load_balances") {
    for (const auto& [asset, row] : balances) {
      answer.row();
      answer.text(asset).decimal(row.wallet_balance).decimal(row.available_balance).decimal(row.equity).number_or_null(row.updated_ms);
    }
  } else {
    throw std::logic_error("the simulation has no function " + function);
  }
  return answer;
}

Answer Tables::load_account() const {
  Answer answer;
  answer.row();
  answer.text(account_name).text(exchange).text("testnet").text(mode).null().null().null().boolean(enabled).boolean(halted)
      .text_or_null(halt_reason).number(account_version).text("fingerprint").text("{}");
  return answer;
}

Answer Tables::load_positions() const {
  std::map<std::pair<std::string, std::string>, std::pair<const VenueRow*, const PositionRow*>> both;
  for (const auto& [key, row] : venue_positions) both[key].first = &row;
  for (const PositionRow& row : positions)
    if (row.is_open()) both[{row.symbol, row.position_side}].second = &row;
  Answer answer;
  for (const auto& [key, pair] : both) {
    const auto& [venue, row] = pair;
    if ((!venue || venue->quantity.is_zero()) && !row) continue;
    answer.row();
    answer.text(key.first).text(key.second).decimal(venue ? venue->quantity : Decimal());
    answer.decimal(venue && venue->entry_price ? venue->entry_price : row ? row->entry_price : std::nullopt);
    answer.number(venue ? venue->version_order : 0).number(venue ? venue->version_time : 0).boolean(row != nullptr);
    answer.text_or_null(row ? row->side : "");
  }
  return answer;
}

Answer Tables::load_orders() const {
  Answer answer;
  for (const OrderRow& row : orders) {
    if (!row.is_open() || row.order_id.empty()) continue;
    answer.row();
    answer.text(row.symbol).text(row.order_id).text_or_null(row.client_order_id).text(row.kind).text(row.side).text(row.position_side)
        .text(row.type).text(text(row.status)).decimal(row.quantity).decimal(row.filled_quantity).number(row.version_order)
        .number(row.version_time).decimal(row.price).decimal(row.stop_price).boolean(row.reduce_only).decimal(row.average_price)
        .number(row.created_ms).text(row.purpose).number_or_null(row.position_id);
  }
  return answer;
}

Answer Tables::load_cursors() const {
  Answer answer;
  for (const auto& [key, position] : cursors) {
    answer.row();
    answer.text(key.first).text(key.second).text(position);
  }
  return answer;
}

// Managed open rows, and ended ones of which an order of ours is still open.
namespace {

constexpr int kTradeColumns = 17;

// The columns of type trade_state. Nobody has risk limits here.
void add_trade(Answer& answer, const PositionRow& row) {
  answer.number(row.id).text(row.symbol).text(row.position_side).boolean(row.side == "long").text(text(row.status))
      .decimal(row.wanted_quantity).decimal(row.wanted_notional).decimal(row.wanted_leverage).decimal(row.stop_loss_percent)
      .decimal(row.wanted_stop_price).decimal(row.wanted_take_profit).decimal(row.entry_price).decimal(row.quantity)
      .text_or_null(row.exit_reason).number_or_null(row.unprotected_since_ms).boolean(row.is_open())
      .null();
}

}  // namespace

Answer Tables::load_trades() const {
  Answer answer;
  for (const PositionRow& row : positions) {
    if (!row.managed) continue;
    bool wanted = row.is_open();
    for (const OrderRow& order : orders) wanted = wanted || (order.is_own() && order.is_open() && order.position_id == row.id);
    if (!wanted) continue;
    answer.row();
    add_trade(answer, row);
  }
  return answer;
}

Answer Tables::load_own_orders() const {
  Answer answer;
  for (const OrderRow& row : orders) {
    if (!row.is_own() || row.client_order_id.empty()) continue;
    const bool is_child = row.kind == "regular" && order_by_client_id(row.client_order_id, "conditional");
    if (is_child) continue;
    bool wanted = row.is_open();
    for (const PositionRow& position : positions) wanted = wanted || (position.id == row.position_id && position.is_open());
    if (!wanted) continue;
    const std::string& filled_order = row.child_order_id.empty() ? row.order_id : row.child_order_id;
    const bool may_have_fired = row.kind == "regular" || !row.child_order_id.empty() ||
                                (row.status != OrderStatus::submitting && row.status != OrderStatus::unknown &&
                                    row.status != OrderStatus::new_);
    Decimal traded, value;
    for (const TradeRow& trade : trades)
      if (may_have_fired && !filled_order.empty() && trade.symbol == row.symbol && trade.order_id == filled_order) {
        traded = sum(traded, trade.quantity);
        value = sum(value, multiply(trade.quantity, trade.price).value());
      }
    answer.row();
    answer.number(row.id).number_or_null(row.position_id).text(row.purpose).number(row.attempt).text(row.symbol).text(row.client_order_id)
        .text(row.kind).text(row.side).text(row.position_side).text(row.type).decimal(row.quantity).decimal(row.price)
        .decimal(row.stop_price).boolean(row.reduce_only).text_or_null(row.order_id).text(text(row.status)).decimal(row.filled_quantity)
        .decimal(traded).decimal(value).number(row.created_ms);
  }
  return answer;
}

Answer Tables::load_commands() const {
  Answer answer;
  for (const CommandRow& row : commands) {
    if (row.is_final()) continue;
    const OrderRow* order = nullptr;
    for (const OrderRow& candidate : orders)
      if (row.kind == "cancel_order" && candidate.is_open() && candidate.client_order_id == row.client_order_id &&
          (!order || (order->status == OrderStatus::triggered) >= (candidate.status == OrderStatus::triggered)))
        order = &candidate;
    answer.row();
    answer.number(row.id).text(row.kind).boolean(row.status == "running").number_or_null(row.position_id)
        .text_or_null(row.symbol.empty() && order ? order->symbol : row.symbol).text_or_null(row.client_order_id)
        .text_or_null(order ? order->order_id : "").text_or_null(order ? order->kind : "").text_or_null(row.reason)
        .decimal(row.quantity).decimal(row.price).decimal(row.leverage).number_or_null(row.valid_until_ms).number(account_version);
    const auto opening = std::find_if(positions.begin(), positions.end(), [&](const PositionRow& position) {
      return row.kind == "open_position" && row.status == "queued" && position.managed && position.id == row.position_id;
    });
    if (opening != positions.end()) add_trade(answer, *opening);
    else for (int column = 0; column < kTradeColumns; ++column) answer.null();
  }
  return answer;
}

// Fills that the venue may repeat: of the last hour, and of open managed positions.
Answer Tables::load_recent_fills() const {
  Answer answer;
  for (const TradeRow& row : trades) {
    answer.row();
    answer.text(row.symbol).text(row.trade_id);
  }
  return answer;
}

Answer Tables::reserve_order_ids() {
  Answer answer;
  for (int i = 0; i < 64; ++i) {
    answer.row();
    answer.number(next_order_id++);
  }
  return answer;
}

}  // namespace tradesync::sim
