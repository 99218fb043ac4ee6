// What the market does by itself during a run: prices walk and leap, books grow thin, and somebody else – the account's owner
// at the venue's web page, the venue's liquidation engine – trades on the same account.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "market/market.hpp"
#include "sim/virtual_clock.hpp"

namespace tradesync::sim {

struct MarketMood {
  int walk_basis_points = 6;          // a step of the price, either way
  int leap_per_million = 4000;        // per step: up to 6 %
  bool thin_books = false;            // taker orders fill in part
  bool several_fills = false;         // … or in several executions
  bool strangers = false;             // manual trades on our account
  bool liquidations = false;
};

class MarketScript {
 public:
  MarketScript(VirtualClock& clock, Agenda& agenda, market::Market& market, std::string account, std::uint64_t seed,
               std::vector<std::string> symbols, MarketMood mood);
  void start(Ms active_until_ms, Ms prices_until_ms);
  void calm();                        // books are deep again
  std::function<void()> changed;      // the face must look at the market
  std::function<void(const std::string&)> log;

 private:
  void step_price(const std::string& symbol);
  void meddle();
  market::Account& account() { return *market_.account(account_); }
  bool chance(int percent) { return random_.between(0, 99) < percent; }

  VirtualClock& clock_;
  Agenda& agenda_;
  market::Market& market_;
  std::string account_;
  market::Random random_;
  std::vector<std::string> symbols_;
  MarketMood mood_;
  Ms active_until_ms_ = 0, prices_until_ms_ = 0;
};

}  // namespace tradesync::sim
