// The wall in memory: what is executed is kept, rows can be locked or refused, queries answer from tables made by a test.
// One per test: the functions of postgres/wall.h find the one that lives.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "postgres/wall.h"

namespace tradesync::test {

using Cell = std::optional<std::string>;
using Row = std::vector<Cell>;

class WallFake {
 public:
  WallFake();
  ~WallFake();
  WallFake(const WallFake&) = delete;
  WallFake& operator=(const WallFake&) = delete;

  struct Call {
    std::string function, row_type;
    std::vector<Row> rows;
  };
  struct Batch {
    wall_mode mode = WALL_ALL;
    bool durable = false;
    wall_outcome outcome = WALL_SAVED;
    std::vector<Call> calls;
  };

  // ---- how it behaves
  std::set<std::string> locked;                    // a row with this cell is locked by somebody
  std::map<std::string, std::string> refused;      // a row with this cell is refused with this SQLSTATE
  std::deque<wall_outcome> outcomes;               // of the next batches, whatever they hold
  std::map<std::string, std::vector<Row>> tables;  // answers of wall_query by function
  std::map<std::string, std::string> settings;
  std::deque<wall_question> questions;             // posted by somebody
  std::set<std::string> failing;                   // functions whose query fails for now
  std::string data_directory = "/nowhere";
  std::int64_t unix_ms = 0;

  // ---- what happened
  std::vector<Batch> batches;
  std::map<std::string, std::vector<Row>> saved;  // by function, in the order of writing
  std::vector<std::string> warnings;
  std::vector<std::string> queries;               // functions asked by wall_query, in their order
  struct Answer {
    wall_question question;
    std::vector<Row> rows;
  };
  std::vector<Answer> answers;

  std::vector<Row> saved_to(const std::string& short_name) const;  // "orders" for monitoring.worker_save_orders
};

}  // namespace tradesync::test
