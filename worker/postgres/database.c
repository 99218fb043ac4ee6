/*
 * wall_execute: all that a turn wants written, in one transaction.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "postgres/inside.h"
#include "postgres/process.h"

#define LOCK_TIMEOUT_MS 100
/* Row by row, and the rows wait one after the other. */
#define ROW_LOCK_TIMEOUT_MS 10
#define ROW_TIMEOUT_MS 1000

enum row_fate
{
	FATE_SAVED,
	FATE_LOCKED,
	FATE_REFUSED
};

/* Errors that say nothing about the row go on to the whole batch. */
static enum row_fate
fate_of(ErrorData *error, TimestampTz started)
{
	switch (error->sqlerrcode)
	{
		case ERRCODE_T_R_SERIALIZATION_FAILURE:
		case ERRCODE_T_R_DEADLOCK_DETECTED:
		case ERRCODE_LOCK_NOT_AVAILABLE:
			return FATE_LOCKED;
		case ERRCODE_QUERY_CANCELED:
			/* A row that takes a second each time will never be written; somebody's cancel passes. */
			if (!TimestampDifferenceExceeds(started, GetCurrentTimestamp(), ROW_TIMEOUT_MS))
				ReThrowError(error);
			return FATE_REFUSED;
		default:
			if (inside_is_sign_of_change(error->sqlerrcode) && inside_extension_is_gone())
				ReThrowError(error);
			return FATE_REFUSED;
	}
}

/* One row in a subtransaction of its own. */
static enum row_fate
save_row(saved_function *function, int32 account, const wall_call *call, int32 index)
{
	MemoryContext outer = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	TimestampTz started = GetCurrentTimestamp();
	volatile enum row_fate fate = FATE_SAVED;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(outer);
	PG_TRY();
	{
		enable_timeout_after(STATEMENT_TIMEOUT, ROW_TIMEOUT_MS);
		inside_call(function, account, call, index, 1);
		disable_timeout(STATEMENT_TIMEOUT, false);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		disable_timeout(STATEMENT_TIMEOUT, false);
		MemoryContextSwitchTo(outer);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(outer);
		CurrentResourceOwner = owner;
		fate = fate_of(error, started);
		if (fate == FATE_REFUSED && call->errors != NULL)
			inside_fill_error(&call->errors[index], error);
		FreeErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(outer);
	CurrentResourceOwner = owner;
	return fate;
}

static void
save_each(saved_function *function, int32 account, const wall_call *call)
{
	MemoryContext row_memory = AllocSetContextCreate(CurrentMemoryContext, "pg_tradesync row", ALLOCSET_DEFAULT_SIZES);

	for (int32 i = 0; i < call->rows; i++)
	{
		MemoryContext outer = MemoryContextSwitchTo(row_memory);

		/* Whoever wants us to leave does not wait for a thousand slow rows. */
		if (ShutdownRequestPending)
			ereport(ERROR, (errcode(ERRCODE_QUERY_CANCELED), errmsg("the worker is asked to leave")));
		CHECK_FOR_INTERRUPTS();
		call->fate[i] = save_row(function, account, call, i);
		MemoryContextSwitchTo(outer);
		MemoryContextReset(row_memory);
	}
	MemoryContextDelete(row_memory);
	enable_timeout_after(STATEMENT_TIMEOUT, INSIDE_STATEMENT_TIMEOUT_MS);
}

static void
run_calls(int32 account, const wall_call *calls, int32 count, wall_mode mode)
{
	for (int32 i = 0; i < count; i++)
	{
		const wall_call *call = &calls[i];
		saved_function *function;

		if (call->rows == 0)
			continue;
		function = inside_function(call->function, call->row_type);
		if (mode == WALL_EACH && call->isolate)
			save_each(function, account, call);
		else
		{
			inside_call(function, account, call, 0, call->rows);
			if (mode == WALL_EACH && call->fate != NULL)
				memset(call->fate, FATE_SAVED, call->rows);
		}
	}
}

static bool
has_rows(const wall_call *calls, int32 count)
{
	for (int32 i = 0; i < count; i++)
	{
		if (calls[i].rows > 0)
			return true;
	}
	return false;
}

static wall_outcome
refuse_closed(wall_error *error)
{
	strlcpy(error->sqlstate, "57P01", sizeof(error->sqlstate));
	strlcpy(error->message, "the worker is leaving", sizeof(error->message));
	return WALL_REFUSED;
}

/* Something durable was committed, and those who wait for it have not been told. */
static bool waiters_due = false;

/* Whoever waits for what this account's worker does looks again (monitoring.worker_wait). After the turn: what it sends must
 * not queue for a processor behind those who only want to know. */
void
process_end_turn(void)
{
	if (waiters_due)
	{
		waiters_due = false;
		pg_atomic_fetch_add_u64(&inside_place->commits, 1);
		ConditionVariableBroadcast(&inside_place->committed);
	}
	pgstat_report_stat(false);
}

wall_outcome
wall_execute(int32_t account_id, const wall_call *calls, int32_t count, wall_mode mode, bool durable,
			 const char *activity, wall_error *error)
{
	MemoryContext outer = CurrentMemoryContext;
	volatile wall_outcome outcome = WALL_SAVED;

	memset(error, 0, sizeof(*error));
	strlcpy(error->sqlstate, "00000", sizeof(error->sqlstate));
	if (inside_closed)
		return refuse_closed(error);
	if (!has_rows(calls, count))
		return WALL_SAVED;

	wall_activity(activity);
	PG_TRY();
	{
		inside_begin(durable, mode == WALL_EACH ? ROW_LOCK_TIMEOUT_MS : LOCK_TIMEOUT_MS);
		run_calls(account_id, calls, count, mode);
		inside_commit();
	}
	PG_CATCH();
	{
		outcome = inside_recover(outer, error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(outer);
	waiters_due |= outcome == WALL_SAVED && durable;
	wall_activity(NULL);
	return outcome;
}
