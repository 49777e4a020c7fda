/* store_fill.c - a store with very many small articles, for tests/bench/scale.py.
 *
 * store_fill DIRECTORY ARTICLES GROUP HOSTNAME: writes through the store's own
 * functions, kithd being down. The spaces are there already: every second
 * article goes to GROUP, the others to all of the rest, in runs, as they would
 * come in.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/article.h"
#include "store/msgid.h"
#include "store/overview.h"
#include "store/sequence.h"

#define AT_ONCE	   500u /* articles in an operation */
#define RUN	   50u	/* in one space */
#define SPACES_MAX 100000u

struct fill {
	struct store *store;
	const char *group, *hostname;
	uint64_t next, want;
	uint64_t now;
	uint32_t main_space;
	uint32_t *ids;
	char **names;
	size_t count;
};

struct fill_op {
	struct store_op op;
	struct fill *fill;
	uint64_t first;
};

struct one {
	struct fill *fill;
	uint64_t n;
	size_t space;
	uint64_t artid;
	uint32_t number;
	char id[64], subject[64], text[600], overview[600];
	size_t header_len;
};

static void
fail(const char *what, int rc)
{
	fprintf(stderr, "store_fill: %s: %s\n", what, strerror(-rc));
	exit(1);
}

static int
add_space(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	const Kith__Space *space = (const Kith__Space *)(const void *)message;
	struct fill *fill = arg;

	if (fill->count == SPACES_MAX)
		return 1;
	if (strcmp(space->name, fill->group) == 0)
		fill->main_space = (uint32_t)fill->count;
	fill->ids[fill->count] = store_key_get_u32(key, 0);
	fill->names[fill->count++] = strdup(space->name);
	return 0;
}

static void
read_spaces(struct fill *fill)
{
	struct store_view *view = store_view_begin(fill->store);
	int rc;

	fill->ids = calloc(SPACES_MAX, sizeof *fill->ids);
	fill->names = calloc(SPACES_MAX, sizeof *fill->names);
	if (view == NULL || fill->ids == NULL || fill->names == NULL)
		fail("memory", -12);
	rc = store_walk(store_view_reader(view), STORE_SPACES, NULL, NULL,
	    add_space, fill);
	store_view_end(&view);
	if (rc != 0 || fill->count == 0)
		fail("spaces", rc);
}

static void
one_compose(struct one *one)
{
	const char *name = one->fill->names[one->space];

	(void)snprintf(one->id, sizeof one->id, "<%" PRIu64 ".fill@users.example>",
	    one->n);
	(void)snprintf(one->subject, sizeof one->subject,
	    "Number %" PRIu64 " of many", one->n);
	one->header_len = (size_t)snprintf(one->text, sizeof one->text,
	    "From: Somebody Else <somebody@users.example>\r\n"
	    "Newsgroups: %s\r\nSubject: %s\r\nMessage-ID: %s\r\n"
	    "Date: Mon, 02 Feb 2026 10:11:12 +0100\r\n",
	    name, one->subject, one->id);
	(void)snprintf(one->text + one->header_len,
	    sizeof one->text - one->header_len, "\r\nA line of text.\r\n");
}

static int
one_number(struct store_txn *txn, struct one *one, size_t added)
{
	struct store_overview_row row = { .artid = one->artid,
		.lines = 1,
		.time = one->fill->now };
	struct store_space_state state;
	uint32_t space = one->fill->ids[one->space];
	int rc = store_space_state_get(store_txn_reader(txn), space, &state);

	row.bytes = (uint32_t)(added + strlen(one->text));
	(void)snprintf(one->overview, sizeof one->overview,
	    "\t%s\tSomebody Else <somebody@users.example>\t"
	    "Mon, 02 Feb 2026 10:11:12 +0100\t%s\t\t%u\t1\tXref: %s %s:%u\r\n",
	    one->subject, one->id, row.bytes, one->fill->hostname,
	    one->fill->names[one->space], state.high + 1);
	row.text = one->overview;
	row.text_len = strlen(one->overview);
	if (rc == 0)
		rc = store_overview_append(txn, space, &row);
	one->number = row.number;
	return rc;
}

