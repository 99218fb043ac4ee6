// What the tables know when a worker starts: the account's row, its open positions and orders, its cursors; for accounts
// that trade also what people want of it and what of that has been sent (load_trading.cpp).
#pragma once
#include <string>
#include <vector>

#include "core/engine.hpp"
#include "postgres/wall.h"

namespace tradesync {

struct Account {
  std::string name, exchange, environment, mode, rest_url, ws_public_url, ws_private_url, halt_reason;
  std::string version;  // of its row: changes with each update
  bool enabled = false, halted = false;

  // The same connection: nothing that needs a new start has changed.
  bool same_connection(const Account& other) const {
    return name == other.name && exchange == other.exchange && environment == other.environment && mode == other.mode &&
           rest_url == other.rest_url && ws_public_url == other.ws_public_url && ws_private_url == other.ws_private_url;
  }
};

// account_changed: the tables hold another version of the account's row than the caller knows; nothing was taken.
enum class LoadResult { ok, no_account, gone, failed, account_changed };
LoadResult load_account(std::int32_t account_id, Account& account, std::string& error);
LoadResult load_state(std::int32_t account_id, Loaded& loaded, std::string& error);

// Adds the trading part: epoch, a block of order ids, positions, own orders, commands, modes, leverages, balances.
LoadResult load_trading(std::int32_t account_id, const std::string& account_version, Loaded& loaded, std::string& error);
// The account's settings that trading depends on; mode and not_opening are the caller's to decide.
LoadResult load_trading_settings(std::int32_t account_id, TradingSettings& settings, std::string& error);

// While the worker runs. Each is one query; what it finds is appended.
LoadResult load_commands(std::int32_t account_id, const std::string& account_version, std::vector<Command>& commands,
                         std::vector<LoadedTrade>& opening, std::string& error);
LoadResult reserve_order_ids(std::int32_t account_id, std::vector<std::int64_t>& order_ids, std::string& error);

}  // namespace tradesync
