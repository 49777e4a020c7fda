/* continuation.h - an answer that is longer than a turn or than the output's
 * room: where it stands, resumed by key. Private to daemon/news.
 */
#ifndef KITH_NEWS_CONTINUATION_H
#define KITH_NEWS_CONTINUATION_H

#include "daemon/news/session.h"
#include "protocol/msgid.h"
#include "protocol/overview.h"
#include "store/article.h"

struct wildmat;

/* A walk over the numbers [next, last] of a space (rows.c). */
struct rows_kind;
#define ROWS_FIELD_MAX 128u
struct rows_walk {
	const struct rows_kind *kind;
	struct space *space; /* counted */
	uint32_t next;
	uint32_t last;
	bool found;                /* the status line was sent */
	enum overview_field field; /* HDR; OVERVIEW_FIELDS: from the article */
	char name[ROWS_FIELD_MAX]; /* of the header field then */
	char pattern[NNTP_ARGUMENT_MAX + 1]; /* XPAT: what to show, or "" */
};

/* An article on its way out (copy.c): positions count the octets of the added
 * block and the received piece together. */
struct copy {
	uint64_t artid;
	uint32_t space, number; /* a placement that the reader may see */
	uint32_t pos, end;
	uint32_t part_start; /* position of the part's first octet */
	uint16_t part;
	uint16_t hidden; /* the next hidden range */
	bool keep; /* its parts, in the cache */
	bool xref_due;
	bool separator_due; /* a mail of a header alone: the empty line */
	struct store_article_head head;
};

/* A walk over the spaces a reader may see (groups.c). */
struct groups_kind;
struct groups_walk {
	const struct groups_kind *kind;
	struct directory *directory; /* counted */
	struct wildmat *wildmat;     /* owned, or NULL: all */
	size_t next;                 /* index in the directory */
	uint64_t since;
	uint32_t number, last; /* NEWNEWS: what is left of this space */
	const struct directory_mark *mark; /* of the space, or NULL */
	bool within;           /* number and last are set */
};

/* NEXT and LAST: the nearest article on one side (cmd_group.c). */
struct seek {
	struct space *space; /* counted */
	uint32_t number;     /* the next candidate */
	uint32_t end;        /* the last one */
	bool back;
};

struct continuation {
	enum step (*step)(struct session *s, struct continuation *c);
	void (*release)(struct continuation *c); /* or NULL */
	union {
		struct rows_walk rows;
		struct copy copy;
		struct groups_walk groups;
		struct seek seek;
	} as;
};

#endif
