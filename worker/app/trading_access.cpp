#include "app/trading_access.hpp"

namespace tradesync {
namespace {

// Keys of one environment on the addresses of another lose money quietly: the file has to say which one they are for.
std::string live_refusal(const Account& account, const AccessFacts& facts) {
  if (!facts.live_trading && !facts.runs_live) return "mode is live but tradesync.live_trading is off; no orders are sent";
  if (!facts.key_problem.empty()) return "mode is live but no orders are sent: " + facts.key_problem;
  if (facts.loopback || facts.key_environment == account.environment) return {};
  if (facts.key_environment.empty()) return "mode is live but the credentials line names no environment; no orders are sent";
  return "credentials are for environment \"" + facts.key_environment + "\" but the account is on \"" + account.environment +
         "\"; no orders are sent";
}

}  // namespace

TradingAccess trading_access(const Account& account, const AccessFacts& facts) {
  TradingAccess access;
  if (account.mode == "dry_run") access.mode = TradingMode::dry_run;
  if (account.mode == "live") {
    access.refused = live_refusal(account, facts);
    if (access.refused.empty()) access.mode = TradingMode::live;
  }
  if (access.mode == TradingMode::live && !facts.live_trading) access.not_opening = "tradesync.live_trading is off";
  if (account.halted) access.not_opening = "the account is halted" + (account.halt_reason.empty() ? "" : ": " + account.halt_reason);
  return access;
}

}  // namespace tradesync
