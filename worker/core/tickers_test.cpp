// The question for 24 hour tickers, through the whole core.
#include "core/tickers.hpp"

#include <gtest/gtest.h>

#include "core/scripted_venue_test.hpp"

namespace tradesync {
namespace {

using namespace test;

class TickersTest : public testing::TestWithParam<bool> {
 protected:
  VenueRules rules() const { return GetParam() ? key_rules() : login_rules(); }
};
INSTANTIATE_TEST_SUITE_P(Venues, TickersTest, testing::Bool(), [](const auto& kind) { return kind.param ? "listen_key" : "login"; });

TEST_P(TickersTest, every_symbol_of_the_venue_is_told_once_and_then_forgotten) {
  ScriptedVenue venue(rules());
  venue.start();
  EXPECT_EQ(venue.asked_for(RequestKind::tickers), 0) << "nobody has asked yet";
  venue.step(TickersAsked{7});
  venue.advance(100);
  ASSERT_TRUE(venue.engine.tickers_done(7));
  EXPECT_FALSE(venue.engine.tickers_done(8));
  const auto tickers = venue.engine.take_tickers(7);
  ASSERT_EQ(tickers.size(), venue.instruments.size());
  EXPECT_EQ(tickers[0].quote_volume.text(), "90071992547409.93");
  EXPECT_FALSE(venue.engine.tickers_done(7));
  EXPECT_TRUE(venue.engine.take_tickers(7).empty());
  EXPECT_EQ(venue.asked_for(RequestKind::tickers), 1);
}

TEST_P(TickersTest, no_session_is_needed) {
  for (TradingMode mode : {TradingMode::observe, TradingMode::dry_run}) {
    EngineSettings settings;
    settings.private_session = false;
    settings.trading.mode = mode;
    ScriptedVenue venue(rules(), settings);
    venue.held.insert(RequestKind::server_time);
    venue.step(Started{});
    venue.step(TickersAsked{1});
    venue.advance(100);
    EXPECT_FALSE(venue.engine.live());
    EXPECT_TRUE(venue.engine.tickers_done(1)) << "the paper exchange has no tickers: the venue is asked";
    EXPECT_FALSE(venue.engine.take_tickers(1).empty());
  }
}

TEST_P(TickersTest, failed_answer_is_asked_for_again_and_refused_one_is_none) {
  ScriptedVenue venue(rules());
  venue.start();
  venue.fails[RequestKind::tickers] = {Outcome::failed, Outcome::throttled};
  venue.step(TickersAsked{1});
  EXPECT_FALSE(venue.engine.tickers_done(1));
  venue.advance(60000);
  EXPECT_FALSE(venue.engine.take_tickers(1).empty());
  EXPECT_EQ(venue.asked_for(RequestKind::tickers), 3);

  venue.refused.insert(RequestKind::tickers);
  venue.step(TickersAsked{2});
  venue.advance(1000);
  EXPECT_TRUE(venue.engine.tickers_done(2));
  EXPECT_TRUE(venue.engine.take_tickers(2).empty());
  EXPECT_EQ(venue.asked_for(RequestKind::tickers), 4) << "a person can ask again";
}

TEST_P(TickersTest, asker_who_gives_up_leaves_nothing_behind) {
  ScriptedVenue venue(rules());
  venue.start();
  venue.held.insert(RequestKind::tickers);
  venue.step(TickersAsked{1});
  EXPECT_TRUE(venue.engine.take_tickers(1).empty());
  venue.step(TickersAsked{2});
  venue.release();
  venue.advance(1000);
  EXPECT_FALSE(venue.engine.tickers_done(1));
  EXPECT_FALSE(venue.engine.take_tickers(2).empty()) << "another question is not touched";
  EXPECT_EQ(venue.asked_for(RequestKind::tickers), 2);
}

}  // namespace
}  // namespace tradesync
