// The exchange of dry_run: answers the same requests that a venue answers and fills on live prices. What it says goes the
// way that a venue's words go (facts, replies), so the same code trades on paper and for real. Pure and deterministic.
// Fills: market orders at once at last price (mark where there is none) ± slippage, taker fee; limit orders when the mark
// reaches them, at their price; conditional orders and position stops trigger on mark and fill as market orders.
// One-way mode only. Its orders, fills, balance and positions are the mirror tables, from which it starts again; what ended
// before the start is known to the tables only.
#pragma once
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "core/command.hpp"
#include "core/fact.hpp"
#include "core/request.hpp"
#include "core/rules.hpp"
#include "core/trading_settings.hpp"

namespace tradesync {

class Paper {
 public:
  // rules: which kind of stops (position_stops), so that both venues' ways are tried on paper.
  Paper(const VenueRules& rules, const TradingSettings& settings);
  // What the tables hold: open orders, own orders carry tickets of conditional ones, positions, balances. next_id: larger
  // than every paper id given out before (ids are "p<number>"; the caller passes unix ms × 1000 at start).
  void load(const std::vector<Order>& orders, const std::vector<VenuePosition>& positions, const std::vector<Balance>& balances,
            std::int64_t next_id);
  void on_instrument(const Instrument& instrument);
  // Every kind but server_time, instruments, ticker and listen keys. The reply is complete; facts that a venue would push
  // besides (order, fill, position, balance events, in that venue order) are appended to `pushed`.
  Reply answer(const Request& request, std::int64_t venue_now_ms, Facts& pushed);
  // A new price: triggers and limit fills are appended to `pushed`.
  void on_price(const Price& price, std::int64_t venue_now_ms, Facts& pushed);

 private:
  struct Quote {
    std::optional<Decimal> mark, last;
    std::int64_t mark_ms = 0, last_ms = 0;  // when it was told
  };
  struct Holding {
    Decimal quantity, entry_price;  // quantity is signed
    std::int64_t opened_ms = 0;
    Version version;
  };
  struct No {
    Refusal why = Refusal::other;
    std::string message;
  };
  using MaybeNo = std::optional<No>;
  enum class Liquidity : std::uint8_t { taker, maker };

  // paper.cpp
  void at(std::int64_t venue_now_ms);
  Version next_version();
  std::string next_id();
  void report(Order& order, OrderStatus status, Facts& pushed);
  void finish(Order& order, OrderStatus status, const std::string& reason, Facts& pushed);
  Order take(std::size_t at);
  const Instrument& instrument_of(const std::string& symbol) const;
  std::optional<Decimal> mark_of(const std::string& symbol) const;
  std::optional<Decimal> market_price(const std::string& symbol, Side side) const;

  // paper_reads.cpp: nothing in there changes anything.
  Reply read(const Request& request);
  void list_open(const Request& request, bool conditional, Facts& facts) const;
  void list_positions(const Request& request, Facts& facts) const;
  void list_finished(const Request& request, Facts& facts) const;
  void list_executions(const Request& request, Facts& facts) const;
  void list_income_symbols(const Request& request, Facts& facts) const;
  void list_leverages(const Request& request, Facts& facts) const;
  bool may_be(const Order& order, OrderKind kind) const;
  const Order* find(const Request& request, OrderKind kind) const;

  // paper_checks.cpp: what a venue would refuse.
  MaybeNo why_not(const OrderTicket& ticket) const;
  MaybeNo form_error(const OrderTicket& ticket) const;
  MaybeNo filter_error(const OrderTicket& ticket) const;
  MaybeNo trigger_error(const OrderTicket& ticket) const;
  MaybeNo count_error(const OrderTicket& ticket) const;
  MaybeNo balance_error(const std::string& symbol, Side side, const Decimal& quantity, const Decimal& price) const;

  // paper_orders.cpp
  Reply place(const Request& request, Facts& pushed);
  Reply cancel(const Request& request, Facts& pushed);
  Order order_of(const OrderTicket& ticket);
  bool fill_now(Order& order, const OrderTicket& ticket, Facts& pushed);
  void fire(Order order, Facts& pushed);
  void trigger(Order order, Facts& pushed);
  void trigger_child(Order& order, const Decimal& quantity, const Decimal& price, Facts& pushed);

  // paper_positions.cpp
  Reply set_position_stop(const Request& request, Facts& pushed);
  Reply set_leverage(const Request& request, Facts& pushed);
  // The order is no longer among the open ones. false: a number does not fit; nothing has changed.
  bool execute(Order& order, const Decimal& quantity, const Decimal& price, Liquidity liquidity, Facts& pushed);
  void push_fill(const Order& order, const Decimal& price, const Decimal& fee, const Decimal& realized, const Decimal& closed,
                 Liquidity liquidity, Facts& pushed);
  void follow_position(const Order& order, const Decimal& before, const std::optional<Decimal>& stop, Facts& pushed);
  void set_system_order(const std::string& symbol, std::string_view type, const Decimal& price, Facts& pushed);
  bool is_system(const Order& order) const;
  const Order* system_order(const std::string& symbol, std::string_view type) const;
  Decimal system_price(const std::string& symbol, std::string_view type) const;
  VenuePosition position_of(const std::string& symbol) const;
  Decimal held(const std::string& symbol) const;
  Decimal reducible(const std::string& symbol, Side side) const;
  Decimal leverage_of(const std::string& symbol) const;
  // paper_money.cpp
  Decimal wallet_of(const std::string& asset) const;
  std::optional<Decimal> fee_of(const Decimal& quantity, const Decimal& price) const;
  std::optional<Decimal> margin_of(const std::string& symbol, const Decimal& quantity, const Decimal& price) const;
  std::optional<Decimal> available(const std::string& asset) const;
  std::optional<Decimal> unrealized(const std::string& symbol) const;
  Balance balance_of(const std::string& asset) const;

  VenueRules rules_;
  TradingSettings settings_;
  Instrument unknown_;                         // stands in for one that has not come yet
  std::map<std::string, Instrument> instruments_;
  std::map<std::string, Quote> quotes_;
  std::map<std::string, Holding> holdings_;    // flat ones keep their version
  std::map<std::string, Decimal> leverages_;
  std::map<std::string, Decimal> wallets_;     // by settle asset; one that is not here yet holds settings.paper_balance
  std::vector<Order> open_;                    // in the order of their acceptance; a position's own stops have no client id
  std::deque<Order> finished_;                 // the last ones, oldest first
  std::deque<Fill> fills_;
  std::int64_t now_ms_ = 0, last_order_ = 0, last_time_ = 0, next_id_ = 1;
};

// Does `mark` reach this resting or conditional order?
bool is_reached(const Order& order, const Decimal& mark);
Reply answered(const Request& request, std::int64_t venue_now_ms);
Reply refused(const Request& request, std::int64_t venue_now_ms, Refusal why, std::string message);

}  // namespace tradesync
