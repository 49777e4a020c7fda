/* test_withdrawal.c - cancels and Supersedes: whom they obey, what they leave
 * behind, and what nobody learns by them (RFC 5537 5.3, 5.4, RFC 8315).
 */
#include "tests/unit/flow_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/overview.h"
#include "store/sequence.h"

#define HEAD(from, groups, id)                                             \
 "From: " from "\nNewsgroups: " groups "\nSubject: a\nMessage-ID: " id "\n" \
 "Date: Fri, 15 Jan 2027 08:00:00 +0000\n"
#define POST(from, groups, id, more) HEAD(from, groups, id) more "\nhi\n"
#define FED(groups, id, more) \
 "Path: far.example!not-for-mail\n" POST("z@far.example", groups, id, more)
#define CANCEL(id) "Control: cancel " id "\n"

/* RFC 8315 5.1 and 5.3 */
#define LOCK "Cancel-Lock: sha256:s/pmK/3grrz++29ce2/mQydzJuc7iqHn1nqcJiQTPMc=\n"
#define KEY  "Cancel-Key: sha256:qv1VXHYiCGjkX/N1nhfYKcAeUn8bCVhrWhoKuBSnpMA=\n"
#define OLD_LOCK "Cancel-Lock: sha1:bNXHc6ohSmeHaRHHW56BIWZJt+4=\n"
#define OLD_KEY	 "Cancel-Key: ShA1:aaaBBBcccDDDeeeFFF\n"
#define NO_KEY	 "Cancel-Key: sha256:aaaBBBcccDDDeeeFFF\n"

#define ANN  "ann@a.example"
#define BEN  "ben@a.example"
#define MOD  "mod@a.example"
#define BOSS "boss@a.example"
#define NEAR 1u
#define FAR  2u

static int
setup(void **state)
{
	int rc = rig_setup(state);
	struct fixture *f = *state;

	rig_do(f,
	    WORDS("space", "add", "a.more", "--kind", "talk", "--post",
		"anyone"));
	rig_do(f,
	    WORDS("space", "add", "a.slow", "--kind", "talk", "--mail", "slow",
		"--post", "anyone", "--moderation", "all"));
	rig_do(f, WORDS("space", "add", "a.staff", "--kind", "internal"));
	rig_do(f, WORDS("member", "add", ANN));
	rig_do(f, WORDS("member", "add", BEN));
	rig_do(f, WORDS("member", "add", MOD, "--role", "moderator"));
	rig_do(f, WORDS("member", "add", BOSS, "--role", "staff"));
	rig_do(f,
	    WORDS("peer", "add", "near", "--address", "192.0.2.7", "--spaces",
		"a.talk,a.more,a.slow", "--incoming"));
	rig_do(f,
	    WORDS("peer", "add", "far", "--address", "192.0.2.8", "--spaces",
		"a.talk", "--incoming"));
	return rc;
}

static void
post_is(struct fixture *f, const char *login, const char *text,
    enum reason reason)
{
	rig_is(rig_post(f, login, text), reason);
}

static void
feed_is(struct fixture *f, const char *id, const char *text,
    enum reason reason)
{
	rig_is(rig_feed(f, NEAR, id, text), reason);
}

/* ---- what is left behind */

struct cancels {
	unsigned count;
	Kith__Event last;
};

static int
count_cancel(void *arg, uint64_t seq, const Kith__Event *event)
{
	struct cancels *cancels = arg;

	(void)seq;
	if (event->verb == KITH__VERB__VERB_CANCELLED) {
		cancels->count++;
		cancels->last = *event;
	}
	return 0;
}

static struct cancels
cancels_of(struct fixture *f)
{
	struct store_view *view = store_view_begin(f->store);
	struct cancels cancels = { 0 };

	assert_int_equal(store_sequence_walk(store_view_reader(view), 1,
			     count_cancel, &cancels),
	    0);
	store_view_end(&view);
	return cancels;
}

