/*
 * The supervisor of one database: notices the extension and its accounts come and go, keeps one worker for each
 * enabled account, takes signals in, and does the database's chores. Woken at once by monitoring.worker_wake(0), else
 * once a second.
 * Workers outlive it: a successor finds them in shared memory and goes on with them.
 */
#include "postgres.h"

#include <signal.h>

#include "commands/dbcommands.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "background.h"
#include "process.h"
#include "shared_state.h"
#include "start_backoff.h"
#include "supervisor_queries.h"
#include "version.h"

#define SCAN_INTERVAL_MS 1000
#define QUIET_MS 5				/* without another wake-up: then there is time for everything else */
#define CHORES_INTERVAL_MS 60000

/* An enabled account, as this supervisor remembers it. */
typedef struct watched_account
{
	int32		account;		/* 0: free */
	bool		listed;			/* by the last complete list */
	int64		generation;		/* of its row when we last looked */
	uint32		claims;			/* of its shared place when the last process was started */
	BackgroundWorkerHandle *handle;
	start_backoff backoff;
} watched_account;

static watched_account watched[TRADESYNC_MAX_ACCOUNTS];
static account_list listed;
static Oid	our_database = InvalidOid;
static bool chores_wanted = false;	/* before their time: an account has changed */

PGDLLEXPORT void tradesync_supervisor_main(Datum arg);

static void
sign_off(int code, Datum arg)
{
	shared_database *entry;

	LWLockAcquire(&state_shared->lock, LW_EXCLUSIVE);
	entry = state_find_database(our_database);
	if (entry != NULL && entry->pid == MyProcPid)
	{
		entry->pid = 0;
		entry->latch = NULL;
		entry->extension = false;
	}
	LWLockRelease(&state_shared->lock);
	ConditionVariableBroadcast(&state_shared->left);
}

/* False: somebody else supervises this database already, or it wants us away. */
static bool
sign_on(void)
{
	shared_database *entry;
	bool		ours;

	/* Runs after the process has left the list of running backends, so whoever waits for us finds us gone. */
	on_shmem_exit(sign_off, (Datum) 0);
	LWLockAcquire(&state_shared->lock, LW_EXCLUSIVE);
	entry = state_find_database(our_database);
	ours = entry != NULL && entry->pid == 0 && !shared_is_held(state_shared, our_database, true);
	if (ours)
	{
		entry->pid = MyProcPid;
		entry->latch = MyLatch;
	}
	LWLockRelease(&state_shared->lock);
	return ours;
}

static watched_account *
watch(int32 account)
{
	watched_account *free_place = NULL;

	for (int i = 0; i < TRADESYNC_MAX_ACCOUNTS; i++)
	{
		if (watched[i].account == account)
			return &watched[i];
		if (watched[i].account == 0 && free_place == NULL)
			free_place = &watched[i];
	}
	if (free_place != NULL)
		free_place->account = account;
	return free_place;
}

static void
forget_unlisted(void)
{
	for (int i = 0; i < TRADESYNC_MAX_ACCOUNTS; i++)
	{
		if (watched[i].account == 0 || watched[i].listed)
			continue;
		if (watched[i].handle != NULL)
			pfree(watched[i].handle);
		memset(&watched[i], 0, sizeof(watched[i]));
	}
}

static bool
is_enabled(int32 account)
{
	for (int i = 0; i < listed.count; i++)
	{
		if (listed.accounts[i].account == account)
			return listed.accounts[i].enabled;
	}
	return false;
}

/* Ends the workers of accounts that are no longer enabled and takes their places back. */
static void
retire_disabled(void)
{
	LWLockAcquire(&state_shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < TRADESYNC_MAX_ACCOUNTS; i++)
	{
		shared_account *place = &state_shared->accounts[i];

		if (place->database != our_database || is_enabled(place->account))
			continue;
		if (place->pid != 0)
			kill(place->pid, SIGTERM);
		else
			state_free_account(place);
	}
	LWLockRelease(&state_shared->lock);
}

