// See invariants.hpp. A dry_run account has its exchange in the core: the tables are both sides, so they must agree with each
// other – fills with positions, positions with stops – and nothing may leave.
#include <algorithm>

#include "sim/invariants.hpp"

namespace tradesync::sim {
namespace {

constexpr Ms kProtectDeadlineMs = 5000, kSlackMs = 10'000, kClosingMs = 60'000;

Decimal signed_quantity(const TradeRow& trade) { return trade.side == "buy" ? trade.quantity : -trade.quantity; }

}  // namespace

void Invariants::paper_position_has_its_stop(bool able) {
  const Ms passed = last_turn_ms_ == 0 ? 0 : clock_.true_ms() - last_turn_ms_;
  for (const PositionRow& row : tables_.positions) {
    const bool holds = row.managed && row.is_open() && row.quantity.is_positive();
    if (!holds || row.has_stop_loss) {
      naked_on_paper_ms_.erase(row.id);
      continue;
    }
    Ms& naked = naked_on_paper_ms_[row.id];
    if (able) naked += passed;
    if (naked > (row.status == PositionStatus::closing ? kClosingMs : kProtectDeadlineMs + kSlackMs))
      fail("I4 no position without a stop", "position " + std::to_string(row.id) + " (" + std::string(text(row.status)) +
          ") has been naked for " + std::to_string(naked) + " ms on paper");
  }
}

void Invariants::paper_adds_up() {
  const char* name = "I16 the paper account adds up";
  std::map<std::string, Decimal> net;
  std::vector<const TradeRow*> trades;
  for (const TradeRow& trade : tables_.trades) trades.push_back(&trade);
  std::stable_sort(trades.begin(), trades.end(), [](const TradeRow* a, const TradeRow* b) { return a->executed_ms < b->executed_ms; });
  for (const TradeRow* trade : trades) {
    Decimal& held = net[trade->symbol];
    const Decimal before = held;
    held = sum(held, signed_quantity(*trade));
    const OrderRow* order = nullptr;
    for (const OrderRow& candidate : tables_.orders)
      if (candidate.order_id == trade->order_id) order = &candidate;
    const bool grows = before.absolute() < held.absolute() || before.is_positive() == held.is_negative();
    if (order && order->purpose != "entry" && grows && !held.is_zero())
      fail("I5 closing never adds or flips", order->purpose + " fill " + trade->trade_id + " on paper takes " + before.text() + " to " +
          held.text());
  }
  for (const auto& [symbol, quantity] : net) {
    const auto mirrored = tables_.venue_positions.find({symbol, "both"});
    const Decimal shown = mirrored == tables_.venue_positions.end() ? Decimal() : mirrored->second.quantity;
    if (shown != quantity) fail(name, symbol + ": fills make " + quantity.text() + ", venue_positions says " + shown.text());
    const PositionRow* open = nullptr;
    for (const PositionRow& row : tables_.positions)
      if (row.symbol == symbol && row.is_open()) open = &row;
    if ((open != nullptr) == quantity.is_zero())
      fail(name, symbol + ": fills make " + quantity.text() + (open ? ", a row is open" : ", no row is open"));
    if (!open) continue;
    const std::string id = "position " + std::to_string(open->id);
    if (open->quantity != quantity.absolute() || (open->side == "long") != quantity.is_positive())
      fail(name, id + " says " + open->side + " " + open->quantity.text());
    if (open->status != PositionStatus::active || !open->has_stop_loss)
      fail(name, id + " is " + std::string(text(open->status)) + (open->has_stop_loss ? " at rest" : " without a stop"));
    if (!open->stop_loss_price) fail(name, id + " does not say where its stop is");
    else if (const std::string fault = stop_price_fault(*open, market::Decimal::of(open->stop_loss_price->text())); !fault.empty())
      fail("I13 the stop is where it was wanted", id + " on paper: " + fault);
  }
}

void Invariants::paper_orders_are_decided() {
  for (const OrderRow& row : tables_.orders) {
    const std::string said = row.purpose + " order " + std::to_string(row.id) + " is " + std::string(text(row.status));
    if (row.status == OrderStatus::submitting || row.status == OrderStatus::unknown)
      fail("I16 the paper account adds up", said + " at rest");
    const bool belongs = std::any_of(tables_.positions.begin(), tables_.positions.end(),
                                     [&](const PositionRow& position) { return position.id == row.position_id && position.is_open(); });
    if (row.is_open() && !belongs) fail("I6 no order of ours without its position", said);
  }
  if (!tables_.dead_letters.empty()) fail("I16 the paper account adds up", "dead letter " + tables_.dead_letters.front());
}

}  // namespace tradesync::sim
