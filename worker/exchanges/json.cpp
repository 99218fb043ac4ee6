// simdjson does what it is fast at: check UTF-8 and control characters and find where every token starts (its "stage 1").
// Its converters are not used: the DOM turns numbers into doubles, and on-demand reading leaves what is not read unchecked.
// The walk below checks the grammar itself and makes one flat list of nodes.
#include "exchanges/json.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "exchanges/exchange.hpp"

namespace tradesync::json {
namespace {

static_assert(kMessagePadding >= simdjson::SIMDJSON_PADDING, "simdjson reads this far past the end of a message");

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxMessage = 256u << 20;  // far above any list of a venue; positions in a message are 32 bits

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// RFC 8259 §6.
bool is_json_number(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t first = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - first;
  };
  if (i < text.size() && text[i] == '-') ++i;
  const bool leading_zero = i < text.size() && text[i] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (leading_zero && whole > 1)) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

class Reader {
 public:
  Document parse(std::string_view message) {
    if (message.size() > kMaxMessage) return {{}, "too long"};
    if (message.empty()) return {{}, "empty"};
    make_room(message);
    if (tokens_->stage1(reinterpret_cast<const std::uint8_t*>(message.data()), message.size(), simdjson::stage1_mode::regular))
      return {{}, kBroken};
    message_ = message;
    token_ = tokens_->structural_indexes.get();
    end_ = token_ + tokens_->n_structural_indexes;
    if (nodes_.size() < tokens_->n_structural_indexes) nodes_.resize(tokens_->n_structural_indexes);
    count_ = 0;

    const char first = peek();
    if (first != '{' && first != '[') return {{}, "neither an object nor an array"};
    const std::string_view error = walk_value({}, 0);
    if (!error.empty()) return {{}, error};
    if (token_ != end_) return {{}, "text after the end of the JSON value"};
    return {Value(nodes_.data()), {}};
  }

 private:
  static constexpr std::string_view kBroken = "not valid JSON";
  static constexpr std::string_view kBadString = "a string is malformed or holds a NUL";
  static constexpr std::string_view kTooDeep = "nested too deeply";

  void make_room(std::string_view message) {
    if (!tokens_ || tokens_->capacity() < message.size()) {
      const std::size_t capacity = std::max<std::size_t>(message.size() + message.size() / 2, 4096);
      tokens_.reset();
      const simdjson::implementation* implementation = simdjson::get_active_implementation();
      if (implementation->create_dom_parser_implementation(capacity, kMaxDepth, tokens_)) throw std::bad_alloc();
    }
    // Almost no message contains an escape; then every string is a plain piece of the message.
    escapes_ = std::memchr(message.data(), '\\', message.size()) != nullptr;
    if (!escapes_) return;
    const std::size_t size = message.size() + simdjson::SIMDJSON_PADDING;
    if (unescaped_.size() < size) unescaped_.resize(size);
    unescaped_end_ = unescaped_.data();
  }

  // First character of the token that comes next, NUL when there is none: no rule of the grammar accepts a NUL.
  char peek() const { return token_ == end_ ? '\0' : message_[*token_]; }
  char next() {
    const char c = peek();
    if (token_ != end_) ++token_;
    return c;
  }

  // The text of the next scalar, which runs to the token behind it.
  std::string_view take_token() {
    const std::size_t start = *token_++;
    std::size_t stop = token_ == end_ ? message_.size() : *token_;
    while (is_space(message_[stop - 1])) --stop;
    return message_.substr(start, stop - start);
  }

  // Member by member: assigning a whole Node goes through a temporary and made parsing 1.6 times slower.
  void add(std::string_view key, std::string_view text, Type type) {
    Node& node = nodes_[count_++];
    node.key = key;
    node.text = text;
    node.span = 1;
    node.type = type;
  }

  // Each walk_… returns "" or what is wrong.
  std::string_view walk_value(std::string_view key, int depth) {
    switch (peek()) {
      case '{': return depth < kMaxDepth ? walk_object(key, depth) : kTooDeep;
      case '[': return depth < kMaxDepth ? walk_array(key, depth) : kTooDeep;
      case '"': {
        std::string_view text;
        if (!take_string(text)) return kBadString;
        add(key, text, Type::string);
        return {};
      }
      case '\0': return kBroken;
    }
    return walk_word(key);
  }

  std::string_view walk_object(std::string_view key, int depth) {
    const std::size_t self = count_;
    add(key, {}, Type::object);
    next();
    if (peek() == '}') {
      next();
      return {};
    }
    for (;;) {
      std::string_view name;
      if (peek() != '"') return kBroken;
      if (!take_string(name)) return kBadString;
      if (next() != ':') return kBroken;
      const std::string_view error = walk_value(name, depth + 1);
      if (!error.empty()) return error;
      const char c = next();
      if (c == '}') break;
      if (c != ',') return kBroken;
    }
    nodes_[self].span = static_cast<std::uint32_t>(count_ - self);
    return {};
  }

