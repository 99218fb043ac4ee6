#include "exchanges/json_write.hpp"

#include <jansson.h>

#include <cstdlib>
#include <memory>

// PostgreSQL exports a function named json_object and the dynamic linker prefers it: calling jansson's function of that
// name from a loaded module crashes the cluster (BOUNDARIES 4.8b). Containers are therefore made with json_pack only.
namespace tradesync {
namespace {

struct Release {
  void operator()(json_t* value) const { json_decref(value); }
  void operator()(char* text) const { std::free(text); }
};
using Json = std::unique_ptr<json_t, Release>;

json_t* scalar(const std::string& text) { return json_pack("s%", text.data(), text.size()); }
json_t* scalar(std::int64_t number) { return json_pack("I", static_cast<json_int_t>(number)); }

json_t* value(const std::string& text) { return scalar(text); }
json_t* value(std::int64_t number) { return scalar(number); }
json_t* value(bool flag) { return json_pack("b", flag ? 1 : 0); }
json_t* value(const JsonList& list) {
  Json array(json_pack("[]"));
  for (const auto& element : list) {
    // A null element (text that is no UTF-8) makes the append fail.
    if (json_array_append_new(array.get(), std::visit([](const auto& v) { return scalar(v); }, element)) != 0) return nullptr;
  }
  return array.release();
}

}  // namespace

std::string write_json(std::initializer_list<JsonMember> members) { return write_json(std::vector<JsonMember>(members)); }

std::string write_json(const std::vector<JsonMember>& members) {
  Json object(json_pack("{}"));
  for (const auto& [name, content] : members) {
    json_t* member = std::visit([](const auto& v) { return value(v); }, content);
    if (json_object_set_new(object.get(), std::string(name).c_str(), member) != 0) return {};
  }
  const std::unique_ptr<char, Release> text(json_dumps(object.get(), JSON_COMPACT));
  return text ? std::string(text.get()) : std::string();
}

}  // namespace tradesync
