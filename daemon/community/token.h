/* token.h - what every address or reply that must do something carries.
 *
 * {kind, object, member, expiry, key id} and an HMAC-SHA256 cut to 80 bits, in
 * lower-case base32 of at most 36 characters; safe when a relay changes case.
 * The domain of the community goes into the HMAC, so that a token of another
 * community is worth nothing.
 */
#ifndef KITH_COMMUNITY_TOKEN_H
#define KITH_COMMUNITY_TOKEN_H

#include "daemon/community/community.h"
#include "protocol/span.h"

enum token_kind {
	TOKEN_CONFIRM = 'c',	 /* object: pending subscription's space */
	TOKEN_BOUNCE = 'b',	 /* object: TOKEN_REPORT; member: ADDRESS id */
	TOKEN_REPLY = 'r',	 /* object: ticket; member: TOKEN_OF_MEMBER for
				  * staff, TOKEN_OF_ADDRESS for a customer */
	TOKEN_MODERATE = 'm',	 /* object: held id; member: the moderator */
	TOKEN_MODERATE_LIST = 'w', /* object: space; member: the moderator */
	TOKEN_UNSUBSCRIBE = 'u', /* object: space; member: ADDRESS id */
};

struct token {
	enum token_kind kind;
	uint64_t object;
	uint64_t member; /* member id or address id; the kind says which */
	uint64_t expires; /* seconds; whole days in text form */
};

#define TOKEN_TEXT_ROOM 40

/* Who a reply token is for, in its `member`: staff by member id, customers by
 * address id. */
#define TOKEN_OF_MEMBER(id)   ((uint64_t)(id) << 1)
#define TOKEN_OF_ADDRESS(id)  (((uint64_t)(id) << 1) | 1u)
#define TOKEN_IS_ADDRESS(who) (((who)&1u) != 0)
#define TOKEN_WHO(who)	      ((uint32_t)((who) >> 1))

/* What a report is about, in the object of a bounce token: the space that sent
 * the copy, and the end of the job's id, enough to tell an address's mails of some
 * weeks apart. The rest of the id would not fit into the text. */
#define TOKEN_REPORT_JOB_BITS 21u
#define TOKEN_REPORT(space, job) \
 ((uint64_t)(space) << TOKEN_REPORT_JOB_BITS | TOKEN_REPORT_JOB(job))
#define TOKEN_REPORT_SPACE(object) \
 ((uint32_t)((object) >> TOKEN_REPORT_JOB_BITS))
#define TOKEN_REPORT_JOB(object) \
 ((object) & ((UINT64_C(1) << TOKEN_REPORT_JOB_BITS) - 1))

/* One table of kinds: { letter, lifetime, single use }. */
struct token_rule {
	enum token_kind kind;
	const char *name;
	uint64_t lifetime; /* seconds */
	bool single_use;
};
const struct token_rule *token_rule(enum token_kind kind);

/* For community.c: loads the keys, makes the first one. Freed with it. */
int tokens_new(struct tokens **tokens_r, struct store *store);
void tokens_free(struct tokens **tokens);

/* Text of a new token, expiring its kind's lifetime from now. Any thread.
 * -ERANGE if object and member are too large for 36 characters together (both
 * above 2^28). */
int token_make(struct community *community, enum token_kind kind,
    uint64_t object, uint64_t member, char text_r[TOKEN_TEXT_ROOM]);
/* "LOCAL+k.TOKEN@domain", owned. */
char *token_address(struct community *community, const char *local_part,
    enum token_kind kind, uint64_t object, uint64_t member);
/* 0; -EBADMSG: not a token of ours; -ETIMEDOUT: expired (token_r is filled). */
int token_read(struct community *community, enum token_kind kind,
    struct span text, struct token *token_r);
/* For single-use tokens, others pass: 0, or -EALREADY if it was used before.
 * token_use, in apply, marks it; token_was_used, in check, only looks. */
int token_use(struct store_txn *txn, struct community *community, struct span text,
    const struct token *token);
int token_was_used(struct store_reader *reader, struct community *community,
    struct span text);

/* Something secret that is always the same for the same label and bytes, as long
 * as the store lives: HMAC-SHA256 under its first key. -EIO. Any thread. */
int tokens_derive(struct community *community, const char *label,
    struct span bytes, uint8_t out_r[32]);

#endif
