// See wall.hpp.
#include "sim/wall.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tradesync::sim {
namespace {

Wall* living = nullptr;

void set_error(wall_error* error, const char* sqlstate, const char* message) {
  if (!error) return;
  std::snprintf(error->sqlstate, sizeof error->sqlstate, "%s", sqlstate);
  std::snprintf(error->message, sizeof error->message, "%s", message);
}

const char* sqlstate_of(wall_outcome outcome) {
  switch (outcome) {
    case WALL_SAVED: return "00000";
    case WALL_RETRY: return "40001";
    case WALL_GONE: return "42P01";
    case WALL_REFUSED: return "53100";
  }
  return "XX000";
}

std::string line_of(const wall_call& call, int row) {
  const CellsOf cells(call, row);
  std::string line = std::string("  ") + (call.function + sizeof "monitoring.worker_" - 1) + "(";
  for (int column = 0; column < call.columns; ++column) line += (column ? "," : "") + cells.text(column);
  return line + ")";
}

}  // namespace

Wall::Wall(const VirtualClock& clock, Tables& tables) : clock_(clock), tables_(tables) { living = this; }
Wall::~Wall() { living = nullptr; }

bool Wall::is_locked(const wall_call& call, int row) const {
  const std::string_view function = call.function;
  const CellsOf cells(call, row);
  if (function == "monitoring.worker_save_positions" && !tables_.reserved.empty() && !cells.amount(2).is_zero() &&
      tables_.reserved.contains({cells.text(0), cells.text(1)}) && !tables_.open_position(cells.text(0), cells.text(1)))
    return true;
  if (locked_positions.empty()) return false;
  for (const std::int64_t id : locked_positions) {
    if (function == "monitoring.worker_save_position_updates" && cells.number(0) == id) return true;
    const bool by_key = function == "monitoring.worker_save_positions" || function == "monitoring.worker_close_positions";
    const PositionRow* row_of = tables_.position(id);
    if (by_key && row_of && row_of->is_open() && row_of->symbol == cells.view(0) && row_of->position_side == cells.view(1)) return true;
  }
  return false;
}

wall_outcome Wall::execute(const wall_call* calls, std::int32_t count, wall_mode mode, bool durable, wall_error* error) {
  ++batches;
  if (durable && crash_before_commit) {
    crash_before_commit = false;
    throw Crash{"before commit"};
  }
  if (durable && !outcomes.empty()) {
    const wall_outcome outcome = outcomes.front();
    outcomes.pop_front();
    if (outcome != WALL_SAVED) {
      set_error(error, sqlstate_of(outcome), "the simulated database says no");
      if (log) log(std::string("commit refused with ") + sqlstate_of(outcome));
      return outcome;
    }
  }
  for (std::int32_t i = 0; i < count && mode == WALL_ALL; ++i)
    for (std::int32_t row = 0; row < calls[i].rows; ++row)
      if (is_locked(calls[i], row)) {
        set_error(error, "55P03", "a row is locked by somebody");
        return WALL_RETRY;
      }
  bool halts = false;
  for (std::int32_t i = 0; i < count && mode == WALL_ALL; ++i)
    for (std::int32_t row = 0; row < calls[i].rows; ++row) {
      halts = halts || tables_.halts(calls[i], row);
      if (const std::string sqlstate = tables_.refuses(calls[i], row, halts); !sqlstate.empty()) {
        set_error(error, sqlstate.c_str(), "a function refuses a row");
        return WALL_REFUSED;
      }
    }
  for (std::int32_t i = 0; i < count; ++i)
    for (std::int32_t row = 0; row < calls[i].rows; ++row) {
      const bool waits = is_locked(calls[i], row);
      const std::string sqlstate = waits ? std::string() : tables_.refuses(calls[i], row);
      if (mode == WALL_EACH) calls[i].fate[row] = waits ? 1 : sqlstate.empty() ? 0 : 2;
      if (!sqlstate.empty()) {
        set_error(calls[i].errors ? &calls[i].errors[row] : nullptr, sqlstate.c_str(), "a function refuses the row");
        if (log) log("refused with " + sqlstate + line_of(calls[i], row));
        if (refused) refused(sqlstate);
      }
      if (waits || !sqlstate.empty()) continue;
      if (log && durable && std::strcmp(calls[i].row_type, "monitoring.instrument_row") != 0) log(line_of(calls[i], row));
      tables_.execute(calls[i], row);
    }
  if (durable && committed) committed();
  if (durable && crash_after_commit) {
    crash_after_commit = false;
    throw Crash{"between commit and send"};
  }
  return WALL_SAVED;
}

wall_outcome Wall::query(const char* function, wall_result* result) {
  const Answer answer = tables_.query(function);
  const auto& rows = answer.rows();
  result->rows = static_cast<std::int32_t>(rows.size());
  result->columns = rows.empty() ? 0 : static_cast<std::int32_t>(rows[0].size());
  result->cells = static_cast<char**>(std::calloc(rows.size() * static_cast<std::size_t>(result->columns) + 1, sizeof(char*)));
  result->memory = result->cells;
  std::size_t at = 0;
  for (const auto& row : rows)
    for (const auto& cell : row) result->cells[at++] = cell ? ::strdup(cell->c_str()) : nullptr;
  return WALL_SAVED;
}

}  // namespace tradesync::sim

using tradesync::sim::living;

extern "C" {

wall_outcome wall_execute(int32_t, const wall_call* calls, int32_t count, wall_mode mode, bool durable, const char*, wall_error* error) {
  return living->execute(calls, count, mode, durable, error);
}
wall_outcome wall_query(const char* function, int32_t, wall_result* result, wall_error*) {
  *result = {};
  return living->query(function, result);
}
void wall_free_result(wall_result* result) {
  for (int32_t i = 0; i < result->rows * result->columns; ++i) std::free(result->cells[i]);
  std::free(result->memory);
  *result = {};
}
void wall_log(char level, const char* message, const char* detail, const char*) {
  if (living->log && level != 'D') living->log(std::string("server log: ") + message + (detail ? std::string(" – ") + detail : ""));
}
const char* wall_setting(const char*) { return nullptr; }
int64_t wall_setting_number(const char*, int64_t fallback) { return fallback; }
const char* wall_data_directory(void) { return ""; }
void wall_publish(const wall_status*) {}
void wall_activity(const char*) {}
bool wall_take_question(wall_question*) { return false; }
void wall_answer(const wall_question*, int32_t, int32_t, const wall_value*) {}
bool wall_claim_account(const char*) { return true; }
int64_t wall_unix_ms(void) { return living->unix_ms(); }

}  // extern "C"
