#include <gtest/gtest.h>

#include "exchanges/bybit/examples_test.hpp"

namespace tradesync::bybit::test {
namespace {

TEST(BybitVocabulary, every_status_of_the_documents_has_a_meaning) {
  const Decimal none, some(1);
  EXPECT_EQ(order_status("New", none), OrderStatus::new_);
  EXPECT_EQ(order_status("Untriggered", none), OrderStatus::new_);
  EXPECT_EQ(order_status("PartiallyFilled", some), OrderStatus::partially_filled);
  EXPECT_EQ(order_status("Triggered", none), OrderStatus::triggered);
  EXPECT_EQ(order_status("Filled", some), OrderStatus::filled);
  EXPECT_EQ(order_status("Cancelled", some), OrderStatus::canceled);
  EXPECT_EQ(order_status("Deactivated", none), OrderStatus::canceled);
  EXPECT_EQ(order_status("PartiallyFilledCanceled", some), OrderStatus::canceled);
  EXPECT_EQ(order_status("Rejected", none), OrderStatus::rejected);
  for (const char* old : {"Created", "Active", "PendingCancel"}) {
    EXPECT_EQ(order_status(old, none), OrderStatus::new_);
    EXPECT_EQ(order_status(old, some), OrderStatus::partially_filled);
  }
}

TEST(BybitVocabulary, an_unknown_status_settles_nothing) {
  EXPECT_EQ(order_status("Teleported", Decimal()), OrderStatus::unknown);
  EXPECT_FALSE(is_terminal(order_status("Teleported", Decimal())));
}

TEST(BybitVocabulary, stop_types_become_the_types_of_the_tables) {
  EXPECT_EQ(order_type("", "", "Market"), "market");
  EXPECT_EQ(order_type("", "CreateByUser", "Limit"), "limit");
  for (const char* word : {"Stop", "StopLoss", "PartialStopLoss"}) {
    EXPECT_EQ(order_type(word, "", "Market"), "stop_market");
    EXPECT_EQ(order_type(word, "", "Limit"), "stop");
  }
  for (const char* word : {"TakeProfit", "PartialTakeProfit"}) {
    EXPECT_EQ(order_type(word, "", "Market"), "take_profit_market");
    EXPECT_EQ(order_type(word, "", "Limit"), "take_profit");
  }
  EXPECT_EQ(order_type("TrailingStop", "", "Market"), "trailing_stop_market");
  EXPECT_EQ(order_type("MmRateClose", "", "Market"), "mm_rate_close");
  EXPECT_EQ(order_type("", "", "Iceberg"), "iceberg");
}

// The kind is a part of the order's key.
TEST(BybitVocabulary, the_kind_of_an_order_stays_while_its_status_and_prices_change) {
  for (const char* status :
       {"Untriggered", "Triggered", "New", "PartiallyFilled", "Filled", "Cancelled", "Deactivated", "Rejected"})
    for (const char* trigger : {"62500", "0", "", "0.00"}) {
      const std::string stop =
          replaced(replaced(kStopRow, "Untriggered", status), "\"62500\"", std::string("\"") + trigger + "\"");
      const auto decoded = decode(StreamKind::private_, push("order", stop));
      ASSERT_EQ(decoded.facts.size(), 1u) << decoded.error;
      EXPECT_EQ(std::get<Order>(decoded.facts[0]).kind, OrderKind::conditional) << status << trigger;
      const std::string plain = replaced(replaced(kOrderRow, "\"Filled\"", std::string("\"") + status + "\""),
                                         "\"triggerPrice\":\"\"", std::string("\"triggerPrice\":\"") + trigger + "\"");
      const auto regular = decode(StreamKind::private_, push("order", plain));
      ASSERT_EQ(regular.facts.size(), 1u) << regular.error;
      EXPECT_EQ(std::get<Order>(regular.facts[0]).kind, OrderKind::regular) << status << trigger;
    }
}

TEST(BybitVocabulary, a_stop_is_recognised_by_who_created_it_when_its_type_is_gone) {
  EXPECT_EQ(order_kind("", "CreateByStopLoss"), OrderKind::conditional);
  EXPECT_EQ(order_kind("", "CreateByStopOrder"), OrderKind::conditional);
  EXPECT_EQ(order_type("", "CreateByTakeProfit", "Market"), "take_profit_market");
  EXPECT_EQ(order_type("", "CreateByTrailingStop", "Market"), "trailing_stop_market");
  EXPECT_EQ(order_kind("", "CreateByClosing"), OrderKind::regular);
  EXPECT_EQ(order_kind("", "CreateByLiq"), OrderKind::regular);
}

TEST(BybitVocabulary, words_become_lower_case_with_underscores) {
  EXPECT_EQ(lower_snake("AdlTrade"), "adl_trade");
  EXPECT_EQ(lower_snake("BustTrade"), "bust_trade");
  EXPECT_EQ(lower_snake("UNKNOWN"), "unknown");
  EXPECT_EQ(lower_snake(""), "");
  EXPECT_EQ(instrument_status("Trading"), "trading");
  EXPECT_EQ(instrument_status("PreLaunch"), "pre_launch");
  EXPECT_EQ(instrument_status("Delivering"), "settling");
  EXPECT_EQ(instrument_status("Closed"), "closed");
  EXPECT_EQ(instrument_status("HaltedAgain"), "halted_again");
  EXPECT_EQ(contract_type("LinearPerpetual"), "perpetual");
  EXPECT_EQ(contract_type("LinearFutures"), "delivery");
}

}  // namespace
}  // namespace tradesync::bybit::test
