// WebSockets against a real server on loopback, plain and over TLS.
#include "net/websocket.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <map>

#include "net/client_fake.hpp"
#include "net/peer_fake.hpp"

namespace tradesync::net {
namespace {

using namespace fake;
using Kind = Item::Kind;

struct Side : Client {
  explicit Side(const std::string& ca = ca_file()) : sockets(loop, inbox, ca) {
    after_clear = [this] { sockets.resume_reading(); };
  }
  // Connects and waits for the first word about it: "" when open, else why not.
  std::string connect(std::uint64_t id, const std::string& url) {
    sockets.connect(id, url);
    const auto told = [&] { return count_of(id, Kind::opened) + count_of(id, Kind::closed) > 0; };
    if (!until(told)) return "nothing was told";
    return count_of(id, Kind::opened) > 0 ? "" : last(Kind::closed)->item.note;
  }
  int count_of(std::uint64_t id, Kind kind) const {
    return static_cast<int>(std::count_if(delivered.begin(), delivered.end(), [&](const auto& d) {
      return d.item.id == id && d.item.kind == kind;
    }));
  }
  std::string closed_note() { return until_count(Kind::closed, 1) ? last(Kind::closed)->item.note : "not closed"; }
  WebSockets sockets;
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void serve_quietly(Line& line) {
  if (line.accept_websocket()) line.wait_for_end();
}

// Answers pings and close frames, sends texts back.
void echo(Line& line) {
  if (!line.accept_websocket()) return;
  while (true) {
    const Frame frame = line.read_frame();
    if (frame.opcode == 0xff) return;
    if (frame.opcode == kText) line.send_text(frame.payload);
    if (frame.opcode == kPing) line.send_frame(kPong | kFinal, frame.payload);
    if (frame.opcode == kClose) {
      line.send_frame(kClose | kFinal, frame.payload);
      return;
    }
  }
}

class WebSocketEitherWay : public testing::TestWithParam<Security> {
 protected:
  std::string scheme() const { return GetParam() == Security::plain ? "ws" : "wss"; }
};
INSTANTIATE_TEST_SUITE_P(Net, WebSocketEitherWay, testing::Values(Security::plain, Security::tls), [](const auto& info) {
  return info.param == Security::plain ? "plain" : "tls";
});

TEST_P(WebSocketEitherWay, texts_go_out_and_come_back_in_order) {
  Server server(echo, GetParam());
  Side side;
  ASSERT_EQ(side.connect(7, server.url(scheme())), "");
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(side.sockets.send(7, "message " + std::to_string(i)));
  ASSERT_TRUE(side.until_count(Kind::text, 100));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(side.delivered[static_cast<std::size_t>(i) + 1].bytes, "message " + std::to_string(i));
  EXPECT_FALSE(side.last(Kind::text)->item.binary);
  EXPECT_TRUE(side.padding_is_zero);
}

TEST_P(WebSocketEitherWay, fragments_are_put_together_even_around_a_ping) {
  const std::string big(200'000, 'x');
  Server server([&](Line& line) {
    line.accept_websocket();
    line.send_frame(kText, "one ");
    line.send_frame(kPing | kFinal, "still there?");
    line.send_frame(kContinuation, "two ");
    line.send_frame(kContinuation | kFinal, "three");
    line.send_frame(kText | kFinal, "");
    line.send_frame(kBinary | kFinal, "bits");
    line.send_text(big);
    line.send_text(std::string(65536, 'y'));
    line.send_text("end");
    line.wait_for_end();
  }, GetParam());
  Side side;
  ASSERT_EQ(side.connect(1, server.url(scheme())), "");
  ASSERT_TRUE(side.until([&] { return side.last(Kind::text) != nullptr && side.last(Kind::text)->bytes == "end"; }));
  ASSERT_EQ(side.count(Kind::text), 6);
  EXPECT_EQ(side.delivered[1].bytes, "one two three");
  EXPECT_EQ(side.delivered[2].bytes, "");
  EXPECT_EQ(side.delivered[3].bytes, "bits");
  EXPECT_TRUE(side.delivered[3].item.binary);
  EXPECT_EQ(side.delivered[4].bytes, big);
  EXPECT_FALSE(side.delivered[4].item.binary);
  EXPECT_EQ(side.delivered[5].bytes.size(), 65536u);
  EXPECT_TRUE(side.padding_is_zero);
}

TEST_P(WebSocketEitherWay, message_of_the_limit_passes_and_a_longer_one_closes_with_a_reason) {
  Server server([&](Line& line) {
    line.accept_websocket();
    line.send_text(std::string(kMaxMessageBytes, 'a'));
    line.send_text(std::string(kMaxMessageBytes + 1, 'b'));
    line.wait_for_end();
  }, GetParam());
  Side side;
  ASSERT_EQ(side.connect(1, server.url(scheme())), "");
  EXPECT_EQ(side.closed_note(), "a message is longer than 4194304 bytes");
  ASSERT_EQ(side.count(Kind::text), 1);
  EXPECT_EQ(side.last(Kind::text)->bytes.size(), kMaxMessageBytes);
}

TEST_P(WebSocketEitherWay, full_inbox_stops_reading_and_nothing_is_lost) {
  constexpr int kMessages = 60'000;
  std::atomic<int> sent{0};
  Server server([&](Line& line) {
    line.accept_websocket();
    const std::string filler(700, 'f');
    for (int i = 0; i < kMessages; ++i, ++sent)
      if (!line.send_text(std::to_string(i) + " " + filler)) return;
    line.send_frame(kClose | kFinal, std::string("\x03\xe8", 2) + "done");
    line.wait_for_end();
  }, GetParam());
  Side side;
  ASSERT_EQ(side.connect(1, server.url(scheme())), "");
  // Turn the loop without taking anything: it must stop at the limit although the server has more.
  for (int idle = 0; idle < 3;) {
    pollfd ready{side.loop.descriptor(), POLLIN, 0};
    idle = side.loop.timeout_ms() != 0 && poll(&ready, 1, 100) == 0 ? idle + 1 : 0;
    side.loop.run_once();
  }
  EXPECT_GE(side.inbox.items().size(), Inbox::kMaxItems);
  EXPECT_LE(side.inbox.items().size(), Inbox::kMaxItems + 1);
  EXPECT_LT(sent.load(), kMessages);
  side.take();
  EXPECT_EQ(side.closed_note(), "closed by the server: 1000 done");
  ASSERT_EQ(side.count(Kind::text), kMessages);
  int expected = 0;
  for (const auto& [item, bytes] : side.delivered)
    if (item.kind == Kind::text && std::stoi(bytes) == expected) ++expected;
  EXPECT_EQ(expected, kMessages);
}

TEST_P(WebSocketEitherWay, data_sent_just_before_the_end_is_delivered_after_a_pause) {
  constexpr int kMessages = 4500;  // beyond the inbox, within the kernel's buffers
  Server server([&](Line& line) {
    line.accept_websocket();
    for (int i = 0; i < kMessages; ++i) line.send_text(std::to_string(i));
  }, GetParam());
  Side side;
  ASSERT_EQ(side.connect(1, server.url(scheme())), "");
  side.closed_note();
  EXPECT_EQ(side.count(Kind::text), kMessages);
}

TEST_P(WebSocketEitherWay, end_of_the_connection_is_told_with_what_is_known) {
  std::map<std::string, std::function<void(Line&)>> ways = {
      {"closed by the server: 1001 bye\?", [](Line& l) { l.accept_websocket(); l.send_frame(kClose | kFinal, std::string("\x03\xe9", 2) + "bye\n"); l.wait_for_end(); }},
      {"closed by the server", [](Line& l) { l.accept_websocket(); l.send_frame(kClose | kFinal, ""); l.wait_for_end(); }},
      {"connection lost without a close frame", [](Line& l) { l.accept_websocket(); }},
  };
  for (const auto& [note, script] : ways) {
    Server server(script, GetParam());
    Side side;
    ASSERT_EQ(side.connect(1, server.url(scheme())), "");
    EXPECT_EQ(side.closed_note(), note);
    EXPECT_EQ(side.count(Kind::closed), 1);
  }
}

TEST_P(WebSocketEitherWay, reset_and_half_a_message_close_without_a_text) {
  for (const bool reset : {true, false}) {
    Server server([&](Line& line) {
      line.accept_websocket();
      line.read_frame();  // the client has seen the upgrade: a reset would discard it
      line.write(std::string("\x81\x7e\x04\x00", 4) + "only a part of 1024 bytes");
      if (reset) line.reset();
    }, GetParam());
    Side side;
    ASSERT_EQ(side.connect(1, server.url(scheme())), "");
    side.sockets.send(1, "go");
    EXPECT_EQ(side.closed_note(), "connection lost without a close frame");
    EXPECT_EQ(side.count(Kind::text), 0);
  }
}

TEST_P(WebSocketEitherWay, close_sends_what_is_queued_and_a_close_frame_first) {
  std::vector<unsigned char> seen;
  Server server([&](Line& line) {
    line.accept_websocket();
    while (true) {
      const Frame frame = line.read_frame();
      if (frame.opcode == 0xff) return;
      seen.push_back(frame.opcode);
      if (frame.opcode == kClose) line.send_frame(kClose | kFinal, frame.payload);
    }
  }, GetParam());
  {
    Side side;
    ASSERT_EQ(side.connect(1, server.url(scheme())), "");
    side.sockets.send(1, "last words");
    side.sockets.close(1);
    EXPECT_TRUE(side.inbox.empty());  // the app may be reading the inbox while it calls us
    EXPECT_FALSE(side.sockets.send(1, "too late"));
    EXPECT_EQ(side.closed_note(), "closed by us");
    EXPECT_EQ(side.count(Kind::closed), 1);
  }
  EXPECT_EQ(seen, (std::vector<unsigned char>{kText, kClose}));
}

TEST_P(WebSocketEitherWay, close_crossing_the_servers_close_is_told_once_and_not_inside_the_call) {
  Server server([&](Line& line) {
    line.accept_websocket();
    line.write(std::string("\x81\x03" "bye" "\x88\x02\x03\xe8", 9));  // a text and a close frame at once
    line.wait_for_end();
  }, GetParam());
  Side side;
  ASSERT_EQ(side.connect(1, server.url(scheme())), "");
  ASSERT_TRUE(side.until_count(Kind::text, 1));
  side.sockets.close(1);
  side.sockets.close(1);
  EXPECT_TRUE(side.inbox.empty());
  side.closed_note();
  side.until([] { return false; }, 100);
  EXPECT_EQ(side.count(Kind::closed), 1);
}

TEST_P(WebSocketEitherWay, close_ends_in_time_when_the_server_does_not_answer_it) {
  Server server(serve_quietly, GetParam());
  Side side;
  ASSERT_EQ(side.connect(1, server.url(scheme())), "");
  const std::int64_t began = side.loop.now_ms();
  side.sockets.close(1);
  EXPECT_EQ(side.closed_note(), "closed by us");
  EXPECT_LE(side.loop.now_ms() - began, kCloseTimeoutMs + 500);
}

TEST_P(WebSocketEitherWay, silent_handshake_is_given_up_in_time) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(listener, reinterpret_cast<sockaddr*>(&address), size);
  listen(listener, 8);  // the kernel accepts, nobody speaks
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  Side side;
  const std::int64_t began = side.loop.now_ms();
  const std::string port = std::to_string(ntohs(address.sin_port));
  EXPECT_EQ(side.connect(1, scheme() + "://localhost:" + port), "no connection to localhost:" + port + " within 5000 ms");
  EXPECT_NEAR(static_cast<int>(side.loop.now_ms() - began), kConnectTimeoutMs, 500);
  close(listener);
}

TEST_P(WebSocketEitherWay, two_hundred_reconnects_leak_neither_descriptors_nor_memory) {
  Server server(echo, GetParam());
  Side side;
  const auto round = [&](std::uint64_t id) {
    side.delivered.clear();
    ASSERT_EQ(side.connect(id, server.url(scheme())), "");
    side.sockets.send(id, "hello");
    ASSERT_TRUE(side.until_count(Kind::text, 1));
    side.sockets.close(id);
    ASSERT_EQ(side.closed_note(), "closed by us");
  };
  for (std::uint64_t early = 1; early <= 50; ++early) round(early);
  // The server's side of the last connection may close a moment later.
  const int descriptors_before = open_descriptors();
  std::uint64_t id = 50;
  EXPECT_TRUE(side.leaves_no_memory_behind([&] { for (int i = 0; i < 200; ++i) round(++id); }));
  EXPECT_TRUE(side.until_outside([&] { return open_descriptors() <= descriptors_before; }));
}

TEST(WebSocket, connection_carries_path_host_and_port_and_no_delay) {
  std::string request;
  Server server([&](Line& line) {
    line.accept_websocket();
    request = line.request;
    line.send_text("hi");
    line.wait_for_end();
  });
  Side side;
  ASSERT_EQ(side.connect(1, server.url("ws", "exchange.test", "/ws/key?timeout=1")), "unencrypted connections are allowed to this machine only (localhost, 127.0.0.0/8, ::1)");
  ASSERT_EQ(side.connect(2, server.url("ws", "localhost", "/ws/key?timeout=1")), "");
  ASSERT_TRUE(side.until_count(Kind::text, 1));
  EXPECT_TRUE(contains(request, "GET /ws/key?timeout=1 HTTP/1.1\r\n")) << request;
  EXPECT_TRUE(contains(request, "Host: localhost:" + std::to_string(server.port()) + "\r\n")) << request;
  EXPECT_FALSE(contains(request, "permessage-deflate")) << request;
  int found = 0;
  for (int fd = 0; fd < 256; ++fd) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 || ntohs(peer.sin_port) != server.port()) continue;
    int no_delay = 0;
    size = sizeof no_delay;
    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
    EXPECT_EQ(no_delay, 1);
    ++found;
  }
  EXPECT_EQ(found, 1);
}

TEST(WebSocket, certificate_is_checked_against_the_name_of_the_url) {
  Server server(serve_quietly, Security::tls);
  Side side;
  EXPECT_EQ(side.connect(1, server.url("wss", "exchange.test")), "");
  EXPECT_EQ(side.connect(2, server.url("wss", "127.0.0.1")), "");
}

TEST(WebSocket, certificate_of_another_host_is_refused_with_the_reason) {
  Server server(serve_quietly, Security::tls_for_another_host);
  Side side;
  const std::string note = side.connect(1, server.url("wss"));
  EXPECT_TRUE(contains(note, "hostname mismatch")) << note;
}

TEST(WebSocket, certificate_of_an_unknown_authority_is_refused_with_the_reason) {
  Server server(serve_quietly, Security::tls_of_unknown_authority);
  Server fine(serve_quietly, Security::tls);
  Side side;
  const std::string note = side.connect(1, server.url("wss"));
  EXPECT_TRUE(contains(note, "unable to get local issuer certificate") || contains(note, "self-signed")) << note;
  Side without_file("");
  const std::string other = without_file.connect(1, fine.url("wss"));
  EXPECT_TRUE(contains(other, "unable to get local issuer certificate")) << other;
}

TEST(WebSocket, unreadable_authority_file_is_an_error_at_the_start) {
  Loop loop;
  Inbox inbox;
  EXPECT_THROW(WebSockets(loop, inbox, "/nowhere/ca.pem"), std::runtime_error);
}

TEST(WebSocket, refusals_say_what_happened) {
  int port = 0;
  { Server gone(serve_quietly); port = gone.port(); }
  Server limited([](Line& line) { line.read_until("\r\n\r\n"); line.answer("slow down", "429 Too Many Requests"); });
  Server elsewhere([&](Line& line) {
    line.read_until("\r\n\r\n");
    line.write("HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:" + std::to_string(limited.port()) + "/\r\nContent-Length: 0\r\n\r\n");
  });
  Server hangs_up([](Line& line) { line.read_until("\r\n\r\n"); });
  Side side;
  std::map<std::string, std::string> expected = {
      {"ws://localhost:" + std::to_string(port), "closed before established"},
      {limited.url("ws"), "HTTP 429"},
      {elsewhere.url("ws"), "HTTP 302"},
      {hangs_up.url("ws"), "read failed"},
      {"wss://nobody.test", "cannot resolve nobody.test"},
      {"https://localhost", "must begin with wss:// or ws://"},
      {"wss://[::1]:1", "numeric IPv6"},
      {"not a url", "not allowed"},
  };
  std::uint64_t id = 0;
  for (const auto& [url, part] : expected) {
    const std::string note = side.connect(++id, url);
    EXPECT_FALSE(note.empty()) << url;
    EXPECT_TRUE(contains(note, part)) << url << ": " << note;
    EXPECT_EQ(side.count_of(id, Kind::closed), 1) << url;
    std::printf("  %s -> %s\n", url.c_str(), note.c_str());
  }
  EXPECT_EQ(limited.connections.load(), 1) << "the redirect was followed";
}

TEST(WebSocket, black_hole_is_given_up_in_time) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(listener, reinterpret_cast<sockaddr*>(&address), size);
  listen(listener, 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::vector<int> fillers;  // with the backlog full the kernel drops further SYNs
  for (int i = 0; i < 4; ++i) {
    fillers.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    connect(fillers.back(), reinterpret_cast<sockaddr*>(&address), size);
  }
  Side side;
  const std::int64_t began = side.loop.now_ms();
  const std::string note = side.connect(1, "ws://127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
  EXPECT_TRUE(contains(note, "within 5000 ms")) << note;
  EXPECT_NEAR(static_cast<int>(side.loop.now_ms() - began), kConnectTimeoutMs, 500);
  for (int fd : fillers) close(fd);
  close(listener);
}

TEST(WebSocket, name_with_ipv6_addresses_only_is_reached) {
  Server server(serve_quietly, Security::tls, true);
  Side side;
  EXPECT_EQ(side.connect(1, server.url("wss", "v6.test")), "");
}

TEST(WebSocket, slow_look_up_neither_blocks_the_loop_nor_outlives_the_time_limit) {
  hold_slow_names();
  Side side;
  side.sockets.connect(1, "wss://slow.test");
  std::int64_t longest = 0;
  const std::int64_t began = side.loop.now_ms();
  while (side.count(Kind::closed) == 0) {
    const std::int64_t before = side.loop.now_ms();
    side.loop.run_once();
    longest = std::max(longest, side.loop.now_ms() - before);
    side.take();
    pollfd ready{side.loop.descriptor(), POLLIN, 0};
    poll(&ready, 1, 20);
  }
  EXPECT_LT(longest, 100);
  EXPECT_NEAR(static_cast<int>(side.loop.now_ms() - began), kConnectTimeoutMs, 500);
  EXPECT_TRUE(contains(side.last(Kind::closed)->item.note, "slow.test")) << side.last(Kind::closed)->item.note;
  release_slow_names();
}

TEST(WebSocket, close_before_it_is_open_is_told_once) {
  Server server(serve_quietly);
  hold_slow_names();
  Side side;
  side.sockets.connect(1, "wss://slow.test");
  side.sockets.connect(2, server.url("ws"));
  side.sockets.close(1);
  side.sockets.close(2);
  side.sockets.close(3);
  release_slow_names();
  ASSERT_TRUE(side.until_count(Kind::closed, 2));
  side.until([] { return false; }, 200);
  EXPECT_EQ(side.delivered.size(), 2u);
  for (const auto& one : side.delivered) EXPECT_EQ(one.item.note, "closed by us");
}

TEST(WebSocket, queue_has_a_bound_and_forgets_nothing_below_it) {
  std::size_t received = 0;
  std::atomic<bool> go{false};
  Server server([&](Line& line) {
    line.accept_websocket();
    go.wait(false);
    while (true) {
      const Frame frame = line.read_frame();
      if (frame.opcode != kText) break;
      received += frame.payload.size();
    }
    line.send_text("counted");
    line.wait_for_end();
  });
  std::size_t accepted = 0;
  {
    Side side;
    ASSERT_EQ(side.connect(1, server.url("ws")), "");
    EXPECT_FALSE(side.sockets.send(2, "nobody"));
    EXPECT_FALSE(side.sockets.send(1, std::string(kMaxQueuedBytes + 1, 'x')));
    const std::string piece(60'000, 'p');
    bool refused = false;
    for (int i = 0; i < 1000 && !refused; ++i) {
      if (side.sockets.send(1, piece)) accepted += piece.size();
      else refused = true;
    }
    EXPECT_TRUE(refused);
    go = true;
    go.notify_all();
    side.sockets.close(1);
    EXPECT_EQ(side.closed_note(), "closed by us");
  }
  EXPECT_EQ(received, accepted);
  EXPECT_GT(accepted, kMaxQueuedBytes - 60'000);
}

TEST(WebSocket, ping_that_is_answered_keeps_the_socket_and_one_that_is_not_ends_it) {
  Server answering(echo);
  Server deaf(serve_quietly);
  Side side;
  ASSERT_EQ(side.connect(1, answering.url("ws")), "");
  ASSERT_EQ(side.connect(2, deaf.url("ws")), "");
  side.sockets.ping(1);
  side.sockets.ping(2);
  side.sockets.ping(3);
  const std::int64_t began = side.loop.now_ms();
  ASSERT_TRUE(side.until_count(Kind::closed, 1, kPongTimeoutMs + 3000));
  EXPECT_GE(side.loop.now_ms() - began, kPongTimeoutMs);
  EXPECT_EQ(side.last(Kind::closed)->item.id, 2u);
  EXPECT_EQ(side.last(Kind::closed)->item.note, "no answer to a ping within 10000 ms");
  side.until([] { return false; }, 500);
  EXPECT_EQ(side.count(Kind::closed), 1);
}

TEST(WebSocket, id_in_use_is_a_broken_promise) {
  Side side;
  side.sockets.connect(1, "wss://nobody.test");
  EXPECT_THROW(side.sockets.connect(1, "wss://nobody.test"), std::logic_error);
}

TEST(WebSocket, too_many_sockets_are_refused) {
  Server server(serve_quietly);
  Side side;
  for (std::uint64_t id = 1; id <= kMaxSockets + 1; ++id) side.sockets.connect(id, server.url("ws"));
  ASSERT_TRUE(side.until([&] { return side.delivered.size() == kMaxSockets + 1; }));
  EXPECT_EQ(side.count(Kind::opened), static_cast<int>(kMaxSockets));
  EXPECT_EQ(side.last(Kind::closed)->item.note, "too many sockets");
}

TEST(WebSocket, idle_tls_socket_does_not_keep_the_loop_awake) {
  Server server(serve_quietly, Security::tls);
  Side side;
  ASSERT_EQ(side.connect(1, server.url("wss")), "");
  side.wake_ups = 0;
  side.until([] { return false; }, 2000);
  std::printf("  %d wake-ups in 2 s\n", side.wake_ups);
  EXPECT_LT(side.wake_ups, 50);
}

TEST(WebSocket, signal_dispositions_stay_as_the_host_set_them) {
  struct sigaction before[32], after[32];
  std::signal(SIGPIPE, SIG_DFL);
  for (int number = 1; number < 32; ++number) sigaction(number, nullptr, &before[number]);
  { Side side; side.until([] { return false; }, 50); }
  for (int number = 1; number < 32; ++number) sigaction(number, nullptr, &after[number]);
  std::signal(SIGPIPE, SIG_IGN);
  for (int number = 1; number < 32; ++number) EXPECT_EQ(before[number].sa_handler, after[number].sa_handler) << number;
}

TEST(WebSocket, destruction_in_the_middle_of_everything_leaves_no_thread_and_no_descriptor) {
  { Side libraries_open_some_for_good; }
  const int threads_before = threads(), descriptors_before = open_descriptors();
  {
    Server server(echo, Security::tls);
    for (int turns = 0; turns < 12; ++turns) {
      Side side;
      side.sockets.connect(1, server.url("wss"));
      side.sockets.connect(2, "wss://nobody.test");
      side.sockets.connect(3, server.url("wss", "exchange.test"));
      for (int i = 0; i < turns; ++i) side.turn(20);
      side.sockets.close(3);
    }
  }
  EXPECT_EQ(threads(), threads_before);
  EXPECT_EQ(open_descriptors(), descriptors_before);
}

}  // namespace
}  // namespace tradesync::net
