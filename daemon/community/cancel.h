/* cancel.h - articles that take others away: the cancel control message
 * (RFC 5537 5.3) and the Supersedes header (5.4).
 *
 * Who may: whoever brings a key that opens a lock of the target (RFC 8315), the
 * member who wrote it, in a session that knows him, and a moderator, as far as
 * he moderates the spaces it is in. A peer proves it by the key. To who may not
 * know of the target it is an article that never was, and the cancel waits for
 * it in vain.
 *
 * A cancel that came before its target is remembered if it has a key, and met
 * when the target comes (STORE_MSGID_WAITS, cancel_wait.c).
 *
 * What peers get: a cancel that was honoured, or waits, is kept as an article
 * without a number (its Message-ID is STORE_MSGID_CONTROL, its ArticleMeta has
 * `about` and no placements), as long as the history. The sequence says
 * VERB_CANCELLED for each placement that it took away, or, if it waits, for each
 * space that it names (artid and number 0), and the object of the event is the
 * artid of that article: whoever follows the sequence hands it on to peers that
 * get the event's space. Several such events can follow each other; one cancel
 * is handed to a peer once. An object of 0: nothing is to be handed on, for what
 * supersedes an article goes to peers by itself.
 */
#ifndef KITH_COMMUNITY_CANCEL_H
#define KITH_COMMUNITY_CANCEL_H

#include "daemon/community/draft.h"

/* How it was proved. */
enum cancel_by {
	CANCEL_BY_NOBODY,
	CANCEL_BY_KEY,
	CANCEL_BY_AUTHOR,
	CANCEL_BY_MODERATOR,
};

/* What check found for apply. */
struct cancel {
	enum cancel_by by;
	uint64_t target; /* artid; 0: none is taken away */
	uint32_t held;	 /* the target was not released yet */
	bool waits;	 /* the target is not known, or to nobody like him */
};

/* In check, for a draft with a control. REASON_STORED: go on with cancel_store;
 * else the refusal, with words in detail. */
enum reason cancel_check(struct store_txn *txn, struct community *community,
    const struct draft *draft, struct cancel *cancel, char *detail,
    size_t room);
/* In apply, in the place of ticket_store(), after cancel_check(): takes the
 * target away, and stores the draft as an article, or the control message
 * beside them. A draft without a control is just stored. */
int cancel_store(struct store_txn *txn, struct community *community,
    struct draft *draft, const struct cancel *cancel);
/* In apply: takes an article away as its moderators could, with a control message
 * for peers. -ENOENT; -EINVAL: no control message can name its Message-ID. */
int cancel_by_admin(struct store_txn *txn, struct community *community,
    uint64_t artid);
/* A line for the log, if the draft has a control. */
void cancel_log(const struct draft *draft, const struct cancel *cancel,
    uint64_t session);

/* In check, of a draft that something waits for: does one bring a key for it? 1; 0;
 * or negative. */
int cancel_meets(struct store_reader *reader, struct community *community,
    const struct draft *draft);

#endif
