// From the wish to the first proof that it was filled.
#include <algorithm>

#include "core/limits.hpp"
#include "core/sizing.hpp"
#include "core/stop_price.hpp"
#include "core/trader.hpp"

namespace tradesync {
namespace {

constexpr std::uint64_t kSagaCheck = 1ull << 61;

// "" = the entry may cost this much. Where no price was known when the risk limits were asked, what they left comes with the row.
std::string limit_error(const Trade& trade, const Decimal& quantity, const Decimal& price) {
  if (!trade.max_notional) return {};
  const auto worth = multiply(quantity, price);
  if (worth && *worth <= *trade.max_notional) return {};
  return "quantity " + quantity.text() + " of " + trade.symbol + " at price " + price.text() + " is worth " +
         (worth ? worth->text() : "too much") + ", above max_notional " + trade.max_notional->text() +
         ", which the risk limits of the account left for it";
}

}  // namespace

// Nothing leaves before everything that the order depends on is known: session, mode, leverage, price, size.
void Trader::advance_pending_entry(Trade& trade, bool live, std::int64_t now_ms, Effects& effects) {
  if (trade.open_command == 0 || now_ms > trade.valid_until_ms)
    return take_back(trade, "expired", "expired", now_ms, effects);
  if (!not_opening_.empty()) return take_back(trade, "refused: " + not_opening_, "failed", now_ms, effects);
  look_again(trade, trade.valid_until_ms == INT64_MAX ? INT64_MAX : trade.valid_until_ms + 1);
  if (!live || !market_.instruments_known || !own_.can_submit()) return;
  const Instrument* instrument = market_.instrument(trade.symbol);
  if (!instrument) return fail(trade, "unknown_symbol", "the exchange lists no symbol " + trade.symbol, now_ms, effects);
  if (trade.retry_at_ms > now_ms) return look_again(trade, trade.retry_at_ms);
  const bool mode_known = prepare_mode(trade, now_ms, effects);
  const bool leverage_set = prepare_leverage(trade);
  const auto price = prepare_price(trade, now_ms);
  if (!mode_known || !leverage_set || !price) return;
  if (fail_if_taken(trade, now_ms, effects)) return;
  place_entry(trade, *instrument, *price, now_ms, effects);
}

// Somebody else was faster, and our row was written before anybody knew: an entry would add to his position or reduce it.
bool Trader::fail_if_taken(Trade& trade, std::int64_t now_ms, Effects& effects) {
  const VenuePosition* held = positions_.find(trade.symbol, trade.position_side);
  if (!held || held->quantity.is_zero()) return false;
  const std::string what = held->quantity.text() + " " + trade.symbol;
  fail(trade, "position_exists", "the exchange holds " + what + " that nobody here has opened", now_ms, effects);
  return true;
}

// A report that came while our row had the place went nowhere: with the row gone it is somebody else's position.
void Trader::leave_to_others(const Trade& trade, Effects& effects) {
  const VenuePosition* held = positions_.find(trade.symbol, trade.position_side);
  if (held && !held->quantity.is_zero()) effects.changes.put(PositionChange{*held, Source::stream});
}

void Trader::ask_mode(const std::string& symbol) {
  if (!asked_modes_.insert(symbol).second) return;
  Request request;
  request.kind = RequestKind::position_mode;
  request.symbol = symbol;
  reads_[requests_.ask(std::move(request), Requests::Priority::urgent)] = symbol;
}

bool Trader::prepare_mode(Trade& trade, std::int64_t now_ms, Effects& effects) {
  const auto hedged = market_.is_hedged(trade.symbol, rules_.position_mode_account_wide);
  if (hedged) return take_side(trade, *hedged, now_ms, effects);
  ask_mode(trade.symbol);
  return false;
}

// One-way or the side of a hedge. false: that place is taken, the opening has failed.
bool Trader::take_side(Trade& trade, bool hedged, std::int64_t now_ms, Effects& effects) {
  const PositionSide wanted = !hedged ? PositionSide::both : trade.is_long ? PositionSide::long_ : PositionSide::short_;
  if (wanted == trade.position_side) return true;
  if (find(trade.symbol, wanted)) {
    fail(trade, "position_exists", "another position of " + trade.symbol + " is open on that side", now_ms, effects);
    return false;
  }
  by_key_.erase({trade.symbol, trade.position_side});
  trade.position_side = wanted;
  by_key_[{trade.symbol, wanted}] = trade.id;
  PositionUpdate update;
  update.id = trade.id;
  update.position_side = wanted;
  effects.changes.put(update);
  return true;
}

bool Trader::prepare_leverage(Trade& trade) {
  if (!trade.leverage || trade.leverage_done) return true;
  const auto known = market_.leverages.find(trade.symbol);
  if (known != market_.leverages.end() && known->second == *trade.leverage) return true;
  if (trade.leverage_write == 0) {
    Request request;
    request.kind = RequestKind::set_leverage;
    request.symbol = trade.symbol;
    request.leverage = *trade.leverage;
    trade.leverage_write = writes_.send(std::move(request));
  }
  return false;
}

std::optional<Decimal> Trader::prepare_price(Trade& trade, std::int64_t now_ms) {
  const auto mark = market_.mark(trade.symbol, now_ms, limits::kPriceFreshMs);
  if (mark) return mark;
  if (asked_prices_.insert(trade.symbol).second) {
    Request request;
    request.kind = RequestKind::ticker;
    request.symbol = trade.symbol;
    reads_[requests_.ask(std::move(request), Requests::Priority::urgent)] = trade.symbol;
  }
  return std::nullopt;
}

void Trader::place_entry(Trade& trade, const Instrument& instrument, const Decimal& price, std::int64_t now_ms, Effects& effects) {
  const Sized sized = size_entry(instrument, trade.wanted_quantity, trade.wanted_notional, price);
  if (!sized.error.empty()) return fail(trade, "size_refused", sized.error, now_ms, effects);
  if (std::string error = limit_error(trade, sized.quantity, price); !error.empty())
    return fail(trade, "max_notional", std::move(error), now_ms, effects);
  OrderTicket ticket;
  ticket.symbol = trade.symbol;
  ticket.side = trade.entry_side();
  ticket.position_side = trade.position_side;
  ticket.quantity = sized.quantity;
  if (rules_.position_stops) {
    // The position is never naked: the order brings a stop along, the exact one follows when the fills are known.
    const auto stop = trade.stop.wanted ? trade.stop.wanted : stop_by_percent(price, trade.stop_loss_percent, trade.is_long, instrument.tick_size);
    if (!stop) return fail(trade, "stop_impossible", "no stop price " + trade.stop_loss_percent.text() + " % from " + price.text(), now_ms, effects);
    ticket.stop_price = stop_beside_mark(*stop, price, trade.is_long, instrument.tick_size, 0);
  }
  trade.placed_venue_ms = clock_.venue_now(now_ms);
  trade.entry = own_.submit(Purpose::entry, trade.id, std::move(ticket), now_ms, effects.changes).id;
  change(trade, PositionStatus::entry_placed, effects);
  note(effects, trade, "order_placed", "INFO", "entry order for " + sized.quantity.text() + " " + trade.symbol);
}

// ------------------------------------------------------------------------------------------------ sent

// Whoever proves a fill first starts the protection: reports of the order, fills, or the position itself.
void Trader::advance_entry_placed(Trade& trade, std::int64_t now_ms, Effects& effects) {
  OwnOrder* entry = own_.find(trade.entry);
  if (!entry) return fail(trade, "entry_lost", "the entry order has no row", now_ms, effects);
  Decimal filled = entry->filled();
  const VenuePosition* report = positions_.find(trade.symbol, trade.position_side);
  if (const auto venue = venue_holds(trade); venue && report->version.time >= trade.placed_venue_ms && filled < *venue) filled = *venue;
  if (filled.is_positive()) return first_proof(trade, *entry, filled, now_ms, effects);
  if (entry->answered && !trade.verifying && !entry->is_final()) {
    trade.verifying = true;
    verification_.begin(kSagaCheck + static_cast<std::uint64_t>(trade.id), {trade.symbol, trade.position_side, trade.is_long, trade.id, trade.entry}, true, now_ms);
  }
  const bool stale = now_ms > trade.valid_until_ms;
  const bool unwanted = trade.close_wanted || stale || !not_opening_.empty();
  if (!entry->is_final()) {
    // A wish that has grown old while the order could not leave is taken back; one that has left is waited for.
    if (unwanted) own_.cancel(*entry, now_ms, effects.changes);
    else look_again(trade, trade.valid_until_ms == INT64_MAX ? INT64_MAX : trade.valid_until_ms + 1);
    if (!entry->is_final()) return;
  }
  if (entry->never_accepted && !unwanted) {
    if (fail_if_taken(trade, now_ms, effects)) return;
    return own_.submit_again(*entry, now_ms, effects.changes);
  }
  if (entry->refusal == Refusal::position_mode && !trade.mode_read_again) return reread_mode(trade, *entry, now_ms, effects);
  const std::string why = entry->reject_reason.empty() ? std::string(text(entry->status)) + " without a fill" : entry->reject_reason;
  if (entry->venue_status == "WITHDRAWN") return take_back(trade, stale ? "expired" : "taken back", stale ? "expired" : "failed", now_ms, effects);
  fail(trade, entry->never_accepted ? "never_accepted" : entry->status == OrderStatus::rejected ? "entry_refused" : "not_filled", why, now_ms, effects);
}

// The venue says that our idea of the position mode is wrong. Nothing was accepted: the mode is read, then tried once more.
void Trader::reread_mode(Trade& trade, OwnOrder& entry, std::int64_t now_ms, Effects& effects) {
  if (!std::exchange(trade.mode_asked, true)) return ask_mode(trade.symbol);
  if (asked_modes_.contains(trade.symbol)) return;
  trade.mode_read_again = true;
  const auto hedged = market_.is_hedged(trade.symbol, rules_.position_mode_account_wide);
  if (!hedged || !take_side(trade, *hedged, now_ms, effects) || fail_if_taken(trade, now_ms, effects)) return;
  entry.ticket.position_side = trade.position_side;
  own_.submit_again(entry, now_ms, effects.changes);
}

void Trader::first_proof(Trade& trade, const OwnOrder& entry, const Decimal& filled, std::int64_t now_ms, Effects& effects) {
  trade.first_proof_ms = now_ms;
  trade.entered = filled;
  trade.naked_since_ms = std::max<std::int64_t>(now_ms, 1);
  change(trade, PositionStatus::pending_sl, effects);
  PositionUpdate update;
  update.id = trade.id;
  update.quantity = filled;
  update.entry_price = trade.entry_price = entry.price_from_fills();
  update.exchange_order_id = entry.order_id;
  update.opened_ms = entry.first_fill_ms;
  update.unprotected_since_ms = now_ms + settings_.unix_offset_ms;
  effects.changes.put(update);
  note(effects, trade, "position_created", "INFO", filled.text() + " " + trade.symbol + (trade.is_long ? " long" : " short"));
  if (!trade.verifying) {
    trade.verifying = true;
    verification_.begin(kSagaCheck + static_cast<std::uint64_t>(trade.id), {trade.symbol, trade.position_side, trade.is_long, trade.id, trade.entry}, true, now_ms);
  }
  dirty_.insert(trade.id);
  if (trade.close_wanted) return start_closing(trade, {}, now_ms, effects);
  advance_guarded(trade, now_ms, effects);
}

// ------------------------------------------------------------------------------------------------ not opened

void Trader::take_back(Trade& trade, std::string reason, std::string command_status, std::int64_t now_ms, Effects& effects) {
  change(trade, PositionStatus::canceled, effects);
  PositionUpdate update;
  update.id = trade.id;
  update.exit_reason = reason;
  effects.changes.put(update);
  finish(trade.open_command, std::move(command_status), "not sent: " + reason, effects);
  for (const std::int64_t command : trade.close_commands) finish(command, "done", {}, effects);
  note(effects, trade, "position_creation_failed", "WARNING", "not sent: " + reason);
  leave_to_others(trade, effects);
  end(trade, now_ms);
}

void Trader::fail(Trade& trade, std::string reason, std::string error, std::int64_t now_ms, Effects& effects) {
  change(trade, PositionStatus::failed, effects);
  PositionUpdate update;
  update.id = trade.id;
  update.exit_reason = std::move(reason);
  effects.changes.put(update);
  finish(trade.open_command, "failed", error, effects);
  for (const std::int64_t command : trade.close_commands) finish(command, "done", {}, effects);
  note(effects, trade, "position_creation_failed", "ERROR", std::move(error));
  leave_to_others(trade, effects);
  end(trade, now_ms);
}

}  // namespace tradesync
