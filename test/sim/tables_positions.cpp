// See tables.hpp. Positions, their fills, and what they earned.
#include <algorithm>

#include "sim/tables.hpp"

namespace tradesync::sim {
namespace {

constexpr Ms kSlackMs = 5000;  // what the clocks of venue and database may differ by

int sign_of(const Decimal& value) { return value.is_positive() ? 1 : value.is_negative() ? -1 : 0; }
std::string side_word(const Decimal& quantity) { return quantity.is_negative() ? "short" : "long"; }
bool has_ended(const PositionRow& row) { return row.status == PositionStatus::closed || row.status == PositionStatus::rolled_back; }
std::string leaving_side(const PositionRow& row) { return row.side == "long" ? "sell" : "buy"; }

}  // namespace

// position_update_row: id status position_side quantity entry_price stop_loss_price take_profit_price wanted_stop_price
// wanted_take_profit has_stop_loss exit_reason exchange_order_id opened_at unprotected_since clear_unprotected
void Tables::save_position_update(const CellsOf& cells) {
  PositionRow* row = position(cells.number(0));
  if (!row) return broken("update of position " + cells.text(0) + ", which does not exist (TS031)");
  const bool was_open = row->is_open();
  for (int i = 0; i <= static_cast<int>(PositionStatus::canceled) && !cells.is_null(1); ++i)
    if (const auto to = static_cast<PositionStatus>(i); text(to) == cells.view(1) && row->status != to) {
      if (!can_reach(row->status, to))
        broken("position " + cells.text(0) + " is moved from " + std::string(text(row->status)) + " to " + cells.text(1) + " (TS031)");
      row->status = to;
      break;
    }
  const bool ends = was_open && !row->is_open(), stays_open = was_open && row->is_open();
  if (!was_open && row->is_open()) broken("position " + cells.text(0) + " is opened again");
  if (!cells.is_null(2)) row->position_side = cells.text(2);
  if (auto quantity = cells.decimal(3); quantity && was_open && row->venue_updated_ms == 0) {
    row->quantity = *quantity;
    row->max_quantity = std::max(row->max_quantity, *quantity);
    row->entered_quantity = std::max(row->entered_quantity, *quantity);
  }
  if (auto value = cells.decimal(4)) row->entry_price = value;
  const auto set_price = [&](int column, std::optional<Decimal>& price) {
    if (auto value = cells.decimal(column)) price = value->is_zero() ? std::nullopt : value;
  };
  set_price(5, row->stop_loss_price);
  set_price(6, row->take_profit_price);
  set_price(7, row->wanted_stop_price);
  set_price(8, row->wanted_take_profit);
  if (!cells.is_null(9)) row->has_stop_loss = cells.boolean(9);
  row->has_stop_loss = row->has_stop_loss && stays_open;
  if (row->has_stop_loss && row->protected_ms == 0) row->protected_ms = clock_.unix_ms();
  if (!cells.is_null(10)) row->exit_reason = cells.text(10);
  if (!cells.is_null(11)) row->exchange_order_id = cells.text(11);
  if (!cells.is_null(12)) row->opened_ms = cells.number(12);
  if (!cells.is_null(13)) row->unprotected_since_ms = cells.number(13);
  if (!stays_open || cells.boolean(14)) row->unprotected_since_ms = 0;
  if (!ends) return;
  row->quantity = row->max_quantity;
  if (row->closed_ms == 0) row->closed_ms = clock_.unix_ms();
  if (row->max_quantity.is_positive()) settle(*row);
}

// ------------------------------------------------------------------------------------------------ reports

// position_row: symbol position_side quantity entry_price mark_price unrealized_pnl leverage liquidation_price stop_loss
// take_profit opened_at version_order version_time venue_updated_at source
bool Tables::merge_venue_position(const CellsOf& cells, VenueRow& merged) {
  VenueRow report;
  report.symbol = cells.text(0);
  report.position_side = cells.text(1);
  report.quantity = cells.amount(2);
  report.entry_price = cells.decimal(3);
  report.leverage = cells.decimal(6);
  report.stop_loss = cells.decimal(8);
  report.take_profit = cells.decimal(9);
  report.opened_ms = cells.number(10);
  report.version_order = cells.number(11);
  report.version_time = cells.number(12);
  report.venue_updated_ms = cells.number(13);
  report.source = cells.text(14);

  const auto [at, is_new] = venue_positions.try_emplace({report.symbol, report.position_side}, report);
  VenueRow& row = at->second;
  if (!is_new) {
    const bool newer = is_newer(report.version_order, report.version_time, report.source, row.version_order, row.version_time, row.source);
    const bool older = is_newer(row.version_order, row.version_time, row.source, report.version_order, report.version_time, report.source);
    if (!newer && (report.source != "stream" || older)) return false;
    const bool same = sign_of(row.quantity) == sign_of(report.quantity);
    const VenueRow before = row;
    row = report;
    if (!report.entry_price) row.entry_price = before.entry_price;
    if (!report.leverage) row.leverage = before.leverage;
    if (same && !report.stop_loss) row.stop_loss = before.stop_loss;
    if (same && !report.take_profit) row.take_profit = before.take_profit;
    if (same && report.opened_ms == 0) row.opened_ms = before.opened_ms;
    if (report.venue_updated_ms == 0) row.venue_updated_ms = before.venue_updated_ms;
    row.version_order = std::max(before.version_order, report.version_order);
    row.version_time = std::max(before.version_time, report.version_time);
  }
  merged = row;
  return true;
}

void Tables::save_position(const CellsOf& cells) {
  VenueRow report;
  if (!merge_venue_position(cells, report)) return;
  const Ms at_ms = report.venue_updated_ms ? report.venue_updated_ms : clock_.unix_ms();
  bool flipped = false;
  if (PositionRow* row = open_position(report.symbol, report.position_side); row && !report.quantity.is_zero()) {
    const bool turned = row->side != side_word(report.quantity);
    const bool about_it = !row->managed || (row->max_quantity.is_positive() && at_ms >= row->opened_ms);
    if (about_it && (turned || (row->status == PositionStatus::closing && !row->managed))) {
      move(*row, PositionStatus::closed);
      row->closed_ms = at_ms;
      row->exit_reason = "flipped";
      row->quantity = row->max_quantity;
      row->has_stop_loss = false;
      row->venue_updated_ms = at_ms;
      flipped = true;
      say(*row, "flipped");
      settle(*row);
    }
  }
  if (PositionRow* row = open_position(report.symbol, report.position_side)) {
    const Decimal size = report.quantity.absolute();
    const bool other_way = !size.is_zero() && row->side != side_word(report.quantity);
    if (other_way) return;  // an opening that waits while somebody else holds the other direction
    if (row->status == PositionStatus::pending_entry) return;  // nothing of ours has left: it is somebody else's
    if (size.is_zero() && !row->managed) move(*row, PositionStatus::closing);
    if (!size.is_zero()) {
      if (size > row->quantity) row->entered_quantity = sum(row->entered_quantity, difference(size, row->quantity));
      row->quantity = size;
      row->max_quantity = std::max(row->max_quantity, size);
      if (report.entry_price && (!row->managed || !row->entry_price)) row->entry_price = report.entry_price;
    }
    if (report.leverage) row->leverage = report.leverage;
    if (!row->managed && report.stop_loss) {
      row->has_stop_loss = report.stop_loss->is_positive();
      row->stop_loss_price = report.stop_loss;
    }
    const bool nothing_yet = row->managed && row->max_quantity.is_zero() && size.is_zero();
    if (report.venue_updated_ms && !nothing_yet) row->venue_updated_ms = report.venue_updated_ms;
    return;
  }
  if (!report.quantity.is_zero()) insert_external(report, flipped);
}

void Tables::insert_external(const VenueRow& report, bool flipped) {
  const PositionRow* before = nullptr;
  for (const PositionRow& row : positions)
    if (row.symbol == report.symbol && row.position_side == report.position_side && has_ended(row) &&
        (!before || row.opened_ms >= before->opened_ms))
      before = &row;
  PositionRow row;
  row.id = next_position_id++;
  row.symbol = report.symbol;
  row.position_side = report.position_side;
  row.side = side_word(report.quantity);
  row.quantity = row.max_quantity = row.entered_quantity = report.quantity.absolute();
  row.entry_price = report.entry_price;
  row.leverage = report.leverage;
  row.status = PositionStatus::active;
  row.managed = false;
  row.opened_ms = report.opened_ms ? report.opened_ms : report.venue_updated_ms ? report.venue_updated_ms : clock_.unix_ms();
  row.venue_updated_ms = report.venue_updated_ms;
  if (before) {
    row.opened_ms = std::max(row.opened_ms, before->closed_ms);
    if (flipped) row.flipped_from = before->id;
  }
  for (TradeRow& trade : trades)
    if (trade.symbol == row.symbol && trade.position_id == 0 && (trade.position_side.empty()
        ? "both" : trade.position_side) == row.position_side &&
        trade.executed_ms >= row.opened_ms - kSlackMs)
      trade.position_id = row.id;
  say(row, "new, of somebody else");
  positions.push_back(std::move(row));
}

// close_row: symbol position_side side closed_at reason
void Tables::close_position(const CellsOf& cells) {
  const std::string symbol = cells.text(0), position_side = cells.text(1), side = cells.text(2);
  const Ms closed_ms = cells.number(3);
  const auto is_meant = [&](const PositionRow& row) {
    return row.symbol == symbol && row.position_side == position_side && (side.empty() || row.side == side);
  };
  for (PositionRow& row : positions) {
    if (!is_meant(row) || !row.is_open()) continue;
    const Decimal entered = row.managed && row.max_quantity.is_zero() ? entered_by_fills(row, closed_ms) : Decimal();
    const bool held = row.max_quantity.is_positive() || entered.is_positive();
    if (row.managed && (row.status == PositionStatus::pending_entry || !held)) continue;
    const bool nothing_newer = row.venue_updated_ms == 0 || row.venue_updated_ms <= closed_ms;
    if (row.opened_ms > closed_ms + (row.managed && nothing_newer ? kSlackMs : 0)) continue;
    move(row, row.exit_reason == "not_protected" ? PositionStatus::rolled_back : PositionStatus::closed);
    row.closed_ms = closed_ms;
    row.max_quantity = std::max(row.max_quantity, entered);
    row.entered_quantity = std::max(row.entered_quantity, entered);
    row.quantity = row.max_quantity;
    row.has_stop_loss = false;
    row.unprotected_since_ms = 0;
    if (row.exit_reason.empty()) row.exit_reason = cells.is_null(4) ? "closed on the exchange" : cells.text(4);
    say(row, "closed");
    return settle(row);
  }
  PositionRow* latest = nullptr;
  for (PositionRow& row : positions)
    if (is_meant(row) && has_ended(row) && row.opened_ms <= closed_ms && (!latest || row.opened_ms >= latest->opened_ms)) latest = &row;
  if (latest) settle(*latest);
}

// What the fills up to a moment have opened of a position that the venue has never reported.
Decimal Tables::entered_by_fills(const PositionRow& row, Ms until_ms) const {
  Decimal entered;
  for (const TradeRow& trade : trades)
    if (trade.position_id == row.id && trade.side != leaving_side(row) && trade.executed_ms <= until_ms &&
        trade.executed_ms >= row.opened_ms - kSlackMs)
      entered = sum(entered, trade.quantity);
  return entered;
}

// ------------------------------------------------------------------------------------------------ fills

// trade_row: symbol trade_id order_id client_order_id side position_side price quantity fee fee_currency realized_pnl
// closed_quantity is_maker exec_type executed_at sequence
void Tables::save_trade(const CellsOf& cells) {
  TradeRow fill;
  fill.symbol = cells.text(0);
  fill.trade_id = cells.text(1);
  fill.order_id = cells.text(2);
  fill.client_order_id = cells.text(3);
  fill.side = cells.text(4);
  fill.position_side = cells.text(5);
  fill.price = cells.amount(6);
  fill.quantity = cells.amount(7);
  fill.fee = cells.amount(8);
  fill.realized_pnl = cells.decimal(10);
  fill.closed_quantity = cells.decimal(11);
  fill.exec_type = cells.text(13);
  fill.executed_ms = cells.number(14);
  fill.sequence = cells.number(15);
  if (fill.position_side.empty())
    for (const char* kind : {"regular", "conditional"})
      if (const OrderRow* order = order_of(fill.symbol, fill.order_id, kind)) fill.position_side = order->position_side;

  const auto [at, is_new] = trade_at_.try_emplace({fill.symbol, fill.trade_id}, trades.size());
  if (is_new) {
    if (const PositionRow* row = position_of_fill(fill)) fill.position_id = row->id;
    trades.push_back(fill);
  } else {
    TradeRow& known = trades[at->second];
    if (known.client_order_id.empty()) known.client_order_id = fill.client_order_id;
    if (known.position_side.empty()) known.position_side = fill.position_side;
    if (!known.realized_pnl) known.realized_pnl = fill.realized_pnl;
    if (!known.closed_quantity) known.closed_quantity = fill.closed_quantity;
  }
  if (PositionRow* row = position(trades[at->second].position_id)) settle(*row);
}

// The position of the order, where it is ours. Else one of that key which was alive at that moment: first an ended one that
// still misses a fill of that side, else the open one, else the latest ended one.
PositionRow* Tables::position_of_fill(const TradeRow& fill) {
  for (const char* kind : {"regular", "conditional"})
    if (const OrderRow* order = order_of(fill.symbol, fill.order_id, kind); order && order->is_own() && order->position_id != 0)
      return position(order->position_id);
  const std::string wanted_side = fill.position_side.empty() ? "both" : fill.position_side;
  PositionRow* best = nullptr;
  int best_rank = -1;
  for (PositionRow& row : positions) {
    if (row.symbol != fill.symbol || row.position_side != wanted_side || row.opened_ms > fill.executed_ms + kSlackMs) continue;
    const bool leaves = fill.side == leaving_side(row);
    if (!row.is_open()) {
      if (!has_ended(row) || row.closed_ms < fill.executed_ms - kSlackMs) continue;
      const bool in_time = fill.executed_ms < row.closed_ms || (fill.executed_ms == row.closed_ms && (!row.settled || leaves)) ||
                           (!row.settled && leaves);
      if (!in_time) continue;
    }
    const bool misses_it = has_ended(row) && !row.settled && row.closed_ms >= fill.executed_ms - 1000 && leaves;
    const int rank = misses_it ? 2 : row.is_open() ? 1 : 0;
    if (rank > best_rank || (rank == best_rank && row.opened_ms >= best->opened_ms)) {
      best = &row;
      best_rank = rank;
    }
  }
  return best;
}

std::vector<Tables::Share> Tables::position_fills(const PositionRow& row) const {
  std::vector<const TradeRow*> fills;
  for (const TradeRow& trade : trades)
    if (trade.position_id == row.id || (row.flipped_from != 0 && trade.position_id == row.flipped_from)) fills.push_back(&trade);
  std::sort(fills.begin(), fills.end(), [](const TradeRow* a, const TradeRow* b) {
    return std::tie(a->executed_ms, a->sequence, a->trade_id) < std::tie(b->executed_ms, b->sequence, b->trade_id);
  });
  const PositionRow* before = nullptr;
  for (const PositionRow& other : positions)
    if (row.flipped_from != 0 && other.id == row.flipped_from) before = &other;

  std::vector<Share> shares;
  for (const PositionRow* owner : {before, &row}) {
    if (!owner) continue;
    const auto enters = [&](const TradeRow& fill) { return fill.side != leaving_side(*owner); };
    Decimal whole, closed;
    for (const TradeRow* fill : fills)
      if (fill->position_id == owner->id && enters(*fill)) whole = sum(whole, difference(fill->quantity,
          fill->closed_quantity.value_or(Decimal())));
    whole = std::max(whole, owner->entered_quantity);
    for (const TradeRow* fill : fills) {
      if (fill->position_id != owner->id) continue;
      const Decimal size = enters(*fill) ? difference(fill->quantity,
          fill->closed_quantity.value_or(Decimal())) : fill->closed_quantity.value_or(fill->quantity);
      const Decimal closes = enters(*fill) ? Decimal() : std::max(Decimal(), std::min(size, difference(whole, closed)));
      if (!enters(*fill)) closed = sum(closed, size);
      if (owner == &row)
        shares.push_back({enters(*fill) ? size : Decimal(), closes, fill->price, fill->order_id, fill->exec_type});
      else if (!enters(*fill) && fill->quantity > closes)
        shares.push_back({difference(fill->quantity, closes), Decimal(), fill->price, fill->order_id, fill->exec_type});
    }
  }
  return shares;
}

void Tables::settle(PositionRow& row) {
  if (!has_ended(row)) return;
  const std::vector<Share> shares = position_fills(row);
  Decimal opened, closed, closed_for;
  for (const Share& share : shares) {
    opened = sum(opened, share.opening);
    closed = sum(closed, share.closing);
    closed_for = sum(closed_for, multiply(share.closing, share.price).value());
  }
  row.settled = closed.is_positive() && closed == std::max(opened, row.entered_quantity);
  row.exit_price = row.settled ? divide(closed_for, closed, 12, Rounding::half_even) : std::nullopt;
  const bool generic = row.exit_reason == "closed on the exchange" || row.exit_reason == "closed_on_exchange";
  if (generic) row.exit_reason = reason_from_fills(shares, row.exit_reason);
}

// What most of the closing quantity was: our stop, our target, the venue's own doing, or somebody else's.
std::string Tables::reason_from_fills(const std::vector<Share>& fills, const std::string& generic) const {
  std::map<std::string, Decimal> by_order;
  for (const Share& share : fills) {
    if (share.closing.is_positive() && share.exec_type == "bust_trade") return "liquidation";
    if (share.closing.is_positive() && share.exec_type == "adl_trade") return "adl";
    by_order[share.order_id] = sum(by_order[share.order_id], share.closing);
  }
  std::string reason = generic;
  Decimal most;
  for (const auto& [order_id, quantity] : by_order)
    for (const OrderRow& order : orders)
      if (order.order_id == order_id && quantity > most) {
        most = quantity;
        reason = order.purpose == "stop_loss" || order.purpose == "take_profit" ? order.purpose : generic;
      }
  return reason;
}

}  // namespace tradesync::sim
