/* directory.c - see directory.h.
 */
#include "daemon/news/directory.h"

#include <stdlib.h>

#include "daemon/news/active.h"
#include "daemon/news/groups.h"

/* spaces_each() may meet more spaces than were counted before: what does not
 * fit makes the caller count again. */
struct directory_fill {
	struct directory *directory;
	size_t room;
	enum reader_class class;
};

static const struct identity nobody = { .trust = TRUST_NONE };

static int
directory_add(void *arg, const struct space *space)
{
	struct directory_fill *fill = arg;
	struct space *counted;

	if (!rights_may_read(fill->class, space))
		return 0;
	if (fill->directory->count == fill->room)
		return 1;
	/* the entry itself is immutable, its counter is not */
	memcpy(&counted, &space, sizeof counted);
	space_ref(counted);
	fill->directory->marks[fill->directory->count] =
	    (struct directory_mark){ .name = space->name,
		    .len = strlen(space->name),
		    .id = space->id,
		    .status = groups_status(rights_post(&nobody, space)) };
	fill->directory->spaces[fill->directory->count++] = counted;
	return 0;
}

static struct directory *
directory_new(struct spaces *spaces, enum reader_class class)
{
	struct directory_fill fill = { .class = class };

	for (;;) {
		fill.room = spaces_count(spaces) + 16;
		fill.directory = calloc(1,
		    sizeof *fill.directory +
			fill.room * sizeof fill.directory->spaces[0]);
		if (fill.directory == NULL)
			return NULL;
		atomic_init(&fill.directory->references, 1);
		fill.directory->marks =
		    calloc(fill.room, sizeof fill.directory->marks[0]);
		if (fill.directory->marks == NULL) {
			directory_unref(fill.directory);
			return NULL;
		}
		/* read before the walk: a change meanwhile makes it stale */
		fill.directory->generation = spaces_generation(spaces);
		if (spaces_each(spaces, directory_add, &fill) == 0)
			break;
		directory_unref(fill.directory);
	}
	fill.directory->active = active_new(fill.directory);
	if (fill.directory->active == NULL) {
		directory_unref(fill.directory);
		return NULL;
	}
	return fill.directory;
}

static void
directory_ref(struct directory *directory)
{
	(void)atomic_fetch_add(&directory->references, 1);
}

struct directory *
directory_get(struct news_server *server, enum reader_class class)
{
	struct spaces *spaces = community_spaces(server->community);
	uint64_t generation = spaces_generation(spaces);
	struct directory *directory, *fresh;

	(void)pthread_mutex_lock(&server->lock);
	directory = server->directories[class];
	if (directory != NULL && directory->generation == generation)
		directory_ref(directory);
	else
		directory = NULL;
	(void)pthread_mutex_unlock(&server->lock);
	if (directory != NULL)
		return directory;
	fresh = directory_new(spaces, class);
	if (fresh == NULL)
		return NULL;
	directory_ref(fresh);
	(void)pthread_mutex_lock(&server->lock);
	directory = server->directories[class];
	server->directories[class] = fresh;
	(void)pthread_mutex_unlock(&server->lock);
	directory_unref(directory);
	return fresh;
}

void
directory_unref(struct directory *directory)
{
	if (directory == NULL ||
	    atomic_fetch_sub(&directory->references, 1) != 1)
		return;
	for (size_t i = 0; i < directory->count; i++)
		space_unref(directory->spaces[i]);
	active_free(&directory->active);
	free(directory->marks);
	free(directory);
}
