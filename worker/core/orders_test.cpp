#include "core/orders.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/random.hpp"
#include "core/test_rules_test.hpp"

namespace tradesync {
namespace {

using namespace test;
using enum OrderStatus;

class OrdersTest : public testing::Test {
 protected:
  bool apply(OrderStatus status, Version version, std::string_view filled = "0", Source source = Source::stream) {
    return orders.apply(order("BTCUSDT", "1", status, version, filled), source, changes);
  }
  const Order* held() const { return orders.find("BTCUSDT", "1", OrderKind::regular); }
  // What the tables would hold: Changes keep the last state per order.
  const Order& written() const { return changes.orders.back().order; }

  Orders orders;
  Changes changes;
};

TEST_F(OrdersTest, life_of_an_order_is_followed_to_its_end) {
  EXPECT_TRUE(apply(new_, {0, 100}));
  EXPECT_EQ(orders.open_count("BTCUSDT"), 1);
  EXPECT_TRUE(apply(partially_filled, {0, 200}, "4"));
  EXPECT_TRUE(apply(filled, {0, 300}, "10"));
  EXPECT_EQ(orders.open_count("BTCUSDT"), 0);
  EXPECT_EQ(held(), nullptr);
  EXPECT_TRUE(orders.open_symbols().empty());
  EXPECT_EQ(changes.orders.size(), 1u);
  EXPECT_EQ(written().status, filled);
}

TEST_F(OrdersTest, late_report_does_not_rewind_an_order) {
  apply(partially_filled, {0, 200}, "4");
  EXPECT_FALSE(apply(new_, {0, 100}));
  EXPECT_FALSE(apply(partially_filled, {0, 150}, "2"));
  EXPECT_EQ(held()->filled_quantity, decimal("4"));
}

TEST_F(OrdersTest, repeated_report_is_no_news) {
  EXPECT_TRUE(apply(new_, {0, 100}));
  EXPECT_FALSE(apply(new_, {0, 100}));
  EXPECT_TRUE(apply(canceled, {0, 200}));
  EXPECT_FALSE(apply(canceled, {0, 200}));
}

TEST_F(OrdersTest, finished_order_is_not_resurrected_by_a_late_new) {
  apply(new_, {0, 100});
  apply(canceled, {0, 200});
  EXPECT_FALSE(apply(new_, {0, 300}));
  EXPECT_FALSE(apply(partially_filled, {0, 400}, "3"));
  EXPECT_EQ(orders.open_count("BTCUSDT"), 0);
}

TEST_F(OrdersTest, end_that_comes_first_is_enough) {
  EXPECT_TRUE(apply(filled, {0, 300}, "10"));
  EXPECT_FALSE(apply(new_, {0, 100}));
  EXPECT_FALSE(apply(partially_filled, {0, 200}, "5"));
  EXPECT_EQ(written().status, filled);
}

TEST_F(OrdersTest, terminal_state_is_sticky_except_for_a_larger_fill) {
  apply(canceled, {0, 200}, "2");
  EXPECT_FALSE(apply(expired, {0, 300}, "2"));
  EXPECT_FALSE(apply(canceled, {0, 300}, "1"));
  EXPECT_TRUE(apply(canceled, {0, 150}, "3"));
  EXPECT_EQ(written().filled_quantity, decimal("3"));
  EXPECT_FALSE(apply(canceled, {0, 150}, "3"));
}

TEST_F(OrdersTest, older_end_ends_an_order_that_a_snapshot_still_listed) {
  apply(new_, {0, 300}, "0", Source::rest);
  EXPECT_TRUE(apply(canceled, {0, 200}));
  EXPECT_EQ(held(), nullptr);
}

TEST_F(OrdersTest, equal_version_higher_rank_wins) {
  apply(new_, {0, 100});
  EXPECT_TRUE(apply(partially_filled, {0, 100}, "1"));
  EXPECT_FALSE(apply(new_, {0, 100}));
  EXPECT_TRUE(apply(filled, {0, 100}, "10"));
}

TEST_F(OrdersTest, equal_version_stream_wins_over_rest) {
  auto amended = order("BTCUSDT", "1", new_, {0, 100});
  amended.price = decimal("101");
  apply(new_, {0, 100}, "0", Source::rest);
  EXPECT_TRUE(orders.apply(amended, Source::stream, changes));
  auto stale = order("BTCUSDT", "1", new_, {0, 100});
  stale.price = decimal("99");
  EXPECT_FALSE(orders.apply(stale, Source::rest, changes));
  EXPECT_EQ(held()->price, decimal("101"));
}

TEST_F(OrdersTest, fill_that_grows_is_news_whatever_its_version_says) {
  apply(partially_filled, {0, 200}, "2");
  EXPECT_TRUE(apply(partially_filled, {0, 150}, "3"));
  EXPECT_EQ(held()->filled_quantity, decimal("3"));
}

TEST_F(OrdersTest, impossible_move_changes_nothing) {
  apply(partially_filled, {0, 200}, "2");
  EXPECT_FALSE(apply(new_, {0, 300}, "2"));
  EXPECT_FALSE(apply(triggered, {0, 300}, "2"));
  EXPECT_EQ(held()->status, partially_filled);
}

TEST_F(OrdersTest, stop_that_fired_may_rest_again) {
  apply(triggered, {0, 100});
  EXPECT_TRUE(apply(new_, {0, 200}));
  EXPECT_EQ(held()->status, new_);
}

TEST_F(OrdersTest, what_a_later_message_leaves_out_stays) {
  auto first = order("BTCUSDT", "1", new_, {0, 100});
  first.created_ms = 90;
  first.client_order_id = "mine";
  orders.apply(first, Source::stream, changes);
  apply(partially_filled, {0, 200}, "1");
  EXPECT_EQ(held()->created_ms, 90);
  EXPECT_EQ(held()->client_order_id, "mine");
}

TEST_F(OrdersTest, algo_order_and_regular_order_of_one_number_are_two) {
  auto stop = order("BTCUSDT", "1", new_, {0, 100});
  stop.kind = OrderKind::conditional;
  apply(new_, {0, 100});
  EXPECT_TRUE(orders.apply(stop, Source::stream, changes));
  EXPECT_EQ(orders.open_count("BTCUSDT"), 2);
  apply(canceled, {0, 200});
  EXPECT_EQ(orders.open_count("BTCUSDT"), 1);
  EXPECT_NE(orders.find("BTCUSDT", "1", OrderKind::conditional), nullptr);
}

TEST_F(OrdersTest, loaded_order_is_no_news_and_is_ended_by_the_stream) {
  orders.load(order("BTCUSDT", "1", new_, {0, 100}));
  orders.load(order("BTCUSDT", "1", new_, {0, 100}));
  EXPECT_EQ(orders.open_count("BTCUSDT"), 1);
  EXPECT_TRUE(changes.empty());
  EXPECT_FALSE(apply(new_, {0, 100}));
  EXPECT_TRUE(apply(canceled, {0, 200}));
  EXPECT_EQ(orders.open_count("BTCUSDT"), 0);
}

TEST_F(OrdersTest, more_open_orders_than_memory_holds_still_reach_the_tables) {
  for (std::size_t i = 0; i < limits::kOpenOrders + 5; ++i)
    EXPECT_TRUE(orders.apply(order("BTCUSDT", std::to_string(i), new_, {0, 100}), Source::stream, changes));
  EXPECT_EQ(orders.open().size(), limits::kOpenOrders);
  EXPECT_EQ(changes.orders.size(), limits::kOpenOrders + 5);
}

TEST_F(OrdersTest, finished_orders_are_forgotten_oldest_first) {
  for (std::size_t i = 0; i <= limits::kRecentOrders; ++i)
    orders.apply(order("BTCUSDT", std::to_string(i), canceled, {0, 100}), Source::stream, changes);
  EXPECT_TRUE(orders.apply(order("BTCUSDT", "0", canceled, {0, 100}), Source::stream, changes));
  EXPECT_FALSE(
      orders.apply(order("BTCUSDT", std::to_string(limits::kRecentOrders), canceled, {0, 100}), Source::stream, changes));
}

// One order's history as a venue tells it: fills accumulate, versions grow or stay equal where only the fill grows.
std::vector<Order> history(Random& random) {
  std::vector<Order> reports{order("BTCUSDT", "1", new_, {0, 100})};
  std::int64_t time = 100, done = 0;
  for (std::int64_t parts = random.up_to(4); parts > 0; --parts) {
    done += 1 + random.up_to(1);
    time += random.up_to(1);
    reports.push_back(order("BTCUSDT", "1", partially_filled, {0, time}, std::to_string(done)));
  }
  const OrderStatus ends[] = {filled, canceled, expired};
  const OrderStatus end = ends[random.up_to(2)];
  if (random.up_to(3) > 0)
    reports.push_back(order("BTCUSDT", "1", end, {0, time + random.up_to(1)}, end == filled ? "10" : std::to_string(done)));
  return reports;
}

TEST(Orders, any_permutation_with_repeats_of_a_history_ends_in_the_same_state) {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    Random random(seed);
    const std::vector<Order> told = history(random);
    std::vector<Order> heard = told;
    for (std::int64_t repeats = random.up_to(4); repeats > 0; --repeats)
      heard.push_back(told[static_cast<std::size_t>(random.up_to(static_cast<std::int64_t>(told.size()) - 1))]);
    for (std::size_t i = heard.size(); i > 1; --i)
      std::swap(heard[i - 1], heard[static_cast<std::size_t>(random.up_to(static_cast<std::int64_t>(i) - 1))]);

    Orders orders;
    Changes changes;
    for (const Order& report : heard) orders.apply(report, random.up_to(1) == 0 ? Source::stream : Source::rest, changes);
    const Order& end = changes.orders.back().order;
    ASSERT_EQ(changes.orders.size(), 1u);
    ASSERT_EQ(text(end.status), text(told.back().status)) << "seed " << seed;
    ASSERT_EQ(end.filled_quantity, told.back().filled_quantity) << "seed " << seed;
    ASSERT_EQ(orders.open_count("BTCUSDT"), is_terminal(end.status) ? 0 : 1) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tradesync
