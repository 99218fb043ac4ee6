// What an HTTP answer means (§4): may its body be read, and if not, what may be concluded? When in doubt: nothing.
#include <algorithm>
#include <array>
#include <chrono>

#include "exchanges/binance/binance.hpp"

namespace tradesync::binance {
namespace {

constexpr std::int64_t kSecondMs = 1000;
constexpr std::int64_t kMinuteMs = 60 * kSecondMs;
constexpr std::int64_t kThrottledMs = kMinuteMs;        // 429 without Retry-After: weight windows are clock minutes (§5.1)
constexpr std::int64_t kBannedMs = 2 * kMinuteMs;       // 418 and 403 without a time: the shortest ban there is (§5.1)
constexpr std::int64_t kLongestBanMs = 3 * 24 * 60 * kMinuteMs;
constexpr std::size_t kMaxMessage = 300;
constexpr std::size_t kSecretLength = 40;               // keys, signatures and listen keys are longer, words are not

std::string_view header(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return {};
}

bool is_word(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Words of the venue or of the transport, fit for a log: one line, bounded, nothing in it as long as a secret.
std::string presentable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size() && out.size() < kMaxMessage;) {
    std::size_t end = i;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end - i >= kSecretLength) out.append("***");
    else out.append(text.substr(i, end - i));
    if (end < text.size()) out.push_back(static_cast<unsigned char>(text[end]) < ' ' ? ' ' : text[end]);
    i = end + 1;
  }
  // A character of several bytes must not be cut in the middle.
  if (out.size() >= kMaxMessage) {
    out.resize(kMaxMessage);
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80) out.pop_back();
    if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();
  }
  return out;
}

// "Sat, 21 Nov 2026 01:59:27 GMT" (RFC 9110 IMF-fixdate). The only clock in an answer: it turns "banned until" into a wait.
std::optional<std::int64_t> date_header_ms(std::string_view date) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (date.size() != 29 || !date.ends_with(" GMT")) return std::nullopt;
  const std::size_t month = kMonths.find(date.substr(8, 3));
  const auto day = leading_integer(date.substr(5, 2)), year = leading_integer(date.substr(12, 4));
  const auto hours = leading_integer(date.substr(17, 2)), minutes = leading_integer(date.substr(20, 2)),
             seconds = leading_integer(date.substr(23, 2));
  if (month == std::string_view::npos || month % 3 != 0 || !day || !year || !hours || !minutes || !seconds) return std::nullopt;
  if (*year < 1970) return std::nullopt;
  const auto days = std::chrono::sys_days(std::chrono::year(static_cast<int>(*year)) / static_cast<int>(month / 3 + 1) /
                                          static_cast<int>(*day));
  return days.time_since_epoch().count() * 24 * 60 * kMinuteMs + *hours * 60 * kMinuteMs + *minutes * kMinuteMs +
         *seconds * kSecondMs;
}

// Retry-After in seconds, "banned until <ms>", or what the kind of refusal costs at least.
std::int64_t retry_after_ms(const HttpResponse& response, std::string_view message, std::int64_t otherwise) {
  std::int64_t wait = 0;
  if (const auto seconds = leading_integer(header(response, "retry-after")))
    wait = std::min(*seconds, kLongestBanMs / kSecondMs) * kSecondMs;
  constexpr std::string_view kUntil = "banned until ";
  const std::size_t at = message.find(kUntil);
  if (at != std::string_view::npos) {
    const auto until = leading_integer(message.substr(at + kUntil.size()));
    const auto now = date_header_ms(header(response, "date"));
    if (until && now) wait = std::max(wait, std::min(*until - *now, kLongestBanMs));
  }
  return wait > 0 ? wait : otherwise;
}

void fail(Reply& reply, Outcome outcome, std::string message) {
  reply.outcome = outcome;
  reply.message = std::move(message);
}

template <std::size_t n>
bool one_of(int code, const std::array<int, n>& codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// §4.4. Codes that say "no" to every later call as well, and codes after which nothing is known.
constexpr std::array kKeyCodes{-1002, -1005, -1011, -1022, -2014, -2015, -2017};
constexpr std::array kClockCodes{-1021, -5028};
constexpr std::array kLimitCodes{-1003, -1015};
constexpr std::array kUnknownCodes{-1000, -1001, -1006, -1007, -1008, -1016};
constexpr std::array kNoSuchOrderCodes{-2011, -2013};
constexpr int kListenKeyGone = -1125;

Outcome by_code(const Request& request, int code) {
  if (code == kListenKeyGone) return Outcome::listen_key_gone;
  if (one_of(code, kKeyCodes)) return Outcome::unauthorized;
  if (one_of(code, kClockCodes)) return Outcome::clock;
  if (one_of(code, kLimitCodes)) return Outcome::throttled;
  if (one_of(code, kUnknownCodes)) return Outcome::failed;
  const bool asks_for_one = request.kind == RequestKind::order || request.kind == RequestKind::conditional_order;
  if (asks_for_one && one_of(code, kNoSuchOrderCodes)) return Outcome::not_found;
  return Outcome::refused;
}

// §4.2. A code only speaks where the status leaves room for it: an exchange in trouble may say anything.
Outcome by_status(const Request& request, int status, int code) {
  if (status == 418 || status == 403) return Outcome::banned;  // 403 is the firewall: keep away for minutes
  if (status == 429) return Outcome::throttled;
  if (status == 408 || status >= 500 || status < 200) return Outcome::failed;
  if (code < 0) return by_code(request, code);
  if (status == 401) return Outcome::unauthorized;
  if (status == 404) return Outcome::refused;  // HTML: the path is wrong
  return Outcome::failed;                      // a refusal without the venue's words may come from anyone on the way
}

}  // namespace

bool succeeded(const Request& request, const HttpResponse& response, const json::Document& body, Reply& reply) {
  reply.http_status = response.status;
  if (const auto weight = leading_integer(header(response, "x-mbx-used-weight-1m")))
    reply.used_weight = static_cast<int>(std::min<std::int64_t>(*weight, INT32_MAX));

  if (response.status == 0 || !response.complete) {
    fail(reply, Outcome::failed, response.error.empty() ? "no complete answer" : presentable(response.error));
    return false;
  }
  const json::Value error = body.root;
  // Success acknowledgements reuse the form with a positive code, once even as text (§4.1).
  const std::int64_t code = error["code"].integer().value_or(0);
  const bool is_error = code < 0 && code > -1'000'000;
  if (response.status >= 200 && response.status < 300 && !is_error) {
    if (body.error.empty()) return true;
    fail(reply, Outcome::failed, std::string("body is ").append(body.error));
    return false;
  }

  reply.venue_code = is_error ? static_cast<int>(code) : 0;
  const std::string_view words = error["msg"].text();
  fail(reply, by_status(request, response.status, reply.venue_code),
       words.empty() ? "HTTP " + std::to_string(response.status) : presentable(words));
  if (words.find("banned until ") != std::string_view::npos) reply.outcome = Outcome::banned;
  if (reply.outcome == Outcome::throttled) reply.retry_after_ms = retry_after_ms(response, words, kThrottledMs);
  if (reply.outcome == Outcome::banned) reply.retry_after_ms = retry_after_ms(response, words, kBannedMs);
  return false;
}

}  // namespace tradesync::binance
