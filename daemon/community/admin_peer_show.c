/* admin_peer_show.c - kithctl peer list and show. No password is ever among it.
 */
#include "daemon/community/admin.h"
#include "daemon/community/admin_list.h"
#include "daemon/community/admin_peer.h"
#include "daemon/community/feeds.h"

static const char *
tls_word(uint32_t tls)
{
	static const char *const words[] = { "none", "starttls", "implicit" };

	return tls < 3 ? words[tls] : "?";
}

static json_t *
peer_json(const Kith__Peer *peer)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s}", "name",
	    peer->name, "address", peer->address, "login", peer->login,
	    "spaces", peer->spaces, "incoming", (int)peer->incoming, "outgoing",
	    peer->outgoing, "pull", peer->pull);
}

static json_t *
peer_row(struct control_request *request, struct store_reader *reader,
    const struct store_key *key, const ProtobufCMessage *message)
{
	(void)request;
	(void)reader;
	(void)key;
	return peer_json((const Kith__Peer *)(const void *)message);
}

static void
run_list(struct control_request *request)
{
	control_columns(request, "name", "address", "login", "spaces",
	    "incoming", "outgoing", "pull", (char *)NULL);
	admin_list_run(request, STORE_PEERS, NULL, peer_row);
}

static void
add_more(json_t *object, const Kith__Peer *peer)
{
	json_t *more = json_pack("{s:s, s:b, s:I, s:s, s:I, s:I, s:I, s:I}", "tls",
	    tls_word(peer->tls), "clear-password", peer->clear,
	    "outgoing-connections",
	    (json_int_t)(peer->outgoing_connections == 0
		    ? 1
		    : peer->outgoing_connections),
	    "path", peer->path, "every",
	    (json_int_t)peer->pull_every, "connections",
	    (json_int_t)peer->connections, "in-flight",
	    (json_int_t)peer->in_flight, "rate", (json_int_t)peer->rate);

	if (more == NULL)
		return;
	(void)json_object_update(object, more);
	json_decref(more);
}

struct rows {
	size_t count;
};

static int
count_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	struct rows *rows = arg;

	(void)key;
	(void)message;
	rows->count++;
	return 0;
}

/* Those in the store, which is where they wait. */
static void
add_deferred(json_t *object, struct community *community, uint32_t peer)
{
	struct store_view *view = store_view_begin(community_store(community));
	struct store_key prefix = store_key_u32(peer);
	struct rows rows = { 0 };

	if (view == NULL)
		return;
	if (store_walk(store_view_reader(view), STORE_FEED_DEFERRED, &prefix,
		NULL, count_row, &rows) == 0)
		(void)json_object_set_new(object, "deferred",
		    json_integer((json_int_t)rows.count));
	store_view_end(&view);
}

static void
run_show(struct control_request *request)
{
	struct community *community = control_context(request);
	Kith__Peer *peer;
	json_t *object;
	uint32_t id;

	if (admin_peer_find(request, control_arg(request, 0), &peer, &id) != 0)
		return;
	object = peer_json(peer);
	if (object != NULL) {
		add_more(object, peer);
		if (peer->outgoing[0] != '\0') {
			add_deferred(object, community, id);
			feeds_describe(community_feeds(community), id, object);
		}
		control_result(request, object);
	}
	kith__peer__free_unpacked(peer, NULL);
	control_done(request);
}

const struct control_verb admin_peer_show_verbs[] = {
	{ "peer", "list", "", 0, 0, run_list, 0 },
	{ "peer", "show", "NAME", 1, 1, run_show, 0 },
	{ NULL, NULL, NULL, 0, 0, NULL, 0 },
};
