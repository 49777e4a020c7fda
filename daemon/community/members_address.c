/* members_address.c - addresses: one row each, found by their compared form,
 * kept as written; known ones need not be of a member.
 */
#include "daemon/community/members.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/address.h"

int
address_get(struct store_reader *reader, uint32_t address,
    Kith__Address **address_r)
{
	struct store_key key = store_key_u32(address);
	ProtobufCMessage *message = NULL;
	int rc = store_get(reader, STORE_ADDRESSES, &key, &message);

	*address_r = rc == 0 ? (Kith__Address *)(void *)message : NULL;
	return rc;
}

int
address_find(struct store_reader *reader, const char *compared,
    uint32_t *address_r)
{
	struct store_key key = store_key_bytes(compared, strlen(compared));
	ProtobufCMessage *message = NULL;
	int rc = store_get(reader, STORE_ADDRESS_NAMES, &key, &message);

	*address_r = 0;
	if (rc != 0)
		return rc;
	*address_r = (uint32_t)((Kith__IdRef *)(void *)message)->id;
	protobuf_c_message_free_unpacked(message, NULL);
	return 0;
}

static int
address_create(struct store_txn *txn, const char *text, const char *compared,
    uint32_t *address_r)
{
	Kith__IdRef ref = KITH__ID_REF__INIT;
	Kith__Address record;
	struct store_key key;
	uint64_t id;
	int rc = store_id_next(txn, STORE_ID_ADDRESS, &id);

	if (rc != 0)
		return rc;
	kith__address__init(&record);
	record.text = (char *)(uintptr_t)text;
	record.compared = (char *)(uintptr_t)compared;
	key = store_key_u32((uint32_t)id);
	rc = store_put(txn, STORE_ADDRESSES, &key, &record.base);
	if (rc != 0)
		return rc;
	ref.id = id;
	key = store_key_bytes(compared, strlen(compared));
	rc = store_put(txn, STORE_ADDRESS_NAMES, &key, &ref.base);
	*address_r = (uint32_t)id;
	return rc;
}

int
address_make(struct store_txn *txn, const char *text, uint32_t *address_r)
{
	struct buffer compared;
	int rc;

	*address_r = 0;
	buffer_init(&compared, 0);
	rc = address_compare_form(&compared, span_of(text));
	if (rc == 0 && buffer_failed(&compared))
		rc = -ENOMEM;
	if (rc == 0)
		rc = address_find(store_txn_reader(txn), buffer_text(&compared),
		    address_r);
	if (rc == -ENOENT)
		rc = address_create(txn, text, buffer_text(&compared),
		    address_r);
	buffer_fini(&compared);
	return rc;
}

static void
identity_fill(struct identity *identity, uint32_t id,
    const Kith__Member *member)
{
	identity->member = id;
	identity->role = member->role;
	identity->active = member->state == KITH__MEMBER_STATE__MEMBER_ACTIVE;
}

int
identity_of_address(struct store_reader *reader, const char *address,
    struct identity *identity_r)
{
	Kith__Address *record = NULL;
	Kith__Member *member = NULL;
	struct buffer compared;
	int rc;

	memset(identity_r, 0, sizeof *identity_r);
	buffer_init(&compared, sizeof identity_r->compared - 1);
	rc = address_compare_form(&compared, span_of(address));
	if (rc == 0 && buffer_failed(&compared))
		rc = -EINVAL;
	if (rc == 0) {
		memcpy(identity_r->compared, buffer_text(&compared),
		    compared.len + 1);
		rc = address_find(reader, buffer_text(&compared),
		    &identity_r->address);
	}
	if (rc == 0)
		rc = address_get(reader, identity_r->address, &record);
	if (rc == 0 && record->member != 0)
		rc = member_get(reader, record->member, &member);
	if (rc == 0 && member != NULL)
		identity_fill(identity_r, record->member, member);
	kith__address__free_unpacked(record, NULL);
	kith__member__free_unpacked(member, NULL);
	buffer_fini(&compared);
	return rc == -ENOENT || rc == -EINVAL ? 0 : rc;
}

int
identity_of_member(struct store_reader *reader, uint32_t member,
    struct identity *identity_r)
{
	Kith__Member *record = NULL;
	Kith__Address *address = NULL;
	int rc = member_get(reader, member, &record);

	memset(identity_r, 0, sizeof *identity_r);
	if (rc != 0)
		return rc;
	identity_fill(identity_r, member, record);
	if (record->n_addresses > 0)
		rc = address_get(reader, record->addresses[0], &address);
	if (rc == 0 && address != NULL &&
	    strlen(address->compared) < sizeof identity_r->compared) {
		identity_r->address = record->addresses[0];
		memcpy(identity_r->compared, address->compared,
		    strlen(address->compared) + 1);
	}
	kith__address__free_unpacked(address, NULL);
	kith__member__free_unpacked(record, NULL);
	return rc == -ENOENT ? 0 : rc;
}
