// Every bound of the core, in one place, each with its reason.
#pragma once
#include <cstddef>
#include <cstdint>

namespace tradesync::limits {

// Session buffer: what DESIGN §5 starts with; doubles after an overflow so that a busy account gets through in the end.
inline constexpr std::size_t kBufferEvents = 1000;
inline constexpr std::size_t kBufferBytes = 64u << 20;

// Ids remembered to recognise a repeated fill or a late message of a finished order. A reconnect overlap repeats seconds,
// not hours; the tables hold the same guard for everything older.
inline constexpr std::size_t kRecentFills = 8192;
inline constexpr std::size_t kRecentOrders = 4096;
// Venues allow 200 to 500 resting orders per symbol; beyond this many the tables still get every order, memory does not.
inline constexpr std::size_t kOpenOrders = 4000;
// Fills waiting for the position report that contains them, per position.
inline constexpr std::size_t kWaitingFills = 256;

// Reconnect and retry: 0.25 -> 30 s with full jitter, without a limit on tries (DESIGN §5).
inline constexpr std::int64_t kBackoffFirstMs = 250;
inline constexpr std::int64_t kBackoffLastMs = 30000;
// A link that lived this long starts its back-off anew.
inline constexpr std::int64_t kStableLinkMs = 10000;
// From the open socket to the acknowledged subscription.
inline constexpr std::int64_t kLoginTimeoutMs = 10000;
// A key, signature or address that the venue refuses will not heal within seconds.
inline constexpr std::int64_t kUnauthorizedPauseMs = 30000;

// Requests under way at once; libcurl keeps as many connections.
inline constexpr std::size_t kRequestsInFlight = 8;
inline constexpr int kPagesAtMost = 10000;

// A fill follows its position report within milliseconds; after this long somebody lost it (DESIGN §11, Stops).
inline constexpr std::int64_t kFillGraceMs = 2000;
inline constexpr std::int64_t kPositionGraceMs = 3000;

// An account frame that nobody could read is a hole: the account is restored at once, then slower each time, because a
// venue that keeps sending such frames must not be asked for everything every second.
inline constexpr std::int64_t kHoleRestoreFirstMs = 5000;
inline constexpr std::int64_t kHoleRestoreLastMs = 300000;

// The order of a fill that does not say its side of a hedge is reported within milliseconds.
inline constexpr std::int64_t kSidelessMs = 500;

inline constexpr std::int64_t kClockRefreshMs = 5 * 60 * 1000;
inline constexpr std::int64_t kClockSampleAgeMs = 15 * 60 * 1000;
inline constexpr std::int64_t kInstrumentsRefreshMs = 60 * 60 * 1000;

// A symbol whose subscription failed is tried again, slower each time.
inline constexpr std::int64_t kResubscribeFirstMs = 5000;
inline constexpr std::int64_t kResubscribeLastMs = 300000;
inline constexpr std::int64_t kAckTimeoutMs = 5000;
inline constexpr std::size_t kPublicLinks = 10;

// Frames kept with a dead letter.
inline constexpr std::size_t kFrameSample = 16384;

}  // namespace tradesync::limits
