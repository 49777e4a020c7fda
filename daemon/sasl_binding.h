/* sasl_binding.h - what binds a SASL exchange to its TLS connection (RFC 5929, RFC
 * 9266), kept as libgsasl asks for it: for both sides of an exchange.
 */
#ifndef KITH_DAEMON_SASL_BINDING_H
#define KITH_DAEMON_SASL_BINDING_H

#include <stdbool.h>

#include "protocol/span.h"

struct Gsasl_session;

struct sasl_binding {
	char *unique, *exporter; /* in base64; NULL: there is none */
};

/* Of a zeroed one; copies what stream_binding() gave, empty: none. 0, -ENOMEM,
 * then sasl_binding_fini() is still due. */
int sasl_binding_init(struct sasl_binding *binding, struct span unique,
    struct span exporter);
/* Accepts zeroed. */
void sasl_binding_fini(struct sasl_binding *binding);
bool sasl_binding_is_empty(const struct sasl_binding *binding);
/* libgsasl asks for a property; binding NULL: of a mechanism that is not to know
 * of one. False: it is none of a binding; otherwise
 * *result_r is what its callback returns. */
bool sasl_binding_property(const struct sasl_binding *binding,
    struct Gsasl_session *session, int property, int *result_r);

#endif
