// See market_script.hpp.
#include "sim/market_script.hpp"

namespace tradesync::sim {
namespace {

using market::Slot;

std::string slot_word(Slot slot) { return slot == Slot::both ? "both" : slot == Slot::long_side ? "long" : "short"; }

}  // namespace

MarketScript::MarketScript(VirtualClock& clock, Agenda& agenda, market::Market& market, std::string account, std::uint64_t seed,
                           std::vector<std::string> symbols, MarketMood mood)
    : clock_(clock), agenda_(agenda), market_(market), account_(std::move(account)), random_(seed), symbols_(std::move(symbols)),
        mood_(mood) {}

void MarketScript::start(Ms active_until_ms, Ms prices_until_ms) {
  active_until_ms_ = active_until_ms;
  prices_until_ms_ = prices_until_ms;
  for (const std::string& symbol : symbols_) step_price(symbol);
  if (mood_.strangers || mood_.liquidations || mood_.thin_books || mood_.several_fills)
    agenda_.at(clock_.true_ms() + random_.between(2000, 8000), [this] { meddle(); });
}

void MarketScript::calm() {
  for (const std::string& symbol : symbols_) market_.set_book(symbol, std::nullopt, 1);
}

void MarketScript::step_price(const std::string& symbol) {
  if (clock_.true_ms() >= prices_until_ms_) return;
  const market::Instrument& instrument = *market_.instrument(symbol);
  std::int64_t basis_points = random_.between(-mood_.walk_basis_points, mood_.walk_basis_points);
  if (clock_.true_ms() < active_until_ms_ && random_.chance_per_million(mood_.leap_per_million)) {
    basis_points = random_.between(-600, 600);
    if (log) log(symbol + " leaps by " + std::to_string(basis_points) + " basis points");
  }
  const auto moved = [&](market::Decimal price) {
    const market::Decimal next = (price * market::Decimal::units(10'000 + basis_points, 4)).floor_to(instrument.tick);
    return next < instrument.tick ? instrument.tick : next;
  };
  market_.set_price(symbol, moved(instrument.mark), moved(instrument.last), clock_.venue_ms());
  if (changed) changed();
  agenda_.at(clock_.true_ms() + random_.between(300, 1500), [this, symbol] { step_price(symbol); });
}

void MarketScript::meddle() {
  if (clock_.true_ms() >= active_until_ms_) return;
  const std::string symbol = symbols_[static_cast<std::size_t>(random_.between(0, static_cast<std::int64_t>(symbols_.size()) - 1))];
  const market::Instrument& instrument = *market_.instrument(symbol);
  if (mood_.thin_books && chance(40)) {
    const bool thin = chance(60);
    const market::Decimal depth = market::max(instrument.min_quantity,
        instrument.step) * market::Decimal(static_cast<int>(random_.between(1, 30)));
    market_.set_book(symbol, thin ? std::optional<market::Decimal>(depth) : std::nullopt, mood_.several_fills
        ? static_cast<int>(random_.between(1, 3)) : 1);
  } else if (mood_.several_fills && chance(40)) {
    market_.set_book(symbol, instrument.depth, static_cast<int>(random_.between(1, 3)));
  }
  for (const Slot slot : {Slot::both, Slot::long_side, Slot::short_side}) {
    const market::Position* held = account().position(symbol, slot);
    if (!held || held->is_flat()) continue;
    if (mood_.liquidations && chance(6)) {
      if (log) log("liquidation of " + symbol);
      market_.liquidate(account(), symbol, clock_.venue_ms());
      break;
    }
    if (!mood_.strangers || !chance(25)) continue;
    market::OrderRequest request;
    request.symbol = symbol;
    request.client_id = chance(50) ? "" : "web-" + random_.text(8);
    request.side = held->is_long() ? market::Side::sell : market::Side::buy;
    request.slot = slot;
    request.reduce_only = slot == Slot::both;
    request.quantity = chance(70) ? held->quantity.abs() : (held->quantity.abs() * market::Decimal::units(5, 1)).floor_to(instrument.step);
    if (request.quantity.is_zero()) continue;
    const market::Placed placed = market_.place(account(), request, clock_.venue_ms());
    if (log) log("a stranger closes " + request.quantity.text() + " " + symbol + " " + slot_word(slot) + (placed ? "" : ": refused"));
    break;
  }
  if (changed) changed();
  agenda_.at(clock_.true_ms() + random_.between(1000, 9000), [this] { meddle(); });
}

}  // namespace tradesync::sim
