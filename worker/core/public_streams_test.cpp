#include "core/public_streams.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/test_rules_test.hpp"

namespace tradesync {
namespace {

using namespace test;
using What = SendCommand::What;
using Topic = PublicStreams::Topic;

// A venue that opens every socket and, unless told otherwise, acknowledges every subscription and ticks.
class PublicStreamsTest : public testing::Test {
 protected:
  explicit PublicStreamsTest(VenueRules kind = key_rules()) : rules(std::move(kind)) {}

  void want(std::initializer_list<const char*> symbols) {
    for (const char* symbol : symbols) streams.want(symbol, now);
  }
  // One turn; returns what it did and remembers sockets and subscriptions.
  std::vector<Action> step() {
    Effects effects;
    streams.step(now, effects);
    return watch(effects.actions);
  }
  std::vector<Action> unwant(const std::string& symbol) {
    Effects effects;
    streams.unwant(symbol, effects);
    return watch(effects.actions);
  }
  std::vector<Action> watch(std::vector<Action> actions) {
    for (const auto& action : actions) {
      if (const auto* open = std::get_if<OpenSocket>(&action)) sockets.insert(open->link), opening.push_back(open->link);
      else if (const auto* close = std::get_if<CloseSocket>(&action)) EXPECT_EQ(sockets.erase(close->link), 1u) << "closed twice";
      else if (const auto* command = std::get_if<SendCommand>(&action)) {
        EXPECT_TRUE(sockets.contains(command->link)) << "sent into a closed socket";
        sent.push_back(*command);
      }
    }
    return actions;
  }
  void open_all() {
    for (auto link : std::exchange(opening, {}))
      if (sockets.contains(link)) streams.on_opened(link, now);
  }
  // Acknowledges what was sent; the refused ones name `culprit` or nobody.
  void acknowledge_all(const std::set<std::string>& refused = {}, bool named = true) {
    for (const auto& command : std::exchange(sent, {})) {
      if (command.what != What::subscribe) continue;
      std::string culprit;
      for (const auto& symbol : command.symbols)
        if (refused.contains(symbol)) culprit = symbol;
      streams.on_acknowledged(command.link, command.id, culprit.empty(), culprit.empty() ? "" : "unknown symbol",
                              named ? culprit : "", now);
    }
  }
  void tick_all() {
    for (auto link : sockets) streams.on_message(link, now);
    for (const auto& symbol : streams.symbols())
      if (!silent.contains(symbol)) streams.on_price(symbol, now);
  }
  // Time passes; everything the streams want done is done by the venue.
  void run(std::int64_t duration_ms, const std::set<std::string>& refused = {}, bool named = true) {
    for (const std::int64_t end = now + duration_ms; now < end; now += 100) {
      step();
      open_all();
      acknowledge_all(refused, named);
      tick_all();
    }
  }
  Topic topic(const std::string& symbol) const { return streams.status(symbol)->topic; }
  int count(Topic wanted) const {
    int found = 0;
    for (const auto& symbol : streams.symbols()) found += topic(symbol) == wanted;
    return found;
  }

  VenueRules rules;
  LinkIds ids;
  Random random{1};
  PublicStreams streams{rules, ids, random};
  std::int64_t now = 10000;
  std::set<std::uint64_t> sockets;
  std::vector<std::uint64_t> opening;
  std::vector<SendCommand> sent;
  std::set<std::string> silent;
};

TEST_F(PublicStreamsTest, nothing_wanted_opens_nothing) {
  run(5000);
  EXPECT_TRUE(sockets.empty());
  EXPECT_EQ(streams.next_deadline(now), INT64_MAX);
}

TEST_F(PublicStreamsTest, wanted_symbol_is_connected_subscribed_and_acknowledged) {
  want({"BTCUSDT"});
  EXPECT_EQ(streams.next_deadline(now), now);
  step();
  ASSERT_EQ(sockets.size(), 1u);
  EXPECT_TRUE(sent.empty()) << "not before the socket is open";
  open_all();
  step();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].symbols, std::vector<std::string>{"BTCUSDT"});
  EXPECT_EQ(topic("BTCUSDT"), Topic::requested);
  acknowledge_all();
  EXPECT_EQ(topic("BTCUSDT"), Topic::subscribed);
  EXPECT_FALSE(streams.status("ETHUSDT"));
}

