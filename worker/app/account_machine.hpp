// One account without its surroundings: gathered bytes → decode → step → commit → send. It has no clock, no socket and no
// file: time comes in as now_ms (monotonic), bytes through on_*(), everything leaves through Wire and the wall. The worker
// runs it on real sockets, the deterministic simulation on a virtual clock.
// One turn: any number of on_*(), read_commands(), step(); then finish_turn() once. After `again` or `broken` the machine
// is thrown away and built anew from the tables.
#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "app/load.hpp"
#include "app/ports.hpp"
#include "app/store.hpp"
#include "core/engine.hpp"
#include "exchanges/exchange.hpp"

namespace tradesync {

class AccountMachine {
 public:
  // exchange and wire outlive the machine; the credentials are borrowed until set_credentials() replaces them.
  // settings.trading.unix_offset_ms (unix ms − now_ms) is also what turns our own times into rows.
  AccountMachine(std::int32_t account_id, const Exchange& exchange, Endpoints endpoints, Credentials credentials,
                 const EngineSettings& settings, Loaded loaded, Wire& wire);
  AccountMachine(const AccountMachine&) = delete;
  AccountMachine& operator=(const AccountMachine&) = delete;

  void set_credentials(Credentials credentials) { credentials_ = credentials; }
  // The account's mode says that it trades, but it must not: commands are answered with this sentence instead of waiting.
  void refuse_commands(std::string why) { refuse_why_ = std::move(why); }

  // ---- gather
  void start(std::int64_t now_ms) { step(Started{}, now_ms); }
  void on_opened(std::uint64_t link, std::int64_t now_ms) { step(SocketOpened{link}, now_ms); }
  void on_closed(std::uint64_t link, const std::string& why, std::int64_t now_ms);
  // One whole message, followed by kMessagePadding readable bytes; borrowed for the call.
  void on_text(std::uint64_t link, std::string_view message, bool binary, std::int64_t now_ms);
  // response.body as above. sent_ms 0 = no byte of the request left.
  void on_http(std::uint64_t id, const HttpResponse& response, std::int64_t sent_ms, std::int64_t received_ms, std::int64_t now_ms);
  // Asks the tables for commands and hands over what is new. One query when there is nothing. observe: does nothing.
  // account_changed: the caller follows the change, then asks again.
  LoadResult read_commands(const std::string& account_version, std::int64_t now_ms, std::string& error);
  // Everything else that happens: AccountChanged, SyncAsked, VerifyAsked, Tick.
  void step(Event event, std::int64_t now_ms) { engine_.step(std::move(event), now_ms, effects_); }

  // ---- decide, commit, send
  enum class TurnEnd {
    sent,    // saved (or waiting for somebody's lock), and what follows from it has left
    again,   // the tables do not hold what would have to be committed before something leaves: load again
    broken,  // could not be saved, error says why; load again. Nothing has left whose row is not committed
  };
  TurnEnd finish_turn(std::int64_t now_ms, std::string& error);
  // Monotonic time of the next turn that is due without any input; INT64_MAX when nothing is timed.
  std::int64_t next_deadline(std::int64_t now_ms);

  // Goodbye on every socket, at once and without a commit. Nothing is opened any more; no further turn is needed.
  void stop(std::int64_t now_ms);
  bool has_links() const { return !link_is_private_.empty(); }

  Engine& engine() { return engine_; }
  const Engine& engine() const { return engine_; }
  const Store& store() const { return store_; }
  std::int64_t frames() const { return frames_; }
  bool trades() const { return trading_.mode != TradingMode::observe; }

 private:
  bool needs_order_ids(std::int64_t now_ms) const;
  void reserve_ids(std::int64_t now_ms);
  void refuse(const Command& command);
  TurnEnd commit(const Changes& changes, std::int64_t now_ms, std::string& error);
  void send_orders(std::int64_t now_ms);
  void send(const Action& action, std::int64_t now_ms);

  std::int32_t account_id_;
  const Exchange& exchange_;
  Endpoints endpoints_;
  Credentials credentials_;
  TradingSettings trading_;
  Wire& wire_;

  std::set<std::int64_t> known_commands_;           // handed over, and not final in the tables yet
  std::string refuse_why_;
  std::int64_t ids_retry_at_ms_ = 0;

  Engine engine_;
  Effects effects_;
  Decoded decoded_;
  std::map<std::uint64_t, Request> requests_;       // under way
  std::map<std::uint64_t, bool> link_is_private_;   // open or opening sockets
  Store store_;
  std::int64_t frames_ = 0;
};

}  // namespace tradesync
