/*
 * monitoring.worker_wake(account): wakes a worker (0: the supervisor) when the transaction has committed, once. It is
 * woken when it is first asked for, too: a process that has slept needs some tenths of a millisecond until it has found its
 * feet and its caches, and a commit takes as long. Not by the supervisor: its commits do not wait for the disk, and with few
 * processors the worker would take one from it. No NOTIFY: background processes cannot LISTEN, and it forbids PREPARE
 * TRANSACTION.
 * COMMIT PREPARED wakes nobody; the workers' scan once a second covers it.
 * The trigger of signal sources does the same for the supervisor; it asks for no privilege of whoever writes the row.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "shared_state.h"

typedef struct wake_target
{
	int32		account;
	SubTransactionId asked_in;
} wake_target;

/* Of the running transaction, in its memory. */
static wake_target *targets = NULL;
static int	target_count = 0;
static int	target_room = 0;

static void
forget_targets(void)
{
	targets = NULL;
	target_count = target_room = 0;
}

static void
wake_now(int32 account, bool commit_expected)
{
	Latch	   *latch = NULL;

	LWLockAcquire(&state_shared->lock, LW_SHARED);
	if (account == 0)
	{
		shared_database *entry = state_find_database(MyDatabaseId);

		latch = entry ? entry->latch : NULL;
	}
	else
	{
		shared_account *place = shared_find_account(state_shared, MyDatabaseId, account);

		latch = place ? place->latch : NULL;
		if (place != NULL)
			pg_atomic_write_u32(&place->commit_expected, commit_expected);
	}
	if (latch != NULL)
		SetLatch(latch);
	LWLockRelease(&state_shared->lock);
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT)
	{
		for (int i = 0; i < target_count; i++)
			wake_now(targets[i].account, false);
	}
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		forget_targets();
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId ours, SubTransactionId parent, void *arg)
{
	int			kept = 0;

	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	for (int i = 0; i < target_count; i++)
	{
		wake_target target = targets[i];

		if (target.asked_in == ours)
		{
			if (event == SUBXACT_EVENT_ABORT_SUB)
				continue;
			target.asked_in = parent;
		}
		targets[kept++] = target;
	}
	target_count = kept;
}

/* False: it was a target already. */
static bool
add_target(int32 account)
{
	SubTransactionId now_in = GetCurrentSubTransactionId();
	bool		known = false;

	for (int i = 0; i < target_count; i++)
	{
		if (targets[i].account == account && targets[i].asked_in == now_in)
			return false;
		known |= targets[i].account == account;
	}
	if (target_count == target_room)
	{
		int			room = target_room ? target_room * 2 : 8;
		wake_target *larger = MemoryContextAlloc(TopTransactionContext, room * sizeof(*larger));

		if (target_count > 0)
			memcpy(larger, targets, target_count * sizeof(*larger));
		targets = larger;
		target_room = room;
	}
	targets[target_count++] = (wake_target) {account, now_in};
	return !known;
}

static void
wake_at_commit(int32 account)
{
	static bool registered = false;

	if (state_shared == NULL)
		return;
	if (!registered)
	{
		RegisterXactCallback(at_transaction_end, NULL);
		RegisterSubXactCallback(at_subtransaction_end, NULL);
		registered = true;
	}
	if (add_target(account) && synchronous_commit > SYNCHRONOUS_COMMIT_OFF)
		wake_now(account, true);
}

PG_FUNCTION_INFO_V1(pg_tradesync_wake);

Datum
pg_tradesync_wake(PG_FUNCTION_ARGS)
{
	if (!PG_ARGISNULL(0))
		wake_at_commit(PG_GETARG_INT32(0));
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(pg_tradesync_signal_source_changed);

Datum
pg_tradesync_signal_source_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("signal_source_changed() is a trigger function")));
	wake_at_commit(0);
	return PointerGetDatum(NULL);
}
