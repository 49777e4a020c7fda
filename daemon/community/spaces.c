/* spaces.c - the directory of spaces: three orders of the same counted entries
 * under one lock. A change costs a binary search and a memmove, so that ten
 * thousand spaces can be added one after the other.
 */
#include "daemon/community/spaces.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/kinds.h"
#include "protocol/buffer.h"

/* Entries sorted by a key of text. */
struct order {
	struct space **items;
	size_t count;
	size_t room;
	struct span (*key)(const struct space *space);
	int (*compare)(struct span a, struct span b);
};

struct spaces {
	pthread_rwlock_t lock;
	struct order by_name;
	struct order by_mail;
	struct space **by_id; /* index: id; NULL where there is none */
	size_t id_room;
	size_t pending; /* registered, not yet published; the writer's */
	_Atomic uint64_t generation;
	unsigned digest_hour;
	unsigned digest_articles;
	unsigned digest_kilobytes;
};

struct publication {
	struct spaces *spaces;
	struct space *space; /* NULL: remove */
	uint32_t id;
};

static struct span
key_name(const struct space *space)
{
	return span_of(space->name);
}

static struct span
key_mail(const struct space *space)
{
	return span_of(space->mail);
}

static int
compare_length(struct span a, struct span b, int order)
{
	if (order != 0 || a.len == b.len)
		return order;
	return a.len < b.len ? -1 : 1;
}

static int
compare_exact(struct span a, struct span b)
{
	size_t len = a.len < b.len ? a.len : b.len;

	return compare_length(a, b,
	    len == 0 ? 0 : memcmp(a.bytes, b.bytes, len));
}

static int
compare_folded(struct span a, struct span b)
{
	size_t len = a.len < b.len ? a.len : b.len;

	return compare_length(a, b,
	    len == 0 ? 0 : strncasecmp(a.bytes, b.bytes, len));
}

