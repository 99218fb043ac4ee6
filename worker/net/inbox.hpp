// Where the network leaves what it received and the app's next turn picks it up: bytes in arrival order, nothing else.
// Bounded: when it is full the WebSocket is told to stop reading (TCP pushes back); nothing is dropped here.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tradesync::net {

struct Item {
  enum class Kind : std::uint8_t { opened, text, closed, http };
  Kind kind = Kind::text;
  std::uint64_t id = 0;      // socket id or request id, chosen by the caller
  // text: one whole message; http: the body. Followed by 64 readable zero bytes (see bytes()).
  std::size_t offset = 0, size = 0;
  bool binary = false;       // text: it came as a binary frame
  std::string note;          // closed: why; http: transport error ("" when complete)
  int status = 0;            // http
  bool complete = false;     // http
  std::vector<std::pair<std::string, std::string>> headers;  // http, names in lower case
  std::int64_t sent_ms = 0, received_ms = 0;                 // monotonic
};

class Inbox {
 public:
  static constexpr std::size_t kMaxItems = 1024;              // a turn takes all: this bounds its transaction and its memory
  static constexpr std::size_t kMaxBytes = 16 * 1024 * 1024;  // high-water mark for reading on

  void push_text(std::uint64_t id, std::string_view message, bool binary, std::int64_t now_ms);
  void push_opened(std::uint64_t id, std::int64_t now_ms);
  void push_closed(std::uint64_t id, std::string why, std::int64_t now_ms);
  void push_http(Item item, std::string_view body);

  bool wants_more() const { return items_.size() < kMaxItems && arena_.size() < kMaxBytes; }
  bool empty() const { return items_.empty(); }
  const std::vector<Item>& items() const { return items_; }
  // The bytes of one item; valid until clear(). At least 64 readable bytes follow them.
  std::string_view bytes(const Item& item) const { return {arena_.data() + item.offset, item.size}; }
  // Forgets everything; keeps at most 1 MiB of capacity so that a burst does not stay resident.
  void clear();

 private:
  void push(Item&& item, std::string_view bytes);

  std::vector<Item> items_;
  std::vector<char> arena_;
};

}  // namespace tradesync::net
