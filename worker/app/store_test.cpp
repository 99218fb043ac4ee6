#include "app/store.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "app/wall_fake.hpp"
#include "core/test_rules_test.hpp"

namespace tradesync {
namespace {

using namespace test;
using Result = Store::Result;

class StoreTest : public testing::Test {
 protected:
  void add_fill(const std::string& id) { changes.fills.push_back(fill("BTCUSDT", id, "1", 1, 1)); }
  void add_order(const std::string& id, OrderStatus status = OrderStatus::new_) {
    changes.put(OrderChange{order("BTCUSDT", id, status, {1, 1})});
  }
  void add_own_order(std::int64_t id) {
    OwnOrderRow own;
    own.id = id;
    own.ticket.symbol = "ETHUSDT";
    changes.put(std::move(own));
  }
  void add_cursor(const std::string& position) { changes.cursors.push_back({"account", "", position}); }
  Result commit() {
    const Result result = store.commit(changes, now, 0, error);
    changes.clear();
    return result;
  }
  Result retry() {
    now = std::max(now, store.retry_at_ms());
    return store.retry(now, error);
  }
  // Second cell of every saved row: the id.
  std::vector<std::string> saved(const std::string& table) const {
    std::vector<std::string> ids;
    for (const auto& row : wall.saved_to(table)) ids.push_back(row[1].value_or(""));
    return ids;
  }
  std::vector<std::string> cursors() const {
    std::vector<std::string> positions;
    for (const auto& row : wall.saved_to("cursors")) positions.push_back(row[2].value_or(""));
    return positions;
  }
  using Ids = std::vector<std::string>;

  WallFake wall;
  Store store{7};
  Changes changes;
  std::string error;
  std::int64_t now = 1000;
};

TEST_F(StoreTest, turn_is_one_durable_transaction) {
  add_fill("1");
  add_order("2");
  add_cursor("5");
  EXPECT_EQ(commit(), Result::saved);
  ASSERT_EQ(wall.batches.size(), 1u);
  EXPECT_TRUE(wall.batches[0].durable);
  EXPECT_EQ(wall.batches[0].mode, WALL_ALL);
  EXPECT_EQ(wall.batches[0].calls.size(), 3u);
  EXPECT_EQ(store.commits(), 1);
  EXPECT_EQ(store.retry_at_ms(), INT64_MAX);
}

TEST_F(StoreTest, turn_of_prices_only_does_not_wait_for_the_disk) {
  changes.prices.push_back({"BTCUSDT", decimal("1"), {}, 1});
  commit();
  ASSERT_EQ(wall.batches.size(), 1u);
  EXPECT_FALSE(wall.batches[0].durable);
}

TEST_F(StoreTest, empty_turn_touches_no_database) {
  EXPECT_EQ(commit(), Result::saved);
  EXPECT_TRUE(wall.batches.empty());
}

TEST_F(StoreTest, locked_row_waits_and_the_rest_is_kept) {
  wall.locked = {"2"};
  add_order("1");
  add_order("2");
  add_order("3");
  EXPECT_EQ(commit(), Result::saved);
  EXPECT_EQ(saved("orders"), (Ids{"1", "3"}));
  EXPECT_EQ(store.waiting(), 1);
  EXPECT_EQ(wall.warnings.size(), 1u);
  wall.locked.clear();
  EXPECT_EQ(retry(), Result::saved);
  EXPECT_EQ(saved("orders"), (Ids{"1", "3", "2"}));
  EXPECT_EQ(store.waiting(), 0);
}

TEST_F(StoreTest, waiting_row_is_tried_at_intervals_and_warned_about_once) {
  wall.locked = {"2"};
  add_order("2");
  commit();
  const auto tries = wall.batches.size();
  EXPECT_GT(store.retry_at_ms(), now);
  store.retry(now, error);
  EXPECT_EQ(wall.batches.size(), tries) << "not before its time";
  for (int i = 0; i < 5; ++i) retry();
  EXPECT_EQ(wall.batches.size(), tries + 5);
  EXPECT_EQ(store.waiting(), 1);
  EXPECT_EQ(wall.warnings.size(), 1u);
}

TEST_F(StoreTest, follower_never_overtakes_the_row_that_waits) {
  wall.locked = {"2"};
  add_order("2", OrderStatus::new_);
  commit();
  wall.locked.clear();
  add_order("2", OrderStatus::canceled);
  add_order("3");
  commit();
  EXPECT_EQ(saved("orders"), (Ids{"3"}));
  EXPECT_EQ(store.waiting(), 2);
  retry();
  const auto rows = wall.saved_to("orders");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1][7], "new");
  EXPECT_EQ(rows[2][7], "canceled");
}

