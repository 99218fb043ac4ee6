#include "core/venue_clock.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"

namespace tradesync {
namespace {

constexpr std::int64_t kVenueStart = 1785000000000;

TEST(VenueClock, knows_nothing_before_the_first_sample_and_after_forgetting) {
  VenueClock clock;
  EXPECT_FALSE(clock.known());
  clock.add_sample(100, 200, kVenueStart);
  EXPECT_TRUE(clock.known());
  clock.forget();
  EXPECT_FALSE(clock.known());
}

TEST(VenueClock, signs_with_the_earliest_time_that_one_sample_allows) {
  VenueClock clock;
  clock.add_sample(1000, 1100, 5050);
  EXPECT_EQ(clock.venue_now(1100), 5050);
  EXPECT_EQ(clock.uncertainty_ms(), 100);
}

TEST(VenueClock, never_runs_ahead_of_the_venue_whatever_the_network_does) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    Random random(seed);
    const std::int64_t offset = kVenueStart + random.up_to(1000000);
    VenueClock clock;
    std::int64_t now = 1000, best = INT64_MAX;
    for (int samples = 0; samples < 30; ++samples) {
      const std::int64_t out = random.up_to(400), back = random.up_to(400);
      clock.add_sample(now, now + out + back, now + out + offset);
      best = std::min(best, out + back);
      now += out + back + random.up_to(60000);
      ASSERT_LE(clock.venue_now(now), now + offset) << "seed " << seed;
      ASSERT_GE(clock.venue_now(now), now + offset - clock.uncertainty_ms()) << "seed " << seed;
    }
    ASSERT_LE(best, clock.uncertainty_ms());
  }
}

TEST(VenueClock, slower_sample_does_not_replace_a_quicker_one) {
  VenueClock clock;
  clock.add_sample(1000, 1010, 5005);
  clock.add_sample(2000, 2300, 6100);
  EXPECT_EQ(clock.uncertainty_ms(), 10);
  clock.add_sample(3000, 3005, 7002);
  EXPECT_EQ(clock.uncertainty_ms(), 5);
}

TEST(VenueClock, old_sample_makes_room_for_a_slower_fresh_one) {
  VenueClock clock;
  clock.add_sample(1000, 1010, 5005);
  const std::int64_t later = 1010 + limits::kClockSampleAgeMs + 1;
  clock.add_sample(later - 300, later, later + 4000);
  EXPECT_EQ(clock.uncertainty_ms(), 300);
}

// The venue's clock was set, or our machine slept: a sample that cannot be true together with the kept one replaces it.
TEST(VenueClock, jump_of_a_clock_is_believed_at_once) {
  VenueClock clock;
  clock.add_sample(1000, 1010, 5005);
  clock.add_sample(2000, 2300, 6100 - 3000);
  EXPECT_EQ(clock.venue_now(2300), 3100);
  clock.add_sample(3000, 3400, 9000);
  EXPECT_EQ(clock.venue_now(3400), 9000);
}

TEST(VenueClock, sample_at_the_edge_of_the_possible_is_no_jump) {
  VenueClock clock;
  clock.add_sample(1000, 1100, 5100);  // offset in [4000, 4100]
  clock.add_sample(2000, 2200, 6100);  // offset in [3900, 4100]
  EXPECT_EQ(clock.uncertainty_ms(), 100);
}

}  // namespace
}  // namespace tradesync
