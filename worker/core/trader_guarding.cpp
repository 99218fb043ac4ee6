// From the first fill on: the entry price from the fills, a stop for the whole size, and no longer without one than allowed.
#include <algorithm>

#include "core/limits.hpp"
#include "core/stop_price.hpp"
#include "core/trader.hpp"

namespace tradesync {

void Trader::advance_guarded(Trade& trade, std::int64_t now_ms, Effects& effects) {
  advance_partial(trade, now_ms, effects);
  const Decimal size = held(trade);
  if (conclude_swallowed(trade, now_ms, effects)) return;
  if (trade.entered < size) trade.entered = size;
  if (size.is_zero()) return conclude_flat(trade, now_ms, effects);
  const Instrument* instrument = market_.instrument(trade.symbol);
  const bool priced = know_entry_price(trade, now_ms, effects);

  const Guard stop_before = trade.stop;
  const Protection::Scene scene{size, market_.mark(trade.symbol, now_ms, limits::kPriceFreshMs), instrument ? instrument->tick_size : Decimal(), now_ms};
  if (instrument && (priced || trade.stop.wanted)) {
    if (priced) aim_stop(trade);
    look_again(trade, protection_.keep(trade, trade.stop, scene, effects.changes));
    look_again(trade, protection_.keep(trade, trade.take_profit, scene, effects.changes));
    if (Protection::wants_question(trade.stop, now_ms) || Protection::wants_question(trade.take_profit, now_ms)) {
      ask_about(trade, now_ms);
      look_again(trade, now_ms + limits::kPositionReportMs);
    }
  }
  report_protection(trade, stop_before, now_ms, effects);
  answer_guard_command(trade, trade.stop, now_ms, effects);
  answer_guard_command(trade, trade.take_profit, now_ms, effects);
  // The price is beyond the target already: what it should have done is done now. Placing it again would be refused for ever.
  if (trade.take_profit.command == 0 && trade.take_profit.rejections > 0) return start_closing(trade, "take_profit", now_ms, effects);
  if (trade.stop.triggered) return watch_trigger(trade, trade.stop, now_ms, effects);
  if (trade.take_profit.triggered) return watch_trigger(trade, trade.take_profit, now_ms, effects);
  if (trade.naked_since_ms == 0) return;

  const std::int64_t deadline = trade.naked_since_ms + settings_.protect_deadline_ms;
  const bool hopeless = trade.stop.rejections > limits::kStopRejectionsAtMost;
  if (now_ms < deadline && !hopeless) return look_again(trade, deadline);
  roll_back(trade, trade.stop.error.empty() ? "no confirmed stop in time" : trade.stop.error, now_ms, effects);
}

// From fills only; while they are still on their way, what the order or the position says – soon replaced.
bool Trader::know_entry_price(Trade& trade, std::int64_t now_ms, Effects& effects) {
  const OwnOrder* entry = own_.find(trade.entry);
  std::optional<Decimal> price = entry ? entry->price_from_fills() : std::nullopt;
  const bool from_fills = price.has_value();
  if (!price && trade.entry_price) return true;
  if (!price && now_ms - trade.first_proof_ms < limits::kEntryFillsMs) {
    look_again(trade, trade.first_proof_ms + limits::kEntryFillsMs);
    return false;
  }
  if (!price && entry && entry->average_price && entry->average_price->is_positive()) price = entry->average_price;
  const VenuePosition* venue = positions_.find(trade.symbol, trade.position_side);
  if (!price && venue && venue->entry_price.is_positive()) price = venue->entry_price;
  if (!price) return false;
  if (!from_fills) ask_about(trade, now_ms);
  if (trade.entry_price == price) return true;
  trade.entry_price = price;
  PositionUpdate update;
  update.id = trade.id;
  update.entry_price = price;
  update.quantity = held(trade);
  if (entry && entry->first_fill_ms != 0) update.opened_ms = entry->first_fill_ms;
  if (entry) update.exchange_order_id = entry->order_id;
  effects.changes.put(update);
  return true;
}

// A stop that somebody has asked for stays where it is; the formula's follows the entry price.
void Trader::aim_stop(Trade& trade) {
  if (trade.stop_is_own) return;
  const Instrument* instrument = market_.instrument(trade.symbol);
  const auto wanted = stop_by_percent(*trade.entry_price, trade.stop_loss_percent, trade.is_long, instrument->tick_size);
  if (!wanted || trade.stop.wanted == wanted) return;
  trade.stop.wanted = wanted;
  trade.stop.target.reset();
}

void Trader::report_protection(Trade& trade, const Guard& before, std::int64_t now_ms, Effects& effects) {
  const bool covered = trade.stop.live || trade.stop.triggered;
  PositionUpdate update;
  update.id = trade.id;
  bool news = false;
  if (trade.stop.live_price && trade.stop.live_price != trade.shown_stop) {
    update.stop_loss_price = trade.shown_stop = trade.stop.live_price;
    news = true;
  }
  if (trade.stop.live != trade.shown_live) {
    update.has_stop_loss = trade.shown_live = trade.stop.live;
    news = true;
  }
  if (covered != (trade.naked_since_ms == 0)) {
    trade.naked_since_ms = covered ? 0 : std::max<std::int64_t>(now_ms, 1);
    update.unprotected_since_ms = covered ? 0 : now_ms + settings_.unix_offset_ms;
    news = true;
  }
  if (trade.take_profit.live_price != trade.shown_take_profit) {
    trade.shown_take_profit = trade.take_profit.live_price;
    update.take_profit_price = trade.shown_take_profit.value_or(Decimal());
    news = true;
  }
  if (news) effects.changes.put(update);
  if (trade.stop.exact && !before.exact)
    note(effects, trade, "stop_loss_placed", "INFO", "stop loss at " + trade.stop.live_price.value_or(Decimal()).text());
  const bool failed_again = trade.stop.rejections > before.rejections;
  if (failed_again) note(effects, trade, "stop_loss_error", "WARNING", trade.stop.error);
  // The stop that the entry brought along protects; the exact one may still be on its way.
  if (trade.status == PositionStatus::pending_sl && trade.stop.exact) {
    change(trade, PositionStatus::active, effects);
    finish(std::exchange(trade.open_command, 0), "done", {}, effects);
  }
}

// Done when the venue shows it. One that would fire at once is given up, and the one before it stays.
void Trader::answer_guard_command(Trade& trade, Guard& guard, std::int64_t, Effects& effects) {
  if (guard.command == 0) return;
  const bool is_stop = guard.purpose == Purpose::stop_loss;
  const bool nothing_wanted = !guard.wanted || guard.wanted->is_zero();
  if (guard.exact || (nothing_wanted && !guard.live)) {
    finish(std::exchange(guard.command, 0), "done", {}, effects);
    return;
  }
  if (guard.rejections == 0) return;
  finish(std::exchange(guard.command, 0), "failed", guard.error, effects);
  guard.wanted = guard.before;
  guard.target.reset();
  guard.rejections = 0;
  PositionUpdate update;
  update.id = trade.id;
  (is_stop ? update.wanted_stop_price : update.wanted_take_profit) = guard.before.value_or(Decimal());
  effects.changes.put(update);
  if (is_stop && !trade.stop_before_was_own) trade.stop_is_own = false;
  dirty_.insert(trade.id);
}

// A stop or target that has fired closes the position within a moment. When it does not – no liquidity, refused – we do.
void Trader::watch_trigger(Trade& trade, const Guard& guard, std::int64_t now_ms, Effects& effects) {
  const std::string name = guard.purpose == Purpose::stop_loss ? "stop loss" : "take profit";
  if (trade.triggered_ms == 0) {
    trade.triggered_ms = now_ms;
    const char* event = guard.purpose == Purpose::stop_loss ? "stop_loss_triggered" : "take_profit_triggered";
    note(effects, trade, event, "INFO", "the " + name + " has fired");
  }
  const std::int64_t help_at = trade.triggered_ms + limits::kTriggerGraceMs;
  if (now_ms < help_at) return look_again(trade, help_at);
  if (now_ms < help_at + limits::kTriggerGraceMs && trade.asked_ms < trade.triggered_ms) {
    ask_about(trade, now_ms);
    return look_again(trade, help_at + limits::kTriggerGraceMs);
  }
  note(effects, trade, "stop_loss_error", "CRITICAL", "the " + name + " has fired and the position is still open; closing it at market");
  start_closing(trade, std::string(text(guard.purpose)), now_ms, effects);
}

}  // namespace tradesync
