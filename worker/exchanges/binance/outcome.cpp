// What an HTTP answer means (§4): may its body be read, and if not, what may be concluded? When in doubt: nothing.
#include <algorithm>
#include <chrono>
#include <iterator>

#include "exchanges/binance/binance.hpp"

namespace tradesync::binance {
namespace {

constexpr std::int64_t kSecondMs = 1000;
constexpr std::int64_t kMinuteMs = 60 * kSecondMs;
constexpr std::int64_t kThrottledMs = kMinuteMs;        // 429 without Retry-After: weight windows are clock minutes (§5.1)
constexpr std::int64_t kOverloadedMs = kSecondMs;       // the longest of the pauses the documents advise is 800 ms (§4.2)
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

struct Meaning {
  int code;
  Outcome outcome;
  Refusal refusal = Refusal::other;
};

// What the codes of §4.4 prove. A code that is not here is a definite no without a reason that we act on.
constexpr Meaning kMeanings[] = {
    // No to every later call as well.
    {-1002, Outcome::unauthorized},  // §4.4 not authorised
    {-1005, Outcome::unauthorized},  // §4.4 address not listed
    {-1011, Outcome::unauthorized},  // §4.4 address not allowed
    {-1022, Outcome::unauthorized},  // §3.4 signature
    {-2014, Outcome::unauthorized},  // §3.4 key format
    {-2015, Outcome::unauthorized},  // §3.4 key, address or permission
    {-2017, Outcome::unauthorized},  // §4.4 keys locked
    {-1021, Outcome::clock},         // §3.4 timestamp outside the window
    {-5028, Outcome::clock},         // §3.4 stale at the matching engine: not accepted
    {-1125, Outcome::listen_key_gone},  // §11

    // Not now. -1008 is in is_overload().
    {-1003, Outcome::throttled},  // §4.2 weight
    {-1015, Outcome::throttled},  // §4.2 order count

    // Nothing is known. The documents call -1001 a failure, but its twin text "disconnected" leaves room for doubt.
    {-1000, Outcome::failed},  // §4.2, §4.4 unknown error
    {-1001, Outcome::failed},  // §4.4 internal error, disconnected
    {-1006, Outcome::failed},  // §4.4 unexpected response of the backend
    {-1007, Outcome::failed},  // §4.2, §4.4 time-out of the backend
    {-1016, Outcome::failed},  // §4.4 shutting down

    // No such order, or it has ended. Of other questions: refused.
    {-2011, Outcome::not_found},  // §8.4, §10.4
    {-2013, Outcome::not_found},  // §8.3, §10.4
    {-4117, Outcome::not_found},  // §10.5 being triggered: the conditional order is ending, its child takes over

    {-4116, Outcome::refused, Refusal::duplicate},      // §8.1 among open orders
    {-2021, Outcome::refused, Refusal::would_trigger},  // §10.3

    {-2022, Outcome::refused, Refusal::reduce_only},  // §8.1
    {-2024, Outcome::refused, Refusal::reduce_only},  // §4.4 position not sufficient
    {-4118, Outcome::refused, Refusal::reduce_only},  // §4.4, §17 no. 25: other reducing orders are open

    {-1106, Outcome::refused, Refusal::position_mode},  // §8.1 reduceOnly in hedge mode
    {-4060, Outcome::refused, Refusal::position_mode},  // §4.4
    {-4061, Outcome::refused, Refusal::position_mode},  // §8.1

    {-2018, Outcome::refused, Refusal::balance},  // §4.4
    {-2019, Outcome::refused, Refusal::balance},  // §4.4
    {-2028, Outcome::refused, Refusal::balance},  // §4.4 leverage too small for the margin

    {-1013, Outcome::refused, Refusal::filter},  // §4.4 invalid message: values outside a filter
    {-1111, Outcome::refused, Refusal::filter},  // §4.4 too many decimals
    {-4001, Outcome::refused, Refusal::filter},  // §4.4 price not positive
    {-4002, Outcome::refused, Refusal::filter},  // §6.2 PRICE_FILTER
    {-4003, Outcome::refused, Refusal::filter},  // §4.4 quantity not positive
    {-4004, Outcome::refused, Refusal::filter},  // §6.2 LOT_SIZE
    {-4005, Outcome::refused, Refusal::filter},  // §6.2 LOT_SIZE, MARKET_LOT_SIZE
    {-4006, Outcome::refused, Refusal::filter},  // §4.4 stop price bounds
    {-4007, Outcome::refused, Refusal::filter},  // §4.4 stop price bounds
    {-4013, Outcome::refused, Refusal::filter},  // §6.2 PRICE_FILTER
    {-4014, Outcome::refused, Refusal::filter},  // §6.2 PRICE_FILTER
    {-4016, Outcome::refused, Refusal::filter},  // §6.2 PERCENT_PRICE
    {-4023, Outcome::refused, Refusal::filter},  // §6.2 LOT_SIZE
    {-4024, Outcome::refused, Refusal::filter},  // §6.2 PERCENT_PRICE
    {-4131, Outcome::refused, Refusal::filter},  // §6.2 PERCENT_PRICE of a market order
    {-4164, Outcome::refused, Refusal::filter},  // §6.2 MIN_NOTIONAL
    {-4210, Outcome::refused, Refusal::filter},  // §4.4 trigger price beyond the multiplier

    {-2025, Outcome::refused, Refusal::too_many_orders},  // §6.2 MAX_NUM_ORDERS
    {-4045, Outcome::refused, Refusal::too_many_orders},  // §10.3 200 conditional orders

    {-1122, Outcome::refused, Refusal::not_tradable},  // §4.4 symbol status
    {-4022, Outcome::refused, Refusal::not_tradable},  // §4.4 wrong market status
    {-4087, Outcome::refused, Refusal::not_tradable},  // §4.4 account may only reduce
    {-4088, Outcome::refused, Refusal::not_tradable},  // §4.4 account may not trade
    {-4105, Outcome::refused, Refusal::not_tradable},  // §6.2 POSITION_RISK_CONTROL
    {-4106, Outcome::refused, Refusal::not_tradable},  // §6.2 POSITION_RISK_CONTROL
    {-4107, Outcome::refused, Refusal::not_tradable},  // §6.2 POSITION_RISK_CONTROL
    {-4140, Outcome::refused, Refusal::not_tradable},  // §4.4 status does not allow opening
    {-4141, Outcome::refused, Refusal::not_tradable},  // §4.4 symbol closed
    {-4189, Outcome::refused, Refusal::not_tradable},  // §4.4 account may only reduce on this symbol
    {-4192, Outcome::refused, Refusal::not_tradable},  // §4.4 cooling-off
    {-4400, Outcome::refused, Refusal::not_tradable},  // §4.4 quantitative rule: only reducing for now
    {-4411, Outcome::refused, Refusal::not_tradable},  // §4.4 agreement not signed
};

bool is_about_one_order(RequestKind kind) {
  return kind == RequestKind::order || kind == RequestKind::conditional_order || kind == RequestKind::cancel_order;
}

Meaning by_code(const Request& request, int code) {
  const auto* known = std::find_if(std::begin(kMeanings), std::end(kMeanings), [&](const Meaning& row) { return row.code == code; });
  Meaning meaning = known == std::end(kMeanings) ? Meaning{code, Outcome::refused} : *known;
  if (meaning.outcome == Outcome::not_found && !is_about_one_order(request.kind)) meaning.outcome = Outcome::refused;
  return meaning;
}

// The two refusals of an overloaded exchange that are no doubt (§4.2): by code, or by the text of a 503 without one.
bool is_overload(int status, int code, std::string_view words) {
  return code == -1008 || (status == 503 && code == 0 && words == "Service Unavailable.");
}

// §4.2. A code only speaks where the status leaves room for it: an exchange in trouble may say anything.
Meaning by_status(const Request& request, int status, int code) {
  if (status == 418 || status == 403) return {code, Outcome::banned};  // 403 is the firewall: keep away for minutes
  if (status == 429) return {code, Outcome::throttled};
  if (status == 408 || status >= 500 || status < 200 || (status >= 300 && status < 400)) return {code, Outcome::failed};
  if (code < 0) return by_code(request, code);
  if (status == 401) return {code, Outcome::unauthorized};
  // A refusal without the venue's words may come from anyone on the way. HTML with 404 means a wrong path (§4.2), which
  // ends a question; of an order even that is left open.
  return {code, status == 404 && !is_write(request.kind) ? Outcome::refused : Outcome::failed};
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
  const bool overload = is_overload(response.status, reply.venue_code, words);
  const Meaning meaning =
      overload ? Meaning{reply.venue_code, Outcome::throttled} : by_status(request, response.status, reply.venue_code);
  fail(reply, meaning.outcome, words.empty() ? "HTTP " + std::to_string(response.status) : presentable(words));
  reply.refusal = meaning.refusal;
  if (words.find("banned until ") != std::string_view::npos) reply.outcome = Outcome::banned;
  if (reply.outcome == Outcome::throttled)
    reply.retry_after_ms = retry_after_ms(response, words, overload ? kOverloadedMs : kThrottledMs);
  if (reply.outcome == Outcome::banned) reply.retry_after_ms = retry_after_ms(response, words, kBannedMs);
  return false;
}

}  // namespace tradesync::binance
