// Rows about what we want and do ourselves: own orders, managed positions, commands, position modes.
#include <string_view>

#include "app/tables.hpp"

namespace tradesync {
namespace {

constexpr const char* kSaveOwnOrders = "monitoring.worker_save_own_orders";

void add(Rows& rows, const OwnOrderRow& own) {
  const OrderTicket& t = own.ticket;
  rows.number(own.id).id_or_null(own.position_id).text(text(own.purpose)).number(own.attempt).text(t.symbol).text(t.client_order_id)
      .text(text(t.kind)).text(text(t.side)).text(text(t.position_side)).text(t.type).decimal(t.quantity).decimal(t.price)
      .decimal(t.stop_price).boolean(t.reduce_only).text(text(own.status)).text_or_null(own.venue_status).text_or_null(own.reject_reason);
}

// NULL leaves a column as it is.
void add(Rows& rows, const PositionUpdate& u) {
  rows.number(u.id);
  if (u.status) rows.text(text(*u.status));
  else rows.null();
  if (u.position_side) rows.text(text(*u.position_side));
  else rows.null();
  rows.decimal(u.quantity).decimal(u.entry_price).decimal(u.stop_loss_price).decimal(u.take_profit_price).decimal(u.wanted_stop_price)
      .decimal(u.wanted_take_profit);
  if (u.has_stop_loss) rows.boolean(*u.has_stop_loss);
  else rows.null();
  rows.text_or_null(u.exit_reason).text_or_null(u.exchange_order_id).time_or_null(u.opened_ms);
  if (u.unprotected_since_ms > 0) rows.number(u.unprotected_since_ms);
  else rows.null();
  rows.boolean(u.unprotected_since_ms == 0);
}

}  // namespace

bool is_own_orders(const Rows& rows) { return std::string_view(rows.function()) == kSaveOwnOrders; }

void Tables::fill_trading(const Changes& changes) {
  Rows& modes = table("monitoring.worker_save_position_modes", "monitoring.position_mode_row", 2);
  // An account is read symbol by symbol; the last answer of a turn about one of them counts.
  for (auto mode = changes.position_modes.begin(); mode != changes.position_modes.end(); ++mode) {
    bool said_again = false;
    for (auto later = mode + 1; later != changes.position_modes.end(); ++later) said_again |= later->symbol == mode->symbol;
    if (!said_again) modes.text(mode->symbol).boolean(mode->hedge);
  }
  Rows& own_orders = table(kSaveOwnOrders, "monitoring.own_order_row", 17);
  for (const OwnOrderRow& own : changes.own_orders) add(own_orders, own);
  Rows& positions = table("monitoring.worker_save_position_updates", "monitoring.position_update_row", 15);
  for (const PositionUpdate& update : changes.position_updates) add(positions, update);
  Rows& commands = table("monitoring.worker_save_commands", "monitoring.command_row", 3);
  for (const CommandResult& result : changes.commands) commands.number(result.id).text(result.status).text_or_null(result.error);
}

}  // namespace tradesync