TEST_F(StoreTest, closing_waits_behind_the_position_that_is_locked) {
  wall.locked = {"BTCUSDT"};
  changes.put(PositionChange{position("BTCUSDT", "1", {1, 1}), Source::stream});
  commit();
  wall.locked.clear();
  changes.put(Closing{"BTCUSDT", PositionSide::both, "long", 2, "closed_on_exchange"});
  changes.put(PositionChange{position("ETHUSDT", "1", {1, 1}), Source::stream});
  commit();
  EXPECT_EQ(wall.saved_to("positions").size(), 1u);
  EXPECT_TRUE(wall.saved["monitoring.worker_close_positions"].empty());
  retry();
  EXPECT_EQ(wall.saved_to("positions").size(), 2u);
  EXPECT_EQ(wall.saved["monitoring.worker_close_positions"].size(), 1u);
}

TEST_F(StoreTest, refused_row_becomes_a_dead_letter_and_the_rest_is_kept) {
  wall.refused = {{"2", "23514"}};
  add_fill("1");
  add_fill("2");
  add_cursor("9");
  EXPECT_EQ(commit(), Result::saved);
  EXPECT_EQ(saved("trades"), (Ids{"1"}));
  const auto letters = wall.saved_to("dead_letters");
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0][0], "trade");
  EXPECT_EQ(letters[0][1], "BTCUSDT");
  EXPECT_NE(letters[0][2]->find("\"2\""), std::string::npos) << "the row itself";
  EXPECT_EQ(letters[0][4], "23514");
  EXPECT_EQ(store.waiting(), 0);
  EXPECT_EQ(store.dead_letters(), 1);
  EXPECT_EQ(cursors(), (Ids{"9"})) << "what is buried is kept, so the cursor may pass";
}

TEST_F(StoreTest, disk_that_is_full_buries_nothing) {
  wall.refused = {{"2", "53100"}};
  add_fill("2");
  commit();
  EXPECT_TRUE(wall.saved_to("dead_letters").empty());
  EXPECT_EQ(store.waiting(), 1);
  wall.refused.clear();
  retry();
  EXPECT_EQ(saved("trades"), (Ids{"2"}));
}

TEST_F(StoreTest, cursor_stands_still_while_a_fill_waits) {
  wall.locked = {"2"};
  add_fill("2");
  add_cursor("5");
  commit();
  EXPECT_TRUE(cursors().empty());
  add_fill("3");
  add_cursor("6");
  commit();
  EXPECT_EQ(saved("trades"), (Ids{"3"}));
  EXPECT_TRUE(cursors().empty());
  wall.locked.clear();
  retry();
  add_cursor("7");
  commit();
  EXPECT_EQ(cursors(), (Ids{"7"}));
}

TEST_F(StoreTest, cursor_passes_a_waiting_order) {
  wall.locked = {"2"};
  add_order("2");
  add_cursor("5");
  commit();
  EXPECT_EQ(cursors(), (Ids{"5"}));
}

TEST_F(StoreTest, record_of_trouble_does_not_become_a_dead_letter) {
  wall.refused = {{"boom", "23514"}};
  changes.events.push_back({"boom", "INFO", "", "", "", ""});
  EXPECT_EQ(commit(), Result::saved);
  EXPECT_TRUE(wall.saved_to("dead_letters").empty());
  EXPECT_EQ(wall.warnings.size(), 1u) << "the server log has the last word";
}

TEST_F(StoreTest, extension_that_is_gone_is_told_wherever_it_shows) {
  wall.outcomes = {WALL_GONE};
  add_fill("1");
  EXPECT_EQ(commit(), Result::gone);
  wall.outcomes = {WALL_REFUSED, WALL_GONE};
  add_fill("1");
  EXPECT_EQ(commit(), Result::gone);
  wall.outcomes = {WALL_REFUSED, WALL_SAVED, WALL_GONE};
  add_fill("1");
  add_cursor("1");
  EXPECT_EQ(commit(), Result::gone);
}

TEST_F(StoreTest, batch_that_fails_row_by_row_too_is_broken_and_says_why) {
  wall.outcomes = {WALL_REFUSED, WALL_REFUSED};
  add_fill("1");
  add_cursor("5");
  EXPECT_EQ(commit(), Result::broken);
  EXPECT_NE(error.find("XX000"), std::string::npos);
  EXPECT_TRUE(saved("trades").empty());
  EXPECT_TRUE(cursors().empty());
}

