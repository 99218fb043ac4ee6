// Quoting for json_writer.hpp.
#include "market/json_writer.hpp"

namespace market {

JsonWriter& JsonWriter::members_of(std::string_view object) {
    const std::string_view inner = object.substr(1, object.size() - 2);
    return inner.empty() ? *this : raw(inner);
}

void JsonWriter::quote(std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    out_ += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out_ += '\\';
            out_ += c;
        } else if (byte < 0x20) {
            out_ += "\\u00";
            out_ += kHex[byte >> 4];
            out_ += kHex[byte & 15];
        } else {
            out_ += c;
        }
    }
    out_ += '"';
}

}  // namespace market
