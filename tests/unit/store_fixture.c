/* store_fixture.c - what the store's tests share.
 */
#include "tests/unit/store_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
fixture_log(void *arg, enum store_log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)line;
}

static void
fixture_fatal(void *arg, const char *why)
{
	(void)arg;
	fprintf(stderr, "fatal: %s\n", why);
	_exit(3);
}

void
fixture_remove(const char *directory)
{
	char path[512];
	const struct dirent *entry;
	DIR *dir = opendir(directory);

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		(void)snprintf(path, sizeof path, "%s/%s", directory,
		    entry->d_name);
		(void)unlink(path);
	}
	closedir(dir);
	(void)rmdir(directory);
}

bool
fixture_fd_has(int fd, const char *part)
{
	char link[64], path[512];
	ssize_t len;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof path - 1);
	if (len < 0)
		return false;
	path[len] = '\0';
	return strstr(path, part) != NULL;
}

static void
fixture_open(struct fixture *fixture)
{
	char *error;
	int rc = store_open(&fixture->store, &fixture->options, &error);

	if (rc != 0)
		fail_msg("store_open: %s", error);
}

int
fixture_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	assert_non_null(fixture);
	(void)snprintf(fixture->directory, sizeof fixture->directory,
	    "/tmp/kith-store-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	fixture->options = (struct store_options){
		.directory = fixture->directory,
		.cache_bytes = (size_t)16 << 20,
		.object_cache_bytes = (size_t)8 << 20,
		.log_file_bytes = (size_t)2 << 20,
		.segment_bytes = (size_t)256 << 10,
		.young_ids = 16,
		.log = fixture_log,
		.fatal = fixture_fatal,
	};
	fixture_open(fixture);
	*state = fixture;
	return 0;
}

void
fixture_reopen(struct fixture *fixture)
{
	store_close(&fixture->store);
	fixture_open(fixture);
}

int
fixture_teardown(void **state)
{
	struct fixture *fixture = *state;

	store_close(&fixture->store);
	fixture_remove(fixture->directory);
	free(fixture);
	return 0;
}

static int
call_apply(struct store_txn *txn, struct store_op *op)
{
	struct call *call = (struct call *)op;

	call->ran++;
	return call->fn(txn, call->arg);
}

static void
call_done(struct store_op *op, int result)
{
	struct call *call = (struct call *)op;

	call->result = result;
	call->done++;
}

void
call_init(struct call *call, int (*fn)(struct store_txn *txn, void *arg),
    void *arg)
{
	memset(call, 0, sizeof *call);
	call->op.apply = call_apply;
	call->op.done = call_done;
	call->fn = fn;
	call->arg = arg;
}

int
fixture_run(struct fixture *fixture,
    int (*fn)(struct store_txn *txn, void *arg), void *arg)
{
	struct call call;

	call_init(&call, fn, arg);
	return store_run(fixture->store, &call.op);
}

static void
fault_print(void *arg, const char *fault)
{
	(void)arg;
	print_error("%s\n", fault);
}

void
fixture_is_sound(struct fixture *fixture)
{
	uint64_t rows;

	assert_int_equal(
	    store_check(fixture->store, fault_print, NULL, &rows), 0);
}

unsigned
fixture_rows(struct fixture *fixture, enum store_file file)
{
	struct store_view *view = store_view_begin(fixture->store);
	struct store_cursor cursor;
	unsigned count = 0;
	int rc = store_cursor_open(&cursor, store_view_reader(view), file);

	for (rc = store_cursor_seek(&cursor, NULL, 0); rc == 0;
	     rc = store_cursor_next(&cursor))
		count++;
	assert_int_equal(rc, -ENOENT);
	store_cursor_close(&cursor);
	store_view_end(&view);
	return count;
}

static int
space_put(struct store_txn *txn, void *arg)
{
	const struct store_space_state state = { .low = 1 };

	return store_space_state_put(txn, *(const uint32_t *)arg, &state);
}

void
fixture_space(struct fixture *fixture, uint32_t space)
{
	assert_int_equal(fixture_run(fixture, space_put, &space), 0);
}

/* ---- samples ---------------------------------------------------------- */

void
sample_message_id(char id[64], uint64_t artid)
{
	(void)snprintf(id, 64, "<%llu@test.example>",
	    (unsigned long long)artid);
}

static int
sample_article(struct store_txn *txn, const struct sample *sample)
{
	struct store_article_head head = { .added_len = 20 };
	size_t len = sample->body_len == 0 ? 700 : sample->body_len;
	uint8_t *bytes = malloc(len + 20);
	int rc;

	if (bytes == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < len + 20; i++)
		bytes[i] = (uint8_t)('a' + (sample->artid + i) % 26);
	head.received_len = (uint32_t)len;
	rc = store_article_put(txn, sample->artid, &head, bytes, bytes + 20);
	free(bytes);
	return rc;
}

static int
sample_meta(struct store_txn *txn, const struct sample *sample, char *id)
{
	Kith__ArticleMeta meta = KITH__ARTICLE_META__INIT;
	Kith__Placement place = KITH__PLACEMENT__INIT;
	Kith__Placement *places[] = { &place };
	struct store_key key = store_key_u64(sample->artid);

	place.space = sample->space;
	place.number = sample->number;
	meta.n_placements = 1;
	meta.placements = places;
	meta.message_id = id;
	return store_put(txn, STORE_ARTICLE_META, &key, &meta.base);
}

int
sample_put(struct store_txn *txn, void *arg)
{
	struct sample *sample = arg;
	struct store_overview_row row = { .bytes = 100, .lines = 7 };
	struct store_msgid_entry entry = { .state = STORE_MSGID_STORED };
	Kith__Event event = KITH__EVENT__INIT;
	uint8_t hash[STORE_HASH_LEN];
	char id[64], text[128];
	int rc = store_id_next(txn, STORE_ID_ARTICLE, &sample->artid);

	sample_message_id(id, sample->artid);
	(void)snprintf(text, sizeof text, "\tSubject\tFrom\t%s\r\n", id);
	row.artid = entry.artid = sample->artid;
	row.time = sample->time;
	row.text = text;
	row.text_len = strlen(text);
	if (rc == 0)
		rc = sample_article(txn, sample);
	if (rc == 0)
		rc = store_overview_append(txn, sample->space, &row);
	sample->number = row.number;
	store_msgid_hash(txn->reader.store, id, strlen(id), hash);
	if (rc == 0)
		rc = store_msgid_put(txn, hash, &entry, 1);
	if (rc == 0)
		rc = sample_meta(txn, sample, id);
	event.verb = KITH__VERB__VERB_STORED;
	event.artid = sample->artid;
	event.space = sample->space;
	event.number = sample->number;
	if (rc == 0)
		rc = store_sequence_append(txn, &event, &sample->seq);
	return rc;
}

int
sample_delete(struct store_txn *txn, void *arg)
{
	const struct sample *sample = arg;
	struct store_key key = store_key_u64(sample->artid);
	uint8_t hash[STORE_HASH_LEN];
	char id[64];
	int rc = store_article_delete(txn, sample->artid);

	sample_message_id(id, sample->artid);
	store_msgid_hash(txn->reader.store, id, strlen(id), hash);
	if (rc == 0)
		rc = store_overview_delete(txn, sample->space, sample->number);
	if (rc == 0)
		rc = store_msgid_put(txn, hash, NULL, 0);
	if (rc == 0)
		rc = store_delete(txn, STORE_ARTICLE_META, &key);
	return rc;
}
