/* session_state.c - who a session is and where it stands: identity, reader
 * class, selected newsgroup, what it may post. See session.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/community/auth.h"
#include "daemon/community/members.h"
#include "daemon/community/peers.h"
#include "daemon/news/flight.h"
#include "daemon/news/session.h"
#include "daemon/tls.h"

static const struct identity nobody = { .trust = TRUST_NONE };

const struct identity *
session_identity(const struct session *s)
{
	return s->identity == NULL ? &nobody : s->identity;
}

static void
session_take_class(struct session *s)
{
	s->class = rights_reader_class(session_identity(s));
	s->posting_generation = 0;
	s->group_generation = UINT64_MAX; /* looked up when next used */
}

/* Counts the connection as the peer's, and no longer as that of the one before. */
static int
session_enter(struct session *s, uint32_t peer)
{
	struct peers *peers = community_peers(session_community(s));

	if (peer == s->entered)
		return 0;
	if (peer != 0 && !peers_enter(peers, peer))
		return -EUSERS;
	if (s->entered != 0)
		peers_leave(peers, s->entered);
	s->entered = peer;
	s->feed.limit = peer == 0 ? 0 : peers_in_flight(peers, peer);
	return 0;
}

int
session_become(struct session *s, const struct identity *identity)
{
	struct identity *copy = NULL;
	uint32_t peer = identity == NULL ? 0 : identity->peer;
	int rc;

	/* RFC 3977 3.4.1: what was offered to a peer's host stays so when a
	 * member logs in from there */
	if (peer == 0 && identity != NULL)
		peer = session_identity(s)->peer;
	rc = session_enter(s, peer);
	if (rc != 0)
		return rc;
	if (identity != NULL) {
		copy = malloc(sizeof *copy);
		if (copy == NULL)
			return -ENOMEM;
		*copy = *identity;
		copy->peer = peer;
	}
	free(s->identity);
	s->identity = copy;
	s->identity_generation = 0; /* read again with the next command */
	s->feeds = false;
	session_take_class(s);
	return 0;
}

void
session_refresh(struct session *s)
{
	struct identity *known = s->identity;
	uint64_t generation = auth_generation(session_community(s));
	struct identity now = { 0 };
	int rc;

	if (known == NULL || s->identity_generation == generation)
		return;
	s->feeds = known->peer != 0 &&
	    peers_is_incoming(community_peers(session_community(s)),
		known->peer);
	if (known->member == 0) {
		s->identity_generation = generation;
		return;
	}
	/* the view of this burst can be older than the change */
	store_view_end(&s->view);
	rc = session_reader(s) == NULL
	    ? -ENOMEM
	    : identity_of_member(session_reader(s), known->member, &now);
	now.trust = known->trust;
	now.member = known->member;
	now.peer = known->peer;
	*known = now; /* nothing could be read: no rights until it can */
	if (rc == 0)
		s->identity_generation = generation;
	session_take_class(s);
}

bool
session_may_read(const struct session *s, const struct space *space)
{
	return rights_may_read(s->class, space);
}

struct space *
session_find_space(struct session *s, struct span name)
{
	struct space *space = spaces_by_name(session_spaces(s), name);

	if (space != NULL && !session_may_read(s, space)) {
		space_unref(space);
		space = NULL;
	}
	return space;
}

void
session_select(struct session *s, struct space *space, uint32_t current)
{
	if (space != NULL) {
		space_ref(space);
		s->group_generation = spaces_generation(session_spaces(s));
	}
	space_unref(s->group);
	s->group = space;
	s->current = current;
}

struct space *
session_group(struct session *s)
{
	uint64_t generation;
	struct space *space;

	if (s->group == NULL)
		return NULL;
	generation = spaces_generation(session_spaces(s));
	if (s->group_generation == generation)
		return s->group;
	space = spaces_by_id(session_spaces(s), s->group->id);
	if (space != NULL && session_may_read(s, space))
		session_select(s, space, s->current);
	else
		session_select(s, NULL, 0);
	space_unref(space);
	return s->group;
}

/* The best that any space allows; the walk ends at the first that takes
 * posts. */
struct posting_walk {
	const struct identity *identity;
	enum rights_post best;
};

static int
posting_of(void *arg, const struct space *space)
{
	struct posting_walk *walk = arg;
	enum rights_post post = rights_post(walk->identity, space);

	/* posting where nothing can be read is for mail */
	if (post != POST_LOGIN &&
	    !rights_may_read(rights_reader_class(walk->identity), space))
		return 0;
	if (post == POST_ALLOWED || post == POST_MODERATED) {
		walk->best = post;
		return 1;
	}
	if (post == POST_LOGIN)
		walk->best = POST_LOGIN;
	return 0;
}

enum rights_post
session_posting(struct session *s)
{
	struct posting_walk walk = { session_identity(s), POST_REFUSED };
	uint64_t generation = spaces_generation(session_spaces(s)) + 1;
	bool known = s->identity != NULL;
	uint64_t *at =
	    known ? &s->posting_generation : &s->loop->posting_generation;
	enum rights_post *posting = known ? &s->posting : &s->loop->posting;

	if (*at != generation) {
		(void)spaces_each(session_spaces(s), posting_of, &walk);
		*posting = walk.best;
		*at = generation;
	}
	return *posting;
}

bool
session_may_log_in(const struct session *s)
{
	return !s->logged_in && !stream_is_deflated(s->stream);
}

bool
session_is_private(const struct session *s)
{
	return stream_is_tls(s->stream) || stream_peer_is_loopback(s->stream) ||
	    community_config(session_community(s))->auth_without_tls;
}

bool
session_must_have_tls(const struct session *s)
{
	return community_config(session_community(s))->tls_required &&
	    !stream_is_tls(s->stream) && !stream_peer_is_loopback(s->stream);
}

bool
session_offers_tls(const struct session *s)
{
	struct news_server *server = session_server(s);
	struct ssl_ctx_st *ctx;

	if (server->tls == NULL)
		return false;
	ctx = server->tls(server->tls_arg);
	if (ctx == NULL)
		return false;
	tls_free(&ctx);
	return true;
}

void
session_greet(struct session *s)
{
	enum rights_post posting = session_posting(s);
	const char *hostname = community_config(session_community(s))->hostname;
	bool may = posting == POST_ALLOWED || posting == POST_MODERATED ||
	    posting == POST_LOGIN;

	/* the same words for MODE READER (RFC 3977 5.1, 5.3) */
	s->greeted = true;
	session_reply_text(s, may ? 200 : 201, "%s ready, posting %s", hostname,
	    may ? "allowed" : "prohibited");
}

/* How long a peer may take to send what it was asked for, or is sending. */
#define SECONDS_EXPECTED 30u

/* By a clock that nobody sets. */
static uint64_t
flight_time(const struct session *s)
{
	return 1 +
	    clock_milliseconds(community_clock(session_community(s))) / 1000;
}

bool
session_expects(struct session *s, struct span id, struct expected *expected_r)
{
	expected_r->any = true;
	store_msgid_hash(session_store(s), id.bytes, id.len, expected_r->hash);
	s->expects = true;
	return flight_begin(session_server(s)->flights, expected_r->hash, s->id,
	    flight_time(s), SECONDS_EXPECTED);
}

void
session_expects_no_more(struct session *s, const struct expected *expected)
{
	if (expected->any)
		flight_end(session_server(s)->flights, expected->hash, s->id,
		    flight_time(s));
}

void
session_expects_nothing(struct session *s)
{
	if (s->expects)
		flight_end_all(session_server(s)->flights, s->id,
		    flight_time(s));
	s->expects = false;
}
