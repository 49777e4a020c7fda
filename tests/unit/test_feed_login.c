/* test_feed_login.c - logins at other news servers, with libgsasl in the place of
 * the server, or the test itself where the server means harm.
 */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gsasl.h>

#include "daemon/feed/login.h"
#include "protocol/buffer.h"

#define BINDING "0123456789abcdef0123456789abcdef"

struct rig {
	struct Gsasl *library; /* ours */
	struct feed_login *login;
	char said[2048]; /* our last line */
	enum feed_login_step step;
	/* the server */
	Gsasl *far;
	Gsasl_session *session;
	const char *password, *rounds;
	bool bound;
};

/* ---- us */

static void
begin(struct rig *rig, const char *capabilities, bool clear, bool bound)
{
	struct feed_login_options options = { .user = "us",
		.secret = span_of("secret word"),
		.clear = clear };
	struct span line = { 0 };

	if (bound)
		options.exporter = span_of(BINDING);
	rig->bound = bound;
	feed_login_free(&rig->login);
	rig->login = feed_login_new(rig->library, &options);
	assert_non_null(rig->login);
	feed_login_capability(rig->login, span_of("VERSION 2"));
	feed_login_capability(rig->login, span_of(capabilities));
	rig->step = feed_login_begin(rig->login, &line);
	(void)snprintf(rig->said, sizeof rig->said, "%.*s", SPAN_ARG(line));
}

static void
answer(struct rig *rig, unsigned code, const char *text)
{
	const struct nntp_reply reply = { code, span_of(text) };
	struct span line = { 0 };

	rig->step = feed_login_answer(rig->login, &reply, &line);
	(void)snprintf(rig->said, sizeof rig->said, "%.*s", SPAN_ARG(line));
}

/* ---- the server */

static int
on_property(Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
	struct rig *rig = gsasl_session_hook_get(session);
	char *text;
	int rc;

	(void)library;
	if (property == GSASL_PASSWORD)
		return gsasl_property_set(session, property, rig->password);
	if (property == GSASL_SCRAM_ITER)
		return gsasl_property_set(session, property, rig->rounds);
	if (property != GSASL_CB_TLS_EXPORTER)
		return GSASL_NO_CALLBACK;
	if (!rig->bound)
		return GSASL_NO_CB_TLS_EXPORTER;
	rc = gsasl_base64_to(BINDING, strlen(BINDING), &text, NULL);
	if (rc == GSASL_OK)
		rc = gsasl_property_set(session, property, text);
	gsasl_free(text);
	return rc;
}

/* What a server makes of our line, NULL: it refuses. Owned. */
static char *
server_take(struct rig *rig)
{
	const char *message = strrchr(rig->said, ' ');
	char *text = NULL;
	int rc;

	message = message == NULL ? rig->said : message + 1;
	rc = gsasl_step64(rig->session, message, &text);
	if (rc == GSASL_OK || rc == GSASL_NEEDS_MORE)
		return text;
	return NULL;
}

/* Up to the server's last word, which is given to the caller. */
static char *
exchange(struct rig *rig, const char *mechanism)
{
	char *text;

	assert_int_equal(rig->step, LOGIN_SAY);
	if (rig->session != NULL)
		gsasl_finish(rig->session);
	assert_int_equal(gsasl_server_start(rig->far, mechanism, &rig->session),
	    GSASL_OK);
	gsasl_session_hook_set(rig->session, rig);
	text = server_take(rig);
	assert_non_null(text);
	answer(rig, 383, text);
	gsasl_free(text);
	return rig->step == LOGIN_SAY ? server_take(rig) : NULL;
}

static int
setup(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);

	assert_non_null(rig);
	assert_int_equal(feed_login_open(&rig->library), 0);
	assert_int_equal(gsasl_init(&rig->far), GSASL_OK);
	gsasl_callback_set(rig->far, on_property);
	rig->password = "secret word";
	rig->rounds = "4096";
	*state = rig;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *rig = *state;

	feed_login_free(&rig->login);
	feed_login_close(&rig->library);
	if (rig->session != NULL)
		gsasl_finish(rig->session);
	gsasl_done(rig->far);
	free(rig);
	return 0;
}

