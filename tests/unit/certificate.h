/* certificate.h - a self-signed certificate made on the spot, for tests.
 */
#ifndef KITH_TESTS_CERTIFICATE_H
#define KITH_TESTS_CERTIFICATE_H

/* PEM texts, owned. Aborts the test on failure. */
void certificate_make(const char *hostname, char **certificate_r, char **key_r);

/* The same for a client; names as in "email:an@lists.example,email:...". */
void certificate_make_client(
    const char *names, char **certificate_r, char **key_r);

#endif
