// See process.hpp.
#include "sim/process.hpp"

#include "app/trading_access.hpp"

namespace tradesync::sim {
namespace {

constexpr std::int32_t kAccountId = 1;
constexpr Ms kLookMs = 1000;        // the safety scan of DESIGN §11, Waking
constexpr Ms kAccountAfterMs = 5;   // as in app/turn.cpp

TradingAccess access_of(const Account& account) {
  AccessFacts facts;
  facts.live_trading = true;
  facts.loopback = true;
  return trading_access(account, facts);
}

}  // namespace

Process::Process(const VirtualClock& clock, Tables& tables, Network& network, const Exchange& exchange, std::string key,
                 std::string secret, std::uint64_t seed)
    : clock_(clock), tables_(tables), network_(network), exchange_(exchange), key_(std::move(key)), secret_(std::move(secret)),
        seed_(seed) {}

Process::End Process::start() {
  ++starts_;
  told_ = SessionState::connecting;
  std::string error;
  Loaded loaded;
  EngineSettings settings;
  if (load_account(kAccountId, account_, error) != LoadResult::ok) return End::again;
  if (!account_.enabled) return End::left;
  const TradingAccess access = access_of(account_);
  if (load_state(kAccountId, loaded, error) != LoadResult::ok || load_trading(kAccountId, account_.version, loaded, error) != LoadResult::ok ||
      load_trading_settings(kAccountId, settings.trading, error) != LoadResult::ok)
    return End::again;
  settings.seed = seed_ + static_cast<std::uint64_t>(starts_);
  settings.trading.mode = access.mode;
  settings.trading.not_opening = access.not_opening;
  settings.trading.unix_offset_ms = clock_.unix_ms() - clock_.local_ms();
  settings.private_session = access.mode != TradingMode::dry_run;
  const Endpoints endpoints = exchange_.endpoints("mainnet").value();
  machine_ = std::make_unique<AccountMachine>(kAccountId, exchange_, endpoints, Credentials{key_, secret_}, settings,
      std::move(loaded), network_);
  look_at_ms_ = 0;
  account_at_ms_ = INT64_MAX;
  machine_->start(clock_.local_ms());
  return turn();
}

bool Process::is_due() {
  return machine_ && (!network_.inbox_empty() || clock_.local_ms() >= next_local_ms());
}

Ms Process::next_local_ms() {
  return machine_ ? std::min({look_at_ms_, account_at_ms_, machine_->next_deadline(clock_.local_ms())}) : INT64_MAX;
}

Process::End Process::turn() {
  const Ms now_ms = clock_.local_ms();
  if (const End end = read_tables(); end != End::none) return end;
  gather();
  machine_->step(Tick{}, now_ms);
  hand_out_verifications();
  std::string error;
  const AccountMachine::TurnEnd end = machine_->finish_turn(now_ms, error);
  if (end == AccountMachine::TurnEnd::again) return End::again;
  if (end == AccountMachine::TurnEnd::broken) {
    if (log) log("could not save: " + error);
    return End::broken;
  }
  const SessionState session = machine_->engine().session();
  if (session != told_ && log) log(std::string(text(told_)) + " -> " + std::string(text(session)));
  const bool reread = session != told_ && session == SessionState::connecting && machine_->store().has_refused_rows();
  told_ = session;
  return reread ? End::again : End::none;
}

// As the worker does it (Worker::read_commands): commands at once, the account's row a little later unless it has changed.
Process::End Process::read_tables() {
  const Ms now_ms = clock_.local_ms();
  if (now_ms >= look_at_ms_) {
    look_at_ms_ = now_ms + kLookMs;
    account_at_ms_ = std::min(account_at_ms_, now_ms + kAccountAfterMs);
    std::string error;
    LoadResult result = machine_->read_commands(account_.version, now_ms, error);
    if (result == LoadResult::account_changed) {
      if (const End end = look_at_account(now_ms); end != End::none) return end;
      result = machine_->read_commands(account_.version, now_ms, error);
    }
    if (result == LoadResult::gone) return End::again;
  }
  return now_ms >= account_at_ms_ ? look_at_account(now_ms) : End::none;
}

Process::End Process::look_at_account(Ms now_ms) {
  account_at_ms_ = INT64_MAX;
  Account fresh;
  std::string error;
  if (load_account(kAccountId, fresh, error) != LoadResult::ok) return End::again;
  if (!fresh.enabled) {
    machine_->stop(now_ms);
    return End::left;
  }
  const TradingAccess before = access_of(account_), after = access_of(fresh);
  account_ = fresh;
  if (!(before == after)) machine_->step(AccountChanged{after.not_opening}, now_ms);
  return End::none;
}

void Process::gather() {
  const Ms now_ms = clock_.local_ms();
  for (const Arrival& arrival : network_.take_inbox()) {
    const std::string_view bytes(arrival.bytes.data(), arrival.size);
    switch (arrival.kind) {
      case Arrival::Kind::opened: machine_->on_opened(arrival.id, now_ms); break;
      case Arrival::Kind::text: machine_->on_text(arrival.id, bytes, false, now_ms); break;
      case Arrival::Kind::closed: machine_->on_closed(arrival.id, arrival.note, now_ms); break;
      case Arrival::Kind::http:
        machine_->on_http(arrival.id, {arrival.status, arrival.complete, bytes, arrival.note, arrival.headers}, arrival.sent_ms,
                          arrival.received_ms, now_ms);
        break;
    }
  }
}

void Process::verify(const std::string& symbol, const std::string& position_side, std::int64_t position_id) {
  if (!machine_) return;
  const std::uint64_t id = ++last_question_;
  questions_[id] = position_id;
  machine_->step(VerifyAsked{id, symbol, position_side_from(position_side).value_or(PositionSide::both), position_id}, clock_.local_ms());
}

void Process::hand_out_verifications() {
  std::erase_if(questions_, [&](const auto& entry) {
    if (!machine_->engine().verification_done(entry.first)) return false;
    const std::vector<VerifyRow> rows = machine_->engine().take_verification(entry.first);
    if (on_verified) on_verified(entry.second, rows);
    return true;
  });
}

void Process::kill() {
  machine_.reset();
  questions_.clear();
  network_.forget_client();
}

}  // namespace tradesync::sim
