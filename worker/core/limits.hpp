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
// Orders under way at once, besides the requests above.
inline constexpr std::size_t kWritesInFlight = 16;
// Looking for an order whose fate is unknown: 0.5 s × 1.5, slower and slower (DESIGN §6).
inline constexpr std::int64_t kLookUpFirstMs = 500;
inline constexpr std::int64_t kLookUpLastMs = 30000;
// A write that the venue certainly did not take (throttled, clock, not sent) is tried again as a new attempt.
inline constexpr std::int64_t kResendPauseMs = 250;
inline constexpr int kAttemptsAtMost = 20;
// After the receive window a request may still be on its way inside the venue for this long.
inline constexpr std::int64_t kProofSlackMs = 1000;
inline constexpr std::int64_t kProofPauseMs = 2000;
// A price younger than this may size an order or place a stop.
inline constexpr std::int64_t kPriceFreshMs = 5000;
// Fills follow the first proof of a filled entry within milliseconds; after this long the order's own average price will do.
inline constexpr std::int64_t kEntryFillsMs = 300;
// A triggered stop that has not closed the position by now needs help.
inline constexpr std::int64_t kTriggerGraceMs = 1500;
// What the venue says about a position after an order of ours ended; then it is asked.
inline constexpr std::int64_t kPositionReportMs = 300;
// Finished positions are kept in memory until their orders have ended, and so long besides, for late reports.
inline constexpr std::int64_t kForgetTradeMs = 60000;
inline constexpr int kStopRejectionsAtMost = 3;
// A stop of unknown fate gets another one beside it when the position has been naked for so long, and at most so many.
inline constexpr std::int64_t kStopBesideMs = 1000;
inline constexpr int kStopsBeside = 3;
inline constexpr std::int64_t kVerifyMs = 10000;
inline constexpr int kVerifyTries = 5;

// A fill follows its position report within milliseconds; after this long somebody lost it (DESIGN §11, Stops).
inline constexpr std::int64_t kFillGraceMs = 2000;
inline constexpr std::int64_t kPositionGraceMs = 3000;

// An account frame that nobody could read is a hole: the account is restored at once, then slower each time, because a
// venue that keeps sending such frames must not be asked for everything every second.
inline constexpr std::int64_t kHoleRestoreFirstMs = 5000;
inline constexpr std::int64_t kHoleRestoreLastMs = 300000;

// How far a venue's REST answers may lag behind its streams. What is missing in a list and younger than this is asked for again.
inline constexpr std::int64_t kReadLagMs = 10000;

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
