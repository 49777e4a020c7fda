/* replay_mail.c - the steps of a scenario that hand mail in, and look at what came
 * out.
 */
#include "build.h"

#include <stdlib.h>
#include <string.h>

#include "tests/replay/compose.h"
#include "tests/replay/replay.h"

static struct world_mail *
at_hand(struct replay *replay)
{
	if (replay->at_hand == 0)
		FAIL(replay, "there is no mail at hand");
	return world_mail_get(replay->world, replay->at_hand - 1);
}

/* ---- steps: mail in */

static void
lmtp_say(struct world_client *client, const char *line)
{
	world_client_send(client, span_of(line));
	world_client_send(client, span_of("\r\n"));
}

/* The code of a whole reply. */
static unsigned
lmtp_reply(struct replay *replay, struct world_client *client)
{
	const char *line;

	do {
		line = world_client_line(client);
		if (line == NULL)
			FAIL(replay, "LMTP ended");
	} while (strlen(line) > 3 && line[3] == '-');
	buffer_clear(&replay->said);
	buffer_append_text(&replay->said, line);
	return (unsigned)strtoul(line, NULL, 10);
}

void
replay_lmtp_expect(struct replay *replay, struct world_client *client,
    unsigned code)
{
	if (lmtp_reply(replay, client) != code)
		FAIL(replay, "LMTP: %s", buffer_text(&replay->said));
}

/* The block with CRLF and stuffed dots. */
void
replay_lmtp_data(struct world_client *client, const char *text)
{
	const char *end;

	for (; *text != '\0'; text = *end == '\0' ? end : end + 1) {
		end = text + strcspn(text, "\n");
		if (*text == '.')
			world_client_send(client, span_of("."));
		world_client_send(client,
		    span_make(text, (size_t)(end - text)));
		world_client_send(client, span_of("\r\n"));
	}
	lmtp_say(client, ".");
}

/* Hands in a mail; `code` is what at least one of RCPT and the mail's reply
 * must be when it is not 250. */
static void
hand_in(struct replay *replay, const char *from, char *const *to, int count,
    const char *text, unsigned code)
{
	struct world_client *client = world_connect_lmtp(replay->world);
	unsigned got = 250;
	int taken = 0;
	char line[600];
	struct buffer said;

	replay_lmtp_expect(replay, client, 220);
	lmtp_say(client, "LHLO replay.example");
	replay_lmtp_expect(replay, client, 250);
	(void)snprintf(line, sizeof line, "MAIL FROM:<%s>",
	    strcmp(from, "<>") == 0 ? "" : from);
	lmtp_say(client, line);
	replay_lmtp_expect(replay, client, 250);
	for (int i = 0; i < count; i++) {
		(void)snprintf(line, sizeof line, "RCPT TO:<%s>", to[i]);
		lmtp_say(client, line);
		got = lmtp_reply(replay, client);
		taken += got == 250;
	}
	if (taken > 0) {
		lmtp_say(client, "DATA");
		replay_lmtp_expect(replay, client, 354);
		replay_lmtp_data(client, text);
		for (int i = 0; i < taken; i++)
			got = lmtp_reply(replay, client);
	}
	if (got != code)
		FAIL(replay, "LMTP: %s", buffer_text(&replay->said));
	/* `says` is for the answer to the mail */
	said = replay->said;
	buffer_init(&replay->said, 0);
	lmtp_say(client, "QUIT");
	replay_lmtp_expect(replay, client, 221);
	buffer_fini(&replay->said);
	replay->said = said;
	world_client_free(&client);
	world_settle(replay->world);
}

void
replay_lmtp(struct replay *replay, struct step *step)
{
	if (step->count < 3)
		FAIL(replay, "lmtp FROM TO ...");
	hand_in(replay, step->words[1], step->words + 2, step->count - 2,
	    buffer_text(&step->block), 250);
}

void
replay_lmtp_refused(struct replay *replay, struct step *step)
{
	if (step->count != 4)
		FAIL(replay, "lmtp! CODE FROM TO");
	hand_in(replay, step->words[2], step->words + 3, 1,
	    buffer_text(&step->block),
	    (unsigned)strtoul(step->words[1], NULL, 10));
}

/* ---- steps: mail out */

/* The place of the next one plus 1; 0: there is none. */
static size_t
next_mail(struct replay *replay, const char *address)
{
	for (size_t i = 0; i < world_mail_count(replay->world); i++) {
		struct world_mail *mail = world_mail_get(replay->world, i);

		if (!mail->seen &&
		    (address == NULL || strcmp(mail->recipient, address) == 0))
			return i + 1;
	}
	return 0;
}