TEST_F(PublicStreamsTest, symbol_wanted_twice_is_subscribed_once) {
  want({"BTCUSDT", "BTCUSDT"});
  step();
  open_all();
  step();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].symbols.size(), 1u);
}

TEST_F(PublicStreamsTest, batches_and_connections_stay_within_the_limits_of_the_venue) {
  for (int i = 0; i < 20; ++i) streams.want("S" + std::to_string(i), now);
  std::map<std::uint64_t, std::size_t> per_link;
  for (int turns = 0; turns < 50; ++turns, now += 100) {
    step();
    open_all();
    for (const auto& command : sent) {
      EXPECT_LE(command.symbols.size(), static_cast<std::size_t>(rules.symbols_per_subscribe));
      per_link[command.link] += command.symbols.size();
    }
    acknowledge_all();
    tick_all();
  }
  EXPECT_EQ(count(Topic::subscribed), 20);
  EXPECT_EQ(per_link.size(), 4u) << "20 symbols, 6 per connection";
  for (const auto& [link, symbols] : per_link) EXPECT_LE(symbols, static_cast<std::size_t>(rules.symbols_per_connection));
  EXPECT_EQ(streams.report().size(), 4u);
  EXPECT_EQ(streams.report()[1].stream, "public-2");
}

TEST_F(PublicStreamsTest, more_symbols_than_all_connections_carry_fail_and_say_why) {
  const int room = rules.symbols_per_connection * static_cast<int>(limits::kPublicLinks);
  for (int i = 0; i < room + 2; ++i) streams.want("S" + std::to_string(1000 + i), now);
  run(20000);
  EXPECT_EQ(count(Topic::subscribed), room);
  EXPECT_EQ(count(Topic::failed), 2);
  EXPECT_EQ(sockets.size(), limits::kPublicLinks);
  EXPECT_FALSE(streams.status("S" + std::to_string(1000 + room))->detail.empty());
}

// Both venues count commands per connection and cut one that sends too many.
class CommandPace : public PublicStreamsTest {
 protected:
  // The largest number of commands within any second.
  std::size_t busiest_second() const {
    std::size_t busiest = 0;
    for (auto first = times.begin(); first != times.end(); ++first)
      busiest = std::max(busiest, static_cast<std::size_t>(
                                      std::count_if(first, times.end(), [&](std::int64_t at) { return at < *first + 1000; })));
    return busiest;
  }
  void record() {
    for (std::size_t i = 0; i < sent.size(); ++i) times.push_back(now);
  }
  std::vector<std::int64_t> times;
};

TEST_F(CommandPace, subscriptions_keep_within_twice_the_rate) {
  rules.symbols_per_connection = 100;
  rules.symbols_per_subscribe = 1;
  want({"BTCUSDT"});
  run(5000);
  for (int i = 0; i < 60; ++i) streams.want("S" + std::to_string(i), now);
  for (int turns = 0; turns < 400; ++turns, now += 50) {
    step();
    record();
    acknowledge_all();
    tick_all();
  }
  EXPECT_EQ(count(Topic::subscribed), 61);
  EXPECT_LE(busiest_second(), static_cast<std::size_t>(2 * rules.commands_per_second));
}

