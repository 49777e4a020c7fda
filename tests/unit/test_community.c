/* test_community.c - spaces, members, subscriptions, rights, tokens, logins.
 */
#include "tests/unit/community_fixture.h"

#include <ctype.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/auth_private.h"
#include "daemon/community/intake.h"
#include "daemon/community/members.h"
#include "daemon/community/subscriptions.h"
#include "daemon/community/token.h"

#define WORDS(...)     \
 (const char *const[]) \
 {                     \
  __VA_ARGS__, NULL    \
 }

/* ---- tokens */

static void
a_token_says_what_it_was_made_for(void **state)
{
	struct fixture *f = *state;
	char text[TOKEN_TEXT_ROOM];
	struct token token;

	assert_int_equal(token_make(f->community, TOKEN_REPLY, 1042,
			     TOKEN_OF_ADDRESS(7), text),
	    0);
	assert_true(strlen(text) <= 36);
	for (size_t i = 0; text[i] != '\0'; i++)
		text[i] = (char)toupper((unsigned char)text[i]);
	assert_int_equal(token_read(f->community, TOKEN_REPLY, span_of(text),
			     &token),
	    0);
	assert_int_equal(token.object, 1042);
	assert_int_equal(token.member, TOKEN_OF_ADDRESS(7));
}

/* A mail whose token cannot be made would not go out. */
static void
a_token_for_reports_has_room_for_a_large_community(void **state)
{
	struct fixture *f = *state;
	uint64_t object = TOKEN_REPORT((1u << 14) - 1, UINT32_MAX);
	uint64_t member = (1u << 28) - 1;
	char text[TOKEN_TEXT_ROOM];
	struct token token;

	assert_int_equal(token_make(f->community, TOKEN_BOUNCE, object, member,
			     text),
	    0);
	assert_int_equal(token_read(f->community, TOKEN_BOUNCE, span_of(text),
			     &token),
	    0);
	assert_int_equal(TOKEN_REPORT_SPACE(token.object), (1u << 14) - 1);
	assert_int_equal(TOKEN_REPORT_JOB(token.object),
	    TOKEN_REPORT_JOB((uint64_t)UINT32_MAX));
	assert_int_equal(token.member, member);
}

static void
a_token_of_another_kind_or_changed_is_refused(void **state)
{
	struct fixture *f = *state;
	char text[TOKEN_TEXT_ROOM];
	struct token token;

	assert_int_equal(token_make(f->community, TOKEN_CONFIRM, 3, 4, text),
	    0);
	assert_int_equal(token_read(f->community, TOKEN_MODERATE, span_of(text),
			     &token),
	    -EBADMSG);
	for (size_t i = 0; text[i] != '\0'; i++) {
		char kept = text[i];

		text[i] = kept == 'a' ? 'b' : 'a';
		assert_int_equal(token_read(f->community, TOKEN_CONFIRM,
				     span_of(text), &token),
		    -EBADMSG);
		text[i] = kept;
	}
	assert_int_equal(token_read(f->community, TOKEN_CONFIRM, span_of(""),
			     &token),
	    -EBADMSG);
}

static void
a_token_expires_and_survives_a_restart(void **state)
{
	struct fixture *f = *state;
	char text[TOKEN_TEXT_ROOM];
	struct token token;

	assert_int_equal(token_make(f->community, TOKEN_CONFIRM, 3, 4, text),
	    0);
	fixture_reopen(f);
	clock_advance(f->clock, 7 * 86400);
	assert_int_equal(token_read(f->community, TOKEN_CONFIRM, span_of(text),
			     &token),
	    0);
	clock_advance(f->clock, 2 * 86400);
	assert_int_equal(token_read(f->community, TOKEN_CONFIRM, span_of(text),
			     &token),
	    -ETIMEDOUT);
	assert_int_equal(token.object, 3);
}

struct use {
	struct fixture *f;
	const char *text;
	struct token token;
};

static int
do_use(struct store_txn *txn, void *arg)
{
	struct use *use = arg;

	return token_use(txn, use->f->community, span_of(use->text),
	    &use->token);
}

