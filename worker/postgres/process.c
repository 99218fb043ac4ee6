#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"

#include "background.h"
#include "postgres/inside.h"
#include "postgres/process.h"

shared_state *inside_shared = NULL;
shared_account *inside_place = NULL;
Oid			inside_extension = InvalidOid;
bool		inside_closed = false;

static char end_word[sizeof(((wall_status *) 0)->state)] = "backoff";
static char end_error[sizeof(((wall_status *) 0)->last_error)] = "";

static void
abandon_questions(void)
{
	for (int i = 0; i < TRADESYNC_MAX_QUESTIONS; i++)
	{
		shared_question *question = &inside_shared->questions[i];

		if (question->database != inside_place->database || question->account != inside_place->account ||
			(question->state != QUESTION_POSTED && question->state != QUESTION_TAKEN))
			continue;
		question->state = QUESTION_ABANDONED;
		SetLatch(question->asker);
	}
}

static void
write_end(void)
{
	wall_status *status = &inside_place->status;

	LWLockAcquire(&inside_place->status_lock, LW_EXCLUSIVE);
	strlcpy(status->state, end_word, sizeof(status->state));
	if (end_error[0] != '\0')
		strlcpy(status->last_error, end_error, sizeof(status->last_error));
	status->since_ms = wall_unix_ms();
	status->stream_count = 0;
	LWLockRelease(&inside_place->status_lock);
}

static void
sign_off(int code, Datum arg)
{
	(void) code;
	(void) arg;
	LWLockAcquire(&inside_shared->lock, LW_EXCLUSIVE);
	abandon_questions();
	inside_place->pid = 0;
	inside_place->latch = NULL;
	inside_place->claim[0] = '\0';
	write_end();
	LWLockRelease(&inside_shared->lock);
	ConditionVariableBroadcast(&inside_shared->left);
}

/* NULL: the preloaded library is of another release. Its struct stays untouched then. */
static shared_state *
find_shared(void)
{
	shared_rendezvous *published = *find_rendezvous_variable(TRADESYNC_RENDEZVOUS);

	if (published != NULL && published->magic == TRADESYNC_MAGIC && published->layout_hash == shared_layout_hash() &&
		published->size == sizeof(shared_state))
		return published->state;
	if (published == NULL || published->magic != TRADESYNC_MAGIC ||
		pg_atomic_exchange_u32(published->restart_needed, 1) == 0)
		ereport(WARNING,
				(errmsg("pg_tradesync: server restart needed"),
				 errdetail("The worker library is of another release than the library the server has loaded."),
				 errhint("Restart the server. Until then no account worker runs.")));
	return NULL;
}

process_admission
process_sign_on(uint32_t database, int32_t account)
{
	shared_account *place;
	bool		wanted;

	inside_shared = find_shared();
	if (inside_shared == NULL)
		return PROCESS_OTHER_RELEASE;

	LWLockAcquire(&inside_shared->lock, LW_EXCLUSIVE);
	place = shared_find_account(inside_shared, database, account);
	wanted = place != NULL && place->pid == 0 && !shared_is_held(inside_shared, database, false);
	if (place != NULL)
		place->claims++;
	if (wanted)
	{
		inside_place = place;
		place->pid = MyProcPid;
		place->latch = MyLatch;
		LWLockAcquire(&place->status_lock, LW_EXCLUSIVE);
		memset(&place->status, 0, sizeof(place->status));
		strlcpy(place->status.state, "connecting", sizeof(place->status.state));
		place->status.since_ms = wall_unix_ms();
		LWLockRelease(&place->status_lock);
	}
	LWLockRelease(&inside_shared->lock);
	/* An on_shmem_exit callback of ours, registered before we connect, runs after the process has left the list of
	 * running backends: whoever waits for us to be gone finds us gone. */
	if (wanted)
		on_shmem_exit(sign_off, (Datum) 0);
	return wanted ? PROCESS_ADMITTED : PROCESS_NOT_WANTED;
}

bool
process_connect(uint32_t database)
{
	Oid			owner;

	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	pgstat_report_appname(MyBgworkerEntry->bgw_name);
	background_isolate_session();

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	owner = background_extension_owner();
	if (OidIsValid(owner))
	{
		inside_extension = get_extension_oid(TRADESYNC_EXTENSION, true);
		background_become(owner);
	}
	CommitTransactionCommand();
	return OidIsValid(owner);
}

void
process_end_as(const char *word, const char *error)
{
	strlcpy(end_word, word, sizeof(end_word));
	if (error != NULL)
		strlcpy(end_error, error, sizeof(end_error));
}

void
process_close_database(void)
{
	inside_closed = true;
}

bool
process_commit_is_expected(void)
{
	return pg_atomic_read_u32(&inside_place->commit_expected) != 0;
}

bool
process_is_in_the_way(void)
{
	bool		held;

	LWLockAcquire(&inside_shared->lock, LW_SHARED);
	held = shared_is_held(inside_shared, inside_place->database, false);
	LWLockRelease(&inside_shared->lock);
	return held;
}

void
process_serve_interrupts(void)
{
	HOLD_CANCEL_INTERRUPTS();
	CHECK_FOR_INTERRUPTS();
	RESUME_CANCEL_INTERRUPTS();
	QueryCancelPending = false;
}