/* The shared place of an account, made when it has none. NULL: all are taken. Callers hold the lock exclusively. */
static shared_account *
shared_place(int32 account)
{
	shared_account *place = shared_find_account(state_shared, our_database, account);

	if (place != NULL)
		return place;
	place = shared_find_account(state_shared, InvalidOid, 0);
	if (place != NULL)
	{
		place->database = our_database;
		place->account = account;
		state_set_account(place, "starting", NULL);
	}
	return place;
}

static void
tell_once(bool *told, const char *message, const char *name, const char *hint)
{
	if (!*told)
		ereport(WARNING, (errmsg(message, name), errhint("%s", hint)));
	*told = true;
}

static void
start_worker(const listed_account *row, watched_account *memory, TimestampTz now)
{
	static bool told = false;
	BackgroundWorker worker = {0};

	worker.bgw_main_arg = Int32GetDatum(row->account);
	memcpy(worker.bgw_extra, &our_database, sizeof(our_database));
	snprintf(worker.bgw_name, BGW_MAXLEN, "pg_tradesync worker %s", row->name);
	strlcpy(worker.bgw_type, "pg_tradesync worker", BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, "pg_tradesync_worker", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "tradesync_worker_main", BGW_MAXLEN);
	if (process_start(&worker, &memory->handle))
	{
		told = false;
		backoff_started(&memory->backoff, now);
	}
	else
		tell_once(&told, "pg_tradesync: no free background worker for account \"%s\"; trying on", row->name,
				  "Raise max_worker_processes: pg_tradesync needs 1 + databases + accounts.");
}

/* One enabled account: is its worker there, may it be started? */
static void
look_at(const listed_account *row, TimestampTz now)
{
	static bool told = false;
	watched_account *memory = watch(row->account);
	shared_account *place;
	bool		running,
				may_start;
	char		label[TRADESYNC_NAME_SIZE + 40];

	if (memory == NULL)
		return;
	memory->listed = true;
	/* Somebody changed the account: perhaps that cured what made its worker fail, perhaps the worker leaves for a
	 * successor that starts with the new row. */
	if (memory->generation != row->generation)
	{
		backoff_forgive(&memory->backoff);
		memory->backoff.end_wanted = true;
		/* The first confirmed account brings the first partitions of events. */
		chores_wanted = true;
	}
	memory->generation = row->generation;
	running = process_is_alive(memory->handle);
	snprintf(label, sizeof(label), "the worker of account \"%s\"", row->name);

	LWLockAcquire(&state_shared->lock, LW_EXCLUSIVE);
	place = shared_place(row->account);
	if (place != NULL)
	{
		running |= place->pid != 0;
		if (shared_is_held(state_shared, our_database, false))
			memory->backoff.end_wanted = true;
		/* It ended before its first line could run: no library, no fork. */
		if (memory->backoff.running && !running && place->claims == memory->claims)
			state_set_account(place, "backoff", "the worker process did not start; the server log says why");
	}
	may_start = place != NULL && !running && !shared_is_held(state_shared, our_database, false) &&
		pg_atomic_read_u32(&state_shared->restart_needed) == 0;
	LWLockRelease(&state_shared->lock);

	backoff_observe(&memory->backoff, running, now, label);
	if (place == NULL)
		tell_once(&told, "pg_tradesync: no place for account \"%s\"", row->name,
				  "One server keeps at most 128 enabled accounts.");
	if (may_start && now >= memory->backoff.not_before)
	{
		LWLockAcquire(&state_shared->lock, LW_EXCLUSIVE);
		memory->claims = place->claims;
		LWLockRelease(&state_shared->lock);
		start_worker(row, memory, now);
	}
}