TEST_F(CommandPace, many_positions_that_close_at_once_keep_within_twice_the_rate) {
  rules.symbols_per_connection = 100;
  rules.symbols_per_subscribe = 3;
  std::set<std::string> symbols;
  for (int i = 0; i < 61; ++i) symbols.insert("S" + std::to_string(i));
  for (const auto& symbol : symbols) streams.want(symbol, now);
  run(20000);
  ASSERT_EQ(count(Topic::subscribed), 61);
  sent.clear();
  symbols.erase("S0");
  for (const auto& symbol : symbols) unwant(symbol);
  std::set<std::string> gone;
  for (int turns = 0; turns < 400; ++turns, now += 50) {
    record();
    for (const auto& command : sent) gone.insert(command.symbols.begin(), command.symbols.end());
    sent.clear();
    tick_all();
    step();
  }
  EXPECT_EQ(gone, symbols) << "each is unsubscribed in the end";
  EXPECT_LE(busiest_second(), static_cast<std::size_t>(2 * rules.commands_per_second));
}

TEST_F(PublicStreamsTest, one_bad_symbol_that_is_named_takes_no_other_with_it) {
  want({"BTCUSDT", "BADUSDT", "ETHUSDT"});
  run(3000, {"BADUSDT"});
  EXPECT_EQ(topic("BTCUSDT"), Topic::subscribed);
  EXPECT_EQ(topic("ETHUSDT"), Topic::subscribed);
  EXPECT_EQ(topic("BADUSDT"), Topic::failed);
  EXPECT_EQ(streams.status("BADUSDT")->detail, "unknown symbol");
}

TEST_F(PublicStreamsTest, one_bad_symbol_that_is_not_named_is_found) {
  want({"BTCUSDT", "BADUSDT", "ETHUSDT"});
  run(3000, {"BADUSDT"}, false);
  EXPECT_EQ(topic("BTCUSDT"), Topic::subscribed);
  EXPECT_EQ(topic("ETHUSDT"), Topic::subscribed);
  EXPECT_EQ(topic("BADUSDT"), Topic::failed);
}

TEST_F(PublicStreamsTest, name_that_was_never_asked_for_is_as_good_as_none) {
  want({"BTCUSDT", "BADUSDT", "ETHUSDT"});
  for (int turns = 0; turns < 50; ++turns, now += 100) {
    step();
    open_all();
    for (const auto& command : std::exchange(sent, {})) {
      const bool spoiled = std::count(command.symbols.begin(), command.symbols.end(), "BADUSDT") > 0;
      streams.on_acknowledged(command.link, command.id, !spoiled, "no", spoiled ? "badusdt" : "", now);
    }
    tick_all();
  }
  EXPECT_EQ(count(Topic::subscribed), 2);
  EXPECT_EQ(topic("BADUSDT"), Topic::failed);
}

TEST_F(PublicStreamsTest, failed_symbol_is_tried_again_alone_and_slower_each_time) {
  want({"BTCUSDT", "BADUSDT"});
  std::vector<std::int64_t> tries;
  for (int turns = 0; turns < 20000; ++turns, now += 100) {
    step();
    open_all();
    for (const auto& command : sent)
      if (std::count(command.symbols.begin(), command.symbols.end(), "BADUSDT")) {
        EXPECT_TRUE(tries.empty() || command.symbols.size() == 1);
        tries.push_back(now);
      }
    acknowledge_all({"BADUSDT"});
    tick_all();
  }
  ASSERT_GT(tries.size(), 4u);
  EXPECT_GE(tries[1] - tries[0], limits::kResubscribeFirstMs / 2);
  for (std::size_t i = 1; i < tries.size(); ++i) EXPECT_LE(tries[i] - tries[i - 1], limits::kResubscribeLastMs + 1000);
  EXPECT_LT(tries.size(), 60u) << "in 2000 s";
}

TEST_F(PublicStreamsTest, symbol_that_becomes_valid_is_subscribed_in_the_end) {
  want({"NEWUSDT"});
  run(10000, {"NEWUSDT"});
  EXPECT_EQ(topic("NEWUSDT"), Topic::failed);
  run(2 * limits::kResubscribeLastMs);
  EXPECT_EQ(topic("NEWUSDT"), Topic::subscribed);
}

TEST_F(PublicStreamsTest, subscription_that_nobody_answers_fails_in_time) {
  want({"BTCUSDT"});
  step();
  open_all();
  step();
  now += limits::kAckTimeoutMs - 1;
  step();
  EXPECT_EQ(topic("BTCUSDT"), Topic::requested);
  now += 300;
  step();
  EXPECT_EQ(topic("BTCUSDT"), Topic::failed);
}

