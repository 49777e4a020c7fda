/* server.c - see news.h and server.h.
 */
#include "daemon/news/server.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/news/directory.h"
#include "daemon/news/flight.h"
#include "daemon/news/session.h"

/* Memory that all articles may take that are being received: each alone is
 * bounded by limits.article_size, but a thousand are not. */
#define POST_BYTES_MAX ((size_t)256 << 20)

struct news_address {
	struct news_address *next;
	unsigned count;
	unsigned bucket;
	char ip[]; /* textual */
};

struct news_server *
news_server_new(const struct news_options *options)
{
	struct news_server *server = calloc(1, sizeof *server);

	if (server == NULL)
		return NULL;
	server->community = options->community;
	server->tls = options->tls;
	server->tls_arg = options->tls_arg;
	server->loop_count = options->loop_count;
	server->post_bytes_max = POST_BYTES_MAX;
	server->loops = calloc(options->loop_count + 1, sizeof *server->loops);
	server->flights = flights_new();
	if (server->loops == NULL || server->flights == NULL ||
	    pthread_mutex_init(&server->lock, NULL) != 0) {
		flights_free(&server->flights);
		free(server->loops);
		free(server);
		return NULL;
	}
	for (size_t i = 0; i < server->loop_count; i++) {
		struct news_loop *loop = &server->loops[i];

		loop->server = server;
		loop->loop = options->loops[i].loop;
		loop->inbox = options->loops[i].inbox;
		loop->objects =
		    store_objects(community_store(options->community));
		loop->places =
		    store_places(community_store(options->community));
		LIST_INIT(&loop->sessions);
		buffer_init(&loop->line, 0);
		buffer_init(&loop->text, 0);
	}
	return server;
}

void
news_server_free(struct news_server **server_p)
{
	struct news_server *server = *server_p;
	struct news_loop *loop;

	if (server == NULL)
		return;
	*server_p = NULL;
	for (size_t i = 0; i < server->loop_count; i++) {
		loop = &server->loops[i];
		while (!LIST_EMPTY(&loop->sessions))
			session_abandon(LIST_FIRST(&loop->sessions));
		buffer_fini(&loop->line);
		buffer_fini(&loop->text);
	}
	for (size_t i = 0; i < READER_CLASSES; i++)
		directory_unref(server->directories[i]);
	(void)pthread_mutex_destroy(&server->lock);
	flights_free(&server->flights);
	free(server->loops);
	free(server);
}

/* Whoever is idle gets 400 now; who is busy meets server->stopping later. */
static void
server_stop_loop(void *arg)
{
	struct news_loop *loop = arg;
	struct session *s, **all;
	size_t count = 0, room = 0;

	LIST_FOREACH(s, &loop->sessions, entry)
		room++;
	all = calloc(room + 1, sizeof(struct session *));
	if (all == NULL)
		return;
	LIST_FOREACH(s, &loop->sessions, entry) {
		session_ref(s);
		all[count++] = s;
	}
	for (size_t i = 0; i < count; i++) {
		session_run(all[i]);
		session_unref(all[i]);
	}
	free(all);
}

void
news_server_stop(struct news_server *server)
{
	if (atomic_exchange(&server->stopping, true))
		return;
	for (size_t i = 0; i < server->loop_count; i++)
		(void)loop_post(server->loops[i].loop, server_stop_loop,
		    &server->loops[i]);
}

size_t
news_server_sessions(const struct news_server *server)
{
	return atomic_load(&server->sessions);
}

/* FNV-1a: the table is small and its limit per address keeps chains short. */
static unsigned
address_bucket(const char *ip)
{
	uint32_t hash = 2166136261u;

	for (; *ip != '\0'; ip++)
		hash = (hash ^ (unsigned char)*ip) * 16777619u;
	return hash % NEWS_ADDRESS_BUCKETS;
}

static struct news_address *
address_new(struct news_server *server, const char *ip, unsigned bucket)
{
	size_t len = strlen(ip);
	struct news_address *address = malloc(sizeof *address + len + 1);

	if (address == NULL)
		return NULL;
	memcpy(address->ip, ip, len + 1);
	address->count = 0;
	address->bucket = bucket;
	address->next = server->addresses[bucket];
	server->addresses[bucket] = address;
	return address;
}

/* What counts as one address: of IPv6 a network of 64 bits, which is what one
 * customer has to himself. */
static const char *
address_key(const char *ip, char key[INET6_ADDRSTRLEN])
{
	struct in6_addr network;

	if (inet_pton(AF_INET6, ip, &network) != 1)
		return ip;
	memset(&network.s6_addr[8], 0, 8);
	return inet_ntop(AF_INET6, &network, key, INET6_ADDRSTRLEN);
}

bool
news_address_enter(struct news_server *server, const char *client,
    struct news_address **address_r)
{
	unsigned limit =
	    community_config(server->community)->connections_per_address;
	char key[INET6_ADDRSTRLEN];
	const char *ip = address_key(client, key);
	unsigned bucket = address_bucket(ip);
	struct news_address *address;
	bool fits = true;

	*address_r = NULL;
	if (ip[0] == '\0')
		return true;
	(void)pthread_mutex_lock(&server->lock);
	address = server->addresses[bucket];
	while (address != NULL && strcmp(address->ip, ip) != 0)
		address = address->next;
	if (address == NULL)
		address = address_new(server, ip, bucket);
	if (address == NULL || (limit != 0 && address->count >= limit)) {
		fits = false;
	} else {
		address->count++;
		*address_r = address;
	}
	(void)pthread_mutex_unlock(&server->lock);
	return fits;
}

void
news_address_leave(struct news_server *server, struct news_address **address_p)
{
	struct news_address *address = *address_p, **link;

	if (address == NULL)
		return;
	*address_p = NULL;
	(void)pthread_mutex_lock(&server->lock);
	if (--address->count == 0) {
		link = &server->addresses[address->bucket];
		while (*link != address)
			link = &(*link)->next;
		*link = address->next;
		free(address);
	}
	(void)pthread_mutex_unlock(&server->lock);
}
