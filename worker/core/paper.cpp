#include "core/paper.hpp"

#include <algorithm>
#include <charconv>

#include "core/paper_trade.hpp"

namespace tradesync {
namespace {

// Orders that ended, for whoever asks by id: a look-up follows within seconds, the tables hold everything older.
constexpr std::size_t kFinishedAtMost = 2000;
// Both prices come about once a second; a last price that much older than the mark no longer says where the market is.
constexpr std::int64_t kLastCountsMs = 3000;
constexpr const char* kFirstAsset = "USDT";  // what a new account is asked about before it has traded

// The number in "p17"; 0 for ids that paper has not made.
std::int64_t number_of(const std::string& id) {
  std::int64_t number = 0;
  if (id.size() < 2 || id.front() != 'p') return 0;
  const auto read = std::from_chars(id.data() + 1, id.data() + id.size(), number);
  return read.ec == std::errc() && read.ptr == id.data() + id.size() ? number : 0;
}

}  // namespace

bool is_reached(const Order& order, const Decimal& mark) {
  const bool buys = order.side == Side::buy;
  if (order.kind == OrderKind::regular) return order.price && (buys ? mark <= *order.price : mark >= *order.price);
  if (!order.stop_price) return false;
  if (order.type == "stop_market") return buys ? mark >= *order.stop_price : mark <= *order.stop_price;
  if (order.type == "take_profit_market") return buys ? mark <= *order.stop_price : mark >= *order.stop_price;
  return false;
}

Reply answered(const Request& request, std::int64_t venue_now_ms) {
  Reply reply;
  reply.id = request.id;
  reply.outcome = Outcome::ok;
  reply.http_status = 200;
  reply.venue_time_ms = venue_now_ms;
  return reply;
}

Reply refused(const Request& request, std::int64_t venue_now_ms, Refusal why, std::string message) {
  Reply reply = answered(request, venue_now_ms);
  reply.outcome = Outcome::refused;
  reply.http_status = 400;
  reply.refusal = why;
  reply.message = std::move(message);
  return reply;
}

Paper::Paper(const VenueRules& rules, const TradingSettings& settings) : rules_(rules), settings_(settings) {
  unknown_.settle_asset = kFirstAsset;
  wallets_[kFirstAsset] = settings.paper_balance;
}

void Paper::load(const std::vector<Order>& orders, const std::vector<VenuePosition>& positions,
                 const std::vector<Balance>& balances, std::int64_t next_id) {
  next_id_ = std::max(next_id_, next_id);
  const auto remember = [&](const Version& version) {
    last_order_ = std::max(last_order_, version.order);
    last_time_ = std::max(last_time_, version.time);
  };
  for (const Order& order : orders) {
    next_id_ = std::max(next_id_, number_of(order.order_id) + 1);
    remember(order.version);
    // Without an answer from paper there is no such order here: its sender will be told so.
    const bool accepted = order.status != OrderStatus::submitting && order.status != OrderStatus::unknown;
    if (accepted && !is_terminal(order.status) && !order.order_id.empty()) open_.push_back(order);
  }
  std::stable_sort(open_.begin(), open_.end(),
                   [](const Order& a, const Order& b) { return number_of(a.order_id) < number_of(b.order_id); });
  for (const VenuePosition& position : positions) {
    remember(position.version);
    if (position.leverage && position.leverage->is_positive()) leverages_[position.symbol] = *position.leverage;
    if (position.position_side == PositionSide::both)
      holdings_[position.symbol] = {position.quantity, position.entry_price, position.opened_ms, position.version};
  }
  if (!balances.empty()) wallets_.clear();
  for (const Balance& balance : balances) wallets_[balance.asset] = balance.wallet_balance;
}

void Paper::on_instrument(const Instrument& instrument) { instruments_[instrument.symbol] = instrument; }

Reply Paper::answer(const Request& request, std::int64_t venue_now_ms, Facts& pushed) {
  at(venue_now_ms);
  switch (request.kind) {
    case RequestKind::place_order: return place(request, pushed);
    case RequestKind::cancel_order: return cancel(request, pushed);
    case RequestKind::set_position_stop: return set_position_stop(request, pushed);
    case RequestKind::set_leverage: return set_leverage(request, pushed);
    case RequestKind::positions:
    case RequestKind::position_mode:
    case RequestKind::leverages:
    case RequestKind::balances:
    case RequestKind::open_orders:
    case RequestKind::open_conditional_orders:
    case RequestKind::closed_orders:
    case RequestKind::executions:
    case RequestKind::income_symbols:
    case RequestKind::order:
    case RequestKind::conditional_order: return read(request);
    case RequestKind::server_time:
    case RequestKind::instruments:
    case RequestKind::ticker:
    case RequestKind::tickers:
    case RequestKind::create_listen_key:
    case RequestKind::keep_alive_listen_key: break;
  }
  return refused(request, now_ms_, Refusal::other, "the paper exchange does not answer this question");
}

void Paper::on_price(const Price& price, std::int64_t venue_now_ms, Facts& pushed) {
  at(venue_now_ms);
  Quote& quote = quotes_[price.symbol];
  if (price.mark && price.mark->is_positive()) {
    quote.mark = price.mark;
    quote.mark_ms = now_ms_;
  }
  if (price.last && price.last->is_positive()) {
    quote.last = price.last;
    quote.last_ms = now_ms_;
  }
  const auto mark = mark_of(price.symbol);
  if (!mark) return;
  // One at a time, from the start again: each may resize or remove others. Each leaves the open orders, so this ends.
  for (;;) {
    const auto reached = std::find_if(open_.begin(), open_.end(), [&](const Order& order) {
      return order.symbol == price.symbol && is_reached(order, *mark);
    });
    if (reached == open_.end()) return;
    fire(take(static_cast<std::size_t>(reached - open_.begin())), pushed);
  }
}

// Venue time never runs backwards here, whatever a new measurement of the clock says.
void Paper::at(std::int64_t venue_now_ms) { now_ms_ = std::max(now_ms_, venue_now_ms); }

// Grows strictly, also within one millisecond and across a restart, and stays beside the clock.
Version Paper::next_version() {
  last_order_ = std::max(last_order_ + 1, now_ms_);
  last_time_ = std::max(last_time_ + 1, now_ms_);
  return {last_order_, last_time_};
}

std::string Paper::next_id() { return "p" + std::to_string(next_id_++); }

void Paper::report(Order& order, OrderStatus status, Facts& pushed) {
  order.status = status;
  order.venue_status = text(status);
  order.version = next_version();
  pushed.push_back(order);
}

void Paper::finish(Order& order, OrderStatus status, const std::string& reason, Facts& pushed) {
  order.reject_reason = reason;
  report(order, status, pushed);
  finished_.push_back(order);
  if (finished_.size() > kFinishedAtMost) finished_.pop_front();
}

Order Paper::take(std::size_t at) {
  Order order = std::move(open_[at]);
  open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(at));
  return order;
}