static void
a_single_use_token_works_once_until_it_is_swept(void **state)
{
	struct fixture *f = *state;
	char text[TOKEN_TEXT_ROOM];
	struct use use = { .f = f, .text = text };
	struct store_view *view;

	assert_int_equal(token_make(f->community, TOKEN_CONFIRM, 3, 4, text),
	    0);
	assert_int_equal(token_read(f->community, TOKEN_CONFIRM, span_of(text),
			     &use.token),
	    0);
	assert_int_equal(fixture_run(f, do_use, &use), 0);
	assert_int_equal(fixture_run(f, do_use, &use), -EALREADY);
	clock_advance(f->clock, 9 * 86400);
	community_run_timers(f->community, NULL, NULL);
	fixture_settle(f);
	view = store_view_begin(f->store);
	assert_int_equal(token_was_used(store_view_reader(view), f->community,
			     span_of(text)),
	    0);
	store_view_end(&view);
}

/* ---- spaces */

static void
a_space_is_found_by_name_and_by_mail(void **state)
{
	struct fixture *f = *state;
	struct spaces *spaces;
	struct space *space;

	assert_int_equal(fixture_kithctl(f,
			     WORDS("space", "add", "acme.help", "--kind",
				 "support", "--mail", "Help", "--description",
				 "Ask us"),
			     NULL, NULL),
	    0);
	spaces = community_spaces(f->community);
	space = spaces_by_mail(spaces, span_of("hELP"));
	assert_non_null(space);
	assert_string_equal(space->name, "acme.help");
	assert_string_equal(space->description,
	    "Ask us (a follow-up here is mailed to the customer)");
	assert_int_equal(rights_class_of(space), READER_STAFF);
	space_unref(space);
	assert_null(spaces_by_name(spaces, span_of("Acme.help")));
	fixture_reopen(f);
	space = spaces_by_name(community_spaces(f->community),
	    span_of("acme.help"));
	assert_non_null(space);
	space_unref(space);
}

static void
a_space_changes_its_mail_and_is_removed(void **state)
{
	struct fixture *f = *state;
	struct spaces *spaces = community_spaces(f->community);
	struct space *space;
	uint64_t generation;

	assert_int_equal(fixture_kithctl(f,
			     WORDS("space", "add", "acme.talk", "--kind",
				 "talk", "--mail", "talk"),
			     NULL, NULL),
	    0);
	generation = spaces_generation(spaces);
	assert_int_equal(fixture_kithctl(f,
			     WORDS("space", "set", "acme.talk", "--mail",
				 "chat", "--closed", "yes"),
			     NULL, NULL),
	    0);
	assert_true(spaces_generation(spaces) > generation);
	assert_null(spaces_by_mail(spaces, span_of("talk")));
	space = spaces_by_mail(spaces, span_of("chat"));
	assert_non_null(space);
	assert_true(space->closed);
	space_unref(space);
	/* the old address is free for another */
	assert_int_equal(fixture_kithctl(f,
			     WORDS("space", "add", "acme.two", "--kind", "talk",
				 "--mail", "talk"),
			     NULL, NULL),
	    0);
	assert_int_equal(fixture_kithctl(f,
			     WORDS("space", "remove", "acme.talk"), NULL, NULL),
	    0);
	assert_null(spaces_by_name(spaces, span_of("acme.talk")));
	assert_null(spaces_by_mail(spaces, span_of("chat")));
	assert_int_equal(spaces_count(spaces), 1);
}

static void
bad_spaces_are_refused_with_what_to_do(void **state)
{
	const char *const *const wrong[] = {
		WORDS("space", "add", "Acme", "--kind", "talk"),
		WORDS("space", "add", "acme..x", "--kind", "talk"),
		WORDS("space", "add", "acme.all", "--kind", "talk"),
		WORDS("space", "add", "acme.x", "--kind", "course"),
		WORDS("space", "add", "acme.x"),
		WORDS("space", "add", "acme.x", "--kind", "talk", "--mail",
		    "a+b"),
		WORDS("space", "add", "acme.x", "--kind", "talk", "--mail",
		    "x-subscribe"),
		WORDS("space", "add", "acme.x", "--kind", "talk", "--mail",
		    "postmaster"),
		WORDS("space", "add", "acme.x", "--kind", "talk", "--read",
		    "all"),
		WORDS("space", "show", "acme.x"),
		WORDS("space", "set", "acme.x", "--closed", "yes"),
	};
	struct fixture *f = *state;
	char *answer;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_int_equal(fixture_kithctl(f, wrong[i], NULL, &answer),
		    1);
		assert_non_null(strstr(answer, "\"error\""));
		free(answer);
	}
	assert_int_equal(spaces_count(community_spaces(f->community)), 0);
}

struct posted {
	bool over;
	struct intake_result result;
};

