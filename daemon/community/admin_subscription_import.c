/* admin_subscription_import.c - kithctl subscription import: lines of ADDRESS,
 * or ADDRESS <tab> MODE, or what `subscription list` prints. Bad lines are
 * reported, the rest is taken, in bulk slices.
 */
#include "daemon/community/admin_subscription.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/admin_words.h"
#include "daemon/community/spaces.h"
#include "protocol/address.h"
#include "protocol/buffer.h"

#define SLICE     50u
#define SHOWN_MAX 20u /* bad lines named in the answer */

struct import_line {
	char address[ADDRESS_MAX + 1];
	int mode;
	int state;
};

struct import_op {
	struct store_op op;
	struct community *community;
	struct control_request *request;
	uint32_t space;
	int mode; /* of lines that name none */
	uint64_t now;
	struct span left;
	size_t line;
	size_t imported;
	size_t bad;
	struct buffer complaints;
	size_t count;
	struct import_line lines[SLICE];
};

static void
import_complain(struct import_op *import, const char *what, struct span text)
{
	import->bad++;
	if (import->bad > SHOWN_MAX)
		return;
	buffer_printf(&import->complaints, "\nline %zu: %s: ", import->line,
	    what);
	for (size_t i = 0; i < text.len && i < 80; i++)
		buffer_append_byte(&import->complaints,
		    (unsigned char)text.bytes[i] < ' ' ? '?' : text.bytes[i]);
}

static struct span
next_field(struct span *rest, char end)
{
	const char *at =
	    rest->len == 0 ? NULL : memchr(rest->bytes, end, rest->len);
	struct span field = *rest;

	if (at != NULL)
		field.len = (size_t)(at - rest->bytes);
	rest->bytes += field.len + (at != NULL);
	rest->len -= field.len + (at != NULL);
	return field;
}

static bool
word_of(struct span text, enum admin_words words, int *value)
{
	char word[16];

	text = span_trim(text);
	if (text.len == 0)
		return true;
	if (text.len >= sizeof word)
		return false;
	memcpy(word, text.bytes, text.len);
	word[text.len] = '\0';
	*value = admin_word_value(words, word);
	return *value >= 0;
}

static void
import_read_line(struct import_op *import, struct span text)
{
	struct import_line *line = &import->lines[import->count];
	struct span rest = text;
	struct span address = span_trim(next_field(&rest, '\t'));
	struct span mode = next_field(&rest, '\t');

	line->mode = import->mode;
	line->state = (int)KITH__SUBSCRIPTION_STATE__SUB_ACTIVE;
	if (address.len == 0 || address.bytes[0] == '#')
		return;
	if (!address_is_valid(address) || address.len > ADDRESS_MAX)
		import_complain(import, "not an address", address);
	else if (memchr(address.bytes, '\0', address.len) != NULL)
		import_complain(import, "not an address", address);
	else if (!word_of(mode, ADMIN_WORDS_MODE, &line->mode))
		import_complain(import, "not a mode", mode);
	else if (!word_of(next_field(&rest, '\t'),
		     ADMIN_WORDS_SUBSCRIPTION_STATE, &line->state))
		import_complain(import, "not a state", text);
	else {
		memcpy(line->address, address.bytes, address.len);
		line->address[address.len] = '\0';
		import->count++;
	}
}

static int
import_check(struct store_txn *txn, struct store_op *op)
{
	struct store_key key =
	    store_key_u32(((struct import_op *)(void *)op)->space);

	return store_has(store_txn_reader(txn), STORE_SPACES, &key) ? 0
								    : -ENOENT;
}

static int
import_apply(struct store_txn *txn, struct store_op *op)
{
	struct import_op *import = (struct import_op *)(void *)op;
	const struct import_line *line;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < import->count; i++) {
		line = &import->lines[i];
		rc = admin_subscription_write(txn, import->space, line->address,
		    line->mode, line->state, import->now);
	}
	return rc;
}

static void
import_end(struct import_op *import, int rc)
{
	community_busy(import->community, -1);
	if (rc == -ENOENT)
		control_fail(import->request, "not-found",
		    "the space was removed meanwhile");
	else if (rc != 0)
		admin_fail_errno(import->request, rc);
	else if (import->bad > 0)
		control_fail(import->request, "bad-lines",
		    "%zu imported, %zu lines were not:%s%s", import->imported,
		    import->bad, buffer_text(&import->complaints),
		    import->bad > SHOWN_MAX ? "\n..." : "");
	else {
		control_result(import->request,
		    json_pack("{s:I}", "imported",
			(json_int_t)import->imported));
		control_done(import->request);
	}
	buffer_fini(&import->complaints);
	free(import);
}

static void
import_slice(struct import_op *import)
{
	import->count = 0;
	while (import->left.len > 0 && import->count < SLICE) {
		import->line++;
		import_read_line(import, next_field(&import->left, '\n'));
	}
	if (import->count > 0)
		store_submit(community_store(import->community), &import->op);
	else
		import_end(import, 0);
}

static void
import_done(struct store_op *op, int result)
{
	struct import_op *import = (struct import_op *)(void *)op;

	if (result == 0) {
		import->imported += import->count;
		import_slice(import);
	} else
		import_end(import, result);
}

void
admin_subscription_import(struct control_request *request)
{
	struct space *space =
	    admin_space_named(request, control_arg(request, 0));
	const char *mode = control_option(request, "--mode");
	struct import_op *import;

	if (space == NULL)
		return;
	import = calloc(1, sizeof *import);
	if (import == NULL ||
	    (mode != NULL && admin_word_value(ADMIN_WORDS_MODE, mode) < 0)) {
		if (import == NULL)
			admin_fail_errno(request, -ENOMEM);
		else
			control_fail(request, CONTROL_USAGE,
			    "--mode is one of: %s",
			    admin_word_choice(ADMIN_WORDS_MODE));
		free(import);
		space_unref(space);
		return;
	}
	import->community = control_context(request);
	import->request = request;
	import->space = space->id;
	import->mode =
	    mode == NULL ? -1 : admin_word_value(ADMIN_WORDS_MODE, mode);
	import->now = community_now(import->community);
	import->left = control_input(request);
	buffer_init(&import->complaints, 0);
	import->op.check = import_check;
	import->op.apply = import_apply;
	import->op.done = import_done;
	import->op.inbox = community_inbox(import->community);
	import->op.bulk = true;
	space_unref(space);
	community_busy(import->community, 1);
	import_slice(import);
}
