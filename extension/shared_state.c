/*
 * The shared struct's birth: asked for in the postmaster, initialised once per server start and again after a crash.
 */
#include "postgres.h"

#include <signal.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

#include "shared_state.h"

#define STATE_NAME "pg_tradesync"

shared_state *state_shared = NULL;

static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

static void
request_memory(void)
{
	if (previous_request_hook)
		previous_request_hook();
	RequestAddinShmemSpace(MAXALIGN(sizeof(shared_state)));
	RequestNamedLWLockTranche(STATE_NAME, 1);
}

static void
initialize(shared_state *state)
{
	/* The requested tranche gives our locks their name in every process; the locks themselves lie in the struct,
	 * so that the worker library needs to know nothing but its address. */
	int			tranche = GetNamedLWLockTranche(STATE_NAME)->lock.tranche;

	memset(state, 0, sizeof(*state));
	LWLockInitialize(&state->lock, tranche);
	ConditionVariableInit(&state->left);
	pg_atomic_init_u32(&state->restart_needed, 0);
	for (int i = 0; i < TRADESYNC_MAX_ACCOUNTS; i++)
	{
		LWLockInitialize(&state->accounts[i].status_lock, tranche);
		pg_atomic_init_u64(&state->accounts[i].commits, 0);
		pg_atomic_init_u32(&state->accounts[i].commit_expected, 0);
		ConditionVariableInit(&state->accounts[i].committed);
	}
}

static void
attach_memory(void)
{
	static shared_rendezvous published;
	bool		found;

	if (previous_startup_hook)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	state_shared = ShmemInitStruct(STATE_NAME, sizeof(shared_state), &found);
	if (!found)
		initialize(state_shared);
	LWLockRelease(AddinShmemInitLock);

	published = (shared_rendezvous) {
		.magic = TRADESYNC_MAGIC,
		.layout_hash = shared_layout_hash(),
		.size = sizeof(shared_state),
		.state = state_shared,
		.restart_needed = &state_shared->restart_needed
	};
	*find_rendezvous_variable(TRADESYNC_RENDEZVOUS) = &published;
}

void
state_request(void)
{
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = attach_memory;
}

shared_database *
state_find_database(Oid database)
{
	for (int i = 0; i < TRADESYNC_MAX_DATABASES; i++)
	{
		if (state_shared->databases[i].database == database)
			return &state_shared->databases[i];
	}
	return NULL;
}

void
state_stop_database(Oid database, bool supervisor)
{
	shared_database *entry = state_find_database(database);

	if (supervisor && entry != NULL && entry->pid != 0)
		kill(entry->pid, SIGTERM);
	for (int i = 0; i < TRADESYNC_MAX_ACCOUNTS; i++)
	{
		shared_account *place = &state_shared->accounts[i];

		if (place->database == database && place->pid != 0)
			kill(place->pid, SIGTERM);
	}
}

bool
state_database_in_use(Oid database, bool supervisor)
{
	shared_database *entry = state_find_database(database);

	if (supervisor && entry != NULL && entry->pid != 0)
		return true;
	for (int i = 0; i < TRADESYNC_MAX_ACCOUNTS; i++)
	{
		if (state_shared->accounts[i].database == database && state_shared->accounts[i].pid != 0)
			return true;
	}
	return false;
}

void
state_free_account(shared_account *place)
{
	Assert(place->pid == 0);
	place->database = InvalidOid;
	place->account = 0;
	place->claim[0] = '\0';
	LWLockAcquire(&place->status_lock, LW_EXCLUSIVE);
	memset(&place->status, 0, sizeof(place->status));
	LWLockRelease(&place->status_lock);
}

void
state_free_accounts(Oid database)
{
	for (int i = 0; i < TRADESYNC_MAX_ACCOUNTS; i++)
	{
		if (state_shared->accounts[i].database == database && state_shared->accounts[i].pid == 0)
			state_free_account(&state_shared->accounts[i]);
	}
}

void
state_set_account(shared_account *place, const char *word, const char *last_error)
{
	LWLockAcquire(&place->status_lock, LW_EXCLUSIVE);
	strlcpy(place->status.state, word, sizeof(place->status.state));
	place->status.since_ms = shared_unix_ms();
	if (last_error != NULL)
		strlcpy(place->status.last_error, last_error, sizeof(place->status.last_error));
	LWLockRelease(&place->status_lock);
}
