// Text to 128-bit integer and back; see decimal.hpp.
#include "market/decimal.hpp"

#include <algorithm>
#include <stdexcept>

namespace market {

namespace {

constexpr int kMaxIntegerDigits = 14;

constexpr __int128 power_of_ten(int exponent) {
    __int128 result = 1;
    for (int i = 0; i < exponent; ++i) result *= 10;
    return result;
}

// Digits of |raw| with at least kScale + 1 of them, so that the point always has something on both sides.
std::string padded_digits(__int128 raw) {
    unsigned __int128 rest = raw < 0 ? -static_cast<unsigned __int128>(raw) : static_cast<unsigned __int128>(raw);
    char buffer[48];
    char* begin = buffer + sizeof buffer;
    int digits = 0;
    while (rest != 0 || digits <= Decimal::kScale) {
        *--begin = static_cast<char>('0' + static_cast<int>(rest % 10));
        rest /= 10;
        ++digits;
    }
    return std::string(begin, static_cast<size_t>(digits));
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view text) {
    const bool negative = !text.empty() && text[0] == '-';
    if (negative) text.remove_prefix(1);
    const size_t point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    const std::string_view fraction = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
    if (whole.empty() || whole.size() > kMaxIntegerDigits || fraction.size() > kScale) return std::nullopt;
    if (point != std::string_view::npos && fraction.empty()) return std::nullopt;

    __int128 raw = 0;
    for (const std::string_view part : {whole, fraction})
        for (const char c : part) {
            if (c < '0' || c > '9') return std::nullopt;
            raw = raw * 10 + (c - '0');
        }
    raw *= power_of_ten(kScale - static_cast<int>(fraction.size()));
    return from_raw(negative ? -raw : raw);
}

Decimal Decimal::of(std::string_view text) {
    if (const auto value = parse(text)) return *value;
    throw std::invalid_argument("not a decimal: " + std::string(text));
}

Decimal Decimal::units(int64_t count, int digits) {
    return from_raw(static_cast<__int128>(count) * power_of_ten(kScale - digits));
}

std::string Decimal::fixed(int digits) const {
    std::string all = padded_digits(raw_);
    std::string out = all.substr(0, all.size() - kScale);
    if (digits > 0) out += '.' + all.substr(all.size() - kScale, static_cast<size_t>(std::min(digits, kScale)));
    if (raw_ < 0 && out.find_first_not_of("0.") != std::string::npos) out.insert(0, 1, '-');
    return out;
}

std::string Decimal::text() const {
    return fixed(decimals());
}

int Decimal::decimals() const {
    __int128 rest = raw_;
    int digits = kScale;
    while (digits > 0 && rest % 10 == 0) {
        rest /= 10;
        --digits;
    }
    return digits;
}

Decimal Decimal::money() const {
    constexpr __int128 kUnit = power_of_ten(kScale - 8);
    const __int128 half = raw_ < 0 ? -kUnit / 2 : kUnit / 2;
    return from_raw((raw_ + half) / kUnit * kUnit);
}

Decimal Decimal::floor_to(Decimal step) const {
    return from_raw(raw_ - raw_ % step.raw_);
}

bool Decimal::is_multiple_of(Decimal step) const {
    return step.is_zero() || raw_ % step.raw_ == 0;
}

Decimal operator*(Decimal a, Decimal b) {
    __int128 product;
    if (__builtin_mul_overflow(a.raw_, b.raw_, &product)) throw std::overflow_error("decimal product");
    return Decimal::from_raw(product / Decimal::kOne);
}

Decimal operator/(Decimal a, Decimal b) {
    if (b.is_zero()) throw std::domain_error("decimal division by zero");
    __int128 scaled;
    if (__builtin_mul_overflow(a.raw_, Decimal::kOne, &scaled)) throw std::overflow_error("decimal quotient");
    return Decimal::from_raw(scaled / b.raw_);
}

}  // namespace market
