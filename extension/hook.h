#ifndef TRADESYNC_HOOK_H
#define TRADESYNC_HOOK_H

/* Called by _PG_init. */
void		hook_install(void);

#endif