void
replay_mail(struct replay *replay, struct step *step)
{
	replay->at_hand = next_mail(replay, step->words[1]);
	if (replay->at_hand == 0)
		FAIL(replay, "no mail to %s", step->words[1]);
	at_hand(replay)->seen = true;
}

void
replay_mails(struct replay *replay, struct step *step)
{
	size_t wanted = strtoul(step->words[1], NULL, 10), count = 0;

	for (size_t i = 0; i < world_mail_count(replay->world); i++) {
		struct world_mail *mail = world_mail_get(replay->world, i);

		if (mail->seen ||
		    !replay_matches(replay, step->words[2], mail->recipient))
			continue;
		mail->seen = true;
		replay->at_hand = i + 1;
		count++;
	}
	if (count != wanted)
		FAIL(replay, "there are %zu mails to %s", count,
		    step->words[2]);
}

void
replay_nomail(struct replay *replay, struct step *step)
{
	size_t next = next_mail(replay, step->words[1]);

	if (next == 0)
		return;
	FAIL(replay, "there is mail to %s:\n%s",
	    world_mail_get(replay->world, next - 1)->recipient,
	    world_mail_get(replay->world, next - 1)->text);
}

void
replay_has(struct replay *replay, struct step *step)
{
	if (!replay_matches(replay, step->rest, at_hand(replay)->text))
		FAIL(replay, "the mail is:\n%s", at_hand(replay)->text);
}

void
replay_hasnot(struct replay *replay, struct step *step)
{
	if (replay_matches(replay, step->rest, at_hand(replay)->text))
		FAIL(replay, "the mail is:\n%s", at_hand(replay)->text);
}

static void
answer(struct replay *replay, struct step *step, bool quoted)
{
	struct compose_reply reply = { .from = step->words[1],
		.subject = step->count > 2 ? step->words[2] : NULL,
		.text = buffer_text(&step->block),
		.number = ++replay->replies,
		.quoted = quoted };
	struct buffer mail;
	char *to[1];

	buffer_init(&mail, 0);
	to[0] = compose_reply(&mail, at_hand(replay), &reply);
	hand_in(replay, step->words[1], to, 1, buffer_text(&mail), 250);
	free(to[0]);
	buffer_fini(&mail);
}

void
replay_reply(struct replay *replay, struct step *step)
{
	answer(replay, step, false);
}

void
replay_quote(struct replay *replay, struct step *step)
{
	answer(replay, step, true);
}

void
replay_forward(struct replay *replay, struct step *step)
{
	struct buffer mail;

	buffer_init(&mail, 0);
	compose_forward(&mail, at_hand(replay), step->words[1], step->words[2],
	    buffer_text(&step->block), ++replay->replies);
	hand_in(replay, step->words[1], step->words + 2, 1, buffer_text(&mail),
	    250);
	buffer_fini(&mail);
}

void
replay_redeliver(struct replay *replay, struct step *step)
{
	const struct world_mail *mail = at_hand(replay);
	char *from = strdup(mail->envelope_from);
	char *to[1] = { strdup(mail->recipient) };
	char *text = strdup(mail->text);

	(void)step;
	hand_in(replay, from, to, 1, text, 250);
	free(from);
	free(to[0]);
	free(text);
}

/* Where a report about the mail at hand goes, owned: where the mail came from, to
 * that address, or to that local part with the token of the mail's own. */
static char *
report_to(struct replay *replay, const struct step *step)
{
	const char *own = at_hand(replay)->envelope_from;
	const char *where = step->count > 2 ? step->words[2] : own;
	struct buffer to;

	if (strchr(where, '@') != NULL)
		return strdup(where);
	buffer_init(&to, 0);
	buffer_printf(&to, "%s%s", where, own + strcspn(own, "+"));
	return buffer_take(&to, NULL);
}

void
replay_complaint(struct replay *replay, struct step *step)
{
	char *to[1] = { report_to(replay, step) };
	struct buffer mail;

	buffer_init(&mail, 0);
	compose_complaint(&mail, at_hand(replay), step->words[1],
	    ++replay->replies);
	hand_in(replay, "<>", to, 1, buffer_text(&mail), 250);
	buffer_fini(&mail);
	free(to[0]);
}

void
replay_bounce(struct replay *replay, struct step *step)
{
	char *to[1] = { report_to(replay, step) };
	struct buffer mail;

	buffer_init(&mail, 0);
	compose_bounce(&mail, at_hand(replay), step->words[1],
	    ++replay->replies);
	hand_in(replay, "<>", to, 1, buffer_text(&mail), 250);
	buffer_fini(&mail);
	free(to[0]);
}
