// See invariants.hpp. What must hold when faults are over and everything has come to rest: both sides say the same.
#include <algorithm>

#include "core/client_id.hpp"
#include "sim/invariants.hpp"

namespace tradesync::sim {
namespace {

const char* kEqual = "I7 tables equal the exchange";

market::Decimal in_market(const std::optional<Decimal>& value) { return value ? market::Decimal::of(value->text()) : market::Decimal(); }
std::string slot_word(market::Slot slot) {
  return slot == market::Slot::both ? "both" : slot == market::Slot::long_side ? "long" : "short";
}
bool close_to(market::Decimal a, market::Decimal b) { return (a - b).abs() * market::Decimal(1'000'000) <= market::max(a.abs(),
    market::Decimal(1)); }

}  // namespace

void Invariants::at_rest() {
  if (on_paper()) {
    paper_adds_up();
    paper_orders_are_decided();
    every_command_ends();
    return rows_move_along_their_tables();
  }
  no_order_of_ours_without_position();
  tables_equal_the_exchange();
  every_command_ends();
  stops_are_exact();
  rows_move_along_their_tables();
}

void Invariants::no_order_of_ours_without_position() {
  for (const market::Order* order : account().open_orders()) {
    if (!parse_client_order_id(order->client_id)) continue;
    const market::Position* held = account().position(order->symbol, order->slot);
    if (!held || held->is_flat() || !managed_row(*held))
      fail("I6 no order of ours without its position", order->client_id + " " + order->symbol + " is still open");
  }
}

// A managed row keeps the price of its own entry, whatever somebody adds to the position.
bool Invariants::entered_by_us_alone(const PositionRow& row, const market::Position& position) const {
  const Ms since_ms = std::min(row.opened_ms - 5000, position.opened_ms);
  return std::none_of(account().fills.begin(), account().fills.end(), [&](const market::Fill& fill) {
    const bool enters = (fill.side == market::Side::buy) == (row.side == "long");
    return fill.symbol == row.symbol && enters && fill.time_ms >= since_ms && !parse_client_order_id(fill.client_id);
  });
}

void Invariants::positions_agree() {
  if (on_paper()) return;
  positions_equal();
  stops_are_exact();
}

void Invariants::tables_equal_the_exchange() {
  positions_equal();
  open_orders_equal();
  fills_equal();
  fundings_equal();
  own_orders_are_decided();
  if (!tables_.dead_letters.empty()) fail(kEqual, "dead letter " + tables_.dead_letters.front());
}

void Invariants::positions_equal() {
  std::set<std::pair<std::string, std::string>> held;
  for (const auto& [key, position] : account().positions) {
    if (position.is_flat()) continue;
    const auto name = std::make_pair(position.symbol, slot_word(position.slot));
    const std::string said = position.symbol + " " + name.second + " " + position.quantity.text();
    held.insert(name);
    const auto mirrored = tables_.venue_positions.find(name);
    if (mirrored == tables_.venue_positions.end() || in_market(mirrored->second.quantity) != position.quantity)
      fail(kEqual, "the venue holds " + said + ", venue_positions says " +
                       (mirrored == tables_.venue_positions.end() ? "nothing" : mirrored->second.quantity.text()));
    const PositionRow* row = nullptr;
    for (const PositionRow& candidate : tables_.positions)
      if (candidate.is_open() && candidate.symbol == name.first && candidate.position_side == name.second) row = &candidate;
    if (!row) {
      fail(kEqual, "the venue holds " + said + ", positions has no open row");
      continue;
    }
    const std::string id = "position " + std::to_string(row->id);
    if (in_market(row->quantity) != position.quantity.abs() || (row->side == "long") != position.is_long())
      fail(kEqual, "the venue holds " + said + ", " + id + " says " + row->side + " " + row->quantity.text());
    const bool priced_by_us = !row->managed || (!silence && entered_by_us_alone(*row, position));
    if (priced_by_us && !close_to(in_market(row->entry_price), position.entry_price))
      fail(kEqual, id + " says entry price " + (row->entry_price ? row->entry_price->text() : "none") + ", the venue " +
          position.entry_price.text());
    if (row->status != PositionStatus::active) fail(kEqual, id + " is " + std::string(text(row->status)) + " at rest");
    if (row->managed && !row->has_stop_loss) fail(kEqual, id + " does not say that it has a stop");
  }
  for (const PositionRow& row : tables_.positions)
    if (row.is_open() && !held.contains({row.symbol, row.position_side}))
      fail(kEqual, "position " + std::to_string(row.id) + " " + row.symbol + " is " + std::string(text(row.status)) +
          ", the venue is flat");
  for (const auto& [key, row] : tables_.venue_positions)
    if (!row.quantity.is_zero() && !held.contains(key)) fail(kEqual, "venue_positions says " + key.first + " " + row.quantity.text() +
        ", the venue is flat");
}

void Invariants::open_orders_equal() {
  std::map<std::string, const OrderRow*> rows;
  for (const OrderRow& row : tables_.orders)
    if (row.is_open() && !row.order_id.empty()) rows[row.kind + "|" + row.order_id] = &row;
  for (const market::Order* order : account().open_orders()) {
    const std::string kind = order->kind == market::OrderKind::conditional ? "conditional" : "regular";
    if (rows.erase(kind + "|" + order->id) == 0)
      fail(kEqual, kind + " order " + order->id + " \"" + order->client_id + "\" of " + order->symbol +
          " is open at the venue, not in orders");
  }
  for (const auto& [key, row] : rows)
    fail(kEqual, "order " + std::to_string(row->id) + " " + key + " \"" + row->client_order_id + "\" is " +
        std::string(text(row->status)) + ", not open at the venue");
}

void Invariants::fills_equal() {
  std::map<std::pair<std::string, std::string>, const TradeRow*> rows;
  for (const TradeRow& row : tables_.trades) rows[{row.symbol, row.trade_id}] = &row;
  for (const market::Fill& fill : account().fills) {
    const auto row = rows.find({fill.symbol, fill.trade_id});
    const std::string said = fill.symbol + " fill " + fill.trade_id + " of " + fill.quantity.text() + " \"" + fill.client_id + "\"";
    // History from before the first synchronisation is nobody's business (DESIGN §11, Binance executions after a gap).
    if (row == rows.end() && fill.time_ms < first_live_venue_ms_) continue;
    // The audit compares positions: what came and went between two of them is not missed.
    if (row == rows.end() && silence && !parse_client_order_id(fill.client_id)) continue;
    if (row == rows.end()) {
      fail(kEqual, said + " is not in trades");
      continue;
    }
    if (in_market(row->second->quantity) != fill.quantity || in_market(row->second->price) != fill.price) fail(kEqual, said +
        " has another size or price in trades");
    if (row->second->order_id != fill.order_id) fail(kEqual, said + " belongs to another order in trades");
    rows.erase(row);
  }
  for (const auto& [key, row] : rows) fail(kEqual, "trades has fill " + row->trade_id + " of " + row->symbol + ", the venue has not");
}

// Bybit gives a payment the id of an execution; Binance's come without.
void Invariants::fundings_equal() {
  if (venue_ != market::Venue::bybit || silence) return;
  for (const market::Funding& funding : account().funding)
    if (funding.time_ms >= first_live_venue_ms_ && !tables_.fundings.contains(funding.trade_id))
      fail(kEqual, "funding " + funding.trade_id + " of " + funding.symbol + " is not on record");
}

// Each of our orders has an end that the venue agrees with.
void Invariants::own_orders_are_decided() {
  for (const OrderRow& row : tables_.orders) {
    if (!row.is_own()) continue;
    const std::string said = row.purpose + " order " + std::to_string(row.id) + " \"" + row.client_order_id + "\" is " +
        std::string(text(row.status));
    if (row.status == OrderStatus::submitting || row.status == OrderStatus::unknown) fail(kEqual, said + " at rest");
    const market::Order* order = accepted(row);
    if (!order || row.kind != "regular") continue;
    if (in_market(row.filled_quantity) != order->filled) fail(kEqual, said + " with " + row.filled_quantity.text() +
        " filled, the venue says " + order->filled.text());
    const bool filled = order->status == market::OrderStatus::filled;
    if (filled != (row.status == OrderStatus::filled)) fail(kEqual, said + ", the venue says otherwise");
  }
}

void Invariants::every_command_ends() {
  for (const CommandRow& row : tables_.commands)
    if (!row.is_final()) fail("I10 every command ends", row.kind + " " + std::to_string(row.id) + " is " + row.status);
}

void Invariants::stops_are_exact() {
  for (const auto& [key, position] : account().positions) {
    if (position.is_flat()) continue;
    const PositionRow* row = managed_row(position);
    if (!row) continue;
    if (const Protection found = protection_of(position, *row); !found.exact)
      fail("I13 the stop is on its side and has the position's size",
           "position " + std::to_string(row->id) + " " + position.symbol + " " + position.quantity.text() + ": " + found.text);
    else if (const std::string fault = stop_price_fault(*row, found.price); !fault.empty())
      fail("I13 the stop is where it was wanted", "position " + std::to_string(row->id) + " " + position.symbol + ": " + fault);
    else if (in_market(row->stop_loss_price) != found.price)
      fail("I13 the row says where the stop is", "position " + std::to_string(row->id) + " says " +
          (row->stop_loss_price ? row->stop_loss_price->text() : "none") + ", the venue " + found.price.text());
  }
}

}  // namespace tradesync::sim
