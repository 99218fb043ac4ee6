// The other end for tests: a scripted server on loopback with plain blocking sockets, TLS if wanted, a thread for each
// connection. It misbehaves on request in ways no library server would.
#pragma once
#include <sys/types.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace tradesync::net::fake {

enum class Security { plain, tls, tls_for_another_host, tls_of_unknown_authority };

// The authority that signs the server certificates of this test run, as a PEM file. The good certificate is for
// "localhost", "exchange.test", "v6.test" and 127.0.0.1.
std::string ca_file();

enum : unsigned char { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10, kFinal = 0x80 };

struct Frame {
  unsigned char opcode = 0xff;  // 0xff: the connection ended
  std::string payload;
};

// One accepted connection. Reads return what came before the end; writes to a gone peer are ignored.
class Line {
 public:
  Line(int descriptor, SSL_CTX* tls);
  ~Line();
  bool secure();  // the TLS handshake
  std::string read_some();
  std::string read_until(std::string_view end);
  std::string read_exactly(std::size_t size);
  bool write(std::string_view bytes);
  void reset();  // RST instead of FIN
  void interrupt();
  int descriptor() const { return descriptor_; }

  std::string read_request();                 // head and body (Content-Length)
  void answer(std::string_view body, std::string_view status = "200 OK");
  bool accept_websocket();                    // reads the upgrade, answers 101
  bool send_frame(unsigned char first_byte, std::string_view payload);
  bool send_text(std::string_view text) { return send_frame(kText | kFinal, text); }
  Frame read_frame();                         // unmasked
  void wait_for_end();                        // reads until the peer goes away
  std::string request;                        // the upgrade request

 private:
  ssize_t read_raw(char* data, std::size_t size);
  int descriptor_;
  SSL* ssl_ = nullptr;
  std::string buffered_;
};

class Server {
 public:
  explicit Server(std::function<void(Line&)> script, Security security = Security::plain, bool ipv6 = false);
  ~Server();
  int port() const { return port_; }
  std::string url(const std::string& scheme, const std::string& host = "localhost", const std::string& target = "/") const {
    return scheme + "://" + host + ":" + std::to_string(port_) + target;
  }
  std::atomic<int> connections{0};

 private:
  void serve();
  void join_finished();
  std::function<void(Line&)> script_;
  SSL_CTX* tls_ = nullptr;
  int listener_, port_ = 0;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Line>> lines_;
  std::vector<std::thread> threads_;
  std::vector<std::thread::id> finished_;  // joined when the next connection comes
  std::thread acceptor_;
};

// Host names for tests, by taking getaddrinfo's place in this program: "exchange.test" is 127.0.0.1, "v6.test" is ::1,
// names beginning with "slow" block until release_slow_names(), everything else does not exist.
void hold_slow_names();
void release_slow_names();
int lookups_on(std::thread::id thread);  // of names, not of numeric addresses
unsigned long long blocked_signals_of_last_lookup();
int lookups();

int open_descriptors();
int threads();

}  // namespace tradesync::net::fake
