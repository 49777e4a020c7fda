/* known.c - the filter of Message-IDs: layers, each four times as large as the one
 * before, because a filter cannot grow. An id sets eight bits of one block of 512 in
 * the newest layer; it could be known if some layer has all of its bits. Twelve bits
 * an id say yes wrongly to about one in two hundred, and that costs one search.
 */
#include "store/known.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/private.h"

#define WORDS	    8u /* of a block, of 64 bits */
#define BITS_EACH   12u
#define LAYER_FIRST ((uint64_t)1 << 16) /* ids */
#define LAYER_TIMES 4u
#define LAYERS_MAX  12u
#define FILL_ROWS   1000u
#define HEAD_LEN    (8u + 8u + 8u)
#define LAYER_HEAD  (8u + 8u + 8u)

static const char magic[8] = "kithids1";

struct layer {
	uint64_t ids_max;
	_Atomic uint64_t ids;
	uint64_t blocks;
	uint64_t *words; /* changed by __atomic_*, but saved as they are */
};

struct store_known {
	pthread_mutex_t lock; /* for a new layer */
	struct layer layers[LAYERS_MAX];
	_Atomic unsigned count;
	atomic_bool whole;  /* all of the table is in it */
	atomic_bool broken; /* no memory: it stays as it is */
};

/* ---- layers --------------------------------------------------------------- */

static uint64_t
blocks_for(uint64_t ids)
{
	return (ids * BITS_EACH + 511) / 512;
}

static int
layer_init(struct layer *layer, uint64_t ids_max)
{
	void *words = NULL;

	layer->ids_max = ids_max;
	layer->blocks = blocks_for(ids_max);
	atomic_init(&layer->ids, 0);
	if (posix_memalign(&words, WORDS * sizeof *layer->words,
		layer->blocks * WORDS * sizeof *layer->words) != 0)
		return -ENOMEM;
	memset(words, 0, layer->blocks * WORDS * sizeof *layer->words);
	layer->words = words;
	return 0;
}

/* The hash is keyed, and each of its bits is as good as another: one half chooses
 * the block, of the other six bits each choose a bit of a word. */
static uint64_t *
block_of(const struct layer *layer, const uint8_t hash[STORE_HASH_LEN])
{
	uint64_t high = store_read_u64(hash) >> 32;

	return layer->words + WORDS * ((high * layer->blocks) >> 32);
}

static uint64_t
bit_of(const uint8_t hash[STORE_HASH_LEN], unsigned word)
{
	return (uint64_t)1 << (store_read_u64(hash + 8) >> (6 * word) & 63);
}

static bool
layer_has(const struct layer *layer, const uint8_t hash[STORE_HASH_LEN])
{
	const uint64_t *block = block_of(layer, hash);

	for (unsigned i = 0; i < WORDS; i++)
		if ((__atomic_load_n(&block[i], __ATOMIC_RELAXED) &
			bit_of(hash, i)) == 0)
			return false;
	return true;
}

static void
layer_set(struct layer *layer, const uint8_t hash[STORE_HASH_LEN])
{
	uint64_t *block = block_of(layer, hash);

	/* A reader comes to know of the id through a lock that is taken after
	 * this, when its commit is published. */
	for (unsigned i = 0; i < WORDS; i++)
		(void)__atomic_fetch_or(
		    &block[i], bit_of(hash, i), __ATOMIC_RELAXED);
}

/* One more, unless another thread has made it. */
static void
layer_more(struct store_known *known, unsigned had)
{
	pthread_mutex_lock(&known->lock);
	if (atomic_load(&known->count) == had) {
		uint64_t ids = had == 0
		    ? LAYER_FIRST
		    : known->layers[had - 1].ids_max * LAYER_TIMES;

		if (had < LAYERS_MAX &&
		    layer_init(&known->layers[had], ids) == 0)
			atomic_store(&known->count, had + 1);
		else
			atomic_store(&known->broken, true);
	}
	pthread_mutex_unlock(&known->lock);
}

/* ---- the filter ------------------------------------------------------------ */

