/* test_threads.c - which thread an article joins, and what the writer does for it.
 */
#include "tests/unit/flow_rig.h"

#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "daemon/community/meta.h"
#include "protocol/buffer.h"
#include "store/msgid.h"

/* ---- the writer's searches are counted (linked with --wrap) */

static unsigned searches;

int __real_store_msgid_get(struct store_reader *reader,
    const uint8_t hash[STORE_HASH_LEN],
    struct store_msgid_entry entries_r[STORE_MSGID_MAX]);
int __wrap_store_msgid_get(struct store_reader *reader,
    const uint8_t hash[STORE_HASH_LEN],
    struct store_msgid_entry entries_r[STORE_MSGID_MAX]);

int
__wrap_store_msgid_get(struct store_reader *reader,
    const uint8_t hash[STORE_HASH_LEN],
    struct store_msgid_entry entries_r[STORE_MSGID_MAX])
{
	if (store_reader_version(reader) == 0)
		searches++;
	return __real_store_msgid_get(reader, hash, entries_r);
}

/* ---- posts, one waiting for another */

struct post {
	bool done;
	struct intake_result result;
};

static void
post_done(void *arg, const struct intake_result *result)
{
	struct post *post = arg;

	post->result = *result;
	post->done = true;
}

static void
post_start(struct fixture *f, struct post *post, const char *id,
    const char *references)
{
	struct intake_news news = { .channel = KITH__CHANNEL__CHANNEL_POST,
		.client = "127.0.0.1",
		.inbox = f->inbox };
	struct buffer wire;

	*post = (struct post){ .done = false };
	buffer_init(&wire, 0);
	buffer_printf(&wire,
	    "From: a@y.example\r\nNewsgroups: a.talk\r\nSubject: %s\r\n"
	    "Message-ID: %s\r\n%s%s%s\r\n%s\r\n",
	    id, id, references[0] == '\0' ? "" : "References: ", references,
	    references[0] == '\0' ? "" : "\r\n", id);
	dot_examine(buffer_span(&wire), &news.facts);
	news.bytes = buffer_take(&wire, &news.len);
	intake_news(f->community, &news, post_done, post);
}

/* Waits for the post; root may be itself. */
static void
is_in_thread(struct fixture *f, struct post *post, const struct post *root)
{
	struct store_view *view;
	Kith__ArticleMeta *meta;

	fixture_wait(f, &post->done);
	rig_is(post->result, REASON_STORED);
	view = store_view_begin(f->store);
	assert_int_equal(meta_get(store_view_reader(view), post->result.artid,
			     &meta),
	    0);
	assert_int_equal(meta->thread, root->result.artid);
	kith__article_meta__free_unpacked(meta, NULL);
	store_view_end(&view);
}

/* Holds the writer until it is released. */
struct gate {
	struct store_op op;
	sem_t open;
};

static int
gate_apply(struct store_txn *txn, struct store_op *op)
{
	(void)txn;
	return sem_wait(&((struct gate *)(void *)op)->open);
}

static void
gate_close(struct fixture *f, struct gate *gate)
{
	*gate = (struct gate){ .op.apply = gate_apply };
	assert_int_equal(sem_init(&gate->open, 0, 0), 0);
	store_submit(f->store, &gate->op);
}

static void
references_unknown(struct buffer *references, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		buffer_printf(references, "%s<nobody.%u@y>", i == 0 ? "" : " ",
		    i);
}

/* What it costs without any; the article is <root@y>. */
static unsigned
searches_of_root(struct fixture *f, struct post *root)
{
	searches = 0;
	post_start(f, root, "<root@y>", "");
	is_in_thread(f, root, root);
	return searches;
}

/* ---- */

static void
unknown_references_cost_the_writer_no_more_than_two_searches(void **state)
{
	struct fixture *f = *state;
	struct buffer references;
	struct post root, post;
	unsigned least = searches_of_root(f, &root);

	buffer_init(&references, 0);
	references_unknown(&references, 20);
	searches = 0;
	post_start(f, &post, "<reply@y>", buffer_text(&references));
	is_in_thread(f, &post, &post);
	if (searches > least + 2)
		fail_msg("%u searches, %u without References", searches, least);
	buffer_fini(&references);
}

static void
a_parent_that_is_known_costs_the_writer_none(void **state)
{
	struct fixture *f = *state;
	struct post root, reply;
	unsigned least = searches_of_root(f, &root);

	searches = 0;
	post_start(f, &reply, "<reply@y>", "<nobody@y> <nil@y> <root@y>");
	is_in_thread(f, &reply, &root);
	assert_int_equal(searches, least);
}

static void
an_ancestor_is_found_behind_unknown_ones(void **state)
{
	struct fixture *f = *state;
	struct buffer references;
	struct post root, reply;

	post_start(f, &root, "<root@y>", "");
	is_in_thread(f, &root, &root);
	buffer_init(&references, 0);
	buffer_append_text(&references, "<root@y> ");
	references_unknown(&references, 15);
	post_start(f, &reply, "<reply@y>", buffer_text(&references));
	is_in_thread(f, &reply, &root);
	buffer_fini(&references);
}

/* As a peer sends them: all are prepared before the first is stored. */
static void
what_comes_with_its_ancestors_joins_their_thread(void **state)
{
	struct fixture *f = *state;
	struct post root, reply, third, other;
	struct gate gate;

	gate_close(f, &gate);
	post_start(f, &root, "<root@y>", "");
	post_start(f, &reply, "<reply@y>", "<root@y>");
	post_start(f, &third, "<third@y>", "<root@y> <reply@y>");
	post_start(f, &other, "<other@y>", "<root@y> <nobody@y>");
	(void)sem_post(&gate.open);
	is_in_thread(f, &root, &root);
	is_in_thread(f, &reply, &root);
	is_in_thread(f, &third, &root);
	is_in_thread(f, &other, &root);
	(void)sem_destroy(&gate.open);
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, rig_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(unknown_references_cost_the_writer_no_more_than_two_searches),
		TEST(a_parent_that_is_known_costs_the_writer_none),
		TEST(an_ancestor_is_found_behind_unknown_ones),
		TEST(what_comes_with_its_ancestors_joins_their_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
