/*
 * The launcher: one per server, bound to no database. It keeps one supervisor in each database of
 * tradesync.databases and takes back what processes left behind. It remembers nothing that matters: after a restart
 * it finds the supervisors of its predecessor in shared memory and goes on with them.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "launcher.h"
#include "process.h"
#include "settings.h"
#include "shared_state.h"
#include "start_backoff.h"
#include "version.h"

#define SCAN_INTERVAL_MS 1000
#define RESTART_SECONDS 1

/* A database that the setting names. */
typedef struct wanted_database
{
	char		name[TRADESYNC_NAME_SIZE];	/* empty: free */
	bool		named;			/* by the setting as it is now */
	bool		missing_logged;
	Oid			database;		/* InvalidOid: does not exist, or lets nobody in */
	BackgroundWorkerHandle *handle;
	start_backoff backoff;
} wanted_database;

static wanted_database wanted[TRADESYNC_MAX_DATABASES];

PGDLLEXPORT void tradesync_launcher_main(Datum arg);

void
launcher_register(void)
{
	BackgroundWorker worker = {0};

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = RESTART_SECONDS;
	strlcpy(worker.bgw_name, "pg_tradesync launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "pg_tradesync launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, "pg_tradesync", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "tradesync_launcher_main", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}

static void
sign_off(int code, Datum arg)
{
	LWLockAcquire(&state_shared->lock, LW_EXCLUSIVE);
	state_shared->launcher_pid = 0;
	state_shared->launcher_latch = NULL;
	LWLockRelease(&state_shared->lock);
}

static void
sign_on(void)
{
	on_shmem_exit(sign_off, (Datum) 0);
	LWLockAcquire(&state_shared->lock, LW_EXCLUSIVE);
	state_shared->launcher_pid = MyProcPid;
	state_shared->launcher_latch = MyLatch;
	LWLockRelease(&state_shared->lock);
}

static wanted_database *
find_wanted(const char *name)
{
	wanted_database *free_place = NULL;

	for (int i = 0; i < TRADESYNC_MAX_DATABASES; i++)
	{
		if (strcmp(wanted[i].name, name) == 0)
			return &wanted[i];
		if (wanted[i].name[0] == '\0' && free_place == NULL)
			free_place = &wanted[i];
	}
	if (free_place != NULL)
		strlcpy(free_place->name, name, sizeof(free_place->name));
	return free_place;
}

/* A plain scan: a process without a database has no way to the indexes of pg_database when it is the first one. */
static void
look_up_databases(void)
{
	MemoryContext outer = CurrentMemoryContext;
	Relation	databases;
	TableScanDesc scan;
	HeapTuple	tuple;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	databases = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(databases, 0, NULL);
	while (HeapTupleIsValid(tuple = heap_getnext(scan, ForwardScanDirection)))
	{
		Form_pg_database row = (Form_pg_database) GETSTRUCT(tuple);

		for (int i = 0; i < TRADESYNC_MAX_DATABASES; i++)
		{
			if (wanted[i].named && row->datallowconn && strcmp(wanted[i].name, NameStr(row->datname)) == 0)
				wanted[i].database = row->oid;
		}
	}
	table_endscan(scan);
	table_close(databases, AccessShareLock);
	CommitTransactionCommand();
	MemoryContextSwitchTo(outer);
}

/* Brings the list in line with the setting and looks every name up. */
static void
read_wanted(void)
{
	ListCell   *cell;

	for (int i = 0; i < TRADESYNC_MAX_DATABASES; i++)
		wanted[i].named = false;
	foreach(cell, settings_database_names())
	{
		wanted_database *entry = find_wanted(lfirst(cell));

		if (entry != NULL)
			entry->named = true;
	}

	for (int i = 0; i < TRADESYNC_MAX_DATABASES; i++)
	{
		if (!wanted[i].named)
		{
			if (wanted[i].handle != NULL)
				pfree(wanted[i].handle);
			memset(&wanted[i], 0, sizeof(wanted[i]));
		}
		wanted[i].database = InvalidOid;
	}
	look_up_databases();
	for (int i = 0; i < TRADESYNC_MAX_DATABASES; i++)
	{
		wanted_database *entry = &wanted[i];

		if (!entry->named)
			continue;
		if (!OidIsValid(entry->database) && !entry->missing_logged)
			ereport(LOG, (errmsg("pg_tradesync: database \"%s\" does not exist; waiting for it", entry->name)));
		entry->missing_logged = !OidIsValid(entry->database);
	}
}

static bool
is_wanted(Oid database)
{
	for (int i = 0; i < TRADESYNC_MAX_DATABASES; i++)
	{
		if (wanted[i].named && wanted[i].database == database)
			return true;
	}
	return false;
}

/* Ends what runs in databases that nobody wants any more, and takes back the places of those that have ended. */
static void
retire_unwanted(void)
{
	LWLockAcquire(&state_shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < TRADESYNC_MAX_DATABASES; i++)
	{
		shared_database *entry = &state_shared->databases[i];

		if (!OidIsValid(entry->database) || is_wanted(entry->database))
			continue;
		state_stop_database(entry->database, true);
		if (!state_database_in_use(entry->database, true))
		{
			state_free_accounts(entry->database);
			memset(entry, 0, sizeof(*entry));
		}
	}
	/* A requester takes its hold back itself, also on error; this is for one that had no chance to. */
	for (int i = 0; i < TRADESYNC_MAX_HOLDS; i++)
	{
		shared_hold *hold = &state_shared->holds[i];

		if (hold->requester != 0 && BackendPidGetProc(hold->requester) == NULL)
			memset(hold, 0, sizeof(*hold));
	}
	LWLockRelease(&state_shared->lock);
}

/* The shared place of a wanted database. Callers hold the lock. */
static shared_database *
shared_place(const wanted_database *entry)
{
	shared_database *place = state_find_database(entry->database);

	if (place == NULL)
	{
		place = state_find_database(InvalidOid);
		if (place == NULL)
			return NULL;
		memset(place, 0, sizeof(*place));
		place->database = entry->database;
	}
	strlcpy(place->name, entry->name, sizeof(place->name));
	return place;
}

static void
start_supervisor(wanted_database *entry, TimestampTz now)
{
	static bool full_logged = false;
	BackgroundWorker worker = {0};

	worker.bgw_main_arg = ObjectIdGetDatum(entry->database);
	snprintf(worker.bgw_name, BGW_MAXLEN, "pg_tradesync supervisor %s", entry->name);
	strlcpy(worker.bgw_type, "pg_tradesync supervisor", BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, "pg_tradesync", BGW_MAXLEN);
	strlcpy(worker.bgw_function_name, "tradesync_supervisor_main", BGW_MAXLEN);
	if (process_start(&worker, &entry->handle))
	{
		full_logged = false;
		backoff_started(&entry->backoff, now);
		return;
	}
	if (!full_logged)
		ereport(WARNING,
				(errmsg("pg_tradesync: no free background worker for database \"%s\"; trying on", entry->name),
				 errhint("Raise max_worker_processes: pg_tradesync needs 1 + databases + accounts.")));
	full_logged = true;
}

/* Whether the supervisor of entry runs, and whether it may be started. */
static void
look_at(wanted_database *entry, TimestampTz now)
{
	shared_database *place;
	bool		running;
	bool		held;
	char		label[TRADESYNC_NAME_SIZE + 40];

	running = process_is_alive(entry->handle);
	LWLockAcquire(&state_shared->lock, LW_EXCLUSIVE);
	place = shared_place(entry);
	running |= place != NULL && place->pid != 0;
	held = shared_is_held(state_shared, entry->database, true);
	LWLockRelease(&state_shared->lock);

	entry->backoff.end_wanted |= held;
	snprintf(label, sizeof(label), "the supervisor of database \"%s\"", entry->name);
	backoff_observe(&entry->backoff, running, now, label);
	if (place != NULL && !running && !held && now >= entry->backoff.not_before)
		start_supervisor(entry, now);
}

static void
scan(void)
{
	TimestampTz now;

	read_wanted();
	retire_unwanted();
	now = GetCurrentTimestamp();
	for (int i = 0; i < TRADESYNC_MAX_DATABASES; i++)
	{
		if (OidIsValid(wanted[i].database))
			look_at(&wanted[i], now);
	}
}

static void
reload(void)
{
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	pg_atomic_write_u32(&state_shared->restart_needed, 0);
	for (int i = 0; i < TRADESYNC_MAX_DATABASES; i++)
		backoff_forgive(&wanted[i].backoff);
}

void
tradesync_launcher_main(Datum arg)
{
	MemoryContext round_memory;
	uint32		wait_event = tradesync_wait_event("TradesyncLauncherMain");

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	pgstat_report_appname("pg_tradesync launcher");
	sign_on();
	round_memory = AllocSetContextCreate(TopMemoryContext, "pg_tradesync round", ALLOCSET_DEFAULT_SIZES);

	MemoryContextSwitchTo(round_memory);

	for (;;)
	{
		scan();
		MemoryContextReset(round_memory);
		pgstat_report_activity(STATE_IDLE, NULL);

		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, SCAN_INTERVAL_MS, wait_event);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
			reload();
	}
}
