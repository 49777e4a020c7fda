/* verifier.c - SCRAM-SHA-256 verifiers (RFC 5802 3, RFC 7677): made, checked.
 */
#include "daemon/community/auth.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <gsasl.h>

/* RFC 5802 2.2: as SASLprep has it, so that the same password typed on another
 * keyboard is the same. What it refuses stays as it is: a client that has no
 * SASLprep sends that. Owned, to be wiped; NULL: no memory. */
static char *
prepare(const char *password)
{
	char *prepared = NULL;

	if (strlen(password) > AUTH_PASSWORD_MAX ||
	    gsasl_saslprep(password, GSASL_ALLOW_UNASSIGNED, &prepared, NULL) !=
		GSASL_OK)
		prepared = NULL;
	return prepared != NULL ? prepared :
				  strndup(password, AUTH_PASSWORD_MAX);
}

static int
derive_prepared(const char *password, struct auth_verifier *verifier)
{
	uint8_t salted[32], client_key[32];
	unsigned len = 0;
	int rc = -EIO;

	if (PKCS5_PBKDF2_HMAC(password,
		(int)strnlen(password, 4 * AUTH_PASSWORD_MAX), verifier->salt,
		(int)sizeof verifier->salt, (int)verifier->iterations,
		EVP_sha256(), (int)sizeof salted, salted) == 1 &&
	    HMAC(EVP_sha256(), salted, (int)sizeof salted,
		(const unsigned char *)"Client Key", 10, client_key,
		&len) != NULL &&
	    EVP_Digest(client_key, sizeof client_key, verifier->stored_key,
		&len, EVP_sha256(), NULL) == 1 &&
	    HMAC(EVP_sha256(), salted, (int)sizeof salted,
		(const unsigned char *)"Server Key", 10, verifier->server_key,
		&len) != NULL)
		rc = 0;
	OPENSSL_cleanse(salted, sizeof salted);
	OPENSSL_cleanse(client_key, sizeof client_key);
	return rc;
}

static int
derive(const char *password, struct auth_verifier *verifier)
{
	char *prepared = prepare(password);
	int rc = -ENOMEM;

	if (prepared != NULL) {
		rc = derive_prepared(prepared, verifier);
		OPENSSL_cleanse(prepared, strlen(prepared));
	}
	free(prepared);
	return rc;
}

int
auth_verifier_make(const char *password, struct auth_verifier *verifier_r)
{
	memset(verifier_r, 0, sizeof *verifier_r);
	verifier_r->iterations = AUTH_ITERATIONS;
	if (RAND_bytes(verifier_r->salt, (int)sizeof verifier_r->salt) != 1)
		return -EIO;
	return derive(password, verifier_r);
}

bool
auth_verifier_matches(const struct auth_verifier *verifier,
    const char *password)
{
	struct auth_verifier made = *verifier;

	return verifier->iterations > 0 && derive(password, &made) == 0 &&
	    CRYPTO_memcmp(made.stored_key, verifier->stored_key,
		sizeof made.stored_key) == 0;
}

int
auth_verifier_read(const ProtobufCBinaryData *salt, uint32_t iterations,
    const ProtobufCBinaryData *stored_key,
    const ProtobufCBinaryData *server_key, struct auth_verifier *verifier_r)
{
	memset(verifier_r, 0, sizeof *verifier_r);
	if (salt->len == 0)
		return -ENOENT;
	if (salt->len != sizeof verifier_r->salt || iterations == 0 ||
	    iterations > AUTH_ITERATIONS_MAX ||
	    stored_key->len != sizeof verifier_r->stored_key ||
	    server_key->len != sizeof verifier_r->server_key)
		return -EBADMSG;
	verifier_r->iterations = iterations;
	memcpy(verifier_r->salt, salt->data, sizeof verifier_r->salt);
	memcpy(verifier_r->stored_key, stored_key->data,
	    sizeof verifier_r->stored_key);
	memcpy(verifier_r->server_key, server_key->data,
	    sizeof verifier_r->server_key);
	return 0;
}

static int
put_bytes(ProtobufCBinaryData *field, const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len);

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, bytes, len);
	free(field->data);
	field->data = copy;
	field->len = len;
	return 0;
}

int
auth_verifier_write(const struct auth_verifier *verifier,
    ProtobufCBinaryData *salt, uint32_t *iterations,
    ProtobufCBinaryData *stored_key, ProtobufCBinaryData *server_key)
{
	int rc = put_bytes(salt, verifier->salt, sizeof verifier->salt);

	if (rc == 0)
		rc = put_bytes(stored_key, verifier->stored_key,
		    sizeof verifier->stored_key);
	if (rc == 0)
		rc = put_bytes(server_key, verifier->server_key,
		    sizeof verifier->server_key);
	*iterations = verifier->iterations;
	return rc;
}
