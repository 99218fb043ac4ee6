// See stranger.hpp.
#include "sim/stranger.hpp"

namespace tradesync::sim {

Stranger::Stranger(VirtualClock& clock, Agenda& agenda, market::Market& market, std::string account, std::uint64_t seed,
                   std::vector<std::string> symbols)
    : clock_(clock), agenda_(agenda), market_(market), account_(std::move(account)), random_(seed), symbols_(std::move(symbols)) {}

void Stranger::start(Ms until_ms) {
  until_ms_ = until_ms;
  if (acts()) agenda_.at(clock_.true_ms() + random_.between(1000, 9000), [this] { act(); });
}

void Stranger::act() {
  if (clock_.true_ms() >= until_ms_) return;
  using Deed = void (Stranger::*)();
  std::vector<Deed> possible;
  if (trades) possible.insert(possible.end(), 2, &Stranger::trade);
  if (rests) possible.insert(possible.end(), {&Stranger::rest, &Stranger::rest, &Stranger::touch_resting});
  if (switches_modes) possible.push_back(&Stranger::switch_mode);
  if (funding) possible.push_back(&Stranger::pay_funding);
  (this->*possible[static_cast<std::size_t>(random_.between(0, static_cast<std::int64_t>(possible.size()) - 1))])();
  if (changed) changed();
  agenda_.at(clock_.true_ms() + random_.between(500, 9000), [this] { act(); });
}

market::OrderRequest Stranger::request_on(const std::string& symbol) {
  const market::Instrument& instrument = *market_.instrument(symbol);
  market::OrderRequest request;
  request.symbol = symbol;
  request.client_id = chance(50) ? "" : "web-" + random_.text(8);
  request.side = chance(50) ? market::Side::buy : market::Side::sell;
  if (account().is_hedge(symbol)) request.slot = chance(50) ? market::Slot::long_side : market::Slot::short_side;
  request.quantity = market::max(instrument.min_quantity, instrument.step) * market::Decimal(static_cast<int>(random_.between(1, 40)));
  return request;
}

void Stranger::place(const market::OrderRequest& request, const char* what) {
  const market::Placed placed = market_.place(account(), request, clock_.venue_ms());
  if (!log) return;
  log(std::string("a stranger ") + what + (request.side == market::Side::buy ? " buy " : " sell ") + request.quantity.text() + " " +
      request.symbol + (request.price.is_zero() ? "" : " at " + request.price.text()) +
      (request.trigger_price.is_zero() ? "" : " when " + request.trigger_price.text()) + (placed ? "" : ": refused"));
}

// Opens, adds, reduces or turns around, as it happens to meet what is held.
void Stranger::trade() { place(request_on(some_symbol()), "trades"); }

market::Decimal Stranger::price_away(const market::Instrument& instrument, std::int64_t per_mille) const {
  return market::max((instrument.last * market::Decimal::units(1000 + per_mille, 3)).floor_to(instrument.tick), instrument.tick);
}

// A limit order off the market, or one that waits for a price first and then rests or fills. Never one that only reduces:
// that would be a stop, and whose stops protect what is decided elsewhere.
void Stranger::rest() {
  market::OrderRequest request = request_on(some_symbol());
  if (request.slot != market::Slot::both)
    request.slot = request.side == market::Side::buy ? market::Slot::long_side : market::Slot::short_side;
  const market::Instrument& instrument = *market_.instrument(request.symbol);
  const int towards = request.side == market::Side::buy ? -1 : 1;
  request.type = market::OrderType::limit;
  if (chance(60)) {
    request.price = price_away(instrument, towards * random_.between(1, 30));
    return place(request, "rests:");
  }
  request.stop_kind = market::StopKind::stop;
  request.trigger_by = chance(50) ? market::TriggerBy::mark : market::TriggerBy::last;
  const std::int64_t away = -towards * random_.between(1, 20);
  request.trigger_price = price_away(instrument, away);
  // Half of them rest once they have fired, the others find somebody at once.
  request.price = price_away(instrument, away + (chance(50) ? towards : -towards) * random_.between(1, 10));
  place(request, "waits:");
}

// One of his resting orders is filled in part, or taken off the book.
void Stranger::touch_resting() {
  std::vector<const market::Order*> his;
  for (const market::Order* order : account().open_orders())
    if (order->type == market::OrderType::limit && order->status != market::OrderStatus::triggered) his.push_back(order);
  if (his.empty()) return;
  const market::Order& order = *his[static_cast<std::size_t>(random_.between(0, static_cast<std::int64_t>(his.size()) - 1))];
  const market::Decimal half = (order.remaining() * market::Decimal::units(5, 1)).floor_to(market_.instrument(order.symbol)->step);
  if (order.is_on_book() && chance(60) && half.sign() > 0) {
    if (log) log("somebody takes " + half.text() + " of a stranger's order in " + order.symbol);
    market_.fill(account(), order, half, order.price, clock_.venue_ms());
  } else {
    if (log) log("a stranger cancels an order in " + order.symbol);
    market_.cancel(account(), order, clock_.venue_ms());
  }
}

// Bybit: of one symbol; Binance: of the account. Both refuse it while a position or an order is open.
void Stranger::switch_mode() {
  const std::string symbol = market_.rules.venue == market::Venue::bybit ? some_symbol() : "";
  const bool hedge = !(symbol.empty() ? account().hedge : account().is_hedge(symbol));
  if (market_.set_hedge(account(), symbol, hedge, clock_.venue_ms()) == market::Refusal::none && log)
    log("a stranger switches " + (symbol.empty() ? "the account" : symbol) + (hedge ? " to hedge mode" : " to one-way mode"));
}

void Stranger::pay_funding() {
  const std::string& symbol = some_symbol();
  if (log) log("funding of " + symbol);
  market_.pay_funding(symbol, market::Decimal::units(random_.between(-50, 50), 5), clock_.venue_ms());
}

}  // namespace tradesync::sim
