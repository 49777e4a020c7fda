/* parent_listen.h - the listening sockets of a configuration; parent.c only.
 */
#ifndef KITH_DAEMON_PARENT_LISTEN_H
#define KITH_DAEMON_PARENT_LISTEN_H

#include <stddef.h>
#include <sys/types.h>

#include "daemon/role.h"

#define PARENT_SOCKETS_MAX 48u

struct config;

struct parent_sockets {
	struct role_listener list[PARENT_SOCKETS_MAX];
	size_t count;
};

/* Binds every listener and the control socket. Unix sockets are given to the
 * user. 0, or negative after a log line; then nothing is open. */
int parent_listen(const struct config *config, uid_t uid, gid_t gid,
    struct parent_sockets *sockets);
void parent_listen_close(const struct config *config, struct parent_sockets *sockets);

#endif
