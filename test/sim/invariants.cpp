// See invariants.hpp. What is checked all the time; what is checked at rest is in invariants_at_rest.cpp.
#include "sim/invariants.hpp"

#include <algorithm>

#include "core/client_id.hpp"

namespace tradesync::sim {
namespace {

constexpr Ms kProtectDeadlineMs = 5000;
constexpr Ms kSlackMs = 10'000;          // the time of answers, refusals, and a commit that had to be repeated
constexpr Ms kClosingMs = 60'000;        // a close that does not get through is no protection either
constexpr Ms kPriceFreshMs = 8000;       // limits::kPriceFreshMs, and the way there
constexpr Ms kHaltSlackMs = 1400;        // the safety scan finds a halt whose wake-up was lost; a turn may take 300 ms

}  // namespace

Invariants::Invariants(const VirtualClock& clock, const Tables& tables, market::Market& market, market::Venue venue, std::string account,
                       const User& user)
    : clock_(clock), tables_(tables), market_(market), venue_(venue), account_(std::move(account)), user_(user) {}

void Invariants::fail(const char* name, const std::string& what) {
  if (failure_.empty()) failure_ = std::string(name) + ": " + what;
}

const market::Order* Invariants::accepted(const OrderRow& row) const {
  if (row.client_order_id.empty()) return nullptr;
  return account().order_by_client_id(row.client_order_id, venue_ == market::Venue::binance && row.kind == "conditional");
}

// Does the venue know of a fill of its entry?
bool Invariants::has_entered(const PositionRow& row) const {
  if (row.status != PositionStatus::pending_entry && row.status != PositionStatus::entry_placed) return true;
  return std::any_of(tables_.orders.begin(), tables_.orders.end(), [&](const OrderRow& order) {
    const market::Order* known = order.position_id == row.id && order.purpose == "entry" ? accepted(order) : nullptr;
    return known && known->filled.sign() > 0;
  });
}

// The row of ours that this position of the venue belongs to; nullptr for a stranger's.
const PositionRow* Invariants::managed_row(const market::Position& position) const {
  for (auto row = tables_.positions.rbegin(); row != tables_.positions.rend(); ++row) {
    const bool same_slot = position.slot == market::Slot::both ? row->position_side == "both"
                           : row->position_side == (position.slot == market::Slot::long_side ? "long" : "short");
    if (row->managed && row->is_open() && row->symbol == position.symbol && same_slot && has_entered(*row)) return &*row;
  }
  return nullptr;
}

// ------------------------------------------------------------------------------------------------ on the wire

void Invariants::on_write(const Network::Write& write) {
  if (on_paper()) return fail("I15 nothing leaves of a paper account", write.path + " " + write.text);
  if (!write.stop_loss.empty() || !write.take_profit.empty()) a_stop_leaves_only_for_its_row(write);
  if (!write.is_entry_path) return;
  an_order_leaves_only_with_its_committed_row(write);
  no_client_id_leaves_twice(write);
}

void Invariants::an_order_leaves_only_with_its_committed_row(const Network::Write& write) {
  const char* name = "I1 no order leaves without its committed row";
  const auto id = parse_client_order_id(write.client_id);
  if (!id || id->epoch != tables_.epoch) return fail(name, "client id \"" + write.client_id + "\" is not of our making");
  const OrderRow* row = tables_.order_by_client_id(write.client_id);
  if (!row) return fail(name, write.client_id + " has no row");
  if (row->id != id->row || row->attempt != id->attempt) fail(name, write.client_id + " does not name its row");
  if (!row->is_open()) fail(name, write.client_id + " leaves although its row says " + std::string(text(row->status)));
}

void Invariants::no_client_id_leaves_twice(const Network::Write& write) {
  if (!written_client_ids_.insert(write.client_id).second) fail("I2 no client id leaves twice", write.client_id);
}

// Where the stop belongs to the position there is no order row: the row of the position is what must be on record, and say
// which price is wanted. Of two sides of a hedge the text does not say which one is meant: one of them has to fit.
void Invariants::a_stop_leaves_only_for_its_row(const Network::Write& write) {
  const char* name = "I1 no order leaves without its committed row";
  const PositionRow* row = nullptr;
  for (const PositionRow& candidate : tables_.positions) {
    // Decided in the turn that told of its end: the venue will find nothing to protect.
    const bool just_ended = candidate.closed_ms != 0 && candidate.closed_ms > clock_.venue_ms() - 5000;
    if (!candidate.managed || !(candidate.holds() || just_ended) || candidate.symbol != write.symbol) continue;
    const auto price = market::Decimal::parse(write.stop_loss);
    if (!row || !price || !candidate.holds() || stop_price_fault(candidate, *price).empty()) row = &candidate;
  }
  if (rows_may_lag()) return;
  if (!row) return fail(name, "a stop for " + write.symbol + ", of which we hold nothing");
  if (write.stop_loss.empty()) return;
  const auto price = market::Decimal::parse(write.stop_loss);
  if (!price || price->sign() <= 0) return fail(name, "position " + std::to_string(row->id) + " would lose its stop");
  // Decided before the last fill of the entry was in: the next one follows.
  PositionRow before = *row;
  if (const auto known = entry_price_before_.find(row->id); known != entry_price_before_.end()) before.entry_price = known->second;
  const std::string fault = row->is_open() ? stop_price_fault(*row, *price) : std::string();
  if (!fault.empty() && !stop_price_fault(before, *price).empty()) fail(name, "position " + std::to_string(row->id) + ": " + fault);
}

void Invariants::on_submitting(const OrderRow& row) {
  if (row.purpose == "entry" && tables_.halted)
    fail("I12 nothing opens after halt", "order " + std::to_string(row.id) + " was put on record");
}

// The tables refuse it, but the worker should have known by itself.
void Invariants::on_refused(const std::string& sqlstate) {
  const Ms since_ms = clock_.true_ms() - user_.halted_at_ms;
  if (sqlstate == "TS015" && user_.halted_at_ms != 0 && since_ms > kHaltSlackMs)
    fail("I12 nothing opens after halt", "an entry was tried " + std::to_string(since_ms) + " ms after the halt");
}

// The worker must not judge what is asked for after a resume by the account's row of before.
void Invariants::no_halt_outlives_its_end() {
  for (const CommandRow& row : tables_.commands)
    if (row.is_final() && row.halts_after == row.halts_before && row.error.find("is halted") != std::string::npos)
      fail("I17 no halt outlives its end", "command " + std::to_string(row.id) + ", given after the resume: " + row.error);
}

void Invariants::on_verified(std::int64_t position_id, const std::vector<VerifyRow>& rows) {
  const char* name = "I14 a verification tells what its sources said";
  if (rows.size() != 3) return fail(name, "position " + std::to_string(position_id) + ": " + std::to_string(rows.size()) + " sources");
  for (const VerifyRow& row : rows) {
    if (row.confirmed && (!row.checked || !row.quantity || row.quantity->is_zero())) fail(name, row.source + " confirms nothing");
    if (!row.confirmed || row.source != "order_status" || on_paper()) continue;
    bool filled = false;
    for (const OrderRow& order : tables_.orders)
      if (order.position_id == position_id && order.purpose == "entry")
        if (const market::Order* known = accepted(order)) filled |= known->filled.sign() > 0;
    if (!filled) fail(name, "the entry of position " + std::to_string(position_id) + " is confirmed, but was never filled");
  }
}

void Invariants::on_price() {
  for (const auto& [symbol, instrument] : market_.instruments()) {
    auto& marks = recent_marks_[symbol];
    while (marks.size() > 1 && marks.front().first < clock_.true_ms() - kPriceFreshMs) marks.pop_front();
    if (marks.empty() || marks.back().second != instrument.mark) marks.emplace_back(clock_.true_ms(), instrument.mark);
  }
  for (const PositionRow& row : tables_.positions) {
    if (!row.managed || !row.is_open()) continue;
    const market::Decimal mark = market_.instrument(row.symbol)->mark;
    const auto [at, is_new] = closest_mark_.try_emplace(row.id, mark);
    // The worker may still go by one that is a few seconds old.
    for (const auto& [ms, earlier] : recent_marks_[row.symbol])
      if (is_new && (row.side == "long" ? earlier < at->second : earlier > at->second)) at->second = earlier;
    if (row.side == "long" ? mark < at->second : mark > at->second) at->second = mark;
  }
}

std::string Invariants::stop_price_fault(const PositionRow& row, market::Decimal price) const {
  const market::Instrument& instrument = *market_.instrument(row.symbol);
  const bool is_long = row.side == "long";
  market::Decimal wanted;
  if (row.wanted_stop_price) {
    wanted = market::Decimal::of(row.wanted_stop_price->text());
  } else if (row.entry_price && row.stop_loss_percent) {
    // entry × (1 ∓ p/100), rounded to the tick towards the entry. The entry price may have more digits than the market's numbers.
    const Decimal hundred(100);
    const auto factor = is_long ? subtract(hundred, *row.stop_loss_percent) : add(hundred, *row.stop_loss_percent);
    const auto exact = multiply(*row.entry_price, *factor);
    const auto tick = multiply(hundred, *Decimal::parse(instrument.tick.text()));
    const auto ticks = divide(*exact, *tick, 0, is_long ? Rounding::up : Rounding::down);
    wanted = market::Decimal::of(ticks->text()) * instrument.tick;
  } else {
    return {};
  }
  if (price == wanted) return {};
  const std::string said = "stop at " + price.text() + " where " + wanted.text() + " is wanted";
  if (is_long ? price > wanted : price < wanted) return said;
  // Moved away: only from a mark that came too close, 0.1 %, and 0.5 % more for each of three refusals.
  int refusals = 0;
  for (const Tables::EventRow& event : tables_.events) refusals += event.type == "stop_loss_error" && event.position_id == row.id ? 1 : 0;
  const auto closest = closest_mark_.find(row.id);
  if (closest == closest_mark_.end()) return {};
  const market::Decimal share = market::Decimal::units(1 + 5 * std::min(refusals, 3), 3);
  const market::Decimal nearest = is_long ? closest->second * (market::Decimal(1) - share) : closest->second * (market::Decimal(1) + share);
  const bool had_to = is_long ? wanted > nearest : wanted < nearest;
  const bool not_further = is_long ? price + instrument.tick >= nearest : price <= nearest + instrument.tick;
  return had_to && not_further ? std::string() : said + ", and the mark came no closer than " + closest->second.text();
}

// ------------------------------------------------------------------------------------------------ after every turn

void Invariants::after_turn(bool able) {
  if (on_paper()) paper_position_has_its_stop(able);
  else no_position_without_stop(able);
  closing_never_adds_or_flips();
  rows_move_along_their_tables();
  unknown_is_never_concluded_early();
  one_accepted_entry_per_position();
  nothing_leaves_of_what_was_rolled_back();
  no_halt_outlives_its_end();
  for (const PositionRow& row : tables_.positions)
    if (row.is_open()) entry_price_before_[row.id] = row.entry_price;
  last_turn_ms_ = clock_.true_ms();
}

void Invariants::one_accepted_entry_per_position() {
  std::map<std::int64_t, std::string> entries;
  for (const OrderRow& row : tables_.orders) {
    if (row.purpose != "entry" || row.kind != "regular" || !accepted(row)) continue;
    const auto [other, is_first] = entries.try_emplace(row.position_id, row.client_order_id);
    if (!is_first) fail("I2 one accepted entry per position", "position " + std::to_string(row.position_id) + " has " + other->second +
        " and " + row.client_order_id);
  }
}

void Invariants::nothing_leaves_of_what_was_rolled_back() {
  if (user_.rolled_back_positions.empty()) return;
  for (const OrderRow& row : tables_.orders)
    if (user_.rolled_back_positions.contains(row.position_id))
      fail("I3 nothing leaves of what was rolled back", "order " + std::to_string(row.id) + " of position " +
          std::to_string(row.position_id));
}

Invariants::Protection Invariants::protection_of(const market::Position& position, const PositionRow& row) const {
  Protection found;
  const market::Instrument& instrument = *market_.instrument(position.symbol);
  market::Decimal covered;
  int stops = 0;
  for (const market::Order* order : account().open_orders(position.symbol)) {
    const bool guards = order->kind == market::OrderKind::conditional && order->only_reduces() && order->slot == position.slot &&
                        (order->side == market::Side::sell) == position.is_long() &&
                        (order->stop_kind == market::StopKind::stop || order->stop_kind == market::StopKind::position_stop_loss);
    if (!guards || order->status != market::OrderStatus::untriggered) continue;
    const bool losing_side = position.is_long() ? order->trigger_price < instrument.mark : order->trigger_price > instrument.mark;
    if (!losing_side) continue;
    ++stops;
    const market::Decimal size = order->stop_kind == market::StopKind::position_stop_loss ? position.quantity.abs() : order->quantity;
    covered += size;
    found.price = order->trigger_price;
    if (found.text.empty()) found.text = "stop at " + order->trigger_price.text() + " for " + size.text();
  }
  found.stopped = covered >= position.quantity.abs();
  found.exact = stops == 1 && covered == position.quantity.abs();
  if (stops > 1) found.text = std::to_string(stops) + " stops for " + covered.text();
  if (found.text.empty()) found.text = "no stop";
  if (!row.stop_loss_price) found.text += ", none in the row";
  return found;
}

// Only time counts in which the worker could have done something about it.
void Invariants::no_position_without_stop(bool able) {
  const Ms passed = last_turn_ms_ == 0 ? 0 : clock_.true_ms() - last_turn_ms_;
  for (const auto& [key, position] : account().positions) {
    const PositionRow* row = position.is_flat() ? nullptr : managed_row(position);
    if (!row || protection_of(position, *row).stopped) {
      naked_ms_.erase(key);
      continue;
    }
    Ms& naked = naked_ms_[key];
    if (able) naked += passed;
    const bool on_its_way_out = row->status == PositionStatus::closing;
    if (naked > (on_its_way_out ? kClosingMs : kProtectDeadlineMs + kSlackMs))
      fail("I4 no position without a stop", "position " + std::to_string(row->id) + " " + position.symbol + " " +
          position.quantity.text() + " (" +
                                                std::string(text(row->status)) + ") has been naked for " + std::to_string(naked) + " ms");
  }
}

void Invariants::closing_never_adds_or_flips() {
  const auto& fills = account().fills;
  for (; fills_seen_ < fills.size(); ++fills_seen_) {
    const market::Fill& fill = fills[fills_seen_];
    if (!parse_client_order_id(fill.client_id)) continue;
    const OrderRow* row = tables_.order_by_client_id(fill.client_id);
    if (!row || row->purpose == "entry") continue;
    if (fill.closed_quantity != fill.quantity)
      fail("I5 closing never adds or flips", row->purpose + " order " + fill.client_id + " filled " + fill.quantity.text() +
          " but closed " + fill.closed_quantity.text());
  }
}

void Invariants::rows_move_along_their_tables() {
  for (; promises_seen_ < tables_.broken_promises.size(); ++promises_seen_)
    fail("I8 rows move along their tables", tables_.broken_promises[promises_seen_]);
}

void Invariants::unknown_is_never_concluded_early() {
  for (const OrderRow& row : tables_.orders)
    if (row.venue_status == "NEVER_ACCEPTED")
      if (const market::Order* order = accepted(row))
        fail("I9 unknown is never concluded early", row.client_order_id + " is called never accepted, but the venue has it as " +
            order->id);
}

}  // namespace tradesync::sim
