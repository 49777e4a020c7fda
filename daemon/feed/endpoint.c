/* endpoint.c - see endpoint.h.
 */
#include "build.h"

#include "daemon/feed/endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "daemon/ipc.h"
#include "daemon/messages.h"

/* NULL: no memory, or it holds what would be a second command. */
static char *
field_text(struct span field)
{
	for (size_t i = 0; i < field.len; i++)
		if (field.bytes[i] == '\r' || field.bytes[i] == '\n' ||
		    field.bytes[i] == '\0')
			return NULL;
	return strndup(field.len == 0 ? "" : field.bytes, field.len);
}

int
endpoint_read(struct endpoint *endpoint, struct ipc_reader *fields)
{
	struct span secret;
	uint32_t tls;

	endpoint->peer = ipc_get_u32(fields);
	endpoint->host = field_text(ipc_get_bytes(fields));
	endpoint->port = ipc_get_u32(fields);
	tls = ipc_get_u32(fields);
	endpoint->user = field_text(ipc_get_bytes(fields));
	secret = ipc_get_bytes(fields);
	endpoint->secret = field_text(secret);
	endpoint->secret_len = secret.len;
	endpoint->clear = ipc_get_u32(fields) != 0;
	endpoint->connections = ipc_get_u32(fields);
	if (ipc_reader_bad(fields) || tls > TLS_IMPLICIT ||
	    endpoint->connections == 0 ||
	    endpoint->connections > FEED_CONNECTIONS_MAX)
		return -EBADMSG;
	endpoint->tls = (enum config_tls)tls;
	return endpoint->host == NULL || endpoint->user == NULL ||
		endpoint->secret == NULL
	    ? -EBADMSG
	    : 0;
}

void
endpoint_fini(struct endpoint *endpoint)
{
	if (endpoint->secret != NULL)
		OPENSSL_cleanse(endpoint->secret, endpoint->secret_len);
	free(endpoint->secret);
	free(endpoint->host);
	free(endpoint->user);
	memset(endpoint, 0, sizeof *endpoint);
}

bool
endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->peer == b->peer && a->port == b->port && a->tls == b->tls &&
	    a->clear == b->clear && strcmp(a->host, b->host) == 0 &&
	    strcmp(a->user, b->user) == 0 && strcmp(a->secret, b->secret) == 0;
}

struct feed_client_options
endpoint_options(const struct endpoint *endpoint)
{
	return (struct feed_client_options){
		.host = endpoint->host,
		.tls = endpoint->tls,
		.user = endpoint->user,
		.secret = span_make(endpoint->secret, endpoint->secret_len),
		.clear = endpoint->clear,
	};
}
