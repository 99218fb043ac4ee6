// What the tables know when a worker starts: the account's row, its open positions and orders, its cursors.
#pragma once
#include <string>

#include "core/engine.hpp"
#include "postgres/wall.h"

namespace tradesync {

struct Account {
  std::string name, exchange, environment, mode, rest_url, ws_public_url, ws_private_url, halt_reason;
  bool enabled = false, halted = false;

  // The same connection: nothing that needs a new start has changed.
  bool same_connection(const Account& other) const {
    return name == other.name && exchange == other.exchange && environment == other.environment && mode == other.mode &&
           rest_url == other.rest_url && ws_public_url == other.ws_public_url && ws_private_url == other.ws_private_url;
  }
};

enum class LoadResult { ok, no_account, gone, failed };
LoadResult load_account(std::int32_t account_id, Account& account, std::string& error);
LoadResult load_state(std::int32_t account_id, Loaded& loaded, std::string& error);

}  // namespace tradesync