/* Its bytes as they are stored; owned. */
static char *
stored_text(struct fixture *f, uint64_t artid)
{
	struct store_view *view = store_view_begin(f->store);
	struct store_article_head head;
	uint8_t *bytes;
	size_t len;
	char *text;

	assert_int_equal(store_article_get(store_view_reader(view), artid,
			     100000, &head, &bytes, &len),
	    0);
	store_view_end(&view);
	text = strndup((const char *)bytes, len);
	free(bytes);
	return text;
}

static void
store_is_sound(struct fixture *f)
{
	rig_do(f, WORDS("check"));
}

/* ---- who may */

static void
an_author_takes_his_article_away(void **state)
{
	struct fixture *f = *state;
	struct store_space_state numbers;
	struct cancels cancels;
	char *text;

	post_is(f, ANN, POST(ANN, "a.talk,a.more", "<1@y>", ""), REASON_STORED);
	post_is(f, BEN, POST(BEN, "a.talk", "<2@y>", ""), REASON_STORED);
	post_is(f, ANN, POST(ANN, "a.talk", "<c1@y>", CANCEL("<1@y>")),
	    REASON_DONE);
	assert_int_equal(rig_count(f, "a.talk"), 1);
	assert_int_equal(rig_count(f, "a.more"), 0);
	assert_true(store_space_state_published(f->store, 1, &numbers));
	assert_int_equal(numbers.low, 2);
	assert_int_equal(numbers.high, 2);
	/* one event a placement; the message itself is kept for peers, and what
	 * kith locked it opens */
	cancels = cancels_of(f);
	assert_int_equal(cancels.count, 2);
	assert_int_not_equal(cancels.last.object, 0);
	text = stored_text(f, cancels.last.object);
	assert_non_null(strstr(text, "\r\nCancel-Key: sha256:"));
	assert_non_null(strstr(text, "Control: cancel <1@y>\r\n"));
	free(text);
	/* neither comes back, and a second cancel finds nothing */
	post_is(f, ANN, POST(ANN, "a.talk,a.more", "<1@y>", ""),
	    REASON_DUPLICATE);
	post_is(f, ANN, POST(ANN, "a.talk", "<1@y>", "X-Other: yes\n") "more\n",
	    REASON_DUPLICATE);
	post_is(f, ANN, POST(ANN, "a.talk", "<c1@y>", CANCEL("<1@y>")),
	    REASON_DUPLICATE);
	post_is(f, ANN, POST(ANN, "a.talk", "<c2@y>", CANCEL("<1@y>")),
	    REASON_NOT_ALLOWED);
	store_is_sound(f);
}

static void
nobody_else_may(void **state)
{
	struct fixture *f = *state;

	post_is(f, ANN, POST(ANN, "a.talk", "<1@y>", ""), REASON_STORED);
	/* a From header proves nothing */
	post_is(f, NULL, POST(ANN, "a.talk", "<c1@y>", CANCEL("<1@y>")),
	    REASON_NOT_ALLOWED);
	post_is(f, BEN, POST(BEN, "a.talk", "<c2@y>", CANCEL("<1@y>")),
	    REASON_NOT_ALLOWED);
	post_is(f, BEN,
	    POST(BEN, "a.talk", "<c3@y>", "Supersedes: <1@y>\n"),
	    REASON_NOT_ALLOWED);
	post_is(f, BEN,
	    POST(BEN, "a.talk", "<c4@y>", CANCEL("<1@y>") NO_KEY),
	    REASON_NOT_ALLOWED);
	assert_int_equal(rig_count(f, "a.talk"), 1);
	assert_int_equal(cancels_of(f).count, 0);
}

