#include "core/backoff.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tradesync {
namespace {

TEST(Backoff, pauses_stay_between_half_the_first_step_and_a_doubling_ceiling) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    Backoff backoff;
    std::int64_t ceiling = limits::kBackoffFirstMs;
    for (int tries = 0; tries < 20; ++tries) {
      const std::int64_t pause = backoff.next(random);
      ASSERT_GE(pause, limits::kBackoffFirstMs / 2);
      ASSERT_LE(pause, ceiling);
      ceiling = std::min(ceiling * 2, limits::kBackoffLastMs);
    }
  }
}

TEST(Backoff, reaches_its_last_step_and_uses_all_of_it) {
  Random random(1);
  Backoff backoff;
  std::int64_t longest = 0, shortest = limits::kBackoffLastMs;
  for (int tries = 0; tries < 2000; ++tries) {
    const std::int64_t pause = backoff.next(random);
    longest = std::max(longest, pause);
    if (tries > 10) shortest = std::min(shortest, pause);
  }
  EXPECT_GT(longest, limits::kBackoffLastMs * 9 / 10);
  EXPECT_LT(shortest, limits::kBackoffLastMs / 10) << "full jitter also returns early";
}

TEST(Backoff, reset_starts_anew) {
  Random random(1);
  Backoff backoff;
  for (int tries = 0; tries < 20; ++tries) backoff.next(random);
  backoff.reset();
  EXPECT_LE(backoff.next(random), limits::kBackoffFirstMs);
}

TEST(Backoff, same_seed_gives_the_same_pauses) {
  Random one(9), two(9), other(10);
  Backoff a, b, c;
  bool differs = false;
  for (int tries = 0; tries < 20; ++tries) {
    const std::int64_t pause = a.next(one);
    EXPECT_EQ(pause, b.next(two));
    differs |= pause != c.next(other);
  }
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace tradesync
