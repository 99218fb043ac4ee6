// What people asked for: rows of monitoring.commands, picked up after their transaction has committed. A command is carried
// out once; what is left of it after a crash is read from its row, its position and its orders.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "core/model.hpp"
#include "core/request.hpp"
#include "core/states.hpp"

namespace tradesync {

enum class CommandKind : std::uint8_t {
  open_position,    // position_id; the position's own row says what (LoadedTrade)
  close_position,   // position_id; quantity: only so much; reason
  set_stop_loss,    // position_id, price
  set_take_profit,  // position_id, price; 0 = take it away
  set_leverage,     // symbol, leverage
  cancel_order,     // client_order_id, one of ours or not
};
std::string_view text(CommandKind kind);
std::optional<CommandKind> command_kind_from(std::string_view text);

struct Command {
  std::int64_t id = 0;
  CommandKind kind = CommandKind::open_position;
  bool running = false;               // begun before a restart
  std::int64_t position_id = 0;
  std::string symbol, client_order_id, order_id, reason;
  OrderKind order_kind = OrderKind::regular;  // cancel_order
  std::optional<Decimal> quantity, price, leverage;
  std::int64_t valid_until_ms = 0;    // unix ms; an opening that has not been sent by then is refused
};

// A managed position as the tables have it: at the start, and once when its opening is picked up.
struct LoadedTrade {
  std::int64_t id = 0;
  std::string symbol;
  PositionSide position_side = PositionSide::both;
  bool is_long = true;
  PositionStatus status = PositionStatus::pending_entry;
  std::optional<Decimal> wanted_quantity, wanted_notional;  // one of them
  std::optional<Decimal> leverage;                          // to be set before the entry; nullopt = leave it
  Decimal stop_loss_percent;
  std::optional<Decimal> wanted_stop_price;                 // set_stop_loss() or what the saga worked out; nullopt = by percent
  std::optional<Decimal> wanted_take_profit;
  std::optional<Decimal> entry_price;
  Decimal quantity;
  std::string exit_reason;
  std::int64_t unprotected_since_ms = 0;                    // unix ms; 0 = protected, or nothing filled yet
  bool row_is_open = true;                                  // false: over, but some order of it is still open
  std::optional<Decimal> max_notional;                      // what the risk limits left for the entry; nullopt = judged already
};

// An order of ours, open or belonging to an open position, with what its fills add up to.
struct LoadedOwnOrder {
  std::int64_t id = 0, position_id = 0;
  Purpose purpose = Purpose::entry;
  int attempt = 1;
  OrderTicket ticket;
  std::string order_id;               // "" = the venue has never answered
  OrderStatus status = OrderStatus::submitting;
  Decimal filled_quantity;            // as the order's reports say
  Decimal traded_quantity, traded_value;  // as its fills say: sum of quantity, sum of price × quantity
  std::int64_t sent_ms = 0;           // unix ms at which its row was written: not sent before
};

}  // namespace tradesync
