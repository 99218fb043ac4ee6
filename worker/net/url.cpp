// URLs as users write them into an account. Stricter than the standard, so that no two libraries behind us can read
// the same text differently.
#include <arpa/inet.h>

#include <algorithm>
#include <string_view>

#include "net/loop.hpp"

namespace tradesync::net {

namespace {

struct Scheme {
  std::string_view name;
  int port;
  bool tls;
};
constexpr Scheme kSchemes[] = {{"https", 443, true}, {"wss", 443, true}, {"http", 80, false}, {"ws", 80, false}};
constexpr std::size_t kMaxHostLength = 127;  // libwebsockets cuts longer names before it checks the certificate

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool is_ipv6(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool is_loopback(const std::string& host) {
  in_addr address;
  if (inet_pton(AF_INET, host.c_str(), &address) == 1) return (ntohl(address.s_addr) >> 24) == 127;
  return host == "localhost" || host == "::1";
}

bool parse_port(std::string_view digits, int& port) {
  if (digits.empty() || digits.size() > 5) return false;
  int value = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  port = value;
  return value >= 1 && value <= 65535;
}

// Splits host[:port] or [ipv6][:port].
bool parse_authority(std::string_view authority, Url& url) {
  std::string_view port;
  bool has_port = false;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return false;
    url.host = authority.substr(1, end - 1);
    if (!is_ipv6(url.host)) return false;
    std::string_view rest = authority.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return false;
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else {
    const std::size_t colon = authority.find(':');
    url.host = authority.substr(0, colon);
    if (url.host.empty() || url.host.size() > kMaxHostLength) return false;
    if (!std::all_of(url.host.begin(), url.host.end(), is_host_character)) return false;
    has_port = colon != std::string_view::npos;
    if (has_port) port = authority.substr(colon + 1);
  }
  return !has_port || parse_port(port, url.port);
}

}  // namespace

bool parse_url(const std::string& text, Url& out, std::string& why_not) {
  const std::string_view view = text;
  if (!std::all_of(view.begin(), view.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '#' && c != '\\'; })) {
    why_not = "the URL contains a character that is not allowed";
    return false;
  }
  const std::size_t separator = view.find("://");
  const auto* scheme = std::find_if(std::begin(kSchemes), std::end(kSchemes),
                                    [&](const Scheme& s) { return s.name == view.substr(0, separator); });
  if (separator == std::string_view::npos || scheme == std::end(kSchemes)) {
    why_not = "the URL must begin with https://, wss://, http:// or ws://";
    return false;
  }
  Url url;
  url.scheme = scheme->name;
  url.port = scheme->port;
  url.tls = scheme->tls;
  const std::string_view rest = view.substr(separator + 3);
  const std::size_t end = rest.find_first_of("/?");
  if (!parse_authority(rest.substr(0, end), url)) {
    why_not = "the URL has no usable host and port";
    return false;
  }
  url.target = end == std::string_view::npos ? "/" : rest.substr(end);
  if (url.target.front() == '?') url.target.insert(0, "/");
  if (!url.tls && !is_loopback(url.host)) {
    why_not = "unencrypted connections are allowed to this machine only (localhost, 127.0.0.0/8, ::1)";
    return false;
  }
  out = url;
  return true;
}

}  // namespace tradesync::net
