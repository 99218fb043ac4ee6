#ifndef TRADESYNC_LAUNCHER_H
#define TRADESYNC_LAUNCHER_H

/* Called by _PG_init: the launcher starts when recovery is over and is restarted by the postmaster. */
void		launcher_register(void);

#endif
