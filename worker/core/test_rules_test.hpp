// Rules of both kinds of venue and the nouns of an account in one line each, for the tests of the core.
// The numbers are small and round; what differs is the kind: a listen key and executions per symbol, or a login.
#pragma once
#include <initializer_list>
#include <string>
#include <variant>
#include <vector>

#include "core/effect.hpp"
#include "core/rules.hpp"

namespace tradesync::test {

inline int weight_one(const Request&) { return 1; }

// Binance's kind.
inline VenueRules key_rules() {
  VenueRules rules;
  rules.name = "key venue";
  rules.listen_key = true;
  rules.listen_key_keep_alive_ms = 25 * 60000;
  rules.private_silence_ms = 3600000;
  rules.rotate_after_ms = 23 * 3600000;
  rules.price_stale_ms = 5000;
  rules.symbols_per_connection = 6;
  rules.symbols_per_subscribe = 3;
  rules.commands_per_second = 5;
  rules.conditional_orders_apart = true;
  rules.executions_per_symbol = true;
  rules.leverage_apart = true;
  rules.position_mode_account_wide = true;
  rules.execution_overlap_ms = 60000;
  rules.max_window_ms = 7LL * 24 * 3600000;
  rules.budget = 2000;
  rules.budget_window_ms = 60000;
  rules.weight = weight_one;
  return rules;
}

// Bybit's kind.
inline VenueRules login_rules() {
  VenueRules rules;
  rules.name = "login venue";
  rules.login = true;
  rules.ping_interval_ms = 20000;
  rules.private_silence_ms = 45000;
  rules.price_stale_ms = 10000;
  rules.symbols_per_connection = 6;
  rules.symbols_per_subscribe = 3;
  rules.commands_per_second = 10;
  rules.execution_overlap_ms = 60000;
  rules.max_window_ms = 7LL * 24 * 3600000;
  rules.budget = 40;
  rules.budget_window_ms = 1000;
  rules.weight = weight_one;
  return rules;
}

inline Decimal decimal(std::string_view text) { return *Decimal::parse(text); }

inline Order order(const std::string& symbol, const std::string& id, OrderStatus status, Version version,
                   std::string_view filled = "0") {
  Order order;
  order.symbol = symbol;
  order.order_id = id;
  order.type = "limit";
  order.status = status;
  order.quantity = decimal("10");
  order.filled_quantity = decimal(filled);
  order.version = version;
  return order;
}

// Positive quantity = bought. The sequence is that of the position report which contains the fill.
inline Fill fill(const std::string& symbol, const std::string& id, std::string_view signed_quantity, std::int64_t sequence,
                 std::int64_t executed_ms, std::optional<PositionSide> side = PositionSide::both) {
  Fill fill;
  fill.symbol = symbol;
  fill.trade_id = id;
  fill.order_id = "order of " + id;
  const Decimal quantity = decimal(signed_quantity);
  fill.side = quantity.is_negative() ? Side::sell : Side::buy;
  fill.quantity = quantity.absolute();
  fill.price = decimal("100");
  fill.position_side = side;
  fill.exec_type = "trade";
  fill.executed_ms = executed_ms;
  fill.sequence = sequence;
  return fill;
}

inline VenuePosition position(const std::string& symbol, std::string_view quantity, Version version,
                              PositionSide side = PositionSide::both) {
  VenuePosition position;
  position.symbol = symbol;
  position.position_side = side;
  position.quantity = decimal(quantity);
  position.entry_price = decimal("100");
  position.version = version;
  return position;
}

inline Reply reply(std::uint64_t id, Outcome outcome, Facts facts = {}) {
  Reply reply;
  reply.id = id;
  reply.outcome = outcome;
  reply.facts = std::move(facts);
  return reply;
}

inline std::vector<Closing> closings(const Changes& changes) {
  std::vector<Closing> all;
  for (const auto& stage : changes.stages) all.insert(all.end(), stage.closings.begin(), stage.closings.end());
  return all;
}

inline std::vector<PositionChange> position_changes(const Changes& changes) {
  std::vector<PositionChange> all;
  for (const auto& stage : changes.stages) all.insert(all.end(), stage.positions.begin(), stage.positions.end());
  return all;
}

// Every action of one kind, in its order.
template <class Kind>
std::vector<Kind> actions_of(const std::vector<Action>& actions) {
  std::vector<Kind> found;
  for (const auto& action : actions)
    if (const auto* kind = std::get_if<Kind>(&action)) found.push_back(*kind);
  return found;
}

inline std::vector<SendCommand> commands(const std::vector<Action>& actions, SendCommand::What what) {
  std::vector<SendCommand> found;
  for (auto& command : actions_of<SendCommand>(actions))
    if (command.what == what) found.push_back(command);
  return found;
}

}  // namespace tradesync::test
