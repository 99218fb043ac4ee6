// The life of HTTP requests on libcurl's multi interface: address, transfer, answer. How one transfer is set up is in
// http_transfer.cpp. libcurl never resolves a name: our resolver does and passes the answer on, so it starts no thread.
// No item appears inside a call of the app, which may be reading the inbox right now, but in run_once().
#include "net/http.hpp"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include "net/http_impl.hpp"
#include "net/resolver.hpp"

namespace tradesync::net {

namespace {

constexpr long kIdleConnections = 8;            // kept open for the next request
constexpr std::int64_t kAddressAgeMs = 60'000;  // then it is looked up again, beside the request that uses it
constexpr std::size_t kMaxAddresses = 32;

bool has_line_break(const std::string& text) { return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos; }

int on_watch(CURL*, curl_socket_t descriptor, int what, void* user, void* known) {
  static_cast<Http::Impl*>(user)->watch(descriptor, what, static_cast<Http::Impl::Watch*>(known));
  return 0;
}

// Only the timer may be set in here: calling libcurl back would be re-entry.
int on_timer(CURLM*, long delay_ms, void* user) {
  auto& impl = *static_cast<Http::Impl*>(user);
  if (delay_ms < 0) {
    impl.curl_timer.stop();
  } else {
    impl.curl_timer.start(delay_ms);
  }
  return 0;
}

}  // namespace

Http::Impl::Impl(Loop& the_loop, Inbox& the_inbox, const std::string& ca_file)
    : loop(the_loop),
      inbox(the_inbox),
      trusted(new_client_context(ca_file)),
      curl_timer(the_loop.raw(), [this] { act(CURL_SOCKET_TIMEOUT, 0); }),
      refused_timer(the_loop.raw(), [this] { report_refused(); }) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::runtime_error("libcurl cannot start");
  multi = curl_multi_init();
  if (multi == nullptr) throw std::runtime_error("libcurl cannot start");
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_watch);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kIdleConnections);
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
}

Http::Impl::~Impl() {
  while (!requests.empty()) forget(*requests.back());
  for (const auto& [host, address] : addresses) loop.resolver().cancel(address.refresh);
  curl_multi_cleanup(multi);  // calls on_watch for what is still open
  curl_global_cleanup();
}

void Http::Impl::start(HttpCall call) {
  requests.push_back(std::make_unique<Request>());
  Request& request = *requests.back();
  request.item.id = call.id;
  request.deadline_ms = loop.now_ms() + call.timeout_ms;
  request.call = std::move(call);
  const std::string why_not = requests.size() > kMaxCalls ? "too many requests in flight" : prepare(request);
  if (!why_not.empty()) return finish_later(request, why_not);
  find_address(request);
}

std::string Http::Impl::prepare(Request& request) {
  const HttpCall& call = request.call;
  std::string why_not;
  if (!parse_url(call.url, request.url, why_not)) return why_not;
  if (!request.url.scheme.starts_with("http")) return "the URL must begin with https:// or http://";
  if (call.method != "GET" && call.method != "POST" && call.method != "PUT" && call.method != "DELETE")
    return "the method is not one of GET, POST, PUT, DELETE";
  for (const auto& [name, value] : call.headers)
    if (has_line_break(name) || has_line_break(value)) return "a header contains a line break";
  return "";
}

void Http::Impl::find_address(Request& request) {
  const std::string& host = request.url.host;
  if (const auto known = addresses.find(host); known != addresses.end()) {
    if (loop.now_ms() - known->second.learned_ms > kAddressAgeMs) refresh_address(host);
    return launch(request, known->second.text);
  }
  request.lookup = loop.resolver().lookup(
      host, request.call.timeout_ms, [this, &request](const std::string& address, const std::string& error) {
        request.lookup = 0;
        if (address.empty()) return finish_later(request, error);
        learn_address(request.url.host, address);
        launch(request, address);
      });
}

// The old address stays in use until a new one is known: an order never waits for a name server.
void Http::Impl::refresh_address(const std::string& host) {
  Address& known = addresses[host];
  if (known.refresh != 0) return;
  const auto renew = [this, host](const std::string& address, const std::string&) {
    const auto found = addresses.find(host);
    if (found == addresses.end()) return;
    found->second.refresh = 0;
    if (!address.empty()) learn_address(host, address);
  };
  known.refresh = loop.resolver().lookup(host, kAddressAgeMs, renew);
}

