// See fault_script.hpp.
#include "sim/fault_script.hpp"

#include <vector>

namespace tradesync::sim {

FaultScript::FaultScript(VirtualClock& clock, Agenda& agenda, market::Face& face, Network& network, Wall& wall, Tables& tables,
                         std::uint64_t seed)
    : clock_(clock), agenda_(agenda), face_(face), network_(network), wall_(wall), tables_(tables), random_(seed) {
  families = {.storms = chance(50), .cuts = chance(50), .frames = chance(50), .reordering = chance(15), .crashes = chance(50),
              .commits = chance(40), .clocks = chance(30), .lag = chance(40), .bans = chance(15), .keys = chance(30),
                  .switches = chance(20)};
}

void FaultScript::draw_later_families(std::uint64_t seed) {
  later_random_ = market::Random(seed);
  const auto drawn = [&](int percent) { return later_random_.between(0, 99) < percent; };
  families.silence = drawn(20);
  families.epochs = families.crashes && drawn(25);
  families.races = drawn(25);
  families.twice = families.keys && drawn(50);
}

// A stop fires while the answer to its placing is still on its way, or lost.
void FaultScript::on_write(const Network::Write& write) {
  if (!families.races || clock_.true_ms() >= until_ms_ || write.path != "POST /fapi/v1/algoOrder") return;
  if (later_random_.between(0, 99) >= 30) return;
  const int after_ms = static_cast<int>(later_random_.between(0, 400));
  if (later_random_.between(0, 1)) network_.hushed = write.client_id;
  network_.hushed_by_reset = later_random_.between(0, 1);
  agenda_.at(clock_.true_ms() + after_ms, [this, id = write.client_id] {
    if (network_.hushed == id) {
      network_.hushed.clear();
      trouble(3000);
    }
    if (leap_to_stop) leap_to_stop(id);
  });
}

void FaultScript::on_crash() {
  if (!families.epochs || clock_.true_ms() >= until_ms_ || later_random_.between(0, 99) >= 30) return;
  tables_.epoch.clear();
  for (int i = 0; i < 8; ++i) tables_.epoch += "abcdefghijklmnopqrstuvwxyz234567"[later_random_.between(0, 31)];
  tables_.halt("another identity");
  say("the database is another one: epoch " + tables_.epoch + ", halted");
}

std::string FaultScript::summary() const {
  std::string out;
  const auto add = [&](bool on, const char* name) { if (on) out += std::string(" ") + name; };
  add(families.storms, "storms");
  add(families.cuts, "cuts");
  add(families.frames, "frames");
  add(families.reordering, "reordering");
  add(families.crashes, "crashes");
  add(families.commits, "commits");
  add(families.clocks, "clocks");
  add(families.lag, "lag");
  add(families.bans, "bans");
  add(families.keys, "keys");
  add(families.switches, "switches");
  add(families.silence, "silence");
  add(families.epochs, "epochs");
  add(families.races, "races");
  return out.empty() ? " none" : out;
}

void FaultScript::start(Ms until_ms) {
  until_ms_ = until_ms;
  network_.weather.latency_max_ms = 5 + draw(120);
  if (families.frames) {
    network_.faults.duplicate_per_million = draw(100'000);
    network_.faults.delay_max_ms = chance(50) ? draw(800) : 0;
    network_.weather.lose_frame = chance(50) ? draw(15'000) : 0;
  }
  if (families.silence) {
    network_.weather.lose_frame = static_cast<int>(later_random_.between(1000, 30'000));
    network_.weather.silent_losses = true;
  }
  if (families.reordering) network_.faults.reorder_window_ms = 1 + draw(300);
  face_.knobs.event_latency_max_ms = draw(60);
  face_.knobs.rest_latency_max_ms = draw(60);
  network_.before_sending = [this] {
    if (sends_until_crash_ >= 0 && sends_until_crash_-- == 0) throw Crash{"after a part of the turn was sent"};
  };
  agenda_.at(clock_.true_ms() + draw(5000), [this] { strike(); });
}

void FaultScript::end() {
  until_ms_ = 0;
  network_.weather = Weather{};
  network_.faults.clear();
  network_.hushed.clear();
  wall_.outcomes.clear();
  wall_.crash_before_commit = wall_.crash_after_commit = false;
  wall_.locked_positions.clear();
  sends_until_crash_ = -1;
  face_.knobs.visibility_lag_ms = 0;
  face_.knobs.banned_until_ms = 0;
  if (!tables_.enabled) {
    tables_.enabled = true;
    if (account_switched) account_switched();
  }
}

void FaultScript::strike() {
  if (clock_.true_ms() >= until_ms_) return;
  using Strike = void (FaultScript::*)();
  std::vector<Strike> possible;
  if (families.storms) possible.push_back(&FaultScript::storm);
  if (families.cuts || families.bans || families.keys || families.switches) possible.push_back(&FaultScript::trouble_links);
  if (families.commits) possible.push_back(&FaultScript::trouble_commits);
  if (families.crashes) possible.push_back(&FaultScript::crash);
  if (families.clocks) possible.push_back(&FaultScript::leap);
  if (families.lag) possible.push_back(&FaultScript::lag);
  if (!possible.empty()) (this->*possible[static_cast<std::size_t>(draw(static_cast<int>(possible.size()) - 1))])();
  agenda_.at(clock_.true_ms() + 500 + draw(9000), [this] { strike(); });
}

void FaultScript::storm() {
  Weather& weather = network_.weather;
  for (int* of : {&weather.refuse, &weather.lose_request, &weather.lose_answer, &weather.reset_before, &weather.reset_after,
                  &weather.cut_answer, &weather.unknown_done, &weather.definite_failure, &weather.throttle, &weather.slow_request})
    *of = chance(35) ? draw(300'000) : 0;
  say("a storm begins");
  const int number = ++storms_;
  agenda_.at(clock_.true_ms() + 500 + draw(10'000), [this, number] {
    if (number != storms_ || until_ms_ == 0) return;
    Weather calm;
    calm.latency_max_ms = network_.weather.latency_max_ms;
    calm.lose_frame = network_.weather.lose_frame;
    calm.silent_losses = network_.weather.silent_losses;
    network_.weather = calm;
    say("the storm is over");
  });
}

void FaultScript::trouble_links() {
  std::vector<int> kinds;
  if (families.cuts) kinds.insert(kinds.end(), {0, 0, 1, 2});
  if (families.bans) kinds.push_back(3);
  if (families.keys) kinds.push_back(4);
  if (families.switches) kinds.push_back(5);
  switch (kinds[static_cast<std::size_t>(draw(static_cast<int>(kinds.size()) - 1))]) {
    case 0:
      say("all connections are cut");
      return network_.cut_all_links("connection reset by peer");
    case 1: return network_.silence_all_links();
    case 2: {
      const Ms length = 500 + draw(15'000);
      say("the network is down for " + std::to_string(length) + " ms");
      return network_.outage(length);
    }
    case 3: {
      const Ms length = 1000 + draw(10'000);
      say("the venue bans us for " + std::to_string(length) + " ms");
      face_.knobs.banned_until_ms = clock_.venue_ms() + length;
      return trouble(length + 620'000);  // Bybit's 403 means ten minutes
    }
    case 4:
      say("listen keys expire");
      face_.expire_listen_keys(clock_.venue_ms());
      // … and once more, while the account is being read again.
      if (families.twice) agenda_.at(clock_.true_ms() + 100 + draw(900), [this] { face_.expire_listen_keys(clock_.venue_ms()); });
      return trouble(3000);
    default:
      tables_.enabled = !tables_.enabled;
      say(tables_.enabled ? "the account is enabled" : "the account is disabled");
      if (account_switched) account_switched();
      if (tables_.enabled) return;
      agenda_.at(clock_.true_ms() + draw(15'000), [this] {
        if (tables_.enabled) return;
        tables_.enabled = true;
        say("the account is enabled");
        if (account_switched) account_switched();
      });
  }
}

void FaultScript::trouble_commits() {
  trouble(3000);
  switch (draw(4)) {
    case 0: return wall_.outcomes.assign({WALL_RETRY});
    case 1: return wall_.outcomes.assign({WALL_RETRY, WALL_RETRY});
    case 2: return wall_.outcomes.assign({WALL_REFUSED, WALL_REFUSED});
    case 3: return wall_.outcomes.assign({WALL_GONE});
    default: break;
  }
  if (!families.locks) return;
  std::vector<std::int64_t> open;
  for (const PositionRow& row : tables_.positions)
    if (row.is_open()) open.push_back(row.id);
  if (open.empty()) return;
  const std::int64_t id = open[static_cast<std::size_t>(draw(static_cast<int>(open.size()) - 1))];
  const Ms length = 300 + draw(6000);
  say("somebody locks position " + std::to_string(id) + " for " + std::to_string(length) + " ms");
  wall_.locked_positions.insert(id);
  agenda_.at(clock_.true_ms() + length, [this, id] {
    wall_.locked_positions.erase(id);
    trouble(2000);
  });
}

void FaultScript::crash() {
  switch (draw(3)) {
    case 0: wall_.crash_before_commit = true; return;
    case 1: wall_.crash_after_commit = true; return;
    case 2: sends_until_crash_ = draw(4); return;
    default:
      if (crash_now) crash_now();
  }
}

void FaultScript::leap() {
  if (clock_.true_ms() - last_leap_ms_ < 20'000) return;
  last_leap_ms_ = clock_.true_ms();
  const Ms by = 1 + draw(2999);
  const bool local = chance(50);
  say((local ? "the local clock leaps by " : "the venue's clock leaps by ") + std::to_string(by) + " ms");
  if (local) clock_.leap_local(by);
  else clock_.leap_venue(by);
  trouble(8000);   // requests are refused until the clock has been measured again
}

void FaultScript::lag() {
  face_.knobs.visibility_lag_ms = 100 + draw(3000);
  const int number = ++lags_;
  say("reads lag by " + std::to_string(face_.knobs.visibility_lag_ms) + " ms");
  agenda_.at(clock_.true_ms() + 1000 + draw(8000), [this, number] {
    if (number == lags_) face_.knobs.visibility_lag_ms = 0;
  });
}

}  // namespace tradesync::sim
