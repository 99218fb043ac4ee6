// Whatever arrives, decoding ends, throws nothing and never mistakes a part for the whole. Run under ASAN and UBSAN too.
#include <gtest/gtest.h>

#include <random>

#include "exchanges/binance/examples_test.hpp"

namespace tradesync::binance::test {
namespace {

TEST(BinanceHostile, a_stream_message_cut_anywhere_is_an_error_without_facts) {
  for (const std::string_view message : kStreamExamples)
    for (std::size_t length = 0; length < message.size(); ++length) {
      const Decoded decoded = decode(message.substr(0, length));
      ASSERT_NE(decoded.error, "") << message.substr(0, length);
      ASSERT_TRUE(decoded.facts.empty());
    }
}

TEST(BinanceHostile, an_answer_cut_anywhere_concludes_nothing) {
  for (const auto& [kind, body] : kRestExamples)
    for (std::size_t length = 0; length < body.size(); ++length)
      ASSERT_EQ(reply(kind, body.substr(0, length)).outcome, Outcome::failed) << body.substr(0, length);
}

TEST(BinanceHostile, text_behind_the_message_is_an_error) {
  for (const std::string_view message : kStreamExamples)
    for (const std::string_view tail : {"x", "{}", ",", "]"}) EXPECT_NE(decode(std::string(message).append(tail)).error, "");
}

TEST(BinanceHostile, unknown_fields_change_nothing) {
  for (const std::string_view message : kStreamExamples) {
    std::string padded(message);
    for (std::size_t at = padded.find('{'); at != std::string::npos; at = padded.find('{', at + 40))
      if (padded.compare(at, 2, "{}") != 0) padded.insert(at + 1, R"("zz":[{"y":null}],"\u00fc":-1.5e3,)");
    const Decoded plain = decode(message), extended = decode(padded);
    EXPECT_EQ(extended.error, plain.error) << padded;
    EXPECT_EQ(extended.facts.size(), plain.facts.size());
    for (std::size_t i = 0; i < std::min(extended.facts.size(), plain.facts.size()); ++i)
      EXPECT_EQ(extended.facts[i].index(), plain.facts[i].index());
  }
}

TEST(BinanceHostile, nul_and_invalid_utf8_never_reach_a_fact) {
  EXPECT_NE(decode(replaced(kOrderNew, "c1_0007", "c1\\u00007")).error, "");
  EXPECT_NE(decode(replaced(kOrderNew, "c1_0007", "c1\xff\xfe")).error, "");
  EXPECT_NE(decode(replaced(kOrderNew, "c1_0007", std::string_view("c1\0", 3))).error, "");
  EXPECT_EQ(reply(RequestKind::order, replaced(kOrderRow, "c1_0007", "c1\\u0000")).outcome, Outcome::failed);
}

TEST(BinanceHostile, random_damage_never_breaks_the_decoder) {
  std::mt19937 random(20261121);
  const auto damaged = [&](std::string_view text) {
    std::string out(text);
    for (unsigned i = 0, changes = 1 + random() % 4; i < changes && !out.empty(); ++i) {
      const std::size_t at = random() % out.size();
      switch (random() % 4) {
        case 0: out[at] = static_cast<char>(random()); break;
        case 1: out.erase(at, 1 + random() % 8); break;
        case 2: out.insert(at, out.substr(random() % out.size(), random() % 16)); break;
        case 3: out[at] = "{}[]\",:0-9.eE\\nt"[random() % 16]; break;
      }
    }
    return out;
  };
  for (int round = 0; round < 2000; ++round) {
    for (const std::string_view message : kStreamExamples) decode(damaged(message));
    for (const auto& [kind, body] : kRestExamples) {
      const Reply answer = reply(kind, damaged(body));
      ASSERT_TRUE(answer.outcome == Outcome::ok || !answer.message.empty());
    }
  }
}

TEST(BinanceHostile, every_field_may_be_of_any_type) {
  constexpr std::string_view kValues[] = {
      "null", "\"\"", "\"UNKNOWN\"", "0", "-1", "true", "{}", "[]", "[[{}]]", "\"9999999999999999999999\"",
      "12345678901234567890123456789012345678901234567890", "1e400"};
  for (const std::string_view message : kStreamExamples)
    for (std::size_t colon = message.find(':'); colon != std::string_view::npos; colon = message.find(':', colon + 1)) {
      const std::size_t end = message.find_first_of(",}]", colon);
      for (const std::string_view value : kValues)
        decode(std::string(message.substr(0, colon + 1)).append(value).append(message.substr(end)));
    }
}

TEST(BinanceHostile, a_huge_list_is_read_to_its_end) {
  std::string rows = "[";
  for (int i = 0; i < 20'000; ++i) rows.append(i == 0 ? "" : ",").append(kOrderRow);
  EXPECT_EQ(reply(RequestKind::open_orders, rows + "]").facts.size(), 20'000u);
  std::string deep(100'000, '[');
  EXPECT_NE(decode(deep).error, "");
}

}  // namespace
}  // namespace tradesync::binance::test
