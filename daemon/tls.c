/* tls.c - TLS contexts from bytes.
 */
#include "build.h"

#include "daemon/tls.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

static SSL_CTX *
tls_context_new(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (ctx == NULL)
		return NULL;
	(void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	(void)SSL_CTX_set_options(ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
	(void)SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return ctx;
}

static BIO *
tls_bio(struct span bytes)
{
	if (bytes.len == 0 || bytes.len > INT_MAX)
		return NULL;
	return BIO_new_mem_buf(bytes.bytes, (int)bytes.len);
}

/* No pass phrase is ever asked for on a terminal. */
static int
tls_no_password(char *out, int room, int writing, void *arg)
{
	(void)out;
	(void)room;
	(void)writing;
	(void)arg;
	return -1;
}

static int
tls_use_chain(SSL_CTX *ctx, struct span certificate)
{
	BIO *bio = tls_bio(certificate);
	X509 *cert = NULL;
	int ok = 0;

	if (bio == NULL)
		return 0;
	cert = PEM_read_bio_X509_AUX(bio, NULL, tls_no_password, NULL);
	ok = cert != NULL && SSL_CTX_use_certificate(ctx, cert) == 1;
	X509_free(cert);
	while (ok &&
	    (cert = PEM_read_bio_X509(bio, NULL, tls_no_password, NULL)) !=
		NULL)
		if (SSL_CTX_add0_chain_cert(ctx, cert) != 1) {
			X509_free(cert);
			ok = 0;
		}
	BIO_free(bio);
	ERR_clear_error(); /* the end of the chain is an error to OpenSSL */
	return ok;
}

static int
tls_use_key(SSL_CTX *ctx, struct span bytes)
{
	BIO *bio = tls_bio(bytes);
	EVP_PKEY *key;
	int ok;

	if (bio == NULL)
		return 0;
	key = PEM_read_bio_PrivateKey(bio, NULL, tls_no_password, NULL);
	ok = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1;
	EVP_PKEY_free(key);
	BIO_free(bio);
	return ok;
}

struct ssl_ctx_st *
tls_server_new(struct span certificate, struct span key, const char **why_r)
{
	SSL_CTX *ctx = tls_context_new(TLS_server_method());

	*why_r = NULL;
	if (ctx == NULL)
		*why_r = "out of memory";
	else if (!tls_use_chain(ctx, certificate))
		*why_r =
		    "the certificate is not a PEM chain that OpenSSL accepts";
	else if (!tls_use_key(ctx, key))
		*why_r = "the key is not a PEM key without pass phrase, "
			 "or is not that of the certificate";
	else if (SSL_CTX_check_private_key(ctx) != 1)
		*why_r = "key and certificate do not belong together";
	ERR_clear_error();
	if (*why_r != NULL)
		tls_free(&ctx);
	else
		/* tickets only: no table of sessions that grows */
		(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return ctx;
}

/* One entry of a bundle. True: an authority that is trusted from now on. */
static bool
tls_trust_one(SSL_CTX *ctx, const X509_INFO *info, bool clients)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);

	if (clients && info->crl != NULL &&
	    X509_STORE_add_crl(store, info->crl) == 1)
		(void)X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
	return info->x509 != NULL &&
	    X509_STORE_add_cert(store, info->x509) == 1 &&
	    (!clients || SSL_CTX_add_client_CA(ctx, info->x509) == 1);
}

/* How many authorities of a bundle are trusted from now on. Of clients: their
 * names are told, by which a client chooses a certificate, and revocation lists
 * are heeded. */
static size_t
tls_trust(SSL_CTX *ctx, struct span ca, bool clients)
{
	BIO *bio = tls_bio(ca);
	STACK_OF(X509_INFO) *list = bio == NULL
	    ? NULL
	    : PEM_X509_INFO_read_bio(bio, NULL, tls_no_password, NULL);
	size_t count = 0;

	for (int i = 0; i < sk_X509_INFO_num(list); i++)
		count +=
		    tls_trust_one(ctx, sk_X509_INFO_value(list, i), clients);
	sk_X509_INFO_pop_free(list, X509_INFO_free);
	BIO_free(bio);
	ERR_clear_error();
	return count;
}

/* The result is kept with the session; who needs it asks for it. */
static int
tls_go_on(int verified, X509_STORE_CTX *store)
{
	(void)verified;
	(void)store;
	return 1;
}

int
tls_server_ask_clients(struct ssl_ctx_st *ctx, struct span ca,
    const char **why_r)
{
	static const unsigned char id[] = "kith news";

	*why_r = NULL;
	if (tls_trust(ctx, ca, true) == 0) {
		*why_r = "no certificate of an authority for clients";
		return -EINVAL;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, tls_go_on);
	/* a session that is resumed keeps its certificate only with an id */
	(void)SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1);
	return 0;
}

struct ssl_ctx_st *
tls_client_new(struct span ca, const char **why_r)
{
	SSL_CTX *ctx = tls_context_new(TLS_client_method());

	*why_r = NULL;
	if (ctx == NULL) {
		*why_r = "out of memory";
	} else {
		if (tls_trust(ctx, ca, false) == 0)
			*why_r = "no certificate of an authority to trust";
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	}
	ERR_clear_error();
	if (*why_r != NULL)
		tls_free(&ctx);
	return ctx;
}

void
tls_free(struct ssl_ctx_st **ctx)
{
	SSL_CTX_free(*ctx);
	*ctx = NULL;
}