static void
a_moderator_may_in_the_spaces_he_moderates(void **state)
{
	struct fixture *f = *state;

	post_is(f, ANN, POST(ANN, "a.talk", "<1@y>", ""), REASON_STORED);
	post_is(f, MOD, POST(MOD, "a.talk", "<c1@y>", CANCEL("<1@y>")),
	    REASON_DONE);
	assert_int_equal(rig_count(f, "a.talk"), 0);
	/* BEN is asked for a.more alone */
	rig_do(f, WORDS("space", "set", "a.more", "--moderator", BEN));
	post_is(f, ANN, POST(ANN, "a.talk,a.more", "<2@y>", ""), REASON_STORED);
	post_is(f, BEN, POST(BEN, "a.more", "<c2@y>", CANCEL("<2@y>")),
	    REASON_DONE);
	assert_int_equal(rig_count(f, "a.more"), 0);
	assert_int_equal(rig_count(f, "a.talk"), 1);
	store_is_sound(f);
}

static void
who_has_the_key_may(void **state)
{
	static const char *const pairs[][2] = {
		{ POST("x@y.example", "a.talk", "<1@y>", LOCK),
		    POST("q@y.example", "a.talk", "<c1@y>",
			CANCEL("<1@y>") KEY) },
		{ POST("x@y.example", "a.talk", "<2@y>", OLD_LOCK),
		    POST("q@y.example", "a.talk", "<c2@y>",
			CANCEL("<2@y>") OLD_KEY) },
	};

	for (size_t i = 0; i < 2; i++) {
		post_is(*state, NULL, pairs[i][0], REASON_STORED);
		assert_int_equal(rig_count(*state, "a.talk"), 1);
		post_is(*state, NULL, pairs[i][1], REASON_DONE);
		assert_int_equal(rig_count(*state, "a.talk"), 0);
	}
	/* an article that was moved here keeps its locks, a mail has none */
	assert_int_equal(rig_import(*state, "a.talk",
			     POST("x@y.example", "b.talk", "<3@y>", LOCK))
			     .reason,
	    REASON_STORED);
	post_is(*state, NULL,
	    POST("q@y.example", "a.talk", "<c3@y>", CANCEL("<3@y>") KEY),
	    REASON_DONE);
	assert_int_equal(rig_count(*state, "a.talk"), 0);
}

/* RFC 8315 3.2: at most one header, and what the poster put there stays. */
static void
a_posters_locks_are_kept_and_ours_is_added(void **state)
{
	struct fixture *f = *state;
	char *text;

	post_is(f, ANN, POST(ANN, "a.talk", "<1@y>", LOCK), REASON_STORED);
	post_is(f, ANN, POST(ANN, "a.talk", "<2@y>", ""), REASON_STORED);
	text = rig_ask(f, WORDS("article", "show", "<1@y>"));
	assert_non_null(strstr(text,
	    "Cancel-Lock: sha256:s/pmK/3grrz++29ce2/mQydzJuc7iqHn1nqcJiQTPMc="));
	assert_null(strstr(strstr(text, "Cancel-Lock:") + 1, "Cancel-Lock:"));
	assert_non_null(strstr(strstr(text, "s/pmK"), "sha256:"));
	free(text);
	assert_true(rig_says(f, WORDS("article", "show", "<2@y>"),
	    "Cancel-Lock: sha256:"));
}

static void
a_mail_takes_nothing_away(void **state)
{
	const char *const to[] = { "talk@lists.example", NULL };
	struct intake_reply reply;

	post_is(*state, ANN, POST(ANN, "a.talk", "<1@y>", LOCK), REASON_STORED);
	rig_mail(*state, ANN, to,
	    "From: " ANN "\nTo: talk@lists.example\nSubject: a\n"
	    "Message-ID: <m@y>\nDate: Fri, 15 Jan 2027 08:00:00 +0000\n"
	    "Control: cancel <1@y>\nSupersedes: <1@y>\n" KEY "\nhi\n",
	    &reply);
	assert_int_equal(reply.code, 250);
	assert_int_equal(rig_count(*state, "a.talk"), 2);
}

