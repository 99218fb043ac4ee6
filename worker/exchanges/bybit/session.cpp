// What a session with Bybit needs to know, and the door to this folder.
#include "exchanges/bybit/bybit.hpp"

namespace tradesync::bybit {
namespace {

// Writes are counted by their own endpoints (§7), which is order_budget below.
int weight(const Request& request) { return is_write(request.kind) ? 0 : 1; }

constexpr VenueRules kRules{
    .name = "bybit",

    .listen_key = false,
    .login = true,              // §2.2, then §5
    .listen_key_keep_alive_ms = 0,

    .ping_interval_ms = 20000,    // §6.2: every 20 s
    .private_silence_ms = 45000,  // §6.2: 30–60 s; two pongs missed
    .rotate_after_ms = 0,         // §6.2: no forced disconnect is documented
    .price_stale_ms = 10000,      // §6.3: deltas leave out what has not moved, so a quiet symbol pauses longer than 5 s

    // §6.1: 21 000 characters of topics per connection; "tickers." + 30 characters + 3 of JSON stay below with 500.
    .symbols_per_connection = 500,
    // §6.1: one bad symbol spoils its whole request, so the requests are small.
    .symbols_per_subscribe = 50,
    .commands_per_second = 10,  // no number is documented; far below the 500 connections per 5 min they do mind

    .conditional_orders_apart = false,    // §3.14: order/realtime lists both
    .executions_per_symbol = false,       // §3.16
    .leverage_apart = false,              // §3.6
    .position_mode_account_wide = false,  // §3.7: per symbol

    .execution_overlap_ms = 60000,            // §5.1: from the last execution minus a margin; §3.15: lists lag
    .max_window_ms = 7LL * 24 * 3600 * 1000,  // §3.15, §3.16

    .position_stops = true,                   // §3.9
    .receive_window_ms = kReceiveWindowMs,
    .conditional_orders_at_most = 0,          // §3.10 limits them per symbol only, and our stops belong to the position
    .unfilled_memory_ms = 24LL * 3600 * 1000,  // §3.15
    .order_budget = 9,                        // §7: 10 per second and endpoint. Counted together; one is left for what the
    .order_budget_window_ms = 1000,           //     network squeezes into one of the venue's seconds

    .budget = 40,              // §7: 50 per second and endpoint; counted together we stay below each of them
    .budget_window_ms = 1000,  //     and below the 600 per 5 s of an address shared by three accounts
    .weight = weight,
};

class Bybit final : public Exchange {
 public:
  const VenueRules& rules() const override { return kRules; }
  std::optional<Endpoints> endpoints(std::string_view environment) const override { return bybit::endpoints(environment); }
  HttpRequest encode(const Request& request, const Endpoints& endpoints, const Credentials& credentials,
                     std::int64_t venue_now_ms) const override {
    return encode_request(request, endpoints, credentials, venue_now_ms);
  }
  Reply decode(const Request& request, const HttpResponse& response) const override { return decode_reply(request, response); }
  std::string stream_url(StreamKind kind, const Endpoints& endpoints, std::string_view) const override {
    return bybit::stream_url(kind, endpoints);
  }
  std::string encode(const StreamCommand& command, StreamKind kind, const Credentials& credentials,
                     std::int64_t venue_now_ms) const override {
    return encode_command(command, kind, credentials, venue_now_ms);
  }
  void decode(StreamKind kind, std::string_view message, Decoded& out) const override { decode_message(kind, message, out); }
};

}  // namespace

const Exchange& exchange() {
  // Never destroyed (BOUNDARIES 4.9).
  static const Exchange* const venue = new Bybit;
  return *venue;
}

}  // namespace tradesync::bybit
