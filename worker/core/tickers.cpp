#include "core/tickers.hpp"

#include <utility>

namespace tradesync {

// A person can ask again: a venue that says no is not asked a second time.
void Tickers::begin(std::uint64_t id) {
  Request request;
  request.kind = RequestKind::tickers;
  questions_[id].request = requests_.ask(std::move(request), Requests::Priority::background, false);
}

bool Tickers::on_answer(const Answer& answer) {
  for (auto& [id, question] : questions_) {
    if (question.request != answer.request.id) continue;
    question.request = 0;
    for (const Fact& fact : answer.reply.facts)
      if (const auto* ticker = std::get_if<Ticker>(&fact)) question.tickers.push_back(*ticker);
    return true;
  }
  return false;
}

bool Tickers::done(std::uint64_t id) const {
  const auto it = questions_.find(id);
  return it != questions_.end() && it->second.request == 0;
}

std::vector<Ticker> Tickers::take(std::uint64_t id) {
  const auto it = questions_.find(id);
  if (it == questions_.end()) return {};
  if (it->second.request != 0) requests_.drop(it->second.request);
  std::vector<Ticker> tickers = std::move(it->second.tickers);
  questions_.erase(it);
  return tickers;
}

}  // namespace tradesync
