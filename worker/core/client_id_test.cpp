#include "core/client_id.hpp"

#include <gtest/gtest.h>

#include "core/random.hpp"

namespace tradesync {
namespace {

TEST(ClientId, is_epoch_row_and_attempt_in_base_36) {
  EXPECT_EQ(client_order_id("abcdef27", 1, 1), "tabcdef27-1-1");
  EXPECT_EQ(client_order_id("abcdef27", 36, 35), "tabcdef27-10-z");
  EXPECT_EQ(client_order_id("abcdef27", INT64_MAX, 1), "tabcdef27-1y2p0ij32e8e7-1");
  EXPECT_EQ(client_order_id("abcdef27", INT64_MAX, 36 * 36 * 36 * 36 - 1).size(), 28u);
}

TEST(ClientId, what_cannot_be_said_in_28_characters_is_no_id) {
  EXPECT_EQ(client_order_id("abcdef27", INT64_MAX, 36 * 36 * 36 * 36), "");
  EXPECT_EQ(client_order_id("abcdef27", 0, 1), "");
  EXPECT_EQ(client_order_id("abcdef27", 1, 0), "");
  EXPECT_EQ(client_order_id("abcdef27", -1, 1), "");
  for (const char* epoch : {"", "abcdef2", "abcdef277", "abcdef21", "abcdef20", "ABCDEF27", "abcd-f27"})
    EXPECT_EQ(client_order_id(epoch, 1, 1), "") << epoch;
}

TEST(ClientId, every_id_is_read_back) {
  Random random(11);
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
  for (int round = 0; round < 5000; ++round) {
    std::string epoch;
    for (int i = 0; i < 8; ++i) epoch.push_back(kAlphabet[static_cast<std::size_t>(random.up_to(31))]);
    const std::int64_t row = 1 + static_cast<std::int64_t>(random.next() >> (2 + random.up_to(60)));
    const int attempt = 1 + static_cast<int>(random.up_to(1000000));
    const std::string id = client_order_id(epoch, row, attempt);
    const auto read = parse_client_order_id(id);
    ASSERT_TRUE(read) << id;
    ASSERT_EQ(read->epoch, epoch);
    ASSERT_EQ(read->row, row);
    ASSERT_EQ(read->attempt, attempt);
    ASSERT_LE(id.size(), 28u);
    ASSERT_EQ(id.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz-"), std::string::npos);
  }
}

TEST(ClientId, anything_but_the_exact_form_is_not_ours) {
  for (const char* text :
       {"", "t", "tabcdef27", "tabcdef27-1", "tabcdef27-1-", "tabcdef27--1", "tabcdef27-0-1", "tabcdef27-1-0", "tabcdef27-01-1",
        "tabcdef27-1-01", "tabcdef27-1-1-1", "xabcdef27-1-1", "Tabcdef27-1-1", "tabcdef27-A-1", "tabcdef27-1-Z", "tabcdef28-1-1",
        "tabcdef2-1-1", "tabcdef277-1-1", "tabcdef27_1-1", "tabcdef27-1 -1", " tabcdef27-1-1", "tabcdef27-1-1 ", "tabcdef27-+1-1",
        "tabcdef27-1y2p0ij32e8e8-1",       // one more than the largest row
        "tabcdef27-zzzzzzzzzzzzz-1",       // far more
        "tabcdef27-1-zik0zk",              // one more than the largest attempt
        "tabcdef27-1y2p0ij32e8e7-10000",   // 29 characters
        "autoclose-123456", "adl_autoclose", "web_abcdefgh-1-1"})
    EXPECT_FALSE(parse_client_order_id(text)) << '"' << text << '"';
  EXPECT_EQ(parse_client_order_id("tabcdef27-1-zik0zj")->attempt, INT32_MAX);
  EXPECT_FALSE(parse_client_order_id(std::string_view("tabcdef27-1\0-1", 14)));
}

}  // namespace
}  // namespace tradesync
