/* parent_files.h - the files that children need, read by the parent as bytes.
 */
#ifndef KITH_DAEMON_PARENT_FILES_H
#define KITH_DAEMON_PARENT_FILES_H

#include <stddef.h>

#include "daemon/role.h"

struct config;

#define PARENT_FILES_MAX 6

struct parent_files {
	struct role_file list[PARENT_FILES_MAX];
	size_t count;
};

/* Certificate, key, CA bundle and secret as far as they are configured. 0, or
 * negative after a log line; then nothing is held. */
int parent_files_load(const struct config *config, struct parent_files *files);
/* kithd -n: can they be read, and do certificate and key fit together? 0, or
 * negative after a log line. */
int parent_files_check(const struct config *config);
void parent_files_free(struct parent_files *files);

#endif
