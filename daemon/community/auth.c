/* auth.c - logins: looked up and verified on a worker, good ones remembered for
 * a minute, bad ones slowed down.
 */
#include "daemon/community/auth.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <event2/event.h>
#pragma GCC diagnostic pop

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/community/members.h"
#include "daemon/community/peers.h"

#define CACHE_SLOTS   1024u
#define CACHE_SECONDS 60u
#define SLOW_SLOTS    512u
#define SLOW_FREE     3u   /* wrong passwords without a delay */
#define SLOW_FIRST    250u /* milliseconds, doubled each time */
#define SLOW_STEP_MAX 8000u
#define SLOW_WAIT_MAX 30000u /* whoever would wait longer is told no */
#define SLOW_FORGET   600000u

struct cached {
	uint8_t key[32];
	uint64_t until; /* 0: empty */
	struct identity identity;
};

/* A login that was tried with wrong passwords. */
struct slow {
	uint8_t key[32];
	unsigned failures; /* 0: empty */
	uint64_t last;     /* milliseconds */
	uint64_t free_at;  /* when the next check may begin */
};

struct auth {
	pthread_mutex_t lock;
	uint8_t secret[32];
	/* of members and peers; changed under the lock. Cached results die */
	_Atomic uint64_t generation;
	struct cached cache[CACHE_SLOTS];
	struct slow slow[SLOW_SLOTS];
	struct auth_verifier nobody; /* for logins that do not exist */
};

struct attempt {
	struct community *community;
	struct loop *loop;
	char login[AUTH_LOGIN_MAX + 1];
	char password[AUTH_PASSWORD_MAX + 1];
	uint8_t login_key[32];
	uint8_t both_key[32];
	uint64_t generation;
	bool good;
	struct identity identity;
	void (*done)(void *arg, const struct identity *identity);
	void *arg;
};

