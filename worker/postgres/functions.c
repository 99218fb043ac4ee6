/*
 * Calls of the SQL side's worker_* functions: plans and row shapes kept per function, rows built straight from the
 * fields' text into one array of composite values. This is the hot path of every turn.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "postgres/inside.h"

/* As many as the SQL side has worker functions, with room to grow. */
#define MAX_FUNCTIONS 48
#define SHORT_FIELD 64

typedef struct column
{
	int			index;			/* in the row type, dropped ones counted */
	Oid			type;
	Oid			io_param;
	int32		modifier;
	FmgrInfo	input;
} column;

struct saved_function
{
	const char *function;
	const char *row_type;
	Oid			row_oid;
	Oid			array_oid;
	uint64		shape_id;		/* changes whenever the row type does */
	TupleDesc	shape;
	int			column_count;
	column	   *columns;
	SPIPlanPtr	plan;
	MemoryContext memory;
};

static saved_function functions[MAX_FUNCTIONS];
static int	function_count = 0;

static void
forget(saved_function *self)
{
	if (self->plan != NULL)
		SPI_freeplan(self->plan);
	if (self->memory != NULL)
		MemoryContextDelete(self->memory);
	self->plan = NULL;
	self->memory = NULL;
}

void
inside_forget_functions(void)
{
	for (int i = 0; i < function_count; i++)
		forget(&functions[i]);
}

/* "schema.name" */
static Oid
find_type(const char *name)
{
	const char *dot = strchr(name, '.');
	char	   *schema = pnstrdup(name, dot - name);
	Oid			found = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(dot + 1),
										ObjectIdGetDatum(get_namespace_oid(schema, false)));

	if (!OidIsValid(found))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("type \"%s\" does not exist", name)));
	return found;
}

static void
learn_columns(saved_function *self)
{
	self->columns = palloc0(self->shape->natts * sizeof(column));
	self->column_count = 0;
	for (int i = 0; i < self->shape->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(self->shape, i);
		column	   *next = &self->columns[self->column_count];
		Oid			input;

		if (attribute->attisdropped)
			continue;
		next->index = i;
		next->type = attribute->atttypid;
		next->modifier = attribute->atttypmod;
		getTypeInputInfo(attribute->atttypid, &input, &next->io_param);
		fmgr_info_cxt(input, &next->input, self->memory);
		self->column_count++;
	}
}

static void
learn(saved_function *self)
{
	MemoryContext outer;
	Oid			argument_types[2];
	char		query[160];

	self->memory = AllocSetContextCreate(TopMemoryContext, "pg_tradesync function", ALLOCSET_SMALL_SIZES);
	outer = MemoryContextSwitchTo(self->memory);
	self->row_oid = find_type(self->row_type);
	self->array_oid = get_array_type(self->row_oid);
	self->shape_id = assign_record_type_identifier(self->row_oid, -1);
	self->shape = lookup_rowtype_tupdesc_copy(self->row_oid, -1);
	learn_columns(self);
	MemoryContextSwitchTo(outer);

	argument_types[0] = INT4OID;
	argument_types[1] = self->array_oid;
	snprintf(query, sizeof(query), "select %s($1, $2)", self->function);
	self->plan = SPI_prepare(query, 2, argument_types);
	if (self->plan == NULL || SPI_keepplan(self->plan) != 0)
		elog(ERROR, "could not prepare \"%s\": %s", query, SPI_result_code_string(SPI_result));
}

static saved_function *
find(const char *function, const char *row_type)
{
	saved_function *added;

	for (int i = 0; i < function_count; i++)
	{
		if ((functions[i].function == function || strcmp(functions[i].function, function) == 0) &&
			(functions[i].row_type == row_type || strcmp(functions[i].row_type, row_type) == 0))
			return &functions[i];
	}
	if (function_count == MAX_FUNCTIONS)
		elog(ERROR, "more than %d worker functions", MAX_FUNCTIONS);
	added = &functions[function_count++];
	*added = (saved_function) {.function = function, .row_type = row_type};
	return added;
}

saved_function *
inside_function(const char *function, const char *row_type)
{
	saved_function *self = find(function, row_type);

	if (self->plan != NULL && assign_record_type_identifier(self->row_oid, -1) != self->shape_id)
		forget(self);
	if (self->plan == NULL)
	{
		forget(self);
		learn(self);
	}
	return self;
}

static Datum
from_unix_ms(const char *text)
{
	const int64 epoch_shift_ms = (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * 1000;
	int64		ms = DatumGetInt64(DirectFunctionCall1(int8in, CStringGetDatum(text)));
	TimestampTz time;

	if (ms < -epoch_shift_ms * 100 || ms > epoch_shift_ms * 100)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_FIELD_OVERFLOW), errmsg("timestamp out of range: %s ms", text)));
	time = (ms - epoch_shift_ms) * 1000;
	return TimestampTzGetDatum(time);
}

/* NUL-terminated for an input function; short ones need no allocation. */
static char *
terminated(const char *text, int size, char *room)
{
	if (size >= SHORT_FIELD)
		return pnstrdup(text, size);
	memcpy(room, text, size);
	room[size] = '\0';
	return room;
}

static Datum
field(column *self, const wall_value *value)
{
	char		room[SHORT_FIELD];
	/* Refuses invalid UTF-8 and NUL. */
	char	   *text = pg_any_to_server(value->data, value->size, PG_UTF8);
	int			size = text == value->data ? value->size : (int) strlen(text);

	if (self->type == TEXTOID)
		return PointerGetDatum(cstring_to_text_with_len(text, size));
	text = terminated(text, size, room);
	if (self->type == TIMESTAMPTZOID)
		return from_unix_ms(text);
	return InputFunctionCall(&self->input, text, self->io_param, self->modifier);
}

static Datum
row(saved_function *self, const wall_value *values, Datum *fields, bool *nulls)
{
	for (int i = 0; i < self->column_count; i++)
	{
		int			index = self->columns[i].index;

		nulls[index] = values[i].size < 0;
		fields[index] = nulls[index] ? (Datum) 0 : field(&self->columns[i], &values[i]);
	}
	return HeapTupleGetDatum(heap_form_tuple(self->shape, fields, nulls));
}

static Datum
row_array(saved_function *self, const wall_call *call, int32 first, int32 count)
{
	Datum	   *rows = palloc(count * sizeof(Datum));
	Datum	   *fields = palloc0(self->shape->natts * sizeof(Datum));
	bool	   *nulls = palloc(self->shape->natts * sizeof(bool));

	memset(nulls, true, self->shape->natts * sizeof(bool));
	for (int32 i = 0; i < count; i++)
		rows[i] = row(self, &call->values[(Size) (first + i) * call->columns], fields, nulls);
	return PointerGetDatum(construct_array(rows, count, self->row_oid, -1, false, TYPALIGN_DOUBLE));
}

void
inside_call(saved_function *self, int32 account, const wall_call *call, int32 first, int32 count)
{
	Datum		arguments[2];
	int			result;

	if (call->columns != self->column_count)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s takes rows of %d columns, not of %d", call->function, self->column_count, call->columns)));
	arguments[0] = Int32GetDatum(account);
	arguments[1] = row_array(self, call, first, count);
	result = SPI_execute_plan(self->plan, arguments, NULL, false, 0);
	if (result != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "%s did not answer: %s", call->function, SPI_result_code_string(result));
	SPI_freetuptable(SPI_tuptable);
}
