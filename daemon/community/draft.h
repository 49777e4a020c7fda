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
#include "protocol/dot.h"
#include "store/article.h"
#include "store/msgid.h"

#define DRAFT_SPACES_MAX 16u

/* What else a draft is to do (cancel.h). */
enum draft_control {
	DRAFT_ARTICLE,
	DRAFT_CANCELS, /* a control message: never an article in a space */
	DRAFT_SUPERSEDES,
};

struct draft_reference {
	char *id; /* a Message-ID, in draft->made */
	uint8_t hash[STORE_HASH_LEN];
};

struct draft {
	/* as received: wire form, owned (freed by draft_fini) */
	char *received;
	size_t received_len;
	char *made; /* where these five lie; owned */
	char *added; /* header lines kith adds, CRLF; no Xref in it */
	char *overview; /* row text up to and with the tab before :bytes */
	char *subject;	/* decoded */
	char *from;	/* decoded */
	struct draft_reference *references; /* oldest first, newest kept */
	size_t overview_len;
	size_t reference_count;
	uint32_t wire_bytes; /* news copy, unstuffed, without Xref */
	uint32_t wire_lines;
	uint8_t message_id_hash[STORE_HASH_LEN];
	uint8_t content[STORE_HASH_LEN];
	/* set by draft_find_thread(): the newest of the references that is here, 1
	 * for the first; 0: none is. And its thread */
	size_t ancestor;
	uint64_t ancestor_thread;
	uint64_t date;
	uint64_t expires; /* of the Expires header, seconds; 0: none */
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
	const char *approved; /* who released it: an address; borrowed, or NULL */
	const char *source;   /* IP address of the peer; borrowed, or NULL */
	bool has_approved;    /* brought an Approved header that counts */
	uint32_t released;    /* the held id it was kept under; 0: none */
	/* and since when, message_id being what it was told then: for what has no
	 * Date or id of its own (RFC 5537 3.5) */
	uint64_t held_since;
	struct store_range id_range; /* the received Message-ID; len 0: none */
	/* likewise the values of Cancel-Lock and Cancel-Key */
	struct store_range lock_range, key_range;
	enum draft_control control;
	/* set by draft_check_id: */
	bool renamed; /* stored under a generated id instead of original_id */
	uint64_t duplicate; /* the article it is the same as */
	bool id_is_new;	    /* nothing is known under its id */
	/* set by draft_store */
	uint64_t artid;
	uint32_t numbers[DRAFT_SPACES_MAX];
	uint64_t thread;
	/* from here on draft_init() clears no more than it must */
	char message_id[256];
	char target_id[256]; /* of whom it cancels or supersedes */
	char original_id[256];
	struct store_article_head head;
};

/* Empty. A draft of zeros is, too, and costs twice as much to make. */
void draft_init(struct draft *draft);

/* A received article: wire form, malloc'ed. */
struct draft_bytes {
	char *bytes;
	size_t len;
	struct dot_facts facts; /* of all of it */
};

/* Prepares a draft from an article in news form (strict) or mail form
 * (lenient). The caller has emptied it and filled author, channel, approved, for
 * mail the spaces too, and whatever draft_store is to know besides. The bytes
 * are taken in any case; on refusal the draft is empty and detail names the
 * fault. */
enum reason draft_from_news(struct community *community, struct draft *draft,
    const struct draft_bytes *bytes, char *detail, size_t room);
enum reason draft_from_mail(struct community *community, struct draft *draft,
    const struct draft_bytes *bytes, char *detail, size_t room);
/* Frees what it owns. Accepts an empty one. */
void draft_fini(struct draft *draft);

/* Looks for the references of a prepared draft, so that few searches are left to
 * draft_store(): with a view of its own, before the operation; or with that
 * reader. */
void draft_prepare_thread(struct community *community, struct draft *draft);
void draft_find_thread(struct store_reader *reader,
    struct community *community, struct draft *draft);

/* In check: REASON_STORED if it can be stored as it is; REASON_DUPLICATE, with
 * draft->duplicate the article (0: it was held and rejected, or removed);
 * REASON_HELD if it is held already. For mail and import, same id with other
 * content gets a generated id (the original in X-Original-Message-ID) and
 * REASON_STORED. Uses author's rights, so that a hidden id answers as unknown.
 * REASON_BUSY if the store failed. */
enum reason draft_check_id(struct store_txn *txn, struct community *community,
    struct draft *draft);
/* In check: is there a space among the draft's where the duplicate is not? */
bool draft_adds_placement(struct store_txn *txn, const struct draft *draft);
/* The article of the Message-ID of that hash that a reader of the class may see;
 * 0: none. With its thread, unless thread_r is NULL. */
uint64_t draft_find_article(struct store_reader *reader,
    struct community *community, const uint8_t hash[STORE_HASH_LEN],
    enum reader_class class, uint64_t *thread_r);
/* In apply. Replaces what was held as draft->released. */
int draft_store(
    struct store_txn *txn, struct community *community, struct draft *draft);
/* In apply: adds placements to a stored article (same mail to two lists);
 * draft->artid and numbers are set, a number is 0 where it already was. */
int draft_place_more(struct store_txn *txn, struct community *community,
    uint64_t artid, struct draft *draft);
/* In apply: the one or the other, as the check left draft->duplicate. */
int draft_store_or_place(
    struct store_txn *txn, struct community *community, struct draft *draft);

#endif
