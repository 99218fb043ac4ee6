// Which misfortunes one run meets, and when. The seed first chooses the families that take part – a run without crashes
// shows other bugs than one with them – then draws single misfortunes until the active part of the run is over.
#pragma once
#include <functional>
#include <string>

#include "sim/network.hpp"
#include "sim/process.hpp"
#include "sim/wall.hpp"

namespace tradesync::sim {

struct FaultFamilies {
  bool storms = false;        // requests fail, get lost, get through unanswered
  bool cuts = false;          // connections end, or die silently; outages
  bool frames = false;        // duplicates, delays, lost frames
  bool reordering = false;    // frames of one connection overtake each other
  bool crashes = false;
  bool commits = false;       // the database refuses a commit, or somebody locks a row
  bool clocks = false;        // local and venue clocks leap
  bool lag = false;           // REST reads run behind what was written
  bool bans = false;
  bool keys = false;          // listen keys expire
  bool switches = false;      // the account is disabled and enabled again
  bool silence = false;       // frames get lost and nobody closes the connection for it
  bool epochs = false;        // the database comes back under another identity: halted, with client ids of its own
  bool locks = true;          // part of commits: somebody's transaction holds a row
  bool twice = false;         // part of keys
  bool races = false;         // prices reach a stop in the moment in which it is placed
};

class FaultScript {
 public:
  FaultScript(VirtualClock& clock, Agenda& agenda, market::Face& face, Network& network, Wall& wall, Tables& tables, std::uint64_t seed);
  // The families that came later are drawn apart, so that older seeds still show what they showed.
  void draw_later_families(std::uint64_t seed);

  FaultFamilies families;
  std::function<void(const std::string&)> log;
  std::function<void()> crash_now;      // the worker's process dies between two turns
  std::function<void()> account_switched;
  std::function<void(const std::string&)> leap_to_stop;   // the price reaches the stop with that client id
  void on_write(const Network::Write& write);
  // The worker's process has died: is it the same database that starts it again?
  void on_crash();

  void start(Ms until_ms);
  void end();                           // everything works again, for good
  // Has something gone wrong lately that keeps the worker from doing its work?
  bool troubled() const { return clock_.true_ms() < troubled_until_ms_ || !wall_.locked_positions.empty(); }
  std::string summary() const;

 private:
  void strike();
  void storm();
  void trouble_links();
  void trouble_commits();
  void crash();
  void leap();
  void lag();
  int draw(int at_most) { return static_cast<int>(random_.between(0, at_most)); }
  bool chance(int percent) { return random_.between(0, 99) < percent; }
  void say(const std::string& line) { if (log) log(line); }
  void trouble(Ms for_ms) { troubled_until_ms_ = std::max(troubled_until_ms_, clock_.true_ms() + for_ms); }

  VirtualClock& clock_;
  Agenda& agenda_;
  market::Face& face_;
  Network& network_;
  Wall& wall_;
  Tables& tables_;
  market::Random random_, later_random_{0};
  Ms until_ms_ = 0, last_leap_ms_ = 0, troubled_until_ms_ = 0;
  int sends_until_crash_ = -1, storms_ = 0, lags_ = 0;
};

}  // namespace tradesync::sim
