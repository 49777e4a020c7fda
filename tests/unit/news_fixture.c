/* news_fixture.c - see news_fixture.h.
 */
#include "build.h"

#include "tests/unit/news_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/ssl.h>

#include "daemon/community/auth.h"
#include "daemon/community/members.h"
#include "daemon/community/peers.h"
#include "daemon/community/spaces.h"
#include "daemon/log.h"
#include "daemon/tls.h"
#include "store/msgid.h"
#include "store/overview.h"

static void
fixture_log(void *arg, enum store_log_level level, const char *line)
{
	(void)arg;
	if (level == STORE_LOG_ERR)
		(void)fprintf(stderr, "store: %s\n", line);
}

static void
fixture_fatal(void *arg, const char *why)
{
	(void)arg;
	(void)fprintf(stderr, "store: %s\n", why);
	abort();
}

static void
fixture_drain(evutil_socket_t fd, short what, void *arg)
{
	struct news_fixture *f = arg;

	(void)fd;
	(void)what;
	store_inbox_drain(f->inbox);
}

static struct config *
fixture_config(const char *directory)
{
	struct config *config = calloc(1, sizeof *config);

	if (config == NULL)
		return NULL;
	config->domain = strdup("lists.example");
	config->hostname = strdup("news.example");
	config->store_directory = strdup(directory);
	config->authserv_id = strdup("");
	config->transport = strdup("smtp");
	config->smarthost_host = strdup("127.0.0.1");
	config->article_size = 65536;
	config->mail_size = 65536;
	config->digest_hour = 7;
	config->digest_articles = 50;
	config->digest_kilobytes = 200;
	config->answers_per_hour = 10;
	config->history_days = 90;
	config->bounce_life = 604800;
	config->bounce_suspend_after = 5;
	return config;
}

static int
fixture_store(struct news_fixture *f)
{
	struct store_options options = {
		.directory = f->directory,
		.cache_bytes = 4u << 20,
		.object_cache_bytes = (size_t)4 << 20,
		.log = fixture_log,
		.fatal = fixture_fatal,
	};
	char *error = NULL;
	int rc = store_open(&f->store, &options, &error);

	if (rc != 0)
		(void)fprintf(stderr, "%s\n", error == NULL ? "?" : error);
	free(error);
	return rc;
}

static int
fixture_community(struct news_fixture *f)
{
	struct community_options options = {
		.store = f->store,
		.config = f->config,
		.clock = f->clock,
		.loop = f->loop,
		.inbox = f->inbox,
		.workers = f->workers,
	};
	char *error = NULL;
	int rc = community_new(&f->community, &options, &error);

	if (rc != 0)
		(void)fprintf(stderr, "%s\n", error == NULL ? "?" : error);
	free(error);
	return rc;
}

static struct ssl_ctx_st *
fixture_tls(void *arg)
{
	struct news_fixture *f = arg;

	if (f->tls != NULL)
		(void)SSL_CTX_up_ref(f->tls);
	return f->tls;
}

int
news_fixture_open(struct news_fixture *f)
{
	struct news_loop_options loop;
	struct news_options options = { .loops = &loop,
		.loop_count = 1,
		.tls = fixture_tls,
		.tls_arg = f };

	memset(f, 0, sizeof *f);
	log_start("test", LOG_LEVEL_ERR);
	(void)snprintf(f->directory, sizeof f->directory,
	    "/tmp/kith-news-XXXXXX");
	if (mkdtemp(f->directory) == NULL)
		return -errno;
	f->config = fixture_config(f->directory);
	f->clock = clock_new_fixed(NEWS_FIXTURE_NOW);
	f->loop = loop_new();
	f->inbox = store_inbox_new();
	f->workers = worker_pool_new(1);
	if (f->config == NULL || f->clock == NULL || f->loop == NULL ||
	    f->inbox == NULL || f->workers == NULL || fixture_store(f) != 0 ||
	    fixture_community(f) != 0)
		return -ENOMEM;
	f->drain = event_new(loop_base(f->loop), store_inbox_fd(f->inbox),
	    EV_READ | EV_PERSIST, fixture_drain, f);
	(void)event_add(f->drain, NULL);
	options.community = f->community;
	loop.loop = f->loop;
	loop.inbox = f->inbox;
	f->server = news_server_new(&options);
	return f->server == NULL ? -ENOMEM : 0;
}

