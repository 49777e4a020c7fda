/* parent.h - the process that starts the others: binds listeners, reads keys,
 * restarts who dies, handles signals. It parses nothing from the network.
 */
#ifndef KITH_DAEMON_PARENT_H
#define KITH_DAEMON_PARENT_H

#include <stdbool.h>

struct config;

struct parent_options {
	const char *config_path;
	bool own_user;	 /* -d: stays the calling user */
	bool test_clock; /* -T */
	bool verbose;	 /* -v */
};

/* Takes the configuration. Serves until SIGTERM, SIGINT or `kithctl stop`;
 * returns the exit status. */
int parent_run(struct config *config, const struct parent_options *options);

#endif
