#include "postgres.h"

#include "utils/timestamp.h"

#include "start_backoff.h"

#define FIRST_WAIT_MS 1000
#define LONGEST_WAIT_MS 60000
#define HEALTHY_AFTER_MS 60000

void
backoff_started(start_backoff *self, TimestampTz now)
{
	self->running = true;
	self->end_wanted = false;
	self->started = now;
}

static void
ended(start_backoff *self, TimestampTz now, const char *label)
{
	int			wait_ms;

	self->running = false;
	if (self->end_wanted)
	{
		self->not_before = now;
		return;
	}
	wait_ms = self->tries < 6 ? FIRST_WAIT_MS << self->tries : LONGEST_WAIT_MS;
	self->tries++;
	self->not_before = TimestampTzPlusMilliseconds(now, Min(wait_ms, LONGEST_WAIT_MS));
	if (self->failures++ == 0)
		ereport(LOG,
				(errmsg("pg_tradesync: %s has ended; starting it again", label),
				 errdetail("Tries are 1 s apart at first, 60 s at most.")));
}

void
backoff_observe(start_backoff *self, bool running, TimestampTz now, const char *label)
{
	if (self->running && !running)
		ended(self, now, label);
	else if (!self->running && running)
		backoff_started(self, now); /* started by a predecessor of ours */
	else if (running && self->failures > 0 && TimestampDifferenceExceeds(self->started, now, HEALTHY_AFTER_MS))
	{
		ereport(LOG, (errmsg("pg_tradesync: %s is healthy again after %d failures", label, self->failures)));
		self->failures = self->tries = 0;
	}
}

void
backoff_forgive(start_backoff *self)
{
	self->not_before = 0;
	self->tries = 0;
}
