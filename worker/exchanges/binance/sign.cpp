// How a request proves who sends it (§3.1): HMAC-SHA256 over exactly the bytes that are transmitted, signature last.
#include "exchanges/binance/binance.hpp"
#include "exchanges/hmac.hpp"

namespace tradesync::binance {

std::string sign(std::string payload, const Credentials& credentials) {
  const std::string signature = hmac_sha256_hex(credentials.api_secret, payload);
  return payload.append("&signature=").append(signature);
}

}  // namespace tradesync::binance
