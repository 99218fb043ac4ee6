// The session of DESIGN §5: connect, buffer, restore, replay, live – after every disconnect, not only at the start.
#include <algorithm>
#include <iterator>

#include "core/engine.hpp"
#include "core/states.hpp"

namespace tradesync {
namespace {

constexpr std::int64_t kNever = INT64_MAX;
constexpr std::int64_t kAskAgainMs = 1000;
constexpr std::int64_t kLookBackMs = 10 * 60 * 1000;

}  // namespace

void Engine::signal(PrivateStream::Signal signal, const std::string& why, std::int64_t now_ms, Effects& effects) {
  switch (signal) {
    case PrivateStream::Signal::none:
      return;
    case PrivateStream::Signal::opened:
      move_to(session_, SessionState::authenticating);
      return;
    case PrivateStream::Signal::subscribed:
      note(effects, "websocket_connected", "INFO", "private stream subscribed");
      begin_restore(cursors_.account_ms == 0 ? "start" : "reconnect", now_ms, effects);
      return;
    case PrivateStream::Signal::rotated:
      note(effects, "websocket_periodic_reconnection", "INFO", "private stream moved to a new connection");
      return;
    case PrivateStream::Signal::lost:
      if (session_ == SessionState::connecting) return;  // one line per outage, not one per try
      note(effects, "websocket_disconnected", "WARNING", "private stream lost: " + why);
      restore_.forget();
      buffer_.clear();
      doubt_requests_.clear();
      note_move(session_, SessionState::connecting);
      session_ = SessionState::connecting;
      return;
  }
}

void Engine::begin_restore(const std::string& reason, std::int64_t now_ms, Effects& effects) {
  for (const auto& [id, doubt] : doubt_requests_) requests_.drop(id);
  doubt_requests_.clear();
  if (audit_request_ != 0) requests_.drop(audit_request_);
  for (const std::uint64_t id : second_look_) requests_.drop(id);
  second_look_.clear();
  second_look_at_ms_ = kNever;
  audit_request_ = 0;
  audit_due_ms_ = kNever;
  buffer_.clear();
  buffer_overflowed_ = false;
  note_move(session_, SessionState::buffering);
  session_ = SessionState::buffering;
  restore_reason_ = reason;
  restore_started_ms_ = now_ms;
  effects.changes.sync_runs.push_back({reason, now_ms, 0, false, 0, {}});
  restore_.forget();
  if (clock_.known()) restore_.begin(cursors_, clock_.venue_now(now_ms));
}

void Engine::buffer_fact(Fact fact, std::int64_t now_ms, Effects& effects) {
  if (session_ != SessionState::buffering && session_ != SessionState::restoring) return;
  if (buffer_.size() < buffer_limit_) {
    buffer_.push_back(std::move(fact));
    return;
  }
  // A hole in the buffer is a hole in the account: throw it away, make room, ask again for everything.
  buffer_limit_ = std::min(buffer_limit_ * 2, limits::kBufferBytes / sizeof(Fact));
  note(effects, "synchronization_started", "WARNING", "buffer overflowed while restoring; reading everything again");
  begin_restore("overflow", now_ms, effects);
}

void Engine::continue_restore(std::int64_t now_ms, Effects& effects) {
  if (!restore_.running()) return;
  if (restore_.first_part_done()) {
    move_to(session_, SessionState::restoring);
    restore_.advance(orders_, positions_, cursors_);
  }
  if (!restore_.complete()) return;
  move_to(session_, SessionState::replaying);
  merge_snapshot(now_ms, effects);
  replay(now_ms, effects);
  move_to(session_, SessionState::live);
  private_.proven();
}

// Orders and fills first, so that the positions that follow are explained by them.
void Engine::merge_snapshot(std::int64_t now_ms, Effects& effects) {
  for (auto& order : restore_.orders) apply_order(std::move(order), Source::rest, now_ms, effects);
  for (auto& [order, as_of_ms] : restore_.gone_orders) give_up(std::move(order), as_of_ms, now_ms, effects);
  if (rules_.position_mode_account_wide) note_mode({}, restore_.hedge_mode, effects);
  std::sort(restore_.fills.begin(), restore_.fills.end(), [](const Fill& a, const Fill& b) { return a.executed_ms < b.executed_ms; });
  for (auto& fill : restore_.fills) apply_fill(std::move(fill), now_ms, effects);
  for (auto& funding : restore_.fundings) effects.changes.fundings.push_back(std::move(funding));

  const std::vector<VenuePosition> listed = restore_.positions;
  for (const auto& position : listed) apply_read(position, restore_.positions_as_of_ms, now_ms, effects);
  const auto open_before = positions_.open_symbols();
  for (const auto& symbol : positions_.absent(listed, restore_.positions_as_of_ms, now_ms, effects.changes))
    ask_position_at_ms_[symbol] = now_ms + kAskAgainMs;
  place_sideless(now_ms, true, effects);
  // At the very first start there is no history to explain anything with. Later, what the fills read do not explain is
  // looked for further back.
  auto unexplained = positions_.settle("", now_ms, effects.changes);
  if (cursors_.account_ms == 0) unexplained.clear();
  for (const auto& symbol : unexplained) {
    const std::int64_t since = std::max<std::int64_t>(cursors_.account_ms - kLookBackMs, 1);
    doubt_requests_[ask(RequestKind::executions, Requests::Priority::normal, symbol, since)] = {symbol, false};
    ask_fills_again_[symbol] = {now_ms + limits::kReadLagMs, since};
  }
  const int findings = static_cast<int>(unexplained.size());
  for (const auto& symbol : open_before) follow_symbol(symbol, now_ms, effects);

  for (const auto& leverage : restore_.leverages) market_.leverages[leverage.symbol] = leverage.leverage;
  for (auto& balance : restore_.balances) effects.changes.balances.push_back(std::move(balance));
  for (auto& leverage : restore_.leverages)
    if (positions_.is_open(leverage.symbol)) effects.changes.leverages.push_back(std::move(leverage));

  cursors_.account_ms = std::max(cursors_.account_ms, restore_.as_of_ms);
  cursors_dirty_ = true;
  effects.changes.sync_runs.push_back({restore_reason_, restore_started_ms_, now_ms, true, findings, {}});
  note(effects, "synchronization_completed", "INFO",
       "account synchronised in " + std::to_string(now_ms - restore_started_ms_) + " ms (" + restore_reason_ + ")");
  restore_.finish();
  restore_.forget();
  audit_due_ms_ = now_ms + std::min(settings_.audit_interval_ms, limits::kReadLagMs);
  second_look_at_ms_ = now_ms + limits::kReadLagMs;
}

// Lists lag behind what was done and reported just before we listened: after a while the open orders are read once more.
void Engine::look_again(std::int64_t now_ms) {
  if (now_ms < second_look_at_ms_) return;
  second_look_at_ms_ = kNever;
  second_look_.insert(ask(RequestKind::open_orders, Requests::Priority::background));
  if (rules_.conditional_orders_apart) second_look_.insert(ask(RequestKind::open_conditional_orders, Requests::Priority::background));
}

bool Engine::on_second_look(Answer& answer, std::int64_t now_ms, Effects& effects) {
  if (second_look_.erase(answer.request.id) == 0) return false;
  std::set<std::string> listed;
  for (Fact& fact : answer.reply.facts) {
    if (const auto* order = std::get_if<Order>(&fact)) listed.insert(order->symbol + "|" + order->order_id);
    account_fact(fact, Source::rest, now_ms, effects);
  }
  for (Order& order : orders_.open()) {
    const bool conditional = answer.request.kind == RequestKind::open_conditional_orders;
    const bool of_this_list = !rules_.conditional_orders_apart || (order.kind == OrderKind::conditional) == conditional;
    const bool young = answer.as_of_ms - std::max(order.version.time, order.created_ms) < limits::kReadLagMs;
    if (of_this_list && !young && !listed.contains(order.symbol + "|" + order.order_id)) vanished_.push_back({std::move(order), now_ms, 0});
  }
  return true;
}

void Engine::replay(std::int64_t now_ms, Effects& effects) {
  Facts waiting;
  waiting.swap(buffer_);
  for (Fact& fact : waiting) account_fact(fact, Source::stream, now_ms, effects);
}

void Engine::other_answer(Answer& answer, std::int64_t now_ms, Effects& effects) {
  if (answer.request.kind == RequestKind::server_time) {
    clock_.add_sample(answer.reply.sent_ms, answer.reply.received_ms, answer.reply.venue_time_ms);
    if (session_ == SessionState::buffering && !restore_.running()) restore_.begin(cursors_, clock_.venue_now(now_ms));
    return;
  }
  if (answer.request.kind == RequestKind::instruments) {
    std::map<std::string, Instrument, std::less<>> known;
    for (auto& fact : answer.reply.facts) {
      auto* instrument = std::get_if<Instrument>(&fact);
      if (!instrument) continue;
      known.insert_or_assign(instrument->symbol, *instrument);
      if (paper_) paper_->on_instrument(*instrument);
      effects.changes.instruments.push_back(std::move(*instrument));
    }
    market_.instruments = std::move(known);
    market_.instruments_known = true;
    for (const auto& symbol : positions_.open_symbols()) follow_symbol(symbol, now_ms, effects);
    for (const auto& symbol : orders_.open_symbols()) follow_symbol(symbol, now_ms, effects);
    for (const auto& symbol : std::set<std::string>(asked_symbols_)) follow_symbol(symbol, now_ms, effects);
    return;
  }
  if (answer.request.kind == RequestKind::balances) {  // dry_run: what the paper account begins with
    for (auto& fact : answer.reply.facts) account_fact(fact, Source::rest, now_ms, effects);
    return;
  }
  if (on_second_look(answer, now_ms, effects)) return;
  if (answer.request.id == audit_request_) return finish_audit(answer, now_ms, effects);
  const auto doubt = doubt_requests_.find(answer.request.id);
  if (doubt == doubt_requests_.end()) return;
  const DoubtAsked asked = doubt->second;
  doubt_requests_.erase(doubt);
  std::set<PositionSide> listed;
  bool conclusive = true;
  for (auto& fact : answer.reply.facts) {
    if (auto* position = std::get_if<VenuePosition>(&fact)) {
      // A row of zero is listed or not, as the venue likes: either way nothing is held there.
      if (position->symbol == asked.symbol && !position->quantity.is_zero()) listed.insert(position->position_side);
      position->version = positions_.as_read(*position, answer.as_of_ms);
    }
    account_fact(fact, Source::rest, now_ms, effects);
  }
  if (asked.about_position) {
    for (PositionSide side : {PositionSide::both, PositionSide::long_, PositionSide::short_}) {
      const VenuePosition* held = positions_.find(asked.symbol, side);
      if (!held || listed.contains(side)) continue;
      if (!positions_.may_be_flat(asked.symbol, side, answer.as_of_ms)) {
        ask_position_at_ms_[asked.symbol] = now_ms + kAskAgainMs;  // reported so lately that a list may lack it
        conclusive = false;
        continue;
      }
      // One that we hold flat, too: it is flat as of now, and fills that wait for a report have theirs
      VenuePosition flat;
      flat.symbol = asked.symbol;
      flat.position_side = side;
      flat.version = Version{0, answer.as_of_ms};
      apply_position(std::move(flat), Source::rest, now_ms, effects);
    }
  }
  if (!asked.settles || !conclusive) return;
  // All fills are here and do not add up to what was reported: the report may be the one that is wrong.
  if (!asked.about_position && positions_.is_unexplained(asked.symbol)) {
    doubt_requests_[ask(RequestKind::positions, Requests::Priority::normal, asked.symbol)] = {asked.symbol, true};
    return;
  }
  const bool was_open = positions_.is_open(asked.symbol);
  if (!positions_.settle(asked.symbol, now_ms, effects.changes).empty()) {
    const std::int64_t since = clock_.venue_now(now_ms) - limits::kReadLagMs - rules_.execution_overlap_ms;
    ask_fills_again_.try_emplace(asked.symbol, FillsAgain{now_ms + limits::kReadLagMs, std::max<std::int64_t>(since, 1)});
    ask_position_at_ms_.try_emplace(asked.symbol, now_ms + limits::kReadLagMs);
    note(effects, "quantity_mismatch_detected", "WARNING", "position and fills of the exchange do not add up", asked.symbol);
  }
  if (was_open != positions_.is_open(asked.symbol)) follow_symbol(asked.symbol, now_ms, effects);
}

// One row of a list of positions that was asked for at `as_of_ms`.
void Engine::apply_read(VenuePosition position, std::int64_t as_of_ms, std::int64_t now_ms, Effects& effects) {
  position.version = positions_.as_read(position, as_of_ms);
  apply_position(std::move(position), Source::rest, now_ms, effects);
}

void Engine::resolve_doubts(std::int64_t now_ms, Effects&) {
  look_again(now_ms);
  for (const auto& doubt : positions_.overdue(now_ms)) {
    const bool about_position = doubt.need == Positions::Need::position;
    const std::int64_t since = std::max<std::int64_t>(doubt.since_ms - rules_.execution_overlap_ms, 1);
    const auto id = about_position ? ask(RequestKind::positions, Requests::Priority::normal, doubt.symbol)
                                   : ask(RequestKind::executions, Requests::Priority::normal, doubt.symbol, since);
    doubt_requests_[id] = {doubt.symbol, about_position};
  }
  for (auto it = ask_position_at_ms_.begin(); it != ask_position_at_ms_.end();) {
    if (now_ms < it->second) {
      ++it;
      continue;
    }
    doubt_requests_[ask(RequestKind::positions, Requests::Priority::normal, it->first)] = {it->first, true};
    it = ask_position_at_ms_.erase(it);
  }
  std::erase_if(ask_fills_again_, [&](const auto& entry) {
    const auto& [symbol, again] = entry;
    if (now_ms < again.at_ms) return false;
    doubt_requests_[ask(RequestKind::executions, Requests::Priority::background, symbol, again.since_ms)] = {symbol, false, false};
    return true;
  });
}

// What the unreadable frame said is somewhere in a full answer of the venue.
void Engine::close_hole(std::int64_t now_ms, Effects& effects) {
  if (now_ms - hole_restore_at_ms_ > limits::kHoleRestoreLastMs) hole_pause_.reset();
  hole_restore_at_ms_ = now_ms + hole_pause_.next(random_);
  note(effects, "synchronization_started", "WARNING", "a message of the account could not be read; reading everything again");
  begin_restore("unreadable frame", now_ms, effects);
}

// The stream should have told everything that a fresh list of positions says. A difference may be an event on its way; one
// that is still there a moment later was lost, and what else was lost with it nobody knows: restore.
void Engine::audit() {
  audit_due_ms_ = kNever;
  audit_request_ = ask(RequestKind::positions, Requests::Priority::background);
}

void Engine::finish_audit(Answer& answer, std::int64_t now_ms, Effects& effects) {
  audit_request_ = 0;
  audit_due_ms_ = now_ms + settings_.audit_interval_ms;
  if (!live()) return;
  std::vector<VenuePosition> listed;
  for (auto& fact : answer.reply.facts)
    if (auto* position = std::get_if<VenuePosition>(&fact)) listed.push_back(std::move(*position));
  if (!positions_.contradicted_by(listed, answer.as_of_ms)) {
    audit_suspects_ = false;
    for (auto& position : listed) apply_read(std::move(position), answer.as_of_ms, now_ms, effects);
    // Proof that nothing was missed up to here: a later start need not read older history.
    if (!has_hole() && answer.as_of_ms > cursors_.account_ms) {
      cursors_.account_ms = answer.as_of_ms;
      cursors_dirty_ = true;
    }
    return;
  }
  if (!audit_suspects_) {
    audit_suspects_ = true;
    audit_due_ms_ = now_ms + limits::kFillGraceMs;
    return;
  }
  audit_suspects_ = false;
  note(effects, "quantity_mismatch_detected", "WARNING", "the exchange holds positions that the stream did not report; restoring the account");
  begin_restore("audit", now_ms, effects);
}

}  // namespace tradesync
