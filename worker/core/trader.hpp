// The saga of DESIGN §6, for every managed position at once: commands in, orders and row changes out. Level-triggered: a
// position that something has happened to is looked at again, what is so is compared with what is wanted, and the next
// thing is done. A crash in between loses nothing, because the look starts from the rows and from the venue.
//
//   trader.cpp           who hears what, and what is looked at when
//   trader_commands.cpp  what people ask for
//   trader_opening.cpp   pending_entry → entry_placed → the first proof of a fill
//   trader_guarding.cpp  pending_sl → active, and as long as the position lives
//   trader_closing.cpp   closing → flat, and what is left to clean up
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/market_view.hpp"
#include "core/protection.hpp"
#include "core/trade.hpp"
#include "core/trading_settings.hpp"
#include "core/verification.hpp"

namespace tradesync {

class Trader {
 public:
  Trader(const VenueRules& rules, const TradingSettings& settings, const VenueClock& clock, Requests& requests, Writes& writes,
         const MarketView& market, Orders& orders, const Positions& positions);

  bool trades() const { return settings_.mode != TradingMode::observe; }
  void load(const std::vector<LoadedTrade>& trades, std::string epoch, const std::vector<std::int64_t>& ids,
            const std::vector<LoadedOwnOrder>& orders, const std::vector<Command>& commands, std::int64_t now_ms);
  void on_commands(const std::vector<Command>& commands, const std::vector<LoadedTrade>& trades, const std::vector<std::int64_t>& ids,
                   std::int64_t now_ms, Effects& effects);
  void on_account(const std::string& not_opening);

  // What the venue says. on_order gives the report our purpose and position before the mirror takes it.
  void on_written(const Writes::Written& written, const Reply& reply, std::int64_t now_ms, Effects& effects);
  bool on_answer(const Answer& answer, bool live, std::int64_t now_ms, Effects& effects);
  void on_order(Order& order, std::int64_t now_ms);
  void on_fill(const Fill& fill);
  void on_position(const VenuePosition& position, Source source, std::int64_t now_ms);
  void on_market(const std::string& symbol);      // an instrument, a price or a leverage that somebody may wait for
  // The position is flat and its fills say so, too; put its last words before the closing of its row.
  void on_closed(const Closing& closing, std::int64_t now_ms, Effects& effects);

  void step(bool live, std::int64_t now_ms, Effects& effects);
  std::int64_t next_deadline() const;
  bool wants(const std::string& symbol) const;     // its prices are needed
  std::vector<std::string> take_followed() { return std::exchange(followed_, {}); }   // wants() may have changed for these
  std::vector<std::string> take_questions() { return std::exchange(questions_, {}); } // symbols whose position the venue should be asked about
  std::size_t order_ids_left() const { return own_.ids_left(); }

  void verify(std::uint64_t id, const std::string& symbol, PositionSide side, std::int64_t position_id, std::int64_t now_ms);
  const Verification& verification() const { return verification_; }
  std::vector<VerifyRow> take_verification(std::uint64_t id) { return verification_.take(id); }

 private:
  // trader.cpp
  Trade& add(const LoadedTrade& row, std::int64_t now_ms);
  Trade* find(std::int64_t id);
  Trade* find(const std::string& symbol, PositionSide side);
  void look_again(Trade& trade, std::int64_t at_ms);
  void look_at_trades(bool live, std::int64_t now_ms, Effects& effects);
  void advance(Trade& trade, bool live, std::int64_t now_ms, Effects& effects);
  void change(Trade& trade, PositionStatus to, Effects& effects);
  void note(Effects& effects, const Trade& trade, std::string event_type, std::string severity, std::string message, std::string data = {});
  void ask_about(Trade& trade, std::int64_t now_ms);
  Decimal net_by_fills(const Trade& trade);
  Decimal held(const Trade& trade);
  std::optional<Decimal> venue_holds(const Trade& trade) const;   // size on the trade's own side; nullopt: not reported, flat or the other side
  void report_evidence(Effects& effects);

  // trader_commands.cpp
  void begin(const Command& command, std::int64_t now_ms, Effects& effects);
  void begin_opening(const Command& command, Trade& trade, std::int64_t now_ms);
  void begin_closing(const Command& command, Trade& trade, std::int64_t now_ms, Effects& effects);
  void begin_guarding(const Command& command, Trade& trade, Guard& guard, std::int64_t now_ms, Effects& effects);
  void finish(std::int64_t command, std::string status, std::string error, Effects& effects);
  void advance_plain(std::int64_t now_ms, Effects& effects);      // set_leverage, cancel_order
  void on_plain(std::uint64_t write, const Reply& reply, std::int64_t now_ms, Effects& effects);

