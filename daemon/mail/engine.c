/* engine.c - the mail process without the process: joins sessions, incoming
 * mails and deliveries with the channels to core and parse.
 */
#include "build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/mail/delivery.h"
#include "daemon/mail/incoming.h"
#include "daemon/mail/session.h"
#include "daemon/stream.h"

#define REPLY_TEXT_MAX 480u /* with code and CRLF in 512 (RFC 5321 4.5.3.1.5) */

char *
engine_reply_text(struct span text)
{
	size_t len = text.len < REPLY_TEXT_MAX ? text.len : REPLY_TEXT_MAX;
	char *copy = malloc(len + 1);

	if (copy == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++)
		copy[i] =
		    (unsigned char)text.bytes[i] < ' ' ? ' ' : text.bytes[i];
	copy[len] = '\0';
	return copy;
}

uint64_t
engine_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

/* ---- how many sessions an address has */

static struct peer_count **
peer_find(struct mail_engine *engine, const char *address)
{
	unsigned hash = 5381;
	struct peer_count **at;
	const char *p;

	for (p = address; *p != '\0'; p++)
		hash = hash * 33 + (unsigned char)*p;
	for (at = &engine->peers[hash % ENGINE_PEER_SLOTS]; *at != NULL;
	     at = &(*at)->next)
		if (strcmp((*at)->address, address) == 0)
			break;
	return at;
}

/* False: this address has as many sessions as the configuration allows. */
static bool
engine_peer_enter(struct mail_engine *engine, const char *address)
{
	struct peer_count **at = peer_find(engine, address);
	unsigned limit = engine->config->connections_per_address;
	size_t len = strlen(address) + 1;

	if (*at == NULL) {
		*at = calloc(1, sizeof **at + len);
		if (*at == NULL)
			return false;
		memcpy((*at)->address, address, len);
	}
	/* "": a Unix socket, which is as local as it gets */
	if (address[0] != '\0' && limit != 0 && (*at)->count >= limit)
		return false;
	(*at)->count++;
	return true;
}

void
engine_peer_leave(struct mail_engine *engine, const char *address)
{
	struct peer_count **at = peer_find(engine, address);
	struct peer_count *peer = *at;

	if (peer == NULL || --peer->count > 0)
		return;
	*at = peer->next;
	free(peer);
}

/* ---- going on */

void
engine_kick(struct mail_engine *engine)
{
	event_active(engine->kick, EV_TIMEOUT, 0);
}

static void
on_kick(evutil_socket_t fd, short what, void *arg)
{
	struct mail_engine *engine = arg;
	struct session *session;

	(void)fd;
	(void)what;
	incoming_go_on(engine);
	if (!engine->starved)
		return;
	/* whoever finds no credit again says so again */
	engine->starved = false;
	for (session = TAILQ_FIRST(&engine->sessions); session != NULL;
	     session = mail_session_next(session))
		mail_session_go_on(session);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	incoming_tick(arg);
}

static void
on_credit(void *arg, enum ipc_class class)
{
	if (class == IPC_INTAKE)
		engine_kick(arg);
}

/* ---- channels */

static void
core_request(void *arg, struct ipc *ipc, uint16_t type, uint32_t request,
    struct ipc_reader *fields)
{
	struct mail_engine *engine = arg;

	delivery_request(engine->delivery, ipc, type, request, fields);
}

static void
core_closed(void *arg, struct ipc *ipc)
{
	struct mail_engine *engine = arg;

	if (ipc != engine->core)
		return;
	engine->core_up = false;
	delivery_core_lost(engine->delivery);
	engine_kick(engine);
}

static const struct ipc_handler core_handler = { core_request, core_closed };

static void
parse_closed(void *arg, struct ipc *ipc)
{
	struct mail_engine *engine = arg;

	if (ipc == engine->parse)
		engine->parse_up = false;
}

static const struct ipc_handler parse_handler = { NULL, parse_closed };

int
mail_engine_connect_core(struct mail_engine *engine, int fd)
{
	if (engine->core_up)
		delivery_core_lost(engine->delivery);
	engine->core_up = false;
	ipc_free(&engine->core);
	engine->core =
	    ipc_new(loop_base(engine->loop), fd, &core_handler, engine);
	if (engine->core == NULL)
		return -ENOMEM;
	engine->core_up = true;
	ipc_set_credit_cb(engine->core, on_credit, engine);
	engine_kick(engine);
	return 0;
}

