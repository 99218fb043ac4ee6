#include "app/account_machine.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "app/machine_fake.hpp"
#include "app/wall_fake.hpp"

namespace tradesync {
namespace {

using namespace test;
using TurnEnd = AccountMachine::TurnEnd;

class MachineTest : public testing::Test {
 protected:
  MachineTest() {
    wall.tables["monitoring.worker_load_commands"] = {};
    std::vector<Row> ids;
    for (int i = 0; i < 64; ++i) ids.push_back({std::to_string(1000 + i)});
    wall.tables["monitoring.worker_reserve_order_ids"] = ids;
    settings.private_session = false;
  }
  AccountMachine& machine() {
    const Credentials keys{"key", "secret"};
    if (!made) made = std::make_unique<AccountMachine>(7, exchange, Endpoints{"r", "p", "v"}, keys, settings, loaded, wire);
    return *made;
  }
  TurnEnd turn() {
    machine().step(Tick{}, now);
    return machine().finish_turn(now, error);
  }
  void queue(const std::string& id, const std::string& kind, const std::string& position, bool running = false) {
    wall.tables["monitoring.worker_load_commands"].push_back(
        {id, kind, running ? "t" : "f", position, "BTCUSDT", none, none, none, none, none, none, none, none, "v1"});
    // The position of an opening that has not begun comes along.
    const Row trade{position, "BTCUSDT", "both", "t", "pending_entry", none, "100", none, "2", none, none, none, "0", none, none, "t", none};
    Row& row = wall.tables["monitoring.worker_load_commands"].back();
    if (kind == "open_position" && !running) row.insert(row.end(), trade.begin(), trade.end());
    else row.resize(row.size() + trade.size());
  }
  // How often something was said of a command.
  long answered(const std::string& id) const {
    const auto rows = wall.saved_to("commands");
    return std::count_if(rows.begin(), rows.end(), [&](const Row& row) { return row[0] == id; });
  }
  long asked(const std::string& function) const { return std::count(wall.queries.begin(), wall.queries.end(), "monitoring." + function); }

