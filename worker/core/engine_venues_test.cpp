// What the engine does for one kind of venue only: logins and sideless fills here, listen keys and trades per symbol there.
#include "core/engine.hpp"

#include <gtest/gtest.h>

#include "core/scripted_venue_test.hpp"

namespace tradesync {
namespace {

using namespace test;

// ---------------------------------------------------------------- the kind with a login: executions do not say their side

class HedgedFill : public testing::Test {
 protected:
  HedgedFill() : venue(login_rules()) {
    venue.start();
    told = venue.trade("BTCUSDT", 2);
    std::get<Fill>(told[0]).position_side = venue.fills[0].position_side = std::nullopt;
    std::get<Order>(told[1]).position_side = PositionSide::long_;
    std::get<VenuePosition>(told[2]).position_side = venue.positions.at("BTCUSDT").position_side = PositionSide::long_;
  }
  void expect_long() {
    venue.advance(20000);
    ASSERT_EQ(venue.written_fills().size(), 1u);
    EXPECT_EQ(venue.written_fills()[0].position_side, PositionSide::long_);
    EXPECT_EQ(venue.events("quantity_mismatch_detected"), 0);
  }
  ScriptedVenue venue;
  Facts told;
};

TEST_F(HedgedFill, first_fill_of_a_symbol_takes_the_side_of_its_finished_order) {
  venue.push({told[1], told[0], told[2]});
  expect_long();
}

TEST_F(HedgedFill, first_fill_of_a_symbol_that_precedes_its_order_gets_its_side_in_the_end) {
  venue.push(told);
  expect_long();
}

// ---------------------------------------------------------------- the kind with listen keys

TEST(EngineWithListenKey, only_touched_symbols_are_asked_for_executions) {
  Loaded loaded;
  loaded.cursors.account_ms = ScriptedVenue::kOffsetMs;
  for (const char* symbol : {"BTCUSDT", "ETHUSDT"})
    loaded.positions.push_back({position(symbol, "3", {0, loaded.cursors.account_ms}), true, true, "long"});
  ScriptedVenue venue(key_rules(), {}, loaded);
  for (const auto& held : loaded.positions) venue.positions.emplace(held.position.symbol, held.position);
  venue.trade("ETHUSDT", 1);
  venue.start();
  std::set<std::string> symbols;
  for (const auto& request : venue.asked)
    if (request.kind == RequestKind::executions) symbols.insert(request.symbol);
  EXPECT_EQ(symbols, std::set<std::string>{"ETHUSDT"});
  EXPECT_EQ(venue.written_fills().size(), 1u);
}

TEST(EngineWithListenKey, refused_list_of_closed_orders_leaves_it_to_the_income_which_symbols_traded) {
  Loaded loaded;
  loaded.cursors.account_ms = ScriptedVenue::kOffsetMs;
  ScriptedVenue venue(key_rules(), {}, loaded);
  venue.refused = {RequestKind::closed_orders};
  venue.trade("ETHUSDT", 1);
  venue.trade("ETHUSDT", -1);
  venue.start();
  EXPECT_TRUE(venue.engine.live());
  EXPECT_EQ(venue.asked_for(RequestKind::income_symbols), 1);
  EXPECT_EQ(venue.written_fills().size(), 2u);
}

TEST(EngineWithListenKey, symbol_is_read_on_from_its_trade_cursor) {
  Loaded loaded;
  loaded.cursors.account_ms = ScriptedVenue::kOffsetMs;
  loaded.cursors.read_from["ETHUSDT"] = "2";
  loaded.positions.push_back({position("ETHUSDT", "1", {0, loaded.cursors.account_ms}), true, true, "long"});
  ScriptedVenue venue(key_rules(), {}, loaded);
  for (int i = 0; i < 3; ++i) venue.trade("ETHUSDT", 1);
  venue.start();
  EXPECT_EQ(venue.asked_for(RequestKind::executions), 1);
  for (const auto& request : venue.asked) EXPECT_EQ(request.from_id, request.kind == RequestKind::executions ? "2" : "");
  EXPECT_EQ(venue.written_fills().size(), 2u);
}

TEST(EngineWithListenKey, expired_key_restores_the_account_on_a_new_connection) {
  ScriptedVenue venue(key_rules());
  venue.start();
  const auto old = *venue.private_links.begin();
  venue.trade("BTCUSDT", 2);
  venue.push({ListenKeyExpired{}});
  venue.advance(1000);
  EXPECT_TRUE(venue.engine.live());
  EXPECT_EQ(venue.complete_syncs(), 2);
  ASSERT_EQ(venue.private_links.size(), 1u);
  EXPECT_NE(*venue.private_links.begin(), old);
  EXPECT_EQ(venue.written_positions().at("BTCUSDT"), decimal("2"));
}

TEST(EngineWithListenKey, planned_rotation_needs_no_restore) {
  ScriptedVenue venue(key_rules());
  venue.start();
  const auto old = *venue.private_links.begin();
  for (std::int64_t passed = 0; passed < venue.rules.rotate_after_ms + 60000; passed += 600000) {
    venue.push({Pong{}});
    venue.advance(600000);
  }
  EXPECT_EQ(venue.complete_syncs(), 1);
  EXPECT_EQ(venue.events("websocket_periodic_reconnection"), 1);
  ASSERT_EQ(venue.private_links.size(), 1u);
  EXPECT_NE(*venue.private_links.begin(), old);
}

}  // namespace
}  // namespace tradesync