static void
on_posted(void *arg, const struct intake_result *result)
{
	struct posted *posted = arg;

	posted->result = *result;
	posted->over = true;
}

static enum reason
post(struct fixture *f, const char *article)
{
	struct intake_news news = { .channel = KITH__CHANNEL__CHANNEL_POST,
		.client = "127.0.0.1",
		.inbox = f->inbox };
	struct posted posted = { .over = false };

	news.bytes = strdup(article);
	news.len = strlen(article);
	dot_examine(span_of(article), &news.facts);
	intake_news(f->community, &news, on_posted, &posted);
	fixture_wait(f, &posted.over);
	return posted.result.reason;
}

static void
a_removed_space_takes_its_articles_along(void **state)
{
	static const char article[] =
	    "From: Ann <ann@example.org>\r\nNewsgroups: acme.talk\r\n"
	    "Subject: Hello\r\nMessage-ID: <one@example.org>\r\n\r\nBody\r\n";
	struct fixture *f = *state;
	char *answer;

	assert_int_equal(fixture_kithctl(f,
			     WORDS("space", "add", "acme.talk", "--kind",
				 "talk", "--post", "anyone"),
			     NULL, NULL),
	    0);
	assert_int_equal(post(f, article), REASON_STORED);
	assert_int_equal(fixture_kithctl(f,
			     WORDS("space", "remove", "acme.talk"), NULL,
			     &answer),
	    1);
	assert_non_null(strstr(answer, "--force"));
	free(answer);
	assert_int_equal(fixture_kithctl(f,
			     WORDS("space", "remove", "acme.talk", "--force"),
			     NULL, NULL),
	    0);
	assert_int_equal(fixture_kithctl(f, WORDS("check"), NULL, &answer), 0);
	free(answer);
	/* the name is free, what was removed does not come back */
	assert_int_equal(fixture_kithctl(f,
			     WORDS("space", "add", "acme.talk", "--kind",
				 "talk", "--post", "anyone"),
			     NULL, NULL),
	    0);
	assert_int_not_equal(post(f, article), REASON_STORED);
}

/* ---- members and logins */

struct login {
	struct fixture *f;
	bool over;
	bool good;
	enum auth_answer answer;
	struct identity identity;
};

static void
on_login(void *arg, enum auth_answer answer, const struct identity *identity)
{
	struct login *login = arg;

	login->answer = answer;
	login->over = true;
	login->good = identity != NULL;
	if (identity != NULL)
		login->identity = *identity;
}

static void
begin_login(struct fixture *f, const char *name, const char *password,
    struct login *login)
{
	*login = (struct login){ .f = f };
	assert_int_equal(auth_check(f->community, f->loop,
			     &(const struct auth_words){ .login = name,
				 .as = "",
				 .password = password,
				 .client = "192.0.2.7" },
			     on_login, login),
	    0);
	assert_false(login->over);
}

static bool
try_login(struct fixture *f, const char *name, const char *password,
    struct login *login)
{
	begin_login(f, name, password, login);
	fixture_wait(f, &login->over);
	return login->good;
}

struct waits {
	struct fixture *f;
	unsigned waiting, called, granted;
	bool over;
};

static void
on_turn(void *arg, bool granted)
{
	struct waits *waits = arg;

	waits->called++;
	waits->granted += granted;
	waits->over = true;
}

/* As many attempts as may wait. */
static void
fill_turns(struct fixture *f, const struct auth_try *who, struct waits *waits)
{
	int rc = 0;

	for (; rc == 0 && waits->waiting < 100000; waits->waiting += rc == 0)
		rc = auth_turn_wait(f->community, f->loop, who, on_turn, waits);
	assert_int_equal(rc, -EBUSY);
}

static void
drain_turns(struct fixture *f, struct waits *waits)
{
	while (waits->called < waits->waiting) {
		waits->over = false;
		fixture_wait(f, &waits->over);
	}
}

static void
who_need_not_wait_logs_in_though_too_many_others_wait(void **state)
{
	struct fixture *f = *state;
	struct auth *auth = community_auth(f->community);
	uint64_t now = clock_milliseconds(f->clock);
	struct waits guesses = { .f = f }, member = { .f = f };
	struct auth_try guesser, other;

	auth_try_make(auth, "m1", "192.0.2.66", &guesser);
	auth_try_make(auth, "m2", "192.0.2.7", &other);
	for (unsigned i = 0; i < 16; i++)
		auth_delay_note(auth_delays(auth), &guesser, false, now);
	fill_turns(f, &guesser, &guesses);
	assert_int_equal(auth_turn_wait(f->community, f->loop, &other, on_turn,
			     &member),
	    0);
	fixture_wait(f, &member.over);
	assert_int_equal(member.granted, 1);
	assert_int_equal(guesses.called, 0);
	clock_advance(f->clock, 60);
	drain_turns(f, &guesses);
}