static void
fixture_remove_folder(const char *path)
{
	char name[512];
	struct dirent *entry;
	DIR *dir = opendir(path);

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		(void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.' && unlink(name) != 0)
			fixture_remove_folder(name);
	}
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(path);
}

static int
apply_nothing(struct store_txn *txn, struct store_op *op)
{
	(void)txn;
	(void)op;
	return 0;
}

void
news_fixture_close(struct news_fixture *f)
{
	struct store_op last = { .apply = apply_nothing, .bulk = true };

	/* sessions begin no further command; what was asked of workers and
	 * writer comes back while the store is open */
	news_server_stop(f->server);
	worker_pool_stop(f->workers);
	(void)store_run(f->store, &last);
	store_inbox_drain(f->inbox);
	fixture_turn(f);
	news_server_free(&f->server);
	store_close(&f->store);
	community_free(&f->community);
	worker_pool_free(&f->workers);
	event_free(f->drain);
	loop_free(&f->loop);
	store_inbox_free(&f->inbox);
	clock_free(&f->clock);
	tls_free(&f->tls);
	config_free(&f->config);
	fixture_remove_folder(f->directory);
}

/* ---- what is in the store ---- */

struct fixture_op {
	struct store_op op;
	struct news_fixture *f;
	const struct fixture_space *space;
	const struct fixture_article *article;
	const char *login, *password, *wildmat;
	Kith__Role role;
	unsigned count;
	bool closed;
	uint32_t id, number;
};

static struct fixture_op *
fixture_op_of(struct store_op *op)
{
	return (struct fixture_op *)(void *)op;
}

static int
space_apply(struct store_txn *txn, struct store_op *op)
{
	struct fixture_op *fixture = fixture_op_of(op);
	Kith__Space record;
	struct store_space_state state = { .low = 1 };
	struct store_key key;
	uint64_t id;
	char name[128], description[128], none[1] = "";
	int rc = store_id_next(txn, STORE_ID_SPACE, &id);

	kith__space__init(&record);
	(void)snprintf(name, sizeof name, "%s", fixture->space->name);
	(void)snprintf(description, sizeof description, "%s",
	    fixture->space->description == NULL ? ""
						: fixture->space->description);
	record.name = name;
	record.mail = none;
	record.description = description;
	record.kind = KITH__KIND__KIND_TALK;
	record.read = fixture->space->read;
	record.post = fixture->space->post;
	record.moderation = fixture->space->moderation;
	record.created = fixture->space->created;
	fixture->id = (uint32_t)id;
	key = store_key_u32(fixture->id);
	if (rc == 0)
		rc = store_put(txn, STORE_SPACES, &key, &record.base);
	if (rc == 0)
		rc = store_space_state_put(txn, fixture->id, &state);
	if (rc == 0)
		rc = spaces_publish(community_spaces(fixture->f->community),
		    txn, fixture->id, &record);
	return rc;
}

uint32_t
fixture_space_add(struct news_fixture *f, const struct fixture_space *space)
{
	struct fixture_op op = { .op = { .apply = space_apply },
		.f = f,
		.space = space };

	return store_run(f->store, &op.op) == 0 ? op.id : 0;
}

static int
space_set_apply(struct store_txn *txn, struct store_op *op)
{
	struct fixture_op *fixture = fixture_op_of(op);
	struct store_key key = store_key_u32(fixture->id);
	ProtobufCMessage *message = NULL;
	Kith__Space *record;
	int rc =
	    store_get(store_txn_reader(txn), STORE_SPACES, &key, &message);

	if (rc != 0)
		return rc;
	record = (Kith__Space *)(void *)message;
	record->closed = fixture->closed;
	record->suggested = fixture->count;
	rc = store_put(txn, STORE_SPACES, &key, message);
	if (rc == 0)
		rc = spaces_publish(community_spaces(fixture->f->community),
		    txn, fixture->id, record);
	protobuf_c_message_free_unpacked(message, NULL);
	return rc;
}

