// A venue in memory and an engine that talks to it: answers requests from its books, tells its stream what happens, and can
// be made to hesitate, refuse, cut and lose. Time moves only when a test says so. Everything the engine wrote is kept.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/engine.hpp"
#include "core/test_rules_test.hpp"

namespace tradesync::test {

class ScriptedVenue {
 public:
  static constexpr std::int64_t kOffsetMs = 1785000000000;  // venue time minus ours

  explicit ScriptedVenue(VenueRules kind, EngineSettings settings = {}, Loaded loaded = {})
      : rules(std::move(kind)), engine(rules, settings, std::move(loaded)) {}

  VenueRules rules;
  Engine engine;
  std::int64_t now = 1000;
  std::int64_t venue_now() const { return now + kOffsetMs; }

  // ---- the books
  std::map<std::string, VenuePosition> positions;  // flat ones stay with their version
  std::map<std::string, Order> orders;             // by id, finished ones too
  std::vector<Fill> fills;
  std::vector<std::string> instruments{"BTCUSDT", "ETHUSDT", "XRPUSDT"};

  // ---- how it behaves
  std::set<RequestKind> held;                        // answered, but the answer is on its way until release()
  std::map<RequestKind, std::deque<Outcome>> fails;  // what the next answers of this kind will be
  std::set<RequestKind> refused;                     // always a definite no
  std::set<std::string> forgotten;                   // order ids that a question by id does not find
  std::set<std::string> unknown_symbols;             // subscriptions to these are refused by name
  std::size_t page_size = 1000;
  int events_until_cut = -1;  // cut the private stream after that many events

  // ---- what happened
  std::vector<Request> asked;
  std::set<std::uint64_t> private_links, public_links;
  std::vector<Changes> turns;  // one per turn that wrote something

  void start() { step(Started{}); }

  // Lets time pass; the engine takes its turn whenever it asked for one.
  void advance(std::int64_t duration_ms) {
    const std::int64_t end = now + duration_ms;
    int turns_taken = 0;
    while (true) {
      const std::int64_t deadline = engine.next_deadline(now);
      if (deadline > end) break;
      if (++turns_taken > 100000) {
        ADD_FAILURE() << "the engine asks for turns without end";
        break;
      }
      now = std::max(now, deadline);
      step(Tick{});
    }
    now = end;
    step(Tick{});
  }

  // One turn: the event, then everything that follows from it at once.
  void step(Event event) {
    Effects effects;
    feed(std::move(event), effects);
    while (!inbox_.empty()) {
      Event next = std::move(inbox_.front());
      inbox_.pop_front();
      feed(std::move(next), effects);
    }
    engine.end_turn(now, effects);
    if (!effects.changes.empty()) turns.push_back(std::move(effects.changes));
  }

  // What the stream says now, to every private connection or to none when it is down.
  void push(Facts facts) {
    if (private_links.empty()) return;
    step(FrameRead{*private_links.rbegin(), &facts});
  }
  void tick(const std::string& symbol, std::string_view mark) {
    for (auto link : std::set<std::uint64_t>(public_links)) {
      Facts facts{Price{symbol, decimal(mark), {}, venue_now()}};
      step(FrameRead{link, &facts});
    }
  }
  void cut() {
    if (private_links.empty()) return;
    const auto link = *private_links.rbegin();
    private_links.erase(link);
    step(SocketClosed{link, "cut"});
  }
  void release() {
    held.clear();
    for (auto& reply : std::exchange(on_the_way_, {})) inbox_.push_back(Answered{std::move(reply)});
    step(Tick{});
  }
  std::size_t on_the_way() const { return on_the_way_.size(); }

  // A market order that fills at once in `parts` fills. Returns what the stream would say about it.
  Facts trade(const std::string& symbol, int quantity, int parts = 1) {
    ++sequence_;
    ++now;  // no two matches in one millisecond
    Order done = order(symbol, "o" + std::to_string(sequence_), OrderStatus::filled, version());
    done.type = "market";
    done.side = quantity < 0 ? Side::sell : Side::buy;
    done.quantity = done.filled_quantity = decimal(std::to_string(std::abs(quantity)));
    orders[done.order_id] = done;
    Facts told;
    for (int part = 0; part < parts; ++part) {
      const int size = part == parts - 1 ? quantity - (quantity / parts) * (parts - 1) : quantity / parts;
      fills.push_back(fill(symbol, std::to_string(++trade_id_), std::to_string(size), sequence_, venue_now()));
      fills.back().order_id = done.order_id;
      told.push_back(fills.back());
    }
    told.push_back(done);
    VenuePosition& held = positions.try_emplace(symbol, position(symbol, "0", {})).first->second;
    held.quantity = *add(held.quantity, decimal(std::to_string(quantity)));
    held.version = version();
    told.push_back(held);
    return told;
  }
  // A limit order that rests.
  Facts rest(const std::string& symbol, const std::string& id) {
    ++sequence_;
    ++now;
    orders[id] = order(symbol, id, OrderStatus::new_, version());
    return {orders[id]};
  }
  Facts end(const std::string& id, OrderStatus status) {
    ++sequence_;
    ++now;
    orders[id].status = status;
    orders[id].version = version();
    return {orders[id]};
  }
  Version version() const { return {sequence_, venue_now()}; }

