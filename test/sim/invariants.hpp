// What must hold whatever happens. Each invariant is one function with a name; README.md lists them. They look at the two
// sides that the worker stands between – the market and the tables – and never at the worker itself.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/verification.hpp"
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
  bool silence = false;                               // frames get lost without a sign: what others did may stay unknown
  std::function<bool()> rows_may_lag;                 // somebody locks rows, or commits are refused: what they say waits in the worker

  // ---- as things happen
  void on_write(const Network::Write& write);
  void on_submitting(const OrderRow& row);
  void on_refused(const std::string& sqlstate);       // a function refused a row
  void on_price();                                    // some mark has moved
  void on_verified(std::int64_t position_id, const std::vector<VerifyRow>& rows);
  // able: the worker runs, is synchronised, and nothing has gone wrong on the wire lately.
  void after_turn(bool able);
  // The worker is live, and the tables know up to where (the first restore is saved).
  void was_live() { if (first_live_venue_ms_ == 0 && !tables_.cursors.empty()) first_live_venue_ms_ = clock_.venue_ms(); }
  // Faults are over, time has passed, nothing is under way.
  void at_rest();
  // Both sides hold the same positions, and the managed ones are protected.
  void positions_agree();

 private:
  bool on_paper() const { return tables_.mode == "dry_run"; }
  void a_stop_leaves_only_for_its_row(const Network::Write& write);
  // Why this cannot be the stop of that position; "" = it is where it was wanted, or moved away from the mark as far as it had to.
  std::string stop_price_fault(const PositionRow& row, market::Decimal price) const;
  bool entered_by_us_alone(const PositionRow& row, const market::Position& position) const;
  void an_order_leaves_only_with_its_committed_row(const Network::Write& write);
  void no_client_id_leaves_twice(const Network::Write& write);
  void one_accepted_entry_per_position();
  void nothing_leaves_of_what_was_rolled_back();
  void no_halt_outlives_its_end();
  void no_position_without_stop(bool able);
  void closing_never_adds_or_flips();
  void no_order_of_ours_without_position();
  void tables_equal_the_exchange();
  void positions_equal();
  void open_orders_equal();
  void fills_equal();
  void fundings_equal();
  void own_orders_are_decided();
  void rows_move_along_their_tables();
  void unknown_is_never_concluded_early();
  void every_command_ends();
  void stops_are_exact();
  // invariants_on_paper.cpp
  void paper_position_has_its_stop(bool able);
  void paper_adds_up();
  void paper_orders_are_decided();

  struct Protection { bool stopped = false, exact = false; market::Decimal price; std::string text; };
  Protection protection_of(const market::Position& position, const PositionRow& row) const;
  const market::Account& account() const { return *market_.account(account_); }
  const market::Order* accepted(const OrderRow& row) const;
  bool has_entered(const PositionRow& row) const;
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
  Ms last_turn_ms_ = 0, first_live_venue_ms_ = 0;
  std::map<std::pair<std::string, market::Slot>, Ms> naked_ms_;   // able time without a stop
  std::map<std::int64_t, Ms> naked_on_paper_ms_;                  // by position
  // The mark that came closest to the stop of a position since its row was written.
  std::map<std::int64_t, market::Decimal> closest_mark_;
  std::map<std::string, std::deque<std::pair<Ms, market::Decimal>>> recent_marks_;
  std::map<std::int64_t, std::optional<Decimal>> entry_price_before_;  // of a position, as of the turn before
};

}  // namespace tradesync::sim
