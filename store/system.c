/* system.c - the store's own rows: schema version, hash secret, counters.
 */
#include "store/private.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define FIXED 3u /* numbers before the ids */

static const char key_schema[] = "schema";
static const char key_secret[] = "secret";
static const char key_state[] = "state";

int
store_system_parse(const uint8_t *bytes, size_t len,
    struct store_system *system_r)
{
	size_t count = len / 8;

	/* Shorter: written before a kind of id was added. */
	if (len % 8 != 0 || count < FIXED || count > FIXED + STORE_COUNTERS)
		return -EBADMSG;
	memset(system_r, 0, sizeof *system_r);
	system_r->commit = store_read_u64(bytes);
	system_r->sequence = store_read_u64(bytes + 8);
	system_r->articles = store_read_u64(bytes + 16);
	for (size_t i = FIXED; i < count; i++)
		system_r->ids[i - FIXED] = store_read_u64(bytes + 8 * i);
	return 0;
}

int
store_system_read(struct store_reader *reader, struct store_system *system_r)
{
	const uint8_t *bytes;
	size_t len;
	int rc = store_row_get(reader, STORE_FILE_SYSTEM, key_state,
	    sizeof key_state - 1, &bytes, &len);

	return rc != 0 ? rc : store_system_parse(bytes, len, system_r);
}

int
store_system_write(struct store_txn *txn)
{
	uint8_t bytes[8 * (FIXED + STORE_COUNTERS)];

	store_write_u64(bytes, txn->system.commit);
	store_write_u64(bytes + 8, txn->system.sequence);
	store_write_u64(bytes + 16, txn->system.articles);
	for (size_t i = 0; i < STORE_COUNTERS; i++)
		store_write_u64(bytes + 8 * (FIXED + i), txn->system.ids[i]);
	return store_row_put(txn, STORE_FILE_SYSTEM, key_state,
	    sizeof key_state - 1, bytes, sizeof bytes);
}

static void
keys_derive(struct store *store, const uint8_t secret[16])
{
	for (size_t i = 0; i < 16; i++) {
		store->hash_key[i] = secret[i];
		store->msgid_key[i] = secret[i] ^ 0xa5;
	}
}

static int
system_create(struct store *store, struct store_txn *txn)
{
	uint8_t version[4], secret[16];
	int rc;

	if (getrandom(secret, sizeof secret, 0) != (ssize_t)sizeof secret)
		return -EIO;
	store_write_u32(version, STORE_SCHEMA);
	rc = store_row_put(txn, STORE_FILE_SYSTEM, key_schema,
	    sizeof key_schema - 1, version, sizeof version);
	if (rc == 0)
		rc = store_row_put(txn, STORE_FILE_SYSTEM, key_secret,
		    sizeof key_secret - 1, secret, sizeof secret);
	if (rc == 0)
		rc = store_system_write(txn);
	keys_derive(store, secret);
	return rc;
}

static int
system_load(struct store *store, struct store_txn *txn, char **error_r)
{
	const uint8_t *bytes;
	size_t len;
	int rc = store_row_get(&txn->reader, STORE_FILE_SYSTEM, key_schema,
	    sizeof key_schema - 1, &bytes, &len);

	if (rc == -ENOENT)
		return system_create(store, txn);
	if (rc == 0 && (len != 4 || store_read_u32(bytes) != STORE_SCHEMA)) {
		(void)store_text(error_r,
		    "%s has schema version %u; this program knows only %u",
		    store->directory, len == 4 ? store_read_u32(bytes) : 0u,
		    STORE_SCHEMA);
		return -ENOTSUP;
	}
	if (rc == 0)
		rc = store_row_get(&txn->reader, STORE_FILE_SYSTEM, key_secret,
		    sizeof key_secret - 1, &bytes, &len);
	if (rc == 0 && len != 16)
		rc = -EBADMSG;
	if (rc != 0)
		return rc;
	keys_derive(store, bytes);
	return store_system_read(&txn->reader, &txn->system);
}

int
store_system_open(struct store *store, char **error_r)
{
	struct store_txn txn;
	struct store_system none;
	int rc;

	memset(&txn, 0, sizeof txn);
	memset(&none, 0, sizeof none);
	rc = store_txn_begin(store, &txn, &none);
	if (rc == 0)
		rc = system_load(store, &txn, error_r);
	if (rc == 0) {
		rc = store_error(txn.reader.txn->commit(txn.reader.txn, 0));
		txn.reader.txn = NULL;
	}
	if (rc == 0) {
		store->writer.committed = txn.system;
		atomic_store(&store->views.version, txn.system.commit);
	}
	store_txn_forget(&txn);
	store_txn_fini(&txn);
	return rc;
}

int
store_id_next(struct store_txn *txn, enum store_counter counter, uint64_t *id_r)
{
	/* Most kinds are u32 in keys and messages. */
	uint64_t limit = counter == STORE_ID_ARTICLE || counter == STORE_ID_JOB
	    ? UINT64_MAX
	    : UINT32_MAX;

	if ((unsigned)counter >= STORE_COUNTERS)
		return -EINVAL;
	if (txn->system.ids[counter] == limit)
		return -ERANGE;
	txn->wrote = true;
	*id_r = ++txn->system.ids[counter];
	return 0;
}
