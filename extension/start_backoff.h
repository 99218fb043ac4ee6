/*
 * When a process that keeps ending may be started again: after 1, 2, 4 … 60 s, and at once when its end was wanted.
 * A run of a minute counts as healthy. A failure is logged when it begins and when it ends.
 */
#ifndef TRADESYNC_START_BACKOFF_H
#define TRADESYNC_START_BACKOFF_H

#include "datatype/timestamp.h"

typedef struct start_backoff
{
	bool		running;
	bool		end_wanted;		/* the next end is no failure */
	int			failures;		/* in a row */
	int			tries;			/* of these, since an operator may have cured the cause */
	TimestampTz started;
	TimestampTz not_before;
} start_backoff;

void		backoff_started(start_backoff *self, TimestampTz now);

/* Tells it whether the process runs now; label names the process in the log. */
void		backoff_observe(start_backoff *self, bool running, TimestampTz now, const char *label);

/* Somebody has changed what the process depends on: try at once, and then patiently again. */
void		backoff_forgive(start_backoff *self);

#endif
