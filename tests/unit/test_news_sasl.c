/* test_news_sasl.c - AUTHINFO SASL (RFC 4643 2.4) with libgsasl as the client,
 * in plain and over TLS.
 */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gsasl.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "daemon/community/auth_private.h"
#include "daemon/tls.h"
#include "tests/unit/certificate.h"
#include "tests/unit/news_check.h"

static Gsasl *library;
static char *server_certificate;

/* ---- the client's side of SASL ---- */

struct user {
	struct client client;
	Gsasl_session *session;
	const char *mechanism;
	const char *binding; /* "tls-unique", "tls-exporter", or NULL */
	char *said;	     /* the last message of the server, owned */
};

static int
no_property(Gsasl *gsasl, Gsasl_session *session, Gsasl_property property)
{
	(void)gsasl;
	(void)session;
	return property == GSASL_CB_TLS_UNIQUE ? GSASL_NO_CB_TLS_UNIQUE
	    : property == GSASL_CB_TLS_EXPORTER ? GSASL_NO_CB_TLS_EXPORTER
						: GSASL_NO_CALLBACK;
}

static void
user_bind(struct user *user)
{
	bool unique;
	char bytes[STREAM_BINDING_MAX], *text;
	size_t len;

	if (user->binding == NULL)
		return;
	unique = strcmp(user->binding, "tls-unique") == 0;
	len = stream_binding(user->client.stream,
	    unique ? STREAM_TLS_UNIQUE : STREAM_TLS_EXPORTER, bytes);
	assert_int_not_equal(len, 0);
	assert_int_equal(gsasl_base64_to(bytes, len, &text, NULL), GSASL_OK);
	assert_int_equal(gsasl_property_set(user->session,
			     unique ? GSASL_CB_TLS_UNIQUE
				    : GSASL_CB_TLS_EXPORTER,
			     text),
	    GSASL_OK);
	gsasl_free(text);
}

/* The next message of the client in base64 ("=" if empty), owned. */
static char *
user_next(struct user *user, const char *challenge)
{
	char *text = NULL;
	int rc = gsasl_step64(user->session, challenge, &text);

	if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE)
		return NULL;
	if (text[0] == '\0') {
		gsasl_free(text);
		text = strdup("=");
	}
	return text;
}

static const char *
user_say(struct user *user, const char *line)
{
	buffer_clear(&user->client.text);
	client_send(&user->client, line);
	client_send(&user->client, "\r\n");
	return client_wait(&user->client, "\r\n");
}

/* The whole exchange; the last code. With 283 the client believes it too. */
static int
user_login(struct user *user, const char *login, const char *as,
    const char *password)
{
	const char *answer;
	char line[4096], *text;
	int code;

	assert_int_equal(gsasl_client_start(library, user->mechanism,
			     &user->session),
	    GSASL_OK);
	(void)gsasl_property_set(user->session, GSASL_AUTHID, login);
	if (as != NULL)
		(void)gsasl_property_set(user->session, GSASL_AUTHZID, as);
	(void)gsasl_property_set(user->session, GSASL_PASSWORD, password);
	user_bind(user);
	text = user_next(user, "");
	assert_non_null(text);
	(void)snprintf(line, sizeof line, "AUTHINFO SASL %s %s",
	    user->mechanism, text);
	for (;;) {
		gsasl_free(text);
		text = NULL;
		answer = user_say(user, line);
		code = (int)strtol(answer, NULL, 10);
		free(user->said);
		user->said = strndup(answer + 4, strcspn(answer + 4, "\r"));
		if (code == 383 || code == 283)
			text = user_next(user, user->said);
		if (code != 383)
			break;
		assert_non_null(text);
		(void)snprintf(line, sizeof line, "%s", text);
	}
	if (code == 283)
		assert_non_null(text);
	gsasl_free(text);
	gsasl_finish(user->session);
	user->session = NULL;
	return code;
}

static void
user_open(struct user *user, const char *mechanism)
{
	memset(user, 0, sizeof *user);
	user->mechanism = mechanism;
	client_open(&fixture, &user->client);
	(void)client_wait(&user->client, "\r\n");
}

static void
user_close(struct user *user)
{
	client_close(&user->client);
	free(user->said);
}

static int
login_of(const char *mechanism, const char *login, const char *as,
    const char *password)
{
	struct user user;
	int code;

	user_open(&user, mechanism);
	code = user_login(&user, login, as, password);
	user_close(&user);
	return code;
}

/* ---- over TLS ---- */

