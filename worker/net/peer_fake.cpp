#include "net/peer_fake.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace tradesync::net::fake {

namespace {

struct Signed {
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
};

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Signed make(const std::string& name, const Signed* issuer, const std::string& alternative_names) {
  static std::atomic<long> serial{1};
  Signed made{EVP_EC_gen("P-256"), X509_new()};
  X509* certificate = made.certificate;
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
  X509_set_pubkey(certificate, made.key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  const Signed& signer = issuer == nullptr ? made : *issuer;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate));
  extend(certificate, signer.certificate, NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
  if (!alternative_names.empty()) extend(certificate, signer.certificate, NID_subject_alt_name, alternative_names);
  X509_sign(certificate, signer.key, EVP_sha256());
  return made;
}

const Signed& authority() {
  static const Signed made = make("test authority", nullptr, "");
  return made;
}

SSL_CTX* server_context(Security security) {
  static const Signed unknown = make("unknown authority", nullptr, "");
  static const Signed good =
      make("localhost", &authority(), "DNS:localhost,DNS:exchange.test,DNS:v6.test,IP:127.0.0.1");
  static const Signed other = make("other.test", &authority(), "DNS:other.test");
  static const Signed foreign = make("localhost", &unknown, "DNS:localhost");
  const Signed& identity = security == Security::tls                    ? good
                           : security == Security::tls_for_another_host ? other
                                                                        : foreign;
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate(context, identity.certificate);
  SSL_CTX_use_PrivateKey(context, identity.key);
  return context;
}

std::string base64(const unsigned char* data, int size) {
  std::string text(static_cast<std::size_t>((size + 2) / 3 * 4 + 1), '\0');
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), data, size)));
  return text;
}

std::string header(const std::string& head, const std::string& name) {
  const std::size_t at = head.find(name + ": ");
  if (at == std::string::npos) return "";
  const std::size_t from = at + name.size() + 2;
  return head.substr(from, head.find("\r\n", from) - from);
}

}  // namespace

std::string ca_file() {
  static const std::string path = [] {
    char name[] = "/tmp/net_test_ca_XXXXXX";
    FILE* file = fdopen(mkstemp(name), "w");
    PEM_write_X509(file, authority().certificate);
    fclose(file);
    static std::string kept = name;
    std::atexit([] { unlink(kept.c_str()); });
    return kept;
  }();
  return path;
}

Line::Line(int descriptor, SSL_CTX* tls) : descriptor_(descriptor) {
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (tls != nullptr) {
    ssl_ = SSL_new(tls);
    SSL_set_fd(ssl_, descriptor);
  }
}

Line::~Line() {
  if (ssl_ != nullptr) SSL_free(ssl_);
  ::close(descriptor_);
}

bool Line::secure() { return ssl_ == nullptr || SSL_accept(ssl_) == 1; }

ssize_t Line::read_raw(char* data, std::size_t size) {
  return ssl_ != nullptr ? SSL_read(ssl_, data, static_cast<int>(size)) : ::recv(descriptor_, data, size, 0);
}

