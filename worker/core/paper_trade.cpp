#include "core/paper_trade.hpp"

#include <algorithm>

namespace tradesync {

using exact::Maybe;

std::optional<Booked> book(const Decimal& held, const Decimal& entry_price, const Decimal& filled, const Decimal& price) {
  const Maybe after = add(held, filled);
  if (!after) return std::nullopt;
  if (held.is_zero()) return Booked{*after, after->is_zero() ? Decimal() : price, Decimal(), Decimal()};

  if (held.is_negative() == filled.is_negative()) {
    const Maybe cost = exact::plus(exact::times(entry_price, held), exact::times(price, filled));
    const Maybe average = exact::over(cost, after);
    if (!average) return std::nullopt;
    return Booked{*after, *average, Decimal(), Decimal()};
  }

  const Decimal closed = std::min(held.absolute(), filled.absolute());
  const Maybe gain = held.is_positive() ? subtract(price, entry_price) : subtract(entry_price, price);
  const Maybe realized = exact::to_18_places(exact::times(gain, closed));
  if (!realized) return std::nullopt;
  const bool same_direction = !after->is_zero() && after->is_negative() == held.is_negative();
  return Booked{*after, after->is_zero() ? Decimal() : same_direction ? entry_price : price, *realized, closed};
}

}  // namespace tradesync
