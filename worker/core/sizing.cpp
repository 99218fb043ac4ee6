#include "core/sizing.hpp"

namespace tradesync {
namespace {

Sized refuse(std::string error) { return {Decimal(), std::move(error)}; }

Sized too_large(const Instrument& instrument) { return refuse("the numbers given for " + instrument.symbol + " are too large"); }

// A limit of zero is a limit that the venue does not state.
struct Most {
  Decimal quantity;
  std::string_view column;
};
Most most_at_market(const Instrument& instrument) {
  if (instrument.max_market_quantity.is_positive()) return {instrument.max_market_quantity, "max_market_quantity"};
  return {instrument.max_quantity, "max_quantity"};
}

bool is_on_step(const Decimal& quantity, const Decimal& step) {
  const auto nearest = to_step(quantity, step, Rounding::down);
  return nearest && *nearest == quantity;
}

std::string entry_error(const Instrument& instrument, const Decimal& price) {
  if (instrument.status != "trading") return instrument.symbol + " is not trading: its status is '" + instrument.status + "'";
  if (!instrument.quantity_step.is_positive())
    return "quantity_step " + instrument.quantity_step.text() + " of " + instrument.symbol + " is not usable";
  if (!price.is_positive()) return "no price of " + instrument.symbol + " is known";
  return {};
}

// What every entry must satisfy in the end, whichever way its quantity came about.
Sized checked(const Instrument& instrument, const Decimal& quantity, const Decimal& price) {
  const std::string start = "quantity " + quantity.text();
  const std::string of = " of " + instrument.symbol;
  if (quantity < instrument.min_quantity)
    return refuse(start + " is below min_quantity " + instrument.min_quantity.text() + of);
  const Most most = most_at_market(instrument);
  if (most.quantity.is_positive() && quantity > most.quantity)
    return refuse(start + " is above " + std::string(most.column) + " " + most.quantity.text() + of);
  const auto worth = multiply(quantity, price);
  if (!worth) return too_large(instrument);
  if (*worth < instrument.min_notional)
    return refuse(start + " at price " + price.text() + " is worth " + worth->text() + ", below min_notional " +
                  instrument.min_notional.text() + of);
  return {quantity, ""};
}

// The smallest quantity on the step that satisfies min_quantity and min_notional.
std::optional<Decimal> smallest(const Instrument& instrument, const Decimal& step_worth) {
  const auto by_quantity = to_step(instrument.min_quantity, instrument.quantity_step, Rounding::up);
  const auto steps = divide(instrument.min_notional, step_worth, 0, Rounding::up);
  const auto by_notional = steps ? multiply(*steps, instrument.quantity_step) : std::nullopt;
  if (!by_quantity || !by_notional) return std::nullopt;
  const Decimal larger = *by_quantity > *by_notional ? *by_quantity : *by_notional;
  return larger.is_positive() ? larger : instrument.quantity_step;
}

Sized by_notional(const Instrument& instrument, const Decimal& notional, const Decimal& price) {
  if (!notional.is_positive()) return refuse("notional " + notional.text() + " of " + instrument.symbol + " is not above zero");
  const auto step_worth = multiply(price, instrument.quantity_step);
  const auto steps = step_worth ? divide(notional, *step_worth, 0, Rounding::down) : std::nullopt;
  const auto cut = steps ? multiply(*steps, instrument.quantity_step) : std::nullopt;
  const auto least = step_worth ? smallest(instrument, *step_worth) : std::nullopt;
  if (!cut || !least) return too_large(instrument);
  if (*cut >= *least) return checked(instrument, *cut, price);

  const auto cost = multiply(*least, price);
  const auto tolerated = multiply(notional, *Decimal::parse("1.1"));
  if (!cost || !tolerated) return too_large(instrument);
  if (*cost <= *tolerated) return checked(instrument, *least, price);
  return refuse("notional " + notional.text() + " at price " + price.text() + " buys quantity " + cut->text() +
                "; the least allowed by min_quantity " + instrument.min_quantity.text() + ", min_notional " +
                instrument.min_notional.text() + " and quantity_step " + instrument.quantity_step.text() + " of " +
                instrument.symbol + " is " + least->text() + ", which costs " + cost->text() + ": more than 10 % above");
}

}  // namespace

Sized size_entry(const Instrument& instrument, const std::optional<Decimal>& quantity, const std::optional<Decimal>& notional,
                 const Decimal& price) {
  if (const std::string error = entry_error(instrument, price); !error.empty()) return refuse(error);
  if (quantity.has_value() == notional.has_value())
    return refuse("either a quantity or a notional of " + instrument.symbol + " must be given, and not both");
  if (notional) return by_notional(instrument, *notional, price);
  if (!quantity->is_positive()) return refuse("quantity " + quantity->text() + " of " + instrument.symbol + " is not above zero");
  if (!is_on_step(*quantity, instrument.quantity_step))
    return refuse("quantity " + quantity->text() + " is not a multiple of quantity_step " + instrument.quantity_step.text() +
                  " of " + instrument.symbol);
  return checked(instrument, *quantity, price);
}

Sized size_close(const Instrument& instrument, const std::optional<Decimal>& quantity, const Decimal& held) {
  const Decimal most_held = held.absolute();
  if (most_held.is_zero()) return refuse("nothing of " + instrument.symbol + " is held");
  if (quantity && !quantity->is_positive())
    return refuse("quantity " + quantity->text() + " of " + instrument.symbol + " is not above zero");
  const Most most = most_at_market(instrument);
  Decimal wanted = quantity && *quantity < most_held ? *quantity : most_held;
  const bool cut = most.quantity.is_positive() && wanted > most.quantity;
  if (cut) wanted = most.quantity;
  // All that is held goes as it is: were it not on the step, the venue itself would have made it so.
  if (wanted == most_held) return {wanted, ""};

  const auto stepped = to_step(wanted, instrument.quantity_step, Rounding::down);
  if (!stepped) return refuse("quantity_step " + instrument.quantity_step.text() + " of " + instrument.symbol + " is not usable");
  if (stepped->is_zero())
    return refuse("quantity " + wanted.text() + " is below quantity_step " + instrument.quantity_step.text() + " of " +
                  instrument.symbol);
  if (*stepped < instrument.min_quantity)
    return refuse("quantity " + stepped->text() + " is below min_quantity " + instrument.min_quantity.text() + " of " +
                  instrument.symbol);
  return {*stepped, ""};
}

}  // namespace tradesync
