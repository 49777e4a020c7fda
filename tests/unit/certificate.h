/* certificate.h - a self-signed certificate made on the spot, for tests.
 */
#ifndef KITH_TESTS_CERTIFICATE_H
#define KITH_TESTS_CERTIFICATE_H

struct ssl_ctx_st;

/* PEM texts, owned. Aborts the test on failure. */
void certificate_make(const char *hostname, char **certificate_r, char **key_r);

/* The same for a client; names as in "email:an@lists.example,email:...". */
void certificate_make_client(
    const char *names, char **certificate_r, char **key_r);

/* Contexts of a server with the first kind and, where client_r is not NULL, of a
 * client that trusts it. */
void certificate_contexts(const char *hostname, struct ssl_ctx_st **server_r,
    struct ssl_ctx_st **client_r);

#endif
