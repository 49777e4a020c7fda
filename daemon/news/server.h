/* server.h - what all NNTP sessions share, and what those of one loop share.
 * Private to daemon/news.
 */
#ifndef KITH_NEWS_SERVER_H
#define KITH_NEWS_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/queue.h>

#include "daemon/community/community.h"
#include "daemon/community/rights.h"
#include "daemon/news/news.h"
#include "protocol/buffer.h"

struct directory;
struct flights;
struct news_address;
struct session;

LIST_HEAD(session_list, session);

#define NEWS_ASKED 16384u

/* Touched on its own thread only. */
struct news_loop {
	struct news_server *server;
	struct loop *loop;
	struct store_inbox *inbox;
	struct store_cache *objects, *places; /* the store's */
	struct session_list sessions;
	uint32_t asked[NEWS_ASKED]; /* articles that were lately asked for */
	unsigned turns; /* of those that could be kept (wire.c) */
	struct buffer line; /* a response line being made */
	struct buffer text; /* rows being made */
	/* may anybody without a login post somewhere? */
	uint64_t posting_generation; /* 0: not known yet */
	enum rights_post posting;
};

#define NEWS_ADDRESS_BUCKETS 1024u

struct news_server {
	struct community *community;
	struct ssl_ctx_st *(*tls)(void *arg);
	void *tls_arg;
	struct news_loop *loops;
	size_t loop_count;
	atomic_bool stopping;
	atomic_size_t sessions;
	atomic_size_t post_bytes; /* of articles coming in and at the door */
	size_t post_bytes_max;
	_Atomic uint64_t last_id;
	struct flights *flights; /* articles that peers are sending */
	pthread_mutex_t lock; /* of what follows */
	struct news_address *addresses[NEWS_ADDRESS_BUCKETS];
	struct directory *directories[READER_CLASSES];
};

/* Counts a connection from an address (of IPv6: from its /64); false if it has too many already (then
 * it is not counted). *address_r is NULL where nothing is counted. */
bool news_address_enter(struct news_server *server, const char *ip,
    struct news_address **address_r);
void news_address_leave(struct news_server *server,
    struct news_address **address);

#endif