static void
fill_own_queue(struct fixture *f, const struct auth_try *who)
{
	uint64_t now = clock_milliseconds(f->clock);
	unsigned wait;

	while (auth_delay_book(auth_delays(community_auth(f->community)), who,
	    now, &wait))
		;
}

static void
a_password_that_nobody_looked_at_is_not_called_wrong(void **state)
{
	struct fixture *f = *state;
	struct auth *auth = community_auth(f->community);
	uint64_t now = clock_milliseconds(f->clock);
	struct waits guesses = { .f = f };
	struct auth_account account;
	struct auth_try own;
	struct login login;

	assert_int_equal(fixture_kithctl(f,
			     WORDS("member", "add", "ann@example.org",
				 "--login", "ann", "--password-stdin"),
			     "correct horse\n", NULL),
	    0);
	auth_account_find(f->community, "ann", "", &account);
	assert_true(account.known);
	auth_try_make(auth, account.name, "192.0.2.7", &own);
	for (unsigned i = 0; i < 16; i++)
		auth_delay_note(auth_delays(auth), &own, false, now);
	/* too many wait that came before it */
	fill_turns(f, &own, &guesses);
	assert_false(try_login(f, "ann", "correct horse", &login));
	assert_int_equal(login.answer, AUTH_BUSY);
	clock_advance(f->clock, 60);
	drain_turns(f, &guesses);
	/* its own address has as many waiting as may */
	fill_own_queue(f, &own);
	begin_login(f, "ann", "correct horse", &login);
	while (!login.over) {
		(void)event_base_loop(loop_base(f->loop), EVLOOP_ONCE);
		clock_advance(f->clock, 31);
		fill_own_queue(f, &own);
	}
	assert_int_equal(login.answer, AUTH_BUSY);
	clock_advance(f->clock, 60);
	assert_true(try_login(f, "ann", "correct horse", &login));
	assert_int_equal(login.answer, AUTH_RIGHT);
}

static void
a_member_logs_in_by_login_and_by_address(void **state)
{
	struct fixture *f = *state;
	struct login login;

	assert_int_equal(fixture_kithctl(f,
			     WORDS("member", "add", "Ann@Example.org",
				 "--login", "ann", "--role", "staff",
				 "--password-stdin"),
			     "correct horse\n", NULL),
	    0);
	assert_true(try_login(f, "ann", "correct horse", &login));
	assert_int_equal(login.identity.role, KITH__ROLE__ROLE_STAFF);
	assert_int_equal(login.identity.trust, TRUST_SESSION);
	assert_true(login.identity.active);
	assert_true(try_login(f, "ann@EXAMPLE.org", "correct horse", &login));
	assert_false(try_login(f, "ann", "wrong", &login));
	assert_false(try_login(f, "nobody", "wrong", &login));
	assert_false(try_login(f, "", "", &login));
}

static void
a_remembered_login_ends_with_the_member(void **state)
{
	struct fixture *f = *state;
	struct login login;

	assert_int_equal(fixture_kithctl(f,
			     WORDS("member", "add", "bo@example.org",
				 "--password-stdin"),
			     "secret", NULL),
	    0);
	assert_true(try_login(f, "bo@example.org", "secret", &login));
	assert_true(try_login(f, "bo@example.org", "secret", &login));
	assert_int_equal(fixture_kithctl(f,
			     WORDS("member", "set", "bo@example.org", "--state",
				 "suspended"),
			     NULL, NULL),
	    0);
	assert_false(try_login(f, "bo@example.org", "secret", &login));
	assert_int_equal(fixture_kithctl(f,
			     WORDS("member", "set", "bo@example.org", "--state",
				 "active"),
			     NULL, NULL),
	    0);
	assert_int_equal(fixture_kithctl(f,
			     WORDS("member", "password", "bo@example.org"),
			     "other", NULL),
	    0);
	assert_false(try_login(f, "bo@example.org", "secret", &login));
	assert_true(try_login(f, "bo@example.org", "other", &login));
}

