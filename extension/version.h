/*
 * The one place that knows how PostgreSQL 15, 16, 17 and 18 differ for us. Included after postgres.h.
 */
#ifndef TRADESYNC_VERSION_H
#define TRADESYNC_VERSION_H

#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "storage/latch.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "pg_tradesync is written for PostgreSQL 15 to 18"
#endif

static inline bool
tradesync_owns_database(Oid database)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(DatabaseRelationId, database, GetUserId());
#else
	return pg_database_ownercheck(database, GetUserId());
#endif
}

static inline bool
tradesync_owns_extension(Oid extension)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(ExtensionRelationId, extension, GetUserId());
#else
	return pg_extension_ownercheck(extension, GetUserId());
#endif
}

static inline WaitEventSet *
tradesync_create_wait_set(int events)
{
#if PG_VERSION_NUM >= 170000
	return CreateWaitEventSet(NULL, events);
#else
	return CreateWaitEventSet(TopMemoryContext, events);
#endif
}

/* What pg_stat_activity shows as wait_event; before 17 an extension has one name for all of its waits. */
static inline uint32
tradesync_wait_event(const char *name)
{
#if PG_VERSION_NUM >= 170000
	return WaitEventExtensionNew(name);
#else
	(void) name;
	return PG_WAIT_EXTENSION;
#endif
}

#endif
