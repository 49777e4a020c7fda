/* locks.c - see locks.h.
 */
#include "daemon/community/locks.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/cancel.h"

#define SECRET_LEN 32u
#define KEYS_MAX   16u                            /* that are tried */
#define BASE64_MAX (4 * (EVP_MAX_MD_SIZE + 2) / 3 + 4) /* with its NUL */

static const char purpose[] = "kith cancel-lock";

enum scheme { SCHEME_SHA256, SCHEME_SHA512, SCHEME_SHA1, SCHEMES };
static const char *const scheme_names[SCHEMES] = { "sha256", "sha512", "sha1" };

struct locks {
	EVP_MD *digests[SCHEMES]; /* fetched once: that costs more than a hash */
	EVP_MAC *hmac;
	pthread_mutex_t lock; /* of the contexts */
	EVP_MAC_CTX **macs;   /* one a secret, keyed; the last one makes locks */
	size_t count;
};

/* ---- secrets */

static int
mac_new(struct locks *locks, const uint8_t secret[SECRET_LEN],
    EVP_MAC_CTX **mac_r)
{
	char name[] = "SHA256";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(
				    OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end() };
	EVP_MAC_CTX *mac = EVP_MAC_CTX_new(locks->hmac);

	if (mac == NULL || EVP_MAC_init(mac, secret, SECRET_LEN, params) != 1) {
		EVP_MAC_CTX_free(mac);
		return -EIO;
	}
	*mac_r = mac;
	return 0;
}

static int
secret_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	const Kith__Key *record = (const Kith__Key *)(const void *)message;
	uint8_t secret[EVP_MAX_MD_SIZE];
	struct locks *locks = arg;
	EVP_MAC_CTX **bigger;
	unsigned len = 0;
	int rc = 0;

	(void)key;
	bigger = realloc(locks->macs, (locks->count + 1) * sizeof(*bigger));
	if (bigger == NULL)
		return -ENOMEM;
	locks->macs = bigger;
	/* not the key itself: that one signs tokens */
	if (HMAC(EVP_sha256(), record->secret.data, (int)record->secret.len,
		(const unsigned char *)purpose, sizeof purpose - 1, secret,
		&len) == NULL ||
	    len != SECRET_LEN)
		return -EIO;
	rc = mac_new(locks, secret, &locks->macs[locks->count]);
	OPENSSL_cleanse(secret, sizeof secret);
	if (rc == 0)
		locks->count++;
	return rc;
}

static int
locks_load(struct locks *locks, struct store *store)
{
	struct store_view *view = store_view_begin(store);
	int rc;

	if (view == NULL)
		return -ENOMEM;
	rc = store_walk(store_view_reader(view), STORE_KEYS, NULL, NULL,
	    secret_row, locks);
	store_view_end(&view);
	return rc == 0 && locks->count == 0 ? -EBADMSG : rc;
}

int
locks_new(struct locks **locks_r, struct store *store)
{
	struct locks *locks = calloc(1, sizeof *locks);
	int rc = 0;

	*locks_r = NULL;
	if (locks == NULL)
		return -ENOMEM;
	if (pthread_mutex_init(&locks->lock, NULL) != 0) {
		free(locks);
		return -ENOMEM;
	}
	locks->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	for (size_t i = 0; i < SCHEMES; i++) {
		locks->digests[i] = EVP_MD_fetch(NULL, scheme_names[i], NULL);
		if (locks->digests[i] == NULL)
			rc = -EIO;
	}
	if (rc == 0)
		rc = locks->hmac == NULL ? -EIO : locks_load(locks, store);
	if (rc != 0)
		locks_free(&locks);
	*locks_r = locks;
	return rc;
}

void
locks_free(struct locks **locks_p)
{
	struct locks *locks = *locks_p;

	*locks_p = NULL;
	if (locks == NULL)
		return;
	for (size_t i = 0; i < locks->count; i++)
		EVP_MAC_CTX_free(locks->macs[i]);
	free(locks->macs);
	EVP_MAC_free(locks->hmac);
	for (size_t i = 0; i < SCHEMES; i++)
		EVP_MD_free(locks->digests[i]);
	(void)pthread_mutex_destroy(&locks->lock);
	free(locks);
}

/* ---- keys and locks */

/* RFC 8315 2.1: the lock is a hash of the key as it is written. */
static int
lock_of_key(const struct locks *locks, enum scheme scheme, struct span key,
    char lock_r[BASE64_MAX])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (EVP_Digest(key.bytes, key.len, digest, &len, locks->digests[scheme],
		NULL) != 1)
		return -EIO;
	(void)EVP_EncodeBlock((unsigned char *)lock_r, digest, (int)len);
	return 0;
}

