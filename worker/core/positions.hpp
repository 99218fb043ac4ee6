// What the venue holds for the account, and whether our fills explain it.
// Every change of a position must be the sum of its fills. While it is not, something is late or lost: the caller waits a
// moment, then asks the venue again. A position that went flat is closed only when its closing fills are here or the venue
// was asked for them; a flip closes the old row at once, because its successor is already open.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/effect.hpp"

namespace tradesync {

class Positions {
 public:
  // Applies one report. true: it is news.
  bool apply(VenuePosition position, Source source, std::int64_t now_ms, Changes& changes);
  // Books a fill towards the next position report. The caller has removed repeats and set position_side.
  void book(const Fill& fill, std::int64_t now_ms, Changes& changes);

  // The version that a row of a REST answer deserves. Where it contradicts a report of the very same moment, or a conclusion of
  // ours, and the fills bear it out, or that moment is long past, it is the later word: of several reports of one moment the
  // wrong one came last, and the list that lacked it lagged behind.
  Version as_read(const VenuePosition& row, std::int64_t as_of_ms) const;
  // Fills and reports of this symbol do not add up.
  bool is_unexplained(const std::string& symbol) const;

  // What the tables held at start: a state row (reported) and/or an open row of positions with that side.
  void load(VenuePosition position, bool reported, bool row_open, const std::string& row_side);

  // After a complete snapshot: what it lists has been applied; everything else that we hold is flat as of `as_of_ms`,
  // unless a later report says otherwise. Returns the symbols for which that was so: ask once more about them.
  std::vector<std::string> absent(const std::vector<VenuePosition>& snapshot, std::int64_t as_of_ms, std::int64_t now_ms,
                                  Changes& changes);
  // May a list as of that moment which lacks it be taken for "flat"? Not while the report of it is so young that lists may lag
  // behind it, unless its fills say so, too.
  bool may_be_flat(const std::string& symbol, PositionSide side, std::int64_t as_of_ms) const;
  // Does a complete list of positions say something about a quantity that the stream should have told us? (audit)
  bool contradicted_by(const std::vector<VenuePosition>& listed, std::int64_t as_of_ms) const;
  // The venue was asked for the fills of this symbol ("" = of all) and answered: what is still unexplained stays so and
  // open closings are settled from what there is. Returns the symbols that were unexplained.
  std::vector<std::string> settle(const std::string& symbol, std::int64_t now_ms, Changes& changes);

  // Rows that have been closed since the last call, for whoever manages them.
  std::vector<Closing> take_closed() { return std::exchange(closed_, {}); }

  enum class Need { none, fills, position };
  struct Doubt {
    std::string symbol;
    Need need = Need::none;
    std::int64_t since_ms = 0;  // venue time of the oldest thing in doubt
  };
  // Positions whose doubt has lasted longer than the grace; each is returned once until it is settled.
  std::vector<Doubt> overdue(std::int64_t now_ms);
  // When overdue() may have something to say; INT64_MAX when never.
  std::int64_t next_deadline() const;

  PositionSide side_of_fill(const Fill& fill) const;  // where the message does not say (Bybit)
  bool knows(const std::string& symbol) const;        // some side of it has been reported
  bool is_open(const std::string& symbol, PositionSide side) const;
  bool is_open(const std::string& symbol) const;      // non-zero or with an open row
  std::vector<std::string> open_symbols() const;
  std::size_t size() const { return held_.size(); }
  const VenuePosition* find(const std::string& symbol, PositionSide side) const;

 private:
  struct WaitingFill {
    std::int64_t sequence, executed_ms;
    Decimal signed_quantity;
  };
  struct Held {
    VenuePosition venue;
    bool reported = false;      // the venue has said something about it, now or before our start
    bool row_open = false;
    std::string row_side;
    Decimal base;               // quantity that all booked fills up to the last explained report add up to
    std::int64_t last_fill_ms = 0;  // venue time: a position that came and went between two reports ended then, not at the first
    Version settled;            // up to here the venue's word was taken for it: fills from before change nothing
    std::vector<WaitingFill> waiting;
    std::int64_t unexplained_since_ms = 0;  // monotonic, 0 = explained
    std::int64_t waiting_since_ms = 0;      // monotonic, 0 = no fill is waiting
    bool asked = false;
  };
  using Key = std::pair<std::string, PositionSide>;

  static bool accepts(const Held& held, const VenuePosition& incoming, Source source);
  static void explain(Held& held, std::int64_t now_ms);
  static std::optional<Decimal> by_fills(const Held& held);
  static bool believable(const Held& held, std::int64_t as_of_ms);
  static bool contained(const WaitingFill& fill, const Version& version);
  static void forget_contained(Held& held, std::int64_t now_ms);
  void follow_row(Held& held, Changes& changes);
  void close_row(Held& held, Changes& changes);

  std::map<Key, Held> held_;
  std::vector<Closing> closed_;
};

}  // namespace tradesync
