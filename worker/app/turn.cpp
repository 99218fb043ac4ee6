#include "app/turn.hpp"

#include <malloc.h>

#include <algorithm>
#include <stdexcept>

#include "exchanges/hmac.hpp"

namespace tradesync {
namespace {

constexpr std::int64_t kLookMs = 1000;          // the safety scan of DESIGN §11, Waking
constexpr std::int64_t kAwakeMs = 2;            // who has woken us is about to commit: going to sleep and waking up again takes 0.2 ms
constexpr std::int64_t kAccountAfterMs = 5;     // who has woken us may be about to commit a command; his account's row can wait
constexpr std::int64_t kHaltedClaimMs = 3000;
constexpr std::int64_t kClaimAgainMs = 10000;
constexpr std::size_t kBurstItems = 256;        // a turn of this many leaves memory behind that is worth giving back

std::string overridden(const std::string& wish, const std::string& standard) {
  if (wish.empty()) return standard;
  std::string out = wish;
  while (out.ends_with('/')) out.pop_back();
  return out;
}

std::string setting(const char* name) {
  const char* value = wall_setting(name);
  return value ? value : "";
}

// Plain http is accepted for this machine only, so whoever may be spoken to without TLS is this machine.
bool is_loopback(const std::string& url) {
  const auto scheme = url.find("://");
  net::Url parsed;
  std::string why_not;
  return scheme != std::string::npos && net::parse_url("http" + url.substr(scheme), parsed, why_not);
}

// Seeds jitter only: workers that start together should not reconnect together.
std::uint64_t jitter_seed(const std::string& account, std::int64_t unix_ms) {
  std::uint64_t seed = static_cast<std::uint64_t>(unix_ms);
  for (char c : account) seed = seed * 1099511628211ull + static_cast<unsigned char>(c);
  return seed;
}

}  // namespace

Worker::Worker(std::int32_t account_id, Account account, Loaded loaded, const TradingSettings& trading)
    : account_id_(account_id), account_(std::move(account)), trading_(trading), loaded_(std::move(loaded)), questions_(account_.exchange) {
  choose_venue();
  read_credentials();
  wire_.emplace(loop_, inbox_, setting("tradesync.ca_file"));
  make_machine();
  // A halted account – above all a copy of a database that is in doubt about itself – lets the original go first.
  claim_at_ms_ = loop_.now_ms() + (account_.halted ? kHaltedClaimMs : 0);
}

void Worker::choose_venue() {
  exchange_ = find_exchange(account_.exchange);
  if (!exchange_) throw std::runtime_error("exchange \"" + account_.exchange + "\" is not known to this version");
  const auto standard = exchange_->endpoints(account_.environment);
  if (!standard) throw std::runtime_error("exchange \"" + account_.exchange + "\" has no environment \"" + account_.environment + "\"");
  endpoints_.rest = overridden(account_.rest_url, standard->rest);
  endpoints_.public_stream = overridden(account_.ws_public_url, standard->public_stream);
  endpoints_.private_stream = overridden(account_.ws_private_url, standard->private_stream);
}

void Worker::read_credentials() {
  if (account_.mode == "dry_run") return;  // opens no private connection, even with keys (DESIGN §11, Modes)
  const std::string path = setting("tradesync.credentials_file");
  const char* data_directory = wall_data_directory();
  disabled_reason_.clear();
  if (credentials_.read(path, account_.name, data_directory ? data_directory : "")) return;
  disabled_reason_ = credentials_.problem();
  wall_log('W', ("account " + account_.name + ": " + disabled_reason_).c_str(), nullptr,
           "Prices are still followed. Correct the file and reload the configuration.");
}

// Inside one cluster only one worker may speak for an API key (DESIGN §11, Identity and exclusion).
bool Worker::claim_account() {
  if (!credentials_.present()) return true;
  const std::string identity = std::string(exchange_->rules().name) + "|" + endpoints_.rest + "|" + std::string(credentials_.credentials().api_key);
  return wall_claim_account(hmac_sha256_hex("pg_tradesync account", identity).c_str());
}

void Worker::make_machine() {
  access_ = trading_access(account_, access_facts());
  Loaded loaded = loaded_;
  // What cannot be carried out is answered when it is read, not begun.
  if (!access_.refused.empty()) loaded.commands.clear();
  machine_ = std::make_unique<AccountMachine>(account_id_, *exchange_, endpoints_, credentials_.credentials(), engine_settings(),
                                              std::move(loaded), *wire_);
  if (access_.refused.empty()) return;
  machine_->refuse_commands(access_.refused);
  if (disabled_reason_.empty()) wall_log('W', ("account " + account_.name + ": " + access_.refused).c_str(), nullptr, nullptr);
}

void Worker::start(std::int64_t now_ms) {
  started_ = true;
  if (!claim_account()) {
    disabled_reason_ = "another worker of this cluster already uses this API key";
    claim_at_ms_ = now_ms + kClaimAgainMs;
    wall_log('W', ("account " + account_.name + ": " + disabled_reason_).c_str(), nullptr, "Disable one of the two accounts.");
    make_machine();
  } else {
    claim_at_ms_ = INT64_MAX;
  }
  loaded_ = Loaded{};
  machine_->start(now_ms);
}

// The other worker may have left.
void Worker::claim_again(std::int64_t now_ms) {
  if (now_ms < claim_at_ms_) return;
  claim_at_ms_ = now_ms + kClaimAgainMs;
  if (claim_account()) restart_wanted_ = true;
}

EngineSettings Worker::engine_settings() const {
  EngineSettings settings;
  settings.private_session = account_.mode != "dry_run" && credentials_.present() && disabled_reason_.empty();
  settings.buffer_events = static_cast<std::size_t>(wall_setting_number("tradesync.buffer_limit", limits::kBufferEvents));
  settings.price_interval_ms = wall_setting_number("tradesync.price_interval", settings.price_interval_ms);
  settings.audit_interval_ms = wall_setting_number("tradesync.sync_interval", settings.audit_interval_ms);
  settings.seed = jitter_seed(account_.name, wall_unix_ms());
  settings.trading = trading_;
  settings.trading.mode = access_.mode;
  settings.trading.not_opening = access_.not_opening;
  settings.trading.unix_offset_ms = wall_unix_ms() - loop_.now_ms();
  return settings;
}

AccessFacts Worker::access_facts() const {
  AccessFacts facts;
  facts.live_trading = setting("tradesync.live_trading") == "on";
  facts.runs_live = started_ && access_.mode == TradingMode::live;
  facts.loopback = is_loopback(endpoints_.rest) && is_loopback(endpoints_.public_stream) && is_loopback(endpoints_.private_stream);
  facts.key_problem = disabled_reason_;
  facts.key_environment = credentials_.environment();
  return facts;
}

// ------------------------------------------------------------------------------------------------ one turn

TurnResult Worker::turn() {
  loop_.run_once();
  const std::int64_t now_ms = loop_.now_ms();
  if (leave_) return TurnResult::leave;
  if (restart_wanted_) return TurnResult::again;

  if (!started_ && now_ms >= claim_at_ms_) start(now_ms);
  if (now_ms >= look_at_ms_ && !stopping_) read_commands(now_ms);
  gather(now_ms);
  machine_->step(Tick{}, now_ms);
  questions_.serve(*machine_, now_ms);

  std::string error;
  switch (machine_->finish_turn(now_ms, error)) {
    case AccountMachine::TurnEnd::sent: break;
    case AccountMachine::TurnEnd::again:
      if (!error.empty()) wall_log('W', ("account " + account_.name + ": " + error).c_str(), nullptr, nullptr);
      return TurnResult::again;
    case AccountMachine::TurnEnd::broken: throw std::runtime_error("could not save: " + error);
  }
  wire_->resume_reading();

  if (now_ms >= account_at_ms_ && !stopping_) look_at_account(now_ms);
  say_session_change();
  if (started_) claim_again(now_ms);
  give_memory_back(now_ms);
  publish(now_ms);
  return leave_ ? TurnResult::leave : restart_wanted_ ? TurnResult::again : TurnResult::ok;
}

// What people have asked for since the last look: the first thing of a turn, because somebody waits for it.
void Worker::read_commands(std::int64_t now_ms) {
  look_at_ms_ = now_ms + kLookMs;
  account_at_ms_ = std::min(account_at_ms_, now_ms + kAccountAfterMs);
  if (!started_) return;
  std::string error;
  LoadResult result = machine_->read_commands(account_.version, now_ms, error);
  if (result == LoadResult::account_changed) {
    look_at_account(now_ms);
    if (leave_ || restart_wanted_) return;  // they are for the one who starts with the new row
    result = machine_->read_commands(account_.version, now_ms, error);
  }
  // Anything else passes: the next look comes in a second.
  if (result == LoadResult::gone) restart_wanted_ = true;
  if (result == LoadResult::account_changed) look_at_ms_ = now_ms + kAccountAfterMs;
}

// The account's row may wait until the orders have left: commands name the version of it that they were read with, and an
// entry after a halt is refused by the tables themselves (worker_save_own_orders).
void Worker::look_at_account(std::int64_t now_ms) {
  account_at_ms_ = INT64_MAX;
  check_account_row();
  follow_access(now_ms);
}

void Worker::gather(std::int64_t now_ms) {
  if (inbox_.items().size() >= kBurstItems) burst_at_ms_ = now_ms;
  for (const net::Item& item : inbox_.items()) {
    switch (item.kind) {
      case net::Item::Kind::opened: machine_->on_opened(item.id, now_ms); break;
      case net::Item::Kind::text: machine_->on_text(item.id, inbox_.bytes(item), item.binary, now_ms); break;
      case net::Item::Kind::closed: machine_->on_closed(item.id, item.note, now_ms); break;
      case net::Item::Kind::http:
        machine_->on_http(item.id, {item.status, item.complete, inbox_.bytes(item), item.note, item.headers}, item.sent_ms,
                          item.received_ms, now_ms);
        break;
    }
  }
  inbox_.clear();
}

// ------------------------------------------------------------------------------------------------ around the turn

int Worker::timeout_ms() {
  if (!inbox_.empty()) return 0;
  const std::int64_t now_ms = loop_.now_ms();
  if (now_ms < awake_until_ms_) {
    net::Loop::yield();  // to him, if we are on his processor
    return 0;
  }
  const std::int64_t deadline = std::min({machine_->next_deadline(now_ms), look_at_ms_, account_at_ms_, questions_.deadline_ms(), claim_at_ms_});
  const std::int64_t wait = std::max<std::int64_t>(deadline - now_ms, 0);
  const int network = loop_.timeout_ms();
  const int own = static_cast<int>(std::min<std::int64_t>(wait, kLookMs));
  return network < 0 ? own : std::min(network, own);
}

void Worker::look(bool commit_expected) {
  const std::int64_t now_ms = loop_.now_ms();
  look_at_ms_ = 0;
  awake_until_ms_ = commit_expected && machine_->trades() ? now_ms + kAwakeMs : 0;
  questions_.take(machine_->engine(), now_ms);
}

void Worker::check_account_row() {
  Account fresh;
  std::string error;
  switch (load_account(account_id_, fresh, error)) {
    case LoadResult::ok:
      if (!fresh.enabled) leave_ = true;
      else if (!fresh.same_connection(account_)) restart_wanted_ = true;
      account_.halted = fresh.halted;
      account_.halt_reason = fresh.halt_reason;
      account_.version = fresh.version;
      return;
    case LoadResult::no_account: leave_ = true; return;
    case LoadResult::gone: restart_wanted_ = true; return;
    case LoadResult::account_changed:
    case LoadResult::failed: return;  // a passing failure: the next look comes in a second
  }
}

// Halted or resumed, live trading switched on or off.
void Worker::follow_access(std::int64_t now_ms) {
  const TradingAccess fresh = trading_access(account_, access_facts());
  if (fresh == access_) return;
  if (fresh.mode != access_.mode || fresh.refused != access_.refused) restart_wanted_ = true;
  access_.not_opening = fresh.not_opening;
  machine_->step(AccountChanged{fresh.not_opening}, now_ms);
}

void Worker::reload() {
  const std::string before(credentials_.credentials().api_key), environment = credentials_.environment(), problem = disabled_reason_;
  const std::string secret_mark = hmac_sha256_hex(credentials_.credentials().api_secret, "unchanged?");
  read_credentials();
  machine_->set_credentials(credentials_.credentials());
  const bool changed = before != credentials_.credentials().api_key || environment != credentials_.environment() ||
                       problem != disabled_reason_ || secret_mark != hmac_sha256_hex(credentials_.credentials().api_secret, "unchanged?");
  if (changed) restart_wanted_ = true;
  look_at_ms_ = 0;
}

bool Worker::stop() {
  if (!stopping_) {
    stopping_ = true;
    machine_->stop(loop_.now_ms());
  }
  loop_.run_once();
  for (const net::Item& item : inbox_.items())
    if (item.kind == net::Item::Kind::closed) machine_->on_closed(item.id, item.note, loop_.now_ms());
  inbox_.clear();
  wire_->resume_reading();
  return !machine_->has_links();
}

void Worker::say_session_change() {
  const SessionState now = machine_->engine().session();
  if (now == told_session_ || !disabled_reason_.empty()) return;
  const bool wide = now == SessionState::connecting || now == SessionState::live;
  const std::string line = "account " + account_.name + ": " + std::string(text(told_session_)) + " -> " + std::string(text(now));
  const std::string& why = machine_->engine().last_error();
  wall_log(wide ? 'L' : 'D', line.c_str(), now == SessionState::connecting && !why.empty() ? why.c_str() : nullptr, nullptr);
  told_session_ = now;
  // After an outage everything is read again; where rows were refused it starts from the tables, so that they get another chance.
  if (now == SessionState::connecting && machine_->store().has_refused_rows()) restart_wanted_ = true;
}

// The size of a worker follows what it holds, not the largest burst of its life.
void Worker::give_memory_back(std::int64_t now_ms) {
  if (burst_at_ms_ == 0 || now_ms - burst_at_ms_ < kLookMs) return;
  burst_at_ms_ = 0;
  malloc_trim(0);
}

void Worker::publish(std::int64_t now_ms) {
  StatusBoard::Input input;
  input.state = disabled_reason_.empty() ? std::string(text(machine_->engine().session())) : "disabled";
  if (!disabled_reason_.empty()) input.last_error = disabled_reason_;
  else input.last_error = access_.refused.empty() ? machine_->engine().last_error() : access_.refused;
  input.halted = account_.halted;
  input.halt_reason = account_.halt_reason;
  input.events = machine_->frames();
  input.commits = machine_->store().commits();
  input.dead_letters = machine_->store().dead_letters();
  input.pending_rows = machine_->store().waiting();
  status_.publish(machine_->engine(), input, now_ms);
}

}  // namespace tradesync
