/*
 * The one struct in shared memory: which processes of ours live, what they say of themselves, who asks them what.
 * pg_tradesync.so makes it in the postmaster; pg_tradesync_worker.so reaches it through a rendezvous variable and
 * compares the layout hash before its first access, because a package upgrade replaces the file of the second
 * library while the first stays loaded until the server restarts.
 *
 * Locking: `lock` guards everything but the status of a worker, which has its slot's own lock. Both are held for
 * a scan or a copy only, never over anything that waits or can raise. Order: `lock` before a slot's.
 * A pid is written and cleared by its own process under `lock`; a signal sent under `lock` therefore hits ours.
 */
#ifndef TRADESYNC_SHARED_LAYOUT_H
#define TRADESYNC_SHARED_LAYOUT_H

#include "port/atomics.h"
#include "postgres/wall.h"
#include "storage/condition_variable.h"
#include "storage/dsm.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "utils/timestamp.h"

/* Fixed, so that the memory is asked for once: about 700 kB in all. */
#define TRADESYNC_MAX_DATABASES 64		/* one process each; max_worker_processes is the nearer limit */
#define TRADESYNC_MAX_ACCOUNTS 128		/* in all databases; one process each */
#define TRADESYNC_MAX_QUESTIONS 64		/* asked at the same moment */
#define TRADESYNC_MAX_HOLDS 16			/* DROP DATABASE and the like at the same moment */
#define TRADESYNC_NAME_SIZE 64

/* A supervisor's place. Free when database is InvalidOid. */
typedef struct shared_database
{
	Oid			database;
	char		name[TRADESYNC_NAME_SIZE];
	pid_t		pid;			/* 0: not running */
	Latch	   *latch;
	bool		extension;		/* the supervisor sees the extension */
} shared_database;

/* An account worker's place. Kept while the account is enabled, also when no process runs. Free when database is
 * InvalidOid. */
typedef struct shared_account
{
	Oid			database;
	int32		account;
	pid_t		pid;			/* 0: not running */
	Latch	   *latch;
	uint32		claims;			/* processes that have reached this place */
	pg_atomic_uint32 commit_expected;	/* whoever woke the worker last is about to commit */
	char		claim[65];		/* SHA-256 hex of venue, host and key */
	/* What its worker has committed about the account, counted since the server started; prices do not count. The
	 * number outlives process and account, so that it never runs backwards for somebody who waits. */
	pg_atomic_uint64 commits;
	ConditionVariable committed;	/* commits has grown */
	LWLock		status_lock;
	wall_status status;
} shared_account;

typedef enum shared_question_state
{
	QUESTION_FREE,
	QUESTION_POSTED,
	QUESTION_TAKEN,
	QUESTION_ABANDONED			/* the worker left without answering */
} shared_question_state;

typedef struct shared_question
{
	shared_question_state state;
	uint32		generation;		/* grows with each use of the place */
	Oid			database;
	int32		account;
	Latch	   *asker;
	dsm_handle	segment;		/* holds the shm_mq that takes the answer */
	int32		timeout_ms;		/* how long the asker waits */
	char		kind[sizeof(((wall_question *) 0)->kind)];
	char		argument[sizeof(((wall_question *) 0)->argument)];
} shared_question;

/* While it stands nothing of ours starts in that database. Free when requester is 0. */
typedef struct shared_hold
{
	Oid			database;
	bool		supervisor;		/* the supervisor has to leave too */
	pid_t		requester;
} shared_hold;

typedef struct shared_state
{
	LWLock		lock;
	ConditionVariable left;		/* a process of ours has left */
	pg_atomic_uint32 restart_needed;	/* a worker library with another layout was met */
	pid_t		launcher_pid;
	Latch	   *launcher_latch;
	uint32		start_failures; /* no free background worker slot */
	shared_database databases[TRADESYNC_MAX_DATABASES];
	shared_account accounts[TRADESYNC_MAX_ACCOUNTS];
	shared_question questions[TRADESYNC_MAX_QUESTIONS];
	shared_hold holds[TRADESYNC_MAX_HOLDS];
} shared_state;

/* What the rendezvous variable points at. Its own shape never changes under this magic. */
#define TRADESYNC_RENDEZVOUS "pg_tradesync"
#define TRADESYNC_MAGIC 0x74736d31	/* "tsm1" */
typedef struct shared_rendezvous
{
	uint32		magic;
	uint32		layout_hash;
	Size		size;
	shared_state *state;
	pg_atomic_uint32 *restart_needed;
} shared_rendezvous;

/* The test double of the worker library sets a salt to look like a library of another release. */
#ifndef TRADESYNC_LAYOUT_SALT
#define TRADESYNC_LAYOUT_SALT 0
#endif

static inline uint32
shared_layout_hash(void)
{
	const uint32 parts[] = {
		TRADESYNC_LAYOUT_SALT,
		PG_VERSION_NUM / 100,
		sizeof(shared_state), offsetof(shared_state, databases), offsetof(shared_state, accounts),
		offsetof(shared_state, questions), offsetof(shared_state, holds),
		sizeof(shared_database), offsetof(shared_database, pid), offsetof(shared_database, latch),
		sizeof(shared_account), offsetof(shared_account, pid), offsetof(shared_account, latch),
		offsetof(shared_account, claims), offsetof(shared_account, commit_expected), offsetof(shared_account, claim),
		offsetof(shared_account, commits), offsetof(shared_account, committed),
		offsetof(shared_account, status_lock), offsetof(shared_account, status),
		sizeof(wall_status), offsetof(wall_status, halted), offsetof(wall_status, since_ms),
		offsetof(wall_status, last_error), offsetof(wall_status, events), offsetof(wall_status, pending_rows),
		offsetof(wall_status, streams), sizeof(wall_stream_status), offsetof(wall_stream_status, connected_at_ms),
		offsetof(wall_stream_status, reconnects), offsetof(wall_stream_status, lag_ms),
		sizeof(shared_question), offsetof(shared_question, generation), offsetof(shared_question, asker),
		offsetof(shared_question, segment), offsetof(shared_question, timeout_ms),
		offsetof(shared_question, kind), offsetof(shared_question, argument),
		sizeof(shared_hold), offsetof(shared_hold, requester)
	};
	uint32		hash = 2166136261u;

	for (size_t i = 0; i < lengthof(parts); i++)
		hash = (hash ^ parts[i]) * 16777619u;
	return hash;
}

static inline int64
shared_unix_ms(void)
{
	const int64 epoch_shift = (int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;

	return (GetCurrentTimestamp() + epoch_shift) / 1000;
}

/* Callers hold `lock`. */
static inline bool
shared_is_held(const shared_state *state, Oid database, bool supervisor)
{
	for (int i = 0; i < TRADESYNC_MAX_HOLDS; i++)
	{
		const shared_hold *hold = &state->holds[i];

		if (hold->requester != 0 && hold->database == database && (hold->supervisor || !supervisor))
			return true;
	}
	return false;
}

static inline shared_account *
shared_find_account(shared_state *state, Oid database, int32 account)
{
	for (int i = 0; i < TRADESYNC_MAX_ACCOUNTS; i++)
	{
		shared_account *place = &state->accounts[i];

		if (place->database == database && place->account == account)
			return place;
	}
	return NULL;
}

#endif
