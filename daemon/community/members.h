/* members.h - members, addresses, logins: reads, and writes for operations.
 */
#ifndef KITH_COMMUNITY_MEMBERS_H
#define KITH_COMMUNITY_MEMBERS_H

#include "daemon/community/rights.h"
#include "protocol/span.h"
#include "store/store.h"

/* Records are owned by the caller: kith__member__free_unpacked(m, NULL). */
int member_get(
    struct store_reader *reader, uint32_t member, Kith__Member **member_r);
int address_get(
    struct store_reader *reader, uint32_t address, Kith__Address **address_r);
/* By compared form (protocol/address.h): the id, or -ENOENT. */
int address_find(
    struct store_reader *reader, const char *compared, uint32_t *address_r);
/* The id of an address as written, made if it is not known yet. -EINVAL if it
 * is not an address. */
int address_make(
    struct store_txn *txn, const char *text, uint32_t *address_r);
/* By login name, or by any of the member's addresses. */
int member_find(
    struct store_reader *reader, const char *login, uint32_t *member_r);
/* Makes a member with this first address (or finds the one who has it). */
int member_make(struct store_txn *txn, const char *address, const char *name,
    uint64_t now, uint32_t *member_r, uint32_t *address_r);

/* Puts a changed member back, with its event. */
int member_put(struct store_txn *txn, uint32_t member, const Kith__Member *record,
    uint64_t now);
/* Gives an address to a member, as the last of its addresses. -EEXIST: it is
 * somebody else's. */
int member_add_address(struct store_txn *txn, uint32_t member,
    const char *address, uint64_t now);
/* The member is REMOVED, its login and addresses are free again, its
 * subscriptions end. */
int member_remove(struct store_txn *txn, uint32_t member, uint64_t now);
/* The primary address as written, owned; NULL if there is none. */
char *member_address(struct store_reader *reader, const Kith__Member *record);

/* Who writes from this address (as written): fills member, role, address,
 * compared; trust stays TRUST_NONE. An unknown address is no error. */
int identity_of_address(struct store_reader *reader, const char *address,
    struct identity *identity_r);
int identity_of_member(
    struct store_reader *reader, uint32_t member, struct identity *identity_r);

#endif
