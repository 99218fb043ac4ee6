// What the files of this folder share; nobody outside includes it. "§" is a section of protocol/bybit-v5.md.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "exchanges/exchange.hpp"
#include "exchanges/json.hpp"

namespace tradesync::bybit {

const Exchange& exchange();  // session.cpp

// endpoints.cpp (§1): base addresses, and the complete addresses of the two streams.
std::optional<Endpoints> endpoints(std::string_view environment);
std::string stream_url(StreamKind kind, const Endpoints& endpoints);

// sign.cpp (§2): adds the signed headers of a private call whose query (GET) or body (POST) is `payload`.
void sign(HttpRequest& http, std::string_view payload, const Credentials& credentials, std::int64_t venue_now_ms);
std::string stream_signature(std::string_view secret, std::int64_t expires_ms);

// The server's default (§2.1); sent always, because its value is part of the signed text.
inline constexpr std::int64_t kReceiveWindowMs = 5000;

// encode_orders.cpp (§3.8–§3.12): the JSON body of a write; "" for everything else, and for text that cannot be sent.
std::string order_body(const Request& request);

// encode.cpp (§3, §5, §6): a question as an HTTP request, a command as a frame.
HttpRequest encode_request(const Request& request, const Endpoints& endpoints, const Credentials& credentials,
                           std::int64_t venue_now_ms);
std::string encode_command(const StreamCommand& command, StreamKind kind, const Credentials& credentials,
                           std::int64_t venue_now_ms);

// Cursor of the second step of looking for one order: order/realtime forgets closed orders, order/history has them.
inline constexpr std::string_view kHistoryStep = "history";

// decode_rest.cpp, decode_stream.cpp (§3–§6)
Reply decode_reply(const Request& request, const HttpResponse& response);
void decode_message(StreamKind kind, std::string_view message, Decoded& out);

// outcome.cpp (§4, §7): fills outcome, code, message, venue time, retry_after and used_weight; true when the answer is a
// success whose result may be read. `body` is what json::parse() made of the response.
bool succeeded(const Request& request, const HttpResponse& response, const json::Document& body, Reply& reply);
// A text of the venue as it may be shown: the signed string it may echo (it holds the API key) is cut out, length bounded.
std::string shown(std::string_view message);

// vocabulary.cpp: the venue's words in ours. "UNKNOWN" and "" both mean that there is none.
std::string_view word(json::Fields& row, std::string_view key);
Side side(json::Fields& row, std::string_view key);
PositionSide position_side(json::Fields& row);
OrderKind order_kind(std::string_view stop_order_type, std::string_view create_type);
std::string order_type(std::string_view stop_order_type, std::string_view create_type, std::string_view order_type);
// A stop that the venue made for a position (trading-stop, attached to an entry), not one that somebody placed as an order.
bool belongs_to_position(std::string_view stop_order_type, std::string_view create_type);
OrderStatus order_status(std::string_view word, const Decimal& filled);
std::string instrument_status(std::string_view word);
std::string contract_type(std::string_view word);
enum class Execution : std::uint8_t { fill, funding, none, not_understood };
Execution execution(std::string_view exec_type);
std::string lower_snake(std::string_view word);  // AdlTrade -> adl_trade

// Where decoded rows go. A row with a malformed field is left out and the first such fault is named; the others stay.
struct Rows {
  Facts& facts;
  std::string& error;

  bool add(const json::Fields& row, std::string_view where, Fact fact);
};

// rows.cpp: stream and REST send the same rows. Each returns true when a fact came out of it.
// Contracts that do not settle in USDT are left out everywhere: the REST lists we reconcile with hold USDT contracts only.
bool read_order(json::Value value, Rows& rows);
bool read_execution(json::Value value, Rows& rows);
bool read_position(json::Value value, Rows& rows);
// One account of the wallet, which holds one balance per coin.
bool read_wallet(json::Value value, std::int64_t at_ms, Rows& rows);

}  // namespace tradesync::bybit
