/* token.c - making and reading tokens, and the keys behind them.
 */
#include "daemon/community/token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/buffer.h"
#include "protocol/token_text.h"
#include "store/msgid.h"

#define SECRET_LEN 32u
#define DAY        86400u
#define EPOCH_DAY  18262u /* 2020-01-01 */
#define TEXT_MAX   36u

struct token_key {
	uint32_t id;
	uint8_t secret[SECRET_LEN];
};

struct tokens {
	struct token_key *keys; /* ascending; the last one makes, all verify */
	size_t count;
};

static const struct token_rule token_rules[] = {
	{ TOKEN_CONFIRM, "confirm", 7 * DAY, true },
	{ TOKEN_BOUNCE, "bounce", 30 * DAY, false },
	{ TOKEN_REPLY, "reply", 365 * DAY, false },
	{ TOKEN_MODERATE, "moderate", 30 * DAY, true },
	{ TOKEN_MODERATE_LIST, "moderate-list", 30 * DAY, false },
	{ TOKEN_UNSUBSCRIBE, "unsubscribe", 365 * DAY, false },
};

const struct token_rule *
token_rule(enum token_kind kind)
{
	for (size_t i = 0; i < sizeof token_rules / sizeof token_rules[0]; i++)
		if (token_rules[i].kind == kind)
			return &token_rules[i];
	return NULL;
}

/* ---- keys */

static int
key_row(void *arg, const struct store_key *key, const ProtobufCMessage *message)
{
	const Kith__Key *record = (const Kith__Key *)(const void *)message;
	struct tokens *tokens = arg;
	struct token_key *bigger;

	if (record->secret.len != SECRET_LEN)
		return -EBADMSG;
	bigger = realloc(tokens->keys, (tokens->count + 1) * sizeof *bigger);
	if (bigger == NULL)
		return -ENOMEM;
	tokens->keys = bigger;
	bigger += tokens->count++;
	bigger->id = store_key_get_u32(key, 0);
	memcpy(bigger->secret, record->secret.data, SECRET_LEN);
	return 0;
}

static int
key_apply(struct store_txn *txn, struct store_op *op)
{
	Kith__Key record = KITH__KEY__INIT;
	uint8_t secret[SECRET_LEN];
	struct store_key key;
	uint64_t id;
	int rc = store_id_next(txn, STORE_ID_KEY, &id);

	(void)op;
	if (rc != 0)
		return rc;
	if (RAND_bytes(secret, sizeof secret) != 1)
		return -EIO;
	record.secret.data = secret;
	record.secret.len = sizeof secret;
	key = store_key_u32((uint32_t)id);
	rc = store_put(txn, STORE_KEYS, &key, &record.base);
	OPENSSL_cleanse(secret, sizeof secret);
	return rc;
}

static int
tokens_load(struct tokens *tokens, struct store *store)
{
	struct store_view *view = store_view_begin(store);
	int rc;

	if (view == NULL)
		return -ENOMEM;
	rc = store_walk(store_view_reader(view), STORE_KEYS, NULL, NULL,
	    key_row, tokens);
	store_view_end(&view);
	return rc;
}

static const struct token_key *
key_in_use(const struct tokens *tokens)
{
	return tokens->count == 0 ? NULL : &tokens->keys[tokens->count - 1];
}

static const struct token_key *
key_of(const struct tokens *tokens, uint64_t id)
{
	for (size_t i = 0; i < tokens->count; i++)
		if (tokens->keys[i].id == id)
			return &tokens->keys[i];
	return NULL;
}

int
tokens_new(struct tokens **tokens_r, struct store *store)
{
	struct tokens *tokens = calloc(1, sizeof *tokens);
	struct store_op make = { .apply = key_apply };
	int rc;

	*tokens_r = NULL;
	if (tokens == NULL)
		return -ENOMEM;
	rc = tokens_load(tokens, store);
	if (rc == 0 && tokens->count == 0) {
		rc = store_run(store, &make);
		if (rc == 0)
			rc = tokens_load(tokens, store);
	}
	if (rc == 0 && key_in_use(tokens) == NULL)
		rc = -EBADMSG;
	if (rc != 0)
		tokens_free(&tokens);
	*tokens_r = tokens;
	return rc;
}

void
tokens_free(struct tokens **tokens)
{
	struct tokens *t = *tokens;

	*tokens = NULL;
	if (t == NULL)
		return;
	if (t->keys != NULL)
		OPENSSL_cleanse(t->keys, t->count * sizeof *t->keys);
	free(t->keys);
	free(t);
}

/* ---- making and reading */

/* HMAC-SHA256 over domain, NUL, kind and payload, cut. */
static int
token_mac(struct community *community, const struct token_key *key,
    enum token_kind kind, struct span payload, uint8_t mac_r[TOKEN_MAC_LEN])
{
	const char *domain = community_config(community)->domain;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	struct buffer text;
	int rc = 0;

	buffer_init(&text, 0);
	buffer_append(&text, domain, strlen(domain) + 1);
	buffer_append_byte(&text, (char)kind);
	buffer_append_span(&text, payload);
	if (buffer_failed(&text) ||
	    HMAC(EVP_sha256(), key->secret, (int)sizeof key->secret,
		(const unsigned char *)text.bytes, text.len, digest,
		&digest_len) == NULL ||
	    digest_len < TOKEN_MAC_LEN)
		rc = -ENOMEM;
	else
		memcpy(mac_r, digest, TOKEN_MAC_LEN);
	OPENSSL_cleanse(digest, sizeof digest);
	buffer_fini(&text);
	return rc;
}

