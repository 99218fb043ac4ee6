// HTTP against a real server on loopback, plain and over TLS.
#include "net/http.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/client_fake.hpp"
#include "net/peer_fake.hpp"

namespace tradesync::net {
namespace {

using namespace fake;
using Kind = Item::Kind;

struct Side : Client {
  explicit Side(const std::string& ca = ca_file()) : http(loop, inbox, ca) {}

  void start(const std::string& method, const std::string& url, const std::string& body = "", long timeout_ms = 5000) {
    HttpCall call;
    call.id = ++last_id;
    call.method = method;
    call.url = url;
    call.body = body;
    call.headers = {{"X-MBX-APIKEY", "key"}};
    call.timeout_ms = timeout_ms;
    http.start(std::move(call));
  }
  Delivered ask(const std::string& method, const std::string& url, const std::string& body = "", long timeout_ms = 5000) {
    start(method, url, body, timeout_ms);
    EXPECT_TRUE(inbox.empty()) << "answered before the loop ran";
    const std::uint64_t id = last_id;
    const auto told = [&] { return last(Kind::http) != nullptr && last(Kind::http)->item.id == id; };
    return until(told) ? *last(Kind::http) : Delivered{};
  }
  Http http;
  std::uint64_t last_id = 0;
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Answers each request with the request itself, for as long as the client likes.
void mirror(Line& line) {
  while (true) {
    const std::string request = line.read_request();
    if (request.empty()) return;
    line.answer(request);
  }
}

class HttpEitherWay : public testing::TestWithParam<Security> {
 protected:
  std::string scheme() const { return GetParam() == Security::plain ? "http" : "https"; }
};
INSTANTIATE_TEST_SUITE_P(Net, HttpEitherWay, testing::Values(Security::plain, Security::tls), [](const auto& info) {
  return info.param == Security::plain ? "plain" : "tls";
});

TEST_P(HttpEitherWay, answer_comes_whole_with_status_and_lower_case_headers) {
  Server server(mirror, GetParam());
  Side side;
  const auto [item, body] = side.ask("GET", server.url(scheme(), "localhost", "/fapi/v1/time?a=b&c=%2F../x"));
  EXPECT_EQ(item.status, 200);
  EXPECT_TRUE(item.complete);
  EXPECT_EQ(item.note, "");
  EXPECT_TRUE(contains(body, "GET /fapi/v1/time?a=b&c=%2F../x HTTP/1.1\r\n")) << body;
  EXPECT_TRUE(contains(body, "X-MBX-APIKEY: key\r\n")) << body;
  EXPECT_TRUE(contains(body, "User-Agent: pg_tradesync\r\n")) << body;
  EXPECT_TRUE(contains(body, "Host: localhost:" + std::to_string(server.port()) + "\r\n")) << body;
  bool found = false;
  for (const auto& [name, value] : item.headers) found |= name == "x-mbx-used-weight-1m" && value == "17";
  EXPECT_TRUE(found);
  EXPECT_GT(item.sent_ms, 0);
  EXPECT_GE(item.received_ms, item.sent_ms);
  EXPECT_TRUE(side.padding_is_zero);
}

TEST_P(HttpEitherWay, connection_is_used_again) {
  Server server(mirror, GetParam());
  Side side;
  for (int i = 0; i < 20; ++i) ASSERT_EQ(side.ask(i % 2 == 0 ? "GET" : "POST", server.url(scheme())).item.status, 200);
  EXPECT_EQ(server.connections.load(), 1);
}

TEST_P(HttpEitherWay, requests_run_beside_each_other) {
  Server server(mirror, GetParam());
  Side side;
  for (int i = 0; i < 40; ++i) side.start("GET", server.url(scheme(), "localhost", "/" + std::to_string(i)));
  ASSERT_TRUE(side.until_count(Kind::http, 40));
  for (const auto& [item, body] : side.delivered) {
    EXPECT_EQ(item.status, 200);
    EXPECT_TRUE(contains(body, "GET /" + std::to_string(item.id - 1) + " HTTP")) << body;
  }
}

TEST_P(HttpEitherWay, every_method_carries_its_body_or_an_empty_one) {
  Server server(mirror, GetParam());
  Side side;
  for (const char* method : {"POST", "PUT", "DELETE"}) {
    for (const std::string& content : {std::string("{\"symbol\":\"BTCUSDT\"}"), std::string(), std::string(100'000, 'b')}) {
      const auto [item, body] = side.ask(method, server.url(scheme()), content);
      ASSERT_TRUE(item.complete) << item.note;
      EXPECT_TRUE(body.starts_with(std::string(method) + " / HTTP/1.1\r\n")) << body.substr(0, 100);
      EXPECT_TRUE(body.ends_with("\r\n\r\n" + content));
      EXPECT_FALSE(contains(body, "Expect:"));
      const bool announced = contains(body, "Content-Length: " + std::to_string(content.size()) + "\r\n");
      EXPECT_EQ(announced, !content.empty() || method != std::string("DELETE"));
    }
  }
  EXPECT_EQ(server.connections.load(), 1);
}

TEST_P(HttpEitherWay, chunked_answer_is_put_together_and_a_cut_one_is_not_complete) {
  bool whole = true;
  Server server([&](Line& line) {
    while (!line.read_request().empty()) {
      line.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7\r\n, world\r\n");
      if (!whole) return;
      line.write("0\r\n\r\n");
    }
  }, GetParam());
  Side side;
  const Delivered good = side.ask("GET", server.url(scheme()));
  EXPECT_EQ(good.bytes, "hello, world");
  EXPECT_TRUE(good.item.complete);
  whole = false;
  const Delivered cut = side.ask("GET", server.url(scheme()));
  EXPECT_FALSE(cut.item.complete);
  EXPECT_NE(cut.item.note, "");
  EXPECT_EQ(cut.item.status, 200);
}

TEST_P(HttpEitherWay, answer_cut_before_its_length_is_not_complete) {
  Server server([](Line& line) {
    line.read_request();
    line.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{\"symbol\":\"BTCUSDT\"}]");
  }, GetParam());
  Side side;
  const auto [item, body] = side.ask("GET", server.url(scheme()));
  EXPECT_EQ(item.status, 200);
  EXPECT_FALSE(item.complete);
  EXPECT_NE(item.note, "");
}

TEST_P(HttpEitherWay, silent_server_ends_in_the_time_limit) {
  Server server([](Line& line) { line.wait_for_end(); }, GetParam());
  Side side;
  const auto [item, body] = side.ask("POST", server.url(scheme()), "", 300);
  EXPECT_EQ(item.status, 0);
  EXPECT_FALSE(item.complete);
  EXPECT_TRUE(contains(item.note, "timed out")) << item.note;
  EXPECT_GT(item.sent_ms, 0) << "it may have arrived";
  EXPECT_NEAR(static_cast<int>(item.received_ms - item.sent_ms), 300, 150);
}

TEST_P(HttpEitherWay, post_is_not_repeated_when_a_kept_connection_dies_but_get_is) {
  std::atomic<int> posts{0}, gets{0};
  Server server([&](Line& line) {
    line.read_request();
    line.answer("first");
    const std::string second = line.read_request();
    posts += second.starts_with("POST");
    gets += second.starts_with("GET");
  }, GetParam());
  Side side;
  ASSERT_EQ(side.ask("GET", server.url(scheme())).item.status, 200);
  const auto [item, body] = side.ask("POST", server.url(scheme(), "localhost", "/order"));
  EXPECT_EQ(item.status, 0);
  EXPECT_EQ(item.note, "the connection ended before an answer; not sent again");
  EXPECT_GT(item.sent_ms, 0);
  EXPECT_EQ(posts.load(), 1);
  ASSERT_EQ(side.ask("GET", server.url(scheme())).item.status, 200);
  EXPECT_EQ(side.ask("GET", server.url(scheme())).bytes, "first");
  EXPECT_EQ(posts.load(), 1);
  EXPECT_EQ(gets.load(), 1);
}

TEST(Http, post_with_a_body_is_not_repeated_either) {
  std::atomic<int> posts{0};
  Server server([&](Line& line) {
    line.read_request();
    line.answer("first");
    posts += line.read_request().starts_with("POST");
  });
  Side side;
  ASSERT_EQ(side.ask("GET", server.url("http")).item.status, 200);
  const auto [item, body] = side.ask("POST", server.url("http"), "{\"qty\":1}");
  EXPECT_EQ(item.status, 0);
  EXPECT_EQ(posts.load(), 1);
}

TEST(Http, answer_beyond_the_limit_is_refused) {
  for (const bool announced : {true, false}) {
    Server server([&](Line& line) {
      line.read_request();
      const std::size_t size = kMaxBodyBytes + 1;
      line.write("HTTP/1.1 200 OK\r\n" + (announced ? "Content-Length: " + std::to_string(size) + "\r\n" : "") + "\r\n");
      line.write(std::string(size, 'x'));
    });
    Side side;
    const auto [item, body] = side.ask("GET", server.url("http"));
    EXPECT_FALSE(item.complete);
    EXPECT_EQ(item.note, "the answer is longer than 33554432 bytes");
  }
}

TEST(Http, certificates_are_checked) {
  Server other(mirror, Security::tls_for_another_host), unknown(mirror, Security::tls_of_unknown_authority);
  Server good(mirror, Security::tls);
  Side side, without_file("");
  for (const Delivered& refused : {side.ask("POST", other.url("https")), side.ask("POST", unknown.url("https")),
                                   without_file.ask("POST", good.url("https"))}) {
    EXPECT_EQ(refused.item.status, 0);
    EXPECT_EQ(refused.item.sent_ms, 0) << "nothing may be sent to a stranger";
    EXPECT_TRUE(contains(refused.item.note, "SSL")) << refused.item.note;
    std::printf("  %s\n", refused.item.note.c_str());
  }
  EXPECT_EQ(side.ask("GET", good.url("https", "exchange.test")).item.status, 200);
  EXPECT_THROW(Http(side.loop, side.inbox, "/nowhere/ca.pem"), std::runtime_error);
}

TEST(Http, redirects_are_not_followed) {
  Server target(mirror);
  Server server([&](Line& line) {
    line.read_request();
    line.write("HTTP/1.1 302 Found\r\nLocation: " + target.url("http") + "\r\nContent-Length: 0\r\n\r\n");
  });
  Side side;
  EXPECT_EQ(side.ask("GET", server.url("http")).item.status, 302);
  EXPECT_EQ(target.connections.load(), 0);
}

TEST(Http, what_cannot_be_sent_is_told_with_the_reason_and_no_sending_time) {
  int port = 0;
  { Server gone(mirror); port = gone.port(); }
  Side side;
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"http://localhost:" + std::to_string(port), "onnect"}, {"https://nobody.test", "cannot resolve nobody.test"},
      {"http://api.bybit.com", "unencrypted"},                {"wss://localhost", "must begin with https"},
      {"nonsense", "must begin with"},
  };
  for (const auto& [url, part] : expected) {
    const Item item = side.ask("POST", url).item;
    EXPECT_TRUE(contains(item.note, part)) << url << ": " << item.note;
    EXPECT_EQ(item.status, 0);
    EXPECT_EQ(item.sent_ms, 0);
    EXPECT_FALSE(item.complete);
  }
  EXPECT_TRUE(contains(side.ask("PATCH", "https://localhost").item.note, "method"));
  HttpCall call;
  call.id = 99;
  call.method = "GET";
  call.url = "https://localhost";
  call.headers = {{"X", "a\r\nInjected: b"}};
  side.http.start(call);
  ASSERT_TRUE(side.until([&] { return side.last(Kind::http)->item.id == 99; }));
  EXPECT_TRUE(contains(side.last(Kind::http)->item.note, "line break"));
}

TEST(Http, slow_name_ends_in_the_time_limit_and_never_blocks_the_loop) {
  Server server(mirror);
  hold_slow_names();
  const int here = lookups_on(std::this_thread::get_id());
  Side side;
  side.start("GET", "https://slow.test", "", 400);
  const Delivered other = side.ask("GET", server.url("http"), "", 300);
  EXPECT_EQ(other.item.status, 200);
  ASSERT_TRUE(side.until_count(Kind::http, 2));
  EXPECT_TRUE(contains(side.last(Kind::http)->item.note, "cannot resolve slow.test: no answer within 400 ms"));
  EXPECT_EQ(lookups_on(std::this_thread::get_id()), here);
  release_slow_names();
}

TEST(Http, name_is_asked_for_once_and_again_after_its_address_failed) {
  Side side;
  int port = 0;
  {
    Server server(mirror, Security::tls);
    port = server.port();
    const int asked = lookups();
    for (int i = 0; i < 5; ++i) ASSERT_EQ(side.ask("GET", server.url("https", "exchange.test")).item.status, 200);
    EXPECT_EQ(lookups(), asked + 1);
  }
  const std::string gone = "https://exchange.test:" + std::to_string(port);
  const int asked = lookups();
  EXPECT_EQ(side.ask("GET", gone).item.status, 0);
  EXPECT_EQ(lookups(), asked);
  EXPECT_EQ(side.ask("GET", gone).item.status, 0);
  EXPECT_EQ(lookups(), asked + 1);
}

TEST(Http, name_with_ipv6_addresses_only_is_reached) {
  Server server(mirror, Security::tls, true);
  Side side;
  EXPECT_EQ(side.ask("GET", server.url("https", "v6.test")).item.status, 200);
}

TEST(Http, cancelled_request_is_never_told) {
  Server server([](Line& line) { line.wait_for_end(); });
  hold_slow_names();
  Side side;
  side.start("GET", server.url("http"));
  side.start("GET", "https://slow.test");
  side.start("GET", "nonsense");
  side.until_outside([&] { return server.connections.load() == 1; });
  side.until([] { return false; }, 50);
  side.delivered.clear();
  side.start("GET", "nonsense");
  for (std::uint64_t id = 1; id <= 5; ++id) side.http.cancel(id);
  release_slow_names();
  side.until([] { return false; }, 200);
  EXPECT_TRUE(side.delivered.empty());
}

TEST(Http, too_many_requests_are_refused_at_once) {
  Server server([](Line& line) { line.wait_for_end(); });
  Side side;
  for (std::size_t i = 0; i < kMaxCalls + 3; ++i) side.start("POST", server.url("http"), "", 700);
  ASSERT_TRUE(side.until_count(Kind::http, 3));
  for (const auto& [item, body] : side.delivered) EXPECT_EQ(item.note, "too many requests in flight");
  ASSERT_TRUE(side.until_count(Kind::http, static_cast<int>(kMaxCalls) + 3));
  EXPECT_EQ(side.count(Kind::http), static_cast<int>(kMaxCalls) + 3);
}

TEST(Http, request_and_answer_take_no_longer_than_the_network) {
  Server server(mirror);
  Side side;
  side.ask("GET", server.url("http"));
  const std::int64_t began = side.loop.now_ms();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(side.ask("POST", server.url("http"), "{\"a\":1}").item.status, 200);
  EXPECT_LT(side.loop.now_ms() - began, 1000);  // with Nagle and delayed acknowledgement it would be 4000
}

TEST(Http, two_hundred_connections_leak_neither_descriptors_nor_memory) {
  Server server([](Line& line) { line.read_request(); line.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"); }, Security::tls);
  Side side;
  const auto round = [&] {
    ASSERT_EQ(side.ask("GET", server.url("https")).bytes, "ok");
    side.delivered.clear();
  };
  for (int i = 0; i < 50; ++i) round();
  const int descriptors_before = open_descriptors();
  EXPECT_TRUE(side.leaves_no_memory_behind([&] { for (int i = 0; i < 200; ++i) round(); }));
  EXPECT_TRUE(side.until_outside([&] { return open_descriptors() <= descriptors_before; }));
}

TEST(Http, destruction_in_the_middle_of_everything_leaves_no_thread_and_no_descriptor) {
  { Side libraries_open_some_for_good; }
  const int threads_before = threads(), descriptors_before = open_descriptors();
  {
    Server server(mirror, Security::tls);
    for (int turns = 0; turns < 12; ++turns) {
      Side side;
      side.start("GET", server.url("https"));
      side.start("POST", server.url("https", "exchange.test"));
      side.start("GET", "https://nobody.test");
      side.start("GET", "nonsense");
      for (int i = 0; i < turns; ++i) side.turn(20);
    }
  }
  EXPECT_EQ(threads(), threads_before);
  EXPECT_EQ(open_descriptors(), descriptors_before);
}

}  // namespace
}  // namespace tradesync::net
