/*
 * One transaction of a worker: how it begins, how it ends well, how it ends badly and leaves nothing behind.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"

#include "background.h"
#include "postgres/inside.h"

static void
set_local(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/* A dead synchronous standby must not keep a fill from being known: the local disk is enough unless an operator
 * decided otherwise. */
static const char *
durability(bool durable)
{
	const char *wait_for_standby;

	if (!durable)
		return "off";
	wait_for_standby = wall_setting("tradesync.wait_for_standby");
	return wait_for_standby != NULL && strcmp(wait_for_standby, "on") == 0 ? "on" : "local";
}

void
inside_begin(bool durable, int lock_timeout_ms)
{
	char		lock_timeout[16];

	snprintf(lock_timeout, sizeof(lock_timeout), "%d", lock_timeout_ms);
	/* A cancel that came while we were not in the database was for nothing. */
	QueryCancelPending = false;
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	set_local("synchronous_commit", durability(durable));
	set_local("lock_timeout", lock_timeout);
	enable_timeout_after(STATEMENT_TIMEOUT, INSIDE_STATEMENT_TIMEOUT_MS);
	SPI_connect();
	PushActiveSnapshot(GetTransactionSnapshot());
}

void
inside_commit(void)
{
	PopActiveSnapshot();
	SPI_finish();
	disable_timeout(STATEMENT_TIMEOUT, false);
	CommitTransactionCommand();
}

void
inside_copy_text(char *target, size_t size, const char *server_text)
{
	const char *utf8 = pg_server_to_any(server_text, strlen(server_text), PG_UTF8);
	int			length = pg_encoding_mbcliplen(PG_UTF8, utf8, strlen(utf8), size - 1);

	memcpy(target, utf8, length);
	target[length] = '\0';
}

void
inside_fill_error(wall_error *error, const ErrorData *data)
{
	if (error == NULL)
		return;
	strlcpy(error->sqlstate, unpack_sql_state(data->sqlerrcode), sizeof(error->sqlstate));
	inside_copy_text(error->message, sizeof(error->message), data->message ? data->message : "");
	inside_copy_text(error->detail, sizeof(error->detail), data->detail ? data->detail : "");
}

bool
inside_is_sign_of_change(int sqlstate)
{
	return sqlstate == ERRCODE_UNDEFINED_TABLE || sqlstate == ERRCODE_UNDEFINED_FUNCTION ||
		sqlstate == ERRCODE_UNDEFINED_SCHEMA || sqlstate == ERRCODE_UNDEFINED_OBJECT ||
		sqlstate == ERRCODE_INTERNAL_ERROR;
}

bool
inside_extension_is_gone(void)
{
	return get_extension_oid(TRADESYNC_EXTENSION, true) != inside_extension;
}

/* The same SQLSTATE comes from a user's trigger that names a missing table: only the catalogue tells them apart. */
static bool
confirm_gone(void)
{
	MemoryContext outer = CurrentMemoryContext;
	volatile bool gone = true;

	PG_TRY();
	{
		StartTransactionCommand();
		gone = inside_extension_is_gone();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(outer);
		FlushErrorState();
		AbortOutOfAnyTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(outer);
	return gone;
}

static wall_outcome
meaning_of(int sqlstate)
{
	switch (sqlstate)
	{
		case ERRCODE_T_R_SERIALIZATION_FAILURE:
		case ERRCODE_T_R_DEADLOCK_DETECTED:
		case ERRCODE_LOCK_NOT_AVAILABLE:
		case ERRCODE_QUERY_CANCELED:
			return WALL_RETRY;
		default:
			return inside_is_sign_of_change(sqlstate) && confirm_gone() ? WALL_GONE : WALL_REFUSED;
	}
}

static void
tell(wall_error *error, const ErrorData *data)
{
	PG_TRY();
	{
		inside_fill_error(error, data);
	}
	PG_CATCH();
	{
		/* A text that has no form in UTF-8; the SQLSTATE is there. */
		FlushErrorState();
	}
	PG_END_TRY();
}

wall_outcome
inside_recover(MemoryContext outer, wall_error *error)
{
	/* Its own memory: FreeErrorData leaves some of what CopyErrorData took. */
	static MemoryContext error_memory = NULL;
	ErrorData  *data;
	wall_outcome outcome;

	HOLD_INTERRUPTS();
	disable_all_timeouts(false);
	QueryCancelPending = false;
	if (error_memory == NULL)
		error_memory = AllocSetContextCreate(TopMemoryContext, "pg_tradesync error", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(error_memory);
	data = CopyErrorData();
	FlushErrorState();
	AbortOutOfAnyTransaction();
	MemoryContextSwitchTo(error_memory);
	RESUME_INTERRUPTS();

	tell(error, data);
	if (inside_is_sign_of_change(data->sqlerrcode))
	{
		inside_forget_functions();
		inside_forget_queries();
	}
	outcome = meaning_of(data->sqlerrcode);
	MemoryContextSwitchTo(outer);
	MemoryContextReset(error_memory);
	return outcome;
}
