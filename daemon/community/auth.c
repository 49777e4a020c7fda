/* auth.c - logins by password: looked up and verified on a worker, good ones
 * remembered for a minute. What bad ones cost is in auth_delay.c.
 */
#include "daemon/community/auth_private.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/peers.h"
#include "daemon/community/sasl.h"

#define CACHE_SLOTS   1024u
#define CACHE_SECONDS 60u

struct cached {
	uint8_t key[32];
	uint64_t until; /* 0: empty */
	struct identity identity;
};

struct auth {
	pthread_mutex_t lock;
	uint8_t secret[32];
	/* of members and peers; changed under the lock. Cached results die */
	_Atomic uint64_t generation;
	struct cached cache[CACHE_SLOTS];
	struct auth_delay *delays;
	struct Gsasl *library;
	struct auth_turns *turns;
};

/* The words of a login, and what became of it. */
struct attempt {
	struct community *community;
	struct loop *loop;
	char login[AUTH_LOGIN_MAX + 1];
	char as[AUTH_LOGIN_MAX + 1];
	char password[AUTH_PASSWORD_MAX + 1];
	char client[64];
	uint8_t key[32]; /* of all the words */
	struct auth_account account;
	struct auth_try who;
	uint64_t generation;
	enum auth_answer answer;
	auth_checked done;
	void *arg;
};

int
auth_new(struct auth **auth_r)
{
	struct auth *auth = calloc(1, sizeof *auth);

	*auth_r = NULL;
	if (auth == NULL)
		return -ENOMEM;
	auth->delays = auth_delay_new();
	auth->turns = auth_turns_new();
	if (auth->delays == NULL || auth->turns == NULL ||
	    sasl_open(&auth->library) != 0 ||
	    RAND_bytes(auth->secret, (int)sizeof auth->secret) != 1 ||
	    pthread_mutex_init(&auth->lock, NULL) != 0) {
		auth_turns_free(&auth->turns);
		auth_delay_free(&auth->delays);
		sasl_close(&auth->library);
		free(auth);
		return -EIO;
	}
	atomic_init(&auth->generation, 1);
	*auth_r = auth;
	return 0;
}

void
auth_free(struct auth **auth)
{
	struct auth *a = *auth;

	*auth = NULL;
	if (a == NULL)
		return;
	auth_turns_free(&a->turns);
	auth_delay_free(&a->delays);
	sasl_close(&a->library);
	(void)pthread_mutex_destroy(&a->lock);
	OPENSSL_cleanse(a, sizeof *a);
	free(a);
}

static void
forget(void *arg)
{
	struct auth *auth = arg;

	(void)pthread_mutex_lock(&auth->lock);
	auth->generation++;
	memset(auth->cache, 0, sizeof auth->cache);
	(void)pthread_mutex_unlock(&auth->lock);
}

int
auth_forget(struct store_txn *txn, struct community *community)
{
	return store_txn_on_commit(txn, forget, NULL,
	    community_auth(community));
}

uint64_t
auth_generation(struct community *community)
{
	return atomic_load(&community_auth(community)->generation);
}

struct Gsasl *
auth_library(const struct auth *auth)
{
	return auth->library;
}

struct auth_delay *
auth_delays(const struct auth *auth)
{
	return auth->delays;
}

struct auth_turns *
auth_turns(const struct auth *auth)
{
	return auth->turns;
}

void
auth_digest(const struct auth *auth, const void *bytes, size_t len,
    uint8_t key_r[32])
{
	unsigned key_len = 32;

	/* without a digest nothing is found, and nothing is remembered twice */
	if (HMAC(EVP_sha256(), auth->secret, (int)sizeof auth->secret, bytes,
		len, key_r, &key_len) == NULL)
		(void)RAND_bytes(key_r, 32);
}

/* An IPv6 customer has a network of 64 bits to himself. */
static size_t
address_bytes(const char *address, uint8_t out[16])
{
	if (inet_pton(AF_INET, address, out) == 1)
		return 4;
	return inet_pton(AF_INET6, address, out) == 1 ? 8 : 0;
}

void
auth_try_make(const struct auth *auth, const char *account,
    const char *address, struct auth_try *try_r)
{
	uint8_t bytes[1 + 16 + sizeof ((struct auth_account *)0)->name];
	size_t name_len = strnlen(account, sizeof bytes - 17), at;
	uint8_t digest[32];

	memset(bytes, 0, sizeof bytes);
	at = 1 + address_bytes(address, bytes + 1);
	bytes[0] = 'a';
	auth_digest(auth, bytes, at, digest);
	memcpy(try_r->address, digest, sizeof try_r->address);
	bytes[0] = 'p';
	memcpy(bytes + at, account, name_len);
	auth_digest(auth, bytes, at + name_len, digest);
	memcpy(try_r->pair, digest, sizeof try_r->pair);
	bytes[0] = 'n';
	memcpy(bytes + 1, account, name_len);
	auth_digest(auth, bytes, 1 + name_len, digest);
	memcpy(try_r->account, digest, sizeof try_r->account);
}

static struct cached *
cache_slot(struct attempt *attempt)
{
	size_t at = ((size_t)attempt->key[0] << 8) | attempt->key[1];

	return &community_auth(attempt->community)->cache[at % CACHE_SLOTS];
}

static bool
cache_get(struct attempt *attempt)
{
	struct auth *auth = community_auth(attempt->community);
	struct cached *slot = cache_slot(attempt);
	bool found;

	(void)pthread_mutex_lock(&auth->lock);
	attempt->generation = auth->generation;
	found = slot->until > community_now(attempt->community) &&
	    CRYPTO_memcmp(slot->key, attempt->key, sizeof slot->key) == 0;
	if (found)
		attempt->account.identity = slot->identity;
	(void)pthread_mutex_unlock(&auth->lock);
	return found;
}

