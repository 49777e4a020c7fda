/* moderation_list.h - what waits in a space, as a mail to one of its moderators
 * whose answer decides (mail_moderate_list.c).
 */
#ifndef KITH_COMMUNITY_MODERATION_LIST_H
#define KITH_COMMUNITY_MODERATION_LIST_H

#include "daemon/community/spaces.h"
#include "protocol/buffer.h"

struct community;

struct moderation_list {
	const struct space *space; /* borrowed */
	unsigned looked, count;
	bool more; /* not all were counted */
	unsigned listed; /* the oldest ones */
	uint32_t first, last; /* of those */
	struct buffer rows; /* UTF-8, LF */
};

struct moderation_letter {
	uint32_t member; /* of the moderator */
	const char *to;
	const char *words; /* UTF-8, LF; before the list */
	const char *in_reply_to; /* what it answers, or NULL */
};

/* 0 or a negative errno; moderation_list_fini() in both cases. */
int moderation_list_read(struct store_reader *reader, const struct space *space,
    struct moderation_list *list);
void moderation_list_fini(struct moderation_list *list);
/* In apply. */
int moderation_list_send(struct store_txn *txn, struct community *community,
    const struct moderation_list *list, const struct moderation_letter *letter);

/* The first that waits in the space, of the ids from `from` to `last`. 0: found,
 * *from is it; -ENOENT: none does; -EAGAIN: none as far as may be looked at once,
 * *from is where to go on. */
int moderation_list_find(struct store_reader *reader, uint32_t space,
    uint32_t *from, uint32_t last);

#endif
