/*
 * The settings, read by their full name: the preloaded library defines them.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/guc.h"

#include "postgres/wall.h"

const char *
wall_setting(const char *name)
{
	const char *value = GetConfigOption(name, true, false);

	return value == NULL || value[0] == '\0' ? NULL : value;
}

int64_t
wall_setting_number(const char *name, int64_t fallback)
{
	const char *value = wall_setting(name);
	char	   *end;
	int64		number;

	if (value == NULL)
		return fallback;
	number = strtoll(value, &end, 10);
	return *end == '\0' ? number : fallback;
}

const char *
wall_data_directory(void)
{
	return DataDir;
}
