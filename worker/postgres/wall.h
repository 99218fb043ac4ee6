/*
 * The wall between our C++ and PostgreSQL, in plain C. Everything C++ may ask of the server is here.
 * No function raises, longjmps or lets a PostgreSQL pointer out: results are malloc'd copies, freed through wall_free_*.
 * Only the worker's main thread may call these. The wall includes nothing of ours.
 */
#ifndef TRADESYNC_WALL_H
#define TRADESYNC_WALL_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wall_error {
	char		sqlstate[6];	/* "00000" = no error */
	char		message[1024];
	char		detail[1024];
} wall_error;

/* One field as text in PostgreSQL input syntax; size -1 = NULL. Columns of type timestamptz take decimal
 * milliseconds since 1970 instead. Text is UTF-8 without NUL (checked in decode, checked again here). */
typedef struct wall_value {
	const char *data;
	int32_t		size;
} wall_value;

/*
 * One call `select function(account_id, rows)`, where rows is an array of the composite type row_type and values holds
 * rows * columns fields. rows = 0 calls are skipped by wall_execute.
 */
typedef struct wall_call {
	const char *function;		/* "monitoring.worker_save_orders": static string, also the plan cache's key */
	const char *row_type;		/* "monitoring.order_row" */
	int32_t		columns;
	int32_t		rows;
	const wall_value *values;
	bool		isolate;		/* in WALL_EACH mode: try row by row; otherwise as one */
	/* Out, WALL_EACH mode: per row, 0 = saved, 1 = locked (55P03, 40P01: keep it and come again), 2 = refused.
	 * Owned by the caller, rows entries; may be NULL when isolate is false. */
	uint8_t    *fate;
	wall_error *errors;			/* per row, filled where fate = 2; may be NULL */
} wall_call;

typedef enum wall_mode {
	WALL_ALL,					/* the whole batch or nothing */
	WALL_EACH					/* after WALL_ALL failed: every isolated row in its own subtransaction */
} wall_mode;

typedef enum wall_outcome {
	WALL_SAVED,
	WALL_RETRY,					/* 40001 40P01 55P03 57014: the same batch may be tried again */
	WALL_GONE,					/* 42P01 42883 42704 3F000 XX000 while the catalogue says that our extension is gone or another */
	WALL_REFUSED				/* anything else */
} wall_outcome;

/*
 * Runs all calls in one transaction, in order. durable: synchronous_commit local (or what tradesync.wait_for_standby
 * asks), else off. lock_timeout 100 ms (WALL_EACH: 10 ms per row), statement timeout 5 s (WALL_EACH: 1 s per row). Interrupts that arrive while
 * the batch runs end it; SIGTERM is seen by the caller afterwards.
 */
wall_outcome wall_execute(int32_t account_id, const wall_call *calls, int32_t count, wall_mode mode, bool durable,
						  const char *activity, wall_error *error);

/* `select * from function(account_id)` as text cells. cells[row * columns + column] is NULL for SQL NULL. timestamptz
 * columns come as milliseconds since 1970. */
typedef struct wall_result {
	int32_t		rows, columns;
	char	  **cells;
	void	   *memory;
} wall_result;
wall_outcome wall_query(const char *function, int32_t account_id, wall_result *result, wall_error *error);
void		wall_free_result(wall_result *result);

/* level: 'D' debug, 'L' log, 'W' warning. hint and detail may be NULL; the line gets the prefix "pg_tradesync: ". Never raises. */
void		wall_log(char level, const char *message, const char *detail, const char *hint);

/* Settings by their full name ("tradesync.ca_file"), valid until the next call; NULL when unset or empty. */
const char *wall_setting(const char *name);
/* Milliseconds or count settings. */
int64_t		wall_setting_number(const char *name, int64_t fallback);
const char *wall_data_directory(void);

/* What pg_stat_activity and the views worker_status, stream_status show of this worker. */
typedef struct wall_stream_status {
	char		stream[16];		/* private, public, public-2 … */
	char		state[16];
	int64_t		connected_at_ms;	/* unix ms, 0 = not connected */
	int64_t		last_message_at_ms;
	int32_t		reconnects, subscriptions, buffered;
	int32_t		lag_ms;			/* venue event time to our receipt, -1 = not known */
} wall_stream_status;
#define WALL_MAX_STREAMS 12
typedef struct wall_status {
	char		state[16];		/* connecting … live, backoff, disabled */
	bool		halted;
	char		halt_reason[128];
	int64_t		since_ms;		/* unix ms */
	char		last_error[256];
	int64_t		clock_offset_ms;	/* venue minus local */
	int64_t		events, commits, dead_letters;	/* counters since start */
	int32_t		pending_rows;	/* waiting for somebody's lock */
	int32_t		stream_count;
	wall_stream_status streams[WALL_MAX_STREAMS];
} wall_status;
void		wall_publish(const wall_status *status);
void		wall_activity(const char *text);	/* NULL = idle */

/* Questions through shared memory (DESIGN §11). Returns false when there is none. */
typedef struct wall_question {
	int32_t		slot;
	uint32_t	generation;
	int32_t		timeout_ms;		/* how long the asker waits */
	char		kind[32];		/* sync_positions, subscriptions, verify_position */
	char		argument[256];
} wall_question;
bool		wall_take_question(wall_question *question);
/* One answer: rows * columns text cells (size -1 = NULL). Dropped silently when the asker is gone. Never waits. */
void		wall_answer(const wall_question *question, int32_t rows, int32_t columns, const wall_value *cells);

/* SHA-256 hex of venue, host and key: true when this worker holds the claim for it in the cluster (DESIGN §11, Identity). */
bool		wall_claim_account(const char *fingerprint_hex);

int64_t		wall_unix_ms(void);

#ifdef __cplusplus
}
#endif
#endif
