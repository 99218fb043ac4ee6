#include "core/positions.hpp"

#include <gtest/gtest.h>

#include "core/limits.hpp"
#include "core/random.hpp"
#include "core/test_rules_test.hpp"

namespace tradesync {
namespace {

using namespace test;

constexpr PositionSide kBoth = PositionSide::both, kLong = PositionSide::long_, kShort = PositionSide::short_;

class PositionsTest : public testing::Test {
 protected:
  bool report(std::string_view quantity, std::int64_t sequence, PositionSide side = kBoth, Source source = Source::stream) {
    return positions.apply(position("BTCUSDT", quantity, {sequence, sequence}, side), source, now, changes);
  }
  void book(std::string_view quantity, std::int64_t sequence, PositionSide side = kBoth) {
    positions.book(fill("BTCUSDT", std::to_string(++trade), quantity, sequence, sequence, side), now, changes);
  }
  std::size_t closed() const { return closings(changes).size(); }
  bool in_doubt() const { return positions.next_deadline() != INT64_MAX; }
  Positions::Need need_after(std::int64_t wait_ms) {
    const auto doubts = positions.overdue(now + wait_ms);
    return doubts.empty() ? Positions::Need::none : doubts.front().need;
  }
  std::size_t unexplained(const std::string& symbol) { return positions.settle(symbol, now, changes).size(); }
  const VenuePosition& held(PositionSide side = kBoth) const { return *positions.find("BTCUSDT", side); }

