/* ticket.h - support mail as threads: opening, finding, answering.
 *
 * A ticket is a record beside its articles. The customer sees mail only, from
 * the support address, with a reply token of his own; staff see the space, by
 * news or as subscribers by mail with a token each. Nobody sees another's token.
 */
#ifndef KITH_COMMUNITY_TICKET_H
#define KITH_COMMUNITY_TICKET_H

#include "daemon/community/community.h"
#include "daemon/community/draft.h"
#include "protocol/buffer.h"

struct bounce;

/* Owned record: kith__ticket__free_unpacked. -ENOENT. */
int ticket_get(
    struct store_reader *reader, uint32_t number, Kith__Ticket **ticket_r);
int ticket_put(
    struct store_txn *txn, uint32_t number, const Kith__Ticket *ticket);

/* In apply, in the place of draft_store for what comes by news, from kithctl, or
 * out of the held: in a space with tickets an article of staff that answers one
 * of a ticket's goes to the requester and the participants by mail; a customer's
 * (released) mail joins its ticket or opens one. Elsewhere just draft_store. */
int ticket_store(
    struct store_txn *txn, struct community *community, struct draft *draft);
/* In check: the ticket a draft's references lead to; 0 if none. */
int ticket_of_references(struct store_txn *txn, struct community *community,
    const struct draft *draft, uint32_t *ticket_r);
/* In apply, with a bounce that was recorded: if it is an answer that did not
 * reach a customer, its ticket is open again and its author is told. */
int ticket_bounced(struct store_txn *txn, struct community *community,
    const struct bounce *bounce);

#endif