static void
use_certificate(SSL_CTX *ctx, const char *certificate, const char *key)
{
	BIO *bio = BIO_new_mem_buf(certificate, -1);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	EVP_PKEY *secret;

	BIO_free(bio);
	bio = BIO_new_mem_buf(key, -1);
	secret = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, secret), 1);
	X509_free(cert);
	EVP_PKEY_free(secret);
}

/* names: of the client's certificate, NULL: it has none. trusted: the server
 * knows who signed it. */
static void
user_open_tls(struct user *user, const char *mechanism, int version,
    const char *names, bool trusted)
{
	char *certificate = NULL, *key = NULL;
	const char *why;
	struct ssl_ctx_st *ctx =
	    tls_client_new(span_of(server_certificate), &why);

	memset(user, 0, sizeof *user);
	user->mechanism = mechanism;
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
	if (names != NULL) {
		certificate_make_client(names, &certificate, &key);
		use_certificate(ctx, certificate, key);
	}
	assert_int_equal(tls_server_ask_clients(fixture.tls,
			     span_of(trusted ? certificate
					     : server_certificate),
			     &why),
	    0);
	client_open_socket(&fixture, &user->client, true);
	assert_int_equal(
	    stream_connect_tls(user->client.stream, ctx, "news.example"), 0);
	assert_memory_equal(client_wait(&user->client, "\r\n"), "200 ", 4);
	tls_free(&ctx);
	free(certificate);
	free(key);
}

/* ---- fixture ---- */

static int
setup(void **state)
{
	static const struct fixture_space space = { "talk", "",
		KITH__AUDIENCE__AUDIENCE_MEMBERS,
		KITH__AUDIENCE__AUDIENCE_MEMBERS,
		KITH__MODERATION__MODERATION_NONE, 1 };
	char *key;
	const char *why;

	(void)state;
	if (news_open_with(&fixture, &space, 1) != 0 ||
	    gsasl_init(&library) != GSASL_OK)
		return -1;
	gsasl_callback_set(library, no_property);
	certificate_make("news.example", &server_certificate, &key);
	fixture.tls =
	    tls_server_new(span_of(server_certificate), span_of(key), &why);
	free(key);
	return fixture.tls == NULL ||
	    fixture_member_add(&fixture, "ann", "correct horse",
		KITH__ROLE__ROLE_MEMBER) != 0 ||
	    fixture_member_add(&fixture, "bea", "p\xc3\xa4ssword",
		KITH__ROLE__ROLE_MEMBER) != 0 ||
	    fixture_peer_add(&fixture, "feeder", "pw", "*") != 0;
}

static int
teardown(void **state)
{
	(void)state;
	news_fixture_close(&fixture);
	gsasl_done(library);
	free(server_certificate);
	return 0;
}

/* ---- tests ---- */

static void
scram_proves_the_password_and_the_server(void **state)
{
	struct user user;
	const char *text;

	(void)state;
	user_open(&user, "SCRAM-SHA-256");
	assert_int_equal(user_login(&user, "ann", NULL, "correct horse"), 283);
	text = client_ask(&user.client, "GROUP talk");
	assert_memory_equal(text, "211 ", 4);
	text = client_ask(&user.client, "CAPABILITIES");
	lacks(text, "AUTHINFO");
	contains(text, "\r\nSASL SCRAM-SHA-256 PLAIN\r\n");
	assert_memory_equal(client_ask(&user.client, "AUTHINFO SASL PLAIN ="),
	    "502 ", 4);
	user_close(&user);
	assert_int_equal(login_of("SCRAM-SHA-256", "ann@MEMBERS.example", NULL,
			     "correct horse"),
	    283);
	assert_int_equal(login_of("SCRAM-SHA-256", "feeder", NULL, "pw"), 283);
	assert_int_equal(login_of("SCRAM-SHA-256", "ann", NULL, "wrong"), 481);
}

static void
one_may_act_for_oneself_only(void **state)
{
	(void)state;
	assert_int_equal(login_of("SCRAM-SHA-256", "ann",
			     "ann@members.example", "correct horse"),
	    283);
	assert_int_equal(
	    login_of("SCRAM-SHA-256", "ann", "bea", "correct horse"), 481);
	assert_int_equal(login_of("PLAIN", "ann", "ann", "correct horse"), 281);
	assert_int_equal(login_of("PLAIN", "ann", "bea", "correct horse"), 481);
	assert_int_equal(login_of("PLAIN", "feeder", "ann", "pw"), 481);
}

