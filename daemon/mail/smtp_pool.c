/* smtp_pool.c - how many connections, and whose delivery is next.
 */
#include "build.h"

#include "daemon/mail/smtp_pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>
#include <openssl/crypto.h>

#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/stream.h"

#define POOL_CONNECTIONS_MAX 64u
#define POOL_IDLE_SECONDS    30u
#define POOL_BACKOFF_MAX     60u

struct slot {
	struct smtp_pool *pool;
	struct smtp_client *client;
	bool dialing;
	bool stale;          /* of an older configuration: takes nothing new */
	uint64_t idle_since; /* 0: not idle */
};

struct smtp_pool {
	struct mail_transport transport;
	struct smtp_client_options client_options;
	char *secret;
	size_t secret_len;
	struct smtp_dialer *dialer;
	struct slot slots[POOL_CONNECTIONS_MAX];
	unsigned connections; /* at most */
	struct mail_chunk_list queue;
	struct event *tick;
	uint64_t retry_at; /* 0: no back-off */
	unsigned backoff;  /* seconds, the last one */
	char why[256];
	bool ending;
};

static void pool_pump(struct smtp_pool *pool);

static uint64_t
seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

/* ---- chunks */

static void
chunk_enqueue(struct smtp_pool *pool, struct mail_chunk *chunk)
{
	if (chunk->queued)
		return;
	TAILQ_INSERT_TAIL(&pool->queue, chunk, entry);
	chunk->queued = true;
}

static void
chunk_dequeue(struct smtp_pool *pool, struct mail_chunk *chunk)
{
	if (!chunk->queued)
		return;
	TAILQ_REMOVE(&pool->queue, chunk, entry);
	chunk->queued = false;
}

static void
chunk_check(struct smtp_pool *pool, struct mail_chunk *chunk)
{
	if (chunk->answered < chunk->count)
		return;
	chunk_dequeue(pool, chunk);
	chunk->done(chunk->arg, chunk);
}

/* What waits gets no code; what is open goes on. */
static void
chunk_give_back(struct smtp_pool *pool, struct mail_chunk *chunk,
    const char *why)
{
	bool tried = false;
	size_t i;

	for (i = 0; i < chunk->count; i++)
		if (chunk->deliveries[i].state == MAIL_DELIVERY_WAITING) {
			mail_delivery_answer(&chunk->deliveries[i], 0, why);
			chunk->answered++;
		} else {
			tried = true;
		}
	if (!tried)
		mail_chunk_fail(chunk, why);
	chunk_dequeue(pool, chunk);
	chunk_check(pool, chunk);
}

static void
queue_give_back(struct smtp_pool *pool, const char *why)
{
	struct mail_chunk *chunk;

	while ((chunk = TAILQ_FIRST(&pool->queue)) != NULL)
		chunk_give_back(pool, chunk, why);
}

/* Round robin over the chunks, so that a large one does not make the others
 * wait. */
static struct mail_delivery *
on_next(void *arg, struct mail_chunk **chunk_r)
{
	struct slot *slot = arg;
	struct smtp_pool *pool = slot->pool;
	struct mail_delivery *delivery;
	struct mail_chunk *chunk;

	if (pool->ending)
		return NULL;
	if (slot->stale) {
		slot->idle_since = seconds();
		return NULL;
	}
	while ((chunk = TAILQ_FIRST(&pool->queue)) != NULL) {
		chunk_dequeue(pool, chunk);
		delivery = mail_chunk_waiting(chunk);
		if (delivery == NULL)
			continue;
		*chunk_r = chunk;
		delivery->state = MAIL_DELIVERY_OPEN;
		if (++chunk->next < chunk->count)
			chunk_enqueue(pool, chunk);
		slot->idle_since = 0;
		return delivery;
	}
	slot->idle_since = seconds();
	return NULL;
}

static void
on_answered(void *arg, struct mail_chunk *chunk)
{
	struct slot *slot = arg;

	chunk->answered++;
	chunk_check(slot->pool, chunk);
}

static void
on_returned(void *arg, struct mail_chunk *chunk, struct mail_delivery *delivery)
{
	struct slot *slot = arg;
	size_t i = (size_t)(delivery - chunk->deliveries);

	delivery->state = MAIL_DELIVERY_WAITING;
	if (i < chunk->next)
		chunk->next = i;
	chunk_enqueue(slot->pool, chunk);
}

/* ---- connections */

static bool
pool_is_alive(const struct smtp_pool *pool)
{
	unsigned i;

	for (i = 0; i < POOL_CONNECTIONS_MAX; i++)
		if (pool->slots[i].dialing || pool->slots[i].client != NULL)
			return true;
	return false;
}

