/* msgid.h - Message-IDs: syntax, and finding them in what mail really holds.
 */
#ifndef KITH_PROTOCOL_MSGID_H
#define KITH_PROTOCOL_MSGID_H

#include "protocol/buffer.h"

#define MSGID_MAX      250u /* octets with the brackets (RFC 5536 3.1.3) */
#define MSGID_LIST_MAX 256u

/* RFC 5536 3.1.3, strictly: for what a poster sends. */
bool msgid_is_strict(struct span id);
/* What NNTP can carry (RFC 3977 3.6, 9.8): <...> of 3 to 250 printable octets
 * without blanks and without '>' inside. For mail and for command arguments. */
bool msgid_is_valid(struct span id);

#define MSGID_LIST_ROOM 512u

/* Not to be moved. */
struct msgid_list {
	struct buffer text; /* owned */
	size_t count;
	struct span ids[MSGID_LIST_MAX]; /* with brackets, borrowed from text */
	char room[MSGID_LIST_ROOM];	 /* of the text, if it is short */
};

void msgid_list_init(struct msgid_list *list);
void msgid_list_fini(struct msgid_list *list);
/* The ids in a raw In-Reply-To or References value, oldest first; of more than
 * max (<= MSGID_LIST_MAX) the first and the newest. Commas, quotes, comments,
 * folds are passed over; an id may be folded inside its brackets. If there is no
 * '<' at all, words with an '@' are taken. Replaces the list. 0 or -ENOMEM. */
int msgid_list_parse(struct msgid_list *list, struct span raw, size_t max);
/* The first id in a raw Message-ID value as it should be kept: valid as
 * msgid_is_valid() means it; an empty span if there is none. Borrowed. */
struct span msgid_of_value(struct span raw);

#endif
