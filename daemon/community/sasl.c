/* sasl.c - SASL exchanges: which mechanism can be used, and the steps of one.
 * What a mechanism asks of the community is in sasl_scram.c and sasl_plain.c.
 */
#include "daemon/community/sasl_private.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* None of ours takes more; libgsasl would answer for ever. */
#define ROUNDS_MAX 4u

/* Best first. */
static const struct sasl_mechanism mechanisms[] = {
	{ "SCRAM-SHA-256-PLUS", false, true, false, sasl_scram },
	{ "SCRAM-SHA-256", false, false, false, sasl_scram },
	{ "EXTERNAL", false, false, true, sasl_external },
	{ "PLAIN", true, false, false, sasl_plain },
};
#define MECHANISMS (sizeof mechanisms / sizeof mechanisms[0])

/* ---- what is offered */

static bool
has_binding(const struct sasl_channel *channel)
{
	return channel->unique.len > 0 || channel->exporter.len > 0;
}

static enum sasl_offer
mechanism_offer(const struct sasl_mechanism *mechanism,
    const struct sasl_channel *channel)
{
	if ((!mechanism->needs_private || channel->private) &&
	    (!mechanism->needs_binding || has_binding(channel)) &&
	    (!mechanism->needs_certificate || channel->certificate.len > 0))
		return SASL_OFFERED;
	return channel->tls ? SASL_UNKNOWN : SASL_NEEDS_TLS;
}

void
sasl_list(const struct sasl_channel *channel, struct buffer *out)
{
	for (size_t i = 0; i < MECHANISMS; i++)
		if (mechanism_offer(&mechanisms[i], channel) == SASL_OFFERED)
			buffer_printf(out, " %s", mechanisms[i].name);
}

static const struct sasl_mechanism *
mechanism_find(struct span name)
{
	for (size_t i = 0; i < MECHANISMS; i++)
		if (span_is(name, mechanisms[i].name))
			return &mechanisms[i];
	return NULL;
}

enum sasl_offer
sasl_find(const struct sasl_channel *channel, struct span name)
{
	const struct sasl_mechanism *mechanism = mechanism_find(name);

	return mechanism == NULL ? SASL_UNKNOWN :
				   mechanism_offer(mechanism, channel);
}

/* ---- libgsasl */

static int
on_property(Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
	struct sasl *sasl = gsasl_session_hook_get(session);
	int result;

	(void)library;
	if (sasl == NULL)
		return GSASL_NO_CALLBACK;
	/* where it is not asked for, libgsasl need not know that there is one */
	if (sasl_binding_property(
		sasl->mechanism->needs_binding ? &sasl->binding : NULL,
		session, (int)property, &result))
		return result;
	/* who he says he is gets looked at afterwards, not on the loop */
	if (property == GSASL_VALIDATE_SIMPLE ||
	    property == GSASL_VALIDATE_EXTERNAL)
		return GSASL_OK;
	return sasl_scram_property(sasl, property);
}

int
sasl_open(struct Gsasl **library_r)
{
	if (gsasl_init(library_r) != GSASL_OK) {
		*library_r = NULL;
		return -ENOMEM;
	}
	gsasl_callback_set(*library_r, on_property);
	return 0;
}

void
sasl_close(struct Gsasl **library)
{
	if (*library != NULL)
		gsasl_done(*library);
	*library = NULL;
}

static enum sasl_answer
answer_of(int result)
{
	switch (result) {
	case GSASL_OK:
		return SASL_ACCEPTED;
	case GSASL_NEEDS_MORE:
		return SASL_CONTINUE;
	case GSASL_MECHANISM_PARSE_ERROR:
	case GSASL_MECHANISM_CALLED_TOO_MANY_TIMES:
		return SASL_MALFORMED;
	case GSASL_MALLOC_ERROR:
	case GSASL_CRYPTO_ERROR:
		return SASL_BUSY;
	default:
		return SASL_REFUSED;
	}
}

void
sasl_run(struct sasl *sasl)
{
	sasl->result = gsasl_step(sasl->session, sasl->input, sasl->input_len,
	    &sasl->output, &sasl->output_len);
	if (sasl->result != GSASL_OK && sasl->result != GSASL_NEEDS_MORE)
		sasl->output = NULL;
	sasl->answer = answer_of(sasl->result);
	if (sasl->answer == SASL_CONTINUE && ++sasl->round == ROUNDS_MAX)
		sasl->answer = SASL_MALFORMED;
}

char *
sasl_name(const struct sasl *sasl, Gsasl_property property)
{
	const char *said = gsasl_property_fast(sasl->session, property);
	char *name = NULL;

	if (said == NULL)
		said = "";
	if (strlen(said) > AUTH_LOGIN_MAX ||
	    gsasl_saslprep(said, GSASL_ALLOW_UNASSIGNED, &name, NULL) !=
		GSASL_OK ||
	    name == NULL)
		return NULL;
	/* a name that is nothing once prepared is no name */
	if (strlen(name) > AUTH_LOGIN_MAX ||
	    (said[0] != '\0' && name[0] == '\0')) {
		free(name);
		return NULL;
	}
	return name;
}

/* ---- life */

