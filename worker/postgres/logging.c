/*
 * wall_log: one line of the server log, whatever the text is.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "postgres/wall.h"

/* An operator who asks for debug messages of the workers gets them without those of the whole server. */
static int
server_level(char level)
{
	const char *least = wall_setting("tradesync.log_level");
	bool		debug = least != NULL && strcmp(least, "debug") == 0;
	bool		quiet = least != NULL && strcmp(least, "warning") == 0;

	if (level == 'W')
		return WARNING;
	if (level == 'D')
		return debug ? LOG : DEBUG1;
	return quiet ? DEBUG1 : LOG;
}

static const char *
in_server_encoding(const char *text)
{
	return text ? pg_any_to_server(text, strlen(text), PG_UTF8) : NULL;
}

static void
write_line(int level, const char *message, const char *detail, const char *hint)
{
	message = in_server_encoding(message);
	detail = in_server_encoding(detail);
	hint = in_server_encoding(hint);
	ereport(level,
			(errmsg_internal("pg_tradesync: %s", message),
			 detail ? errdetail_internal("%s", detail) : 0,
			 hint ? errhint("%s", hint) : 0));
}

void
wall_log(char level, const char *message, const char *detail, const char *hint)
{
	MemoryContext outer = CurrentMemoryContext;

	PG_TRY();
	{
		write_line(server_level(level), message, detail, hint);
	}
	PG_CATCH();
	{
		/* Not valid UTF-8, or no memory: then the line is lost, not the worker. */
		MemoryContextSwitchTo(outer);
		FlushErrorState();
	}
	PG_END_TRY();
}
