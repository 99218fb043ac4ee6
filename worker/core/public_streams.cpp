#include "core/public_streams.hpp"

#include <algorithm>
#include <utility>

namespace tradesync {
namespace {
constexpr std::int64_t kNever = INT64_MAX;
constexpr std::int64_t kMoveTimeoutMs = 15000;  // a rotation that takes longer ends anyway; the new connection has retries of its own
constexpr std::int64_t kScanMs = 250;
}  // namespace

PublicStreams::PublicStreams(const VenueRules& rules, LinkIds& ids, Random& random) : rules_(rules), ids_(ids), random_(random) {}

PublicStreams::PublicLink* PublicStreams::find(std::uint64_t id) {
  for (auto& link : links_)
    if (link.link.exists() && link.link.id == id) return &link;
  return nullptr;
}
PublicStreams::PublicLink* PublicStreams::by_number(int number) {
  return number == 0 ? nullptr : &links_[static_cast<std::size_t>(number - 1)];
}
const PublicStreams::PublicLink* PublicStreams::by_number(int number) const {
  return number == 0 ? nullptr : &links_[static_cast<std::size_t>(number - 1)];
}

bool PublicStreams::owns(std::uint64_t id) const {
  return std::any_of(links_.begin(), links_.end(), [&](const PublicLink& link) {
    return (link.link.exists() && link.link.id == id) || (link.old.exists() && link.old.id == id);
  });
}

PublicStreams::PublicLink* PublicStreams::room_for_symbol() {
  for (auto& link : links_)
    if (link.symbols < rules_.symbols_per_connection) return &link;
  if (links_.size() >= limits::kPublicLinks) return nullptr;
  links_.emplace_back();
  links_.back().number = static_cast<int>(links_.size());
  return &links_.back();
}

void PublicStreams::want(const std::string& symbol, std::int64_t now_ms) {
  const auto [it, added] = topics_.try_emplace(symbol);
  if (!added) return;
  TopicState& topic = it->second;
  topic.asked_ms = now_ms;
  changed_ = true;
  PublicLink* link = room_for_symbol();
  if (!link) {
    topic.topic = Topic::failed;
    topic.retry_at_ms = kNever;
    topic.detail = "more symbols than public connections may carry";
    return;
  }
  topic.link = link->number;
  ++link->symbols;
}

void PublicStreams::unwant(const std::string& symbol, Effects& effects) {
  const auto it = topics_.find(symbol);
  if (it == topics_.end()) return;
  if (PublicLink* link = by_number(it->second.link)) {
    --link->symbols;
    const bool asked = it->second.topic == Topic::requested || it->second.topic == Topic::subscribed;
    if (link->link.up() && asked) link->dropped.push_back(symbol);
    if (link->symbols == 0) {
      for (Link* each : {&link->link, &link->old}) {
        if (each->exists()) effects.actions.push_back(CloseSocket{each->id});
        *each = Link{};
      }
      link->commands.clear();
      link->dropped.clear();
    }
  }
  topics_.erase(it);
  changed_ = true;
}

void PublicStreams::stop(Effects& effects) {
  for (auto& link : links_) {
    for (Link* each : {&link.link, &link.old})
      if (each->exists()) effects.actions.push_back(CloseSocket{each->id});
  }
  links_.clear();
  topics_.clear();
}

void PublicStreams::connect(PublicLink& link, std::int64_t now_ms, Effects& effects) {
  link.link = Link{};
  link.link.id = ids_.next();
  move_to(link.link.state, LinkState::connecting);
  link.link.deadline_ms = now_ms + limits::kLoginTimeoutMs;
  ++link.connects;
  effects.actions.push_back(OpenSocket{link.link.id, false, {}});
}

void PublicStreams::on_opened(std::uint64_t id, std::int64_t now_ms) {
  PublicLink* link = find(id);
  if (!link || !move_to(link->link.state, LinkState::up)) return;
  changed_ = true;
  link->link.opened_ms = link->link.last_message_ms = now_ms;
  link->link.deadline_ms = kNever;
  link->link.next_ping_ms = rules_.ping_interval_ms > 0 ? now_ms + rules_.ping_interval_ms : kNever;
  link->rotate_at_ms = rules_.rotate_after_ms > 0 ? now_ms + rules_.rotate_after_ms : kNever;
  link->commands_free_at_ms = now_ms - 1000;  // nothing of this second is spent yet
}

void PublicStreams::on_closed(std::uint64_t id, const std::string& why, std::int64_t now_ms) {
  changed_ = true;
  for (auto& link : links_) {
    if (link.old.exists() && link.old.id == id) link.old = Link{};
    if (!link.link.exists() || link.link.id != id) continue;
    if (link.link.opened_ms != 0 && now_ms - link.link.opened_ms >= limits::kStableLinkMs) link.backoff.reset();
    link.retry_at_ms = now_ms + link.backoff.next(random_);
    note_move(link.link.state, LinkState::down);
    link.link = Link{};
    link.commands.clear();
    link.dropped.clear();
    for (auto& [symbol, topic] : topics_) {
      if (topic.link != link.number || topic.topic == Topic::failed) continue;
      topic.topic = Topic::waiting;
      topic.detail = why;
    }
  }
}

void PublicStreams::fail_topic(TopicState& topic, const std::string& why, std::int64_t now_ms) {
  topic.topic = Topic::failed;
  topic.detail = why;
  topic.retry_at_ms = now_ms + topic.backoff.next(random_);
}

void PublicStreams::on_acknowledged(std::uint64_t id, const std::string& command_id, bool ok, const std::string& message,
                                    const std::string& failed_symbol, std::int64_t now_ms) {
  PublicLink* link = find(id);
  if (!link) return;
  const auto it = link->commands.find(command_id);
  if (it == link->commands.end()) return;
  const Command command = std::move(it->second);
  changed_ = true;
  link->commands.erase(it);
  // A name that we did not ask for tells as little as none.
  const bool named = std::find(command.symbols.begin(), command.symbols.end(), failed_symbol) != command.symbols.end();
  for (const auto& symbol : command.symbols) {
    const auto found = topics_.find(symbol);
    if (found == topics_.end() || found->second.topic != Topic::requested) continue;
    TopicState& topic = found->second;
    const bool culprit = !ok && (named ? failed_symbol == symbol : command.symbols.size() == 1);
    if (ok) {
      topic.topic = Topic::subscribed;
      topic.detail.clear();
      if (topic.last_price_ms == 0) topic.asked_ms = now_ms;
    } else if (culprit) {
      fail_topic(topic, message, now_ms);
    } else {
      // The venue refused them all because of one. Alone, each tells whether it was the one.
      topic.topic = Topic::waiting;
      if (!named) topic.detail = "alone";
    }
  }
}

void PublicStreams::on_message(std::uint64_t id, std::int64_t now_ms) {
  if (PublicLink* link = find(id)) link->link.last_message_ms = now_ms;
}

void PublicStreams::on_price(const std::string& symbol, std::int64_t now_ms) {
  const auto it = topics_.find(symbol);
  if (it == topics_.end()) return;
  TopicState& topic = it->second;
  topic.last_price_ms = now_ms;
  topic.stale = topic.told_stale = false;
  if (topic.topic == Topic::subscribed) topic.backoff.reset();
}

// Up to a second's worth of commands may go at once.
bool PublicStreams::may_send(const PublicLink& link, std::int64_t now_ms) { return link.commands_free_at_ms <= now_ms; }

std::string PublicStreams::send(PublicLink& link, SendCommand::What what, std::vector<std::string> symbols, std::int64_t now_ms,
                                Effects& effects) {
  std::string id = std::to_string(++last_command_);
  effects.actions.push_back(SendCommand{link.link.id, false, what, id, std::move(symbols)});
  link.commands_free_at_ms = std::max(link.commands_free_at_ms, now_ms - 1000) + 1000 / rules_.commands_per_second;
  return id;
}

void PublicStreams::unsubscribe_dropped(PublicLink& link, std::int64_t now_ms, Effects& effects) {
  while (!link.dropped.empty() && may_send(link, now_ms)) {
    const auto count = std::min(link.dropped.size(), static_cast<std::size_t>(rules_.symbols_per_subscribe));
    const auto end = link.dropped.begin() + static_cast<std::ptrdiff_t>(count);
    send(link, SendCommand::What::unsubscribe, {link.dropped.begin(), end}, now_ms, effects);
    link.dropped.erase(link.dropped.begin(), end);
  }
}

void PublicStreams::subscribe_waiting(PublicLink& link, std::int64_t now_ms, Effects& effects) {
  std::vector<std::string> batch;
  const auto send_batch = [&] {
    const std::string id = send(link, SendCommand::What::subscribe, batch, now_ms, effects);
    link.commands[id] = Command{std::exchange(batch, {}), now_ms + limits::kAckTimeoutMs};
  };
  for (auto& [symbol, topic] : topics_) {
    if (topic.link != link.number || topic.topic != Topic::waiting) continue;
    if (!may_send(link, now_ms)) break;
    const bool alone = topic.detail == "alone";
    if (alone && !batch.empty()) send_batch();
    if (!may_send(link, now_ms)) break;
    topic.topic = Topic::requested;
    topic.detail.clear();
    topic.asked_ms = now_ms;
    batch.push_back(symbol);
    if (alone || static_cast<int>(batch.size()) >= rules_.symbols_per_subscribe) send_batch();
  }
  if (!batch.empty()) send_batch();
}

void PublicStreams::expire_commands(PublicLink& link, std::int64_t now_ms) {
  for (auto it = link.commands.begin(); it != link.commands.end();) {
    if (now_ms < it->second.deadline_ms) {
      ++it;
      continue;
    }
    for (const auto& symbol : it->second.symbols)
      if (const auto topic = topics_.find(symbol); topic != topics_.end() && topic->second.topic == Topic::requested)
        fail_topic(topic->second, "subscription was not acknowledged", now_ms);
    it = link.commands.erase(it);
  }
}

// Everything moves to a new connection while the old one goes on delivering.
void PublicStreams::rotate(PublicLink& link, std::int64_t now_ms, Effects& effects) {
  link.old = link.link;
  link.old_until_ms = now_ms + kMoveTimeoutMs;
  link.commands.clear();
  link.dropped.clear();
  for (auto& [symbol, topic] : topics_)
    if (topic.link == link.number && topic.topic != Topic::failed) topic.topic = Topic::waiting;
  connect(link, now_ms, effects);
}

bool PublicStreams::all_moved(const PublicLink& link) const {
  return link.link.up() && std::none_of(topics_.begin(), topics_.end(), [&](const auto& entry) {
           return entry.second.link == link.number && (entry.second.topic == Topic::waiting || entry.second.topic == Topic::requested);
         });
}

void PublicStreams::look_at_topics(std::int64_t now_ms) {
  for (auto& [symbol, topic] : topics_) {
    if (topic.topic == Topic::failed && now_ms >= topic.retry_at_ms) {
      topic.topic = Topic::waiting;
      topic.detail = "alone";  // it failed once: it may not spoil others again
    }
    // Acknowledged but silent: some venues acknowledge what does not exist.
    const bool silent = topic.topic == Topic::subscribed && now_ms - std::max(topic.last_price_ms, topic.asked_ms) >= 3 * rules_.price_stale_ms;
    if (silent) fail_topic(topic, "subscribed but no price arrives", now_ms);
  }
}

void PublicStreams::step(std::int64_t now_ms, Effects& effects) {
  if (!changed_ && now_ms - scanned_ms_ < kScanMs) return;
  changed_ = false;
  scanned_ms_ = now_ms;
  look_at_topics(now_ms);
  for (auto& link : links_) {
    if (link.symbols == 0) continue;
    if (!link.link.exists() && now_ms >= link.retry_at_ms) connect(link, now_ms, effects);
    if (link.link.exists() && now_ms >= link.link.deadline_ms) {
      effects.actions.push_back(CloseSocket{link.link.id});
      on_closed(link.link.id, "no answer to connect in time", now_ms);
      continue;
    }
    if (link.old.exists() && (all_moved(link) || now_ms >= link.old_until_ms)) {
      effects.actions.push_back(CloseSocket{link.old.id});
      link.old = Link{};
    }
    if (!link.link.up()) continue;
    expire_commands(link, now_ms);
    unsubscribe_dropped(link, now_ms, effects);
    subscribe_waiting(link, now_ms, effects);
    if (now_ms >= link.link.next_ping_ms) {
      effects.actions.push_back(SendCommand{link.link.id, false, SendCommand::What::ping, "p", {}});
      link.link.next_ping_ms = now_ms + rules_.ping_interval_ms;
    }
    // Prices tick every second: a connection that carries symbols and says nothing at all is dead.
    const bool dead = now_ms - link.link.last_message_ms >= 3 * rules_.price_stale_ms && all_moved(link);
    if (dead) {
      effects.actions.push_back(CloseSocket{link.link.id});
      on_closed(link.link.id, "no price on this connection", now_ms);
    } else if (!link.old.exists() && now_ms >= link.rotate_at_ms) {
      rotate(link, now_ms, effects);
    }
  }
}

std::int64_t PublicStreams::next_deadline(std::int64_t now_ms) const {
  std::int64_t deadline = kNever;
  for (const auto& link : links_) {
    if (link.symbols == 0) continue;
    if (!link.link.exists()) {
      deadline = std::min(deadline, link.retry_at_ms);
      continue;
    }
    deadline = std::min(deadline, link.link.deadline_ms);
    if (link.old.exists()) deadline = std::min(deadline, link.old_until_ms);
    if (!link.link.up()) continue;
    deadline = std::min({deadline, link.link.next_ping_ms, link.rotate_at_ms});
    for (const auto& [id, command] : link.commands) deadline = std::min(deadline, command.deadline_ms);
  }
  // Staleness, silence and retries are coarse: once a second is enough and spares a look at every topic here.
  if (changed_) return now_ms;
  if (!topics_.empty()) deadline = std::min(deadline, now_ms + 1000);
  deadline = std::max(deadline, scanned_ms_ + kScanMs);
  return deadline;
}

std::vector<std::string> PublicStreams::take_stale(std::int64_t now_ms) {
  std::vector<std::string> stale;
  for (auto& [symbol, topic] : topics_) {
    if (now_ms - std::max(topic.last_price_ms, topic.asked_ms) < rules_.price_stale_ms) continue;
    topic.stale = true;
    if (topic.told_stale) continue;
    topic.told_stale = true;
    stale.push_back(symbol);
  }
  return stale;
}

std::optional<PublicStreams::Status> PublicStreams::status(const std::string& symbol) const {
  const auto it = topics_.find(symbol);
  if (it == topics_.end()) return std::nullopt;
  const TopicState& topic = it->second;
  return Status{topic.topic, topic.link, topic.last_price_ms, topic.stale, topic.detail};
}

std::vector<std::string> PublicStreams::symbols() const {
  std::vector<std::string> symbols;
  for (const auto& [symbol, topic] : topics_) symbols.push_back(symbol);
  return symbols;
}

std::vector<StreamReport> PublicStreams::report() const {
  std::vector<StreamReport> reports;
  for (const auto& link : links_) {
    if (link.symbols == 0) continue;
    StreamReport report;
    report.stream = link.number == 1 ? "public" : "public-" + std::to_string(link.number);
    report.state = std::string(text(link.link.state));
    report.connected_ms = link.link.opened_ms;
    report.last_message_ms = link.link.last_message_ms;
    report.reconnects = std::max(0, link.connects - 1);
    report.subscriptions = static_cast<int>(std::count_if(topics_.begin(), topics_.end(), [&](const auto& entry) {
      return entry.second.link == link.number && entry.second.topic == Topic::subscribed;
    }));
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace tradesync
