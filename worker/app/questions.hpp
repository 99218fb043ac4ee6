// Questions that sessions ask through shared memory: sync_positions, subscriptions. Answered from memory, never from tables.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "core/engine.hpp"
#include "postgres/wall.h"

namespace tradesync {

class Questions {
 public:
  explicit Questions(std::string exchange) : exchange_(std::move(exchange)) {}

  // Takes what has been posted; answers at once what can be.
  void take(const Engine& engine, std::int64_t now_ms);
  // Hands new wishes to the engine and answers sync_positions when every subscription has its answer, or time is up.
  void serve(Engine& engine, std::int64_t now_ms, Effects& effects);
  std::int64_t deadline_ms() const;

 private:
  struct Waiting {
    wall_question question;
    std::set<std::string> symbols, before;
    bool handed = false;
    std::int64_t deadline_ms = 0;
  };
  void answer_sync(const Engine& engine, const Waiting& waiting) const;
  void answer_subscriptions(const Engine& engine, const wall_question& question, std::int64_t now_ms) const;

  std::string exchange_;
  std::vector<Waiting> waiting_;
};

}  // namespace tradesync
