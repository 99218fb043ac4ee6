/*
 * What others see of this worker: its place in shared memory, pg_stat_activity, the process title.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "utils/ps_status.h"

#include "postgres/inside.h"

void
wall_publish(const wall_status *status)
{
	bool		changed;

	LWLockAcquire(&inside_place->status_lock, LW_EXCLUSIVE);
	changed = strncmp(inside_place->status.state, status->state, sizeof(status->state)) != 0;
	inside_place->status = *status;
	/* Whatever C++ wrote, readers get terminated strings. */
	inside_place->status.state[sizeof(status->state) - 1] = '\0';
	inside_place->status.halt_reason[sizeof(status->halt_reason) - 1] = '\0';
	inside_place->status.last_error[sizeof(status->last_error) - 1] = '\0';
	inside_place->status.stream_count = Min(Max(status->stream_count, 0), WALL_MAX_STREAMS);
	for (int i = 0; i < WALL_MAX_STREAMS; i++)
	{
		inside_place->status.streams[i].stream[sizeof(status->streams[i].stream) - 1] = '\0';
		inside_place->status.streams[i].state[sizeof(status->streams[i].state) - 1] = '\0';
	}
	LWLockRelease(&inside_place->status_lock);
	if (changed)
		set_ps_display(status->state);
}

void
wall_activity(const char *text)
{
	pgstat_report_activity(text ? STATE_RUNNING : STATE_IDLE, text);
}

bool
wall_claim_account(const char *fingerprint_hex)
{
	bool		taken = false;

	LWLockAcquire(&inside_shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < TRADESYNC_MAX_ACCOUNTS && !taken; i++)
	{
		shared_account *other = &inside_shared->accounts[i];

		taken = other != inside_place && other->pid != 0 && strcmp(other->claim, fingerprint_hex) == 0;
	}
	if (!taken)
		strlcpy(inside_place->claim, fingerprint_hex, sizeof(inside_place->claim));
	LWLockRelease(&inside_shared->lock);
	return !taken;
}

int64_t
wall_unix_ms(void)
{
	return shared_unix_ms();
}
