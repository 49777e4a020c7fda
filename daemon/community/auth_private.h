/* auth_private.h - what logins by password and by SASL share; for auth*.c and
 * sasl*.c only.
 */
#ifndef KITH_COMMUNITY_AUTH_PRIVATE_H
#define KITH_COMMUNITY_AUTH_PRIVATE_H

#include "daemon/community/auth.h"
#include "daemon/community/auth_delay.h"

/* Whom a login names. Of nobody there is a verifier too: made up, and the same
 * each time, so that nobody can ask who exists. */
struct auth_account {
	bool known;
	struct identity identity; /* TRUST_SESSION; zeroed if not known */
	struct auth_verifier verifier;
	char name[AUTH_LOGIN_MAX + 8]; /* the same for all logins of one account */
};

/* Reads the store: on a worker. as: whom the client wants to act for (RFC 4422
 * 2), "" for himself; if that is somebody else the account is not known. */
void auth_account_find(struct community *community, const char *login,
    const char *as, struct auth_account *account_r);
/* The account of a member without any password (its verifier is zeroed). */
void auth_account_of_member(struct community *community, uint32_t member,
    struct auth_account *account_r);

/* A digest of n bytes under a secret of this process. */
void auth_digest(const struct auth *auth, const void *bytes, size_t len,
    uint8_t key_r[32]);
/* Who tries, from where ("" is nowhere, and as good as any other address). */
void auth_try_make(const struct auth *auth, const char *account,
    const char *address, struct auth_try *try_r);
/* libgsasl's handle (sasl.h). */
struct Gsasl *auth_library(const struct auth *auth);
struct auth_delay *auth_delays(const struct auth *auth);
/* Those who wait; freeing them, none is granted. */
struct auth_turns *auth_turns(const struct auth *auth);
struct auth_turns *auth_turns_new(void);
void auth_turns_free(struct auth_turns **turns);

/* Waits until it is this attempt's turn and calls back on `loop`, never before
 * it returns. granted false: it waited, and is not to be looked at.
 * -EBUSY: it would have to wait, and too many do; -ENOMEM; then nothing is
 * called. */
int auth_turn_wait(struct community *community, struct loop *loop,
    const struct auth_try *who, void (*turn)(void *arg, bool granted),
    void *arg);

#endif
