#include "core/recent.hpp"

#include <gtest/gtest.h>

namespace tradesync {
namespace {

TEST(Recent, key_is_new_once) {
  Recent<int> recent(3);
  EXPECT_TRUE(recent.put("a", 1));
  EXPECT_FALSE(recent.put("a", 2));
  ASSERT_NE(recent.find("a"), nullptr);
  EXPECT_EQ(*recent.find("a"), 2);
  EXPECT_EQ(recent.find("b"), nullptr);
}

TEST(Recent, oldest_key_is_forgotten_first_and_never_more_than_needed) {
  Recent<int> recent(2);
  recent.put("a", 1);
  recent.put("b", 2);
  recent.put("c", 3);
  EXPECT_EQ(recent.size(), 2u);
  EXPECT_EQ(recent.find("a"), nullptr);
  EXPECT_NE(recent.find("b"), nullptr);
  EXPECT_NE(recent.find("c"), nullptr);
  EXPECT_TRUE(recent.put("a", 4));
  EXPECT_EQ(recent.find("b"), nullptr);
}

TEST(Recent, stays_bounded) {
  Recent<int> recent(100);
  for (int i = 0; i < 10000; ++i) recent.put(std::to_string(i % 777), i);
  EXPECT_EQ(recent.size(), 100u);
}

}  // namespace
}  // namespace tradesync
