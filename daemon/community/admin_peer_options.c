/* admin_peer_options.c - the options of kithctl peer add and set: read, judged,
 * and what a peer's record comes to by them.
 */
#include <errno.h>
#include <string.h>

#include "daemon/community/admin_peer.h"
#include "daemon/community/admin_words.h"
#include "daemon/community/endpoint_text.h"
#include "daemon/config.h"
#include "daemon/messages.h"
#include "protocol/wildmat.h"

#define CONNECTIONS_MAX 1000000
#define RATE_MAX        1000000000
#define EVERY_MAX       31536000 /* s: a year */

/* ---- read */

/* The value, -1 not given, -2 no number. */
static long
number_option(struct control_request *request, const char *name, long max)
{
	const char *text = control_option(request, name);
	long value = text == NULL ? -1 : admin_number(text, max);

	return value == -EINVAL ? -2 : value;
}

static int
tls_option(struct control_request *request)
{
	static const char *const words[] = { "none", "starttls", "implicit" };
	const char *text = control_option(request, "--tls");

	if (text == NULL)
		return -1;
	for (int i = 0; i < 3; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	return -2;
}

void
admin_peer_options_read(struct control_request *request,
    struct peer_options *say)
{
	say->address = control_option(request, "--address");
	say->login = control_option(request, "--login");
	say->spaces = control_option(request, "--spaces");
	say->outgoing = control_option(request, "--outgoing");
	say->pull = control_option(request, "--pull");
	say->path = control_option(request, "--path");
	say->tls = tls_option(request);
	say->every = number_option(request, "--every", EVERY_MAX);
	say->connections =
	    number_option(request, "--connections", CONNECTIONS_MAX);
	say->outgoing_connections = number_option(request,
	    "--outgoing-connections", FEED_CONNECTIONS_MAX);
	say->in_flight = number_option(request, "--in-flight", CONNECTIONS_MAX);
	say->rate = number_option(request, "--rate", RATE_MAX);
	say->incoming = control_option(request, "--incoming") != NULL;
	say->not_incoming = control_option(request, "--no-incoming") != NULL;
	say->clear = control_option(request, "--clear-password") != NULL;
	say->not_clear = control_option(request, "--no-clear-password") != NULL;
	say->backlog = control_option(request, "--backlog") != NULL;
}

/* ---- what is wrong with it */

static bool
is_ip(const char *text)
{
	return endpoint_host_is_address(text);
}

static bool
is_none(const char *text)
{
	return strcmp(text, "none") == 0;
}

/* Of each option alone, or NULL. */
const char *
admin_peer_options_fault(const struct peer_options *say)
{
	char host[ENDPOINT_HOST_ROOM];
	unsigned port;

	if (say->address != NULL && !is_none(say->address) &&
	    !is_ip(say->address))
		return "--address is an IP address";
	if (say->login != NULL &&
	    (say->login[0] == '\0' || !admin_text_is_login(say->login)))
		return "--login is at most 64 octets without blanks or @";
	if (say->spaces != NULL && !wildmat_is_valid(span_of(say->spaces)))
		return "--spaces is a pattern as in acme.*,!acme.internal.*";
	if (say->outgoing != NULL && !is_none(say->outgoing) &&
	    endpoint_text_parse(say->outgoing, host, &port) != 0)
		return "--outgoing is HOST:PORT";
	if (say->pull != NULL && !is_none(say->pull) &&
	    endpoint_text_parse(say->pull, host, &port) != 0)
		return "--pull is HOST:PORT";
	if (say->path != NULL &&
	    (strpbrk(say->path, "! ") != NULL ||
		!admin_text_is_line(say->path, 255)))
		return "--path is what the peer puts into Path, without !";
	if (say->tls == -2)
		return "--tls is none, starttls or implicit";
	if (say->every == -2 || say->connections == -2 ||
	    say->in_flight == -2 || say->rate == -2)
		return "--every, --connections, --in-flight and --rate are "
		       "whole numbers, 0 for none";
	if (say->outgoing_connections == -2 || say->outgoing_connections == 0)
		return "--outgoing-connections is a number from 1 to 8";
	if (say->incoming && say->not_incoming)
		return "--incoming and --no-incoming exclude each other";
	if (say->clear && say->not_clear)
		return "--clear-password and --no-clear-password exclude each "
		       "other";
	return NULL;
}

/* Of what it came to, or NULL. */
const char *
admin_peer_fault(const Kith__Peer *peer)
{
	bool out = peer->outgoing[0] != '\0' || peer->pull[0] != '\0';

	if (!out && peer->address[0] == '\0' && peer->login[0] == '\0')
		return "a peer is known by --address or by --login, or has a "
		       "server to speak to: --outgoing, --pull";
	if (!out && peer->address[0] != '\0' && peer->login[0] != '\0')
		return "a peer is known by --address or by --login: give one";
	if (peer->incoming && peer->address[0] == '\0' &&
	    peer->stored_key.len == 0)
		return "--incoming needs --address, or --login with a password: "
		       "how is it known?";
	return NULL;
}

/* ---- what it comes to */

static int
set_option(char **field, const char *text)
{
	if (text == NULL)
		return 0;
	return admin_text_put(field, is_none(text) ? "" : text);
}

static int
set_login(Kith__Peer *peer, const struct peer_options *say)
{
	bool out = peer->outgoing[0] != '\0' || peer->pull[0] != '\0';
	int rc = 0;

	if (say->login != NULL)
		rc = admin_text_put(&peer->login, say->login);
	if (rc != 0 || !say->has_password)
		return rc;
	/* kept readable only where it has to be said to somebody */
	rc = admin_text_put(&peer->secret, out ? say->password : "");
	if (rc != 0 || (out && !peer->incoming))
		return rc;
	return auth_verifier_write(&say->verifier, &peer->salt,
	    &peer->iterations, &peer->stored_key, &peer->server_key);
}

int
admin_peer_apply(Kith__Peer *peer, const struct peer_options *say)
{
	int rc = set_option(&peer->address, say->address);

	if (rc == 0 && say->spaces != NULL)
		rc = admin_text_put(&peer->spaces, say->spaces);
	if (rc == 0)
		rc = set_option(&peer->outgoing, say->outgoing);
	if (rc == 0)
		rc = set_option(&peer->pull, say->pull);
	if (rc == 0 && say->path != NULL)
		rc = set_option(&peer->path, say->path);
	if (say->incoming || say->not_incoming)
		peer->incoming = say->incoming;
	if (rc == 0)
		rc = set_login(peer, say);
	if (say->clear || say->not_clear)
		peer->clear = say->clear;
	if (say->tls >= 0)
		peer->tls = (uint32_t)say->tls;
	if (say->every >= 0)
		peer->pull_every = (uint32_t)say->every;
	if (say->connections >= 0)
		peer->connections = (uint32_t)say->connections;
	if (say->outgoing_connections > 0)
		peer->outgoing_connections =
		    (uint32_t)say->outgoing_connections;
	if (say->in_flight >= 0)
		peer->in_flight = (uint32_t)say->in_flight;
	if (say->rate >= 0)
		peer->rate = (uint32_t)say->rate;
	return rc;
}