void Http::Impl::learn_address(const std::string& host, const std::string& address) {
  if (addresses.size() >= kMaxAddresses && addresses.find(host) == addresses.end()) {
    for (const auto& [other, known] : addresses) loop.resolver().cancel(known.refresh);
    addresses.clear();
  }
  Address& known = addresses[host];
  known.text = address;
  known.learned_ms = loop.now_ms();
}

void Http::Impl::launch(Request& request, const std::string& address) {
  try {
    request.easy.reset(curl_easy_init());
    if (!request.easy) throw std::bad_alloc();
    set_options(request, address);
    if (curl_multi_add_handle(multi, request.easy.get()) == CURLM_OK) return;
  } catch (const std::exception&) {
  }
  request.easy.reset();
  finish_later(request, "no memory for the request");
}

// For what fails before libcurl has it. Reported by the next run_once(): the app may be reading the inbox right now.
void Http::Impl::finish_later(Request& request, const std::string& note) {
  request.item.note = note;
  refused_timer.start(0);
}

void Http::Impl::report_refused() {
  std::vector<Request*> refused;
  for (const auto& request : requests)
    if (!request->easy && request->lookup == 0) refused.push_back(request.get());
  for (Request* request : refused) finish(*request, CURLE_FAILED_INIT);
}

void Http::Impl::finish(Request& request, CURLcode result) {
  Item item = std::move(request.item);
  item.complete = result == CURLE_OK;
  item.received_ms = loop.now_ms();
  if (request.easy) {
    long status = 0;
    curl_off_t connect_us = 0;
    curl_easy_getinfo(request.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(request.easy.get(), CURLINFO_CONNECT_TIME_T, &connect_us);
    item.status = static_cast<int>(status);
    if (!item.complete && item.note.empty())
      item.note = request.error[0] != '\0' ? request.error : curl_easy_strerror(result);
    if (!item.complete && item.sent_ms == 0 && connect_us == 0) {  // ask for a better address next time
      if (const auto known = addresses.find(request.url.host); known != addresses.end()) {
        loop.resolver().cancel(known->second.refresh);
        addresses.erase(known);
      }
    }
  }
  inbox.push_http(std::move(item), request.body);
  forget(request);
}

void Http::Impl::forget(Request& request) {
  if (request.lookup != 0) loop.resolver().cancel(request.lookup);
  if (request.easy) curl_multi_remove_handle(multi, request.easy.get());
  std::erase_if(requests, [&](const auto& one) { return one.get() == &request; });
}

void Http::Impl::cancel(std::uint64_t id) {
  const auto has_id = [&](const auto& one) { return one->call.id == id; };
  const auto found = std::find_if(requests.begin(), requests.end(), has_id);
  if (found != requests.end()) forget(**found);
}

void Http::Impl::act(curl_socket_t descriptor, int events) {
  int running = 0, left = 0;
  curl_multi_socket_action(multi, descriptor, events, &running);
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode result = message->data.result;
    Request* request = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
    finish(*request, result);
  }
}

void Http::Impl::watch(curl_socket_t descriptor, int what, Watch* known) {
  if (what == CURL_POLL_REMOVE) {
    watches.erase(descriptor);
    return;
  }
  if (known == nullptr) {
    auto fresh = std::make_unique<Watch>();
    fresh->owner = this;
    fresh->descriptor = descriptor;
    auto handle = std::make_unique<uv_poll_t>();
    uv_poll_init_socket(loop.raw(), handle.get(), descriptor);
    fresh->poll.reset(handle.release());
    fresh->poll->data = fresh.get();
    known = fresh.get();
    watches[descriptor] = std::move(fresh);
    curl_multi_assign(multi, descriptor, known);
  }
  const int events = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) | ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
  uv_poll_start(known->poll.get(), events, [](uv_poll_t* poll, int error, int ready) {
    const auto& one = *static_cast<Watch*>(poll->data);
    const int events = (error < 0 ? CURL_CSELECT_ERR : 0) | ((ready & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0) |
                       ((ready & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0);
    rethrow_later(poll->loop, [&] { one.owner->act(one.descriptor, events); });
  });
}

Http::Http(Loop& loop, Inbox& inbox, std::string ca_file)
    : impl_(std::make_unique<Impl>(loop, inbox, ca_file)) {}

Http::~Http() = default;

void Http::start(HttpCall call) { impl_->start(std::move(call)); }

void Http::cancel(std::uint64_t id) { impl_->cancel(id); }

}  // namespace tradesync::net
