// What one step wants done: rows to write (one transaction), then actions. Actions happen after the commit, never before.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/model.hpp"
#include "core/request.hpp"
#include "core/states.hpp"

namespace tradesync {

struct OrderChange {
  Order order;
  Source source = Source::stream;
};
struct PositionChange {
  VenuePosition position;
  Source source = Source::stream;
};
// The open row of this position has ended: settle it from its fills.
struct Closing {
  std::string symbol;
  PositionSide position_side = PositionSide::both;
  std::string side;  // long, short: which one ended
  std::int64_t closed_ms = 0;
  std::string reason;
};
// Positions move through zero, sometimes twice within one turn (closed and opened again, flipped). A stage holds what can
// be written at once: first the closings, then at most one state per position. A second crossing starts the next stage.
// Fills from `first_fill` on (up to the next stage's) are written before the closings of their stage, which settle from
// them; a fill that follows a closing of its symbol belongs to the next position and to the next stage.
struct PositionStage {
  std::size_t first_fill = 0;
  std::vector<Closing> closings;
  std::vector<PositionChange> positions;
};
struct EventRow {
  std::string event_type, severity, symbol, order_id;
  std::string data;  // JSON object text or ""
  std::string message;
  std::int64_t position_id = 0;  // 0 = none
};
// An order of ours as we want it on record: committed before the first byte of it leaves. One row per `id`, last state wins.
struct OwnOrderRow {
  std::int64_t id = 0, position_id = 0;  // orders.id (from the block that Loaded brought); 0 = no position
  Purpose purpose = Purpose::entry;
  OrderTicket ticket;                    // client_order_id of the attempt that counts
  OrderStatus status = OrderStatus::submitting;
  std::string venue_status, reject_reason;
  int attempt = 1;
};
// What the saga says about a row of positions. nullopt and "" = leave as it is.
struct PositionUpdate {
  std::int64_t id = 0;
  std::optional<PositionStatus> status;
  std::optional<PositionSide> position_side;       // before the entry is sent only
  std::optional<Decimal> quantity, entry_price;    // from fills
  std::optional<Decimal> stop_loss_price, take_profit_price;
  std::optional<Decimal> wanted_stop_price, wanted_take_profit;  // what the tables must remember across a crash; 0 = none
  std::optional<bool> has_stop_loss;               // true sets protected_at once
  std::string exit_reason, exchange_order_id;
  std::int64_t opened_ms = 0;                      // venue time of the first fill
  std::int64_t unprotected_since_ms = -1;          // unix ms, 0 = protected, -1 = leave
};
struct CommandResult {
  std::int64_t id = 0;
  std::string status;            // running done failed expired
  std::string error;             // "" unless failed or expired
};
struct PositionMode {
  std::string symbol;            // "" = the whole account
  bool hedge = false;
};
struct Cursor {
  std::string stream, symbol, position;
};
struct SyncRun {
  std::string reason;
  std::int64_t started_ms = 0;   // monotonic; the app turns both into wall time
  std::int64_t finished_ms = 0;  // 0 = still running
  bool complete = false;
  int findings = 0;
  std::string detail;
};
struct DeadLetter {
  std::string kind, symbol, frame, error;
  std::string sqlstate = "22000";  // data exception: what an unreadable frame is
};

// Rows of one turn, written in this order: own orders and position updates before reports, so that an order's row exists
// before the report about it and a closing finds the reason why. Orders and positions keep only their last state per key (and stage); fills and events append.
struct Changes {
  std::vector<OwnOrderRow> own_orders;
  std::vector<PositionUpdate> position_updates;
  std::vector<CommandResult> commands;
  std::vector<PositionMode> position_modes;
  std::vector<OrderChange> orders;
  std::vector<Fill> fills;
  std::vector<PositionStage> stages;
  std::vector<Balance> balances;
  std::vector<Price> prices;
  std::vector<std::string> stale;
  std::vector<Instrument> instruments;
  std::vector<Leverage> leverages;
  std::vector<Funding> fundings;
  std::vector<EventRow> events;
  std::vector<Cursor> cursors;
  std::vector<SyncRun> sync_runs;
  std::vector<DeadLetter> dead_letters;

  void put(OrderChange change);
  void put(Fill fill);
  void put(PositionChange change);
  void put(Closing closing);
  void put(OwnOrderRow row);               // replaces the row of that id
  void put(const PositionUpdate& update);  // merged into the update of that id
  void put(CommandResult result);          // replaces the result of that id
  bool empty() const;
  // Anything besides prices: such a turn is committed durably.
  bool has_account_data() const;
  void clear();

 private:
  void next_stage();
  std::map<std::string, std::size_t, std::less<>> order_at_;
  std::map<std::string, std::size_t, std::less<>> position_at_;  // within the last stage
  std::set<std::string, std::less<>> closing_symbols_;           // within the last stage
};

struct OpenSocket {
  std::uint64_t link = 0;
  bool is_private = false;
  std::string listen_key;
};
struct CloseSocket {
  std::uint64_t link = 0;
};
struct SendCommand {
  enum class What : std::uint8_t { authenticate, subscribe_account, subscribe, unsubscribe, ping };
  std::uint64_t link = 0;
  bool is_private = false;
  What what = What::ping;
  std::string id;
  std::vector<std::string> symbols;
};
struct SendRequest {
  Request request;
};
using Action = std::variant<OpenSocket, CloseSocket, SendCommand, SendRequest>;

struct Effects {
  Changes changes;
  std::vector<Action> actions;
};

}  // namespace tradesync
