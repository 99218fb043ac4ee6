#include "core/stop_price.hpp"

namespace tradesync {
namespace {

// numerator / denominator as a multiple of the tick, in one division: rounding happens once, on the exact value.
std::optional<Decimal> on_tick(const std::optional<Decimal>& numerator, const Decimal& denominator, const Decimal& tick,
                               Rounding rounding) {
  if (!numerator || !tick.is_positive()) return std::nullopt;
  const auto tick_value = multiply(denominator, tick);
  const auto count = tick_value ? divide(*numerator, *tick_value, 0, rounding) : std::nullopt;
  const auto price = count ? multiply(*count, tick) : std::nullopt;
  return price && price->is_positive() ? price : std::nullopt;
}

// value × (whole ∓ part), to be divided by `whole`.
std::optional<Decimal> moved(const Decimal& value, const Decimal& whole, const Decimal& part, bool down) {
  const auto factor = down ? subtract(whole, part) : add(whole, part);
  return factor ? multiply(value, *factor) : std::nullopt;
}

std::string price_error(std::string_view what, const Decimal& price, const Decimal& mark, const Decimal& tick, bool below,
                        std::string_view position, const std::string& symbol) {
  const std::string start = std::string(what) + " " + price.text();
  if (!price.is_positive()) return start + " of " + symbol + " is not a price above zero";
  if (!tick.is_positive()) return "tick_size " + tick.text() + " of " + symbol + " is not usable";
  if (!mark.is_positive()) return "no mark price of " + symbol + " is known to check " + start;
  const auto nearest = to_step(price, tick, Rounding::down);
  if (!nearest || *nearest != price) return start + " is not a multiple of tick_size " + tick.text() + " of " + symbol;
  if (below ? price < mark : price > mark) return {};
  return start + " of a " + std::string(position) + " must be " + (below ? "below" : "above") + " mark price " + mark.text() +
         " of " + symbol;
}

}  // namespace

std::optional<Decimal> stop_by_percent(const Decimal& entry, const Decimal& percent, bool is_long, const Decimal& tick) {
  if (!entry.is_positive() || !percent.is_positive()) return std::nullopt;
  const Decimal hundred(100);
  return on_tick(moved(entry, hundred, percent, is_long), hundred, tick, is_long ? Rounding::up : Rounding::down);
}

std::optional<Decimal> stop_beside_mark(const Decimal& wanted, const Decimal& mark, bool is_long, const Decimal& tick,
                                        int rejections) {
  if (!wanted.is_positive() || !mark.is_positive() || rejections < 0) return std::nullopt;
  const Decimal thousand(1000);
  const Decimal distance(1 + 5 * static_cast<std::int64_t>(rejections));  // in thousandths of mark
  const auto nearest = moved(mark, thousand, distance, is_long);
  const auto asked = multiply(wanted, thousand);
  if (!nearest || !asked) return std::nullopt;
  if (is_long ? *asked <= *nearest : *asked >= *nearest) return wanted;
  return on_tick(nearest, thousand, tick, is_long ? Rounding::down : Rounding::up);
}

std::string stop_error(const Decimal& price, const Decimal& mark, bool is_long, const Decimal& tick, const std::string& symbol) {
  return price_error("stop", price, mark, tick, is_long, is_long ? "long" : "short", symbol);
}

std::string take_profit_error(const Decimal& price, const Decimal& mark, bool is_long, const Decimal& tick,
                              const std::string& symbol) {
  return price_error("take profit", price, mark, tick, !is_long, is_long ? "long" : "short", symbol);
}

}  // namespace tradesync
