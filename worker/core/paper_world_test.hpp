// An engine in dry_run with its paper exchange, a public stream that ticks, and the rows it has committed: enough to see a
// position through its whole life without a venue.
#pragma once
#include <deque>
#include <functional>
#include <map>

#include "core/engine.hpp"
#include "core/test_rules_test.hpp"

namespace tradesync::test {

class PaperWorld {
 public:
  explicit PaperWorld(VenueRules venue) : rules(std::move(venue)) {
    rules.position_stops = rules.login;
    rules.receive_window_ms = 5000;
    start(Loaded{});
  }

  void start(Loaded loaded) {
    loaded.epoch = "abcdefgh";
    for (int i = 0; i < 64; ++i) loaded.order_ids.push_back(++last_id);
    EngineSettings settings;
    settings.private_session = false;
    settings.trading.mode = TradingMode::dry_run;
    settings.trading.unix_offset_ms = 1'700'000'000'000;
    engine = std::make_unique<Engine>(rules, settings, std::move(loaded));
    step(Started{});
    run(50);
  }

  void step(Event event) {
    engine->step(std::move(event), now, effects);
    turn();
  }
  // Lets time pass, serving whatever is due.
  void run(std::int64_t ms) {
    const std::int64_t until = now + ms;
    while (now < until) {
      tick_prices();
      while (!inbox.empty()) {
        Event event = std::move(inbox.front());
        inbox.pop_front();
        step(std::move(event));
      }
      const std::int64_t deadline = engine->next_deadline(now);
      now = std::min(until, std::max(now + 1, std::min(deadline, now + 50)));
      step(Tick{});
    }
  }

  std::int64_t open(const std::string& symbol, bool is_long, std::string_view quantity, std::string_view percent = "4",
                    std::optional<Decimal> max_notional = {}) {
    LoadedTrade row;
    row.id = ++last_position;
    row.symbol = symbol;
    row.is_long = is_long;
    row.wanted_quantity = decimal(quantity);
    row.stop_loss_percent = decimal(percent);
    row.max_notional = max_notional;
    statuses[row.id] = PositionStatus::pending_entry;
    Command command;
    command.id = ++last_command;
    command.position_id = row.id;
    command.symbol = symbol;
    command.valid_until_ms = now + 1'700'000'000'000 + 30000;
    step(CommandsRead{{command}, {row}, {}});
    return row.id;
  }
  std::int64_t command(CommandKind kind, std::int64_t position, std::string_view value = {}) {
    Command command;
    command.id = ++last_command;
    command.kind = kind;
    command.position_id = position;
    if (!value.empty()) (kind == CommandKind::close_position ? command.quantity : command.price) = decimal(value);
    step(CommandsRead{{command}, {}, {}});
    return command.id;
  }

  // Open own orders of a purpose, as committed.
  std::vector<Order> open_orders(Purpose purpose) const {
    std::vector<Order> found;
    for (const auto& [id, order] : orders)
      if (!is_terminal(order.status) && order.purpose == purpose) found.push_back(order);
    return found;
  }
  Decimal quantity(const std::string& symbol) const {
    const auto it = positions.find(symbol);
    return it == positions.end() ? Decimal() : it->second.quantity;
  }

  VenueRules rules;
  std::unique_ptr<Engine> engine;
  Effects effects;
  std::int64_t now = 1000, last_id = 100, last_position = 0, last_command = 0;
  std::map<std::string, std::string> marks{{"AUSDT", "100"}, {"BUSDT", "20"}};
  std::map<std::int64_t, PositionStatus> statuses;
  std::map<std::int64_t, PositionUpdate> rows;               // merged updates
  std::map<std::int64_t, CommandResult> results;
  std::map<std::int64_t, OwnOrderRow> own;
  std::map<std::string, Order> orders;
  std::map<std::string, VenuePosition> positions;
  std::map<std::string, Balance> balances;
  std::vector<Closing> closed;
  std::vector<EventRow> events;

 private:
  void turn() {
    engine->end_turn(now, effects);
    keep(effects.changes);
    effects.changes.clear();
    for (const Action& action : std::exchange(effects.actions, {})) answer(action);
  }

  void keep(const Changes& changes) {
    for (const auto& row : changes.own_orders) own[row.id] = row;
    for (const auto& update : changes.position_updates) {
      if (update.status) statuses[update.id] = *update.status;
      PositionUpdate& row = rows[update.id];
      row.id = update.id;
      Changes merged;
      merged.put(row);
      merged.put(update);
      row = merged.position_updates.front();
    }
    for (const auto& result : changes.commands) results[result.id] = result;
    for (const auto& change : changes.orders) orders[std::string(text(change.order.kind)) + change.order.order_id] = change.order;
    for (const auto& change : position_changes(changes)) positions[change.position.symbol] = change.position;
    for (const auto& balance : changes.balances) balances[balance.asset] = balance;
    for (const auto& closing : closings(changes)) closed.push_back(closing);
    events.insert(events.end(), changes.events.begin(), changes.events.end());
  }

  void answer(const Action& action) {
    if (const auto* open = std::get_if<OpenSocket>(&action)) return inbox.push_back(SocketOpened{link = open->link});
    if (const auto* send = std::get_if<SendCommand>(&action)) {
      facts.push_back({Acknowledged{send->id, true, "", ""}});
      return inbox.push_back(FrameRead{send->link, &facts.back()});
    }
    const auto* request = std::get_if<SendRequest>(&action);
    if (!request) return;
    Reply reply = test::reply(request->request.id, Outcome::ok);
    reply.sent_ms = reply.received_ms = now;
    if (request->request.kind == RequestKind::server_time) reply.venue_time_ms = now + 1'700'000'000'000;
    if (request->request.kind == RequestKind::instruments)
      for (const auto& [symbol, mark] : marks) reply.facts.push_back(instrument(symbol));
    if (request->request.kind == RequestKind::ticker) reply.facts.push_back(price(request->request.symbol));
    inbox.push_back(Answered{std::move(reply)});
  }

  static Instrument instrument(const std::string& symbol) {
    Instrument i;
    i.symbol = symbol;
    i.status = "trading";
    i.contract_type = "perpetual";
    i.base_asset = symbol.substr(0, 1);
    i.quote_asset = i.settle_asset = "USDT";
    i.tick_size = decimal("0.01");
    i.quantity_step = i.min_quantity = decimal("0.001");
    i.max_quantity = i.max_market_quantity = decimal("1000");
    i.min_notional = decimal("5");
    return i;
  }
  Price price(const std::string& symbol) const {
    Price price;
    price.symbol = symbol;
    price.mark = price.last = decimal(marks.at(symbol));
    price.at_ms = now + 1'700'000'000'000;
    return price;
  }
  void tick_prices() {
    if (link == 0) return;
    Facts all;
    for (const auto& [symbol, mark] : marks) all.push_back(price(symbol));
    facts.push_back(std::move(all));
    inbox.push_back(FrameRead{link, &facts.back()});
  }

  std::uint64_t link = 0;
  std::deque<Event> inbox;
  std::deque<Facts> facts;
};

}  // namespace tradesync::test
