/* ticket_private.h - shared by the files of tickets.
 */
#ifndef KITH_COMMUNITY_TICKET_PRIVATE_H
#define KITH_COMMUNITY_TICKET_PRIVATE_H

#include "daemon/community/ticket.h"

struct mail_item;

#define TICKET_ARTICLES_MAX	1000u
#define TICKET_PARTICIPANTS_MAX 20u
/* A ticket solved longer ago than this is not reopened: a new one is linked to
 * it. */
#define TICKET_REOPEN_SECONDS (30u * 86400u)

/* Is the address the requester or a participant? */
bool ticket_has_participant(const Kith__Ticket *ticket, uint32_t address);
/* An open ticket of the draft's first space. Owned; NULL: out of memory. */
Kith__Ticket *ticket_new(const struct draft *draft, uint32_t requester);
/* In apply: notes the article in the ticket (which is changed and stored),
 * with its ids. status NONE leaves it as it is. */
int ticket_add_article(struct store_txn *txn, struct community *community,
    uint32_t number, Kith__Ticket *ticket, const struct draft *draft,
    Kith__TicketStatus status);
/* In apply: the article by mail to requester and participants. */
int ticket_mail_article(struct store_txn *txn, struct community *community,
    uint32_t number, const Kith__Ticket *ticket, const struct draft *draft);
/* In apply: the one acknowledgement. */
int ticket_acknowledge(struct store_txn *txn, const struct mail_item *item,
    uint32_t number, uint32_t requester);
/* Status was changed by hand or by an answer: its event. */
int ticket_event(struct store_txn *txn, uint32_t number,
    const Kith__Ticket *ticket, Kith__Verb verb, uint64_t now, uint32_t actor);
/* "open", "pending", "solved"; NONE / "" if it is none. */
Kith__TicketStatus ticket_status_by_name(const char *name);
const char *ticket_status_name(Kith__TicketStatus status);

#endif
