#include "exchanges/json.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "exchanges/padded_message.hpp"

namespace tradesync::json {
namespace {

std::string error_of(std::string_view text, char padding = '}') {
  return std::string(parse(PaddedMessage(text, padding).view()).error);
}
bool accepted(std::string_view text) { return error_of(text).empty(); }

// Everything a walk can reach, written back; used to prove that reading is complete and stays inside.
std::string echo(Value value) {
  std::string out;
  switch (value.type()) {
    case Type::absent: return "?";
    case Type::null: return "null";
    case Type::boolean:
    case Type::number: return std::string(value.text());
    case Type::string: return "\"" + std::string(value.text()) + "\"";
    case Type::array:
      for (const Value element : value) out += (out.empty() ? "" : ",") + echo(element);
      return "[" + out + "]";
    case Type::object:
      for (const Value member : value)
        out += (out.empty() ? "" : ",") + ("\"" + std::string(member.key()) + "\":") + echo(member);
      return "{" + out + "}";
  }
  return out;
}
std::string echo(std::string_view text) {
  const PaddedMessage message(text);
  const Document document = parse(message.view());
  return document.error.empty() ? echo(document.root) : "error: " + std::string(document.error);
}

TEST(Json, everything_that_was_written_can_be_read) {
  for (const char* text : {R"({})", R"([])", R"({"a":1})", R"([1,[2,[]],{"b":{"c":null}},"",true,false,-0.5e-7])",
                           R"({"a":{"b":[{},{}]},"c":"d"})", "[\"\xC3\xA4\xE6\xB5\x8B\"]"})
    EXPECT_EQ(echo(text), text);
}

TEST(Json, white_space_is_no_part_of_a_value) {
  EXPECT_EQ(echo(" \r\n{ \"a\" :\t1 , \"b\"\n: [ true\t, \"x\" ] } \n"), R"({"a":1,"b":[true,"x"]})");
}

TEST(Json, numbers_keep_every_digit) {
  const PaddedMessage message(R"({"n":12345678901234567890.1234567890123456780,"big":123456789012345678901234567890})");
  const Value root = parse(message.view()).root;
  EXPECT_EQ(root["n"].text(), "12345678901234567890.1234567890123456780");
  EXPECT_EQ(root["n"].decimal()->text(), "12345678901234567890.123456789012345678");
  EXPECT_EQ(root["big"].decimal()->text(), "123456789012345678901234567890");
}

TEST(Json, keys_may_come_in_any_order_and_the_first_of_two_wins) {
  const PaddedMessage message(R"({"b":{"b":1},"a":2,"b":3,"":4})");
  const Value root = parse(message.view()).root;
  EXPECT_EQ(root["a"].text(), "2");
  EXPECT_EQ(root["b"]["b"].text(), "1");
  EXPECT_EQ(root[""].text(), "4");
  EXPECT_EQ(root["c"].type(), Type::absent);
}

TEST(Json, asking_an_absent_value_is_harmless) {
  const Value absent;
  EXPECT_EQ(absent["a"]["b"].text(), "");
  EXPECT_FALSE(absent.integer());
  EXPECT_FALSE(absent.decimal());
  EXPECT_FALSE(absent.boolean());
  EXPECT_TRUE(absent.empty());
  EXPECT_EQ(absent.key(), "");
}

TEST(Json, escapes_are_resolved_in_keys_and_values) {
  EXPECT_EQ(echo(R"({"a\u00e4":"\"\\\/\b\f\n\r\t\u6d4b\ud83d\ude00","plain":"x"})"),
            "{\"a\xC3\xA4\":\"\"\\/\b\f\n\r\t\xE6\xB5\x8B\xF0\x9F\x98\x80\",\"plain\":\"x\"}");
}

TEST(Json, a_nul_is_refused_wherever_it_stands) {
  EXPECT_FALSE(accepted(R"({"a":"x\u0000y"})"));
  EXPECT_FALSE(accepted(R"({"a\u0000":1})"));
  EXPECT_FALSE(accepted(std::string_view("{\"a\":\"x\0y\"}", 11)));
  EXPECT_FALSE(accepted(std::string_view("{\"a\":\0}", 7)));
  EXPECT_FALSE(accepted(std::string_view("{}\0", 3)));
}

TEST(Json, half_a_surrogate_pair_is_refused) {
  for (const char* text : {R"(["\ud83d"])", R"(["\ude00"])", R"(["\ud83dx"])", R"(["\ud83d\u0041"])", R"(["\ude00\ud83d"])"})
    EXPECT_FALSE(accepted(text)) << text;
}

TEST(Json, invalid_utf8_is_refused) {
  for (const char* text :
       {"[\"\xFF\"]", "[\"\xC3\"]", "[\"\xC0\x80\"]", "[\"\xED\xA0\x80\"]", "[\"\xF5\x80\x80\x80\"]", "{\"\x80\":1}"})
    EXPECT_FALSE(accepted(text)) << text;
}

TEST(Json, a_root_that_is_no_container_is_refused) {
  for (const char* text : {"", " ", "1", "\"a\"", "null", "true", "pong", ",", ":", "]", "}"})
    EXPECT_FALSE(accepted(text)) << text;
}

TEST(Json, malformed_text_is_refused) {
  for (const char* text : {"{",
                           "[",
                           "{]",
                           "[}",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{,\"a\":1}",
                           "{\"a\":1 \"b\":2}",
                           "{a:1}",
                           "{1:1}",
                           "[\"a]",
                           "[\"a\" \"b\"]",
                           "[\"a\"b]",
                           "[1\"a\"]",
                           "[tru]",
                           "[True]",
                           "[nullx]",
                           "[nan]",
                           "[Infinity]",
                           "[+1]",
                           "[01]",
                           "[-]",
                           "[1.]",
                           "[.5]",
                           "[1e]",
                           "[1e+]",
                           "[0x10]",
                           "[1_0]",
                           "[1.2.3]",
                           "[\"\\x\"]",
                           "[\"\\u12g4\"]",
                           "[\"\\\"]",
                           "[\"\n\"]",
                           "{\"a\"::1}",
                           "[[1]",
                           "{\"a\":{\"b\":1}",
                           "[1]]",
                           "{}}",
                           "{}{}",
                           "{} []",
                           "{}x",
                           "[1],",
                           "[1]1",
                           "[:]",
                           "[{]}"})
    EXPECT_FALSE(accepted(text)) << text;
}

TEST(Json, what_follows_a_message_in_memory_never_completes_it) {
  for (char padding : {'}', ']', '"', ',', ':', '1', ' ', '{', '[', '\0', '\\', 'e', '\xFF'})
    for (const char* text : {"{\"a\":{\"b\":1}", "[[1]", "[1,", "[1", "{\"a\"", "{\"a\":", "[\"a", "[tru", "[12"})
      EXPECT_NE(error_of(text, padding), "") << text << " + " << padding;
}

TEST(Json, a_message_cut_anywhere_is_refused) {
  const std::string text = R"({"topic":"order","data":[{"a":"b","c":-1.5e3,"d":[true,null,{"e":"\u00e4\\"}]}],"z":{}})";
  ASSERT_TRUE(accepted(text));
  for (char padding : {'}', ']', '"', ' '})
    for (std::size_t size = 0; size < text.size(); ++size)
      EXPECT_NE(error_of(std::string_view(text).substr(0, size), padding), "") << size;
}

TEST(Json, nesting_is_bounded) {
  const auto nested = [](int levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  EXPECT_TRUE(accepted(nested(64)));
  EXPECT_FALSE(accepted(nested(65)));
  EXPECT_FALSE(accepted(nested(1000000)));
  EXPECT_FALSE(accepted(std::string(1000000, '[')));
}

TEST(Json, huge_lists_are_read_whole) {
  std::string text = "[";
  for (int i = 0; i < 200000; ++i) text += (i ? ",{\"i\":" : "{\"i\":") + std::to_string(i) + "}";
  text += "]";
  const PaddedMessage message(text);
  const Document document = parse(message.view());
  ASSERT_EQ(document.error, "");
  std::int64_t sum = 0;
  for (const Value row : document.root) sum += row["i"].integer().value();
  EXPECT_EQ(sum, 199999LL * 200000 / 2);
}

TEST(Json, random_damage_is_either_refused_or_read_completely) {
  const std::string text = R"({"topic":"order","n":[1,2.5,-3e7,"4"],"s":"\u00e4\n","t":true,"o":{"p":{"q":[]}},"x":null})";
  std::mt19937 random(20260725);
  int refused = 0;
  for (int round = 0; round < 50000; ++round) {
    std::string damaged = text;
    for (unsigned i = 0, n = 1 + random() % 4; i < n; ++i) {
      const std::size_t at = random() % damaged.size();
      switch (random() % 3) {
        case 0: damaged[at] = static_cast<char>(random()); break;
        case 1: damaged.erase(at, 1 + random() % 5); break;
        case 2: damaged.insert(at, 1, "{}[]\",:\\u0e-"[random() % 12]); break;
      }
      if (damaged.empty()) damaged = "{";
    }
    const std::string seen = echo(damaged);
    if (seen.starts_with("error: ")) ++refused;
  }
  EXPECT_GT(refused, 10000);
}

TEST(Json, scalars_are_read_strictly) {
  const PaddedMessage message(R"({"n":12,"s":"12","d":"1.50","neg":"-7","t":true,"ts":"true","e":"","x":"12x","f":1.5,
    "huge":9223372036854775808,"max":"9223372036854775807","null":null,"o":{},"exp":"5.0E-4"})");
  const Value root = parse(message.view()).root;
  EXPECT_EQ(root["n"].integer(), 12);
  EXPECT_EQ(root["s"].integer(), 12);
  EXPECT_EQ(root["neg"].integer(), -7);
  EXPECT_EQ(root["max"].integer(), INT64_MAX);
  for (const char* key : {"e", "x", "f", "huge", "null", "o", "t", "absent"}) EXPECT_FALSE(root[key].integer()) << key;
  EXPECT_EQ(root["d"].decimal()->text(), "1.5");
  EXPECT_EQ(root["exp"].decimal()->text(), "0.0005");
  for (const char* key : {"e", "x", "null", "o", "t"}) EXPECT_FALSE(root[key].decimal()) << key;
  EXPECT_EQ(root["t"].boolean(), true);
  EXPECT_EQ(root["ts"].boolean(), true);
  for (const char* key : {"n", "e", "x", "null", "o"}) EXPECT_FALSE(root[key].boolean()) << key;
}

TEST(JsonFields, missing_null_and_empty_are_all_absent) {
  const PaddedMessage message(R"({"null":null,"empty":""})");
  Fields row(parse(message.view()).root);
  for (const char* key : {"null", "empty", "missing"}) {
    EXPECT_EQ(row.text(key), "");
    EXPECT_FALSE(row.decimal(key));
    EXPECT_EQ(row.integer(key), 0);
    EXPECT_FALSE(row.flag(key));
  }
  EXPECT_TRUE(row.ok());
  EXPECT_EQ(row.fault(), "");
}

TEST(JsonFields, a_required_field_that_is_absent_is_a_fault) {
  const PaddedMessage message(R"({"null":null,"empty":""})");
  const Value root = parse(message.view()).root;
  for (const char* key : {"null", "empty", "missing"}) {
    Fields texts(root), decimals(root), integers(root);
    texts.required_text(key);
    decimals.required_decimal(key);
    integers.required_integer(key);
    EXPECT_EQ(texts.fault(), std::string(key) + ": missing");
    EXPECT_EQ(decimals.fault(), std::string(key) + ": missing");
    EXPECT_EQ(integers.fault(), std::string(key) + ": missing");
  }
}

TEST(JsonFields, the_first_malformed_field_is_named) {
  const PaddedMessage message(R"({"qty":"1x","price":{},"flag":"yes","n":"1.5"})");
  Fields row(parse(message.view()).root);
  row.decimal("qty");
  row.integer("n");
  EXPECT_EQ(row.fault(), "qty: not a decimal number of at most 38 digits");
  Fields flag(parse(message.view()).root);
  flag.flag("flag");
  EXPECT_EQ(flag.fault(), "flag: neither true nor false");
  Fields text(parse(message.view()).root);
  text.text("price");
  EXPECT_EQ(text.fault(), "price: not a text");
}

TEST(JsonFields, forty_digits_are_a_fault_and_not_a_rounded_number) {
  const PaddedMessage message(R"({"a":"1234567890123456789012345678901234567890","b":1234567890123456789012345678901234567890})");
  const Value root = parse(message.view()).root;
  for (const char* key : {"a", "b"}) {
    Fields row(root);
    EXPECT_FALSE(row.decimal(key));
    EXPECT_FALSE(row.ok());
  }
}

TEST(JsonFields, texts_are_bounded) {
  const std::string fits(kMaxFieldText, 'x');
  const PaddedMessage message(R"({"a":")" + fits + R"(","b":")" + fits + R"(y"})");
  Fields row(parse(message.view()).root);
  EXPECT_EQ(row.text("a"), fits);
  EXPECT_TRUE(row.ok());
  EXPECT_EQ(row.text("b"), "");
  EXPECT_EQ(row.fault(), "b: too long");
}

TEST(JsonFields, a_row_that_is_no_object_is_a_fault) {
  const PaddedMessage message(R"([1,"a",[],null])");
  for (const Value element : parse(message.view()).root) EXPECT_EQ(Fields(element).fault(), "row: not an object");
}

}  // namespace
}  // namespace tradesync::json
