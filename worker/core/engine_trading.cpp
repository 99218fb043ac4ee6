// Between the trader, the mirror and – in dry_run – the paper exchange.
#include <algorithm>
#include <iterator>

#include "core/engine.hpp"

namespace tradesync {

// A row whose entry has not been filled yet is no position that the mirror could find closed.
void Engine::forget_unfilled(Loaded& loaded) {
  for (LoadedPosition& held : loaded.positions)
    for (const LoadedTrade& trade : loaded.trades) {
      const bool waits_for_entry = trade.status == PositionStatus::pending_entry || trade.status == PositionStatus::entry_placed;
      if (waits_for_entry && trade.symbol == held.position.symbol && trade.position_side == held.position.position_side) held.row_open = false;
    }
}

void Engine::load_trading(Loaded loaded) {
  for (const PositionMode& mode : loaded.position_modes) market_.hedge[mode.symbol] = mode.hedge;
  for (const auto& [symbol, leverage] : loaded.leverages) market_.leverages[symbol] = leverage;
  counted_fills_.insert(loaded.recent_fills.begin(), loaded.recent_fills.end());
  if (settings_.trading.mode == TradingMode::dry_run) paper_ = std::make_unique<Paper>(rules_, settings_.trading);
  loaded_trading_ = std::move(loaded);
}

// Once the clock runs: what an earlier life left undecided may have been sent right up to this moment, and the ids that the
// paper exchange gives out must be larger than all before.
void Engine::start_trading(std::int64_t now_ms) {
  const Loaded loaded = std::exchange(loaded_trading_, {});
  if (paper_) {
    std::vector<VenuePosition> positions;
    for (const LoadedPosition& held : loaded.positions) positions.push_back(held.position);
    for (const auto& [symbol, leverage] : loaded.leverages) {
      VenuePosition flat;
      flat.symbol = symbol;
      flat.leverage = leverage;
      const bool held = std::any_of(positions.begin(), positions.end(), [&](const auto& position) { return position.symbol == symbol; });
      if (!held) positions.push_back(std::move(flat));
    }
    paper_->load(loaded.orders, positions, loaded.balances, (settings_.trading.unix_offset_ms + now_ms) * 1000);
  }
  trader_.load(loaded.trades, loaded.epoch, loaded.order_ids, loaded.own_orders, loaded.commands, now_ms);
}

void Engine::on(CommandsRead& event, std::int64_t now_ms, Effects& effects) {
  trader_.on_commands(event.commands, event.trades, event.order_ids, now_ms, effects);
}

void Engine::on(const AccountChanged& event, std::int64_t, Effects&) { trader_.on_account(event.not_opening); }

void Engine::on(const VerifyAsked& event, std::int64_t now_ms, Effects&) {
  trader_.verify(event.id, event.symbol, event.side, event.position_id, now_ms);
}

void Engine::on(const TickersAsked& event, std::int64_t, Effects&) { tickers_.begin(event.id); }

void Engine::trade(std::int64_t now_ms, Effects& effects) {
  trader_.step(live(), now_ms, effects);
  for (const Leverage& leverage : effects.changes.leverages) market_.leverages[leverage.symbol] = leverage.leverage;
  for (const std::string& symbol : trader_.take_followed()) follow_symbol(symbol, now_ms, effects);
  answer_questions(now_ms);
}

void Engine::note_mode(const std::string& symbol, bool hedge, Effects& effects) {
  const std::string key = rules_.position_mode_account_wide ? std::string() : symbol;
  const auto known = market_.hedge.find(key);
  if (known != market_.hedge.end() && known->second == hedge) return;
  market_.hedge[key] = hedge;
  effects.changes.position_modes.push_back({key, hedge});
}

void Engine::on_written(const Writes::Written& written, const Reply& reply, std::int64_t now_ms, Effects& effects) {
  trader_.on_written(written, reply, now_ms, effects);
  Facts facts = reply.facts;
  apply_answer_facts(facts, now_ms, effects);
}

// What an answer to the trader says is true for the mirror as well. Positions and fills wait while a restore is under way:
// it will bring them in their order.
void Engine::apply_answer_facts(Facts& facts, std::int64_t now_ms, Effects& effects) {
  for (Fact& fact : facts)
    if (std::holds_alternative<Order>(fact) || live()) account_fact(fact, Source::rest, now_ms, effects);
}

// The trader doubts what the mirror says about a position: the venue is asked for it and for its fills.
void Engine::answer_questions(std::int64_t now_ms) {
  for (const std::string& symbol : trader_.take_questions()) {
    if (!live()) continue;
    doubt_requests_[ask(RequestKind::positions, Requests::Priority::urgent, symbol)] = {symbol, true, false};
    const std::int64_t since_ms = std::max<std::int64_t>(clock_.venue_now(now_ms) - limits::kReadLagMs - rules_.execution_overlap_ms, 1);
    doubt_requests_[ask(RequestKind::executions, Requests::Priority::urgent, symbol, since_ms)] = {symbol, false, false};
  }
}

// ------------------------------------------------------------------------------------------------ orders missing in a list

void Engine::ask_vanished(std::int64_t now_ms) {
  for (Vanished& each : vanished_) {
    if (each.request != 0 || now_ms < each.ask_at_ms) continue;
    Request request;
    request.kind = each.order.kind == OrderKind::conditional && rules_.conditional_orders_apart ? RequestKind::conditional_order : RequestKind::order;
    request.symbol = each.order.symbol;
    request.order_id = each.order.order_id;
    each.request = requests_.ask(std::move(request), Requests::Priority::normal);
  }
}

bool Engine::on_vanished(const Answer& answer, std::int64_t now_ms, Effects& effects) {
  const auto it = std::find_if(vanished_.begin(), vanished_.end(), [&](const Vanished& each) { return each.request == answer.request.id; });
  if (it == vanished_.end()) return false;
  Order order = std::move(it->order);
  vanished_.erase(it);
  Facts facts = answer.reply.facts;
  apply_answer_facts(facts, now_ms, effects);
  if (answer.reply.outcome == Outcome::not_found) give_up(std::move(order), answer.as_of_ms, now_ms, effects);
  return true;
}

// Not among the open orders and unknown by id: it is certainly not open – unless it is so young that the venue's lists may
// not show it yet. Its fills, if any, are executions.
void Engine::give_up(Order order, std::int64_t as_of_ms, std::int64_t now_ms, Effects& effects) {
  const Order* held = orders_.find(order.symbol, order.order_id, order.kind);
  if (!held) return;  // something has told its end meanwhile
  const std::int64_t seen_ms = std::max(held->version.time, held->created_ms);
  const bool young = seen_ms == 0 ? first_missed_.try_emplace(order.order_id, as_of_ms).first->second + limits::kReadLagMs > as_of_ms
                                  : as_of_ms - seen_ms < limits::kReadLagMs;
  if (young) {
    vanished_.push_back({std::move(order), now_ms + limits::kProofPauseMs, 0});
    return;
  }
  first_missed_.erase(order.order_id);
  order.status = OrderStatus::canceled;
  order.venue_status = "GONE";
  order.reject_reason = "the exchange no longer knows this order";
  order.version = Version{0, std::max(as_of_ms, order.version.time + 1)};
  apply_order(std::move(order), Source::rest, now_ms, effects);
}

// ------------------------------------------------------------------------------------------------ dry_run

// What would go to the venue with a signature goes to the paper exchange instead, and is answered in the next step.
void Engine::to_paper(std::vector<Action>& actions) {
  std::erase_if(actions, [&](const Action& action) {
    const auto* send = std::get_if<SendRequest>(&action);
    if (!send) return false;
    const RequestKind kind = send->request.kind;
    const bool is_public = kind == RequestKind::server_time || kind == RequestKind::instruments || kind == RequestKind::ticker ||
                           kind == RequestKind::tickers;
    if (is_public) return false;
    paper_requests_.push_back(send->request);
    return true;
  });
}

void Engine::ask_paper(std::int64_t now_ms, Effects& effects) {
  for (const Request& request : std::exchange(paper_requests_, {})) {
    Facts pushed;
    Reply reply = paper_->answer(request, clock_.venue_now(now_ms), pushed);
    reply.id = request.id;
    reply.sent_ms = reply.received_ms = std::max<std::int64_t>(now_ms, 1);
    paper_facts(pushed, now_ms, effects);
    Answered answered{std::move(reply)};
    on(answered, now_ms, effects);
  }
}

void Engine::paper_facts(Facts& facts, std::int64_t now_ms, Effects& effects) {
  for (Fact& fact : facts) account_fact(fact, Source::stream, now_ms, effects);
}

}  // namespace tradesync
