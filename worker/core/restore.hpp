// One restoration of the account after a connect: which questions the venue must answer before we may call ourselves
// synchronised, and their answers until all are in. Nothing is applied piecemeal: a snapshot with a missing part concludes
// nothing (DESIGN §5, principle 4).
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/orders.hpp"
#include "core/positions.hpp"
#include "core/requests.hpp"

namespace tradesync {

// Up to where the tables know everything. account_ms 0: never synchronised before, history is not read (DESIGN §11).
struct Cursors {
  std::int64_t account_ms = 0;
  std::map<std::string, std::string, std::less<>> read_from;  // symbol -> trade id, where executions are per symbol
};

class Restore {
 public:
  Restore(const VenueRules& rules, Requests& requests) : rules_(rules), requests_(requests) {}

  void begin(const Cursors& cursors, std::int64_t venue_now_ms);
  void forget();
  bool running() const { return running_; }

  // true: the answer was one of ours. After it, advance() asks what follows from it.
  bool on_answer(Answer& answer);
  // Second part, once the first is complete: executions per symbol, orders that vanished.
  void advance(const Orders& orders, const Positions& positions, const Cursors& cursors);
  bool first_part_done() const { return running_ && waiting_.empty(); }
  bool complete() const { return running_ && second_part_asked_ && waiting_.empty(); }
  void finish() { running_ = false; }

  std::vector<VenuePosition> positions;
  std::vector<Order> orders;
  std::vector<Fill> fills;
  std::vector<Funding> fundings;
  std::vector<Balance> balances;
  std::vector<Leverage> leverages;
  std::vector<std::pair<Order, std::int64_t>> gone_orders;  // held open, listed nowhere, unknown to the venue; as of when
  std::int64_t as_of_ms = 0;            // everything is at least as new as this venue time
  std::int64_t positions_as_of_ms = 0;
  bool hedge_mode = false;

 private:
  enum class Purpose : std::uint8_t { snapshot, closed_orders, income, vanished_order };
  void ask(RequestKind kind, Purpose purpose = Purpose::snapshot);
  void ask_windows(RequestKind kind, Purpose purpose, std::int64_t since_ms, const std::string& symbol = {}, const std::string& from_id = {});
  void ask_executions_of(const std::set<std::string>& symbols, const Cursors& cursors);
  std::set<std::string> touched_symbols(const Orders& orders, const Positions& positions) const;
  void ask_vanished(const Orders& orders);
  void take(Facts& facts, std::int64_t asked_ms);

  const VenueRules& rules_;
  Requests& requests_;
  bool running_ = false, second_part_asked_ = false, income_asked_ = false;
  std::int64_t since_ms_ = 0, until_ms_ = 0;
  std::map<std::uint64_t, Purpose> waiting_;
  std::set<std::string> income_symbols_;
  std::map<std::uint64_t, Order> vanished_;
};

}  // namespace tradesync
