/* xref.h - the placements of an article that a reader class may see, as Xref
 * and Newsgroups. Private to daemon/news.
 */
#ifndef KITH_NEWS_XREF_H
#define KITH_NEWS_XREF_H

#include "daemon/news/session.h"

/* Owned (kith__article_meta__free_unpacked). 0 or negative. */
int xref_meta(struct session *s, uint64_t artid, Kith__ArticleMeta **meta_r);
/* "hostname group:number ..." of an article in several spaces, as far as this
 * reader may see them; number and space of one in a single space. 0 or
 * negative. */
int xref_append_article(struct session *s, struct buffer *out, uint64_t artid);
void xref_append_one(struct session *s, struct buffer *out, const char *group,
    uint32_t number);
/* "Xref: ..." CRLF: of an article in several spaces or of one placement; nothing
 * if its space has gone meanwhile. 0 or negative. */
int xref_append_line(struct session *s, struct buffer *out, uint64_t artid,
    uint32_t space, uint32_t number, bool multi);
/* The added block of an article in several spaces: a Newsgroups line in it names
 * all of them, but the reader is shown those that he may see. 0 or negative. */
int xref_append_added(struct session *s, struct buffer *out, uint64_t artid,
    struct span added);
/* What follows the number in a row with STORE_ROW_MULTI, with CRLF: :bytes and
 * Xref are those of the copy that this reader gets. Negative: that cannot be
 * had, and the row has no Xref. */
int xref_append_row(struct session *s, struct buffer *out,
    const struct store_overview_row *row);
/* The same :bytes alone. */
void xref_append_bytes(struct session *s, struct buffer *out,
    const struct store_overview_row *row);

#endif
