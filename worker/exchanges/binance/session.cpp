// Binance as the core sees it: its numbers with their sources, its stream commands, and the one object that is the venue.
#include "exchanges/binance/binance.hpp"
#include "exchanges/json_write.hpp"

namespace tradesync::binance {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;
constexpr std::int64_t kDayMs = 24 * kHourMs;

// Columns "Weight" of §6–§11.
int weight(const Request& request) {
  const bool one_symbol = !request.symbol.empty();
  switch (request.kind) {
    case RequestKind::server_time:
    case RequestKind::instruments:
    case RequestKind::order:
    case RequestKind::conditional_order:
    case RequestKind::ticker:
    case RequestKind::cancel_order:
    case RequestKind::set_leverage:
    case RequestKind::create_listen_key:
    case RequestKind::keep_alive_listen_key: return 1;
    case RequestKind::place_order:  // counted as orders instead (§5.1)
    case RequestKind::set_position_stop: return 0;
    case RequestKind::positions:
    case RequestKind::leverages:
    case RequestKind::balances:
    case RequestKind::closed_orders:
    case RequestKind::executions: return 5;
    case RequestKind::position_mode:
    case RequestKind::income_symbols: return 30;
    case RequestKind::open_orders:
    case RequestKind::open_conditional_orders: return one_symbol ? 1 : 40;
    case RequestKind::tickers: return 40;
  }
  return 40;
}

constexpr VenueRules kRules = {
    .name = "binance",

    .listen_key = true,
    .listen_key_keep_alive_ms = 25 * kMinuteMs,  // valid for 60; keep alive every 20–30 (§11)

    // The venue pings every 3 min (§5.2), too rarely to notice a dead line; there is no ping message, so ours is the
    // protocol's. An idle account is silent for hours: silence proves nothing, the core's audit finds what was lost.
    .ping_interval_ms = 30'000,
    .private_silence_ms = 0,
    .rotate_after_ms = 23 * kHourMs,             // cut after 24 h (§5.2)
    .price_stale_ms = 5000,                      // markPrice@1s ticks every second (§14.2)

    .symbols_per_connection = 512,               // 1024 streams (§5.2), two per symbol
    .symbols_per_subscribe = 100,                // our own bound: a frame of about 8 kB
    .commands_per_second = 5,                    // 10 incoming messages per second, pongs included (§5.2)

    .conditional_orders_apart = true,            // algo service (§10)
    .executions_per_symbol = true,               // userTrades (§8.8)
    .leverage_apart = true,                      // v3/positionRisk has none (§7.2)
    .position_mode_account_wide = true,          // §7

    .execution_overlap_ms = kMinuteMs,           // rows appear up to seconds late (§8.3, §17 no. 35)
    .max_window_ms = 7 * kDayMs - 1000,          // "≤ 7 days" (§8.3, §8.8), kept clear of the edge

    .position_stops = false,                     // stops are conditional orders (§10)
    .receive_window_ms = kReceiveWindowMs,
    .conditional_orders_at_most = 200,           // per account, over all symbols (§10.3)
    .unfilled_memory_ms = 3 * kDayMs,            // §8.3
    // 300 per 10 s and 1200 per minute and account (§5.1), shared with COIN-M and with whoever else trades on it. Cancels
    // are counted along although the venue does not. 180 keeps both limits: six windows are 1080.
    .order_budget = 180,
    .order_budget_window_ms = 10'000,

    // 2400 per minute and IP (§5.1). The address is shared with COIN-M, other accounts and other programs; the venue's
    // header says what all of them have used, so the reserve only covers what they have under way.
    .budget = 2000,
    .budget_window_ms = kMinuteMs,
    .weight = weight,
};

// Stream names are lower case; bytes of non-ASCII symbols stay as they are.
JsonList stream_names(const std::vector<std::string>& symbols) {
  JsonList names;
  for (const auto& symbol : symbols) {
    names.emplace_back(lower(symbol) + "@markPrice@1s");
    names.emplace_back(lower(symbol) + "@miniTicker");
  }
  return names;
}

std::string change_subscriptions(std::string_view method, const StreamCommand& command) {
  const auto id = leading_integer(command.id);
  return id ? write_json({{"method", std::string(method)}, {"params", stream_names(command.symbols)}, {"id", *id}}) : std::string();
}

class Binance final : public Exchange {
 public:
  const VenueRules& rules() const override { return kRules; }
  std::optional<Endpoints> endpoints(std::string_view environment) const override { return binance::endpoints(environment); }

  HttpRequest encode(const Request& request, const Endpoints& endpoints, const Credentials& credentials,
                     std::int64_t venue_now_ms) const override {
    return encode_request(request, endpoints, credentials, venue_now_ms);
  }
  Reply decode(const Request& request, const HttpResponse& response) const override { return decode_reply(request, response); }

  std::string stream_url(StreamKind kind, const Endpoints& endpoints, std::string_view listen_key) const override {
    return binance::stream_url(kind, endpoints, listen_key);
  }
  // The listen key in the address is the login and the subscription; what is never needed is never sent.
  std::string encode(const StreamCommand& command, StreamKind, const Credentials&, std::int64_t) const override {
    switch (command.what) {
      case StreamCommand::What::subscribe: return change_subscriptions("SUBSCRIBE", command);
      case StreamCommand::What::unsubscribe: return change_subscriptions("UNSUBSCRIBE", command);
      case StreamCommand::What::authenticate:
      case StreamCommand::What::subscribe_account:
      case StreamCommand::What::ping: return {};
    }
    return {};
  }
  // Both kinds of stream speak one language.
  void decode(StreamKind, std::string_view message, Decoded& out) const override { decode_message(message, out); }
};

}  // namespace

const Exchange& exchange() {
  static const Binance* const venue = new Binance;  // never destroyed (BOUNDARIES 4.9)
  return *venue;
}

}  // namespace tradesync::binance
