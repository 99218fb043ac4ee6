// The account as one pure machine: facts in, wishes out. It knows no clock, no socket, no database and no venue's name.
// step() and next_deadline() are the only doors that change it; the same engine runs in the worker, in unit tests and in
// the deterministic simulation.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/command.hpp"
#include "core/paper.hpp"
#include "core/positions.hpp"
#include "core/private_stream.hpp"
#include "core/public_streams.hpp"
#include "core/restore.hpp"
#include "core/tickers.hpp"
#include "core/trade_cursor.hpp"
#include "core/trader.hpp"
#include "core/trading_settings.hpp"

namespace tradesync {

struct EngineSettings {
  bool private_session = true;        // false in dry_run: prices only
  std::size_t buffer_events = limits::kBufferEvents;
  std::int64_t price_interval_ms = 250;
  std::int64_t audit_interval_ms = 60000;
  std::uint64_t seed = 1;
  TradingSettings trading;
};

// What the tables hold when the worker starts.
struct LoadedPosition {
  VenuePosition position;
  bool reported = false, row_open = false;
  std::string row_side;
};
struct Loaded {
  std::vector<LoadedPosition> positions;
  std::vector<Order> orders;             // open ones that the venue has answered (order_id is known)
  Cursors cursors;
  std::string epoch;                     // of our client order ids; "" = none yet, nothing can be sent
  std::vector<std::int64_t> order_ids;   // orders.id reserved for orders that we shall send
  std::vector<LoadedTrade> trades;       // open managed positions, and closed ones with an open order of ours
  std::vector<LoadedOwnOrder> own_orders;
  std::vector<Command> commands;         // queued and running
  std::vector<PositionMode> position_modes;
  std::map<std::string, Decimal> leverages;  // as last reported
  std::vector<Balance> balances;         // dry_run: the paper account
  std::vector<std::string> recent_fills; // "symbol|trade id" of fills that the tables have and the venue may repeat
};

struct Started {};                       // connect
struct Stopping {};                      // say goodbye on every socket; nothing is opened any more
struct SocketOpened { std::uint64_t link = 0; };
struct SocketClosed { std::uint64_t link = 0; std::string why; };
struct FrameRead {                       // one decoded frame; its facts are moved out
  std::uint64_t link = 0;
  Facts* facts = nullptr;
};
struct FrameUnreadable { std::uint64_t link = 0; std::string error, sample; };
struct Answered { Reply reply; };
struct SyncAsked { std::vector<std::string> symbols; };  // sync_positions(): these must be subscribed, too
// Commands read after a wake-up, with the rows of the positions that they open. Known ones are ignored.
struct CommandsRead {
  std::vector<Command> commands;
  std::vector<LoadedTrade> trades;
  std::vector<std::int64_t> order_ids;   // appended to the reserve
};
struct AccountChanged {                  // the account's row: halted, trading switched off
  std::string not_opening;               // why nothing new is opened; "" = it is
};
// verify_position(): asks all three sources about one position. Answered by Engine::verifications().
struct VerifyAsked { std::uint64_t id = 0; std::string symbol; PositionSide side = PositionSide::both; std::int64_t position_id = 0; };
// refresh_liquid_pairs(): asks the venue for its 24 hour tickers. Answered by Engine::tickers_done().
struct TickersAsked { std::uint64_t id = 0; };
struct Tick {};
using Event = std::variant<Started, Stopping, SocketOpened, SocketClosed, FrameRead, FrameUnreadable, Answered, SyncAsked,
                           CommandsRead, AccountChanged, VerifyAsked, TickersAsked, Tick>;

class Engine {
 public:
  Engine(const VenueRules& rules, const EngineSettings& settings, Loaded loaded);

  void step(Event event, std::int64_t now_ms, Effects& effects);
  // Monotonic time at which Tick has something to do; INT64_MAX when nothing is timed.
  std::int64_t next_deadline(std::int64_t now_ms);
  // Once per turn, after its last step: prices that are due, cursors.
  void end_turn(std::int64_t now_ms, Effects& effects);

