// What an HTTP answer means (§4). The retCode decides whenever there is one; the HTTP status only when there is none.
#include <algorithm>
#include <iterator>

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

struct Meaning {
  std::int64_t code;
  Outcome outcome;
  Refusal refusal = Refusal::other;
};

// What the codes of §4 prove. A code that is not here is a definite no without a reason that we act on.
constexpr Meaning kMeanings[] = {
    {0, Outcome::ok},

    // No to every later call as well.
    {10003, Outcome::unauthorized},  // §4 key unknown or of another environment
    {10004, Outcome::unauthorized},  // §4 signature
    {10007, Outcome::unauthorized},  // §4 user authentication failed
    {10008, Outcome::unauthorized},  // §4 account banned
    {10009, Outcome::unauthorized},  // §4 region blocked
    {10010, Outcome::unauthorized},  // §4 address not bound to the key
    {33004, Outcome::unauthorized},  // §4 key expired
    {10002, Outcome::clock},         // §2.1 timestamp outside the window

    // Not now. 429 is so for questions only: of an order it leaves everything open (§4).
    {429, Outcome::throttled},     // §4 trading service overloaded
    {10006, Outcome::throttled},   // §4, §7 too many visits: a clean refusal
    {110079, Outcome::throttled},  // §4 order is being processed, try again
    {10018, Outcome::banned},      // §4 address limit

    // The ambiguous set of §4: the order may be there.
    {10000, Outcome::failed},  // server time-out
    {10014, Outcome::failed},  // duplicate request: one of the two may have been executed
    {10016, Outcome::failed},  // internal error
    {10019, Outcome::failed},  // node restarting
    {10403, Outcome::failed},
    {10429, Outcome::failed},
    {20003, Outcome::failed},
    {20006, Outcome::failed},

    // No such order, or it has ended. Of other questions: refused.
    {110001, Outcome::not_found},  // §3.12
    {110008, Outcome::not_found},  // §4 finished
    {110010, Outcome::not_found},  // §4 cancelled

    {110072, Outcome::refused, Refusal::duplicate},      // §3.10
    {110092, Outcome::refused, Refusal::would_trigger},  // §3.10 rising, but below the price
    {110093, Outcome::refused, Refusal::would_trigger},  // §3.10 falling, but above the price
    {110017, Outcome::refused, Refusal::reduce_only},    // §3.10
    {110034, Outcome::refused, Refusal::reduce_only},    // §4 no net position
    {34040, Outcome::refused, Refusal::not_modified},    // §3.9; set_position_stop: ok
    {110043, Outcome::refused, Refusal::not_modified},   // §3.8; set_leverage: ok

    {110004, Outcome::refused, Refusal::balance},  // §4
    {110006, Outcome::refused, Refusal::balance},  // §3.10, §4
    {110007, Outcome::refused, Refusal::balance},  // §3.10, §4 the usual one
    {110012, Outcome::refused, Refusal::balance},  // §3.10, §4
    {110014, Outcome::refused, Refusal::balance},  // §4
    {110044, Outcome::refused, Refusal::balance},  // §4
    {110045, Outcome::refused, Refusal::balance},  // §3.10, §4
    {110051, Outcome::refused, Refusal::balance},  // §4
    {110052, Outcome::refused, Refusal::balance},  // §4
    {110053, Outcome::refused, Refusal::balance},  // §4

    {30208, Outcome::refused, Refusal::filter},   // §4 above the highest buying price
    {30209, Outcome::refused, Refusal::filter},   // §4 below the lowest selling price
    {110003, Outcome::refused, Refusal::filter},  // §3.10, §4 price out of range
    {110058, Outcome::refused, Refusal::filter},  // §3.9 remaining size too small
    {110094, Outcome::refused, Refusal::filter},  // §3.10 notional
    {110120, Outcome::refused, Refusal::filter},  // §3.10, §4 below the boundary
    {110121, Outcome::refused, Refusal::filter},  // §3.10, §4 above the boundary

    {110009, Outcome::refused, Refusal::too_many_orders},  // §3.10 10 conditional orders per symbol
    {110020, Outcome::refused, Refusal::too_many_orders},  // §3.10 500 active orders per symbol
    {110061, Outcome::refused, Refusal::too_many_orders},  // §3.9 20 partial stops

    {10024, Outcome::refused, Refusal::not_tradable},   // §4 compliance
    {10027, Outcome::refused, Refusal::not_tradable},   // §4 trading banned
    {10029, Outcome::refused, Refusal::not_tradable},   // §4 symbol not in the key's list
    {30228, Outcome::refused, Refusal::not_tradable},   // §4 delisting
    {110005, Outcome::refused, Refusal::not_tradable},  // §4 position in liquidation or deleveraging
    {110022, Outcome::refused, Refusal::not_tradable},  // §4 only reducing
    {110023, Outcome::refused, Refusal::not_tradable},  // §4 only reducing
    {110042, Outcome::refused, Refusal::not_tradable},  // §4 only reducing
    {110063, Outcome::refused, Refusal::not_tradable},  // §4 settlement in progress
    {110066, Outcome::refused, Refusal::not_tradable},  // §4 trading not allowed
    {110074, Outcome::refused, Refusal::not_tradable},  // §4 contract not live
    {110095, Outcome::refused, Refusal::not_tradable},  // §4 110095–110103: call auction
    {110096, Outcome::refused, Refusal::not_tradable},
    {110097, Outcome::refused, Refusal::not_tradable},
    {110098, Outcome::refused, Refusal::not_tradable},
    {110099, Outcome::refused, Refusal::not_tradable},
    {110100, Outcome::refused, Refusal::not_tradable},
    {110101, Outcome::refused, Refusal::not_tradable},
    {110102, Outcome::refused, Refusal::not_tradable},
    {110103, Outcome::refused, Refusal::not_tradable},
    {110123, Outcome::refused, Refusal::not_tradable},  // §4 trading terms not agreed
    {110124, Outcome::refused, Refusal::not_tradable},  // §4
    {110125, Outcome::refused, Refusal::not_tradable},  // §4 cooling-off
    {110132, Outcome::refused, Refusal::not_tradable},  // §4 region
};