static int
one_meta(struct store_txn *txn, struct one *one)
{
	Kith__ArticleMeta meta = KITH__ARTICLE_META__INIT;
	Kith__Placement place = KITH__PLACEMENT__INIT;
	Kith__Placement *places[] = { &place };
	struct store_key key = store_key_u64(one->artid);
	char from[] = "Somebody Else <somebody@users.example>";
	char address[] = "somebody@users.example";

	place.space = one->fill->ids[one->space];
	place.number = one->number;
	meta.n_placements = 1;
	meta.placements = places;
	meta.message_id = one->id;
	meta.subject = one->subject;
	meta.from = from;
	meta.address = address;
	meta.channel = KITH__CHANNEL__CHANNEL_IMPORT;
	meta.time = one->fill->now;
	meta.thread = one->artid;
	return store_put(txn, STORE_ARTICLE_META, &key, &meta.base);
}

static int
one_store(struct store_txn *txn, struct one *one)
{
	struct store_article_head head = { 0 };
	struct store_msgid_entry entry = { .state = STORE_MSGID_STORED,
		.day = (uint32_t)(one->fill->now / 86400) };
	Kith__Event event = KITH__EVENT__INIT;
	uint8_t hash[STORE_HASH_LEN];
	char added[128];
	int rc = store_id_next(txn, STORE_ID_ARTICLE, &one->artid);

	one_compose(one);
	head.added_len = (uint32_t)snprintf(added, sizeof added,
	    "Path: %s!not-for-mail\r\n", one->fill->hostname);
	head.received_len = (uint32_t)strlen(one->text);
	head.header_len = (uint32_t)one->header_len;
	if (rc == 0)
		rc = store_article_put(txn, one->artid, &head,
		    (const uint8_t *)added, (const uint8_t *)one->text);
	if (rc == 0)
		rc = one_number(txn, one, head.added_len);
	store_msgid_hash(one->fill->store, one->id, strlen(one->id), hash);
	entry.artid = one->artid;
	if (rc == 0)
		rc = store_msgid_put(txn, hash, &entry, 1);
	if (rc == 0)
		rc = one_meta(txn, one);
	event.time = one->fill->now;
	event.verb = KITH__VERB__VERB_STORED;
	event.artid = one->artid;
	event.space = one->fill->ids[one->space];
	event.number = one->number;
	return rc == 0 ? store_sequence_append(txn, &event, NULL) : rc;
}

static int
fill_apply(struct store_txn *txn, struct store_op *op)
{
	struct fill_op *own = (struct fill_op *)(void *)op;
	struct fill *fill = own->fill;
	struct one one = { .fill = fill };
	uint64_t run;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < AT_ONCE; i++) {
		one.n = own->first + i;
		run = one.n / RUN;
		one.space = run % 2 == 0 ? fill->main_space
					 : (size_t)(run / 2 % fill->count);
		rc = one_store(txn, &one);
	}
	return rc;
}

static void
fill_fatal(void *arg, const char *why)
{
	(void)arg;
	fprintf(stderr, "store_fill: %s\n", why);
	exit(1);
}

static void
fill_run(struct fill *fill)
{
	struct fill_op own = { .fill = fill };
	uint64_t stored = 0;
	int rc;

	/* what an earlier run wrote has lower numbers in its Message-IDs */
	own.first = fill->now * 100000;
	own.op.apply = fill_apply;
	for (; stored < fill->want; stored += AT_ONCE, own.first += AT_ONCE) {
		rc = store_run(fill->store, &own.op);
		if (rc != 0)
			fail("write", rc);
		if (stored % 100000 == 0)
			fprintf(stderr, "\r%" PRIu64, stored);
	}
	fprintf(stderr, "\r%" PRIu64 "\n", stored);
	printf("%" PRIu64 " articles, the last is <%" PRIu64
	       ".fill@users.example>\n",
	    stored, own.first - 1);
}

int
main(int argc, char **argv)
{
	struct store_options options = { .cache_bytes = (size_t)512 << 20,
		.fatal = fill_fatal };
	struct fill fill = { .now = (uint64_t)time(NULL) };
	char *error = NULL;
	int rc;

	if (argc != 5) {
		fprintf(stderr,
		    "usage: store_fill DIRECTORY ARTICLES GROUP HOSTNAME\n");
		return 2;
	}
	options.directory = argv[1];
	fill.want = strtoull(argv[2], NULL, 10);
	fill.group = argv[3];
	fill.hostname = argv[4];
	rc = store_open(&fill.store, &options, &error);
	if (rc != 0)
		fail(error == NULL ? "open" : error, rc);
	read_spaces(&fill);
	fill_run(&fill);
	store_close(&fill.store);
	for (size_t i = 0; i < fill.count; i++)
		free(fill.names[i]);
	free(fill.names);
	free(fill.ids);
	return 0;
}