  // Observers.
  SessionState session() const { return session_; }
  bool live() const { return session_ == SessionState::live; }
  const VenueClock& clock() const { return clock_; }
  const std::string& last_error() const;
  std::vector<StreamReport> streams() const;
  std::size_t buffered() const { return buffer_.size(); }
  struct SyncRow { std::string symbol, outcome, detail; };
  std::vector<SyncRow> sync_rows(const std::set<std::string>& before) const;
  std::set<std::string> subscribed_symbols() const;
  bool sync_settled() const;  // no subscription is waiting for its answer
  const PublicStreams& prices() const { return public_; }
  std::size_t order_ids_left() const { return trader_.order_ids_left(); }
  bool verification_done(std::uint64_t id) const { return trader_.verification().done(id); }
  std::vector<VerifyRow> take_verification(std::uint64_t id) { return trader_.take_verification(id); }
  bool tickers_done(std::uint64_t id) const { return tickers_.done(id); }
  std::vector<Ticker> take_tickers(std::uint64_t id) { return tickers_.take(id); }

 private:
  void on(const Started&, std::int64_t now_ms, Effects&);
  void on(const Stopping&, std::int64_t now_ms, Effects&);
  void on(const SocketOpened&, std::int64_t now_ms, Effects&);
  void on(const SocketClosed&, std::int64_t now_ms, Effects&);
  void on(const FrameRead&, std::int64_t now_ms, Effects&);
  void on(const FrameUnreadable&, std::int64_t now_ms, Effects&);
  void on(Answered&, std::int64_t now_ms, Effects&);
  void on(const SyncAsked&, std::int64_t now_ms, Effects&);
  void on(CommandsRead&, std::int64_t now_ms, Effects&);
  void on(const AccountChanged&, std::int64_t now_ms, Effects&);
  void on(const VerifyAsked&, std::int64_t now_ms, Effects&);
  void on(const TickersAsked&, std::int64_t now_ms, Effects&);
  void on(const Tick&, std::int64_t now_ms, Effects&);

  std::int64_t lag_of(const Facts& facts, std::int64_t now_ms) const;

  // engine_facts.cpp: what one fact changes.
  void private_fact(std::uint64_t link, Fact& fact, std::int64_t now_ms, Effects& effects);
  void account_fact(Fact& fact, Source source, std::int64_t now_ms, Effects& effects);
  void public_fact(std::uint64_t link, Fact& fact, std::int64_t now_ms, Effects& effects);
  void apply_order(Order order, Source source, std::int64_t now_ms, Effects& effects);
  void apply_fill(Fill fill, std::int64_t now_ms, Effects& effects);
  void book_fill(Fill fill, std::int64_t now_ms, Effects& effects);
  void place_sideless(std::int64_t now_ms, bool all, Effects& effects);
  void apply_position(VenuePosition position, Source source, std::int64_t now_ms, Effects& effects);
  void apply_price(const Price& price, std::int64_t now_ms, Effects& effects);
  void take_price(const Price& price, std::int64_t now_ms, Effects& effects);
  void follow_symbol(const std::string& symbol, std::int64_t now_ms, Effects& effects);

  // engine_trading.cpp: between the trader, the mirror and – in dry_run – the paper exchange.
  static void forget_unfilled(Loaded& loaded);
  void load_trading(Loaded loaded);
  void start_trading(std::int64_t now_ms);
  void trade(std::int64_t now_ms, Effects& effects);
  void note_mode(const std::string& symbol, bool hedge, Effects& effects);
  void on_written(const Writes::Written& written, const Reply& reply, std::int64_t now_ms, Effects& effects);
  void apply_answer_facts(Facts& facts, std::int64_t now_ms, Effects& effects);
  void answer_questions(std::int64_t now_ms);
  void to_paper(std::vector<Action>& actions);
  void ask_paper(std::int64_t now_ms, Effects& effects);
  void paper_facts(Facts& facts, std::int64_t now_ms, Effects& effects);

