// What rows of the stream and of REST have in common: where they go, and how their numbers are cleaned.
#include <charconv>
#include <utility>

#include "exchanges/binance/binance.hpp"

namespace tradesync::binance {

std::optional<std::int64_t> leading_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  return number;
}

std::optional<Decimal> set_price(const std::optional<Decimal>& price) {
  return price && !price->is_zero() ? price : std::nullopt;
}

namespace {

constexpr int kNoisyDigits = 16;     // a binary double prints 16 or 17 digits when it is off
constexpr std::size_t kNoiseRun = 4; // …0000x or …9999x, where x is the noise of one or two digits

// digits[0, kept) × 10^exponent, one more in the last place when `up`.
std::optional<Decimal> rounded(std::string_view digits, int exponent, bool up) {
  const std::string power = "E" + std::to_string(exponent);
  const auto down = Decimal::parse(std::string("0").append(digits).append(power));
  const auto step = Decimal::parse("1" + power);
  if (!down || !step) return std::nullopt;
  return up ? add(*down, *step) : down;
}

}  // namespace

Decimal without_float_noise(const Decimal& price) {
  if (price.significant_digits() < kNoisyDigits) return price;
  std::string digits = price.absolute().text();
  const std::size_t point = digits.find('.');
  const int scale = point == std::string::npos ? 0 : static_cast<int>(digits.size() - point - 1);
  if (point != std::string::npos) digits.erase(point, 1);

  for (std::size_t noise = 1; noise <= 2; ++noise) {
    const std::size_t run_end = digits.size() - noise;
    const char run = digits[run_end - 1];
    if (run != '0' && run != '9') continue;
    const std::size_t before = digits.find_last_not_of(run, run_end - 1);
    const std::size_t kept = before == std::string::npos ? 0 : before + 1;
    if (run_end - kept < kNoiseRun) continue;
    const int exponent = static_cast<int>(digits.size() - kept) - scale;
    const auto clean = rounded(std::string_view(digits).substr(0, kept), exponent, run == '9');
    if (clean) return price.is_negative() ? -*clean : *clean;
  }
  return price;
}

bool Rows::check(const json::Fields& row, std::string_view where) {
  if (!row.ok() && error.empty()) error = std::string(where).append(".").append(row.fault());
  return row.ok();
}

bool Rows::add(const json::Fields& row, std::string_view where, Fact fact) {
  if (!check(row, where)) return false;
  facts.push_back(std::move(fact));
  return true;
}

bool Rows::add(const json::Fields& row, std::string_view where, std::size_t index, Fact fact) {
  if (!row.ok()) return check(row, std::string(where).append("[").append(std::to_string(index)).append("]"));
  facts.push_back(std::move(fact));
  return true;
}

}  // namespace tradesync::binance
