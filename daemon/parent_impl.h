/* parent_impl.h - the parent and its children; for parent*.c only.
 */
#ifndef KITH_DAEMON_PARENT_IMPL_H
#define KITH_DAEMON_PARENT_IMPL_H

#include <stdint.h>
#include <sys/types.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "daemon/config.h"
#include "daemon/parent.h"
#include "daemon/parent_files.h"
#include "daemon/parent_listen.h"

struct ipc;
struct parent;

/* What a role is given, and when it is needed. */
struct parent_seat {
	const char *role;
	bool (*wanted)(const struct config *config); /* NULL: always */
	unsigned gets; /* enum parent_gets */
};

enum parent_gets {
	GETS_NEWS = 1,	   /* news listeners and the control socket */
	GETS_MAIL = 2,	   /* LMTP and SMTP listeners */
	GETS_KEY = 4,	   /* certificate and key */
	GETS_SMARTHOST = 8, /* CA bundle and secret */
	GETS_FEED_CA = 16,  /* CA bundle for the peers' servers */
};

enum parent_seats {
	SEAT_CORE,
	SEAT_MAIL,
	SEAT_PARSE_MAIL,
	SEAT_PARSE_CORE,
	SEAT_MAILDIR,
	SEAT_RESOLVE,
	SEAT_FEED,
	SEATS
};

struct child {
	struct parent *parent;
	const struct parent_seat *seat;
	pid_t pid;	 /* 0: none */
	struct ipc *ipc; /* NULL: none, or it has hung up */
	struct event again;
	uint64_t started;  /* ms */
	unsigned delay;	   /* ms, before the next start */
	bool ready;
	bool was_ready;
	bool asked_for; /* core wants it, the configuration need not */
	bool hangs; /* killed because somebody asked for it */
};

struct parent {
	const struct parent_options *options;
	struct config *config;
	struct event_base *base;
	struct parent_sockets sockets;
	struct parent_files files;
	struct child children[SEATS];
	struct event signals[4];
	struct event stop_timer;
	unsigned waited; /* s, for core's room on the disk */
	uid_t uid;
	gid_t gid;
	bool drops; /* children change to uid and gid */
	bool announced;
	bool stopping;
	int status;
};

/* parent_child.c */
void children_init(struct parent *parent);
/* Starts whoever the configuration wants and links them. */
void children_start(struct parent *parent);
/* After SIGCHLD: takes leave of the dead, starts them again later. */
void children_reap(struct parent *parent);
void children_reload(struct parent *parent);
void children_stop(struct parent *parent);
void children_kill(struct parent *parent);
bool children_gone(const struct parent *parent);
/* All that the configuration wants are ready. */
bool children_ready(const struct parent *parent);
void children_free(struct parent *parent);

/* parent.c */
void parent_check_ready(struct parent *parent);
void parent_stop(struct parent *parent, int status);

#endif
