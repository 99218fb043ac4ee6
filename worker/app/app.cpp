// The door between worker/main.c and C++: catches everything, throws nothing (BOUNDARIES 4.1).
#include "app/app.h"

#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "app/turn.hpp"

struct app {
  app(std::int32_t account_id, tradesync::Account account, tradesync::Loaded loaded, const tradesync::TradingSettings& trading)
      : worker(account_id, std::move(account), std::move(loaded), trading) {}
  tradesync::Worker worker;
};

namespace {

void put(app_error* error, const char* message) {
  std::strncpy(error->message, message, sizeof error->message - 1);
  error->message[sizeof error->message - 1] = '\0';
}

// Runs `work`; what escapes becomes `otherwise` and a sentence in `error`.
template <class Result, class Work>
Result guarded(app_error* error, Result otherwise, Work work) noexcept {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    put(error, "out of memory");
  } catch (const std::exception& problem) {
    put(error, problem.what());
  } catch (...) {
    put(error, "unknown exception");
  }
  return otherwise;
}

app_result result_of(tradesync::LoadResult result) {
  switch (result) {
    case tradesync::LoadResult::ok: return APP_OK;
    case tradesync::LoadResult::no_account: return APP_LEAVE;
    case tradesync::LoadResult::gone:
    case tradesync::LoadResult::account_changed: return APP_AGAIN;
    case tradesync::LoadResult::failed: return APP_BROKEN;
  }
  return APP_BROKEN;
}

}  // namespace

extern "C" {

app* app_create(int32_t account_id, app_result* result, app_error* error) {
  *result = APP_BROKEN;
  error->message[0] = '\0';
  return guarded(error, static_cast<app*>(nullptr), [&]() -> app* {
    tradesync::Account account;
    tradesync::Loaded loaded;
    tradesync::TradingSettings trading;
    std::string why;
    auto load = tradesync::load_account(account_id, account, why);
    if (load == tradesync::LoadResult::ok && !account.enabled) load = tradesync::LoadResult::no_account;
    if (load == tradesync::LoadResult::ok) load = tradesync::load_state(account_id, loaded, why);
    // An account that only observes has nothing to do with what trading needs.
    const bool trades = load == tradesync::LoadResult::ok && account.mode != "observe";
    if (trades) load = tradesync::load_trading_settings(account_id, trading, why);
    if (trades && load == tradesync::LoadResult::ok) load = tradesync::load_trading(account_id, account.version, loaded, why);
    *result = result_of(load);
    if (load != tradesync::LoadResult::ok) {
      put(error, why.c_str());
      return nullptr;
    }
    *result = APP_BROKEN;  // until it stands
    app* self = new app(account_id, std::move(account), std::move(loaded), trading);
    *result = APP_OK;
    return self;
  });
}

int app_descriptor(const app* self) { return self->worker.descriptor(); }

int app_timeout_ms(app* self) {
  app_error ignored;
  return guarded(&ignored, 0, [&] { return self->worker.timeout_ms(); });
}

app_result app_turn(app* self, app_error* error) {
  error->message[0] = '\0';
  return guarded(error, APP_BROKEN, [&] {
    switch (self->worker.turn()) {
      case tradesync::TurnResult::ok: return APP_OK;
      case tradesync::TurnResult::again: return APP_AGAIN;
      case tradesync::TurnResult::leave: return APP_LEAVE;
    }
    return APP_BROKEN;
  });
}

void app_reload(app* self) {
  app_error error;
  if (!guarded(&error, false, [&] { self->worker.reload(); return true; })) wall_log('W', error.message, nullptr, nullptr);
}

void app_look(app* self, bool commit_expected) {
  app_error error;
  if (!guarded(&error, false, [&] { self->worker.look(commit_expected); return true; })) wall_log('W', error.message, nullptr, nullptr);
}

bool app_stop(app* self) {
  app_error ignored;
  return guarded(&ignored, true, [&] { return self->worker.stop(); });
}

void app_destroy(app* self) {
  app_error ignored;
  guarded(&ignored, true, [&] { delete self; return true; });
}

}  // extern "C"
