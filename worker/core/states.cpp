#include "core/states.hpp"

namespace tradesync {
namespace {

template <class State>
struct Move {
  State from, to;
};

constexpr Move<OrderStatus> kOrderMoves[] = {
#define ORDER_STATE(name, rank, terminal, meaning)
#define ORDER_MOVE(from, to) {OrderStatus::from, OrderStatus::to},
#include "core/order_states.def"
#undef ORDER_STATE
#undef ORDER_MOVE
};
constexpr Move<LinkState> kLinkMoves[] = {
#define LINK_STATE(name, meaning)
#define LINK_MOVE(from, to) {LinkState::from, LinkState::to},
#include "core/link_states.def"
#undef LINK_STATE
#undef LINK_MOVE
};
constexpr Move<SessionState> kSessionMoves[] = {
#define SESSION_STATE(name, meaning)
#define SESSION_MOVE(from, to) {SessionState::from, SessionState::to},
#include "core/session_states.def"
#undef SESSION_STATE
#undef SESSION_MOVE
};
constexpr Move<PositionStatus> kPositionMoves[] = {
#define POSITION_STATE(name, open, meaning)
#define POSITION_MOVE(from, to) {PositionStatus::from, PositionStatus::to},
#include "core/position_states.def"
#undef POSITION_STATE
#undef POSITION_MOVE
};

constexpr std::string_view kLinkNames[] = {
#define LINK_STATE(name, meaning) #name,
#define LINK_MOVE(from, to)
#include "core/link_states.def"
#undef LINK_STATE
#undef LINK_MOVE
};
constexpr std::string_view kSessionNames[] = {
#define SESSION_STATE(name, meaning) #name,
#define SESSION_MOVE(from, to)
#include "core/session_states.def"
#undef SESSION_STATE
#undef SESSION_MOVE
};
constexpr std::string_view kPositionNames[] = {
#define POSITION_STATE(name, open, meaning) #name,
#define POSITION_MOVE(from, to)
#include "core/position_states.def"
#undef POSITION_STATE
#undef POSITION_MOVE
};

template <class State, std::size_t Count>
bool listed(const Move<State> (&moves)[Count], State from, State to) {
  for (const auto& move : moves)
    if (move.from == from && move.to == to) return true;
  return false;
}

}  // namespace

std::string_view text(LinkState state) { return kLinkNames[static_cast<std::size_t>(state)]; }
std::string_view text(SessionState state) { return kSessionNames[static_cast<std::size_t>(state)]; }
std::string_view text(PositionStatus status) { return kPositionNames[static_cast<std::size_t>(status)]; }

bool may_move(OrderStatus from, OrderStatus to) { return listed(kOrderMoves, from, to); }
bool may_move(LinkState from, LinkState to) { return listed(kLinkMoves, from, to); }
bool may_move(SessionState from, SessionState to) { return listed(kSessionMoves, from, to); }
bool may_move(PositionStatus from, PositionStatus to) { return listed(kPositionMoves, from, to); }

}  // namespace tradesync
