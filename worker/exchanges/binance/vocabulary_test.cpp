#include <gtest/gtest.h>

#include "exchanges/binance/examples_test.hpp"

namespace tradesync::binance::test {
namespace {

TEST(BinanceVocabulary, every_order_status_of_the_documents_has_a_word) {
  EXPECT_EQ(order_status("NEW"), OrderStatus::new_);
  EXPECT_EQ(order_status("PARTIALLY_FILLED"), OrderStatus::partially_filled);
  EXPECT_EQ(order_status("FILLED"), OrderStatus::filled);
  EXPECT_EQ(order_status("CANCELED"), OrderStatus::canceled);
  EXPECT_EQ(order_status("REJECTED"), OrderStatus::rejected);
  EXPECT_EQ(order_status("EXPIRED"), OrderStatus::expired);
  EXPECT_EQ(order_status("EXPIRED_IN_MATCH"), OrderStatus::expired);
  EXPECT_EQ(order_status("NEW_INSURANCE"), OrderStatus::new_);
  EXPECT_EQ(order_status("NEW_ADL"), OrderStatus::new_);
}

TEST(BinanceVocabulary, instruments_use_our_words_and_unknown_ones_come_through) {
  EXPECT_EQ(instrument_status("TRADING"), "trading");
  EXPECT_EQ(instrument_status("PENDING_TRADING"), "pre_launch");
  EXPECT_EQ(instrument_status("PRE_SETTLE"), "settling");
  EXPECT_EQ(instrument_status("CLOSE"), "closed");
  EXPECT_EQ(instrument_status("TRADING_HALT"), "trading_halt");
  EXPECT_EQ(contract_type("PERPETUAL"), "perpetual");
  EXPECT_EQ(contract_type("TRADIFI_PERPETUAL"), "tradifi_perpetual");
  EXPECT_EQ(contract_type("CURRENT_QUARTER"), "delivery");
}

TEST(BinanceVocabulary, a_reason_is_a_sentence_and_none_is_empty) {
  EXPECT_EQ(expiry_reason("0"), "");
  EXPECT_EQ(expiry_reason(""), "");
  EXPECT_EQ(expiry_reason("1"), "self-trade prevention");
  EXPECT_EQ(expiry_reason("9"), "market order remainder");
  EXPECT_EQ(expiry_reason("12"), "expiry reason 12");
}

}  // namespace
}  // namespace tradesync::binance::test
