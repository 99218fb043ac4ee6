#include "core/decimal.hpp"

#include <array>

namespace tradesync {
namespace {

constexpr int kMaxDigits = 38;
constexpr int kMaxExponent = 60;
constexpr int kMaxScale = 60;

constexpr std::array<__int128, kMaxDigits + 1> powers_of_ten() {
  std::array<__int128, kMaxDigits + 1> powers{};
  powers[0] = 1;
  for (int i = 1; i <= kMaxDigits; ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}
constexpr auto kPowers = powers_of_ten();
constexpr __int128 kLimit = kPowers[kMaxDigits];  // |coefficient| stays below this

bool is_digit(char c) { return c >= '0' && c <= '9'; }

__int128 magnitude(__int128 value) { return value < 0 ? -value : value; }

bool fits(__int128 value) { return magnitude(value) < kLimit; }

// value × 10^places, or nothing when it has no room in 38 digits.
std::optional<__int128> shift_up(__int128 value, int places) {
  if (value == 0) return 0;
  if (places > kMaxDigits) return std::nullopt;
  __int128 result;
  if (__builtin_mul_overflow(value, kPowers[places], &result) || !fits(result)) return std::nullopt;
  return result;
}

// The exponent part of "5.0E-4"; nothing when it is malformed or beyond kMaxExponent.
std::optional<int> parse_exponent(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);
  if (text.empty() || text.size() > 4) return std::nullopt;
  int exponent = 0;
  for (char c : text) {
    if (!is_digit(c)) return std::nullopt;
    exponent = exponent * 10 + (c - '0');
  }
  if (exponent > kMaxExponent) return std::nullopt;
  return negative ? -exponent : exponent;
}

}  // namespace

std::optional<Decimal> Decimal::make(__int128 coefficient, int scale) {
  while (scale > 0 && coefficient % 10 == 0) {
    coefficient /= 10;
    --scale;
  }
  if (scale < 0) {
    auto shifted = shift_up(coefficient, -scale);
    if (!shifted) return std::nullopt;
    coefficient = *shifted;
    scale = 0;
  }
  if (!fits(coefficient) || scale > kMaxScale) return std::nullopt;
  return Decimal(coefficient, scale);
}

std::optional<Decimal> Decimal::parse(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative || (!text.empty() && text.front() == '+')) text.remove_prefix(1);

  __int128 coefficient = 0;
  int digits = 0, scale = 0, held_zeros = 0;
  bool point = false, any = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (!is_digit(c)) break;
    any = true;
    // Zeros are held back until a digit follows: "0.5000000…" of any length has one significant digit.
    if (c == '0' && (digits > 0 || point)) {
      ++held_zeros;
      if (point) ++scale;
      if (held_zeros > 4 * kMaxExponent) return std::nullopt;
      continue;
    }
    if (c == '0') continue;
    if (digits > 0) {
      digits += held_zeros;
      if (digits >= kMaxDigits) return std::nullopt;
      coefficient *= kPowers[held_zeros];
    }
    held_zeros = 0;
    if (++digits > kMaxDigits) return std::nullopt;
    coefficient = coefficient * 10 + (c - '0');
    if (point) ++scale;
  }
  if (!any) return std::nullopt;
  // Zeros still held are trailing: those after the point vanish, those before it multiply.
  scale -= held_zeros;

  if (i < text.size()) {
    if (text[i] != 'e' && text[i] != 'E') return std::nullopt;
    const auto exponent = parse_exponent(text.substr(i + 1));
    if (!exponent) return std::nullopt;
    scale -= *exponent;
  }
  if (coefficient == 0) return Decimal();
  return make(negative ? -coefficient : coefficient, scale);
}

void Decimal::append_to(std::string& out) const {
  char digits[kMaxDigits + 1];
  int count = 0;
  __int128 rest = magnitude(coefficient_);
  do {
    digits[count++] = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);

  if (coefficient_ < 0) out.push_back('-');
  if (count <= scale_) {
    out.append("0.");
    out.append(static_cast<std::size_t>(scale_ - count), '0');
    while (count > 0) out.push_back(digits[--count]);
    return;
  }
  while (count > scale_) out.push_back(digits[--count]);
  if (scale_ > 0) out.push_back('.');
  while (count > 0) out.push_back(digits[--count]);
}

std::string Decimal::text() const {
  std::string out;
  append_to(out);
  return out;
}

int Decimal::significant_digits() const {
  int count = 0;
  for (__int128 rest = magnitude(coefficient_); rest != 0; rest /= 10) ++count;
  return count;
}

Decimal Decimal::absolute() const { return Decimal(magnitude(coefficient_), scale_); }
Decimal Decimal::operator-() const { return Decimal(-coefficient_, scale_); }

std::optional<Decimal> add(const Decimal& a, const Decimal& b) {
  const int scale = a.scale_ > b.scale_ ? a.scale_ : b.scale_;
  const auto left = shift_up(a.coefficient_, scale - a.scale_);
  const auto right = shift_up(b.coefficient_, scale - b.scale_);
  if (!left || !right) return std::nullopt;
  return Decimal::make(*left + *right, scale);  // two values below 10^38 cannot overflow 128 bits
}