  // ---- what was written
  std::vector<Fill> written_fills() const {
    std::vector<Fill> all;
    for (const auto& turn : turns) all.insert(all.end(), turn.fills.begin(), turn.fills.end());
    return all;
  }
  std::map<std::string, Order> written_orders() const {
    std::map<std::string, Order> last;
    for (const auto& turn : turns)
      for (const auto& change : turn.orders) last[change.order.order_id] = change.order;
    return last;
  }
  std::map<std::string, Decimal> written_positions() const {
    std::map<std::string, Decimal> last;
    for (const auto& turn : turns)
      for (const auto& change : position_changes(turn)) last[change.position.symbol] = change.position.quantity;
    return last;
  }
  std::vector<Closing> written_closings() const {
    std::vector<Closing> all;
    for (const auto& turn : turns)
      for (auto& closing : closings(turn)) all.push_back(closing);
    return all;
  }
  std::vector<Cursor> written_cursors() const {
    std::vector<Cursor> all;
    for (const auto& turn : turns) all.insert(all.end(), turn.cursors.begin(), turn.cursors.end());
    return all;
  }
  int events(const std::string& type) const {
    int count = 0;
    for (const auto& turn : turns)
      for (const auto& event : turn.events) count += event.event_type == type;
    return count;
  }
  int complete_syncs() const {
    int count = 0;
    for (const auto& turn : turns)
      for (const auto& run : turn.sync_runs) count += run.complete;
    return count;
  }
  int asked_for(RequestKind kind) const {
    return static_cast<int>(
        std::count_if(asked.begin(), asked.end(), [&](const Request& request) { return request.kind == kind; }));
  }

 private:
  void feed(Event event, Effects& effects) {
    const std::size_t done = effects.actions.size();
    engine.step(std::move(event), now, effects);
    const std::vector<Action> actions(effects.actions.begin() + static_cast<std::ptrdiff_t>(done), effects.actions.end());
    for (const auto& action : actions) std::visit([&](const auto& what) { on(what); }, action);
    if (events_until_cut > 0 && --events_until_cut == 0) cut_later();
  }
  void cut_later() {
    events_until_cut = -1;
    if (private_links.empty()) return;
    const auto link = *private_links.rbegin();
    private_links.erase(link);
    std::erase_if(inbox_, [&](const Event& event) {
      const auto* frame = std::get_if<FrameRead>(&event);
      const auto* opened = std::get_if<SocketOpened>(&event);
      return (frame && frame->link == link) || (opened && opened->link == link);
    });
    inbox_.push_back(SocketClosed{link, "cut"});
  }
  void say(std::uint64_t link, Fact fact) {
    said_.push_back(Facts{std::move(fact)});
    inbox_.push_back(FrameRead{link, &said_.back()});
  }

  void on(const OpenSocket& open) {
    (open.is_private ? private_links : public_links).insert(open.link);
    EXPECT_TRUE(!open.is_private || !rules.listen_key || open.listen_key == "key");
    inbox_.push_back(SocketOpened{open.link});
  }
  void on(const CloseSocket& close) {
    private_links.erase(close.link);
    public_links.erase(close.link);
  }
  void on(const SendCommand& command) {
    switch (command.what) {
      case SendCommand::What::authenticate: return say(command.link, Authenticated{true, ""});
      case SendCommand::What::subscribe_account: return say(command.link, Acknowledged{command.id, true, "", ""});
      case SendCommand::What::subscribe: {
        std::string culprit;
        for (const auto& symbol : command.symbols)
          if (unknown_symbols.contains(symbol)) culprit = symbol;
        return say(command.link, Acknowledged{command.id, culprit.empty(), culprit.empty() ? "" : "no such symbol", culprit});
      }
      case SendCommand::What::unsubscribe: return say(command.link, Acknowledged{command.id, true, "", ""});
      case SendCommand::What::ping: return say(command.link, Pong{});
    }
  }
  void on(const SendRequest& send) {
    asked.push_back(send.request);
    Reply reply = reply_to(send.request);
    reply.sent_ms = reply.received_ms = now;
    if (held.contains(send.request.kind)) on_the_way_.push_back(std::move(reply));
    else inbox_.push_back(Answered{std::move(reply)});
  }