static void
cache_put(struct attempt *attempt)
{
	struct auth *auth = community_auth(attempt->community);
	struct cached *slot = cache_slot(attempt);

	(void)pthread_mutex_lock(&auth->lock);
	/* a member changed while the password was checked: do not remember */
	if (attempt->generation == auth->generation) {
		memcpy(slot->key, attempt->key, sizeof slot->key);
		slot->until = community_now(attempt->community) + CACHE_SECONDS;
		slot->identity = attempt->account.identity;
	}
	(void)pthread_mutex_unlock(&auth->lock);
}

static void
attempt_end(void *arg)
{
	struct attempt *attempt = arg;
	struct identity identity = attempt->account.identity;
	enum auth_answer answer = attempt->answer;
	auth_checked done = attempt->done;
	void *to = attempt->arg;

	community_busy(attempt->community, -1);
	OPENSSL_cleanse(attempt, sizeof *attempt);
	free(attempt);
	done(to, answer, answer == AUTH_RIGHT ? &identity : NULL);
}

static void
attempt_judged(void *arg)
{
	struct attempt *attempt = arg;
	const struct auth *auth = community_auth(attempt->community);
	bool good = attempt->answer == AUTH_RIGHT;

	auth_delay_note(auth->delays, &attempt->who, good,
	    clock_milliseconds(community_clock(attempt->community)));
	if (good)
		cache_put(attempt);
	attempt_end(attempt);
}

/* ---- on a worker */

static void
attempt_verify(void *arg)
{
	struct attempt *attempt = arg;
	/* of nobody it is the same work, so that time tells nothing */
	bool matches = auth_verifier_matches(&attempt->account.verifier,
	    attempt->password);

	attempt->answer =
	    matches && attempt->account.known ? AUTH_RIGHT : AUTH_WRONG;
}

static void
attempt_look_up(void *arg)
{
	struct attempt *attempt = arg;

	auth_account_find(attempt->community, attempt->login, attempt->as,
	    &attempt->account);
}

/* ---- on the loop, between them */

static void
attempt_turn(void *arg, bool granted)
{
	struct attempt *attempt = arg;

	if (granted &&
	    worker_submit(community_workers(attempt->community), attempt->loop,
		attempt_verify, attempt_judged, attempt) == 0)
		return;
	attempt->answer = AUTH_BUSY;
	attempt_end(attempt);
}

static void
attempt_found(void *arg)
{
	struct attempt *attempt = arg;

	auth_try_make(community_auth(attempt->community),
	    attempt->account.name, attempt->client, &attempt->who);
	if (auth_turn_wait(attempt->community, attempt->loop, &attempt->who,
		attempt_turn, attempt) != 0) {
		attempt->answer = AUTH_BUSY;
		attempt_end(attempt);
	}
}

/* ---- the door */

static bool
copy_text(char *to, size_t room, const char *from)
{
	size_t len = strlen(from);

	if (len >= room)
		return false;
	memcpy(to, from, len + 1);
	return true;
}

static void
attempt_key(struct attempt *attempt)
{
	char all[sizeof attempt->login + sizeof attempt->as +
	    sizeof attempt->password];
	size_t login_len = strlen(attempt->login) + 1;
	size_t as_len = strlen(attempt->as) + 1;
	size_t password_len = strlen(attempt->password);

	memcpy(all, attempt->login, login_len);
	memcpy(all + login_len, attempt->as, as_len);
	memcpy(all + login_len + as_len, attempt->password, password_len);
	auth_digest(community_auth(attempt->community), all,
	    login_len + as_len + password_len, attempt->key);
	OPENSSL_cleanse(all, sizeof all);
}

static bool
attempt_fill(struct attempt *attempt, const struct auth_words *words)
{
	return words->login[0] != '\0' &&
	    copy_text(attempt->login, sizeof attempt->login, words->login) &&
	    copy_text(attempt->as, sizeof attempt->as, words->as) &&
	    copy_text(attempt->password, sizeof attempt->password,
		words->password) &&
	    copy_text(attempt->client, sizeof attempt->client, words->client);
}

int
auth_check(struct community *community, struct loop *loop,
    const struct auth_words *words, auth_checked done, void *arg)
{
	struct attempt *attempt = calloc(1, sizeof *attempt);
	int rc;

	if (attempt == NULL)
		return -ENOMEM;
	attempt->community = community;
	attempt->loop = loop;
	attempt->answer = AUTH_WRONG;
	attempt->done = done;
	attempt->arg = arg;
	community_busy(community, 1);
	if (!attempt_fill(attempt, words)) {
		rc = loop_post(loop, attempt_end, attempt);
	} else {
		attempt_key(attempt);
		if (cache_get(attempt))
			attempt->answer = AUTH_RIGHT;
		rc = attempt->answer == AUTH_RIGHT
		    ? loop_post(loop, attempt_end, attempt)
		    : worker_submit(community_workers(community), loop,
			  attempt_look_up, attempt_found, attempt);
	}
	if (rc != 0) {
		community_busy(community, -1);
		OPENSSL_cleanse(attempt, sizeof *attempt);
		free(attempt);
	}
	return rc;
}

uint32_t
auth_peer_by_address(struct community *community, const char *ip)
{
	return peers_by_address(community_peers(community), ip);
}

bool
auth_peer_may_feed(struct community *community, uint32_t peer,
    const char *space_name)
{
	return peers_may_feed(community_peers(community), peer, space_name);
}
