// From a venue's name to its codec. The list is registry.def; nothing else names a venue outside its folder.
#include "exchanges/exchange.hpp"

namespace tradesync {

#define EXCHANGE(venue)       \
  namespace venue {           \
  const Exchange& exchange(); \
  }
#include "exchanges/registry.def"
#undef EXCHANGE

const Exchange* find_exchange(std::string_view name) {
#define EXCHANGE(venue) \
  if (name == #venue) return &venue::exchange();
#include "exchanges/registry.def"
#undef EXCHANGE
  return nullptr;
}

}  // namespace tradesync