static void
an_admins_cancel_goes_to_peers_too(void **state)
{
	struct fixture *f = *state;
	struct cancels cancels;
	char *text;

	post_is(f, NULL, POST("x@y.example", "a.talk,a.slow", "<1@y>", ""),
	    REASON_HELD);
	rig_do(f, WORDS("held", "release", "1"));
	rig_do(f, WORDS("article", "cancel", "<1@y>"));
	assert_int_equal(rig_count(f, "a.talk"), 0);
	assert_int_equal(rig_count(f, "a.slow"), 0);
	cancels = cancels_of(f);
	assert_int_equal(cancels.count, 2);
	text = stored_text(f, cancels.last.object);
	assert_non_null(strstr(text, "Newsgroups: a.talk,a.slow\r\n"));
	assert_non_null(strstr(text, "Control: cancel <1@y>\r\n"));
	assert_non_null(strstr(text, "Cancel-Key: sha256:"));
	assert_non_null(strstr(text, "Approved: postmaster@lists.example\r\n"));
	free(text);
	store_is_sound(f);
}

/* ---- what nobody learns */

static void
a_hidden_article_answers_as_an_unknown_one(void **state)
{
	struct fixture *f = *state;
	struct intake_result hidden, none;

	post_is(f, BOSS, POST(BOSS, "a.staff", "<s@y>", ""), REASON_STORED);
	hidden = rig_post(f, ANN,
	    POST(ANN, "a.talk", "<c1@y>", CANCEL("<s@y>")));
	none = rig_post(f, ANN,
	    POST(ANN, "a.talk", "<c2@y>", CANCEL("<nix@y>")));
	assert_int_equal(hidden.reason, none.reason);
	assert_string_equal(hidden.detail, none.detail);
	hidden = rig_post(f, ANN,
	    POST(ANN, "a.talk", "<c3@y>", CANCEL("<s@y>") KEY));
	none = rig_post(f, ANN,
	    POST(ANN, "a.talk", "<c4@y>", CANCEL("<nix@y>") KEY));
	assert_int_equal(hidden.reason, none.reason);
	assert_string_equal(hidden.detail, none.detail);
	hidden = rig_post(f, ANN,
	    POST(ANN, "a.talk", "<c5@y>", "Supersedes: <s@y>\n"));
	none = rig_post(f, ANN,
	    POST(ANN, "a.talk", "<c6@y>", "Supersedes: <nix@y>\n"));
	assert_int_equal(hidden.reason, none.reason);
	assert_int_equal(rig_count(f, "a.staff"), 1);
	/* and when it is gone, that is not to be seen either */
	assert_int_equal(rig_wants(f, NEAR, "<s@y>"), REASON_STORED);
	post_is(f, BOSS, POST(BOSS, "a.staff", "<c7@y>", CANCEL("<s@y>")),
	    REASON_DONE);
	assert_int_equal(rig_count(f, "a.staff"), 0);
	assert_int_equal(rig_wants(f, NEAR, "<s@y>"), REASON_STORED);
	assert_int_equal(rig_wants(f, NEAR, "<c7@y>"), REASON_STORED);
	feed_is(f, "<s@y>", FED("a.talk", "<s@y>", ""), REASON_STORED);
	store_is_sound(f);
}

/* ---- peers */

static void
a_peer_cancels_by_a_key_alone(void **state)
{
	struct fixture *f = *state;

	feed_is(f, "<1@y>", FED("a.talk", "<1@y>", LOCK), REASON_STORED);
	feed_is(f, "<c1@y>", FED("a.talk", "<c1@y>", CANCEL("<1@y>")),
	    REASON_NOT_ALLOWED);
	feed_is(f, "<c2@y>", FED("a.talk", "<c2@y>", CANCEL("<1@y>") NO_KEY),
	    REASON_NOT_ALLOWED);
	assert_int_equal(rig_count(f, "a.talk"), 1);
	feed_is(f, "<c3@y>", FED("a.talk", "<c3@y>", CANCEL("<1@y>") KEY),
	    REASON_DONE);
	assert_int_equal(rig_count(f, "a.talk"), 0);
	/* all of them are known now, the refused ones to who brought them */
	assert_int_equal(rig_wants(f, NEAR, "<1@y>"), REASON_DUPLICATE);
	assert_int_equal(rig_wants(f, NEAR, "<c3@y>"), REASON_DUPLICATE);
	assert_int_equal(rig_wants(f, FAR, "<c3@y>"), REASON_DUPLICATE);
	assert_int_equal(rig_wants(f, NEAR, "<c1@y>"), REASON_DUPLICATE);
	assert_int_equal(rig_wants(f, FAR, "<c1@y>"), REASON_STORED);
	feed_is(f, "<c3@y>", FED("a.talk", "<c3@y>", CANCEL("<1@y>") KEY),
	    REASON_DUPLICATE);
	/* what has no place here may have one tomorrow */
	feed_is(f, "<n@y>", FED("b.none", "<n@y>", ""), REASON_NO_SUCH_SPACE);
	assert_int_equal(rig_wants(f, NEAR, "<n@y>"), REASON_STORED);
	store_is_sound(f);
}