// Binance acknowledges streams of symbols that do not exist.
TEST_F(PublicStreamsTest, acknowledged_but_silent_symbol_has_failed) {
  silent = {"BADUSDT"};
  want({"BTCUSDT", "BADUSDT"});
  run(3 * rules.price_stale_ms + 1000);
  EXPECT_EQ(topic("BADUSDT"), Topic::failed);
  EXPECT_EQ(topic("BTCUSDT"), Topic::subscribed);
}

TEST_F(PublicStreamsTest, symbol_without_a_price_is_told_stale_once_until_it_ticks_again) {
  want({"BTCUSDT", "ETHUSDT"});
  run(2000);
  silent = {"BTCUSDT"};
  EXPECT_TRUE(streams.take_stale(now).empty());
  run(rules.price_stale_ms);
  EXPECT_EQ(streams.take_stale(now), std::vector<std::string>{"BTCUSDT"});
  EXPECT_TRUE(streams.take_stale(now).empty());
  EXPECT_TRUE(streams.status("BTCUSDT")->stale);
  streams.on_price("BTCUSDT", now);
  EXPECT_FALSE(streams.status("BTCUSDT")->stale);
  now += rules.price_stale_ms;
  tick_all();
  EXPECT_EQ(streams.take_stale(now), std::vector<std::string>{"BTCUSDT"});
}

TEST_F(PublicStreamsTest, lost_connection_comes_back_with_all_its_symbols) {
  want({"BTCUSDT", "ETHUSDT", "XRPUSDT", "BNBUSDT"});
  run(3000);
  const auto lost = *sockets.begin();
  streams.on_closed(lost, "cut", now);
  sockets.erase(lost);
  EXPECT_EQ(count(Topic::waiting), 4);
  run(5000);
  EXPECT_EQ(count(Topic::subscribed), 4);
  EXPECT_EQ(sockets.size(), 1u);
  EXPECT_EQ(streams.report()[0].reconnects, 1);
}

TEST_F(PublicStreamsTest, connection_that_never_opens_is_given_up_and_tried_again) {
  want({"BTCUSDT"});
  step();
  const auto first = *sockets.begin();
  now += limits::kLoginTimeoutMs;
  step();
  EXPECT_FALSE(sockets.contains(first));
  now += limits::kBackoffLastMs;
  step();
  EXPECT_EQ(sockets.size(), 1u);
}

TEST_F(PublicStreamsTest, connection_without_any_word_is_dead) {
  want({"BTCUSDT"});
  run(3000);
  const auto first = *sockets.begin();
  for (int turns = 0; turns < 400 && sockets.contains(first); ++turns, now += 100) step();
  EXPECT_FALSE(sockets.contains(first));
  run(5000);
  EXPECT_EQ(topic("BTCUSDT"), Topic::subscribed);
}

TEST_F(PublicStreamsTest, unwanted_symbol_is_unsubscribed_and_the_empty_connection_closed) {
  want({"BTCUSDT", "ETHUSDT"});
  run(3000);
  unwant("BTCUSDT");
  run(1000);
  EXPECT_FALSE(streams.wants("BTCUSDT"));
  EXPECT_EQ(sockets.size(), 1u);
  unwant("ETHUSDT");
  EXPECT_TRUE(sockets.empty());
  run(60000);
  EXPECT_TRUE(sockets.empty()) << "and stays so";
  EXPECT_TRUE(streams.report().empty());
}

TEST_F(PublicStreamsTest, unsubscription_names_the_symbol) {
  want({"BTCUSDT", "ETHUSDT"});
  run(3000);
  std::vector<Action> actions = unwant("BTCUSDT");
  for (int turns = 0; turns < 10; ++turns, now += 100)
    for (auto& action : step()) actions.push_back(action);
  const auto gone = commands(actions, What::unsubscribe);
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0].symbols, std::vector<std::string>{"BTCUSDT"});
}

