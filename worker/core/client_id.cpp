#include "core/client_id.hpp"

#include <algorithm>

namespace tradesync {
namespace {

constexpr std::size_t kEpochLength = 8;
constexpr std::size_t kLongest = 28;
constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";

bool is_epoch(std::string_view text) {
  return text.size() == kEpochLength &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7'); });
}

std::string base36(std::int64_t number) {
  std::string out;
  for (; number > 0; number /= 36) out.push_back(kDigits[static_cast<std::size_t>(number % 36)]);
  std::reverse(out.begin(), out.end());
  return out;
}

// 1 … most, without leading zeros: every number has exactly one spelling.
std::optional<std::int64_t> number_from(std::string_view text, std::int64_t most) {
  if (text.empty() || text.front() == '0') return std::nullopt;
  std::int64_t number = 0;
  for (char c : text) {
    const auto digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    if (number > (most - static_cast<std::int64_t>(digit)) / 36) return std::nullopt;
    number = number * 36 + static_cast<std::int64_t>(digit);
  }
  return number;
}

}  // namespace

std::string client_order_id(std::string_view epoch, std::int64_t row, int attempt) {
  if (!is_epoch(epoch) || row < 1 || attempt < 1) return {};
  std::string id = "t";
  id.append(epoch).append("-").append(base36(row)).append("-").append(base36(attempt));
  return id.size() <= kLongest ? id : std::string();
}

std::optional<ClientId> parse_client_order_id(std::string_view text) {
  if (text.size() > kLongest || text.size() < kEpochLength + 2 || text.front() != 't') return std::nullopt;
  const std::string_view epoch = text.substr(1, kEpochLength);
  if (!is_epoch(epoch) || text[kEpochLength + 1] != '-') return std::nullopt;
  const std::string_view numbers = text.substr(kEpochLength + 2);
  const auto dash = numbers.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto row = number_from(numbers.substr(0, dash), INT64_MAX);
  const auto attempt = number_from(numbers.substr(dash + 1), INT32_MAX);
  if (!row || !attempt) return std::nullopt;
  return ClientId{std::string(epoch), *row, static_cast<int>(*attempt)};
}

}  // namespace tradesync
