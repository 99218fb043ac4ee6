/*
 * What the files of the wall share with each other. Never seen by C++.
 */
#ifndef TRADESYNC_INSIDE_H
#define TRADESYNC_INSIDE_H

#include "shared_layout.h"

/* Our place; set by process_sign_on. */
extern shared_state *inside_shared;
extern shared_account *inside_place;
/* The extension we started with; InvalidOid before process_connect. */
extern Oid	inside_extension;
/* Set while the process exits. */
extern bool inside_closed;

/* Copies UTF-8 of at most size - 1 bytes, cut between characters, whatever the database's encoding is. May raise. */
void		inside_copy_text(char *target, size_t size, const char *server_text);

/* Above any sane statement of ours, below the patience of somebody who waits for us. */
#define INSIDE_STATEMENT_TIMEOUT_MS 5000

/* One transaction of the wall. May raise; the caller's PG_CATCH calls inside_recover. */
void		inside_begin(bool durable, int lock_timeout_ms);
void		inside_commit(void);

/* Ends the failed transaction, fills error and says what the failure means. Call only from PG_CATCH. */
wall_outcome inside_recover(MemoryContext outer, wall_error *error);

/* 42P01, 42883, 3F000, 42704, XX000: possible signs that the extension goes away under us. */
bool		inside_is_sign_of_change(int sqlstate);
/* Needs a transaction. */
bool		inside_extension_is_gone(void);
void		inside_fill_error(wall_error *error, const ErrorData *data);

/* A function of the SQL side with its plan and the shape of its rows, made on first use. May raise. */
typedef struct saved_function saved_function;
saved_function *inside_function(const char *function, const char *row_type);
/* Runs select function(account, rows) for rows [first, first + count). Needs SPI. May raise. */
void		inside_call(saved_function *self, int32 account, const wall_call *call, int32 first, int32 count);
/* Forgets all plans and shapes; they are made anew. */
void		inside_forget_functions(void);
void		inside_forget_queries(void);

#endif
