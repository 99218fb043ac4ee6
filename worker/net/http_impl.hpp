// What the two halves of the HTTP client share. Private to http.cpp and http_transfer.cpp, the only files that know
// libcurl.
#pragma once
#include <curl/curl.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/http.hpp"
#include "net/tls.hpp"
#include "net/uv_handles.hpp"

namespace tradesync::net {

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlHandle = std::unique_ptr<CURL, FreeEasy>;
using CurlList = std::unique_ptr<curl_slist, FreeList>;

struct Http::Impl {
  struct Request {
    HttpCall call;
    Url url;
    Item item;  // what will be reported
    std::string body;
    std::int64_t deadline_ms = 0;
    std::uint64_t lookup = 0;  // the resolver's ticket, 0 = none
    CurlHandle easy;           // null until the address is known
    CurlList headers, addresses;
    char error[CURL_ERROR_SIZE] = "";
  };

  struct Address {
    std::string text;
    std::int64_t learned_ms = 0;
    std::uint64_t refresh = 0;  // ticket of the look-up that renews it, 0 = none
  };

  // One descriptor of libcurl in our loop.
  struct Watch {
    Impl* owner = nullptr;
    curl_socket_t descriptor = 0;
    UvHandle<uv_poll_t> poll;
  };

  Impl(Loop& the_loop, Inbox& the_inbox, const std::string& ca_file);
  ~Impl();

  void start(HttpCall call);
  void cancel(std::uint64_t id);

  std::string prepare(Request& request);  // "" or why it cannot be sent
  void find_address(Request& request);
  void refresh_address(const std::string& host);
  void learn_address(const std::string& host, const std::string& address);
  void launch(Request& request, const std::string& address);
  void finish_later(Request& request, const std::string& note);
  void finish(Request& request, CURLcode result);
  void report_refused();
  void forget(Request& request);

  // http_transfer.cpp; throws std::bad_alloc
  void set_options(Request& request, const std::string& address);

  void act(curl_socket_t descriptor, int events);
  void watch(curl_socket_t descriptor, int what, Watch* known);

  Loop& loop;
  Inbox& inbox;
  const SslContext trusted;
  CURLM* multi = nullptr;
  Timer curl_timer, refused_timer;
  std::vector<std::unique_ptr<Request>> requests;
  std::map<std::string, Address> addresses;
  std::map<curl_socket_t, std::unique_ptr<Watch>> watches;
};

}  // namespace tradesync::net
