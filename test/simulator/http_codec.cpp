// See http_codec.hpp.
#include "simulator/http_codec.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <charconv>

namespace simulator {

namespace {

constexpr size_t kMaxHead = 64 * 1024;
constexpr size_t kMaxBody = 8 * 1024 * 1024;

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

const char* reason(int status) {
    switch (status) {
        case 200: return "OK";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 408: return "Request Timeout";
        case 418: return "I'm a teapot";
        case 429: return "Too Many Requests";
        case 500: return "Internal Server Error";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        default: return "Status";
    }
}

// A chunked body from `at`; npos sizes mean "not complete yet".
std::optional<std::string> dechunk(std::string_view text, size_t& used, bool& broken) {
    std::string body;
    size_t at = 0;
    while (true) {
        const size_t line = text.find("\r\n", at);
        if (line == std::string_view::npos) return std::nullopt;
        size_t size = 0;
        const auto [end, error] = std::from_chars(text.data() + at, text.data() + line, size, 16);
        if (error != std::errc() || size > kMaxBody) {
            broken = true;
            return std::nullopt;
        }
        at = line + 2;
        if (text.size() < at + size + 2) return std::nullopt;
        body += text.substr(at, size);
        at += size + 2;
        if (size == 0) {
            used = at;
            return body;
        }
    }
}

}  // namespace

std::optional<market::HttpRequest> HttpReader::next() {
    const size_t head_end = buffer_.find("\r\n\r\n");
    if (head_end == std::string::npos) {
        broken_ = broken_ || buffer_.size() > kMaxHead;
        return std::nullopt;
    }
    const std::string_view head = std::string_view(buffer_).substr(0, head_end);
    market::HttpRequest request;
    const size_t line_end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, line_end);
    const size_t first = line.find(' '), last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) {
        broken_ = true;
        return std::nullopt;
    }
    request.method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, last - first - 1);
    const size_t mark = target.find('?');
    request.path = target.substr(0, mark);
    if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
    for (size_t at = line_end + 2; at < head.size();) {
        const size_t end = std::min(head.find("\r\n", at), head.size());
        const std::string_view field = head.substr(at, end - at);
        const size_t colon = field.find(':');
        if (colon != std::string_view::npos)
            request.headers.emplace_back(lower(field.substr(0, colon)), std::string(trim(field.substr(colon + 1))));
        at = end + 2;
    }

    const size_t body_at = head_end + 4;
    if (lower(request.header("transfer-encoding")) == "chunked") {
        size_t used = 0;
        auto body = dechunk(std::string_view(buffer_).substr(body_at), used, broken_);
        if (!body) return std::nullopt;
        request.body = *std::move(body);
        buffer_.erase(0, body_at + used);
        return request;
    }
    size_t length = 0;
    const std::string_view text = request.header("content-length");
    if (!text.empty()) std::from_chars(text.data(), text.data() + text.size(), length);
    if (length > kMaxBody) {
        broken_ = true;
        return std::nullopt;
    }
    if (buffer_.size() < body_at + length) return std::nullopt;
    request.body = buffer_.substr(body_at, length);
    buffer_.erase(0, body_at + length);
    return request;
}

std::string http_text(const market::HttpReply& reply, bool keep_alive) {
    std::string out = "HTTP/1.1 " + std::to_string(reply.status) + " " + reason(reply.status) + "\r\n";
    bool has_type = false;
    for (const auto& [name, value] : reply.headers) {
        has_type = has_type || lower(name) == "content-type";
        out += name + ": " + value + "\r\n";
    }
    if (!has_type) out += "Content-Type: application/json\r\n";
    out += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
    out += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    return out + reply.body;
}

bool wants_keep_alive(const market::HttpRequest& request) { return lower(request.header("connection")) != "close"; }

bool is_websocket_upgrade(const market::HttpRequest& request) {
    return lower(request.header("upgrade")) == "websocket" && !request.header("sec-websocket-key").empty();
}

std::string websocket_accept_text(const market::HttpRequest& request) {
    const std::string text = std::string(request.header("sec-websocket-key")) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    char encoded[64];
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded), digest, sizeof digest);
    std::string out = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    const std::string_view offered = request.header("sec-websocket-protocol");
    if (!offered.empty()) out += "Sec-WebSocket-Protocol: " + std::string(trim(offered.substr(0, offered.find(',')))) + "\r\n";
    return out + "Sec-WebSocket-Accept: " + encoded + "\r\n\r\n";
}

}  // namespace simulator
