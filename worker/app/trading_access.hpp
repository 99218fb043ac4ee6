// May this account send orders? What its row, the server's settings and its keys say together (DESIGN §11, Modes).
#pragma once
#include <string>

#include "app/load.hpp"
#include "core/trading_settings.hpp"

namespace tradesync {

struct TradingAccess {
  TradingMode mode = TradingMode::observe;
  std::string refused;      // why an account whose mode is live runs as observe; "" = it does not
  std::string not_opening;  // mode dry_run, live: why nothing new is opened; "" = it is

  bool operator==(const TradingAccess&) const = default;
};

struct AccessFacts {
  bool live_trading = false;       // tradesync.live_trading
  bool runs_live = false;          // orders are being sent: what is open must stay protected
  bool loopback = false;           // every address of the account is this machine: a simulator
  std::string key_problem;         // why there are no usable keys, "" = there are
  std::string key_environment;     // fourth field of the credentials line, "" = none
};

TradingAccess trading_access(const Account& account, const AccessFacts& facts);

}  // namespace tradesync
