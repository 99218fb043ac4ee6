// What the files of this folder share; nobody outside includes it. "§" is a section of protocol/binance-usdm.md.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "exchanges/exchange.hpp"
#include "exchanges/json.hpp"
#include "exchanges/url.hpp"

namespace tradesync::binance {

const Exchange& exchange();  // session.cpp

// endpoints.cpp (§1): base addresses, and the complete addresses of the two streams.
std::optional<Endpoints> endpoints(std::string_view environment);
std::string stream_url(StreamKind kind, const Endpoints& endpoints, std::string_view listen_key);

// sign.cpp (§3.1): what goes on the wire for a signed call, the payload with its signature behind it.
std::string sign(std::string payload, const Credentials& credentials);

// encode.cpp (§6–§11): a question as an HTTP request.
HttpRequest encode_request(const Request& request, const Endpoints& endpoints, const Credentials& credentials,
                           std::int64_t venue_now_ms);

// encode_orders.cpp (§8, §10): the parameters of what changes something.
void add_order(Query& query, const OrderTicket& ticket);
// Which order: `order_id`, else `client_order_id`, by the names of its service.
void add_order_reference(Query& query, const Request& request, OrderKind kind);

// Refused when older than this on arrival (§3.1): the venue's own default, said aloud. It absorbs a slow network; the
// clock's offset is already in venue_now_ms.
inline constexpr std::int64_t kReceiveWindowMs = 5000;

// Cursor of the second step of a ticker: premiumIndex has the mark price, ticker/price the last one.
inline constexpr std::string_view kLastPriceStep = "last";

// Rows asked for per page. encode asks for them, decode knows by them that a page was full.
inline constexpr std::size_t kOrderPage = 1000;   // §8.3
inline constexpr std::size_t kTradePage = 1000;   // §8.8
inline constexpr std::size_t kIncomePage = 1000;  // §7

// decode_rest.cpp, decode_stream.cpp (§12, §14)
Reply decode_reply(const Request& request, const HttpResponse& response);
void decode_message(std::string_view message, Decoded& out);

// outcome.cpp (§4): fills outcome, code, message, retry_after and used_weight; true when the answer is a success whose
// body may be read. `body` is what json::parse() made of the response.
bool succeeded(const Request& request, const HttpResponse& response, const json::Document& body, Reply& reply);

// vocabulary.cpp: the venue's words in ours.
Side side(json::Fields& row, std::string_view key);
PositionSide position_side(json::Fields& row, std::string_view key);  // absent = one-way
std::string lower(std::string_view word);                            // ASCII only
OrderStatus order_status(std::string_view word);
// FINISHED depends on what the child filled; `filled` is nullopt where the venue does not say.
OrderStatus algo_status(std::string_view word, const Decimal& quantity, const std::optional<Decimal>& filled);
std::string expiry_reason(std::string_view er);
std::string_view execution_type(std::string_view client_order_id);
std::string instrument_status(std::string_view word);
std::string contract_type(std::string_view word);

// rows.cpp. The whole number a text begins with; nullopt when it does not begin with a digit or the number has no room.
std::optional<std::int64_t> leading_integer(std::string_view text);

// A price of zero means "none" in every order field.
std::optional<Decimal> set_price(const std::optional<Decimal>& price);
// "147.30000000000001" -> 147.3: entry prices are computed by the venue in binary floating point (§2). Only for those.
Decimal without_float_noise(const Decimal& price);

// Where decoded rows go. A row with a malformed field is left out and the first such fault is named; the others stay.
struct Rows {
  Facts& facts;
  std::string& error;

  // false when the row has a fault; it is then called "where.field: …" or "where[index].field: …".
  bool add(const json::Fields& row, std::string_view where, Fact fact);
  bool add(const json::Fields& row, std::string_view where, std::size_t index, Fact fact);
  bool check(const json::Fields& row, std::string_view where);
};

}  // namespace tradesync::binance
