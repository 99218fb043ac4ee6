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

}  // namespace

bool print_missing_moves() {
  bool complete = true;
  for (const Listed& listed : listed_moves()) {
    if (taken().contains(listed.move)) continue;
    std::printf("never taken: %s\n", listed.text.c_str());
    complete = false;
  }
  return complete;
}

}  // namespace sim
}  // namespace tradesync