static void
passwords_are_compared_as_saslprep_has_them(void **state)
{
	(void)state;
	/* a with a diaeresis of its own, and a soft hyphen */
	assert_int_equal(login_of("SCRAM-SHA-256", "bea", NULL,
			     "pa\xcc\x88ss\xc2\xadword"),
	    283);
	assert_int_equal(login_of("PLAIN", "bea", NULL, "pa\xcc\x88ssword"),
	    281);
}

/* "r=...,s=SALT,i=COUNT" without the nonce. */
static char *
challenge_of(const char *login)
{
	struct user user;
	char *text = NULL, *salt;
	size_t len;

	user_open(&user, "SCRAM-SHA-256");
	assert_int_equal(gsasl_client_start(library, user.mechanism,
			     &user.session),
	    GSASL_OK);
	(void)gsasl_property_set(user.session, GSASL_AUTHID, login);
	{
		char line[512], *first = user_next(&user, "");
		const char *answer;

		(void)snprintf(line, sizeof line,
		    "AUTHINFO SASL SCRAM-SHA-256 %s", first);
		gsasl_free(first);
		answer = user_say(&user, line);
		assert_memory_equal(answer, "383 ", 4);
		assert_int_equal(gsasl_base64_from(answer + 4,
				     strcspn(answer + 4, "\r"), &text, &len),
		    GSASL_OK);
	}
	gsasl_finish(user.session);
	assert_memory_equal(user_say(&user, "*"), "481 ", 4);
	user_close(&user);
	salt = memmem(text, len, ",s=", 3);
	assert_non_null(salt);
	salt = strndup(salt, (size_t)(text + len - salt));
	gsasl_free(text);
	return salt;
}

static void
nobody_is_answered_like_a_member(void **state)
{
	char *known, *nobody, *again, *other, *folded, *same;

	(void)state;
	assert_int_equal(login_of("SCRAM-SHA-256", "ann", NULL, "wrong"), 481);
	assert_int_equal(login_of("SCRAM-SHA-256", "nobody", NULL, "wrong"),
	    481);
	known = challenge_of("ann");
	nobody = challenge_of("nobody");
	again = challenge_of("nobody");
	other = challenge_of("other");
	folded = challenge_of("Nobody@Else.example");
	same = challenge_of("nobody@else.EXAMPLE");
	assert_string_equal(nobody, again);
	assert_string_equal(folded, same);
	assert_string_not_equal(nobody, other);
	assert_int_equal(strlen(known), strlen(nobody));
	assert_string_equal(strstr(known, ",i="), strstr(nobody, ",i="));
	free(known);
	free(nobody);
	free(again);
	free(other);
	free(folded);
	free(same);
}

static void
plain_comes_with_and_without_an_initial_response(void **state)
{
	struct user user;
	char line[2048];

	(void)state;
	assert_int_equal(login_of("PLAIN", "ann", NULL, "correct horse"), 281);
	user_open(&user, "PLAIN");
	assert_string_equal(user_say(&user, "AUTHINFO SASL plain"),
	    "383 =\r\n");
	assert_memory_equal(user_say(&user, "AGFubgBjb3JyZWN0IGhvcnNl"),
	    "281 ", 4);
	user_close(&user);
	/* a password as long as may be: the line is longer than 512 octets */
	user_open(&user, "PLAIN");
	for (size_t i = 0; i < sizeof line; i++)
		line[i] = "QUFB"[i % 4];
	memcpy(line, "AUTHINFO SASL PLAIN AGFubgBj", 28);
	line[20 + 684] = '\0';
	assert_memory_equal(user_say(&user, line), "481 ", 4);
	/* only this command may be long */
	memcpy(line, "GROUP xxxxxxxxxxxxxxxxxxxxxxxxxx", 28);
	assert_memory_equal(user_say(&user, line), "501 ", 4);
	user_close(&user);
}

static void
what_is_no_message_is_refused_by_its_own_code(void **state)
{
	struct user user;

	(void)state;
	user_open(&user, "");
	assert_memory_equal(user_say(&user, "AUTHINFO SASL CRAM-MD5"), "503 ",
	    4);
	assert_memory_equal(user_say(&user,
				"AUTHINFO SASL A-NAME-OF-MORE-THAN-20"),
	    "501 ", 4);
	/* they need TLS */
	assert_memory_equal(user_say(&user, "AUTHINFO SASL EXTERNAL ="),
	    "483 ", 4);
	assert_memory_equal(user_say(&user, "AUTHINFO SASL SCRAM-SHA-256-PLUS"),
	    "483 ", 4);
	assert_memory_equal(user_say(&user, "AUTHINFO SASL PLAIN abcd=efg"),
	    "504 ", 4);
	assert_memory_equal(user_say(&user, "AUTHINFO SASL PLAIN"), "383 ", 4);
	assert_memory_equal(user_say(&user, ""), "504 ", 4);
	assert_memory_equal(user_say(&user, "AUTHINFO SASL SCRAM-SHA-256"),
	    "383 ", 4);
	assert_memory_equal(user_say(&user, "bm9uc2Vuc2U="), "482 ", 4);
	/* nothing is left of it */
	assert_memory_equal(user_say(&user, "DATE"), "111 ", 4);
	user_close(&user);
}

