// The state machines as tables: which states exist and which moves are allowed. The *_states.def files are the only source;
// the same files become SQL rows and documentation (tools/states_to_sql, tools/states_to_docs).
#pragma once
#include <string_view>

#include "core/model.hpp"

namespace tradesync {

enum class LinkState : std::uint8_t {
#define LINK_STATE(name, meaning) name,
#define LINK_MOVE(from, to)
#include "core/link_states.def"
#undef LINK_STATE
#undef LINK_MOVE
};

enum class SessionState : std::uint8_t {
#define SESSION_STATE(name, meaning) name,
#define SESSION_MOVE(from, to)
#include "core/session_states.def"
#undef SESSION_STATE
#undef SESSION_MOVE
};

enum class PositionStatus : std::uint8_t {
#define POSITION_STATE(name, open, meaning) name,
#define POSITION_MOVE(from, to)
#include "core/position_states.def"
#undef POSITION_STATE
#undef POSITION_MOVE
};

std::string_view text(LinkState state);
std::string_view text(SessionState state);
std::string_view text(PositionStatus status);

bool may_move(OrderStatus from, OrderStatus to);
bool may_move(LinkState from, LinkState to);
bool may_move(SessionState from, SessionState to);
bool may_move(PositionStatus from, PositionStatus to);

// The simulation counts which moves its runs have taken (test/sim).
#ifdef TRADESYNC_RECORD_MOVES
void recorded_move(const char* machine, int from, int to);
inline const char* machine_of(OrderStatus) { return "order"; }
inline const char* machine_of(LinkState) { return "link"; }
inline const char* machine_of(SessionState) { return "session"; }
inline const char* machine_of(PositionStatus) { return "position"; }
template <class State>
void note_move(State from, State to) {
  if (from != to) recorded_move(machine_of(from), static_cast<int>(from), static_cast<int>(to));
}
#else
template <class State>
void note_move(State, State) {}
#endif

// Makes the move when the table has it; an impossible one changes nothing and returns false.
template <class State>
bool move_to(State& state, State to) {
  if (!may_move(state, to)) return false;
  note_move(state, to);
  state = to;
  return true;
}

}  // namespace tradesync