int
store_known_new(struct store_known **known_r)
{
	struct store_known *known = calloc(1, sizeof *known);

	*known_r = known;
	if (known == NULL)
		return -ENOMEM;
	return -pthread_mutex_init(&known->lock, NULL);
}

static void
layers_free(struct store_known *known)
{
	unsigned count = atomic_exchange(&known->count, 0);

	for (unsigned i = 0; i < count; i++)
		free(known->layers[i].words);
}

void
store_known_free(struct store_known **known_r)
{
	struct store_known *known = *known_r;

	if (known == NULL)
		return;
	layers_free(known);
	pthread_mutex_destroy(&known->lock);
	free(known);
	*known_r = NULL;
}

bool
store_known_is_whole(const struct store_known *known)
{
	return atomic_load(&known->whole) && !atomic_load(&known->broken);
}

static bool
some_layer_has(
    const struct store_known *known, const uint8_t hash[STORE_HASH_LEN])
{
	for (unsigned i = atomic_load(&known->count); i > 0; i--)
		if (layer_has(&known->layers[i - 1], hash))
			return true;
	return false;
}

bool
store_known_could(
    const struct store_known *known, const uint8_t hash[STORE_HASH_LEN])
{
	return !store_known_is_whole(known) || some_layer_has(known, hash);
}

bool
store_known_add(struct store_known *known, const uint8_t hash[STORE_HASH_LEN])
{
	bool whole = store_known_is_whole(known);
	unsigned count = atomic_load(&known->count);

	if (some_layer_has(known, hash) || atomic_load(&known->broken))
		return false;
	if (count == 0 ||
	    atomic_load(&known->layers[count - 1].ids) >=
		known->layers[count - 1].ids_max) {
		layer_more(known, count);
		count = atomic_load(&known->count);
		if (count == 0 || atomic_load(&known->broken))
			return false;
	}
	layer_set(&known->layers[count - 1], hash);
	atomic_fetch_add(&known->layers[count - 1].ids, 1);
	return whole;
}

/* ---- from the table --------------------------------------------------------- */

/* One slice from key on; 1: there is more, and key is where. */
static int
fill_slice(struct store *store, struct store_key *key)
{
	struct store_view *view = store_view_begin(store);
	struct store_cursor cursor;
	int rc;

	if (view == NULL)
		return -ENOMEM;
	rc = store_cursor_open(&cursor, store_view_reader(view),
	    STORE_FILE_MSGID);
	if (rc == 0)
		rc = store_cursor_seek(&cursor, key->bytes, key->len);
	for (unsigned i = 0; rc == 0; i++) {
		if (i == FILL_ROWS) {
			*key = store_key_bytes(cursor.key, cursor.key_len);
			rc = 1;
			break;
		}
		if (cursor.key_len == STORE_HASH_LEN)
			(void)store_known_add(store->known, cursor.key);
		rc = store_cursor_next(&cursor);
	}
	store_cursor_close(&cursor);
	store_view_end(&view);
	return rc == -ENOENT ? 0 : rc;
}

int
store_known_fill(struct store *store, bool (*between)(void *arg), void *arg)
{
	struct store_key key = store_key_bytes(NULL, 0);
	int rc = 1;

	if (atomic_load(&store->known->whole))
		return 0;
	/* What is put meanwhile is added by who puts it. */
	while (rc == 1) {
		rc = fill_slice(store, &key);
		if (rc == 1 && between(arg))
			return -ECANCELED;
	}
	if (rc == 0)
		atomic_store(&store->known->whole, true);
	return rc;
}

/* ---- the file ------------------------------------------------------------- */

static int
file_transfer(int fd, void *bytes, size_t len, bool out)
{
	uint8_t *p = bytes;

	while (len > 0) {
		ssize_t some = out ? write(fd, p, len) : read(fd, p, len);

		if (some < 0 && errno == EINTR)
			continue;
		if (some <= 0)
			return some < 0 ? -errno : -EBADMSG;
		p += some;
		len -= (size_t)some;
	}
	return 0;
}

static size_t
layer_bytes(const struct layer *layer)
{
	return (size_t)layer->blocks * WORDS * sizeof *layer->words;
}