int
auth_new(struct auth **auth_r)
{
	struct auth *auth = calloc(1, sizeof *auth);

	*auth_r = NULL;
	if (auth == NULL)
		return -ENOMEM;
	if (RAND_bytes(auth->secret, (int)sizeof auth->secret) != 1 ||
	    RAND_bytes((unsigned char *)&auth->nobody,
		(int)sizeof auth->nobody) != 1 ||
	    pthread_mutex_init(&auth->lock, NULL) != 0) {
		free(auth);
		return -EIO;
	}
	auth->nobody.iterations = AUTH_ITERATIONS;
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

static void
keyed(const struct auth *auth, const char *bytes, size_t len, uint8_t key_r[32])
{
	unsigned key_len = 32;

	/* without a digest nothing is found, and nothing is remembered twice */
	if (HMAC(EVP_sha256(), auth->secret, (int)sizeof auth->secret,
		(const unsigned char *)bytes, len, key_r, &key_len) == NULL)
		(void)RAND_bytes(key_r, 32);
}

static size_t
slot_of(const uint8_t key[32], size_t slots)
{
	return (((size_t)key[0] << 8) | key[1]) % slots;
}

static uint64_t
milliseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static bool
cache_get(struct attempt *attempt)
{
	struct auth *auth = community_auth(attempt->community);
	struct cached *slot =
	    &auth->cache[slot_of(attempt->both_key, CACHE_SLOTS)];
	bool found;

	(void)pthread_mutex_lock(&auth->lock);
	attempt->generation = auth->generation;
	found = slot->until > community_now(attempt->community) &&
	    CRYPTO_memcmp(slot->key, attempt->both_key, sizeof slot->key) == 0;
	if (found)
		attempt->identity = slot->identity;
	(void)pthread_mutex_unlock(&auth->lock);
	return found;
}

static void
cache_put(struct attempt *attempt)
{
	struct auth *auth = community_auth(attempt->community);
	struct cached *slot =
	    &auth->cache[slot_of(attempt->both_key, CACHE_SLOTS)];

	(void)pthread_mutex_lock(&auth->lock);
	/* a member changed while the password was checked: do not remember */
	if (attempt->generation == auth->generation) {
		memcpy(slot->key, attempt->both_key, sizeof slot->key);
		slot->until = community_now(attempt->community) + CACHE_SECONDS;
		slot->identity = attempt->identity;
	}
	(void)pthread_mutex_unlock(&auth->lock);
}

static unsigned
slow_step(unsigned failures)
{
	unsigned step = SLOW_FIRST;

	if (failures < SLOW_FREE)
		return 0;
	for (; failures > SLOW_FREE && step < SLOW_STEP_MAX; failures--)
		step *= 2;
	return step < SLOW_STEP_MAX ? step : SLOW_STEP_MAX;
}

/* How long this attempt must wait. Attempts side by side queue up behind one
 * another, so opening many connections gains nothing. */
static uint64_t
slow_wait(struct attempt *attempt)
{
	struct auth *auth = community_auth(attempt->community);
	struct slow *slot =
	    &auth->slow[slot_of(attempt->login_key, SLOW_SLOTS)];
	uint64_t now = milliseconds(), wait = 0;

	(void)pthread_mutex_lock(&auth->lock);
	if (slot->failures > 0 &&
	    memcmp(slot->key, attempt->login_key, sizeof slot->key) == 0) {
		if (slot->last + SLOW_FORGET < now)
			slot->failures = 0;
		if (slot->free_at > now)
			wait = slot->free_at - now;
		if (wait <= SLOW_WAIT_MAX && slot->failures > 0)
			slot->free_at = now + wait + slow_step(slot->failures);
	}
	(void)pthread_mutex_unlock(&auth->lock);
	return wait;
}

static void
slow_note(struct attempt *attempt)
{
	struct auth *auth = community_auth(attempt->community);
	struct slow *slot =
	    &auth->slow[slot_of(attempt->login_key, SLOW_SLOTS)];
	uint64_t now = milliseconds();

	(void)pthread_mutex_lock(&auth->lock);
	if (memcmp(slot->key, attempt->login_key, sizeof slot->key) == 0) {
		if (attempt->good)
			memset(slot, 0, sizeof *slot);
	} else if (!attempt->good) { /* nobody can choose whom he displaces */
		memset(slot, 0, sizeof *slot);
		memcpy(slot->key, attempt->login_key, sizeof slot->key);
	}
	if (!attempt->good) {
		slot->failures += slot->failures < 1000;
		slot->last = now;
		if (slot->free_at < now + slow_step(slot->failures))
			slot->free_at = now + slow_step(slot->failures);
	}
	(void)pthread_mutex_unlock(&auth->lock);
}

/* ---- the worker's part */

static int
member_lookup(struct attempt *attempt, struct auth_verifier *verifier_r)
{
	struct store_view *view =
	    store_view_begin(community_store(attempt->community));
	struct store_reader *reader;
	Kith__Member *member = NULL;
	uint32_t id;
	int rc;

	if (view == NULL)
		return -ENOMEM;
	reader = store_view_reader(view);
	rc = member_find(reader, attempt->login, &id);
	if (rc == 0)
		rc = member_get(reader, id, &member);
	if (rc == 0)
		rc = member->state == KITH__MEMBER_STATE__MEMBER_ACTIVE
		    ? auth_verifier_read(&member->salt, member->iterations,
			  &member->stored_key, &member->server_key, verifier_r)
		    : -ENOENT;
	if (rc == 0)
		rc = identity_of_member(reader, id, &attempt->identity);
	kith__member__free_unpacked(member, NULL);
	store_view_end(&view);
	return rc;
}

static void
attempt_work(void *arg)
{
	struct attempt *attempt = arg;
	struct auth_verifier verifier;
	bool known = true;

	memset(&attempt->identity, 0, sizeof attempt->identity);
	if (member_lookup(attempt, &verifier) != 0) {
		memset(&attempt->identity, 0, sizeof attempt->identity);
		attempt->identity.peer =
		    peers_by_login(community_peers(attempt->community),
			attempt->login, &verifier);
		known = attempt->identity.peer != 0;
	}
	if (!known) /* the same work, so that time tells nothing */
		verifier = community_auth(attempt->community)->nobody;
	attempt->good =
	    auth_verifier_matches(&verifier, attempt->password) && known;
	OPENSSL_cleanse(&verifier, sizeof verifier);
}

static void
attempt_end(struct attempt *attempt)
{
	void (*done)(void *arg, const struct identity *identity) =
	    attempt->done;
	struct identity identity = attempt->identity;
	bool good = attempt->good;
	void *arg = attempt->arg;

	OPENSSL_cleanse(attempt, sizeof *attempt);
	free(attempt);
	done(arg, good ? &identity : NULL);
}

static void
attempt_done(void *arg)
{
	struct attempt *attempt = arg;

	attempt->identity.trust = TRUST_SESSION;
	slow_note(attempt);
	if (attempt->good)
		cache_put(attempt);
	community_busy(attempt->community, -1);
	attempt_end(attempt);
}

static void
attempt_answer(void *arg)
{
	struct attempt *attempt = arg;

	community_busy(attempt->community, -1);
	attempt_end(attempt);
}

static void
attempt_submit(evutil_socket_t fd, short events, void *arg)
{
	struct attempt *attempt = arg;

	(void)fd;
	(void)events;
	if (worker_submit(community_workers(attempt->community), attempt->loop,
		attempt_work, attempt_done, attempt) != 0)
		(void)loop_post(attempt->loop, attempt_answer, attempt);
}

static void
attempt_start(struct attempt *attempt)
{
	uint64_t wait = slow_wait(attempt);
	struct timeval delay;

	if (wait == 0) {
		attempt_submit(-1, 0, attempt);
		return;
	}
	if (wait > SLOW_WAIT_MAX)
		wait = SLOW_WAIT_MAX;
	delay.tv_sec = (time_t)(wait / 1000u);
	delay.tv_usec = (suseconds_t)(wait % 1000u * 1000u);
	if (event_base_once(loop_base(attempt->loop), -1, EV_TIMEOUT,
		attempt_submit, attempt, &delay) != 0)
		(void)loop_post(attempt->loop, attempt_answer, attempt);
}

static void
attempt_keys(struct attempt *attempt)
{
	const struct auth *auth = community_auth(attempt->community);
	char both[AUTH_LOGIN_MAX + AUTH_PASSWORD_MAX + 2];
	size_t login_len = strlen(attempt->login);
	size_t password_len = strlen(attempt->password);

	memcpy(both, attempt->login, login_len + 1);
	memcpy(both + login_len + 1, attempt->password, password_len);
	keyed(auth, both, login_len, attempt->login_key);
	keyed(auth, both, login_len + 1 + password_len, attempt->both_key);
	OPENSSL_cleanse(both, sizeof both);
}

static void
answer_no(void *arg)
{
	attempt_end(arg);
}

static bool
attempt_fill(struct attempt *attempt, const char *login, const char *password)
{
	size_t login_len = strlen(login), password_len = strlen(password);

	if (login_len == 0 || login_len > AUTH_LOGIN_MAX ||
	    password_len > AUTH_PASSWORD_MAX)
		return false;
	memcpy(attempt->login, login, login_len + 1);
	memcpy(attempt->password, password, password_len + 1);
	attempt_keys(attempt);
	return true;
}

int
auth_check(struct community *community, struct loop *loop, const char *login,
    const char *password,
    void (*done)(void *arg, const struct identity *identity), void *arg)
{
	struct attempt *attempt = calloc(1, sizeof *attempt);
	int rc = 0;

	if (attempt == NULL)
		return -ENOMEM;
	attempt->community = community;
	attempt->loop = loop;
	attempt->done = done;
	attempt->arg = arg;
	if (!attempt_fill(attempt, login, password)) {
		rc = loop_post(loop, answer_no, attempt);
		if (rc != 0)
			free(attempt);
		return rc;
	}
	community_busy(community, 1);
	attempt->good = cache_get(attempt);
	if (!attempt->good) {
		attempt_start(attempt);
		return 0;
	}
	rc = loop_post(loop, attempt_answer, attempt);
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
