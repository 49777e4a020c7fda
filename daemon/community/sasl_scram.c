/* sasl_scram.c - SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, 7677): the
 * verifier for libgsasl, and what a wrong proof costs.
 *
 * The first message names the account, whose verifier is read on a worker; the
 * last one is a guess at its password and waits for its turn.
 */
#include "daemon/community/sasl_private.h"

#include <stdio.h>

static int
scram_look_up(struct sasl *sasl)
{
	char *login = sasl_name(sasl, GSASL_AUTHID);
	char *as = sasl_name(sasl, GSASL_AUTHZID);
	int result = GSASL_AUTHENTICATION_ERROR;

	if (login != NULL && login[0] != '\0' && as != NULL) {
		auth_account_find(sasl->community, login, as, &sasl->account);
		sasl->looked_up = true;
		result = GSASL_OK;
	}
	gsasl_free(login);
	gsasl_free(as);
	return result;
}

/* Not in hex, as gsasl.h has it: in base64, as libgsasl 2.2 reads it. */
static int
scram_set(struct sasl *sasl, Gsasl_property property, const uint8_t *bytes,
    size_t len)
{
	char *text = NULL;
	int result =
	    gsasl_base64_to((const char *)bytes, len, &text, NULL);

	if (result == GSASL_OK)
		result = gsasl_property_set(sasl->session, property, text);
	gsasl_free(text);
	return result;
}

int
sasl_scram_property(struct sasl *sasl, Gsasl_property property)
{
	const struct auth_verifier *verifier = &sasl->account.verifier;
	char count[16];
	int result = GSASL_OK;

	if (property != GSASL_SCRAM_ITER && property != GSASL_SCRAM_SALT &&
	    property != GSASL_SCRAM_STOREDKEY &&
	    property != GSASL_SCRAM_SERVERKEY)
		return GSASL_NO_CALLBACK;
	if (!sasl->looked_up)
		result = scram_look_up(sasl);
	if (result != GSASL_OK)
		return result;
	if (property == GSASL_SCRAM_SALT)
		return scram_set(sasl, property, verifier->salt,
		    sizeof verifier->salt);
	if (property == GSASL_SCRAM_STOREDKEY)
		return scram_set(sasl, property, verifier->stored_key,
		    sizeof verifier->stored_key);
	if (property == GSASL_SCRAM_SERVERKEY)
		return scram_set(sasl, property, verifier->server_key,
		    sizeof verifier->server_key);
	(void)snprintf(count, sizeof count, "%u",
	    (unsigned)verifier->iterations);
	return gsasl_property_set(sasl->session, property, count);
}

static void
scram_first(void *arg)
{
	sasl_run(arg);
}

static void
scram_turn(void *arg, bool granted)
{
	struct sasl *sasl = arg;

	if (granted)
		sasl_run(sasl);
	else
		sasl->answer = SASL_BUSY;
	/* what could not be read was no guess */
	if (granted &&
	    (sasl->answer == SASL_ACCEPTED || sasl->answer == SASL_REFUSED))
		auth_delay_note(auth_delays(community_auth(sasl->community)),
		    &sasl->who,
		    sasl->answer == SASL_ACCEPTED && sasl->account.known,
		    clock_milliseconds(community_clock(sasl->community)));
	sasl_finish(sasl);
}

/* RFC 5802 6: the client could bind to the channel and was told that we cannot.
 * Somebody between us has changed the list. */
static bool
scram_was_downgraded(const struct sasl *sasl)
{
	return !sasl->mechanism->needs_binding && sasl->input_len > 0 &&
	    sasl->input[0] == 'y' &&
	    !sasl_binding_is_empty(&sasl->binding);
}

int
sasl_scram(struct sasl *sasl)
{
	if (sasl->looked_up) {
		auth_try_make(community_auth(sasl->community),
		    sasl->account.name, sasl->client, &sasl->who);
		return auth_turn_wait(sasl->community, sasl->loop, &sasl->who,
		    scram_turn, sasl);
	}
	if (scram_was_downgraded(sasl)) {
		sasl->answer = SASL_REFUSED;
		return loop_post(sasl->loop, sasl_finish, sasl);
	}
	return worker_submit(community_workers(sasl->community), sasl->loop,
	    scram_first, sasl_finish, sasl);
}
