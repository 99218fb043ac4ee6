// Which questions a restoration asks of each kind of venue, and when it calls itself complete.
#include "core/restore.hpp"

#include <gtest/gtest.h>

#include "core/test_rules_test.hpp"

namespace tradesync {
namespace {

using namespace test;

constexpr std::int64_t kDayMs = 24 * 3600000LL;
constexpr std::int64_t kVenueNow = 1785000000000;

class RestoreTest : public testing::Test {
 protected:
  explicit RestoreTest(VenueRules kind = key_rules()) : rules(std::move(kind)) { clock.add_sample(now, now, kVenueNow); }

  void begin(std::int64_t cursor_age_ms = -1) {
    if (cursor_age_ms >= 0) cursors.account_ms = kVenueNow - cursor_age_ms;
    restore.begin(cursors, kVenueNow);
  }
  // Everything that is asked now.
  std::vector<Request> ask() {
    now += 1000;
    std::vector<Action> actions;
    requests.pump(now, actions);
    std::vector<Request> sent;
    for (auto& send : actions_of<SendRequest>(actions)) sent.push_back(send.request);
    return sent;
  }
  bool answer(const Request& request, Facts facts = {}, Outcome outcome = Outcome::ok) {
    Answer complete;
    Requests::Trouble trouble;
    return requests.on_reply(reply(request.id, outcome, std::move(facts)), now, complete, trouble) && restore.on_answer(complete);
  }
  // Answers everything, with nothing unless a kind has facts or an outcome; returns what was asked.
  std::vector<Request> answer_all(std::map<RequestKind, Facts> facts = {}, std::map<RequestKind, Outcome> outcomes = {}) {
    std::vector<Request> all;
    for (auto sent = ask(); !sent.empty(); sent = ask())
      for (const auto& request : sent) {
        all.push_back(request);
        const auto outcome = outcomes.contains(request.kind) ? outcomes.at(request.kind) : Outcome::ok;
        answer(request, outcome == Outcome::ok ? facts[request.kind] : Facts{}, outcome);
      }
    return all;
  }
  static int count(const std::vector<Request>& requests, RequestKind kind) {
    return static_cast<int>(
        std::count_if(requests.begin(), requests.end(), [&](const Request& request) { return request.kind == kind; }));
  }
  void advance() { restore.advance(orders, positions, cursors); }

  VenueRules rules;
  VenueClock clock;
  Random random{1};
  std::int64_t now = 1000;
  Requests requests{rules, clock, random};
  Restore restore{rules, requests};
  Cursors cursors;
  Orders orders;
  Positions positions;
};

class LoginRestoreTest : public RestoreTest {
 protected:
  LoginRestoreTest() : RestoreTest(login_rules()) {}
};

TEST_F(RestoreTest, first_start_asks_for_the_present_only) {
  begin();
  const auto asked = answer_all();
  for (RequestKind kind : {RequestKind::positions, RequestKind::open_orders, RequestKind::open_conditional_orders,
                           RequestKind::balances, RequestKind::leverages, RequestKind::position_mode})
    EXPECT_EQ(count(asked, kind), 1) << static_cast<int>(kind);
  EXPECT_EQ(asked.size(), 6u);
  EXPECT_TRUE(restore.first_part_done());
  EXPECT_FALSE(restore.complete()) << "not before the second part is known to be empty";
  advance();
  EXPECT_TRUE(restore.complete());
}

TEST_F(LoginRestoreTest, venue_that_lists_all_in_one_is_asked_fewer_questions) {
  begin();
  EXPECT_EQ(answer_all().size(), 3u);
}

TEST_F(LoginRestoreTest, history_is_read_from_before_the_cursor) {
  begin(3600000);
  const auto asked = answer_all();
  EXPECT_EQ(count(asked, RequestKind::executions), 1);
  for (const auto& request : asked)
    if (request.kind == RequestKind::executions) {
      EXPECT_EQ(request.since_ms, kVenueNow - 3600000 - rules.execution_overlap_ms);
      EXPECT_EQ(request.until_ms, 0) << "what happens while we ask belongs to it";
      EXPECT_EQ(request.symbol, "");
    }
}

TEST_F(LoginRestoreTest, long_absence_is_read_window_by_window_without_a_gap) {
  begin(30 * kDayMs);
  std::vector<Request> windows;
  for (const auto& request : answer_all())
    if (request.kind == RequestKind::executions) windows.push_back(request);
  ASSERT_EQ(windows.size(), 5u);
  EXPECT_EQ(windows[0].since_ms, kVenueNow - 30 * kDayMs - rules.execution_overlap_ms);
  for (std::size_t i = 1; i < windows.size(); ++i) {
    EXPECT_EQ(windows[i].since_ms, windows[i - 1].until_ms);
    EXPECT_LE(windows[i - 1].until_ms - windows[i - 1].since_ms, rules.max_window_ms);
  }
  EXPECT_EQ(windows.back().until_ms, 0);
}

TEST_F(RestoreTest, one_missing_answer_keeps_it_incomplete) {
  begin();
  const auto asked = ask();
  for (std::size_t i = 1; i < asked.size(); ++i) EXPECT_TRUE(answer(asked[i]));
  advance();
  EXPECT_FALSE(restore.complete());
  EXPECT_FALSE(answer(asked[0], {}, Outcome::failed)) << "a failure is no answer";
  advance();
  EXPECT_FALSE(restore.complete());
}

TEST_F(RestoreTest, answer_to_somebody_else_is_not_taken) {
  begin();
  const auto id = requests.ask(Request{}, Requests::Priority::urgent);
  bool taken = false;
  for (const auto& request : ask())
    if (request.id == id) taken = answer(request);
  EXPECT_FALSE(taken);
}

TEST_F(RestoreTest, everything_is_as_old_as_its_oldest_answer) {
  begin();
  const std::int64_t began = clock.venue_now(now);
  answer_all();
  EXPECT_LE(restore.as_of_ms, began);
  EXPECT_GT(restore.positions_as_of_ms, 0);
  EXPECT_LE(restore.as_of_ms, restore.positions_as_of_ms);
}

TEST_F(RestoreTest, executions_are_asked_of_symbols_that_changed_while_away) {
  positions.load(position("SAMEUSDT", "1", {5, 5}), true, true, "long");
  positions.load(position("MOREUSDT", "1", {5, 5}), true, true, "long");
  positions.load(position("GONEUSDT", "1", {5, 5}), true, true, "long");
  orders.load(order("STILLUSDT", "1", OrderStatus::new_, {5, 5}));
  orders.load(order("PARTUSDT", "2", OrderStatus::new_, {5, 5}));
  orders.load(order("ENDEDUSDT", "3", OrderStatus::new_, {5, 5}));
  cursors.read_from["MOREUSDT"] = "77";
  begin(60000);
  answer_all({{RequestKind::positions,
               {position("SAMEUSDT", "1", {5, 5}), position("MOREUSDT", "2", {6, 6}), position("NEWUSDT", "1", {6, 6})}},
              {RequestKind::open_orders,
               {order("STILLUSDT", "1", OrderStatus::new_, {5, 5}),
                order("PARTUSDT", "2", OrderStatus::partially_filled, {6, 6}, "1")}}});
  advance();
  std::map<std::string, std::string> from;
  for (const auto& request : answer_all())
    if (request.kind == RequestKind::executions) from[request.symbol] = request.from_id;
  EXPECT_EQ(from, (std::map<std::string, std::string>{
                      {"MOREUSDT", "77"}, {"GONEUSDT", ""}, {"NEWUSDT", ""}, {"PARTUSDT", ""}, {"ENDEDUSDT", ""}}));
  EXPECT_TRUE(restore.complete());
}

TEST_F(RestoreTest, income_names_symbols_where_closed_orders_are_refused) {
  begin(60000);
  const auto first = answer_all({{RequestKind::income_symbols, {Notice{"income", "INFO", "ETHUSDT", ""}}}},
                                {{RequestKind::closed_orders, Outcome::refused}});
  EXPECT_EQ(count(first, RequestKind::income_symbols), 1);
  advance();
  const auto second = answer_all();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].kind, RequestKind::executions);
  EXPECT_EQ(second[0].symbol, "ETHUSDT");
}

