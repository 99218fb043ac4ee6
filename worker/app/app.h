/*
 * The door into C++ for worker/main.c. Every function catches everything; errors come back as codes and text.
 */
#ifndef TRADESYNC_APP_H
#define TRADESYNC_APP_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct app app;

typedef struct app_error {
	char		message[1024];
} app_error;

typedef enum app_result {
	APP_OK,
	APP_AGAIN,					/* the extension is gone or changing: destroy, wait, look again (exit 1 is fine) */
	APP_LEAVE,					/* this account is disabled or dropped: destroy and exit quietly */
	APP_BROKEN					/* a broken promise of ours or no memory: destroy, exit 1, start again */
} app_result;

/* Loads the account through the wall and prepares sockets; connects nothing yet. NULL on failure (result says why). */
app		   *app_create(int32_t account_id, app_result *result, app_error *error);

/* What the process waits on beside its latch. */
int			app_descriptor(const app *self);
/* -1: no timer. 0: call app_turn at once. */
int			app_timeout_ms(app *self);

/* One turn: gather -> decode -> step -> commit -> send. Never blocks beyond the transaction. */
app_result	app_turn(app *self, app_error *error);

/* Settings or credentials may have changed (SIGHUP). */
void		app_reload(app *self);
/* Look for commands, questions, a changed account row. commit_expected: by whoever has woken us. */
void		app_look(app *self, bool commit_expected);

/* Graceful: stop intake, say goodbye on the sockets. true when there is nothing more to wait for. */
bool		app_stop(app *self);

/* Closes sockets, stops and joins every thread. Safe on NULL. Also called from before_shmem_exit. */
void		app_destroy(app *self);

#ifdef __cplusplus
}
#endif
#endif
