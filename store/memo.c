/* memo.c - a table with one place for each key, and no chains.
 */
#include "store/memo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PLACES  2048u
#define KEY_MAX 16u /* two u64 */
#define ROW_MAX 480u /* longer ones are not remembered */
#define MIX     0x9e3779b97f4a7c15u

struct place {
	uint32_t turn; /* of another turn: empty */
	uint8_t key_len;
	bool absent;
	uint16_t len;
	uint8_t key[KEY_MAX];
	uint8_t bytes[ROW_MAX];
};

struct store_memo {
	uint32_t turn; /* counts what was undone */
	struct place places[PLACES];
};

struct store_memo *
store_memo_new(void)
{
	struct store_memo *memo = calloc(1, sizeof *memo);

	if (memo != NULL)
		memo->turn = 1;
	return memo;
}

void
store_memo_free(struct store_memo **memo)
{
	free(*memo);
	*memo = NULL;
}

/* Keys are ids, which count up, or hashes that nobody outside can choose. */
static struct place *
place_of(struct store_memo *memo, const void *key, size_t key_len)
{
	uint64_t parts[2] = { 0, 0 };

	memcpy(parts, key, key_len < KEY_MAX ? key_len : KEY_MAX);
	parts[0] = (parts[0] ^ parts[1]) * MIX;
	/* What differs in ids is in the high bits here, and stays there. */
	parts[0] = (parts[0] ^ parts[0] >> 32) * MIX;
	return &memo->places[(parts[0] >> 32) % PLACES];
}

int
store_memo_get(struct store_memo *memo, const void *key, size_t key_len,
    const uint8_t **bytes_r, size_t *len_r)
{
	const struct place *place = place_of(memo, key, key_len);

	if (place->turn != memo->turn || place->key_len != key_len ||
	    memcmp(place->key, key, key_len) != 0)
		return 1;
	*bytes_r = place->bytes;
	*len_r = place->len;
	return place->absent ? -ENOENT : 0;
}

void
store_memo_set(struct store_memo *memo, const void *key, size_t key_len,
    const void *bytes, size_t len)
{
	struct place *place = place_of(memo, key, key_len);

	place->turn = 0;
	if (key_len > KEY_MAX || len > ROW_MAX)
		return;
	memcpy(place->key, key, key_len);
	place->key_len = (uint8_t)key_len;
	place->absent = bytes == NULL;
	place->len = (uint16_t)len;
	if (bytes != NULL)
		memcpy(place->bytes, bytes, len);
	place->turn = memo->turn;
}

void
store_memo_forget(struct store_memo *memo)
{
	if (++memo->turn != 0)
		return;
	/* Round once: places of the first turns must not look alive. */
	memset(memo->places, 0, sizeof memo->places);
	memo->turn = 1;
}
