/* body.c - bytes too long for a record, in rows of at most STORE_PART_MAX.
 */
#include "store/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 65536u

static bool
body_key(enum store_table table, uint64_t id, uint16_t part,
    struct store_key *key_r)
{
	if (table == STORE_JOB_BODIES)
		*key_r = store_key_u64_u16(id, part);
	else if (table == STORE_HELD_BODIES && id <= UINT32_MAX)
		*key_r = store_key_u32_u16((uint32_t)id, part);
	else
		return false;
	return true;
}

static int
body_delete_from(struct store_txn *txn, enum store_table table, uint64_t id,
    uint32_t part)
{
	struct store_key key;
	int rc;

	for (; part < PARTS_MAX; part++) {
		if (!body_key(table, id, (uint16_t)part, &key))
			return -EINVAL;
		rc = store_delete(txn, table, &key);
		if (rc != 0)
			return rc == -ENOENT ? 0 : rc;
	}
	return 0;
}

int
store_body_put(struct store_txn *txn, enum store_table table, uint64_t id,
    const void *bytes, size_t len)
{
	Kith__Chunk chunk = KITH__CHUNK__INIT;
	struct store_key key;
	uint32_t part = 0;
	size_t done = 0;
	int rc;

	if (len / STORE_PART_MAX >= PARTS_MAX - 1)
		return -EFBIG;
	do {
		const uint8_t *from = bytes;

		if (!body_key(table, id, (uint16_t)part, &key))
			return -EINVAL;
		chunk.bytes.len =
		    len - done < STORE_PART_MAX ? len - done : STORE_PART_MAX;
		if (chunk.bytes.len > 0) {
			from += done; /* protobuf-c only reads it */
			memcpy(&chunk.bytes.data, &from, sizeof from);
		}
		rc = store_put(txn, table, &key, &chunk.base);
		done += chunk.bytes.len;
		part++;
	} while (rc == 0 && done < len);
	return rc != 0 ? rc : body_delete_from(txn, table, id, part);
}

int
store_body_get(struct store_reader *reader, enum store_table table, uint64_t id,
    uint8_t **bytes_r, size_t *len_r)
{
	ProtobufCMessage *message = NULL;
	const Kith__Chunk *chunk;
	struct store_key key;
	uint8_t *bytes = NULL, *grown;
	size_t len = 0;
	int rc = 0;

	for (uint32_t part = 0; part < PARTS_MAX; part++) {
		if (!body_key(table, id, (uint16_t)part, &key))
			return -EINVAL;
		rc = store_get(reader, table, &key, &message);
		if (rc != 0)
			break;
		chunk = (const Kith__Chunk *)(const void *)message;
		grown = realloc(bytes, len + chunk->bytes.len + 1);
		if (grown == NULL)
			rc = -ENOMEM;
		else
			bytes = grown;
		if (rc == 0 && chunk->bytes.len > 0)
			memcpy(bytes + len, chunk->bytes.data,
			    chunk->bytes.len);
		len += chunk->bytes.len;
		protobuf_c_message_free_unpacked(message, NULL);
		if (rc != 0)
			break;
	}
	if (rc == -ENOENT && bytes != NULL)
		rc = 0;
	if (rc != 0) {
		free(bytes);
		return rc;
	}
	bytes[len] = '\0';
	*bytes_r = bytes;
	*len_r = len;
	return 0;
}

int
store_body_delete(struct store_txn *txn, enum store_table table, uint64_t id)
{
	return body_delete_from(txn, table, id, 0);
}
