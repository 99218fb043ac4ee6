// The wall of one simulated worker: hands its batches to the tables, or fails in the ways in which a database fails without
// anybody's fault. One per world; the functions of postgres/wall.h find the one that lives.
#pragma once
#include <deque>
#include <functional>
#include <set>
#include <string>

#include "sim/tables.hpp"

namespace tradesync::sim {

// The worker's process is gone: whatever it held in memory is lost, whatever it had sent is on its way.
struct Crash {
  const char* where;
};

class Wall {
 public:
  Wall(const VirtualClock& clock, Tables& tables);
  ~Wall();
  Wall(const Wall&) = delete;
  Wall& operator=(const Wall&) = delete;

  // ---- troubles, each used up by the next durable batch
  std::deque<wall_outcome> outcomes;      // of the next attempts to commit
  bool crash_before_commit = false, crash_after_commit = false;
  // ---- troubles that last: a person's transaction holds the row of this position
  std::set<std::int64_t> locked_positions;

  std::function<void(const std::string&)> log;        // everything that happened, one line each
  std::function<void()> committed;                    // a durable batch was saved
  std::function<void(const std::string&)> refused;    // a function refused a row, with this SQLSTATE

  // ---- as wall.h calls
  wall_outcome execute(const wall_call* calls, std::int32_t count, wall_mode mode, bool durable, wall_error* error);
  wall_outcome query(const char* function, wall_result* result);
  Ms unix_ms() const { return clock_.unix_ms(); }
  int batches = 0;

 private:
  bool is_locked(const wall_call& call, int row) const;

  const VirtualClock& clock_;
  Tables& tables_;
};

}  // namespace tradesync::sim
