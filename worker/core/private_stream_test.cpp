#include "core/private_stream.hpp"

#include <gtest/gtest.h>

#include "core/test_rules_test.hpp"

namespace tradesync {
namespace {

using namespace test;
using Signal = PrivateStream::Signal;
using What = SendCommand::What;

class PrivateStreamTest : public testing::Test {
 protected:
  explicit PrivateStreamTest(VenueRules kind) : rules(std::move(kind)) { clock.add_sample(0, 10, 5000); }

  // One turn: what is due happens, what is asked leaves. Effects of the turn before are forgotten.
  Signal step() {
    effects = {};
    const Signal signal = stream.step(now, true, effects);
    requests.pump(now, effects.actions);
    return signal;
  }
  // Turns until the stream wants something done. Bounded: a machine that asks for turns without end fails the test.
  Signal step_to_deadline() {
    const std::int64_t deadline = std::min(stream.next_deadline(true), requests.next_deadline(now));
    EXPECT_NE(deadline, INT64_MAX) << "nothing is due any more";
    now = std::max(now, deadline);
    return step();
  }
  std::uint64_t opened() const {
    const auto sockets = actions_of<OpenSocket>(effects.actions);
    return sockets.size() == 1 ? sockets[0].link : 0;
  }
  bool closes(std::uint64_t link) const {
    for (const auto& close : actions_of<CloseSocket>(effects.actions))
      if (close.link == link) return true;
    return false;
  }
  std::vector<SendRequest> asked() const { return actions_of<SendRequest>(effects.actions); }
  void answer(Reply reply) {
    Answer complete;
    Requests::Trouble trouble;
    effects = {};
    EXPECT_TRUE(requests.on_reply(std::move(reply), now, complete, trouble));
    EXPECT_TRUE(stream.on_answer(complete, now, effects));
  }
  Reply key(std::uint64_t id, const std::string& listen_key) {
    Reply answer = reply(id, Outcome::ok);
    answer.listen_key = listen_key;
    return answer;
  }

  VenueRules rules;
  VenueClock clock;
  Random random{1};
  Requests requests{rules, clock, random};
  LinkIds ids;
  PrivateStream stream{rules, requests, ids, random};
  Effects effects;
  std::int64_t now = 1000;
};

// ---------------------------------------------------------------- login and subscription

class LoginStreamTest : public PrivateStreamTest {
 protected:
  LoginStreamTest() : PrivateStreamTest(login_rules()) {}

