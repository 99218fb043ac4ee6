// The worker's process around the account machine, as worker/app/turn.cpp does it, without server, sockets and files: starts
// from the tables, takes turns, is thrown away when a turn says so, dies when the world wants it to.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "app/account_machine.hpp"
#include "sim/network.hpp"
#include "sim/tables.hpp"

namespace tradesync::sim {

class Process {
 public:
  Process(const VirtualClock& clock, Tables& tables, Network& network, const Exchange& exchange, std::string key, std::string secret,
          std::uint64_t seed);

  enum class End : std::uint8_t { none, again, broken, left };
  std::function<void(const std::string&)> log;

  bool is_running() const { return machine_ != nullptr; }
  bool is_live() const { return machine_ && machine_->engine().live(); }
  std::string state() const { return machine_ ? std::string(text(machine_->engine().session())) : "stopped"; }
  const AccountMachine* machine() const { return machine_.get(); }
  int starts() const { return starts_; }

  End start();                 // may throw Crash, as turn() may
  End turn();
  void kill();                 // nothing is said to anybody
  void look() { look_at_ms_ = 0; }
  // verify_position(): asks the worker; nobody asks again when it dies before it has answered.
  void verify(const std::string& symbol, const std::string& position_side, std::int64_t position_id);
  std::function<void(std::int64_t position_id, const std::vector<VerifyRow>&)> on_verified;
  bool has_open_questions() const { return !questions_.empty(); }
  bool is_due();
  Ms next_local_ms();          // when the next turn is due without any input

 private:
  End read_tables();
  End look_at_account(Ms now_ms);
  void gather();
  void hand_out_verifications();

  const VirtualClock& clock_;
  Tables& tables_;
  Network& network_;
  const Exchange& exchange_;
  const std::string key_, secret_;
  std::uint64_t seed_;
  Account account_;
  std::unique_ptr<AccountMachine> machine_;
  SessionState told_ = SessionState::connecting;
  Ms look_at_ms_ = 0, account_at_ms_ = INT64_MAX;
  int starts_ = 0;
  std::map<std::uint64_t, std::int64_t> questions_;   // without an answer: number -> position
  std::uint64_t last_question_ = 0;
};

}  // namespace tradesync::sim
