/*
 * What a supervisor asks its database: is the extension there, which accounts are there, do the chores.
 */
#ifndef TRADESYNC_ACCOUNT_LIST_H
#define TRADESYNC_ACCOUNT_LIST_H

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

/* False: the database could not be asked, nothing may be concluded. The failure is logged when it begins and ends. */
bool		account_list_read(account_list *list);

/* monitoring.worker_retention(), in a transaction of its own. */
void		account_list_do_chores(void);

#endif