// 10001 is every wrong parameter (§4): only its text says which. Parts of the texts that were seen, in lower case.
struct Phrase {
  std::string_view text;
  Refusal refusal;
};
constexpr Phrase kPhrases[] = {
    {"position idx not match", Refusal::position_mode},    // §3.9
    {"zero position", Refusal::zero_position},             // §3.9
    {"base_price", Refusal::would_trigger},                // §3.9 stop on the wrong side of the price
    {"trigger_price", Refusal::would_trigger},             // §3.10
    {"number of contracts exceeds", Refusal::filter},      // §3.10
    {"qty invalid", Refusal::filter},                      // §4 "params error: … invalid"
    {"price invalid", Refusal::filter},                    // §4
    {"price is invalid", Refusal::filter},                 // §3.10
};

Refusal by_text(std::string_view message) {
  std::string text(message.substr(0, kLongestMessage));
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  const auto* known = std::find_if(std::begin(kPhrases), std::end(kPhrases),
                                   [&](const Phrase& phrase) { return text.find(phrase.text) != std::string::npos; });
  return known == std::end(kPhrases) ? Refusal::other : known->refusal;
}

bool is_about_one_order(RequestKind kind) {
  return kind == RequestKind::order || kind == RequestKind::conditional_order || kind == RequestKind::cancel_order;
}

Meaning of_code(std::int64_t code, std::string_view message, RequestKind kind) {
  const auto* known = std::find_if(std::begin(kMeanings), std::end(kMeanings), [&](const Meaning& row) { return row.code == code; });
  Meaning meaning = known == std::end(kMeanings) ? Meaning{code, Outcome::refused} : *known;
  if (code == 10001) meaning.refusal = by_text(message);
  if (code == 429 && is_write(kind)) meaning.outcome = Outcome::failed;
  if (meaning.outcome == Outcome::not_found && !is_about_one_order(kind)) meaning.outcome = Outcome::refused;
  const bool is_so_already = (code == 34040 && kind == RequestKind::set_position_stop) ||
                             (code == 110043 && kind == RequestKind::set_leverage);
  if (is_so_already) meaning.outcome = Outcome::ok;
  return meaning;
}

// Without a retCode. Of a write it is left open whether the venue has seen it, unless the status can only come from before
// the trading service (§4).
Outcome of_status(int status, RequestKind kind) {
  switch (status) {
    case 401: return Outcome::unauthorized;
    case 403: return Outcome::banned;
    case 429: return is_write(kind) ? Outcome::failed : Outcome::throttled;
    case 400:
    case 404: return is_write(kind) ? Outcome::failed : Outcome::refused;
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
    const Meaning meaning = of_code(*code, body.root["retMsg"].text(), request.kind);
    reply.outcome = meaning.outcome;
    reply.refusal = meaning.refusal;
    // A gateway error around an old or foreign success is no success; around anything that was said about a write it leaves
    // the write's fate open (§4).
    const bool is_gateway_error = response.status >= 500 && is_write(request.kind);
    if (is_gateway_error || (reply.outcome == Outcome::ok && (response.status < 200 || response.status > 299)))
      reply.outcome = Outcome::failed;
    if (reply.outcome == Outcome::failed) reply.refusal = Refusal::other;
  } else {
    reply.outcome = of_status(response.status, request.kind);
    reply.message = "HTTP " + std::to_string(response.status) + " without a readable body";
  }
  reply.used_weight = used_weight(response);
  if (reply.outcome == Outcome::throttled || reply.outcome == Outcome::banned) reply.retry_after_ms = pause_ms(response, reply);
  return code == 0 && reply.outcome == Outcome::ok;
}

}  // namespace tradesync::bybit
