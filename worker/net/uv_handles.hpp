// Owners for libuv handles. libuv frees nothing itself and must see a handle until its close callback has run, which
// is later than our destructor: so the handle lives on the heap and deletes itself there. Private to net/.
#pragma once
#include <uv.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

namespace tradesync::net {

inline std::int64_t monotonic_ms() { return static_cast<std::int64_t>(uv_hrtime() / 1'000'000); }

// Runs a function that a C library called. What it throws comes out of Loop::run_once(), behind the library's frames.
template <class Function>
void rethrow_later(uv_loop_t* loop, Function&& function) {
  try {
    function();
  } catch (...) {
    *static_cast<std::exception_ptr*>(loop->data) = std::current_exception();
  }
}

// Closes on destruction; the memory goes in a later turn of the loop. Handle is one of libuv's handle types.
template <class Handle>
struct CloseHandle {
  void operator()(Handle* handle) const {
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
  }
};
template <class Handle>
using UvHandle = std::unique_ptr<Handle, CloseHandle<Handle>>;

// Calls its function once per start(), inside Loop::run_once().
class Timer {
 public:
  Timer(uv_loop_t* loop, std::function<void()> function) : function_(std::move(function)), handle_(new uv_timer_t) {
    uv_timer_init(loop, handle_.get());
    handle_->data = this;
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void start(std::int64_t delay_ms) {
    uv_update_time(handle_->loop);  // the loop's clock stands still between turns
    uv_timer_start(handle_.get(), run, delay_ms > 0 ? static_cast<std::uint64_t>(delay_ms) : 0, 0);
  }
  void stop() { uv_timer_stop(handle_.get()); }

 private:
  static void run(uv_timer_t* timer) {
    rethrow_later(timer->loop, [&] { static_cast<Timer*>(timer->data)->function_(); });
  }

  std::function<void()> function_;
  UvHandle<uv_timer_t> handle_;
};

}  // namespace tradesync::net
