// The side under test: loop, inbox and what the inbox has delivered so far. Waits for conditions, with a bound.
#pragma once
#include <malloc.h>
#include <poll.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "net/inbox.hpp"
#include "net/loop.hpp"

namespace tradesync::net::fake {

struct Delivered {
  Item item;
  std::string bytes;
};

struct Client {
  Loop loop;
  Inbox inbox;
  std::vector<Delivered> delivered;
  std::function<void()> after_clear = [] {};
  int wake_ups = 0;
  bool padding_is_zero = true;

  void take() {
    for (const Item& item : inbox.items()) {
      const std::string_view bytes = inbox.bytes(item);
      padding_is_zero &= std::all_of(bytes.end(), bytes.end() + 64, [](char c) { return c == 0; });
      delivered.push_back({item, std::string(bytes)});
    }
    inbox.clear();
    after_clear();
  }

  // One wait as the worker does it: on the descriptor, for as long as the loop says.
  void turn(std::int64_t limit_ms) {
    const std::int64_t timed = loop.timeout_ms();
    pollfd ready{loop.descriptor(), POLLIN, 0};
    if (timed != 0) poll(&ready, 1, static_cast<int>(timed < 0 ? limit_ms : std::min(timed, limit_ms)));
    ++wake_ups;
    loop.run_once();
    take();
  }

  bool until(const std::function<bool()>& condition, std::int64_t limit_ms = 10'000) {
    const std::int64_t end = loop.now_ms() + limit_ms;
    while (!condition()) {
      const std::int64_t left = end - loop.now_ms();
      if (left <= 0) return false;
      turn(left);
    }
    return true;
  }

  // For conditions that the loop knows nothing of, and so does not wake up for.
  bool until_outside(const std::function<bool()>& condition, std::int64_t limit_ms = 10'000) {
    const std::int64_t end = loop.now_ms() + limit_ms;
    while (!condition()) {
      if (loop.now_ms() >= end) return false;
      turn(5);
    }
    return true;
  }

  // Does a batch of two hundred leave less than 100 bytes of each behind? Pools of the allocator and of libraries grow for
  // about a thousand and then no more (24, 16, 39, 9, 11, 1, 3, 1 kB seen), a leak grows by every batch: who needs a second one
  // has to come down to 25 bytes. Whoever was on the other side of the last connection may need a moment.
  bool leaves_no_memory_behind(const std::function<void()>& batch) {
    for (int i = 0; i < 20; ++i) {
      const std::size_t before = mallinfo2().uordblks, most = i == 0 ? 20'000 : 5'000;
      batch();
      if (until_outside([&] { return mallinfo2().uordblks < before + most; }, 300)) return true;
    }
    return false;
  }

  int count(Item::Kind kind) const {
    return static_cast<int>(std::count_if(delivered.begin(), delivered.end(), [&](const auto& d) { return d.item.kind == kind; }));
  }
  const Delivered* last(Item::Kind kind) const {
    for (auto it = delivered.rbegin(); it != delivered.rend(); ++it)
      if (it->item.kind == kind) return &*it;
    return nullptr;
  }
  bool until_count(Item::Kind kind, int wanted, std::int64_t limit_ms = 10'000) {
    return until([&] { return count(kind) >= wanted; }, limit_ms);
  }
};

}  // namespace tradesync::net::fake
