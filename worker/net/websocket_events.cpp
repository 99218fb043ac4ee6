// What libwebsockets tells us about our sockets, turned into items of the inbox. This is the hot path: a message is
// copied once, from libwebsockets' buffer into the inbox. No exception leaves a callback through its frames.
#include <algorithm>
#include <cstring>
#include <vector>

#include "net/websocket_impl.hpp"

namespace tradesync::net {

namespace {

constexpr int kMaxRecords = 4096;  // of one socket in a row

// libwebsockets' log function takes no context, hence the variable.
constinit thread_local char last_complaint[200] = "";

std::string why_not_connected(lws* wsi, const char* in, std::size_t size) {
  std::string why = in == nullptr ? "connection failed" : std::string(in, strnlen(in, size));
  if (const unsigned status = lws_http_client_http_response(wsi); status >= 100 && status != 101)
    why += " (HTTP " + std::to_string(status) + ")";
  if (const std::string complaint = take_complaint(); !complaint.empty()) why += ": " + complaint;
  return why;
}

std::string why_peer_closed(const char* in, std::size_t size) {
  if (size < 2) return "closed by the server";
  const unsigned code = static_cast<unsigned char>(in[0]) << 8 | static_cast<unsigned char>(in[1]);
  std::string text(in + 2, size - 2);
  std::replace_if(text.begin(), text.end(), [](char c) { return c < 0x20 || c == 0x7f; }, '?');
  return "closed by the server: " + std::to_string(code) + (text.empty() ? "" : " " + text);
}

}  // namespace

void keep_complaint(int, const char* line) {
  std::string_view text(line);
  while (text.ends_with('\n')) text.remove_suffix(1);
  last_complaint[text.copy(last_complaint, sizeof last_complaint - 1)] = '\0';
}

std::string take_complaint() {
  std::string text = last_complaint;
  last_complaint[0] = '\0';
  return text;
}

const lws_protocols* protocols() {
  static const lws_protocols list[] = {{"tradesync", WebSockets::Impl::on_event, 0, kReadBytes, 0, nullptr, 0},
                                       {nullptr, nullptr, 0, 0, 0, nullptr, 0}};
  return list;
}

int WebSockets::Impl::on_event(lws* wsi, lws_callback_reasons reason, void*, void* in, std::size_t size) {
  if (wsi == nullptr) return 0;
  auto* socket = static_cast<Socket*>(lws_get_opaque_user_data(wsi));
  if (socket == nullptr) return 0;
  int result = -1;  // drop the connection
  rethrow_later(socket->owner->loop.raw(), [&] {
    result = socket->owner->handle(*socket, wsi, reason, static_cast<const char*>(in), size);
  });
  return result;
}

int WebSockets::Impl::handle(Socket& socket, lws* wsi, lws_callback_reasons reason, const char* in, std::size_t size) {
  socket.wsi = wsi;
  switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
      socket.state = Socket::State::open;
      socket.deadline_ms = kNever;
      take_complaint();
      inbox.push_opened(socket.id, loop.now_ms());
      return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
      return on_received(socket, wsi, {in, size});
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
      note_life(socket);
      return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
      return on_writable(socket, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
      if (socket.reason.empty()) socket.reason = why_peer_closed(in, size);
      return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
      end(socket, "no connection to " + peer(socket.url) + ": " + why_not_connected(wsi, in, size));
      return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
      end(socket, "connection lost without a close frame");
      return 0;
    default:
      return 0;
  }
}

void WebSockets::Impl::note_life(Socket& socket) {
  if (!socket.ping_sent) return;
  socket.ping_sent = socket.in_grace = false;
  socket.deadline_ms = kNever;
}

int WebSockets::Impl::on_received(Socket& socket, lws* wsi, std::string_view bytes) {
  if (socket.state != Socket::State::open) return 0;
  note_life(socket);
  const bool first = lws_is_first_fragment(wsi) != 0, last = lws_is_final_fragment(wsi) != 0;
  if (first) {
    socket.binary = lws_frame_is_binary(wsi) != 0;
    socket.partial.clear();
  }
  if (first && last) {  // nearly always: no copy but the one into the inbox
    inbox.push_text(socket.id, bytes, socket.binary, loop.now_ms());
  } else {
    if (socket.partial.size() + bytes.size() > kMaxMessageBytes) {
      socket.reason = "a message is longer than " + std::to_string(kMaxMessageBytes) + " bytes";
      end(socket, "");
      return -1;
    }
    socket.partial.append(bytes);
    if (!last) return 0;
    inbox.push_text(socket.id, socket.partial, socket.binary, loop.now_ms());
    socket.partial = std::string();
  }
  if (!inbox.wants_more()) {
    socket.paused = true;
    lws_rx_flow_control(wsi, 0);
  }
  return 0;
}

// One frame each time; libwebsockets asks again when the kernel has taken it.
int WebSockets::Impl::on_writable(Socket& socket, lws* wsi) {
  if (socket.ping_wanted) {
    unsigned char room[LWS_PRE];
    socket.ping_wanted = false;
    if (lws_write(wsi, room + LWS_PRE, 0, LWS_WRITE_PING) < 0) return -1;
  } else if (!socket.outgoing.empty()) {
    std::string& frame = socket.outgoing.front();
    const std::size_t size = frame.size() - LWS_PRE;
    if (lws_write(wsi, reinterpret_cast<unsigned char*>(frame.data()) + LWS_PRE, size, LWS_WRITE_TEXT) < 0) return -1;
    socket.outgoing_bytes -= size;
    socket.outgoing.pop_front();
  } else {
    if (socket.state == Socket::State::closing && !socket.close_frame_sent) set_deadline(socket, 0);
    return 0;
  }
  lws_callback_on_writable(wsi);
  return 0;
}

// OpenSSL takes all that the kernel has in one read, and libwebsockets then handles one record of it and waits for a
// readable descriptor, which need not come. So after each poll the rest is taken out, until OpenSSL asks for more bytes
// or the inbox is full. (libwebsockets alone makes two system calls and a turn of the loop for each record.)
void WebSockets::Impl::drain() {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, socket] : sockets)
    if (socket->wsi != nullptr && socket->url.tls) ids.push_back(id);
  for (std::uint64_t id : ids) drain(id);
}

void WebSockets::Impl::drain(std::uint64_t id) {
  for (int record = 0; record < kMaxRecords; ++record) {
    const Socket* socket = find(id);  // may end at any record
    if (socket == nullptr || socket->paused) return;
    const SSL* ssl = socket->wsi == nullptr ? nullptr : lws_get_ssl(socket->wsi);
    if (ssl == nullptr || SSL_has_pending(ssl) == 0 || SSL_want_read(ssl)) return;
    lws_pollfd ready{lws_get_socket_fd(socket->wsi), LWS_POLLIN, LWS_POLLIN};
    lws_service_fd(context, &ready);
  }
  nudge();  // the rest follows in the next turn
}

}  // namespace tradesync::net
