/* test_retention.c - articles end: by age, by count, by their own header, by
 * size before they begin.
 */
#include "tests/unit/flow_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/dot.h"
#include "store/admin.h"
#include "store/msgid.h"
#include "store/overview.h"
#include "store/sequence.h"

#define DAY 86400u

static int
setup(void **state)
{
	int rc = rig_setup(state);

	rig_do(*state,
	    WORDS("space", "add", "a.more", "--kind", "talk", "--mail", "more",
		"--post", "anyone"));
	return rc;
}

/* extra: header lines with their LF, or "". */
static void
article_text(char text[600], const char *groups, unsigned n, const char *extra)
{
	(void)snprintf(text, 600,
	    "From: x@y.example\nNewsgroups: %s\nSubject: a\n"
	    "Message-ID: <%u@y>\n%s\nnumber %u\n",
	    groups, n, extra, n);
}

static void
post(struct fixture *f, const char *groups, unsigned n, const char *extra)
{
	char text[600];

	article_text(text, groups, n, extra);
	assert_int_equal(rig_post(f, NULL, text).reason, REASON_STORED);
}

/* Time passes, and what is due is done. */
static void
days_pass(struct fixture *f, unsigned days)
{
	clock_advance(f->clock, (uint64_t)days * DAY);
	community_run_timers(f->community, NULL, NULL);
	fixture_settle(f);
}

static struct store_space_state
state_of(struct fixture *f, const char *name)
{
	struct space *space =
	    spaces_by_name(community_spaces(f->community), span_of(name));
	struct store_space_state state = { 0 };

	assert_non_null(space);
	assert_true(
	    store_space_state_published(f->store, space->id, &state));
	space_unref(space);
	return state;
}

static void
assert_marks(struct fixture *f, const char *name, uint32_t count, uint32_t low,
    uint32_t high)
{
	struct store_space_state state = state_of(f, name);

	assert_int_equal(state.count, count);
	assert_int_equal(state.low, low);
	assert_int_equal(state.high, high);
}

static void
fault(void *arg, const char *text)
{
	(void)arg;
	fail_msg("check: %s", text);
}

static void
assert_sound(struct fixture *f)
{
	uint64_t rows;

	assert_int_equal(store_check(f->store, fault, NULL, &rows), 0);
}

static unsigned
count_articles(struct fixture *f)
{
	struct store_stats stats;

	store_stats_get(f->store, &stats);
	return (unsigned)stats.articles;
}

/* ---- age */

static void
nothing_expires_unless_it_is_asked_for(void **state)
{
	post(*state, "a.talk", 1, "Expires: Sat, 16 Jan 2027 08:00:00 +0000\n");
	days_pass(*state, 3650);
	assert_marks(*state, "a.talk", 1, 1, 1);
}

static void
articles_go_at_their_age_and_the_low_mark_follows(void **state)
{
	struct fixture *f = *state;

	rig_do(f, WORDS("space", "set", "a.talk", "--expire-after", "10"));
	post(f, "a.talk", 1, "");
	days_pass(f, 4);
	post(f, "a.talk", 2, "");
	days_pass(f, 5);
	assert_marks(f, "a.talk", 2, 1, 2);
	days_pass(f, 1);
	assert_marks(f, "a.talk", 1, 2, 2);
	days_pass(f, 4);
	/* RFC 3977 6.1.1.2: empty, and numbers go on */
	assert_marks(f, "a.talk", 0, 3, 2);
	assert_int_equal(count_articles(f), 0);
	fixture_reopen(f);
	assert_marks(f, "a.talk", 0, 3, 2);
	post(f, "a.talk", 3, "");
	assert_marks(f, "a.talk", 1, 3, 3);
	assert_sound(f);
}

static void
more_than_one_slice_goes_in_one_run(void **state)
{
	struct fixture *f = *state;

	rig_do(f, WORDS("space", "set", "a.talk", "--expire-after", "1"));
	for (unsigned n = 1; n <= 100; n++)
		post(f, "a.talk", n, "");
	clock_advance(f->clock, DAY / 2);
	post(f, "a.talk", 101, "");
	clock_advance(f->clock, DAY / 2);
	days_pass(f, 0);
	assert_marks(f, "a.talk", 1, 101, 101);
	assert_sound(f);
}

