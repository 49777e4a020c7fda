/* admin_space.c - kithctl space: the table of its verbs, add and set.
 */
#include "daemon/community/admin_space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/community/admin.h"
#include "daemon/community/admin_words.h"
#include "daemon/community/journal.h"
#include "daemon/community/kinds.h"
#include "daemon/community/members.h"
#include "protocol/mail_command.h"
#include "protocol/newsgroup.h"
#include "store/overview.h"

#define DESCRIPTION_MAX 400u
#define MODERATORS_MAX  100u

#define EXPIRE_DAYS_MAX  36500L
#define EXPIRE_COUNT_MAX 2147483647L
#define MAX_SIZE_MAX     (1L << 30)

struct space_op {
	struct admin_op admin;
	const char *name;
	char mail[32]; /* folded; "" : no mail */
	bool mail_given;
	const struct kind *kind;            /* add */
	const char *description;            /* NULL: as it is */
	int read, post, moderation, closed; /* -1: as they are */
	const char *moderator, *no_moderator;
	long digest_hour, digest_articles, digest_kilobytes; /* -1 */
	long expire_days, expire_count, max_size; /* -1 */
	int expire_header; /* -1 */
	long suggested; /* -1 */
	uint32_t id;
};

/* ---- options */

static int
option_word(const struct space_op *op, const char *option,
    enum admin_words words, int *value_r)
{
	const char *text = control_option(op->admin.request, option);

	*value_r = -1;
	if (text == NULL)
		return 0;
	*value_r = admin_word_value(words, text);
	return *value_r < 0 ? -EINVAL : 0;
}

/* 1, 0, -1: as it is. */
static bool
read_yes_no(struct space_op *op, const char *option, int *value_r)
{
	const char *text = control_option(op->admin.request, option);

	*value_r = -1;
	if (text == NULL)
		return true;
	if (strcmp(text, "yes") == 0 || strcmp(text, "no") == 0) {
		*value_r = text[0] == 'y';
		return true;
	}
	admin_op_fail(&op->admin, CONTROL_USAGE, "%s is one of: yes or no",
	    option);
	return false;
}

static bool
read_audiences(struct space_op *op)
{
	const char *wrong = NULL,
		   *choice = admin_word_choice(ADMIN_WORDS_AUDIENCE);

	if (option_word(op, "--read", ADMIN_WORDS_AUDIENCE, &op->read) != 0)
		wrong = "--read";
	else if (option_word(op, "--post", ADMIN_WORDS_AUDIENCE, &op->post) !=
	    0)
		wrong = "--post";
	else if (option_word(op, "--moderation", ADMIN_WORDS_MODERATION,
		     &op->moderation) != 0) {
		wrong = "--moderation";
		choice = admin_word_choice(ADMIN_WORDS_MODERATION);
	}
	if (wrong != NULL)
		admin_op_fail(&op->admin, CONTROL_USAGE, "%s is one of: %s",
		    wrong, choice);
	return wrong == NULL;
}

static bool
read_number(struct space_op *op, const char *option, long max, long *value_r)
{
	const char *text = control_option(op->admin.request, option);

	*value_r = text == NULL ? -1 : admin_number(text, max);
	if (text == NULL || *value_r >= 0)
		return true;
	admin_op_fail(&op->admin, CONTROL_USAGE, "%s is a number from 0 to %ld",
	    option, max);
	return false;
}

static bool
mail_is_reserved(const char *mail)
{
	static const char *const reserved[] = { "postmaster", "abuse",
		"mailer-daemon", "root", "noreply", "no-reply" };

	for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
		if (strcmp(reserved[i], mail) == 0)
			return true;
	return false;
}

