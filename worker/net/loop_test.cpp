#include "net/loop.hpp"

#include <gtest/gtest.h>

#include "net/client_fake.hpp"
#include "net/peer_fake.hpp"
#include "net/uv_handles.hpp"

namespace tradesync::net {
namespace {

using namespace fake;

std::string why_not(const std::string& text) {
  Url url;
  std::string reason;
  return parse_url(text, url, reason) ? "" : reason;
}

TEST(Loop, idle_loop_asks_for_no_wake_up) {
  Client client;
  client.loop.run_once();
  EXPECT_EQ(client.loop.timeout_ms(), -1);
}

TEST(Loop, timer_fires_once_and_not_before_its_time) {
  Client client;
  int fired = 0;
  Timer timer(client.loop.raw(), [&] { ++fired; });
  const std::int64_t began = client.loop.now_ms();
  timer.start(50);
  EXPECT_TRUE(client.until([&] { return fired > 0; }));
  EXPECT_GE(client.loop.now_ms() - began, 49);
  client.until([] { return false; }, 100);
  EXPECT_EQ(fired, 1);
}

TEST(Loop, what_a_callback_throws_comes_out_of_run_once_and_the_loop_goes_on) {
  Client client;
  int fired = 0;
  Timer thrower(client.loop.raw(), [] { throw std::runtime_error("out of memory, say"); });
  Timer timer(client.loop.raw(), [&] { ++fired; });
  thrower.start(0);
  EXPECT_THROW(client.until([] { return false; }, 100), std::runtime_error);
  timer.start(0);
  EXPECT_TRUE(client.until([&] { return fired == 1; }));
}

TEST(Loop, loops_come_and_go_without_descriptors_or_threads_left) {
  { Client libraries_open_some_for_good; }
  const int descriptors_before = open_descriptors(), threads_before = threads();
  for (int i = 0; i < 20; ++i) {
    Client client;
    Timer timer(client.loop.raw(), [] {});
    timer.start(1000);
    client.loop.run_once();
  }
  EXPECT_EQ(open_descriptors(), descriptors_before);
  EXPECT_EQ(threads(), threads_before);
}

TEST(Url, parts_are_taken_apart_and_defaults_filled_in) {
  Url url;
  std::string reason;
  ASSERT_TRUE(parse_url("wss://fstream.binance.com/ws/key?x=1:2/3", url, reason));
  EXPECT_EQ(url.scheme, "wss");
  EXPECT_EQ(url.host, "fstream.binance.com");
  EXPECT_EQ(url.port, 443);
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.target, "/ws/key?x=1:2/3");
  ASSERT_TRUE(parse_url("http://[::1]:8080?a=b", url, reason));
  EXPECT_EQ(url.host, "::1");
  EXPECT_EQ(url.port, 8080);
  EXPECT_FALSE(url.tls);
  EXPECT_EQ(url.target, "/?a=b");
  ASSERT_TRUE(parse_url("https://api.bybit.com", url, reason));
  EXPECT_EQ(url.target, "/");
}

TEST(Url, unencrypted_is_for_this_machine_only) {
  for (const char* text : {"http://localhost:1", "ws://127.0.0.1:9443/x", "ws://127.9.9.9", "http://[::1]"})
    EXPECT_EQ(why_not(text), "") << text;
  for (const char* text : {"http://api.bybit.com", "ws://127.0.0.1.evil.test", "ws://128.0.0.1", "http://localhost.evil.test", "ws://[::2]", "http://0.0.0.0"})
    EXPECT_NE(why_not(text), "") << text;
}

TEST(Url, what_could_be_read_in_two_ways_is_refused) {
  for (const char* text : {"", "localhost", "ftp://a", "HTTPS://a", "https://", "https:///x", "https://user@host", "https://user:pw@host/",
                           "https://host:0", "https://host:65536", "https://host:", "https://host:8x", "https://ho st",
                           "https://host/a b", "https://host/\n", "https://host#x", "https://host\\evil", "https://[::1",
                           "https://[nonsense]", "https://[::1]x", "https://::1", "https://h\xc3\xb6st"})
    EXPECT_NE(why_not(text), "") << text;
  EXPECT_NE(why_not("https://" + std::string(128, 'a')), "");
}

}  // namespace
}  // namespace tradesync::net