static bool
pool_has_ready(const struct smtp_pool *pool)
{
	unsigned i;

	for (i = 0; i < POOL_CONNECTIONS_MAX; i++)
		if (pool->slots[i].client != NULL && !pool->slots[i].stale &&
		    smtp_client_is_ready(pool->slots[i].client))
			return true;
	return false;
}

/* A connection did not come about, or was of no use. */
static void
pool_failed(struct smtp_pool *pool, const char *why)
{
	(void)snprintf(pool->why, sizeof pool->why, "%s", why);
	if (pool_has_ready(pool))
		return;
	if (pool->retry_at <= seconds()) {
		pool->backoff = pool->backoff == 0 ? 1 : pool->backoff * 2;
		if (pool->backoff > POOL_BACKOFF_MAX)
			pool->backoff = POOL_BACKOFF_MAX;
		pool->retry_at = seconds() + pool->backoff;
		log_warning("smarthost=%s cannot be used: %s; next try in %u s",
		    pool->client_options.host, why, pool->backoff);
	}
	if (!pool_is_alive(pool))
		queue_give_back(pool, pool->why);
}

static void
on_ready(void *arg, struct smtp_client *client)
{
	struct slot *slot = arg;

	(void)client;
	slot->pool->retry_at = 0;
	slot->pool->backoff = 0;
}

static void
on_ended(void *arg, struct smtp_client *client, const char *why)
{
	struct slot *slot = arg;
	struct smtp_pool *pool = slot->pool;
	bool useless = !slot->stale && smtp_client_answers(client) == 0;

	slot->client = NULL;
	slot->stale = false;
	if (pool->ending)
		return;
	log_debug("smarthost connection ended: %s", why);
	if (useless)
		pool_failed(pool, why);
	pool_pump(pool);
}

static const struct smtp_client_owner client_owner = {
	.next = on_next,
	.answered = on_answered,
	.returned = on_returned,
	.ready = on_ready,
	.ended = on_ended,
};

static void
on_dialed(void *arg, struct stream *stream, const char *why)
{
	struct slot *slot = arg;

	slot->dialing = false;
	if (slot->stale) {
		slot->stale = false;
		stream_free(&stream);
		pool_pump(slot->pool);
		return;
	}
	if (stream != NULL) {
		why = "no memory, or no TLS";
		slot->idle_since = 0;
		slot->client = smtp_client_new(stream,
		    &slot->pool->client_options, &client_owner, slot);
	}
	if (slot->client == NULL)
		pool_failed(slot->pool, why);
}

/* As many connections as there is work for; true if one could be begun. */
static void
pool_dial(struct smtp_pool *pool, size_t wanted)
{
	unsigned i;
	int rc;

	for (i = 0; i < pool->connections && wanted > 0; i++) {
		struct slot *slot = &pool->slots[i];

		if (slot->dialing || slot->client != NULL)
			continue;
		slot->dialing = true;
		rc = pool->dialer->methods->dial(pool->dialer, on_dialed, slot);
		if (rc < 0) {
			slot->dialing = false;
			pool_failed(pool,
			    "the smarthost's name cannot be "
			    "resolved now");
			return;
		}
		wanted--;
	}
}

/* Deliveries that wait, counted no further than is of interest. */
static size_t
pool_waiting(const struct smtp_pool *pool)
{
	const struct mail_chunk *chunk;
	size_t waiting = 0;

	TAILQ_FOREACH(chunk, &pool->queue, entry) {
		waiting += chunk->count - chunk->next;
		if (waiting >= pool->connections)
			break;
	}
	return waiting;
}

static void
pool_pump(struct smtp_pool *pool)
{
	size_t waiting, busy = 0;
	unsigned i;

	for (i = 0; i < POOL_CONNECTIONS_MAX; i++) {
		struct smtp_client *client = pool->slots[i].client;

		if (client != NULL && smtp_client_is_ready(client))
			smtp_client_wake(client);
	}
	for (i = 0; i < POOL_CONNECTIONS_MAX; i++)
		if (pool->slots[i].dialing ||
		    (pool->slots[i].client != NULL &&
			!smtp_client_is_ready(pool->slots[i].client)))
			busy++; /* will take some of it */
	waiting = pool_waiting(pool);
	if (waiting > busy && pool->retry_at <= seconds())
		pool_dial(pool, waiting - busy);
	else if (waiting > 0 && !pool_is_alive(pool))
		queue_give_back(pool, pool->why);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct smtp_pool *pool = arg;
	uint64_t now = seconds();
	unsigned i;

	(void)fd;
	(void)what;
	for (i = 0; i < POOL_CONNECTIONS_MAX; i++) {
		struct slot *slot = &pool->slots[i];

		if (slot->client != NULL && slot->idle_since != 0 &&
		    (slot->stale ||
			now - slot->idle_since >= POOL_IDLE_SECONDS))
			smtp_client_quit(slot->client);
	}
}

