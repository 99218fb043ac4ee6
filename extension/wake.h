#ifndef TRADESYNC_WAKE_H
#define TRADESYNC_WAKE_H

/* Sets the latch of an account's worker in this database, of the supervisor for account 0. At once. */
void		wake_now(int32 account);

#endif