/* ---- what is chosen */

#define ALL "SASL PLAIN SCRAM-SHA-256 scram-sha-256-plus EXTERNAL"

static void
the_strongest_that_is_offered_is_taken(void **state)
{
	static const struct {
		const char *capabilities;
		bool clear, bound;
		const char *by;
	} cases[] = {
		{ ALL, true, true, "SCRAM-SHA-256-PLUS" },
		{ ALL, true, false, "SCRAM-SHA-256" },
		{ ALL, false, false, "SCRAM-SHA-256" },
		{ "sasl PLAIN SCRAM-SHA-1", true, true, "PLAIN" },
		{ "AUTHINFO USER SASL", true, false, "USER" },
		{ "SASLX PLAIN", true, false, "USER" },
		{ "", true, false, "USER" },
		{ "SASL PLAIN", false, true, "" },
		{ "AUTHINFO USER", false, false, "" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		begin(rig, cases[i].capabilities, cases[i].clear,
		    cases[i].bound);
		assert_string_equal(feed_login_by(rig->login), cases[i].by);
		assert_int_equal(rig->step,
		    cases[i].by[0] == '\0' ? LOGIN_FAILED : LOGIN_SAY);
		assert_true(rig->step == LOGIN_SAY || rig->said[0] == '\0');
	}
	assert_non_null(strstr(feed_login_why(rig->login), "without TLS"));
}

static void
what_is_offered_and_refused_leaves_user(void **state)
{
	struct rig *rig = *state;

	/* as INN does where its SASL library has no passwords */
	begin(rig, ALL, true, false);
	feed_login_capability(rig->login, span_of("AUTHINFO SASL USER"));
	answer(rig, 481, "no");
	assert_string_equal(rig->said, "AUTHINFO USER us");
	assert_string_equal(feed_login_by(rig->login), "USER");
	answer(rig, 381, "more");
	answer(rig, 481, "no"); /* once */
	assert_int_equal(rig->step, LOGIN_FAILED);
	begin(rig, ALL, true, false);
	feed_login_capability(rig->login, span_of("AUTHINFO SASL"));
	answer(rig, 481, "no");
	assert_int_equal(rig->step, LOGIN_FAILED);
	begin(rig, ALL, false, false);
	answer(rig, 481, "no");
	assert_int_equal(rig->step, LOGIN_FAILED);
}

static void
plain_and_user_say_the_words(void **state)
{
	struct rig *rig = *state;

	begin(rig, "SASL PLAIN", true, false);
	assert_string_equal(rig->said,
	    "AUTHINFO SASL PLAIN AHVzAHNlY3JldCB3b3Jk");
	answer(rig, 281, "welcome");
	assert_int_equal(rig->step, LOGIN_DONE);
	begin(rig, "SASL PLAIN", true, false);
	answer(rig, 383, "=");
	assert_int_equal(rig->step, LOGIN_FAILED);
	begin(rig, "AUTHINFO USER", true, false);
	assert_string_equal(rig->said, "AUTHINFO USER us");
	answer(rig, 381, "more");
	assert_string_equal(rig->said, "AUTHINFO PASS secret word");
	answer(rig, 381, "more"); /* once is enough */
	assert_int_equal(rig->step, LOGIN_FAILED);
	assert_string_equal(feed_login_why(rig->login),
	    "the server refused the login by USER: 381");
}

/* ---- SCRAM */

static void
scram_ends_when_both_sides_are_known(void **state)
{
	struct rig *rig = *state;

	for (unsigned way = 0; way < 4; way++) {
		bool bound = way % 2 == 1;
		char *last;

		begin(rig, ALL, false, bound);
		assert_null(strstr(rig->said, "secret"));
		last = exchange(rig,
		    bound ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256");
		assert_non_null(last);
		if (way < 2) {
			answer(rig, 283, last);
		} else {
			answer(rig, 383, last);
			assert_string_equal(rig->said, "=");
			answer(rig, 281, "welcome");
		}
		gsasl_free(last);
		assert_int_equal(rig->step, LOGIN_DONE);
	}
}

static void
a_server_that_lacks_the_password_is_not_believed(void **state)
{
	struct rig *rig = *state;
	char *last;

	begin(rig, ALL, false, false);
	answer(rig, 281, "come in");
	assert_int_equal(rig->step, LOGIN_FAILED);
	assert_non_null(strstr(feed_login_why(rig->login), "did not prove"));
	begin(rig, ALL, false, false);
	last = exchange(rig, "SCRAM-SHA-256");
	gsasl_free(last);
	answer(rig, 281, "come in");
	assert_int_equal(rig->step, LOGIN_FAILED);
	begin(rig, ALL, false, false);
	last = exchange(rig, "SCRAM-SHA-256");
	gsasl_free(last);
	/* v= and 32 octets of its own */
	answer(rig, 283,
	    "dj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQT0=");
	assert_int_equal(rig->step, LOGIN_FAILED);
	rig->password = "another word";
	begin(rig, ALL, false, false);
	assert_null(exchange(rig, "SCRAM-SHA-256"));
	answer(rig, 481, "secret word is wrong");
	assert_string_equal(feed_login_why(rig->login),
	    "the server refused the login by SCRAM-SHA-256: 481");
}

/* A challenge to our first message, whose nonce goes on. Owned. */
static char *
challenge(const struct rig *rig, const char *rounds)
{
	const char *message = strrchr(rig->said, ' ') + 1;
	char text[256], *first, *packed;
	const char *nonce;
	size_t len;

	assert_int_equal(gsasl_base64_from(message, strlen(message), &first,
			     &len),
	    GSASL_OK);
	nonce = memmem(first, len, "r=", 2);
	assert_non_null(nonce);
	(void)snprintf(text, sizeof text, "%.*sx,s=c2FsdA==,i=%s",
	    (int)(len - (size_t)(nonce - first)), nonce, rounds);
	gsasl_free(first);
	assert_int_equal(gsasl_base64_to(text, strlen(text), &packed, NULL),
	    GSASL_OK);
	return packed;
}

static void
how_long_the_password_is_hashed_has_bounds(void **state)
{
	static const char *const rounds[] = { "1", "4095", "600001",
		"4000000000", "4294971392" };
	struct rig *rig = *state;
	char *text;

	for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++) {
		begin(rig, ALL, false, false);
		text = challenge(rig, rounds[i]);
		answer(rig, 383, text);
		gsasl_free(text);
		assert_int_equal(rig->step, LOGIN_FAILED);
	}
	assert_non_null(strstr(feed_login_why(rig->login), "hashed"));
	begin(rig, ALL, false, false);
	text = challenge(rig, "4096");
	answer(rig, 383, text);
	gsasl_free(text);
	assert_int_equal(rig->step, LOGIN_SAY);
}

static void
what_the_server_makes_up_ends_it(void **state)
{
	static const char *const texts[] = { "", "=", "!",
		"cj0=", "cj14LHM9eCxpPTQwOTY=" };
	struct rig *rig = *state;
	char large[1200];

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		begin(rig, ALL, true, true);
		answer(rig, 383, texts[i]);
		assert_int_equal(rig->step, LOGIN_FAILED);
		assert_true(feed_login_why(rig->login)[0] != '\0');
	}
	memset(large, 'A', sizeof large - 1);
	large[sizeof large - 1] = '\0';
	begin(rig, ALL, true, true);
	answer(rig, 383, large);
	assert_int_equal(rig->step, LOGIN_FAILED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_strongest_that_is_offered_is_taken),
		TEST(what_is_offered_and_refused_leaves_user),
		TEST(plain_and_user_say_the_words),
		TEST(scram_ends_when_both_sides_are_known),
		TEST(a_server_that_lacks_the_password_is_not_believed),
		TEST(how_long_the_password_is_hashed_has_bounds),
		TEST(what_the_server_makes_up_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
