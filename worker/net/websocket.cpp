// The app's side of the WebSockets: what it may ask for, and what time does to a socket. What libwebsockets tells us is
// in websocket_events.cpp. Two rules: after a call to libwebsockets from here it is nudged, or its timers never fire;
// and no item appears inside a call of the app, which may be reading the inbox right now, but in run_once().
#include "net/websocket.hpp"

#include <algorithm>
#include <csignal>
#include <stdexcept>
#include <vector>

#include "net/resolver.hpp"
#include "net/websocket_impl.hpp"

namespace tradesync::net {

namespace {

constexpr int kPongGraceMs = 1000;  // an answer that arrived while we were busy elsewhere must count
constexpr unsigned kMaxDescriptors = 2 * kMaxSockets;  // sockets that are finishing their close handshake count too

constexpr lws_retry_bo_t kNoOwnPings{};  // when to ping is the app's business

// libwebsockets ignores SIGPIPE for the whole process; the host's choice is put back.
class KeepSigpipe {
 public:
  KeepSigpipe() { sigaction(SIGPIPE, nullptr, &saved_); }
  ~KeepSigpipe() { sigaction(SIGPIPE, &saved_, nullptr); }
  KeepSigpipe(const KeepSigpipe&) = delete;
  KeepSigpipe& operator=(const KeepSigpipe&) = delete;

