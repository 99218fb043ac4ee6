// Writes JSON text straight into a string: no tree, no surprises about numbers. The caller keeps brackets balanced.
//   JsonWriter w;  w.open().field("symbol", "BTCUSDT").number("seq", 5).key("list").array() ... .end_array().close();
#pragma once

#include "market/decimal.hpp"

#include <string>
#include <string_view>

namespace market {

class JsonWriter {
public:
    JsonWriter& open() { comma(); out_ += '{'; fresh_ = true; return *this; }
    JsonWriter& close() { out_ += '}'; fresh_ = false; return *this; }
    JsonWriter& array() { comma(); out_ += '['; fresh_ = true; return *this; }
    JsonWriter& end_array() { out_ += ']'; fresh_ = false; return *this; }

    JsonWriter& key(std::string_view name) { comma(); quote(name); out_ += ':'; fresh_ = true; return *this; }
    JsonWriter& field(std::string_view name, std::string_view text) { return key(name).value(text); }
    JsonWriter& field(std::string_view name, const char* text) { return key(name).value(std::string_view(text)); }
    JsonWriter& field(std::string_view name, Decimal number) { return key(name).value(number.text()); }   // as a string
    JsonWriter& number(std::string_view name, int64_t number) { return key(name).raw(std::to_string(number)); }
    JsonWriter& boolean(std::string_view name, bool flag) { return key(name).raw(flag ? "true" : "false"); }
    JsonWriter& null(std::string_view name) { return key(name).raw("null"); }

    JsonWriter& value(std::string_view text) { comma(); quote(text); return *this; }
    JsonWriter& raw(std::string_view json) { comma(); out_ += json; return *this; }       // trusted JSON text
    // Pastes the members of an object text ("{...}") into the open object; an empty object adds nothing.
    JsonWriter& members_of(std::string_view object);

    const std::string& text() const { return out_; }
    std::string take() { return std::move(out_); }

private:
    void comma() { if (!fresh_) out_ += ','; fresh_ = false; }
    void quote(std::string_view text);

    std::string out_;
    bool fresh_ = true;
};

}  // namespace market