const Instrument& Paper::instrument_of(const std::string& symbol) const {
  // A stop loaded from the tables may fire before the instruments have come; nothing can be placed without them.
  const auto it = instruments_.find(symbol);
  return it == instruments_.end() ? unknown_ : it->second;
}

std::optional<Decimal> Paper::mark_of(const std::string& symbol) const {
  const auto it = quotes_.find(symbol);
  if (it == quotes_.end()) return std::nullopt;
  return it->second.mark ? it->second.mark : it->second.last;
}

// Last price, worse by the slippage, rounded to the tick against us. Where the last price comes by a stream of its own it may
// have stopped while the mark goes on: a stop that fires must not fill at a price of long ago.
std::optional<Decimal> Paper::market_price(const std::string& symbol, Side side) const {
  const auto it = quotes_.find(symbol);
  if (it == quotes_.end()) return std::nullopt;
  const Quote& quote = it->second;
  const exact::Maybe base = quote.last && (!quote.mark || quote.last_ms + kLastCountsMs >= quote.mark_ms) ? quote.last : quote.mark;
  const Decimal whole(10000);
  const auto factor = side == Side::buy ? add(whole, settings_.slippage_bps) : subtract(whole, settings_.slippage_bps);
  exact::Maybe price = exact::over(exact::times(base, factor), whole);
  const Decimal& tick = instrument_of(symbol).tick_size;
  if (price && tick.is_positive()) price = to_step(*price, tick, side == Side::buy ? Rounding::up : Rounding::down);
  return price && price->is_positive() ? price : std::nullopt;
}

}  // namespace tradesync
