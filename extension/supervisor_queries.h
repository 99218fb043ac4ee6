/*
 * What a supervisor has its database do: tell whether the extension is there and which accounts are there, take signals
 * in, generate those of the test kit, do the chores. Each is a transaction of its own; its failure is logged when it begins and when it ends.
 */
#ifndef TRADESYNC_SUPERVISOR_QUERIES_H
#define TRADESYNC_SUPERVISOR_QUERIES_H

#include "shared_layout.h"

typedef struct listed_account
{
	int32		account;
	char		name[TRADESYNC_NAME_SIZE];
	bool		enabled;
	int64		generation;
} listed_account;

typedef struct account_list
{
	bool		extension;		/* false: it does not exist, and the list is empty */
	int			count;
	listed_account accounts[TRADESYNC_MAX_ACCOUNTS];
} account_list;

/* False: the database could not be asked, nothing may be concluded. */
bool		supervisor_read_accounts(account_list *list);

/* monitoring.worker_take_signals(newest_only). True: there is more to take in, call again at once. */
bool		supervisor_take_signals(bool newest_only);

/* Their events, which no order waits for. */
void		supervisor_note_signals(void);

/* testkit.worker_run_due_waves(). Its table's trigger wakes us for the signals. */
void		supervisor_run_waves(void);

/* monitoring.worker_retention(). */
void		supervisor_do_chores(void);

#endif
