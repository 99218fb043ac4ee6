// The orders that we send. Each has a row before it leaves; each leaves once per attempt; and as long as nobody has told
// what became of it, it is looked for by its client id – never sent again on a guess (DESIGN §1.3).
//
//   submitted ──▶ answered ok ─────────▶ new, and on as its reports say
//             ──▶ certainly not taken ─▶ next attempt under a new client id (throttled, clock, no byte left)
//             ──▶ refused ─────────────▶ rejected, with the venue's reason
//             ──▶ no answer to trust ──▶ unknown ──▶ found, or proven never accepted
#pragma once
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/client_id.hpp"
#include "core/command.hpp"
#include "core/orders.hpp"
#include "core/requests.hpp"
#include "core/writes.hpp"

namespace tradesync {

struct OwnOrder {
  std::int64_t id = 0, position_id = 0;
  Purpose purpose = Purpose::entry;
  int attempt = 1;
  OrderTicket ticket;
  std::string order_id, child_order_id, venue_status, reject_reason;
  OrderStatus status = OrderStatus::submitting;
  Refusal refusal = Refusal::other;
  Decimal filled_quantity;                  // as reports of the order (and of its child) say
  std::optional<Decimal> average_price;
  Decimal traded_quantity, traded_value;    // as its fills say
  std::int64_t first_fill_ms = 0;           // venue time
  std::int64_t ended_ms = 0;                // monotonic, when its status became final
  bool never_accepted = false, child_ended = false, answered = false;

  bool is_final() const { return is_terminal(status); }
  // At the venue, as far as anybody has said.
  bool is_live() const { return status == OrderStatus::new_ || status == OrderStatus::partially_filled; }
  bool is_undecided() const { return status == OrderStatus::submitting || status == OrderStatus::unknown; }
  // The larger of what its reports and what its fills say.
  const Decimal& filled() const { return filled_quantity < traded_quantity ? traded_quantity : filled_quantity; }
  // Average of its fills, once they are all here; nullopt before.
  std::optional<Decimal> price_from_fills() const;

 private:
  friend class OwnOrders;
  std::uint64_t write = 0, cancel_write = 0, look_up = 0;
  std::int64_t sent_ms = 0;                 // monotonic: no byte of the current attempt left later than this
  std::int64_t sent_from_venue_ms = 0;      // venue time: none left earlier than this
  std::int64_t look_up_at_ms = INT64_MAX, look_up_pause_ms = 0, resend_at_ms = INT64_MAX;
  std::int64_t cancel_at_ms = INT64_MAX;    // when to ask for cancellation (again)
  bool cancel_wanted = false;
  int late_negatives = 0;                   // "no such order", asked after the receive window had passed
  // The proof that it was never accepted: rounds of questions to every source.
  int proof_rounds = 0;
  std::int64_t proof_at_ms = INT64_MAX;
  std::set<std::uint64_t> proof_waiting;
  bool proof_spoiled = false;
};

class OwnOrders {
 public:
  OwnOrders(const VenueRules& rules, const VenueClock& clock, Requests& requests, Writes& writes, Orders& mirror);

  void load(std::string epoch, const std::vector<std::int64_t>& ids, const std::vector<LoadedOwnOrder>& orders, std::int64_t now_ms);
  void add_ids(const std::vector<std::int64_t>& ids) { ids_.insert(ids_.end(), ids.begin(), ids.end()); }
  std::size_t ids_left() const { return ids_.size(); }
  bool can_submit() const { return !epoch_.empty() && !ids_.empty(); }

  // Puts the row on record and the order on its way; it leaves after the commit of this turn. Needs can_submit().
  OwnOrder& submit(Purpose purpose, std::int64_t position_id, OrderTicket ticket, std::int64_t now_ms, Changes& changes);
  // A further attempt of an order that certainly does not exist at the venue.
  void submit_again(OwnOrder& order, std::int64_t now_ms, Changes& changes);
  // Asks until it is gone. An order that has not left is taken back.
  void cancel(OwnOrder& order, std::int64_t now_ms, Changes& changes);
  void forget(std::int64_t id);

  // true: it was an answer to one of our writes or look-ups. The caller applies the facts to the mirror, too.
  bool on_written(const Writes::Written& written, const Reply& reply, std::int64_t now_ms, Changes& changes);
  bool on_answer(const Answer& answer, bool live, std::int64_t now_ms, Changes& changes);
  // A report of any order: gives it our purpose and position, and takes over what it says when it is ours.
  void on_order(Order& order, std::int64_t now_ms);
  void on_fill(const Fill& fill);

  void step(bool live, std::int64_t now_ms, Changes& changes);
  std::int64_t next_deadline() const { return orders_.empty() ? INT64_MAX : wake_at_ms_; }
  void wake() { wake_at_ms_ = 0; }  // the session has become live

  // Positions whose orders have changed since the last call.
  std::set<std::int64_t> take_touched() { return std::exchange(touched_, {}); }

  OwnOrder* find(std::int64_t id);
  std::vector<OwnOrder*> of_position(std::int64_t position_id);
  OwnOrder* by_client_id(std::string_view client_order_id);

 private:
  OwnOrder* match(const Order& order, bool& is_child);
  void put_row(const OwnOrder& order, Changes& changes) const;
  void touch(const OwnOrder& order);
  void send(OwnOrder& order, std::int64_t now_ms);
  void become_unknown(OwnOrder& order, std::int64_t now_ms, Changes& changes);
  void end(OwnOrder& order, OrderStatus status, std::string venue_status, std::string reason, std::int64_t now_ms, Changes& changes);
  void look_up_later(OwnOrder& order, std::int64_t now_ms);
  void look_up(OwnOrder& order, std::int64_t now_ms);
  void on_placed(OwnOrder& order, const Reply& reply, std::int64_t now_ms, Changes& changes);
  void on_canceled(OwnOrder& order, const Reply& reply, std::int64_t now_ms);
  std::int64_t earliest(bool live) const;
  static RequestKind look_up_kind(const VenueRules& rules, OrderKind kind);

  // own_orders_proof.cpp
  void ask_for_proof(OwnOrder& order, std::int64_t now_ms);
  void on_proof(OwnOrder& order, const Answer& answer, bool live, std::int64_t now_ms, Changes& changes);
  bool may_belong_to(const OwnOrder& order, const Fill& fill);
  void restart_proof(OwnOrder& order, std::int64_t now_ms);

  const VenueRules& rules_;
  const VenueClock& clock_;
  Requests& requests_;
  Writes& writes_;
  Orders& mirror_;
  std::string epoch_;
  std::vector<std::int64_t> ids_;               // reserved row numbers, used from the front
  std::map<std::int64_t, OwnOrder> orders_;
  std::map<std::string, std::int64_t, std::less<>> by_order_id_;   // symbol|kind|order id -> own row
  std::map<std::uint64_t, std::int64_t> asked_;                    // write, look-up or proof request -> own row
  std::set<std::int64_t> touched_;
  std::int64_t wake_at_ms_ = 0;   // nothing to do in step() before
};

}  // namespace tradesync
