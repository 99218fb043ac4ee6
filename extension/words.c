/*
 * What check constraints and the generated columns accept, as C functions. PostgreSQL reads the text of every check of a
 * table anew for each statement that writes to it: lists of words and inlined SQL functions were four fifths of the time
 * of an insert into positions (decision 15). The states come from the files that the core is built from.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

typedef struct state
{
	const char *name;
	bool		open;
} state;

static const state order_states[] = {
#define ORDER_STATE(name, rank, terminal, meaning) {#name, !(terminal)},
#define ORDER_MOVE(from, to)
#include "core/order_states.def"
#undef ORDER_STATE
#undef ORDER_MOVE
};

static const state position_states[] = {
#define POSITION_STATE(name, open, meaning) {#name, open},
#define POSITION_MOVE(from, to)
#include "core/position_states.def"
#undef POSITION_STATE
#undef POSITION_MOVE
};

static bool
is_word(const text *value, const char *word, size_t length)
{
	return VARSIZE_ANY_EXHDR(value) == length && memcmp(VARDATA_ANY(value), word, length) == 0;
}

static bool
is_one_of(const text *value, const char *const *words, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (is_word(value, words[i], strlen(words[i])))
			return true;
	}
	return false;
}

/* NULL: no such state. "new_" is a C++ spelling. */
static const state *
find_state(const text *value, const state *states, int count)
{
	for (int i = 0; i < count; i++)
	{
		size_t		length = strlen(states[i].name);

		if (states[i].name[length - 1] == '_')
			length--;
		if (is_word(value, states[i].name, length))
			return &states[i];
	}
	return NULL;
}

/* monitoring.is_…(text): is it one of these words? */
#define WORDS(function, ...) \
	PG_FUNCTION_INFO_V1(pg_tradesync_##function); \
	Datum pg_tradesync_##function(PG_FUNCTION_ARGS) \
	{ \
		static const char *const words[] = {__VA_ARGS__}; \
		PG_RETURN_BOOL(is_one_of(PG_GETARG_TEXT_PP(0), words, lengthof(words))); \
	} \
	extern int no_such_symbol

WORDS(is_order_kind, "regular", "conditional");
WORDS(is_order_purpose, "entry", "stop_loss", "take_profit", "close", "external");
WORDS(is_order_side, "buy", "sell");
WORDS(is_order_source, "stream", "rest", "own");
WORDS(is_report_source, "stream", "rest");
WORDS(is_position_side, "both", "long", "short");
WORDS(is_direction, "long", "short");
WORDS(is_origin, "signal", "manual", "external", "legacy");
WORDS(is_command_kind, "open_position", "close_position", "set_stop_loss", "set_take_profit", "set_leverage", "cancel_order");
WORDS(is_command_status, "queued", "running", "done", "failed", "expired");
WORDS(is_final_command_status, "done", "failed", "expired");
WORDS(is_severity, "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL");

/* monitoring.is_…_status(text): is it a state? monitoring.is_open_…(status): can it still change? What is no state can. */
#define STATES(is_status, is_open, states) \
	PG_FUNCTION_INFO_V1(pg_tradesync_##is_status); \
	Datum pg_tradesync_##is_status(PG_FUNCTION_ARGS) \
	{ \
		PG_RETURN_BOOL(find_state(PG_GETARG_TEXT_PP(0), states, lengthof(states)) != NULL); \
	} \
	PG_FUNCTION_INFO_V1(pg_tradesync_##is_open); \
	Datum pg_tradesync_##is_open(PG_FUNCTION_ARGS) \
	{ \
		const state *found = find_state(PG_GETARG_TEXT_PP(0), states, lengthof(states)); \
		\
		PG_RETURN_BOOL(found == NULL || found->open); \
	} \
	extern int no_such_symbol

STATES(is_order_status, is_open_order, order_states);
STATES(is_position_status, is_open_position, position_states);

PG_FUNCTION_INFO_V1(pg_tradesync_is_named);

/* monitoring.is_named(text): neither empty nor the word that the legacy bot wrote for "none". */
Datum
pg_tradesync_is_named(PG_FUNCTION_ARGS)
{
	const text *value = PG_GETARG_TEXT_PP(0);

	PG_RETURN_BOOL(VARSIZE_ANY_EXHDR(value) > 0 && !is_word(value, "unknown", strlen("unknown")));
}

PG_FUNCTION_INFO_V1(pg_tradesync_is_amount);

/* monitoring.is_amount(numeric): finite and not negative. */
Datum
pg_tradesync_is_amount(PG_FUNCTION_ARGS)
{
	Numeric		value = PG_GETARG_NUMERIC(0);

	if (numeric_is_nan(value) || numeric_is_inf(value))
		PG_RETURN_BOOL(false);
	PG_RETURN_DATUM(DirectFunctionCall2(numeric_ge, NumericGetDatum(value), NumericGetDatum(int64_to_numeric(0))));
}
