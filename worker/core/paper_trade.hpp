// What one fill does to a position, and arithmetic that carries "does not fit" through to the end: nothing here is rounded
// silently or wraps. Averages and amounts of money have 18 places, half to even.
#pragma once
#include <optional>

#include "core/decimal.hpp"

namespace tradesync {

struct Booked {
  Decimal quantity;         // signed, after the fill
  Decimal entry_price;      // 0 when flat
  Decimal realized_pnl;     // gross, of the part that closed
  Decimal closed_quantity;
};
// held and filled are signed: long and bought > 0. nullopt: a number that does not fit.
std::optional<Booked> book(const Decimal& held, const Decimal& entry_price, const Decimal& filled, const Decimal& price);

namespace exact {

using Maybe = std::optional<Decimal>;
inline Maybe plus(const Maybe& a, const Maybe& b) { return a && b ? add(*a, *b) : std::nullopt; }
inline Maybe minus(const Maybe& a, const Maybe& b) { return a && b ? subtract(*a, *b) : std::nullopt; }
inline Maybe times(const Maybe& a, const Maybe& b) { return a && b ? multiply(*a, *b) : std::nullopt; }
inline Maybe over(const Maybe& a, const Maybe& b) { return a && b ? divide(*a, *b, 18, Rounding::half_even) : std::nullopt; }
inline Maybe to_18_places(const Maybe& a) { return over(a, Decimal(1)); }

}  // namespace exact
}  // namespace tradesync
