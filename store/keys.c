/* keys.c - keys of rows: big-endian integers and text, so that byte order is
 * the order of a walk. Keys are not cleared first: they are far shorter than the
 * room for them.
 */
#include "store/private.h"

#include <string.h>

struct store_key
store_key_bytes(const void *bytes, size_t len)
{
	struct store_key key;

	key.len = len < sizeof key.bytes ? len : sizeof key.bytes;
	if (key.len > 0)
		memcpy(key.bytes, bytes, key.len);
	return key;
}

static void
key_add_u16(struct store_key *key, uint16_t value)
{
	store_write_u16(key->bytes + key->len, value);
	key->len += 2;
}

static void
key_add_u32(struct store_key *key, uint32_t value)
{
	store_write_u32(key->bytes + key->len, value);
	key->len += 4;
}

static void
key_add_u64(struct store_key *key, uint64_t value)
{
	store_write_u64(key->bytes + key->len, value);
	key->len += 8;
}

struct store_key
store_key_u32(uint32_t a)
{
	struct store_key key;

	key.len = 0;
	key_add_u32(&key, a);
	return key;
}

struct store_key
store_key_u64(uint64_t a)
{
	struct store_key key;

	key.len = 0;
	key_add_u64(&key, a);
	return key;
}

struct store_key
store_key_u32_u32(uint32_t a, uint32_t b)
{
	struct store_key key = store_key_u32(a);

	key_add_u32(&key, b);
	return key;
}

struct store_key
store_key_u32_u64(uint32_t a, uint64_t b)
{
	struct store_key key = store_key_u32(a);

	key_add_u64(&key, b);
	return key;
}

struct store_key
store_key_u64_u64(uint64_t a, uint64_t b)
{
	struct store_key key = store_key_u64(a);

	key_add_u64(&key, b);
	return key;
}

struct store_key
store_key_u64_u16(uint64_t a, uint16_t b)
{
	struct store_key key = store_key_u64(a);

	key_add_u16(&key, b);
	return key;
}

struct store_key
store_key_u32_u16(uint32_t a, uint16_t b)
{
	struct store_key key = store_key_u32(a);

	key_add_u16(&key, b);
	return key;
}

struct store_key
store_key_u64_u64_u32(uint64_t a, uint64_t b, uint32_t c)
{
	struct store_key key = store_key_u64(a);

	key_add_u64(&key, b);
	key_add_u32(&key, c);
	return key;
}

struct store_key
store_key_u32_u64_u32(uint32_t a, uint64_t b, uint32_t c)
{
	struct store_key key = store_key_u32_u64(a, b);

	key_add_u32(&key, c);
	return key;
}

struct store_key
store_key_u32_hash(uint32_t a, const uint8_t hash[16])
{
	struct store_key key = store_key_u32(a);

	memcpy(key.bytes + key.len, hash, 16);
	key.len += 16;
	return key;
}

struct store_key
store_key_hash_u32(const uint8_t hash[16], uint32_t b)
{
	struct store_key key = store_key_bytes(hash, 16);

	key_add_u32(&key, b);
	return key;
}

/* 0 past the end: a key read back may be of any length. */
uint32_t
store_key_get_u32(const struct store_key *key, size_t offset)
{
	if (offset > key->len || key->len - offset < 4)
		return 0;
	return store_read_u32(key->bytes + offset);
}

uint64_t
store_key_get_u64(const struct store_key *key, size_t offset)
{
	if (offset > key->len || key->len - offset < 8)
		return 0;
	return store_read_u64(key->bytes + offset);
}
