#include "net/inbox.hpp"

#include <gtest/gtest.h>

namespace tradesync::net {
namespace {

TEST(Inbox, keeps_order_and_bytes_while_it_grows) {
  Inbox inbox;
  for (int i = 0; i < 1000; ++i) inbox.push_text(7, "message " + std::to_string(i), i % 2 == 1, i);
  ASSERT_EQ(inbox.items().size(), 1000u);
  for (int i = 0; i < 1000; ++i) {
    const Item& item = inbox.items()[static_cast<std::size_t>(i)];
    EXPECT_EQ(inbox.bytes(item), "message " + std::to_string(i));
    EXPECT_EQ(item.binary, i % 2 == 1);
    EXPECT_EQ(item.received_ms, i);
  }
}

TEST(Inbox, sixty_four_zero_bytes_follow_every_item) {
  Inbox inbox;
  inbox.push_text(1, "a", false, 0);
  inbox.push_opened(1, 0);
  inbox.push_http(Item{}, "body");
  for (const Item& item : inbox.items()) EXPECT_EQ(std::string(inbox.bytes(item).end(), 64), std::string(64, '\0'));
}

TEST(Inbox, wants_no_more_at_either_limit) {
  Inbox by_count, by_size;
  while (by_count.wants_more()) by_count.push_opened(1, 0);
  EXPECT_EQ(by_count.items().size(), Inbox::kMaxItems);
  const std::string megabyte(1 << 20, 'm');
  int pushed = 0;
  for (; by_size.wants_more(); ++pushed) by_size.push_text(1, megabyte, false, 0);
  EXPECT_EQ(pushed, 16);
  by_size.clear();
  EXPECT_TRUE(by_size.wants_more());
  EXPECT_TRUE(by_size.empty());
}

TEST(Inbox, kinds_carry_what_belongs_to_them) {
  Inbox inbox;
  inbox.push_closed(3, "gone", 11);
  Item answer;
  answer.id = 4;
  answer.status = 200;
  answer.complete = true;
  inbox.push_http(std::move(answer), "{}");
  EXPECT_EQ(inbox.items()[0].kind, Item::Kind::closed);
  EXPECT_EQ(inbox.items()[0].note, "gone");
  EXPECT_EQ(inbox.items()[1].kind, Item::Kind::http);
  EXPECT_EQ(inbox.items()[1].status, 200);
  EXPECT_EQ(inbox.bytes(inbox.items()[1]), "{}");
}

}  // namespace
}  // namespace tradesync::net
