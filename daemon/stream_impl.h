/* stream_impl.h - what the parts and the three kinds of a stream share; for
 * stream*.c only.
 *
 * stream.c decides when to read, write, call the session and end; a kind only
 * moves bytes.
 */
#ifndef KITH_DAEMON_STREAM_IMPL_H
#define KITH_DAEMON_STREAM_IMPL_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/types.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "daemon/stream.h"
#include "daemon/stream_queue.h"

#define STREAM_READ_MIN 16384u /* octets asked for at once, to begin with */

struct stream_kind {
	/* Up to room bytes. 0: the end; -EAGAIN: nothing now. */
	ssize_t (*read)(struct stream *stream, char *out, size_t room);
	/* Sends from stream->wire what can be sent now. 0: all; -EAGAIN: wait. */
	int (*write)(struct stream *stream);
	/* More can be read without an event of the descriptor. */
	bool (*holds_input)(const struct stream *stream);
	/* Everything is sent: says goodbye, must not block. */
	void (*finish)(struct stream *stream);
	void (*free)(struct stream *stream);
};

enum stream_security {
	STREAM_PLAIN,
	STREAM_TLS_WAITS, /* for the plain output to be sent */
	STREAM_TLS_HANDSHAKE,
	STREAM_TLS,
};

struct stream {
	const struct stream_kind *kind;
	const struct stream_handler *handler;
	void *arg;
	struct event_base *base;
	struct stream_queue out;   /* of the session */
	struct stream_queue *wire; /* that the kind sends: out, or a layer's */
	struct stream_deflate *deflate; /* the layer, or NULL */
	char *in; /* allocated while it holds something */
	size_t in_at, in_len, in_room;
	struct ssl_st *ssl;
	struct ssl_ctx_st *tls_ctx; /* while it waits for the handshake */
	char *tls_hostname;	    /* client side: whose name must match */
	struct stream *peer;	    /* of a pair */
	uint64_t last;		    /* ms of the loop's time: last byte moved */
	uint64_t deadline;	    /* ms; 0: none */
	uint64_t close_by;	    /* ms; 0: none */
	uint64_t rest_at; /* ms; when the layer lets go of memory; 0: never */
	uint64_t timer_at;	    /* when the timer is due; 0: not set */
	struct event read_event;
	struct event write_event;
	struct event timer;
	uint32_t idle; /* s */
	uint32_t read_hint;
	int fd;
	int failed; /* enum stream_end + 1; 0: no */
	uint16_t depth;
	uint8_t security;
	bool reading : 1;      /* read_event is added */
	bool writing : 1;      /* write_event is added */
	bool blocked : 1;      /* the last write met EAGAIN */
	bool tls_wants_write : 1;
	bool settles : 1;      /* stream_settle is under way by itself */
	bool kicked : 1;       /* duties on the next turn */
	bool again : 1;	       /* of these: readable */
	bool full : 1;
	bool paused : 1;
	bool held : 1;
	bool eof : 1;
	bool closing : 1;
	bool freed : 1;	       /* by the owner, inside a callback */
	bool loopback : 1;
	char peer_text[INET6_ADDRSTRLEN];
};

/* stream.c */
struct stream *stream_alloc(struct event_base *base, int fd, const struct stream_kind *kind);
/* Duties of this stream on a later turn. */
void stream_kick(struct stream *stream);
/* Flush, end, registrations: soon, from the loop. */
void stream_settle_soon(struct stream *stream);
void stream_fail(struct stream *stream, enum stream_end why);

/* stream_timer.c */
uint64_t stream_milliseconds(void);
/* For what is due next, unless it is set for then or earlier. */
void stream_timer_set(struct stream *stream);
/* Does what is due: the layer's rest, or the end. */
void stream_timer_check(struct stream *stream);

/* stream_input.c */
/* It would read now if there were something. */
bool stream_wants_input(const struct stream *stream);
/* Reads once, if it is wanted, and tells the session. */
void stream_input_take(struct stream *stream);
/* What waits for more keeps no more memory than it needs. */
void stream_input_trim(struct stream *stream);

/* stream_output.c */
/* What is queued, here and in a layer. */
size_t stream_output_left(const struct stream *stream);
/* Sends what can be sent now. */
void stream_output_send(struct stream *stream);

extern const struct stream_kind stream_socket_kind;
extern const struct stream_kind stream_tls_kind;
extern const struct stream_kind stream_pair_kind;

/* stream_deflate.c: nothing has moved for a while. */
void stream_deflate_rest(struct stream *stream);

/* stream_tls.c: makes the session and begins. 0 or negative. */
int stream_tls_begin(struct stream *stream);
/* Goes on with the handshake: 0 done, -EAGAIN, negative. */
int stream_tls_handshake(struct stream *stream);

#endif
