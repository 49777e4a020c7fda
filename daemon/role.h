/* role.h - what every child of kithd does alike: it is born with a channel to
 * the parent, gets its configuration and files over it, starts, closes the
 * sandbox, and then serves until it is stopped.
 *
 * The parent's side is parent.c.
 */
#ifndef KITH_DAEMON_ROLE_H
#define KITH_DAEMON_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/sandbox.h"
#include "protocol/span.h"

struct config;
struct event_base;
struct ipc_reader;
struct ipc_writer;
struct loop;
struct role_process;

/* The store has no room even to recover: do not start core again before there
 * is some. Outside the range of sysexits.h. */
#define ROLE_EXIT_NO_ROOM 80

enum role_flag {
	ROLE_TEST_CLOCK = 1, /* kithd -T: clock advance is allowed */
	ROLE_OFFLINE = 2,    /* core without listeners, for kithctl */
};

struct role_listener {
	unsigned index; /* in config->listeners; ROLE_CONTROL: control socket */
	int fd;
};
#define ROLE_CONTROL UINT32_MAX

struct role_file {
	char *name; /* "certificate", "key", "ca", "secret" */
	char *bytes;
	size_t len;
};

/* What a role starts from, or is reloaded with (then without listeners). */
struct role_start {
	struct config *config;
	struct role_listener *listeners; /* non-blocking, listening */
	size_t listener_count;
	struct role_file *files;
	size_t file_count;
	unsigned flags;
	int control_fd; /* ROLE_OFFLINE: the connected client; else -1 */
};

void role_start_free(struct role_start **start);
/* Empty if there is none. Borrowed. */
struct span role_start_file(const struct role_start *start, const char *name);
/* The descriptor, which is the caller's from now on; -1: none. */
int role_start_take_listener(struct role_start *start, size_t i);
/* MESSAGE_START and MESSAGE_RELOAD, after their role text. decode: hostile-safe,
 * NULL if malformed. */
int role_start_encode(const struct role_start *start, struct ipc_writer *writer);
struct role_start *role_start_decode(struct ipc_reader *fields);

struct role {
	const char *name;
	enum sandbox_profile profile;
	/* Opens and loads what the sandbox will forbid; the loop does not run
	 * yet, and may be blocked here (recovery). Takes `start`, also on
	 * failure. 0 with *state_r, or the exit status. */
	int (*start)(struct role_process *process, struct role_start *start,
	    void **state_r);
	/* Takes `start`. On an error (negative errno) the old one stays in
	 * force. NULL: nothing to reload. */
	int (*reload)(void *state, struct role_start *start);
	/* A channel to a peer, new or in place of one that died. Takes fd. May
	 * be NULL. */
	void (*peer)(void *state, const char *peer, int fd);
	/* Begins to finish; calls role_exit() when done, at most some 3 s
	 * later. NULL: exits at once. */
	void (*stop)(void *state);
	/* After the loop ended. May be NULL. */
	void (*free)(void *state);
};

extern const struct role core_role;
extern const struct role mail_role;
extern const struct role feed_role;
extern const struct role parse_role;
extern const struct role maildir_role;
extern const struct role resolve_role;
extern const struct role restore_role; /* alone only */

struct loop *role_loop(struct role_process *process);
struct event_base *role_base(struct role_process *process);
/* Leaves the loop; the process ends with this status. Any thread. */
void role_exit(struct role_process *process, int status);
/* Asks the parent to kill a peer that hangs ("parse"): a new channel follows. */
void role_kill_peer(struct role_process *process, const char *peer);

/* Asks the parent for a role that the configuration did not ask for. */
void role_want(struct role_process *process, const char *role);

/* Asks the parent to stop kithd (kithctl stop); alone: ends itself. */
void role_stop_all(struct role_process *process);

/* Serves as a child on the inherited channel. Returns the exit status. */
int role_run(const struct role *role, int channel);
/* Serves without a parent until role_exit: kithd --offline. Takes start. */
int role_run_alone(const struct role *role, struct role_start *start);

#endif
