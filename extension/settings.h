/*
 * Every setting of pg_tradesync. The worker library reads them by name through the wall.
 */
#ifndef TRADESYNC_SETTINGS_H
#define TRADESYNC_SETTINGS_H

extern char *setting_databases;
extern char *setting_credentials_file;

void		settings_define(void);

/* tradesync.databases, split: palloc'd names. At most TRADESYNC_MAX_DATABASES. */
struct List;
struct List *settings_database_names(void);

#endif
