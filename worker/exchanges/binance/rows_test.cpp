#include <gtest/gtest.h>

#include "exchanges/binance/examples_test.hpp"

namespace tradesync::binance::test {
namespace {

std::string cleaned(std::string_view price) { return without_float_noise(dec(price)).text(); }

TEST(BinanceRows, binary_noise_is_rounded_away) {
  EXPECT_EQ(cleaned("147.30000000000001"), "147.3");
  EXPECT_EQ(cleaned("147.29999999999998"), "147.3");
  EXPECT_EQ(cleaned("0.30000000000000004"), "0.3");
  EXPECT_EQ(cleaned("0.00012300000000000001"), "0.000123");
  EXPECT_EQ(cleaned("61234.540000000001"), "61234.54");
  EXPECT_EQ(cleaned("149.99999999999997"), "150");
  EXPECT_EQ(cleaned("0.99999999999999989"), "1");
  EXPECT_EQ(cleaned("99999.999999999985"), "100000");
  EXPECT_EQ(cleaned("-147.30000000000001"), "-147.3");
}

TEST(BinanceRows, exact_prices_keep_every_digit) {
  for (const std::string_view price : {"0", "61234.54", "0.00001234", "61234.53333333333333", "1234567.890123456789",
                                       "61234.0000000001", "147.300000000001", "61234.533333333301",
                                       "61234.54321199989"})
    EXPECT_EQ(cleaned(price), price);
}

TEST(BinanceRows, a_number_at_the_start_of_a_text_is_read_and_nothing_else) {
  EXPECT_EQ(leading_integer("1795226400000. Please"), 1795226400000);
  EXPECT_EQ(leading_integer("12"), 12);
  for (const std::string_view text : {"", "soon", "-5", " 5", "99999999999999999999"}) EXPECT_EQ(leading_integer(text), std::nullopt);
}

TEST(BinanceRows, the_first_fault_is_named_and_its_row_left_out) {
  Facts facts;
  std::string error;
  Rows rows{facts, error};
  json::Fields first{json::Value()}, second{json::Value()};
  EXPECT_FALSE(rows.add(first, "here", Pong{}));
  second.fail("x", "later");
  EXPECT_FALSE(rows.add(second, "there", 3, Pong{}));
  EXPECT_TRUE(facts.empty());
  EXPECT_EQ(error, "here.row: not an object");
}

}  // namespace
}  // namespace tradesync::binance::test