static void
a_cancel_may_come_before_its_article(void **state)
{
	struct fixture *f = *state;
	struct cancels cancels;

	feed_is(f, "<c1@y>", FED("a.talk", "<c1@y>", CANCEL("<1@y>") KEY),
	    REASON_DONE);
	cancels = cancels_of(f);
	assert_int_equal(cancels.count, 1);
	assert_int_equal(cancels.last.artid, 0);
	assert_int_not_equal(cancels.last.object, 0);
	assert_int_equal(rig_wants(f, NEAR, "<1@y>"), REASON_STORED);
	feed_is(f, "<1@y>", FED("a.talk", "<1@y>", LOCK), REASON_CANCELLED);
	assert_int_equal(rig_count(f, "a.talk"), 0);
	/* a key that opens nothing keeps nothing out */
	feed_is(f, "<c2@y>", FED("a.talk", "<c2@y>", CANCEL("<2@y>") NO_KEY),
	    REASON_DONE);
	feed_is(f, "<2@y>", FED("a.talk", "<2@y>", LOCK), REASON_STORED);
	feed_is(f, "<c3@y>", FED("a.talk", "<c3@y>", CANCEL("<3@y>")),
	    REASON_NOT_ALLOWED);
	store_is_sound(f);
}

#define JUNK(n, id) \
 POST(ANN, "a.talk", "<j" #n "@y>", CANCEL(id) NO_KEY)

/* What others send must not push out the one that has the key; nor must what
 * came the same way as that one, before it or after it. */
static void
a_waiting_cancel_outlasts_those_that_open_nothing(void **state)
{
	static const char *const junk[] = { JUNK(1, "<1@y>"), JUNK(2, "<1@y>"),
		JUNK(3, "<1@y>"), JUNK(4, "<2@y>"), JUNK(5, "<2@y>"),
		JUNK(6, "<2@y>"), JUNK(7, "<3@y>"), JUNK(8, "<3@y>"),
		JUNK(9, "<3@y>") };
	struct fixture *f = *state;

	feed_is(f, "<c1@y>", FED("a.talk", "<c1@y>", CANCEL("<1@y>") KEY),
	    REASON_DONE);
	post_is(f, ANN, POST(ANN, "a.talk", "<c2@y>", CANCEL("<2@y>") KEY),
	    REASON_DONE);
	for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++)
		post_is(f, ANN, junk[i], REASON_DONE);
	post_is(f, ANN, POST(ANN, "a.talk", "<c3@y>", CANCEL("<3@y>") KEY),
	    REASON_DONE);
	feed_is(f, "<1@y>", FED("a.talk", "<1@y>", LOCK), REASON_CANCELLED);
	feed_is(f, "<2@y>", FED("a.talk", "<2@y>", LOCK), REASON_CANCELLED);
	feed_is(f, "<3@y>", FED("a.talk", "<3@y>", LOCK), REASON_CANCELLED);
	store_is_sound(f);
}