 private:
  struct sigaction saved_;
};

// What belongs into the Host header; libwebsockets cuts the port off again for SNI and the certificate check.
std::string host_header(const Url& url) {
  const std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  const bool usual = url.port == (url.tls ? 443 : 80);
  return usual ? host : host + ":" + std::to_string(url.port);
}

}  // namespace

WebSockets::Impl::Impl(Loop& the_loop, Inbox& the_inbox, const std::string& ca_file)
    : loop(the_loop), inbox(the_inbox), ssl(new_client_context(ca_file)), timer(the_loop.raw(), [this] { on_time(); }),
      after_poll(new uv_check_t) {
  uv_check_init(loop.raw(), after_poll.get());
  after_poll->data = this;
  uv_check_start(after_poll.get(), [](uv_check_t* check) {
    rethrow_later(check->loop, [&] { static_cast<Impl*>(check->data)->drain(); });
  });
  lws_set_log_level(LLL_ERR | LLL_WARN, keep_complaint);
  void* loops[] = {loop.raw()};
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = protocols();
  info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                 LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN;
  info.foreign_loops = loops;
  info.provided_client_ssl_ctx = ssl.get();
  info.pt_serv_buf_size = kReadBytes;
  info.fd_limit_per_thread = kMaxDescriptors;  // tables for the whole RLIMIT_NOFILE otherwise
  info.timeout_secs = kConnectTimeoutMs / 1000;
  info.http_proxy_address = "";  // or it takes one from the environment
  {
    const KeepSigpipe guard;
    context = lws_create_context(&info);
  }
  if (context == nullptr)
    throw std::runtime_error("libwebsockets cannot start (is its libuv plug-in, libwebsockets-evlib-uv, installed?): " +
                             take_complaint());
  take_complaint();  // about the empty proxy address
}

// With a loop of ours, libwebsockets is destroyed in two phases: the handles close in turns of the loop in between.
WebSockets::Impl::~Impl() {
  for (auto& [id, socket] : sockets) {
    if (socket->lookup != 0) loop.resolver().cancel(socket->lookup);
    if (socket->wsi != nullptr) lws_set_opaque_user_data(socket->wsi, nullptr);
  }
  sockets.clear();
  lws_context_destroy(context);
  for (int turn = 0; turn < 50; ++turn) uv_run(loop.raw(), UV_RUN_NOWAIT);
  lws_context_destroy(context);
}

WebSockets::Impl::Socket* WebSockets::Impl::find(std::uint64_t id) {
  const auto found = sockets.find(id);
  return found == sockets.end() ? nullptr : found->second.get();
}

void WebSockets::Impl::connect(std::uint64_t id, const std::string& text) {
  if (find(id) != nullptr) throw std::logic_error("a socket's id was used twice");
  const bool full = sockets.size() >= kMaxSockets;
  auto& slot = sockets[id];
  slot = std::make_unique<Socket>();
  Socket& socket = *slot;
  socket.owner = this;
  socket.id = id;
  const bool usable = parse_url(text, socket.url, socket.reason);
  if (usable && !socket.url.scheme.starts_with("ws")) socket.reason = "the URL must begin with wss:// or ws://";
  // libwebsockets would check the certificate against an empty name, that is, not at all.
  if (usable && socket.url.tls && socket.url.host.find(':') != std::string::npos)
    socket.reason = "TLS to a numeric IPv6 address is not possible; use a host name";
  if (full) socket.reason = "too many sockets";
  if (!socket.reason.empty()) return set_deadline(socket, 0);
  set_deadline(socket, kConnectTimeoutMs);
  socket.lookup = loop.resolver().lookup(
      socket.url.host, kConnectTimeoutMs, [this, &socket](const std::string& address, const std::string& error) {
        socket.lookup = 0;
        if (address.empty()) return end(socket, error);
        open_connection(socket, address);
      });
}

void WebSockets::Impl::open_connection(Socket& socket, const std::string& address) {
  const std::uint64_t id = socket.id;
  const std::string host = host_header(socket.url);
  socket.state = Socket::State::connecting;
  take_complaint();
  lws_client_connect_info info{};
  info.context = context;
  info.address = address.c_str();
  info.port = socket.url.port;
  info.path = socket.url.target.c_str();
  info.host = host.c_str();
  info.ssl_connection = (socket.url.tls ? LCCSCF_USE_SSL : 0) | LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
  info.local_protocol_name = protocols()[0].name;
  info.opaque_user_data = &socket;
  info.retry_and_idle_policy = &kNoOwnPings;
  lws* started = lws_client_connect_via_info(&info);
  nudge();
  Socket* same = find(id);  // gone if it failed at once and a callback said so
  if (same == nullptr) return;
  same->wsi = started;
  if (started == nullptr) end(*same, "no connection to " + peer(same->url) + ": " + take_complaint());
}

bool WebSockets::Impl::send(Socket& socket, const std::string& text) {
  if (socket.state != Socket::State::open || socket.outgoing_bytes + text.size() > kMaxQueuedBytes) return false;
  socket.outgoing.push_back(std::string(LWS_PRE, '\0') + text);
  socket.outgoing_bytes += text.size();
  lws_callback_on_writable(socket.wsi);
  nudge();
  return true;
}

void WebSockets::Impl::close(Socket& socket) {
  if (socket.state == Socket::State::closing) return;
  socket.reason = "closed by us";
  if (socket.state != Socket::State::open) return set_deadline(socket, 0);
  socket.state = Socket::State::closing;
  socket.partial.clear();
  if (socket.paused) lws_rx_flow_control(socket.wsi, 1);  // the answer to our close frame must get through
  socket.paused = false;
  set_deadline(socket, socket.outgoing.empty() ? 0 : kCloseTimeoutMs);
  nudge();
}

// Not by returning -1 from the writeable callback, the usual way: Debian's libwebsockets contains a self-test for libuv
// that closes such a socket a second time, before the frame is out. Not for use inside a callback of this socket.
void WebSockets::Impl::send_close_frame(Socket& socket) {
  socket.close_frame_sent = true;
  lws_close_reason(socket.wsi, LWS_CLOSE_STATUS_NORMAL, nullptr, 0);
  lws_set_timeout(socket.wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
  nudge();
}

void WebSockets::Impl::ping(Socket& socket) {
  if (socket.state != Socket::State::open || socket.ping_sent) return;
  socket.ping_wanted = socket.ping_sent = true;
  set_deadline(socket, kPongTimeoutMs);
  lws_callback_on_writable(socket.wsi);
  nudge();
}

void WebSockets::Impl::resume_reading() {
  bool any = false;
  for (auto& [id, socket] : sockets) {
    if (!socket->paused) continue;
    socket->paused = false;
    any = true;
    lws_rx_flow_control(socket->wsi, 1);
  }
  if (any) nudge();
}

// The last word about a socket. libwebsockets may go on closing it, but nobody listens to that any more.
void WebSockets::Impl::end(Socket& socket, const std::string& why) {
  if (socket.lookup != 0) loop.resolver().cancel(socket.lookup);
  if (socket.wsi != nullptr) lws_set_opaque_user_data(socket.wsi, nullptr);
  const std::uint64_t id = socket.id;
  inbox.push_closed(id, socket.reason.empty() ? why : socket.reason, loop.now_ms());
  sockets.erase(id);
}

// Not for use inside a callback of this socket.
void WebSockets::Impl::kill(Socket& socket, const std::string& why) {
  lws* wsi = socket.wsi;
  end(socket, why);
  if (wsi == nullptr) return;
  lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
  nudge();
}

void WebSockets::Impl::set_deadline(Socket& socket, std::int64_t delay_ms) {
  socket.deadline_ms = loop.now_ms() + delay_ms;
  arm();
}

// Sets the one timer to the earliest deadline. What is due at once waits for run_once(), too.
void WebSockets::Impl::arm() {
  std::int64_t next = kNever;
  for (const auto& [id, socket] : sockets) next = std::min(next, socket->deadline_ms);
  if (next == kNever) return timer.stop();
  timer.start(next - loop.now_ms());
}

void WebSockets::Impl::on_time() {
  const std::int64_t now = loop.now_ms();
  std::vector<std::uint64_t> due;
  for (const auto& [id, socket] : sockets)
    if (socket->deadline_ms <= now) due.push_back(id);
  for (std::uint64_t id : due)
    if (Socket* socket = find(id)) expire(*socket);
  arm();
}

void WebSockets::Impl::expire(Socket& socket) {
  switch (socket.state) {
    case Socket::State::waiting:
    case Socket::State::connecting:
      return kill(socket,
                  "no connection to " + peer(socket.url) + " within " + std::to_string(kConnectTimeoutMs) + " ms");
    case Socket::State::closing:
      if (socket.close_frame_sent || !socket.outgoing.empty()) return kill(socket, "closed by us");
      set_deadline(socket, kCloseTimeoutMs);
      return send_close_frame(socket);
    case Socket::State::open:
      // The answer may be waiting unread, because we were paused or came late ourselves.
      if (socket.in_grace && !socket.paused)
        return kill(socket, "no answer to a ping within " + std::to_string(kPongTimeoutMs) + " ms");
      socket.in_grace = true;
      socket.deadline_ms = loop.now_ms() + kPongGraceMs;
      return;
  }
}

WebSockets::WebSockets(Loop& loop, Inbox& inbox, std::string ca_file)
    : impl_(std::make_unique<Impl>(loop, inbox, ca_file)) {}

WebSockets::~WebSockets() = default;

void WebSockets::connect(std::uint64_t id, const std::string& url) { impl_->connect(id, url); }

bool WebSockets::send(std::uint64_t id, std::string text) {
  Impl::Socket* socket = impl_->find(id);
  return socket != nullptr && impl_->send(*socket, text);
}

void WebSockets::close(std::uint64_t id) {
  if (Impl::Socket* socket = impl_->find(id)) impl_->close(*socket);
}

void WebSockets::ping(std::uint64_t id) {
  if (Impl::Socket* socket = impl_->find(id)) impl_->ping(*socket);
}

void WebSockets::resume_reading() { impl_->resume_reading(); }

}  // namespace tradesync::net
