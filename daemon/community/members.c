/* members.c - members: ids never reused, found by login or by address.
 */
#include "daemon/community/members.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/journal.h"
#include "daemon/community/space_arrays.h"
#include "daemon/community/subscriptions.h"
#include "protocol/address.h"

int
member_get(struct store_reader *reader, uint32_t member,
    Kith__Member **member_r)
{
	struct store_key key = store_key_u32(member);
	ProtobufCMessage *message = NULL;
	int rc = store_get(reader, STORE_MEMBERS, &key, &message);

	*member_r = rc == 0 ? (Kith__Member *)(void *)message : NULL;
	return rc;
}

static int
member_of_address(struct store_reader *reader, uint32_t address,
    uint32_t *member_r)
{
	Kith__Address *record;
	int rc = address_get(reader, address, &record);

	if (rc != 0)
		return rc;
	*member_r = record->member;
	kith__address__free_unpacked(record, NULL);
	return *member_r == 0 ? -ENOENT : 0;
}

static int
member_by_login(struct store_reader *reader, const char *login,
    uint32_t *member_r)
{
	struct store_key key = store_key_bytes(login, strlen(login));
	ProtobufCMessage *message = NULL;
	int rc = store_get(reader, STORE_LOGINS, &key, &message);

	if (rc != 0)
		return rc;
	*member_r = (uint32_t)((Kith__IdRef *)(void *)message)->id;
	protobuf_c_message_free_unpacked(message, NULL);
	return 0;
}

int
member_find(struct store_reader *reader, const char *login, uint32_t *member_r)
{
	struct buffer compared;
	uint32_t address;
	int rc;

	*member_r = 0;
	if (strchr(login, '@') == NULL)
		return member_by_login(reader, login, member_r);
	buffer_init(&compared, 0);
	rc = address_compare_form(&compared, span_of(login));
	if (rc == -EINVAL)
		rc = -ENOENT;
	if (rc == 0)
		rc = buffer_failed(&compared)
		    ? -ENOMEM
		    : address_find(reader, buffer_text(&compared), &address);
	if (rc == 0)
		rc = member_of_address(reader, address, member_r);
	buffer_fini(&compared);
	return rc;
}

static int
member_write(struct store_txn *txn, uint32_t member, const Kith__Member *record)
{
	const Kith__Nothing nothing = KITH__NOTHING__INIT;
	struct store_key key = store_key_u32(member);
	int rc = store_put(txn, STORE_MEMBERS, &key, &record->base);

	if (rc != 0)
		return rc;
	if (record->role > KITH__ROLE__ROLE_MEMBER)
		return store_put(txn, STORE_ROLES, &key, &nothing.base);
	rc = store_delete(txn, STORE_ROLES, &key);
	return rc == -ENOENT ? 0 : rc;
}

static int
address_set_member(struct store_txn *txn, uint32_t address, uint32_t member)
{
	struct store_key key = store_key_u32(address);
	Kith__Address *record;
	int rc = address_get(store_txn_reader(txn), address, &record);

	if (rc != 0)
		return rc;
	record->member = member;
	rc = store_put(txn, STORE_ADDRESSES, &key, &record->base);
	kith__address__free_unpacked(record, NULL);
	return rc;
}

int
member_make(struct store_txn *txn, const char *address, const char *name,
    uint64_t now, uint32_t *member_r, uint32_t *address_r)
{
	Kith__Member record;
	uint64_t id;
	int rc = address_make(txn, address, address_r);

	*member_r = 0;
	if (rc != 0)
		return rc;
	rc = member_of_address(store_txn_reader(txn), *address_r, member_r);
	if (rc != -ENOENT)
		return rc;
	rc = store_id_next(txn, STORE_ID_MEMBER, &id);
	if (rc != 0)
		return rc;
	kith__member__init(&record);
	if (name != NULL)
		record.name = (char *)(uintptr_t)name;
	record.created = now;
	record.n_addresses = 1;
	record.addresses = address_r;
	*member_r = (uint32_t)id;
	rc = member_write(txn, *member_r, &record);
	if (rc == 0)
		rc = address_set_member(txn, *address_r, *member_r);
	if (rc == 0)
		rc = journal_append(txn,
		    &(struct journal_event){ .time = now,
			.verb = KITH__VERB__VERB_MEMBER_ADDED,
			.object = id,
			.text = address });
	return rc;
}

