/* mail_auth.h - Authentication-Results (RFC 8601), read from the topmost field
 * with the one trusted authserv-id, never joined over several.
 */
#ifndef KITH_PROTOCOL_MAIL_AUTH_H
#define KITH_PROTOCOL_MAIL_AUTH_H

#include "protocol/buffer.h"

enum mail_auth_result {
	MAIL_AUTH_ABSENT, /* method not reported */
	MAIL_AUTH_PASS,
	MAIL_AUTH_FAIL, /* any other result */
};

struct mail_auth {
	bool found; /* a field with the trusted id was there */
	enum mail_auth_result dmarc; /* header.from, if said, must be From's domain */
	enum mail_auth_result dkim;  /* PASS: some signature passed */
	enum mail_auth_result spf;
	bool dkim_aligned; /* a passing d= is From's domain or a parent of it */
	/* What staff mail rests on: DMARC pass, or DKIM pass aligned with From;
	 * never SPF alone. */
	bool aligned_pass;
};

/* authserv_id empty: nothing is found. from_domain: lower-case A-label. */
void mail_auth_read(struct span header, struct span authserv_id,
    struct span from_domain, struct mail_auth *auth_r);

#endif
