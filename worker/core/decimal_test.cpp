// Decimal against a slow oracle that knows nothing but digits in strings.
#include "core/decimal.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.hpp"

namespace tradesync {
namespace {

Decimal decimal(std::string_view text) {
  const auto value = Decimal::parse(text);
  EXPECT_TRUE(value.has_value()) << text;
  return value.value_or(Decimal());
}

std::string nines(int count) { return std::string(static_cast<std::size_t>(count), '9'); }

TEST(Decimal, text_is_plain_and_shortest) {
  EXPECT_EQ(decimal("-12.500").text(), "-12.5");
  EXPECT_EQ(decimal("+007").text(), "7");
  EXPECT_EQ(decimal("5.0E-4").text(), "0.0005");
  EXPECT_EQ(decimal("1.2e+3").text(), "1200");
  EXPECT_EQ(decimal("1E-8").text(), "0.00000001");
  EXPECT_EQ(decimal(".5").text(), "0.5");
  EXPECT_EQ(decimal("5.").text(), "5");
  EXPECT_EQ(decimal("-0.000").text(), "0");
  EXPECT_EQ(decimal("1000").text(), "1000");
  EXPECT_EQ(decimal("1000.0010").text(), "1000.001");
  EXPECT_EQ(Decimal(-42).text(), "-42");
  EXPECT_EQ(Decimal().text(), "0");
}

TEST(Decimal, what_is_no_number_is_refused) {
  for (const char* text :
       {"",    "-",   "+",         ".",    "-.",  "e5",    "1e",  "1e+", "1e1.5", "1e61", "1e-61", "1e00005", "NaN",
        "nan", "inf", "-Infinity", "0x10", "1,5", "1.2.3", "--1", "+-1", " 1",    "1 ",   "1_000", "1e5x",    "١"})
    EXPECT_FALSE(Decimal::parse(text)) << '"' << text << '"';
}

TEST(Decimal, nul_inside_the_text_is_refused) { EXPECT_FALSE(Decimal::parse(std::string_view("1\0002", 3))); }

TEST(Decimal, thirty_eight_digits_fit_and_thirty_nine_do_not) {
  EXPECT_EQ(decimal(nines(38)).text(), nines(38));
  EXPECT_EQ(decimal("-" + nines(38)).text(), "-" + nines(38));
  EXPECT_EQ(decimal(nines(19) + "." + nines(19)).text(), nines(19) + "." + nines(19));
  EXPECT_EQ(decimal(nines(38)).significant_digits(), 38);
  EXPECT_FALSE(Decimal::parse(nines(39)));
  EXPECT_FALSE(Decimal::parse("0." + nines(39)));
  EXPECT_FALSE(Decimal::parse(nines(40)));
  EXPECT_FALSE(Decimal::parse("1" + std::string(38, '0')));  // 39 digits before the point have no room
  EXPECT_FALSE(Decimal::parse("1" + std::string(37, '0') + "1"));
}

TEST(Decimal, trailing_zeros_of_any_length_cost_no_digits) {
  EXPECT_EQ(decimal(nines(20) + "." + nines(18) + std::string(50, '0')).text(), nines(20) + "." + nines(18));
  EXPECT_EQ(decimal("0.5" + std::string(60, '0')).text(), "0.5");
  EXPECT_EQ(decimal("1" + std::string(37, '0')).text(), "1" + std::string(37, '0'));
  EXPECT_EQ(decimal(std::string(100, '0') + "1.5").text(), "1.5");
  EXPECT_EQ(decimal("1" + std::string(40, '0') + "e-40").text(), "1");
}

TEST(Decimal, exponent_moves_the_point_within_its_bounds) {
  EXPECT_EQ(decimal("1e37").text(), "1" + std::string(37, '0'));
  EXPECT_FALSE(Decimal::parse("1e38"));
  EXPECT_EQ(decimal("1e-60").text(), "0." + std::string(59, '0') + "1");
  EXPECT_FALSE(Decimal::parse("0.1e-60"));
  EXPECT_EQ(decimal("0e60").text(), "0");
}

TEST(Decimal, sum_that_needs_a_thirty_ninth_digit_is_no_number) {
  const Decimal largest = decimal(nines(38));
  EXPECT_FALSE(add(largest, Decimal(1)));
  EXPECT_FALSE(subtract(-largest, Decimal(1)));
  EXPECT_FALSE(add(largest, decimal("0.1")));
  EXPECT_EQ(add(largest, Decimal(-1))->text(), nines(37) + "8");
  EXPECT_EQ(add(largest, -largest)->text(), "0");
  EXPECT_EQ(add(Decimal(), largest), largest);
}

TEST(Decimal, product_that_does_not_fit_is_no_number) {
  EXPECT_FALSE(multiply(decimal(nines(20)), decimal(nines(20))));
  EXPECT_FALSE(multiply(decimal(nines(38)), decimal("1.1")));
  EXPECT_EQ(multiply(decimal("1e18"), decimal("1e19"))->text(), "1" + std::string(37, '0'));
  EXPECT_FALSE(multiply(decimal("1e-40"), decimal("1e-40")));
  EXPECT_EQ(multiply(decimal(nines(38)), Decimal(0))->text(), "0");
  EXPECT_EQ(multiply(decimal("0.5"), decimal("-0.2"))->text(), "-0.1");
}

TEST(Decimal, order_does_not_depend_on_the_scale) {
  EXPECT_EQ(decimal("1.50"), decimal("1.5"));
  EXPECT_EQ(decimal("100"), decimal("1e2"));
  EXPECT_LT(decimal("1.49999999999999999999999999999999999"), decimal("1.5"));
  EXPECT_GT(decimal(nines(38)), decimal("1e-60"));
  EXPECT_LT(decimal("-" + nines(38)), decimal("-1e-60"));
  EXPECT_LT(decimal("-1e-60"), Decimal(0));
  EXPECT_LT(decimal("-2"), decimal("-1.999"));
  EXPECT_GT(decimal("1e-59"), decimal("1e-60"));
}

TEST(Decimal, sign_questions_agree_with_the_value) {
  EXPECT_TRUE(decimal("-0.0").is_zero());
  EXPECT_FALSE(decimal("-0.0").is_negative());
  EXPECT_TRUE(decimal("-1e-30").is_negative());
  EXPECT_TRUE((-decimal("-3")).is_positive());
  EXPECT_EQ(decimal("-3.25").absolute(), decimal("3.25"));
  EXPECT_EQ(Decimal().significant_digits(), 0);
}

// ---------------------------------------------------------------- the oracle: an integer as digits, a scale beside it

struct Big {
  bool negative = false;
  std::string digits = "0";  // most significant first, no leading zero
};

std::string trimmed(std::string digits) {
  const auto first = digits.find_first_not_of('0');
  return first == std::string::npos ? "0" : digits.substr(first);
}

bool smaller(const std::string& a, const std::string& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; }

std::string sum_of(const std::string& a, const std::string& b) {
  std::string out;
  int carry = 0;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()) || carry > 0; ++i) {
    const int sum = carry + (i < a.size() ? a[a.size() - 1 - i] - '0' : 0) + (i < b.size() ? b[b.size() - 1 - i] - '0' : 0);
    out.push_back(static_cast<char>('0' + sum % 10));
    carry = sum / 10;
  }
  std::reverse(out.begin(), out.end());
  return trimmed(out);
}

