// See venue_server.hpp.
#include "simulator/venue_server.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace simulator {

using market::Outbound;
using market::Stream;

namespace {

constexpr uint64_t kTickMs = 20;
constexpr size_t kMaxLoggedRequests = 100'000;
constexpr size_t kMaxPendingBytes = 256 * 1024 * 1024;         // a reader that stopped reading is cut here

std::string without_signature(const std::string& query) {
    std::string out;
    for (size_t at = 0; at < query.size();) {
        const size_t end = std::min(query.find('&', at), query.size());
        const std::string item = query.substr(at, end - at);
        if (item.rfind("signature=", 0) != 0) out += (out.empty() ? "" : "&") + item;
        at = end + 1;
    }
    return out;
}

int64_t machine_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

VenueServer::VenueServer(uv_loop_t* loop, market::Venue venue, FaceFactory factory, uint64_t seed)
    : loop_(loop), venue_(venue), factory_(factory) {
    reset(seed);
    uv_timer_init(loop, &due_timer_);
    uv_timer_init(loop, &tick_timer_);
    due_timer_.data = tick_timer_.data = this;
    uv_timer_start(&tick_timer_, [](uv_timer_t* timer) { static_cast<VenueServer*>(timer->data)->pump(); }, kTickMs, kTickMs);
}

void VenueServer::reset(uint64_t seed) {
    drop(std::nullopt, How::close);
    frames_.clear();
    shift_ms_ = 0;
    const std::string name = venue_ == market::Venue::bybit ? "bybit" : "binance";
    default_account_ = "simKey-" + name;
    face_.reset();
    market_ = std::make_unique<market::Market>(venue_, seed);
    market_->add_usual_instruments(now());
    market_->add_account(default_account_, "simSecret-" + name, 100'000, false);
    face_ = factory_(*market_);
    faults_ = std::make_unique<market::Faults>(seed ^ 0x5EED);
    requests_.clear();
    stats_ = {};
}

Ms VenueServer::now() const {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count() + shift_ms_;
}

// What is under way keeps its real delay: it moves with the clock.
void VenueServer::shift_clock(Ms by) {
    shift_ms_ += by;
    const auto move = [by](auto& queue) {
        auto moved = std::move(queue);
        queue.clear();
        for (auto& [due, item] : moved) queue.emplace(due + by, std::move(item));
    };
    move(frames_);
    move(replies_);
}

// ---- connections

int VenueServer::listen(SSL_CTX* tls) {
    struct Context { VenueServer* server; SSL_CTX* tls; };
    auto* listener = new uv_tcp_t;                             // lives as long as the process
    uv_tcp_init(loop_, listener);
    listener->data = new Context{this, tls};
    sockaddr_in address;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_bind(listener, reinterpret_cast<sockaddr*>(&address), 0);
    const auto accepted = [](uv_stream_t* stream, int status) {
        auto* context = static_cast<Context*>(stream->data);
        if (status == 0) context->server->accept(stream, context->tls);
    };
    if (const int error = uv_listen(reinterpret_cast<uv_stream_t*>(listener), 1024, accepted); error < 0)
        throw std::runtime_error(std::string("listen: ") + uv_strerror(error));
    int length = sizeof address;
    uv_tcp_getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
    return ntohs(address.sin_port);
}

void VenueServer::accept(uv_stream_t* listener, SSL_CTX* tls) {
    Connection* connection = Connection::accept(listener, tls);
    ++stats_.connections;
    if (faults_->refuses(now())) {
        ++stats_.refused;
        return connection->reset();
    }
    auto client = std::make_shared<Client>();
    client->connection = connection;
    connection->on_data = [this, client](std::string_view bytes) {
        if (client->session != 0) {
            client->socket.add(bytes);
            read_socket(client);
        } else {
            client->http.add(bytes);
            read_http(client);
        }
    };
    connection->on_closed = [this, client] {
        client->connection = nullptr;
        if (client->session == 0) return;
        sessions_.erase(client->session);
        face_->on_close(client->session);
    };
}

// ---- HTTP

void VenueServer::read_http(const ClientPtr& client) {
    while (client->connection != nullptr && !client->answering && client->session == 0) {
        const auto request = client->http.next();
        if (!request) {
            if (client->http.is_broken()) client->connection->close();
            return;
        }
        if (is_websocket_upgrade(*request))
            upgrade(client, *request);
        else
            answer(client, *request);
    }
}

void VenueServer::answer(const ClientPtr& client, const market::HttpRequest& request) {
    ++stats_.requests;
    const int64_t received_us = machine_us();
    const bool keep_alive = wants_keep_alive(request);
    const market::Faults::Answer made = faults_->answer(*face_, request, now());
    log(request, made.reply.status, received_us);
    client->answering = true;
    if (made.reply.due_ms <= now())
        send_reply(client, made, keep_alive);
    else
        replies_.emplace(made.reply.due_ms, [this, client, made, keep_alive] {
            send_reply(client, made, keep_alive);
            read_http(client);
        });
    pump();
}

void VenueServer::send_reply(const ClientPtr& client, const market::Faults::Answer& answer, bool keep_alive) {
    client->answering = false;
    if (client->connection == nullptr) return;
    std::string text = http_text(answer.reply, keep_alive);
    const size_t body = answer.reply.body.size();
    if (answer.cut_bytes) text.resize(text.size() - body + std::min(*answer.cut_bytes, body));
    stats_.bytes_out += static_cast<int64_t>(text.size());
    client->connection->send(text);
    if ((answer.cut_bytes || !keep_alive) && client->connection != nullptr) client->connection->close();
}

void VenueServer::log(const market::HttpRequest& request, int status, int64_t received_us) {
    const bool is_form = request.body.find("signature=") != std::string::npos;
    std::string key(request.header("x-bapi-api-key"));
    if (key.empty()) key = request.header("x-mbx-apikey");
    requests_.push_back({++last_request_, now(), request.method, request.path, without_signature(request.query),
                         is_form ? without_signature(request.body) : request.body, std::move(key), status, received_us});
    if (requests_.size() > kMaxLoggedRequests) requests_.pop_front();
}

// ---- WebSocket

void VenueServer::upgrade(const ClientPtr& client, const market::HttpRequest& request) {
    const std::string target = request.path + (request.query.empty() ? "" : "?" + request.query);
    const market::SessionId session = ++last_session_;
    const bool known = face_->open(session, target, now());
    log(request, known ? 101 : 404, machine_us());
    if (!known) {
        client->connection->send(http_text({404, {}, "{}", 0}, false));
        if (client->connection != nullptr) client->connection->close();
        return;
    }
    ++stats_.sessions;
    client->session = session;
    sessions_[session] = client;
    client->connection->send(websocket_accept_text(request));
    client->socket.add(client->http.take_rest());
    read_socket(client);
    pump();
}

void VenueServer::read_socket(const ClientPtr& client) {
    while (client->connection != nullptr) {
        const auto message = client->socket.next();
        if (!message) break;
        ++stats_.frames_in;
        switch (message->opcode) {
            case Opcode::ping: client->connection->send(websocket_frame(Opcode::pong, message->payload)); break;
            case Opcode::pong: break;
            case Opcode::close:
                client->connection->send(websocket_frame(Opcode::close, message->payload));
                if (client->connection != nullptr) client->connection->close();
                break;
            case Opcode::text:
            case Opcode::binary:
            case Opcode::continuation:
                face_->on_text(client->session, message->payload, now());
                pump();
                break;
        }
    }
    if (client->connection == nullptr || !client->socket.is_broken()) return;
    client->connection->send(websocket_frame(Opcode::close, close_payload(1002, "protocol error")));
    if (client->connection != nullptr) client->connection->close();
}

void VenueServer::deliver(const Outbound& frame) {
    const auto found = sessions_.find(frame.session);
    if (found == sessions_.end()) return;
    Connection& connection = *found->second->connection;
    if (frame.kind == Outbound::Kind::close) {
        connection.send(websocket_frame(Opcode::close, close_payload(1000, "")));
        return connection.close();
    }
    if (connection.pending() > kMaxPendingBytes) return connection.reset();
    const std::string bytes = websocket_frame(Opcode::text, frame.text);
    count_frames(1, static_cast<int64_t>(bytes.size()));
    connection.send(bytes);
}

void VenueServer::count_frames(int64_t frames, int64_t bytes) {
    stats_.frames_out += frames;
    stats_.bytes_out += bytes;
}

// ---- time

void VenueServer::pump() {
    face_->tick(now());
    for (Outbound& frame : face_->take_outbound())
        for (Outbound& left : faults_->disturb(std::move(frame))) frames_.emplace(left.due_ms, std::move(left));
    run_due();
    ping_all();
}

void VenueServer::run_due() {
    const Ms present = now();
    while (!frames_.empty() && frames_.begin()->first <= present) deliver(frames_.extract(frames_.begin()).mapped());
    while (!replies_.empty() && replies_.begin()->first <= present) replies_.extract(replies_.begin()).mapped()();
    if (frames_.empty() && replies_.empty()) return;
    const Ms next = std::min(frames_.empty() ? INT64_MAX : frames_.begin()->first,
                             replies_.empty() ? INT64_MAX : replies_.begin()->first);
    uv_timer_start(&due_timer_, [](uv_timer_t* timer) { static_cast<VenueServer*>(timer->data)->run_due(); },
                   static_cast<uint64_t>(std::max<Ms>(1, next - present)), 0);
}

void VenueServer::ping_all() {
    const Ms interval = face_->protocol_ping_interval_ms();
    if (interval == 0 || now() < next_ping_ms_) return;
    const bool first = next_ping_ms_ == 0;
    next_ping_ms_ = now() + interval;
    if (first) return;
    const std::string frame = websocket_frame(Opcode::ping, std::to_string(now()));
    for (const auto& [session, client] : std::unordered_map(sessions_))
        if (client->connection != nullptr) client->connection->send(frame);
}

// ---- faults on connections

std::vector<Connection*> VenueServer::connections(Stream stream) const {
    std::vector<Connection*> found;
    for (const market::SessionInfo& info : face_->sessions()) {
        const auto client = sessions_.find(info.id);
        if (info.stream == stream && client != sessions_.end() && client->second->connection != nullptr)
            found.push_back(client->second->connection);
    }
    return found;
}

namespace {

std::vector<Stream> streams_of(std::optional<Stream> stream) {
    if (stream) return {*stream};
    return {Stream::public_data, Stream::private_data, Stream::trade};
}

}  // namespace

int VenueServer::drop(std::optional<Stream> stream, How how) {
    if (face_ == nullptr) return 0;
    int count = 0;
    for (const Stream wanted : streams_of(stream))
        for (Connection* connection : connections(wanted)) {
            ++count;
            if (how == How::silent) {
                connection->mute();
            } else if (how == How::reset) {
                connection->reset();
            } else {
                connection->send(websocket_frame(Opcode::close, close_payload(1001, "going away")));
                connection->close();
            }
        }
    return count;
}

int VenueServer::push_raw(std::optional<Stream> stream, Opcode opcode, std::string_view payload) {
    int count = 0;
    for (const Stream wanted : streams_of(stream))
        for (Connection* connection : connections(wanted)) {
            connection->send(websocket_frame(opcode, payload));
            ++count;
        }
    return count;
}

int VenueServer::throttle(std::optional<Stream> stream, int bytes_per_s) {
    int count = 0;
    for (const Stream wanted : streams_of(stream))
        for (Connection* connection : connections(wanted)) {
            connection->throttle(bytes_per_s);
            ++count;
        }
    return count;
}

}  // namespace simulator