/* Section 4. A uid is digits alone, an id begins with "<". */
static int
key_of(struct locks *locks, size_t secret, uint32_t member,
    const char *message_id, char key_r[BASE64_MAX])
{
	EVP_MAC_CTX *mac = locks->macs[secret];
	uint8_t bytes[EVP_MAX_MD_SIZE];
	struct buffer text;
	char room[300];
	size_t len = 0;
	bool done;

	/* never beyond that room */
	buffer_init(&text, sizeof room - 1);
	buffer_lend(&text, room, sizeof room);
	if (member != 0)
		buffer_append_number(&text, member);
	buffer_append_text(&text, message_id);
	if (buffer_failed(&text))
		return -EINVAL;
	(void)pthread_mutex_lock(&locks->lock);
	done = EVP_MAC_init(mac, NULL, 0, NULL) == 1 &&
	    EVP_MAC_update(mac, (const unsigned char *)text.bytes,
		text.len) == 1 &&
	    EVP_MAC_final(mac, bytes, &len, sizeof bytes) == 1;
	(void)pthread_mutex_unlock(&locks->lock);
	if (!done)
		return -EIO;
	(void)EVP_EncodeBlock((unsigned char *)key_r, bytes, (int)len);
	return 0;
}

int
locks_append_lock(struct locks *locks, uint32_t member, const char *message_id,
    struct buffer *out)
{
	char key[BASE64_MAX], lock[BASE64_MAX];
	int rc = key_of(locks, locks->count - 1, member, message_id, key);

	if (rc == 0)
		rc = lock_of_key(locks, SCHEME_SHA256, span_of(key), lock);
	if (rc != 0)
		return rc;
	buffer_append_text(out, "sha256:");
	buffer_append_text(out, lock);
	return 0;
}

int
locks_append_keys(struct locks *locks, uint32_t member, const char *message_id,
    struct buffer *out)
{
	char key[BASE64_MAX];
	int rc = 0;

	for (size_t i = locks->count; i > 0 && rc == 0; i--) {
		rc = key_of(locks, i - 1, member, message_id, key);
		if (rc != 0)
			break;
		if (i < locks->count)
			buffer_append_byte(out, ' ');
		buffer_append_text(out, "sha256:");
		buffer_append_text(out, key);
	}
	return rc;
}

static enum scheme
scheme_of(struct span name)
{
	unsigned i = 0;

	while (i < SCHEMES && !span_is(name, scheme_names[i]))
		i++;
	return (enum scheme)i;
}

static bool
lock_is_among(struct span cancel_lock, enum scheme scheme, const char *lock)
{
	struct cancel_element element;
	size_t len = strlen(lock);

	while (cancel_element_next(&cancel_lock, &element))
		if (element.text.len == len &&
		    CRYPTO_memcmp(element.text.bytes, lock, len) == 0 &&
		    scheme_of(element.scheme) == scheme)
			return true;
	return false;
}

bool
locks_open(const struct locks *locks, struct span cancel_lock,
    struct span cancel_key)
{
	struct cancel_element key;
	char lock[BASE64_MAX];
	enum scheme scheme;

	for (unsigned i = 0;
	     i < KEYS_MAX && cancel_element_next(&cancel_key, &key); i++) {
		scheme = scheme_of(key.scheme);
		if (scheme != SCHEMES &&
		    lock_of_key(locks, scheme, key.text, lock) == 0 &&
		    lock_is_among(cancel_lock, scheme, lock))
			return true;
	}
	return false;
}

bool
locks_has_key(struct span cancel_key)
{
	struct cancel_element key;

	for (unsigned i = 0;
	     i < KEYS_MAX && cancel_element_next(&cancel_key, &key); i++)
		if (scheme_of(key.scheme) != SCHEMES)
			return true;
	return false;
}

/* Only what can be the lock of a key: nobody's text is copied that is longer. */
static int
each_call(enum scheme scheme, struct span lock,
    int (*fn)(void *arg, const char *lock), void *arg)
{
	char text[BASE64_MAX + 16];

	if (scheme == SCHEMES || lock.len >= BASE64_MAX)
		return 0;
	(void)snprintf(text, sizeof text, "%s:%.*s", scheme_names[scheme],
	    SPAN_ARG(lock));
	return fn(arg, text);
}

int
locks_each_opened(const struct locks *locks, struct span cancel_key,
    int (*fn)(void *arg, const char *lock), void *arg)
{
	struct cancel_element key;
	char lock[BASE64_MAX];
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < KEYS_MAX &&
	     cancel_element_next(&cancel_key, &key);
	     i++) {
		enum scheme scheme = scheme_of(key.scheme);

		if (scheme == SCHEMES)
			continue;
		rc = lock_of_key(locks, scheme, key.text, lock);
		if (rc == 0)
			rc = each_call(scheme, span_of(lock), fn, arg);
	}
	return rc;
}

int
locks_each(struct span cancel_lock, int (*fn)(void *arg, const char *lock),
    void *arg)
{
	struct cancel_element element;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < KEYS_MAX &&
	     cancel_element_next(&cancel_lock, &element);
	     i++)
		rc = each_call(scheme_of(element.scheme), element.text, fn,
		    arg);
	return rc;
}
