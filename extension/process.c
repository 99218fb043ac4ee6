#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "process.h"
#include "shared_state.h"

bool
process_start(BackgroundWorker *worker, BackgroundWorkerHandle **handle)
{
	MemoryContext outer = MemoryContextSwitchTo(TopMemoryContext);
	bool		registered;

	if (*handle != NULL)
		pfree(*handle);
	*handle = NULL;
	worker->bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker->bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker->bgw_restart_time = BGW_NEVER_RESTART;
	worker->bgw_notify_pid = MyProcPid;
	registered = RegisterDynamicBackgroundWorker(worker, handle);
	MemoryContextSwitchTo(outer);

	if (!registered)
	{
		LWLockAcquire(&state_shared->lock, LW_EXCLUSIVE);
		state_shared->start_failures++;
		LWLockRelease(&state_shared->lock);
	}
	return registered;
}

bool
process_is_alive(BackgroundWorkerHandle *handle)
{
	pid_t		pid;

	return handle != NULL && GetBackgroundWorkerPid(handle, &pid) != BGWH_STOPPED;
}
