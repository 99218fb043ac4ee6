// The way out: a reduce-only market order, flat proven, what is left cleaned up. Stops stay until the position is flat.
#include <algorithm>

#include "core/limits.hpp"
#include "core/sizing.hpp"
#include "core/trader.hpp"

namespace tradesync {

void Trader::start_closing(Trade& trade, std::string reason, std::int64_t now_ms, Effects& effects) {
  trade.close_wanted = true;
  if (!reason.empty()) {
    PositionUpdate update;
    update.id = trade.id;
    update.exit_reason = std::move(reason);
    effects.changes.put(update);
  }
  dirty_.insert(trade.id);
  // An entry that is still on its way is taken back or waited for first.
  if (trade.status == PositionStatus::pending_entry) return take_back(trade, "closed before it was sent", "failed", now_ms, effects);
  if (trade.status == PositionStatus::entry_placed) return;
  finish(std::exchange(trade.open_command, 0), "failed", "closed before it was active", effects);
  change(trade, PositionStatus::closing, effects);
}

void Trader::roll_back(Trade& trade, const std::string& why, std::int64_t now_ms, Effects& effects) {
  trade.roll_back = true;
  finish(std::exchange(trade.open_command, 0), "failed", "not protected in time, closed again: " + why, effects);
  note(effects, trade, "stop_loss_set_failed", "CRITICAL", "position without a live stop is closed at market: " + why);
  start_closing(trade, "not_protected", now_ms, effects);
}

OwnOrder* Trader::place_close(Trade& trade, const std::optional<Decimal>& quantity, std::int64_t now_ms, Effects& effects) {
  const Instrument* instrument = market_.instrument(trade.symbol);
  if (!instrument || !own_.can_submit()) return nullptr;
  const Sized sized = size_close(*instrument, quantity, held(trade));
  if (!sized.error.empty()) {
    note(effects, trade, "order_error", "ERROR", sized.error);
    return nullptr;
  }
  OrderTicket ticket;
  ticket.symbol = trade.symbol;
  ticket.side = trade.exit_side();
  ticket.position_side = trade.position_side;
  ticket.quantity = sized.quantity;
  ticket.reduce_only = true;
  note(effects, trade, "order_placed", "INFO", "close order for " + sized.quantity.text() + " " + trade.symbol);
  return &own_.submit(Purpose::close, trade.id, std::move(ticket), now_ms, effects.changes);
}

// One close order at a time. What it leaves over – thin book, refused, never accepted – is asked about, then closed by the next.
void Trader::advance_closing(Trade& trade, std::int64_t now_ms, Effects& effects) {
  advance_partial(trade, now_ms, effects);
  OwnOrder* order = own_.find(trade.close_order);
  if (order && !order->is_final()) return;
  if (order && order->never_accepted) return own_.submit_again(*order, now_ms, effects.changes);
  if (conclude_swallowed(trade, now_ms, effects)) return;
  if (held(trade).is_zero()) return conclude_flat(trade, now_ms, effects);
  if (order) {
    // The report of the position follows the end of the order; a second order before it could only be refused.
    const std::int64_t report_by = order->ended_ms + limits::kPositionReportMs;
    if (now_ms < report_by) return look_again(trade, report_by);
    if (trade.asked_ms < order->ended_ms) ask_about(trade, now_ms);
    const std::int64_t again_at = order->ended_ms + 2 * limits::kLookUpFirstMs;
    if (now_ms < again_at) return look_again(trade, again_at);
  }
  OwnOrder* next = place_close(trade, std::nullopt, now_ms, effects);
  if (next) trade.close_order = next->id;
  else look_again(trade, now_ms + limits::kLookUpFirstMs);
}

void Trader::advance_partial(Trade& trade, std::int64_t now_ms, Effects& effects) {
  for (PartialClose& partial : trade.partial) {
    if (partial.order == 0) {
      if (held(trade) < partial.quantity) {
        finish(std::exchange(partial.command, 0), "failed", "the position is only " + held(trade).text() + " by now", effects);
        continue;
      }
      if (OwnOrder* order = place_close(trade, partial.quantity, now_ms, effects)) partial.order = order->id;
      else look_again(trade, now_ms + limits::kLookUpFirstMs);
      continue;
    }
    OwnOrder* order = own_.find(partial.order);
    if (order && !order->is_final()) continue;
    if (order && order->never_accepted) {
      own_.submit_again(*order, now_ms, effects.changes);
      continue;
    }
    const bool filled = order && order->status == OrderStatus::filled;
    finish(std::exchange(partial.command, 0), filled ? "done" : "failed",
           filled || !order ? "" : order->reject_reason.empty() ? "only " + order->filled().text() + " was filled" : order->reject_reason, effects);
  }
  std::erase_if(trade.partial, [](const PartialClose& partial) { return partial.command == 0; });
}

// Our own reckoning says flat. The venue's report settles it; where the venue has never shown the position (opened and closed
// while nobody listened), the fills alone have to do, once they are all here and the venue lists no such position.
void Trader::conclude_flat(Trade& trade, std::int64_t now_ms, Effects& effects) {
  if (trade.flat_since_ms == 0) {
    trade.flat_since_ms = now_ms;
    return look_again(trade, now_ms + limits::kPositionReportMs);
  }
  if (now_ms - trade.flat_since_ms < limits::kPositionReportMs) return look_again(trade, trade.flat_since_ms + limits::kPositionReportMs);
  if (!positions_.is_open(trade.symbol, trade.position_side) && trade.net.is_zero() && trade.last_fill_ms != 0 && trade.asked_ms > trade.flat_since_ms &&
      now_ms - trade.asked_ms >= limits::kProofPauseMs) {
    Closing closing{trade.symbol, trade.position_side, trade.is_long ? "long" : "short", trade.last_fill_ms, "closed_on_exchange"};
    on_closed(closing, now_ms, effects);
    effects.changes.put(std::move(closing));
    return;
  }
  if (trade.asked_ms <= trade.flat_since_ms) ask_about(trade, now_ms);
  look_again(trade, now_ms + limits::kProofPauseMs);
}

// Two fills crossed: what we entered was swallowed by a position of somebody else on the other side, wholly or all of it. Ours
// never was, or is no more; there is nothing to protect and nothing to close.
bool Trader::conclude_swallowed(Trade& trade, std::int64_t now_ms, Effects& effects) {
  const VenuePosition* report = positions_.find(trade.symbol, trade.position_side);
  // The report must know of our entry: of its last fill or, while that has not been told, of the time after it was sent.
  const std::int64_t since_ms = trade.last_fill_ms != 0 ? trade.last_fill_ms : trade.placed_venue_ms;
  if (!report || since_ms == 0 || !trade.entered.is_positive() || report->version.time < since_ms) return false;
  const bool other_way = !report->quantity.is_zero() && report->quantity.is_positive() != trade.is_long;
  // Flat, all fills explain it, and still it was not our row that ended.
  const bool both_gone = report->quantity.is_zero() && !trade.net.is_zero() && !positions_.is_open(trade.symbol, trade.position_side) &&
                         !positions_.is_unexplained(trade.symbol);
  if (!other_way && !both_gone) return false;
  change(trade, PositionStatus::closing, effects);
  change(trade, trade.roll_back ? PositionStatus::rolled_back : PositionStatus::closed, effects);
  PositionUpdate update;
  update.id = trade.id;
  update.has_stop_loss = false;
  update.exit_reason = "netted";
  effects.changes.put(update);
  settle_wishes(trade, effects);
  note(effects, trade, "position_closed", "WARNING", "the exchange has netted it with a position of somebody else");
  leave_to_others(trade, effects);
  end(trade, now_ms);
  return true;
}

void Trader::on_closed(const Closing& closing, std::int64_t now_ms, Effects& effects) {
  Trade* trade = find(closing.symbol, closing.position_side);
  if (!trade || trade->status == PositionStatus::pending_entry) return;
  // Somebody else's on the other side has ended: our entry met it.
  if (!closing.side.empty() && (closing.side == "long") != trade->is_long) return void(dirty_.insert(trade->id));
  // Opened and closed between two looks: what is flat again was filled.
  if (trade->status == PositionStatus::entry_placed) change(*trade, PositionStatus::pending_sl, effects);
  change(*trade, PositionStatus::closing, effects);
  PositionUpdate update;
  update.id = trade->id;
  update.has_stop_loss = false;
  update.unprotected_since_ms = 0;
  effects.changes.put(update);
  move_to(trade->status, trade->roll_back ? PositionStatus::rolled_back : PositionStatus::closed);
  settle_wishes(*trade, effects);
  note(effects, *trade, "position_closed", "INFO", "flat at " + std::to_string(closing.closed_ms));
  end(*trade, now_ms);
}

// Everything that somebody still waits for is answered: the position is over.
void Trader::settle_wishes(Trade& trade, Effects& effects) {
  finish(std::exchange(trade.open_command, 0), "failed", "the position was closed before it was protected", effects);
  for (const std::int64_t command : std::exchange(trade.close_commands, {})) finish(command, "done", {}, effects);
  for (Guard* guard : {&trade.stop, &trade.take_profit}) finish(std::exchange(guard->command, 0), "failed", "the position was closed first", effects);
  for (PartialClose& partial : trade.partial) finish(partial.command, "failed", "the position was closed first", effects);
  trade.partial.clear();
}

void Trader::end(Trade& trade, std::int64_t now_ms) {
  if (trade.over) return;
  trade.over = true;
  trade.over_ms = std::max<std::int64_t>(now_ms, 1);
  // A stop that waits for its turn – a ban lasts ten minutes – must not meet the next position of the symbol.
  for (Guard* guard : {&trade.stop, &trade.take_profit})
    if (guard->write != 0 && writes_.withdraw(guard->write)) guard->write = 0;
  if (const auto it = by_key_.find({trade.symbol, trade.position_side}); it != by_key_.end() && it->second == trade.id) by_key_.erase(it);
  followed_.push_back(trade.symbol);
  dirty_.insert(trade.id);
}

// Orders that outlive their position are taken off the venue; then, after a while for late reports, all is forgotten.
void Trader::clean_up(Trade& trade, std::int64_t now_ms, Effects& effects) {
  bool any_left = false;
  for (OwnOrder* order : own_.of_position(trade.id)) {
    own_.cancel(*order, now_ms, effects.changes);
    any_left |= !order->is_final();
    // The venue says that more of it was filled than we have fills of: lists of executions lag.
    if (order->traded_quantity < order->filled_quantity && now_ms - trade.asked_ms >= limits::kProofPauseMs) ask_about(trade, now_ms);
    if (order->traded_quantity < order->filled_quantity) look_again(trade, now_ms + limits::kProofPauseMs);
  }
  if (any_left) return look_again(trade, now_ms + limits::kForgetTradeMs);
  if (now_ms - trade.over_ms < limits::kForgetTradeMs) return look_again(trade, trade.over_ms + limits::kForgetTradeMs);
  for (const OwnOrder* order : own_.of_position(trade.id)) own_.forget(order->id);
  trade.over_ms = 0;  // step() lets it go
}

}  // namespace tradesync
