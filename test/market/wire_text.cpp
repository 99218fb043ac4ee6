// Percent coding, queries, HMAC (OpenSSL) and lenient JSON reading (jansson) for both faces.
#include "market/wire_text.hpp"

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <charconv>

namespace market {

namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr char kUpperHex[] = "0123456789ABCDEF";

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::optional<int64_t> parse_integer(std::string_view text) {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return value;
}

}  // namespace

std::string hmac_sha256_hex(std::string_view secret, std::string_view payload) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(payload.data()), payload.size(), digest, &length);
    std::string out;
    for (unsigned int i = 0; i < length; ++i) {
        out += kHex[digest[i] >> 4];
        out += kHex[digest[i] & 15];
    }
    return out;
}

std::string percent_decode(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
        if (!escape) {
            out += text[i];
            continue;
        }
        out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
        i += 2;
    }
    return out;
}

std::string percent_encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += kUpperHex[byte >> 4];
        out += kUpperHex[byte & 15];
    }
    return out;
}

Query::Query(std::string_view raw) {
    while (!raw.empty()) {
        const size_t end = raw.find('&');
        const std::string_view item = raw.substr(0, end);
        raw = end == std::string_view::npos ? std::string_view() : raw.substr(end + 1);
        if (item.empty()) continue;
        const size_t equals = item.find('=');
        items_.emplace_back(percent_decode(item.substr(0, equals)),
                            equals == std::string_view::npos ? "" : percent_decode(item.substr(equals + 1)));
    }
}

bool Query::has(std::string_view name) const {
    for (const auto& [key, value] : items_)
        if (key == name) return true;
    return false;
}

std::string Query::get(std::string_view name, std::string_view fallback) const {
    for (const auto& [key, value] : items_)
        if (key == name) return value;
    return std::string(fallback);
}

std::optional<int64_t> Query::integer(std::string_view name) const {
    return parse_integer(get(name));
}

std::optional<Json> Json::parse(std::string_view text) {
    json_t* value = json_loadb(text.data(), text.size(), JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, nullptr);
    if (value == nullptr) return std::nullopt;
    return Json(std::shared_ptr<json_t>(value, json_decref));
}

bool Json::is_object() const { return json_is_object(value_.get()); }
bool Json::is_array() const { return json_is_array(value_.get()); }
bool Json::is_null() const { return value_ == nullptr || json_is_null(value_.get()); }
bool Json::has(const char* name) const { return json_object_get(value_.get(), name) != nullptr; }
size_t Json::size() const { return json_array_size(value_.get()); }

Json Json::operator[](const char* name) const {
    return Json(std::shared_ptr<json_t>(json_incref(json_object_get(value_.get(), name)), json_decref));
}

Json Json::at(size_t index) const {
    return Json(std::shared_ptr<json_t>(json_incref(json_array_get(value_.get(), index)), json_decref));
}

std::string Json::as_text() const {
    const json_t* value = value_.get();
    if (json_is_string(value)) return {json_string_value(value), json_string_length(value)};
    if (json_is_integer(value)) return std::to_string(json_integer_value(value));
    if (json_is_boolean(value)) return json_is_true(value) ? "true" : "false";
    if (json_is_real(value)) return dump();
    return "";
}

std::string Json::dump() const {
    if (value_ == nullptr) return "null";
    char* text = json_dumps(value_.get(), JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    std::string out = text == nullptr ? "" : text;
    free(text);
    return out;
}

std::string Json::text(const char* name, std::string_view fallback) const {
    return has(name) ? (*this)[name].as_text() : std::string(fallback);
}

std::optional<int64_t> Json::integer(const char* name) const { return parse_integer(text(name)); }

bool Json::boolean(const char* name, bool fallback) const {
    const std::string value = text(name);
    return value.empty() ? fallback : value == "true" || value == "1";
}

std::optional<Decimal> Json::decimal(const char* name) const { return Decimal::parse(text(name)); }

}  // namespace market
