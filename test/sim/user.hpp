// People and programs at the SQL side: what the functions of schema monitoring check and insert, and a seeded script that
// calls them inside transactions that commit or roll back.
#pragma once
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "market/random.hpp"
#include "sim/tables.hpp"

namespace tradesync::sim {

// One open transaction: its inserts are nobody's business until it commits.
struct Transaction {
  std::vector<PositionRow> positions;
  std::vector<CommandRow> commands;
  std::set<std::string> locked_symbols;
  int halt = -1;                       // 1 = halt(), 0 = resume()
};

class User {
 public:
  // worker_state: what worker_slots() says. wake: the latch, set at commit.
  User(VirtualClock& clock, Agenda& agenda, Tables& tables, std::uint64_t seed, std::vector<std::string> symbols);
  std::function<std::string()> worker_state;
  std::function<void()> wake;
  std::function<void(const PositionRow&)> verify;      // verify_position(): outside of any transaction
  std::function<void(const std::string&)> log;
  int lost_wakes_per_million = 100'000;

  // Acts until `until_ms` of true time, then never again.
  void start(Ms until_ms);
  void resume_for_good();              // the account is halted no longer
  void halted_by_somebody() { halted_at_ms = clock_.true_ms(); }

  // ---- what invariants look at
  std::set<std::int64_t> rolled_back_positions, rolled_back_commands;
  Ms halted_at_ms = 0;                 // true time of the commit; 0 = not halted

  // ---- the functions. "" = inserted, else the SQLSTATE with which they raise
  std::string open_position(Transaction& transaction, const std::string& symbol, bool is_long, std::optional<Decimal> notional,
                            std::optional<Decimal> quantity, std::optional<Decimal> stop_loss_percent);
  std::string close_position(Transaction& transaction, std::int64_t position_id, std::optional<Decimal> quantity);
  std::string set_stop_loss(Transaction& transaction, std::int64_t position_id, const Decimal& price);
  std::string set_take_profit(Transaction& transaction, std::int64_t position_id, const Decimal& price);
  std::string set_leverage(Transaction& transaction, const std::string& symbol, const Decimal& leverage);
  std::string cancel_order(Transaction& transaction, const std::string& client_order_id);
  void commit(Transaction& transaction);
  void roll_back(const Transaction& transaction);

 private:
  void act();
  std::string call_something(Transaction& transaction);
  std::string call_open(Transaction& transaction);
  void open_at_once();
  std::string call_on_position(Transaction& transaction);
  CommandRow& command(Transaction& transaction, const char* kind, Ms valid_for_ms);
  const PositionRow* some_position();
  const PositionRow* newest_position() const;
  std::optional<Decimal> price_near(const PositionRow& row, int from_per_mille, int to_per_mille);
  bool chance(int percent) { return random_.between(0, 99) < percent; }

  VirtualClock& clock_;
  Agenda& agenda_;
  Tables& tables_;
  market::Random random_, curiosity_, haste_;
  std::vector<std::string> symbols_;
  std::set<std::string> locked_symbols_;   // advisory locks of open transactions
  Ms until_ms_ = 0;
};

}  // namespace tradesync::sim
