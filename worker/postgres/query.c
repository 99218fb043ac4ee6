/*
 * wall_query: a worker_load_* function's rows as text, copied out of PostgreSQL's memory.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "postgres/inside.h"

#define LOCK_TIMEOUT_MS 100
/* As many as the SQL side has worker_load_* functions, with room to grow. */
#define MAX_QUERIES 32

typedef struct saved_query
{
	char		function[64];
	SPIPlanPtr	plan;
} saved_query;

static saved_query queries[MAX_QUERIES];
static int	query_count = 0;

static char *
unix_ms_text(TimestampTz time)
{
	const int64 epoch_shift = (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;

	if (TIMESTAMP_NOT_FINITE(time))
		return NULL;
	return psprintf(INT64_FORMAT, (time + epoch_shift) / 1000);
}

/* palloc'd UTF-8, NULL for SQL NULL. */
static char *
cell_text(HeapTuple tuple, TupleDesc shape, int column)
{
	char	   *text;

	if (SPI_gettypeid(shape, column) == TIMESTAMPTZOID)
	{
		bool		null;
		Datum		value = SPI_getbinval(tuple, shape, column, &null);

		return null ? NULL : unix_ms_text(DatumGetTimestampTz(value));
	}
	text = SPI_getvalue(tuple, shape, column);
	return text == NULL ? NULL : pg_server_to_any(text, strlen(text), PG_UTF8);
}

/* Copies all cells into one block: first the pointers, then the texts. */
static void
copy_out(char **texts, Size cells, wall_result *result)
{
	Size		total = cells * sizeof(char *);
	char	   *at;

	for (Size i = 0; i < cells; i++)
		total += texts[i] ? strlen(texts[i]) + 1 : 0;
	result->memory = malloc(total + 1);
	if (result->memory == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	result->cells = result->memory;
	at = (char *) (result->cells + cells);
	for (Size i = 0; i < cells; i++)
	{
		result->cells[i] = texts[i] ? strcpy(at, texts[i]) : NULL;
		at += texts[i] ? strlen(texts[i]) + 1 : 0;
	}
}

/* The plan is kept: the scan for commands runs in front of every order. NULL: there is no room for one more. */
static SPIPlanPtr
plan_for(const char *function)
{
	Oid			types[1] = {INT4OID};
	saved_query *saved = NULL;

	for (int i = 0; i < query_count && saved == NULL; i++)
	{
		if (strcmp(queries[i].function, function) == 0)
			saved = &queries[i];
	}
	if (saved == NULL && query_count < MAX_QUERIES && strlen(function) < sizeof(saved->function))
	{
		saved = &queries[query_count++];
		*saved = (saved_query) {.plan = NULL};
		strlcpy(saved->function, function, sizeof(saved->function));
	}
	if (saved != NULL && saved->plan == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(psprintf("select * from %s($1)", function), 1, types);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare %s: %s", function, SPI_result_code_string(SPI_result));
		saved->plan = plan;
	}
	return saved ? saved->plan : NULL;
}

void
inside_forget_queries(void)
{
	for (int i = 0; i < query_count; i++)
	{
		if (queries[i].plan != NULL)
			SPI_freeplan(queries[i].plan);
		queries[i].plan = NULL;
	}
}

static void
run(const char *function, int32 account)
{
	Oid			types[1] = {INT4OID};
	Datum		arguments[1] = {Int32GetDatum(account)};
	SPIPlanPtr	plan = plan_for(function);
	int			done;

	if (plan != NULL)
		done = SPI_execute_plan(plan, arguments, NULL, false, 0);
	else
		done = SPI_execute_with_args(psprintf("select * from %s($1)", function), 1, types, arguments, NULL, false, 0);
	if (done != SPI_OK_SELECT)
		elog(ERROR, "%s did not answer", function);
}

static void
fetch(const char *function, int32 account, wall_result *result)
{
	SPITupleTable *table;
	uint64		rows;
	int			columns;
	char	  **texts;

	run(function, account);
	table = SPI_tuptable;
	rows = SPI_processed;
	columns = table->tupdesc->natts;
	texts = palloc_extended((Size) (rows * columns + 1) * sizeof(char *), MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < rows; i++)
	{
		for (int j = 0; j < columns; j++)
			texts[i * columns + j] = cell_text(table->vals[i], table->tupdesc, j + 1);
	}
	copy_out(texts, rows * columns, result);
	result->rows = rows;
	result->columns = columns;
}

wall_outcome
wall_query(const char *function, int32_t account_id, wall_result *result, wall_error *error)
{
	MemoryContext outer = CurrentMemoryContext;
	volatile wall_outcome outcome = WALL_SAVED;

	memset(result, 0, sizeof(*result));
	memset(error, 0, sizeof(*error));
	strlcpy(error->sqlstate, inside_closed ? "57P01" : "00000", sizeof(error->sqlstate));
	if (inside_closed)
		return WALL_REFUSED;

	wall_activity(function);
	PG_TRY();
	{
		inside_begin(true, LOCK_TIMEOUT_MS);
		fetch(function, account_id, result);
		inside_commit();
	}
	PG_CATCH();
	{
		outcome = inside_recover(outer, error);
		wall_free_result(result);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(outer);
	wall_activity(NULL);
	return outcome;
}

void
wall_free_result(wall_result *result)
{
	free(result->memory);
	memset(result, 0, sizeof(*result));
}
