// What an HTTP answer means (§4). The retCode decides whenever there is one; the HTTP status only when there is none.
#include <algorithm>

#include "exchanges/bybit/bybit.hpp"

namespace tradesync::bybit {
namespace {

constexpr std::int64_t kDefaultPauseMs = 1000;  // per-endpoint limits roll over one second (§7)
constexpr std::int64_t kLongestPauseMs = 24 * 3600 * 1000;
constexpr std::int64_t kAddressBanMs = 10 * 60 * 1000;  // HTTP 403: at least ten minutes (§4, §7)
constexpr std::size_t kLongestMessage = 300;

std::string_view header(const HttpResponse& response, std::string_view lower_case_name) {
  for (const auto& [name, value] : response.headers)
    if (name == lower_case_name) return value;
  return {};
}

std::int64_t header_number(const HttpResponse& response, std::string_view lower_case_name) {
  const std::string_view text = header(response, lower_case_name);
  std::int64_t number = 0;
  if (text.empty() || text.size() > 15) return -1;
  for (char c : text) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

Outcome of_code(std::int64_t code, RequestKind kind) {
  const bool asks_for_one = kind == RequestKind::order || kind == RequestKind::conditional_order;
  switch (code) {
    case 0: return Outcome::ok;
    case 10002: return Outcome::clock;
    case 10003:  // key unknown or of another environment
    case 10004:  // signature
    case 10007:  // user authentication failed
    case 10008:  // account banned
    case 10009:  // region blocked
    case 10010:  // address not bound to the key
    case 33004:  // key expired
      return Outcome::unauthorized;
    case 429:
    case 10006: return Outcome::throttled;
    case 10018: return Outcome::banned;
    case 10000:  // server timeout
    case 10016:  // internal error
    case 10019:  // node restarting
      return Outcome::failed;
    case 110001: return asks_for_one ? Outcome::not_found : Outcome::refused;
  }
  return Outcome::refused;
}

Outcome of_status(int status) {
  switch (status) {
    case 401: return Outcome::unauthorized;
    case 403: return Outcome::banned;
    case 429: return Outcome::throttled;
    case 400:
    case 404: return Outcome::refused;
  }
  return Outcome::failed;  // also 200 with a body that is no JSON: somebody else answered
}

// How long to stay away. Without a clock "now" is the server's time in the same answer.
std::int64_t pause_ms(const HttpResponse& response, const Reply& reply) {
  const std::int64_t seconds = header_number(response, "retry-after");
  if (seconds >= 0) return std::min(seconds, kLongestPauseMs / 1000) * 1000;
  if (reply.outcome == Outcome::banned) return kAddressBanMs;
  const std::int64_t reset_ms = header_number(response, "x-bapi-limit-reset-timestamp");
  if (reset_ms > 0 && reply.venue_time_ms > 0 && reset_ms > reply.venue_time_ms)
    return std::min(reset_ms - reply.venue_time_ms, kLongestPauseMs);
  return kDefaultPauseMs;
}

// Calls that this endpoint has seen within the rolling second.
int used_weight(const HttpResponse& response) {
  const std::int64_t limit = header_number(response, "x-bapi-limit");
  const std::int64_t left = header_number(response, "x-bapi-limit-status");
  if (limit < 0 || left < 0 || left > limit || limit > 100000) return -1;
  return static_cast<int>(limit - left);
}

}  // namespace

std::string shown(std::string_view message) {
  // 10004 answers "error sign! origin_string[<timestamp><api key><window><query>]".
  constexpr std::string_view kEcho = "origin_string";
  const std::size_t echo = message.find(kEcho);
  std::string text(message.substr(0, echo == std::string_view::npos ? echo : echo + kEcho.size()));
  if (text.size() > kLongestMessage) {
    std::size_t end = kLongestMessage;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // never inside a character
    text.resize(end);
  }
  return text;
}

bool succeeded(const Request& request, const HttpResponse& response, const json::Document& body, Reply& reply) {
  reply.http_status = response.status;
  reply.outcome = Outcome::failed;
  if (response.status == 0 || !response.complete) {
    reply.message = shown(response.error.empty() ? "no complete answer" : response.error);
    return false;
  }
  const auto code = body.root["retCode"].integer();
  if (code) {
    reply.venue_code = static_cast<int>(std::clamp<std::int64_t>(*code, -1, 99999999));
    reply.message = shown(body.root["retMsg"].text());
    reply.venue_time_ms = std::max<std::int64_t>(body.root["time"].integer().value_or(0), 0);
    reply.outcome = of_code(*code, request.kind);
    // A gateway error around an old or foreign success is no success.
    if (reply.outcome == Outcome::ok && (response.status < 200 || response.status > 299)) reply.outcome = Outcome::failed;
  } else {
    reply.outcome = of_status(response.status);
    reply.message = "HTTP " + std::to_string(response.status) + " without a readable body";
  }
  reply.used_weight = used_weight(response);
  if (reply.outcome == Outcome::throttled || reply.outcome == Outcome::banned) reply.retry_after_ms = pause_ms(response, reply);
  return reply.outcome == Outcome::ok;
}

}  // namespace tradesync::bybit