int
mail_engine_connect_parse(struct mail_engine *engine, int fd)
{
	engine->parse_up = false;
	ipc_free(&engine->parse);
	engine->parse =
	    ipc_new(loop_base(engine->loop), fd, &parse_handler, engine);
	if (engine->parse == NULL)
		return -ENOMEM;
	engine->parse_up = true;
	ipc_set_credit_cb(engine->parse, on_credit, engine);
	engine_kick(engine);
	return 0;
}

void
mail_engine_set_kill_parse(struct mail_engine *engine, void (*fn)(void *arg),
    void *arg)
{
	engine->kill_parse = fn;
	engine->kill_arg = arg;
}

void
mail_engine_set_transport(struct mail_engine *engine,
    struct mail_transport *transport)
{
	delivery_set_transport(engine->delivery, transport);
}

void
mail_engine_set_tls(struct mail_engine *engine, struct ssl_ctx_st *ctx)
{
	engine->tls = ctx;
}

void
mail_engine_set_config(struct mail_engine *engine, const struct config *config)
{
	engine->config = config;
}

/* ---- life */

struct mail_engine *
mail_engine_new(struct loop *loop, const struct config *config)
{
	struct mail_engine *engine = calloc(1, sizeof *engine);
	struct timeval second = { 1, 0 };

	if (engine == NULL)
		return NULL;
	engine->loop = loop;
	engine->config = config;
	engine->data_max = ENGINE_DATA_MAX;
	TAILQ_INIT(&engine->sessions);
	TAILQ_INIT(&engine->incoming);
	engine->tick =
	    event_new(loop_base(loop), -1, EV_PERSIST, on_tick, engine);
	engine->kick = event_new(loop_base(loop), -1, 0, on_kick, engine);
	engine->delivery = delivery_new();
	if (engine->tick == NULL || engine->kick == NULL ||
	    engine->delivery == NULL || event_add(engine->tick, &second) < 0)
		mail_engine_free(&engine);
	return engine;
}

void
mail_engine_free(struct mail_engine **engine_p)
{
	struct mail_engine *engine = *engine_p;
	struct session *session;

	*engine_p = NULL;
	if (engine == NULL)
		return;
	while ((session = TAILQ_FIRST(&engine->sessions)) != NULL)
		mail_session_free(&session);
	/* what the channels still hold is answered with NULL here; the mails
	 * and transports it belongs to must still be there */
	engine->core_up = engine->parse_up = false;
	ipc_free(&engine->parse);
	ipc_free(&engine->core);
	incoming_drop_all(engine);
	delivery_free(&engine->delivery);
	if (engine->tick != NULL)
		event_free(engine->tick);
	if (engine->kick != NULL)
		event_free(engine->kick);
	free(engine);
}

/* ---- sessions */

static int
refuse(struct stream *stream, const char *why)
{
	/* the stream has nobody to tell that it ended: said in one go */
	stream_printf(stream, "421 4.3.2 %s\r\n", why);
	stream_flush(stream);
	stream_free(&stream);
	return -EMFILE;
}

int
mail_engine_accept_stream(struct mail_engine *engine, struct stream *stream,
    enum listen_protocol protocol)
{
	char address[64];

	if (engine->shut)
		return refuse(stream, "Shutting down");
	if (engine->session_count >= ENGINE_SESSIONS_MAX)
		return refuse(stream, "Too many connections");
	if (!engine_peer_enter(engine, stream_peer(stream)))
		return refuse(stream, "Too many connections from your address");
	(void)snprintf(address, sizeof address, "%s", stream_peer(stream));
	if (mail_session_new(engine, stream, protocol) == NULL) {
		engine_peer_leave(engine, address);
		return -ENOMEM;
	}
	return 0;
}

void
mail_engine_shut(struct mail_engine *engine)
{
	struct session *session;

	engine->shut = true;
	for (session = TAILQ_FIRST(&engine->sessions); session != NULL;
	     session = mail_session_next(session))
		mail_session_shut(session);
}

size_t
mail_engine_session_count(const struct mail_engine *engine)
{
	return engine->session_count;
}
