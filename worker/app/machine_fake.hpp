// An exchange and a wire for tests of the account machine: what would leave is kept, answers are made by the test.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "app/account_machine.hpp"
#include "core/test_rules_test.hpp"

namespace tradesync::test {

class ExchangeFake final : public Exchange {
 public:
  const VenueRules& rules() const override { return rules_; }
  std::optional<Endpoints> endpoints(std::string_view) const override { return Endpoints{"r", "p", "v"}; }
  HttpRequest encode(const Request& request, const Endpoints&, const Credentials& credentials, std::int64_t) const override {
    HttpRequest wire;
    wire.url = std::to_string(static_cast<int>(request.kind));
    wire.body = std::string(credentials.api_key);
    return wire;
  }
  Reply decode(const Request& request, const HttpResponse& response) const override {
    Reply reply = on_response ? on_response(request, response) : Reply{};
    return reply;
  }
  std::string stream_url(StreamKind kind, const Endpoints&, std::string_view) const override {
    return kind == StreamKind::private_ ? "private" : "public";
  }
  std::string encode(const StreamCommand&, StreamKind, const Credentials&, std::int64_t) const override { return "command"; }
  void decode(StreamKind, std::string_view message, Decoded& out) const override {
    if (message == "bad") out.error = "cannot be read";
  }

  std::function<Reply(const Request&, const HttpResponse&)> on_response;

 private:
  VenueRules rules_ = login_rules();
};

class WireFake final : public Wire {
 public:
  void open(std::uint64_t link, const std::string& url) override { opened.push_back({link, url}); }
  void send(std::uint64_t link, std::string text) override { sent.push_back({link, std::move(text)}); }
  void ping(std::uint64_t link) override { pinged.push_back(link); }
  void close(std::uint64_t link) override { closed.push_back(link); }
  void request(std::uint64_t id, HttpRequest request) override { requests.push_back({id, std::move(request)}); }

  std::vector<std::pair<std::uint64_t, std::string>> opened, sent;
  std::vector<std::uint64_t> pinged, closed;
  std::vector<std::pair<std::uint64_t, HttpRequest>> requests;
};

}  // namespace tradesync::test