static int
login_set(struct store_txn *txn, const char *login, uint32_t member)
{
	struct store_key key = store_key_bytes(login, strlen(login));
	Kith__IdRef ref = KITH__ID_REF__INIT;

	ref.id = member;
	return store_put(txn, STORE_LOGINS, &key, &ref.base);
}

static int
login_clear(struct store_txn *txn, const char *login)
{
	struct store_key key = store_key_bytes(login, strlen(login));
	int rc = store_delete(txn, STORE_LOGINS, &key);

	return rc == -ENOENT ? 0 : rc;
}

int
member_put(struct store_txn *txn, uint32_t member, const Kith__Member *record,
    uint64_t now)
{
	Kith__Member *old;
	int rc = member_get(store_txn_reader(txn), member, &old);

	if (rc != 0)
		return rc;
	if (strcmp(old->login, record->login) != 0) {
		if (old->login[0] != '\0')
			rc = login_clear(txn, old->login);
		if (rc == 0 && record->login[0] != '\0')
			rc = login_set(txn, record->login, member);
	}
	kith__member__free_unpacked(old, NULL);
	if (rc == 0)
		rc = member_write(txn, member, record);
	if (rc == 0)
		rc = journal_append(txn,
		    &(struct journal_event){ .time = now,
			.verb = KITH__VERB__VERB_MEMBER_CHANGED,
			.object = member });
	return rc;
}

int
member_add_address(struct store_txn *txn, uint32_t member, const char *address,
    uint64_t now)
{
	Kith__Member *record = NULL;
	uint32_t id, owner = 0, *more;
	int rc = address_make(txn, address, &id);

	if (rc == 0)
		rc = member_of_address(store_txn_reader(txn), id, &owner);
	if (rc == 0)
		return owner == member ? 0 : -EEXIST;
	if (rc == -ENOENT)
		rc = member_get(store_txn_reader(txn), member, &record);
	if (rc == 0) {
		more = realloc(record->addresses,
		    (record->n_addresses + 1) * sizeof *more);
		rc = more == NULL ? -ENOMEM : 0;
		if (more != NULL) {
			record->addresses = more;
			more[record->n_addresses++] = id;
		}
	}
	if (rc == 0)
		rc = member_put(txn, member, record, now);
	if (rc == 0)
		rc = address_set_member(txn, id, member);
	kith__member__free_unpacked(record, NULL);
	return rc;
}

static int
collect_space(void *arg, const struct store_key *key,
    const ProtobufCMessage *message)
{
	(void)message;
	return space_ids_add(arg, store_key_get_u32(key, 4));
}

static int
address_release(struct store_txn *txn, uint32_t address, uint64_t now)
{
	struct store_key prefix = store_key_u32(address);
	struct space_ids spaces = { NULL, 0, 0 };
	int rc = store_walk(store_txn_reader(txn), STORE_SUBSCRIPTIONS_OF,
	    &prefix, NULL, collect_space, &spaces);

	for (size_t i = 0; rc == 0 && i < spaces.count; i++) {
		rc = subscription_remove(txn, spaces.ids[i], address, now, 0);
		rc = rc == -ENOENT ? 0 : rc;
	}
	free(spaces.ids);
	return rc == 0 ? address_set_member(txn, address, 0) : rc;
}

int
member_remove(struct store_txn *txn, uint32_t member, uint64_t now)
{
	Kith__Member *record;
	Kith__Member gone;
	int rc = member_get(store_txn_reader(txn), member, &record);

	if (rc != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < record->n_addresses; i++)
		rc = address_release(txn, record->addresses[i], now);
	if (rc == 0 && record->login[0] != '\0')
		rc = login_clear(txn, record->login);
	/* the row stays, so that the id does, without what it knew */
	kith__member__init(&gone);
	gone.state = KITH__MEMBER_STATE__MEMBER_REMOVED;
	gone.created = record->created;
	kith__member__free_unpacked(record, NULL);
	if (rc == 0)
		rc = member_write(txn, member, &gone);
	if (rc == 0)
		rc = journal_append(txn,
		    &(struct journal_event){ .time = now,
			.verb = KITH__VERB__VERB_MEMBER_REMOVED,
			.object = member });
	return rc;
}

char *
member_address(struct store_reader *reader, const Kith__Member *record)
{
	Kith__Address *address;
	char *text;

	if (record->n_addresses == 0 ||
	    address_get(reader, record->addresses[0], &address) != 0)
		return NULL;
	text = strdup(address->text);
	kith__address__free_unpacked(address, NULL);
	return text;
}