std::optional<Decimal> subtract(const Decimal& a, const Decimal& b) { return add(a, -b); }

std::optional<Decimal> multiply(const Decimal& a, const Decimal& b) {
  __int128 product;
  if (__builtin_mul_overflow(a.coefficient_, b.coefficient_, &product)) return std::nullopt;
  return Decimal::make(product, a.scale_ + b.scale_);
}

// Quotient and remainder of magnitudes, one decimal digit at a time: the remainder stays below the divisor, so that adding it
// up ten times needs no more than one bit beside 10^38 and no wider type.
namespace {

using Magnitude = unsigned __int128;

// Brings down `digit_count` zeros; fewer when the division comes out even (the rest of the digits are zeros) or nullopt when
// the quotient has no room. Returns how many were brought down.
std::optional<int> bring_down(Magnitude& quotient, Magnitude& remainder, Magnitude divisor, int digit_count) {
  int done = 0;
  for (; done < digit_count && remainder != 0; ++done) {
    Magnitude rest = 0;
    unsigned digit = 0;
    for (int i = 0; i < 10; ++i) {
      rest += remainder;
      if (rest < divisor) continue;
      rest -= divisor;
      ++digit;
    }
    if (quotient >= static_cast<Magnitude>(kLimit) / 10) return std::nullopt;
    quotient = quotient * 10 + digit;
    remainder = rest;
  }
  return done;
}

enum class Rest : std::uint8_t { none, below_half, half, above_half };

Rest rest_of(Magnitude remainder, Magnitude divisor) {
  if (remainder == 0) return Rest::none;
  const Magnitude other = divisor - remainder;
  return remainder < other ? Rest::below_half : remainder == other ? Rest::half : Rest::above_half;
}

bool rounds_up(Rest rest, Rounding rounding, bool odd) {
  switch (rounding) {
    case Rounding::down: return false;
    case Rounding::up: return rest != Rest::none;
    case Rounding::half_even: return rest == Rest::above_half || (rest == Rest::half && odd);
  }
  return false;
}

}  // namespace

std::optional<Decimal> divide(const Decimal& a, const Decimal& b, int places, Rounding rounding) {
  if (b.coefficient_ == 0 || places < 0 || places > kMaxScale) return std::nullopt;
  const auto divisor = static_cast<Magnitude>(magnitude(b.coefficient_));
  const auto dividend = static_cast<Magnitude>(magnitude(a.coefficient_));
  Magnitude quotient = dividend / divisor, remainder = dividend % divisor;
  int scale = places;
  Rest rest;
  if (const int more = places - a.scale_ + b.scale_; more >= 0) {
    const auto done = bring_down(quotient, remainder, divisor, more);
    if (!done) return std::nullopt;
    scale = places - (more - *done);
    rest = rest_of(remainder, divisor);
  } else {
    // The last -more digits of the quotient are cut off; what they and the remainder amount to decides the rounding.
    const bool uneven = remainder != 0;
    if (-more > kMaxDigits) {
      rest = quotient == 0 && !uneven ? Rest::none : Rest::below_half;
      quotient = 0;
    } else {
      const auto unit = static_cast<Magnitude>(kPowers[-more]);
      rest = rest_of(quotient % unit, unit);
      if (uneven && rest == Rest::none) rest = Rest::below_half;
      if (uneven && rest == Rest::half) rest = Rest::above_half;
      quotient /= unit;
    }
  }
  if (rounds_up(rest, rounding, quotient % 2 == 1)) ++quotient;
  const auto coefficient = static_cast<__int128>(quotient);
  return Decimal::make((a.coefficient_ < 0) != (b.coefficient_ < 0) ? -coefficient : coefficient, scale);
}

std::optional<Decimal> to_step(const Decimal& value, const Decimal& step, Rounding rounding) {
  if (!step.is_positive()) return std::nullopt;
  const auto count = divide(value, step, 0, rounding);
  return count ? multiply(*count, step) : std::nullopt;
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  const int sign_a = (a.coefficient_ > 0) - (a.coefficient_ < 0);
  const int sign_b = (b.coefficient_ > 0) - (b.coefficient_ < 0);
  if (sign_a != sign_b) return sign_a <=> sign_b;
  if (sign_a == 0) return std::strong_ordering::equal;
  // Bring both to one scale; the side that has no room for it is the larger magnitude.
  const auto left = shift_up(a.coefficient_, b.scale_ > a.scale_ ? b.scale_ - a.scale_ : 0);
  const auto right = shift_up(b.coefficient_, a.scale_ > b.scale_ ? a.scale_ - b.scale_ : 0);
  if (!left) return sign_a <=> 0;
  if (!right) return 0 <=> sign_a;
  if (*left < *right) return std::strong_ordering::less;
  if (*left > *right) return std::strong_ordering::greater;
  return std::strong_ordering::equal;
}

}  // namespace tradesync