int
fixture_space_set(struct news_fixture *f, uint32_t id, bool closed,
    uint32_t suggested)
{
	struct fixture_op op = { .op = { .apply = space_set_apply },
		.f = f,
		.id = id,
		.closed = closed,
		.count = suggested };

	return store_run(f->store, &op.op);
}

static int
space_remove_apply(struct store_txn *txn, struct store_op *op)
{
	struct fixture_op *fixture = fixture_op_of(op);
	struct store_key key = store_key_u32(fixture->id);
	int rc = store_delete(txn, STORE_SPACES, &key);

	return rc != 0 ? rc
		       : spaces_publish(community_spaces(fixture->f->community),
			     txn, fixture->id, NULL);
}

void
fixture_space_remove(struct news_fixture *f, uint32_t id)
{
	struct fixture_op op = { .op = { .apply = space_remove_apply },
		.f = f,
		.id = id };

	(void)store_run(f->store, &op.op);
}

static int
member_apply(struct store_txn *txn, struct store_op *op)
{
	struct fixture_op *fixture = fixture_op_of(op);
	struct auth_verifier verifier;
	Kith__Member *member = NULL;
	Kith__IdRef ref;
	struct store_key key =
	    store_key_bytes(fixture->login, strlen(fixture->login));
	char address[128];
	uint32_t id, address_id;
	int rc;

	kith__id_ref__init(&ref);
	(void)snprintf(address, sizeof address, "%s@members.example",
	    fixture->login);
	rc = member_make(txn, address, fixture->login, NEWS_FIXTURE_NOW, &id,
	    &address_id);
	if (rc == 0)
		rc = member_get(store_txn_reader(txn), id, &member);
	if (rc == 0)
		rc = auth_verifier_make(fixture->password, &verifier);
	if (rc != 0)
		return rc;
	member->role = fixture->role;
	member->iterations = verifier.iterations;
	member->salt.data = verifier.salt;
	member->salt.len = sizeof verifier.salt;
	member->stored_key.data = verifier.stored_key;
	member->stored_key.len = sizeof verifier.stored_key;
	member->server_key.data = verifier.server_key;
	member->server_key.len = sizeof verifier.server_key;
	ref.id = id;
	rc = store_put(txn, STORE_LOGINS, &key, &ref.base);
	if (rc == 0)
		rc = member_put(txn, id, member, NEWS_FIXTURE_NOW);
	member->salt.data = member->stored_key.data = NULL;
	member->server_key.data = NULL;
	member->salt.len = member->stored_key.len = member->server_key.len = 0;
	kith__member__free_unpacked(member, NULL);
	return rc;
}

int
fixture_member_add(struct news_fixture *f, const char *login,
    const char *password, Kith__Role role)
{
	struct fixture_op op = { .op = { .apply = member_apply },
		.f = f,
		.login = login,
		.password = password,
		.role = role };

	return store_run(f->store, &op.op);
}

static int
peer_apply(struct store_txn *txn, struct store_op *op)
{
	struct fixture_op *fixture = fixture_op_of(op);
	struct auth_verifier verifier;
	Kith__Peer peer;
	struct store_key key;
	char login[64], wildmat[64];
	uint64_t id;
	int rc = store_id_next(txn, STORE_ID_PEER, &id);

	kith__peer__init(&peer);
	if (rc == 0)
		rc = auth_verifier_make(fixture->password, &verifier);
	if (rc != 0)
		return rc;
	(void)snprintf(login, sizeof login, "%s", fixture->login);
	(void)snprintf(wildmat, sizeof wildmat, "%s", fixture->wildmat);
	peer.name = peer.login = login;
	peer.spaces = wildmat;
	peer.incoming = true;
	peer.iterations = verifier.iterations;
	peer.salt.data = verifier.salt;
	peer.salt.len = sizeof verifier.salt;
	peer.stored_key.data = verifier.stored_key;
	peer.stored_key.len = sizeof verifier.stored_key;
	peer.server_key.data = verifier.server_key;
	peer.server_key.len = sizeof verifier.server_key;
	key = store_key_u32((uint32_t)id);
	rc = store_put(txn, STORE_PEERS, &key, &peer.base);
	if (rc == 0)
		rc = peers_publish(community_peers(fixture->f->community), txn,
		    (uint32_t)id, &peer);
	return rc;
}

