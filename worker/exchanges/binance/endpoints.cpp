// Where Binance USDⓈ-M futures live (§1). Streams are split by route: the old unrouted addresses open and stay silent.
#include "exchanges/binance/binance.hpp"
#include "exchanges/url.hpp"

namespace tradesync::binance {

std::optional<Endpoints> endpoints(std::string_view environment) {
  if (environment == "mainnet")
    return Endpoints{"https://fapi.binance.com", "wss://fstream.binance.com", "wss://fstream.binance.com"};
  // Keys are bound to one of these: testnet keys are refused by the demo base and the other way round.
  if (environment == "testnet")
    return Endpoints{"https://testnet.binancefuture.com", "wss://fstream.binancefuture.com", "wss://fstream.binancefuture.com"};
  if (environment == "demo")
    return Endpoints{"https://demo-fapi.binance.com", "wss://fstream.binancefuture.com", "wss://fstream.binancefuture.com"};
  return std::nullopt;
}

// Raw mode on both: bare payloads. Prices are mark price and mini ticker, both on the /market route.
std::string stream_url(StreamKind kind, const Endpoints& endpoints, std::string_view listen_key) {
  switch (kind) {
    case StreamKind::private_: return endpoints.private_stream + "/private/ws?listenKey=" + percent_encode(listen_key);
    case StreamKind::public_: return endpoints.public_stream + "/market/ws";
  }
  return {};
}

}  // namespace tradesync::binance
