/* draft.h - an article on its way into the store, and the writing of it.
 *
 * A draft is prepared outside the writer (scan, hash, added block, overview
 * row) and stored by one call inside an operation: article, numbers,
 * Message-ID index, meta, sequence, and the jobs that carry it on.
 */
#ifndef KITH_COMMUNITY_DRAFT_H
#define KITH_COMMUNITY_DRAFT_H

#include "daemon/community/community.h"
#include "daemon/community/reason.h"
#include "daemon/community/rights.h"
#include "store/article.h"
#include "store/msgid.h"

struct mail_summary;

#define DRAFT_SPACES_MAX 16u

struct draft {
	/* as received: wire form, owned (freed by draft_fini) */
	char *received;
	size_t received_len;
	struct store_article_head head;
	char *added; /* header lines kith adds, CRLF; owned; no Xref in it */
	char *overview; /* row text up to and with the tab before Xref; owned */
	size_t overview_len;
	uint32_t wire_bytes; /* news copy, unstuffed */
	uint32_t wire_lines;
	char message_id[256];
	uint8_t message_id_hash[STORE_HASH_LEN];
	uint8_t content[STORE_HASH_LEN];
	char **references; /* Message-IDs, oldest first, newest kept; owned */
	size_t reference_count;
	char *subject; /* decoded; owned */
	char *from;    /* decoded; owned */
	char *supersedes; /* reserved for control; NULL */
	uint64_t date;
	/* where and by whom */
	uint32_t spaces[DRAFT_SPACES_MAX];
	size_t space_count;
	struct identity author;
	Kith__Channel channel;
	uint64_t now;
	bool automatic;
	bool unverified;
	uint32_t ticket;	/* 0: none */
	bool quiet;		/* no list copies (import) */
	uint32_t except_member; /* gets no list copy; 0: none */
	/* set by draft_store */
	uint64_t artid;
	uint32_t numbers[DRAFT_SPACES_MAX];
	uint64_t parent, thread;
};

/* Prepares a draft from an article in news form (strict) or mail form
 * (lenient); summary may be NULL (import of mail without a parser: headers are
 * decoded by protocol/words.h). Takes bytes in any case. On refusal the detail
 * names the fault. */
enum reason draft_from_news(struct community *community, struct draft *draft,
    char *bytes, size_t len, bool stuffed, bool eight_bit,
    const struct identity *author, const char *client, Kith__Channel channel,
    char *detail, size_t room);
enum reason draft_from_mail(struct community *community, struct draft *draft,
    char *bytes, size_t len, bool stuffed, bool eight_bit,
    const struct mail_summary *summary, const struct space *space, char *detail,
    size_t room);
void draft_fini(struct draft *draft);

/* In check: REASON_STORED if it can be stored as it is; REASON_DUPLICATE; for
 * mail and import, same id with other content gets a generated id (the original
 * in X-Original-Message-ID) and REASON_STORED. Uses author's rights, so that a
 * hidden id answers as unknown. */
enum reason draft_check_id(struct store_txn *txn, struct community *community,
    struct draft *draft);
/* In apply. Placement of a duplicate in further spaces: draft_place_more. */
int draft_store(
    struct store_txn *txn, struct community *community, struct draft *draft);
/* Adds placements to a stored article (same mail to two lists). */
int draft_place_more(struct store_txn *txn, struct community *community,
    uint64_t artid, const struct draft *draft);

#endif
