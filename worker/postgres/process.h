/*
 * The account worker as a process of the server: its place in shared memory, its session, its end. For main.c only.
 */
#ifndef TRADESYNC_PROCESS_H
#define TRADESYNC_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum process_admission
{
	PROCESS_ADMITTED,
	PROCESS_NOT_WANTED,			/* another worker has the account, or the database wants us away */
	PROCESS_OTHER_RELEASE		/* the preloaded library is not of our release; told in the log once */
} process_admission;

/* Takes the account's place in shared memory; given back when the process has left the list of running backends. */
process_admission process_sign_on(uint32_t database, int32_t account);

/* Connects, isolates the session from everybody's settings and takes the rights of the extension's owner.
 * False: there is no extension. */
bool		process_connect(uint32_t database);

/* How the place shall read when we are gone: "backoff" (the default) or "disabled"; error may be NULL. */
void		process_end_as(const char *word, const char *error);

/* From here on nothing reaches the database: for code that runs while the process exits. */
void		process_close_database(void);

/* A statement that needs our database is waiting for us to leave. */
bool		process_is_in_the_way(void);

/* Whoever has set our latch is about to commit something, and will set it again. */
bool		process_commit_is_expected(void);

/* After each turn: tells those who wait for a commit of ours, and the statistics. */
void		process_end_turn(void);

/* Serves cancels, barriers and the other interrupts. May not return. A cancel that finds us idle does nothing. */
void		process_serve_interrupts(void);

#endif
