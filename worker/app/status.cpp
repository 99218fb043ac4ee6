#include "app/status.hpp"

#include <algorithm>
#include <cstring>

#include "postgres/wall.h"

namespace tradesync {
namespace {

constexpr std::int64_t kPublishMs = 250;

template <std::size_t Size>
void copy(char (&to)[Size], std::string_view from) {
  const std::size_t size = std::min(from.size(), Size - 1);
  std::memcpy(to, from.data(), size);
  to[size] = '\0';
}

}  // namespace

void StatusBoard::publish(const Engine& engine, const Input& input, std::int64_t now_ms) {
  const bool changed = fresh_ || input.state != state_;
  if (!changed && now_ms - published_ms_ < kPublishMs) return;
  const std::int64_t unix_ms = wall_unix_ms();
  if (changed) {
    state_ = input.state;
    since_unix_ms_ = unix_ms;
    fresh_ = false;
  }
  published_ms_ = now_ms;
  const auto unix_time = [&](std::int64_t monotonic_ms) { return monotonic_ms == 0 ? 0 : monotonic_ms - now_ms + unix_ms; };

  wall_status status{};
  copy(status.state, input.state);
  status.halted = input.halted;
  copy(status.halt_reason, input.halt_reason);
  status.since_ms = since_unix_ms_;
  copy(status.last_error, input.last_error);
  status.clock_offset_ms = engine.clock().known() ? engine.clock().venue_now(now_ms) - unix_ms : 0;
  status.events = input.events;
  status.commits = input.commits;
  status.dead_letters = input.dead_letters;
  status.pending_rows = input.pending_rows;
  for (const StreamReport& report : engine.streams()) {
    if (status.stream_count >= WALL_MAX_STREAMS) break;
    wall_stream_status& stream = status.streams[status.stream_count++];
    copy(stream.stream, report.stream);
    copy(stream.state, report.state);
    stream.connected_at_ms = unix_time(report.connected_ms);
    stream.last_message_at_ms = unix_time(report.last_message_ms);
    stream.reconnects = report.reconnects;
    stream.subscriptions = report.subscriptions;
    stream.buffered = report.stream == "private" ? static_cast<std::int32_t>(engine.buffered()) : 0;
    stream.lag_ms = static_cast<std::int32_t>(report.lag_ms);
  }
  wall_publish(&status);
}

std::string printable(std::string_view bytes) {
  std::string out;
  const std::size_t size = std::min(bytes.size(), limits::kFrameSample);
  out.reserve(size);
  for (char c : bytes.substr(0, size)) out.push_back(c >= 0x20 && c < 0x7f ? c : '?');
  return out;
}

}  // namespace tradesync
