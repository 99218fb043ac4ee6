// How one HTTP request is put to libcurl, and what libcurl calls while it runs: the rules about redirects, proxies,
// certificates, sizes and repeats are all here.
#include <algorithm>
#include <new>
#include <string_view>

#include "net/http_impl.hpp"

namespace tradesync::net {

namespace {

constexpr long kHttpConnectTimeoutMs = 5000;  // or the whole call's time if that is shorter
constexpr std::size_t kMaxHeaders = 128;

void append(CurlList& list, const std::string& text) {
  curl_slist* longer = curl_slist_append(list.get(), text.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  list.release();
  list.reset(longer);
}

std::size_t on_body(char* data, std::size_t unit, std::size_t count, void* user) {
  auto& request = *static_cast<Http::Impl::Request*>(user);
  if (request.body.size() + unit * count > kMaxBodyBytes) {
    request.item.note = "the answer is longer than " + std::to_string(kMaxBodyBytes) + " bytes";
    return 0;
  }
  try {
    request.body.append(data, unit * count);
  } catch (const std::exception&) {
    return 0;
  }
  return unit * count;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

std::size_t on_header(char* data, std::size_t unit, std::size_t count, void* user) {
  auto& headers = static_cast<Http::Impl::Request*>(user)->item.headers;
  const std::string_view line(data, unit * count);
  try {
    if (line.starts_with("HTTP/")) headers.clear();  // what came before belongs to an interim answer
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || headers.size() >= kMaxHeaders) return line.size();
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    headers.emplace_back(std::move(name), trim(line.substr(colon + 1)));
  } catch (const std::exception&) {
    return 0;
  }
  return line.size();
}

// Called just before a request goes out on a connection that stands.
int on_send(void* user, char*, char*, int, int) {
  auto& request = *static_cast<Http::Impl::Request*>(user);
  if (request.item.sent_ms != 0 && request.call.method != "GET") {
    request.item.note = "the connection ended before an answer; not sent again";
    return CURL_PREREQFUNC_ABORT;
  }
  request.item.sent_ms = monotonic_ms();
  return CURL_PREREQFUNC_OK;
}

// Replaces the authorities that libcurl would read from disk for each connection (20 ms) by those we read once.
CURLcode on_tls(CURL*, void* context, void* user) {
  SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(context), SSL_CTX_get_cert_store(static_cast<SSL_CTX*>(user)));
  return CURLE_OK;
}

}  // namespace

void Http::Impl::set_options(Request& request, const std::string& address) {
  CURL* easy = request.easy.get();
  const HttpCall& call = request.call;
  const Url& url = request.url;
  const bool ipv6_host = url.host.find(':') != std::string::npos;
  const std::string host = ipv6_host ? "[" + url.host + "]" : url.host;
  const std::string origin = host + ":" + std::to_string(url.port);
  // A change of address replaces the entry; a connection that stands is reused whatever the address is.
  if (!ipv6_host)
    append(request.addresses,
           origin + ":" + (address.find(':') == std::string::npos ? address : "[" + address + "]"));
  for (const auto& [name, value] : call.headers) append(request.headers, name + ": " + value);
  append(request.headers, "Expect:");  // a body is sent at once, without asking first

  curl_easy_setopt(easy, CURLOPT_URL, (url.scheme + "://" + origin + url.target).c_str());
  curl_easy_setopt(easy, CURLOPT_RESOLVE, request.addresses.get());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request.headers.get());
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &request);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request.error);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "pg_tradesync");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_CAINFO, nullptr);
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, trusted.get());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &request);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &request);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &request);

  const long left_ms = static_cast<long>(std::max<std::int64_t>(1, request.deadline_ms - loop.now_ms()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, left_ms);  // 0 would mean for ever
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, std::min(left_ms, kHttpConnectTimeoutMs));

  if (call.method == "GET") return;
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  if (call.method == "DELETE" && call.body.empty()) return;
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(call.body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call.body.c_str());  // not copied: the request owns it
}

}  // namespace tradesync::net
