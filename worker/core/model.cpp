#include "core/model.hpp"

namespace tradesync {
namespace {

struct OrderStateRow {
  OrderStatus status;
  std::string_view text;
  int rank;
  bool terminal;
};

// "new_" is spelled "new" everywhere but in C++.
constexpr std::string_view without_underscore(std::string_view name) {
  return name.ends_with('_') ? name.substr(0, name.size() - 1) : name;
}

constexpr OrderStateRow kOrderStates[] = {
#define ORDER_STATE(name, rank, terminal, meaning) {OrderStatus::name, without_underscore(#name), rank, terminal},
#define ORDER_MOVE(from, to)
#include "core/order_states.def"
#undef ORDER_STATE
#undef ORDER_MOVE
};

const OrderStateRow& row(OrderStatus status) { return kOrderStates[static_cast<std::size_t>(status)]; }

}  // namespace

std::string_view text(Side side) { return side == Side::buy ? "buy" : "sell"; }

std::string_view text(PositionSide side) {
  switch (side) {
    case PositionSide::both: return "both";
    case PositionSide::long_: return "long";
    case PositionSide::short_: return "short";
  }
  return "both";
}

std::string_view text(OrderKind kind) { return kind == OrderKind::regular ? "regular" : "conditional"; }
std::string_view text(Purpose purpose) {
  switch (purpose) {
    case Purpose::external: return "external";
    case Purpose::entry: return "entry";
    case Purpose::stop_loss: return "stop_loss";
    case Purpose::take_profit: return "take_profit";
    case Purpose::close: return "close";
  }
  return "external";
}

Purpose purpose_from(std::string_view word) {
  for (Purpose purpose : {Purpose::entry, Purpose::stop_loss, Purpose::take_profit, Purpose::close})
    if (word == text(purpose)) return purpose;
  return Purpose::external;
}

std::string_view text(Source source) { return source == Source::stream ? "stream" : "rest"; }
std::string_view text(OrderStatus status) { return row(status).text; }
bool is_terminal(OrderStatus status) { return row(status).terminal; }
int rank(OrderStatus status) { return row(status).rank; }

std::optional<OrderStatus> order_status_from(std::string_view word) {
  for (const auto& state : kOrderStates)
    if (state.text == word) return state.status;
  return std::nullopt;
}

std::optional<PositionSide> position_side_from(std::string_view word) {
  if (word == "both") return PositionSide::both;
  if (word == "long") return PositionSide::long_;
  if (word == "short") return PositionSide::short_;
  return std::nullopt;
}

bool Version::newer_than(const Version& other) const {
  if (order > 0 && other.order > 0 && order != other.order) return order > other.order;
  return time > other.time;
}

std::string canonical_symbol(std::string_view symbol) {
  std::string out;
  out.reserve(symbol.size());
  for (char c : symbol.substr(0, symbol.find(':'))) {
    if (c == '/') continue;
    out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return out;
}

}  // namespace tradesync