/* The place of key, and whether somebody is there. */
static size_t
order_find(const struct order *order, struct span key, bool *found_r)
{
	size_t low = 0, high = order->count, middle;
	int c;

	*found_r = false;
	while (low < high) {
		middle = low + (high - low) / 2;
		c = order->compare(order->key(order->items[middle]), key);
		if (c == 0) {
			*found_r = true;
			return middle;
		}
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
grow(struct space ***items, size_t *room, size_t wanted)
{
	size_t more = *room == 0 ? 64 : *room;
	struct space **bigger;

	if (wanted <= *room)
		return 0;
	while (more < wanted)
		more *= 2;
	bigger = realloc(*items, more * sizeof *bigger);
	if (bigger == NULL)
		return -ENOMEM;
	memset(bigger + *room, 0, (more - *room) * sizeof *bigger);
	*items = bigger;
	*room = more;
	return 0;
}

/* Room was made before. A namesake (the same name within a batch, whose first
 * bearer was removed) gives way. */
static void
order_insert(struct order *order, struct space *space)
{
	bool found;
	size_t at = order_find(order, order->key(space), &found);

	if (!found) {
		memmove(order->items + at + 1, order->items + at,
		    (order->count - at) * sizeof *order->items);
		order->count++;
	}
	order->items[at] = space;
}

static void
order_remove(struct order *order, const struct space *space)
{
	bool found;
	size_t at = order_find(order, order->key(space), &found);

	if (!found || order->items[at] != space)
		return;
	order->count--;
	memmove(order->items + at, order->items + at + 1,
	    (order->count - at) * sizeof *order->items);
}

int
spaces_new(struct spaces **spaces_r)
{
	struct spaces *spaces = calloc(1, sizeof *spaces);

	*spaces_r = NULL;
	if (spaces == NULL)
		return -ENOMEM;
	if (pthread_rwlock_init(&spaces->lock, NULL) != 0) {
		free(spaces);
		return -ENOMEM;
	}
	spaces->by_name.key = key_name;
	spaces->by_name.compare = compare_exact;
	spaces->by_mail.key = key_mail;
	spaces->by_mail.compare = compare_folded;
	*spaces_r = spaces;
	return 0;
}

void
spaces_free(struct spaces **spaces)
{
	struct spaces *s = *spaces;

	*spaces = NULL;
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->by_name.count; i++)
		space_unref(s->by_name.items[i]);
	free(s->by_name.items);
	free(s->by_mail.items);
	free(s->by_id);
	(void)pthread_rwlock_destroy(&s->lock);
	free(s);
}

void
space_ref(struct space *space)
{
	(void)__atomic_add_fetch(&space->references, 1, __ATOMIC_RELAXED);
}

void
space_unref(struct space *space)
{
	if (space == NULL ||
	    __atomic_sub_fetch(&space->references, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	free(space->name);
	free(space->mail);
	free(space->description);
	free(space->moderators);
	free(space);
}

static char *
shown_description(const char *text, const struct kind *kind)
{
	struct buffer buffer;

	if (kind == NULL || kind->note == NULL)
		return strdup(text);
	buffer_init(&buffer, 0);
	buffer_append_text(&buffer, text);
	buffer_printf(&buffer, text[0] == '\0' ? "%s" : " (%s)", kind->note);
	return buffer_take(&buffer, NULL);
}

static int
entry_moderators(struct space *space, const uint32_t *ids, size_t count)
{
	if (count == 0)
		return 0;
	space->moderators = calloc(count, sizeof *space->moderators);
	if (space->moderators == NULL)
		return -ENOMEM;
	memcpy(space->moderators, ids, count * sizeof *ids);
	space->moderator_count = count;
	return 0;
}

static struct space *
entry_new(const struct spaces *spaces, uint32_t id, const Kith__Space *record)
{
	struct space *space = calloc(1, sizeof *space);

	if (space == NULL)
		return NULL;
	space->references = 1;
	space->id = id;
	space->name = strdup(record->name);
	space->mail = strdup(record->mail);
	space->description =
	    shown_description(record->description, kind_of(record->kind));
	space->kind = record->kind;
	space->read = record->read;
	space->post = record->post;
	space->moderation = record->moderation;
	space->closed = record->closed;
	space->suggested = record->suggested;
	space->created = record->created;
	space->limits = (struct space_limits){ record->expire_days,
		record->expire_count, record->expire_header, record->max_size };
	space->digest_set = record->digest_set;
	space->digest_hour =
	    record->digest_set ? record->digest_hour : spaces->digest_hour;
	space->digest_articles = record->digest_set ? record->digest_articles
						    : spaces->digest_articles;
	space->digest_kilobytes = record->digest_set ? record->digest_kilobytes
						     : spaces->digest_kilobytes;
	if (space->name == NULL || space->mail == NULL ||
	    space->description == NULL ||
	    entry_moderators(space, record->moderators, record->n_moderators) !=
		0) {
		space_unref(space);
		return NULL;
	}
	return space;
}

/* Room for everything that was registered and one more. */
static int
spaces_reserve(struct spaces *spaces, uint32_t id)
{
	size_t wanted = spaces->by_name.count + spaces->pending + 1;
	int rc;

	if (id > 0x00ffffffu) /* ids count up from 1: the row is not ours */
		return -EBADMSG;
	rc = grow(&spaces->by_name.items, &spaces->by_name.room, wanted);
	if (rc == 0)
		rc =
		    grow(&spaces->by_mail.items, &spaces->by_mail.room, wanted);
	if (rc == 0)
		rc = grow(&spaces->by_id, &spaces->id_room, (size_t)id + 1);
	return rc;
}

/* Under the write lock, room reserved. Takes the entry (NULL: none). */
static void
spaces_replace(struct spaces *spaces, uint32_t id, struct space *space)
{
	struct space *old = id < spaces->id_room ? spaces->by_id[id] : NULL;

	if (old != NULL) {
		order_remove(&spaces->by_name, old);
		if (old->mail[0] != '\0')
			order_remove(&spaces->by_mail, old);
		space_unref(old);
	}
	if (id < spaces->id_room)
		spaces->by_id[id] = space;
	if (space != NULL) {
		order_insert(&spaces->by_name, space);
		if (space->mail[0] != '\0')
			order_insert(&spaces->by_mail, space);
	}
	(void)atomic_fetch_add(&spaces->generation, 1);
}

static int
load_row(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	struct spaces *spaces = arg;
	uint32_t id = store_key_get_u32(key, 0);
	struct space *space;
	int rc = spaces_reserve(spaces, id);

	if (rc != 0)
		return rc;
	space =
	    entry_new(spaces, id, (const Kith__Space *)(const void *)message);
	if (space == NULL)
		return -ENOMEM;
	spaces_replace(spaces, id, space);
	return 0;
}

int
spaces_load(struct spaces *spaces, struct store *store)
{
	struct store_view *view = store_view_begin(store);
	int rc;

	if (view == NULL)
		return -ENOMEM;
	(void)pthread_rwlock_wrlock(&spaces->lock);
	rc = store_walk(store_view_reader(view), STORE_SPACES, NULL, NULL,
	    load_row, spaces);
	(void)pthread_rwlock_unlock(&spaces->lock);
	store_view_end(&view);
	return rc;
}

static struct space *
entry_copy(const struct space *space)
{
	struct space *copy = calloc(1, sizeof *copy);

	if (copy == NULL)
		return NULL;
	/* readers count themselves meanwhile: all but that */
	memcpy(copy, space, offsetof(struct space, references));
	copy->references = 1;
	copy->moderators = NULL;
	copy->moderator_count = 0;
	copy->name = strdup(space->name);
	copy->mail = strdup(space->mail);
	copy->description = strdup(space->description);
	if (copy->name == NULL || copy->mail == NULL ||
	    copy->description == NULL ||
	    entry_moderators(copy, space->moderators, space->moderator_count) !=
		0) {
		space_unref(copy);
		return NULL;
	}
	return copy;
}

int
spaces_set_digest(struct spaces *spaces, unsigned hour, unsigned articles,
    unsigned kilobytes)
{
	struct space *old, *space;
	int rc = 0;

	(void)pthread_rwlock_wrlock(&spaces->lock);
	spaces->digest_hour = hour;
	spaces->digest_articles = articles;
	spaces->digest_kilobytes = kilobytes;
	for (size_t id = 0; rc == 0 && id < spaces->id_room; id++) {
		old = spaces->by_id[id];
		if (old == NULL || old->digest_set)
			continue;
		space = entry_copy(old);
		if (space == NULL) {
			rc = -ENOMEM;
			continue;
		}
		space->digest_hour = hour;
		space->digest_articles = articles;
		space->digest_kilobytes = kilobytes;
		spaces_replace(spaces, (uint32_t)id, space);
	}
	(void)pthread_rwlock_unlock(&spaces->lock);
	return rc;
}

static struct space *
order_get(struct spaces *spaces, const struct order *order, struct span key)
{
	struct space *space = NULL;
	bool found;
	size_t at;

	if (key.len == 0)
		return NULL;
	(void)pthread_rwlock_rdlock(&spaces->lock);
	at = order_find(order, key, &found);
	if (found) {
		space = order->items[at];
		space_ref(space);
	}
	(void)pthread_rwlock_unlock(&spaces->lock);
	return space;
}

struct space *
spaces_by_name(struct spaces *spaces, struct span name)
{
	return order_get(spaces, &spaces->by_name, name);
}

struct space *
spaces_by_mail(struct spaces *spaces, struct span local_part)
{
	return order_get(spaces, &spaces->by_mail, local_part);
}

struct space *
spaces_by_id(struct spaces *spaces, uint32_t id)
{
	struct space *space = NULL;

	(void)pthread_rwlock_rdlock(&spaces->lock);
	if (id < spaces->id_room)
		space = spaces->by_id[id];
	if (space != NULL)
		space_ref(space);
	(void)pthread_rwlock_unlock(&spaces->lock);
	return space;
}

int
spaces_each(struct spaces *spaces,
    int (*fn)(void *arg, const struct space *space), void *arg)
{
	int rc = 0;

	(void)pthread_rwlock_rdlock(&spaces->lock);
	for (size_t i = 0; rc == 0 && i < spaces->by_name.count; i++)
		rc = fn(arg, spaces->by_name.items[i]);
	(void)pthread_rwlock_unlock(&spaces->lock);
	return rc;
}

size_t
spaces_count(struct spaces *spaces)
{
	size_t count;

	(void)pthread_rwlock_rdlock(&spaces->lock);
	count = spaces->by_name.count;
	(void)pthread_rwlock_unlock(&spaces->lock);
	return count;
}

uint64_t
spaces_generation(struct spaces *spaces)
{
	return atomic_load(&spaces->generation);
}

static void
publish_commit(void *arg)
{
	struct publication *publication = arg;
	struct spaces *spaces = publication->spaces;

	(void)pthread_rwlock_wrlock(&spaces->lock);
	spaces->pending--;
	spaces_replace(spaces, publication->id, publication->space);
	(void)pthread_rwlock_unlock(&spaces->lock);
	free(publication);
}

static void
publish_drop(void *arg)
{
	struct publication *publication = arg;

	(void)pthread_rwlock_wrlock(&publication->spaces->lock);
	publication->spaces->pending--;
	(void)pthread_rwlock_unlock(&publication->spaces->lock);
	space_unref(publication->space);
	free(publication);
}

int
spaces_publish(struct spaces *spaces, struct store_txn *txn, uint32_t id,
    const Kith__Space *record)
{
	struct publication *publication = calloc(1, sizeof *publication);
	int rc = publication == NULL ? -ENOMEM : 0;

	if (rc == 0) {
		publication->spaces = spaces;
		publication->id = id;
		/* whatever can fail fails now, not after the commit */
		(void)pthread_rwlock_wrlock(&spaces->lock);
		rc = spaces_reserve(spaces, id);
		if (rc == 0 && record != NULL) {
			publication->space = entry_new(spaces, id, record);
			rc = publication->space == NULL ? -ENOMEM : 0;
		}
		if (rc == 0)
			spaces->pending++;
		(void)pthread_rwlock_unlock(&spaces->lock);
	}
	if (rc == 0) {
		rc = store_txn_on_commit(txn, publish_commit, publish_drop,
		    publication);
		if (rc == 0)
			return 0;
		publish_drop(publication);
		return rc;
	}
	free(publication);
	return rc;
}
