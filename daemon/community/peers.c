/* peers.c - the peers of the store, kept in a small list under a lock.
 */
#include "daemon/community/peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wildmat.h"

struct peer {
	uint32_t id;
	uint8_t address[16]; /* IPv6, or IPv4 mapped into it */
	bool has_address;
	char *login; /* "" : by address */
	char *path;  /* its path-identity; "": not known */
	struct auth_verifier verifier;
	struct wildmat *spaces; /* NULL: none */
	bool incoming;
	/* limits, 0: none; and what there is of it now */
	unsigned connections_max;
	unsigned in_flight;
	unsigned rate_max; /* articles a minute */
	unsigned connections;
	uint64_t minute;
	unsigned articles; /* in that minute */
	struct peer *next;
};

struct peers {
	pthread_rwlock_t lock;
	struct peer *first;
};

struct publication {
	struct peers *peers;
	struct peer *peer;
	uint32_t id;
};

static bool
address_read(const char *text, uint8_t address_r[16])
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
		0xff };

	if (inet_pton(AF_INET6, text, address_r) == 1)
		return true;
	memcpy(address_r, mapped, sizeof mapped);
	return inet_pton(AF_INET, text, address_r + sizeof mapped) == 1;
}

static void
peer_free(struct peer *peer)
{
	if (peer == NULL)
		return;
	free(peer->login);
	free(peer->path);
	wildmat_free(&peer->spaces);
	free(peer);
}

/* Unless it is said, what we call it. */
static char *
path_of(const Kith__Peer *record)
{
	const char *colon = strrchr(record->outgoing, ':');

	if (record->path[0] != '\0' || colon == NULL)
		return strdup(record->path);
	return strndup(record->outgoing, (size_t)(colon - record->outgoing));
}

static int
peer_new(struct peer **peer_r, uint32_t id, const Kith__Peer *record)
{
	struct peer *peer = calloc(1, sizeof *peer);
	int rc = peer == NULL ? -ENOMEM : 0;

	*peer_r = NULL;
	if (rc != 0)
		return rc;
	peer->id = id;
	peer->incoming = record->incoming;
	peer->connections_max = record->connections;
	peer->in_flight = record->in_flight;
	peer->rate_max = record->rate;
	peer->has_address = record->address[0] != '\0' &&
	    address_read(record->address, peer->address);
	/* a login that is only said to its server is no way in here */
	peer->login =
	    strdup(record->stored_key.len == 0 ? "" : record->login);
	peer->path = path_of(record);
	if (peer->login == NULL || peer->path == NULL)
		rc = -ENOMEM;
	if (rc == 0 && peer->login[0] != '\0')
		rc = auth_verifier_read(&record->salt, record->iterations,
		    &record->stored_key, &record->server_key, &peer->verifier);
	if (rc == 0 && record->spaces[0] != '\0')
		rc = wildmat_compile(span_of(record->spaces), &peer->spaces);
	if (rc != 0) {
		peer_free(peer);
		return rc == -ENOMEM ? rc : -EBADMSG;
	}
	*peer_r = peer;
	return 0;
}

int
peers_new(struct peers **peers_r)
{
	struct peers *peers = calloc(1, sizeof *peers);

	*peers_r = NULL;
	if (peers == NULL)
		return -ENOMEM;
	if (pthread_rwlock_init(&peers->lock, NULL) != 0) {
		free(peers);
		return -ENOMEM;
	}
	*peers_r = peers;
	return 0;
}

void
peers_free(struct peers **peers)
{
	struct peers *p = *peers;
	struct peer *next;

	*peers = NULL;
	if (p == NULL)
		return;
	for (struct peer *peer = p->first; peer != NULL; peer = next) {
		next = peer->next;
		peer_free(peer);
	}
	(void)pthread_rwlock_destroy(&p->lock);
	free(p);
}

/* Takes peer (NULL: none) in place of the one of that id. */
static void
peers_replace(struct peers *peers, uint32_t id, struct peer *peer)
{
	struct peer **at = &peers->first;
	struct peer *old = NULL;

	(void)pthread_rwlock_wrlock(&peers->lock);
	while (*at != NULL && (*at)->id != id)
		at = &(*at)->next;
	if (*at != NULL) {
		old = *at;
		*at = old->next;
	}
	if (peer != NULL && old != NULL) {
		peer->connections = old->connections;
		peer->minute = old->minute;
		peer->articles = old->articles;
	}
	if (peer != NULL) {
		peer->next = *at;
		*at = peer;
	}
	(void)pthread_rwlock_unlock(&peers->lock);
	peer_free(old);
}

static int
load_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	uint32_t id = store_key_get_u32(key, 0);
	struct peer *peer;
	int rc = peer_new(&peer, id, (const Kith__Peer *)(const void *)message);

	if (rc == 0)
		peers_replace(arg, id, peer);
	return rc;
}

int
peers_load(struct peers *peers, struct store *store)
{
	struct store_view *view = store_view_begin(store);
	int rc;

	if (view == NULL)
		return -ENOMEM;
	rc = store_walk(store_view_reader(view), STORE_PEERS, NULL, NULL,
	    load_row, peers);
	store_view_end(&view);
	return rc;
}

static void
publish_commit(void *arg)
{
	struct publication *publication = arg;

	peers_replace(publication->peers, publication->id, publication->peer);
	free(publication);
}

static void
publish_drop(void *arg)
{
	struct publication *publication = arg;

	peer_free(publication->peer);
	free(publication);
}

