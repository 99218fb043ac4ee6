// Remembers the last N keys with a value each: bounded, oldest forgotten first.
#pragma once
#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <string_view>

namespace tradesync {

template <class Value>
class Recent {
 public:
  explicit Recent(std::size_t capacity) : capacity_(capacity) {}

  Value* find(std::string_view key) {
    auto it = values_.find(key);
    return it == values_.end() ? nullptr : &it->second;
  }
  // true when the key is new.
  bool put(std::string_view key, Value value) {
    auto [it, added] = values_.insert_or_assign(std::string(key), std::move(value));
    if (!added) return false;
    order_.push_back(it);
    if (order_.size() > capacity_) {
      values_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }
  std::size_t size() const { return values_.size(); }

 private:
  using Map = std::map<std::string, Value, std::less<>>;
  std::size_t capacity_;
  Map values_;
  std::deque<typename Map::iterator> order_;
};

}  // namespace tradesync
