// One thread that calls getaddrinfo, because that call cannot be made non-blocking nor interrupted.
// libuv's own pool cannot be joined and makes exit() wait for a hung look-up, so it is not used. Our thread is joined
// in the destructor. If a look-up hangs longer than kPatience there, the thread is let go: all it can touch afterwards
// is the state it shares ownership of and libc, no OpenSSL, no loop, no PostgreSQL; that is harmless while a process ends.
// The resolver's own retry times are cut so that this is rare.
#include "net/resolver.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <resolv.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <vector>

#include "net/loop.hpp"

namespace tradesync::net {

namespace {

constexpr auto kPatience = std::chrono::milliseconds(2000);  // a shutdown waits no longer for a hung look-up
constexpr std::size_t kMaxWaiting = 64;                        // a worker knows about five hosts
constexpr int kQuerySeconds = 2, kQueryAttempts = 2;           // libc's defaults are 5 s and 2, for each name server

struct Answer {
  std::uint64_t ticket = 0;
  std::string address, error;
};

std::string numeric(const sockaddr* address, socklen_t length) {
  char text[NI_MAXHOST];
  if (getnameinfo(address, length, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) return "";
  return text;
}

// res_init() reads resolv.conf again: a thread that changed its settings is no longer told of changes in the file.
void limit_query_time() {
  res_init();
  _res.retrans = std::min(_res.retrans, kQuerySeconds);
  _res.retry = std::min(_res.retry, kQueryAttempts);
}

Answer ask(std::uint64_t ticket, const std::string& host) {
  limit_query_time();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  if (int error = getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0)
    return {ticket, "", "cannot resolve " + host + ": " + gai_strerror(error)};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  const addrinfo* best = found;
  while (best != nullptr && best->ai_family != AF_INET) best = best->ai_next;
  if (best == nullptr) best = found;
  const std::string address = best == nullptr ? "" : numeric(best->ai_addr, best->ai_addrlen);
  if (address.empty()) return {ticket, "", "cannot resolve " + host + ": no address"};
  return {ticket, address, ""};
}

// What needs no look-up: numeric addresses and localhost.
std::string known_address(const std::string& host) {
  if (host == "localhost") return "127.0.0.1";
  in6_addr scratch;
  if (inet_pton(AF_INET, host.c_str(), &scratch) == 1 || inet_pton(AF_INET6, host.c_str(), &scratch) == 1) return host;
  return "";
}

}  // namespace

// What the thread and the loop have in common; it lives as long as either of them.
struct Resolver::Shared {
  std::mutex mutex;
  std::condition_variable work, ended;
  std::deque<std::pair<std::uint64_t, std::string>> questions;
  std::vector<Answer> answers;
  uv_async_t* bell = nullptr;  // null once the loop must not be touched any more
  bool stopping = false, has_ended = false;

  void put(Answer answer) {
    const std::lock_guard lock(mutex);
    if (bell == nullptr) return;
    answers.push_back(std::move(answer));
    uv_async_send(bell);
  }

  void serve() {
    std::unique_lock lock(mutex);
    while (true) {
      work.wait(lock, [this] { return stopping || !questions.empty(); });
      if (stopping) break;
      const auto [ticket, host] = std::move(questions.front());
      questions.pop_front();
      lock.unlock();
      put(ask(ticket, host));
      lock.lock();
    }
    has_ended = true;
    ended.notify_all();
  }
};

Resolver::Resolver(uv_loop_t* loop)
    : shared_(std::make_shared<Shared>()), bell_(new uv_async_t), timer_(loop, [this] { expire(); }) {
  uv_async_init(loop, bell_.get(), [](uv_async_t* bell) {
    rethrow_later(bell->loop, [&] { static_cast<Resolver*>(bell->data)->deliver(); });
  });
  bell_->data = this;
  shared_->bell = bell_.get();
}

Resolver::~Resolver() {
  std::unique_lock lock(shared_->mutex);
  shared_->stopping = true;
  shared_->bell = nullptr;
  shared_->work.notify_all();
  if (!thread_.joinable()) return;
  const bool ended = shared_->ended.wait_for(lock, kPatience, [this] { return shared_->has_ended; });
  lock.unlock();
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

std::uint64_t Resolver::lookup(const std::string& host, std::int64_t timeout_ms, Done done) {
  const std::uint64_t ticket = ++last_ticket_;
  const bool full = waiting_.size() >= kMaxWaiting;
  waiting_.emplace(ticket, Waiting{host, timeout_ms, monotonic_ms() + timeout_ms, std::move(done)});
  arm();
  if (const std::string address = known_address(host); !address.empty()) {
    shared_->put({ticket, address, ""});
  } else if (full) {
    shared_->put({ticket, "", "cannot resolve " + host + ": too many look-ups are waiting"});
  } else if (!start_thread()) {
    shared_->put({ticket, "", "cannot resolve " + host + ": no thread could be started"});
  } else {
    const std::lock_guard lock(shared_->mutex);
    shared_->questions.emplace_back(ticket, host);
    shared_->work.notify_one();
  }
  return ticket;
}

void Resolver::cancel(std::uint64_t ticket) {
  if (waiting_.erase(ticket) == 0) return;
  const std::lock_guard lock(shared_->mutex);
  std::erase_if(shared_->questions, [&](const auto& question) { return question.first == ticket; });
}

bool Resolver::start_thread() {
  if (thread_.joinable()) return true;
  const BlockSignals guard;  // a signal handler of PostgreSQL must never run on this thread
  try {
    thread_ = std::thread([shared = shared_] { shared->serve(); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void Resolver::answer(std::uint64_t ticket, const std::string& address, const std::string& error) {
  const auto found = waiting_.find(ticket);
  if (found == waiting_.end()) return;
  const Done done = std::move(found->second.done);
  cancel(ticket);
  done(address, error);
}

void Resolver::deliver() {
  std::vector<Answer> answers;
  {
    const std::lock_guard lock(shared_->mutex);
    answers.swap(shared_->answers);
  }
  for (const Answer& one : answers) answer(one.ticket, one.address, one.error);
}

void Resolver::expire() {
  const std::int64_t now = monotonic_ms();
  std::vector<std::uint64_t> late;
  for (const auto& [ticket, waiting] : waiting_)
    if (waiting.deadline_ms <= now) late.push_back(ticket);
  for (std::uint64_t ticket : late) {
    const auto found = waiting_.find(ticket);
    if (found == waiting_.end()) continue;
    answer(ticket, "", "cannot resolve " + found->second.host + ": no answer within " +
                           std::to_string(found->second.timeout_ms) + " ms");
  }
  arm();
}

void Resolver::arm() {
  if (waiting_.empty()) return timer_.stop();
  const auto first = std::min_element(waiting_.begin(), waiting_.end(), [](const auto& a, const auto& b) {
    return a.second.deadline_ms < b.second.deadline_ms;
  });
  timer_.start(first->second.deadline_ms - monotonic_ms());
}

}  // namespace tradesync::net