int
peers_publish(struct peers *peers, struct store_txn *txn, uint32_t id,
    const Kith__Peer *record)
{
	struct publication *publication = calloc(1, sizeof *publication);
	int rc;

	if (publication == NULL)
		return -ENOMEM;
	publication->peers = peers;
	publication->id = id;
	rc = record == NULL ? 0 : peer_new(&publication->peer, id, record);
	if (rc == 0)
		rc = store_txn_on_commit(txn, publish_commit, publish_drop,
		    publication);
	if (rc != 0)
		publish_drop(publication);
	return rc;
}

uint32_t
peers_by_address(struct peers *peers, const char *ip)
{
	uint8_t address[16];
	uint32_t id = 0;

	if (!address_read(ip, address))
		return 0;
	(void)pthread_rwlock_rdlock(&peers->lock);
	for (const struct peer *p = peers->first; p != NULL && id == 0;
	     p = p->next)
		if (p->has_address &&
		    memcmp(p->address, address, sizeof address) == 0)
			id = p->id;
	(void)pthread_rwlock_unlock(&peers->lock);
	return id;
}

uint32_t
peers_by_login(struct peers *peers, const char *login,
    struct auth_verifier *verifier_r)
{
	uint32_t id = 0;

	if (login[0] == '\0')
		return 0;
	(void)pthread_rwlock_rdlock(&peers->lock);
	for (const struct peer *p = peers->first; p != NULL && id == 0;
	     p = p->next)
		if (strcmp(p->login, login) == 0) {
			id = p->id;
			*verifier_r = p->verifier;
		}
	(void)pthread_rwlock_unlock(&peers->lock);
	return id;
}

bool
peers_may_feed(struct peers *peers, uint32_t id, const char *space_name)
{
	bool may = false;

	(void)pthread_rwlock_rdlock(&peers->lock);
	for (const struct peer *p = peers->first; p != NULL; p = p->next)
		if (p->id == id)
			may = p->incoming && p->spaces != NULL &&
			    wildmat_matches(p->spaces, span_of(space_name));
	(void)pthread_rwlock_unlock(&peers->lock);
	return may;
}

bool
peers_is_incoming(struct peers *peers, uint32_t id)
{
	bool incoming = false;

	(void)pthread_rwlock_rdlock(&peers->lock);
	for (const struct peer *p = peers->first; p != NULL; p = p->next)
		if (p->id == id)
			incoming = p->incoming;
	(void)pthread_rwlock_unlock(&peers->lock);
	return incoming;
}

bool
peers_path(struct peers *peers, uint32_t id, char path[PEER_PATH_ROOM])
{
	path[0] = '\0';
	(void)pthread_rwlock_rdlock(&peers->lock);
	for (const struct peer *p = peers->first; p != NULL; p = p->next)
		if (p->id == id && strlen(p->path) < PEER_PATH_ROOM)
			(void)memcpy(path, p->path, strlen(p->path) + 1);
	(void)pthread_rwlock_unlock(&peers->lock);
	return path[0] != '\0';
}

/* ---- limits */

/* Under the lock; NULL: it was removed. */
static struct peer *
peer_of(struct peers *peers, uint32_t id)
{
	struct peer *peer = peers->first;

	while (peer != NULL && peer->id != id)
		peer = peer->next;
	return peer;
}

bool
peers_enter(struct peers *peers, uint32_t id)
{
	struct peer *peer;
	bool fits;

	(void)pthread_rwlock_wrlock(&peers->lock);
	peer = peer_of(peers, id);
	fits = peer != NULL &&
	    (peer->connections_max == 0 ||
		peer->connections < peer->connections_max);
	if (fits)
		peer->connections++;
	(void)pthread_rwlock_unlock(&peers->lock);
	return fits;
}

void
peers_leave(struct peers *peers, uint32_t id)
{
	struct peer *peer;

	(void)pthread_rwlock_wrlock(&peers->lock);
	peer = peer_of(peers, id);
	if (peer != NULL && peer->connections > 0)
		peer->connections--;
	(void)pthread_rwlock_unlock(&peers->lock);
}

unsigned
peers_in_flight(struct peers *peers, uint32_t id)
{
	const struct peer *peer;
	unsigned limit;

	(void)pthread_rwlock_rdlock(&peers->lock);
	peer = peer_of(peers, id);
	limit = peer == NULL ? 0 : peer->in_flight;
	(void)pthread_rwlock_unlock(&peers->lock);
	return limit;
}

bool
peers_may_offer(struct peers *peers, uint32_t id, uint64_t now)
{
	const struct peer *peer;
	bool may;

	(void)pthread_rwlock_rdlock(&peers->lock);
	peer = peer_of(peers, id);
	may = peer == NULL || peer->rate_max == 0 || peer->minute != now / 60 ||
	    peer->articles < peer->rate_max;
	(void)pthread_rwlock_unlock(&peers->lock);
	return may;
}

void
peers_count(struct peers *peers, uint32_t id, uint64_t now)
{
	struct peer *peer;
	bool limited;

	(void)pthread_rwlock_rdlock(&peers->lock);
	peer = peer_of(peers, id);
	limited = peer != NULL && peer->rate_max != 0;
	(void)pthread_rwlock_unlock(&peers->lock);
	if (!limited) /* nobody asks for it */
		return;
	(void)pthread_rwlock_wrlock(&peers->lock);
	peer = peer_of(peers, id);
	if (peer != NULL && peer->minute != now / 60) {
		peer->minute = now / 60;
		peer->articles = 0;
	}
	if (peer != NULL)
		peer->articles++;
	(void)pthread_rwlock_unlock(&peers->lock);
}
