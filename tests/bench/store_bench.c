/* store_bench.c - how fast the store writes and reads, without any protocol.
 *
 * store_bench DIRECTORY [SECONDS]: prints operations per second for closed-loop
 * submitters, each operation being a plain article of 3 KB (six rows), beside
 * the floor: append the same bytes and fdatasync once per turn.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/admin.h"
#include "store/article.h"
#include "store/msgid.h"
#include "store/overview.h"
#include "store/sequence.h"

#define ARTICLE_BYTES 3000u

struct bench {
	struct store *store;
	struct store_inbox *inbox;
	uint8_t body[ARTICLE_BYTES];
	uint64_t finished;
	bool stop;
	unsigned under_way;
};

struct post {
	struct store_op op;
	struct bench *bench;
	uint64_t id;
};

static double
now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static double
cpu(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Bytes that this process had written to the disk. */
static double
written(void)
{
	FILE *file = fopen("/proc/self/io", "r");
	char line[128];
	double bytes = 0;

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (strncmp(line, "write_bytes: ", 13) == 0)
			bytes = strtod(line + 13, NULL);
	if (file != NULL)
		fclose(file);
	return bytes;
}

static void
fail(const char *what, int rc)
{
	fprintf(stderr, "store_bench: %s: %s\n", what, strerror(-rc));
	exit(1);
}

static void
text_of(char text[400], uint64_t id)
{
	(void)snprintf(text, 400,
	    "\tRe: the weekly build of the tools, number %llu\t"
	    "Somebody Else <somebody@users.example>\t"
	    "Mon, 02 Feb 2026 10:11:12 +0100\t<%llu.bench@users.example>\t"
	    "<1.bench@users.example> <2.bench@users.example>\t3120\t50\t"
	    "Xref: news.example bench.posts:%llu\r\n",
	    (unsigned long long)id, (unsigned long long)id,
	    (unsigned long long)id);
}

static int
space_apply(struct store_txn *txn, struct store_op *op)
{
	const struct store_space_state state = { .low = 1 };
	struct store_space_state old;

	(void)op;
	if (store_space_state_get(store_txn_reader(txn), 1, &old) == 0)
		return 0;
	return store_space_state_put(txn, 1, &state);
}

static int
post_check(struct store_txn *txn, struct store_op *op)
{
	struct post *post = (struct post *)op;
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	uint8_t hash[STORE_HASH_LEN];

	store_msgid_hash(post->bench->store, (const char *)&post->id,
	    sizeof post->id, hash);
	return store_msgid_get(store_txn_reader(txn), hash, entries);
}

static int
post_apply(struct store_txn *txn, struct store_op *op)
{
	struct post *post = (struct post *)op;
	struct store_article_head head = { .added_len = 120,
		.received_len = ARTICLE_BYTES - 120,
		.header_len = 400 };
	struct store_overview_row row = { .bytes = 3120,
		.lines = 50,
		.time = 1 };
	struct store_msgid_entry entry = { .state = STORE_MSGID_STORED };
	Kith__ArticleMeta meta = KITH__ARTICLE_META__INIT;
	Kith__Placement place = KITH__PLACEMENT__INIT;
	Kith__Placement *places[] = { &place };
	Kith__Event event = KITH__EVENT__INIT;
	char id[64] = "<123456789.bench@users.example>";
	char subject[] = "Re: the weekly build of the tools";
	char from[] = "Somebody Else <somebody@users.example>";
	uint8_t hash[STORE_HASH_LEN];
	struct store_key key;
	char text[400];
	int rc = store_id_next(txn, STORE_ID_ARTICLE, &row.artid);

	text_of(text, post->id);
	row.text = text;
	row.text_len = strlen(text);
	entry.artid = row.artid;
	if (rc == 0)
		rc = store_article_put(txn, row.artid, &head, post->bench->body,
		    post->bench->body + 120);
	if (rc == 0)
		rc = store_overview_append(txn, 1, &row);
	store_msgid_hash(post->bench->store, (const char *)&post->id,
	    sizeof post->id, hash);
	if (rc == 0)
		rc = store_msgid_put(txn, hash, &entry, 1);
	place.space = 1;
	place.number = row.number;
	meta.n_placements = 1;
	meta.placements = places;
	meta.message_id = id;
	meta.subject = subject;
	meta.from = from;
	meta.time = 1700000000;
	meta.thread = 7;
	key = store_key_u64(row.artid);
	if (rc == 0)
		rc = store_put(txn, STORE_ARTICLE_META, &key, &meta.base);
	event.time = 1700000000;
	event.verb = KITH__VERB__VERB_STORED;
	event.artid = row.artid;
	event.space = 1;
	event.number = row.number;
	if (rc == 0)
		rc = store_sequence_append(txn, &event, NULL);
	return rc;
}

static uint64_t next_id;

static void
post_done(struct store_op *op, int result)
{
	struct post *post = (struct post *)op;
	struct bench *bench = post->bench;

	if (result != 0)
		fail("post", result);
	bench->finished++;
	if (bench->stop) {
		bench->under_way--;
		return;
	}
	post->id = ++next_id;
	store_submit(bench->store, op);
}

