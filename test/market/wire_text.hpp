// Small text tools that both venue faces need: percent coding, query strings, HMAC, JSON reading.
#pragma once

#include "market/decimal.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct json_t;

namespace market {

std::string hmac_sha256_hex(std::string_view secret, std::string_view payload);   // 64 lower-case hex digits
std::string percent_decode(std::string_view text);                                // '+' stays '+'; broken escapes stay as they are
std::string percent_encode(std::string_view text);                                // all but [A-Za-z0-9._~-]

// A query string or form body: decoded values in order of appearance, and the raw text kept for signatures.
class Query {
public:
    explicit Query(std::string_view raw);
    bool has(std::string_view name) const;
    std::string get(std::string_view name, std::string_view fallback = "") const;      // the first one
    std::optional<int64_t> integer(std::string_view name) const;                       // unset when absent or no number
    const std::vector<std::pair<std::string, std::string>>& items() const { return items_; }

private:
    std::vector<std::pair<std::string, std::string>> items_;
};

// A parsed JSON value, read leniently: numbers and booleans are also accepted as strings and the other way round.
// Decimals are only exact when they came as strings or integers.
class Json {
public:
    static std::optional<Json> parse(std::string_view text);
    bool is_object() const;
    bool is_array() const;
    bool has(const char* name) const;
    Json operator[](const char* name) const;               // an absent member is a null value
    size_t size() const;
    Json at(size_t index) const;
    bool is_null() const;
    std::string text(const char* name, std::string_view fallback = "") const;     // string, integer or boolean as text
    std::optional<int64_t> integer(const char* name) const;
    bool boolean(const char* name, bool fallback = false) const;
    std::optional<Decimal> decimal(const char* name) const;
    std::string as_text() const;                            // this value itself, as text(); "" for objects and arrays
    std::string dump() const;                               // compact JSON

private:
    explicit Json(std::shared_ptr<json_t> value) : value_(std::move(value)) {}
    std::shared_ptr<json_t> value_;
};

}  // namespace market