static void
an_exchange_can_be_given_up_but_not_for_ever(void **state)
{
	struct user user;

	(void)state;
	user_open(&user, "");
	for (int i = 1; i <= 5; i++) {
		assert_memory_equal(
		    user_say(&user, "AUTHINFO SASL SCRAM-SHA-256"), "383 ", 4);
		assert_memory_equal(user_say(&user, "*"),
		    i < 5 ? "481 " : "400 ", 4);
	}
	assert_string_equal(client_wait_end(&user.client),
	    buffer_text(&user.client.text));
	assert_null(user.client.stream);
	user_close(&user);
}

static void
count_turn(void *arg, bool granted)
{
	(void)granted;
	(*(unsigned *)arg)++;
}

/* RFC 3977 3.2.1: 403 is for what passes. */
static void
a_right_password_is_not_called_wrong_when_too_many_wait(void **state)
{
	struct auth *auth = community_auth(fixture.community);
	uint64_t now = clock_milliseconds(fixture.clock);
	struct auth_account account;
	struct auth_try guesser;
	struct user user;
	unsigned waiting = 0, called = 0;

	(void)state;
	auth_account_find(fixture.community, "ann", "", &account);
	auth_try_make(auth, account.name, "192.0.2.66", &guesser);
	for (unsigned i = 0; i < 16; i++)
		auth_delay_note(auth_delays(auth), &guesser, false, now);
	while (auth_turn_wait(fixture.community, fixture.loop, &guesser,
		   count_turn, &called) == 0)
		waiting++;
	assert_int_equal(login_of("PLAIN", "ann", NULL, "correct horse"), 403);
	assert_int_equal(
	    login_of("SCRAM-SHA-256", "ann", NULL, "correct horse"), 403);
	user_open(&user, "");
	assert_memory_equal(user_say(&user, "AUTHINFO USER ann"), "381 ", 4);
	assert_memory_equal(user_say(&user, "AUTHINFO PASS correct horse"),
	    "403 ", 4);
	/* as often as a wrong one */
	for (int i = 2; i <= 5; i++)
		assert_memory_equal(user_say(&user,
					"AUTHINFO SASL PLAIN "
					"AGFubgBjb3JyZWN0IGhvcnNl"),
		    i < 5 ? "403 " : "400 ", 4);
	user_close(&user);
	clock_advance(fixture.clock, 60);
	while (called < waiting)
		fixture_turn(&fixture);
	assert_int_equal(login_of("PLAIN", "ann", NULL, "correct horse"), 281);
}

static void
lines_that_come_too_early_are_taken_in_their_turn(void **state)
{
	struct user user;

	(void)state;
	user_open(&user, "");
	/* RFC 4643 2.4.1 forbids it, and somebody will */
	client_send(&user.client,
	    "AUTHINFO SASL SCRAM-SHA-256 biwsbj1hbm4scj1meWtv\r\n=\r\n"
	    "AUTHINFO SASL SCRAM-SHA-256\r\nbiwsbj1hbm4scj1meWtv\r\n*\r\n"
	    "AUTHINFO SASL PLAIN\r\nAGFubgBjb3JyZWN0IGhvcnNl\r\nQUIT\r\n");
	contains(client_wait_end(&user.client),
	    "\r\n281 authentication accepted\r\n205 ");
	user_close(&user);
}

static void
an_exchange_may_end_with_the_connection(void **state)
{
	struct user user;

	(void)state;
	user_open(&user, "");
	client_send(&user.client, "AUTHINFO SASL PLAIN AGFubgB4\r\n");
	fixture_turn(&fixture);
	user_close(&user);
	user_open(&user, "");
	assert_memory_equal(user_say(&user, "AUTHINFO SASL SCRAM-SHA-256"),
	    "383 ", 4);
	user_close(&user);
	/* the first one waits for its worker */
	user_open(&user, "");
	while (news_server_sessions(fixture.server) > 1)
		assert_memory_equal(client_ask(&user.client, "HELP"), "100 ",
		    4);
	user_close(&user);
}

