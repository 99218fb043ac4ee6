// The one loop a newcomer must read: gather → decode → step → commit → send.
// One object per account worker. It joins the rooms and decides nothing: decisions are the engine's, bytes the network's,
// rows the wall's. After a failed commit it is thrown away and built anew from the tables.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/credentials.hpp"
#include "app/load.hpp"
#include "app/questions.hpp"
#include "app/status.hpp"
#include "app/store.hpp"
#include "core/engine.hpp"
#include "exchanges/exchange.hpp"
#include "net/http.hpp"
#include "net/inbox.hpp"
#include "net/loop.hpp"
#include "net/websocket.hpp"

namespace tradesync {

enum class TurnResult { ok, again, leave };

class Worker {
 public:
  // Throws std::runtime_error with a sentence for the log when the account cannot be served.
  Worker(std::int32_t account_id, Account account, Loaded loaded);

  int descriptor() const { return loop_.descriptor(); }
  int timeout_ms();
  TurnResult turn();
  void reload();   // settings or credentials may have changed
  void look();     // the latch was set: account row, questions
  bool stop();     // true when every socket has said goodbye

 private:
  void choose_venue();
  void read_credentials();
  bool claim_account();
  void start(std::int64_t now_ms);
  void claim_again(std::int64_t now_ms);
  EngineSettings engine_settings() const;

  void gather(std::int64_t now_ms);
  void on_text(const net::Item& item, std::int64_t now_ms);
  void on_http(const net::Item& item, std::int64_t now_ms);
  void send(const Action& action, std::int64_t now_ms);
  void send_request(const Request& request, std::int64_t now_ms);
  void say_session_change();
  void check_account_row(std::int64_t now_ms);
  void give_memory_back(std::int64_t now_ms);
  void publish(std::int64_t now_ms);

  std::int32_t account_id_;
  Account account_;
  const Exchange* exchange_ = nullptr;
  Endpoints endpoints_;
  CredentialsFile credentials_;
  std::string disabled_reason_;   // no keys, or another worker holds this account: prices only

  net::Loop loop_;
  net::Inbox inbox_;
  std::unique_ptr<net::WebSockets> sockets_;
  std::unique_ptr<net::Http> http_;

  Loaded loaded_;                  // until start() has decided what kind of engine serves the account
  std::unique_ptr<Engine> engine_;
  Effects effects_;
  Decoded decoded_;
  std::map<std::uint64_t, Request> requests_;       // under way
  std::map<std::uint64_t, bool> link_is_private_;   // open or opening sockets
  Store store_;
  Questions questions_;
  StatusBoard status_;

  SessionState told_session_ = SessionState::connecting;
  std::int64_t unix_offset_ms_ = 0;
  std::int64_t account_check_at_ms_ = 0, burst_at_ms_ = 0, claim_at_ms_ = 0;
  std::int64_t events_ = 0;
  bool started_ = false, restart_wanted_ = false, leave_ = false, stopping_ = false;
};

}  // namespace tradesync
