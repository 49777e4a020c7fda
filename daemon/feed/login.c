/* login.c - see login.h.
 *
 * libgsasl would do whatever the server asks of it: how long a password is hashed
 * is bounded here, and that the server has proved itself is seen to.
 */
#include "build.h"

#include "daemon/feed/login.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsasl.h>
#include <openssl/crypto.h>

#include "daemon/sasl_binding.h"

#define LINE_MAX_OCTETS 2048u
/* Rounds of PBKDF2 that a server may ask for: fewer make guessing at what it saw
 * cheap (RFC 7677 4), more keep the loop from its work. */
#define ROUNDS_MIN 4096u
#define ROUNDS_MAX 600000u

struct mechanism {
	const char *name;
	bool needs_binding, needs_clear, is_scram;
};

/* Strongest first. */
static const struct mechanism mechanisms[] = {
	{ "SCRAM-SHA-256-PLUS", true, false, true },
	{ "SCRAM-SHA-256", false, false, true },
	{ "PLAIN", false, true, false },
};
#define MECHANISMS (sizeof mechanisms / sizeof mechanisms[0])

enum login_state {
	LOGIN_LISTING,
	LOGIN_SASL,
	LOGIN_USER,
	LOGIN_PASS,
};

struct feed_login {
	struct Gsasl *library;
	const char *user;
	struct span secret;
	bool clear;
	struct sasl_binding binding;
	enum login_state state;
	bool offered[MECHANISMS];
	bool no_user; /* the list says that USER is not taken */
	const struct mechanism *mechanism; /* NULL: USER and PASS */
	Gsasl_session *session;
	bool proved; /* the mechanism has nothing more to say */
	char why[128];
	char line[LINE_MAX_OCTETS];
	size_t len;
};

/* ---- libgsasl */

static bool
rounds_are_sound(struct feed_login *login)
{
	const char *said =
	    gsasl_property_fast(login->session, GSASL_SCRAM_ITER);
	unsigned long rounds = said == NULL ? 0 : strtoul(said, NULL, 10);

	if (!login->mechanism->is_scram ||
	    (rounds >= ROUNDS_MIN && rounds <= ROUNDS_MAX))
		return true;
	(void)snprintf(login->why, sizeof login->why,
	    "the server wants the password hashed %lu times: not %u to %u",
	    rounds, ROUNDS_MIN, ROUNDS_MAX);
	return false;
}

static int
password_set(struct feed_login *login, Gsasl_session *session)
{
	if (!rounds_are_sound(login))
		return GSASL_NO_PASSWORD;
	return gsasl_property_set_raw(session, GSASL_PASSWORD,
	    login->secret.bytes, login->secret.len);
}

static int
on_property(Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
	struct feed_login *login = gsasl_session_hook_get(session);
	int result;

	(void)library;
	if (login == NULL)
		return GSASL_NO_CALLBACK;
	/* libgsasl 2.2: a client that knows of a binding fails without one */
	if (sasl_binding_property(login->mechanism->needs_binding
		    ? &login->binding
		    : NULL,
		session, (int)property, &result))
		return result;
	if (property == GSASL_AUTHID)
		return gsasl_property_set(session, property, login->user);
	if (property == GSASL_PASSWORD)
		return password_set(login, session);
	return GSASL_NO_CALLBACK;
}

int
feed_login_open(struct Gsasl **library_r)
{
	if (gsasl_init(library_r) != GSASL_OK) {
		*library_r = NULL;
		return -ENOMEM;
	}
	gsasl_callback_set(*library_r, on_property);
	return 0;
}

void
feed_login_close(struct Gsasl **library)
{
	if (*library != NULL)
		gsasl_done(*library);
	*library = NULL;
}

/* ---- life */

struct feed_login *
feed_login_new(struct Gsasl *library, const struct feed_login_options *options)
{
	struct feed_login *login = calloc(1, sizeof *login);

	if (login == NULL)
		return NULL;
	login->library = library;
	login->user = options->user;
	login->secret = options->secret;
	login->clear = options->clear;
	if (sasl_binding_init(&login->binding, options->unique,
		options->exporter) != 0)
		feed_login_free(&login);
	return login;
}