static void
plus_binds_to_the_tls_connection(void **state)
{
	static const struct {
		int version;
		const char *binding;
	} cases[] = { { TLS1_3_VERSION, "tls-exporter" },
		{ TLS1_2_VERSION, "tls-exporter" },
		{ TLS1_2_VERSION, "tls-unique" } };
	struct user user;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		user_open_tls(&user, "SCRAM-SHA-256-PLUS", cases[i].version,
		    NULL, false);
		contains(client_ask(&user.client, "CAPABILITIES"),
		    "\r\nSASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN\r\n");
		user.binding = cases[i].binding;
		if (i == 0)
			assert_int_equal(
			    user_login(&user, "ann", NULL, "wrong"), 481);
		assert_int_equal(
		    user_login(&user, "ann", NULL, "correct horse"), 283);
		user_close(&user);
	}
}

static void
a_list_that_was_shortened_on_its_way_is_noticed(void **state)
{
	struct user user;
	const char *answer;

	(void)state;
	user_open_tls(&user, "SCRAM-SHA-256", TLS1_3_VERSION, NULL, false);
	/* "y,,n=ann,r=fyko": the client could bind, but saw no -PLUS */
	answer = user_say(&user,
	    "AUTHINFO SASL SCRAM-SHA-256 eSwsbj1hbm4scj1meWtv");
	assert_memory_equal(answer, "481 ", 4);
	/* "n,,...": it cannot */
	answer = user_say(&user,
	    "AUTHINFO SASL SCRAM-SHA-256 biwsbj1hbm4scj1meWtv");
	assert_memory_equal(answer, "383 ", 4);
	user_close(&user);
}

static void
a_certificate_logs_in_the_member_it_names(void **state)
{
	struct user user;

	(void)state;
	user_open_tls(&user, "EXTERNAL", TLS1_3_VERSION,
	    "email:someone@else.example,email:Ann@members.example", true);
	contains(client_ask(&user.client, "CAPABILITIES"),
	    " EXTERNAL PLAIN\r\n");
	assert_memory_equal(user_say(&user, "AUTHINFO SASL EXTERNAL YmVh"),
	    "481 ", 4); /* bea */
	assert_memory_equal(user_say(&user, "AUTHINFO SASL EXTERNAL ="),
	    "281 ", 4);
	assert_memory_equal(client_ask(&user.client, "GROUP talk"), "211 ", 4);
	user_close(&user);
}

static void
a_certificate_of_two_members_is_none(void **state)
{
	struct user user;

	(void)state;
	user_open_tls(&user, "EXTERNAL", TLS1_2_VERSION,
	    "email:ann@members.example,email:bea@members.example", true);
	assert_memory_equal(user_say(&user, "AUTHINFO SASL EXTERNAL ="),
	    "481 ", 4);
	user_close(&user);
}

static void
a_certificate_of_nobody_is_none(void **state)
{
	struct user user;

	(void)state;
	user_open_tls(&user, "EXTERNAL", TLS1_2_VERSION,
	    "email:someone@else.example", true);
	assert_memory_equal(user_say(&user, "AUTHINFO SASL EXTERNAL ="),
	    "481 ", 4);
	user_close(&user);
}

static void
a_certificate_that_nobody_vouches_for_is_not_looked_at(void **state)
{
	struct user user;

	(void)state;
	user_open_tls(&user, "EXTERNAL", TLS1_3_VERSION,
	    "email:ann@members.example", false);
	lacks(client_ask(&user.client, "CAPABILITIES"), "EXTERNAL");
	assert_memory_equal(user_say(&user, "AUTHINFO SASL EXTERNAL ="),
	    "503 ", 4);
	user_close(&user);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	/* each with a community of its own: nobody has failed in it yet */
	const struct CMUnitTest tests[] = {
		T(scram_proves_the_password_and_the_server),
		T(one_may_act_for_oneself_only),
		T(passwords_are_compared_as_saslprep_has_them),
		T(nobody_is_answered_like_a_member),
		T(plain_comes_with_and_without_an_initial_response),
		T(what_is_no_message_is_refused_by_its_own_code),
		T(an_exchange_can_be_given_up_but_not_for_ever),
		T(a_right_password_is_not_called_wrong_when_too_many_wait),
		T(lines_that_come_too_early_are_taken_in_their_turn),
		T(an_exchange_may_end_with_the_connection),
		T(plus_binds_to_the_tls_connection),
		T(a_list_that_was_shortened_on_its_way_is_noticed),
		T(a_certificate_logs_in_the_member_it_names),
		T(a_certificate_of_two_members_is_none),
		T(a_certificate_of_nobody_is_none),
		T(a_certificate_that_nobody_vouches_for_is_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
