#include "core/sizing.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"

namespace tradesync {
namespace {

Decimal decimal(std::string_view text) { return *Decimal::parse(text); }

Instrument btc() {
  Instrument instrument;
  instrument.symbol = "BTCUSDT";
  instrument.status = "trading";
  instrument.tick_size = decimal("0.1");
  instrument.quantity_step = decimal("0.001");
  instrument.min_quantity = decimal("0.001");
  instrument.max_quantity = decimal("1000");
  instrument.max_market_quantity = decimal("120");
  instrument.min_notional = decimal("100");
  return instrument;
}

Sized by_quantity(const Instrument& instrument, std::string_view quantity, std::string_view price) {
  return size_entry(instrument, decimal(quantity), std::nullopt, decimal(price));
}
Sized by_notional(const Instrument& instrument, std::string_view notional, std::string_view price) {
  return size_entry(instrument, std::nullopt, decimal(notional), decimal(price));
}

TEST(Sizing, a_quantity_that_fits_is_taken_as_it_is) {
  const Sized sized = by_quantity(btc(), "0.020", "63920.1");
  EXPECT_EQ(sized.error, "");
  EXPECT_EQ(sized.quantity.text(), "0.02");
}

TEST(Sizing, a_quantity_that_the_venue_would_refuse_is_refused_with_the_filter) {
  EXPECT_EQ(by_quantity(btc(), "0.0204", "60000").error, "quantity 0.0204 is not a multiple of quantity_step 0.001 of BTCUSDT");
  EXPECT_EQ(by_quantity(btc(), "121", "60000").error, "quantity 121 is above max_market_quantity 120 of BTCUSDT");
  EXPECT_EQ(by_quantity(btc(), "0.001", "60000").error,
            "quantity 0.001 at price 60000 is worth 60, below min_notional 100 of BTCUSDT");
  EXPECT_EQ(by_quantity(btc(), "0", "60000").error, "quantity 0 of BTCUSDT is not above zero");
  EXPECT_EQ(by_quantity(btc(), "-1", "60000").error, "quantity -1 of BTCUSDT is not above zero");
  Instrument coarse = btc();
  coarse.min_quantity = decimal("0.005");
  EXPECT_EQ(by_quantity(coarse, "0.004", "60000").error, "quantity 0.004 is below min_quantity 0.005 of BTCUSDT");
}

TEST(Sizing, a_limit_of_zero_is_no_limit) {
  Instrument loose = btc();
  loose.max_market_quantity = Decimal();
  EXPECT_EQ(by_quantity(loose, "500", "60000").quantity.text(), "500");
  EXPECT_EQ(by_quantity(loose, "1001", "60000").error, "quantity 1001 is above max_quantity 1000 of BTCUSDT");
  loose.max_quantity = loose.min_quantity = loose.min_notional = Decimal();
  EXPECT_EQ(by_quantity(loose, "5000", "60000").quantity.text(), "5000");
  EXPECT_EQ(by_notional(loose, "60", "60000").quantity.text(), "0.001");
}

TEST(Sizing, an_entry_needs_a_trading_symbol_a_step_and_a_price) {
  Instrument closed = btc();
  closed.status = "settling";
  EXPECT_EQ(by_quantity(closed, "1", "60000").error, "BTCUSDT is not trading: its status is 'settling'");
  Instrument stepless = btc();
  stepless.quantity_step = Decimal();
  EXPECT_EQ(by_notional(stepless, "100", "60000").error, "quantity_step 0 of BTCUSDT is not usable");
  EXPECT_EQ(by_quantity(btc(), "1", "0").error, "no price of BTCUSDT is known");
  EXPECT_EQ(size_entry(btc(), std::nullopt, std::nullopt, Decimal(1)).error,
            "either a quantity or a notional of BTCUSDT must be given, and not both");
  EXPECT_NE(size_entry(btc(), Decimal(1), Decimal(1), Decimal(1)).error, "");
}

TEST(Sizing, a_notional_is_cut_down_to_the_step) {
  EXPECT_EQ(by_notional(btc(), "1000", "63920.1").quantity.text(), "0.015");  // 0.01564…
  EXPECT_EQ(by_notional(btc(), "600", "60000").quantity.text(), "0.01");      // exactly
  EXPECT_EQ(by_notional(btc(), "0", "60000").error, "notional 0 of BTCUSDT is not above zero");
  EXPECT_EQ(by_notional(btc(), "10000000", "60000").error, "quantity 166.666 is above max_market_quantity 120 of BTCUSDT");
}

// AAVE: 0.1 at least, steps of 0.1; the legacy bot compared 0.19 with the minimum and sent 0.1 after the cut.
TEST(Sizing, minimum_is_compared_after_the_cut) {
  Instrument aave = btc();
  aave.quantity_step = decimal("0.1");
  aave.min_quantity = decimal("0.2");
  aave.min_notional = decimal("5");
  EXPECT_EQ(by_notional(aave, "60", "300").quantity.text(), "0.2");
  EXPECT_EQ(by_notional(aave, "56", "300").quantity.text(), "0.2");  // 60 is 7 % more than 56
  EXPECT_EQ(by_notional(aave, "54", "300").error,
            "notional 54 at price 300 buys quantity 0.1; the least allowed by min_quantity 0.2, min_notional 5 and "
            "quantity_step 0.1 of BTCUSDT is 0.2, which costs 60: more than 10 % above");
}

TEST(Sizing, minimum_is_taken_up_to_ten_percent_above) {
  // min_notional 100 at 1000: 0.1 exactly.
  EXPECT_EQ(by_notional(btc(), "91", "1000").quantity.text(), "0.1");
  EXPECT_EQ(by_notional(btc(), "90.91", "1000").quantity.text(), "0.1");
  EXPECT_NE(by_notional(btc(), "90.9", "1000").error, "");
  // A minimum off the step is taken up to the next step.
  Instrument odd = btc();
  odd.min_notional = decimal("100.5");
  odd.quantity_step = decimal("0.01");
  EXPECT_EQ(by_notional(odd, "100.5", "1000").quantity.text(), "0.11");
  EXPECT_NE(by_notional(odd, "99", "1000").error, "");
}

TEST(Sizing, numbers_that_do_not_fit_are_an_error) {
  const std::string huge = "99999999999999999999999999999999999999";
  EXPECT_EQ(by_notional(btc(), huge, "0.1").error, "the numbers given for BTCUSDT are too large");
  Instrument loose = btc();
  loose.max_market_quantity = loose.max_quantity = Decimal();
  EXPECT_EQ(by_quantity(loose, "10000000000000000000", huge).error, "the numbers given for BTCUSDT are too large");
  EXPECT_NE(by_quantity(loose, huge, "0.1").error, "");  // not even its steps can be counted
}

TEST(Sizing, a_close_takes_at_most_what_is_held) {
  const auto close = [](std::string_view quantity, std::string_view held) {
    return size_close(btc(), decimal(quantity), decimal(held));
  };
  EXPECT_EQ(size_close(btc(), std::nullopt, decimal("0.02")).quantity.text(), "0.02");
  EXPECT_EQ(size_close(btc(), std::nullopt, decimal("-0.02")).quantity.text(), "0.02");
  EXPECT_EQ(close("0.05", "0.02").quantity.text(), "0.02");
  EXPECT_EQ(close("0.0155", "0.02").quantity.text(), "0.015");
  EXPECT_EQ(size_close(btc(), std::nullopt, decimal("0.0205")).quantity.text(), "0.0205");  // all of it, as it is
  EXPECT_EQ(size_close(btc(), std::nullopt, decimal("300")).quantity.text(), "120");
  EXPECT_EQ(close("0.0005", "0.02").error, "quantity 0.0005 is below quantity_step 0.001 of BTCUSDT");
  EXPECT_EQ(close("0", "0.02").error, "quantity 0 of BTCUSDT is not above zero");
  EXPECT_EQ(size_close(btc(), std::nullopt, Decimal()).error, "nothing of BTCUSDT is held");
  Instrument coarse = btc();
  coarse.min_quantity = decimal("0.01");
  EXPECT_EQ(size_close(coarse, decimal("0.005"), decimal("0.02")).error, "quantity 0.005 is below min_quantity 0.01 of BTCUSDT");
  EXPECT_EQ(size_close(coarse, std::nullopt, decimal("0.005")).quantity.text(), "0.005");  // dust must be closable
  coarse.quantity_step = Decimal();
  EXPECT_EQ(size_close(coarse, decimal("0.015"), decimal("0.02")).error, "quantity_step 0 of BTCUSDT is not usable");
}

// Whatever is sized satisfies every filter and costs what was asked, or at most 10 % more where it is the smallest allowed.
TEST(Sizing, whatever_is_sized_passes_the_filters) {
  Random random(3);
  int sized_up = 0, refused = 0, cut = 0;
  for (int round = 0; round < 10000; ++round) {
    Instrument instrument = btc();
    instrument.quantity_step = *divide(Decimal(1 + random.up_to(4)), Decimal(1000), 3, Rounding::down);
    instrument.min_quantity = *multiply(instrument.quantity_step, Decimal(random.up_to(20)));
    instrument.min_notional = Decimal(random.up_to(20));
    instrument.max_market_quantity = Decimal(1 + random.up_to(3));
    const Decimal price = *divide(Decimal(1 + random.up_to(1000000)), Decimal(100), 2, Rounding::down);
    const Decimal notional = *divide(Decimal(1 + random.up_to(10000)), Decimal(100), 2, Rounding::down);
    const Sized sized = size_entry(instrument, std::nullopt, notional, price);
    if (!sized.error.empty()) {
      ++refused;
      continue;
    }
    const Decimal cost = *multiply(sized.quantity, price);
    ASSERT_TRUE(sized.quantity.is_positive());
    ASSERT_EQ(to_step(sized.quantity, instrument.quantity_step, Rounding::down), sized.quantity);
    ASSERT_GE(sized.quantity, instrument.min_quantity);
    ASSERT_LE(sized.quantity, instrument.max_market_quantity);
    ASSERT_GE(cost, instrument.min_notional);
    if (cost > notional) {
      ++sized_up;
      ASSERT_LE(cost, *multiply(notional, decimal("1.1")));
      const Decimal one_less = *subtract(sized.quantity, instrument.quantity_step);
      ASSERT_TRUE(one_less.is_zero() || one_less < instrument.min_quantity ||
                  *multiply(one_less, price) < instrument.min_notional);
    } else {
      ++cut;
      ASSERT_GT(*add(cost, *multiply(instrument.quantity_step, price)), notional);
    }
    ASSERT_EQ(size_entry(instrument, sized.quantity, std::nullopt, price).error, "");
  }
  EXPECT_GT(sized_up, 50);
  EXPECT_GT(cut, 1000);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace tradesync
