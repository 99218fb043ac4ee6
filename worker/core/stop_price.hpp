// Where a stop sits (DESIGN §6): entry ∓ percent, on the tick, on the right side of the mark price.
#pragma once
#include <optional>
#include <string>

#include "core/model.hpp"

namespace tradesync {

// long: entry × (1 − p/100) rounded up to the tick; short: entry × (1 + p/100) rounded down. nullopt: not a price (≤ 0, overflow),
// or a percent that is not above zero.
std::optional<Decimal> stop_by_percent(const Decimal& entry, const Decimal& percent, bool is_long, const Decimal& tick);
// `wanted` where it is at least (0.1 + 0.5 × rejections) % on the losing side of mark; else the price exactly that far away
// from mark, rounded away from it. rejections: how often the venue has refused for "would trigger immediately", which says
// that its mark has run ahead of ours: what was refused once is not sent again unchanged.
std::optional<Decimal> stop_beside_mark(const Decimal& wanted, const Decimal& mark, bool is_long, const Decimal& tick, int rejections);
// "" or why `price` cannot be the stop (take_profit: the target) of this position at this mark: a sentence with the numbers.
std::string stop_error(const Decimal& price, const Decimal& mark, bool is_long, const Decimal& tick, const std::string& symbol);
std::string take_profit_error(const Decimal& price, const Decimal& mark, bool is_long, const Decimal& tick, const std::string& symbol);

}  // namespace tradesync
