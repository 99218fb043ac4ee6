// Writing the few JSON texts we send: commands on a stream, e.g. {"op":"subscribe","args":["order","position"]}, and the
// bodies of orders.
// The only file that includes jansson is json_write.cpp.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tradesync {

using JsonScalar = std::variant<std::string, std::int64_t>;  // money is text; an integer is an id or a time
using JsonList = std::vector<JsonScalar>;
using JsonMember = std::pair<std::string_view, std::variant<std::string, std::int64_t, bool, JsonList>>;

// One object on one line, members in the order given. "" when a text is not valid UTF-8: such a text must not be sent.
std::string write_json(const std::vector<JsonMember>& members);
std::string write_json(std::initializer_list<JsonMember> members);

}  // namespace tradesync