  Reply reply_to(const Request& request) {
    Reply answer = reply(request.id, refused.contains(request.kind) ? Outcome::refused : Outcome::ok);
    if (auto& planned = fails[request.kind]; !planned.empty()) {
      answer.outcome = planned.front();
      planned.pop_front();
    }
    if (answer.outcome != Outcome::ok) {
      answer.message = "not now";
      return answer;
    }
    fill_in(request, answer);
    // Pages.
    const std::size_t first = request.cursor.empty() ? 0 : std::stoul(request.cursor);
    const std::size_t last = std::min(first + page_size, answer.facts.size());
    if (last < answer.facts.size()) answer.next_cursor = std::to_string(last);
    answer.facts = Facts(answer.facts.begin() + static_cast<std::ptrdiff_t>(first),
                         answer.facts.begin() + static_cast<std::ptrdiff_t>(last));
    return answer;
  }

  void fill_in(const Request& request, Reply& answer) {
    Facts& facts = answer.facts;
    const auto within = [&](std::int64_t at_ms) {
      return at_ms >= request.since_ms && (request.until_ms == 0 || at_ms < request.until_ms);
    };
    switch (request.kind) {
      case RequestKind::server_time: answer.venue_time_ms = venue_now(); return;
      case RequestKind::create_listen_key:
      case RequestKind::keep_alive_listen_key: answer.listen_key = "key"; return;
      case RequestKind::instruments:
        for (const auto& symbol : instruments) {
          Instrument instrument;
          instrument.symbol = symbol;
          facts.push_back(instrument);
        }
        return;
      case RequestKind::positions:
        for (const auto& [symbol, held] : positions)
          if (request.symbol.empty() ? !held.quantity.is_zero()
                                     : request.symbol == symbol && (lists_flat() || !held.quantity.is_zero()))
            facts.push_back(held);
        return;
      case RequestKind::balances: facts.push_back(Balance{"USDT", decimal("1000"), {}, {}, venue_now()}); return;
      case RequestKind::open_orders:
      case RequestKind::open_conditional_orders:
        for (const auto& [id, order] : orders) {
          const bool here = !rules.conditional_orders_apart ||
                            (order.kind == OrderKind::conditional) == (request.kind == RequestKind::open_conditional_orders);
          if (here && !is_terminal(order.status)) facts.push_back(order);
        }
        return;
      case RequestKind::closed_orders:
        for (const auto& [id, order] : orders)
          if (is_terminal(order.status) && within(order.version.time)) facts.push_back(order);
        return;
      case RequestKind::executions:
        for (const auto& fill : fills) {
          const bool late_enough =
              request.from_id.empty() ? within(fill.executed_ms) : std::stoll(fill.trade_id) >= std::stoll(request.from_id);
          if (late_enough && (request.symbol.empty() || request.symbol == fill.symbol)) facts.push_back(fill);
        }
        return;
      case RequestKind::income_symbols:
        for (const auto& fill : fills)
          if (within(fill.executed_ms)) facts.push_back(Notice{"income", "INFO", fill.symbol, ""});
        return;
      case RequestKind::order:
      case RequestKind::conditional_order: {
        const auto it = orders.find(request.order_id);
        if (it == orders.end() || forgotten.contains(request.order_id)) answer.outcome = Outcome::not_found;
        else facts.push_back(it->second);
        return;
      }
      case RequestKind::tickers:
        for (const auto& symbol : instruments) facts.push_back(Ticker{symbol, decimal("90071992547409.93"), decimal("0.00000001")});
        return;
      case RequestKind::leverages:
      case RequestKind::position_mode:
      case RequestKind::ticker:
      case RequestKind::place_order:  // this venue is only read; trading is tried against the paper exchange
      case RequestKind::cancel_order:
      case RequestKind::set_position_stop:
      case RequestKind::set_leverage: return;
    }
  }
  // Asked for one symbol, the venue without listen keys lists its flat row, the other one nothing.
  bool lists_flat() const { return !rules.listen_key; }

  std::deque<Event> inbox_;
  std::deque<Facts> said_;  // frames must stay where they are until they are read
  std::vector<Reply> on_the_way_;
  std::int64_t sequence_ = 0, trade_id_ = 0;
};

}  // namespace tradesync::test
