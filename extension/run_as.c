/*
 * Statements about a relation of somebody else, run with the rights of its owner: what the owner attached to it
 * (triggers, functions of a view, expressions of an index, policies) must never run with the rights of ours.
 * As maintenance commands do it: security-restricted, search_path pg_catalog, settings put back afterwards. An error
 * leaves the user id and the settings to the abort of the (sub)transaction. Granted to nobody.
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tstoreReceiver.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"

typedef struct borrowed_rights
{
	Oid			user;
	int			context;
	int			guc_level;
} borrowed_rights;

static void
reset_locally(const char *setting)
{
	(void) set_config_option(setting, GetConfigOptionResetString(setting), PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

static borrowed_rights
become(Oid role)
{
	borrowed_rights before;

	GetUserIdAndSecContext(&before.user, &before.context);
	SetUserIdAndSecContext(role, before.context | SECURITY_RESTRICTED_OPERATION);
	before.guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	/* How our own lookups are planned is not how the relation's query is to be planned. */
	reset_locally("enable_seqscan");
	reset_locally("plan_cache_mode");
	return before;
}

static void
return_to(const borrowed_rights *before)
{
	AtEOXact_GUC(false, before->guc_level);
	SetUserIdAndSecContext(before->user, before->context);
}

/* The one parameter of a statement. */
static ParamListInfo
parameter(Oid type, Datum value)
{
	ParamListInfo list = makeParamList(1);

	list->params[0].value = value;
	list->params[0].isnull = false;
	list->params[0].pflags = PARAM_FLAG_CONST;
	list->params[0].ptype = type;
	return list;
}

static void
check_result(int result)
{
	if (result < 0)
		elog(ERROR, "could not run a statement as another role: %s", SPI_result_code_string(result));
}

PG_FUNCTION_INFO_V1(pg_tradesync_run_as);

/* monitoring.run_as(role, statement, keys): one statement, $1 = keys. */
Datum
pg_tradesync_run_as(PG_FUNCTION_ARGS)
{
	char	   *statement = text_to_cstring(PG_GETARG_TEXT_PP(1));
	SPIExecuteOptions options = {0};
	borrowed_rights before;
	uint64		processed;

	options.params = parameter(TEXTARRAYOID, PG_GETARG_DATUM(2));
	before = become(PG_GETARG_OID(0));
	SPI_connect();
	check_result(SPI_execute_extended(statement, &options));
	processed = SPI_processed;
	SPI_finish();
	return_to(&before);
	PG_RETURN_INT64((int64) processed);
}

/* Locked until the transaction ends, so that it is still this owner's when the statement runs. */
static Oid
owner_of(Oid relation_id)
{
	Relation	relation = relation_open(relation_id, AccessShareLock);
	Oid			owner = relation->rd_rel->relowner;

	relation_close(relation, NoLock);
	return owner;
}

/* A session reads the same few sources again and again while signals wait; the server plans a kept statement anew when
 * something it depends on has changed, the role among it. */
static SPIPlanPtr
reading_plan(const char *statement)
{
	static struct
	{
		char	   *statement;
		SPIPlanPtr	plan;
	}			kept[8];
	static int	next = 0;
	SPIPlanPtr	plan;
	char	   *copy;

	for (int i = 0; i < lengthof(kept); i++)
	{
		if (kept[i].plan != NULL && strcmp(kept[i].statement, statement) == 0)
			return kept[i].plan;
	}
	plan = SPI_prepare(statement, 1, (Oid[]) {TIMESTAMPTZOID});
	if (plan == NULL)
		check_result(SPI_result);
	copy = MemoryContextStrdup(TopMemoryContext, statement);
	SPI_keepplan(plan);
	if (kept[next].plan != NULL)
	{
		SPI_freeplan(kept[next].plan);
		pfree(kept[next].statement);
	}
	kept[next].statement = copy;
	kept[next].plan = plan;
	next = (next + 1) % lengthof(kept);
	return plan;
}

PG_FUNCTION_INFO_V1(pg_tradesync_read_as_owner);

/* monitoring.read_as_owner(relation, statement, since): the rows of one reading statement, $1 = since. */
Datum
pg_tradesync_read_as_owner(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *statement = text_to_cstring(PG_GETARG_TEXT_PP(1));
	SPIExecuteOptions options = {0};
	borrowed_rights before;

	InitMaterializedSRF(fcinfo, 0);
	options.params = parameter(TIMESTAMPTZOID, PG_GETARG_DATUM(2));
	options.read_only = true;
	options.must_return_tuples = true;
	options.dest = CreateTuplestoreDestReceiver();
	SetTuplestoreDestReceiverParams(options.dest, result->setResult,
									result->econtext->ecxt_per_query_memory, false, result->setDesc,
									"the statement does not return rows of this type");
	before = become(owner_of(PG_GETARG_OID(0)));
	SPI_connect();
	check_result(SPI_execute_plan_extended(reading_plan(statement), &options));
	SPI_finish();
	return_to(&before);
	options.dest->rDestroy(options.dest);
	return (Datum) 0;
}