  Positions positions;
  Changes changes;
  std::int64_t now = 1000;
  int trade = 0;
};

TEST_F(PositionsTest, fill_before_its_position_explains_it) {
  book("2", 10);
  EXPECT_TRUE(report("2", 10));
  EXPECT_FALSE(in_doubt());
}

TEST_F(PositionsTest, fill_after_its_position_explains_it) {
  report("2", 10);
  EXPECT_TRUE(in_doubt());
  book("2", 10);
  EXPECT_FALSE(in_doubt());
}

TEST_F(PositionsTest, several_fills_of_one_match_explain_one_report) {
  book("1", 10);
  report("3", 10);
  EXPECT_TRUE(in_doubt());
  book("1", 10);
  book("1", 10);
  EXPECT_FALSE(in_doubt());
}

// Binance: one report per fill is as plausible as one for all (protocol §13.2); they share T.
TEST_F(PositionsTest, reports_of_one_version_are_explained_one_after_the_other) {
  const auto at = [&](std::string_view quantity, std::int64_t time) {
    positions.apply(position("BTCUSDT", quantity, {10, time}), Source::stream, now, changes);
  };
  at("1", 11);
  book("1", 10);
  at("3", 12);
  book("2", 10);
  EXPECT_FALSE(in_doubt());
  at("4", 13);
  at("5", 14);
  book("1", 10);
  EXPECT_TRUE(in_doubt());
  book("1", 10);
  EXPECT_FALSE(in_doubt());
}

TEST_F(PositionsTest, fill_of_a_later_match_waits_for_its_own_report) {
  book("1", 10);
  book("1", 11);
  report("1", 10);
  EXPECT_EQ(need_after(0), Positions::Need::none);
  report("2", 11);
  EXPECT_FALSE(in_doubt());
}

TEST_F(PositionsTest, change_without_its_fill_is_in_doubt_after_the_grace) {
  report("2", 10);
  EXPECT_EQ(positions.next_deadline(), now + limits::kFillGraceMs);
  EXPECT_EQ(need_after(limits::kFillGraceMs - 1), Positions::Need::none);
  EXPECT_EQ(need_after(limits::kFillGraceMs), Positions::Need::fills);
  EXPECT_EQ(need_after(limits::kFillGraceMs), Positions::Need::none) << "each doubt is told once";
  EXPECT_FALSE(in_doubt());
}

TEST_F(PositionsTest, fill_without_its_report_is_in_doubt_after_the_grace) {
  report("1", 10);
  book("1", 10);
  book("1", 11);
  EXPECT_EQ(need_after(limits::kPositionGraceMs - 1), Positions::Need::none);
  EXPECT_EQ(need_after(limits::kPositionGraceMs), Positions::Need::position);
}

TEST_F(PositionsTest, doubt_that_the_venue_cannot_lift_is_counted_and_ends) {
  report("2", 10);
  EXPECT_EQ(positions.settle("ETHUSDT", now, changes).size(), 0u);
  EXPECT_EQ(positions.settle("BTCUSDT", now, changes).size(), 1u);
  EXPECT_EQ(positions.settle("BTCUSDT", now, changes).size(), 0u);
  EXPECT_FALSE(in_doubt());
  report("3", 11);
  book("1", 11);
  EXPECT_FALSE(in_doubt()) << "counting goes on from what the venue said";
}

// A key that the venue never reports, e.g. the wrong side of a hedge: asking again would never end.
TEST_F(PositionsTest, fill_of_a_position_that_the_venue_does_not_know_is_asked_about_once) {
  book("1", 10);
  EXPECT_EQ(need_after(limits::kPositionGraceMs), Positions::Need::position);
  EXPECT_EQ(positions.settle("BTCUSDT", now, changes).size(), 0u);
  EXPECT_FALSE(in_doubt());
}

TEST_F(PositionsTest, fill_waits_for_its_report_while_another_side_of_the_symbol_is_settled) {
  book("1", 10, kShort);
  report("5", 9, kLong);
  positions.settle("BTCUSDT", now, changes);
  report("1", 10, kShort);
  EXPECT_FALSE(in_doubt());
}

TEST_F(PositionsTest, flat_position_waits_for_its_closing_fills) {
  report("2", 10);
  book("2", 10);
  report("0", 20);
  EXPECT_EQ(closed(), 0u);
  EXPECT_TRUE(positions.is_open("BTCUSDT"));
  book("-1", 20);
  EXPECT_EQ(closed(), 0u);
  book("-1", 20);
  ASSERT_EQ(closed(), 1u);
  EXPECT_EQ(closings(changes)[0].side, "long");
  EXPECT_EQ(closings(changes)[0].closed_ms, 20);
  EXPECT_FALSE(positions.is_open("BTCUSDT"));
}

TEST_F(PositionsTest, flat_position_whose_fills_are_here_closes_at_once) {
  report("-2", 10);
  book("-2", 10);
  book("2", 20);
  report("0", 20);
  ASSERT_EQ(closed(), 1u);
  EXPECT_EQ(closings(changes)[0].side, "short");
}

TEST_F(PositionsTest, flat_position_without_closing_fills_settles_after_the_venue_was_asked) {
  report("2", 10);
  book("2", 10);
  report("0", 20);
  EXPECT_EQ(need_after(limits::kFillGraceMs), Positions::Need::fills);
  EXPECT_EQ(closed(), 0u);
  EXPECT_EQ(positions.settle("BTCUSDT", now, changes).size(), 1u);
  EXPECT_EQ(closed(), 1u);
  EXPECT_FALSE(positions.is_open("BTCUSDT"));
}

TEST_F(PositionsTest, position_that_is_over_before_its_first_fill_arrives_waits_for_all_of_them) {
  report("2", 10);
  report("0", 20);
  EXPECT_EQ(closed(), 0u) << "that it is back where it was explains nothing";
  book("2", 10);
  EXPECT_EQ(closed(), 0u);
  book("-2", 20);
  EXPECT_EQ(closed(), 1u);
  EXPECT_FALSE(in_doubt());
}

TEST_F(PositionsTest, fills_of_one_match_may_come_before_the_second_report_of_it) {
  positions.apply(position("BTCUSDT", "1", {10, 11}), Source::stream, now, changes);
  book("1", 10);
  book("2", 10);
  positions.apply(position("BTCUSDT", "3", {10, 12}), Source::stream, now, changes);
  EXPECT_FALSE(in_doubt());
}

TEST_F(PositionsTest, flip_closes_the_old_row_at_once) {
  report("2", 10);
  book("2", 10);
  changes.clear();
  report("-1", 20);
  ASSERT_EQ(closed(), 1u);
  EXPECT_EQ(closings(changes)[0].side, "long");
  EXPECT_EQ(changes.stages.size(), 1u);
  book("-3", 20);
  EXPECT_FALSE(in_doubt());
  EXPECT_EQ(closed(), 1u);
}

TEST_F(PositionsTest, repeated_and_older_reports_change_nothing) {
  report("2", 10);
  book("2", 10);
  changes.clear();
  EXPECT_FALSE(report("2", 10));
  EXPECT_FALSE(report("1", 9));
  EXPECT_FALSE(report("0", 9, kBoth, Source::rest));
  EXPECT_TRUE(changes.empty());
  EXPECT_EQ(held().quantity, decimal("2"));
}

TEST_F(PositionsTest, equal_version_stream_wins_over_rest) {
  report("2", 10, kBoth, Source::rest);
  EXPECT_FALSE(report("3", 10, kBoth, Source::rest));
  EXPECT_TRUE(report("3", 10));
}

TEST_F(PositionsTest, moving_mark_price_alone_is_no_news) {
  report("2", 10);
  auto marked = position("BTCUSDT", "2", {11, 11});
  marked.mark_price = decimal("123");
  marked.unrealized_pnl = decimal("5");
  EXPECT_FALSE(positions.apply(marked, Source::rest, now, changes));
}

TEST_F(PositionsTest, what_a_message_leaves_out_stays) {
  auto rich = position("BTCUSDT", "2", {10, 10});
  rich.leverage = decimal("5");
  rich.stop_loss = decimal("90");
  rich.opened_ms = 7;
  positions.apply(rich, Source::rest, now, changes);
  report("3", 11);
  EXPECT_EQ(held().leverage, decimal("5"));
  EXPECT_EQ(held().stop_loss, decimal("90"));
  EXPECT_EQ(held().opened_ms, 7);
  report("-1", 12);
  EXPECT_EQ(held().opened_ms, 0) << "the other direction is another position";
}

TEST_F(PositionsTest, flat_report_of_a_position_never_heard_of_is_nothing) {
  EXPECT_FALSE(report("0", 10));
  EXPECT_TRUE(changes.empty());
  EXPECT_EQ(positions.size(), 0u);
}

TEST_F(PositionsTest, hedge_sides_are_two_positions) {
  report("2", 10, kLong);
  book("2", 10, kLong);
  report("-3", 11, kShort);
  book("-3", 11, kShort);
  EXPECT_FALSE(in_doubt());
  EXPECT_EQ(closed(), 0u) << "a short beside a long is no flip";
  report("0", 12, kLong);
  book("-2", 12, kLong);
  ASSERT_EQ(closed(), 1u);
  EXPECT_EQ(closings(changes)[0].position_side, kLong);
  EXPECT_TRUE(positions.is_open("BTCUSDT"));
  EXPECT_EQ(positions.open_symbols(), std::vector<std::string>{"BTCUSDT"});
}

TEST_F(PositionsTest, fill_that_does_not_say_its_side_goes_where_it_opens_or_closes) {
  const auto side_of = [&](std::string_view quantity, std::optional<Decimal> closes) {
    Fill unsaid = fill("BTCUSDT", "1", quantity, 1, 1, std::nullopt);
    unsaid.closed_quantity = closes;
    return positions.side_of_fill(unsaid);
  };
  EXPECT_EQ(side_of("1", {}), kBoth);
  report("1", 10, kLong);
  report("-1", 10, kShort);
  EXPECT_EQ(side_of("1", {}), kLong);
  EXPECT_EQ(side_of("-1", {}), kShort);
  EXPECT_EQ(side_of("1", decimal("1")), kShort);
  EXPECT_EQ(side_of("-1", decimal("1")), kLong);
  EXPECT_EQ(positions.side_of_fill(fill("BTCUSDT", "1", "1", 1, 1, kShort)), kShort);
}

TEST_F(PositionsTest, late_fill_that_a_settled_snapshot_contains_changes_nothing) {
  report("2", 20, kBoth, Source::rest);
  positions.settle("", now, changes);
  changes.clear();
  book("2", 20);
  book("1", 15);
  EXPECT_FALSE(in_doubt());
  EXPECT_TRUE(changes.empty());
  report("3", 30);
  book("1", 30);
  EXPECT_FALSE(in_doubt());
}

// A row as of a moment has no sequence: then the time of the fill decides.
TEST_F(PositionsTest, row_without_a_sequence_contains_what_was_executed_before_it) {
  report("2", 10);
  book("2", 10);
  positions.book(fill("BTCUSDT", "late", "-2", 50, 95), now, changes);
  positions.apply(position("BTCUSDT", "0", {0, 100}), Source::rest, now, changes);
  EXPECT_FALSE(in_doubt());
  EXPECT_EQ(closed(), 1u);
}

// ---------------------------------------------------------------- snapshots

TEST_F(PositionsTest, what_a_complete_snapshot_does_not_list_is_flat) {
  report("2", 10);
  book("2", 10);
  EXPECT_TRUE(positions.absent({}, 10 + limits::kReadLagMs, now, changes).empty());
  EXPECT_TRUE(held().quantity.is_zero());
  EXPECT_EQ(closed(), 0u) << "its fills are still to come";
  positions.settle("", now, changes);
  EXPECT_EQ(closed(), 1u);
}

TEST_F(PositionsTest, absence_so_soon_after_a_report_proves_nothing_unless_fills_say_so) {
  report("2", 10);
  book("2", 10);
  EXPECT_EQ(positions.absent({}, 9 + limits::kReadLagMs, now, changes), std::vector<std::string>{"BTCUSDT"});
  EXPECT_EQ(held().quantity, decimal("2"));
  book("-2", 20);
  EXPECT_TRUE(positions.absent({}, 30, now, changes).empty());
  EXPECT_TRUE(held().quantity.is_zero());
}

TEST_F(PositionsTest, absence_does_not_beat_a_later_stream_event) {
  report("2", 30);
  EXPECT_EQ(positions.absent({}, 20, now, changes), std::vector<std::string>{"BTCUSDT"}) << "ask once more about it";
  EXPECT_EQ(held().quantity, decimal("2"));
}

TEST_F(PositionsTest, absence_touches_neither_listed_nor_flat_nor_unreported_positions) {
  report("2", 10);
  book("2", 10);
  book("1", 10, kShort);
  positions.apply(position("ETHUSDT", "1", {10, 10}), Source::stream, now, changes);
  positions.apply(position("ETHUSDT", "0", {11, 11}), Source::stream, now, changes);
  changes.clear();
  EXPECT_TRUE(positions.absent({position("BTCUSDT", "2", {10, 10})}, 20, now, changes).empty());
  EXPECT_TRUE(changes.empty());
}

TEST_F(PositionsTest, loaded_position_is_no_news_and_its_row_is_closed_by_the_venue) {
  positions.load(position("BTCUSDT", "2", {10, 10}), true, true, "long");
  EXPECT_TRUE(positions.is_open("BTCUSDT"));
  EXPECT_FALSE(report("2", 10, kBoth, Source::rest));
  EXPECT_TRUE(changes.empty());
  report("0", 20);
  book("-2", 20);
  EXPECT_EQ(closed(), 1u);
}

TEST_F(PositionsTest, loaded_position_learns_its_stop_from_the_same_report) {
  positions.load(position("BTCUSDT", "2", {10, 10}, kBoth), true, true, "long");
  VenuePosition again = position("BTCUSDT", "2", {10, 10}, kBoth);
  again.stop_loss = decimal("59000");
  EXPECT_FALSE(positions.apply(again, Source::rest, now, changes));
  EXPECT_EQ(held().stop_loss, again.stop_loss);
  EXPECT_TRUE(changes.empty());
}

TEST_F(PositionsTest, open_row_that_the_venue_never_reported_is_not_called_flat) {
  positions.load(position("BTCUSDT", "0", {}), false, true, "long");
  positions.absent({}, 20, now, changes);
  positions.settle("", now, changes);
  EXPECT_EQ(closed(), 0u);
  EXPECT_TRUE(positions.is_open("BTCUSDT"));
}

// ---------------------------------------------------------------- audit

TEST_F(PositionsTest, list_that_agrees_contradicts_nothing) {
  report("2", 10);
  EXPECT_FALSE(positions.contradicted_by({position("BTCUSDT", "2", {10, 10})}, 20));
  EXPECT_FALSE(positions.contradicted_by({position("BTCUSDT", "2", {15, 15}), position("ETHUSDT", "0", {15, 15})}, 20));
}

TEST_F(PositionsTest, newer_quantity_missing_position_and_unknown_position_contradict) {
  report("2", 10);
  EXPECT_TRUE(positions.contradicted_by({position("BTCUSDT", "3", {15, 15})}, 20));
  EXPECT_TRUE(positions.contradicted_by({}, 20));
  EXPECT_TRUE(positions.contradicted_by({position("BTCUSDT", "2", {10, 10}), position("ETHUSDT", "1", {15, 15})}, 20));
}

TEST_F(PositionsTest, list_older_than_the_stream_contradicts_nothing) {
  report("2", 30);
  EXPECT_FALSE(positions.contradicted_by({position("BTCUSDT", "1", {20, 20})}, 25));
  EXPECT_FALSE(positions.contradicted_by({}, 25));
}

TEST_F(PositionsTest, list_that_the_fills_bear_out_beats_a_report_of_the_same_moment) {
  for (int i = 0; i < 3; ++i) book("1", 10);
  report("3", 10);
  report("1", 10);  // overtaken by the later one
  EXPECT_TRUE(positions.is_unexplained("BTCUSDT"));
  VenuePosition row = position("BTCUSDT", "2", {10, 10});
  EXPECT_EQ(positions.as_read(row, 20), row.version) << "neither fits";
  row.quantity = decimal("3");
  row.version = positions.as_read(row, 20);
  EXPECT_TRUE(positions.apply(row, Source::rest, now, changes));
  EXPECT_EQ(held().quantity, decimal("3"));
}

TEST_F(PositionsTest, list_read_long_after_the_last_report_contradicts_it_at_the_same_version) {
  report("2", 10);
  const VenuePosition row = position("BTCUSDT", "3", {10, 10});
  EXPECT_FALSE(positions.contradicted_by({row}, 20));
  EXPECT_TRUE(positions.contradicted_by({row}, 10 + limits::kReadLagMs));
}

TEST_F(PositionsTest, list_that_lacks_what_no_fill_speaks_for_yet_is_not_believed) {
  report("2", 10, kBoth, Source::rest);
  EXPECT_FALSE(positions.may_be_flat("BTCUSDT", kBoth, 20));
  EXPECT_TRUE(positions.may_be_flat("BTCUSDT", kBoth, 10 + limits::kReadLagMs));
}

TEST_F(PositionsTest, fills_of_an_earlier_position_do_not_make_a_list_believed_that_lacks_the_next) {
  book("2", 5);
  book("-2", 7);
  report("-3", 10);
  EXPECT_FALSE(positions.may_be_flat("BTCUSDT", kBoth, 20));
  book("3", 11);
  book("-3", 10);
  EXPECT_TRUE(positions.may_be_flat("BTCUSDT", kBoth, 20));
}

TEST_F(PositionsTest, position_that_a_lagging_list_lacked_comes_back) {
  report("2", 10);
  positions.apply(position("BTCUSDT", "0", {0, 20}), Source::rest, now, changes);
  VenuePosition row = position("BTCUSDT", "2", {10, 10});
  EXPECT_TRUE(positions.contradicted_by({row}, 20 + limits::kReadLagMs));
  row.version = positions.as_read(row, 20 + limits::kReadLagMs);
  EXPECT_TRUE(positions.apply(row, Source::rest, now, changes));
  EXPECT_EQ(held().quantity, decimal("2"));
}

TEST_F(PositionsTest, position_that_came_and_went_between_two_reports_ends_with_its_last_fill) {
  positions.load(position("BTCUSDT", "0", {10, 10}), true, true, "long");
  book("2", 30);
  book("-2", 40);
  positions.settle("BTCUSDT", now, changes);
  ASSERT_EQ(closed(), 1u);
  EXPECT_EQ(closings(changes)[0].closed_ms, 40);
}

TEST_F(PositionsTest, fills_that_wait_are_bounded) {
  report("0.5", 1);
  book("0.5", 1);
  for (int i = 0; i < 100000; ++i) book("1", 10 + i);
  report("0.5", 5);
  EXPECT_EQ(need_after(limits::kPositionGraceMs), Positions::Need::position);
}

// ---------------------------------------------------------------- a trader, two topics, any interleaving

// The rule by which the tables open and close rows (sql/45_position_writes.sql).
struct Rows {
  std::string open;  // side of the open row
  bool ending = false;
  int opened = 0, closed = 0;