static void
a_shorter_life_is_applied_at_once(void **state)
{
	struct fixture *f = *state;

	rig_do(f, WORDS("space", "set", "a.talk", "--expire-after", "100"));
	post(f, "a.talk", 1, "");
	days_pass(f, 50);
	assert_marks(f, "a.talk", 1, 1, 1);
	rig_do(f, WORDS("space", "set", "a.talk", "--expire-after", "50"));
	days_pass(f, 0);
	assert_marks(f, "a.talk", 0, 2, 1);
}

/* ---- count */

static void
the_oldest_above_the_count_go(void **state)
{
	struct fixture *f = *state;

	rig_do(f, WORDS("space", "set", "a.talk", "--expire-count", "5"));
	for (unsigned n = 1; n <= 80; n++)
		post(f, "a.talk", n, "");
	days_pass(f, 0);
	assert_marks(f, "a.talk", 5, 76, 80);
	post(f, "a.talk", 81, "");
	days_pass(f, 0);
	assert_marks(f, "a.talk", 5, 77, 81);
	rig_do(f, WORDS("space", "set", "a.talk", "--expire-count", "0"));
	post(f, "a.talk", 82, "");
	days_pass(f, 100);
	assert_marks(f, "a.talk", 6, 77, 82);
	assert_sound(f);
}

/* ---- the header */

static void
an_expires_header_ends_an_article_where_it_is_obeyed(void **state)
{
	struct fixture *f = *state;

	rig_do(f, WORDS("space", "set", "a.talk", "--expire-header", "yes"));
	post(f, "a.talk", 1, "");
	post(f, "a.talk,a.more", 2,
	    "Expires: Tue, 19 Jan 2027 08:00:00 +0000\n");
	/* a poster would be told: RFC 5536 3.2.5 */
	assert_int_equal(
	    rig_import(f, "a.talk",
		"From: x@y.example\nSubject: s\nMessage-ID: <3@y>\n"
		"Date: Fri, 15 Jan 2027 08:00:00 +0000\n"
		"Expires: whenever you like\n\nhi\n")
		.reason,
	    REASON_STORED);
	post(f, "a.talk", 4, "Expires: Sun, 17 Jan 2027 08:00:00 +0000\n");
	days_pass(f, 1);
	assert_marks(f, "a.talk", 4, 1, 4);
	days_pass(f, 1);
	assert_marks(f, "a.talk", 3, 1, 4);
	days_pass(f, 2);
	assert_marks(f, "a.talk", 2, 1, 4);
	/* a crosspost lives as long as one placement does */
	assert_marks(f, "a.more", 1, 1, 1);
	assert_int_equal(count_articles(f), 3);
	assert_sound(f);
	rig_do(f, WORDS("space", "set", "a.more", "--expire-header", "yes"));
	days_pass(f, 0);
	assert_marks(f, "a.more", 0, 2, 1);
	assert_int_equal(count_articles(f), 2);
	assert_sound(f);
}

static void
the_age_of_a_space_bounds_the_header(void **state)
{
	struct fixture *f = *state;

	rig_do(f,
	    WORDS("space", "set", "a.talk", "--expire-header", "yes",
		"--expire-after", "3"));
	post(f, "a.talk", 1, "Expires: Sun, 17 Jan 2038 08:00:00 +0000\n");
	days_pass(f, 3);
	assert_marks(f, "a.talk", 0, 2, 1);
	assert_sound(f);
}

/* ---- what is remembered */

static unsigned
entries_of(struct fixture *f, const char *id, enum store_msgid_state *state_r)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	struct store_view *view = store_view_begin(f->store);
	uint8_t hash[STORE_HASH_LEN];
	int count;

	store_msgid_hash(f->store, id, strlen(id), hash);
	count = store_msgid_get(store_view_reader(view), hash, entries);
	store_view_end(&view);
	assert_true(count >= 0);
	if (count > 0)
		*state_r = entries[0].state;
	return (unsigned)count;
}

