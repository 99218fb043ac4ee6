// Reading the JSON that venues send. Every value stays text until someone asks for a number, so no digit is ever lost.
// The whole message is checked first (UTF-8, grammar, nothing missing, nothing trailing); after that reading cannot fail
// structurally, in whatever order the keys come. The only file that includes simdjson is json.cpp.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/decimal.hpp"

namespace tradesync::json {

enum class Type : std::uint8_t { absent, null, boolean, number, string, array, object };

// One value of a parsed message, in reading order; the children of an array or object follow it directly.
struct Node {
  std::string_view key;    // "" for array elements and the root
  std::string_view text;   // a string's content (escapes resolved), a number or boolean as written, "" otherwise
  std::uint32_t span = 1;  // this node and everything below it: node + span is the next sibling
  Type type = Type::absent;
};

// A borrowed view of one value: valid until this thread parses the next message (strings without escapes point into the
// message itself). A missing key gives an absent Value, and asking that one for anything is harmless.
class Value {
 public:
  class Iterator {
   public:
    explicit Iterator(const Node* node) : node_(node) {}
    Value operator*() const { return Value(node_); }
    Iterator& operator++() {
      node_ += node_->span;
      return *this;
    }
    bool operator==(const Iterator& other) const { return node_ == other.node_; }

   private:
    const Node* node_;
  };

  Value() = default;
  explicit Value(const Node* node) : node_(node) {}

  Type type() const { return node_ ? node_->type : Type::absent; }
  bool is_object() const { return type() == Type::object; }
  bool is_array() const { return type() == Type::array; }
  bool is_string() const { return type() == Type::string; }
  bool has_value() const { return type() > Type::null; }  // present and not null

  std::string_view key() const { return node_ ? node_->key : std::string_view(); }
  std::string_view text() const { return node_ ? node_->text : std::string_view(); }

  // Strict readings of one scalar; a number may be a JSON number or a JSON string. nullopt: it is not one.
  std::optional<Decimal> decimal() const;
  std::optional<std::int64_t> integer() const;
  std::optional<bool> boolean() const;  // true, false, "true", "false"

  // The first member with that key; absent when there is none or this is not an object.
  Value operator[](std::string_view key) const;

  // The elements of an array or the members of an object; nothing for every other type.
  Iterator begin() const { return Iterator(is_container() ? node_ + 1 : node_); }
  Iterator end() const { return Iterator(is_container() ? node_ + node_->span : node_); }
  bool empty() const { return begin() == end(); }

 private:
  bool is_container() const { return type() >= Type::array; }
  const Node* node_ = nullptr;
};

struct Document {
  Value root;              // an object or an array; absent when error is not empty
  std::string_view error;  // "" or what is wrong; static text, never a part of the message
};

// `message` is followed by kMessagePadding readable bytes (exchange.hpp); it is not copied. Refused: invalid UTF-8, a cut or
// trailing body, a root that is no object or array, \u0000 (PostgreSQL text cannot hold it), more than 64 levels.
// Never throws for any byte sequence (std::bad_alloc aside). Uses one parser per thread, which is never destroyed.
Document parse(std::string_view message);

// Longest text taken from one field (ids, words, reasons): what is longer is not an id and counts as malformed.
inline constexpr std::size_t kMaxFieldText = 512;

// Reads the fields of one row and remembers the first malformed one. A missing field, null and "" are all "absent";
// a field that is there but is not what was asked for is a fault, and the row must not be used:
//   json::Fields row(value);
//   order.price = row.decimal("price");
//   if (!row.ok()) return fail(row.fault());     // "price: not a decimal number of at most 38 digits"
class Fields {
 public:
  explicit Fields(Value object);

  Value operator[](std::string_view key) const { return object_[key]; }

  std::string_view text(std::string_view key);           // "" when absent; numbers come as written
  std::optional<Decimal> decimal(std::string_view key);  // nullopt when absent
  Decimal decimal_or_zero(std::string_view key);
  std::int64_t integer(std::string_view key);  // 0 when absent
  bool flag(std::string_view key);             // false when absent

  // The same where absence is a fault, too.
  std::string_view required_text(std::string_view key);
  Decimal required_decimal(std::string_view key);
  std::int64_t required_integer(std::string_view key);

  // For a fault that only the caller can see ("side: neither Buy nor Sell"). The first fault is kept.
  void fail(std::string_view key, std::string_view what);

  bool ok() const { return what_.empty(); }
  std::string fault() const;  // "" when ok()

 private:
  Value object_;
  std::string_view key_, what_;  // both must outlive the Fields: pass literals
};

}  // namespace tradesync::json