static bool
read_mail(struct space_op *op)
{
	const char *text = control_option(op->admin.request, "--mail");
	size_t len = text == NULL ? 0 : strlen(text);

	op->mail_given = text != NULL;
	if (len == 0)
		return true;
	for (size_t i = 0; i < len && len < sizeof op->mail; i++)
		op->mail[i] = text[i] >= 'A' && text[i] <= 'Z'
		    ? (char)(text[i] - 'A' + 'a')
		    : text[i];
	if (len < sizeof op->mail && mail_local_is_usable(span_of(op->mail)) &&
	    !mail_is_reserved(op->mail))
		return true;
	admin_op_fail(&op->admin, CONTROL_USAGE,
	    "--mail %s cannot be a list's local part: at most 24 of a-z 0-9 . _ -, "
	    "no -subscribe, -help or other word of a command, not postmaster or abuse",
	    text);
	return false;
}

static bool
read_description(struct space_op *op)
{
	op->description = control_option(op->admin.request, "--description");
	if (op->description == NULL ||
	    admin_text_is_line(op->description, DESCRIPTION_MAX))
		return true;
	admin_op_fail(&op->admin, CONTROL_USAGE,
	    "--description is one line of at most %u octets", DESCRIPTION_MAX);
	return false;
}

static bool
read_limits(struct space_op *op)
{
	return read_number(op, "--expire-after", EXPIRE_DAYS_MAX,
		   &op->expire_days) &&
	    read_number(op, "--expire-count", EXPIRE_COUNT_MAX,
		&op->expire_count) &&
	    read_yes_no(op, "--expire-header", &op->expire_header) &&
	    read_number(op, "--max-size", MAX_SIZE_MAX, &op->max_size);
}

/* False: the request has failed and the operation is gone. */
static bool
read_options(struct space_op *op)
{
	op->name = control_arg(op->admin.request, 0);
	op->moderator = control_option(op->admin.request, "--moderator");
	op->no_moderator = control_option(op->admin.request, "--no-moderator");
	return read_mail(op) && read_description(op) && read_audiences(op) &&
	    read_yes_no(op, "--closed", &op->closed) && read_limits(op) &&
	    read_number(op, "--digest-hour", 23, &op->digest_hour) &&
	    read_number(op, "--digest-articles", 100000,
		&op->digest_articles) &&
	    read_number(op, "--digest-kilobytes", 1000000,
		&op->digest_kilobytes) &&
	    read_number(op, "--suggested", 9999, &op->suggested);
}

/* ---- shared by add and set, on the writer */

static bool
name_in_use(struct store_txn *txn, enum store_table table, const char *name,
    uint32_t except)
{
	struct store_key key = store_key_bytes(name, strlen(name));
	ProtobufCMessage *message;
	uint64_t id;

	if (store_get(store_txn_reader(txn), table, &key, &message) != 0)
		return false;
	id = ((Kith__IdRef *)(void *)message)->id;
	protobuf_c_message_free_unpacked(message, NULL);
	return id != except;
}

static int
name_put(struct store_txn *txn, enum store_table table, const char *name,
    uint32_t id)
{
	struct store_key key = store_key_bytes(name, strlen(name));
	Kith__IdRef ref = KITH__ID_REF__INIT;

	ref.id = id;
	return store_put(txn, table, &key, &ref.base);
}

static void
apply_digest(struct community *community, const struct space_op *op,
    Kith__Space *record)
{
	const struct config *config = community_config(community);

	if (op->digest_hour < 0 && op->digest_articles < 0 &&
	    op->digest_kilobytes < 0)
		return;
	if (!record->digest_set) {
		record->digest_hour = config->digest_hour;
		record->digest_articles = config->digest_articles;
		record->digest_kilobytes = config->digest_kilobytes;
		record->digest_set = true;
	}
	if (op->digest_hour >= 0)
		record->digest_hour = (uint32_t)op->digest_hour;
	if (op->digest_articles >= 0)
		record->digest_articles = (uint32_t)op->digest_articles;
	if (op->digest_kilobytes >= 0)
		record->digest_kilobytes = (uint32_t)op->digest_kilobytes;
}

