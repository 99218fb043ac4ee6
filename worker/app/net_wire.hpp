// The wire of a real worker: libwebsockets and libcurl. What comes back lands in the inbox of the loop.
#pragma once
#include <string>
#include <utility>

#include "app/ports.hpp"
#include "net/http.hpp"
#include "net/loop.hpp"
#include "net/websocket.hpp"
#include "postgres/wall.h"

namespace tradesync {

class NetWire final : public Wire {
 public:
  NetWire(net::Loop& loop, net::Inbox& inbox, const std::string& ca_file)
      : loop_(loop), sockets_(loop, inbox, ca_file), http_(loop, inbox, ca_file) {}

  void open(std::uint64_t link, const std::string& url) override { sockets_.connect(link, url); }
  void send(std::uint64_t link, std::string text) override { sockets_.send(link, std::move(text)); }
  void ping(std::uint64_t link) override { sockets_.ping(link); }
  void close(std::uint64_t link) override { sockets_.close(link); }
  void request(std::uint64_t id, HttpRequest request) override {
    net::HttpCall call;
    call.id = id;
    call.method = std::move(request.method);
    call.url = std::move(request.url);
    call.headers = std::move(request.headers);
    call.body = std::move(request.body);
    call.timeout_ms = static_cast<long>(wall_setting_number("tradesync.request_timeout", 5000));
    http_.start(std::move(call));
  }
  void flush() override { loop_.run_once(); }
  void resume_reading() { sockets_.resume_reading(); }

 private:
  net::Loop& loop_;
  net::WebSockets sockets_;
  net::Http http_;
};

}  // namespace tradesync
