/* certificate.h - a self-signed certificate made on the spot, for tests.
 */
#ifndef KITH_TESTS_CERTIFICATE_H
#define KITH_TESTS_CERTIFICATE_H

/* PEM texts, owned. Aborts the test on failure. */
void certificate_make(const char *hostname, char **certificate_r, char **key_r);

#endif
