// One run: a seed becomes a venue with its account, a database, a worker, people who want things, and misfortunes. First an
// active part in which all of them act, then a long calm in which everything has to come to rest and both sides must agree.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "sim/fault_script.hpp"
#include "sim/invariants.hpp"
#include "sim/market_script.hpp"
#include "sim/network.hpp"
#include "sim/process.hpp"
#include "sim/stranger.hpp"
#include "sim/tables.hpp"
#include "sim/user.hpp"
#include "sim/wall.hpp"

namespace tradesync::sim {

struct RunOptions {
  std::uint64_t seed = 1;
  market::Venue venue = market::Venue::bybit;
  bool plain = false;        // without what was added later than the seed: strangers' orders, silence, paper …
  bool verbose = false;      // every line to standard output
  bool hashed = false;       // the hash of all lines
};

struct RunResult {
  std::string failure;       // "" = all invariants held
  Ms failed_at_ms = 0;       // since the run's start
  std::uint64_t hash = 0;
  std::size_t orders = 0, fills = 0, positions = 0;
  int starts = 0, turns = 0;
};

class World {
 public:
  explicit World(const RunOptions& options);
  RunResult run();

 private:
  void set_up_market();
  void draw_later_things();
  void leap_to_stop(const std::string& client_id);
  void connect_observers();
  void end_active_part();
  void end_silence();
  void take_turn();
  void after_end(Process::End end);
  void crash(const char* where);
  void start_again(Ms after_ms);
  void tick_market();
  void log(const char* who, const std::string& line);

  const RunOptions options_;
  market::Random random_;
  VirtualClock clock_;
  Agenda agenda_;
  market::Market market_;
  std::unique_ptr<market::Face> face_;
  Tables tables_;
  Wall wall_;
  Network network_;
  Process process_;
  User user_;
  MarketScript market_script_;
  Stranger stranger_;
  FaultScript faults_;
  Invariants invariants_;
  RunResult result_;
  Ms busy_until_ms_ = 0, active_until_ms_ = 0;
  bool start_planned_ = false;
};

}  // namespace tradesync::sim
