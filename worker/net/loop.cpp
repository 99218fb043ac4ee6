// The libuv loop and its helper thread. Nothing here opens a socket; the guests do.
#include "net/loop.hpp"

#include <pthread.h>
#include <uv.h>

#include <csignal>
#include <stdexcept>
#include <thread>
#include <utility>

#include "net/resolver.hpp"
#include "net/uv_handles.hpp"

namespace tradesync::net {

namespace {

// One round serves each ready socket once, with at most one TLS record. A turn drains more than that, but comes back
// to PostgreSQL's latch after about a millisecond even when the exchange never pauses.
constexpr int kMaxRounds = 256;

}  // namespace

Loop::Loop() : loop_(new uv_loop_t) {
  if (int error = uv_loop_init(loop_); error != 0) {
    delete loop_;
    throw std::runtime_error(std::string("libuv cannot start: ") + uv_strerror(error));
  }
  loop_->data = &failure_;
  resolver_ = std::make_unique<Resolver>(loop_);
}

Loop::~Loop() {
  resolver_.reset();
  while (uv_run(loop_, UV_RUN_NOWAIT) != 0) {  // handles that are being closed count as alive
    if (uv_backend_timeout(loop_) != 0) break;
  }
  // A guest that outlived the loop still has handles in it; leaking the loop then is the lesser evil.
  if (uv_loop_close(loop_) == 0) delete loop_;
}

int Loop::descriptor() const { return uv_backend_fd(loop_); }

int Loop::timeout_ms() const {
  uv_update_time(loop_);  // the turn in between took time that libuv has not seen
  return uv_backend_timeout(loop_);
}

void Loop::run_once() {
  for (int round = 0; round < kMaxRounds; ++round) {
    uv_run(loop_, UV_RUN_NOWAIT);
    if (failure_ != nullptr) std::rethrow_exception(std::exchange(failure_, nullptr));
    if (uv_backend_timeout(loop_) != 0) return;
  }
}

std::int64_t Loop::now_ms() const { return monotonic_ms(); }

BlockSignals::BlockSignals() {
  static_assert(sizeof(sigset_t) <= sizeof saved_);
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, reinterpret_cast<sigset_t*>(saved_));
}

BlockSignals::~BlockSignals() { pthread_sigmask(SIG_SETMASK, reinterpret_cast<sigset_t*>(saved_), nullptr); }

void Loop::yield() { std::this_thread::yield(); }

}  // namespace tradesync::net
