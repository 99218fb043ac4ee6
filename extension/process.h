/*
 * Starting background processes, for the launcher and the supervisors.
 */
#ifndef TRADESYNC_PROCESS_H
#define TRADESYNC_PROCESS_H

#include "postmaster/bgworker.h"

/* Registers a dynamic worker that is never restarted by the postmaster and whose comings and goings set our latch.
 * False: max_worker_processes is used up. *handle replaces an earlier one, which must have ended. */
bool		process_start(BackgroundWorker *worker, BackgroundWorkerHandle **handle);

/* Runs or is about to; false for NULL. */
bool		process_is_alive(BackgroundWorkerHandle *handle);

#endif