  // trader_opening.cpp
  void advance_pending_entry(Trade& trade, bool live, std::int64_t now_ms, Effects& effects);
  bool fail_if_taken(Trade& trade, std::int64_t now_ms, Effects& effects);
  void leave_to_others(const Trade& trade, Effects& effects);
  void ask_mode(const std::string& symbol);
  bool take_side(Trade& trade, bool hedged, std::int64_t now_ms, Effects& effects);
  void reread_mode(Trade& trade, OwnOrder& entry, std::int64_t now_ms, Effects& effects);
  bool prepare_mode(Trade& trade, std::int64_t now_ms, Effects& effects);
  bool prepare_leverage(Trade& trade);
  std::optional<Decimal> prepare_price(Trade& trade, std::int64_t now_ms);
  void place_entry(Trade& trade, const Instrument& instrument, const Decimal& price, std::int64_t now_ms, Effects& effects);
  void advance_entry_placed(Trade& trade, std::int64_t now_ms, Effects& effects);
  void first_proof(Trade& trade, const OwnOrder& entry, const Decimal& filled, std::int64_t now_ms, Effects& effects);
  void take_back(Trade& trade, std::string reason, std::string command_status, std::int64_t now_ms, Effects& effects);
  void fail(Trade& trade, std::string reason, std::string error, std::int64_t now_ms, Effects& effects);

  // trader_guarding.cpp
  void advance_guarded(Trade& trade, std::int64_t now_ms, Effects& effects);
  bool know_entry_price(Trade& trade, std::int64_t now_ms, Effects& effects);
  void aim_stop(Trade& trade);
  void report_protection(Trade& trade, const Guard& before, std::int64_t now_ms, Effects& effects);
  void answer_guard_command(Trade& trade, Guard& guard, std::int64_t now_ms, Effects& effects);
  void watch_trigger(Trade& trade, const Guard& guard, std::int64_t now_ms, Effects& effects);

  // trader_closing.cpp
  void start_closing(Trade& trade, std::string reason, std::int64_t now_ms, Effects& effects);
  void roll_back(Trade& trade, const std::string& why, std::int64_t now_ms, Effects& effects);
  void advance_closing(Trade& trade, std::int64_t now_ms, Effects& effects);
  void advance_partial(Trade& trade, std::int64_t now_ms, Effects& effects);
  OwnOrder* place_close(Trade& trade, const std::optional<Decimal>& quantity, std::int64_t now_ms, Effects& effects);
  void conclude_flat(Trade& trade, std::int64_t now_ms, Effects& effects);
  bool conclude_swallowed(Trade& trade, std::int64_t now_ms, Effects& effects);
  void settle_wishes(Trade& trade, Effects& effects);
  void clean_up(Trade& trade, std::int64_t now_ms, Effects& effects);
  void end(Trade& trade, std::int64_t now_ms);

  const VenueRules& rules_;
  TradingSettings settings_;
  const VenueClock& clock_;
  Requests& requests_;
  Writes& writes_;
  const MarketView& market_;
  Orders& orders_;
  const Positions& positions_;
  OwnOrders own_;
  Protection protection_;
  Verification verification_;

  std::string not_opening_;                         // nothing new is opened, because …
  std::map<std::int64_t, Trade> trades_;
  std::map<std::pair<std::string, PositionSide>, std::int64_t> by_key_;  // the one that is not over
  std::set<std::int64_t> dirty_;
  std::int64_t earliest_ms_ = INT64_MAX;
  bool was_live_ = false;
  std::vector<std::string> followed_, questions_;
  std::map<std::uint64_t, std::string> reads_;      // ticker and position mode requests, by symbol
  std::set<std::string> asked_modes_, asked_prices_;

  struct Plain {                                    // commands that are one request
    Command command;
    std::uint64_t write = 0;
    std::int64_t send_at_ms = 0;
  };
  std::map<std::int64_t, Plain> plain_;
  std::set<std::int64_t> known_commands_;
  std::vector<Command> loaded_commands_;            // begun with the first step
};

}  // namespace tradesync
