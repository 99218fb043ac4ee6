/*
 * monitoring.cluster_identity(): what tells this database in this data directory on this machine from every copy of
 * it. A restored dump, a cloned directory and a promoted standby have another one, so they do not trade unasked.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "access/xlog.h"
#include "access/xlogrecovery.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"

/* Empty where the system has none. Read once: it outlives the process, and every order asks who we are. */
static const char *
machine_id(void)
{
	static char line[64] = "";
	static bool known = false;
	FILE	   *file = known ? NULL : AllocateFile("/etc/machine-id", "r");

	known = true;
	if (file == NULL)
		return line;
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	FreeFile(file);
	return line;
}

static TimeLineID
current_timeline(void)
{
	TimeLineID	timeline;

	if (!RecoveryInProgress())
		return GetWALInsertionTimeLine();
	(void) GetXLogReplayRecPtr(&timeline);
	return timeline;
}

static void
sha256_hex(const StringInfoData *input, char *hex)
{
	static const char digits[] = "0123456789abcdef";
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, (const uint8 *) input->data, input->len) < 0 ||
		pg_cryptohash_final(context, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute the identity: %s", pg_cryptohash_error(context));
	pg_cryptohash_free(context);
	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
	{
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
}

PG_FUNCTION_INFO_V1(pg_tradesync_identity);

Datum
pg_tradesync_identity(PG_FUNCTION_ARGS)
{
	/* A server that runs keeps its directory; only a promotion changes what it is. */
	static char known[PG_SHA256_DIGEST_LENGTH * 2];
	static TimeLineID known_for = 0;
	TimeLineID	timeline = current_timeline();
	StringInfoData input;
	struct stat directory;

	if (timeline == known_for)
		PG_RETURN_TEXT_P(cstring_to_text_with_len(known, sizeof(known)));
	if (stat(DataDir, &directory) != 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not stat directory \"%s\": %m", DataDir)));
	initStringInfo(&input);
	appendStringInfo(&input, UINT64_FORMAT "/%u/%u/%s/%llu/%llu/", GetSystemIdentifier(), timeline,
					 MyDatabaseId, DataDir, (unsigned long long) directory.st_dev,
					 (unsigned long long) directory.st_ino);
	appendStringInfoString(&input, machine_id());
	sha256_hex(&input, known);
	known_for = timeline;
	PG_RETURN_TEXT_P(cstring_to_text_with_len(known, sizeof(known)));
}
