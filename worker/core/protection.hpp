// Keeps the stop and the take profit of one position where they are wanted, in either of the two ways that venues know:
// conditional orders (place the new one, see it confirmed, cancel the old one) or stops that belong to the position (say the
// price until the position shows it). Level-triggered: look at what is, compare with what is wanted, do the next thing.
#pragma once
#include "core/own_orders.hpp"
#include "core/positions.hpp"
#include "core/trade.hpp"

namespace tradesync {

class Protection {
 public:
  Protection(const VenueRules& rules, OwnOrders& own, Writes& writes, const Positions& positions)
      : rules_(rules), own_(own), writes_(writes), positions_(positions) {}

  struct Scene {
    Decimal held;                      // size to cover
    std::optional<Decimal> mark;
    Decimal tick;
    std::int64_t now_ms = 0;
  };
  // Looks, and does the next thing. Returns when to look again (INT64_MAX: when something is reported).
  std::int64_t keep(Trade& trade, Guard& guard, const Scene& scene, Changes& changes);
  // true: it was the answer to a set_position_stop of ours; `trade` is to be looked at.
  bool on_written(Trade& trade, const Writes::Written& written, const Reply& reply, std::int64_t now_ms);
  // The venue must be asked about the position: it has confirmed a stop that the position does not show.
  static bool wants_question(const Guard& guard, std::int64_t now_ms) { return guard.ask_at_ms != 0 && now_ms >= guard.ask_at_ms; }

 private:
  int look_at_orders(Trade& trade, Guard& guard, const Scene& scene) const;
  void cancel_others(const Trade& trade, const Guard& guard, const Scene& scene, Changes& changes);
  std::int64_t keep_by_orders(Trade& trade, Guard& guard, const Scene& scene, Changes& changes);
  std::int64_t keep_by_position(Trade& trade, Guard& guard, const Scene& scene);
  static bool aim(Guard& guard, const Trade& trade, const Scene& scene);
  static void count_rejection(Guard& guard, Refusal refusal, const std::string& message, std::int64_t now_ms);

  const VenueRules& rules_;
  OwnOrders& own_;
  Writes& writes_;
  const Positions& positions_;
};

}  // namespace tradesync
