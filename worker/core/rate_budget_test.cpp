#include "core/rate_budget.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"

namespace tradesync {
namespace {

TEST(RateBudget, is_spent_and_refills_with_time) {
  RateBudget budget(10, 1000);
  EXPECT_TRUE(budget.take(10, 1));
  EXPECT_FALSE(budget.take(1, 1));
  EXPECT_FALSE(budget.take(1, 50));
  EXPECT_TRUE(budget.take(1, 101));
  EXPECT_TRUE(budget.take(9, 1001));
}

TEST(RateBudget, idle_time_saves_no_more_than_one_window) {
  RateBudget budget(10, 1000);
  EXPECT_TRUE(budget.take(10, 1));
  EXPECT_TRUE(budget.take(10, 1000000));
  EXPECT_FALSE(budget.take(1, 1000000));
}

TEST(RateBudget, request_heavier_than_the_budget_takes_all_of_it) {
  RateBudget budget(10, 1000);
  EXPECT_TRUE(budget.take(40, 1));
  EXPECT_FALSE(budget.take(1, 1));
  EXPECT_FALSE(budget.take(40, 1000));
  EXPECT_TRUE(budget.take(40, 1001));
}

TEST(RateBudget, a_take_succeeds_when_it_was_said_to_be_ready) {
  Random random(3);
  RateBudget budget(2000, 60000);
  std::int64_t now = 1;
  for (int round = 0; round < 5000; ++round) {
    const int weight = 1 + static_cast<int>(random.up_to(99));
    const std::int64_t ready = budget.ready_at(weight, now);
    ASSERT_TRUE(ready == now || !budget.take(weight, now));
    ASSERT_TRUE(budget.take(weight, ready));
    now = ready + random.up_to(20);
  }
}

TEST(RateBudget, never_gives_more_than_two_windows_worth_in_one_window) {
  Random random(4);
  RateBudget budget(100, 1000);
  std::int64_t given = 0, now = 1;
  for (; now <= 10000; now += 1 + random.up_to(3))
    if (budget.take(7, now)) given += 7;
  EXPECT_LE(given, 100 + 10 * 100);
  EXPECT_GE(given, 10 * 100 * 9 / 10) << "what it has it gives";
}

TEST(RateBudget, count_of_the_venue_wins_when_it_is_higher) {
  RateBudget budget(10, 1000);
  budget.correct(8, 1);
  EXPECT_FALSE(budget.take(3, 1));
  EXPECT_TRUE(budget.take(2, 1));
  budget.correct(0, 1);
  EXPECT_FALSE(budget.take(1, 1)) << "a lower count gives nothing back";
}

TEST(RateBudget, more_used_than_there_is_leaves_nothing_rather_than_a_debt) {
  RateBudget budget(10, 1000);
  budget.correct(500, 1);
  EXPECT_FALSE(budget.take(1, 1));
  EXPECT_TRUE(budget.take(10, 1001));
}

TEST(RateBudget, pause_stops_everything_and_is_never_shortened) {
  RateBudget budget(10, 1000);
  budget.pause_until(5000);
  budget.pause_until(3000);
  EXPECT_TRUE(budget.paused(4999));
  EXPECT_FALSE(budget.take(1, 4999));
  EXPECT_EQ(budget.ready_at(1, 100), 5000);
  EXPECT_FALSE(budget.paused(5000));
  EXPECT_TRUE(budget.take(1, 5000));
}

TEST(RateBudget, clock_that_stands_still_refills_nothing) {
  RateBudget budget(10, 1000);
  EXPECT_TRUE(budget.take(10, 500));
  EXPECT_FALSE(budget.take(1, 400));
  EXPECT_FALSE(budget.take(1, 500));
}

}  // namespace
}  // namespace tradesync