static uint32_t
member_id(struct fixture *f, const char *who)
{
	struct store_view *view = store_view_begin(f->store);
	uint32_t id = 0;

	(void)member_find(store_view_reader(view), who, &id);
	store_view_end(&view);
	return id;
}

static void
a_removed_member_frees_its_names_but_not_its_id(void **state)
{
	struct fixture *f = *state;
	uint32_t first, second;

	assert_int_equal(fixture_kithctl(f,
			     WORDS("space", "add", "acme.talk", "--kind",
				 "talk"),
			     NULL, NULL),
	    0);
	assert_int_equal(fixture_kithctl(f,
			     WORDS("subscription", "add", "acme.talk",
				 "cy@example.org"),
			     NULL, NULL),
	    0);
	first = member_id(f, "cy@example.org");
	assert_int_not_equal(first, 0);
	assert_int_equal(fixture_kithctl(f,
			     WORDS("member", "remove", "CY@example.org"), NULL,
			     NULL),
	    0);
	assert_int_equal(member_id(f, "cy@example.org"), 0);
	assert_int_equal(fixture_kithctl(f,
			     WORDS("subscription", "remove", "acme.talk",
				 "cy@example.org"),
			     NULL, NULL),
	    1);
	assert_int_equal(fixture_kithctl(f,
			     WORDS("member", "add", "cy@example.org"), NULL,
			     NULL),
	    0);
	second = member_id(f, "cy@example.org");
	assert_true(second > first);
}

/* ---- rights */

static void
who_may_post_follows_the_space(void **state)
{
	struct space space = { .kind = KITH__KIND__KIND_TALK,
		.post = KITH__AUDIENCE__AUDIENCE_MEMBERS };
	const struct identity nobody = { .member = 0 };
	const struct identity member = { .member = 1, .active = true };
	const struct identity gone = { .member = 1 };
	const struct identity staff = { .member = 2,
		.active = true,
		.role = KITH__ROLE__ROLE_STAFF };
	const struct identity writer = { .compared = "x@example.org" };
	const struct identity session = { .member = 1,
		.active = true,
		.trust = TRUST_SESSION,
		.compared = "a@example.org" };

	(void)state;
	assert_int_equal(rights_post(&nobody, &space), POST_LOGIN);
	assert_int_equal(rights_post(&member, &space), POST_ALLOWED);
	assert_int_equal(rights_post(&gone, &space), POST_REFUSED);
	space.moderation = KITH__MODERATION__MODERATION_NON_MEMBERS;
	assert_int_equal(rights_post(&writer, &space), POST_MODERATED);
	space.moderation = KITH__MODERATION__MODERATION_ALL;
	assert_int_equal(rights_post(&member, &space), POST_MODERATED);
	assert_int_equal(rights_post(&staff, &space), POST_ALLOWED);
	space.closed = true;
	assert_int_equal(rights_post(&staff, &space), POST_CLOSED);

	space = (struct space){ .kind = KITH__KIND__KIND_SUPPORT,
		.read = KITH__AUDIENCE__AUDIENCE_STAFF };
	assert_int_equal(rights_post(&writer, &space), POST_ALLOWED);
	assert_int_equal(rights_post(&nobody, &space), POST_LOGIN);
	assert_int_equal(rights_post(&session, &space), POST_REFUSED);
	assert_int_equal(rights_post(&staff, &space), POST_ALLOWED);
}

/* ---- subscriptions */

static void
an_import_takes_what_is_good_and_names_what_is_not(void **state)
{
	struct fixture *f = *state;
	char *answer;

	assert_int_equal(fixture_kithctl(f,
			     WORDS("space", "add", "acme.talk", "--kind",
				 "talk", "--mail", "talk"),
			     NULL, NULL),
	    0);
	assert_int_equal(
	    fixture_kithctl(f,
		WORDS("subscription", "import", "acme.talk", "x.txt", "--mode",
		    "digest"),
		"a@example.org\nb@example.org\tnomail\r\nno address\n"
		"c@example.org\tweekly\n\n# note\nd@example.org\teach\tsuspended",
		&answer),
	    1);
	assert_non_null(strstr(answer, "line 3"));
	assert_non_null(strstr(answer, "line 4"));
	assert_non_null(strstr(answer, "3 imported, 2 lines"));
	free(answer);
	assert_int_equal(fixture_kithctl(f,
			     WORDS("subscription", "list", "acme.talk"), NULL,
			     &answer),
	    0);
	assert_non_null(strstr(answer, "digest"));
	assert_non_null(strstr(answer, "nomail"));
	assert_non_null(strstr(answer, "suspended"));
	assert_null(strstr(answer, "c@example.org"));
	free(answer);
}

