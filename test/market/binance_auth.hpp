// Binance's request security (binance-usdm.md 3): which bytes are signed, and in which order a bad request is refused.
// Pure: the account is looked up by the caller's function, the time is given.
#pragma once

#include "market/face.hpp"

namespace market::binance {

// none: market data.  key: listen keys and MARKET_DATA, header only.  signed_request: USER_DATA and TRADE.
enum class Security { none, key, signed_request };

// A refusal as the venue words it; code 0 = accepted.
struct Problem {
    int http_status = 200;
    int code = 0;
    std::string message;
    explicit operator bool() const { return code != 0; }
};

// Query and body exactly as sent, directly one after the other, without the signature parameter wherever it stands.
std::string signed_payload(std::string_view query, std::string_view body);

// Order of the checks: key form (-2014), timestamp and signature present (-1102), key known (-2015), clock (-1021),
// signature (-1022). `secret_of` returns nullptr for an unknown key.
Problem check_security(const HttpRequest& request, Security security, Ms now,
                       const std::function<const std::string*(const std::string& key)>& secret_of);

}  // namespace market::binance
