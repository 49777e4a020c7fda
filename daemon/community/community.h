/* community.h - the context that the rules of the community share: store,
 * clock, configuration, and the objects that live as long as the core does.
 */
#ifndef KITH_COMMUNITY_COMMUNITY_H
#define KITH_COMMUNITY_COMMUNITY_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/clock.h"
#include "daemon/community/ports.h"
#include "daemon/config.h"
#include "daemon/loop.h"
#include "store/store.h"

struct community;
struct spaces;
struct tokens;
struct locks;
struct jobs;
struct auth;
struct peers;
struct digests;
struct retention;
struct feeds;
struct pulls;
struct control_request;

/* What some verbs of kithctl need from outside the community. */
struct admin_port {
	void (*stop)(void *arg); /* an orderly end, after the answer is out */
	bool clock_allowed;	 /* kithd -T */
	bool offline;		 /* nobody is served meanwhile */
	const char *version;
	void *arg;
};

struct community_options {
	struct store *store;
	const struct config *config; /* borrowed until replaced by reload */
	struct clock *clock;
	struct loop *loop; /* runs jobs, timers and admin requests */
	struct store_inbox *inbox; /* drained on that loop */
	struct worker_pool *workers;
	const struct mail_port *mail;
	const struct parse_port *parse;
	const struct feed_port *feed; /* NULL: nobody is fed */
	const struct admin_port *admin; /* NULL: its verbs are refused */
};

/* Loads keys and spaces (creating the first key). error_r as in store_open. */
int community_new(struct community **community_r,
    const struct community_options *options, char **error_r);
void community_free(struct community **community);
/* Any thread, from now on. The old configuration stays valid until
 * community_free. Takes config. */
void community_reload(struct community *community, struct config *config);

struct store *community_store(const struct community *community);
const struct config *community_config(const struct community *community);
uint64_t community_now(const struct community *community);
/* Seconds since community_new, by the clock. */
uint64_t community_uptime(const struct community *community);
struct clock *community_clock(const struct community *community);
struct loop *community_loop(const struct community *community);
struct store_inbox *community_inbox(const struct community *community);
struct worker_pool *community_workers(const struct community *community);
const struct mail_port *community_mail(const struct community *community);
const struct parse_port *community_parse(const struct community *community);
const struct feed_port *community_feed(const struct community *community);
struct spaces *community_spaces(const struct community *community);
struct tokens *community_tokens(const struct community *community);
struct locks *community_locks(const struct community *community);
struct jobs *community_jobs(const struct community *community);
struct auth *community_auth(const struct community *community);
struct peers *community_peers(const struct community *community);
struct digests *community_digests(const struct community *community);
struct retention *community_retention(const struct community *community);
struct feeds *community_feeds(const struct community *community);
struct pulls *community_pulls(const struct community *community);
const struct admin_port *community_admin(const struct community *community);

/* Does what is due by the clock now: retries, digests, expiry of tokens. On the
 * community's loop; called each few seconds, after the clock was moved, and by
 * `kithctl run-timers`. done (may be NULL) when all that was due has been
 * started and written down. */
void community_run_timers(
    struct community *community, void (*done)(void *arg), void *arg);
/* True while nothing is under way: no job running, no operation, no timer
 * started (replay waits for it). */
bool community_is_idle(const struct community *community);
/* For functions of timers.c that run each `seconds` at most: true if that long
 * has passed since it last was true. On the community's loop. */
enum community_due {
	COMMUNITY_DUE_EXPIRY,
	COMMUNITY_DUE_HISTORY,
	COMMUNITY_DUES
};
bool community_is_due(
    struct community *community, enum community_due due, uint64_t seconds);
/* Somebody began (+1) or ended (-1) something that is_idle must wait for: an
 * operation, a parse. Any thread. */
void community_busy(struct community *community, int change);

#endif
