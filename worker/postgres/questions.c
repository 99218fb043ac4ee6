/*
 * The worker's side of monitoring.worker_ask(): taking a question, sending the answer. Neither waits for anybody.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "utils/memutils.h"

#include "answer_format.h"
#include "postgres/inside.h"

bool
wall_take_question(wall_question *question)
{
	bool		found = false;

	LWLockAcquire(&inside_shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < TRADESYNC_MAX_QUESTIONS && !found; i++)
	{
		shared_question *posted = &inside_shared->questions[i];

		if (posted->state != QUESTION_POSTED || posted->database != inside_place->database ||
			posted->account != inside_place->account)
			continue;
		posted->state = QUESTION_TAKEN;
		question->slot = i;
		question->generation = posted->generation;
		question->timeout_ms = posted->timeout_ms;
		strlcpy(question->kind, posted->kind, sizeof(question->kind));
		strlcpy(question->argument, posted->argument, sizeof(question->argument));
		found = true;
	}
	LWLockRelease(&inside_shared->lock);
	return found;
}

/* False: the asker has given up. */
static bool
find_segment(const wall_question *question, dsm_handle *segment)
{
	const shared_question *posted = &inside_shared->questions[question->slot];
	bool		waiting;

	LWLockAcquire(&inside_shared->lock, LW_SHARED);
	waiting = posted->state == QUESTION_TAKEN && posted->generation == question->generation;
	*segment = posted->segment;
	LWLockRelease(&inside_shared->lock);
	return waiting;
}

static char *
put(char *at, const void *data, Size size)
{
	memcpy(at, data, size);
	return at + size;
}

static Size
answer_size(int32 rows, int32 columns, const wall_value *cells)
{
	Size		size = 2 * sizeof(int32);

	for (Size i = 0; i < (Size) rows * columns; i++)
		size += sizeof(int32) + Max(cells[i].size, 0);
	return size;
}

static char *
build_answer(int32 rows, int32 columns, const wall_value *cells, Size size)
{
	char	   *message = palloc(size);
	char	   *at = message;

	at = put(at, &rows, sizeof(rows));
	at = put(at, &columns, sizeof(columns));
	for (Size i = 0; i < (Size) rows * columns; i++)
	{
		at = put(at, &cells[i].size, sizeof(int32));
		if (cells[i].size > 0)
			at = put(at, cells[i].data, cells[i].size);
	}
	return message;
}

static void
send_answer(dsm_handle handle, const char *message, Size size)
{
	dsm_segment *segment = dsm_attach(handle);
	shm_mq	   *queue;
	shm_mq_handle *sender;

	if (segment == NULL)
		return;					/* the asker left between our look and now */
	queue = dsm_segment_address(segment);
	shm_mq_set_sender(queue, MyProc);
	sender = shm_mq_attach(queue, segment, NULL);
	/* The queue is empty and larger than the message: it takes it whole or the asker is gone. */
	(void) shm_mq_send(sender, size, message, true, true);
	dsm_detach(segment);
}

static void
answer(const wall_question *question, int32 rows, int32 columns, const wall_value *cells)
{
	dsm_handle	segment;
	Size		size = answer_size(rows, columns, cells);

	if (!find_segment(question, &segment))
		return;
	/* A queue's own header and the length word in front take some of it. */
	if (size > ANSWER_QUEUE_SIZE - 1024)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("the answer to %s has %zu bytes", question->kind, size)));
	send_answer(segment, build_answer(rows, columns, cells, size), size);
}

void
wall_answer(const wall_question *question, int32_t rows, int32_t columns, const wall_value *cells)
{
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext memory = AllocSetContextCreate(outer, "pg_tradesync answer", ALLOCSET_DEFAULT_SIZES);

	MemoryContextSwitchTo(memory);
	PG_TRY();
	{
		answer(question, rows, columns, cells);
	}
	PG_CATCH();
	{
		/* The asker gets its timeout; the log gets the reason. */
		EmitErrorReport();
		FlushErrorState();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(memory);
}
