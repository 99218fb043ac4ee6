#include "core/stop_price.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"

namespace tradesync {
namespace {

Decimal decimal(std::string_view text) { return *Decimal::parse(text); }
std::string said(const std::optional<Decimal>& price) { return price ? price->text() : "none"; }
std::string by_percent(std::string_view entry, std::string_view percent, bool is_long, std::string_view tick) {
  return said(stop_by_percent(decimal(entry), decimal(percent), is_long, decimal(tick)));
}
std::string beside(std::string_view wanted, std::string_view mark, bool is_long, std::string_view tick, int rejections) {
  return said(stop_beside_mark(decimal(wanted), decimal(mark), is_long, decimal(tick), rejections));
}

TEST(StopPrice, percent_of_entry_is_rounded_away_from_the_risk) {
  EXPECT_EQ(by_percent("100", "2", true, "0.1"), "98");
  EXPECT_EQ(by_percent("100", "2", false, "0.1"), "102");
  EXPECT_EQ(by_percent("63920.1", "2", true, "0.1"), "62641.7");   // 62641.698
  EXPECT_EQ(by_percent("63920.1", "2", false, "0.1"), "65198.5");  // 65198.502
  EXPECT_EQ(by_percent("1.33654", "4", true, "0.00001"), "1.28308");
  EXPECT_EQ(by_percent("0.000000012", "2.5", true, "0.0000000001"), "0.0000000117");
  EXPECT_EQ(by_percent("43.333333333333333333", "3", false, "0.05"), "44.6");
}

TEST(StopPrice, what_is_not_a_price_is_none) {
  EXPECT_EQ(by_percent("100", "100", true, "0.1"), "none");
  EXPECT_EQ(by_percent("100", "400", true, "0.1"), "none");  // a fraction taken for a percent
  EXPECT_EQ(by_percent("100", "400", false, "0.1"), "500");
  EXPECT_EQ(by_percent("100", "0", true, "0.1"), "none");
  EXPECT_EQ(by_percent("100", "-2", true, "0.1"), "none");
  EXPECT_EQ(by_percent("0", "2", true, "0.1"), "none");
  EXPECT_EQ(by_percent("-5", "2", true, "0.1"), "none");
  EXPECT_EQ(by_percent("100", "2", true, "0"), "none");
  EXPECT_EQ(by_percent("99999999999999999999999999999999999999", "2", false, "0.1"), "none");
}

TEST(StopPrice, far_enough_from_mark_it_stays) {
  EXPECT_EQ(beside("98", "100", true, "0.1", 0), "98");
  EXPECT_EQ(beside("99.9", "100", true, "0.1", 0), "99.9");
  EXPECT_EQ(beside("100.1", "100", false, "0.1", 0), "100.1");
  EXPECT_EQ(beside("98", "100", true, "0.1", 2), "98");
}

TEST(StopPrice, too_near_or_beyond_mark_it_moves_away) {
  EXPECT_EQ(beside("99.95", "100", true, "0.01", 0), "99.9");
  EXPECT_EQ(beside("101", "100", true, "0.01", 0), "99.9");
  EXPECT_EQ(beside("100.05", "100", false, "0.01", 0), "100.1");
  EXPECT_EQ(beside("99", "100", false, "0.01", 0), "100.1");
  EXPECT_EQ(beside("101", "100", true, "0.01", 1), "99.4");
  EXPECT_EQ(beside("99", "100", false, "0.01", 2), "101.1");
  // Rounded away from mark.
  EXPECT_EQ(beside("63918", "63918.24", true, "0.1", 0), "63854.3");   // 63854.32176
  EXPECT_EQ(beside("63918", "63918.24", false, "0.1", 0), "63982.2");  // 63982.15824
}

TEST(StopPrice, what_the_venue_refused_is_not_sent_again) {
  EXPECT_EQ(beside("99.7", "100", true, "0.1", 0), "99.7");
  EXPECT_EQ(beside("99.7", "100", true, "0.1", 1), "99.4");
  EXPECT_EQ(beside("100.3", "100", false, "0.1", 1), "100.6");
}

TEST(StopPrice, beside_a_mark_that_is_none_there_is_no_stop) {
  EXPECT_EQ(beside("98", "0", true, "0.1", 0), "none");
  EXPECT_EQ(beside("0", "100", true, "0.1", 0), "none");
  EXPECT_EQ(beside("101", "100", true, "0", 0), "none");
  EXPECT_EQ(beside("0.2", "0.1", true, "0.1", 0), "none");  // the tick below is zero
  EXPECT_EQ(beside("101", "100", true, "0.1", 200), "none");
  EXPECT_EQ(beside("98", "100", true, "0.1", -1), "none");
}

TEST(StopPrice, errors_name_the_numbers) {
  const auto stop = [](std::string_view price, std::string_view mark, bool is_long) {
    return stop_error(decimal(price), decimal(mark), is_long, decimal("0.1"), "BTCUSDT");
  };
  EXPECT_EQ(stop("99.9", "100", true), "");
  EXPECT_EQ(stop("100.1", "100", false), "");
  EXPECT_EQ(stop("100", "100", true), "stop 100 of a long must be below mark price 100 of BTCUSDT");
  EXPECT_EQ(stop("100", "100", false), "stop 100 of a short must be above mark price 100 of BTCUSDT");
  EXPECT_EQ(stop("99.95", "100", true), "stop 99.95 is not a multiple of tick_size 0.1 of BTCUSDT");
  EXPECT_EQ(stop("-1", "100", true), "stop -1 of BTCUSDT is not a price above zero");
  EXPECT_EQ(stop("99", "0", true), "no mark price of BTCUSDT is known to check stop 99");
  EXPECT_EQ(stop_error(decimal("99"), decimal("100"), true, Decimal(), "BTCUSDT"), "tick_size 0 of BTCUSDT is not usable");

  const auto target = [](std::string_view price, bool is_long) {
    return take_profit_error(decimal(price), decimal("100"), is_long, decimal("0.1"), "BTCUSDT");
  };
  EXPECT_EQ(target("100.1", true), "");
  EXPECT_EQ(target("99.9", false), "");
  EXPECT_EQ(target("99.9", true), "take profit 99.9 of a long must be above mark price 100 of BTCUSDT");
  EXPECT_EQ(target("100.1", false), "take profit 100.1 of a short must be below mark price 100 of BTCUSDT");
}

// Whatever the numbers: the stop is on the tick, on the losing side, at least the distance away and not a tick further.
TEST(StopPrice, a_moved_stop_lies_just_beyond_its_distance) {
  Random random(5);
  int moved = 0;
  for (int round = 0; round < 5000; ++round) {
    const Decimal tick = *divide(Decimal(1 + random.up_to(4)), Decimal(10), 1, Rounding::down);
    const Decimal mark = *divide(Decimal(10000 + random.up_to(9000000)), Decimal(100), 2, Rounding::down);
    const Decimal wanted = *to_step(*add(mark, Decimal(random.up_to(200) - 100)), tick, Rounding::down);
    const bool is_long = random.up_to(1) == 1;
    const int rejections = static_cast<int>(random.up_to(3));
    if (!wanted.is_positive()) continue;
    const auto stop = stop_beside_mark(wanted, mark, is_long, tick, rejections);
    ASSERT_TRUE(stop);
    const Decimal away = is_long ? *subtract(mark, *stop) : *subtract(*stop, mark);
    const Decimal least = *divide(*multiply(mark, Decimal(1 + 5 * rejections)), Decimal(1000), 10, Rounding::up);
    ASSERT_GE(away, least) << wanted.text() << " beside " << mark.text();
    ASSERT_EQ(stop_error(*stop, mark, is_long, tick, "X"), "");
    if (*stop == wanted) continue;
    ++moved;
    ASSERT_LT(*subtract(away, least), tick) << wanted.text() << " beside " << mark.text();
  }
  EXPECT_GT(moved, 1000);
}

}  // namespace
}  // namespace tradesync
