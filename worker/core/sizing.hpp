// From what somebody wants to what the venue takes: quantity on the step, between minimum and maximum, worth enough.
// Everything the venue would refuse is refused here first, naming the filter and the numbers.
#pragma once
#include <optional>
#include <string>

#include "core/model.hpp"

namespace tradesync {

struct Sized {
  Decimal quantity;
  std::string error;   // "" = fine; else a sentence: "quantity 0.0004 is below min_quantity 0.001 of BTCUSDT"
};
// quantity or notional is given. A notional is divided by `price` and cut down to the step; where that falls below the
// venue's minimum, the minimum is taken if it costs at most 10 % more than asked (legacy-schema.md §4.4).
// A given quantity must be on the step. Also checks status trading, max_market_quantity, min_notional at `price`.
Sized size_entry(const Instrument& instrument, const std::optional<Decimal>& quantity, const std::optional<Decimal>& notional,
                 const Decimal& price);
// A reduce-only market order for at most `held`: on the step (rounded down, all of `held` as it is), cut at max_market_quantity.
Sized size_close(const Instrument& instrument, const std::optional<Decimal>& quantity, const Decimal& held);

}  // namespace tradesync