  WallFake wall;
  ExchangeFake exchange;
  WireFake wire;
  EngineSettings settings;
  Loaded loaded;
  std::unique_ptr<AccountMachine> made;
  std::string error;
  std::int64_t now = 1000;
  const Cell none;
};

TEST_F(MachineTest, nothing_leaves_before_the_turn_is_finished) {
  machine().start(now);
  EXPECT_TRUE(wire.requests.empty());
  EXPECT_EQ(turn(), TurnEnd::sent);
  ASSERT_FALSE(wire.requests.empty());
  EXPECT_EQ(wire.requests[0].second.body, "key");
}

TEST_F(MachineTest, turn_that_could_not_be_saved_sends_nothing) {
  machine().refuse_commands("no");
  queue("3", "set_leverage", "42");
  machine().start(now);
  ASSERT_EQ(machine().read_commands("v1", now, error), LoadResult::ok);
  wall.outcomes = {WALL_REFUSED, WALL_REFUSED};
  EXPECT_EQ(turn(), TurnEnd::broken);
  EXPECT_NE(error.find("XX000"), std::string::npos);
  EXPECT_TRUE(wire.requests.empty());
}

TEST_F(MachineTest, turn_whose_extension_is_gone_sends_nothing) {
  machine().refuse_commands("no");
  queue("3", "set_leverage", "42");
  machine().start(now);
  machine().read_commands("v1", now, error);
  wall.outcomes = {WALL_GONE};
  EXPECT_EQ(turn(), TurnEnd::again);
  EXPECT_TRUE(wire.requests.empty());
}

TEST_F(MachineTest, answer_to_a_question_that_nobody_asked_is_ignored) {
  int decoded = 0;
  exchange.on_response = [&](const Request&, const HttpResponse&) { return ++decoded, Reply{}; };
  machine().start(now);
  turn();
  ASSERT_FALSE(wire.requests.empty());
  const std::uint64_t id = wire.requests[0].first;
  machine().on_http(id + 1000, {}, now, now, now);
  EXPECT_EQ(decoded, 0);
  machine().on_http(id, {}, now, now, now);
  machine().on_http(id, {}, now, now, now);
  EXPECT_EQ(decoded, 1) << "each answer counts once";
}

TEST_F(MachineTest, frame_of_a_socket_that_is_not_ours_is_ignored_and_a_bad_one_of_ours_is_kept) {
  settings.private_session = true;
  exchange.on_response = [&](const Request& request, const HttpResponse&) {
    Reply reply;
    reply.outcome = Outcome::ok;
    if (request.kind == RequestKind::server_time) reply.venue_time_ms = 1785000000000;
    return reply;
  };
  machine().start(now);
  for (int i = 0; i < 20 && wire.opened.empty(); ++i) {
    turn();
    const auto asked = std::move(wire.requests);
    wire.requests.clear();
    for (const auto& [id, request] : asked) machine().on_http(id, {200, true, "", "", {}}, now, now, now);
    now += 100;
  }
  ASSERT_FALSE(wire.opened.empty());
  EXPECT_TRUE(machine().has_links());
  const std::uint64_t link = wire.opened[0].first;
  machine().on_opened(link, now);
  machine().on_text(link + 1000, "bad", false, now);
  EXPECT_EQ(machine().frames(), 0);
  machine().on_text(link, "bad", false, now);
  machine().on_text(link, "good", true, now);
  EXPECT_EQ(machine().frames(), 2);
  EXPECT_EQ(turn(), TurnEnd::sent);
  const auto letters = wall.saved_to("dead_letters");
  ASSERT_EQ(letters.size(), 2u);
  EXPECT_EQ(letters[0][3], "cannot be read");
  EXPECT_EQ(letters[1][3], "binary frame");
  machine().on_closed(link, "gone", now);
  EXPECT_FALSE(machine().has_links());
}

TEST_F(MachineTest, account_that_observes_asks_for_no_commands_and_no_ids) {
  machine().start(now);
  EXPECT_EQ(machine().read_commands("v1", now, error), LoadResult::ok);
  turn();
  EXPECT_TRUE(wall.queries.empty());
}

TEST_F(MachineTest, scan_without_commands_is_one_query) {
  settings.trading.mode = TradingMode::dry_run;
  for (int i = 0; i < 64; ++i) loaded.order_ids.push_back(i + 1);
  machine().read_commands("v1", now, error);
  EXPECT_EQ(wall.queries, (std::vector<std::string>{"monitoring.worker_load_commands"}));
}

TEST_F(MachineTest, command_is_handed_over_once_and_an_opening_with_its_position) {
  settings.trading.mode = TradingMode::dry_run;
  loaded.order_ids.assign(64, 1);
  queue("3", "set_leverage", "");
  queue("4", "open_position", "42");
  machine().read_commands("v1", now, error);
  turn();
  EXPECT_EQ(answered("4"), 1);
  machine().read_commands("v1", now, error);
  turn();
  EXPECT_EQ(answered("4"), 1) << "it is known by now";
}

// Otherwise an opening after resume() would be refused for the halt, or a real order sent for an account that is on paper by now.
TEST_F(MachineTest, nothing_is_taken_with_another_row_of_the_account_than_the_known_one) {
  settings.trading.mode = TradingMode::dry_run;
  loaded.order_ids.assign(64, 1);
  queue("4", "open_position", "42");
  EXPECT_EQ(machine().read_commands("v0", now, error), LoadResult::account_changed);
  turn();
  EXPECT_EQ(answered("4"), 0);
  EXPECT_EQ(machine().read_commands("v1", now, error), LoadResult::ok);
  turn();
  EXPECT_EQ(answered("4"), 1);
}

TEST_F(MachineTest, opening_that_could_not_be_read_is_read_again) {
  settings.trading.mode = TradingMode::dry_run;
  queue("4", "open_position", "42");
  wall.failing = {"monitoring.worker_load_commands"};
  EXPECT_EQ(machine().read_commands("v1", now, error), LoadResult::failed);
  wall.failing.clear();
  EXPECT_EQ(machine().read_commands("v1", now, error), LoadResult::ok);
  turn();
  EXPECT_EQ(answered("4"), 1);
}

TEST_F(MachineTest, order_ids_are_reserved_before_they_run_out) {
  settings.trading.mode = TradingMode::dry_run;
  loaded.order_ids = {1, 2, 3};
  machine().start(now);
  EXPECT_LE(machine().next_deadline(now), now);
  EXPECT_EQ(turn(), TurnEnd::sent);
  EXPECT_EQ(machine().engine().order_ids_left(), 67u);
  turn();
  EXPECT_EQ(asked("worker_reserve_order_ids"), 1);
}

TEST_F(MachineTest, reserve_that_fails_is_tried_again_after_a_pause) {
  settings.trading.mode = TradingMode::dry_run;
  wall.failing = {"monitoring.worker_reserve_order_ids"};
  machine().start(now);
  turn();
  turn();
  EXPECT_EQ(asked("worker_reserve_order_ids"), 1);
  wall.failing.clear();
  now += 1000;
  turn();
  EXPECT_EQ(machine().engine().order_ids_left(), 64u);
}

TEST_F(MachineTest, account_that_must_not_trade_answers_instead_of_waiting) {
  machine().refuse_commands("mode is live but tradesync.live_trading is off");
  queue("3", "open_position", "42");
  queue("4", "close_position", "43");
  queue("5", "open_position", "44", true);
  machine().read_commands("v1", now, error);
  EXPECT_EQ(turn(), TurnEnd::sent);
  const auto results = wall.saved_to("commands");
  ASSERT_EQ(results.size(), 2u) << "one that has begun may have an order at the venue";
  EXPECT_EQ(results[0], (Row{"3", "failed", "mode is live but tradesync.live_trading is off"}));
  EXPECT_EQ(results[1][0], "4");
  const auto updates = wall.saved_to("position_updates");
  ASSERT_EQ(updates.size(), 1u) << "only the opening leaves a row that nobody will fill";
  EXPECT_EQ(updates[0][0], "42");
  EXPECT_EQ(updates[0][1], "failed");
  machine().read_commands("v1", now, error);
  turn();
  EXPECT_EQ(wall.saved_to("commands").size(), 2u) << "each is answered once";
}

TEST_F(MachineTest, goodbye_sends_nothing_that_was_not_committed) {
  machine().start(now);
  machine().step(Tick{}, now);
  machine().stop(now);
  EXPECT_TRUE(wire.requests.empty());
}

}  // namespace
}  // namespace tradesync