static void
apply_limits(const struct space_op *op, Kith__Space *record)
{
	if (op->expire_days >= 0)
		record->expire_days = (uint32_t)op->expire_days;
	if (op->expire_count >= 0)
		record->expire_count = (uint32_t)op->expire_count;
	if (op->expire_header >= 0)
		record->expire_header = op->expire_header == 1;
	if (op->max_size >= 0)
		record->max_size = (uint64_t)op->max_size;
}

static int
apply_options(struct space_op *op, Kith__Space *record)
{
	int rc = 0;

	if (op->description != NULL)
		rc = admin_text_put(&record->description, op->description);
	if (rc == 0 && op->mail_given)
		rc = admin_text_put(&record->mail, op->mail);
	if (op->read >= 0)
		record->read = (Kith__Audience)op->read;
	if (op->post >= 0)
		record->post = (Kith__Audience)op->post;
	if (op->moderation >= 0)
		record->moderation = (Kith__Moderation)op->moderation;
	if (op->closed >= 0)
		record->closed = op->closed == 1;
	if (op->suggested >= 0)
		record->suggested = (uint32_t)op->suggested;
	apply_digest(op->admin.community, op, record);
	apply_limits(op, record);
	return rc;
}

static int
check_mail(struct store_txn *txn, struct space_op *op)
{
	if (op->mail[0] == '\0' ||
	    !name_in_use(txn, STORE_SPACE_MAIL, op->mail, op->id))
		return 0;
	return admin_refuse(&op->admin, "exists",
	    "another space has the mail address %s@; choose another --mail",
	    op->mail);
}

static int
check_moderators(struct store_txn *txn, struct space_op *op)
{
	const char *names[] = { op->moderator, op->no_moderator };
	uint32_t id;

	for (size_t i = 0; i < 2; i++)
		if (names[i] != NULL &&
		    member_find(store_txn_reader(txn), names[i], &id) != 0)
			return admin_refuse(&op->admin, "not-found",
			    "there is no member %s; kithctl member add makes one",
			    names[i]);
	return 0;
}

static int
apply_moderators(struct store_txn *txn, const struct space_op *op,
    Kith__Space *record)
{
	uint32_t add = 0, gone = 0, *more;
	size_t kept = 0;

	if (op->moderator != NULL)
		(void)member_find(store_txn_reader(txn), op->moderator, &add);
	if (op->no_moderator != NULL)
		(void)member_find(store_txn_reader(txn), op->no_moderator,
		    &gone);
	for (size_t i = 0; i < record->n_moderators; i++)
		if (record->moderators[i] != gone &&
		    record->moderators[i] != add)
			record->moderators[kept++] = record->moderators[i];
	record->n_moderators = kept;
	if (add == 0 || kept >= MODERATORS_MAX)
		return 0;
	more = realloc(record->moderators, (kept + 1) * sizeof *more);
	if (more == NULL)
		return -ENOMEM;
	record->moderators = more;
	more[record->n_moderators++] = add;
	return 0;
}

static int
space_write(struct store_txn *txn, struct space_op *op,
    const Kith__Space *record, Kith__Verb verb)
{
	struct store_key key = store_key_u32(op->id);
	int rc = store_put(txn, STORE_SPACES, &key, &record->base);

	if (rc == 0)
		rc = spaces_publish(community_spaces(op->admin.community), txn,
		    op->id, record);
	if (rc == 0)
		rc = journal_append(txn,
		    &(struct journal_event){ .time = op->admin.now,
			.verb = verb,
			.space = op->id,
			.object = op->id,
			.text = op->name });
	return rc;
}

/* ---- add */

static int
add_check(struct store_txn *txn, struct admin_op *admin)
{
	struct space_op *op = (struct space_op *)(void *)admin;
	int rc;

	op->id = 0; /* of an apply that was undone */
	if (name_in_use(txn, STORE_SPACE_NAMES, op->name, 0))
		return admin_refuse(admin, "exists",
		    "there is a space %s already; kithctl space set changes it",
		    op->name);
	rc = check_mail(txn, op);
	return rc == 0 ? check_moderators(txn, op) : rc;
}

