/* auth_account.c - whom a login names: a member, by login or any of his
 * addresses, a news peer, or nobody.
 */
#include "daemon/community/auth_private.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/community/members.h"
#include "daemon/community/peers.h"
#include "daemon/community/token.h"
#include "protocol/address.h"

static int
member_read(struct store_reader *reader, uint32_t id,
    struct auth_account *account, bool needs_password)
{
	Kith__Member *member = NULL;
	int rc = member_get(reader, id, &member);

	if (rc == 0 && member->state != KITH__MEMBER_STATE__MEMBER_ACTIVE)
		rc = -ENOENT;
	if (rc == 0 && needs_password)
		rc = auth_verifier_read(&member->salt, member->iterations,
		    &member->stored_key, &member->server_key,
		    &account->verifier);
	if (rc == 0)
		rc = identity_of_member(reader, id, &account->identity);
	kith__member__free_unpacked(member, NULL);
	if (rc == 0)
		(void)snprintf(account->name, sizeof account->name, "m%u",
		    (unsigned)id);
	return rc;
}

static int
member_lookup(struct community *community, const char *login, const char *as,
    struct auth_account *account)
{
	struct store_view *view = store_view_begin(community_store(community));
	struct store_reader *reader;
	uint32_t id, other;
	int rc;

	if (view == NULL)
		return -ENOMEM;
	reader = store_view_reader(view);
	rc = member_find(reader, login, &id);
	if (rc == 0)
		rc = member_read(reader, id, account, true);
	if (rc == 0 && as[0] != '\0')
		rc = member_find(reader, as, &other) == 0 && other == id
		    ? 0
		    : -EPERM;
	store_view_end(&view);
	return rc;
}

/* What two ways to write one address have in common. */
static void
nobody_name(const char *login, struct auth_account *account)
{
	struct buffer compared;
	const char *name = login;

	buffer_init(&compared, 0);
	if (address_compare_form(&compared, span_of(login)) == 0 &&
	    !buffer_failed(&compared))
		name = buffer_text(&compared);
	(void)snprintf(account->name, sizeof account->name, "u%s", name);
	buffer_fini(&compared);
}

static void
nobody_make(struct community *community, const char *login,
    struct auth_account *account)
{
	struct auth_verifier *verifier = &account->verifier;
	uint8_t salt[32];

	memset(account, 0, sizeof *account);
	nobody_name(login, account);
	/* an error leaves zeros: still a verifier that no password matches */
	memset(salt, 0, sizeof salt);
	(void)tokens_derive(community, "salt of nobody",
	    span_of(account->name), salt);
	memcpy(verifier->salt, salt, sizeof verifier->salt);
	(void)tokens_derive(community, "stored key of nobody",
	    span_of(account->name), verifier->stored_key);
	(void)tokens_derive(community, "server key of nobody",
	    span_of(account->name), verifier->server_key);
	verifier->iterations = AUTH_ITERATIONS;
}

void
auth_account_find(struct community *community, const char *login,
    const char *as, struct auth_account *account_r)
{
	int rc;

	memset(account_r, 0, sizeof *account_r);
	rc = member_lookup(community, login, as, account_r);
	if (rc == 0) {
		account_r->known = true;
		account_r->identity.trust = TRUST_SESSION;
		return;
	}
	if (rc == -EPERM) { /* the same words for a right and a wrong password */
		memset(&account_r->identity, 0, sizeof account_r->identity);
		return;
	}
	memset(account_r, 0, sizeof *account_r);
	account_r->identity.peer = peers_by_login(community_peers(community),
	    login, &account_r->verifier);
	account_r->known = account_r->identity.peer != 0 &&
	    (as[0] == '\0' || strcmp(as, login) == 0);
	account_r->identity.trust = TRUST_SESSION;
	if (account_r->identity.peer == 0)
		nobody_make(community, login, account_r);
	else
		(void)snprintf(account_r->name, sizeof account_r->name, "p%u",
		    (unsigned)account_r->identity.peer);
}

void
auth_account_of_member(struct community *community, uint32_t member,
    struct auth_account *account_r)
{
	struct store_view *view = store_view_begin(community_store(community));

	memset(account_r, 0, sizeof *account_r);
	if (view == NULL)
		return;
	account_r->known = member_read(store_view_reader(view), member,
			       account_r, false) == 0;
	account_r->identity.trust = TRUST_SESSION;
	store_view_end(&view);
}
