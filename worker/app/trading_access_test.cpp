#include "app/trading_access.hpp"

#include <gtest/gtest.h>

namespace tradesync {
namespace {

class AccessTest : public testing::Test {
 protected:
  AccessTest() {
    account.mode = "live";
    account.environment = "testnet";
    facts.live_trading = true;
    facts.key_environment = "testnet";
  }
  TradingAccess access() const { return trading_access(account, facts); }
  Account account;
  AccessFacts facts;
};

TEST_F(AccessTest, live_account_with_keys_of_its_environment_trades) {
  EXPECT_EQ(access().mode, TradingMode::live);
  EXPECT_EQ(access().refused, "");
  EXPECT_EQ(access().not_opening, "");
}

TEST_F(AccessTest, live_needs_the_servers_consent) {
  facts.live_trading = false;
  EXPECT_EQ(access().mode, TradingMode::observe);
  EXPECT_NE(access().refused.find("tradesync.live_trading"), std::string::npos);
}

TEST_F(AccessTest, consent_withdrawn_while_it_trades_stops_openings_but_not_protection) {
  facts.live_trading = false;
  facts.runs_live = true;
  EXPECT_EQ(access().mode, TradingMode::live);
  EXPECT_NE(access().not_opening.find("tradesync.live_trading"), std::string::npos);
}

TEST_F(AccessTest, keys_of_another_environment_never_trade) {
  facts.key_environment = "mainnet";
  EXPECT_EQ(access().mode, TradingMode::observe);
  EXPECT_NE(access().refused.find("mainnet"), std::string::npos);
  facts.key_environment = "";
  EXPECT_EQ(access().mode, TradingMode::observe);
  EXPECT_NE(access().refused.find("names no environment"), std::string::npos);
}

TEST_F(AccessTest, simulator_on_this_machine_needs_no_environment) {
  facts.loopback = true;
  facts.key_environment = "";
  EXPECT_EQ(access().mode, TradingMode::live);
}

TEST_F(AccessTest, live_account_without_keys_says_why_it_does_not_trade) {
  facts.key_problem = "another worker of this cluster already uses this API key";
  EXPECT_EQ(access().mode, TradingMode::observe);
  EXPECT_NE(access().refused.find("another worker"), std::string::npos);
}

TEST_F(AccessTest, paper_needs_neither_keys_nor_consent_and_observing_refuses_nothing) {
  facts = AccessFacts{};
  account.mode = "dry_run";
  EXPECT_EQ(access().mode, TradingMode::dry_run);
  account.mode = "observe";
  EXPECT_EQ(access().mode, TradingMode::observe);
  EXPECT_EQ(access().refused, "");
}

TEST_F(AccessTest, halted_account_opens_nothing_and_says_why) {
  account.halted = true;
  account.halt_reason = "manual";
  EXPECT_EQ(access().mode, TradingMode::live) << "what is open stays protected";
  EXPECT_EQ(access().not_opening, "the account is halted: manual");
}

}  // namespace
}  // namespace tradesync