TEST_F(PublicStreamsTest, symbol_wanted_again_at_once_is_subscribed_after_it_was_unsubscribed) {
  want({"BTCUSDT", "ETHUSDT"});
  run(3000);
  std::vector<Action> actions = unwant("BTCUSDT");
  streams.want("BTCUSDT", now);
  for (int turns = 0; turns < 20; ++turns, now += 100)
    for (auto& action : step()) actions.push_back(action);
  std::vector<What> order;
  for (const auto& command : actions_of<SendCommand>(actions))
    if (std::count(command.symbols.begin(), command.symbols.end(), "BTCUSDT")) order.push_back(command.what);
  EXPECT_EQ(order, (std::vector<What>{What::unsubscribe, What::subscribe}));
}

TEST_F(PublicStreamsTest, room_of_an_unwanted_symbol_is_used_again) {
  for (int i = 0; i < rules.symbols_per_connection; ++i) streams.want("S" + std::to_string(i), now);
  run(3000);
  unwant("S0");
  want({"NEWUSDT"});
  run(3000);
  EXPECT_EQ(sockets.size(), 1u);
  EXPECT_EQ(topic("NEWUSDT"), Topic::subscribed);
}

TEST_F(PublicStreamsTest, planned_rotation_keeps_the_old_connection_until_every_symbol_has_moved) {
  want({"BTCUSDT", "ETHUSDT"});
  run(3000);
  const auto old = *sockets.begin();
  now += rules.rotate_after_ms;
  tick_all();
  step();
  ASSERT_EQ(sockets.size(), 2u);
  EXPECT_TRUE(streams.owns(old));
  open_all();
  now += 1000;
  step();
  EXPECT_TRUE(sockets.contains(old)) << "not acknowledged on the new one yet";
  acknowledge_all();
  now += 300;
  step();
  EXPECT_FALSE(sockets.contains(old));
  EXPECT_EQ(count(Topic::subscribed), 2);
}

TEST_F(PublicStreamsTest, rotation_that_hangs_does_not_keep_two_connections_for_ever) {
  want({"BTCUSDT"});
  run(3000);
  now += rules.rotate_after_ms;
  tick_all();
  run(60000);
  EXPECT_EQ(sockets.size(), 1u);
  EXPECT_EQ(topic("BTCUSDT"), Topic::subscribed);
}

TEST_F(PublicStreamsTest, last_symbol_unwanted_during_a_rotation_closes_both_connections) {
  want({"BTCUSDT"});
  run(3000);
  now += rules.rotate_after_ms;
  tick_all();
  step();
  ASSERT_EQ(sockets.size(), 2u);
  unwant("BTCUSDT");
  for (int turns = 0; turns < 20; ++turns, now += 1000) step();
  EXPECT_TRUE(sockets.empty());
}

TEST_F(PublicStreamsTest, stop_closes_everything) {
  for (int i = 0; i < 20; ++i) streams.want("S" + std::to_string(i), now);
  run(3000);
  Effects effects;
  streams.stop(effects);
  watch(effects.actions);
  EXPECT_TRUE(sockets.empty());
  EXPECT_EQ(streams.next_deadline(now), INT64_MAX);
}

class PingingStreamsTest : public PublicStreamsTest {
 protected:
  PingingStreamsTest() : PublicStreamsTest(login_rules()) {}
};

TEST_F(PingingStreamsTest, every_open_connection_is_pinged_at_its_interval) {
  want({"BTCUSDT"});
  std::vector<std::int64_t> pings;
  for (int turns = 0; turns < 1000; ++turns, now += 100) {
    step();
    open_all();
    for (const auto& command : sent)
      if (command.what == What::ping) pings.push_back(now);
    acknowledge_all();
    tick_all();
  }
  ASSERT_EQ(pings.size(), 4u);
  for (std::size_t i = 1; i < pings.size(); ++i) EXPECT_LE(pings[i] - pings[i - 1], rules.ping_interval_ms + 300);
}

}  // namespace
}  // namespace tradesync