int
fixture_peer_add(struct news_fixture *f, const char *login,
    const char *password, const char *spaces)
{
	struct fixture_op op = { .op = { .apply = peer_apply },
		.f = f,
		.login = login,
		.password = password,
		.wildmat = spaces };

	return store_run(f->store, &op.op);
}

static int
article_rows(struct store_txn *txn, struct fixture_op *fixture, uint64_t artid,
    size_t size, Kith__ArticleMeta *meta)
{
	const struct fixture_article *article = fixture->article;
	struct store_overview_row row = { .artid = artid,
		.bytes = (uint32_t)size,
		.lines = 1,
		.time = article->time == 0 ? NEWS_FIXTURE_NOW : article->time };
	static Kith__Placement placements[4];
	static Kith__Placement *list[4];
	struct store_space_state state;
	struct space *space;
	char text[3072];
	int rc = 0;

	if (article->spaces[1] != 0)
		row.flags = STORE_ROW_MULTI;
	for (size_t i = 0; i < 4 && article->spaces[i] != 0 && rc == 0; i++) {
		rc = store_space_state_get(store_txn_reader(txn),
		    article->spaces[i], &state);
		if (rc != 0)
			break;
		space = spaces_by_id(community_spaces(fixture->f->community),
		    article->spaces[i]);
		row.text_len = (size_t)snprintf(text, sizeof text,
		    "\t%s\ta@b.example\tMon, 16 Nov 2026 10:00:00 +0000\t%s\t"
		    "\t%zu\t1\tXref: news.example %s:%u\r\n",
		    article->subject, article->message_id, size,
		    space == NULL ? "gone" : space->name, state.high + 1);
		space_unref(space);
		row.text = text;
		rc = store_overview_append(txn, article->spaces[i], &row);
		kith__placement__init(&placements[i]);
		placements[i].space = article->spaces[i];
		placements[i].number = row.number;
		list[i] = &placements[i];
		meta->n_placements = i + 1;
	}
	meta->placements = list;
	fixture->number = placements[0].number;
	return rc;
}

static int
article_body(struct store_txn *txn, const struct fixture_article *article,
    uint64_t artid, size_t *size_r)
{
	struct store_article_head head = { 0 };
	char made[3072];
	const char *received = article->received, *at;

	if (received == NULL) {
		(void)snprintf(made, sizeof made,
		    "From: a@b.example\r\nSubject: %s\r\n"
		    "Date: Mon, 16 Nov 2026 10:00:00 +0000\r\n"
		    "Message-ID: %s\r\n\r\nHello.\r\n",
		    article->subject, article->message_id);
		received = made;
	}
	head.added_len =
	    article->added == NULL ? 0 : (uint32_t)strlen(article->added);
	head.received_len = (uint32_t)strlen(received);
	at = strstr(received, "\r\n\r\n");
	head.header_len =
	    at == NULL ? head.received_len : (uint32_t)(at + 2 - received);
	if (article->spaces[1] != 0)
		head.flags |= STORE_ARTICLE_MULTI;
	if (article->hidden != NULL) {
		at = strstr(received, article->hidden);
		head.hidden_news_count = 1;
		head.hidden_news[0].offset = (uint32_t)(at - received);
		head.hidden_news[0].len = (uint32_t)strlen(article->hidden);
	}
	*size_r = head.added_len + head.received_len;
	return store_article_put(txn, artid, &head,
	    (const uint8_t *)(article->added == NULL ? "" : article->added),
	    (const uint8_t *)received);
}