/* However many conspire: before it, and after it. */
static void
a_waiting_cancel_with_the_key_counts_behind_any_number_without(void **state)
{
	static const char *const ids[] = { "<1@y>", "<2@y>" };
	static const char *const who[] = { ANN, BEN, MOD, NULL };
	struct fixture *f = *state;
	char text[400], id[32];

	post_is(f, BOSS, POST(BOSS, "a.talk", "<c2@y>", CANCEL("<2@y>") KEY),
	    REASON_DONE);
	for (size_t i = 0; i < 16; i++) {
		const char *target = ids[i % 2];

		(void)snprintf(id, sizeof id, "<j%zu@y>", i);
		(void)snprintf(text, sizeof text,
		    "Path: far.example!not-for-mail\nFrom: %s\n"
		    "Newsgroups: a.talk\nSubject: a\nMessage-ID: %s\n"
		    "Date: Fri, 15 Jan 2027 08:00:00 +0000\n"
		    "Control: cancel %s\n" NO_KEY "\nhi\n",
		    ANN, id, target);
		rig_is(i < 4 ? rig_feed(f, i / 2 == 0 ? NEAR : FAR, id, text)
			     : rig_post(f, who[i / 2 % 4],
				   strchr(text, '\n') + 1),
		    REASON_DONE);
	}
	post_is(f, BOSS, POST(BOSS, "a.talk", "<c1@y>", CANCEL("<1@y>") KEY),
	    REASON_DONE);
	feed_is(f, "<1@y>", FED("a.talk", "<1@y>", LOCK), REASON_CANCELLED);
	feed_is(f, "<2@y>", FED("a.talk", "<2@y>", OLD_LOCK), REASON_STORED);
	feed_is(f, "<c3@y>", FED("a.talk", "<c3@y>", CANCEL("<3@y>") OLD_KEY),
	    REASON_DONE);
	feed_is(f, "<3@y>", FED("a.talk", "<3@y>", OLD_LOCK), REASON_CANCELLED);
	/* what waits for one id waits for no other */
	feed_is(f, "<4@y>", FED("a.talk", "<4@y>", LOCK), REASON_STORED);
	store_is_sound(f);
}

static void
group_control_messages_of_a_peer_are_refused(void **state)
{
	struct fixture *f = *state;

	static const char *const verbs[] = { "rmgroup a.talk", "newgroup a.new",
		"checkgroups", "ihave <1@y> far.example",
		"sendme <1@y> far.example", "sendsys", "version", "whogets",
		"senduuname", "x-mine" };
	char text[512];

	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		(void)snprintf(text, sizeof text,
		    FED("a.talk", "<g@y>", "Control: %s\nApproved: a@b\n"),
		    verbs[i]);
		feed_is(f, "<g@y>", text, REASON_BAD_ARTICLE);
	}
	assert_int_equal(rig_count(f, "a.talk"), 0);
	free(rig_ask(f, WORDS("space", "show", "a.talk")));
}

/* RFC 5537 5: what RFC 1036 took for a control message. */
static void
what_only_looks_like_a_control_message_is_an_article(void **state)
{
	struct fixture *f = *state;

	feed_is(f, "<1@y>", FED("a.talk", "<1@y>", LOCK), REASON_STORED);
	feed_is(f, "<2@y>",
	    FED("a.talk", "<2@y>", KEY "Also-Control: cancel <1@y>\n"),
	    REASON_STORED);
	post_is(f, ANN,
	    "From: " ANN "\nNewsgroups: a.talk\nMessage-ID: <3@y>\n"
	    "Subject: cmsg cancel <2@y>\n\nx\n",
	    REASON_STORED);
	assert_int_equal(rig_count(f, "a.talk"), 3);
	store_is_sound(f);
}

/* ---- Supersedes */

