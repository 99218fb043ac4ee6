#include "core/private_stream.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace tradesync {
namespace {
constexpr std::int64_t kNever = INT64_MAX;
}

PrivateStream::PrivateStream(const VenueRules& rules, Requests& requests, LinkIds& ids, Random& random)
    : rules_(rules), requests_(requests), ids_(ids), random_(random) {}

void PrivateStream::start(std::int64_t now_ms) {
  wanted_ = true;
  retry_at_ms_ = now_ms;
}

void PrivateStream::stop(Effects& effects) {
  wanted_ = false;
  close(current_, effects);
  close(next_, effects);
}

Link* PrivateStream::find(std::uint64_t id) {
  if (current_.exists() && current_.id == id) return &current_;
  if (next_.exists() && next_.id == id) return &next_;
  return nullptr;
}

bool PrivateStream::owns(std::uint64_t link) const {
  return (current_.exists() && current_.id == link) || (next_.exists() && next_.id == link);
}

bool PrivateStream::delivers(std::uint64_t link) const {
  const Link& mine = current_.exists() && current_.id == link ? current_ : next_;
  return mine.exists() && mine.id == link;
}

// A listen key is asked for on every connect: POST returns the living key and extends it (protocol §11).
void PrivateStream::connect(Link& link, std::int64_t now_ms, Effects& effects) {
  link = Link{};
  link.id = ids_.next();
  move_to(link.state, LinkState::connecting);
  link.deadline_ms = kNever;
  if (!rules_.listen_key) return open(link, now_ms, effects);
  if (key_request_ == 0) {
    Request request;
    request.kind = RequestKind::create_listen_key;
    key_request_ = requests_.ask(std::move(request), Requests::Priority::urgent);
  }
}

void PrivateStream::open(Link& link, std::int64_t now_ms, Effects& effects) {
  ++connects_;
  link.deadline_ms = now_ms + limits::kLoginTimeoutMs;
  effects.actions.push_back(OpenSocket{link.id, true, listen_key_});
}

bool PrivateStream::on_answer(const Answer& answer, std::int64_t now_ms, Effects& effects) {
  if (answer.request.id == key_request_) {
    key_request_ = 0;
    listen_key_ = answer.reply.listen_key;
    keep_alive_at_ms_ = now_ms + rules_.listen_key_keep_alive_ms;
    for (Link* link : {&current_, &next_})
      if (link->state == LinkState::connecting && link->deadline_ms == kNever) open(*link, now_ms, effects);
    return true;
  }
  if (answer.request.id != keep_alive_request_) return false;
  keep_alive_request_ = 0;
  const bool other_key = !answer.reply.listen_key.empty() && answer.reply.listen_key != listen_key_;
  if (answer.reply.outcome != Outcome::ok || other_key) doubt_listen_key(now_ms);
  return true;
}

void PrivateStream::doubt_listen_key(std::int64_t now_ms) {
  if (!rules_.listen_key || !current_.exists()) return;
  next_is_fresh_ = true;
  replace_at_ms_ = now_ms;
}

PrivateStream::Signal PrivateStream::on_opened(std::uint64_t id, std::int64_t now_ms, Effects& effects) {
  Link* link = find(id);
  if (!link || link->state != LinkState::connecting) return Signal::none;
  link->opened_ms = link->last_message_ms = now_ms;
  link->next_ping_ms = rules_.ping_interval_ms > 0 ? now_ms + rules_.ping_interval_ms : kNever;
  if (rules_.login) {
    move_to(link->state, LinkState::authenticating);
    effects.actions.push_back(SendCommand{link->id, true, SendCommand::What::authenticate, "1", {}});
    return link == &current_ ? Signal::opened : Signal::none;
  }
  return became_up(*link, now_ms, effects);
}

PrivateStream::Signal PrivateStream::on_authenticated(std::uint64_t id, bool ok, const std::string& message, std::int64_t now_ms,
                                                      Effects& effects) {
  Link* link = find(id);
  if (!link || link->state != LinkState::authenticating) return Signal::none;
  // The first refusal may be our clock, which is measured anew; the second one is the key.
  if (!ok) return fail(*link, "login refused: " + message, refusals_++ == 0 ? 0 : limits::kUnauthorizedPauseMs, now_ms, effects);
  move_to(link->state, LinkState::subscribing);
  effects.actions.push_back(SendCommand{link->id, true, SendCommand::What::subscribe_account, "2", {}});
  return Signal::none;
}

PrivateStream::Signal PrivateStream::on_acknowledged(std::uint64_t id, bool ok, const std::string& message, std::int64_t now_ms,
                                                     Effects& effects) {
  Link* link = find(id);
  if (!link || link->state != LinkState::subscribing) return Signal::none;
  if (!ok) return fail(*link, "account topics refused: " + message, 0, now_ms, effects);
  return became_up(*link, now_ms, effects);
}

PrivateStream::Signal PrivateStream::became_up(Link& link, std::int64_t now_ms, Effects& effects) {
  move_to(link.state, LinkState::up);
  link.deadline_ms = kNever;
  last_error_.clear();
  refusals_ = 0;
  // A key that ended between its answer and the connection says nothing, for ever: ask whether it still lives.
  keep_alive_at_ms_ = now_ms;
  replace_at_ms_ = rules_.rotate_after_ms > 0 ? now_ms + rules_.rotate_after_ms : kNever;
  if (&link == &current_) return Signal::subscribed;
  close(current_, effects);
  current_ = next_;
  next_ = Link{};
  const bool fresh = next_is_fresh_;
  next_is_fresh_ = false;
  return fresh ? Signal::subscribed : Signal::rotated;
}

