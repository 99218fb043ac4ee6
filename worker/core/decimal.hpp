// Exact decimal numbers: what the exchange wrote is what PostgreSQL's numeric receives.
// A value is coefficient × 10^-scale with at most 38 significant digits; no binary floating point anywhere.
// Text that does not fit (40 digits, NaN, "", hex) is refused by parse(): the caller decides what that means.
#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tradesync {

enum class Rounding : std::uint8_t { down, up, half_even };  // down: towards zero; up: away from zero

class Decimal {
 public:
  constexpr Decimal() = default;
  constexpr explicit Decimal(std::int64_t whole) : coefficient_(whole) {}

  // Plain ("-12.500") and exponent ("5.0E-4") notation; trailing zeros are dropped. nullopt when it is not a number
  // of at most 38 significant digits with |exponent| <= 60.
  static std::optional<Decimal> parse(std::string_view text);

  // Shortest plain notation: no exponent, no trailing zeros, "0" for zero. Round-trips through parse().
  std::string text() const;
  void append_to(std::string& out) const;

  bool is_zero() const { return coefficient_ == 0; }
  bool is_negative() const { return coefficient_ < 0; }
  bool is_positive() const { return coefficient_ > 0; }
  int significant_digits() const;
  Decimal absolute() const;
  Decimal operator-() const;

  // nullopt on overflow of 38 digits: money is never wrapped or rounded silently.
  friend std::optional<Decimal> add(const Decimal& a, const Decimal& b);
  friend std::optional<Decimal> subtract(const Decimal& a, const Decimal& b);
  friend std::optional<Decimal> multiply(const Decimal& a, const Decimal& b);
  friend std::optional<Decimal> divide(const Decimal& a, const Decimal& b, int places, Rounding rounding);

  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
  friend bool operator==(const Decimal& a, const Decimal& b) { return (a <=> b) == std::strong_ordering::equal; }

 private:
  constexpr Decimal(__int128 coefficient, int scale) : coefficient_(coefficient), scale_(static_cast<std::int16_t>(scale)) {}
  static std::optional<Decimal> make(__int128 coefficient, int scale);

  __int128 coefficient_ = 0;
  std::int16_t scale_ = 0;  // digits after the point; never negative
};

std::optional<Decimal> add(const Decimal& a, const Decimal& b);
std::optional<Decimal> subtract(const Decimal& a, const Decimal& b);
std::optional<Decimal> multiply(const Decimal& a, const Decimal& b);

// a / b with `places` (0..60) digits after the point; nullopt when b is zero or the result does not fit.
std::optional<Decimal> divide(const Decimal& a, const Decimal& b, int places, Rounding rounding);
// The multiple of `step` (> 0) at or next to `value`; nullopt where it does not fit.
std::optional<Decimal> to_step(const Decimal& value, const Decimal& step, Rounding rounding);

}  // namespace tradesync