std::string difference_of(const std::string& larger, const std::string& less) {
  std::string out;
  int borrow = 0;
  for (std::size_t i = 0; i < larger.size(); ++i) {
    int digit = larger[larger.size() - 1 - i] - '0' - borrow - (i < less.size() ? less[less.size() - 1 - i] - '0' : 0);
    borrow = digit < 0;
    out.push_back(static_cast<char>('0' + digit + 10 * borrow));
  }
  std::reverse(out.begin(), out.end());
  return trimmed(out);
}

Big add_big(const Big& a, const Big& b) {
  if (a.negative == b.negative) return {a.negative, sum_of(a.digits, b.digits)};
  if (smaller(a.digits, b.digits)) return {b.negative, difference_of(b.digits, a.digits)};
  return {a.negative, difference_of(a.digits, b.digits)};
}

Big multiply_big(const Big& a, const Big& b) {
  std::string product = "0";
  for (char digit : a.digits) {
    product = trimmed(product + "0");
    for (int i = 0; i < digit - '0'; ++i) product = sum_of(product, b.digits);
  }
  return {a.negative != b.negative, product};
}

// Plain notation; nothing when the value has more than 38 significant digits before or after the point.
std::optional<std::string> text_of(Big big, int scale) {
  while (scale > 0 && big.digits.size() > 1 && big.digits.back() == '0') {
    big.digits.pop_back();
    --scale;
  }
  if (big.digits == "0") return "0";
  if (big.digits.size() > 38 || scale > 60) return std::nullopt;
  if (scale > 0) {
    if (big.digits.size() <= static_cast<std::size_t>(scale))
      big.digits.insert(0, static_cast<std::size_t>(scale) + 1 - big.digits.size(), '0');
    big.digits.insert(big.digits.size() - static_cast<std::size_t>(scale), ".");
  }
  return (big.negative ? "-" : "") + big.digits;
}

