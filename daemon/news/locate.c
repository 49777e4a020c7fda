/* locate.c - see locate.h.
 */
#include "daemon/news/locate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/news/place.h"
#include "daemon/news/spot.h"
#include "daemon/news/xref.h"
#include "protocol/overview.h"
#include "protocol/range.h"

void
found_set_id(struct found *found, struct span id)
{
	size_t len = id.len < MSGID_MAX ? id.len : MSGID_MAX;

	memcpy(found->message_id, id.bytes, len);
	found->message_id[len] = '\0';
}

static void
found_by_row(struct found *found, uint32_t space,
    const struct store_overview_row *row)
{
	*found = (struct found){
		.artid = row->artid,
		.answer = row->number,
		.space = space,
		.number = row->number,
		.multi = (row->flags & STORE_ROW_MULTI) != 0,
		.missing = 423,
	};
	found_set_id(found,
	    overview_row_field(span_make(row->text, row->text_len),
		OVERVIEW_MESSAGE_ID));
}

/* One row alone: to make a block of it would read its neighbours, which nobody
 * has asked for. */
static int
locate_row(struct store_reader *reader, uint32_t space, uint32_t number,
    struct found *found)
{
	struct store_overview_row row;
	char *text;
	int rc = store_overview_get(reader, space, number, &row, &text);

	if (rc != 0)
		return rc;
	found_by_row(found, space, &row);
	free(text);
	return 0;
}

static int
locate_in_block(struct store_block *block, uint32_t space, uint32_t number,
    struct found *found)
{
	struct store_overview_row row = { .number = 0 };
	size_t i = store_block_find(block, number);

	if (i < store_block_count(block))
		store_block_row(block, i, &row);
	if (row.number != number)
		return -ENOENT;
	found_by_row(found, space, &row);
	return 0;
}

/* 0, -ENOENT (not there, or not for this reader), or negative. */
static int
locate_number(struct session *s, uint32_t space, uint32_t number,
    struct found *found)
{
	struct store_reader *reader;
	struct store_block *block;
	int rc;

	if (spot_find(s, space, number, found))
		return 0;
	/* before the row, which is at least as new */
	reader = session_reader(s);
	if (reader == NULL)
		return -ENOMEM;
	if (store_block_cached(session_store(s), space,
		number / STORE_BLOCK_NUMBERS, &block) == 0) {
		rc = locate_in_block(block, space, number, found);
		store_block_unref(block);
	} else {
		rc = locate_row(reader, space, number, found);
	}
	if (rc == 0)
		found->version = store_reader_version(reader);
	return rc;
}

/* True if the reader may see the article by one of its placements. */
static bool
found_by_meta(struct session *s, const Kith__ArticleMeta *meta,
    struct found *found)
{
	struct space *space;
	bool seen = false;

	for (size_t i = 0; i < meta->n_placements && !seen; i++) {
		space =
		    spaces_by_id(session_spaces(s), meta->placements[i]->space);
		if (space != NULL && session_may_read(s, space)) {
			found->space = space->id;
			found->number = meta->placements[i]->number;
			seen = true;
		}
		space_unref(space);
	}
	found->multi = meta->n_placements > 1;
	return seen;
}

/* The first article under an id that the reader may see. */
static int
locate_entries(struct session *s, const uint8_t hash[STORE_HASH_LEN],
    struct found *found)
{
	struct store_msgid_entry entries[STORE_MSGID_MAX];
	Kith__ArticleMeta *meta;
	uint64_t artid;
	bool seen = false;
	int count = store_msgid_get(session_reader(s), hash, entries);

	if (count < 0 && count != -ENOENT)
		return count;
	/* an unknown id costs what a hidden one does: one look at an article */
	for (int i = 0; (i == 0 || i < count) && !seen; i++) {
		artid = i < count ? entries[i].artid : 1;
		if (artid == 0 || xref_meta(s, artid, &meta) != 0)
			continue;
		seen = found_by_meta(s, meta, found) && i < count &&
		    entries[i].state == STORE_MSGID_STORED;
		found->artid = artid;
		found->alone = count == 1 && !found->multi;
		kith__article_meta__free_unpacked(meta, NULL);
	}
	return seen ? 0 : -ENOENT;
}

/* The same from what was found before. False: not known here. */
static bool
locate_place(struct session *s, const uint8_t hash[STORE_HASH_LEN],
    struct found *found)
{
	struct place *place = place_find(s, hash);

	if (place == NULL)
		return false;
	found->artid = place->made.artid;
	found->space = place->space;
	found->number = place->number;
	if (!store_article_has_moved(session_store(s), found->artid,
		place->made.version))
		found->at = place->at;
	found->multi = place->multi;
	found->alone = place->alone;
	found->version = place->made.version;
	made_unref(&place->made);
	return true;
}

static int
locate_id(struct session *s, const struct target *target, struct found *found)
{
	struct made notes = { .artid = 0 };
	int rc;

	*found = (struct found){ .missing = 430 };
	found_set_id(found, target->id);
	if (locate_place(s, target->hash, found))
		return 0;
	rc = made_begin(s, 0, &notes);
	if (rc == 0)
		rc = locate_entries(s, target->hash, found);
	if (rc != 0)
		return rc;
	found->version = notes.version;
	(void)store_article_find(session_reader(s), found->artid, &found->at);
	place_keep(s, &notes, target->hash, found);
	return 0;
}

bool
locate_parse(struct session *s, struct span argument, struct target *target)
{
	uint32_t number = 0;

	*target = (struct target){ .missing = 430 };
	if (argument.len > 0 && argument.bytes[0] == '<') {
		target->id = argument;
		if (!msgid_is_valid(argument)) {
			session_error(s, 501);
			return false;
		}
		store_msgid_hash(session_store(s), argument.bytes, argument.len,
		    target->hash);
		return true;
	}
	if (argument.len > 0 && range_parse_number(argument, &number) != 0) {
		session_error(s, 501);
		return false;
	}
	if (session_group(s) == NULL) {
		session_reply(s, 412);
		return false;
	}
	target->space = s->group->id;
	target->number = argument.len > 0 ? number : s->current;
	target->missing = argument.len > 0 ? 423 : 420;
	return true;
}

bool
locate_target(struct session *s, const struct target *target,
    struct found *found)
{
	int rc = -ENOENT;

	if (target->id.len > 0)
		rc = locate_id(s, target, found);
	else if (target->number != 0 && target->number <= RANGE_NUMBER_MAX)
		rc = locate_number(s, target->space, target->number, found);
	if (rc != 0) {
		session_reply(s, rc == -ENOENT ? target->missing : 403);
		return false;
	}
	found->missing = target->missing;
	if (target->id.len == 0)
		s->current = target->number;
	return true;
}

bool
locate_argument(struct session *s, struct span argument, struct found *found)
{
	struct target target;

	return locate_parse(s, argument, &target) &&
	    locate_target(s, &target, found);
}
