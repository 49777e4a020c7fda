/* draft_build.h - what draft_news.c and draft_mail.c share: the scanned header
 * of the article at hand, the block that kith adds, and the facts that follow
 * from both. Private to draft*.c.
 */
#ifndef KITH_COMMUNITY_DRAFT_BUILD_H
#define KITH_COMMUNITY_DRAFT_BUILD_H

#include <stddef.h>

#include "daemon/community/draft.h"
#include "protocol/article.h"
#include "protocol/date.h"
#include "protocol/overview.h"

#define DRAFT_FIELDS 32u   /* what is more is allocated */
#define DRAFT_ROOM   2048u /* likewise */

struct draft_build {
	struct community *community;
	struct draft *draft;
	struct span wire; /* the received bytes */
	struct dot_facts facts;
	struct article_header header;
	struct buffer added;
	/* what the added block says where the article says nothing */
	struct overview_added said;
	char date[DATE_TEXT_SIZE];
	char reply_to_id[256]; /* the one id in In-Reply-To; "" */
	char *detail;
	size_t room;
	/* lent to header and added; draft_build_begin() leaves them as they are */
	struct article_field fields[DRAFT_FIELDS];
	char text[DRAFT_ROOM];
};

/* Takes the bytes into the draft. The build is not to be moved. */
void draft_build_begin(struct draft_build *build, struct community *community,
    struct draft *draft, const struct draft_bytes *bytes);
/* Frees the build; empties the draft unless reason is REASON_STORED. */
enum reason draft_build_end(struct draft_build *build, enum reason reason);
/* Sets the detail and returns the reason. */
enum reason draft_refuse(struct draft_build *build, enum reason reason,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Notes a field as hidden from news, from list copies, or both. -E2BIG. */
int draft_hide(struct draft_build *build, const struct article_field *field,
    bool news, bool mail);
/* The hash of body, From, Date and Subject into the draft. */
void draft_hash_content(struct draft_build *build);
/* The article's own Message-ID, or a generated one (said in the added block):
 * from the content if it must come out the same again, else at random. */
void draft_set_id(struct draft_build *build, struct span own,
    bool from_content);
/* Adds a Date of now if the article has none; the draft's date, and that of its
 * Expires header (RFC 5536 3.2.5). */
void draft_set_dates(struct draft_build *build);
/* After draft_set_dates(): how old it is goes by its injection, or else by its
 * Date (RFC 5537 3.6). Seconds; 0: not known. */
uint64_t draft_injected(const struct draft_build *build);
/* "<TAG.32 hex digits of hash@hostname>". */
void draft_id_of_hash(const struct community *community, const char *tag,
    const uint8_t hash[STORE_HASH_LEN], char id[256]);
/* Fills reply_to_id. */
int draft_find_reply_to_id(struct draft_build *build);
/* draft_thread.c, in apply: sets thread, with artid for one of its own. */
void draft_join_thread(struct store_reader *reader,
    struct community *community, struct draft *draft);
/* draft_fit.c: the spaces' own limits of size and age. What a peer sends goes to
 * those of its spaces that take it; anything else is refused by the first that
 * does not. */
enum reason draft_fit(struct draft_build *build);
/* draft_trace.c: what an injecting agent adds to a post (RFC 5537 3.5), a
 * relaying and serving agent to what a peer sends (3.6, 3.7), and the lock of a
 * mail that becomes an article. After draft_set_id(). */
enum reason draft_add_injection(struct draft_build *build);
enum reason draft_add_relay(struct draft_build *build);
enum reason draft_add_lock(struct draft_build *build, struct span own);
/* Sizes, overview row, decoded Subject and From, head and added block. */
enum reason draft_build_finish(struct draft_build *build);

#endif