struct Sample {
  Big big;
  int scale = 0;
  std::string text;
};

Sample draw(Random& random, int most_digits) {
  Sample sample;
  std::string digits;
  const std::int64_t count = 1 + random.up_to(most_digits - 1);
  for (std::int64_t i = 0; i < count; ++i)
    digits.push_back(static_cast<char>('0' + (random.up_to(3) == 0 ? 0 : random.up_to(9))));
  sample.scale = static_cast<int>(random.up_to(25));
  sample.big = {random.up_to(1) == 1, trimmed(digits)};
  sample.text = *text_of(sample.big, sample.scale);
  return sample;
}

// 10^places more digits on the right.
Big widened(Big big, int places) {
  if (big.digits != "0") big.digits.append(static_cast<std::size_t>(places), '0');
  return big;
}

TEST(Decimal, agrees_with_arithmetic_on_strings) {
  Random random(20240901);
  int overflows = 0;
  for (int round = 0; round < 20000; ++round) {
    const int most_digits = round % 2 == 0 ? 38 : 18;
    const Sample a = draw(random, most_digits), b = draw(random, most_digits);
    const Decimal x = decimal(a.text), y = decimal(b.text);
    ASSERT_EQ(x.text(), a.text);

    const int scale = std::max(a.scale, b.scale);
    const Big wide_a = widened(a.big, scale - a.scale), wide_b = widened(b.big, scale - b.scale);
    const Big minus_b{!wide_b.negative, wide_b.digits};
    const auto sum = text_of(add_big(wide_a, wide_b), scale);
    const auto got = add(x, y);
    // A sum may be refused where an operand alone has no room at the common scale; it is never wrong.
    ASSERT_TRUE(!got || got->text() == sum) << a.text << " + " << b.text;
    overflows += !got;
    const bool room = wide_a.digits.size() <= 38 && wide_b.digits.size() <= 38;
    ASSERT_TRUE(got || !room || !sum) << a.text << " + " << b.text;

    const auto product = text_of(multiply_big(a.big, b.big), a.scale + b.scale);
    const auto times = multiply(x, y);
    ASSERT_TRUE(!times || times->text() == product) << a.text << " * " << b.text;
    ASSERT_TRUE(times || !product || most_digits != 18) << a.text << " * " << b.text;

    const Big difference = add_big(wide_a, minus_b);
    const int expected = difference.digits == "0" ? 0 : (difference.negative ? -1 : 1);
    const auto compared = x <=> y;
    ASSERT_EQ(compared < 0 ? -1 : (compared > 0 ? 1 : 0), expected) << a.text << " <=> " << b.text;
  }
  EXPECT_GT(overflows, 100);  // the property saw both kinds
}