void
feed_login_free(struct feed_login **login_p)
{
	struct feed_login *login = *login_p;

	*login_p = NULL;
	if (login == NULL)
		return;
	if (login->session != NULL)
		gsasl_finish(login->session);
	sasl_binding_fini(&login->binding);
	OPENSSL_cleanse(login, sizeof *login);
	free(login);
}

const char *
feed_login_why(const struct feed_login *login)
{
	return login->why;
}

const char *
feed_login_by(const struct feed_login *login)
{
	if (login->state == LOGIN_LISTING)
		return "";
	return login->mechanism == NULL ? "USER" : login->mechanism->name;
}

/* ---- lines */

static enum feed_login_step
login_fail(struct feed_login *login, const char *why)
{
	if (login->why[0] == '\0')
		(void)snprintf(login->why, sizeof login->why, "%s", why);
	return LOGIN_FAILED;
}

static void
line_begin(struct feed_login *login)
{
	OPENSSL_cleanse(login->line, sizeof login->line);
	login->len = 0;
}

static void
line_add(struct feed_login *login, const char *text, size_t len)
{
	/* too long shows in line_say() */
	if (login->len + len <= sizeof login->line)
		memcpy(login->line + login->len, text, len);
	login->len += len;
}

static enum feed_login_step
line_say(struct feed_login *login, struct span *line_r)
{
	if (login->len > sizeof login->line)
		return login_fail(login, "login or password are too long");
	*line_r = span_make(login->line, login->len);
	return LOGIN_SAY;
}

/* ---- what is offered */

void
feed_login_capability(struct feed_login *login, struct span line)
{
	struct span rest = span_trim(line), word = nntp_reply_word(&rest);

	if (span_is(word, "AUTHINFO")) {
		login->no_user = true;
		while ((word = nntp_reply_word(&rest)).len > 0)
			if (span_is(word, "USER"))
				login->no_user = false;
	}
	if (!span_is(word, "SASL"))
		return;
	while ((word = nntp_reply_word(&rest)).len > 0)
		for (size_t i = 0; i < MECHANISMS; i++)
			if (span_is(word, mechanisms[i].name))
				login->offered[i] = true;
}

static const struct mechanism *
login_choose(const struct feed_login *login)
{
	for (size_t i = 0; i < MECHANISMS; i++)
		if (login->offered[i] &&
		    (!mechanisms[i].needs_clear || login->clear) &&
		    (!mechanisms[i].needs_binding ||
			!sasl_binding_is_empty(&login->binding)))
			return &mechanisms[i];
	return NULL;
}

/* ---- USER and PASS */

static enum feed_login_step
user_begin(struct feed_login *login, struct span *line_r)
{
	if (!login->clear)
		return login_fail(login,
		    "the server offers no login that keeps the password "
		    "secret without TLS");
	login->state = LOGIN_USER;
	line_begin(login);
	line_add(login, "AUTHINFO USER ", 14);
	line_add(login, login->user, strlen(login->user));
	return line_say(login, line_r);
}

static enum feed_login_step
pass_say(struct feed_login *login, struct span *line_r)
{
	login->state = LOGIN_PASS;
	line_begin(login);
	line_add(login, "AUTHINFO PASS ", 14);
	line_add(login, login->secret.bytes, login->secret.len);
	return line_say(login, line_r);
}

/* ---- SASL */

/* One message of the server, NULL: none yet. What we say to it follows what is
 * in the line. */
static enum feed_login_step
sasl_take(struct feed_login *login, const char *message)
{
	char *said = NULL;
	int result = gsasl_step64(login->session, message, &said);
	size_t len = said == NULL ? 0 : strlen(said);

	if (result != GSASL_OK && result != GSASL_NEEDS_MORE)
		return login_fail(login,
		    result == GSASL_AUTHENTICATION_ERROR
			? "the server does not know the password either"
			: "the server's part of the login is not sound");
	login->proved = result == GSASL_OK;
	if (len == 0)
		line_add(login, "=", 1);
	else
		line_add(login, said, len);
	if (said != NULL)
		OPENSSL_cleanse(said, len);
	gsasl_free(said);
	return LOGIN_SAY;
}

