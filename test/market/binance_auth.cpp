// See binance_auth.hpp.
#include "market/binance_auth.hpp"

#include "market/wire_text.hpp"

#include <algorithm>
#include <cctype>

namespace market::binance {

namespace {

constexpr Ms kDefaultRecvWindow = 5'000;
constexpr Ms kMaximumRecvWindow = 60'000;
constexpr Ms kAheadTolerance = 1'000;

std::string without_signature(std::string_view text) {
    std::string kept;
    while (!text.empty()) {
        const size_t end = std::min(text.find('&'), text.size());
        const std::string_view part = text.substr(0, end);
        if (!part.starts_with("signature=")) {
            if (!kept.empty()) kept += '&';
            kept += part;
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return kept;
}

bool same_hex(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

Problem missing(std::string_view parameter) {
    return {400, -1102, "Mandatory parameter '" + std::string(parameter) + "' was not sent, was empty/null, or malformed."};
}

Problem check_clock(Ms timestamp, Ms recv_window, Ms now) {
    if (timestamp >= now + kAheadTolerance) {
        return {400, -1021, "Timestamp for this request was 1000ms ahead of the server's time."};
    }
    if (now - timestamp > std::min(recv_window, kMaximumRecvWindow)) {
        return {400, -1021, "Timestamp for this request is outside of the recvWindow."};
    }
    return {};
}

}  // namespace

std::string signed_payload(std::string_view query, std::string_view body) {
    return without_signature(query) + without_signature(body);
}

Problem check_security(const HttpRequest& request, Security security, Ms now,
                       const std::function<const std::string*(const std::string& key)>& secret_of) {
    if (security == Security::none) return {};
    const std::string key(request.header("x-mbx-apikey"));
    if (key.empty()) return {401, -2014, "API-key format invalid."};
    const Query parameters(request.query + "&" + request.body);
    const auto timestamp = parameters.integer("timestamp");
    const std::string signature = parameters.get("signature");
    if (security == Security::signed_request) {
        if (!timestamp) return missing("timestamp");
        if (signature.empty()) return missing("signature");
    }
    const std::string* secret = secret_of(key);
    if (secret == nullptr) return {401, -2015, "Invalid API-key, IP, or permissions for action."};
    if (security == Security::key) return {};
    const Ms recv_window = parameters.integer("recvWindow").value_or(kDefaultRecvWindow);
    if (Problem problem = check_clock(*timestamp, recv_window, now)) return problem;
    if (!same_hex(hmac_sha256_hex(*secret, signed_payload(request.query, request.body)), signature)) {
        return {400, -1022, "Signature for this request is not valid."};
    }
    return {};
}

}  // namespace market::binance