/* Behind what a removed space of that name gave (admin_space_remove.c). */
static int
numbers_begin(struct store_txn *txn, const struct space_op *op)
{
	struct store_key key = store_key_bytes(op->name, strlen(op->name));
	struct store_space_state empty = { .low = 1 };
	ProtobufCMessage *message;
	int rc = store_get(store_txn_reader(txn), STORE_FORMER_SPACES, &key,
	    &message);

	if (rc == 0) {
		empty.high =
		    (uint32_t)((Kith__Count *)(void *)message)->count;
		empty.low = empty.high + 1;
		protobuf_c_message_free_unpacked(message, NULL);
		rc = store_delete(txn, STORE_FORMER_SPACES, &key);
	}
	return rc == 0 || rc == -ENOENT
	    ? store_space_state_put(txn, op->id, &empty)
	    : rc;
}

static int
add_apply(struct store_txn *txn, struct admin_op *admin)
{
	struct space_op *op = (struct space_op *)(void *)admin;
	Kith__Space *record = calloc(1, sizeof *record);
	uint64_t id;
	int rc =
	    record == NULL ? -ENOMEM : store_id_next(txn, STORE_ID_SPACE, &id);

	if (rc != 0)
		goto out;
	kith__space__init(record);
	op->id = (uint32_t)id;
	record->kind = op->kind->kind;
	record->read = op->kind->read;
	record->post = op->kind->post;
	record->moderation = op->kind->moderation;
	record->created = admin->now;
	rc = admin_text_put(&record->name, op->name);
	if (rc == 0)
		rc = apply_options(op, record);
	if (rc == 0)
		rc = apply_moderators(txn, op, record);
	if (rc == 0)
		rc = name_put(txn, STORE_SPACE_NAMES, op->name, op->id);
	if (rc == 0 && op->mail[0] != '\0')
		rc = name_put(txn, STORE_SPACE_MAIL, op->mail, op->id);
	if (rc == 0)
		rc = numbers_begin(txn, op);
	if (rc == 0)
		rc = space_write(txn, op, record, KITH__VERB__VERB_SPACE_ADDED);
out:
	if (record != NULL)
		kith__space__free_unpacked(record, NULL);
	return rc;
}

static bool
name_is_usable(const char *name)
{
	for (const char *c = name; *c != '\0'; c++)
		if ((*c < 'a' || *c > 'z') && (*c < '0' || *c > '9') &&
		    strchr("+-_.", *c) == NULL)
			return false;
	return strlen(name) <= NEWSGROUP_MAX &&
	    newsgroup_is_valid(span_of(name)) &&
	    !newsgroup_is_reserved(span_of(name));
}

static void
run_add(struct control_request *request)
{
	const char *kind = control_option(request, "--kind");
	struct space_op *op = admin_op_new(request, sizeof *op);

	if (op == NULL || !read_options(op))
		return;
	op->kind = kind == NULL ? NULL : kind_by_name(kind);
	if (!name_is_usable(op->name)) {
		admin_op_fail(&op->admin, CONTROL_USAGE,
		    "%s cannot be a space's name: parts of a-z 0-9 + - _ joined by "
		    "dots, as acme.help, none of them all or ctl",
		    op->name);
		return;
	}
	if (op->kind == NULL || !op->kind->built) {
		admin_op_fail(&op->admin,
		    op->kind == NULL ? CONTROL_USAGE : "refused",
		    "%s: --kind is one of talk, qa, announce, kb, ideas, support, "
		    "internal",
		    kind == NULL           ? "no kind given"
			: op->kind == NULL ? kind
					   : "that kind is not built yet");
		return;
	}
	op->admin.check = add_check;
	op->admin.apply = add_apply;
	admin_op_run(&op->admin);
}

/* ---- set */

int
space_record_get(struct store_reader *reader, uint32_t id,
    Kith__Space **record_r)
{
	struct store_key key = store_key_u32(id);
	ProtobufCMessage *message = NULL;
	int rc = store_get(reader, STORE_SPACES, &key, &message);

	*record_r = rc == 0 ? (Kith__Space *)(void *)message : NULL;
	return rc;
}

