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
      session_ = SessionState::connecting;
      return;
  }
}

void Engine::begin_restore(const std::string& reason, std::int64_t now_ms, Effects& effects) {
  for (const auto& [id, doubt] : doubt_requests_) requests_.drop(id);
  doubt_requests_.clear();
  if (audit_request_ != 0) requests_.drop(audit_request_);
  audit_request_ = 0;
  audit_due_ms_ = kNever;
  buffer_.clear();
  buffer_overflowed_ = false;
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
  for (auto& [order, as_of_ms] : restore_.gone_orders) {
    // Not among the open orders and unknown by id: it is certainly not open. Its fills, if any, are executions.
    order.status = OrderStatus::canceled;
    order.venue_status = "GONE";
    order.reject_reason = "the exchange no longer knows this order";
    order.version = Version{0, std::max(as_of_ms, order.version.time + 1)};
    apply_order(std::move(order), Source::rest, now_ms, effects);
  }
  std::sort(restore_.fills.begin(), restore_.fills.end(), [](const Fill& a, const Fill& b) { return a.executed_ms < b.executed_ms; });
  for (auto& fill : restore_.fills) apply_fill(std::move(fill), now_ms, effects);
  for (auto& funding : restore_.fundings) effects.changes.fundings.push_back(std::move(funding));

  const std::vector<VenuePosition> listed = restore_.positions;
  for (const auto& position : listed) apply_position(position, Source::rest, now_ms, effects);
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
  }
  const int findings = static_cast<int>(unexplained.size());
  for (const auto& symbol : open_before) follow_symbol(symbol, now_ms, effects);

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
  audit_due_ms_ = now_ms + settings_.audit_interval_ms;
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
    std::set<std::string> known;
    for (auto& fact : answer.reply.facts) {
      auto* instrument = std::get_if<Instrument>(&fact);
      if (!instrument) continue;
      known.insert(instrument->symbol);
      effects.changes.instruments.push_back(std::move(*instrument));
    }
    instruments_ = std::move(known);
    instruments_known_ = true;
    for (const auto& symbol : positions_.open_symbols()) follow_symbol(symbol, now_ms, effects);
    for (const auto& symbol : orders_.open_symbols()) follow_symbol(symbol, now_ms, effects);
    for (const auto& symbol : std::set<std::string>(asked_symbols_)) follow_symbol(symbol, now_ms, effects);
    return;
  }
  if (answer.request.id == audit_request_) return finish_audit(answer, now_ms, effects);
  const auto doubt = doubt_requests_.find(answer.request.id);
  if (doubt == doubt_requests_.end()) return;
  const DoubtAsked asked = doubt->second;
  doubt_requests_.erase(doubt);
  bool listed = false;
  for (auto& fact : answer.reply.facts) {
    if (const auto* position = std::get_if<VenuePosition>(&fact)) listed |= position->symbol == asked.symbol;
    account_fact(fact, Source::rest, now_ms, effects);
  }
  if (asked.about_position && !listed) {
    for (PositionSide side : {PositionSide::both, PositionSide::long_, PositionSide::short_}) {
      const VenuePosition* held = positions_.find(asked.symbol, side);
      if (!held) continue;  // one that we hold flat, too: it is flat as of now, and fills that wait for a report have theirs
      VenuePosition flat;
      flat.symbol = asked.symbol;
      flat.position_side = side;
      flat.version = Version{0, answer.as_of_ms};
      apply_position(std::move(flat), Source::rest, now_ms, effects);
    }
  }
  const bool was_open = positions_.is_open(asked.symbol);
  if (!positions_.settle(asked.symbol, now_ms, effects.changes).empty())
    note(effects, "quantity_mismatch_detected", "WARNING", "position and fills of the exchange do not add up", asked.symbol);
  if (was_open != positions_.is_open(asked.symbol)) follow_symbol(asked.symbol, now_ms, effects);
}

void Engine::resolve_doubts(std::int64_t now_ms, Effects&) {
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
    for (auto& position : listed) apply_position(std::move(position), Source::rest, now_ms, effects);
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