/* ---- the transport */

static void
pool_send(struct mail_transport *transport, struct mail_chunk *chunk)
{
	struct smtp_pool *pool = (void *)transport; /* its first member */

	chunk->queued = false;
	chunk_enqueue(pool, chunk);
	pool_pump(pool);
}

static void
pool_flush(struct mail_transport *transport)
{
	struct smtp_pool *pool = (void *)transport;

	pool->retry_at = 0;
	pool->backoff = 0;
	pool_pump(pool);
}

static void
pool_wipe(struct smtp_pool *pool)
{
	if (pool->secret != NULL)
		OPENSSL_cleanse(pool->secret, pool->secret_len);
	free(pool->secret);
	pool->secret = NULL;
}

static void
pool_free(struct mail_transport *transport)
{
	struct smtp_pool *pool = (void *)transport;
	unsigned i;

	pool->ending = true;
	for (i = 0; i < POOL_CONNECTIONS_MAX; i++)
		smtp_client_free(&pool->slots[i].client);
	pool->dialer->methods->free(pool->dialer);
	queue_give_back(pool, "the mail process ends");
	if (pool->tick != NULL)
		event_free(pool->tick);
	pool_wipe(pool);
	free(pool);
}

static const struct mail_transport_methods pool_methods = {
	.send = pool_send,
	.flush = pool_flush,
	.free = pool_free,
};

static struct smtp_client_options
client_options(const struct smtp_pool_options *options, struct span secret)
{
	const struct config *config = options->config;

	return (struct smtp_client_options){
		.hostname = config->hostname,
		.host = config->smarthost_host,
		.tls = config->smarthost_tls,
		.ctx = options->ctx,
		.user = config->smarthost_user,
		.secret = secret,
	};
}

static int
pool_set_options(struct smtp_pool *pool,
    const struct smtp_pool_options *options)
{
	size_t len = options->secret.len;
	char *secret = malloc(len + 1);

	if (secret == NULL)
		return -ENOMEM;
	if (len > 0)
		memcpy(secret, options->secret.bytes, len);
	pool_wipe(pool);
	pool->secret = secret;
	pool->secret_len = len;
	pool->client_options = client_options(options, span_make(secret, len));
	pool->connections = options->config->smarthost_connections;
	if (pool->connections == 0)
		pool->connections = 4;
	if (pool->connections > POOL_CONNECTIONS_MAX)
		pool->connections = POOL_CONNECTIONS_MAX;
	return 0;
}

struct mail_transport *
smtp_pool_new(struct loop *loop, const struct smtp_pool_options *options,
    struct smtp_dialer *dialer)
{
	struct smtp_pool *pool = calloc(1, sizeof *pool);
	struct timeval second = { 1, 0 };
	unsigned i;

	if (pool == NULL) {
		dialer->methods->free(dialer);
		return NULL;
	}
	pool->transport.methods = &pool_methods;
	pool->dialer = dialer;
	for (i = 0; i < POOL_CONNECTIONS_MAX; i++)
		pool->slots[i].pool = pool;
	TAILQ_INIT(&pool->queue);
	pool->tick = event_new(loop_base(loop), -1, EV_PERSIST, on_tick, pool);
	if (pool_set_options(pool, options) < 0 || pool->tick == NULL ||
	    event_add(pool->tick, &second) < 0) {
		pool_free(&pool->transport);
		return NULL;
	}
	return &pool->transport;
}

int
smtp_pool_configure(struct mail_transport *transport,
    const struct smtp_pool_options *options)
{
	struct smtp_pool *pool = (void *)transport;
	unsigned i;
	int rc = pool_set_options(pool, options);

	if (rc != 0)
		return rc;
	for (i = 0; i < POOL_CONNECTIONS_MAX; i++) {
		struct slot *slot = &pool->slots[i];

		/* before it can say the new secret to the old host */
		if (slot->client != NULL && !smtp_client_is_ready(slot->client))
			smtp_client_free(&slot->client);
		slot->stale = slot->client != NULL || slot->dialing;
		if (slot->client != NULL)
			smtp_client_quit(slot->client);
	}
	pool_flush(transport);
	return 0;
}
