// HMAC signatures (§2). The signed bytes are the bytes on the wire: nothing is serialised twice.
#include "exchanges/bybit/bybit.hpp"
#include "exchanges/hmac.hpp"

namespace tradesync::bybit {
void sign(HttpRequest& http, std::string_view payload, const Credentials& credentials, std::int64_t venue_now_ms) {
  const std::string timestamp = std::to_string(venue_now_ms), window = std::to_string(kReceiveWindowMs);
  std::string text = timestamp;
  text.append(credentials.api_key).append(window).append(payload);
  http.headers.emplace_back("X-BAPI-API-KEY", credentials.api_key);
  http.headers.emplace_back("X-BAPI-TIMESTAMP", timestamp);
  http.headers.emplace_back("X-BAPI-RECV-WINDOW", window);
  http.headers.emplace_back("X-BAPI-SIGN", hmac_sha256_hex(credentials.api_secret, text));
}

std::string stream_signature(std::string_view secret, std::int64_t expires_ms) {
  return hmac_sha256_hex(secret, "GET/realtime" + std::to_string(expires_ms));
}

}  // namespace tradesync::bybit
