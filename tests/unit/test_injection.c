/* test_injection.c - what kith asks of an article and says of its way as an
 * injecting, a relaying and a serving agent (RFC 5537 3.5 to 3.7).
 */
#include "tests/unit/flow_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATED(date, from, groups, id, more)                         \
 "From: " from "\nNewsgroups: " groups "\nSubject: a\n" id date more \
 "\nhi\n"
#define NOW  "Date: Fri, 15 Jan 2027 08:00:00 +0000\n"
#define ID(id) "Message-ID: <" id "@y>\n"
#define POST(groups, id, more) DATED(NOW, "x@y.example", groups, ID(id), more)
#define FED(path, groups, id, more) \
 "Path: " path "\n" POST(groups, id, more)

#define ANN "ann@a.example"
#define MOD "mod@a.example"
#define NEAR 1u /* says who it is */
#define FAR  2u

static int
setup(void **state)
{
	int rc = rig_setup(state);
	struct fixture *f = *state;

	rig_do(f,
	    WORDS("space", "add", "a.slow", "--kind", "talk", "--mail", "slow",
		"--post", "anyone", "--moderation", "all"));
	rig_do(f, WORDS("member", "add", ANN));
	rig_do(f, WORDS("member", "add", MOD, "--role", "moderator"));
	rig_do(f,
	    WORDS("peer", "add", "near", "--address", "192.0.2.7", "--spaces",
		"a.*", "--incoming", "--path", "near.example"));
	rig_do(f,
	    WORDS("peer", "add", "far", "--address", "192.0.2.8", "--spaces",
		"a.*", "--incoming"));
	return rc;
}

/* Does the article that was stored say that? */
static bool
says(struct fixture *f, const char *article, const char *text)
{
	return rig_says(f, WORDS("article", "show", article), text);
}

/* ---- posts */

static void
what_a_post_lacks_is_made(void **state)
{
	struct fixture *f = *state;

	rig_is(rig_post(f, NULL, DATED("", "x@y.example", "a.talk", "", "")),
	    REASON_STORED);
	assert_true(says(f, "a.talk:1", "Message-ID: <kith."));
	assert_true(says(f, "a.talk:1", "\nDate: Fri, 15 Jan 2027 08:00:00"));
	assert_true(
	    says(f, "a.talk:1", "Injection-Date: Fri, 15 Jan 2027 08:00:00"));
	assert_true(
	    says(f, "a.talk:1", "Path: news.example!.POSTED!not-for-mail"));
	assert_true(says(f, "a.talk:1", "Injection-Info: news.example;"));
}

/* RFC 5537 3.5: it may have been injected elsewhere too. */
static void
an_injection_date_is_the_posters_or_none(void **state)
{
	struct fixture *f = *state;

	rig_is(rig_post(f, NULL, POST("a.talk", "1", "")), REASON_STORED);
	assert_false(says(f, "a.talk:1", "Injection-Date:"));
	rig_is(rig_post(f, NULL,
		   POST("a.talk", "2",
		       "Injection-Date: Thu, 14 Jan 2027 07:00:00 +0000\n"
		       "Path: elsewhere!someone\n")),
	    REASON_STORED);
	assert_true(says(f, "a.talk:2",
	    "Injection-Date: Thu, 14 Jan 2027 07:00:00 +0000"));
	assert_true(says(f, "a.talk:2",
	    "Path: news.example!.POSTED!elsewhere!someone"));
	rig_is(rig_post(f, NULL,
		   DATED(NOW, "x@y.example", "a.talk", "",
		       "Injection-Date: Thu, 14 Jan 2027 07:00:00 +0000\n")),
	    REASON_BAD_ARTICLE);
}

