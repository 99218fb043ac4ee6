#include "core/trader.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "core/states.hpp"

namespace tradesync {
namespace {

constexpr std::int64_t kNever = INT64_MAX;
constexpr std::uint64_t kSagaCheck = 1ull << 61;  // ids of the saga's own verifications, apart from the questions'

std::string json_rows(const std::vector<VerifyRow>& rows) {
  std::string out = "{";
  for (const VerifyRow& row : rows) {
    if (out.size() > 1) out += ", ";
    out += "\"" + row.source + "\": {\"checked\": " + (row.checked ? "true" : "false") + ", \"confirmed\": " + (row.confirmed ? "true" : "false") +
           ", \"quantity\": " + (row.quantity ? row.quantity->text() : "null") + ", \"took_ms\": " + std::to_string(row.took_ms) +
           ", \"detail\": " + (row.detail.empty() ? "{}" : row.detail) + "}";
  }
  return out + "}";
}

std::optional<Decimal> add_signed(const Decimal& net, const Fill& fill) {
  return fill.side == Side::buy ? tradesync::add(net, fill.quantity) : subtract(net, fill.quantity);
}

}  // namespace

Trader::Trader(const VenueRules& rules, const TradingSettings& settings, const VenueClock& clock, Requests& requests, Writes& writes,
               const MarketView& market, Orders& orders, const Positions& positions)
    : rules_(rules), settings_(settings), clock_(clock), requests_(requests), writes_(writes), market_(market), orders_(orders),
      positions_(positions), own_(rules, clock, requests, writes, orders), protection_(rules, own_, writes, positions),
      verification_(rules, requests, own_, positions), not_opening_(settings.not_opening) {}

// ------------------------------------------------------------------------------------------------ from the rows

void Trader::load(const std::vector<LoadedTrade>& trades, std::string epoch, const std::vector<std::int64_t>& ids,
                  const std::vector<LoadedOwnOrder>& orders, const std::vector<Command>& commands, std::int64_t now_ms) {
  own_.load(std::move(epoch), ids, orders, now_ms);
  for (const LoadedTrade& row : trades) add(row, now_ms);
  loaded_commands_ = commands;
}

Trade& Trader::add(const LoadedTrade& row, std::int64_t now_ms) {
  Trade trade;
  trade.id = row.id;
  trade.symbol = row.symbol;
  trade.position_side = row.position_side;
  trade.is_long = row.is_long;
  trade.status = row.status;
  trade.wanted_quantity = row.wanted_quantity;
  trade.wanted_notional = row.wanted_notional;
  trade.leverage = row.leverage;
  trade.max_notional = row.max_notional;
  trade.stop_loss_percent = row.stop_loss_percent;
  trade.entry_price = row.entry_price;
  trade.stop.before = trade.stop.wanted = row.wanted_stop_price;
  trade.stop_is_own = row.wanted_stop_price && row.wanted_stop_price->is_positive();
  trade.take_profit.before = trade.take_profit.wanted = row.wanted_take_profit;
  const bool filled = row.status != PositionStatus::pending_entry && row.status != PositionStatus::entry_placed;
  if (filled) {
    trade.entered = row.quantity;
    trade.first_proof_ms = now_ms;
  }
  if (row.unprotected_since_ms > 0) trade.naked_since_ms = std::max<std::int64_t>(row.unprotected_since_ms - settings_.unix_offset_ms, 1);
  trade.close_wanted = row.status == PositionStatus::closing;
  trade.roll_back = row.exit_reason == "not_protected";
  for (OwnOrder* order : own_.of_position(row.id)) {
    if (order->purpose == Purpose::entry) trade.entry = order->id;
    if (order->purpose == Purpose::close && !order->is_final()) trade.close_order = order->id;
    const Decimal traded = order->ticket.side == Side::buy ? order->traded_quantity : -order->traded_quantity;
    trade.net = tradesync::add(trade.net, traded).value_or(trade.net);
  }
  // The entry's row was committed, the position's was not: somebody held it. It must not be sent a second time.
  if (trade.status == PositionStatus::pending_entry && trade.entry != 0) move_to(trade.status, PositionStatus::entry_placed);
  trade.over = !row.row_is_open;
  trade.over_ms = now_ms;
  trade.due_ms = now_ms;
  Trade& kept = trades_.insert_or_assign(trade.id, std::move(trade)).first->second;
  if (!kept.over) by_key_[{kept.symbol, kept.position_side}] = kept.id;
  followed_.push_back(kept.symbol);
  look_again(kept, now_ms);
  return kept;
}

Trade* Trader::find(std::int64_t id) {
  const auto it = trades_.find(id);
  return it == trades_.end() ? nullptr : &it->second;
}

Trade* Trader::find(const std::string& symbol, PositionSide side) {
  const auto it = by_key_.find({symbol, side});
  return it == by_key_.end() ? nullptr : find(it->second);
}

bool Trader::wants(const std::string& symbol) const {
  const auto it = by_key_.lower_bound({symbol, PositionSide::both});
  return it != by_key_.end() && it->first.first == symbol;
}

void Trader::on_account(const std::string& not_opening) {
  not_opening_ = not_opening;
  for (const auto& [id, trade] : trades_)
    if (trade.status == PositionStatus::pending_entry) dirty_.insert(id);
}

// ------------------------------------------------------------------------------------------------ from the venue

void Trader::on_written(const Writes::Written& written, const Reply& reply, std::int64_t now_ms, Effects& effects) {
  if (own_.on_written(written, reply, now_ms, effects.changes)) return;
  for (auto& [id, trade] : trades_) {
    const int rejections = trade.stop.rejections;
    if (protection_.on_written(trade, written, reply, now_ms)) {
      if (trade.stop.rejections > rejections) note(effects, trade, "stop_loss_error", "WARNING", trade.stop.error);
      return void(dirty_.insert(id));
    }
    if (trade.leverage_write != written.request.id) continue;
    trade.leverage_write = 0;
    trade.leverage_done = reply.outcome == Outcome::ok;
    if (!trade.leverage_done) trade.retry_at_ms = now_ms + std::max(reply.retry_after_ms, limits::kResendPauseMs);
    dirty_.insert(id);
    const bool never = reply.outcome == Outcome::refused || reply.outcome == Outcome::unauthorized;
    if (never) fail(trade, "leverage_refused", "the exchange refused leverage " + written.request.leverage.text() + ": " + reply.message, now_ms, effects);
    return;
  }
  on_plain(written.request.id, reply, now_ms, effects);
}

bool Trader::on_answer(const Answer& answer, bool live, std::int64_t now_ms, Effects& effects) {
  if (own_.on_answer(answer, live, now_ms, effects.changes)) return true;
  if (verification_.on_answer(answer, now_ms)) return true;
  const auto read = reads_.find(answer.request.id);
  if (read == reads_.end()) return false;
  on_market(read->second);  // the caller notes what the answer says before the next look
  asked_modes_.erase(read->second);
  asked_prices_.erase(read->second);
  reads_.erase(read);
  return true;
}

void Trader::on_order(Order& order, std::int64_t now_ms) {
  own_.on_order(order, now_ms);
  Trade* trade = find(order.symbol, order.position_side);
  if (!trade) return;
  dirty_.insert(trade->id);
  // Stops that belong to a position come without a client id: they are of whoever manages the position.
  const bool system_stop = rules_.position_stops && order.purpose == Purpose::external && order.client_order_id.empty() &&
                           order.kind == OrderKind::conditional && order.reduce_only && trade->has_position();
  if (!system_stop) return;
  order.purpose = order.type.starts_with("take_profit") ? Purpose::take_profit : Purpose::stop_loss;
  order.position_id = trade->id;
  if (order.status == OrderStatus::triggered && order.purpose == Purpose::stop_loss) trade->stop.triggered = true;
}

void Trader::on_fill(const Fill& fill) {
  own_.on_fill(fill);
  Trade* trade = find(fill.symbol, fill.position_side.value_or(PositionSide::both));
  if (!trade || trade->status == PositionStatus::pending_entry) return;
  dirty_.insert(trade->id);
  trade->last_fill_ms = std::max(trade->last_fill_ms, fill.executed_ms);
  if (const auto net = add_signed(trade->net, fill)) trade->net = *net;
}

void Trader::on_position(const VenuePosition& position, Source source, std::int64_t now_ms) {
  if (source == Source::stream) verification_.on_stream(position, now_ms);
  if (const Trade* trade = find(position.symbol, position.position_side)) dirty_.insert(trade->id);
}

void Trader::on_market(const std::string& symbol) {
  if (asked_prices_.empty() && asked_modes_.empty()) return;  // nobody waits
  for (const auto& [id, trade] : trades_)
    if (trade.symbol == symbol && (trade.status == PositionStatus::pending_entry || trade.status == PositionStatus::entry_placed)) dirty_.insert(id);
}

// What the venue says we hold on the trade's own side.
std::optional<Decimal> Trader::venue_holds(const Trade& trade) const {
  const VenuePosition* venue = positions_.find(trade.symbol, trade.position_side);
  if (!venue || venue->quantity.is_zero() || venue->quantity.is_positive() != trade.is_long) return std::nullopt;
  return venue->quantity.absolute();
}

// Signed. What orders of ours say to be filled and whose fills are still to come counts, too.
Decimal Trader::net_by_fills(const Trade& trade) {
  Decimal net = trade.net;
  for (const OwnOrder* order : own_.of_position(trade.id)) {
    const auto missing = subtract(order->filled(), order->traded_quantity);
    if (!missing || !missing->is_positive()) continue;
    net = (order->ticket.side == Side::buy ? tradesync::add(net, *missing) : subtract(net, *missing)).value_or(net);
  }
  return net;
}

// The size to look after. The venue's word, unless fills say that it is behind.
Decimal Trader::held(const Trade& trade) {
  const auto venue = venue_holds(trade);
  const VenuePosition* report = positions_.find(trade.symbol, trade.position_side);
  if (venue && report->version.time >= trade.last_fill_ms) return *venue;
  const Decimal net = net_by_fills(trade);
  const Decimal by_fills = net.is_positive() == trade.is_long ? net.absolute() : Decimal();
  return venue && by_fills < *venue ? *venue : by_fills;
}

// ------------------------------------------------------------------------------------------------ who is looked at when

void Trader::look_again(Trade& trade, std::int64_t at_ms) {
  trade.due_ms = std::min(trade.due_ms, at_ms);
  earliest_ms_ = std::min(earliest_ms_, at_ms);
}

void Trader::step(bool live, std::int64_t now_ms, Effects& effects) {
  if (!trades()) return;
  if (live && !was_live_) {
    own_.wake();
    for (const auto& [id, trade] : trades_) dirty_.insert(id);
  }
  was_live_ = live;
  for (const Command& command : std::exchange(loaded_commands_, {})) begin(command, now_ms, effects);
  own_.step(live, now_ms, effects.changes);
  verification_.step(live, now_ms);
  report_evidence(effects);
  if (!plain_.empty()) advance_plain(now_ms, effects);
  // One look leads to the next: a proven fill wants a stop at once. What goes on beyond a few rounds waits for the next step.
  for (int round = 0; round < 4; ++round) {
    dirty_.merge(own_.take_touched());
    if (dirty_.empty() && now_ms < earliest_ms_) break;
    look_at_trades(live, now_ms, effects);
  }
  writes_.pump(now_ms, effects.actions);
}

void Trader::look_at_trades(bool live, std::int64_t now_ms, Effects& effects) {
  const std::set<std::int64_t> looking = std::exchange(dirty_, {});
  for (auto& [id, trade] : trades_) {
    if (now_ms < trade.due_ms && !looking.contains(id)) continue;
    trade.due_ms = kNever;
    advance(trade, live, now_ms, effects);
  }
  std::erase_if(trades_, [](const auto& entry) { return entry.second.over && entry.second.over_ms == 0; });
  earliest_ms_ = kNever;
  for (const auto& [id, trade] : trades_) earliest_ms_ = std::min(earliest_ms_, trade.due_ms);
}

std::int64_t Trader::next_deadline() const {
  if (!trades()) return kNever;
  std::int64_t deadline = std::min({earliest_ms_, own_.next_deadline(), verification_.next_deadline()});
  for (const auto& [id, plain] : plain_)
    if (plain.write == 0) deadline = std::min(deadline, plain.send_at_ms);
  return dirty_.empty() ? deadline : 0;
}

void Trader::advance(Trade& trade, bool live, std::int64_t now_ms, Effects& effects) {
  if (trade.over) return clean_up(trade, now_ms, effects);
  switch (trade.status) {
    case PositionStatus::pending_entry: return advance_pending_entry(trade, live, now_ms, effects);
    case PositionStatus::entry_placed: return advance_entry_placed(trade, now_ms, effects);
    case PositionStatus::pending_sl:
    case PositionStatus::active: return advance_guarded(trade, now_ms, effects);
    case PositionStatus::closing: return advance_closing(trade, now_ms, effects);
    case PositionStatus::closed:
    case PositionStatus::failed:
    case PositionStatus::rolled_back:
    case PositionStatus::canceled: return end(trade, now_ms);
  }
}

void Trader::change(Trade& trade, PositionStatus to, Effects& effects) {
  if (!move_to(trade.status, to)) return;
  PositionUpdate update;
  update.id = trade.id;
  update.status = to;
  effects.changes.put(update);
}

void Trader::note(Effects& effects, const Trade& trade, std::string event_type, std::string severity, std::string message, std::string data) {
  effects.changes.events.push_back({std::move(event_type), std::move(severity), trade.symbol, {}, std::move(data), std::move(message), trade.id});
}

// Not more often than the venue can have something new to say.
void Trader::ask_about(Trade& trade, std::int64_t now_ms) {
  if (trade.asked_ms != 0 && now_ms - trade.asked_ms < limits::kLookUpFirstMs) return;
  trade.asked_ms = now_ms;
  questions_.push_back(trade.symbol);
}

// ------------------------------------------------------------------------------------------------ verification

void Trader::verify(std::uint64_t id, const std::string& symbol, PositionSide side, std::int64_t position_id, std::int64_t now_ms) {
  Verification::Subject subject{symbol, side, std::nullopt, position_id, 0};
  if (const Trade* trade = find(position_id)) {
    subject.is_long = trade->is_long;
    subject.entry_order = trade->entry;
  }
  verification_.begin(id, std::move(subject), false, now_ms);
}

void Trader::report_evidence(Effects& effects) {
  for (const std::uint64_t id : verification_.done_ids()) {
    if (id < kSagaCheck) continue;
    const auto position_id = static_cast<std::int64_t>(id - kSagaCheck);
    const auto rows = verification_.take(id);
    const auto confirmed = std::count_if(rows.begin(), rows.end(), [](const VerifyRow& row) { return row.confirmed; });
    Trade* trade = find(position_id);
    if (!trade) continue;
    note(effects, *trade, "position_verified", confirmed > 0 ? "INFO" : "WARNING",
         std::to_string(confirmed) + " of " + std::to_string(rows.size()) + " sources confirm the position", json_rows(rows));
  }
}

}  // namespace tradesync