int
sasl_new(struct sasl **sasl_r, struct community *community, struct loop *loop,
    const struct sasl_channel *channel, struct span name)
{
	const struct sasl_mechanism *mechanism = mechanism_find(name);
	struct sasl *sasl;
	int rc;

	*sasl_r = NULL;
	if (mechanism == NULL ||
	    mechanism_offer(mechanism, channel) != SASL_OFFERED)
		return -EINVAL;
	sasl = calloc(1, sizeof *sasl);
	if (sasl == NULL)
		return -ENOMEM;
	sasl->community = community;
	sasl->loop = loop;
	sasl->mechanism = mechanism;
	if (strlen(channel->client) < sizeof sasl->client)
		memcpy(sasl->client, channel->client,
		    strlen(channel->client) + 1);
	buffer_init(&sasl->certificate, 0);
	buffer_append_span(&sasl->certificate, channel->certificate);
	rc = buffer_failed(&sasl->certificate) ? -ENOMEM : 0;
	if (rc == 0)
		rc = sasl_binding_init(&sasl->binding, channel->unique,
		    channel->exporter);
	if (rc == 0 &&
	    gsasl_server_start(auth_library(community_auth(community)),
		mechanism->name, &sasl->session) != GSASL_OK)
		rc = -ENOMEM;
	if (rc != 0) {
		sasl_free(&sasl);
		return rc;
	}
	gsasl_session_hook_set(sasl->session, sasl);
	*sasl_r = sasl;
	return 0;
}

static void
sasl_drop_step(struct sasl *sasl)
{
	if (sasl->input != NULL)
		OPENSSL_cleanse(sasl->input, sasl->input_len);
	gsasl_free(sasl->input);
	gsasl_free(sasl->output);
	sasl->input = NULL;
	sasl->output = NULL;
	sasl->input_len = sasl->output_len = 0;
}

void
sasl_free(struct sasl **sasl_p)
{
	struct sasl *sasl = *sasl_p;

	*sasl_p = NULL;
	if (sasl == NULL)
		return;
	sasl->freed = true;
	if (sasl->under_way)
		return;
	sasl_drop_step(sasl);
	if (sasl->session != NULL)
		gsasl_finish(sasl->session);
	sasl_binding_fini(&sasl->binding);
	buffer_fini(&sasl->certificate);
	OPENSSL_cleanse(sasl, sizeof *sasl);
	free(sasl);
}

/* ---- a step */

/* "=" stands for no octets, an empty line for nothing at all. */
static enum sasl_answer
step_decode(struct sasl *sasl, struct span message)
{
	if (message.len == 1 && message.bytes[0] == '=') {
		sasl->input = calloc(1, 1);
		return sasl->input == NULL ? SASL_BUSY : SASL_CONTINUE;
	}
	if (message.len == 0 || message.len > SASL_MESSAGE_MAX ||
	    gsasl_base64_from(message.bytes, message.len, &sasl->input,
		&sasl->input_len) != GSASL_OK) {
		sasl->input = NULL;
		return SASL_NOT_BASE64;
	}
	return SASL_CONTINUE;
}

/* The text for done, owned by the caller (gsasl_free); NULL: no memory. */
static char *
step_text(struct sasl *sasl)
{
	char *text = NULL;

	if (sasl->answer != SASL_CONTINUE && sasl->answer != SASL_ACCEPTED)
		return strdup("");
	if (sasl->output_len == 0)
		return strdup(sasl->answer == SASL_CONTINUE ? "=" : "");
	if (gsasl_base64_to(sasl->output, sasl->output_len, &text, NULL) !=
	    GSASL_OK)
		return NULL;
	return text;
}

void
sasl_finish(void *arg)
{
	struct sasl *sasl = arg;
	void (*done)(void *arg, enum sasl_answer answer, const char *text,
	    const struct identity *identity) = sasl->done;
	void *to = sasl->arg;
	struct identity identity = sasl->account.identity;
	enum sasl_answer answer = sasl->answer;
	bool freed = sasl->freed;
	char *text;

	if (answer == SASL_ACCEPTED && !sasl->account.known)
		answer = sasl->answer = SASL_REFUSED;
	text = step_text(sasl);
	if (text == NULL)
		answer = SASL_BUSY;
	community_busy(sasl->community, -1);
	sasl_drop_step(sasl);
	sasl->under_way = false;
	/* done may begin the next step, or end the exchange: it is over here */
	done(to, answer, text == NULL ? "" : text,
	    answer == SASL_ACCEPTED ? &identity : NULL);
	gsasl_free(text);
	if (freed)
		sasl_free(&sasl);
}

int
sasl_step(struct sasl *sasl, struct span message, bool has_message,
    void (*done)(void *arg, enum sasl_answer answer, const char *text,
	const struct identity *identity),
    void *arg)
{
	int rc;

	sasl->done = done;
	sasl->arg = arg;
	sasl->under_way = true;
	community_busy(sasl->community, 1);
	sasl->answer = has_message ? step_decode(sasl, message) : SASL_CONTINUE;
	rc = sasl->answer == SASL_CONTINUE
	    ? sasl->mechanism->begin(sasl)
	    : loop_post(sasl->loop, sasl_finish, sasl);
	if (rc != 0) {
		community_busy(sasl->community, -1);
		sasl_drop_step(sasl);
		sasl->under_way = false;
	}
	return rc;
}
