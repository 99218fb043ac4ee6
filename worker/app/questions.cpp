#include "app/questions.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
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

// An answer that comes too late is none: what is known by then is said a little before the asker's patience ends.
std::int64_t answer_ms(const wall_question& question) {
  const std::int64_t timeout_ms = question.timeout_ms;
  return std::max<std::int64_t>(timeout_ms - std::max<std::int64_t>(timeout_ms / 10, 50), 0);
}

// "position_id,symbol,position_side"
std::optional<VerifyAsked> parse_verify(std::string_view argument) {
  const auto first = argument.find(','), last = argument.rfind(',');
  if (first == std::string_view::npos || last == first) return std::nullopt;
  VerifyAsked asked;
  const std::string_view id = argument.substr(0, first);
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), asked.position_id);
  const auto side = position_side_from(argument.substr(last + 1));
  if (error != std::errc() || end != id.data() + id.size() || !side) return std::nullopt;
  asked.symbol = canonical_symbol(argument.substr(first + 1, last - first - 1));
  asked.side = *side;
  return asked;
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
      waiting_.push_back({question, comma_list(question.argument), engine.subscribed_symbols(), {}, {}, false, now_ms + kSyncAnswerMs});
    } else if (kind == "verify_position" && waiting_.size() < kWaitingQuestions) {
      take_verify(question, now_ms);
    } else if (kind == "tickers" && waiting_.size() < kWaitingQuestions) {
      take_tickers(question, now_ms);
    } else {
      wall_answer(&question, 0, 1, nullptr);
    }
  }
}

void Questions::take_verify(const wall_question& question, std::int64_t now_ms) {
  const auto asked = parse_verify(question.argument);
  if (!asked) return wall_answer(&question, 0, 6, nullptr);
  waiting_.push_back({question, {}, {}, *asked, {}, false, now_ms + answer_ms(question)});
  waiting_.back().verify.id = ++last_verify_id_;
}

void Questions::take_tickers(const wall_question& question, std::int64_t now_ms) {
  waiting_.push_back({question, {}, {}, {}, {++last_tickers_id_}, false, now_ms + answer_ms(question)});
}

void Questions::serve(AccountMachine& machine, std::int64_t now_ms) {
  for (Waiting& waiting : waiting_) {
    if (waiting.handed) continue;
    waiting.handed = true;
    hand_over(waiting, machine, now_ms);
  }
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    if (!is_answered(waiting, machine.engine()) && now_ms < waiting.deadline_ms) return false;
    answer(waiting, machine.engine());
    return true;
  });
}

void Questions::hand_over(const Waiting& waiting, AccountMachine& machine, std::int64_t now_ms) const {
  if (waiting.verify.id != 0) machine.step(waiting.verify, now_ms);
  else if (waiting.tickers.id != 0) machine.step(waiting.tickers, now_ms);
  else machine.step(SyncAsked{{waiting.symbols.begin(), waiting.symbols.end()}}, now_ms);
}

bool Questions::is_answered(const Waiting& waiting, const Engine& engine) const {
  if (waiting.verify.id != 0) return engine.verification_done(waiting.verify.id);
  return waiting.tickers.id != 0 ? engine.tickers_done(waiting.tickers.id) : engine.sync_settled();
}

void Questions::answer(const Waiting& waiting, Engine& engine) const {
  if (waiting.verify.id != 0) answer_verify(engine, waiting);
  else if (waiting.tickers.id != 0) answer_tickers(engine, waiting);
  else answer_sync(engine, waiting);
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

// source, checked, confirmed, quantity, detail, took_ms
void Questions::answer_verify(Engine& engine, const Waiting& waiting) const {
  const auto rows = engine.take_verification(waiting.verify.id);
  std::vector<std::string> texts;
  for (const auto& row : rows)
    for (std::string text : {row.source, std::string(row.checked ? "t" : "f"), std::string(row.confirmed ? "t" : "f"),
                             row.quantity ? row.quantity->text() : std::string(), row.detail, std::to_string(row.took_ms)})
      texts.push_back(std::move(text));
  std::vector<wall_value> cells;
  for (const std::string& text : texts) cells.push_back(cell(text));
  wall_answer(&waiting.question, static_cast<std::int32_t>(rows.size()), 6, cells.data());
}

// symbol, volume of 24 hours in quote currency, last price
void Questions::answer_tickers(Engine& engine, const Waiting& waiting) const {
  const auto tickers = engine.take_tickers(waiting.tickers.id);
  std::vector<std::string> texts;
  for (const Ticker& ticker : tickers)
    for (std::string text : {ticker.symbol, ticker.quote_volume.text(), ticker.last ? ticker.last->text() : std::string()})
      texts.push_back(std::move(text));
  std::vector<wall_value> cells;
  for (const std::string& text : texts) cells.push_back(cell(text));
  wall_answer(&waiting.question, static_cast<std::int32_t>(tickers.size()), 3, cells.data());
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
