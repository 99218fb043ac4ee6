// The one loop a newcomer must read: gather → decode → step → commit → send.
// One object per account worker: the account's machine (account_machine.hpp) on real sockets and a real clock, with its
// keys, its row in the tables, people's questions and what they see of it. It joins the rooms and decides nothing.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "app/account_machine.hpp"
#include "app/credentials.hpp"
#include "app/load.hpp"
#include "app/net_wire.hpp"
#include "app/questions.hpp"
#include "app/status.hpp"
#include "app/trading_access.hpp"
#include "exchanges/exchange.hpp"
#include "net/inbox.hpp"
#include "net/loop.hpp"

namespace tradesync {

enum class TurnResult { ok, again, leave };

class Worker {
 public:
  // Throws std::runtime_error with a sentence for the log when the account cannot be served.
  Worker(std::int32_t account_id, Account account, Loaded loaded, const TradingSettings& trading);

  int descriptor() const { return loop_.descriptor(); }
  int timeout_ms();
  TurnResult turn();
  void reload();   // settings or credentials may have changed
  void look(bool commit_expected);  // commands, questions, account row; commit_expected: by whoever has woken us
  bool stop();     // true when every socket has said goodbye

 private:
  void choose_venue();
  void read_credentials();
  bool claim_account();
  void make_machine();
  void start(std::int64_t now_ms);
  void claim_again(std::int64_t now_ms);
  EngineSettings engine_settings() const;
  AccessFacts access_facts() const;

  void gather(std::int64_t now_ms);
  void read_commands(std::int64_t now_ms);
  void look_at_account(std::int64_t now_ms);
  void check_account_row();
  void follow_access(std::int64_t now_ms);
  void say_session_change();
  void give_memory_back(std::int64_t now_ms);
  void publish(std::int64_t now_ms);

  std::int32_t account_id_;
  Account account_;
  const Exchange* exchange_ = nullptr;
  Endpoints endpoints_;
  CredentialsFile credentials_;
  std::string disabled_reason_;   // no keys, or another worker holds this account: prices only
  TradingAccess access_;
  TradingSettings trading_;

  net::Loop loop_;
  net::Inbox inbox_;
  std::optional<NetWire> wire_;

  Loaded loaded_;                  // until start() has decided what kind of engine serves the account
  std::unique_ptr<AccountMachine> machine_;
  Questions questions_;
  StatusBoard status_;

  SessionState told_session_ = SessionState::connecting;
  std::int64_t look_at_ms_ = 0, burst_at_ms_ = 0, claim_at_ms_ = 0;
  std::int64_t account_at_ms_ = INT64_MAX, awake_until_ms_ = 0;
  bool started_ = false, restart_wanted_ = false, leave_ = false, stopping_ = false;
};

}  // namespace tradesync
