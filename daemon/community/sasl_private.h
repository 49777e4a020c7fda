/* sasl_private.h - an exchange, and what its mechanisms do in it; for sasl*.c
 * only.
 */
#ifndef KITH_COMMUNITY_SASL_PRIVATE_H
#define KITH_COMMUNITY_SASL_PRIVATE_H

#include <gsasl.h>

#include "daemon/community/auth_private.h"
#include "daemon/community/sasl.h"
#include "daemon/sasl_binding.h"

/* A mechanism, once per row of the table in sasl.c. begin sees to it that
 * sasl_finish() is called, now or later; a negative errno: it will not be. */
struct sasl_mechanism {
	const char *name;
	bool needs_private, needs_binding, needs_certificate;
	int (*begin)(struct sasl *sasl);
};

struct sasl {
	struct community *community;
	struct loop *loop;
	const struct sasl_mechanism *mechanism;
	Gsasl_session *session;
	struct auth_account account;
	struct auth_try who;
	struct sasl_binding binding;
	struct buffer certificate; /* as in struct sasl_channel */
	char client[64];
	unsigned round;
	bool looked_up; /* account is filled */
	bool under_way; /* the step below */
	bool freed;	/* by its owner, meanwhile */
	/* the step */
	char *input; /* NULL: there is no message */
	size_t input_len;
	int result;   /* of libgsasl */
	char *output; /* libgsasl's */
	size_t output_len;
	enum sasl_answer answer;
	void (*done)(void *arg, enum sasl_answer answer, const char *text,
	    const struct identity *identity);
	void *arg;
};

/* Hands the input to libgsasl; result, output and answer are set. On any
 * thread, but on one at a time. */
void sasl_run(struct sasl *sasl);
/* On the loop: tells done. */
void sasl_finish(void *sasl);
/* What libgsasl has learned, in the form of SASLprep (RFC 4643 2.4.2), owned;
 * "" if nothing. NULL: it is no name. */
char *sasl_name(const struct sasl *sasl, Gsasl_property property);

/* sasl_scram.c */
int sasl_scram(struct sasl *sasl);
/* libgsasl asks for the account's verifier. */
int sasl_scram_property(struct sasl *sasl, Gsasl_property property);
/* sasl_plain.c, with EXTERNAL */
int sasl_plain(struct sasl *sasl);
int sasl_external(struct sasl *sasl);

#endif
