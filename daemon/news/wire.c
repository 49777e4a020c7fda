/* wire.c - see wire.h.
 *
 * A wire is kept under (space, number): once for all who may read the space, or,
 * where they do not see the same (its Xref), once for each reader class.
 */
#include "daemon/news/wire.h"

#include <string.h>

#include "daemon/news/spot.h"

/* Below this a piece is copied: cheaper than to keep track of it. */
#define REFERENCE_MIN 512u
/* One in so many is let in where all is full. */
#define TURNS 4u

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

static bool
wire_has_id(const struct wire *wire, struct span id)
{
	return wire->head_at - wire->id_at == id.len + 2 &&
	    memcmp(wire->bytes + wire->id_at, id.bytes, id.len) == 0;
}

struct wire *
wire_find(struct session *s, const struct target *target)
{
	struct wire *wire;

	if (target->id.len > 0) {
		wire = (struct wire *)made_find_alias(s,
		    store_msgid_key(target->hash));
		if (wire != NULL && !wire_has_id(wire, target->id)) {
			wire_unref(wire);
			wire = NULL;
		}
		return wire;
	}
	wire = (struct wire *)made_find(s,
	    wire_key(target->space, target->number, 0));
	if (wire != NULL)
		s->current = target->number;
	return wire;
}

static struct store_cache_key
wire_key_of(const struct session *s, const struct found *found)
{
	return wire_key(found->space, found->number,
	    found->multi ? class_variant(s) : 0);
}

/* Where all who may read the space find this article by the id, it is found by
 * the id's hash alone from the second time on. */
struct wire *
wire_find_located(struct session *s, const struct target *target,
    const struct found *found)
{
	bool by_id = target->id.len > 0;
	struct wire *wire;

	if (!by_id && !found->multi)
		return NULL; /* wire_find() has looked there */
	wire = (struct wire *)made_find(s, wire_key_of(s, found));
	if (wire != NULL && by_id && found->alone)
		store_cache_add_alias(s->loop->objects, &wire->made.object,
		    store_msgid_key(target->hash), found->version);
	return wire;
}

/* ---- making ------------------------------------------------------------ */

/* Was it asked for lately? */
static bool
wire_is_asked_again(struct session *s, uint64_t artid)
{
	uint32_t *asked = &s->loop->asked[artid % NEWS_ASKED];
	uint32_t tag = (uint32_t)(artid / NEWS_ASKED + 1);
	bool again = *asked == tag;

	*asked = tag;
	return again;
}

/* A full cache is for what is asked for again, not for what a walk through an
 * archive comes by once. What comes in drives out what may be worth as much, so
 * one in a few is let in: who is asked for often has his turn soon. */
static bool
wire_is_wanted(struct session *s, bool again)
{
	return !store_cache_is_full(s->loop->objects) ||
	    (again && ++s->loop->turns % TURNS == 0);
}

struct wire *
wire_make(struct session *s, struct found *found)
{
	struct made notes = { .artid = 0 };
	struct wire *wire;
	bool again, wanted;

	if (made_begin(s, found->artid, &notes) != 0)
		return NULL;
	if (found->at.len == 0 &&
	    store_article_find(session_reader(s), found->artid, &found->at) !=
		0)
		return NULL;
	again = wire_is_asked_again(s, found->artid);
	if (again && found->answer != 0)
		spot_keep(s, found);
	wanted = wire_is_wanted(s, again);
	if (found->at.len > STORE_PART_MAX) {
		found->keep = wanted;
		return NULL;
	}
	wire = wire_read(s, &notes, found);
	if (wire == NULL || !wanted)
		return wire;
	if (!found->multi)
		wire->made.classes = made_classes(s, found->space);
	made_keep(s, wire_key_of(s, found), &wire->made);
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

/* "CODE number" or "CODE 0", where it is not the status line that is there; what
 * follows it. */
static uint32_t
wire_status(struct session *s, const struct wire *wire, bool by_id,
    enum copy_what what)
{
	char code[] = { '2', '2', (char)('0' + what % 10), ' ', '0', ' ' };

	if (!by_id && what == COPY_ARTICLE)
		return wire->from;
	session_write(s, code, by_id ? sizeof code : 4);
	return by_id ? wire->id_at : wire->from + 4;
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
		wire_piece(s, wire, from, wire->end);
		break;
	case COPY_HEAD:
		wire_piece(s, wire, from, wire->body_at - 2);
		session_end_block(s);
		break;
	case COPY_BODY:
		session_write(s, wire->bytes + from, wire->head_at - from);
		wire_piece(s, wire, wire->body_at, wire->end);
		break;
	case COPY_NOTHING:
	default:
		session_write(s, wire->bytes + from, wire->head_at - from);
		wire_unref(wire);
		break;
	}
}
