#include "core/requests.hpp"

#include <gtest/gtest.h>

#include "core/test_rules_test.hpp"

namespace tradesync {
namespace {

using namespace test;
using Priority = Requests::Priority;

class RequestsTest : public testing::Test {
 protected:
  RequestsTest() { clock.add_sample(0, 10, 5000); }  // venue time = ours + 4990

  std::uint64_t ask(RequestKind kind = RequestKind::positions, Priority priority = Priority::normal, bool keep_asking = true) {
    Request request;
    request.kind = kind;
    return requests.ask(request, priority, keep_asking);
  }
  std::vector<Request> pump() {
    std::vector<Action> actions;
    requests.pump(now, actions);
    std::vector<Request> sent;
    for (auto& send : actions_of<SendRequest>(actions)) sent.push_back(send.request);
    return sent;
  }
  bool answer_with(Reply reply) { return requests.on_reply(std::move(reply), now, answer, trouble = {}); }
  bool answer_with(std::uint64_t id, Outcome outcome) { return answer_with(reply(id, outcome)); }
  // To the moment at which the next request may leave.
  void wait() { now = requests.next_deadline(now); }
  static Reply page(std::uint64_t id, const std::string& asset, const std::string& next) {
    Reply page = reply(id, Outcome::ok, {Balance{asset, {}, {}, {}, 0}});
    page.next_cursor = next;
    return page;
  }

  VenueRules rules = key_rules();
  VenueClock clock;
  Random random{1};
  Requests requests{rules, clock, random};
  Answer answer;
  Requests::Trouble trouble;
  std::int64_t now = 1000;
};

TEST_F(RequestsTest, answer_arrives_once_under_its_id) {
  const auto id = ask();
  const auto sent = pump();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].id, id);
  EXPECT_TRUE(pump().empty()) << "under way is not sent again";
  EXPECT_TRUE(answer_with(id, Outcome::ok));
  EXPECT_EQ(answer.request.id, id);
  EXPECT_FALSE(answer_with(id, Outcome::ok));
  EXPECT_FALSE(requests.waiting_for(id));
}

TEST_F(RequestsTest, pages_are_one_answer_in_their_order) {
  const auto id = ask();
  EXPECT_EQ(pump().at(0).cursor, "");
  EXPECT_FALSE(answer_with(page(id, "A", "c1")));
  EXPECT_EQ(pump().at(0).cursor, "c1");
  EXPECT_FALSE(answer_with(page(id, "B", "c2")));
  EXPECT_EQ(pump().at(0).cursor, "c2");
  ASSERT_TRUE(answer_with(page(id, "C", "")));
  ASSERT_EQ(answer.reply.facts.size(), 3u);
  EXPECT_EQ(std::get<Balance>(answer.reply.facts[0]).asset, "A");
  EXPECT_EQ(std::get<Balance>(answer.reply.facts[2]).asset, "C");
}

TEST_F(RequestsTest, answer_is_as_of_its_first_page) {
  const auto id = ask();
  pump();
  answer_with(page(id, "A", "c1"));
  now += 700;
  pump();
  answer_with(page(id, "B", ""));
  EXPECT_EQ(answer.as_of_ms, 1000 + 4990);
}

TEST_F(RequestsTest, page_that_fails_starts_over_and_nothing_partial_leaks) {
  const auto id = ask();
  pump();
  answer_with(page(id, "A", "c1"));
  pump();
  EXPECT_FALSE(answer_with(id, Outcome::failed));
  wait();
  const std::int64_t again = now;
  EXPECT_EQ(pump().at(0).cursor, "") << "from the first page";
  answer_with(page(id, "A", "c1"));
  pump();
  ASSERT_TRUE(answer_with(page(id, "B", "")));
  EXPECT_EQ(answer.reply.facts.size(), 2u);
  EXPECT_EQ(answer.as_of_ms, again + 4990);
}

