/*
 * What the database shows of our processes: worker_slots(), worker_state(), worker_streams(), cluster_status(). Copies of
 * shared memory; they work while a worker is stuck, and without preloading they are empty instead of failing.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "settings.h"
#include "shared_state.h"

#ifndef TRADESYNC_VERSION
#error "the Makefile passes TRADESYNC_VERSION, read from pg_tradesync.control"
#endif

typedef struct account_copy
{
	int32		account;
	pid_t		pid;
	wall_status status;
} account_copy;

/* The accounts of this database, copied under the locks. */
static int
copy_accounts(account_copy *copies)
{
	int			count = 0;

	if (state_shared == NULL)
		return 0;
	LWLockAcquire(&state_shared->lock, LW_SHARED);
	for (int i = 0; i < TRADESYNC_MAX_ACCOUNTS; i++)
	{
		shared_account *place = &state_shared->accounts[i];

		if (place->database != MyDatabaseId)
			continue;
		copies[count].account = place->account;
		copies[count].pid = place->pid;
		LWLockAcquire(&place->status_lock, LW_SHARED);
		copies[count].status = place->status;
		LWLockRelease(&place->status_lock);
		count++;
	}
	LWLockRelease(&state_shared->lock);
	return count;
}

static account_copy *
accounts_here(int *count)
{
	account_copy *copies = palloc(TRADESYNC_MAX_ACCOUNTS * sizeof(*copies));

	*count = copy_accounts(copies);
	return copies;
}

