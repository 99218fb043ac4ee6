#include "core/engine.hpp"

#include <algorithm>

namespace tradesync {

Engine::Engine(const VenueRules& rules, const EngineSettings& settings, Loaded loaded)
    : rules_(rules),
      settings_(settings),
      random_(settings.seed),
      requests_(rules, clock_, random_),
      private_(rules, requests_, link_ids_, random_),
      public_(rules, link_ids_, random_),
      restore_(rules, requests_),
      tickers_(requests_),
      writes_(rules, clock_),
      trader_(rules, settings_.trading, clock_, requests_, writes_, market_, orders_, positions_),
      cursors_(std::move(loaded.cursors)),
      buffer_limit_(settings.buffer_events) {
  forget_unfilled(loaded);
  for (const auto& order : loaded.orders) orders_.load(order);
  for (const auto& held : loaded.positions) positions_.load(held.position, held.reported, held.row_open, held.row_side);
  load_trading(std::move(loaded));
}

void Engine::step(Event event, std::int64_t now_ms, Effects& effects) {
  std::visit([&](auto& what) { on(what, now_ms, effects); }, event);
  for (const Closing& closing : positions_.take_closed()) trader_.on_closed(closing, now_ms, effects);
  if (!std::holds_alternative<Tick>(event) && !std::holds_alternative<Stopping>(event)) on(Tick{}, now_ms, effects);
}

void Engine::on(const Started&, std::int64_t now_ms, Effects&) {
  started_ = true;
  start_trading(now_ms);
  clock_due_ms_ = instruments_due_ms_ = now_ms;
  if (settings_.private_session) private_.start(now_ms);
}

void Engine::on(const Stopping&, std::int64_t, Effects& effects) {
  stopping_ = true;
  restore_.forget();
  requests_.drop_all();
  writes_.drop_all();
  private_.stop(effects);
  public_.stop(effects);
}

void Engine::on(const SocketOpened& event, std::int64_t now_ms, Effects& effects) {
  if (private_.owns(event.link)) return signal(private_.on_opened(event.link, now_ms, effects), {}, now_ms, effects);
  public_.on_opened(event.link, now_ms);
}

void Engine::on(const SocketClosed& event, std::int64_t now_ms, Effects& effects) {
  if (private_.owns(event.link)) return signal(private_.on_closed(event.link, event.why, now_ms, effects), event.why, now_ms, effects);
  public_.on_closed(event.link, event.why, now_ms);
}

void Engine::on(const FrameRead& event, std::int64_t now_ms, Effects& effects) {
  if (private_.owns(event.link)) {
    private_.on_message(event.link, now_ms, lag_of(*event.facts, now_ms));
    if (!private_.delivers(event.link)) return;
    for (Fact& fact : *event.facts) private_fact(event.link, fact, now_ms, effects);
  } else if (public_.owns(event.link)) {
    public_.on_message(event.link, now_ms);
    for (Fact& fact : *event.facts) public_fact(event.link, fact, now_ms, effects);
  }
}

// From the venue's time of an order or a fill to our receipt. Positions do not tell: theirs may be hours old.
std::int64_t Engine::lag_of(const Facts& facts, std::int64_t now_ms) const {
  if (!clock_.known()) return -1;
  for (const Fact& fact : facts) {
    const auto* order = std::get_if<Order>(&fact);
    const auto* fill = std::get_if<Fill>(&fact);
    const std::int64_t venue_ms = order ? order->version.time : fill ? fill->executed_ms : 0;
    if (venue_ms > 0) return std::max<std::int64_t>(clock_.venue_now(now_ms) + clock_.uncertainty_ms() / 2 - venue_ms, 0);
  }
  return -1;
}

// A frame that cannot be read may have carried anything: it is kept, and what it may have changed is asked for.
void Engine::on(const FrameUnreadable& event, std::int64_t now_ms, Effects& effects) {
  effects.changes.dead_letters.push_back({"frame", "", event.sample.substr(0, limits::kFrameSample), event.error, "22000"});
  if (private_.owns(event.link) && private_.delivers(event.link)) hole_at_ms_ = now_ms;
}

void Engine::on(Answered& event, std::int64_t now_ms, Effects& effects) {
  if (const auto written = writes_.take_reply(event.reply, now_ms)) return on_written(*written, event.reply, now_ms, effects);
  Answer answer;
  Requests::Trouble trouble;
  const bool complete = requests_.on_reply(std::move(event.reply), now_ms, answer, trouble);
  if (trouble.began) note(effects, "exchange_error", "WARNING", "a request failed and is repeated until it succeeds: " + trouble.message);
  if (trouble.ended) note(effects, "exchange_error", "INFO", "requests succeed again");
  if (!complete) return;
  if (private_.on_answer(answer, now_ms, effects)) return;
  if (restore_.on_answer(answer)) return continue_restore(now_ms, effects);
  if (answer.request.kind == RequestKind::position_mode && answer.reply.outcome == Outcome::ok) note_mode(answer.request.symbol, answer.reply.hedge_mode, effects);
  if (trader_.on_answer(answer, live(), now_ms, effects)) return apply_answer_facts(answer.reply.facts, now_ms, effects);
  if (on_vanished(answer, now_ms, effects) || tickers_.on_answer(answer)) return;
  other_answer(answer, now_ms, effects);
}

void Engine::on(const SyncAsked& event, std::int64_t now_ms, Effects& effects) {
  for (const auto& symbol : event.symbols) {
    asked_symbols_.insert(symbol);
    follow_symbol(symbol, now_ms, effects);
  }
}

void Engine::on(const Tick&, std::int64_t now_ms, Effects& effects) {
  if (!started_ || stopping_) return;
  if (now_ms >= clock_due_ms_ || !clock_.known()) {
    if (!requests_.waiting_for(RequestKind::server_time)) ask(RequestKind::server_time, Requests::Priority::urgent);
    clock_due_ms_ = now_ms + limits::kClockRefreshMs;
  }
  if (now_ms >= instruments_due_ms_) {
    if (!requests_.waiting_for(RequestKind::instruments)) ask(RequestKind::instruments, Requests::Priority::normal);
    instruments_due_ms_ = now_ms + limits::kInstrumentsRefreshMs;
  }
  if (settings_.private_session) {
    const auto happened = private_.step(now_ms, clock_.known(), effects);
    if (happened != PrivateStream::Signal::none) signal(happened, private_.last_error(), now_ms, effects);
    if (live()) {
      place_sideless(now_ms, false, effects);
      resolve_doubts(now_ms, effects);
      if (now_ms >= audit_due_ms_) audit();
      ask_vanished(now_ms);
      if (has_hole() && now_ms >= hole_restore_at_ms_) close_hole(now_ms, effects);
    }
  } else if (clock_.known() && market_.instruments_known && !live()) {
    session_ = SessionState::live;  // nothing to restore: prices are all there is
    if (paper_) ask(RequestKind::balances, Requests::Priority::normal);
  }
  if (paper_) ask_paper(now_ms, effects);
  trade(now_ms, effects);
  public_.step(now_ms, effects);
  requests_.pump(now_ms, effects.actions);
  if (paper_) to_paper(effects.actions);
}

std::int64_t Engine::next_deadline(std::int64_t now_ms) {
  if (!started_ || stopping_) return INT64_MAX;
  std::int64_t deadline = std::min({clock_due_ms_, instruments_due_ms_, prices_due_ms_});
  deadline = std::min({deadline, requests_.next_deadline(now_ms), public_.next_deadline(now_ms), trader_.next_deadline(), writes_.next_deadline(now_ms)});
  if (!paper_requests_.empty()) return now_ms;
  if (!settings_.private_session) return deadline;
  deadline = std::min(deadline, private_.next_deadline(clock_.known()));
  if (!live()) return deadline;
  deadline = std::min({deadline, positions_.next_deadline(), audit_due_ms_, has_hole() ? hole_restore_at_ms_ : INT64_MAX});
  for (const auto& [symbol, at_ms] : ask_position_at_ms_) deadline = std::min(deadline, at_ms);
  deadline = std::min(deadline, second_look_at_ms_);
  for (const auto& [symbol, again] : ask_fills_again_) deadline = std::min(deadline, again.at_ms);
  for (const Vanished& each : vanished_) deadline = std::min(deadline, each.request == 0 ? each.ask_at_ms : INT64_MAX);
  return deadline;
}

void Engine::end_turn(std::int64_t now_ms, Effects& effects) {
  if (now_ms >= prices_due_ms_) {
    for (auto& [symbol, live] : market_.prices) {
      if (!live.dirty) continue;
      live.dirty = false;
      effects.changes.prices.push_back(live.price);
    }
    prices_due_ms_ = INT64_MAX;
  }
  for (auto& symbol : public_.take_stale(now_ms)) effects.changes.stale.push_back(std::move(symbol));
  if (cursors_dirty_) {
    effects.changes.cursors.push_back({"account", "", std::to_string(cursors_.account_ms)});
    for (const auto& symbol : dirty_trade_cursors_) effects.changes.cursors.push_back({"trades", symbol, cursors_.read_from[symbol]});
    dirty_trade_cursors_.clear();
    cursors_dirty_ = false;
  }
}

std::uint64_t Engine::ask(RequestKind kind, Requests::Priority priority, const std::string& symbol, std::int64_t since_ms) {
  Request request;
  request.kind = kind;
  request.symbol = symbol;
  request.since_ms = since_ms;
  return requests_.ask(std::move(request), priority);
}

void Engine::note(Effects& effects, std::string event_type, std::string severity, std::string message, std::string symbol) {
  effects.changes.events.push_back({std::move(event_type), std::move(severity), std::move(symbol), {}, {}, std::move(message)});
}

const std::string& Engine::last_error() const {
  return private_.last_error().empty() ? requests_.last_error() : private_.last_error();
}

std::vector<StreamReport> Engine::streams() const {
  std::vector<StreamReport> reports;
  if (settings_.private_session) reports.push_back(private_.report());
  for (auto& report : public_.report()) reports.push_back(std::move(report));
  return reports;
}

std::set<std::string> Engine::subscribed_symbols() const {
  std::set<std::string> symbols;
  for (const auto& symbol : public_.symbols())
    if (public_.status(symbol)->topic == PublicStreams::Topic::subscribed) symbols.insert(symbol);
  return symbols;
}

bool Engine::sync_settled() const {
  if (!market_.instruments_known) return false;
  for (const auto& symbol : public_.symbols()) {
    const auto topic = public_.status(symbol)->topic;
    if (topic == PublicStreams::Topic::waiting || topic == PublicStreams::Topic::requested) return false;
  }
  return true;
}

std::vector<Engine::SyncRow> Engine::sync_rows(const std::set<std::string>& before) const {
  std::set<std::string> symbols = asked_symbols_;
  for (auto& symbol : positions_.open_symbols()) symbols.insert(symbol);
  std::vector<SyncRow> rows;
  for (const auto& symbol : symbols) {
    if (market_.instruments_known && !market_.instruments.contains(symbol)) {
      rows.push_back({symbol, "invalid", "the exchange lists no such symbol"});
      continue;
    }
    const auto status = public_.status(symbol);
    if (!status || status->topic == PublicStreams::Topic::waiting || status->topic == PublicStreams::Topic::requested)
      rows.push_back({symbol, "requested", status ? status->detail : ""});
    else if (status->topic == PublicStreams::Topic::failed)
      rows.push_back({symbol, "failed", status->detail});
    else
      rows.push_back({symbol, before.contains(symbol) ? "already" : "subscribed", ""});
  }
  return rows;
}

}  // namespace tradesync