  std::uint64_t connect() {
    stream.start(now);
    step();
    return opened();
  }
  // From a start to a stream that delivers.
  std::uint64_t come_up() {
    const std::uint64_t link = connect();
    stream.on_opened(link, now, effects);
    stream.on_authenticated(link, true, "", now, effects);
    EXPECT_EQ(stream.on_acknowledged(link, true, "", now, effects), Signal::subscribed);
    return link;
  }
};

TEST_F(LoginStreamTest, logs_in_then_subscribes_then_delivers) {
  const auto link = connect();
  ASSERT_NE(link, 0u);
  EXPECT_TRUE(stream.owns(link));
  EXPECT_EQ(stream.on_opened(link, now, effects), Signal::opened);
  EXPECT_EQ(commands(effects.actions, What::authenticate).size(), 1u);
  EXPECT_TRUE(commands(effects.actions, What::subscribe_account).empty()) << "nothing before the login is accepted";
  EXPECT_EQ(stream.on_authenticated(link, true, "", now, effects), Signal::none);
  EXPECT_EQ(commands(effects.actions, What::subscribe_account).size(), 1u);
  EXPECT_EQ(stream.on_acknowledged(link, true, "", now, effects), Signal::subscribed);
  EXPECT_EQ(stream.report().state, "up");
  EXPECT_EQ(stream.report().subscriptions, 1);
}

TEST_F(LoginStreamTest, does_not_connect_before_it_may) {
  stream.start(now);
  EXPECT_EQ(stream.step(now, false, effects), Signal::none);
  EXPECT_TRUE(effects.actions.empty());
  EXPECT_EQ(stream.next_deadline(false), INT64_MAX);
  EXPECT_EQ(stream.next_deadline(true), now);
}

TEST_F(LoginStreamTest, words_of_strangers_and_of_the_past_change_nothing) {
  const auto link = connect();
  EXPECT_EQ(stream.on_opened(link + 7, now, effects), Signal::none);
  EXPECT_EQ(stream.on_acknowledged(link, true, "", now, effects), Signal::none) << "not asked yet";
  stream.on_opened(link, now, effects);
  EXPECT_EQ(stream.on_opened(link, now, effects), Signal::none);
  EXPECT_EQ(stream.on_acknowledged(link, true, "", now, effects), Signal::none);
  EXPECT_EQ(stream.on_closed(link + 7, "", now, effects), Signal::none);
  EXPECT_TRUE(stream.owns(link));
}

TEST_F(LoginStreamTest, second_refused_login_pauses_long_because_a_key_does_not_heal) {
  auto link = connect();
  stream.on_opened(link, now, effects);
  EXPECT_EQ(stream.on_authenticated(link, false, "expires is in the past", now, effects), Signal::lost);
  EXPECT_TRUE(closes(link));
  EXPECT_FALSE(stream.owns(link)) << "its last words find nobody";
  EXPECT_NE(stream.last_error().find("in the past"), std::string::npos);
  EXPECT_LE(stream.next_deadline(true), now + limits::kBackoffFirstMs) << "the clock may have been wrong: try again soon";
  step_to_deadline();
  link = opened();
  stream.on_opened(link, now, effects);
  stream.on_authenticated(link, false, "invalid key", now, effects);
  EXPECT_GE(stream.next_deadline(true), now + limits::kUnauthorizedPauseMs);
}

TEST_F(LoginStreamTest, refused_topics_are_tried_again_on_a_new_connection) {
  const auto link = connect();
  stream.on_opened(link, now, effects);
  stream.on_authenticated(link, true, "", now, effects);
  EXPECT_EQ(stream.on_acknowledged(link, false, "no such topic", now, effects), Signal::lost);
  EXPECT_TRUE(closes(link));
  step_to_deadline();
  EXPECT_GT(opened(), link);
}

TEST_F(LoginStreamTest, login_that_nobody_answers_ends_in_time) {
  const auto link = connect();
  now += 3000;
  stream.on_opened(link, now, effects);
  now = 1000 + limits::kLoginTimeoutMs - 1;
  EXPECT_EQ(step(), Signal::none);
  ++now;
  EXPECT_EQ(step(), Signal::lost);
  EXPECT_TRUE(closes(link));
}

TEST_F(LoginStreamTest, pings_at_its_interval) {
  const auto link = come_up();
  for (int pings = 0; pings < 5; ++pings) {
    now += rules.ping_interval_ms - 1;
    stream.on_message(link, now, -1);
    step();
    EXPECT_TRUE(commands(effects.actions, What::ping).empty());
    ++now;
    step();
    EXPECT_EQ(commands(effects.actions, What::ping).size(), 1u);
  }
}

TEST_F(LoginStreamTest, silence_is_death) {
  const auto link = come_up();
  now += 30000;
  stream.on_message(link, now, 12);
  EXPECT_EQ(stream.report().lag_ms, 12);
  now += rules.private_silence_ms - 1;
  EXPECT_EQ(step(), Signal::none);
  ++now;
  EXPECT_EQ(step(), Signal::lost);
  EXPECT_TRUE(closes(link));
}

TEST_F(LoginStreamTest, deadline_never_misses_a_death_by_silence) {
  come_up();
  Signal signal = Signal::none;
  for (int turns = 0; turns < 10 && signal == Signal::none; ++turns) signal = step_to_deadline();
  EXPECT_EQ(signal, Signal::lost);
  EXPECT_EQ(now, 1000 + rules.private_silence_ms);
}

TEST_F(LoginStreamTest, reconnects_slower_each_time_within_bounds_and_without_end) {
  stream.start(now);
  std::int64_t longest = 0;
  for (int tries = 0; tries < 100; ++tries) {
    const std::int64_t before = now;
    step_to_deadline();
    const std::int64_t pause = now - before;
    ASSERT_LE(pause, limits::kBackoffLastMs);
    ASSERT_TRUE(tries == 0 || pause >= limits::kBackoffFirstMs / 2);
    longest = std::max(longest, pause);
    const auto link = opened();
    ASSERT_NE(link, 0u);
    ASSERT_EQ(stream.on_closed(link, "refused", now, effects), Signal::lost);
  }
  EXPECT_GT(longest, limits::kBackoffLastMs / 2);
  EXPECT_EQ(stream.report().reconnects, 99);
}

TEST_F(LoginStreamTest, connection_that_lived_makes_the_next_pause_short_again) {
  stream.start(now);
  for (int tries = 0; tries < 20; ++tries) {
    step_to_deadline();
    stream.on_closed(opened(), "refused", now, effects);
  }
  step_to_deadline();
  const auto link = opened();
  stream.on_opened(link, now, effects);
  now += limits::kStableLinkMs;
  stream.on_closed(link, "cut", now, effects);
  EXPECT_LE(stream.next_deadline(true) - now, limits::kBackoffFirstMs);
}

TEST_F(LoginStreamTest, stopped_stream_closes_and_never_comes_back) {
  const auto link = come_up();
  stream.stop(effects);
  EXPECT_TRUE(closes(link));
  EXPECT_EQ(stream.next_deadline(true), INT64_MAX);
  now += 1000000;
  step();
  EXPECT_TRUE(effects.actions.empty());
}

// ---------------------------------------------------------------- listen keys

class KeyStreamTest : public PrivateStreamTest {
 protected:
  KeyStreamTest() : PrivateStreamTest(key_rules()) {}

