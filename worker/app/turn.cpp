#include "app/turn.hpp"

#include <malloc.h>

#include <algorithm>
#include <stdexcept>

#include "exchanges/hmac.hpp"

namespace tradesync {
namespace {

constexpr std::int64_t kAccountCheckMs = 1000;  // the safety scan of DESIGN §11, Waking
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

// Seeds jitter only: workers that start together should not reconnect together.
std::uint64_t jitter_seed(const std::string& account, std::int64_t unix_ms) {
  std::uint64_t seed = static_cast<std::uint64_t>(unix_ms);
  for (char c : account) seed = seed * 1099511628211ull + static_cast<unsigned char>(c);
  return seed;
}

StreamCommand::What command_of(SendCommand::What what) {
  switch (what) {
    case SendCommand::What::authenticate: return StreamCommand::What::authenticate;
    case SendCommand::What::subscribe_account: return StreamCommand::What::subscribe_account;
    case SendCommand::What::subscribe: return StreamCommand::What::subscribe;
    case SendCommand::What::unsubscribe: return StreamCommand::What::unsubscribe;
    case SendCommand::What::ping: return StreamCommand::What::ping;
  }
  return StreamCommand::What::ping;
}

}  // namespace

Worker::Worker(std::int32_t account_id, Account account, Loaded loaded)
    : account_id_(account_id), account_(std::move(account)), store_(account_id), questions_(account_.exchange) {
  choose_venue();
  read_credentials();
  const std::string ca_file = setting("tradesync.ca_file");
  sockets_ = std::make_unique<net::WebSockets>(loop_, inbox_, ca_file);
  http_ = std::make_unique<net::Http>(loop_, inbox_, ca_file);
  loaded_ = std::move(loaded);
  engine_ = std::make_unique<Engine>(exchange_->rules(), engine_settings(), loaded_);
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

void Worker::start(std::int64_t now_ms) {
  started_ = true;
  if (!claim_account()) {
    disabled_reason_ = "another worker of this cluster already uses this API key";
    claim_at_ms_ = now_ms + kClaimAgainMs;
    wall_log('W', ("account " + account_.name + ": " + disabled_reason_).c_str(), nullptr, "Disable one of the two accounts.");
    engine_ = std::make_unique<Engine>(exchange_->rules(), engine_settings(), loaded_);
  } else {
    claim_at_ms_ = INT64_MAX;
  }
  loaded_ = Loaded{};
  engine_->step(Started{}, now_ms, effects_);
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
  return settings;
}

// ------------------------------------------------------------------------------------------------ one turn

TurnResult Worker::turn() {
  loop_.run_once();
  const std::int64_t now_ms = loop_.now_ms();
  if (leave_) return TurnResult::leave;
  if (restart_wanted_) return TurnResult::again;

  if (!started_ && now_ms >= claim_at_ms_) start(now_ms);
  gather(now_ms);
  engine_->step(Tick{}, now_ms, effects_);
  questions_.serve(*engine_, now_ms, effects_);
  engine_->end_turn(now_ms, effects_);

  std::string error;
  unix_offset_ms_ = effects_.changes.sync_runs.empty() || unix_offset_ms_ != 0 ? unix_offset_ms_ : wall_unix_ms() - now_ms;
  Store::Result saved = Store::Result::saved;
  if (!effects_.changes.empty()) saved = store_.commit(effects_.changes, now_ms, unix_offset_ms_, error);
  if (saved == Store::Result::saved) saved = store_.retry(now_ms, error);
  effects_.changes.clear();
  if (saved == Store::Result::gone) return TurnResult::again;
  if (saved == Store::Result::broken) throw std::runtime_error("could not save: " + error);

  // Only what was committed may have consequences outside.
  for (const Action& action : effects_.actions) send(action, now_ms);
  effects_.actions.clear();
  sockets_->resume_reading();

  say_session_change();
  check_account_row(now_ms);
  if (started_) claim_again(now_ms);
  give_memory_back(now_ms);
  publish(now_ms);
  return leave_ ? TurnResult::leave : restart_wanted_ ? TurnResult::again : TurnResult::ok;
}

void Worker::gather(std::int64_t now_ms) {
  if (inbox_.items().size() >= kBurstItems) burst_at_ms_ = now_ms;
  for (const net::Item& item : inbox_.items()) {
    switch (item.kind) {
      case net::Item::Kind::opened: engine_->step(SocketOpened{item.id}, now_ms, effects_); break;
      case net::Item::Kind::text: on_text(item, now_ms); break;
      case net::Item::Kind::closed:
        engine_->step(SocketClosed{item.id, item.note}, now_ms, effects_);
        link_is_private_.erase(item.id);
        break;
      case net::Item::Kind::http: on_http(item, now_ms); break;
    }
  }
  inbox_.clear();
}

void Worker::on_text(const net::Item& item, std::int64_t now_ms) {
  const auto link = link_is_private_.find(item.id);
  if (link == link_is_private_.end()) return;
  const std::string_view message = inbox_.bytes(item);
  decoded_.facts.clear();
  decoded_.error.clear();
  decoded_.account_event = false;
  if (item.binary) decoded_.error = "binary frame";
  else exchange_->decode(link->second ? StreamKind::private_ : StreamKind::public_, message, decoded_);
  ++events_;
  if (!decoded_.facts.empty()) engine_->step(FrameRead{item.id, &decoded_.facts}, now_ms, effects_);
  if (!decoded_.error.empty()) engine_->step(FrameUnreadable{item.id, decoded_.error, printable(message)}, now_ms, effects_);
}

void Worker::on_http(const net::Item& item, std::int64_t now_ms) {
  const auto it = requests_.find(item.id);
  if (it == requests_.end()) return;
  HttpResponse response;
  response.status = item.status;
  response.complete = item.complete;
  response.body = inbox_.bytes(item);
  response.error = item.note;
  response.headers = item.headers;
  Reply reply = exchange_->decode(it->second, response);
  reply.id = item.id;
  reply.sent_ms = item.sent_ms;
  reply.received_ms = item.received_ms;
  requests_.erase(it);
  engine_->step(Answered{std::move(reply)}, now_ms, effects_);
}

void Worker::send(const Action& action, std::int64_t now_ms) {
  if (const auto* open = std::get_if<OpenSocket>(&action)) {
    link_is_private_[open->link] = open->is_private;
    const StreamKind kind = open->is_private ? StreamKind::private_ : StreamKind::public_;
    sockets_->connect(open->link, exchange_->stream_url(kind, endpoints_, open->listen_key));
  } else if (const auto* close = std::get_if<CloseSocket>(&action)) {
    sockets_->close(close->link);
  } else if (const auto* command = std::get_if<SendCommand>(&action)) {
    const StreamKind kind = command->is_private ? StreamKind::private_ : StreamKind::public_;
    const StreamCommand wire{command_of(command->what), command->id, command->symbols};
    const std::string text = exchange_->encode(wire, kind, credentials_.credentials(), engine_->clock().venue_now(now_ms));
    // A venue without a ping message of its own is asked for a sign of life by the protocol's.
    if (!text.empty()) sockets_->send(command->link, text);
    else if (command->what == SendCommand::What::ping) sockets_->ping(command->link);
  } else if (const auto* request = std::get_if<SendRequest>(&action)) {
    send_request(request->request, now_ms);
  }
}

void Worker::send_request(const Request& request, std::int64_t now_ms) {
  HttpRequest wire = exchange_->encode(request, endpoints_, credentials_.credentials(), engine_->clock().venue_now(now_ms));
  net::HttpCall call;
  call.id = request.id;
  call.method = std::move(wire.method);
  call.url = std::move(wire.url);
  call.headers = std::move(wire.headers);
  call.body = std::move(wire.body);
  call.timeout_ms = static_cast<long>(wall_setting_number("tradesync.request_timeout", 5000));
  requests_[request.id] = request;
  http_->start(std::move(call));
}

// ------------------------------------------------------------------------------------------------ around the turn

int Worker::timeout_ms() {
  const std::int64_t now_ms = loop_.now_ms();
  std::int64_t deadline = std::min({engine_->next_deadline(now_ms), store_.retry_at_ms(), account_check_at_ms_, questions_.deadline_ms(), claim_at_ms_});
  if (!inbox_.empty()) return 0;
  const std::int64_t wait = std::max<std::int64_t>(deadline - now_ms, 0);
  const int network = loop_.timeout_ms();
  const int own = static_cast<int>(std::min<std::int64_t>(wait, kAccountCheckMs));
  return network < 0 ? own : std::min(network, own);
}

void Worker::look() {
  account_check_at_ms_ = 0;
  questions_.take(*engine_, loop_.now_ms());
}

void Worker::check_account_row(std::int64_t now_ms) {
  if (now_ms < account_check_at_ms_ || stopping_) return;
  account_check_at_ms_ = now_ms + kAccountCheckMs;
  Account fresh;
  std::string error;
  switch (load_account(account_id_, fresh, error)) {
    case LoadResult::ok:
      if (!fresh.enabled) leave_ = true;
      else if (!fresh.same_connection(account_)) restart_wanted_ = true;
      account_.halted = fresh.halted;
      account_.halt_reason = fresh.halt_reason;
      return;
    case LoadResult::no_account: leave_ = true; return;
    case LoadResult::gone: restart_wanted_ = true; return;
    case LoadResult::failed: return;  // a passing failure: the next look comes in a second
  }
}

void Worker::reload() {
  const std::string before(credentials_.credentials().api_key), problem = disabled_reason_;
  const std::string secret_mark = hmac_sha256_hex(credentials_.credentials().api_secret, "unchanged?");
  read_credentials();
  const bool changed = before != credentials_.credentials().api_key || problem != disabled_reason_ ||
                       secret_mark != hmac_sha256_hex(credentials_.credentials().api_secret, "unchanged?");
  if (changed) restart_wanted_ = true;
}

bool Worker::stop() {
  if (!stopping_) {
    stopping_ = true;
    engine_->step(Stopping{}, loop_.now_ms(), effects_);
    for (const Action& action : effects_.actions) send(action, loop_.now_ms());
    effects_ = Effects{};
  }
  loop_.run_once();
  for (const net::Item& item : inbox_.items())
    if (item.kind == net::Item::Kind::closed) link_is_private_.erase(item.id);
  inbox_.clear();
  sockets_->resume_reading();
  return link_is_private_.empty();
}

void Worker::say_session_change() {
  const SessionState now = engine_->session();
  if (now == told_session_ || !disabled_reason_.empty()) return;
  const bool wide = now == SessionState::connecting || now == SessionState::live;
  const std::string line = "account " + account_.name + ": " + std::string(text(told_session_)) + " -> " + std::string(text(now));
  const std::string& why = engine_->last_error();
  wall_log(wide ? 'L' : 'D', line.c_str(), now == SessionState::connecting && !why.empty() ? why.c_str() : nullptr, nullptr);
  told_session_ = now;
  // After an outage everything is read again; where rows were refused it starts from the tables, so that they get another chance.
  if (now == SessionState::connecting && store_.has_refused_rows()) restart_wanted_ = true;
}

// The size of a worker follows what it holds, not the largest burst of its life.
void Worker::give_memory_back(std::int64_t now_ms) {
  if (burst_at_ms_ == 0 || now_ms - burst_at_ms_ < kAccountCheckMs) return;
  burst_at_ms_ = 0;
  malloc_trim(0);
}

void Worker::publish(std::int64_t now_ms) {
  StatusBoard::Input input;
  input.state = disabled_reason_.empty() ? std::string(text(engine_->session())) : "disabled";
  input.last_error = disabled_reason_.empty() ? engine_->last_error() : disabled_reason_;
  input.halted = account_.halted;
  input.halt_reason = account_.halt_reason;
  input.events = events_;
  input.commits = store_.commits();
  input.dead_letters = store_.dead_letters();
  input.pending_rows = store_.waiting();
  status_.publish(*engine_, input, now_ms);
}

}  // namespace tradesync
