// See connection.hpp. One write is in flight at a time; everything said meanwhile waits in one string.
#include "simulator/connection.hpp"

#include <algorithm>
#include <utility>

namespace simulator {

namespace {
constexpr uint64_t kThrottleTickMs = 10;
}

Connection::Connection(uv_loop_t* loop) {
    uv_tcp_init(loop, &socket_);
    uv_timer_init(loop, &throttle_timer_);
    socket_.data = throttle_timer_.data = write_.data = this;
}

Connection::~Connection() { SSL_free(tls_); }

Connection* Connection::accept(uv_stream_t* listener, SSL_CTX* tls) {
    auto* self = new Connection(listener->loop);
    uv_accept(listener, reinterpret_cast<uv_stream_t*>(&self->socket_));
    uv_tcp_nodelay(&self->socket_, 1);
    if (tls != nullptr) {
        self->tls_ = SSL_new(tls);
        self->from_wire_ = BIO_new(BIO_s_mem());
        self->to_wire_ = BIO_new(BIO_s_mem());
        SSL_set_bio(self->tls_, self->from_wire_, self->to_wire_);
        SSL_set_accept_state(self->tls_);
    }
    uv_read_start(
        reinterpret_cast<uv_stream_t*>(&self->socket_),
        [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
            auto* connection = static_cast<Connection*>(handle->data);
            *buffer = uv_buf_init(connection->buffer_, sizeof connection->buffer_);
        },
        [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
            auto* connection = static_cast<Connection*>(stream->data);
            if (count < 0) return connection->finish();
            connection->receive({buffer->base, static_cast<size_t>(count)});
        });
    return self;
}

void Connection::receive(std::string_view bytes) {
    if (muted_ || closing_) return;
    if (tls_ != nullptr) return receive_tls(bytes);
    if (on_data) on_data(bytes);
}

void Connection::receive_tls(std::string_view bytes) {
    BIO_write(from_wire_, bytes.data(), static_cast<int>(bytes.size()));
    char plain[16384];
    while (!closing_) {
        const int count = SSL_read(tls_, plain, sizeof plain);
        collect_tls();
        if (count > 0) {
            if (on_data) on_data({plain, static_cast<size_t>(count)});
            continue;
        }
        const int error = SSL_get_error(tls_, count);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) finish();
        return;
    }
}

void Connection::collect_tls() {
    char wire[16384];
    for (int count = 0; (count = BIO_read(to_wire_, wire, sizeof wire)) > 0;) waiting_.append(wire, static_cast<size_t>(count));
    flush();
}

void Connection::send(std::string_view bytes) {
    if (closing_ || muted_ || bytes.empty()) return;
    if (tls_ == nullptr) {
        waiting_ += bytes;
        return flush();
    }
    SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()));
    collect_tls();
}

void Connection::flush() {
    if (writing_ || closing_ || uv_is_active(reinterpret_cast<uv_handle_t*>(&throttle_timer_))) return;
    if (waiting_.empty()) {
        throttle_chunk_ = 0;
        if (close_when_flushed_) return finish();
        if (on_drained) on_drained();
        return;
    }
    if (throttle_chunk_ > 0) {
        const size_t count = std::min(throttle_chunk_, waiting_.size());
        in_flight_ = waiting_.substr(0, count);
        waiting_.erase(0, count);
    } else {
        in_flight_ = std::exchange(waiting_, {});
    }
    writing_ = true;
    uv_buf_t buffer = uv_buf_init(in_flight_.data(), static_cast<unsigned>(in_flight_.size()));
    const auto written = [](uv_write_t* request, int status) {
        auto* self = static_cast<Connection*>(request->data);
        self->in_flight_.clear();
        self->writing_ = false;
        if (status < 0) return self->finish();
        if (self->throttle_chunk_ == 0) return self->flush();
        uv_timer_start(&self->throttle_timer_, [](uv_timer_t* timer) { static_cast<Connection*>(timer->data)->flush(); },
                       kThrottleTickMs, 0);
    };
    if (uv_write(&write_, reinterpret_cast<uv_stream_t*>(&socket_), &buffer, 1, written) < 0) {
        writing_ = false;
        finish();
    }
}

void Connection::throttle(int bytes_per_s) {
    throttle_chunk_ = std::max<size_t>(1, static_cast<size_t>(bytes_per_s) * kThrottleTickMs / 1'000);
}

void Connection::close() {
    close_when_flushed_ = true;
    if (!writing_ && waiting_.empty()) finish();
}

void Connection::reset() {
    if (closing_) return;
    const linger at_once{1, 0};
    uv_os_fd_t fd;
    if (uv_fileno(reinterpret_cast<uv_handle_t*>(&socket_), &fd) == 0) setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    finish();
}

void Connection::finish() {
    if (std::exchange(closing_, true)) return;
    if (on_closed) on_closed();
    const auto closed = [](uv_handle_t* handle) {
        auto* self = static_cast<Connection*>(handle->data);
        if (--self->open_handles_ == 0) delete self;
    };
    uv_close(reinterpret_cast<uv_handle_t*>(&socket_), closed);
    uv_close(reinterpret_cast<uv_handle_t*>(&throttle_timer_), closed);
}

}  // namespace simulator