static uint64_t
layer_sum(const struct layer *layer)
{
	return store_checksum(layer->words, layer_bytes(layer));
}

static int
layer_save(int fd, struct layer *layer)
{
	uint8_t head[LAYER_HEAD];
	int rc;

	store_write_u64(head, layer->ids_max);
	store_write_u64(head + 8, atomic_load(&layer->ids));
	store_write_u64(head + 16, layer_sum(layer));
	rc = file_transfer(fd, head, sizeof head, true);
	return rc != 0 ? rc
		       : file_transfer(fd, layer->words,
			     layer_bytes(layer), true);
}

/* `left`: octets of the file, which bound what is asked of memory. */
static int
layer_load(int fd, struct layer *layer, uint64_t *left)
{
	uint8_t head[LAYER_HEAD];
	uint64_t ids_max;
	int rc = file_transfer(fd, head, sizeof head, false);

	if (rc != 0)
		return rc;
	ids_max = store_read_u64(head);
	if (ids_max < LAYER_FIRST || ids_max > UINT32_MAX ||
	    blocks_for(ids_max) * WORDS * 8 > *left)
		return -EBADMSG;
	rc = layer_init(layer, ids_max);
	if (rc != 0)
		return rc;
	*left -= layer_bytes(layer);
	atomic_store(&layer->ids, store_read_u64(head + 8));
	rc = file_transfer(fd, layer->words, layer_bytes(layer), false);
	if (rc == 0 && layer_sum(layer) != store_read_u64(head + 16))
		rc = -EBADMSG;
	return rc;
}

static int
known_save(struct store *store, int fd)
{
	struct store_known *known = store->known;
	uint8_t head[HEAD_LEN];
	unsigned count = atomic_load(&known->count);
	int rc;

	memcpy(head, magic, sizeof magic);
	store_write_u64(head + 8, atomic_load(&store->views.version));
	store_write_u64(head + 16, count);
	rc = file_transfer(fd, head, sizeof head, true);
	for (unsigned i = 0; rc == 0 && i < count; i++)
		rc = layer_save(fd, &known->layers[i]);
	return rc;
}

static int
known_load(struct store *store, int fd)
{
	struct store_known *known = store->known;
	uint8_t head[HEAD_LEN];
	struct stat st;
	uint64_t count, left;
	int rc = fstat(fd, &st) != 0 ? -errno
				     : file_transfer(fd, head, sizeof head, false);

	if (rc != 0)
		return rc;
	count = store_read_u64(head + 16);
	if (memcmp(head, magic, sizeof magic) != 0 || count > LAYERS_MAX ||
	    store_read_u64(head + 8) != atomic_load(&store->views.version))
		return -EBADMSG;
	left = (uint64_t)st.st_size;
	for (unsigned i = 0; rc == 0 && i < count; i++) {
		rc = layer_load(fd, &known->layers[i], &left);
		if (known->layers[i].words != NULL)
			atomic_store(&known->count, i + 1);
	}
	if (rc != 0)
		layers_free(known);
	return rc;
}

void
store_known_open(struct store *store)
{
	char path[PATH_MAX];
	struct store_key key = store_key_bytes(NULL, 0);
	bool whole = false;
	int fd = -1;

	if (store_path(path, sizeof path, store->directory, STORE_KNOWN_FILE) ==
	    0)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		whole = known_load(store, fd) == 0;
		close(fd);
		/* If this is lost with the power, the commit says that it is
		 * old. */
		(void)unlink(path);
	}
	/* A small store needs no walk; of a large one the keeper makes it. */
	if (!whole)
		whole = fill_slice(store, &key) == 0;
	if (whole)
		atomic_store(&store->known->whole, true);
}

void
store_known_close(struct store *store)
{
	char path[PATH_MAX];
	int fd, rc;

	if (!store_known_is_whole(store->known) ||
	    store_path(path, sizeof path, store->directory, STORE_KNOWN_FILE) !=
		0)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0)
		return;
	rc = known_save(store, fd);
	if (close(fd) != 0 || rc != 0)
		(void)unlink(path);
}
