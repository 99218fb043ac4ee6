// Which wishes are fit to be put on a wire. What fails here is not encoded, so not a byte of it leaves the machine: a venue
// would refuse it, or worse, understand it differently from how it was meant.
#pragma once
#include <string_view>

#include "core/request.hpp"

namespace tradesync {

// Questions: is everything there that the question needs? Orders: see OrderTicket; in hedge mode a reduce-only ticket must
// also point at its position, because one venue knows no reduceOnly there and would add to the position instead.
bool is_sendable(const Request& request);

// limit, stop, take_profit: types that carry a price of their own.
bool is_limit(std::string_view type);
// Conditional tickets: does the price rise to the trigger (buy stop, sell take-profit) or fall to it?
bool triggers_rising(const OrderTicket& ticket);

}  // namespace tradesync
