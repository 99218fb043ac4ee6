#include "core/effect.hpp"

#include <algorithm>
#include <utility>

namespace tradesync {
namespace {

std::string key_of(const Order& order) {
  std::string key;
  key.reserve(order.symbol.size() + order.order_id.size() + 2);
  key.append(order.symbol).push_back(order.kind == OrderKind::regular ? '|' : '~');
  key.append(order.order_id);
  return key;
}

std::string position_key(const std::string& symbol, PositionSide side) {
  std::string key = symbol;
  key.push_back('|');
  key.append(text(side));
  return key;
}

bool same_direction(const VenuePosition& a, const VenuePosition& b) {
  return a.quantity.is_positive() == b.quantity.is_positive() && a.quantity.is_negative() == b.quantity.is_negative();
}

void keep_if_unsaid(std::optional<Decimal>& now, const std::optional<Decimal>& before) {
  if (!now) now = before;
}

// What the newer message does not say stays as the older one of the same turn said it.
void inherit(VenuePosition& now, const VenuePosition& before) {
  keep_if_unsaid(now.mark_price, before.mark_price);
  keep_if_unsaid(now.unrealized_pnl, before.unrealized_pnl);
  keep_if_unsaid(now.leverage, before.leverage);
  keep_if_unsaid(now.liquidation_price, before.liquidation_price);
  keep_if_unsaid(now.stop_loss, before.stop_loss);
  keep_if_unsaid(now.take_profit, before.take_profit);
  if (now.opened_ms == 0) now.opened_ms = before.opened_ms;
}

}  // namespace

void Changes::put(OrderChange change) {
  const auto [it, added] = order_at_.try_emplace(key_of(change.order), orders.size());
  if (added) {
    orders.push_back(std::move(change));
    return;
  }
  OrderChange& kept = orders[it->second];
  if (change.order.created_ms == 0) change.order.created_ms = kept.order.created_ms;
  kept = std::move(change);
}

void Changes::put(PositionChange change) {
  const std::string key = position_key(change.position.symbol, change.position.position_side);
  if (stages.empty()) stages.emplace_back();
  if (const auto it = position_at_.find(key); it != position_at_.end()) {
    PositionChange& kept = stages.back().positions[it->second];
    if (same_direction(kept.position, change.position)) {
      inherit(change.position, kept.position);
      kept = std::move(change);
      return;
    }
    next_stage();
  }
  position_at_.emplace(key, stages.back().positions.size());
  stages.back().positions.push_back(std::move(change));
}

void Changes::put(Closing closing) {
  if (stages.empty()) stages.emplace_back();
  if (position_at_.contains(position_key(closing.symbol, closing.position_side))) next_stage();
  closing_symbols_.insert(closing.symbol);
  stages.back().closings.push_back(std::move(closing));
}

void Changes::put(Fill fill) {
  if (closing_symbols_.contains(fill.symbol)) next_stage();
  fills.push_back(std::move(fill));
}

void Changes::put(OwnOrderRow row) {
  for (OwnOrderRow& kept : own_orders)
    if (kept.id == row.id) return void(kept = std::move(row));
  own_orders.push_back(std::move(row));
}

void Changes::put(const PositionUpdate& update) {
  const auto it = std::find_if(position_updates.begin(), position_updates.end(), [&](const auto& kept) { return kept.id == update.id; });
  if (it == position_updates.end()) return void(position_updates.push_back(update));
  const auto take = [](auto& kept, const auto& said) {
    if (said) kept = said;
  };
  take(it->status, update.status);
  take(it->position_side, update.position_side);
  take(it->quantity, update.quantity);
  take(it->entry_price, update.entry_price);
  take(it->stop_loss_price, update.stop_loss_price);
  take(it->take_profit_price, update.take_profit_price);
  take(it->wanted_stop_price, update.wanted_stop_price);
  take(it->wanted_take_profit, update.wanted_take_profit);
  take(it->has_stop_loss, update.has_stop_loss);
  if (!update.exit_reason.empty()) it->exit_reason = update.exit_reason;
  if (!update.exchange_order_id.empty()) it->exchange_order_id = update.exchange_order_id;
  if (update.opened_ms != 0) it->opened_ms = update.opened_ms;
  if (update.unprotected_since_ms >= 0) it->unprotected_since_ms = update.unprotected_since_ms;
}

void Changes::put(CommandResult result) {
  for (CommandResult& kept : commands)
    if (kept.id == result.id) return void(kept = std::move(result));
  commands.push_back(std::move(result));
}

void Changes::next_stage() {
  stages.emplace_back();
  stages.back().first_fill = fills.size();
  position_at_.clear();
  closing_symbols_.clear();
}

bool Changes::has_account_data() const {
  return !(own_orders.empty() && position_updates.empty() && commands.empty() && position_modes.empty() && orders.empty() && fills.empty() && stages.empty() && balances.empty() &&
           instruments.empty() && leverages.empty() && fundings.empty() && events.empty() && cursors.empty() &&
           sync_runs.empty() && dead_letters.empty());
}

bool Changes::empty() const { return prices.empty() && stale.empty() && !has_account_data(); }

void Changes::clear() { *this = Changes(); }

}  // namespace tradesync
