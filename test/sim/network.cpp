// See network.hpp. Connections and frames; requests are in network_requests.cpp.
#include "sim/network.hpp"

namespace tradesync::sim {
namespace {

constexpr Ms kPongTimeoutMs = 10000;     // as net/websocket.hpp
constexpr Ms kConnectTimeoutMs = 5000;

// "wss://host/path?query" -> "/path?query"
std::string target_of(const std::string& url) {
  const std::size_t host = url.find("://");
  const std::size_t path = host == std::string::npos ? std::string::npos : url.find('/', host + 3);
  return path == std::string::npos ? "/" : url.substr(path);
}

}  // namespace

Network::Network(VirtualClock& clock, Agenda& agenda, market::Face& face, market::Venue venue, std::uint64_t seed)
    : faults(seed ^ 0xFA17), clock_(clock), agenda_(agenda), face_(face), venue_(venue), random_(seed) {}

void Network::arrive(Arrival arrival, const std::string& bytes) {
  arrival.size = bytes.size();
  arrival.bytes = bytes;
  arrival.bytes.append(kMessagePadding, '\0');
  arrival.received_ms = clock_.local_ms();
  inbox_.push_back(std::move(arrival));
}

void Network::arrive_closed(std::uint64_t link, std::string why) {
  note("link " + std::to_string(link) + " closed: " + why);
  Arrival arrival;
  arrival.kind = Arrival::Kind::closed;
  arrival.id = link;
  arrival.note = std::move(why);
  arrive(std::move(arrival), "");
}

// Both ends are gone; the worker hears of it once.
void Network::end_link(std::uint64_t link, const char* why) {
  const auto at = links_.find(link);
  if (at == links_.end()) return;
  const LinkPtr held = at->second;
  links_.erase(at);
  if (held->session != 0) {
    link_of_session_.erase(held->session);
    if (held->server_side) face_.on_close(held->session);
  }
  arrive_closed(link, why);
}

void Network::open(std::uint64_t link, const std::string& url) {
  if (before_sending) before_sending();
  auto made = std::make_shared<Link>();
  made->latency_ms = latency();
  links_[link] = made;
  const int generation = generation_;
  const bool fails = clock_.true_ms() < outage_until_ms_ || chance(weather.refuse);
  note("link " + std::to_string(link) + " opens " + target_of(url).substr(0, 24));
  later(fails ? random_.between(5, kConnectTimeoutMs) : 2 * made->latency_ms, [this, link, made, generation, fails,
      target = target_of(url)] {
    if (generation != generation_ || !links_.contains(link)) return;
    if (fails || clock_.true_ms() < outage_until_ms_) return end_link(link, "connection refused");
    made->session = ++last_session_;
    if (!face_.open(made->session, target, clock_.venue_ms())) return end_link(link, "404");
    made->server_side = true;
    link_of_session_[made->session] = link;
    Arrival arrival;
    arrival.kind = Arrival::Kind::opened;
    arrival.id = link;
    arrive(std::move(arrival), "");
    pump();
  });
}

void Network::send(std::uint64_t link, std::string text) {
  if (before_sending) before_sending();
  const auto at = links_.find(link);
  if (at == links_.end()) return;
  const LinkPtr held = at->second;
  const Ms due = std::max(held->last_arrival_ms, clock_.true_ms() + held->latency_ms);
  held->last_arrival_ms = due;
  note("link " + std::to_string(link) + " <- " + text.substr(0, 60));
  agenda_.at(due, [this, held, text = std::move(text)] {
    if (held->dead || !held->server_side || !link_of_session_.contains(held->session)) return;
    face_.on_text(held->session, text, clock_.venue_ms());
    pump();
  });
}

// A link that is alive answers by itself and says nothing; a dead one is noticed now.
void Network::ping(std::uint64_t link) {
  const auto at = links_.find(link);
  if (at == links_.end() || !at->second->dead) return;
  const int generation = generation_;
  later(kPongTimeoutMs, [this, link, generation] {
    if (generation == generation_) end_link(link, "no answer to a ping");
  });
}

void Network::close(std::uint64_t link) {
  if (before_sending) before_sending();
  const int generation = generation_;
  const auto at = links_.find(link);
  if (at == links_.end()) return;
  later(2 * at->second->latency_ms + 1, [this, link, generation] {
    if (generation == generation_) end_link(link, "closed by us");
  });
}

void Network::forget_client() {
  ++generation_;
  inbox_.clear();
  for (const auto& [link, held] : links_)
    if (held->session != 0) {
      link_of_session_.erase(held->session);
      // The server sees the end of the connection a moment later; until then it goes on talking to nobody.
      if (held->server_side) later(held->latency_ms, [this, session = held->session] { face_.on_close(session); });
    }
  links_.clear();
}

void Network::cut_all_links(const char* why) {
  std::vector<std::uint64_t> open;
  for (const auto& [link, held] : links_) open.push_back(link);
  for (const std::uint64_t link : open) end_link(link, why);
  trouble(1000);
}

void Network::silence_all_links() {
  for (const auto& [link, held] : links_) {
    if (held->dead || held->session == 0) continue;
    held->dead = true;
    link_of_session_.erase(held->session);
    if (held->server_side) face_.on_close(held->session);
    held->server_side = false;
  }
  note("all links are dead and nobody has noticed");
  trouble(kPongTimeoutMs * 6);
}

void Network::outage(Ms for_ms) {
  outage_until_ms_ = std::max(outage_until_ms_, clock_.true_ms() + for_ms);
  cut_all_links("network is unreachable");
  trouble(for_ms + 2000);
}

// ------------------------------------------------------------------------------------------------ frames

void Network::pump() {
  face_.tick(clock_.venue_ms());
  for (market::Outbound& frame : face_.take_outbound()) {
    if (!hushed.empty() && frame.is_event && frame.text.find(hushed) != std::string::npos) {
      note("frame hushed: " + frame.text.substr(0, 80));
      continue;
    }
    const bool lost = frame.is_event && chance(weather.lose_frame);
    if (lost) {
      const auto link = link_of_session_.find(frame.session);
      note("frame lost: " + frame.text.substr(0, 80));
      if (link != link_of_session_.end() && !weather.silent_losses) {
        const int generation = generation_;
        trouble(4000);
        later(random_.between(0, 3000), [this, generation, number = link->second] {
          if (generation == generation_) end_link(number, "connection reset by peer");
        });
      }
      continue;
    }
    for (market::Outbound& left : faults.disturb(std::move(frame))) deliver(std::move(left));
  }
}

void Network::deliver(market::Outbound frame) {
  const auto at = link_of_session_.find(frame.session);
  if (at == link_of_session_.end()) return;
  const std::uint64_t link = at->second;
  const LinkPtr held = links_.at(link);
  Ms due = std::max(clock_.true_ms(), clock_.when_venue_shows(frame.due_ms)) + held->latency_ms;
  if (faults.reorder_window_ms == 0) held->last_delivery_ms = due = std::max(due, held->last_delivery_ms);
  const int generation = generation_;
  agenda_.at(due, [this, link, held, generation, frame = std::move(frame)] {
    if (generation != generation_ || held->dead || !link_of_session_.contains(held->session)) return;
    if (frame.kind == market::Outbound::Kind::close) return end_link(link, "closed by the venue");
    Arrival arrival;
    arrival.id = link;
    arrive(std::move(arrival), frame.text);
  });
}

}  // namespace tradesync::sim
