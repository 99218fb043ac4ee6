// Somebody else on the same account: trades beside us, lets orders rest, pays funding, turns the position mode around while
// nothing is open. He knows nothing of our rows, and nothing that he does is our fault.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "market/market.hpp"
#include "sim/virtual_clock.hpp"

namespace tradesync::sim {

class Stranger {
 public:
  Stranger(VirtualClock& clock, Agenda& agenda, market::Market& market, std::string account, std::uint64_t seed,
           std::vector<std::string> symbols);
  // Each by itself; the run chooses.
  bool trades = false, rests = false, switches_modes = false, funding = false;
  std::function<void()> changed;      // the face must look at the market
  std::function<void(const std::string&)> log;

  void start(Ms until_ms);
  bool acts() const { return trades || rests || switches_modes || funding; }

 private:
  void act();
  void trade();
  void rest();
  void touch_resting();
  void switch_mode();
  void pay_funding();
  market::OrderRequest request_on(const std::string& symbol);
  market::Decimal price_away(const market::Instrument& instrument, std::int64_t per_mille) const;
  void place(const market::OrderRequest& request, const char* what);
  market::Account& account() { return *market_.account(account_); }
  const std::string& some_symbol() { return symbols_[static_cast<std::size_t>(random_.next() % symbols_.size())]; }
  bool chance(int percent) { return random_.between(0, 99) < percent; }

  VirtualClock& clock_;
  Agenda& agenda_;
  market::Market& market_;
  std::string account_;
  market::Random random_;
  std::vector<std::string> symbols_;
  Ms until_ms_ = 0;
};

}  // namespace tradesync::sim
