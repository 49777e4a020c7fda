/* feeds_peer.c - a peer that is fed: in memory, from the store, and its end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/feeds_private.h"
#include "protocol/wildmat.h"
#include "store/sequence.h"

void
fed_batch_free(struct fed_batch *batch)
{
	if (batch->retry)
		batch->fed->retrying = false;
	free(batch);
}

void
fed_free(struct fed_peer *fed)
{
	struct fed_batch *batch;

	while ((batch = TAILQ_FIRST(&fed->batches)) != NULL) {
		TAILQ_REMOVE(&fed->batches, batch, entry);
		free(batch);
	}
	if (fed->secret != NULL)
		explicit_bzero(fed->secret, strlen(fed->secret));
	free(fed->secret);
	free(fed->name);
	free(fed->login);
	free(fed->path);
	free(fed->patterns);
	wildmat_free(&fed->spaces);
	free(fed);
}

void
fed_check_free(struct fed_peer *fed)
{
	if (!fed->gone || fed->writing || fed->open > 0)
		return;
	fed_free(fed);
}

/* Leaves the list; what is under way ends by itself. */
void
fed_leave(struct fed_peer *fed)
{
	struct fed_batch *batch, *next;

	LIST_REMOVE(fed, entry);
	fed->gone = true;
	for (batch = TAILQ_FIRST(&fed->batches); batch != NULL; batch = next) {
		next = TAILQ_NEXT(batch, entry);
		batch->stale = true;
		if (!batch->answered)
			continue;
		TAILQ_REMOVE(&fed->batches, batch, entry);
		fed->open--;
		fed_batch_free(batch);
	}
	fed_check_free(fed);
}

/* Its path-identity is said, or is the name of its server (RFC 5536 3.1.5). */
static char *
fed_path(const Kith__Peer *record, const char *host)
{
	if (record->path[0] != '\0')
		return strdup(record->path);
	return strdup(endpoint_host_is_address(host) ? "" : host);
}

static int
fed_new(struct feeds *feeds, uint32_t id, const Kith__Peer *record,
    const Kith__FeedState *state)
{
	struct fed_peer *fed = calloc(1, sizeof *fed);
	int rc = fed == NULL ? -ENOMEM : 0;

	if (rc != 0)
		return rc;
	TAILQ_INIT(&fed->batches);
	fed->feeds = feeds;
	fed->id = id;
	kith__feed_state__init(&fed->state);
	if (state != NULL) {
		fed->state = *state;
		/* what this version does not know belongs to the message */
		fed->state.base.n_unknown_fields = 0;
		fed->state.base.unknown_fields = NULL;
	}
	fed->walked = fed->state.cursor;
	fed->deferred = 1; /* counted by the first look */
	fed->tls = record->tls <= TLS_IMPLICIT ? (enum config_tls)record->tls
					       : TLS_IMPLICIT;
	rc = endpoint_text_parse(record->outgoing, fed->host, &fed->port);
	fed->connections = record->outgoing_connections;
	if (fed->connections < 1 || fed->connections > FEED_CONNECTIONS_MAX)
		fed->connections = 1;
	fed->clear = record->clear || endpoint_host_is_loopback(fed->host);
	fed->name = strdup(record->name);
	fed->login = strdup(record->login);
	fed->secret = strdup(record->secret);
	fed->path = fed_path(record, fed->host);
	fed->patterns = strdup(record->spaces);
	if (rc == 0 && record->spaces[0] != '\0')
		rc = wildmat_compile(span_of(record->spaces), &fed->spaces);
	if (fed->name == NULL || fed->login == NULL || fed->secret == NULL ||
	    fed->path == NULL || fed->patterns == NULL)
		rc = -ENOMEM;
	if (rc != 0) {
		fed_free(fed);
		return rc;
	}
	LIST_INSERT_HEAD(&feeds->peers, fed, entry);
	return 0;
}

int
fed_load(struct feeds *feeds, struct store_reader *reader, uint32_t id,
    const Kith__Peer *record)
{
	struct store_key key = store_key_u32(id);
	ProtobufCMessage *message = NULL;
	int rc = store_get(reader, STORE_FEEDS, &key, &message);

	if (rc != 0 && rc != -ENOENT)
		return rc;
	rc = fed_new(feeds, id, record,
	    (const Kith__FeedState *)(const void *)message);
	if (message != NULL)
		protobuf_c_message_free_unpacked(message, NULL);
	return rc;
}

/* ---- rows */

int
feeds_begin(struct store_txn *txn, uint32_t peer, bool backlog)
{
	struct store_key key = store_key_u32(peer);
	Kith__FeedState state;
	int rc = 0;

	kith__feed_state__init(&state);
	if (!backlog)
		rc = store_sequence_last(store_txn_reader(txn), &state.cursor);
	return rc != 0 ? rc : store_put(txn, STORE_FEEDS, &key, &state.base);
}

struct doomed {
	struct store_key *keys;
	size_t count, room;
};

static int
doomed_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	struct doomed *doomed = arg;

	(void)message;
	if (doomed->count == doomed->room)
		return -E2BIG;
	doomed->keys[doomed->count++] = *key;
	return 0;
}

int
feeds_forget(struct store_txn *txn, uint32_t peer)
{
	/* more than what was deferred while the last batches were answered */
	struct doomed doomed = { .room = 4 * FEEDS_DEFERRED_MAX };
	struct store_key key = store_key_u32(peer);
	int rc;

	doomed.keys = calloc(doomed.room, sizeof *doomed.keys);
	if (doomed.keys == NULL)
		return -ENOMEM;
	rc = store_walk(store_txn_reader(txn), STORE_FEED_DEFERRED, &key, NULL,
	    doomed_row, &doomed);
	for (size_t i = 0; i < doomed.count && rc == 0; i++)
		rc = store_delete(txn, STORE_FEED_DEFERRED, &doomed.keys[i]);
	free(doomed.keys);
	if (rc == 0)
		rc = store_delete(txn, STORE_FEEDS, &key);
	return rc == -ENOENT ? 0 : rc;
}
