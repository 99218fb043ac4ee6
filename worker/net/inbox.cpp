// One growing block of bytes and a list of what lies where. The bytes are written once, from the library's buffer.
#include "net/inbox.hpp"

namespace tradesync::net {

namespace {

constexpr std::size_t kPadding = 64;           // simdjson reads up to 64 bytes past the end
constexpr std::size_t kKeptBytes = 1024 * 1024;

}  // namespace

void Inbox::push(Item&& item, std::string_view bytes) {
  item.offset = arena_.size();
  item.size = bytes.size();
  arena_.insert(arena_.end(), bytes.begin(), bytes.end());
  arena_.insert(arena_.end(), kPadding, '\0');
  items_.push_back(std::move(item));
}

void Inbox::push_text(std::uint64_t id, std::string_view message, bool binary, std::int64_t now_ms) {
  Item item;
  item.kind = Item::Kind::text;
  item.id = id;
  item.binary = binary;
  item.received_ms = now_ms;
  push(std::move(item), message);
}

void Inbox::push_opened(std::uint64_t id, std::int64_t now_ms) {
  Item item;
  item.kind = Item::Kind::opened;
  item.id = id;
  item.received_ms = now_ms;
  push(std::move(item), "");
}

void Inbox::push_closed(std::uint64_t id, std::string why, std::int64_t now_ms) {
  Item item;
  item.kind = Item::Kind::closed;
  item.id = id;
  item.note = std::move(why);
  item.received_ms = now_ms;
  push(std::move(item), "");
}

void Inbox::push_http(Item item, std::string_view body) {
  item.kind = Item::Kind::http;
  push(std::move(item), body);
}

void Inbox::clear() {
  items_.clear();
  if (arena_.capacity() <= kKeptBytes) return arena_.clear();
  arena_ = std::vector<char>();
  arena_.reserve(kKeptBytes);
}

}  // namespace tradesync::net
