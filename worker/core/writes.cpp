#include "core/writes.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace tradesync {

std::uint64_t Writes::send(Request request) {
  request.id = ++last_id_;
  waiting_.push_back(std::move(request));
  return last_id_;
}

bool Writes::withdraw(std::uint64_t id) {
  return std::erase_if(waiting_, [&](const Request& request) { return request.id == id; }) > 0;
}

void Writes::pump(std::int64_t now_ms, std::vector<Action>& actions) {
  while (!waiting_.empty() && clock_.known() && under_way_.size() < limits::kWritesInFlight && budget_.take(1, now_ms)) {
    Request request = std::move(waiting_.front());
    waiting_.pop_front();
    actions.push_back(SendRequest{request});
    under_way_.emplace(request.id, Written{std::move(request), now_ms});
  }
}

std::int64_t Writes::next_deadline(std::int64_t now_ms) {
  if (waiting_.empty() || !clock_.known() || under_way_.size() >= limits::kWritesInFlight) return INT64_MAX;
  return budget_.ready_at(1, now_ms);
}

std::optional<Writes::Written> Writes::take_reply(const Reply& reply, std::int64_t now_ms) {
  const auto it = under_way_.find(reply.id);
  if (it == under_way_.end()) return std::nullopt;
  Written written = std::move(it->second);
  under_way_.erase(it);
  if (reply.outcome == Outcome::throttled || reply.outcome == Outcome::banned)
    budget_.pause_until(now_ms + std::max(reply.retry_after_ms, limits::kBackoffFirstMs));
  if (reply.outcome == Outcome::clock) clock_.forget();
  return written;
}

void Writes::drop_all() {
  waiting_.clear();
  under_way_.clear();
}

}  // namespace tradesync
