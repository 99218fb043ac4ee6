// One managed position on its way from wish to result, in memory. Its row is the part that survives a crash; everything else
// is found again from its orders and from what the venue says.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/command.hpp"

namespace tradesync {

// What is wanted of a stop (or a take profit), and how far the venue has followed.
struct Guard {
  explicit Guard(Purpose what) : purpose(what) {}
  Purpose purpose;
  std::optional<Decimal> wanted;            // the price somebody or the formula asked for; nullopt or 0 = none
  std::optional<Decimal> target;            // the price sent: wanted, or moved away from mark
  std::optional<Decimal> before;            // wanted before the command that is being carried out
  std::int64_t command = 0;                 // to be answered when the venue has followed
  int rejections = 0;                       // "would trigger immediately", in a row
  std::int64_t seen_rejected = 0;           // the newest order whose rejection has been counted
  std::int64_t retry_at_ms = 0;
  std::uint64_t write = 0;                  // set_position_stop under way
  std::optional<Decimal> told;              // position stops: what the venue has confirmed by its answer
  std::int64_t told_ms = 0, ask_at_ms = 0;
  std::string error;
  // What the last look found.
  bool live = false;                        // a live stop covers the whole position
  bool exact = false;                       // and it is the one wanted
  bool triggered = false;                   // it has fired: the position is on its way out
  std::optional<Decimal> live_price;
};

struct PartialClose {
  std::int64_t command = 0, order = 0;
  Decimal quantity;
};

struct Trade {
  std::int64_t id = 0;
  std::string symbol;
  PositionSide position_side = PositionSide::both;
  bool is_long = true;
  PositionStatus status = PositionStatus::pending_entry;
  std::optional<Decimal> wanted_quantity, wanted_notional, leverage, max_notional;
  Decimal stop_loss_percent;

  std::int64_t open_command = 0, valid_until_ms = 0;  // monotonic
  std::int64_t entry = 0;                   // own order
  std::uint64_t leverage_write = 0;
  bool leverage_done = false, verifying = false, mode_asked = false, mode_read_again = false;
  std::int64_t placed_venue_ms = 0;         // no fill of ours is older
  std::int64_t retry_at_ms = 0;             // preparing the entry
  std::optional<Decimal> entry_price;       // from fills
  Decimal entered;                          // largest size the entry has proven
  Decimal net;                              // signed sum of all fills of the symbol and side since then
  std::int64_t last_fill_ms = 0;            // venue time
  std::int64_t first_proof_ms = 0;          // monotonic: something told first that the entry was filled
  std::int64_t naked_since_ms = 0;          // monotonic, 0 = protected or nothing to protect
  std::int64_t asked_ms = 0;                // when the venue was last asked about this position

  Guard stop{Purpose::stop_loss};
  Guard take_profit{Purpose::take_profit};
  bool stop_is_own = false, stop_before_was_own = false;  // somebody has asked for this very price
  std::optional<Decimal> shown_stop, shown_take_profit;   // as the row says
  bool shown_live = false;
  std::int64_t triggered_ms = 0, flat_since_ms = 0;

  bool close_wanted = false, roll_back = false;
  std::vector<std::int64_t> close_commands;
  std::int64_t close_order = 0, close_again_at_ms = 0;
  std::vector<PartialClose> partial;

  bool over = false;                        // flat or failed; only orders are left to clean up
  std::int64_t over_ms = 0;
  std::int64_t due_ms = 0;                  // when to look at it again

  Side entry_side() const { return is_long ? Side::buy : Side::sell; }
  Side exit_side() const { return is_long ? Side::sell : Side::buy; }
  bool has_position() const { return entered.is_positive() && !over; }
};

}  // namespace tradesync
