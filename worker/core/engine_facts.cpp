// What one fact changes. Buffered until the snapshot is merged, applied at once when live.
#include <algorithm>

#include "core/engine.hpp"

namespace tradesync {
namespace {

bool about_account(const Fact& fact) {
  return std::holds_alternative<Order>(fact) || std::holds_alternative<Fill>(fact) || std::holds_alternative<VenuePosition>(fact) ||
         std::holds_alternative<Balance>(fact) || std::holds_alternative<Funding>(fact) || std::holds_alternative<Leverage>(fact);
}

}  // namespace

void Engine::private_fact(std::uint64_t link, Fact& fact, std::int64_t now_ms, Effects& effects) {
  if (about_account(fact)) {
    if (live() || session_ == SessionState::replaying) account_fact(fact, Source::stream, now_ms, effects);
    else buffer_fact(std::move(fact), now_ms, effects);
    return;
  }
  if (const auto* login = std::get_if<Authenticated>(&fact)) {
    if (!login->ok) clock_.forget();  // a clock that moved refuses a login, too: measure before the next one
    return signal(private_.on_authenticated(link, login->ok, login->message, now_ms, effects), login->message, now_ms, effects);
  }
  if (const auto* ack = std::get_if<Acknowledged>(&fact))
    return signal(private_.on_acknowledged(link, ack->ok, ack->message, now_ms, effects), ack->message, now_ms, effects);
  if (std::holds_alternative<ListenKeyExpired>(fact)) {
    note(effects, "websocket_error", "WARNING", "listen key expired; the account is restored on a new connection");
    return private_.doubt_listen_key(now_ms);
  }
  if (auto* notice = std::get_if<Notice>(&fact))
    note(effects, std::move(notice->event_type), std::move(notice->severity), std::move(notice->message), std::move(notice->symbol));
}

void Engine::account_fact(Fact& fact, Source source, std::int64_t now_ms, Effects& effects) {
  if (auto* order = std::get_if<Order>(&fact)) return apply_order(std::move(*order), source, now_ms, effects);
  if (auto* fill = std::get_if<Fill>(&fact)) return apply_fill(std::move(*fill), now_ms, effects);
  if (auto* position = std::get_if<VenuePosition>(&fact)) return apply_position(std::move(*position), source, now_ms, effects);
  if (auto* balance = std::get_if<Balance>(&fact)) effects.changes.balances.push_back(std::move(*balance));
  else if (auto* funding = std::get_if<Funding>(&fact)) effects.changes.fundings.push_back(std::move(*funding));
  else if (auto* leverage = std::get_if<Leverage>(&fact)) {
    market_.leverages[leverage->symbol] = leverage->leverage;
    effects.changes.leverages.push_back(std::move(*leverage));
  } else if (const auto* price = std::get_if<Price>(&fact)) {
    take_price(*price, now_ms, effects);  // the answer to a question about it
  }
}

void Engine::apply_order(Order order, Source source, std::int64_t now_ms, Effects& effects) {
  const std::string symbol = order.symbol;
  const bool was_open = orders_.open_count(symbol) > 0;
  trader_.on_order(order, now_ms);
  if (!orders_.apply(std::move(order), source, effects.changes)) return;
  if (was_open != (orders_.open_count(symbol) > 0)) follow_symbol(symbol, now_ms, effects);
  place_sideless(now_ms, false, effects);
}

void Engine::apply_fill(Fill fill, std::int64_t now_ms, Effects& effects) {
  if (!recent_fills_.put(fill.symbol + "|" + fill.trade_id, 1)) return;
  if (!fill.position_side) fill.position_side = orders_.side_of(fill.symbol, fill.order_id);
  if (!fill.position_side && positions_.knows(fill.symbol)) fill.position_side = positions_.side_of_fill(fill);
  if (fill.position_side || sideless_.size() >= limits::kWaitingFills) return book_fill(std::move(fill), now_ms, effects);
  sideless_.push_back({std::move(fill), now_ms});
}

// Fills of a symbol of which nothing is known yet and that do not say their side of a hedge: the order or the position that
// follows within milliseconds does. all: nothing more will be said.
void Engine::place_sideless(std::int64_t now_ms, bool all, Effects& effects) {
  if (sideless_.empty()) return;
  std::vector<SidelessFill> waiting;
  waiting.swap(sideless_);
  for (SidelessFill& each : waiting) {
    Fill& fill = each.fill;
    fill.position_side = orders_.side_of(fill.symbol, fill.order_id);
    const bool known = positions_.knows(fill.symbol);
    if (!fill.position_side && (known || all || now_ms - each.since_ms >= limits::kSidelessMs)) fill.position_side = positions_.side_of_fill(fill);
    if (fill.position_side) book_fill(std::move(fill), now_ms, effects);
    else sideless_.push_back(std::move(each));
  }
}

void Engine::book_fill(Fill fill, std::int64_t now_ms, Effects& effects) {
  const std::string symbol = fill.symbol;
  const bool was_open = positions_.is_open(symbol);
  effects.changes.put(fill);  // before the closing that it may bring about
  if (!counted_fills_.contains(symbol + "|" + fill.trade_id)) trader_.on_fill(fill);
  positions_.book(fill, now_ms, effects.changes);
  if (was_open && !positions_.is_open(symbol)) follow_symbol(symbol, now_ms, effects);
  if (!has_hole() && fill.executed_ms > cursors_.account_ms) {
    cursors_.account_ms = fill.executed_ms;
    cursors_dirty_ = true;
  }
  if (!has_hole() && rules_.executions_per_symbol) {
    TradeCursor& cursor = trade_cursors_[fill.symbol];
    if (cursor.add(fill.trade_id, fill.executed_ms, rules_.execution_overlap_ms)) {
      cursors_.read_from[fill.symbol] = cursor.from();
      dirty_trade_cursors_.insert(fill.symbol);
      cursors_dirty_ = true;
    }
  }
}

void Engine::apply_position(VenuePosition position, Source source, std::int64_t now_ms, Effects& effects) {
  const std::string symbol = position.symbol;
  const bool was_open = positions_.is_open(symbol);
  if (position.leverage) market_.leverages[symbol] = *position.leverage;
  trader_.on_position(position, source, now_ms);
  positions_.apply(std::move(position), source, now_ms, effects.changes);
  place_sideless(now_ms, false, effects);
  if (was_open != positions_.is_open(symbol)) follow_symbol(symbol, now_ms, effects);
}

void Engine::public_fact(std::uint64_t link, Fact& fact, std::int64_t now_ms, Effects& effects) {
  if (const auto* price = std::get_if<Price>(&fact)) apply_price(*price, now_ms, effects);
  else if (const auto* ack = std::get_if<Acknowledged>(&fact))
    public_.on_acknowledged(link, ack->command_id, ack->ok, ack->message, ack->failed_symbol, now_ms);
}

void Engine::apply_price(const Price& price, std::int64_t now_ms, Effects& effects) {
  if (!public_.wants(price.symbol)) return;
  public_.on_price(price.symbol, now_ms);
  take_price(price, now_ms, effects);
}

void Engine::take_price(const Price& price, std::int64_t now_ms, Effects& effects) {
  MarketView::LivePrice& live = market_.prices[price.symbol];
  const bool first = live.price.symbol.empty();
  live.price.symbol = price.symbol;
  live.price.at_ms = std::max(live.price.at_ms, price.at_ms);
  if (price.mark) {
    live.price.mark = price.mark;
    live.seen_ms = now_ms;
  }
  if (price.last) live.price.last = price.last;
  live.dirty = true;
  // The first price of a symbol is somebody waiting; later ones are conflated.
  const std::int64_t due = now_ms + (first ? 0 : settings_.price_interval_ms);
  prices_due_ms_ = std::min(prices_due_ms_, due);
  trader_.on_market(price.symbol);
  if (!paper_ || !clock_.known()) return;  // a fill has a time, and so far nobody knows it
  Facts pushed;
  paper_->on_price(price, clock_.venue_now(now_ms), pushed);
  paper_facts(pushed, now_ms, effects);
}

// Subscriptions follow positions, resting orders and explicit wishes.
void Engine::follow_symbol(const std::string& symbol, std::int64_t now_ms, Effects& effects) {
  const bool wanted = positions_.is_open(symbol) || orders_.open_count(symbol) > 0 || asked_symbols_.contains(symbol) || trader_.wants(symbol);
  if (!wanted) {
    public_.unwant(symbol, effects);
    market_.prices.erase(symbol);
  } else if (market_.instruments_known && market_.instruments.contains(symbol)) {
    public_.want(symbol, now_ms);
  }
}

}  // namespace tradesync