TEST(Decimal, quotient_is_rounded_as_asked) {
  const auto third = [](Rounding rounding) { return divide(Decimal(1), Decimal(3), 4, rounding)->text(); };
  EXPECT_EQ(third(Rounding::down), "0.3333");
  EXPECT_EQ(third(Rounding::up), "0.3334");
  EXPECT_EQ(third(Rounding::half_even), "0.3333");
  EXPECT_EQ(divide(Decimal(-2), Decimal(3), 2, Rounding::down)->text(), "-0.66");
  EXPECT_EQ(divide(Decimal(-2), Decimal(3), 2, Rounding::up)->text(), "-0.67");
  EXPECT_EQ(divide(Decimal(1), Decimal(8), 2, Rounding::half_even)->text(), "0.12");
  EXPECT_EQ(divide(Decimal(3), Decimal(8), 2, Rounding::half_even)->text(), "0.38");
  EXPECT_EQ(divide(decimal("2.5"), Decimal(1), 0, Rounding::half_even)->text(), "2");
  EXPECT_EQ(divide(decimal("2.5000000001"), Decimal(1), 0, Rounding::half_even)->text(), "3");
  EXPECT_EQ(divide(decimal("7.5"), Decimal(3), 0, Rounding::half_even)->text(), "2");
  EXPECT_EQ(divide(decimal("7.6"), Decimal(3), 0, Rounding::half_even)->text(), "3");
  EXPECT_EQ(divide(decimal("1e-60"), Decimal(7), 2, Rounding::up)->text(), "0.01");
  EXPECT_EQ(divide(decimal("1e-60"), Decimal(7), 2, Rounding::half_even)->text(), "0");
}

TEST(Decimal, quotient_that_has_no_room_is_no_number) {
  EXPECT_FALSE(divide(Decimal(1), Decimal(0), 2, Rounding::down));
  EXPECT_FALSE(divide(Decimal(0), Decimal(0), 2, Rounding::down));
  EXPECT_FALSE(divide(Decimal(1), Decimal(3), -1, Rounding::down));
  EXPECT_FALSE(divide(Decimal(1), Decimal(3), 39, Rounding::down));
  EXPECT_FALSE(divide(Decimal(1), Decimal(3), 61, Rounding::down));
  EXPECT_FALSE(divide(decimal(nines(38)), decimal("1e-60"), 0, Rounding::down));
  EXPECT_FALSE(divide(decimal(nines(38)), decimal("0.9"), 18, Rounding::down));
  // Zeros cost no digits: an even division needs room for its value only.
  EXPECT_EQ(divide(decimal("1e37"), Decimal(1), 18, Rounding::down)->text(), "1" + std::string(37, '0'));
  EXPECT_EQ(divide(Decimal(1), Decimal(8), 60, Rounding::down)->text(), "0.125");
  EXPECT_EQ(divide(decimal(nines(38)), decimal(nines(38)), 60, Rounding::up)->text(), "1");
  EXPECT_EQ(divide(decimal(nines(38)), decimal("1e30"), 0, Rounding::up)->text(), "100000000");
}

TEST(Decimal, steps_are_found_on_either_side) {
  EXPECT_EQ(to_step(decimal("1.2345"), decimal("0.01"), Rounding::down)->text(), "1.23");
  EXPECT_EQ(to_step(decimal("1.2345"), decimal("0.01"), Rounding::up)->text(), "1.24");
  EXPECT_EQ(to_step(decimal("-1.2345"), decimal("0.01"), Rounding::down)->text(), "-1.23");
  EXPECT_EQ(to_step(decimal("37"), decimal("25"), Rounding::down)->text(), "25");
  EXPECT_EQ(to_step(decimal("37.5"), decimal("25"), Rounding::half_even)->text(), "50");
  EXPECT_EQ(to_step(decimal("0.3"), decimal("0.1"), Rounding::up)->text(), "0.3");
  EXPECT_EQ(to_step(decimal("0.04"), decimal("0.05"), Rounding::down)->text(), "0");
  EXPECT_FALSE(to_step(Decimal(1), Decimal(0), Rounding::down));
  EXPECT_FALSE(to_step(Decimal(1), Decimal(-1), Rounding::down));
  EXPECT_FALSE(to_step(decimal(nines(38)), decimal("1e-8"), Rounding::down));
}