static bool
is_held(void)
{
	bool		held;

	LWLockAcquire(&state_shared->lock, LW_SHARED);
	held = shared_is_held(state_shared, our_database, false);
	LWLockRelease(&state_shared->lock);
	return held;
}

static void
note_extension(bool present)
{
	static bool told_missing = false;
	shared_database *entry;

	LWLockAcquire(&state_shared->lock, LW_EXCLUSIVE);
	entry = state_find_database(our_database);
	if (entry != NULL)
		entry->extension = present;
	LWLockRelease(&state_shared->lock);

	if (!present && !told_missing)
		ereport(LOG, (errmsg("pg_tradesync: extension is not created in database \"%s\"; waiting for it",
							 MyBgworkerEntry->bgw_name + strlen("pg_tradesync supervisor "))));
	told_missing = !present;
}

static void
scan(void)
{
	TimestampTz now;

	/* Whoever holds the database is about to change what we would read. */
	if (!is_held() && supervisor_read_accounts(&listed))
		note_extension(listed.extension);

	for (int i = 0; i < TRADESYNC_MAX_ACCOUNTS; i++)
		watched[i].listed = false;
	now = GetCurrentTimestamp();
	for (int i = 0; i < listed.count; i++)
	{
		if (listed.accounts[i].enabled)
			look_at(&listed.accounts[i], now);
	}
	forget_unlisted();
	retire_disabled();
}

/* Orders wait for it, so it comes first in a round. True: there is more, the next round must not wait. */
static bool
take_signals(bool newest_only)
{
	return listed.extension && !is_held() && supervisor_take_signals(newest_only);
}

static void
run_waves_when_due(void)
{
	static TimestampTz last = 0;
	TimestampTz now = GetCurrentTimestamp();

	if (!listed.extension || is_held() || !TimestampDifferenceExceeds(last, now, SCAN_INTERVAL_MS))
		return;
	last = now;
	supervisor_run_waves();
}

static void
do_chores_when_due(void)
{
	static TimestampTz last = 0;
	TimestampTz now = GetCurrentTimestamp();

	if (!listed.extension || is_held() || (!chores_wanted && !TimestampDifferenceExceeds(last, now, CHORES_INTERVAL_MS)))
		return;
	chores_wanted = false;
	last = now;
	supervisor_do_chores();
}

static void
reload(void)
{
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	for (int i = 0; i < TRADESYNC_MAX_ACCOUNTS; i++)
		backoff_forgive(&watched[i].backoff);
}

void
tradesync_supervisor_main(Datum arg)
{
	MemoryContext round_memory;
	uint32		wait_event = tradesync_wait_event("TradesyncSupervisorMain");
	TimestampTz looked_around = 0;
	bool		woken = false;

	our_database = DatumGetObjectId(arg);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	if (!sign_on())
		proc_exit(0);
	BackgroundWorkerInitializeConnectionByOid(our_database, InvalidOid, 0);
	pgstat_report_appname(MyBgworkerEntry->bgw_name);
	background_isolate_session();

	round_memory = AllocSetContextCreate(TopMemoryContext, "pg_tradesync round", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(round_memory);

	for (;;)
	{
		/* Who has woken us may be about to commit: new signals come first as long as they come, within reason. */
		TimestampTz now = GetCurrentTimestamp();
		bool		look_around = !woken || TimestampDifferenceExceeds(looked_around, now, SCAN_INTERVAL_MS);
		bool		more = take_signals(!look_around);

		if (look_around)
		{
			looked_around = now;
			supervisor_note_signals();
			scan();
			run_waves_when_due();
			do_chores_when_due();
		}
		MemoryContextReset(round_memory);

		woken = WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						  more ? 0 : look_around ? SCAN_INTERVAL_MS : QUIET_MS, wait_event) & WL_LATCH_SET;
		ResetLatch(MyLatch);
		/* A cancel that finds us idle has nothing to cancel. */
		QueryCancelPending = false;
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
			reload();
	}
}
