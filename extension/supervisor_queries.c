#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "nodes/pg_list.h"
#include "pgstat.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"

#include "background.h"
#include "supervisor_queries.h"

#define STATEMENT_TIMEOUT_MS 30000

typedef void (*transaction_body) (void *arg);

/* The caller's memory is short-lived: FreeErrorData would leave some of what CopyErrorData takes. */
static void
report_failure(MemoryContext memory, bool *failing, const char *what)
{
	ErrorData  *error;

	HOLD_INTERRUPTS();
	disable_all_timeouts(false);
	MemoryContextSwitchTo(memory);
	error = CopyErrorData();
	FlushErrorState();
	AbortOutOfAnyTransaction();
	MemoryContextSwitchTo(memory);
	RESUME_INTERRUPTS();

	/* A lock that somebody holds passes; anything else is told once. */
	if (!*failing && error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
	{
		*failing = true;
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("pg_tradesync: could not %s: %s; trying on", what, error->message),
				 error->detail ? errdetail_internal("%s", error->detail) : 0));
	}
}

/* A dead synchronous standby must keep nobody from trading, unless the user wants exactly that. */
static void
choose_durability(void)
{
	const char *wait_for_standby = GetConfigOption("tradesync.wait_for_standby", true, false);
	bool		wait = wait_for_standby != NULL && strcmp(wait_for_standby, "on") == 0;

	(void) set_config_option("synchronous_commit", wait ? "on" : "local", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/* Runs body in a transaction. An error ends the transaction, not the process. */
static bool
run(transaction_body body, void *arg, bool *failing, const char *what)
{
	MemoryContext memory = CurrentMemoryContext;
	volatile bool done = false;

	SetCurrentStatementStartTimestamp();
	pgstat_report_activity(STATE_RUNNING, what);
	PG_TRY();
	{
		StartTransactionCommand();
		enable_timeout_after(STATEMENT_TIMEOUT, STATEMENT_TIMEOUT_MS);
		SPI_connect();
		choose_durability();
		PushActiveSnapshot(GetTransactionSnapshot());
		body(arg);
		PopActiveSnapshot();
		SPI_finish();
		disable_timeout(STATEMENT_TIMEOUT, false);
		CommitTransactionCommand();
		done = true;
	}
	PG_CATCH();
	{
		report_failure(memory, failing, what);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(memory);
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);

	if (done && *failing)
	{
		*failing = false;
		ereport(LOG, (errmsg("pg_tradesync: could %s again", what)));
	}
	return done;
}

/* As the extension's owner while there is one, as the bootstrap superuser before and after. */
static bool
adopt_owner(void)
{
	Oid			owner = background_extension_owner();
	Oid			role = OidIsValid(owner) ? owner : GetSessionUserId();

	if (role != GetUserId())
		background_become(role);
	return OidIsValid(owner);
}

static void
read_row(listed_account *row, HeapTuple tuple, TupleDesc shape)
{
	bool		null;

	memset(row, 0, sizeof(*row));
	row->account = DatumGetInt32(SPI_getbinval(tuple, shape, 1, &null));
	strlcpy(row->name, SPI_getvalue(tuple, shape, 2), sizeof(row->name));
	row->enabled = DatumGetBool(SPI_getbinval(tuple, shape, 3, &null));
	row->generation = DatumGetInt64(SPI_getbinval(tuple, shape, 4, &null));
}

static void
read_accounts(void *arg)
{
	account_list *list = arg;

	list->count = 0;
	list->extension = adopt_owner();
	if (!list->extension)
		return;
	if (SPI_execute("select id::int4, name::text, coalesce(enabled, false), coalesce(generation, 0)::int8 "
					"from monitoring.worker_list_accounts() where id is not null and name is not null "
					"order by id", true, TRADESYNC_MAX_ACCOUNTS) != SPI_OK_SELECT)
		elog(ERROR, "worker_list_accounts() did not answer");
	for (uint64 i = 0; i < SPI_processed; i++)
		read_row(&list->accounts[list->count++], SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
}

bool
supervisor_read_accounts(account_list *list)
{
	static account_list fresh;
	static bool failing = false;

	/* A list that broke off is no list. */
	if (!run(read_accounts, &fresh, &failing, "read the accounts"))
		return false;
	*list = fresh;
	return true;
}

typedef struct signals_pass
{
	bool		newest_only;
	bool		more;
	char	   *received;		/* in TopMemoryContext; NULL: nothing */
} signals_pass;

/* What was decided and has no event yet. */
static List *unnoted = NIL;

static void
take_signals(void *arg)
{
	static SPIPlanPtr plan = NULL;	/* kept: orders wait for this statement */
	signals_pass *pass = arg;
	bool		null;
	HeapTuple	row;
	TupleDesc	shape;
	char	   *received;

	pass->more = false;
	if (!adopt_owner())
		return;
	if (plan == NULL)
	{
		SPIPlanPtr	fresh = SPI_prepare("select is_unfinished, received from monitoring.worker_take_signals($1)", 1, (Oid[]) {BOOLOID});

		if (fresh == NULL || SPI_keepplan(fresh) != 0)
			elog(ERROR, "could not prepare worker_take_signals(): %s", SPI_result_code_string(SPI_result));
		plan = fresh;
	}
	if (SPI_execute_plan(plan, (Datum[]) {BoolGetDatum(pass->newest_only)}, NULL, false, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "worker_take_signals() did not answer");
	row = SPI_tuptable->vals[0];
	shape = SPI_tuptable->tupdesc;
	pass->more = DatumGetBool(SPI_getbinval(row, shape, 1, &null)) && !null;
	received = SPI_getvalue(row, shape, 2);
	if (received != NULL)
		pass->received = MemoryContextStrdup(TopMemoryContext, received);
}

bool
supervisor_take_signals(bool newest_only)
{
	static bool failing = false;
	signals_pass pass = {newest_only, false, NULL};
	bool		done = run(take_signals, &pass, &failing, "take signals in");

	if (done && pass.received != NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);

		unnoted = lappend(unnoted, pass.received);
		MemoryContextSwitchTo(before);
	}
	return done && pass.more;
}

static void
note_signals(void *arg)
{
	if (adopt_owner())
		SPI_execute_with_args("select monitoring.note_received($1::jsonb)", 1, (Oid[]) {TEXTOID},
							  (Datum[]) {CStringGetTextDatum(arg)}, NULL, false, 0);
}

void
supervisor_note_signals(void)
{
	static bool failing = false;
	ListCell   *cell;

	foreach(cell, unnoted)
		run(note_signals, lfirst(cell), &failing, "record signals");
	list_free_deep(unnoted);
	unnoted = NIL;
}

static void
run_waves(void *arg)
{
	(void) arg;
	if (adopt_owner())
		SPI_execute("select testkit.worker_run_due_waves()", false, 0);
}

void
supervisor_run_waves(void)
{
	static bool failing = false;

	run(run_waves, NULL, &failing, "generate a wave of test signals");
}

static void
do_chores(void *arg)
{
	(void) arg;
	if (OidIsValid(background_extension_owner()))
		SPI_execute("select monitoring.worker_retention()", false, 0);
}

void
supervisor_do_chores(void)
{
	static bool failing = false;

	run(do_chores, NULL, &failing, "drop outdated rows");
}
