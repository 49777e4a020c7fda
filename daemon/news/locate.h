/* locate.h - which article a command means: by number, by Message-ID, or the
 * current one (RFC 3977 6.2.1). Private to daemon/news.
 */
#ifndef KITH_NEWS_LOCATE_H
#define KITH_NEWS_LOCATE_H

#include "daemon/news/session.h"
#include "protocol/msgid.h"
#include "store/article.h"
#include "store/msgid.h"

/* What an argument names. */
struct target {
	struct span id; /* len 0: by number */
	uint8_t hash[STORE_HASH_LEN]; /* of the id */
	uint32_t space, number;
	int missing; /* the code if there is no such article */
};

struct found {
	uint64_t artid;
	uint32_t answer; /* the number in the response: 0 by Message-ID */
	uint32_t space;  /* a placement that the reader may see */
	uint32_t number;
	struct store_article_at at; /* len 0: not known */
	bool multi;  /* there are several */
	bool keep;   /* a long one's parts, in the cache */
	bool alone;  /* by Message-ID: whoever may see its space finds this one */
	uint64_t version; /* a commit that this holds for; 0: it is kept */
	int missing; /* the code if the article is gone after all */
	char message_id[MSGID_MAX + 1];
};

void found_set_id(struct found *found, struct span id);

/* What an argument names; "" for the current article. Replies and returns false
 * if it names nothing. */
bool locate_parse(struct session *s, struct span argument,
    struct target *target_r);
/* The article of a target. Replies and returns false if there is none. */
bool locate_target(struct session *s, const struct target *target,
    struct found *found_r);
/* Both. */
bool locate_argument(struct session *s, struct span argument,
    struct found *found_r);

#endif
