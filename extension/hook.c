/*
 * Statements that need a database, or our extension, for themselves: DROP DATABASE, ALTER DATABASE … RENAME and
 * SET TABLESPACE, CREATE DATABASE … TEMPLATE, DROP and ALTER EXTENSION. Our processes would keep them out, so the
 * hook sends them away first, keeps them away until the transaction ends, and lets them come back.
 * Whoever may not run the statement must not be able to stop an account either: ownership is checked first.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "background.h"
#include "hook.h"
#include "shared_state.h"
#include "version.h"

/* Then the statement runs in any case and tells by itself who is in its way. */
#define LEAVE_TIMEOUT_MS 5000

/* What a statement needs for itself. */
typedef struct needed_database
{
	Oid			database;		/* InvalidOid: nothing of ours is concerned */
	bool		supervisor;		/* the whole database, not the extension only */
} needed_database;

static const needed_database nothing = {InvalidOid, false};
static ProcessUtility_hook_type previous_hook = NULL;
static bool holding = false;	/* this backend holds some database */

static needed_database
need_owned_database(const char *name)
{
	Oid			database = get_database_oid(name, true);

	if (!OidIsValid(database) || !tradesync_owns_database(database))
		return nothing;
	return (needed_database) {database, true};
}

/* A template may be copied by its owner, and by everybody who may create databases when it is marked as one. */
static needed_database
need_template(const char *name)
{
	Oid			database = get_database_oid(name, true);
	bool		marked = false;
	HeapTuple	tuple;

	if (!OidIsValid(database) || !have_createdb_privilege())
		return nothing;
	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(database));
	if (HeapTupleIsValid(tuple))
	{
		marked = ((Form_pg_database) GETSTRUCT(tuple))->datistemplate;
		ReleaseSysCache(tuple);
	}
	if (!marked && !tradesync_owns_database(database))
		return nothing;
	return (needed_database) {database, true};
}

static needed_database
need_extension(void)
{
	Oid			extension = get_extension_oid(TRADESYNC_EXTENSION, true);

	if (!OidIsValid(extension) || !tradesync_owns_extension(extension))
		return nothing;
	return (needed_database) {MyDatabaseId, false};
}

static const char *
option_text(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst(cell);

		if (strcmp(option->defname, name) == 0 && option->arg != NULL)
			return defGetString(option);
	}
	return NULL;
}

static bool
names(List *objects, const char *name)
{
	ListCell   *cell;

	foreach(cell, objects)
	{
		if (strcmp(strVal(lfirst(cell)), name) == 0)
			return true;
	}
	return false;
}

static needed_database
need_of_drop(const DropStmt *drop)
{
	if (drop->removeType == OBJECT_EXTENSION && names(drop->objects, TRADESYNC_EXTENSION))
		return need_extension();
	if (drop->removeType == OBJECT_SCHEMA && drop->behavior == DROP_CASCADE && names(drop->objects, "monitoring"))
		return need_extension();
	return nothing;
}

static pg_noinline needed_database
need_of(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_DropdbStmt:
			return need_owned_database(((DropdbStmt *) statement)->dbname);
		case T_RenameStmt:
			if (((RenameStmt *) statement)->renameType == OBJECT_DATABASE)
				return need_owned_database(((RenameStmt *) statement)->subname);
			return nothing;
		case T_AlterDatabaseStmt:
			if (option_text(((AlterDatabaseStmt *) statement)->options, "tablespace") != NULL)
				return need_owned_database(((AlterDatabaseStmt *) statement)->dbname);
			return nothing;
		case T_CreatedbStmt:
			{
				const char *template = option_text(((CreatedbStmt *) statement)->options, "template");

				return need_template(template ? template : "template1");
			}
		case T_DropStmt:
			return need_of_drop((DropStmt *) statement);
		case T_AlterExtensionStmt:
			if (strcmp(((AlterExtensionStmt *) statement)->extname, TRADESYNC_EXTENSION) == 0)
				return need_extension();
			return nothing;
		default:
			return nothing;
	}
}

static void
release_holds(void)
{
	LWLockAcquire(&state_shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < TRADESYNC_MAX_HOLDS; i++)
	{
		shared_hold *hold = &state_shared->holds[i];
		shared_database *entry;

		if (hold->requester != MyProcPid)
			continue;
		entry = state_find_database(hold->database);
		if (entry != NULL && entry->latch != NULL)
			SetLatch(entry->latch);
		memset(hold, 0, sizeof(*hold));
	}
	if (state_shared->launcher_latch != NULL)
		SetLatch(state_shared->launcher_latch);
	LWLockRelease(&state_shared->lock);
	holding = false;
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	if (holding && (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE))
		release_holds();
}

/* Writes the hold down and sends our processes away. False: nobody of ours is there, or all places are taken. */
static bool
take_hold(needed_database need)
{
	bool		taken = false;

	LWLockAcquire(&state_shared->lock, LW_EXCLUSIVE);
	if (state_find_database(need.database) != NULL)
	{
		for (int i = 0; i < TRADESYNC_MAX_HOLDS && !taken; i++)
		{
			shared_hold *hold = &state_shared->holds[i];

			if (hold->requester != 0)
				continue;
			*hold = (shared_hold) {need.database, need.supervisor, MyProcPid};
			taken = true;
		}
		if (taken)
			state_stop_database(need.database, need.supervisor);
	}
	LWLockRelease(&state_shared->lock);
	return taken;
}

static bool
in_use(needed_database need)
{
	bool		used;

	LWLockAcquire(&state_shared->lock, LW_SHARED);
	used = state_database_in_use(need.database, need.supervisor);
	LWLockRelease(&state_shared->lock);
	return used;
}

static void
wait_until_left(needed_database need)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), LEAVE_TIMEOUT_MS);
	uint32		wait_event = tradesync_wait_event("TradesyncWorkersLeave");

	ConditionVariablePrepareToSleep(&state_shared->left);
	while (in_use(need))
	{
		long		left_ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);

		if (left_ms <= 0 || ConditionVariableTimedSleep(&state_shared->left, left_ms, wait_event))
		{
			ereport(WARNING, (errmsg("pg_tradesync: its processes have not left the database within %d ms",
									 LEAVE_TIMEOUT_MS)));
			break;
		}
	}
	ConditionVariableCancelSleep();
}

static void
process_utility(PlannedStmt *planned, const char *query, bool read_only_tree, ProcessUtilityContext context,
				ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver, QueryCompletion *completion)
{
	ProcessUtility_hook_type next = previous_hook ? previous_hook : standard_ProcessUtility;
	needed_database need = state_shared ? need_of(planned->utilityStmt) : nothing;

	if (!OidIsValid(need.database))
	{
		next(planned, query, read_only_tree, context, params, environment, receiver, completion);
		return;
	}

	PG_TRY();
	{
		if (take_hold(need))
		{
			holding = true;
			wait_until_left(need);
		}
		next(planned, query, read_only_tree, context, params, environment, receiver, completion);
	}
	PG_CATCH();
	{
		/* The error may be caught by a block of PL/pgSQL and the transaction go on for hours. */
		if (holding)
			release_holds();
		PG_RE_THROW();
	}
	PG_END_TRY();
}

void
hook_install(void)
{
	previous_hook = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
	RegisterXactCallback(at_transaction_end, NULL);
}
