// See invariants.hpp. What is checked all the time; what is checked at rest is in invariants_at_rest.cpp.
#include "sim/invariants.hpp"

#include "core/client_id.hpp"

namespace tradesync::sim {
namespace {

constexpr Ms kProtectDeadlineMs = 5000;
constexpr Ms kSlackMs = 10'000;          // the time of answers, refusals, and a commit that had to be repeated
constexpr Ms kClosingMs = 60'000;        // a close that does not get through is no protection either
constexpr Ms kHaltSlackMs = 1100;        // the safety scan finds a halt whose wake-up was lost

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

// The row of ours that this position of the venue belongs to; nullptr for a stranger's.
const PositionRow* Invariants::managed_row(const market::Position& position) const {
  for (auto row = tables_.positions.rbegin(); row != tables_.positions.rend(); ++row) {
    const bool same_slot = position.slot == market::Slot::both ? row->position_side == "both"
                           : row->position_side == (position.slot == market::Slot::long_side ? "long" : "short");
    if (row->managed && row->is_open() && row->symbol == position.symbol && same_slot) return &*row;
  }
  return nullptr;
}

// ------------------------------------------------------------------------------------------------ on the wire

void Invariants::on_write(const Network::Write& write) {
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

void Invariants::on_submitting(const OrderRow& row) { nothing_opens_after_halt(row); }

void Invariants::nothing_opens_after_halt(const OrderRow& row) {
  if (row.purpose == "entry" && user_.halted_at_ms != 0 && clock_.true_ms() > user_.halted_at_ms + kHaltSlackMs)
    fail("I12 nothing opens after halt", "order " + std::to_string(row.id) + " was put on record " +
                                             std::to_string(clock_.true_ms() - user_.halted_at_ms) + " ms after the halt");
}

// ------------------------------------------------------------------------------------------------ after every turn

void Invariants::after_turn(bool able) {
  no_position_without_stop(able);
  closing_never_adds_or_flips();
  rows_move_along_their_tables();
  unknown_is_never_concluded_early();
  one_accepted_entry_per_position();
  nothing_leaves_of_what_was_rolled_back();
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