struct put {
	uint32_t space, address;
};

static int
do_put(struct store_txn *txn, void *arg)
{
	Kith__Subscription record = KITH__SUBSCRIPTION__INIT;
	const struct put *put = arg;

	return subscription_put(txn, put->space, put->address, &record,
	    FIXTURE_NOW, 0);
}

static void
the_upper_bound_is_the_last_subscriber(void **state)
{
	static const uint32_t ids[] = { 1, 2, 3, 17, 1000, 70000, 4294967295u };
	struct fixture *f = *state;
	struct store_view *view;
	struct put put = { 6, 99 };
	uint32_t upper;

	assert_int_equal(fixture_run(f, do_put, &put), 0);
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		view = store_view_begin(f->store);
		assert_int_equal(subscriptions_upper(store_view_reader(view), 5,
				     &upper),
		    0);
		assert_int_equal(upper, i == 0 ? 0 : ids[i - 1]);
		store_view_end(&view);
		put = (struct put){ 5, ids[i] };
		assert_int_equal(fixture_run(f, do_put, &put), 0);
	}
}

/* ---- peers and the system */

static void
a_peer_is_known_by_address_or_by_login(void **state)
{
	struct fixture *f = *state;
	struct login login;
	uint32_t id;

	assert_int_equal(fixture_kithctl(f,
			     WORDS("peer", "add", "hub", "--address",
				 "192.0.2.1", "--spaces",
				 "acme.*,!acme.internal", "--incoming"),
			     NULL, NULL),
	    0);
	id = auth_peer_by_address(f->community, "::ffff:192.0.2.1");
	assert_int_not_equal(id, 0);
	assert_true(auth_peer_may_feed(f->community, id, "acme.help"));
	assert_false(auth_peer_may_feed(f->community, id, "acme.internal"));
	assert_int_equal(fixture_kithctl(f,
			     WORDS("peer", "add", "leaf", "--login", "leaf",
				 "--password-stdin", "--incoming"),
			     "pw\n", NULL),
	    0);
	assert_true(try_login(f, "leaf", "pw", &login));
	assert_int_not_equal(login.identity.peer, 0);
	assert_int_equal(login.identity.member, 0);
	assert_int_equal(fixture_kithctl(f, WORDS("peer", "remove", "hub"),
			     NULL, NULL),
	    0);
	assert_int_equal(auth_peer_by_address(f->community, "192.0.2.1"), 0);
}

static void
status_and_clock_answer(void **state)
{
	struct fixture *f = *state;
	char *answer;

	assert_int_equal(fixture_kithctl(f, WORDS("clock", "advance", "3600"),
			     NULL, NULL),
	    0);
	assert_int_equal(community_now(f->community), FIXTURE_NOW + 3600);
	assert_int_equal(fixture_kithctl(f, WORDS("status"), NULL, &answer), 0);
	assert_non_null(strstr(answer, "\"uptime\""));
	assert_non_null(strstr(answer, "3600"));
	free(answer);
	assert_int_equal(fixture_kithctl(f, WORDS("run-timers"), NULL, NULL),
	    0);
}

#define TEST(name) \
 cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_says_what_it_was_made_for),
		TEST(a_token_for_reports_has_room_for_a_large_community),
		TEST(a_token_of_another_kind_or_changed_is_refused),
		TEST(a_token_expires_and_survives_a_restart),
		TEST(a_single_use_token_works_once_until_it_is_swept),
		TEST(a_space_is_found_by_name_and_by_mail),
		TEST(a_space_changes_its_mail_and_is_removed),
		TEST(a_removed_space_takes_its_articles_along),
		TEST(bad_spaces_are_refused_with_what_to_do),
		TEST(a_member_logs_in_by_login_and_by_address),
		TEST(who_need_not_wait_logs_in_though_too_many_others_wait),
		TEST(a_password_that_nobody_looked_at_is_not_called_wrong),
		TEST(a_remembered_login_ends_with_the_member),
		TEST(a_removed_member_frees_its_names_but_not_its_id),
		cmocka_unit_test(who_may_post_follows_the_space),
		TEST(an_import_takes_what_is_good_and_names_what_is_not),
		TEST(the_upper_bound_is_the_last_subscriber),
		TEST(a_peer_is_known_by_address_or_by_login),
		TEST(status_and_clock_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
