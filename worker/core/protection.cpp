#include "core/protection.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "core/stop_price.hpp"

namespace tradesync {
namespace {

constexpr std::int64_t kNever = INT64_MAX;

bool is_wanted(const Guard& guard) { return guard.wanted && guard.wanted->is_positive(); }

// Somebody's price was refused for being beyond the mark: the command fails, and nothing more leaves for it.
bool is_given_up(const Guard& guard) { return guard.command != 0 && guard.rejections > 0; }

bool matches(const OwnOrder& order, const Guard& guard, const Decimal& held) {
  return guard.target && order.ticket.stop_price == guard.target && order.ticket.quantity == held;
}

// When the next order of this purpose may leave, for all that the fate of earlier ones says. The proof that one never arrived
// takes longer than a position may be naked, so a stop gets another one beside it – its own row, its own id. Both only
// reduce, and the one too many is taken back when it is found.
std::int64_t next_order_at(const Trade& trade, const Guard& guard, int undecided) {
  if (undecided == 0) return 0;
  const bool naked = guard.purpose == Purpose::stop_loss && !guard.live && trade.naked_since_ms != 0;
  return naked && undecided < limits::kStopsBeside ? trade.naked_since_ms + undecided * limits::kStopBesideMs : kNever;
}

}  // namespace

// Where to put it now. A take profit is never moved: one on the wrong side was refused when it was asked for. A stop that was
// refused is not sent again before there is a price to move it away from, and not moved further than the refusals that count.
bool Protection::aim(Guard& guard, const Trade& trade, const Scene& scene) {
  if (guard.target) return true;
  const bool moves = guard.purpose == Purpose::stop_loss;
  const int refusals = std::min(guard.rejections, limits::kStopRejectionsAtMost);
  if (moves && scene.mark) guard.target = stop_beside_mark(*guard.wanted, *scene.mark, trade.is_long, scene.tick, refusals);
  else if (!moves || guard.rejections == 0) guard.target = guard.wanted;
  return guard.target.has_value();
}

void Protection::count_rejection(Guard& guard, Refusal refusal, const std::string& message, std::int64_t now_ms) {
  guard.error = message;
  if (refusal == Refusal::would_trigger) {
    ++guard.rejections;
    guard.target.reset();  // the price has moved: aim again
    guard.retry_at_ms = now_ms;
  } else {
    guard.retry_at_ms = now_ms + (refusal == Refusal::zero_position ? limits::kResendPauseMs : limits::kLookUpFirstMs);
  }
}

std::int64_t Protection::keep(Trade& trade, Guard& guard, const Scene& scene, Changes& changes) {
  return rules_.position_stops ? keep_by_position(trade, guard, scene) : keep_by_orders(trade, guard, scene, changes);
}

// ------------------------------------------------------------------------------------------------ conditional orders

// Returns how many orders of this purpose are of unknown fate.
int Protection::look_at_orders(Trade& trade, Guard& guard, const Scene& scene) const {
  int undecided = 0;
  guard.live = guard.exact = guard.triggered = false;
  guard.live_price.reset();
  for (OwnOrder* order : own_.of_position(trade.id)) {
    if (order->purpose != guard.purpose) continue;
    // One that was live and is refused now was refused when it fired: the position must be closed another way.
    const bool fired = order->status == OrderStatus::triggered || !order->child_order_id.empty() || order->filled().is_positive() ||
                       (order->status == OrderStatus::rejected && !order->order_id.empty());
    if (fired) guard.triggered = true;
    else if (order->is_undecided()) ++undecided;
    else if (order->is_live()) {
      guard.live |= !(order->ticket.quantity < scene.held);
      guard.exact |= matches(*order, guard, scene.held);
      guard.live_price = order->ticket.stop_price;
    } else if (order->status == OrderStatus::rejected && order->id > guard.seen_rejected) {
      guard.seen_rejected = order->id;
      count_rejection(guard, order->never_accepted ? Refusal::zero_position : order->refusal, order->reject_reason, scene.now_ms);
    }
  }
  return undecided;
}

// One that is as wanted stays, everything else of its purpose goes.
void Protection::cancel_others(const Trade& trade, const Guard& guard, const Scene& scene, Changes& changes) {
  bool kept = false;
  for (OwnOrder* order : own_.of_position(trade.id)) {
    if (order->purpose != guard.purpose || order->is_final()) continue;
    if (!kept && guard.exact && order->is_live() && matches(*order, guard, scene.held)) kept = true;
    else own_.cancel(*order, scene.now_ms, changes);
  }
}

std::int64_t Protection::keep_by_orders(Trade& trade, Guard& guard, const Scene& scene, Changes& changes) {
  // After a restart nobody remembers where it was put: aim first, or the one that is there would be placed once more.
  if (is_wanted(guard)) aim(guard, trade, scene);
  const int undecided = look_at_orders(trade, guard, scene);
  if (guard.triggered || is_given_up(guard)) return kNever;
  const bool replaced = guard.exact || !is_wanted(guard);
  if (replaced) {
    guard.rejections = guard.exact ? 0 : guard.rejections;
    cancel_others(trade, guard, scene, changes);
    return kNever;
  }
  if (const std::int64_t at = next_order_at(trade, guard, undecided); scene.now_ms < at) return at;
  if (scene.now_ms < guard.retry_at_ms) return guard.retry_at_ms;
  if (!own_.can_submit() || !aim(guard, trade, scene)) return scene.now_ms + limits::kResendPauseMs;

  OrderTicket ticket;
  ticket.symbol = trade.symbol;
  ticket.kind = OrderKind::conditional;
  ticket.side = trade.exit_side();
  ticket.position_side = trade.position_side;
  ticket.type = guard.purpose == Purpose::stop_loss ? "stop_market" : "take_profit_market";
  ticket.quantity = scene.held;
  ticket.stop_price = guard.target;
  ticket.reduce_only = true;
  own_.submit(guard.purpose, trade.id, std::move(ticket), scene.now_ms, changes);
  return kNever;
}

// ------------------------------------------------------------------------------------------------ stops of the position

std::int64_t Protection::keep_by_position(Trade& trade, Guard& guard, const Scene& scene) {
  const VenuePosition* venue = positions_.find(trade.symbol, trade.position_side);
  const std::optional<Decimal> none;
  const std::optional<Decimal>& shown = !venue ? none : guard.purpose == Purpose::stop_loss ? venue->stop_loss : venue->take_profit;
  guard.live = shown && shown->is_positive() && !venue->quantity.is_zero();
  guard.live_price = guard.live ? shown : std::nullopt;
  if (guard.write != 0 || is_given_up(guard)) return kNever;
  if (is_wanted(guard) && !aim(guard, trade, scene)) return scene.now_ms + limits::kResendPauseMs;
  const Decimal target = is_wanted(guard) ? *guard.target : Decimal();
  guard.exact = is_wanted(guard) ? guard.live && *shown == target : !guard.live;
  if (guard.exact) {
    guard.rejections = 0;
    guard.ask_at_ms = 0;
    return kNever;
  }
  // Nothing was ever set and nothing is wanted: a take profit that somebody set by hand is theirs.
  if (guard.purpose == Purpose::take_profit && !guard.wanted) return kNever;
  // The venue has said yes; its position shows it a moment later. If not, it is asked, and in the end told again.
  if (guard.told == target && scene.now_ms - guard.told_ms < 4 * limits::kLookUpFirstMs) {
    if (guard.ask_at_ms == 0) guard.ask_at_ms = scene.now_ms + limits::kPositionReportMs;
    return std::max(guard.ask_at_ms, scene.now_ms + 1);
  }
  if (scene.now_ms < guard.retry_at_ms) return guard.retry_at_ms;

  Request request;
  request.kind = RequestKind::set_position_stop;
  request.symbol = request.ticket.symbol = trade.symbol;
  request.ticket.position_side = trade.position_side;
  request.ticket.side = trade.exit_side();
  if (guard.purpose == Purpose::stop_loss) request.ticket.stop_price = target;
  else request.ticket.take_profit = target;
  guard.exact = false;
  guard.write = writes_.send(std::move(request));
  return kNever;
}

bool Protection::on_written(Trade& trade, const Writes::Written& written, const Reply& reply, std::int64_t now_ms) {
  for (Guard* guard : {&trade.stop, &trade.take_profit}) {
    if (guard->write != written.request.id) continue;
    guard->write = 0;
    const auto& price = guard->purpose == Purpose::stop_loss ? written.request.ticket.stop_price : written.request.ticket.take_profit;
    if (reply.outcome == Outcome::ok || (reply.outcome == Outcome::refused && reply.refusal == Refusal::not_modified)) {
      guard->told = price;
      guard->told_ms = now_ms;
      guard->ask_at_ms = 0;
      guard->error.clear();
    } else if (reply.outcome == Outcome::refused || reply.outcome == Outcome::unauthorized) {
      count_rejection(*guard, reply.refusal, reply.message, now_ms);
    } else {
      // Unknown, throttled, clock: saying the same price again is harmless.
      guard->error = reply.message;
      guard->retry_at_ms = now_ms + std::max(reply.retry_after_ms, limits::kResendPauseMs);
    }
    return true;
  }
  return false;
}

}  // namespace tradesync