static enum feed_login_step
sasl_begin(struct feed_login *login, struct span *line_r)
{
	const char *name = login->mechanism->name;

	login->state = LOGIN_SASL;
	if (gsasl_client_start(login->library, name, &login->session) !=
	    GSASL_OK)
		return login_fail(login, "the login cannot begin");
	gsasl_session_hook_set(login->session, login);
	line_begin(login);
	line_add(login, "AUTHINFO SASL ", 14);
	line_add(login, name, strlen(name));
	line_add(login, " ", 1);
	if (sasl_take(login, NULL) == LOGIN_FAILED)
		return LOGIN_FAILED;
	return line_say(login, line_r);
}

/* The text of 383 or 283, "=" for no octets. */
static enum feed_login_step
sasl_challenge(struct feed_login *login, struct span text)
{
	char message[NNTP_REPLY_MAX + 1];

	if (login->proved || text.len == 0 || text.len >= sizeof message)
		return login_fail(login,
		    "the server's part of the login is not sound");
	if (text.len == 1 && text.bytes[0] == '=')
		text.len = 0;
	memcpy(message, text.bytes, text.len);
	message[text.len] = '\0';
	line_begin(login);
	return sasl_take(login, message);
}

/* ---- answers */

/* INN offers what its SASL library has, whether or not it knows a password for
 * it, and takes USER all the same. Whoever could bring us to this by refusing
 * could have left SASL out of the list. */
static bool
may_try_user(const struct feed_login *login)
{
	return login->state == LOGIN_SASL && login->clear && !login->no_user;
}

static enum feed_login_step
login_refused(struct feed_login *login, const struct nntp_reply *reply,
    struct span *line_r)
{
	if (may_try_user(login)) {
		login->mechanism = NULL;
		return user_begin(login, line_r);
	}
	(void)snprintf(login->why, sizeof login->why,
	    "the server refused the login by %s: %u%s", feed_login_by(login),
	    reply->code, reply->code == 483 ? ", it wants TLS" : "");
	return LOGIN_FAILED;
}

/* Success is none before the server has proved what it knows: anybody can say
 * 281 (RFC 5802 7). */
static enum feed_login_step
sasl_success(struct feed_login *login, const struct nntp_reply *reply)
{
	enum feed_login_step step = LOGIN_SAY;

	if (reply->code == 283)
		step = sasl_challenge(login, reply->text);
	if (step == LOGIN_FAILED)
		return step;
	return login->proved
	    ? LOGIN_DONE
	    : login_fail(login,
		  "the server did not prove that it knows the password");
}

static enum feed_login_step
sasl_answer(struct feed_login *login, const struct nntp_reply *reply,
    struct span *line_r)
{
	if (reply->code == 281 || reply->code == 283)
		return sasl_success(login, reply);
	if (reply->code != 383)
		return login_refused(login, reply, line_r);
	if (sasl_challenge(login, reply->text) == LOGIN_FAILED)
		return LOGIN_FAILED;
	return line_say(login, line_r);
}

enum feed_login_step
feed_login_begin(struct feed_login *login, struct span *line_r)
{
	login->mechanism = login_choose(login);
	return login->mechanism == NULL ? user_begin(login, line_r)
					: sasl_begin(login, line_r);
}

enum feed_login_step
feed_login_answer(struct feed_login *login, const struct nntp_reply *reply,
    struct span *line_r)
{
	if (login->state == LOGIN_SASL)
		return sasl_answer(login, reply, line_r);
	if (reply->code == 281)
		return LOGIN_DONE;
	if (reply->code == 381 && login->state == LOGIN_USER)
		return pass_say(login, line_r);
	return login_refused(login, reply, line_r);
}