static int
article_apply(struct store_txn *txn, struct store_op *op)
{
	struct fixture_op *fixture = fixture_op_of(op);
	const struct fixture_article *article = fixture->article;
	struct store_msgid_entry entry = { .state = STORE_MSGID_STORED };
	Kith__ArticleMeta meta;
	uint8_t hash[STORE_HASH_LEN];
	struct store_key key;
	size_t size = 0;
	uint64_t artid;
	char id[300];
	int rc = store_id_next(txn, STORE_ID_ARTICLE, &artid);

	kith__article_meta__init(&meta);
	if (rc == 0)
		rc = article_body(txn, article, artid, &size);
	if (rc == 0)
		rc = article_rows(txn, fixture, artid, size, &meta);
	(void)snprintf(id, sizeof id, "%s", article->message_id);
	meta.message_id = id;
	key = store_key_u64(artid);
	if (rc == 0)
		rc = store_put(txn, STORE_ARTICLE_META, &key, &meta.base);
	entry.artid = artid;
	store_msgid_hash(fixture->f->store, id, strlen(id), hash);
	return rc == 0 ? store_msgid_put(txn, hash, &entry, 1) : rc;
}

uint32_t
fixture_article_add(struct news_fixture *f,
    const struct fixture_article *article)
{
	struct fixture_op op = { .op = { .apply = article_apply },
		.f = f,
		.article = article };

	return store_run(f->store, &op.op) == 0 ? op.number : 0;
}

static int
number_remove_apply(struct store_txn *txn, struct store_op *op)
{
	struct fixture_op *fixture = fixture_op_of(op);

	return store_overview_delete(txn, fixture->id, fixture->number);
}

void
fixture_number_remove(struct news_fixture *f, uint32_t space, uint32_t number)
{
	struct fixture_op op = { .op = { .apply = number_remove_apply },
		.f = f,
		.id = space,
		.number = number };

	(void)store_run(f->store, &op.op);
}

static int
rows_apply(struct store_txn *txn, struct store_op *op)
{
	struct fixture_op *fixture = fixture_op_of(op);
	struct store_overview_row row = { .bytes = 3000,
		.lines = 40,
		.time = NEWS_FIXTURE_NOW };
	char text[512];
	int rc = 0;

	for (unsigned i = 0; i < fixture->count && rc == 0; i++) {
		row.artid = 1000000u + i;
		row.text_len = (size_t)snprintf(text, sizeof text,
		    "\tRe: a subject of the usual length\tSomebody "
		    "<somebody@example.org>\tMon, 16 Nov 2026 10:00:00 +0000\t"
		    "<row.%u.%u@example.org>\t<parent.%u@example.org>\t3000\t40"
		    "\tXref: news.example big:%u\r\n",
		    fixture->number, i, i, fixture->number + i + 1);
		row.text = text;
		rc = store_overview_append(txn, fixture->id, &row);
	}
	return rc;
}

int
fixture_rows_add(struct news_fixture *f, uint32_t space, unsigned count)
{
	struct fixture_op op = { .op = { .apply = rows_apply },
		.f = f,
		.id = space };
	int rc = 0;

	for (unsigned done = 0; done < count && rc == 0; done += op.count) {
		op.count = count - done < 1000 ? count - done : 1000;
		op.number = done;
		rc = store_run(f->store, &op.op);
	}
	return rc;
}

/* ---- clients ---- */

void
client_open(struct news_fixture *f, struct client *client)
{
	news_session_new(f->server, 0, client_connect(client, f->loop), false);
}

void
client_open_socket(struct news_fixture *f, struct client *client,
    bool implicit_tls)
{
	struct stream *theirs = client_connect_socket(client, f->loop,
	    implicit_tls ? f->tls : NULL);

	news_session_new(f->server, 0, theirs, implicit_tls);
}

void
fixture_turn(struct news_fixture *f)
{
	client_settle(f->loop);
}

/* DATE says what has been asked before is answered: the clock may have been
 * moved on, but within its year. */
#define DATE_BEGINS "111 2026"

const char *
client_ask(struct client *client, const char *line)
{
	char *mark;

	buffer_clear(&client->text);
	client_send(client, line);
	client_send(client, "\r\nDATE\r\n");
	(void)client_wait(client, DATE_BEGINS);
	mark = client->text.len == 0
	    ? NULL
	    : memmem(client->text.bytes, client->text.len, DATE_BEGINS,
		  strlen(DATE_BEGINS));
	if (mark != NULL)
		*mark = '\0';
	return buffer_text(&client->text);
}
