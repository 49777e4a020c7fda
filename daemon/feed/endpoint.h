/* endpoint.h - a server that we connect to for a peer, as core names it in its
 * messages: a copy of our own, whose secret is wiped.
 */
#ifndef KITH_DAEMON_FEED_ENDPOINT_H
#define KITH_DAEMON_FEED_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/feed/client.h"

struct ipc_reader;

struct endpoint {
	uint32_t peer;
	char *host;
	unsigned port;
	enum config_tls tls;
	char *user; /* "": no login */
	char *secret;
	size_t secret_len;
	bool clear;           /* the secret may be said without TLS */
	unsigned connections; /* at most, of an outgoing feed; at least 1 */
};

/* Reads the fields of an endpoint. -EBADMSG, -ENOMEM. */
int endpoint_read(struct endpoint *endpoint, struct ipc_reader *fields);
/* Accepts zeroed. */
void endpoint_fini(struct endpoint *endpoint);
/* The same server, and known there by the same name. */
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
/* What it says of a connection, borrowed from it; the rest is zeroed. */
struct feed_client_options endpoint_options(const struct endpoint *endpoint);

#endif
