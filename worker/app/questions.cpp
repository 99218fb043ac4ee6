#include "app/questions.hpp"

#include <algorithm>
#include <string_view>

namespace tradesync {
namespace {

constexpr std::int64_t kSyncAnswerMs = 900;  // sync_positions() promises its rows within a second
constexpr std::size_t kWaitingQuestions = 64;

std::set<std::string> comma_list(std::string_view list) {
  std::set<std::string> items;
  while (!list.empty()) {
    const auto end = list.find(',');
    if (const auto item = list.substr(0, end); !item.empty()) items.insert(canonical_symbol(item));
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  }
  return items;
}

wall_value cell(std::string_view text) { return {text.data(), static_cast<std::int32_t>(text.size())}; }

std::string_view word(PublicStreams::Topic topic) {
  switch (topic) {
    case PublicStreams::Topic::waiting: return "waiting";
    case PublicStreams::Topic::requested: return "requested";
    case PublicStreams::Topic::subscribed: return "subscribed";
    case PublicStreams::Topic::failed: return "failed";
  }
  return "waiting";
}

}  // namespace

void Questions::take(const Engine& engine, std::int64_t now_ms) {
  wall_question question{};
  while (wall_take_question(&question)) {
    const std::string_view kind = question.kind;
    if (kind == "subscriptions") {
      answer_subscriptions(engine, question, now_ms);
    } else if (kind == "sync_positions" && waiting_.size() < kWaitingQuestions) {
      waiting_.push_back({question, comma_list(question.argument), engine.subscribed_symbols(), false, now_ms + kSyncAnswerMs});
    } else {
      wall_answer(&question, 0, 1, nullptr);
    }
  }
}

void Questions::serve(Engine& engine, std::int64_t now_ms, Effects& effects) {
  for (Waiting& waiting : waiting_) {
    if (waiting.handed) continue;
    waiting.handed = true;
    engine.step(SyncAsked{{waiting.symbols.begin(), waiting.symbols.end()}}, now_ms, effects);
  }
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    if (!engine.sync_settled() && now_ms < waiting.deadline_ms) return false;
    answer_sync(engine, waiting);
    return true;
  });
}

std::int64_t Questions::deadline_ms() const {
  std::int64_t deadline = INT64_MAX;
  for (const Waiting& waiting : waiting_) deadline = std::min(deadline, waiting.handed ? waiting.deadline_ms : 0);
  return deadline;
}

void Questions::answer_sync(const Engine& engine, const Waiting& waiting) const {
  const auto rows = engine.sync_rows(waiting.before);
  std::vector<wall_value> cells;
  int count = 0;
  for (const auto& row : rows) {
    if (!waiting.symbols.empty() && !waiting.symbols.contains(row.symbol)) continue;
    for (const std::string* text : {&row.symbol, &row.outcome, &row.detail}) cells.push_back(cell(*text));
    ++count;
  }
  wall_answer(&waiting.question, count, 3, cells.data());
}

void Questions::answer_subscriptions(const Engine& engine, const wall_question& question, std::int64_t now_ms) const {
  const PublicStreams& prices = engine.prices();
  const std::int64_t unix_offset = wall_unix_ms() - now_ms;
  std::vector<std::string> texts;
  int count = 0;
  for (const std::string& symbol : prices.symbols()) {
    const auto status = prices.status(symbol);
    texts.push_back(status->link_number <= 1 ? "public" : "public-" + std::to_string(status->link_number));
    texts.push_back(symbol);
    texts.emplace_back(word(status->topic));
    texts.push_back(status->last_price_ms == 0 ? "" : std::to_string(status->last_price_ms + unix_offset));
    ++count;
  }
  std::vector<wall_value> cells;
  for (const std::string& text : texts) cells.push_back(text.empty() ? wall_value{nullptr, -1} : cell(text));
  wall_answer(&question, count, 4, cells.data());
}

}  // namespace tradesync
