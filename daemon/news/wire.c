/* wire.c - see wire.h.
 *
 * A wire is kept under (space, number): once for all who may read the space, or,
 * where they do not see the same (its Xref), once for each reader class.
 */
#include "daemon/news/wire.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/news/place.h"

/* Below this a piece is copied: cheaper than to keep track of it. */
#define REFERENCE_MIN 512u

static struct store_cache_key
wire_key(uint32_t space, uint32_t number, uint32_t variant)
{
	return (struct store_cache_key){ STORE_CACHE_WIRE, variant,
		(uint64_t)space << 32 | number };
}

/* The variant that a reader class has for itself. */
static uint32_t
class_variant(const struct session *s)
{
	return 1u + (uint32_t)s->class;
}

static struct wire *
wire_of_number(struct session *s, uint32_t space, uint32_t number)
{
	struct made *made = made_find(s, wire_key(space, number, 0));

	if (made == NULL)
		made = made_find(s, wire_key(space, number, class_variant(s)));
	return (struct wire *)made;
}

static bool
wire_has_id(const struct wire *wire, struct span id)
{
	return wire->head_at - wire->id_at == id.len + 2 &&
	    memcmp(wire->bytes + wire->id_at, id.bytes, id.len) == 0;
}

/* Where all who may read the space find this article by the id, it is found by
 * the id's hash alone from the second time on. */
static struct wire *
wire_of_place(struct session *s, const struct place *place,
    struct store_cache_key id_key)
{
	struct wire *wire = (struct wire *)made_find(s,
	    wire_key(place->space, place->number,
		place->multi ? class_variant(s) : 0));

	if (wire != NULL && place->alone)
		store_cache_add_alias(s->loop->objects, &wire->made.object,
		    id_key, place->made.version);
	return wire;
}

static struct wire *
wire_of_id(struct session *s, struct span id)
{
	uint8_t hash[STORE_HASH_LEN];
	struct store_cache_key id_key;
	struct place *place;
	struct wire *wire;

	store_msgid_hash(session_store(s), id.bytes, id.len, hash);
	id_key = store_msgid_key(hash);
	wire = (struct wire *)made_find_alias(s, id_key);
	if (wire != NULL && wire_has_id(wire, id))
		return wire;
	wire_unref(wire);
	place = place_find(s, hash);
	if (place == NULL)
		return NULL;
	wire = wire_of_place(s, place, id_key);
	made_unref(&place->made);
	return wire;
}

struct wire *
wire_find(struct session *s, const struct target *target)
{
	struct wire *wire;

	if (target->id.len > 0)
		return wire_of_id(s, target->id);
	wire = wire_of_number(s, target->space, target->number);
	if (wire != NULL)
		s->current = target->number;
	return wire;
}

/* ---- making ------------------------------------------------------------ */

/* "220 number <message-id>" CRLF; where the id begins. */
static size_t
wire_status_line(struct buffer *line, const struct found *found)
{
	size_t id_at;

	buffer_clear(line);
	buffer_append_text(line, "220 ");
	buffer_append_number(line, found->number);
	buffer_append_byte(line, ' ');
	id_at = line->len;
	buffer_append_text(line, found->message_id);
	buffer_append_text(line, "\r\n");
	return id_at;
}

/* The wire of a copy with so long a header; NULL: no memory. */
static struct wire *
wire_new(struct session *s, const struct made *notes, const struct found *found,
    struct span copy, size_t header_len)
{
	struct buffer *line = &s->loop->line;
	size_t id_at = wire_status_line(line, found);
	size_t len = line->len + copy.len + 3;
	struct wire *wire;

	if (buffer_failed(line))
		return NULL;
	wire = (struct wire *)made_new(s, STORE_CACHE_WIRE, notes,
	    sizeof *wire + len);
	if (wire == NULL)
		return NULL;
	wire->space = found->space;
	wire->number = found->number;
	wire->id_at = (uint32_t)id_at;
	wire->head_at = (uint32_t)line->len;
	wire->body_at = (uint32_t)(line->len + header_len + 2);
	wire->len = (uint32_t)len;
	memcpy(wire->bytes, line->bytes, line->len);
	memcpy(wire->bytes + line->len, copy.bytes, copy.len);
	memcpy(wire->bytes + len - 3, ".\r\n", 3);
	return wire;
}

/* A full cache is for what is asked for again, not for what a walk through an
 * archive comes by once. */
static bool
wire_is_wanted(struct session *s, uint64_t artid)
{
	uint32_t *asked = &s->loop->asked[artid % NEWS_ASKED];
	bool again = *asked == (uint32_t)(artid / NEWS_ASKED + 1);

	*asked = (uint32_t)(artid / NEWS_ASKED + 1);
	return again || !store_cache_is_full(s->loop->objects);
}

struct wire *
wire_make(struct session *s, struct found *found)
{
	struct buffer *text = &s->loop->text;
	struct made notes = { .artid = 0 };
	struct wire *wire;
	size_t header_len;

	if (found->bytes > STORE_PART_MAX || !wire_is_wanted(s, found->artid) ||
	    made_begin(s, found->artid, &notes) != 0)
		return NULL;
	buffer_clear(text);
	if (copy_whole(s, found, text, &header_len) != 0)
		return NULL;
	if (!found->multi)
		notes.classes = made_classes(s, found->space);
	wire = wire_new(s, &notes, found, buffer_span(text), header_len);
	if (wire == NULL)
		return NULL;
	made_keep(s,
	    wire_key(found->space, found->number,
		found->multi ? class_variant(s) : 0),
	    &wire->made);
	return wire;
}

/* ---- sending ----------------------------------------------------------- */

static void
release_wire(void *arg)
{
	wire_unref(arg);
}

/* Octets [from, to). Takes the reference. */
static void
wire_piece(struct session *s, struct wire *wire, uint32_t from, uint32_t to)
{
	if (to - from < REFERENCE_MIN) {
		session_write(s, wire->bytes + from, to - from);
		wire_unref(wire);
	} else {
		session_write_reference(s, wire->bytes + from, to - from,
		    release_wire, wire);
	}
}

/* "CODE number" or "CODE 0"; how far the status line is written by that. */
static uint32_t
wire_status(struct session *s, const struct wire *wire, bool by_id,
    enum copy_what what)
{
	char code[] = { '2', '2', (char)('0' + what % 10), ' ', '0', ' ' };

	if (!by_id && what == COPY_ARTICLE)
		return 0;
	session_write(s, code, by_id ? sizeof code : 4);
	return by_id ? wire->id_at : 4;
}

void
wire_send(struct session *s, struct wire *wire, const struct target *target,
    enum copy_what what)
{
	uint32_t from = wire_status(s, wire, target->id.len > 0, what);

	if (what != COPY_NOTHING)
		s->articles++;
	switch (what) {
	case COPY_ARTICLE:
		wire_piece(s, wire, from, wire->len);
		break;
	case COPY_HEAD:
		wire_piece(s, wire, from, wire->body_at - 2);
		session_end_block(s);
		break;
	case COPY_BODY:
		session_write(s, wire->bytes + from, wire->head_at - from);
		wire_piece(s, wire, wire->body_at, wire->len);
		break;
	case COPY_NOTHING:
	default:
		session_write(s, wire->bytes + from, wire->head_at - from);
		wire_unref(wire);
		break;
	}
}
