/* digest_state.c - the cursor of a space: how far its digests have come, and how
 * many read them.
 */
#include <errno.h>

#include "daemon/community/digest.h"
#include "store/overview.h"

int
digest_state_get(struct store_reader *reader, uint32_t space,
    Kith__DigestState *state_r)
{
	struct store_key key = store_key_u32(space);
	ProtobufCMessage *message;
	int error = store_get(reader, STORE_DIGESTS, &key, &message);

	kith__digest_state__init(state_r);
	if (error == -ENOENT)
		return 0;
	if (error != 0)
		return error;
	*state_r = *(Kith__DigestState *)(void *)message;
	protobuf_c_message_free_unpacked(message, NULL);
	return 0;
}

int
digest_skip_article(struct store_txn *txn, uint32_t space, uint32_t number)
{
	Kith__DigestState state;
	struct store_key key = store_key_u32(space);
	int error;

	error = digest_state_get(store_txn_reader(txn), space, &state);
	if (error != 0 || state.last_number + 1 != number)
		return error;
	state.last_number = number;
	return store_put(txn, STORE_DIGESTS, &key, &state.base);
}

static int
digest_skip_all(struct store_reader *reader, uint32_t space,
    Kith__DigestState *state)
{
	struct store_space_state numbers;
	int error = store_space_state_get(reader, space, &numbers);

	if (error == 0)
		state->last_number = numbers.high;
	return error == -ENOENT ? 0 : error;
}

static void
count(uint32_t *readers, int change)
{
	if (change > 0)
		*readers += (uint32_t)change;
	else if (change < 0 && *readers >= (uint32_t)-change)
		*readers -= (uint32_t)-change;
}

int
digest_count_readers(struct store_txn *txn, uint32_t space, int digest_change,
    int plain_change)
{
	Kith__DigestState state;
	struct store_key key = store_key_u32(space);
	int error = digest_state_get(store_txn_reader(txn), space, &state);

	if (error != 0)
		return error;
	/* who is the first gets what comes from now on */
	if (state.digest_readers + state.plain_readers == 0)
		error = digest_skip_all(store_txn_reader(txn), space, &state);
	if (error != 0)
		return error;
	count(&state.digest_readers, digest_change);
	count(&state.plain_readers, plain_change);
	return store_put(txn, STORE_DIGESTS, &key, &state.base);
}
