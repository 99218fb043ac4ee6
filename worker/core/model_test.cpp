#include "core/model.hpp"

#include <gtest/gtest.h>

namespace tradesync {
namespace {

TEST(Version, sequence_decides_before_time_where_both_have_one) {
  EXPECT_TRUE((Version{11, 100}.newer_than(Version{10, 900})));
  EXPECT_FALSE((Version{10, 900}.newer_than(Version{11, 100})));
}

TEST(Version, equal_sequence_leaves_it_to_the_time) {
  EXPECT_TRUE((Version{10, 101}.newer_than(Version{10, 100})));
  EXPECT_FALSE((Version{10, 100}.newer_than(Version{10, 101})));
}

TEST(Version, equal_reports_are_not_newer_than_each_other) {
  const Version version{10, 100};
  EXPECT_FALSE(version.newer_than(version));
  EXPECT_EQ(version, (Version{10, 100}));
}

// Bybit: seq -1 or absent is 0. Absent symbols and rows without updateTime are as of a moment, without a sequence.
TEST(Version, without_a_sequence_on_one_side_the_time_decides) {
  EXPECT_TRUE((Version{0, 200}.newer_than(Version{999, 100})));
  EXPECT_FALSE((Version{0, 100}.newer_than(Version{5, 100})));
  EXPECT_TRUE((Version{5, 200}.newer_than(Version{0, 100})));
}

// Binance: a stream event carries (T, E), a REST row its updateTime twice; the two meet in T.
TEST(Version, rest_row_of_the_same_transaction_does_not_beat_the_stream_event) {
  const Version stream{1795000001234, 1795000001235}, rest{1795000001234, 1795000001234};
  EXPECT_FALSE(rest.newer_than(stream));
  EXPECT_TRUE((Version{1795000001300, 1795000001300}.newer_than(stream)));
}

TEST(Version, row_without_update_time_never_beats_anything) {
  EXPECT_FALSE((Version{0, 0}.newer_than(Version{1, 1})));
  EXPECT_FALSE((Version{0, 0}.newer_than(Version{0, 0})));
}

TEST(CanonicalSymbol, drops_settlement_and_slash_and_is_upper_case) {
  EXPECT_EQ(canonical_symbol("BTC/USDT:USDT"), "BTCUSDT");
  EXPECT_EQ(canonical_symbol("BTC/USDT"), "BTCUSDT");
  EXPECT_EQ(canonical_symbol("btcusdt"), "BTCUSDT");
  EXPECT_EQ(canonical_symbol("BTCUSDT"), "BTCUSDT");
  EXPECT_EQ(canonical_symbol("1000neiroCTO/usdt:usdt"), "1000NEIROCTOUSDT");
  EXPECT_EQ(canonical_symbol("10000SATSUSDT"), "10000SATSUSDT");
  EXPECT_EQ(canonical_symbol("1000000BABYDOGEUSDT"), "1000000BABYDOGEUSDT");
  EXPECT_EQ(canonical_symbol("BTCUSDT_260626"), "BTCUSDT_260626");
  EXPECT_EQ(canonical_symbol(""), "");
}

TEST(CanonicalSymbol, bytes_beyond_ascii_stay_as_they_are) { EXPECT_EQ(canonical_symbol("币安人生usdt"), "币安人生USDT"); }

TEST(CanonicalSymbol, canonical_form_is_its_own) {
  for (const char* symbol : {"BTC/USDT:USDT", "ethusdt", "1000PEPE/USDT", "币安人生/USDT:USDT"})
    EXPECT_EQ(canonical_symbol(canonical_symbol(symbol)), canonical_symbol(symbol));
}

TEST(Words, every_order_status_reads_back_from_its_word) {
  for (OrderStatus status :
       {OrderStatus::submitting, OrderStatus::unknown, OrderStatus::new_, OrderStatus::triggered, OrderStatus::partially_filled,
        OrderStatus::canceled, OrderStatus::expired, OrderStatus::rejected, OrderStatus::filled})
    EXPECT_EQ(order_status_from(text(status)), status);
  EXPECT_EQ(text(OrderStatus::new_), "new");
  EXPECT_EQ(text(OrderStatus::partially_filled), "partially_filled");
  EXPECT_FALSE(order_status_from("new_"));
  EXPECT_FALSE(order_status_from("NEW"));
  EXPECT_FALSE(order_status_from(""));
}

TEST(Words, every_position_side_reads_back_from_its_word) {
  for (PositionSide side : {PositionSide::both, PositionSide::long_, PositionSide::short_})
    EXPECT_EQ(position_side_from(text(side)), side);
  EXPECT_FALSE(position_side_from("LONG"));
}

TEST(Words, are_those_of_the_tables) {
  EXPECT_EQ(text(Side::buy), "buy");
  EXPECT_EQ(text(Side::sell), "sell");
  EXPECT_EQ(text(PositionSide::long_), "long");
  EXPECT_EQ(text(OrderKind::conditional), "conditional");
  EXPECT_EQ(text(OrderKind::regular), "regular");
  EXPECT_EQ(text(Source::stream), "stream");
  EXPECT_EQ(text(Source::rest), "rest");
}

}  // namespace
}  // namespace tradesync
