// The whole core against a venue in memory, of both kinds: what its tests have in common.
#pragma once
#include <gtest/gtest.h>

#include <set>

#include "core/scripted_venue_test.hpp"

namespace tradesync::test {

inline constexpr std::int64_t kLongMs = 10 * 60000;  // enough for every retry, doubt and audit

class EngineTest : public testing::TestWithParam<bool> {
 protected:
  bool by_key() const { return GetParam(); }
  VenueRules rules() const { return by_key() ? key_rules() : login_rules(); }

  // An account that was synchronised some time before our start.
  static Loaded known_account(std::int64_t ago_ms = 3600000) {
    Loaded loaded;
    loaded.cursors.account_ms = ScriptedVenue::kOffsetMs + 1000 - ago_ms;
    return loaded;
  }
  static void expect_agreement(const ScriptedVenue& venue) {
    EXPECT_TRUE(venue.engine.live());
    const auto written = venue.written_positions();
    for (const auto& [symbol, held] : venue.positions) {
      const auto it = written.find(symbol);
      EXPECT_EQ(it == written.end() ? "0" : it->second.text(), held.quantity.text()) << symbol;
    }
  }
  static void expect_every_fill_once(const ScriptedVenue& venue) {
    std::multiset<std::string> ours, theirs;
    for (const auto& fill : venue.written_fills()) ours.insert(fill.trade_id);
    for (const auto& fill : venue.fills) theirs.insert(fill.trade_id);
    EXPECT_EQ(ours, theirs);
  }
};

}  // namespace tradesync::test