TEST_F(RequestsTest, cursor_that_goes_round_in_circles_ends_the_answer) {
  const auto id = ask();
  pump();
  answer_with(page(id, "A", "c1"));
  pump();
  EXPECT_TRUE(answer_with(page(id, "B", "c1")));
}

TEST_F(RequestsTest, failure_is_repeated_slower_each_time_and_never_answered) {
  const auto id = ask();
  for (int tries = 0; tries < 50; ++tries) {
    ASSERT_EQ(pump().size(), 1u);
    ASSERT_FALSE(answer_with(id, Outcome::failed));
    ASSERT_TRUE(pump().empty()) << "not at once";
    const std::int64_t before = now;
    wait();
    ASSERT_LE(now - before, limits::kBackoffLastMs);
    ASSERT_GE(now - before, limits::kBackoffFirstMs / 2);
  }
  pump();
  EXPECT_TRUE(answer_with(id, Outcome::ok));
}

TEST_F(RequestsTest, trouble_begins_with_the_first_failure_and_ends_with_the_last) {
  const auto id = ask(), other = ask();
  pump();
  Reply failed = reply(id, Outcome::failed);
  failed.message = "HTTP 502";
  answer_with(failed);
  EXPECT_TRUE(trouble.began);
  EXPECT_EQ(requests.last_error(), "HTTP 502");
  answer_with(other, Outcome::failed);
  EXPECT_FALSE(trouble.began);
  now += limits::kBackoffLastMs;
  pump();
  answer_with(id, Outcome::ok);
  EXPECT_FALSE(trouble.ended) << "the other one still fails";
  answer_with(other, Outcome::ok);
  EXPECT_TRUE(trouble.ended);
  EXPECT_TRUE(requests.last_error().empty());
}

TEST_F(RequestsTest, refusal_is_an_answer_only_where_it_may_be_one) {
  const auto optional = ask(RequestKind::closed_orders, Priority::normal, false), needed = ask();
  pump();
  EXPECT_TRUE(answer_with(optional, Outcome::refused));
  EXPECT_EQ(answer.reply.outcome, Outcome::refused);
  EXPECT_FALSE(answer_with(needed, Outcome::refused));
  EXPECT_TRUE(requests.waiting_for(needed));
}

TEST_F(RequestsTest, order_that_is_not_found_is_an_answer) {
  const auto id = ask(RequestKind::order);
  pump();
  EXPECT_TRUE(answer_with(id, Outcome::not_found));
  EXPECT_EQ(answer.reply.outcome, Outcome::not_found);
}

TEST_F(RequestsTest, unauthorized_waits_longer_than_a_failure) {
  const auto id = ask();
  pump();
  answer_with(id, Outcome::unauthorized);
  EXPECT_GE(requests.next_deadline(now), now + limits::kUnauthorizedPauseMs);
}

TEST_F(RequestsTest, ban_pauses_every_request_until_it_is_over) {
  const auto id = ask();
  pump();
  Reply banned = reply(id, Outcome::banned);
  banned.retry_after_ms = 120000;
  answer_with(banned);
  ask(RequestKind::balances, Priority::urgent);
  EXPECT_TRUE(pump().empty());
  EXPECT_EQ(requests.next_deadline(now), now + 120000);
  now += 119999;
  EXPECT_TRUE(pump().empty());
  ++now;
  EXPECT_EQ(pump().size(), 2u);
}

TEST_F(RequestsTest, throttling_without_a_time_still_pauses) {
  const auto id = ask();
  pump();
  answer_with(id, Outcome::throttled);
  ask(RequestKind::balances);
  EXPECT_TRUE(pump().empty());
  wait();
  EXPECT_FALSE(pump().empty());
}