static TimestampTz
from_unix_ms(int64 unix_ms)
{
	return unix_ms * 1000 - (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

static Datum
text_or_null(const char *text, bool *null)
{
	*null = text[0] == '\0';
	return *null ? (Datum) 0 : CStringGetTextDatum(text);
}

static Datum
time_or_null(int64 unix_ms, bool *null)
{
	*null = unix_ms == 0;
	return TimestampTzGetDatum(from_unix_ms(unix_ms));
}

PG_FUNCTION_INFO_V1(pg_tradesync_worker_slots);

Datum
pg_tradesync_worker_slots(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			count;
	account_copy *copies = accounts_here(&count);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
	{
		const wall_status *status = &copies[i].status;
		Datum		values[12];
		bool		nulls[12] = {false};

		values[0] = Int32GetDatum(copies[i].account);
		values[1] = Int32GetDatum(copies[i].pid);
		nulls[1] = copies[i].pid == 0;
		values[2] = CStringGetTextDatum(status->state);
		values[3] = BoolGetDatum(status->halted);
		values[4] = text_or_null(status->halt_reason, &nulls[4]);
		values[5] = time_or_null(status->since_ms, &nulls[5]);
		values[6] = text_or_null(status->last_error, &nulls[6]);
		values[7] = Int64GetDatum(status->clock_offset_ms);
		values[8] = Int64GetDatum(status->events);
		values[9] = Int64GetDatum(status->commits);
		values[10] = Int64GetDatum(status->dead_letters);
		values[11] = Int32GetDatum(status->pending_rows);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(pg_tradesync_worker_state);

/* monitoring.worker_state(account): one word instead of all of worker_slots(), because every order asks for it. */
Datum
pg_tradesync_worker_state(PG_FUNCTION_ARGS)
{
	shared_account *place;
	char		state[sizeof(place->status.state)] = "";

	if (state_shared == NULL)
		PG_RETURN_NULL();
	LWLockAcquire(&state_shared->lock, LW_SHARED);
	place = shared_find_account(state_shared, MyDatabaseId, PG_GETARG_INT32(0));
	if (place != NULL && place->pid != 0)
	{
		LWLockAcquire(&place->status_lock, LW_SHARED);
		strlcpy(state, place->status.state, sizeof(state));
		LWLockRelease(&place->status_lock);
	}
	LWLockRelease(&state_shared->lock);
	if (state[0] == '\0')
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(state));
}

static void
put_stream(ReturnSetInfo *result, int32 account, const wall_stream_status *stream)
{
	Datum		values[9];
	bool		nulls[9] = {false};

	values[0] = Int32GetDatum(account);
	values[1] = CStringGetTextDatum(stream->stream);
	values[2] = CStringGetTextDatum(stream->state);
	values[3] = time_or_null(stream->connected_at_ms, &nulls[3]);
	values[4] = time_or_null(stream->last_message_at_ms, &nulls[4]);
	values[5] = Int32GetDatum(stream->reconnects);
	values[6] = Int32GetDatum(stream->subscriptions);
	values[7] = Int32GetDatum(stream->buffered);
	values[8] = Int32GetDatum(stream->lag_ms);
	nulls[8] = stream->lag_ms < 0;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(pg_tradesync_worker_streams);

Datum
pg_tradesync_worker_streams(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			count;
	account_copy *copies = accounts_here(&count);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
	{
		int32		streams = copies[i].pid == 0 ? 0 : Min(copies[i].status.stream_count, WALL_MAX_STREAMS);

		for (int32 j = 0; j < streams; j++)
			put_stream(result, copies[i].account, &copies[i].status.streams[j]);
	}
	return (Datum) 0;
}

static void
put_item(ReturnSetInfo *result, const char *item, const char *value)
{
	Datum		values[2] = {CStringGetTextDatum(item), (Datum) 0};
	bool		nulls[2] = {false, value == NULL};

	if (value != NULL)
		values[1] = CStringGetTextDatum(value);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* A number; NULL for a process that does not run. */
static void
put_number(ReturnSetInfo *result, const char *item, int64 number, bool known)
{
	put_item(result, item, known ? psprintf(INT64_FORMAT, number) : NULL);
}

/* The same rules by which a worker refuses the file; its content stays unread here. */
static const char *
credentials_status(void)
{
	struct stat file;
	char	   *path = make_absolute_path(setting_credentials_file);
	bool		inside;

	canonicalize_path(path);
	inside = path_is_prefix_of_path(DataDir, path);
	if (inside)
		return "inside the data directory";
	if (stat(path, &file) != 0)
		return errno == ENOENT ? "missing" : "unreadable";
	if (!S_ISREG(file.st_mode))
		return "not a file";
	if (file.st_mode & (S_IRWXG | S_IRWXO))
		return "open to group or others";
	return "ok";
}

static void
put_shared_items(ReturnSetInfo *result)
{
	pid_t		launcher,
				supervisor;
	uint32		start_failures;
	int			free_places = 0;
	bool		extension;
	shared_database *entry;

	LWLockAcquire(&state_shared->lock, LW_SHARED);
	launcher = state_shared->launcher_pid;
	entry = state_find_database(MyDatabaseId);
	supervisor = entry ? entry->pid : 0;
	extension = entry ? entry->extension : false;
	start_failures = state_shared->start_failures;
	for (int i = 0; i < TRADESYNC_MAX_ACCOUNTS; i++)
		free_places += !OidIsValid(state_shared->accounts[i].database);
	LWLockRelease(&state_shared->lock);

	put_number(result, "launcher_pid", launcher, launcher != 0);
	put_number(result, "supervisor_pid", supervisor, supervisor != 0);
	put_item(result, "extension_seen", extension ? "on" : "off");
	put_number(result, "worker_slots_free", free_places, true);
	put_number(result, "worker_start_failures", start_failures, true);
	put_item(result, "restart_needed", pg_atomic_read_u32(&state_shared->restart_needed) ? "on" : "off");
}

PG_FUNCTION_INFO_V1(pg_tradesync_cluster_status);

Datum
pg_tradesync_cluster_status(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	put_item(result, "preloaded", state_shared ? "on" : "off");
	put_item(result, "library_version", TRADESYNC_VERSION);
	if (state_shared == NULL)
		return (Datum) 0;
	put_item(result, "databases", setting_databases);
	put_item(result, "credentials_file", setting_credentials_file);
	put_item(result, "credentials_status", credentials_status());
	put_shared_items(result);
	return (Datum) 0;
}
