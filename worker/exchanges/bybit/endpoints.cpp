// Where Bybit lives (§1). Regional accounts replace the hosts by an override of the user.
#include "exchanges/bybit/bybit.hpp"

namespace tradesync::bybit {

std::optional<Endpoints> endpoints(std::string_view environment) {
  if (environment == "mainnet") return Endpoints{"https://api.bybit.com", "wss://stream.bybit.com", "wss://stream.bybit.com"};
  if (environment == "testnet")
    return Endpoints{"https://api-testnet.bybit.com", "wss://stream-testnet.bybit.com", "wss://stream-testnet.bybit.com"};
  // Demo trading has no market data of its own: it trades against mainnet prices.
  if (environment == "demo")
    return Endpoints{"https://api-demo.bybit.com", "wss://stream.bybit.com", "wss://stream-demo.bybit.com"};
  return std::nullopt;
}

std::string stream_url(StreamKind kind, const Endpoints& endpoints) {
  switch (kind) {
    case StreamKind::private_: return endpoints.private_stream + "/v5/private";
    case StreamKind::public_: return endpoints.public_stream + "/v5/public/linear";
  }
  return {};
}

}  // namespace tradesync::bybit
