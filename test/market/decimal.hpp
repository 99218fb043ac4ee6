// An exact decimal for the model exchange: 12 fractional digits in a 128-bit integer.
// Products and quotients are truncated towards zero at the 12th digit; what reaches a wallet is rounded to 8 digits
// (money()), as both venues do, so the sum of published fees equals the change of the published balance.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace market {

class Decimal {
public:
    static constexpr int kScale = 12;

    constexpr Decimal() = default;
    constexpr Decimal(int whole) : raw_(static_cast<__int128>(whole) * kOne) {}

    // Plain decimal text without exponent, at most 14 integer digits; digits after the 12th are refused, not dropped.
    static std::optional<Decimal> parse(std::string_view text);
    // For constants written in our own code; throws std::invalid_argument.
    static Decimal of(std::string_view text);
    static constexpr Decimal from_raw(__int128 raw) { Decimal d; d.raw_ = raw; return d; }
    // count x 10^-digits, for example units(5, 3) = 0.005.
    static Decimal units(int64_t count, int digits);

    std::string text() const;                  // shortest form: "0.02", "-3", "0"
    std::string fixed(int digits) const;       // padded, truncated towards zero: fixed(2) of 3.14159 = "3.14"
    constexpr __int128 raw() const { return raw_; }

    constexpr bool is_zero() const { return raw_ == 0; }
    constexpr int sign() const { return raw_ > 0 ? 1 : raw_ < 0 ? -1 : 0; }
    constexpr Decimal abs() const { return from_raw(raw_ < 0 ? -raw_ : raw_); }
    Decimal money() const;                     // rounded half away from zero to 8 digits
    Decimal floor_to(Decimal step) const;      // down to a multiple of step (towards zero); step must be positive
    bool is_multiple_of(Decimal step) const;   // a zero step accepts everything
    int decimals() const;                      // fractional digits actually used, 0..12

    constexpr auto operator<=>(const Decimal&) const = default;
    constexpr Decimal operator-() const { return from_raw(-raw_); }
    friend constexpr Decimal operator+(Decimal a, Decimal b) { return from_raw(a.raw_ + b.raw_); }
    friend constexpr Decimal operator-(Decimal a, Decimal b) { return from_raw(a.raw_ - b.raw_); }
    friend Decimal operator*(Decimal a, Decimal b);
    friend Decimal operator/(Decimal a, Decimal b);   // dividing by zero throws std::domain_error
    Decimal& operator+=(Decimal b) { raw_ += b.raw_; return *this; }
    Decimal& operator-=(Decimal b) { raw_ -= b.raw_; return *this; }

private:
    static constexpr __int128 kOne = 1'000'000'000'000;
    __int128 raw_ = 0;
};

inline Decimal min(Decimal a, Decimal b) { return a < b ? a : b; }
inline Decimal max(Decimal a, Decimal b) { return a < b ? b : a; }

}  // namespace market
