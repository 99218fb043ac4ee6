// Is this position what we believe it is? Three sources, order status first in rank, each always asked, and each row says
// what it saw (DESIGN §6). Used while an entry is being confirmed and by verify_position().
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/own_orders.hpp"
#include "core/positions.hpp"

namespace tradesync {

struct VerifyRow {
  std::string source;              // order_status, stream, rest_position
  bool checked = false;            // it answered
  bool confirmed = false;          // and holds a position on this side
  std::optional<Decimal> quantity;
  std::string detail;              // JSON object
  std::int64_t took_ms = 0;
};

class Verification {
 public:
  struct Subject {
    std::string symbol;
    PositionSide side = PositionSide::both;
    std::optional<bool> is_long;   // nullopt: either direction counts
    std::int64_t position_id = 0;
    std::int64_t entry_order = 0;  // row of our entry order, 0 = none
  };
  Verification(const VenueRules& rules, Requests& requests, OwnOrders& own, const Positions& positions)
      : rules_(rules), requests_(requests), own_(own), positions_(positions) {}

  // keep_trying: a source that sees nothing yet is asked again, 0.5 s × 1.5, five times (venues read behind what they write).
  void begin(std::uint64_t id, Subject subject, bool keep_trying, std::int64_t now_ms);
  // What the stream said last about a position.
  void on_stream(const VenuePosition& position, std::int64_t now_ms);
  bool on_answer(const Answer& answer, std::int64_t now_ms);
  void step(bool stream_is_up, std::int64_t now_ms);
  std::int64_t next_deadline() const;

  bool done(std::uint64_t id) const;
  std::vector<std::uint64_t> done_ids() const;
  std::vector<VerifyRow> take(std::uint64_t id);

 private:
  struct Check {
    Subject subject;
    bool keep_trying = false, finished = false;
    std::int64_t begun_ms = 0;
    struct Source {
      VerifyRow row;
      std::uint64_t request = 0;
      int tries = 0;
      std::int64_t ask_at_ms = 0, pause_ms = 0;
      bool settled = false;
    };
    Source order_status, stream, rest_position;
  };
  void ask(Check& check, Check::Source& source, bool about_order, std::int64_t now_ms);
  void read_order(Check& check, const Answer& answer);
  void read_position(Check& check, const Answer& answer);
  void read_stream(Check& check, bool stream_is_up, std::int64_t now_ms);
  void settle(Check& check, Check::Source& source, std::int64_t now_ms);

  const VenueRules& rules_;
  Requests& requests_;
  OwnOrders& own_;
  const Positions& positions_;
  struct Seen { Decimal quantity; std::int64_t at_ms = 0; };
  std::map<std::pair<std::string, PositionSide>, Seen> stream_seen_;
  std::map<std::uint64_t, Check> checks_;
};

}  // namespace tradesync