struct Divided {
  std::string quotient, remainder;
};

// Pencil and paper.
Divided divide_digits(const std::string& dividend, const std::string& divisor) {
  Divided out{"0", "0"};
  for (char digit : dividend) {
    out.remainder = trimmed(out.remainder + digit);
    char count = '0';
    for (; !smaller(out.remainder, divisor); ++count) out.remainder = difference_of(out.remainder, divisor);
    out.quotient = trimmed(out.quotient + count);
  }
  return out;
}

std::string rounded(Divided division, const std::string& divisor, Rounding rounding) {
  const std::string twice = sum_of(division.remainder, division.remainder);
  const bool exact = division.remainder == "0", half = twice == divisor, above = smaller(divisor, twice);
  const bool odd = (division.quotient.back() - '0') % 2 == 1;
  const bool more = rounding == Rounding::up ? !exact : rounding == Rounding::half_even && (above || (half && odd));
  return more ? sum_of(division.quotient, "1") : division.quotient;
}

TEST(Decimal, quotient_agrees_with_pencil_and_paper) {
  Random random(20240902);
  int refused = 0, halves = 0;
  for (int round = 0; round < 15000; ++round) {
    const int most_digits = round % 3 == 0 ? 38 : round % 3 == 1 ? 12 : 3;
    const Sample a = draw(random, most_digits), b = draw(random, most_digits);
    if (b.big.digits == "0") continue;
    const int places = static_cast<int>(random.up_to(most_digits == 3 ? 3 : 20));
    const auto rounding = static_cast<Rounding>(random.up_to(2));

    const int shift = places - a.scale + b.scale;
    const Big above = widened(a.big, std::max(shift, 0)), below = widened(b.big, std::max(-shift, 0));
    const Divided division = divide_digits(above.digits, below.digits);
    halves += sum_of(division.remainder, division.remainder) == below.digits;
    const Big quotient{a.big.negative != b.big.negative, rounded(division, below.digits, rounding)};
    const auto expected = text_of(quotient, places);
    const auto got = divide(decimal(a.text), decimal(b.text), places, rounding);
    // A quotient may be refused where only the zeros at its end would have made it fit; it is never wrong.
    ASSERT_TRUE(!got || got->text() == expected) << a.text << " / " << b.text << " to " << places;
    ASSERT_TRUE(got || !expected || quotient.digits.size() > 38) << a.text << " / " << b.text << " to " << places;
    refused += !got;
  }
  EXPECT_GT(refused, 100);
  EXPECT_GT(halves, 20);
}

TEST(Decimal, any_text_is_a_number_that_round_trips_or_is_refused) {
  Random random(7);
  constexpr std::string_view kAlphabet = "00012599.-+eE";
  int numbers = 0;
  for (int round = 0; round < 50000; ++round) {
    std::string text;
    for (std::int64_t i = random.up_to(12); i >= 0; --i)
      text.push_back(kAlphabet[static_cast<std::size_t>(random.up_to(kAlphabet.size() - 1))]);
    const auto value = Decimal::parse(text);
    if (!value) continue;
    ++numbers;
    const auto again = Decimal::parse(value->text());
    ASSERT_TRUE(again && *again == *value && again->text() == value->text()) << text;
  }
  EXPECT_GT(numbers, 1000);
}

}  // namespace
}  // namespace tradesync