static void
what_is_dated_beyond_a_day_ahead_is_refused(void **state)
{
	static const char ahead[] = "Date: Sat, 16 Jan 2027 09:00:00 +0000\n";
	struct fixture *f = *state;
	char text[600];

	(void)snprintf(text, sizeof text,
	    "%sPath: a!b\nFrom: x@y.example\nNewsgroups: a.talk\nSubject: a\n"
	    "Message-ID: <1@y>\n\nhi\n",
	    ahead);
	rig_is(rig_post(f, NULL, text), REASON_BAD_ARTICLE);
	rig_is(rig_feed(f, FAR, "<1@y>", text), REASON_BAD_ARTICLE);
	/* for a peer's it is the injection that counts */
	(void)snprintf(text, sizeof text,
	    "%sPath: a!b\nFrom: x@y.example\nNewsgroups: a.talk\nSubject: a\n"
	    "Injection-Date: Fri, 15 Jan 2027 08:00:00 +0000\n"
	    "Message-ID: <2@y>\n\nhi\n",
	    ahead);
	rig_is(rig_feed(f, FAR, "<2@y>", text), REASON_STORED);
	rig_is(rig_feed(f, FAR, "<3@y>",
		   FED("a!b", "a.talk", "3",
		       "Injection-Date: Sat, 16 Jan 2027 09:00:00 +0000\n")),
	    REASON_BAD_ARTICLE);
}

static void
what_is_older_than_the_cutoff_is_refused(void **state)
{
	struct fixture *f = *state;
	const char *old = "Date: Mon, 11 Jan 2027 08:00:00 +0000\n";
	char text[600];

	(void)snprintf(text, sizeof text,
	    "%sPath: a!b\nFrom: x@y.example\nNewsgroups: a.talk\nSubject: a\n"
	    "Message-ID: <1@y>\n\nhi\n",
	    old);
	f->config->history_cutoff = 2;
	rig_is(rig_feed(f, FAR, "<1@y>", text), REASON_TOO_OLD);
	rig_is(rig_post(f, NULL, text), REASON_TOO_OLD);
	f->config->history_cutoff = 4;
	rig_is(rig_feed(f, FAR, "<1@y>", text), REASON_STORED);
	f->config->history_cutoff = 2;
	/* a poster's is three days at least, a peer's counts from injection */
	rig_is(rig_post(f, NULL,
		   DATED("Date: Tue, 12 Jan 2027 09:00:00 +0000\n",
		       "x@y.example", "a.talk", ID("2"), "")),
	    REASON_STORED);
	rig_is(
	    rig_feed(f, FAR, "<3@y>",
		"Injection-Date: Thu, 14 Jan 2027 08:00:00 +0000\nPath: a!b\n" DATED(
		    "Date: Tue, 12 Jan 2027 09:00:00 +0000\n", "x@y.example",
		    "a.talk", ID("3"), "")),
	    REASON_STORED);
	f->config->history_cutoff = 0;
	rig_is(
	    rig_feed(f, FAR, "<4@y>",
		"Path: a!b\n" DATED("Date: Tue, 12 Jan 1999 09:00:00 +0000\n",
		    "x@y.example", "a.talk", ID("4"), "")),
	    REASON_STORED);
}

/* Appends n times before, a number, and after. */
static void
repeat(struct buffer *out, unsigned n, const char *before, const char *after)
{
	for (unsigned i = 0; i < n; i++)
		buffer_printf(out, "%s%u%s", before, i % 10000, after);
}

static void
ten_thousand_newsgroups_or_references_are_refused_by_limit(void **state)
{
	struct fixture *f = *state;
	struct intake_result r;
	struct buffer text;

	for (unsigned peer = 0; peer < 2; peer++) {
		buffer_init(&text, 0);
		buffer_append_text(&text,
		    "Path: a!b\nFrom: x@y.example\nSubject: a\n" NOW ID("1")
		    "Newsgroups: a.talk");
		repeat(&text, 10000, ",\n g", "");
		buffer_append_text(&text, "\n\nhi\n");
		r = peer ? rig_feed(f, FAR, "<1@y>", buffer_text(&text))
			 : rig_post(f, NULL, buffer_text(&text));
		rig_is(r, REASON_BAD_ARTICLE);
		assert_string_equal(r.detail, "the header is too large");
		buffer_fini(&text);
		buffer_init(&text, 0);
		buffer_append_text(&text,
		    "Path: a!b\nFrom: x@y.example\nSubject: a\n" NOW ID("2")
		    "Newsgroups: a.talk");
		repeat(&text, 100, ",g", "");
		buffer_append_text(&text, "\n\nhi\n");
		r = peer ? rig_feed(f, FAR, "<2@y>", buffer_text(&text))
			 : rig_post(f, NULL, buffer_text(&text));
		rig_is(r, REASON_TOO_MANY_SPACES);
		assert_string_equal(r.detail, "at most 64 newsgroups");
		buffer_fini(&text);
		buffer_init(&text, 0);
		buffer_append_text(&text,
		    "Path: a!b\nFrom: x@y.example\nSubject: a\n" NOW ID("3")
		    "Newsgroups: a.talk\nReferences: <r@y>");
		repeat(&text, 1100, "\n <", "@y>");
		buffer_append_text(&text, "\n\nhi\n");
		r = peer ? rig_feed(f, FAR, "<3@y>", buffer_text(&text))
			 : rig_post(f, NULL, buffer_text(&text));
		rig_is(r, REASON_BAD_ARTICLE);
		assert_string_equal(r.detail,
		    "too many Message-IDs in References header");
		buffer_fini(&text);
	}
}

