// Decimal: exact from text to text, and honest about what it cannot hold.
#include "market/decimal.hpp"

#include <gtest/gtest.h>

using market::Decimal;

TEST(Decimal, text_survives_a_round_trip) {
    for (const char* text : {"0", "0.02", "-3", "63920.1", "0.0000001", "-0.000000000001", "99999999999999"})
        EXPECT_EQ(Decimal::of(text).text(), text);
}

TEST(Decimal, trailing_zeros_are_trimmed_or_padded_as_asked) {
    EXPECT_EQ(Decimal::of("63920.10").text(), "63920.1");
    EXPECT_EQ(Decimal::of("63920.1").fixed(2), "63920.10");
    EXPECT_EQ(Decimal::of("-0.001").fixed(2), "0.00");
}

TEST(Decimal, what_is_no_plain_decimal_is_refused) {
    for (const char* text : {"", "-", ".", "1.", ".5", "1e5", "0x1", "1,5", " 1", "1.0000000000001", "100000000000000", "--1"})
        EXPECT_FALSE(Decimal::parse(text)) << text;
}

TEST(Decimal, products_and_quotients_are_exact_where_binary_floating_point_is_not) {
    EXPECT_EQ((Decimal::of("0.1") * Decimal::of("3")).text(), "0.3");
    EXPECT_EQ((Decimal::of("1278.402") * Decimal::of("0.00055")).text(), "0.7031211");
    EXPECT_EQ((Decimal(1) / Decimal(3)).text(), "0.333333333333");
    EXPECT_THROW(Decimal(1) / Decimal(), std::domain_error);
}

TEST(Decimal, money_rounds_half_away_from_zero_at_eight_digits) {
    EXPECT_EQ(Decimal::of("63.153630225").money().text(), "63.15363023");
    EXPECT_EQ(Decimal::of("-63.153630225").money().text(), "-63.15363023");
}

TEST(Decimal, steps_round_towards_zero) {
    EXPECT_EQ(Decimal::of("0.0239").floor_to(Decimal::of("0.001")).text(), "0.023");
    EXPECT_TRUE(Decimal::of("0.023").is_multiple_of(Decimal::of("0.001")));
    EXPECT_FALSE(Decimal::of("0.0235").is_multiple_of(Decimal::of("0.001")));
}
