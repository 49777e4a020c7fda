/* sasl_plain.c - PLAIN (RFC 4616) and EXTERNAL (RFC 4422 A): libgsasl reads the
 * message, the community says whether it is true.
 */
#include "daemon/community/sasl_private.h"

#include <string.h>

#include "daemon/community/members.h"

/* ---- PLAIN */

static void
plain_checked(void *arg, enum auth_answer answer,
    const struct identity *identity)
{
	struct sasl *sasl = arg;

	if (answer == AUTH_BUSY)
		sasl->answer = SASL_BUSY;
	sasl->account.known = identity != NULL;
	if (identity != NULL)
		sasl->account.identity = *identity;
	sasl_finish(sasl);
}

int
sasl_plain(struct sasl *sasl)
{
	char *login = NULL, *as = NULL;
	const char *password;
	int rc;

	sasl_run(sasl);
	if (sasl->answer == SASL_ACCEPTED) {
		login = sasl_name(sasl, GSASL_AUTHID);
		as = sasl_name(sasl, GSASL_AUTHZID);
	}
	password = gsasl_property_fast(sasl->session, GSASL_PASSWORD);
	if (login == NULL || as == NULL || password == NULL)
		rc = loop_post(sasl->loop, sasl_finish, sasl);
	else
		rc = auth_check(sasl->community, sasl->loop,
		    &(const struct auth_words){ .login = login,
			.as = as,
			.password = password,
			.client = sasl->client },
		    plain_checked, sasl);
	gsasl_free(login);
	gsasl_free(as);
	return rc;
}

/* ---- EXTERNAL */

/* The one member whose addresses the certificate names, 0: none. Names that
 * are nobody's do not matter; those of two members make it worthless. */
static uint32_t
certificate_member(struct store_reader *reader, const struct buffer *names)
{
	uint32_t found = 0, member;
	size_t at = 0;

	while (at < names->len) {
		const char *name = names->bytes + at;
		size_t len = strnlen(name, names->len - at);

		at += len + 1;
		if (at > names->len || strchr(name, '@') == NULL ||
		    member_find(reader, name, &member) != 0)
			continue;
		if (found != 0 && found != member)
			return 0;
		found = member;
	}
	return found;
}

static void
external_look_up(void *arg)
{
	struct sasl *sasl = arg;
	struct store_view *view =
	    store_view_begin(community_store(sasl->community));
	char *as = sasl_name(sasl, GSASL_AUTHZID);
	uint32_t member = 0, other;

	if (view != NULL && as != NULL)
		member = certificate_member(store_view_reader(view),
		    &sasl->certificate);
	if (member != 0 && as[0] != '\0' &&
	    (member_find(store_view_reader(view), as, &other) != 0 ||
		other != member))
		member = 0;
	store_view_end(&view);
	gsasl_free(as);
	if (member != 0)
		auth_account_of_member(sasl->community, member, &sasl->account);
}

int
sasl_external(struct sasl *sasl)
{
	sasl_run(sasl);
	if (sasl->answer != SASL_ACCEPTED)
		return loop_post(sasl->loop, sasl_finish, sasl);
	return worker_submit(community_workers(sasl->community), sasl->loop,
	    external_look_up, sasl_finish, sasl);
}
