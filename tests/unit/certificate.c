/* certificate.c - a self-signed certificate made on the spot, for tests.
 */
#include "build.h"

#include "tests/unit/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "daemon/tls.h"

static char *
bio_take(BIO *bio)
{
	char *bytes, *text;
	long len = BIO_get_mem_data(bio, &bytes);

	text = strndup(bytes, (size_t)len);
	BIO_free(bio);
	return text;
}

static void
certificate_sign(const char *title, const char *names, char **certificate_r,
    char **key_r)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name;
	X509_EXTENSION *extension;
	BIO *bio;

	assert_non_null(key);
	assert_non_null(cert);
	assert_int_equal(1, ASN1_INTEGER_set(X509_get_serialNumber(cert), 1));
	assert_int_equal(1, X509_set_version(cert, 2));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), -3600));
	assert_non_null(
	    X509_gmtime_adj(X509_getm_notAfter(cert), 3600L * 24 * 365));
	assert_int_equal(1, X509_set_pubkey(cert, key));
	name = X509_get_subject_name(cert);
	assert_int_equal(1,
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		(const unsigned char *)title, -1, -1, 0));
	assert_int_equal(1, X509_set_issuer_name(cert, name));
	extension =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	assert_non_null(extension);
	assert_int_equal(1, X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	bio = BIO_new(BIO_s_mem());
	assert_int_equal(1, PEM_write_bio_X509(bio, cert));
	*certificate_r = bio_take(bio);
	bio = BIO_new(BIO_s_mem());
	assert_int_equal(1,
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
	*key_r = bio_take(bio);
	X509_free(cert);
	EVP_PKEY_free(key);
}

void
certificate_make(const char *hostname, char **certificate_r, char **key_r)
{
	char names[128];

	(void)snprintf(names, sizeof(names), "DNS:%s", hostname);
	certificate_sign(hostname, names, certificate_r, key_r);
}

void
certificate_make_client(const char *names, char **certificate_r, char **key_r)
{
	certificate_sign("a client", names, certificate_r, key_r);
}

void
certificate_contexts(const char *hostname, struct ssl_ctx_st **server_r,
    struct ssl_ctx_st **client_r)
{
	char *certificate, *key;
	const char *why = "";

	certificate_make(hostname, &certificate, &key);
	*server_r = tls_server_new(span_of(certificate), span_of(key), &why);
	assert_non_null(*server_r);
	if (client_r != NULL) {
		*client_r = tls_client_new(span_of(certificate), &why);
		assert_non_null(*client_r);
	}
	free(certificate);
	free(key);
}
