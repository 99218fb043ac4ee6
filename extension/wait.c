/*
 * monitoring.worker_wait(account, seen, timeout_ms): sleeps until the account's worker has committed something about the
 * account since `seen`, or the time is up, and returns the count of commits. For wait_for() and its like: they look with
 * a fresh snapshot, wait here, and look again. A count that is read before the look misses nothing.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/condition_variable.h"
#include "utils/timestamp.h"

#include "shared_state.h"
#include "version.h"

/* Longest sleep without looking whether the account still has the same place, or has one by now. */
#define LONGEST_SLEEP_MS 1000

static shared_account *
find_place(int32 account)
{
	shared_account *place;

	if (state_shared == NULL)
		return NULL;
	LWLockAcquire(&state_shared->lock, LW_SHARED);
	place = shared_find_account(state_shared, MyDatabaseId, account);
	LWLockRelease(&state_shared->lock);
	return place;
}

static int64
commits_of(shared_account *place)
{
	return place ? (int64) pg_atomic_read_u64(&place->commits) : 0;
}

/* Sleeps once; a commit, a signal or the time ends it. Serves interrupts. */
static void
sleep_at(shared_account *place, int64 seen, long sleep_ms, uint32 wait_event)
{
	if (place == NULL)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, sleep_ms, wait_event);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		return;
	}
	/* First on the list, then the look: a commit in between wakes us. An error on the way takes us off the list. */
	ConditionVariablePrepareToSleep(&place->committed);
	if (commits_of(place) == seen)
		(void) ConditionVariableTimedSleep(&place->committed, sleep_ms, wait_event);
	ConditionVariableCancelSleep();
}

PG_FUNCTION_INFO_V1(pg_tradesync_wait);

Datum
pg_tradesync_wait(PG_FUNCTION_ARGS)
{
	int32		account;
	int64		seen;
	TimestampTz deadline;
	uint32		wait_event = tradesync_wait_event("TradesyncCommit");

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	account = PG_GETARG_INT32(0);
	seen = PG_GETARG_INT64(1);
	deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), Max(PG_GETARG_INT32(2), 0));
	for (;;)
	{
		shared_account *place = find_place(account);
		int64		now = commits_of(place);
		long		left_ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);

		if (now != seen || left_ms <= 0)
			PG_RETURN_INT64(now);
		CHECK_FOR_INTERRUPTS();
		sleep_at(place, seen, Min(left_ms, LONGEST_SLEEP_MS), wait_event);
	}
}