static double
run_posts(struct bench *bench, unsigned clients, bool bulk, double seconds)
{
	struct post *posts = calloc(clients, sizeof *posts);
	struct pollfd poll_fd = { store_inbox_fd(bench->inbox), POLLIN, 0 };
	double began = now(), cpu_began = cpu(), took;
	double written_began = written();
	struct store_stats before, after;

	store_stats_get(bench->store, &before);
	bench->finished = 0;
	bench->stop = false;
	bench->under_way = clients;
	for (unsigned i = 0; i < clients; i++) {
		posts[i].bench = bench;
		posts[i].id = ++next_id;
		posts[i].op = (struct store_op){ .check = post_check,
			.apply = post_apply,
			.done = post_done,
			.inbox = bench->inbox,
			.bulk = bulk };
		store_submit(bench->store, &posts[i].op);
	}
	while (bench->under_way > 0) {
		(void)poll(&poll_fd, 1, -1);
		bench->stop = now() - began > seconds;
		store_inbox_drain(bench->inbox);
	}
	took = now() - began;
	store_stats_get(bench->store, &after);
	printf("%4u submitters%s: %7.0f articles/s, %5.1f a commit, "
	       "%5.1f us CPU and %5.1f KB written each\n",
	    clients, bulk ? " (bulk)" : "", (double)bench->finished / took,
	    (double)bench->finished / (double)(after.commits - before.commits),
	    (cpu() - cpu_began) * 1e6 / (double)bench->finished,
	    (written() - written_began) / 1024 / (double)bench->finished);
	free(posts);
	return (double)bench->finished / took;
}

static double
run_floor(const char *directory, unsigned turn, double seconds)
{
	char path[4096], bytes[ARTICLE_BYTES + 500];
	double began = now();
	uint64_t count = 0;
	int fd;

	(void)snprintf(path, sizeof path, "%s.floor", directory);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0600);
	if (fd < 0)
		fail("floor", -1);
	memset(bytes, 'x', sizeof bytes);
	while (now() - began < seconds) {
		for (unsigned i = 0; i < turn; i++)
			if (write(fd, bytes, sizeof bytes) < 0)
				fail("write", -1);
		if (fdatasync(fd) != 0)
			fail("fdatasync", -1);
		count += turn;
	}
	close(fd);
	(void)unlink(path);
	printf("%4u a turn, floor: %7.0f articles/s\n", turn,
	    (double)count / (now() - began));
	return (double)count / (now() - began);
}

static void
run_reads(struct bench *bench, double seconds)
{
	struct store_space_state state;
	struct store_block *block;
	struct store_blob *blob;
	struct store_view *view;
	uint64_t rows = 0, articles = 0;
	double began = now();
	int rc;

	if (!store_space_state_published(bench->store, 1, &state))
		fail("state", -2);
	for (uint32_t at = 0; now() - began < seconds; at++) {
		if (at > state.high / STORE_BLOCK_NUMBERS)
			at = 0;
		view = store_view_begin(bench->store);
		rc = store_block_get(store_view_reader(view), 1, at, &block);
		if (rc != 0)
			fail("block", rc);
		rows += store_block_count(block);
		store_block_unref(block);
		store_view_end(&view);
	}
	printf("overview: %.0f rows/s\n", (double)rows / (now() - began));
	began = now();
	for (uint64_t id = 1; now() - began < seconds;
	     id = id * 7919 % state.high + 1) {
		view = store_view_begin(bench->store);
		rc = store_article_part_get(store_view_reader(view), id, 0,
		    &blob);
		if (rc != 0)
			fail("article", rc);
		articles++;
		store_blob_unref(blob);
		store_view_end(&view);
	}
	printf("articles: %.0f/s, a view each\n",
	    (double)articles / (now() - began));
}

static void
bench_fatal(void *arg, const char *why)
{
	(void)arg;
	fprintf(stderr, "store_bench: %s\n", why);
	exit(1);
}

int
main(int argc, char **argv)
{
	struct bench bench = { .stop = false };
	struct store_options options = { .cache_bytes = (size_t)64 << 20,
		.object_cache_bytes = (size_t)32 << 20,
		.fatal = bench_fatal };
	struct store_op op = { .apply = space_apply };
	double seconds = argc > 2 ? atof(argv[2]) : 2;
	double one, many, floor_many;
	struct store_stats stats;
	char *error = NULL;
	int rc;

	if (argc < 2) {
		fprintf(stderr, "usage: store_bench DIRECTORY [SECONDS]\n");
		return 2;
	}
	(void)mkdir(argv[1], 0700);
	options.directory = argv[1];
	rc = store_open(&bench.store, &options, &error);
	if (rc != 0)
		fail(error, rc);
	memset(bench.body, 'x', sizeof bench.body);
	bench.inbox = store_inbox_new();
	next_id = (uint64_t)time(NULL) << 20;
	rc = store_run(bench.store, &op);
	if (rc != 0)
		fail("space", rc);
	(void)run_floor(argv[1], 1, seconds);
	one = run_posts(&bench, 1, false, seconds);
	(void)run_posts(&bench, 8, false, seconds);
	floor_many = run_floor(argv[1], 64, seconds);
	many = run_posts(&bench, 64, false, seconds);
	(void)run_posts(&bench, 64, true, seconds);
	(void)run_posts(&bench, 256, false, seconds);
	printf("64 against 1: %.1f times; against the floor: %.0f %%\n",
	    many / one, 100 * many / floor_many);
	run_reads(&bench, seconds);
	store_stats_get(bench.store, &stats);
	printf("stored: %llu articles\n", (unsigned long long)stats.articles);
	store_close(&bench.store);
	store_inbox_free(&bench.inbox);
	return 0;
}
