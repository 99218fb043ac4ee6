/*
 * The account worker as a process: wait for the latch, the sockets or a deadline; serve the server's interrupts; give
 * C++ one turn. Stands above app/, which stands above the wall.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "app/app.h"
#include "postgres/process.h"
#include "postgres/wall.h"
#include "version.h"

/* Covers wake-ups that nobody sent, such as COMMIT PREPARED. */
#define LOOK_INTERVAL_MS 1000
/* A statement that needs the database for itself gives us 5 s. */
#define LONGEST_GOODBYE_IN_THE_WAY_MS 3000
#define WAIT_EVENTS 3

PG_MODULE_MAGIC;

PGDLLEXPORT void tradesync_worker_main(Datum arg);

typedef struct worker
{
	app		   *app;
	WaitEventSet *waits;
	uint32		wait_event;
	TimestampTz looked;
	MemoryContext turn_memory;	/* what a turn leaves behind in PostgreSQL's memory */
} worker;

static worker self;

/* Runs before PostgreSQL takes itself down, on FATAL too: no thread of a library may outlive it. */
static void
destroy_app(int code, Datum arg)
{
	app		   *leaving = self.app;

	(void) code;
	(void) arg;
	process_close_database();
	self.app = NULL;
	app_destroy(leaving);
}

static void
prepare_waits(void)
{
	self.waits = tradesync_create_wait_set(WAIT_EVENTS);
	self.wait_event = tradesync_wait_event("TradesyncWorkerMain");
	AddWaitEventToSet(self.waits, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(self.waits, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(self.waits, WL_SOCKET_READABLE, app_descriptor(self.app), NULL, NULL);
}

/* True: the latch was set. It is reset before anybody looks for work, so no wake-up is lost. */
static bool
wait_for_something(long limit_ms)
{
	WaitEvent	events[WAIT_EVENTS];
	long		timeout_ms = app_timeout_ms(self.app);
	bool		latch = false;
	int			count;

	if (timeout_ms < 0 || timeout_ms > limit_ms)
		timeout_ms = limit_ms;
	count = WaitEventSetWait(self.waits, timeout_ms, events, WAIT_EVENTS, self.wait_event);
	for (int i = 0; i < count; i++)
		latch |= (events[i].events & WL_LATCH_SET) != 0;
	if (latch)
		ResetLatch(MyLatch);
	process_serve_interrupts();
	return latch;
}

static void
reload_if_asked(void)
{
	if (!ConfigReloadPending)
		return;
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	app_reload(self.app);
}

static void
look_when_due(bool woken)
{
	TimestampTz now = GetCurrentTimestamp();

	if (!woken && !TimestampDifferenceExceeds(self.looked, now, LOOK_INTERVAL_MS))
		return;
	self.looked = now;
	app_look(self.app, woken && process_commit_is_expected());
}

/* How the process ends: what its place says afterwards, what the log says, the exit code. */
static void
leave(app_result result, const app_error *error)
{
	switch (result)
	{
		case APP_OK:
		case APP_LEAVE:
			process_end_as(result == APP_LEAVE ? "disabled" : "backoff", NULL);
			proc_exit(0);
		case APP_AGAIN:
			process_end_as("backoff", error->message);
			wall_log('D', "the account cannot be served now", error->message, NULL);
			proc_exit(1);
		case APP_BROKEN:
			process_end_as("backoff", error->message);
			wall_log('W', "the worker has to start again", error->message, NULL);
			proc_exit(1);
	}
}

/* SIGTERM: goodbye in good order, but not for ever. Errors on the way end it early. */
static void
say_goodbye(void)
{
	TimestampTz start = GetCurrentTimestamp();
	int64		limit_ms = wall_setting_number("tradesync.shutdown_timeout", 0);
	app_error	error = {""};

	if (process_is_in_the_way())
		limit_ms = Min(limit_ms, LONGEST_GOODBYE_IN_THE_WAY_MS);
	while (!app_stop(self.app))
	{
		int64		left_ms = limit_ms - TimestampDifferenceMilliseconds(start, GetCurrentTimestamp());

		if (left_ms <= 0)
		{
			wall_log('W', "could not leave in good order within tradesync.shutdown_timeout; leaving now", NULL, NULL);
			break;
		}
		(void) wait_for_something(left_ms);
		if (app_turn(self.app, &error) != APP_OK)
			break;
	}
	process_end_turn();
}

static app_result
work_until_asked_to_leave(app_error *error)
{
	while (!ShutdownRequestPending)
	{
		bool		woken = wait_for_something(LOOK_INTERVAL_MS);
		app_result	result;

		reload_if_asked();
		if (ShutdownRequestPending)
			break;
		look_when_due(woken);
		result = app_turn(self.app, error);
		process_end_turn();
		MemoryContextReset(self.turn_memory);
		if (result != APP_OK)
			return result;
	}
	say_goodbye();
	return APP_OK;
}

static void
start(Oid database, int32 account)
{
	/* Until we are connected nothing is in flight: SIGTERM may end us where we stand. */
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	if (process_sign_on(database, account) != PROCESS_ADMITTED)
		proc_exit(0);
	if (!process_connect(database))
		proc_exit(0);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	process_serve_interrupts();
}

void
tradesync_worker_main(Datum arg)
{
	int32		account = DatumGetInt32(arg);
	Oid			database;
	app_result	result = APP_OK;
	app_error	error = {""};

	memcpy(&database, MyBgworkerEntry->bgw_extra, sizeof(database));
	start(database, account);
	before_shmem_exit(destroy_app, (Datum) 0);
	self.turn_memory = AllocSetContextCreate(TopMemoryContext, "pg_tradesync turn", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(self.turn_memory);
	self.app = app_create(account, &result, &error);
	if (self.app != NULL)
	{
		prepare_waits();
		look_when_due(true);
		result = work_until_asked_to_leave(&error);
	}
	leave(result, &error);
}