static void
a_body_line_above_998_octets_is_refused_from_a_poster_alone(void **state)
{
	struct fixture *f = *state;
	struct intake_result r;
	struct buffer text;

	buffer_init(&text, 0);
	buffer_append_text(&text, FED("a!b", "a.talk", "1", ""));
	for (unsigned i = 0; i < 999; i++)
		buffer_append_byte(&text, 'x');
	buffer_append_text(&text, "\n");
	r = rig_post(f, NULL, buffer_text(&text));
	rig_is(r, REASON_BAD_ARTICLE);
	assert_string_equal(r.detail, "line above 998 octets in the body");
	rig_is(rig_feed(f, FAR, "<1@y>", buffer_text(&text)), REASON_STORED);
	assert_true(says(f, "<1@y>", "xxxxxxxxxx\r\n"));
	buffer_fini(&text);
}

/* ---- peers */

static void
the_path_tells_how_a_peer_was_known(void **state)
{
	struct fixture *f = *state;

	rig_is(rig_feed(f, NEAR, "<1@y>",
		   FED("NEAR.example!not-for-mail", "a.talk", "1", "")),
	    REASON_STORED);
	assert_true(says(f, "<1@y>",
	    "Path: news.example!!NEAR.example!not-for-mail"));
	rig_is(rig_feed(f, NEAR, "<2@y>",
		   FED("other.example!not-for-mail", "a.talk", "2", "")),
	    REASON_STORED);
	assert_true(says(f, "<2@y>",
	    "Path: news.example!.MISMATCH.near.example!other.example!"));
	rig_is(rig_feed(f, FAR, "<3@y>",
		   FED("far.example!not-for-mail", "a.talk", "3", "")),
	    REASON_STORED);
	assert_true(says(f, "<3@y>",
	    "Path: news.example!.SEEN.192.0.2.7!far.example!not-for-mail"));
}

/* RFC 5537 3.6: the tail, and what stood behind POSTED, are no sites. */
static void
an_article_that_was_here_is_a_loop(void **state)
{
	struct fixture *f = *state;

	rig_is(rig_feed(f, FAR, "<1@y>",
		   FED("far!news.EXAMPLE!.POSTED!not-for-mail", "a.talk", "1",
		       "")),
	    REASON_LOOP);
	rig_is(rig_feed(f, FAR, "<2@y>",
		   FED("far!.POSTED!news.example!x", "a.talk", "2", "")),
	    REASON_STORED);
	rig_is(rig_feed(f, FAR, "<3@y>",
		   FED("far!news.example", "a.talk", "3", "")),
	    REASON_STORED);
}

static void
what_else_a_peers_article_holds_is_kept(void **state)
{
	struct fixture *f = *state;

	rig_is(rig_feed(f, FAR, "<1@y>",
		   FED("far!x", "a.talk", "1",
		       "Xref: far a.talk:1\nExpires: one day\nLines: 1\n"
		       "Injection-Info: far; x=1\nDistribution: de\n"
		       "Archive: perhaps\nFollowup-To: poster\n")),
	    REASON_STORED);
	assert_true(says(f, "<1@y>", "Expires: one day\r\nLines: 1\r\n"
				     "Injection-Info: far; x=1\r\n"
				     "Distribution: de\r\nArchive: perhaps\r\n"
				     "Followup-To: poster\r\n"));
	assert_false(says(f, "<1@y>", "Xref:"));
	assert_false(says(f, "<1@y>", "Cancel-Lock:"));
}

