/*
 * The settings under tradesync. All are read from the configuration files (or ALTER SYSTEM) and follow a reload:
 * none can be changed by a session, so a session cannot weaken what an operator decided.
 */
#include "postgres.h"

#include <limits.h>

#include "nodes/pg_list.h"
#include "utils/guc.h"
#include "utils/varlena.h"

#include "settings.h"
#include "shared_layout.h"

#define SECONDS_PER_DAY 86400

char	   *setting_databases = NULL;
char	   *setting_credentials_file = NULL;

/* These are read by name, in C++ and in SQL; the variables only give them a home. */
static char *ca_file = NULL;
static bool live_trading = false;
static bool wait_for_standby = false;
static bool resume_after_promotion = false;
static int	price_interval = 0;
static int	buffer_limit = 0;
static int	request_timeout = 0;
static int	sync_interval = 0;
static int	shutdown_timeout = 0;
static int	event_retention = 0;
static int	log_level = 0;

static const struct config_enum_entry log_levels[] = {
	{"debug", 'D', false},
	{"log", 'L', false},
	{"warning", 'W', false},
	{NULL, 0, false}
};

static bool
split_names(const char *value, List **names)
{
	return SplitGUCList(pstrdup(value), ',', names);
}

static bool
check_databases(char **value, void **extra, GucSource source)
{
	List	   *names;

	if (!split_names(*value, &names))
	{
		GUC_check_errdetail("List syntax is invalid.");
		return false;
	}
	if (list_length(names) > TRADESYNC_MAX_DATABASES)
	{
		GUC_check_errdetail("At most %d databases can be named.", TRADESYNC_MAX_DATABASES);
		return false;
	}
	return true;
}

List *
settings_database_names(void)
{
	List	   *names = NIL;

	return split_names(setting_databases, &names) ? names : NIL;
}

static void
define_text(const char *name, const char *what, const char *more, char **home, const char *initial,
			GucStringCheckHook check)
{
	DefineCustomStringVariable(name, what, more, home, initial, PGC_SIGHUP, 0, check, NULL, NULL);
}

static void
define_switch(const char *name, const char *what, const char *more, bool *home)
{
	DefineCustomBoolVariable(name, what, more, home, false, PGC_SIGHUP, 0, NULL, NULL, NULL);
}

static void
define_number(const char *name, const char *what, const char *more, int *home, int initial, int least, int most,
			  int unit)
{
	DefineCustomIntVariable(name, what, more, home, initial, least, most, PGC_SIGHUP, unit, NULL, NULL, NULL);
}

void
settings_define(void)
{
	define_text("tradesync.databases",
				"Databases that pg_tradesync works in.",
				"A comma-separated list of database names. One supervisor process runs in each and waits there until "
				"the extension is created; empty: nothing runs.",
				&setting_databases, "", check_databases);
	define_text("tradesync.credentials_file",
				"File that holds the API keys.",
				"One account in a line: name, key, secret. It is refused when group or others may read it and when it "
				"lies inside the data directory. It is read again at a reload.",
				&setting_credentials_file, "/etc/pg_tradesync/credentials", NULL);
	define_text("tradesync.ca_file",
				"File with further certificate authorities.",
				"PEM. Servers whose certificate one of these has signed are trusted beside those the system trusts.",
				&ca_file, "", NULL);
	define_switch("tradesync.live_trading",
				  "Allows accounts in the mode live.",
				  "While it is off no account can be set to send real orders.",
				  &live_trading);
	define_switch("tradesync.wait_for_standby",
				  "Commits of account events wait for synchronous standbys.",
				  "Off: workers wait for the local disk only, so that a dead standby does not stop a stop order from "
				  "being placed.",
				  &wait_for_standby);
	define_switch("tradesync.resume_after_promotion",
				  "Accounts of a promoted standby are not halted.",
				  "For planned failover, when the old primary is known to be off. Off: a promoted server mirrors its "
				  "accounts but waits for resume() before it sends an order.",
				  &resume_after_promotion);
	define_number("tradesync.price_interval",
				  "Shortest time between two saved prices of a symbol.",
				  "Prices that come faster are folded to the last one.",
				  &price_interval, 250, 10, 60000, GUC_UNIT_MS);
	define_number("tradesync.buffer_limit",
				  "Events kept while an account is being restored.",
				  "Overflow loses nothing: the snapshot is read again and the limit doubled, up to 64 MiB of events.",
				  &buffer_limit, 1000, 10, 1000000, 0);
	define_number("tradesync.request_timeout",
				  "Longest wait for the answer of an exchange to one request.",
				  "A request without an answer is an unknown outcome, never a negative one.",
				  &request_timeout, 5000, 100, 120000, GUC_UNIT_MS);
	define_number("tradesync.sync_interval",
				  "Time between two comparisons of an account with its exchange.",
				  "A comparison reads positions, orders and balances in full. Every reconnect brings one in any case.",
				  &sync_interval, 60000, 1000, 600000, GUC_UNIT_MS);
	define_number("tradesync.shutdown_timeout",
				  "Longest time a worker takes to leave in good order.",
				  "It stops intake, finishes what is in flight, closes its sockets and saves the rest. A statement "
				  "that needs the database for itself waits at most 3 s, whatever this says.",
				  &shutdown_timeout, 3000, 0, 60000, GUC_UNIT_MS);
	define_number("tradesync.event_retention",
				  "Age at which rows of monitoring.events are dropped.",
				  "Whole days are dropped at once, a partition each.",
				  &event_retention, 30 * SECONDS_PER_DAY, SECONDS_PER_DAY, INT_MAX, GUC_UNIT_S);
	DefineCustomEnumVariable("tradesync.log_level",
							 "Least severe messages of the workers that reach the server log.",
							 "debug shows every change of state; log_min_messages applies as well, except that the "
							 "workers' debug messages are then written at level LOG.",
							 &log_level, 'L', log_levels, PGC_SIGHUP, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("tradesync");
}
