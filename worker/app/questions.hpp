// Questions that sessions ask through shared memory: sync_positions, subscriptions, verify_position, tickers. Answered from memory
// and from the venue, never from tables.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "app/account_machine.hpp"
#include "postgres/wall.h"

namespace tradesync {

class Questions {
 public:
  explicit Questions(std::string exchange) : exchange_(std::move(exchange)) {}

  // Takes what has been posted; answers at once what can be.
  void take(const Engine& engine, std::int64_t now_ms);
  // Hands new wishes to the engine and answers those whose answer is there, or whose time is up.
  void serve(AccountMachine& machine, std::int64_t now_ms);
  std::int64_t deadline_ms() const;

 private:
  struct Waiting {
    wall_question question;
    std::set<std::string> symbols, before;     // sync_positions
    VerifyAsked verify;                        // verify_position: its id is not 0
    TickersAsked tickers;                      // tickers: its id is not 0
    bool handed = false;
    std::int64_t deadline_ms = 0;
  };
  void take_verify(const wall_question& question, std::int64_t now_ms);
  void take_tickers(const wall_question& question, std::int64_t now_ms);
  void hand_over(const Waiting& waiting, AccountMachine& machine, std::int64_t now_ms) const;
  bool is_answered(const Waiting& waiting, const Engine& engine) const;
  void answer(const Waiting& waiting, Engine& engine) const;
  void answer_sync(const Engine& engine, const Waiting& waiting) const;
  void answer_verify(Engine& engine, const Waiting& waiting) const;
  void answer_tickers(Engine& engine, const Waiting& waiting) const;
  void answer_subscriptions(const Engine& engine, const wall_question& question, std::int64_t now_ms) const;

  std::string exchange_;
  std::vector<Waiting> waiting_;
  std::uint64_t last_verify_id_ = 0, last_tickers_id_ = 0;
};

}  // namespace tradesync
