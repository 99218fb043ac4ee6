// Start and restore: what the venue holds is taken over, and a failed or partial answer concludes nothing.
#include "core/engine_fixture_test.hpp"

namespace tradesync {
namespace {

using namespace test;

class EngineRestoreTest : public EngineTest {};

INSTANTIATE_TEST_SUITE_P(Venues, EngineRestoreTest, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "listen_key" : "login"; });

TEST_P(EngineRestoreTest, start_ends_live_with_what_the_venue_holds) {
  ScriptedVenue venue(rules());
  venue.trade("BTCUSDT", 3);
  venue.rest("ETHUSDT", "r1");
  venue.start();
  EXPECT_TRUE(venue.engine.live());
  expect_agreement(venue);
  EXPECT_EQ(venue.written_orders().at("r1").status, OrderStatus::new_);
  EXPECT_EQ(venue.complete_syncs(), 1);
  EXPECT_EQ(venue.private_links.size(), 1u);
}

TEST_P(EngineRestoreTest, first_start_reads_no_history_and_finds_nothing_amiss) {
  ScriptedVenue venue(rules());
  venue.trade("BTCUSDT", 3);
  venue.start();
  venue.advance(kLongMs);
  for (RequestKind kind : {RequestKind::closed_orders, RequestKind::executions, RequestKind::income_symbols})
    EXPECT_EQ(venue.asked_for(kind), 0);
  EXPECT_TRUE(venue.written_fills().empty());
  EXPECT_EQ(venue.events("quantity_mismatch_detected"), 0);
}

TEST_P(EngineRestoreTest, later_start_reads_what_happened_meanwhile) {
  ScriptedVenue venue(rules(), {}, known_account());
  venue.trade("BTCUSDT", 3, 2);
  venue.trade("ETHUSDT", 2);
  venue.trade("ETHUSDT", -2);
  venue.start();
  venue.advance(kLongMs);
  expect_agreement(venue);
  expect_every_fill_once(venue);
  EXPECT_EQ(venue.events("quantity_mismatch_detected"), 0);
}

TEST_P(EngineRestoreTest, position_that_ended_while_we_were_away_is_closed_with_its_fills) {
  Loaded loaded = known_account();
  loaded.positions.push_back({position("BTCUSDT", "3", {0, loaded.cursors.account_ms}), true, true, "long"});
  ScriptedVenue venue(rules(), {}, loaded);
  venue.positions.emplace("BTCUSDT", loaded.positions[0].position);
  venue.trade("BTCUSDT", -3);
  venue.start();
  expect_every_fill_once(venue);
  ASSERT_EQ(venue.written_closings().size(), 1u);
  EXPECT_EQ(venue.written_closings()[0].side, "long");
}

TEST_P(EngineRestoreTest, event_newer_than_the_snapshot_is_applied_though_its_order_is_in_the_snapshot) {
  ScriptedVenue venue(rules());
  venue.rest("BTCUSDT", "r1");
  venue.held = {RequestKind::positions};
  venue.start();
  ASSERT_EQ(venue.on_the_way(), 1u);
  Facts told = venue.trade("BTCUSDT", 2);
  for (auto& fact : venue.end("r1", OrderStatus::canceled)) told.push_back(fact);
  venue.push(told);
  EXPECT_FALSE(venue.engine.live());
  EXPECT_EQ(venue.engine.buffered(), told.size());
  venue.release();
  expect_agreement(venue);
  expect_every_fill_once(venue);
  EXPECT_EQ(venue.written_orders().at("r1").status, OrderStatus::canceled);
}

TEST_P(EngineRestoreTest, event_older_than_the_snapshot_changes_nothing) {
  ScriptedVenue venue(rules());
  const Facts early = venue.trade("BTCUSDT", 2);
  venue.trade("BTCUSDT", 3);
  venue.held = {RequestKind::balances};
  venue.start();
  venue.push({early.back()});  // the position as it was
  venue.release();
  expect_agreement(venue);
  EXPECT_EQ(venue.written_positions().at("BTCUSDT"), decimal("5"));
}

TEST_P(EngineRestoreTest, nothing_is_written_of_a_snapshot_with_a_missing_part) {
  ScriptedVenue venue(rules());
  venue.trade("BTCUSDT", 2);
  venue.rest("ETHUSDT", "r1");
  venue.held = {RequestKind::balances};
  venue.start();
  venue.advance(5000);
  EXPECT_FALSE(venue.engine.live());
  EXPECT_TRUE(venue.written_positions().empty());
  EXPECT_TRUE(venue.written_orders().empty());
  EXPECT_TRUE(venue.written_cursors().empty());
}

TEST_P(EngineRestoreTest, failed_answers_conclude_nothing) {
  Loaded loaded = known_account();
  loaded.positions.push_back({position("BTCUSDT", "3", {0, loaded.cursors.account_ms}), true, true, "long"});
  ScriptedVenue venue(rules(), {}, loaded);
  venue.positions.emplace("BTCUSDT", loaded.positions[0].position);
  venue.fails[RequestKind::positions] = {Outcome::failed,  Outcome::throttled, Outcome::unauthorized,
                                         Outcome::refused, Outcome::clock,     Outcome::failed};
  venue.start();
  for (int seconds = 0; seconds < 600 && !venue.engine.live(); ++seconds) {
    EXPECT_TRUE(venue.written_closings().empty());
    EXPECT_TRUE(venue.written_cursors().empty());
    venue.advance(1000);
  }
  EXPECT_TRUE(venue.engine.live());
  EXPECT_TRUE(venue.written_closings().empty()) << "it was never flat";
}

TEST_P(EngineRestoreTest, page_that_fails_concludes_nothing) {
  Loaded loaded = known_account();
  for (const char* symbol : {"BTCUSDT", "ETHUSDT", "XRPUSDT"})
    loaded.positions.push_back({position(symbol, "3", {0, loaded.cursors.account_ms}), true, true, "long"});
  ScriptedVenue venue(rules(), {}, loaded);
  for (const auto& held : loaded.positions) venue.positions.emplace(held.position.symbol, held.position);
  venue.page_size = 1;
  venue.fails[RequestKind::positions] = {Outcome::ok, Outcome::failed, Outcome::ok, Outcome::ok, Outcome::failed};
  venue.start();
  venue.advance(kLongMs);
  EXPECT_TRUE(venue.engine.live());
  EXPECT_TRUE(venue.written_closings().empty());
}

TEST_P(EngineRestoreTest, overflow_of_the_buffer_reads_everything_again) {
  EngineSettings settings;
  settings.buffer_events = 4;
  ScriptedVenue venue(rules(), settings);
  venue.held = {RequestKind::balances};
  venue.start();
  const int before = venue.asked_for(RequestKind::positions);
  for (int i = 0; i < 20; ++i) venue.push(venue.trade("BTCUSDT", 1));
  EXPECT_GT(venue.asked_for(RequestKind::positions), before);
  EXPECT_FALSE(venue.engine.live());
  venue.release();
  venue.advance(kLongMs);
  expect_agreement(venue);
  EXPECT_EQ(venue.events("quantity_mismatch_detected"), 0);
}

TEST_P(EngineRestoreTest, disconnect_at_every_stage_leads_to_a_restore) {
  int cuts = 0;
  for (int stage = 1; stage <= 40; ++stage) {
    SCOPED_TRACE(stage);
    ScriptedVenue venue(rules(), {}, known_account());
    venue.events_until_cut = stage;
    venue.trade("BTCUSDT", 2);
    venue.start();
    venue.trade("BTCUSDT", -1);  // nobody tells us
    if (venue.events_until_cut > 0) venue.cut();
    ++cuts;
    venue.advance(kLongMs);
    expect_agreement(venue);
    expect_every_fill_once(venue);
    EXPECT_EQ(venue.private_links.size(), 1u);
  }
  EXPECT_EQ(cuts, 40);
}

TEST_P(EngineRestoreTest, reconnect_restores_what_the_outage_hid) {
  ScriptedVenue venue(rules());
  venue.start();
  venue.push(venue.trade("BTCUSDT", 2));
  venue.cut();
  EXPECT_FALSE(venue.engine.live());
  venue.trade("BTCUSDT", -2);
  venue.trade("ETHUSDT", 5, 3);
  venue.advance(kLongMs);
  expect_agreement(venue);
  expect_every_fill_once(venue);
  EXPECT_EQ(venue.events("websocket_disconnected"), 1);
  EXPECT_EQ(venue.events("quantity_mismatch_detected"), 0);
}

TEST_P(EngineRestoreTest, outage_is_one_line_however_many_tries_it_takes) {
  ScriptedVenue venue(rules());
  venue.start();
  venue.cut();
  for (int tries = 0; tries < 20; ++tries) {
    venue.advance(100);
    venue.cut();
  }
  EXPECT_LE(venue.events("websocket_disconnected"), 1 + venue.complete_syncs());
}

}  // namespace
}  // namespace tradesync
