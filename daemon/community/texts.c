/* texts.c - see texts.h.
 */
#include "daemon/community/texts.h"

#include <errno.h>
#include <string.h>

#include "protocol/dot.h"
#include "protocol/newsgroup.h"
#include "protocol/utf8.h"
#include "protocol/wildmat.h"

#define WEIGHT_DIGITS 9u

/* What is wrong with a line, or NULL. */
typedef const char *text_check(struct span line);

/* "name description" (RFC 6048 2.3.2) */
static const char *
check_distribution(struct span line)
{
	struct span name = line;

	name.len = 0;
	while (name.len < line.len && line.bytes[name.len] != ' ' &&
	    line.bytes[name.len] != '\t')
		name.len++;
	if (memchr(line.bytes, ',', name.len) != NULL ||
	    !distribution_is_valid(name))
		return "a line begins with the name of a distribution";
	if (name.len == line.len)
		return "a description follows the name";
	return NULL;
}

/* "weight:wildmat:distribution" (RFC 3977 7.6.5) */
static const char *
check_pattern(struct span line)
{
	const char *end = line.bytes + line.len;
	const char *first = memchr(line.bytes, ':', line.len), *second = NULL;
	struct wildmat *wildmat = NULL;
	size_t digits = 0;
	int rc;

	while (digits < line.len && line.bytes[digits] >= '0' &&
	    line.bytes[digits] <= '9')
		digits++;
	if (first != NULL)
		second = memchr(first + 1, ':', (size_t)(end - first - 1));
	if (second == NULL || digits == 0 || digits > WEIGHT_DIGITS ||
	    line.bytes + digits != first)
		return "a line is WEIGHT:WILDMAT:DISTRIBUTION";
	rc = wildmat_compile(span_make(first + 1, (size_t)(second - first - 1)),
	    &wildmat);
	wildmat_free(&wildmat);
	if (rc != 0)
		return "the second part is a wildmat of newsgroups";
	line = span_make(second + 1, (size_t)(end - second - 1));
	if (line.len == 0 || memchr(line.bytes, ',', line.len) != NULL ||
	    !distribution_is_valid(line))
		return "the third part is the name of a distribution";
	return NULL;
}

static const struct {
	const char *name;
	const char *key; /* of the setting */
	text_check *check;
} texts[TEXTS] = {
	[TEXT_MOTD] = { "motd", "text.motd", NULL },
	[TEXT_DISTRIBUTIONS] = { "distributions", "text.distributions",
	    check_distribution },
	[TEXT_DISTRIB_PATS] = { "distrib-pats", "text.distrib-pats",
	    check_pattern },
};

const char *
text_name(enum text text)
{
	return texts[text].name;
}

enum text
text_named(const char *name)
{
	unsigned text = 0;

	while (text < TEXTS && strcmp(texts[text].name, name) != 0)
		text++;
	return (enum text)text;
}

static struct store_key
text_key(enum text text)
{
	return store_key_bytes(texts[text].key, strlen(texts[text].key));
}

/* What was written by text_compose is a block; a row can be damaged. */
static bool
text_is_block(struct span wire)
{
	struct dot_receiver dot;
	size_t used;

	dot_receiver_init(&dot, NULL, 0);
	return !dot_receive(&dot, wire, &used) &&
	    dot_receive(&dot, span_of(".\r\n"), &used) && !dot.facts.nul &&
	    !dot.facts.bare_cr && !dot.facts.bare_lf;
}

int
text_get(struct store_reader *reader, enum text text, struct buffer *out)
{
	struct store_key key = text_key(text);
	ProtobufCMessage *message;
	const Kith__Setting *setting;
	int rc = store_get(reader, STORE_SETTINGS, &key, &message);

	if (rc != 0)
		return rc;
	setting = (const Kith__Setting *)(const void *)message;
	if (text_is_block(span_make((const char *)setting->value.data,
		setting->value.len)))
		buffer_append(out, setting->value.data, setting->value.len);
	else
		rc = -EBADMSG;
	protobuf_c_message_free_unpacked(message, NULL);
	return rc == 0 && buffer_failed(out) ? -ENOMEM : rc;
}

/* Lines of their own are looked at as they were written: no name begins with a
 * dot, so none of them is stuffed. */
static bool
text_lines_are_fine(text_check *check, struct span wire,
    struct text_fault *fault)
{
	const char *end;
	struct span line;

	for (fault->line = 1; wire.len > 0; fault->line++) {
		end = memchr(wire.bytes, '\n', wire.len);
		line = span_make(wire.bytes, (size_t)(end - wire.bytes) - 1);
		fault->why = check == NULL ? NULL : check(line);
		if (fault->why == NULL && line.len > 0 && check != NULL &&
		    (span_trim(line).len != line.len))
			fault->why = "no blanks at the ends of a line";
		if (fault->why != NULL)
			return false;
		wire = span_make(end + 1, wire.len - line.len - 2);
	}
	return true;
}

int
text_compose(enum text text, struct span file, struct buffer *wire,
    struct text_fault *fault_r)
{
	struct dot_facts facts;

	*fault_r = (struct text_fault){ 0 };
	if (file.len > TEXT_OCTETS_MAX) {
		fault_r->why = "it is too long";
		return 1;
	}
	dot_from_file(wire, file, &facts);
	if (buffer_failed(wire))
		return -ENOMEM;
	if (wire->len > TEXT_OCTETS_MAX)
		fault_r->why = "it is too long";
	else if (facts.nul || facts.bare_cr || facts.bare_lf)
		fault_r->why = "it holds NUL or a lone CR";
	else if (!utf8_valid(buffer_span(wire)))
		fault_r->why = "it is not UTF-8";
	if (fault_r->why != NULL)
		return 1;
	return text_lines_are_fine(texts[text].check, buffer_span(wire),
		   fault_r)
	    ? 0
	    : 1;
}

int
text_put(struct store_txn *txn, enum text text, struct span wire)
{
	struct store_key key = text_key(text);
	Kith__Setting setting = KITH__SETTING__INIT;
	/* protobuf-c wants what it only reads to be writable */
	uint8_t bytes[TEXT_OCTETS_MAX];

	if (wire.len > sizeof bytes)
		return -E2BIG;
	if (wire.len > 0)
		memcpy(bytes, wire.bytes, wire.len);
	setting.value.data = bytes;
	setting.value.len = wire.len;
	return store_put(txn, STORE_SETTINGS, &key, &setting.base);
}

int
text_delete(struct store_txn *txn, enum text text)
{
	struct store_key key = text_key(text);

	return store_delete(txn, STORE_SETTINGS, &key);
}