  std::uint64_t come_up() {
    stream.start(now);
    step();
    const auto request = asked().at(0).request;
    EXPECT_EQ(request.kind, RequestKind::create_listen_key);
    answer(key(request.id, "key-1"));
    const auto link = opened();
    EXPECT_EQ(stream.on_opened(link, now, effects), Signal::subscribed);
    return link;
  }
  // The next connection beside the current one: its key is asked for and its socket opened.
  std::uint64_t replace() {
    step();
    for (const auto& send : asked())
      if (send.request.kind == RequestKind::create_listen_key) {
        answer(key(send.request.id, "key-1"));
        return opened();
      }
    ADD_FAILURE() << "no new connection is wanted";
    return 0;
  }
  // Time passes with messages, so that silence is no subject.
  void live_until(std::int64_t at_ms, std::uint64_t link) {
    now = at_ms;
    stream.on_message(link, now, -1);
  }
};

TEST_F(KeyStreamTest, asks_for_a_key_then_opens_with_it_and_is_subscribed_at_once) {
  stream.start(now);
  step();
  EXPECT_TRUE(actions_of<OpenSocket>(effects.actions).empty());
  ASSERT_EQ(asked().size(), 1u);
  answer(key(asked()[0].request.id, "key-1"));
  const auto sockets = actions_of<OpenSocket>(effects.actions);
  ASSERT_EQ(sockets.size(), 1u);
  EXPECT_EQ(sockets[0].listen_key, "key-1");
  EXPECT_TRUE(sockets[0].is_private);
  EXPECT_EQ(stream.on_opened(sockets[0].link, now, effects), Signal::subscribed);
  EXPECT_TRUE(actions_of<SendCommand>(effects.actions).empty()) << "nothing to log in to";
}

TEST_F(KeyStreamTest, waiting_for_a_key_is_no_timeout) {
  stream.start(now);
  step();
  now += 10 * limits::kLoginTimeoutMs;
  EXPECT_EQ(step(), Signal::none);
  EXPECT_TRUE(actions_of<CloseSocket>(effects.actions).empty());
}

TEST_F(KeyStreamTest, every_connect_asks_for_the_key_anew) {
  const auto link = come_up();
  EXPECT_EQ(stream.on_closed(link, "cut", now, effects), Signal::lost);
  step_to_deadline();
  ASSERT_EQ(asked().size(), 1u);
  EXPECT_EQ(asked()[0].request.kind, RequestKind::create_listen_key);
}

// The key may have ended between its answer and the connection: such a connection is silent for ever.
TEST_F(KeyStreamTest, key_is_asked_about_as_soon_as_the_connection_is_up) {
  come_up();
  step();
  ASSERT_EQ(asked().size(), 1u);
  EXPECT_EQ(asked()[0].request.kind, RequestKind::keep_alive_listen_key);
  answer(reply(asked()[0].request.id, Outcome::listen_key_gone));
  EXPECT_EQ(stream.on_opened(replace(), now, effects), Signal::subscribed);
}

TEST_F(KeyStreamTest, key_is_kept_alive_in_time) {
  const auto link = come_up();
  step();
  answer(key(asked().at(0).request.id, ""));
  for (int times = 1; times <= 4; ++times) {
    live_until(1000 + times * rules.listen_key_keep_alive_ms - 1, link);
    step();
    EXPECT_TRUE(asked().empty());
    ++now;
    step();
    ASSERT_EQ(asked().size(), 1u);
    EXPECT_EQ(asked()[0].request.kind, RequestKind::keep_alive_listen_key);
    answer(key(asked()[0].request.id, ""));
  }
  step();
  EXPECT_TRUE(effects.actions.empty()) << "no doubt, no new connection";
}

TEST_F(KeyStreamTest, expired_key_restores_on_a_new_socket_before_the_old_one_closes) {
  const auto old = come_up();
  stream.doubt_listen_key(now);
  const auto fresh = replace();
  ASSERT_NE(fresh, 0u);
  EXPECT_FALSE(closes(old));
  EXPECT_TRUE(stream.delivers(old));
  EXPECT_EQ(stream.on_opened(fresh, now, effects), Signal::subscribed) << "something may have been missed: restore";
  EXPECT_TRUE(closes(old));
  EXPECT_FALSE(stream.owns(old));
  EXPECT_TRUE(stream.delivers(fresh));
}

TEST_F(KeyStreamTest, keep_alive_of_a_key_that_is_gone_casts_doubt) {
  live_until(1000 + rules.listen_key_keep_alive_ms, come_up());
  step();
  answer(reply(asked().at(0).request.id, Outcome::listen_key_gone));
  EXPECT_EQ(stream.on_opened(replace(), now, effects), Signal::subscribed);
}

TEST_F(KeyStreamTest, refused_keep_alive_casts_doubt) {
  live_until(1000 + rules.listen_key_keep_alive_ms, come_up());
  step();
  answer(reply(asked().at(0).request.id, Outcome::refused));
  EXPECT_EQ(stream.on_opened(replace(), now, effects), Signal::subscribed);
}

TEST_F(KeyStreamTest, keep_alive_that_names_another_key_casts_doubt) {
  live_until(1000 + rules.listen_key_keep_alive_ms, come_up());
  step();
  answer(key(asked().at(0).request.id, "key-9"));
  EXPECT_EQ(stream.on_opened(replace(), now, effects), Signal::subscribed);
}

TEST_F(KeyStreamTest, planned_rotation_leaves_no_hole) {
  const auto old = come_up();
  live_until(1000 + rules.rotate_after_ms, old);
  const auto fresh = replace();
  ASSERT_NE(fresh, 0u);
  EXPECT_TRUE(stream.delivers(old));
  EXPECT_TRUE(stream.delivers(fresh));
  EXPECT_FALSE(closes(old));
  EXPECT_EQ(stream.on_opened(fresh, now, effects), Signal::rotated);
  EXPECT_TRUE(closes(old));
  EXPECT_FALSE(stream.delivers(old));
}

TEST_F(KeyStreamTest, rotation_whose_new_connection_fails_keeps_the_old_one_and_tries_again) {
  const auto old = come_up();
  live_until(1000 + rules.rotate_after_ms, old);
  const auto fresh = replace();
  EXPECT_EQ(stream.on_closed(fresh, "refused", now, effects), Signal::none);
  EXPECT_TRUE(stream.delivers(old));
  now = 1000 + rules.rotate_after_ms + limits::kBackoffFirstMs;
  EXPECT_NE(replace(), fresh);
}

TEST_F(KeyStreamTest, old_connection_that_dies_during_a_rotation_is_a_hole) {
  const auto old = come_up();
  live_until(1000 + rules.rotate_after_ms, old);
  const auto fresh = replace();
  EXPECT_EQ(stream.on_closed(old, "cut", now, effects), Signal::lost);
  EXPECT_EQ(stream.on_opened(fresh, now, effects), Signal::subscribed) << "not rotated: restore";
}

TEST_F(KeyStreamTest, doubt_during_a_rotation_makes_it_a_restore) {
  const auto old = come_up();
  live_until(1000 + rules.rotate_after_ms, old);
  const auto fresh = replace();
  stream.doubt_listen_key(now);
  EXPECT_EQ(stream.on_opened(fresh, now, effects), Signal::subscribed);
}

TEST_F(KeyStreamTest, rotation_after_a_restore_is_planned_again) {
  const auto old = come_up();
  stream.doubt_listen_key(now);
  const auto fresh = replace();
  stream.on_opened(fresh, now, effects);
  live_until(now + rules.rotate_after_ms, fresh);
  const auto next = replace();
  EXPECT_EQ(stream.on_opened(next, now, effects), Signal::rotated);
  EXPECT_FALSE(stream.owns(old));
}

}  // namespace
}  // namespace tradesync