void PrivateStream::close(Link& link, Effects& effects) {
  if (!link.exists()) return;
  effects.actions.push_back(CloseSocket{link.id});
  note_move(link.state, LinkState::down);
  link = Link{};  // its last words find nobody
}

PrivateStream::Signal PrivateStream::fail(Link& link, const std::string& why, std::int64_t pause_ms, std::int64_t now_ms,
                                          Effects& effects) {
  effects.actions.push_back(CloseSocket{link.id});
  const std::uint64_t id = link.id;
  const Signal signal = on_closed(id, why, now_ms, effects);
  retry_at_ms_ = std::max(retry_at_ms_, now_ms + pause_ms);
  return signal;
}

PrivateStream::Signal PrivateStream::on_closed(std::uint64_t id, const std::string& why, std::int64_t now_ms, Effects&) {
  Link* link = find(id);
  if (!link) return Signal::none;
  note_move(link->state, LinkState::down);
  last_error_ = why;
  const bool stable = link->opened_ms != 0 && now_ms - link->opened_ms >= limits::kStableLinkMs;
  if (stable) backoff_.reset();
  const bool was_up = link->up();
  if (link == &next_) {
    next_ = Link{};
    replace_at_ms_ = now_ms + backoff_.next(random_);  // the old one still works: try again
    return Signal::none;
  }
  current_ = next_;
  next_ = Link{};
  next_is_fresh_ = false;
  if (!current_.exists()) retry_at_ms_ = now_ms + backoff_.next(random_);
  return was_up || !current_.exists() ? Signal::lost : Signal::none;
}

void PrivateStream::on_message(std::uint64_t id, std::int64_t now_ms, std::int64_t lag_ms) {
  if (Link* link = find(id)) link->last_message_ms = now_ms;
  if (lag_ms >= 0) lag_ms_ = lag_ms;
}

void PrivateStream::watch(Link& link, std::int64_t now_ms, Effects& effects) {
  if (!link.exists() || link.state == LinkState::connecting || now_ms < link.next_ping_ms) return;
  effects.actions.push_back(SendCommand{link.id, true, SendCommand::What::ping, "3", {}});
  link.next_ping_ms = now_ms + rules_.ping_interval_ms;
}

PrivateStream::Signal PrivateStream::step(std::int64_t now_ms, bool may_connect, Effects& effects) {
  if (!wanted_) return Signal::none;
  for (Link* link : {&next_, &current_}) {
    if (!link->exists()) continue;
    if (now_ms >= link->deadline_ms) return fail(*link, "no answer to connect or login in time", 0, now_ms, effects);
    const bool silent = link->up() && rules_.private_silence_ms > 0 && now_ms - link->last_message_ms >= rules_.private_silence_ms;
    if (silent) return fail(*link, "silent for too long", 0, now_ms, effects);
    watch(*link, now_ms, effects);
  }
  if (may_connect && !current_.exists() && now_ms >= retry_at_ms_) connect(current_, now_ms, effects);
  if (may_connect && current_.up() && !next_.exists() && now_ms >= replace_at_ms_) connect(next_, now_ms, effects);
  if (rules_.listen_key && current_.up() && keep_alive_request_ == 0 && now_ms >= keep_alive_at_ms_) {
    Request request;
    request.kind = RequestKind::keep_alive_listen_key;
    keep_alive_request_ = requests_.ask(std::move(request), Requests::Priority::urgent, false);
    keep_alive_at_ms_ = now_ms + rules_.listen_key_keep_alive_ms;
  }
  return Signal::none;
}

std::int64_t PrivateStream::next_deadline(bool may_connect) const {
  if (!wanted_) return kNever;
  std::int64_t deadline = kNever;
  for (const Link* link : {&current_, &next_}) {
    if (!link->exists()) continue;
    deadline = std::min({deadline, link->deadline_ms});
    if (link->state != LinkState::connecting) deadline = std::min(deadline, link->next_ping_ms);
    if (link->up() && rules_.private_silence_ms > 0) deadline = std::min(deadline, link->last_message_ms + rules_.private_silence_ms);
  }
  if (may_connect && !current_.exists()) deadline = std::min(deadline, retry_at_ms_);
  if (may_connect && current_.up() && !next_.exists()) deadline = std::min(deadline, replace_at_ms_);
  if (rules_.listen_key && current_.up() && keep_alive_request_ == 0) deadline = std::min(deadline, keep_alive_at_ms_);
  return deadline;
}

StreamReport PrivateStream::report() const {
  StreamReport report;
  report.stream = "private";
  report.state = std::string(text(current_.state));
  report.connected_ms = current_.opened_ms;
  report.last_message_ms = current_.last_message_ms;
  report.reconnects = std::max(0, connects_ - 1);
  report.subscriptions = current_.up() ? 1 : 0;
  report.lag_ms = lag_ms_;
  return report;
}

}  // namespace tradesync
