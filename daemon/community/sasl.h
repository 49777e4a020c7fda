/* sasl.h - one SASL exchange (RFC 4422) of a client with the community, over
 * libgsasl. Its profile is that of NNTP (RFC 4643 2.4) and its like: messages
 * in base64, "=" for one without octets. Not the commands around it.
 *
 * Passwords are looked up and hashed on a worker; what wrong ones cost is the
 * same as for auth_check().
 */
#ifndef KITH_COMMUNITY_SASL_H
#define KITH_COMMUNITY_SASL_H

#include "daemon/community/auth.h"
#include "protocol/buffer.h"

/* Octets of a message in base64 (its line adds command and CRLF): an identity
 * of 254 octets twice, escaped, a nonce, and channel binding data fit. */
#define SASL_MESSAGE_MAX 8192u
#define SASL_MECHANISM_MAX 20u /* RFC 4422 3.1 */

struct sasl;

/* What the connection is like. Borrowed, all of it, by sasl_new() alone. */
struct sasl_channel {
	bool tls;
	bool private;	    /* a password may be said in the clear */
	struct span unique; /* RFC 5929 tls-unique; empty: there is none */
	struct span exporter; /* RFC 9266 tls-exporter; the same */
	/* rfc822Names of a client certificate that was verified, each ended by
	 * a NUL; empty: none */
	struct span certificate;
	const char *client; /* IP address */
};

enum sasl_answer {
	SASL_CONTINUE,	 /* the text is a challenge */
	SASL_ACCEPTED,	 /* the text is success data; "": there is none */
	SASL_REFUSED,	 /* wrong, or the client gave up */
	SASL_MALFORMED,	 /* not what the mechanism expects */
	SASL_NOT_BASE64, /* RFC 4643 2.4.2: 504 */
	SASL_BUSY,	 /* no memory, too many: try again later */
};

/* Names of what can be used on this channel, each after a blank, best first. */
void sasl_list(const struct sasl_channel *channel, struct buffer *out);
enum sasl_offer { SASL_OFFERED, SASL_NEEDS_TLS, SASL_UNKNOWN };
/* Case of ASCII letters does not matter. */
enum sasl_offer sasl_find(const struct sasl_channel *channel,
    struct span mechanism);

/* For auth.c: the library, which all exchanges share. */
struct Gsasl;
int sasl_open(struct Gsasl **library_r);
void sasl_close(struct Gsasl **library);

/* Begins an exchange by a mechanism that is offered. 0; -EINVAL: it is not;
 * -ENOMEM. */
int sasl_new(struct sasl **sasl_r, struct community *community,
    struct loop *loop, const struct sasl_channel *channel,
    struct span mechanism);
/* One message of the client. has_message false: an initial response was not
 * given. done on `loop`, once and never before this returns, also if the
 * exchange is freed meanwhile; text is borrowed during the call; identity is
 * NULL unless it is SASL_ACCEPTED. One step at a time. 0; -ENOMEM, then done is
 * not called. */
int sasl_step(struct sasl *sasl, struct span message, bool has_message,
    void (*done)(void *arg, enum sasl_answer answer, const char *text,
	const struct identity *identity),
    void *arg);
/* At any time. Accepts NULL. */
void sasl_free(struct sasl **sasl);

#endif