TEST_F(RequestsTest, refused_timestamp_forgets_the_clock_and_signed_requests_wait_for_a_new_one) {
  const auto id = ask();
  pump();
  answer_with(id, Outcome::clock);
  EXPECT_FALSE(clock.known());
  now += limits::kBackoffLastMs;
  EXPECT_TRUE(pump().empty());
  EXPECT_EQ(requests.next_deadline(now), INT64_MAX) << "only a sample of the clock helps";
  ask(RequestKind::server_time, Priority::urgent);
  ASSERT_EQ(pump().size(), 1u);
  clock.add_sample(now, now + 10, now + 5000);
  ASSERT_EQ(pump().size(), 1u);
  EXPECT_TRUE(answer_with(id, Outcome::ok));
}

TEST_F(RequestsTest, unsigned_requests_need_no_clock) {
  clock.forget();
  for (RequestKind kind :
       {RequestKind::server_time, RequestKind::instruments, RequestKind::create_listen_key, RequestKind::keep_alive_listen_key})
    ask(kind);
  ask(RequestKind::executions);
  EXPECT_EQ(pump().size(), 4u);
}

TEST_F(RequestsTest, late_reply_of_a_dropped_request_finds_nobody) {
  const auto id = ask();
  pump();
  requests.drop(id);
  requests.drop(id);
  EXPECT_FALSE(answer_with(id, Outcome::ok));
  const auto other = ask();
  pump();
  requests.drop_all();
  EXPECT_FALSE(answer_with(other, Outcome::ok));
  for (std::size_t i = 0; i < limits::kRequestsInFlight; ++i) ask();
  EXPECT_EQ(pump().size(), limits::kRequestsInFlight) << "the dropped ones hold no place";
}

TEST_F(RequestsTest, reply_to_nothing_is_ignored) {
  EXPECT_FALSE(answer_with(77, Outcome::ok));
  const auto id = ask();
  EXPECT_FALSE(answer_with(id, Outcome::ok)) << "never sent";
  EXPECT_TRUE(requests.waiting_for(id));
}

TEST_F(RequestsTest, no_more_are_under_way_than_connections) {
  for (std::size_t i = 0; i < 3 * limits::kRequestsInFlight; ++i) ask();
  const auto sent = pump();
  EXPECT_EQ(sent.size(), limits::kRequestsInFlight);
  EXPECT_EQ(requests.next_deadline(now), INT64_MAX);
  answer_with(sent[0].id, Outcome::ok);
  EXPECT_EQ(pump().size(), 1u);
}

TEST_F(RequestsTest, urgent_goes_before_normal_before_background) {
  const auto last = ask(RequestKind::positions, Priority::background);
  const auto middle = ask(RequestKind::balances, Priority::normal);
  const auto first = ask(RequestKind::create_listen_key, Priority::urgent);
  const auto sent = pump();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[0].id, first);
  EXPECT_EQ(sent[1].id, middle);
  EXPECT_EQ(sent[2].id, last);
}

TEST_F(RequestsTest, budget_bounds_what_leaves_and_says_when_more_may) {
  rules.budget = 60;
  rules.weight = [](const Request&) { return 20; };
  Requests poor(rules, clock, random);
  for (int i = 0; i < 5; ++i) poor.ask(Request{}, Priority::normal);
  std::vector<Action> actions;
  poor.pump(now, actions);
  EXPECT_EQ(actions.size(), 3u);
  const std::int64_t ready = poor.next_deadline(now);
  EXPECT_GT(ready, now);
  poor.pump(ready - 10, actions);
  EXPECT_EQ(actions.size(), 3u);
  poor.pump(ready, actions);
  EXPECT_EQ(actions.size(), 4u);
}

TEST_F(RequestsTest, weight_that_the_venue_counts_holds_further_requests_back) {
  const auto id = ask();
  pump();
  Reply heavy = reply(id, Outcome::ok);
  heavy.used_weight = 2000;
  answer_with(heavy);
  ask();
  EXPECT_TRUE(pump().empty());
}

}  // namespace
}  // namespace tradesync
