/* transport.h - the way out: what takes a chunk of deliveries and says what
 * became of each. smtp_pool.c and maildir_transport.c are such, and whatever a
 * test puts in their place.
 */
#ifndef KITH_DAEMON_MAIL_TRANSPORT_H
#define KITH_DAEMON_MAIL_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "protocol/span.h"

#define MAIL_CHUNK_MAX 100u

/* What a mail shares among its recipients. Reference-counted, immutable. */
struct mail_body {
	unsigned references;
	bool eight_bit;
	struct span bytes; /* wire form: CRLF, dot-stuffed, no final dot */
	void *keeper;      /* what holds the bytes */
	void (*release)(void *keeper);
};

/* bytes stay valid until release(keeper). NULL: no memory, nothing taken. */
struct mail_body *mail_body_new(struct span bytes, void *keeper,
    void (*release)(void *keeper));
struct mail_body *mail_body_ref(struct mail_body *body);
void mail_body_unref(struct mail_body **body);

enum mail_delivery_state {
	MAIL_DELIVERY_WAITING,
	MAIL_DELIVERY_OPEN, /* begun */
	MAIL_DELIVERY_ANSWERED,
};

/* One recipient: his envelope, and what stands before the body. */
struct mail_delivery {
	char *envelope_from; /* "" is <> */
	char *recipient;
	char *head; /* CRLF header lines */
	size_t head_len;
	unsigned code; /* SMTP reply; 0: not tried, or not known */
	char *text;    /* NULL: "" */
	enum mail_delivery_state state;
	unsigned tries;
};

struct mail_chunk {
	struct mail_body *body;
	struct mail_delivery deliveries[MAIL_CHUNK_MAX];
	size_t count;
	size_t next;     /* transports: none before it waits */
	size_t answered; /* transports: how many have their code */
	/* nothing could be tried, for this reason; "" if it could */
	bool unreachable;
	char why[256];
	/* called once, by the transport, when every delivery has its code; the
	 * chunk is the callee's again */
	void (*done)(void *arg, struct mail_chunk *chunk);
	void *arg;
	TAILQ_ENTRY(mail_chunk) entry; /* transports: queue */
	bool queued;
};
TAILQ_HEAD(mail_chunk_list, mail_chunk);

struct mail_chunk *mail_chunk_new(
    struct mail_body *body); /* keeps a reference */
void mail_chunk_free(struct mail_chunk **chunk);
/* Copies; an address that would break a command is answered at once. false: no
 * memory, or full. */
bool mail_chunk_add(struct mail_chunk *chunk, struct span envelope_from,
    struct span recipient, struct span head);
/* The first delivery that waits, chunk->next from then on; NULL: none does. */
struct mail_delivery *mail_chunk_waiting(struct mail_chunk *chunk);
/* Copies the text. */
void mail_delivery_answer(struct mail_delivery *delivery, unsigned code,
    const char *text);
void mail_chunk_fail(struct mail_chunk *chunk, const char *why);

struct mail_transport {
	const struct mail_transport_methods *methods;
};

struct mail_transport_methods {
	/* Borrows the chunk until its done(). */
	void (
	    *send)(struct mail_transport *transport, struct mail_chunk *chunk);
	/* Forgets back-off. May be NULL. */
	void (*flush)(struct mail_transport *transport);
	/* Answers what it holds (code 0) and ends. */
	void (*free)(struct mail_transport *transport);
};

#endif
