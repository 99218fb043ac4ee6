// HTTP/1.1 text to requests and replies to text. Keeps the query's raw bytes: signatures are made over them.
#pragma once

#include "market/face.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace simulator {

class HttpReader {
public:
    void add(std::string_view bytes) { buffer_ += bytes; }
    // The next complete request, if there is one. After a broken one is_broken() stays true.
    std::optional<market::HttpRequest> next();
    bool is_broken() const { return broken_; }
    // What follows the last request: the first WebSocket bytes after an upgrade.
    std::string take_rest() { return std::move(buffer_); }

private:
    std::string buffer_;
    bool broken_ = false;
};

std::string http_text(const market::HttpReply& reply, bool keep_alive);
bool wants_keep_alive(const market::HttpRequest& request);
bool is_websocket_upgrade(const market::HttpRequest& request);
std::string websocket_accept_text(const market::HttpRequest& request);    // the 101 reply

}  // namespace simulator
