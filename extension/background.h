/*
 * What every background process of ours does alike: a session nobody else's settings reach, and the owner's rights.
 * Inline, because the two libraries share no code.
 */
#ifndef TRADESYNC_BACKGROUND_H
#define TRADESYNC_BACKGROUND_H

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/rel.h"

#define TRADESYNC_EXTENSION "pg_tradesync"

/* Settings of the role or the database would reach us too; these must not. */
static inline void
background_isolate_session(void)
{
	static const char *const settings[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"default_transaction_isolation", "read committed"},
		{"default_transaction_read_only", "off"},
		{"default_transaction_deferrable", "off"},
		{"idle_in_transaction_session_timeout", "0"},
		{"session_replication_role", "origin"},
		{"row_security", "on"},
		{"lock_timeout", "100"},
		{"jit", "off"},			/* compiling takes longer than any statement of ours runs */
		{"DateStyle", "ISO"},
		{"TimeZone", "UTC"},
	};

	for (size_t i = 0; i < lengthof(settings); i++)
		SetConfigOption(settings[i][0], settings[i][1], PGC_SUSET, PGC_S_OVERRIDE);
}

/* The owner of our extension, InvalidOid where it does not exist. Needs a transaction. */
static inline Oid
background_extension_owner(void)
{
	Oid			owner = InvalidOid;
	ScanKeyData key[1];
	Relation	extensions = table_open(ExtensionRelationId, AccessShareLock);
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key[0], Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(TRADESYNC_EXTENSION));
	scan = systable_beginscan(extensions, ExtensionNameIndexId, true, NULL, 1, key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		owner = ((Form_pg_extension) GETSTRUCT(tuple))->extowner;
	systable_endscan(scan);
	table_close(extensions, AccessShareLock);
	return owner;
}

/* A process of ours connects as the bootstrap superuser and works with the rights of the extension's owner: code in
 * a user's trigger then has the rights that the owner has. Needs a transaction. */
static inline void
background_become(Oid role)
{
	SetConfigOption("role", GetUserNameFromId(role, false), PGC_SUSET, PGC_S_SESSION);
}

#endif
