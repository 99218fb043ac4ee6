// Takes getaddrinfo's place in the test program, for libwebsockets and libcurl too: a test can hold a look-up and see
// which thread asked.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>

#include <condition_variable>
#include <csignal>
#include <cstring>
#include <map>
#include <mutex>

#include "net/peer_fake.hpp"

namespace tradesync::net::fake {

namespace {

struct Names {
  std::mutex mutex;
  std::condition_variable changed;
  bool held = false;
  std::map<std::thread::id, int> asked;
  int total = 0;
  unsigned long long blocked = 0;
};

Names& names() {
  static auto* the_names = new Names;
  return *the_names;
}

unsigned long long blocked_signals() {
  sigset_t set;
  pthread_sigmask(SIG_SETMASK, nullptr, &set);
  unsigned long long bits = 0;
  for (int number = 1; number < 32; ++number)
    if (sigismember(&set, number) == 1) bits |= 1ull << number;
  return bits;
}

}  // namespace

void hold_slow_names() {
  const std::lock_guard lock(names().mutex);
  names().held = true;
}

void release_slow_names() {
  const std::lock_guard lock(names().mutex);
  names().held = false;
  names().changed.notify_all();
}

int lookups_on(std::thread::id thread) {
  const std::lock_guard lock(names().mutex);
  return names().asked[thread];
}

int lookups() {
  const std::lock_guard lock(names().mutex);
  return names().total;
}

unsigned long long blocked_signals_of_last_lookup() {
  const std::lock_guard lock(names().mutex);
  return names().blocked;
}

const char* address_of(const char* host) {
  std::unique_lock lock(names().mutex);
  ++names().asked[std::this_thread::get_id()];
  ++names().total;
  names().blocked = blocked_signals();
  if (std::strncmp(host, "slow", 4) == 0) names().changed.wait(lock, [] { return !names().held; });
  if (std::strcmp(host, "exchange.test") == 0) return "127.0.0.1";
  if (std::strcmp(host, "v6.test") == 0) return "::1";
  return nullptr;
}

}  // namespace tradesync::net::fake

extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* host, const char* service,
                                                                  const addrinfo* hints, addrinfo** found) {
  using Real = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "getaddrinfo"));
  in6_addr scratch;
  const bool numeric =
      host == nullptr || inet_pton(AF_INET, host, &scratch) == 1 || inet_pton(AF_INET6, host, &scratch) == 1;
  if (numeric) return real(host, service, hints, found);
  const char* address = tradesync::net::fake::address_of(host);
  if (address == nullptr) return EAI_NONAME;
  addrinfo plain = hints == nullptr ? addrinfo{} : *hints;
  plain.ai_flags &= ~AI_ADDRCONFIG;
  return real(address, service, &plain, found);
}
