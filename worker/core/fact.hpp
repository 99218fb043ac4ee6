// What a codec can read out of one stream message or one REST answer. A message yields zero or more facts, in its order.
#pragma once
#include <string>
#include <variant>
#include <vector>

#include "core/model.hpp"

namespace tradesync {

// Answer to StreamCommand::authenticate.
struct Authenticated {
  bool ok = false;
  std::string message;
};
// Answer to a subscribe or unsubscribe command; `failed_symbol` is set when the venue names the symbol that spoiled it.
struct Acknowledged {
  std::string command_id;  // "" when the venue did not echo it
  bool ok = false;
  std::string message;
  std::string failed_symbol;
};
struct Pong {};
struct ListenKeyExpired {};
// Something an operator wants to see: margin call, rejected trigger. Becomes a row in events.
struct Notice {
  std::string event_type;  // lower case with underscores
  std::string severity;    // INFO WARNING ERROR CRITICAL
  std::string symbol;
  std::string message;
};

using Fact = std::variant<Order, Fill, VenuePosition, Balance, Funding, Price, Ticker, Instrument, Leverage,
                          Authenticated, Acknowledged, Pong, ListenKeyExpired, Notice>;
using Facts = std::vector<Fact>;

}  // namespace tradesync
