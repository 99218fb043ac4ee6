// One venue's wire: pure functions from text to facts and from wishes to text. No clock, no socket, no state, no log.
// A new venue is a folder with the same file names plus one line in registry.def.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/request.hpp"
#include "core/rules.hpp"

namespace tradesync {

// Readable bytes that follow every message handed to decode(): simdjson reads past the end (SIMDJSON_PADDING is 32 in 3.0).
inline constexpr std::size_t kMessagePadding = 64;

// scheme://host[:port] without a trailing slash. An override of the user replaces one of these as a whole.
struct Endpoints {
  std::string rest, public_stream, private_stream;
};

// Borrowed for the duration of one call; the app owns and wipes them.
struct Credentials {
  std::string_view api_key, api_secret;
};

struct HttpRequest {
  std::string method;   // GET POST PUT DELETE
  std::string url;      // complete, signed
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct HttpResponse {
  int status = 0;                 // 0: no complete answer arrived
  bool complete = false;          // the body arrived whole (Content-Length or final chunk)
  std::string_view body;          // followed by kMessagePadding readable bytes
  std::string error;              // transport's words when status is 0 or the body was cut
  // Header names in lower case.
  std::vector<std::pair<std::string, std::string>> headers;
};

enum class StreamKind : std::uint8_t { private_, public_ };

struct StreamCommand {
  enum class What : std::uint8_t { authenticate, subscribe_account, subscribe, unsubscribe, ping };
  What what = What::ping;
  std::string id;                      // digits; echoed in Acknowledged::command_id where the venue echoes
  std::vector<std::string> symbols;    // subscribe, unsubscribe: all price topics of these symbols
};

// facts of one frame. `error` non-empty: the frame could not be read (facts may hold what was read before the fault);
// the app stores it in dead_letters. Unknown events and unknown fields are not errors.
struct Decoded {
  Facts facts;
  std::string error;
  bool account_event = false;  // true when a fact about orders, fills, positions, balances is in it
};

class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const VenueRules& rules() const = 0;

  // environment: mainnet, testnet, demo. nullopt for a word the venue does not have.
  virtual std::optional<Endpoints> endpoints(std::string_view environment) const = 0;

  virtual HttpRequest encode(const Request& request, const Endpoints& endpoints, const Credentials& credentials,
                             std::int64_t venue_now_ms) const = 0;
  // Never throws for any byte sequence. Reply::id is copied from the request.
  virtual Reply decode(const Request& request, const HttpResponse& response) const = 0;

  // Complete URL of one stream connection; listen_key only where rules().listen_key.
  virtual std::string stream_url(StreamKind kind, const Endpoints& endpoints, std::string_view listen_key) const = 0;
  virtual std::string encode(const StreamCommand& command, StreamKind kind, const Credentials& credentials,
                             std::int64_t venue_now_ms) const = 0;
  // `message` is followed by kMessagePadding readable bytes. Appends to out.facts (out is cleared by the caller and
  // reused between frames so that the hot path allocates little). Never throws for any byte sequence.
  virtual void decode(StreamKind kind, std::string_view message, Decoded& out) const = 0;
};

// nullptr when no venue has that name. The object lives as long as the process.
const Exchange* find_exchange(std::string_view name);

}  // namespace tradesync
