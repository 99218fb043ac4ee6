// The whole core against a venue in memory, of both kinds, once it is live; start and restore are in engine_restore_test.cpp.
#include "core/engine_fixture_test.hpp"

namespace tradesync {
namespace {

using namespace test;

INSTANTIATE_TEST_SUITE_P(Venues, EngineTest, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "listen_key" : "login"; });

// ---------------------------------------------------------------- orders that vanished

TEST_P(EngineTest, order_that_vanished_is_asked_about_by_its_id) {
  Loaded loaded = known_account();
  loaded.orders.push_back(order("BTCUSDT", "r1", OrderStatus::new_, {0, loaded.cursors.account_ms}));
  ScriptedVenue venue(rules(), {}, loaded);
  venue.refused = {RequestKind::closed_orders};
  venue.orders["r1"] = order("BTCUSDT", "r1", OrderStatus::expired, {0, loaded.cursors.account_ms + 10});
  venue.start();
  EXPECT_EQ(venue.asked_for(RequestKind::order), by_key() ? 1 : venue.asked_for(RequestKind::order));
  venue.advance(kLongMs);
  EXPECT_EQ(venue.written_orders().at("r1").status, OrderStatus::expired);
}

TEST_P(EngineTest, order_that_the_venue_forgot_is_over_but_only_on_its_word) {
  Loaded loaded = known_account();
  loaded.orders.push_back(order("BTCUSDT", "r1", OrderStatus::new_, {0, loaded.cursors.account_ms}));
  ScriptedVenue venue(rules(), {}, loaded);
  venue.fails[RequestKind::order] = {Outcome::failed, Outcome::failed};
  venue.start();
  EXPECT_TRUE(venue.written_orders().empty());
  venue.advance(kLongMs);
  ASSERT_TRUE(venue.written_orders().contains("r1"));
  EXPECT_EQ(venue.written_orders().at("r1").status, OrderStatus::canceled);
  EXPECT_EQ(venue.written_orders().at("r1").venue_status, "GONE");
}

// ---------------------------------------------------------------- live

TEST_P(EngineTest, life_of_a_position_is_written_as_it_happens) {
  ScriptedVenue venue(rules());
  venue.start();
  venue.push(venue.trade("BTCUSDT", 2, 2));
  EXPECT_EQ(venue.written_positions().at("BTCUSDT"), decimal("2"));
  venue.push(venue.trade("BTCUSDT", -2));
  EXPECT_EQ(venue.written_closings().size(), 1u);
  expect_every_fill_once(venue);
}

TEST_P(EngineTest, repeated_messages_are_written_once) {
  ScriptedVenue venue(rules());
  venue.start();
  const Facts told = venue.trade("BTCUSDT", 2, 2);
  for (int repeats = 0; repeats < 3; ++repeats) venue.push(told);
  expect_every_fill_once(venue);
  venue.cut();
  venue.advance(kLongMs);
  expect_every_fill_once(venue);
}

TEST_P(EngineTest, fill_that_the_stream_lost_is_asked_for) {
  ScriptedVenue venue(rules());
  venue.start();
  Facts told = venue.trade("BTCUSDT", 2);
  told.erase(told.begin());
  venue.push(told);
  EXPECT_TRUE(venue.written_fills().empty());
  venue.advance(limits::kFillGraceMs + 1000);
  expect_every_fill_once(venue);
  EXPECT_EQ(venue.events("quantity_mismatch_detected"), 0);
}

TEST_P(EngineTest, closing_fill_that_the_stream_lost_closes_the_row_when_it_is_found) {
  ScriptedVenue venue(rules());
  venue.start();
  venue.push(venue.trade("BTCUSDT", 2));
  Facts told = venue.trade("BTCUSDT", -2);
  told.erase(told.begin());
  venue.push(told);
  EXPECT_TRUE(venue.written_closings().empty());
  venue.advance(limits::kFillGraceMs + 1000);
  EXPECT_EQ(venue.written_closings().size(), 1u);
  expect_every_fill_once(venue);
}

TEST_P(EngineTest, position_report_that_the_stream_lost_is_asked_for) {
  ScriptedVenue venue(rules());
  venue.start();
  Facts told = venue.trade("BTCUSDT", 2);
  told.pop_back();
  venue.push(told);
  venue.advance(limits::kPositionGraceMs + 1000);
  expect_agreement(venue);
}

// Opened and closed while the reports of both were lost: the venue then says no more than that there is nothing.
TEST_P(EngineTest, lost_reports_of_a_position_that_is_flat_again_are_asked_for_once) {
  ScriptedVenue venue(rules());
  venue.start();
  for (int quantity : {2, -2}) {
    Facts told = venue.trade("BTCUSDT", quantity);
    told.pop_back();
    venue.push(told);
  }
  const int before = venue.asked_for(RequestKind::positions);
  venue.advance(50000);  // before the first audit
  EXPECT_LE(venue.asked_for(RequestKind::positions) - before, 2);
  expect_every_fill_once(venue);
}

TEST_P(EngineTest, lost_reports_of_a_known_position_that_is_flat_again_are_asked_for_once) {
  ScriptedVenue venue(rules());
  venue.start();
  venue.push(venue.trade("BTCUSDT", 1));
  venue.push(venue.trade("BTCUSDT", -1));
  for (int quantity : {2, -2}) {
    Facts told = venue.trade("BTCUSDT", quantity);
    told.pop_back();
    venue.push(told);
  }
  const int before = venue.asked_for(RequestKind::positions);
  venue.advance(50000);
  EXPECT_LE(venue.asked_for(RequestKind::positions) - before, 2);
}

// Bybit's executions do not say the side of a hedge; before anything else is known of the symbol it can only be guessed.
TEST_P(EngineTest, fill_of_a_side_that_the_venue_does_not_know_does_not_ask_for_ever) {
  ScriptedVenue venue(rules());
  venue.start();
  Facts told = venue.trade("BTCUSDT", 2);
  venue.positions.at("BTCUSDT").position_side = PositionSide::long_;
  std::get<Fill>(told[0]).position_side = std::nullopt;
  venue.push({told[0]});
  const auto asked_within = [&](std::int64_t wait_ms) {
    const std::size_t before = venue.asked.size();
    venue.advance(wait_ms);
    return venue.asked.size() - before;
  };
  // The doubt, the audit that finds the other side, the restore that follows, second looks; then nothing but audits.
  EXPECT_LE(asked_within(50000), 20u);
  EXPECT_LE(asked_within(50000), 2u);
}

TEST_P(EngineTest, audit_finds_an_event_that_the_stream_lost) {
  ScriptedVenue venue(rules());
  venue.start();
  venue.push(venue.trade("BTCUSDT", 2));
  venue.trade("BTCUSDT", 1);
  venue.trade("ETHUSDT", 4);
  venue.advance(3 * 60000);
  expect_agreement(venue);
  expect_every_fill_once(venue);
  EXPECT_EQ(venue.complete_syncs(), 2);
}

TEST_P(EngineTest, quiet_audits_find_nothing_and_move_the_cursor) {
  ScriptedVenue venue(rules());
  venue.start();
  venue.push(venue.trade("BTCUSDT", 2));
  venue.advance(5 * 60000);
  EXPECT_EQ(venue.complete_syncs(), 1);
  EXPECT_GE(venue.asked_for(RequestKind::positions), 5);
  EXPECT_GT(std::stoll(venue.written_cursors().back().position), venue.venue_now() - 2 * 60000);
}

TEST_P(EngineTest, unreadable_frame_is_kept_and_the_account_read_again) {
  ScriptedVenue venue(rules());
  venue.start();
  venue.trade("BTCUSDT", 2);
  venue.step(FrameUnreadable{*venue.private_links.begin(), "cut short", std::string(100000, 'x')});
  venue.advance(kLongMs);
  int kept = 0;
  for (const auto& turn : venue.turns)
    for (const auto& letter : turn.dead_letters) {
      ++kept;
      EXPECT_LE(letter.frame.size(), limits::kFrameSample);
      EXPECT_EQ(letter.kind, "frame");
    }
  EXPECT_EQ(kept, 1);
  expect_agreement(venue);
  expect_every_fill_once(venue);
}

// ---------------------------------------------------------------- cursors

TEST_P(EngineTest, cursor_appears_with_the_first_complete_restore_and_is_not_ahead_of_it) {
  ScriptedVenue venue(rules());
  venue.held = {RequestKind::open_orders};
  venue.start();
  const std::int64_t asked_at = venue.venue_now();
  venue.advance(8000);
  EXPECT_TRUE(venue.written_cursors().empty());
  venue.release();
  ASSERT_FALSE(venue.written_cursors().empty());
  EXPECT_EQ(venue.written_cursors()[0].stream, "account");
  EXPECT_LE(std::stoll(venue.written_cursors()[0].position), asked_at);
}

TEST_P(EngineTest, cursor_and_fill_are_written_in_one_turn_and_other_events_move_nothing) {
  ScriptedVenue venue(rules());
  venue.start();
  const std::size_t before = venue.written_cursors().size();
  venue.push(venue.rest("BTCUSDT", "r1"));
  venue.push(venue.end("r1", OrderStatus::canceled));
  EXPECT_EQ(venue.written_cursors().size(), before);
  venue.push(venue.trade("BTCUSDT", 2));
  ASSERT_FALSE(venue.turns.back().cursors.empty());
  EXPECT_FALSE(venue.turns.back().fills.empty());
  EXPECT_EQ(venue.turns.back().cursors[0].position, std::to_string(venue.fills.back().executed_ms));
}

TEST_P(EngineTest, cursor_never_goes_back) {
  ScriptedVenue venue(rules(), {}, known_account());
  venue.trade("ETHUSDT", 2);
  venue.start();
  for (int round = 0; round < 5; ++round) {
    venue.push(venue.trade("BTCUSDT", round % 2 == 0 ? 2 : -2));
    venue.cut();
    venue.advance(70000);
  }
  std::int64_t last = 0;
  for (const auto& cursor : venue.written_cursors()) {
    if (cursor.stream != "account") continue;
    EXPECT_GE(std::stoll(cursor.position), last);
    last = std::stoll(cursor.position);
  }
}

// ---------------------------------------------------------------- prices

TEST_P(EngineTest, subscriptions_follow_positions_and_resting_orders) {
  ScriptedVenue venue(rules());
  venue.start();
  EXPECT_TRUE(venue.engine.subscribed_symbols().empty());
  venue.push(venue.trade("BTCUSDT", 2));
  venue.push(venue.rest("ETHUSDT", "r1"));
  venue.advance(2000);
  EXPECT_EQ(venue.engine.subscribed_symbols(), (std::set<std::string>{"BTCUSDT", "ETHUSDT"}));
  venue.push(venue.end("r1", OrderStatus::canceled));
  venue.advance(2000);
  EXPECT_EQ(venue.engine.subscribed_symbols(), (std::set<std::string>{"BTCUSDT"}));
  venue.push(venue.trade("BTCUSDT", -2));
  venue.advance(2000);
  EXPECT_TRUE(venue.public_links.empty());
}

TEST_P(EngineTest, prices_are_conflated_to_the_last_of_each_symbol) {
  ScriptedVenue venue(rules());
  venue.start();
  venue.push(venue.trade("BTCUSDT", 2));
  venue.advance(1000);
  venue.turns.clear();
  venue.tick("BTCUSDT", "100");
  ASSERT_EQ(venue.turns.size(), 1u) << "the first one is somebody waiting";
  for (int i = 101; i <= 150; ++i) venue.tick("BTCUSDT", std::to_string(i));
  EXPECT_EQ(venue.turns.size(), 1u);
  venue.advance(300);
  ASSERT_EQ(venue.turns.size(), 2u);
  ASSERT_EQ(venue.turns[1].prices.size(), 1u);
  EXPECT_EQ(venue.turns[1].prices[0].mark, decimal("150"));
  EXPECT_FALSE(venue.turns[1].has_account_data());
}

TEST_P(EngineTest, price_keeps_what_a_delta_leaves_out_and_strangers_have_none) {
  ScriptedVenue venue(rules());
  venue.start();
  venue.push(venue.trade("BTCUSDT", 2));
  venue.advance(1000);
  venue.tick("BTCUSDT", "100");
  venue.advance(300);
  Facts delta{Price{"BTCUSDT", {}, decimal("101"), venue.venue_now()}, Price{"NOBODYUSDT", decimal("1"), {}, 1}};
  venue.step(FrameRead{*venue.public_links.begin(), &delta});
  venue.turns.clear();
  venue.advance(300);
  ASSERT_EQ(venue.turns.size(), 1u);
  ASSERT_EQ(venue.turns[0].prices.size(), 1u);
  EXPECT_EQ(venue.turns[0].prices[0].mark, decimal("100"));
  EXPECT_EQ(venue.turns[0].prices[0].last, decimal("101"));
}

TEST_P(EngineTest, sync_says_for_each_symbol_what_became_of_it) {
  ScriptedVenue venue(rules());
  venue.instruments.push_back("BADUSDT");
  venue.unknown_symbols = {"BADUSDT"};
  venue.start();
  venue.push(venue.trade("BTCUSDT", 2));
  venue.advance(1000);
  const auto before = venue.engine.subscribed_symbols();
  venue.step(SyncAsked{{"ETHUSDT", "BADUSDT", "NOBODYUSDT"}});
  EXPECT_FALSE(venue.engine.sync_settled() && venue.engine.subscribed_symbols().size() < 2);
  venue.advance(1500);
  std::map<std::string, std::string> outcome;
  for (const auto& row : venue.engine.sync_rows(before)) outcome[row.symbol] = row.outcome;
  EXPECT_TRUE(venue.engine.sync_settled());
  EXPECT_EQ(outcome, (std::map<std::string, std::string>{
                         {"BTCUSDT", "already"}, {"ETHUSDT", "subscribed"}, {"BADUSDT", "failed"}, {"NOBODYUSDT", "invalid"}}));
}

TEST_P(EngineTest, dry_run_is_live_without_a_private_session) {
  EngineSettings settings;
  settings.private_session = false;
  ScriptedVenue venue(rules(), settings);
  venue.start();
  venue.advance(1000);
  EXPECT_TRUE(venue.engine.live());
  EXPECT_TRUE(venue.private_links.empty());
  for (const auto& request : venue.asked)
    EXPECT_TRUE(request.kind == RequestKind::server_time || request.kind == RequestKind::instruments)
        << "nothing that needs a key";
  venue.step(SyncAsked{{"BTCUSDT"}});
  venue.advance(1000);
  EXPECT_EQ(venue.engine.subscribed_symbols(), std::set<std::string>{"BTCUSDT"});
}

TEST_P(EngineTest, stopping_closes_every_socket_and_asks_for_no_more_turns) {
  ScriptedVenue venue(rules());
  venue.start();
  venue.push(venue.trade("BTCUSDT", 2));
  venue.advance(1000);
  venue.step(Stopping{});
  EXPECT_TRUE(venue.private_links.empty());
  EXPECT_TRUE(venue.public_links.empty());
  EXPECT_EQ(venue.engine.next_deadline(venue.now), INT64_MAX);
}

TEST_P(EngineTest, quiet_account_asks_for_few_turns) {
  ScriptedVenue venue(rules());
  venue.start();
  int turns = 0;
  for (const std::int64_t end = venue.now + 600000; venue.now < end; ++turns) {
    venue.now = std::max(venue.now + 1, venue.engine.next_deadline(venue.now));
    venue.step(Tick{});
  }
  EXPECT_LT(turns, 200) << "in ten minutes";
}

// ---------------------------------------------------------------- anything may happen

TEST_P(EngineTest, whatever_is_cut_delayed_or_refused_the_account_ends_as_the_venue_has_it) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    EngineSettings settings;
    settings.seed = seed;
    settings.buffer_events = 3 + static_cast<std::size_t>(random.up_to(20));
    ScriptedVenue venue(rules(), settings);
    if (random.up_to(1) == 0) venue.refused = {RequestKind::closed_orders};
    venue.page_size = 1 + static_cast<std::size_t>(random.up_to(5));
    venue.start();
    const char* symbols[] = {"BTCUSDT", "ETHUSDT"};
    const RequestKind kinds[] = {RequestKind::positions, RequestKind::balances, RequestKind::executions,
                                 RequestKind::open_orders};
    int rested = 0;
    for (int round = 0; round < 60; ++round) {
      const std::string symbol = symbols[random.up_to(1)];
      switch (random.up_to(9)) {
        case 0: venue.cut(); break;
        case 1: venue.advance(random.up_to(20000)); break;
        case 2: venue.held.insert(kinds[random.up_to(3)]); break;
        case 3: venue.release(); break;
        case 4: venue.fails[kinds[random.up_to(3)]].push_back(random.up_to(1) == 0 ? Outcome::failed : Outcome::throttled); break;
        case 5: venue.push(venue.rest(symbol, "r" + std::to_string(++rested))); break;
        case 6:
          if (rested > 0) venue.push(venue.end("r" + std::to_string(rested), OrderStatus::canceled));
          break;
        case 7: {  // its messages are under way when the connection dies
          venue.trade(symbol, 1 - 2 * static_cast<int>(random.up_to(1)));
          venue.cut();
          break;
        }
        case 8:
        case 9: venue.push(venue.trade(symbol, static_cast<int>(1 + random.up_to(2)) * (random.up_to(1) == 0 ? 1 : -1))); break;
      }
    }
    venue.release();
    venue.advance(kLongMs);
    expect_agreement(venue);
    expect_every_fill_once(venue);
    // An order that began and ended within an outage may stay unseen; what was seen has ended as the venue says.
    const auto written = venue.written_orders();
    for (const auto& [id, order] : written) EXPECT_EQ(text(order.status), text(venue.orders.at(id).status)) << id;
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tradesync
