/* auth.h - logins: SCRAM-SHA-256 verifiers, checked on a worker thread.
 */
#ifndef KITH_COMMUNITY_AUTH_H
#define KITH_COMMUNITY_AUTH_H

#include "daemon/community/community.h"
#include "daemon/community/rights.h"

#define AUTH_ITERATIONS	    15000u /* RFC 7677 3: at least 4096 */
#define AUTH_ITERATIONS_MAX 1000000u
#define AUTH_PASSWORD_MAX   512u
#define AUTH_LOGIN_MAX	    254u

struct auth_verifier {
	uint8_t salt[16];
	uint32_t iterations;
	uint8_t stored_key[32];
	uint8_t server_key[32];
};
/* From a password, with a fresh salt. Slow by design. */
int auth_verifier_make(const char *password, struct auth_verifier *verifier_r);
/* As slow; in constant time. */
bool auth_verifier_matches(
    const struct auth_verifier *verifier, const char *password);
/* From the fields of a record. -ENOENT: there is no password; -EBADMSG. */
int auth_verifier_read(const ProtobufCBinaryData *salt, uint32_t iterations,
    const ProtobufCBinaryData *stored_key, const ProtobufCBinaryData *server_key,
    struct auth_verifier *verifier_r);
/* Into those of a record whose fields are owned. 0 or -ENOMEM: some are not in. */
int auth_verifier_write(const struct auth_verifier *verifier,
    ProtobufCBinaryData *salt, uint32_t *iterations,
    ProtobufCBinaryData *stored_key, ProtobufCBinaryData *server_key);

/* For community.c. */
struct auth;
int auth_new(struct auth **auth_r);
void auth_free(struct auth **auth);
/* In apply of whatever changes a member or a peer: what was cached about
 * logins is forgotten after the commit. */
int auth_forget(struct store_txn *txn, struct community *community);

/* Changes after each commit that changed a member or a peer, never 0: whoever
 * keeps an identity looks it up again then. Any thread. */
uint64_t auth_generation(struct community *community);

/* What somebody says to log in. Texts of UTF-8, none NULL. */
struct auth_words {
	const char *login; /* of a member, by login or address, or of a peer */
	const char *as;	   /* whom to act for; "" or the same one again */
	const char *password;
	const char *client; /* IP address, "" for a pair */
};
enum auth_answer {
	AUTH_RIGHT,
	AUTH_WRONG,
	AUTH_BUSY, /* not looked at: too many wait. It may be right */
};
/* Called on the loop, once. identity: trust TRUST_SESSION; NULL unless it is
 * AUTH_RIGHT. */
typedef void (*auth_checked)(void *arg, enum auth_answer answer,
    const struct identity *identity);
/* Checks them. Takes the same time for an unknown login. Copies its arguments
 * and wipes the copy. After a few wrong passwords the answers come later and
 * later, for that login and for that client (auth_delay.h). On the thread of
 * `loop`; done is never called before it returns, nor at all when it returns
 * -ENOMEM. */
int auth_check(struct community *community, struct loop *loop,
    const struct auth_words *words, auth_checked done, void *arg);
/* The peer that may connect from this IP address without a login: its id, or
 * 0. Any thread, from memory. */
uint32_t auth_peer_by_address(struct community *community, const char *ip);
/* May this peer feed the space of that name? */
bool auth_peer_may_feed(
    struct community *community, uint32_t peer, const char *space_name);

#endif
