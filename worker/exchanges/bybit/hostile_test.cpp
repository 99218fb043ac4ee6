// Whatever arrives, decoding ends, throws nothing and never takes a part for the whole. Run under ASAN and UBSAN too.
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "exchanges/bybit/examples_test.hpp"

namespace tradesync::bybit::test {
namespace {

std::string damaged(std::string text, std::mt19937& random) {
  static constexpr std::string_view kPieces[] = {
      "{",           "}",     "[",    "]",       "\"",
      ",",           ":",     "null", "\\u0000", "\\",
      "-1e999",      "1e-61", "true", "\xC3",    "99999999999999999999999999999999999999999",
      "\"UNKNOWN\"", "\"\""};
  for (unsigned i = 0, n = 1 + random() % 3; i < n && !text.empty(); ++i) {
    const std::size_t at = random() % text.size();
    switch (random() % 4) {
      case 0: text[at] = static_cast<char>(random()); break;
      case 1: text.erase(at, 1 + random() % 12); break;
      case 2: text.insert(at, kPieces[random() % std::size(kPieces)]); break;
      case 3: text.insert(at, text.substr(random() % text.size(), random() % 60)); break;
    }
  }
  return text;
}

TEST(BybitHostile, a_frame_cut_anywhere_is_an_error_without_facts) {
  for (const auto& [kind, text] : stream_examples())
    for (std::size_t length = 0; length < text.size(); ++length) {
      const auto decoded = decode(kind, std::string_view(text).substr(0, length));
      ASSERT_NE(decoded.error, "") << text.substr(0, length);
      ASSERT_TRUE(decoded.facts.empty());
    }
}

TEST(BybitHostile, an_answer_cut_anywhere_concludes_nothing) {
  for (const auto& [kind, body] : rest_examples()) {
    ASSERT_EQ(reply(kind, body).outcome, Outcome::ok);
    for (std::size_t length = 0; length < body.size(); ++length) {
      const Reply answer = reply(kind, std::string_view(body).substr(0, length));
      ASSERT_EQ(answer.outcome, Outcome::failed) << body.substr(0, length);
      ASSERT_TRUE(answer.facts.empty());
    }
  }
}

TEST(BybitHostile, unknown_fields_change_nothing) {
  for (const auto& [kind, text] : stream_examples()) {
    std::string extended = text;
    for (std::size_t at = extended.find('{'); at != std::string::npos; at = extended.find('{', at + 40))
      if (extended.compare(at, 2, "{}") != 0) extended.insert(at + 1, R"("zz":[{"y":null}],"\u00fc":-1.5e3,)");
    const auto plain = decode(kind, text), more = decode(kind, extended);
    EXPECT_EQ(more.error, plain.error) << extended;
    ASSERT_EQ(more.facts.size(), plain.facts.size());
    for (std::size_t i = 0; i < plain.facts.size(); ++i) EXPECT_EQ(more.facts[i].index(), plain.facts[i].index());
  }
}

TEST(BybitHostile, damaged_frames_and_answers_never_throw) {
  std::mt19937 random(20260725);
  const auto frames = stream_examples();
  const auto answers = rest_examples();
  std::size_t errors = 0, rounds = 20000;
  for (std::size_t round = 0; round < rounds; ++round) {
    const auto& frame = frames[random() % frames.size()];
    const auto decoded = decode(frame.kind, damaged(frame.text, random));
    if (!decoded.error.empty()) ++errors;
    const auto& answer = answers[random() % answers.size()];
    reply(answer.kind, damaged(answer.body, random), std::array{0, 200, 403, 429, 500}[random() % 5]);
  }
  EXPECT_GT(errors, rounds / 4);
}

TEST(BybitHostile, a_nul_or_invalid_utf8_in_any_text_spoils_the_frame) {
  for (const char* bad : {"\\u0000", "\xFF", "\xED\xA0\x80", "\\ud800"}) {
    const auto decoded = decode(StreamKind::private_, push("order", replaced(kOrderRow, "t0-1", bad)));
    EXPECT_NE(decoded.error, "") << bad;
    EXPECT_TRUE(decoded.facts.empty());
  }
}

TEST(BybitHostile, a_full_page_and_far_more_is_read) {
  std::string rows(kOrderRow);
  for (int i = 1; i < 5000; ++i) rows.append(",").append(kOrderRow);
  EXPECT_EQ(decode(StreamKind::private_, push("order", rows)).facts.size(), 5000u);
}

}  // namespace
}  // namespace tradesync::bybit::test
