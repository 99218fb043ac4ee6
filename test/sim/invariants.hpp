// What must hold whatever happens. Each invariant is one function with a name; README.md lists them. They look at the two
// sides that the worker stands between – the market and the tables – and never at the worker itself.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "market/market.hpp"
#include "sim/network.hpp"
#include "sim/tables.hpp"
#include "sim/user.hpp"

namespace tradesync::sim {

class Invariants {
 public:
  Invariants(const VirtualClock& clock, const Tables& tables, market::Market& market, market::Venue venue, std::string account,
      const User& user);

  // The first one broken, "" while all hold: "I4 no position without a stop: …"
  const std::string& failure() const { return failure_; }
  void fail(const char* name, const std::string& what);

  // ---- as things happen
  void on_write(const Network::Write& write);
  void on_submitting(const OrderRow& row);
  // able: the worker runs, is synchronised, and nothing has gone wrong on the wire lately.
  void after_turn(bool able);
  // Faults are over, time has passed, nothing is under way.
  void at_rest();

 private:
  void an_order_leaves_only_with_its_committed_row(const Network::Write& write);
  void no_client_id_leaves_twice(const Network::Write& write);
  void one_accepted_entry_per_position();
  void nothing_leaves_of_what_was_rolled_back();
  void no_position_without_stop(bool able);
  void closing_never_adds_or_flips();
  void no_order_of_ours_without_position();
  void tables_equal_the_exchange();
  void positions_equal();
  void open_orders_equal();
  void fills_equal();
  void own_orders_are_decided();
  void rows_move_along_their_tables();
  void unknown_is_never_concluded_early();
  void every_command_ends();
  void nothing_opens_after_halt(const OrderRow& row);
  void stops_are_exact();

  struct Protection { bool stopped = false, exact = false; std::string text; };
  Protection protection_of(const market::Position& position, const PositionRow& row) const;
  const market::Account& account() const { return *market_.account(account_); }
  const market::Order* accepted(const OrderRow& row) const;
  const PositionRow* managed_row(const market::Position& position) const;

  const VirtualClock& clock_;
  const Tables& tables_;
  market::Market& market_;
  const market::Venue venue_;
  const std::string account_;
  const User& user_;
  std::string failure_;

  std::set<std::string> written_client_ids_;
  std::size_t fills_seen_ = 0, promises_seen_ = 0;
  Ms last_turn_ms_ = 0;
  std::map<std::pair<std::string, market::Slot>, Ms> naked_ms_;   // able time without a stop
};

}  // namespace tradesync::sim