static void
an_expired_id_is_remembered_and_then_forgotten(void **state)
{
	struct fixture *f = *state;
	enum store_msgid_state seen;
	char text[600];

	rig_do(f, WORDS("space", "set", "a.talk", "--expire-after", "10"));
	article_text(text, "a.talk", 1,
	    "Date: Fri, 15 Jan 2027 08:00:00 +0000\n");
	assert_int_equal(rig_post(f, NULL, text).reason, REASON_STORED);
	days_pass(f, 10);
	assert_int_equal(count_articles(f), 0);
	assert_int_equal(entries_of(f, "<1@y>", &seen), 1);
	assert_int_equal(seen, STORE_MSGID_EXPIRED);
	assert_int_equal(rig_post(f, NULL, text).reason, REASON_DUPLICATE);
	days_pass(f, 90);
	assert_int_equal(entries_of(f, "<1@y>", &seen), 1);
	days_pass(f, 1);
	assert_int_equal(entries_of(f, "<1@y>", &seen), 0);
	assert_int_equal(rig_post(f, NULL, text).reason, REASON_STORED);
	assert_sound(f);
}

struct verbs {
	unsigned expired, removed;
};

static int
count_verb(void *arg, uint64_t seq, const Kith__Event *event)
{
	struct verbs *verbs = arg;

	(void)seq;
	verbs->expired += event->verb == KITH__VERB__VERB_EXPIRED;
	verbs->removed += event->verb == KITH__VERB__VERB_REMOVED;
	return 0;
}

static void
the_sequence_tells_expiry_from_removal(void **state)
{
	struct fixture *f = *state;
	struct verbs verbs = { 0 };
	struct store_view *view;

	rig_do(f, WORDS("space", "set", "a.talk", "--expire-after", "10"));
	post(f, "a.talk", 1, "");
	post(f, "a.talk", 2, "");
	rig_do(f, WORDS("article", "remove", "a.talk:1"));
	days_pass(f, 10);
	view = store_view_begin(f->store);
	assert_int_equal(store_sequence_walk(store_view_reader(view), 1,
			     count_verb, &verbs),
	    0);
	store_view_end(&view);
	assert_int_equal(verbs.removed, 1);
	assert_int_equal(verbs.expired, 1);
}

/* ---- tickets */

static void
articles_of_a_ticket_stay_until_it_is_solved(void **state)
{
	const char *const to[] = { "help@lists.example", NULL };
	struct fixture *f = *state;
	struct intake_reply reply;

	rig_do(f,
	    WORDS("space", "add", "a.help", "--kind", "support", "--mail",
		"help", "--expire-after", "10", "--expire-count", "1"));
	for (unsigned i = 0; i < 2; i++)
		rig_mail(f, "c@y.example", to,
		    i == 0
			? "From: c@y.example\nTo: help@lists.example\n"
			  "Subject: one\nMessage-ID: <1@c>\n\nhelp\n"
			: "From: c@y.example\nTo: help@lists.example\n"
			  "Subject: two\nMessage-ID: <2@c>\n\nhelp\n",
		    &reply);
	days_pass(f, 30);
	assert_marks(f, "a.help", 2, 1, 2);
	rig_do(f, WORDS("ticket", "set", "2", "--status", "solved"));
	days_pass(f, 1);
	assert_marks(f, "a.help", 1, 1, 2);
	rig_do(f, WORDS("ticket", "show", "2"));
	rig_do(f, WORDS("ticket", "set", "1", "--status", "solved"));
	days_pass(f, 1);
	assert_marks(f, "a.help", 0, 3, 2);
	rig_do(f, WORDS("ticket", "show", "1"));
	assert_sound(f);
}

/* ---- size */

