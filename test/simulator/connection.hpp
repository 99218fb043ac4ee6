// One accepted TCP connection on libuv, with or without TLS: bytes in, bytes out, and the ways a connection can misbehave.
// libwebsockets is not used on purpose: its server decodes percent escapes before we could check a signature over the raw
// bytes, and the client under test uses it, so that an error shared by both ends would go unseen.
#pragma once

#include <openssl/ssl.h>
#include <uv.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace simulator {

class Connection {
public:
    // Takes the pending connection of the listener. tls may be null. Deletes itself after on_closed().
    static Connection* accept(uv_stream_t* listener, SSL_CTX* tls);

    std::function<void(std::string_view)> on_data;
    std::function<void()> on_drained;            // everything written has left our hands
    std::function<void()> on_closed;             // exactly once, also after close() and reset()

    void send(std::string_view bytes);
    size_t pending() const { return waiting_.size() + in_flight_.size(); }
    void close();                                // after what was sent has left
    void reset();                                // RST at once
    void mute() { muted_ = true; }               // stays open, says and hears nothing any more
    void throttle(int bytes_per_s);              // dribbles what is sent from now on until the queue is empty again
    bool is_closing() const { return closing_; }

private:
    explicit Connection(uv_loop_t* loop);
    ~Connection();
    void receive(std::string_view bytes);
    void receive_tls(std::string_view bytes);
    void collect_tls();                          // what OpenSSL wants on the wire
    void flush();
    void finish();

    uv_tcp_t socket_;
    uv_timer_t throttle_timer_;
    uv_write_t write_;
    SSL* tls_ = nullptr;
    BIO* from_wire_ = nullptr;
    BIO* to_wire_ = nullptr;
    std::string waiting_, in_flight_;
    size_t throttle_chunk_ = 0;                  // bytes per 10 ms, 0 = free
    int open_handles_ = 2;
    bool writing_ = false, closing_ = false, close_when_flushed_ = false, muted_ = false;
    char buffer_[65536];
};

}  // namespace simulator