int
space_find(struct store_txn *txn, struct admin_op *admin, const char *name,
    uint32_t *id_r)
{
	struct store_key key = store_key_bytes(name, strlen(name));
	ProtobufCMessage *message;
	int rc =
	    store_get(store_txn_reader(txn), STORE_SPACE_NAMES, &key, &message);

	if (rc == -ENOENT)
		return admin_refuse(admin, "not-found",
		    "there is no space %s; kithctl space list shows them",
		    name);
	if (rc != 0)
		return rc;
	*id_r = (uint32_t)((Kith__IdRef *)(void *)message)->id;
	protobuf_c_message_free_unpacked(message, NULL);
	return 0;
}

static int
set_check(struct store_txn *txn, struct admin_op *admin)
{
	struct space_op *op = (struct space_op *)(void *)admin;
	int rc = space_find(txn, admin, op->name, &op->id);

	if (rc == 0)
		rc = check_mail(txn, op);
	return rc == 0 ? check_moderators(txn, op) : rc;
}

static int
set_mail_name(struct store_txn *txn, const struct space_op *op, const char *old)
{
	struct store_key key = store_key_bytes(old, strlen(old));
	int rc = 0;

	if (!op->mail_given || strcmp(old, op->mail) == 0)
		return 0;
	if (old[0] != '\0')
		rc = store_delete(txn, STORE_SPACE_MAIL, &key);
	if ((rc == 0 || rc == -ENOENT) && op->mail[0] != '\0')
		rc = name_put(txn, STORE_SPACE_MAIL, op->mail, op->id);
	return rc == -ENOENT ? 0 : rc;
}

static int
set_apply(struct store_txn *txn, struct admin_op *admin)
{
	struct space_op *op = (struct space_op *)(void *)admin;
	Kith__Space *record;
	int rc = space_record_get(store_txn_reader(txn), op->id, &record);

	if (rc != 0)
		return rc;
	rc = set_mail_name(txn, op, record->mail);
	if (rc == 0)
		rc = apply_options(op, record);
	if (rc == 0)
		rc = apply_moderators(txn, op, record);
	if (rc == 0)
		rc = space_write(txn, op, record,
		    KITH__VERB__VERB_SPACE_CHANGED);
	kith__space__free_unpacked(record, NULL);
	return rc;
}

static void
run_set(struct control_request *request)
{
	struct space_op *op = admin_op_new(request, sizeof *op);

	if (op == NULL || !read_options(op))
		return;
	op->admin.check = set_check;
	op->admin.apply = set_apply;
	admin_op_run(&op->admin);
}

#define COMMON_OPTIONS                                                    \
 "[--mail LOCALPART] [--description TEXT] [--read anyone|members|staff] " \
 "[--post anyone|members|staff] [--moderation none|non-members|all] "     \
 "[--closed yes|no] [--moderator ADDRESS] [--no-moderator ADDRESS] "      \
 "[--digest-hour N] [--digest-articles N] [--digest-kilobytes N] "         \
 "[--expire-after DAYS] [--expire-count N] [--expire-header yes|no] "      \
 "[--max-size BYTES] [--suggested N]"

const struct control_verb admin_space_verbs[] = {
	{ "space", "add", "NAME --kind KIND " COMMON_OPTIONS, 1, 1, run_add,
	    0 },
	{ "space", "set", "NAME " COMMON_OPTIONS, 1, 1, run_set, 0 },
	{ "space", "show", "NAME", 1, 1, admin_space_show, 0 },
	{ "space", "list", "", 0, 0, admin_space_list, 0 },
	{ "space", "compact", "", 0, 0, admin_space_compact, 0 },
	{ "space", "remove", "NAME [--force]", 1, 1, admin_space_remove, 0 },
	{ NULL, NULL, NULL, 0, 0, NULL, 0 },
};
