// From which trade id a symbol is read again after a gap, where the venue numbers trades per symbol.
// Events may arrive out of order, and a connection may die between the later and the earlier one: the largest id seen is
// not proof of the smaller ones. So the cursor stays one to two overlaps behind; what is read twice is recognised by its id.
#pragma once
#include <cstdint>
#include <string>

namespace tradesync {

// Trade ids are decimal numbers without leading zeros, of any length.
inline bool smaller_id(const std::string& a, const std::string& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; }

class TradeCursor {
 public:
  // Returns true when from() has changed.
  bool add(const std::string& trade_id, std::int64_t executed_ms, std::int64_t overlap_ms) {
    if (current_.empty() || executed_ms - began_ms_ >= overlap_ms) {
      const bool first = current_.empty();
      if (!first) previous_ = current_;
      current_ = trade_id;
      began_ms_ = executed_ms;
      return first || !previous_.empty();
    }
    if (!smaller_id(trade_id, current_)) return false;
    current_ = trade_id;
    return previous_.empty();
  }
  const std::string& from() const { return previous_.empty() ? current_ : previous_; }

 private:
  std::string previous_, current_;  // smallest ids of the last two spans of overlap_ms
  std::int64_t began_ms_ = 0;
};

}  // namespace tradesync
