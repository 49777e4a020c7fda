/* spaces.h - the directory of spaces, in memory, readable from any thread.
 *
 * Entries are immutable and counted; a change replaces the entry after its
 * commit. The store's records remain the truth; operations on the writer
 * thread may use the directory too: what a batch changes was not yet
 * acknowledged to anybody.
 */
#ifndef KITH_COMMUNITY_SPACES_H
#define KITH_COMMUNITY_SPACES_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/community/rights.h"
#include "protocol/span.h"
#include "store/store.h"

struct spaces;

/* How long and how much a space keeps; 0: without end. Plain data. */
struct space_limits {
	unsigned expire_days; /* of age */
	unsigned expire_count; /* articles kept */
	bool expire_header; /* an Expires header is obeyed (RFC 5536 3.2.5) */
	uint64_t max_size; /* octets of an article; 0: as configured */
};

struct space {
	uint32_t id;
	char *name; /* newsgroup */
	char *mail; /* local part; "" for a newsgroup only */
	char *description; /* as shown: with the kind's note */
	Kith__Kind kind;
	Kith__Audience read;
	Kith__Audience post;
	Kith__Moderation moderation;
	bool closed;
	uint32_t suggested; /* to newcomers, 1 first; 0: not */
	uint64_t created;
	uint32_t *moderators; /* member ids */
	size_t moderator_count;
	unsigned digest_hour; /* the space's own or the configuration's */
	unsigned digest_articles;
	unsigned digest_kilobytes;
	bool digest_set;
	struct space_limits limits;
	unsigned references; /* private to spaces.c; the last member */
};

/* Empty; spaces_load fills it from the store, before anybody reads it. 0 or a
 * negative errno. spaces_free when no entry is used any more. */
int spaces_new(struct spaces **spaces_r);
void spaces_free(struct spaces **spaces);
int spaces_load(struct spaces *spaces, struct store *store);

/* What holds where a space does not say: from the configuration, at start and
 * at reload. */
int spaces_set_digest(struct spaces *spaces, unsigned hour, unsigned articles,
    unsigned kilobytes);

/* A counted entry (space_unref) or NULL. Names compare exactly, local parts
 * case-folded. */
struct space *spaces_by_name(struct spaces *spaces, struct span name);
struct space *spaces_by_id(struct spaces *spaces, uint32_t id);
struct space *spaces_by_mail(struct spaces *spaces, struct span local_part);
void space_ref(struct space *space);
void space_unref(struct space *space); /* accepts NULL */
/* All in order of name, under a read lock: fn must be quick; returns what fn
 * returned when not 0. */
int spaces_each(struct spaces *spaces,
    int (*fn)(void *arg, const struct space *space), void *arg);
size_t spaces_count(struct spaces *spaces);
/* Goes up with each change of the set or of an entry: for LIST texts. */
uint64_t spaces_generation(struct spaces *spaces);

/* Registered by operations that changed the store's record: the entry is
 * replaced (or removed, record NULL) after the commit. */
int spaces_publish(struct spaces *spaces, struct store_txn *txn, uint32_t id,
    const Kith__Space *record);

#endif
