#include "exchanges/hmac.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <limits>
#include <stdexcept>

namespace tradesync {

std::string hmac_sha256_hex(std::string_view secret, std::string_view message) {
  if (secret.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) throw std::length_error("secret too long");
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int length = 0;
  // A null key would mean "the key of the previous call" to OpenSSL; an empty secret must not become that.
  const void* key = secret.empty() ? "" : secret.data();
  if (!HMAC(EVP_sha256(), key, static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(message.data()),
            message.size(), digest.data(), &length))
    throw std::runtime_error("HMAC-SHA256 is not available in this OpenSSL");

  constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * length);
  for (unsigned int i = 0; i < length; ++i) {
    hex.push_back(kHex[digest[i] >> 4]);
    hex.push_back(kHex[digest[i] & 15]);
  }
  return hex;
}

}  // namespace tradesync