static void
a_space_has_its_own_limit_of_size(void **state)
{
	const char *const to[] = { "talk@lists.example", "more@lists.example",
		NULL };
	struct fixture *f = *state;
	struct intake_reply replies[2];
	struct intake_result result;
	char text[600];

	rig_do(f, WORDS("space", "set", "a.talk", "--max-size", "200"));
	post(f, "a.talk", 1, "");
	article_text(text, "a.talk", 2,
	    "X-Long: 0123456789012345678901234567890123456789012345678901234567"
	    "89012345678901234567890123456789012345678901234567890123456789\n");
	result = rig_post(f, NULL, text);
	assert_int_equal(result.reason, REASON_TOO_LARGE);
	assert_string_equal(result.detail, "the limit here is 200 octets");
	assert_int_equal(rig_import(f, "a.talk", text).reason,
	    REASON_TOO_LARGE);
	rig_mail(f, "x@y.example", to, text, replies);
	assert_int_equal(replies[0].code, 552);
	assert_non_null(strstr(replies[0].text, "5.3.4"));
	assert_int_equal(replies[1].code, 250);
	assert_marks(f, "a.talk", 1, 1, 1);
	rig_do(f, WORDS("space", "set", "a.talk", "--max-size", "0"));
	assert_int_equal(rig_post(f, NULL, text).reason, REASON_DUPLICATE);
	article_text(text, "a.talk", 3,
	    "X-Long: 0123456789012345678901234567890123456789012345678901234567"
	    "89012345678901234567890123456789012345678901234567890123456789\n");
	assert_int_equal(rig_post(f, NULL, text).reason, REASON_STORED);
}

/* ---- peers */

struct feeding {
	bool done;
	struct intake_result result;
};

static void
fed(void *arg, const struct intake_result *result)
{
	struct feeding *feeding = arg;

	feeding->result = *result;
	feeding->done = true;
}

static enum reason
feed(struct fixture *f, const char *groups, unsigned n, const char *date)
{
	struct intake_news news = { .channel = KITH__CHANNEL__CHANNEL_PEER,
		.identity.peer = 1,
		.client = "127.0.0.1",
		.inbox = f->inbox };
	struct feeding feeding = { 0 };
	struct buffer wire;
	char text[600], extra[100];

	(void)snprintf(extra, sizeof extra, "Path: p!not-for-mail\nDate: %s\n",
	    date);
	article_text(text, groups, n, extra);
	buffer_init(&wire, 0);
	dot_from_file(&wire, span_of(text), &news.facts);
	news.bytes = buffer_take(&wire, &news.len);
	intake_news(f->community, &news, fed, &feeding);
	fixture_wait(f, &feeding.done);
	return feeding.result.reason;
}

static void
a_peer_cannot_bring_back_what_would_have_expired(void **state)
{
	static const char old[] = "Fri, 01 Jan 2027 08:00:00 +0000";
	static const char fresh[] = "Thu, 14 Jan 2027 08:00:00 +0000";
	struct fixture *f = *state;

	rig_do(f,
	    WORDS("peer", "add", "p", "--address", "127.0.0.9", "--incoming"));
	rig_do(f, WORDS("space", "set", "a.talk", "--expire-after", "10"));
	assert_int_equal(feed(f, "a.talk", 1, old), REASON_TOO_OLD);
	assert_int_equal(feed(f, "a.talk", 2, fresh), REASON_STORED);
	/* it goes where it still is of use */
	assert_int_equal(feed(f, "a.talk,a.more", 3, old), REASON_STORED);
	assert_marks(f, "a.talk", 1, 1, 1);
	assert_marks(f, "a.more", 1, 1, 1);
	assert_sound(f);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_expires_unless_it_is_asked_for),
		TEST(articles_go_at_their_age_and_the_low_mark_follows),
		TEST(more_than_one_slice_goes_in_one_run),
		TEST(a_shorter_life_is_applied_at_once),
		TEST(the_oldest_above_the_count_go),
		TEST(an_expires_header_ends_an_article_where_it_is_obeyed),
		TEST(the_age_of_a_space_bounds_the_header),
		TEST(an_expired_id_is_remembered_and_then_forgotten),
		TEST(the_sequence_tells_expiry_from_removal),
		TEST(articles_of_a_ticket_stay_until_it_is_solved),
		TEST(a_space_has_its_own_limit_of_size),
		TEST(a_peer_cannot_bring_back_what_would_have_expired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