  // engine_session.cpp: connect, buffer, restore, replay, live.
  void signal(PrivateStream::Signal signal, const std::string& why, std::int64_t now_ms, Effects& effects);
  void begin_restore(const std::string& reason, std::int64_t now_ms, Effects& effects);
  void continue_restore(std::int64_t now_ms, Effects& effects);
  void merge_snapshot(std::int64_t now_ms, Effects& effects);
  void replay(std::int64_t now_ms, Effects& effects);
  void buffer_fact(Fact fact, std::int64_t now_ms, Effects& effects);
  void other_answer(Answer& answer, std::int64_t now_ms, Effects& effects);
  void look_again(std::int64_t now_ms);
  bool on_second_look(Answer& answer, std::int64_t now_ms, Effects& effects);
  void apply_read(VenuePosition position, std::int64_t as_of_ms, std::int64_t now_ms, Effects& effects);
  void resolve_doubts(std::int64_t now_ms, Effects& effects);
  void ask_vanished(std::int64_t now_ms);
  void give_up(Order order, std::int64_t as_of_ms, std::int64_t now_ms, Effects& effects);
  bool on_vanished(const Answer& answer, std::int64_t now_ms, Effects& effects);
  void audit();
  void finish_audit(Answer& answer, std::int64_t now_ms, Effects& effects);
  // An account frame came that could not be read, and no restore has begun since: cursors stay where they are.
  bool has_hole() const { return hole_at_ms_ > restore_started_ms_; }
  void close_hole(std::int64_t now_ms, Effects& effects);
  void note(Effects& effects, std::string event_type, std::string severity, std::string message, std::string symbol = {});
  std::uint64_t ask(RequestKind kind, Requests::Priority priority, const std::string& symbol = {}, std::int64_t since_ms = 0);

  const VenueRules& rules_;
  EngineSettings settings_;
  Random random_;
  VenueClock clock_;
  LinkIds link_ids_;
  Requests requests_;
  PrivateStream private_;
  PublicStreams public_;
  Restore restore_;
  Tickers tickers_;
  Orders orders_;
  Positions positions_;
  MarketView market_;
  Writes writes_;
  Trader trader_;
  Loaded loaded_trading_;                 // until the clock runs
  std::unique_ptr<Paper> paper_;          // dry_run: the venue
  std::vector<Request> paper_requests_;   // asked in this step, answered in the next
  Cursors cursors_;
  std::map<std::string, TradeCursor> trade_cursors_;
  struct SidelessFill { Fill fill; std::int64_t since_ms = 0; };
  std::vector<SidelessFill> sideless_;
  Recent<char> recent_fills_{limits::kRecentFills};
  std::set<std::string> counted_fills_;   // in the sums that the trader has loaded

  SessionState session_ = SessionState::connecting;
  bool started_ = false, stopping_ = false;
  Facts buffer_;
  std::size_t buffer_limit_;
  bool buffer_overflowed_ = false;
  std::int64_t restore_started_ms_ = 0;
  std::string restore_reason_;
  std::int64_t hole_at_ms_ = -1, hole_restore_at_ms_ = 0;
  Backoff hole_pause_{limits::kHoleRestoreFirstMs, limits::kHoleRestoreLastMs};

  std::set<std::string> asked_symbols_;   // wanted by sync_positions()
  std::int64_t prices_due_ms_ = INT64_MAX;

  std::int64_t clock_due_ms_ = 0, instruments_due_ms_ = 0, audit_due_ms_ = INT64_MAX;
  struct DoubtAsked { std::string symbol; bool about_position = false, settles = true; };
  struct Vanished { Order order; std::int64_t ask_at_ms = 0; std::uint64_t request = 0; };
  std::map<std::string, std::int64_t> first_missed_;  // orders without a time of their own
  std::vector<Vanished> vanished_;        // young orders that a snapshot did not list: asked for again before they are given up
  std::map<std::uint64_t, DoubtAsked> doubt_requests_;
  std::int64_t second_look_at_ms_ = INT64_MAX;              // lists lag: what a restore could not see yet
  std::set<std::uint64_t> second_look_;
  struct FillsAgain { std::int64_t at_ms = 0, since_ms = 0; };
  std::map<std::string, FillsAgain> ask_fills_again_;       // lists of executions lag: what they did not explain at first
  std::map<std::string, std::int64_t> ask_position_at_ms_;  // absent in a snapshot, but reported after it was asked for
  std::uint64_t audit_request_ = 0;
  bool audit_suspects_ = false;
  bool cursors_dirty_ = false;
  std::set<std::string> dirty_trade_cursors_;
};

}  // namespace tradesync
