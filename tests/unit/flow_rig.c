/* flow_rig.c - see flow_rig.h.
 */
#include "tests/unit/flow_rig.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/community/members.h"
#include "protocol/dot.h"
#include "protocol/mail_summary.h"
#include "store/overview.h"

int
rig_setup(void **state)
{
	int rc = fixture_setup(state);

	rig_do(*state,
	    WORDS("space", "add", "a.talk", "--kind", "talk", "--mail", "talk",
		"--post", "anyone"));
	return rc;
}

struct rig_wait {
	bool done;
	struct intake_result result;
	struct intake_reply *replies;
};

static void
rig_stored(void *arg, const struct intake_result *result)
{
	struct rig_wait *wait = arg;

	wait->result = *result;
	wait->done = true;
}

static char *
rig_wire(const char *text, size_t *len_r, struct dot_facts *facts)
{
	struct buffer wire;

	buffer_init(&wire, 0);
	dot_from_file(&wire, span_of(text), facts);
	return buffer_take(&wire, len_r);
}

void
rig_is(struct intake_result result, enum reason reason)
{
	if (result.reason != reason)
		fail_msg("%s: %s, not %s", reason_name(result.reason),
		    result.detail, reason_name(reason));
}

struct intake_result
rig_post(struct fixture *fixture, const char *login, const char *text)
{
	struct intake_news news = { .channel = KITH__CHANNEL__CHANNEL_POST,
		.client = "127.0.0.1",
		.inbox = fixture->inbox };
	struct rig_wait wait = { 0 };

	if (login != NULL) {
		struct store_view *view = store_view_begin(fixture->store);

		assert_int_equal(identity_of_address(store_view_reader(view),
				     login, &news.identity),
		    0);
		store_view_end(&view);
		news.identity.trust = TRUST_SESSION;
	}
	news.bytes = rig_wire(text, &news.len, &news.facts);
	intake_news(fixture->community, &news, rig_stored, &wait);
	fixture_wait(fixture, &wait.done);
	return wait.result;
}

struct intake_result
rig_feed(struct fixture *fixture, uint32_t peer, const char *message_id,
    const char *text)
{
	struct intake_news news = { .channel = KITH__CHANNEL__CHANNEL_PEER,
		.identity.peer = peer,
		.offered_id = message_id,
		.client = "192.0.2.7",
		.inbox = fixture->inbox };
	struct rig_wait wait = { 0 };

	news.bytes = rig_wire(text, &news.len, &news.facts);
	intake_news(fixture->community, &news, rig_stored, &wait);
	fixture_wait(fixture, &wait.done);
	return wait.result;
}

enum reason
rig_wants(struct fixture *fixture, uint32_t peer, const char *message_id)
{
	struct store_view *view = store_view_begin(fixture->store);
	const struct identity identity = { .peer = peer };
	enum reason reason = intake_wants(fixture->community,
	    store_view_reader(view), &identity, span_of(message_id));

	store_view_end(&view);
	return reason;
}

struct intake_result
rig_import(struct fixture *fixture, const char *name, const char *text)
{
	struct space *space =
	    spaces_by_name(community_spaces(fixture->community), span_of(name));
	struct intake_import import = { .space = space->id };
	struct rig_wait wait = { 0 };

	space_unref(space);
	import.bytes = rig_wire(text, &import.len, &import.facts);
	intake_import(fixture->community, &import, rig_stored, &wait);
	fixture_wait(fixture, &wait.done);
	return wait.result;
}

static void
rig_answered(void *arg, const struct intake_reply *replies, size_t count)
{
	struct rig_wait *wait = arg;

	memcpy(wait->replies, replies, count * sizeof *replies);
	wait->done = true;
}

void
rig_mail(struct fixture *fixture, const char *envelope_from,
    const char *const *recipients, const char *text,
    struct intake_reply *replies_r)
{
	struct intake_mail mail = { .envelope_from = envelope_from,
		.client = "127.0.0.1",
		.protocol = "LMTP",
		.recipients = recipients };
	struct mail_summary_options options = { .envelope_from = envelope_from,
		.domain = "lists.example",
		.hostname = "news.example" };
	struct rig_wait wait = { .replies = replies_r };
	struct mail_summary summary;
	struct dot_facts facts;
	struct buffer plain;
	size_t len;
	char *wire = rig_wire(text, &len, &facts);

	while (recipients[mail.recipient_count] != NULL)
		mail.recipient_count++;
	mail.message = span_make(wire, len);
	buffer_init(&plain, 0);
	dot_unstuff(&plain, mail.message);
	assert_int_equal(mail_summary_build(plain.bytes, plain.len, &options,
			     &summary),
	    0);
	mail.summary = &summary;
	intake_mail(fixture->community, &mail, rig_answered, &wait);
	fixture_wait(fixture, &wait.done);
	mail_summary_fini(&summary);
	buffer_fini(&plain);
	free(wire);
}

char *
rig_ask(struct fixture *fixture, const char *const *words)
{
	char *answer = NULL;

	if (fixture_kithctl(fixture, words, NULL, &answer) != 0)
		fail_msg("%s %s: %s", words[0], words[1], answer);
	return answer;
}

bool
rig_says(struct fixture *fixture, const char *const *words, const char *text)
{
	char *answer = rig_ask(fixture, words);
	bool found = strstr(answer, text) != NULL;

	free(answer);
	return found;
}

void
rig_do(struct fixture *fixture, const char *const *words)
{
	free(rig_ask(fixture, words));
}

unsigned
rig_count(struct fixture *fixture, const char *name)
{
	struct space *space =
	    spaces_by_name(community_spaces(fixture->community), span_of(name));
	struct store_space_state state = { 0 };

	assert_non_null(space);
	(void)store_space_state_published(fixture->store, space->id, &state);
	space_unref(space);
	return state.count;
}

const struct fixture_mail *
rig_mail_to(struct fixture *fixture, const char *recipient)
{
	const struct fixture_mail *mail = fixture->mails;

	while (mail != NULL && strcmp(mail->recipient, recipient) != 0)
		mail = mail->next;
	return mail;
}
