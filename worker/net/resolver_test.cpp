#include "net/resolver.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include "net/client_fake.hpp"
#include "net/peer_fake.hpp"

namespace tradesync::net {
namespace {

using namespace fake;

struct Answer {
  bool told = false;
  std::string address, error;
};

// Asks and waits for the answer.
Answer ask(Client& client, const std::string& host, std::int64_t timeout_ms = 5000) {
  Answer answer;
  client.loop.resolver().lookup(host, timeout_ms, [&](const std::string& address, const std::string& error) {
    answer = {true, address, error};
  });
  EXPECT_FALSE(answer.told) << "answered before the loop ran";
  client.until([&] { return answer.told; });
  return answer;
}

TEST(Resolver, names_become_numeric_addresses_of_either_family) {
  Client client;
  EXPECT_EQ(ask(client, "exchange.test").address, "127.0.0.1");
  EXPECT_EQ(ask(client, "v6.test").address, "::1");
  const Answer missing = ask(client, "nobody.test");
  EXPECT_EQ(missing.address, "");
  EXPECT_EQ(missing.error, "cannot resolve nobody.test: Name or service not known");
}

TEST(Resolver, numeric_addresses_and_localhost_need_neither_thread_nor_question) {
  const int threads_before = threads(), asked_before = lookups();
  Client client;
  EXPECT_EQ(ask(client, "localhost").address, "127.0.0.1");
  EXPECT_EQ(ask(client, "10.1.2.3").address, "10.1.2.3");
  EXPECT_EQ(ask(client, "fe80::1").address, "fe80::1");
  EXPECT_EQ(threads(), threads_before);
  EXPECT_EQ(lookups(), asked_before);
}

TEST(Resolver, asks_on_a_thread_of_its_own_with_every_signal_blocked) {
  Client client;
  const int here = lookups_on(std::this_thread::get_id());
  ask(client, "exchange.test");
  EXPECT_EQ(lookups_on(std::this_thread::get_id()), here);
  for (int number : {SIGTERM, SIGHUP, SIGINT, SIGUSR1, SIGALRM, SIGCHLD})
    EXPECT_NE(blocked_signals_of_last_lookup() & 1ull << number, 0u) << number;
  sigset_t mine;
  pthread_sigmask(SIG_SETMASK, nullptr, &mine);
  EXPECT_EQ(sigismember(&mine, SIGTERM), 0);
}

TEST(Resolver, slow_name_ends_in_time_and_the_next_ones_are_answered_afterwards) {
  hold_slow_names();
  Client client;
  const std::int64_t began = client.loop.now_ms();
  EXPECT_EQ(ask(client, "slow.test", 200).error, "cannot resolve slow.test: no answer within 200 ms");
  EXPECT_NEAR(static_cast<int>(client.loop.now_ms() - began), 200, 100);
  release_slow_names();
  EXPECT_EQ(ask(client, "exchange.test").address, "127.0.0.1");
}

TEST(Resolver, cancelled_look_up_is_never_answered) {
  hold_slow_names();
  Client client;
  int answers = 0;
  const auto count = [&](const std::string&, const std::string&) { ++answers; };
  const auto running = client.loop.resolver().lookup("slow.test", 5000, count);
  const auto queued = client.loop.resolver().lookup("exchange.test", 5000, count);
  const auto immediate = client.loop.resolver().lookup("localhost", 5000, count);
  for (const auto ticket : {running, queued, immediate, immediate}) client.loop.resolver().cancel(ticket);
  release_slow_names();
  ask(client, "v6.test");
  EXPECT_EQ(answers, 0);
}

TEST(Resolver, too_many_waiting_look_ups_are_refused) {
  hold_slow_names();
  Client client;
  int refused = 0, answered = 0;
  for (int i = 0; i < 70; ++i)
    client.loop.resolver().lookup("slow.test", 5000, [&](const std::string&, const std::string& error) {
      ++answered;
      refused += error.find("too many") != std::string::npos;
    });
  EXPECT_TRUE(client.until([&] { return refused == 6; }));
  release_slow_names();
  EXPECT_TRUE(client.until([&] { return answered == 70; }));
  EXPECT_EQ(refused, 6);
}

TEST(Resolver, destruction_joins_the_thread) {
  const int before = threads(), asked = lookups();
  hold_slow_names();
  std::thread releasing;
  {
    Client client;
    client.loop.resolver().lookup("slow.test", 5000, [](const std::string&, const std::string&) { FAIL(); });
    EXPECT_TRUE(client.until_outside([&] { return lookups() > asked; }));
    EXPECT_EQ(threads(), before + 1);
    releasing = std::thread(release_slow_names);
  }
  releasing.join();
  EXPECT_EQ(threads(), before);
}

TEST(Resolver, hung_look_up_holds_up_destruction_for_two_seconds_at_most) {
  hold_slow_names();
  const int before = threads(), asked = lookups();
  std::int64_t began = 0;
  {
    Client client;
    client.loop.resolver().lookup("slow.test", 5000, [](const std::string&, const std::string&) { FAIL(); });
    EXPECT_TRUE(client.until_outside([&] { return lookups() > asked; }));
    began = client.loop.now_ms();
  }
  Client after;
  EXPECT_NEAR(static_cast<int>(after.loop.now_ms() - began), 2000, 200);
  release_slow_names();  // the thread that was let go ends by itself
  EXPECT_TRUE(after.until_outside([&] { return threads() == before; }));
}

}  // namespace
}  // namespace tradesync::net
