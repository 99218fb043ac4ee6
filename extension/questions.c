/*
 * monitoring.worker_ask(account, kind, argument, timeout_ms): asks an account's worker through shared memory and
 * returns its answer as rows of text cells. The first row says whether there was an answer at all: no worker, no
 * free place or a timeout are answers too, never errors.
 * The asker makes a memory segment with a message queue, posts a question that names it, and sets the worker's
 * latch; the worker sends one message and detaches. Layout of the message: worker/postgres/questions.c.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "answer_format.h"
#include "shared_state.h"
#include "version.h"

#define LONGEST_TIMEOUT_MS 600000

/* Posts the question and wakes the worker. NULL: no worker, or no free place. */
static pg_noinline shared_question *
post(int32 account, const char *kind, const char *argument, int timeout_ms, dsm_handle segment)
{
	shared_question *found = NULL;
	shared_account *place;

	LWLockAcquire(&state_shared->lock, LW_EXCLUSIVE);
	place = shared_find_account(state_shared, MyDatabaseId, account);
	for (int i = 0; place != NULL && place->latch != NULL && found == NULL && i < TRADESYNC_MAX_QUESTIONS; i++)
	{
		if (state_shared->questions[i].state == QUESTION_FREE)
			found = &state_shared->questions[i];
	}
	if (found != NULL)
	{
		found->state = QUESTION_POSTED;
		found->generation++;
		found->database = MyDatabaseId;
		found->account = account;
		found->asker = MyLatch;
		found->segment = segment;
		found->timeout_ms = timeout_ms;
		strlcpy(found->kind, kind, sizeof(found->kind));
		strlcpy(found->argument, argument, sizeof(found->argument));
		SetLatch(place->latch);
	}
	LWLockRelease(&state_shared->lock);
	return found;
}

static void
take_back(int code, Datum question)
{
	LWLockAcquire(&state_shared->lock, LW_EXCLUSIVE);
	((shared_question *) DatumGetPointer(question))->state = QUESTION_FREE;
	LWLockRelease(&state_shared->lock);
}

static bool
is_abandoned(const shared_question *question)
{
	bool		abandoned;

	LWLockAcquire(&state_shared->lock, LW_SHARED);
	abandoned = question->state == QUESTION_ABANDONED;
	LWLockRelease(&state_shared->lock);
	return abandoned;
}

/* The answer, in the queue's memory or palloc'd; NULL when there is none in time. */
static const char *
wait_for_answer(shm_mq_handle *queue, const shared_question *question, int timeout_ms, Size *size)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), timeout_ms);
	uint32		wait_event = tradesync_wait_event("TradesyncAnswer");

	for (;;)
	{
		void	   *data;
		long		left_ms;
		bool		abandoned = is_abandoned(question);
		shm_mq_result result = shm_mq_receive(queue, size, &data, true);

		if (result == SHM_MQ_SUCCESS)
			return data;
		left_ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
		if (result == SHM_MQ_DETACHED || abandoned || left_ms <= 0)
			return NULL;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, left_ms, wait_event);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
put_row(ReturnSetInfo *result, bool answered, Datum cells)
{
	Datum		values[2] = {BoolGetDatum(answered), cells};
	bool		nulls[2] = {false, cells == (Datum) 0};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static const char *
read_number(const char *at, int32 *number)
{
	memcpy(number, at, sizeof(*number));
	return at + sizeof(*number);
}

/* One row's cells as text[]; at moves behind them. */
static Datum
read_row(const char **at, int32 columns)
{
	Datum	   *cells = palloc(columns * sizeof(Datum));
	bool	   *nulls = palloc(columns * sizeof(bool));
	int			dimensions[1] = {columns};
	int			lower_bounds[1] = {1};

	for (int32 i = 0; i < columns; i++)
	{
		int32		size;

		*at = read_number(*at, &size);
		nulls[i] = size < 0;
		cells[i] = (Datum) 0;
		if (!nulls[i])
		{
			char	   *text = pg_any_to_server(*at, size, PG_UTF8);

			cells[i] = text == *at ? PointerGetDatum(cstring_to_text_with_len(text, size)) : CStringGetTextDatum(text);
			*at += size;
		}
	}
	return PointerGetDatum(construct_md_array(cells, nulls, 1, dimensions, lower_bounds, TEXTOID, -1, false,
											  TYPALIGN_INT));
}

static void
put_answer(ReturnSetInfo *result, const char *message)
{
	const char *at = message;
	int32		rows,
				columns;

	if (message == NULL)
	{
		put_row(result, false, (Datum) 0);
		return;
	}
	put_row(result, true, (Datum) 0);
	at = read_number(at, &rows);
	at = read_number(at, &columns);
	for (int32 i = 0; i < rows; i++)
		put_row(result, true, read_row(&at, columns));
}

static void
ask(ReturnSetInfo *result, int32 account, const char *kind, const char *argument, int timeout_ms)
{
	dsm_segment *segment = dsm_create(ANSWER_QUEUE_SIZE, 0);
	shm_mq	   *memory = shm_mq_create(dsm_segment_address(segment), ANSWER_QUEUE_SIZE);
	shm_mq_handle *queue;
	shared_question *question;

	shm_mq_set_receiver(memory, MyProc);
	queue = shm_mq_attach(memory, segment, NULL);
	question = post(account, kind, argument, timeout_ms, dsm_segment_handle(segment));
	if (question == NULL)
		put_answer(result, NULL);
	else
	{
		PG_ENSURE_ERROR_CLEANUP(take_back, PointerGetDatum(question));
		{
			Size		size;

			put_answer(result, wait_for_answer(queue, question, timeout_ms, &size));
		}
		PG_END_ENSURE_ERROR_CLEANUP(take_back, PointerGetDatum(question));
		take_back(0, PointerGetDatum(question));
	}
	dsm_detach(segment);
}

PG_FUNCTION_INFO_V1(pg_tradesync_ask);

Datum
pg_tradesync_ask(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			timeout_ms;

	InitMaterializedSRF(fcinfo, 0);
	if (state_shared == NULL || PG_ARGISNULL(0) || PG_ARGISNULL(1))
	{
		put_answer(result, NULL);
		return (Datum) 0;
	}
	timeout_ms = PG_ARGISNULL(3) ? 0 : PG_GETARG_INT32(3);
	ask(result, PG_GETARG_INT32(0), text_to_cstring(PG_GETARG_TEXT_PP(1)),
		PG_ARGISNULL(2) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(2)), Min(Max(timeout_ms, 0), LONGEST_TIMEOUT_MS));
	return (Datum) 0;
}
