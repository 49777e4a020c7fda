/* engine.h - what the mail process does, without being a process: LMTP and SMTP
 * sessions on any stream, deliveries through any transport, and the channels to
 * core and parse. mail.c makes a role of it, the replay harness uses it as it
 * is.
 */
#ifndef KITH_DAEMON_MAIL_ENGINE_H
#define KITH_DAEMON_MAIL_ENGINE_H

#include <stddef.h>

#include "daemon/config.h"
#include "daemon/mail/transport.h"

struct loop;
struct mail_engine;
struct ssl_ctx_st;
struct stream;

/* config is borrowed until mail_engine_set_config or free. */
struct mail_engine *mail_engine_new(struct loop *loop,
    const struct config *config);
/* Ends every session at once. */
void mail_engine_free(struct mail_engine **engine);

/* Each takes the descriptor of a channel and drops the one before: what was
 * open over it is answered 451, or given back. */
int mail_engine_connect_core(struct mail_engine *engine, int fd);
int mail_engine_connect_parse(struct mail_engine *engine, int fd);
/* Called when the parse worker hangs; a new channel must follow. */
void mail_engine_set_kill_parse(struct mail_engine *engine,
    void (*fn)(void *arg), void *arg);
/* Takes the transport; the one before gives up what it held. */
void mail_engine_set_transport(struct mail_engine *engine,
    struct mail_transport *transport);
/* STARTTLS is offered from now on. Borrows ctx; NULL: no longer offered. */
void mail_engine_set_tls(struct mail_engine *engine, struct ssl_ctx_st *ctx);
/* After a reload; sessions that are open go on with the new one. */
void mail_engine_set_config(struct mail_engine *engine,
    const struct config *config);

/* Begins a session (greeting included). Takes the stream, on failure too.
 * -EMFILE: refused with 421, too many. */
int mail_engine_accept_stream(struct mail_engine *engine, struct stream *stream,
    enum listen_protocol protocol);
/* No new mail: idle sessions are told 421 and closed, the others after the
 * reply they wait for. */
void mail_engine_shut(struct mail_engine *engine);
size_t mail_engine_session_count(const struct mail_engine *engine);

#endif
