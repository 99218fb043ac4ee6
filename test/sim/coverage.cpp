// See coverage.hpp.
#include "sim/coverage.hpp"

#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/states.hpp"

namespace tradesync {
namespace {

using Move = std::tuple<std::string, int, int>;

std::set<Move>& taken() {
  static std::set<Move> moves;
  return moves;
}

}  // namespace

// Called by the core for every move of every machine.
void recorded_move(const char* machine, int from, int to) { taken().emplace(machine, from, to); }

namespace sim {
namespace {

struct Listed {
  Move move;
  std::string text;
};

template <class State>
Listed listed(const char* machine, State from, State to, const char* text) {
  return {{machine, static_cast<int>(from), static_cast<int>(to)}, std::string(machine) + " " + text};
}

std::vector<Listed> listed_moves() {
  return {
#define ORDER_STATE(name, rank, terminal, meaning)
#define ORDER_MOVE(from, to) listed("order", OrderStatus::from, OrderStatus::to, #from " -> " #to),
#include "core/order_states.def"
#undef ORDER_STATE
#undef ORDER_MOVE
#define POSITION_STATE(name, open, meaning)
#define POSITION_MOVE(from, to) listed("position", PositionStatus::from, PositionStatus::to, #from " -> " #to),
#include "core/position_states.def"
#undef POSITION_STATE
#undef POSITION_MOVE
#define SESSION_STATE(name, meaning)
#define SESSION_MOVE(from, to) listed("session", SessionState::from, SessionState::to, #from " -> " #to),
#include "core/session_states.def"
#undef SESSION_STATE
#undef SESSION_MOVE
#define LINK_STATE(name, meaning)
#define LINK_MOVE(from, to) listed("link", LinkState::from, LinkState::to, #from " -> " #to),
#include "core/link_states.def"
#undef LINK_STATE
#undef LINK_MOVE
  };
}

// Moves that no simulated run can take, each with the reason.
const std::map<std::string, std::string>& excused() {
  const std::string forgets = "the core forgets a link when it asks for its end, so it is down at once";
  const std::string saga = "the trader always goes through pending_sl and closing; only the tables' functions make both steps at once";
  static const std::map<std::string, std::string> reasons = {
      {"link connecting -> closing", forgets},
      {"link authenticating -> closing", forgets},
      {"link subscribing -> closing", forgets},
      {"link up -> closing", forgets},
      {"link closing -> down", forgets},
      {"link connecting -> subscribing", "a venue with subscriptions but without a login: there is none"},
      {"link authenticating -> up", "a venue with a login but without subscriptions: there is none"},
      {"position entry_placed -> closing", saga},
      {"position pending_sl -> rolled_back", saga},
      {"position active -> closed", saga},
      {"position closing -> active", "a close is never taken back; rows of strangers are moved by the tables' functions"},
      {"order triggered -> new_", "Bybit's limit stops; we send market stops only"},
      {"order triggered -> partially_filled", "the market fills what a stop became within the same event"},
      {"order triggered -> expired", "Binance's algo orders end as finished or canceled in the market model"},
      {"order partially_filled -> rejected", "no venue does it; it stays allowed because an end is an end"},
      {"order submitting -> triggered", "a stop that fires before its acceptance was heard of; needs a longer set than the standard one"},
      {"order unknown -> triggered", "as above"},
  };
  return reasons;
}

}  // namespace

bool print_missing_moves() {
  bool complete = true;
  for (const Listed& listed : listed_moves()) {
    if (taken().contains(listed.move) || excused().contains(listed.text)) continue;
    std::printf("never taken: %s\n", listed.text.c_str());
    complete = false;
  }
  return complete;
}

}  // namespace sim
}  // namespace tradesync