TEST_F(StoreTest, more_waiting_rows_than_fit_is_broken) {
  wall.locked = {"BTCUSDT"};
  for (int turn = 0; turn < 100; ++turn) {
    for (int i = 0; i < 200; ++i) add_fill(std::to_string(200 * turn + i));
    ASSERT_EQ(commit(), Result::saved) << turn;
  }
  add_fill("one too many");
  EXPECT_EQ(commit(), Result::broken);
}

TEST_F(StoreTest, own_order_that_is_locked_or_refused_is_missed) {
  add_own_order(5);
  EXPECT_EQ(commit(), Result::saved);
  EXPECT_FALSE(store.missed_own_orders());
  wall.locked = {"6"};
  add_own_order(6);
  EXPECT_EQ(commit(), Result::saved);
  EXPECT_TRUE(store.missed_own_orders());

  Store another(7);
  wall.refused = {{"8", "23505"}};
  add_own_order(8);
  EXPECT_EQ(another.commit(changes, now, 0, error), Result::saved);
  EXPECT_TRUE(another.missed_own_orders());
  const auto letters = wall.saved_to("dead_letters");
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0][0], "order");
  EXPECT_EQ(letters[0][1], "ETHUSDT") << "a dead letter names the symbol, wherever the row keeps it";
}

TEST_F(StoreTest, entry_that_a_halt_has_overtaken_is_missed_and_no_dead_letter) {
  wall.refused = {{"8", "TS015"}};
  add_own_order(8);
  EXPECT_EQ(commit(), Result::saved);
  EXPECT_TRUE(store.missed_own_orders());
  EXPECT_TRUE(wall.saved_to("dead_letters").empty());
}

TEST_F(StoreTest, position_update_that_waits_does_not_hold_orders_back_and_keeps_its_order) {
  wall.locked = {"42"};
  PositionUpdate update;
  update.id = 42;
  update.exit_reason = "first";
  changes.put(update);
  add_own_order(5);
  commit();
  EXPECT_FALSE(store.missed_own_orders());
  EXPECT_EQ(wall.saved_to("own_orders").size(), 1u);
  wall.locked.clear();
  update.exit_reason = "second";
  changes.put(update);
  commit();
  EXPECT_TRUE(wall.saved_to("position_updates").empty()) << "it must not overtake the first";
  retry();
  const auto rows = wall.saved_to("position_updates");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0][10], "first");
  EXPECT_EQ(rows[1][10], "second");
}

TEST_F(StoreTest, closing_waits_behind_an_update_whatever_it_is_named_by) {
  wall.locked = {"42"};
  PositionUpdate update;
  update.id = 42;
  update.exit_reason = "manual";
  changes.put(update);
  commit();
  wall.locked.clear();
  changes.put(Closing{"BTCUSDT", PositionSide::both, "long", 2, "closed_on_exchange"});
  add_order("8");
  commit();
  EXPECT_TRUE(wall.saved["monitoring.worker_close_positions"].empty());
  EXPECT_EQ(saved("orders"), Ids{"8"});
  retry();
  EXPECT_EQ(wall.saved_to("position_updates").size(), 1u);
  EXPECT_EQ(wall.saved["monitoring.worker_close_positions"].size(), 1u);
}

TEST_F(StoreTest, update_and_closing_of_one_turn_keep_their_order_behind_a_report) {
  wall.locked = {"BTCUSDT", "42"};
  changes.put(PositionChange{position("BTCUSDT", "1", {1, 1}), Source::stream});
  commit();
  PositionUpdate update;
  update.id = 42;
  update.exit_reason = "manual";
  changes.put(update);
  changes.put(Closing{"BTCUSDT", PositionSide::both, "long", 2, "closed_on_exchange"});
  commit();
  wall.locked.clear();
  wall.batches.clear();
  retry();
  std::vector<std::string> functions;
  for (const auto& batch : wall.batches)
    for (const auto& call : batch.calls) functions.push_back(call.function);
  const std::vector<std::string> wanted = {"monitoring.worker_save_positions", "monitoring.worker_save_position_updates",
                                           "monitoring.worker_close_positions"};
  EXPECT_EQ(functions, wanted);
}

TEST_F(StoreTest, cursor_of_a_turn_whose_dead_letter_could_not_be_saved_stands_still) {
  wall.refused = {{"2", "23514"}};
  wall.outcomes = {WALL_SAVED, WALL_SAVED, WALL_REFUSED};
  add_fill("2");
  add_cursor("5");
  if (commit() != Result::broken) {
    add_cursor("6");
    commit();
  }
  EXPECT_TRUE(wall.saved_to("dead_letters").empty());
  EXPECT_TRUE(cursors().empty()) << "it would pass a fill that is nowhere";
}

}  // namespace
}  // namespace tradesync
