/*
 * Making, finding and changing the shared struct from the preloaded library. What it holds: shared_layout.h.
 */
#ifndef TRADESYNC_SHARED_STATE_H
#define TRADESYNC_SHARED_STATE_H

#include "shared_layout.h"

/* NULL where nothing was preloaded: single-user mode, pg_upgrade. */
extern shared_state *state_shared;

/* Called by _PG_init: asks for the memory and publishes it to the worker library. */
void		state_request(void);

shared_database *state_find_database(Oid database);	/* callers hold the lock */

/* SIGTERM to the account workers of a database, and to its supervisor when asked. Callers hold the lock. */
void		state_stop_database(Oid database, bool supervisor);
/* True while a process of ours lives there. Callers hold the lock. */
bool		state_database_in_use(Oid database, bool supervisor);

/* Gives the account's place back; it must have no process. Callers hold the lock exclusively. */
void		state_free_account(shared_account *place);
void		state_free_accounts(Oid database);

/* Sets one word of an account's status from outside of its worker. Callers hold the lock. */
void		state_set_account(shared_account *place, const char *word, const char *last_error);

#endif
