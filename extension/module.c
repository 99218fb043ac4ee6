/*
 * pg_tradesync.so: what the postmaster and the sessions load. Settings, shared memory, the launcher and its
 * supervisors, the SQL functions and the hook; no third-party library and no C++. Everything that talks to an
 * exchange lives in pg_tradesync_worker.so, which only the account workers load.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "hook.h"
#include "launcher.h"
#include "settings.h"
#include "shared_state.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	/* pg_upgrade restores our objects, and nothing may trade meanwhile. */
	if (IsBinaryUpgrade)
		return;
	if (!process_shared_preload_libraries_in_progress)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pg_tradesync must be loaded when the server starts"),
				 errhint("Add pg_tradesync to shared_preload_libraries and restart the server.")));
	settings_define();
	state_request();
	hook_install();
	launcher_register();
}