TEST_F(RestoreTest, income_is_asked_once_however_many_windows_are_refused) {
  begin(20 * kDayMs);
  const auto asked = answer_all({}, {{RequestKind::closed_orders, Outcome::refused}});
  EXPECT_EQ(count(asked, RequestKind::closed_orders), 3);
  EXPECT_EQ(count(asked, RequestKind::income_symbols), 3) << "one for each window of seven days";
}

TEST_F(RestoreTest, vanished_order_is_asked_by_id_in_the_place_of_its_kind) {
  Order stop = order("BTCUSDT", "2", OrderStatus::new_, {5, 5});
  stop.kind = OrderKind::conditional;
  orders.load(order("BTCUSDT", "1", OrderStatus::new_, {5, 5}));
  orders.load(stop);
  begin();
  answer_all();
  advance();
  const auto asked = ask();
  ASSERT_EQ(asked.size(), 2u);
  for (const auto& request : asked) {
    EXPECT_EQ(request.kind, request.order_id == "1" ? RequestKind::order : RequestKind::conditional_order);
    EXPECT_FALSE(restore.complete());
    answer(request, {}, Outcome::not_found);
  }
  EXPECT_TRUE(restore.complete());
  EXPECT_EQ(restore.gone_orders.size(), 2u);
}

TEST_F(RestoreTest, vanished_order_that_the_venue_still_knows_is_not_gone) {
  orders.load(order("BTCUSDT", "1", OrderStatus::new_, {5, 5}));
  begin();
  answer_all();
  advance();
  answer_all({{RequestKind::order, {order("BTCUSDT", "1", OrderStatus::canceled, {6, 6})}}});
  EXPECT_TRUE(restore.gone_orders.empty());
  ASSERT_EQ(restore.orders.size(), 1u);
  EXPECT_EQ(restore.orders[0].status, OrderStatus::canceled);
}

TEST_F(RestoreTest, balance_without_a_time_of_its_own_is_as_new_as_the_question) {
  begin();
  answer_all({{RequestKind::balances, {Balance{"USDT", decimal("1"), {}, {}, 0}, Balance{"BNB", decimal("1"), {}, {}, 42}}}});
  ASSERT_EQ(restore.balances.size(), 2u);
  EXPECT_GE(restore.balances[0].updated_ms, kVenueNow);
  EXPECT_EQ(restore.balances[1].updated_ms, 42);
}

TEST_F(RestoreTest, aborted_restoration_takes_no_late_answer) {
  begin();
  const auto asked = ask();
  restore.forget();
  for (const auto& request : asked) EXPECT_FALSE(answer(request, {position("BTCUSDT", "1", {1, 1})}));
  EXPECT_TRUE(restore.positions.empty());
  EXPECT_FALSE(restore.running());
  begin();
  EXPECT_EQ(ask().size(), asked.size()) << "and asks everything anew";
}

}  // namespace
}  // namespace tradesync
