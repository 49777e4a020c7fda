/* engine_private.h - the engine's inside, for the files that make it up.
 */
#ifndef KITH_DAEMON_MAIL_ENGINE_PRIVATE_H
#define KITH_DAEMON_MAIL_ENGINE_PRIVATE_H

#include <sys/queue.h>

#include "daemon/ipc.h"
#include "daemon/mail/engine.h"

struct delivery;
struct event;
struct incoming;
struct session;

#define ENGINE_SESSIONS_MAX 1000u
/* Octets of mails being received, all sessions together: no mail is begun beyond
 * that, and none goes on beyond twice as many. */
#define ENGINE_DATA_MAX          (256u << 20)
#define ENGINE_PARSE_SECONDS     10u /* a parse that takes longer hangs */
#define ENGINE_PARSE_WAIT        20u /* before a parse begins */
#define ENGINE_RECIPIENT_SECONDS 60u
#define ENGINE_INTAKE_SECONDS    120u
#define ENGINE_PEER_SLOTS        256u

TAILQ_HEAD(incoming_list, incoming);
TAILQ_HEAD(session_list, session);

/* How many sessions an address has. */
struct peer_count {
	struct peer_count *next;
	unsigned count;
	char address[];
};

struct mail_engine {
	struct loop *loop;
	const struct config *config;
	struct ssl_ctx_st *tls;
	struct ipc *core;
	struct ipc *parse;
	bool core_up;
	bool parse_up;
	bool shut;
	bool starved; /* a session waits for credit */
	void (*kill_parse)(void *arg);
	void *kill_arg;
	struct event *tick; /* once a second */
	struct event *kick; /* see engine_kick() */
	struct delivery *delivery;

	struct session_list sessions;
	size_t session_count;
	unsigned long next_session;
	struct peer_count *peers[ENGINE_PEER_SLOTS];
	uint64_t data_bytes;
	uint64_t data_max; /* ENGINE_DATA_MAX */

	struct incoming_list incoming; /* every mail on its way */
	struct incoming *parsing; /* the one that the worker has, or NULL */
};

/* NULL while the channel is down. */
static inline struct ipc *
engine_core(const struct mail_engine *engine)
{
	return engine->core_up ? engine->core : NULL;
}

static inline struct ipc *
engine_parse(const struct mail_engine *engine)
{
	return engine->parse_up ? engine->parse : NULL;
}

void engine_peer_leave(struct mail_engine *engine, const char *address);
/* Goes on with what waits, after the present callback: nothing that waits is
 * freed under the feet of who calls. */
void engine_kick(struct mail_engine *engine);
/* Core's words as a string that fits a reply line: cut, without control octets.
 * Owned; NULL: no memory. */
char *engine_reply_text(struct span text);
/* Seconds on the monotonic clock. */
uint64_t engine_seconds(void);

#endif