/* ---- moderated newsgroups */

static void
a_peers_article_needs_a_moderators_word(void **state)
{
	struct fixture *f = *state;
	struct intake_result r = rig_feed(f, FAR, "<1@y>",
	    FED("far!x", "a.talk,a.slow", "1", ""));

	rig_is(r, REASON_NOT_ALLOWED);
	assert_string_equal(r.detail,
	    "a.slow is moderated, and there is no Approved header");
	rig_is(rig_feed(f, FAR, "<2@y>",
		   FED("far!x", "a.talk,a.slow", "2",
		       "Approved: m@far.example\n")),
	    REASON_STORED);
}

static void
what_a_moderator_posts_goes_straight_through(void **state)
{
	struct fixture *f = *state;

	rig_is(rig_post(f, MOD, POST("a.slow", "1", "")), REASON_STORED);
	assert_true(says(f, "<1@y>", "Approved: " MOD));
	rig_is(rig_post(f, MOD,
		   POST("a.slow", "2", "Approved: us@a.example\n")),
	    REASON_STORED);
	assert_true(says(f, "<2@y>", "Approved: us@a.example"));
	assert_false(says(f, "<2@y>", "Approved: " MOD));
	rig_is(rig_post(f, ANN, POST("a.slow", "3", "Approved: " ANN "\n")),
	    REASON_BAD_ARTICLE);
	rig_is(rig_post(f, ANN, POST("a.talk", "4", "Approved: " ANN "\n")),
	    REASON_BAD_ARTICLE);
	rig_is(rig_post(f, ANN, POST("a.slow", "5", "")), REASON_HELD);
}

/* RFC 5537 3.5: id and date are made before it goes to the moderator. */
static void
what_is_released_has_the_id_and_date_it_was_held_with(void **state)
{
	struct fixture *f = *state;
	char *held, *id;

	rig_is(rig_post(f, ANN, DATED("", "x@y.example", "a.slow", "", "")),
	    REASON_HELD);
	held = rig_ask(f, WORDS("held", "list"));
	id = strstr(held, "<kith.");
	assert_non_null(id);
	*strchr(id, '>') = '\0';
	clock_advance(f->clock, 86400);
	rig_do(f, WORDS("held", "release", "1"));
	assert_true(says(f, "a.slow:1", id));
	free(held);
	assert_true(says(f, "a.slow:1", "\nDate: Fri, 15 Jan 2027 08:00:00"));
	assert_true(
	    says(f, "a.slow:1", "Injection-Date: Sat, 16 Jan 2027 08:00:00"));
}

/* 3.5.1: of the leftmost moderated one. */
static void
a_crosspost_goes_to_the_moderators_of_the_moderated_space(void **state)
{
	struct fixture *f = *state;

	rig_do(f, WORDS("member", "add", "slow@a.example"));
	rig_do(f, WORDS("space", "set", "a.slow", "--moderator",
		       "slow@a.example"));
	rig_is(rig_post(f, ANN, POST("a.talk,a.slow", "1", "")), REASON_HELD);
	fixture_settle(f);
	assert_non_null(rig_mail_to(f, "slow@a.example"));
	assert_true(rig_says(f, WORDS("held", "show", "1"), "a.talk"));
	rig_do(f, WORDS("held", "release", "1"));
	assert_int_equal(rig_count(f, "a.talk"), 1);
	assert_int_equal(rig_count(f, "a.slow"), 1);
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_a_post_lacks_is_made),
		TEST(an_injection_date_is_the_posters_or_none),
		TEST(what_is_dated_beyond_a_day_ahead_is_refused),
		TEST(what_is_older_than_the_cutoff_is_refused),
		TEST(ten_thousand_newsgroups_or_references_are_refused_by_limit),
		TEST(
		    a_body_line_above_998_octets_is_refused_from_a_poster_alone),
		TEST(the_path_tells_how_a_peer_was_known),
		TEST(an_article_that_was_here_is_a_loop),
		TEST(what_else_a_peers_article_holds_is_kept),
		TEST(a_peers_article_needs_a_moderators_word),
		TEST(what_a_moderator_posts_goes_straight_through),
		TEST(what_is_released_has_the_id_and_date_it_was_held_with),
		TEST(a_crosspost_goes_to_the_moderators_of_the_moderated_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
