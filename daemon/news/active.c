/* active.c - see active.h.
 */
#include "daemon/news/active.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/news/directory.h"
#include "daemon/news/groups.h"

#define VARIANTS 4u /* members, staff, peers, and who is not known */

struct variant {
	uint32_t key; /* rights_post_key() */
	uint64_t used;
	uint64_t changes; /* of states that are taken in */
	struct active_piece **pieces; /* NULL: the variant is free */
};

struct active {
	const struct directory *directory;
	pthread_mutex_t lock; /* of what follows */
	struct variant variants[VARIANTS];
	uint64_t uses;
	size_t pieces;
	/* immutable */
	uint32_t *piece_of; /* by id of a space, plus 1; 0: not here */
	uint32_t ids;
	const struct space **moderated; /* by members named there */
	size_t moderated_count;
};

static size_t
active_pieces(const struct active *active)
{
	return (active->directory->count + ACTIVE_SPACES - 1) / ACTIVE_SPACES;
}

static void
variant_drop(const struct active *active, struct variant *variant)
{
	for (size_t i = 0; variant->pieces != NULL && i < active->pieces; i++) {
		if (variant->pieces[i] == NULL)
			continue;
		store_object_unref(&variant->pieces[i]->object);
		variant->pieces[i] = NULL;
	}
}

void
active_free(struct active **active_p)
{
	struct active *active = *active_p;

	*active_p = NULL;
	if (active == NULL)
		return;
	for (unsigned i = 0; i < VARIANTS; i++) {
		variant_drop(active, &active->variants[i]);
		free(active->variants[i].pieces);
	}
	(void)pthread_mutex_destroy(&active->lock);
	free(active->piece_of);
	free(active->moderated);
	free(active);
}

/* Both tables hold what is needed, whatever the ids are. */
static int
active_index(struct active *active)
{
	const struct directory *directory = active->directory;
	size_t moderated = 0;

	for (size_t i = 0; i < directory->count; i++) {
		if (directory->marks[i].id >= active->ids)
			active->ids = directory->marks[i].id + 1;
		moderated += directory->spaces[i]->moderator_count > 0;
	}
	active->piece_of = calloc(active->ids + 1u, sizeof(uint32_t));
	active->moderated =
	    calloc(moderated + 1, sizeof(const struct space *));
	if (active->piece_of == NULL || active->moderated == NULL)
		return -1;
	for (size_t i = 0; i < directory->count; i++) {
		active->piece_of[directory->marks[i].id] =
		    (uint32_t)(i / ACTIVE_SPACES) + 1;
		if (directory->spaces[i]->moderator_count > 0)
			active->moderated[active->moderated_count++] =
			    directory->spaces[i];
	}
	return 0;
}

struct active *
active_new(const struct directory *directory)
{
	struct active *active = calloc(1, sizeof *active);

	if (active == NULL)
		return NULL;
	active->directory = directory;
	active->pieces = active_pieces(active);
	if (pthread_mutex_init(&active->lock, NULL) != 0) {
		free(active);
		return NULL;
	}
	if (active_index(active) != 0)
		active_free(&active);
	return active;
}

/* ---- getting ----------------------------------------------------------- */

static bool
active_is_named(const struct active *active, const struct identity *identity)
{
	const struct space *space;

	for (size_t i = 0; identity->member != 0 && i < active->moderated_count;
	     i++) {
		space = active->moderated[i];
		for (size_t j = 0; j < space->moderator_count; j++)
			if (space->moderators[j] == identity->member)
				return true;
	}
	return false;
}

/* With the lock held. */
static struct variant *
active_variant(struct active *active, uint32_t key)
{
	struct variant *oldest = &active->variants[0];

	for (unsigned i = 0; i < VARIANTS; i++) {
		struct variant *variant = &active->variants[i];

		if (variant->pieces != NULL && variant->key == key)
			return variant;
		if (variant->used < oldest->used)
			oldest = variant;
	}
	variant_drop(active, oldest);
	if (oldest->pieces == NULL)
		oldest->pieces =
		    calloc(active->pieces + 1, sizeof(struct active_piece *));
	oldest->key = key;
	oldest->changes = 0;
	return oldest->pieces == NULL ? NULL : oldest;
}

/* Pieces with a space whose state changed since they were made go. */
static void
variant_catch_up(const struct active *active, struct variant *variant,
    struct store *store)
{
	uint64_t now = store_space_changes(store), at = variant->changes;
	struct active_piece **piece;
	uint32_t id;

	for (; at < now; at++) {
		if (!store_space_changed(store, at, &id)) {
			variant_drop(active, variant);
			break;
		}
		if (id >= active->ids || active->piece_of[id] == 0)
			continue;
		piece = &variant->pieces[active->piece_of[id] - 1];
		if (*piece != NULL)
			store_object_unref(&(*piece)->object);
		*piece = NULL;
	}
	variant->changes = now;
}

static void
piece_free(struct store_object *object)
{
	free(object);
}

static struct active_piece *
piece_new(struct session *s, const struct groups_walk *start)
{
	struct groups_walk walk = *start;
	struct buffer *text = &s->loop->text;
	struct active_piece *piece;

	buffer_clear(text);
	for (size_t i = 0;
	     i < ACTIVE_SPACES && walk.next < walk.directory->count; i++) {
		walk.mark = &walk.directory->marks[walk.next];
		groups_active_line(s, &walk, walk.directory->spaces[walk.next],
		    text);
		walk.next++;
	}
	piece = buffer_failed(text) ? NULL : malloc(sizeof *piece + text->len);
	if (piece == NULL)
		return NULL;
	store_object_init(&piece->object, sizeof *piece + text->len,
	    piece_free);
	piece->len = text->len;
	if (text->len > 0)
		memcpy(piece->text, text->bytes, text->len);
	return piece;
}

struct active_piece *
active_get(struct session *s, const struct groups_walk *walk)
{
	struct active *active = walk->directory->active;
	const struct identity *identity = session_identity(s);
	struct active_piece **place = NULL, *piece = NULL;
	struct variant *variant;

	if (active_is_named(active, identity))
		return NULL;
	(void)pthread_mutex_lock(&active->lock);
	variant = active_variant(active, rights_post_key(identity));
	if (variant != NULL) {
		variant->used = ++active->uses;
		variant_catch_up(active, variant, session_store(s));
		place = &variant->pieces[walk->next / ACTIVE_SPACES];
		if (*place == NULL)
			*place = piece_new(s, walk);
		piece = *place;
	}
	if (piece != NULL)
		store_object_ref(&piece->object);
	(void)pthread_mutex_unlock(&active->lock);
	return piece;
}
