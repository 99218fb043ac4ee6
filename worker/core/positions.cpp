#include "core/positions.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/limits.hpp"

namespace tradesync {
namespace {

constexpr std::int64_t kNever = INT64_MAX;

std::string_view direction(const Decimal& quantity) {
  if (quantity.is_positive()) return "long";
  return quantity.is_negative() ? "short" : "";
}

void keep_if_unsaid(std::optional<Decimal>& now, const std::optional<Decimal>& before) {
  if (!now) now = before;
}

void learn_unsaid(VenuePosition& now, const VenuePosition& other) {
  keep_if_unsaid(now.leverage, other.leverage);
  keep_if_unsaid(now.liquidation_price, other.liquidation_price);
  keep_if_unsaid(now.stop_loss, other.stop_loss);
  keep_if_unsaid(now.take_profit, other.take_profit);
}

// Mark price and unrealized PnL move all the time and follow the price stream; they are no news by themselves.
bool same_position(const VenuePosition& a, const VenuePosition& b) {
  return a.quantity == b.quantity && a.entry_price == b.entry_price && a.leverage == b.leverage &&
         a.liquidation_price == b.liquidation_price && a.stop_loss == b.stop_loss && a.take_profit == b.take_profit;
}

}  // namespace

bool Positions::accepts(const Held& held, const VenuePosition& incoming, Source source) {
  if (!held.reported) return true;
  if (incoming.version.newer_than(held.venue.version)) return true;
  if (held.venue.version.newer_than(incoming.version)) return false;
  return source == Source::stream;
}

bool Positions::apply(VenuePosition position, Source source, std::int64_t now_ms, Changes& changes) {
  const Key key{position.symbol, position.position_side};
  auto it = held_.find(key);
  if (it == held_.end()) {
    // Flat and never heard of: hedge mode repeats a zero "both" row with every event.
    if (position.quantity.is_zero()) return false;
    it = held_.emplace(key, Held{}).first;
    it->second.venue.symbol = position.symbol;
    it->second.venue.position_side = position.position_side;
  }
  Held& held = it->second;
  if (!accepts(held, position, source)) {
    // The same report once more may say what ours left out: the tables keep neither the stop nor the take profit.
    if (position.version == held.venue.version) learn_unsaid(held.venue, position);
    return false;
  }
  learn_unsaid(position, held.venue);
  if (position.opened_ms == 0 && direction(position.quantity) == direction(held.venue.quantity)) position.opened_ms = held.venue.opened_ms;

  const bool news = !held.reported || !same_position(held.venue, position);
  held.venue = std::move(position);
  held.reported = true;
  explain(held, now_ms);
  if (!news) return false;
  follow_row(held, changes);
  changes.put(PositionChange{held.venue, source});
  if (held.venue.quantity.is_zero() && held.row_open && held.unexplained_since_ms == 0) close_row(held, changes);
  return true;
}

// Keeps our idea of the open row in step with what the SQL side does with the same report.
void Positions::follow_row(Held& held, Changes& changes) {
  const std::string_view now = direction(held.venue.quantity);
  if (held.row_open && !now.empty() && now != held.row_side) close_row(held, changes);
  if (!held.row_open && !now.empty()) {
    held.row_open = true;
    held.row_side = now;
  }
}

void Positions::close_row(Held& held, Changes& changes) {
  const std::int64_t closed_ms = std::max(held.venue.version.time, held.last_fill_ms);
  Closing closing{held.venue.symbol, held.venue.position_side, held.row_side, closed_ms, "closed_on_exchange"};
  closed_.push_back(closing);
  changes.put(std::move(closing));
  held.row_open = false;
  held.row_side.clear();
}

bool Positions::contained(const WaitingFill& fill, const Version& version) {
  return version.order > 0 && fill.sequence > 0 ? fill.sequence <= version.order : fill.executed_ms <= version.time;
}

void Positions::forget_contained(Held& held, std::int64_t now_ms) {
  std::erase_if(held.waiting, [&](const WaitingFill& fill) { return contained(fill, held.venue.version); });
  held.waiting_since_ms = held.waiting.empty() ? 0 : now_ms;
}

void Positions::explain(Held& held, std::int64_t now_ms) {
  if (!held.reported) return;
  std::optional<Decimal> sum = held.base;
  // A position that moved and came back is where it was, but its fills are still to come.
  bool told = held.unexplained_since_ms == 0;
  for (const auto& fill : held.waiting) {
    if (!sum || !contained(fill, held.venue.version)) continue;
    sum = add(*sum, fill.signed_quantity);
    told = true;
  }
  if (told && sum && *sum == held.venue.quantity) {
    held.base = held.venue.quantity;
    held.unexplained_since_ms = 0;
    held.asked = false;
    forget_contained(held, now_ms);
  } else if (held.unexplained_since_ms == 0) {
    held.unexplained_since_ms = now_ms;
  }
}

void Positions::book(const Fill& fill, std::int64_t now_ms, Changes& changes) {
  const Key key{fill.symbol, fill.position_side.value_or(PositionSide::both)};
  Held& held = held_[key];
  if (held.venue.symbol.empty()) {
    held.venue.symbol = key.first;
    held.venue.position_side = key.second;
  }
  held.last_fill_ms = std::max(held.last_fill_ms, fill.executed_ms);
  const WaitingFill waiting{fill.sequence, fill.executed_ms, fill.side == Side::buy ? fill.quantity : -fill.quantity};
  // What the venue was asked about is settled: its quantity contains this fill already.
  if (held.reported && contained(waiting, held.settled)) return;
  if (held.waiting.size() >= limits::kWaitingFills) held.waiting.erase(held.waiting.begin());
  held.waiting.push_back(waiting);
  if (held.waiting_since_ms == 0) held.waiting_since_ms = now_ms;
  // A report that seemed explained may have been so by chance, two missing fills cancelling out: it is looked at again.
  if (!held.reported || !contained(waiting, held.venue.version)) return;
  explain(held, now_ms);
  if (held.unexplained_since_ms == 0 && held.venue.quantity.is_zero() && held.row_open) close_row(held, changes);
}

void Positions::load(VenuePosition position, bool reported, bool row_open, const std::string& row_side) {
  Held held;
  held.reported = reported;
  held.row_open = row_open;
  held.row_side = row_side;
  held.base = position.quantity;
  held.settled = position.version;
  const Key key{position.symbol, position.position_side};
  held.venue = std::move(position);
  held_.insert_or_assign(key, std::move(held));
}

std::vector<std::string> Positions::absent(const std::vector<VenuePosition>& snapshot, std::int64_t as_of_ms,
                                           std::int64_t now_ms, Changes& changes) {
  std::set<Key> listed;
  for (const auto& position : snapshot) listed.insert({position.symbol, position.position_side});
  std::vector<std::string> ask_again;
  std::vector<VenuePosition> flat;
  for (const auto& [key, held] : held_) {
    if (!held.reported || held.venue.quantity.is_zero() || listed.contains(key)) continue;
    VenuePosition gone;
    gone.symbol = key.first;
    gone.position_side = key.second;
    gone.leverage = held.venue.leverage;
    gone.version = Version{0, as_of_ms};
    if (gone.version.newer_than(held.venue.version) && believable(held, as_of_ms)) flat.push_back(gone);
    else ask_again.push_back(key.first);
  }
  for (auto& position : flat) apply(std::move(position), Source::rest, now_ms, changes);
  return ask_again;
}

// Venues read behind what they report: a list that lacks what has only just been reported proves nothing by itself.
bool Positions::believable(const Held& held, std::int64_t as_of_ms) {
  if (as_of_ms - held.venue.version.time >= limits::kReadLagMs) return true;
  if (held.venue.quantity.is_zero()) return true;
  // Fills from before the report say nothing about what came after it.
  const Version& reported = held.venue.version;
  const bool moved_since = std::any_of(held.waiting.begin(), held.waiting.end(), [&](const WaitingFill& fill) {
    return reported.order > 0 && fill.sequence > 0 ? fill.sequence >= reported.order : fill.executed_ms >= reported.time;
  });
  if (!moved_since) return false;
  const auto sum = by_fills(held);
  return sum && sum->is_zero();
}

std::optional<Decimal> Positions::by_fills(const Held& held) {
  std::optional<Decimal> sum = held.base;
  for (const auto& fill : held.waiting) sum = sum ? add(*sum, fill.signed_quantity) : sum;
  return sum;
}

Version Positions::as_read(const VenuePosition& row, std::int64_t as_of_ms) const {
  const auto it = held_.find({row.symbol, row.position_side});
  if (it == held_.end() || !it->second.reported) {
    // Nothing that we remember; the tables may remember that it was flat, as of a list that lacked it.
    const bool says_when = row.version.order > 0 && !row.quantity.is_zero();
    return says_when ? Version{row.version.order, std::max(row.version.time, as_of_ms)} : row.version;
  }
  const Held& held = it->second;
  const bool same_moment = row.version.order > 0 && row.version.order == held.venue.version.order;
  const bool concluded = held.venue.version.order == 0 && held.venue.quantity.is_zero();  // flat, because a list lacked it
  if (!(same_moment || concluded) || row.quantity == held.venue.quantity || row.version.newer_than(held.venue.version)) return row.version;
  const bool borne_out = held.unexplained_since_ms != 0 && by_fills(held) == row.quantity;
  const bool long_past = as_of_ms - held.venue.version.time >= limits::kReadLagMs;
  return borne_out || long_past ? Version{row.version.order, held.venue.version.time + 1} : row.version;
}

bool Positions::is_unexplained(const std::string& symbol) const {
  return std::any_of(held_.begin(), held_.end(), [&](const auto& entry) {
    return entry.first.first == symbol && entry.second.reported && entry.second.unexplained_since_ms != 0;
  });
}

bool Positions::may_be_flat(const std::string& symbol, PositionSide side, std::int64_t as_of_ms) const {
  const auto it = held_.find({symbol, side});
  return it == held_.end() || it->second.venue.quantity.is_zero() || believable(it->second, as_of_ms);
}

bool Positions::contradicted_by(const std::vector<VenuePosition>& listed, std::int64_t as_of_ms) const {
  std::set<Key> seen;
  for (const auto& position : listed) {
    const Key key{position.symbol, position.position_side};
    seen.insert(key);
    const auto it = held_.find(key);
    if (it == held_.end()) return !position.quantity.is_zero();
    const bool newer = as_read(position, as_of_ms).newer_than(it->second.venue.version);
    if (newer && position.quantity != it->second.venue.quantity) return true;
  }
  return std::any_of(held_.begin(), held_.end(), [&](const auto& entry) {
    const Held& held = entry.second;
    return held.reported && !held.venue.quantity.is_zero() && !seen.contains(entry.first) && as_of_ms > held.venue.version.time;
  });
}

std::vector<std::string> Positions::settle(const std::string& symbol, std::int64_t now_ms, Changes& changes) {
  std::vector<std::string> unexplained;
  for (auto& [key, held] : held_) {
    if (!symbol.empty() && key.first != symbol) continue;
    const bool was_asked = std::exchange(held.asked, false);
    if (!held.reported) {
      // The venue was asked and names no such position: its fills (of a side it was not, say) would wait for ever.
      if (was_asked) {
        held.waiting.clear();
        held.waiting_since_ms = 0;
      }
      continue;
    }
    explain(held, now_ms);
    if (held.unexplained_since_ms != 0) unexplained.push_back(key.first);
    held.unexplained_since_ms = 0;
    held.base = held.venue.quantity;
    held.settled = held.venue.version;
    forget_contained(held, now_ms);
    if (held.venue.quantity.is_zero() && held.row_open) close_row(held, changes);
  }
  return unexplained;
}

std::vector<Positions::Doubt> Positions::overdue(std::int64_t now_ms) {
  std::vector<Doubt> doubts;
  for (auto& [key, held] : held_) {
    if (held.asked) continue;
    if (held.unexplained_since_ms != 0 && now_ms - held.unexplained_since_ms >= limits::kFillGraceMs) {
      held.asked = true;
      doubts.push_back({key.first, Need::fills, held.venue.version.time});
    } else if (held.unexplained_since_ms == 0 && held.waiting_since_ms != 0 &&
               now_ms - held.waiting_since_ms >= limits::kPositionGraceMs) {
      held.asked = true;
      doubts.push_back({key.first, Need::position, held.waiting.front().executed_ms});
    }
  }
  return doubts;
}

std::int64_t Positions::next_deadline() const {
  std::int64_t deadline = kNever;
  for (const auto& [key, held] : held_) {
    if (held.asked) continue;
    if (held.unexplained_since_ms != 0) deadline = std::min(deadline, held.unexplained_since_ms + limits::kFillGraceMs);
    else if (held.waiting_since_ms != 0) deadline = std::min(deadline, held.waiting_since_ms + limits::kPositionGraceMs);
  }
  return deadline;
}

// In hedge mode a fill belongs to the slot that it opens or closes; closed_quantity tells which of the two it did.
PositionSide Positions::side_of_fill(const Fill& fill) const {
  if (fill.position_side) return *fill.position_side;
  const bool one_way = held_.contains({fill.symbol, PositionSide::both});
  const bool hedge = held_.contains({fill.symbol, PositionSide::long_}) || held_.contains({fill.symbol, PositionSide::short_});
  if (one_way || !hedge) return PositionSide::both;
  const bool closes = fill.closed_quantity && fill.closed_quantity->is_positive();
  return (fill.side == Side::buy) != closes ? PositionSide::long_ : PositionSide::short_;
}

bool Positions::knows(const std::string& symbol) const {
  const auto it = held_.lower_bound({symbol, PositionSide::both});
  return it != held_.end() && it->first.first == symbol;
}

bool Positions::is_open(const std::string& symbol, PositionSide side) const {
  const auto it = held_.find({symbol, side});
  return it != held_.end() && (!it->second.venue.quantity.is_zero() || it->second.row_open);
}

bool Positions::is_open(const std::string& symbol) const {
  for (auto it = held_.lower_bound({symbol, PositionSide::both}); it != held_.end() && it->first.first == symbol; ++it)
    if (!it->second.venue.quantity.is_zero() || it->second.row_open) return true;
  return false;
}

std::vector<std::string> Positions::open_symbols() const {
  std::vector<std::string> symbols;
  for (const auto& [key, held] : held_)
    if ((!held.venue.quantity.is_zero() || held.row_open) && (symbols.empty() || symbols.back() != key.first)) symbols.push_back(key.first);
  return symbols;
}

const VenuePosition* Positions::find(const std::string& symbol, PositionSide side) const {
  const auto it = held_.find({symbol, side});
  return it == held_.end() ? nullptr : &it->second.venue;
}

}  // namespace tradesync
