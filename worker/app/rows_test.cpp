#include "app/rows.hpp"

#include <gtest/gtest.h>

namespace tradesync {
namespace {

Rows sample() {
  Rows rows("monitoring.worker_save_orders", "monitoring.order_row", 3);
  rows.text("a").null().number(-7);
  rows.text("").text_or_null("").boolean(true);
  return rows;
}

TEST(Rows, cells_come_back_as_the_text_that_postgres_reads) {
  Rows rows("f", "t", 9);
  rows.text("BTCUSDT").text_or_null("").text_or_null("x").number(INT64_MIN).time_or_null(0).time_or_null(1785000000000);
  rows.decimal(*Decimal::parse("-0.00012300")).decimal(std::optional<Decimal>()).boolean(false);
  ASSERT_EQ(rows.count(), 1);
  EXPECT_EQ(rows.cell(0, 0), "BTCUSDT");
  EXPECT_EQ(rows.cell(0, 1), std::nullopt);
  EXPECT_EQ(rows.cell(0, 2), "x");
  EXPECT_EQ(rows.cell(0, 3), "-9223372036854775808");
  EXPECT_EQ(rows.cell(0, 4), std::nullopt);
  EXPECT_EQ(rows.cell(0, 5), "1785000000000");
  EXPECT_EQ(rows.cell(0, 6), "-0.000123");
  EXPECT_EQ(rows.cell(0, 7), std::nullopt);
  EXPECT_EQ(rows.cell(0, 8), "f");
}

TEST(Rows, empty_text_is_no_null) {
  const Rows rows = sample();
  EXPECT_EQ(rows.cell(1, 0), "");
  EXPECT_EQ(rows.cell(1, 1), std::nullopt);
}

TEST(Rows, call_lends_every_cell_and_a_fate_for_each_row) {
  Rows rows = sample();
  const wall_call call = rows.call();
  EXPECT_STREQ(call.function, "monitoring.worker_save_orders");
  EXPECT_STREQ(call.row_type, "monitoring.order_row");
  ASSERT_EQ(call.rows, 2);
  ASSERT_EQ(call.columns, 3);
  EXPECT_EQ(std::string_view(call.values[0].data, static_cast<std::size_t>(call.values[0].size)), "a");
  EXPECT_EQ(call.values[1].size, -1);
  EXPECT_EQ(call.values[1].data, nullptr);
  EXPECT_EQ(call.values[3].size, 0) << "empty is not NULL";
  EXPECT_EQ(rows.fate, (std::vector<std::uint8_t>{0, 0}));
}

TEST(Rows, lent_cells_survive_the_growth_of_the_buffer) {
  Rows rows("f", "t", 1);
  for (int i = 0; i < 10000; ++i) rows.number(i);
  const wall_call call = rows.call();
  for (int i = 0; i < 10000; ++i)
    ASSERT_EQ(std::string_view(call.values[i].data, static_cast<std::size_t>(call.values[i].size)), std::to_string(i));
}

TEST(Rows, row_is_copied_with_its_nulls) {
  const Rows from = sample();
  Rows to("f", "t", 3);
  to.append_row(from, 1);
  to.append_row(from, 0);
  ASSERT_EQ(to.count(), 2);
  EXPECT_EQ(to.cell(0, 0), "");
  EXPECT_EQ(to.cell(0, 1), std::nullopt);
  EXPECT_EQ(to.cell(1, 2), "-7");
}

TEST(Rows, cleared_rows_are_empty_and_give_a_burst_of_memory_back) {
  Rows rows = sample();
  rows.text(std::string(4 << 20, 'x')).null().null();
  rows.clear();
  EXPECT_TRUE(rows.empty());
  EXPECT_EQ(rows.count(), 0);
  rows.text("b").null().null();
  EXPECT_EQ(rows.cell(0, 0), "b");
}

}  // namespace
}  // namespace tradesync
