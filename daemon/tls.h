/* tls.h - TLS contexts from bytes: children have no files.
 *
 * TLS 1.2 or later, no renegotiation, no compression; buffers are released
 * while a connection is idle.
 */
#ifndef KITH_DAEMON_TLS_H
#define KITH_DAEMON_TLS_H

#include "protocol/span.h"

struct ssl_ctx_st;

/* certificate: PEM chain, leaf first; key: PEM, not encrypted. NULL with
 * *why_r (static text) if they do not fit together. Free with tls_free. */
struct ssl_ctx_st *tls_server_new(
    struct span certificate, struct span key, const char **why_r);
/* Asks clients for a certificate. One that leads to an authority of this PEM
 * bundle is verified; if there are revocation lists in it, one of its authority
 * must be there and not name it. Without one, or with another, a client is nobody, and
 * still served. 0; -EINVAL with *why_r. Before the context is used. */
int tls_server_ask_clients(
    struct ssl_ctx_st *ctx, struct span ca, const char **why_r);
/* ca: PEM bundle that the server's chain must lead to. */
struct ssl_ctx_st *tls_client_new(struct span ca, const char **why_r);
void tls_free(struct ssl_ctx_st **ctx);

#endif
