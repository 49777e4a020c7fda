/* community.c - the context: made once by the core, lives as long as it does.
 */
#include "daemon/community/community.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/auth.h"
#include "daemon/community/digest.h"
#include "daemon/community/feeds.h"
#include "daemon/community/jobs.h"
#include "daemon/community/locks.h"
#include "daemon/community/peers.h"
#include "daemon/community/pulls.h"
#include "daemon/community/retention.h"
#include "daemon/community/spaces.h"
#include "daemon/community/timers.h"
#include "daemon/community/token.h"
#include "protocol/buffer.h"

/* A configuration that was replaced: somebody may still read it. */
struct old_config {
	struct config *config;
	struct old_config *next;
};

struct community {
	struct community_options options;
	const struct config *config; /* atomic */
	struct old_config *taken;    /* given to reload; the loop's */
	struct spaces *spaces;
	struct tokens *tokens;
	struct locks *locks;
	struct auth *auth;
	struct peers *peers;
	struct timers *timers;
	struct digests *digests;
	struct retention *retention;
	struct jobs *jobs;
	struct feeds *feeds;
	struct pulls *pulls;
	uint64_t last[COMMUNITY_DUES];
	long busy; /* atomic */
	uint64_t started;
};

static int
community_load(struct community *community, const char **what_r)
{
	const struct config *config = community->config;
	struct store *store = community->options.store;
	int rc;

	*what_r = "spaces";
	rc = spaces_new(&community->spaces);
	if (rc == 0)
		rc = spaces_set_digest(community->spaces, config->digest_hour,
		    config->digest_articles, config->digest_kilobytes);
	if (rc == 0)
		rc = spaces_load(community->spaces, store);
	if (rc != 0)
		return rc;
	*what_r = "token keys";
	rc = tokens_new(&community->tokens, store);
	if (rc == 0)
		rc = locks_new(&community->locks, store);
	if (rc != 0)
		return rc;
	*what_r = "peers";
	rc = peers_new(&community->peers);
	if (rc == 0)
		rc = peers_load(community->peers, store);
	if (rc == 0)
		rc = auth_new(&community->auth);
	if (rc == 0)
		rc = timers_new(&community->timers, community);
	if (rc != 0)
		return rc;
	*what_r = "digests";
	community->digests = digests_new(community);
	community->retention = retention_new(community);
	if (community->digests == NULL || community->retention == NULL)
		return -ENOMEM;
	*what_r = "jobs";
	rc = jobs_new(&community->jobs, community);
	if (rc == 0)
		rc = jobs_load(community->jobs);
	if (rc != 0)
		return rc;
	*what_r = "feeds";
	rc = feeds_new(&community->feeds, community);
	if (rc == 0)
		rc = pulls_new(&community->pulls, community);
	return rc != 0 ? rc : feeds_load(community->feeds);
}

int
community_new(struct community **community_r,
    const struct community_options *options, char **error_r)
{
	struct community *community = calloc(1, sizeof *community);
	const char *what = "memory";
	struct buffer text;
	int rc = -ENOMEM;

	*community_r = NULL;
	*error_r = NULL;
	if (community != NULL) {
		community->options = *options;
		community->config = options->config;
		community->started = community_now(community);
		rc = community_load(community, &what);
	}
	if (rc != 0) {
		buffer_init(&text, 0);
		buffer_printf(&text, "cannot load %s: %s", what, strerror(-rc));
		*error_r = buffer_take(&text, NULL);
		community_free(&community);
	}
	*community_r = community;
	return rc;
}

void
community_free(struct community **community)
{
	struct community *c = *community;
	struct old_config *old;

	*community = NULL;
	if (c == NULL)
		return;
	pulls_free(&c->pulls);
	feeds_free(&c->feeds);
	jobs_free(&c->jobs);
	timers_free(&c->timers);
	retention_free(&c->retention);
	digests_free(&c->digests);
	auth_free(&c->auth);
	peers_free(&c->peers);
	locks_free(&c->locks);
	tokens_free(&c->tokens);
	spaces_free(&c->spaces);
	while ((old = c->taken) != NULL) {
		c->taken = old->next;
		config_free(&old->config);
		free(old);
	}
	free(c);
}

void
community_reload(struct community *community, struct config *config)
{
	struct old_config *taken = calloc(1, sizeof *taken);

	if (taken == NULL) { /* keep the old one: it still serves */
		config_free(&config);
		return;
	}
	taken->config = config;
	taken->next = community->taken;
	community->taken = taken;
	__atomic_store_n(&community->config, config, __ATOMIC_RELEASE);
	/* out of memory: spaces keep the old defaults until the next reload */
	(void)spaces_set_digest(community->spaces, config->digest_hour,
	    config->digest_articles, config->digest_kilobytes);
}

struct store *
community_store(const struct community *community)
{
	return community->options.store;
}

const struct config *
community_config(const struct community *community)
{
	return __atomic_load_n(&community->config, __ATOMIC_ACQUIRE);
}

uint64_t
community_now(const struct community *community)
{
	return clock_now(community->options.clock);
}

uint64_t
community_uptime(const struct community *community)
{
	return community_now(community) - community->started;
}

struct clock *
community_clock(const struct community *community)
{
	return community->options.clock;
}

struct loop *
community_loop(const struct community *community)
{
	return community->options.loop;
}

struct store_inbox *
community_inbox(const struct community *community)
{
	return community->options.inbox;
}

struct worker_pool *
community_workers(const struct community *community)
{
	return community->options.workers;
}

const struct mail_port *
community_mail(const struct community *community)
{
	return community->options.mail;
}

const struct parse_port *
community_parse(const struct community *community)
{
	return community->options.parse;
}

const struct feed_port *
community_feed(const struct community *community)
{
	return community->options.feed;
}

const struct admin_port *
community_admin(const struct community *community)
{
	return community->options.admin;
}

struct spaces *
community_spaces(const struct community *community)
{
	return community->spaces;
}

struct tokens *
community_tokens(const struct community *community)
{
	return community->tokens;
}

struct locks *
community_locks(const struct community *community)
{
	return community->locks;
}

struct auth *
community_auth(const struct community *community)
{
	return community->auth;
}

struct peers *
community_peers(const struct community *community)
{
	return community->peers;
}

void
community_run_timers(struct community *community, void (*done)(void *arg),
    void *arg)
{
	timers_run(community->timers, done, arg);
}

bool
community_is_due(struct community *community, enum community_due due,
    uint64_t seconds)
{
	uint64_t now = community_now(community);

	if (now < community->last[due] + seconds)
		return false;
	community->last[due] = now;
	return true;
}

void
community_busy(struct community *community, int change)
{
	(void)__atomic_add_fetch(&community->busy, change, __ATOMIC_RELAXED);
}

bool
community_is_idle(const struct community *community)
{
	return __atomic_load_n(&community->busy, __ATOMIC_ACQUIRE) == 0 &&
	    !timers_are_running(community->timers) &&
	    jobs_is_idle(community->jobs);
}

struct jobs *
community_jobs(const struct community *community)
{
	return community->jobs;
}

struct digests *
community_digests(const struct community *community)
{
	return community->digests;
}

struct retention *
community_retention(const struct community *community)
{
	return community->retention;
}

struct feeds *
community_feeds(const struct community *community)
{
	return community->feeds;
}

struct pulls *
community_pulls(const struct community *community)
{
	return community->pulls;
}
