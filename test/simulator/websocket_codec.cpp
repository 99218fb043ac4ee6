// See websocket_codec.hpp.
#include "simulator/websocket_codec.hpp"

#include <utility>

namespace simulator {

namespace {
constexpr uint64_t kMaxPayload = 4 * 1024 * 1024;
}

std::string websocket_frame(Opcode opcode, std::string_view payload, bool is_final) {
    std::string frame;
    frame += static_cast<char>((is_final ? 0x80 : 0) | static_cast<int>(opcode));
    if (payload.size() < 126) {
        frame += static_cast<char>(payload.size());
    } else {
        const bool is_long = payload.size() > 0xFFFF;
        frame += static_cast<char>(is_long ? 127 : 126);
        for (int shift = is_long ? 56 : 8; shift >= 0; shift -= 8) frame += static_cast<char>(payload.size() >> shift);
    }
    frame += payload;
    return frame;
}

std::string close_payload(uint16_t code, std::string_view reason) {
    std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
    payload += reason;
    return payload;
}

std::optional<WebSocketReader::Message> WebSocketReader::next() {
    while (!broken_ && buffer_.size() >= 2) {
        const auto byte = [&](size_t i) { return static_cast<unsigned char>(buffer_[i]); };
        uint64_t length = byte(1) & 0x7F;
        size_t head = 2;
        const size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
        if (buffer_.size() < head + extra + 4) return std::nullopt;
        if (extra > 0) {
            length = 0;
            for (size_t i = 0; i < extra; ++i) length = length << 8 | byte(head + i);
        }
        head += extra;
        const bool masked = (byte(1) & 0x80) != 0;
        if (!masked || length > kMaxPayload) {
            broken_ = true;
            return std::nullopt;
        }
        if (buffer_.size() < head + 4 + length) return std::nullopt;
        std::string payload = buffer_.substr(head + 4, length);
        for (size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ buffer_[head + i % 4]);
        const bool is_final = (byte(0) & 0x80) != 0;
        const auto opcode = static_cast<Opcode>(byte(0) & 0x0F);
        buffer_.erase(0, head + 4 + length);

        if (opcode >= Opcode::close) return Message{opcode, std::move(payload)};
        if (opcode != Opcode::continuation) fragment_opcode_ = opcode;
        fragments_ += payload;
        if (fragments_.size() > kMaxPayload) broken_ = true;
        if (is_final && !broken_) return Message{fragment_opcode_, std::exchange(fragments_, {})};
    }
    return std::nullopt;
}

}  // namespace simulator