  void end() {
    closed += !open.empty();
    open.clear();
    ending = false;
  }
  void take(const Changes& changes) {
    for (const auto& stage : changes.stages) {
      for (const auto& closing : stage.closings)
        if (closing.side == open) end();
      for (const auto& change : stage.positions) {
        const Decimal& quantity = change.position.quantity;
        const std::string side = quantity.is_zero() ? "" : (quantity.is_positive() ? "long" : "short");
        if (side.empty()) ending = !open.empty();
        else if (side != open || ending) {
          end();
          open = side;
          ++opened;
        }
      }
    }
  }
};

int sign(int quantity) { return (quantity > 0) - (quantity < 0); }

TEST(Positions, any_interleaving_of_fills_and_reports_opens_and_closes_once_per_crossing) {
  int crossings_seen = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    Random random(seed);
    std::vector<Fill> fills;
    std::vector<VenuePosition> reports;
    int quantity = 0, crossings = 0, trade = 0;
    const int matches = 3 + static_cast<int>(random.up_to(12));
    for (int match = 1; match <= matches; ++match) {
      const int before = quantity;
      int parts = 1 + static_cast<int>(random.up_to(2));
      const bool buy = random.up_to(1) == 0;
      for (; parts > 0; --parts) {
        const int size = 1 + static_cast<int>(random.up_to(2));
        quantity += buy ? size : -size;
        fills.push_back(fill("BTCUSDT", std::to_string(++trade), std::to_string(buy ? size : -size), match, match));
      }
      if (match == matches && quantity != 0) {  // in the end all is flat
        fills.push_back(fill("BTCUSDT", std::to_string(++trade), std::to_string(-quantity), match, match));
        quantity = 0;
      }
      reports.push_back(position("BTCUSDT", std::to_string(quantity), {match, match}));
      crossings += quantity != 0 && sign(quantity) != sign(before);
    }

    Positions positions;
    Rows rows;
    const bool turns = random.up_to(1) == 0;  // one turn for each message, or one for several
    Changes changes;
    std::size_t next_fill = 0, next_report = 0;
    while (next_fill < fills.size() || next_report < reports.size()) {
      const bool take_fill = next_report == reports.size() || (next_fill < fills.size() && random.up_to(1) == 0);
      if (take_fill) positions.book(fills[next_fill++], 1000, changes);
      else positions.apply(reports[next_report++], Source::stream, 1000, changes);
      if (!take_fill && random.up_to(4) == 0)
        positions.apply(reports[static_cast<std::size_t>(random.up_to(static_cast<std::int64_t>(next_report) - 1))], Source::rest,
                        1000, changes);
      if (turns || random.up_to(3) == 0) {
        rows.take(changes);
        changes.clear();
      }
    }
    rows.take(changes);
    ASSERT_EQ(positions.next_deadline(), INT64_MAX) << "something is unexplained, seed " << seed;
    ASSERT_TRUE(positions.settle("", 1000, changes).empty()) << "seed " << seed;
    ASSERT_EQ(rows.opened, crossings) << "seed " << seed;
    ASSERT_EQ(rows.closed, crossings) << "seed " << seed;
    ASSERT_FALSE(positions.is_open("BTCUSDT")) << "seed " << seed;
    crossings_seen += crossings;
  }
  EXPECT_GT(crossings_seen, 4000);
}

}  // namespace
}  // namespace tradesync