  std::string_view walk_array(std::string_view key, int depth) {
    const std::size_t self = count_;
    add(key, {}, Type::array);
    next();
    if (peek() == ']') {
      next();
      return {};
    }
    for (;;) {
      const std::string_view error = walk_value({}, depth + 1);
      if (!error.empty()) return error;
      const char c = next();
      if (c == ']') break;
      if (c != ',') return kBroken;
    }
    nodes_[self].span = static_cast<std::uint32_t>(count_ - self);
    return {};
  }

  // A number, true, false or null.
  std::string_view walk_word(std::string_view key) {
    const std::string_view token = take_token();
    if (token == "null") add(key, {}, Type::null);
    else if (token == "true" || token == "false") add(key, token, Type::boolean);
    else if (is_json_number(token)) add(key, token, Type::number);
    else return kBroken;
    return {};
  }

  bool take_string(std::string_view& text) {
    const std::string_view token = take_token();
    if (token.size() < 2 || token.back() != '"') return false;
    text = token.substr(1, token.size() - 2);
    return !escapes_ || unescape(text);
  }

  // Also refuses \u0000 and half a surrogate pair: neither is text for PostgreSQL.
  bool unescape(std::string_view& text) {
    if (text.find('\\') == std::string_view::npos) return true;
    char* const start = unescaped_end_;
    const auto* source = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto* end = tokens_->parse_string(source, reinterpret_cast<std::uint8_t*>(start));
    if (!end) return false;
    unescaped_end_ = start + (reinterpret_cast<const char*>(end) - start);
    text = {start, static_cast<std::size_t>(unescaped_end_ - start)};
    return text.find('\0') == std::string_view::npos && simdjson::validate_utf8(text.data(), text.size());
  }

  std::unique_ptr<simdjson::internal::dom_parser_implementation> tokens_;
  std::vector<Node> nodes_;
  std::size_t count_ = 0;
  std::vector<char> unescaped_;
  char* unescaped_end_ = nullptr;
  bool escapes_ = false;
  std::string_view message_;
  const std::uint32_t* token_ = nullptr;
  const std::uint32_t* end_ = nullptr;
};

}  // namespace

Document parse(std::string_view message) {
  // Never destroyed on purpose: the thread may still be decoding while static objects go (BOUNDARIES 4.9).
  static thread_local Reader* const reader = new Reader;
  return reader->parse(message);
}

std::optional<Decimal> Value::decimal() const {
  if (type() != Type::number && type() != Type::string) return std::nullopt;
  return Decimal::parse(text());
}

std::optional<std::int64_t> Value::integer() const {
  if (type() != Type::number && type() != Type::string) return std::nullopt;
  const std::string_view digits = text();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::optional<bool> Value::boolean() const {
  if (type() != Type::boolean && type() != Type::string) return std::nullopt;
  if (text() == "true") return true;
  if (text() == "false") return false;
  return std::nullopt;
}

Value Value::operator[](std::string_view key) const {
  if (is_object())
    for (const Value member : *this)
      if (member.key() == key) return member;
  return {};
}

namespace {
bool is_absent(Value value) { return !value.has_value() || (value.is_string() && value.text().empty()); }
}  // namespace

Fields::Fields(Value object) : object_(object) {
  if (!object.is_object()) fail("row", "not an object");
}

void Fields::fail(std::string_view key, std::string_view what) {
  if (!ok()) return;
  key_ = key;
  what_ = what;
}

std::string Fields::fault() const {
  if (ok()) return {};
  return std::string(key_).append(": ").append(what_);
}

std::string_view Fields::text(std::string_view key) {
  const Value value = object_[key];
  if (is_absent(value)) return {};
  if (value.type() > Type::string) {
    fail(key, "not a text");
    return {};
  }
  if (value.text().size() > kMaxFieldText) {
    fail(key, "too long");
    return {};
  }
  return value.text();
}

std::optional<Decimal> Fields::decimal(std::string_view key) {
  const Value value = object_[key];
  if (is_absent(value)) return std::nullopt;
  const auto number = value.decimal();
  if (!number) fail(key, "not a decimal number of at most 38 digits");
  return number;
}

Decimal Fields::decimal_or_zero(std::string_view key) { return decimal(key).value_or(Decimal()); }

std::int64_t Fields::integer(std::string_view key) {
  const Value value = object_[key];
  if (is_absent(value)) return 0;
  const auto number = value.integer();
  if (!number) fail(key, "not an integer");
  return number.value_or(0);
}

bool Fields::flag(std::string_view key) {
  const Value value = object_[key];
  if (is_absent(value)) return false;
  const auto truth = value.boolean();
  if (!truth) fail(key, "neither true nor false");
  return truth.value_or(false);
}

std::string_view Fields::required_text(std::string_view key) {
  if (is_absent(object_[key])) fail(key, "missing");
  return text(key);
}

Decimal Fields::required_decimal(std::string_view key) {
  if (is_absent(object_[key])) fail(key, "missing");
  return decimal_or_zero(key);
}

std::int64_t Fields::required_integer(std::string_view key) {
  if (is_absent(object_[key])) fail(key, "missing");
  return integer(key);
}

}  // namespace tradesync::json
