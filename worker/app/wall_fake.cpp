#include "app/wall_fake.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tradesync::test {
namespace {

WallFake* living = nullptr;

Row row_of(const wall_call& call, int row) {
  Row cells;
  for (int column = 0; column < call.columns; ++column) {
    const wall_value& value = call.values[row * call.columns + column];
    cells.push_back(value.size < 0 ? Cell() : Cell(std::string(value.data, static_cast<std::size_t>(value.size))));
  }
  return cells;
}

bool is_locked(const Row& row) {
  return std::any_of(row.begin(), row.end(), [](const Cell& cell) { return cell && living->locked.contains(*cell); });
}

// The SQLSTATE with which the row is refused, "" when it is welcome.
std::string refusal(const Row& row) {
  for (const Cell& cell : row)
    if (cell && living->refused.contains(*cell)) return living->refused.at(*cell);
  return {};
}

void set_error(wall_error* error, const std::string& state) {
  if (!error) return;
  std::snprintf(error->sqlstate, sizeof error->sqlstate, "%s", state.c_str());
  std::snprintf(error->message, sizeof error->message, "refused with %s", state.c_str());
}

wall_outcome execute_all(const WallFake::Batch& batch, wall_error* error) {
  for (const auto& call : batch.calls)
    for (const Row& row : call.rows) {
      if (is_locked(row)) return set_error(error, "55P03"), WALL_RETRY;
      if (const std::string state = refusal(row); !state.empty()) return set_error(error, state), WALL_REFUSED;
    }
  for (const auto& call : batch.calls) {
    auto& rows = living->saved[call.function];
    rows.insert(rows.end(), call.rows.begin(), call.rows.end());
  }
  return WALL_SAVED;
}

wall_outcome execute_each(const WallFake::Batch& batch, const wall_call* calls) {
  for (std::size_t i = 0; i < batch.calls.size(); ++i)
    for (std::size_t r = 0; r < batch.calls[i].rows.size(); ++r) {
      const Row& row = batch.calls[i].rows[r];
      const std::string state = refusal(row);
      const std::uint8_t fate = is_locked(row) ? 1 : (state.empty() ? 0 : 2);
      calls[i].fate[r] = fate;
      if (fate == 2 && calls[i].errors) set_error(&calls[i].errors[r], state);
      if (fate == 0) living->saved[batch.calls[i].function].push_back(row);
    }
  return WALL_SAVED;
}

}  // namespace

WallFake::WallFake() { living = this; }
WallFake::~WallFake() { living = nullptr; }

std::vector<Row> WallFake::saved_to(const std::string& short_name) const {
  const auto it = saved.find("monitoring.worker_save_" + short_name);
  return it == saved.end() ? std::vector<Row>() : it->second;
}

}  // namespace tradesync::test

using tradesync::test::living;
using tradesync::test::WallFake;

extern "C" {

wall_outcome wall_execute(int32_t, const wall_call* calls, int32_t count, wall_mode mode, bool durable, const char*,
                          wall_error* error) {
  WallFake::Batch batch{mode, durable, WALL_SAVED, {}};
  for (int32_t i = 0; i < count; ++i) {
    batch.calls.push_back({calls[i].function, calls[i].row_type, {}});
    for (int32_t row = 0; row < calls[i].rows; ++row) batch.calls.back().rows.push_back(tradesync::test::row_of(calls[i], row));
  }
  if (!living->outcomes.empty()) {
    batch.outcome = living->outcomes.front();
    living->outcomes.pop_front();
    tradesync::test::set_error(error, batch.outcome == WALL_GONE ? "42P01" : "XX000");
  }
  if (batch.outcome == WALL_SAVED)
    batch.outcome = mode == WALL_ALL ? tradesync::test::execute_all(batch, error) : tradesync::test::execute_each(batch, calls);
  living->batches.push_back(batch);
  return batch.outcome;
}

wall_outcome wall_query(const char* function, int32_t, wall_result* result, wall_error* error) {
  *result = {};
  living->queries.push_back(function);
  if (living->failing.contains(function)) {
    tradesync::test::set_error(error, "53200");
    return WALL_REFUSED;
  }
  const auto it = living->tables.find(function);
  if (it == living->tables.end()) {
    tradesync::test::set_error(error, "42883");
    return WALL_GONE;
  }
  result->rows = static_cast<int32_t>(it->second.size());
  result->columns = it->second.empty() ? 0 : static_cast<int32_t>(it->second[0].size());
  result->cells = static_cast<char**>(std::calloc(static_cast<std::size_t>(result->rows * result->columns) + 1, sizeof(char*)));
  result->memory = result->cells;
  int cell = 0;
  for (const auto& row : it->second)
    for (const auto& value : row) result->cells[cell++] = value ? ::strdup(value->c_str()) : nullptr;
  return WALL_SAVED;
}

void wall_free_result(wall_result* result) {
  for (int32_t i = 0; i < result->rows * result->columns; ++i) std::free(result->cells[i]);
  std::free(result->memory);
  *result = {};
}

void wall_log(char level, const char* message, const char*, const char*) {
  if (living && level == 'W') living->warnings.push_back(message);
}

const char* wall_setting(const char* name) {
  const auto it = living->settings.find(name);
  return it == living->settings.end() ? nullptr : it->second.c_str();
}
int64_t wall_setting_number(const char* name, int64_t fallback) {
  const char* text = wall_setting(name);
  return text ? std::atoll(text) : fallback;
}
const char* wall_data_directory(void) { return living->data_directory.c_str(); }

void wall_publish(const wall_status*) {}
void wall_activity(const char*) {}
bool wall_take_question(wall_question* question) {
  if (living->questions.empty()) return false;
  *question = living->questions.front();
  living->questions.pop_front();
  return true;
}
void wall_answer(const wall_question* question, int32_t rows, int32_t columns, const wall_value* cells) {
  WallFake::Answer answer{*question, {}};
  wall_call call{};
  call.columns = columns;
  call.values = cells;
  for (int32_t row = 0; row < rows; ++row) answer.rows.push_back(tradesync::test::row_of(call, row));
  living->answers.push_back(std::move(answer));
}
bool wall_claim_account(const char*) { return true; }
int64_t wall_unix_ms(void) { return living->unix_ms; }

}  // extern "C"