std::string Line::read_some() {
  if (!buffered_.empty()) return std::exchange(buffered_, "");
  char data[65536];
  const ssize_t size = read_raw(data, sizeof data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : "";
}

std::string Line::read_until(std::string_view end) {
  std::string text;
  while (true) {
    const std::size_t at = text.find(end);
    if (at != std::string::npos) {
      buffered_ = text.substr(at + end.size()) + buffered_;
      return text.substr(0, at + end.size());
    }
    const std::string more = read_some();
    if (more.empty()) return text;
    text += more;
  }
}

std::string Line::read_exactly(std::size_t size) {
  std::string text;
  while (text.size() < size) {
    const std::string more = read_some();
    if (more.empty()) return text;
    text += more;
  }
  buffered_ = text.substr(size) + buffered_;
  return text.substr(0, size);
}

bool Line::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ssl_ != nullptr ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                                         : ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void Line::reset() {
  const linger hard{1, 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

void Line::interrupt() { ::shutdown(descriptor_, SHUT_RDWR); }

std::string Line::read_request() {
  std::string head = read_until("\r\n\r\n");
  const std::string length = header(head, "Content-Length");
  return length.empty() ? head : head + read_exactly(std::stoul(length));
}

void Line::answer(std::string_view body, std::string_view status) {
  write("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\nX-MBX-USED-WEIGHT-1M: 17\r\n\r\n" + std::string(body));
}

bool Line::accept_websocket() {
  request = read_until("\r\n\r\n");
  const std::string key = header(request, "Sec-WebSocket-Key");
  if (key.empty()) return false;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const std::string salted = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  EVP_Digest(salted.data(), salted.size(), digest, &size, EVP_sha1(), nullptr);
  return write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
               base64(digest, static_cast<int>(size)) + "\r\n\r\n");
}

bool Line::send_frame(unsigned char first_byte, std::string_view payload) {
  std::string frame(1, static_cast<char>(first_byte));
  const std::size_t size = payload.size();
  if (size < 126) {
    frame += static_cast<char>(size);
  } else if (size < 65536) {
    frame += static_cast<char>(126);
    for (int shift = 8; shift >= 0; shift -= 8) frame += static_cast<char>(size >> shift & 0xff);
  } else {
    frame += static_cast<char>(127);
    for (int shift = 56; shift >= 0; shift -= 8) frame += static_cast<char>(size >> shift & 0xff);
  }
  frame.append(payload);
  return write(frame);
}

Frame Line::read_frame() {
  const std::string head = read_exactly(2);
  if (head.size() < 2) return {};
  Frame frame;
  frame.opcode = head[0] & 0x0f;
  std::size_t size = head[1] & 0x7f;
  if (size >= 126) {
    const std::string extended = read_exactly(size == 126 ? 2 : 8);
    size = 0;
    for (char byte : extended) size = size << 8 | static_cast<unsigned char>(byte);
  }
  const std::string mask = read_exactly(4);
  frame.payload = read_exactly(size);
  if (mask.size() < 4 || frame.payload.size() < size) return {};
  for (std::size_t i = 0; i < size; ++i) frame.payload[i] = static_cast<char>(frame.payload[i] ^ mask[i % 4]);
  return frame;
}

void Line::wait_for_end() {
  while (!read_some().empty()) {
  }
}

Server::Server(std::function<void(Line&)> script, Security security, bool ipv6) : script_(std::move(script)) {
  std::signal(SIGPIPE, SIG_IGN);
  if (security != Security::plain) tls_ = server_context(security);
  listener_ = ::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_storage address{};
  socklen_t size = ipv6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  address.ss_family = ipv6 ? AF_INET6 : AF_INET;
  if (ipv6) {
    reinterpret_cast<sockaddr_in6&>(address).sin6_addr = in6addr_loopback;
  } else {
    reinterpret_cast<sockaddr_in&>(address).sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0) std::abort();
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(ipv6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                     : reinterpret_cast<sockaddr_in&>(address).sin_port);
  acceptor_ = std::thread([this] { serve(); });
}

Server::~Server() {
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (auto& line : lines_) line->interrupt();
  }
  for (auto& thread : threads_) thread.join();
  lines_.clear();
  ::close(listener_);
  if (tls_ != nullptr) SSL_CTX_free(tls_);
}

void Server::serve() {
  while (true) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    ++connections;
    join_finished();
    const std::lock_guard lock(mutex_);
    auto line = std::make_shared<Line>(descriptor, tls_);
    lines_.push_back(line);
    threads_.emplace_back([this, line] {
      if (line->secure()) script_(*line);
      const std::lock_guard ending(mutex_);
      std::erase(lines_, line);  // the script's end closes the connection
      finished_.push_back(std::this_thread::get_id());
    });
  }
}

void Server::join_finished() {
  std::vector<std::thread> ended;
  {
    const std::lock_guard lock(mutex_);
    for (const std::thread::id id : finished_) {
      const auto found = std::find_if(threads_.begin(), threads_.end(), [&](const auto& one) { return one.get_id() == id; });
      ended.push_back(std::move(*found));
      threads_.erase(found);
    }
    finished_.clear();
  }
  for (auto& thread : ended) thread.join();
}

int open_descriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count - 1;  // the one that looks
}

int threads() {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) ++count;
  return count;
}

}  // namespace tradesync::net::fake
