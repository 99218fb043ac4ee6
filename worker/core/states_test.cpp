// The four tables of moves, looked at as graphs.
#include "core/states.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace tradesync {
namespace {

// What every table must promise. `initial` may be more than one: a mirrored order is first seen in any state.
template <class State>
struct Machine {
  std::vector<State> states;
  std::vector<State> terminal;
  State initial;

  bool is_terminal(State state) const {
    for (State each : terminal)
      if (each == state) return true;
    return false;
  }
  std::set<State> reachable() const {
    std::set<State> seen{initial};
    for (std::size_t before = 0; before != seen.size();) {
      before = seen.size();
      for (State from : std::set<State>(seen))
        for (State to : states)
          if (may_move(from, to)) seen.insert(to);
    }
    return seen;
  }
};

Machine<OrderStatus> orders() {
  Machine<OrderStatus> machine{{}, {}, OrderStatus::submitting};
#define ORDER_STATE(name, rank, is_final, meaning) \
  machine.states.push_back(OrderStatus::name);     \
  if (is_final) machine.terminal.push_back(OrderStatus::name);
#define ORDER_MOVE(from, to)
#include "core/order_states.def"
#undef ORDER_STATE
#undef ORDER_MOVE
  return machine;
}

Machine<PositionStatus> positions() {
  Machine<PositionStatus> machine{{}, {}, PositionStatus::pending_entry};
#define POSITION_STATE(name, open, meaning)       \
  machine.states.push_back(PositionStatus::name); \
  if (!open) machine.terminal.push_back(PositionStatus::name);
#define POSITION_MOVE(from, to)
#include "core/position_states.def"
#undef POSITION_STATE
#undef POSITION_MOVE
  return machine;
}

Machine<LinkState> links() {
  Machine<LinkState> machine{{}, {}, LinkState::down};
#define LINK_STATE(name, meaning) machine.states.push_back(LinkState::name);
#define LINK_MOVE(from, to)
#include "core/link_states.def"
#undef LINK_STATE
#undef LINK_MOVE
  return machine;
}

Machine<SessionState> sessions() {
  Machine<SessionState> machine{{}, {}, SessionState::connecting};
#define SESSION_STATE(name, meaning) machine.states.push_back(SessionState::name);
#define SESSION_MOVE(from, to)
#include "core/session_states.def"
#undef SESSION_STATE
#undef SESSION_MOVE
  return machine;
}

template <class State>
void expect_sound(const Machine<State>& machine) {
  EXPECT_EQ(machine.reachable().size(), machine.states.size()) << "a state that nothing leads to";
  std::set<std::string> words;
  for (State from : machine.states) {
    EXPECT_TRUE(words.insert(std::string(text(from))).second) << text(from);
    int leaving = 0;
    for (State to : machine.states) {
      State state = from;
      const bool moved = move_to(state, to);
      EXPECT_EQ(moved, may_move(from, to));
      EXPECT_EQ(state, moved ? to : from) << text(from) << " -> " << text(to);
      EXPECT_FALSE(moved && from == to) << "a move to itself is no move: " << text(from);
      leaving += moved;
    }
    EXPECT_EQ(leaving == 0, machine.is_terminal(from)) << text(from);
  }
}

TEST(States, order_table_is_sound_and_its_terminal_states_are_final) { expect_sound(orders()); }
TEST(States, position_table_is_sound_and_its_terminal_states_are_final) { expect_sound(positions()); }
TEST(States, link_table_is_sound_and_never_ends) { expect_sound(links()); }
TEST(States, session_table_is_sound_and_never_ends) { expect_sound(sessions()); }

TEST(States, orders_never_move_to_a_lower_rank_except_a_stop_that_rests_again) {
  for (OrderStatus from : orders().states)
    for (OrderStatus to : orders().states) {
      if (!may_move(from, to)) continue;
      const bool rests_again = from == OrderStatus::triggered && to == OrderStatus::new_;
      EXPECT_TRUE(rests_again || rank(to) > rank(from)) << text(from) << " -> " << text(to);
    }
}

TEST(States, every_open_order_can_end_in_every_way) {
  for (OrderStatus from : orders().states)
    for (OrderStatus to : orders().terminal)
      EXPECT_TRUE(is_terminal(from) || may_move(from, to)) << text(from) << " -> " << text(to);
}

TEST(States, session_starts_again_from_everywhere_but_the_middle_of_a_merge) {
  for (SessionState from : sessions().states) {
    const bool excepted = from == SessionState::connecting || from == SessionState::replaying;
    EXPECT_EQ(may_move(from, SessionState::connecting), !excepted) << text(from);
  }
}

TEST(States, session_is_live_only_after_a_replay) {
  for (SessionState from : sessions().states)
    EXPECT_EQ(may_move(from, SessionState::live), from == SessionState::replaying) << text(from);
}

TEST(States, every_link_can_be_lost) {
  for (LinkState from : links().states) EXPECT_EQ(may_move(from, LinkState::down), from != LinkState::down) << text(from);
}

}  // namespace
}  // namespace tradesync