int
tokens_derive(struct community *community, const char *label, struct span bytes,
    uint8_t out_r[32])
{
	const struct tokens *tokens = community_tokens(community);
	unsigned len = 0;
	struct buffer text;
	int rc = 0;

	/* begins with a NUL, what token_mac() digests with a domain */
	buffer_init(&text, 0);
	buffer_append_byte(&text, '\0');
	buffer_append(&text, label, strlen(label) + 1);
	buffer_append_span(&text, bytes);
	if (tokens->count == 0 || buffer_failed(&text) ||
	    HMAC(EVP_sha256(), tokens->keys[0].secret,
		(int)sizeof tokens->keys[0].secret,
		(const unsigned char *)text.bytes, text.len, out_r,
		&len) == NULL)
		rc = -EIO;
	buffer_fini(&text);
	return rc;
}

int
token_make(struct community *community, enum token_kind kind, uint64_t object,
    uint64_t member, char text_r[TOKEN_TEXT_ROOM])
{
	const struct token_key *key = key_in_use(community_tokens(community));
	const struct token_rule *rule = token_rule(kind);
	uint8_t bytes[TOKEN_PAYLOAD_ROOM + TOKEN_MAC_LEN];
	char text[BASE32_ROOM(sizeof bytes)];
	struct token_fields fields = { object, member, 0, 0 };
	size_t len;
	int rc;

	text_r[0] = '\0';
	if (rule == NULL || key == NULL)
		return -EINVAL;
	fields.key = key->id;
	/* the day it ends counts in full */
	fields.day = (community_now(community) + rule->lifetime) / DAY + 1;
	fields.day = fields.day < EPOCH_DAY ? 0 : fields.day - EPOCH_DAY;
	len = token_payload_encode(&fields, bytes);
	rc = token_mac(community, key, kind, span_make((char *)bytes, len),
	    bytes + len);
	if (rc != 0)
		return rc;
	base32_encode(bytes, len + TOKEN_MAC_LEN, text);
	len = strlen(text);
	if (len > TEXT_MAX)
		return -ERANGE;
	memcpy(text_r, text, len + 1);
	return 0;
}

char *
token_address(struct community *community, const char *local_part,
    enum token_kind kind, uint64_t object, uint64_t member)
{
	char text[TOKEN_TEXT_ROOM];
	struct buffer buffer;

	if (token_make(community, kind, object, member, text) != 0)
		return NULL;
	buffer_init(&buffer, 0);
	buffer_printf(&buffer, "%s+%c.%s@%s", local_part, (char)kind, text,
	    community_config(community)->domain);
	return buffer_take(&buffer, NULL);
}

int
token_read(struct community *community, enum token_kind kind, struct span text,
    struct token *token_r)
{
	uint8_t bytes[TOKEN_PAYLOAD_ROOM + TOKEN_MAC_LEN];
	uint8_t mac[TOKEN_MAC_LEN];
	const struct token_key *key;
	struct token_fields fields;
	size_t len;
	int n;

	memset(token_r, 0, sizeof *token_r);
	if (token_rule(kind) == NULL || text.len > TEXT_MAX)
		return -EBADMSG;
	n = base32_decode(text, bytes, sizeof bytes);
	if (n <= (int)TOKEN_MAC_LEN)
		return -EBADMSG;
	len = (size_t)n - TOKEN_MAC_LEN;
	if (token_payload_decode(bytes, len, &fields) != 0)
		return -EBADMSG;
	key = key_of(community_tokens(community), fields.key);
	if (key == NULL ||
	    token_mac(community, key, kind, span_make((char *)bytes, len),
		mac) != 0 ||
	    CRYPTO_memcmp(mac, bytes + len, sizeof mac) != 0)
		return -EBADMSG;
	token_r->kind = kind;
	token_r->object = fields.object;
	token_r->member = fields.member;
	token_r->expires = (fields.day + EPOCH_DAY) * DAY;
	return community_now(community) >= token_r->expires ? -ETIMEDOUT : 0;
}

/* ---- single use */

static struct store_key
use_key(struct community *community, struct span text)
{
	char folded[TEXT_MAX];
	uint8_t hash[16];
	size_t len = text.len < sizeof folded ? text.len : sizeof folded;

	for (size_t i = 0; i < len; i++)
		folded[i] = text.bytes[i] >= 'A' && text.bytes[i] <= 'Z'
		    ? (char)(text.bytes[i] - 'A' + 'a')
		    : text.bytes[i];
	store_hash(community_store(community), folded, len, hash);
	return store_key_bytes(hash, sizeof hash);
}

int
token_was_used(struct store_reader *reader, struct community *community,
    struct span text)
{
	struct store_key key = use_key(community, text);

	return store_has(reader, STORE_TOKENS_USED, &key) ? -EALREADY : 0;
}

int
token_use(struct store_txn *txn, struct community *community, struct span text,
    const struct token *token)
{
	const struct token_rule *rule = token_rule(token->kind);
	struct store_key key = use_key(community, text);
	Kith__TokenUse use = KITH__TOKEN_USE__INIT;

	if (rule == NULL || !rule->single_use)
		return 0;
	if (store_has(store_txn_reader(txn), STORE_TOKENS_USED, &key))
		return -EALREADY;
	use.expires = token->expires;
	return store_put(txn, STORE_TOKENS_USED, &key, &use.base);
}
