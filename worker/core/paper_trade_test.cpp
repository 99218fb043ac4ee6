#include "core/paper_trade.hpp"

#include <gtest/gtest.h>

namespace tradesync {
namespace {

Decimal decimal(std::string_view text) { return *Decimal::parse(text); }
std::string booked(std::string_view held, std::string_view entry, std::string_view filled, std::string_view price) {
  const auto after = book(decimal(held), decimal(entry), decimal(filled), decimal(price));
  if (!after) return "none";
  return after->quantity.text() + " at " + after->entry_price.text() + ", realized " + after->realized_pnl.text() + " of " +
         after->closed_quantity.text();
}

TEST(PaperTrade, opening_takes_the_price_and_adding_averages_it) {
  EXPECT_EQ(booked("0", "0", "2", "100"), "2 at 100, realized 0 of 0");
  EXPECT_EQ(booked("0", "0", "-2", "100"), "-2 at 100, realized 0 of 0");
  EXPECT_EQ(booked("0.03", "61234.5", "0.02", "61234.6"), "0.05 at 61234.54, realized 0 of 0");
  EXPECT_EQ(booked("-1", "100", "-2", "103"), "-3 at 102, realized 0 of 0");
  EXPECT_EQ(booked("1", "100", "2", "101"), "3 at 100.666666666666666667, realized 0 of 0");
}

TEST(PaperTrade, closing_keeps_the_entry_price_and_realizes) {
  EXPECT_EQ(booked("2", "100", "-0.5", "110"), "1.5 at 100, realized 5 of 0.5");
  EXPECT_EQ(booked("-2", "100", "0.5", "110"), "-1.5 at 100, realized -5 of 0.5");
  EXPECT_EQ(booked("2", "100", "-2", "90"), "0 at 0, realized -20 of 2");
  EXPECT_EQ(booked("-2", "100", "2", "90"), "0 at 0, realized 20 of 2");
  EXPECT_EQ(booked("0.05", "61234.54", "-0.05", "59990"), "0 at 0, realized -62.227 of 0.05");
}

TEST(PaperTrade, a_flip_closes_all_and_opens_the_rest_at_the_price) {
  EXPECT_EQ(booked("2", "100", "-5", "110"), "-3 at 110, realized 20 of 2");
  EXPECT_EQ(booked("-2", "100", "5", "110"), "3 at 110, realized -20 of 2");
}

TEST(PaperTrade, what_does_not_fit_is_nothing) {
  const std::string huge = "99999999999999999999999999999999999999";
  EXPECT_EQ(booked(huge, "1", "1", "1"), "none");
  EXPECT_EQ(booked(huge, "2", "-3.5", huge), "none");
  EXPECT_EQ(booked("3", huge, "1", "1"), "none");
}

}  // namespace
}  // namespace tradesync