static void
what_supersedes_takes_the_place_of_the_old(void **state)
{
	struct fixture *f = *state;
	char *text;

	post_is(f, ANN, POST(ANN, "a.talk", "<1@y>", ""), REASON_STORED);
	post_is(f, ANN, POST(ANN, "a.talk", "<2@y>", "Supersedes: <1@y>\n"),
	    REASON_STORED);
	assert_int_equal(rig_count(f, "a.talk"), 1);
	text = rig_ask(f, WORDS("article", "show", "a.talk:2"));
	assert_non_null(strstr(text, "Supersedes: <1@y>"));
	assert_non_null(strstr(text, "Cancel-Key: sha256:"));
	free(text);
	assert_int_equal(cancels_of(f).count, 1);
	assert_int_equal(cancels_of(f).last.object, 0);
	/* a peer's is an article in any case (RFC 5537 5.4) */
	feed_is(f, "<3@y>", FED("a.talk", "<3@y>", "Supersedes: <2@y>\n" KEY),
	    REASON_STORED);
	assert_int_equal(rig_count(f, "a.talk"), 2);
	feed_is(f, "<4@y>", FED("a.talk", "<4@y>", LOCK), REASON_STORED);
	feed_is(f, "<5@y>", FED("a.talk", "<5@y>", "Supersedes: <4@y>\n" KEY),
	    REASON_STORED);
	assert_int_equal(rig_count(f, "a.talk"), 3);
	store_is_sound(f);
}

/* ---- moderated spaces */

static void
a_held_article_is_withdrawn_by_its_author(void **state)
{
	struct fixture *f = *state;

	post_is(f, ANN, POST(ANN, "a.slow", "<1@y>", ""), REASON_HELD);
	post_is(f, BEN, POST(BEN, "a.slow", "<c1@y>", CANCEL("<1@y>")),
	    REASON_NOT_ALLOWED);
	post_is(f, ANN, POST(ANN, "a.slow", "<c2@y>", CANCEL("<1@y>")),
	    REASON_DONE);
	assert_false(rig_says(f, WORDS("held", "list"), "<1@y>"));
	assert_int_equal(cancels_of(f).count, 0);
	store_is_sound(f);
}

static void
what_supersedes_in_a_moderated_space_waits_for_its_release(void **state)
{
	struct fixture *f = *state;

	post_is(f, ANN, POST(ANN, "a.slow", "<1@y>", ""), REASON_HELD);
	rig_do(f, WORDS("held", "release", "1"));
	post_is(f, ANN, POST(ANN, "a.slow", "<2@y>", "Supersedes: <1@y>\n"),
	    REASON_HELD);
	assert_int_equal(rig_count(f, "a.slow"), 1);
	assert_int_equal(cancels_of(f).count, 0);
	rig_do(f, WORDS("held", "release", "2"));
	assert_int_equal(rig_count(f, "a.slow"), 1);
	assert_int_equal(cancels_of(f).count, 1);
	/* a cancel needs no approval here, and has one for elsewhere */
	post_is(f, ANN, POST(ANN, "a.slow", "<c@y>", CANCEL("<2@y>")),
	    REASON_DONE);
	assert_int_equal(rig_count(f, "a.slow"), 0);
	{
		char *text = stored_text(f, cancels_of(f).last.object);

		assert_non_null(
		    strstr(text, "Approved: slow+owner@lists.example\r\n"));
		free(text);
	}
	store_is_sound(f);
}

int
main(void)
{
#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_author_takes_his_article_away),
		TEST(nobody_else_may),
		TEST(a_moderator_may_in_the_spaces_he_moderates),
		TEST(who_has_the_key_may),
		TEST(a_posters_locks_are_kept_and_ours_is_added),
		TEST(a_mail_takes_nothing_away),
		TEST(an_admins_cancel_goes_to_peers_too),
		TEST(a_hidden_article_answers_as_an_unknown_one),
		TEST(a_peer_cancels_by_a_key_alone),
		TEST(a_cancel_may_come_before_its_article),
		TEST(a_waiting_cancel_outlasts_those_that_open_nothing),
		TEST(
		    a_waiting_cancel_with_the_key_counts_behind_any_number_without),
		TEST(group_control_messages_of_a_peer_are_refused),
		TEST(what_only_looks_like_a_control_message_is_an_article),
		TEST(what_supersedes_takes_the_place_of_the_old),
		TEST(a_held_article_is_withdrawn_by_its_author),
		TEST(
		    what_supersedes_in_a_moderated_space_waits_for_its_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
