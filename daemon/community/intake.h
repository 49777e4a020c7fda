/* intake.h - the one door: every article enters here, whichever way it came.
 *
 * Answers: stored, held, duplicate, refused (reason.h). Everything that must be
 * true together is one operation; done is called only after it is on disk.
 */
#ifndef KITH_COMMUNITY_INTAKE_H
#define KITH_COMMUNITY_INTAKE_H

#include "daemon/community/community.h"
#include "daemon/community/reason.h"
#include "daemon/community/rights.h"
#include "protocol/dot.h"

struct mail_summary;

struct intake_result {
	enum reason reason;
	char detail[200]; /* more than the reason's text; "" if none. Safe for a
			   * reply line: no control bytes */
	uint64_t artid;
	uint32_t space;	 /* first placement */
	uint32_t number;
};
typedef void (*intake_done)(void *arg, const struct intake_result *result);

/* ---- news: POST and IHAVE/TAKETHIS. From any loop; done on the loop that
 * drains `inbox`. bytes (wire form, dot-stuffed CRLF without the final dot;
 * malloc'ed) are taken. */
struct intake_news {
	char *bytes;
	size_t len;
	struct dot_facts facts; /* of the bytes */
	struct identity identity; /* a peer has identity.peer set */
	Kith__Channel channel;	  /* CHANNEL_POST or CHANNEL_PEER */
	const char *offered_id;	  /* IHAVE's Message-ID, or NULL; copied */
	const char *client;	  /* IP address, for Path and logs; copied */
	uint64_t session;	  /* for logs; 0: none */
	struct store_inbox *inbox;
};
void intake_news(struct community *community, const struct intake_news *news,
    intake_done done, void *arg);

/* Before IHAVE's article is sent: REASON_STORED means "send it",
 * REASON_DUPLICATE "not wanted". For a reader's loop, in a view. What the peer
 * may not know of (sight.h) answers as unknown. */
enum reason intake_wants(struct community *community,
    struct store_reader *reader, const struct identity *identity,
    struct span message_id);

/* ---- mail. On the community's loop. */
/* At RCPT: 0 and code 250, or a refusal. Text is static or in room. */
void intake_recipient(struct community *community, const char *envelope_from,
    const char *recipient, unsigned *code_r, char *text_r, size_t room);

struct intake_mail {
	const char *envelope_from; /* "" is the null sender */
	const char *client;
	const char *protocol; /* "LMTP", "SMTP", "kithctl" */
	struct span message; /* wire form; copied */
	const struct mail_summary *summary; /* NULL: could not be parsed, twice */
	const char *const *recipients;
	size_t recipient_count;
};
struct intake_reply {
	unsigned code;
	char text[256]; /* with enhanced status code */
};
void intake_mail(struct community *community, const struct intake_mail *mail,
    void (*done)(void *arg, const struct intake_reply *replies, size_t count),
    void *arg);
/* How often the parser failed on this message, this time included; done on the
 * community's loop. */
void intake_parse_failed(struct community *community, const uint8_t sha256[32],
    void (*done)(void *arg, unsigned count), void *arg);

/* ---- import: an old message into a space, its date and thread kept, no mail
 * sent. bytes as in intake_news; bulk. Idempotent by Message-ID and content.
 * With a peer it is an article of another server that was pulled: it keeps its
 * Path (ours in front), has been here if we stand in it, and another article
 * under an id that is known is a duplicate. */
struct intake_import {
	char *bytes;
	size_t len;
	struct dot_facts facts;
	uint32_t space;
	uint32_t peer; /* 0: none */
};
void intake_import(struct community *community,
    const struct intake_import *import, intake_done done, void *arg);

#endif
