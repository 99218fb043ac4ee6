// WebSocket frames (RFC 6455), server side, without extensions. Deliberately able to write frames that are wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace simulator {

enum class Opcode : uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

std::string websocket_frame(Opcode opcode, std::string_view payload, bool is_final = true);
std::string close_payload(uint16_t code, std::string_view reason);

// Client bytes to whole messages. Control frames come out between the fragments of a message.
class WebSocketReader {
public:
    struct Message { Opcode opcode; std::string payload; };
    void add(std::string_view bytes) { buffer_ += bytes; }
    std::optional<Message> next();
    bool is_broken() const { return broken_; }     // unmasked, oversized or out of sequence

private:
    std::string buffer_, fragments_;
    Opcode fragment_opcode_ = Opcode::continuation;
    bool broken_ = false;
};

}  // namespace simulator
