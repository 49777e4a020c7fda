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

/* Who writes from this address (as written): fills member, role, address,
 * compared; trust stays TRUST_NONE. An unknown address is no error. */
int identity_of_address(struct store_reader *reader, const char *address,
    struct identity *identity_r);
int identity_of_member(
    struct store_reader *reader, uint32_t member, struct identity *identity_r);

#endif
