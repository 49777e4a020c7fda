/* replay.c - runs one scenario: clients, mail, and time passing, written as text.
 *
 *   control ARG ...        kithctl does it; an indented block is its input
 *   control! ARG ...       kithctl refuses it
 *   says REGEX             what control (or a news block) said matches
 *   saysnot REGEX
 *   lmtp FROM TO ...       hands in the indented block; every recipient gets 250
 *   lmtp! CODE FROM TO     the answer to RCPT or to the mail is that code
 *                          (`says` looks at it)
 *   mail ADDRESS           the oldest mail to that address not looked at yet
 *   has REGEX              the mail at hand matches
 *   hasnot REGEX
 *   reply FROM [SUBJECT]   answers the mail at hand as a mail client would
 *   bounce STATUS          the mail at hand comes back with a delivery status
 *   nomail [ADDRESS]       no mail (to that address) is left to look at
 *   news NAME              a news client connects (and is greeted)
 *   > NAME COMMAND         it sends a line (with a block: that, and a dot)
 *   < NAME TEXT            the next line begins so
 *   block NAME             reads a multi-line block, for `says`
 *   advance SECONDS        time passes, what is due is done
 *   smarthost up|down      can it be reached
 *   smarthost CODE ADDRESS what it answers for this recipient
 *   authserv ID            whose Authentication-Results count from now on
 *   restart                kithd stops and starts
 *
 * Patterns are extended regular expressions, ^ and $ match at lines. "$1" ...
 * "$9" in any argument stand for what the groups of the last has, says or < that
 * matched found.
 */
#include "build.h"

#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"
#include "protocol/buffer.h"
#include "tests/replay/world.h"

#define WORDS_MAX   32
#define CLIENTS_MAX 8
#define GROUPS	    10

struct news_client {
	char *name;
	struct world_client *client;
};

struct replay {
	struct world *world;
	const char *path;
	unsigned line;
	struct news_client clients[CLIENTS_MAX];
	struct buffer said;
	struct world_mail *at_hand;
	char *groups[GROUPS];
	unsigned replies;
};

/* One step: its words, the rest of its line, and its indented block. */
struct step {
	char *text;
	char *words[WORDS_MAX];
	int count;
	const char *rest; /* after the first word */
	struct buffer block; /* LF */
};

#define FAIL(replay, ...) \
	(fprintf(stderr, "%s:%u: ", (replay)->path, (replay)->line), \
	    world_fail(__VA_ARGS__))

/* ---- patterns */

static bool
matches(struct replay *replay, const char *pattern, const char *text)
{
	regmatch_t found[GROUPS];
	regex_t regex;
	bool match;

	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE) != 0)
		FAIL(replay, "not a pattern: %s", pattern);
	match = regexec(&regex, text, GROUPS, found, 0) == 0;
	for (int i = 0; match && i < GROUPS; i++) {
		if (found[i].rm_so < 0)
			continue;
		free(replay->groups[i]);
		replay->groups[i] = strndup(text + found[i].rm_so,
		    (size_t)(found[i].rm_eo - found[i].rm_so));
	}
	regfree(&regex);
	return match;
}

/* "$1" and its like in a line. Owned. */
static char *
substitute(struct replay *replay, const char *line)
{
	struct buffer out;

	buffer_init(&out, 0);
	for (; *line != '\0'; line++) {
		if (line[0] == '$' && isdigit((unsigned char)line[1]) &&
		    replay->groups[line[1] - '0'] != NULL) {
			buffer_append_text(&out, replay->groups[line[1] - '0']);
			line++;
		} else {
			buffer_append_byte(&out, *line);
		}
	}
	return buffer_take(&out, NULL);
}

/* ---- steps: control */

static void
step_control(struct replay *replay, struct step *step, bool wanted)
{
	bool ok = world_control(replay->world, step->count - 1,
	    (const char *const *)(step->words + 1), buffer_span(&step->block),
	    &replay->said);

	if (ok != wanted)
		FAIL(replay, "%s: %s", ok ? "was done" : "was refused",
		    buffer_text(&replay->said));
}

static void
do_control(struct replay *replay, struct step *step)
{
	step_control(replay, step, true);
}

static void
do_control_refused(struct replay *replay, struct step *step)
{
	step_control(replay, step, false);
}

static void
do_says(struct replay *replay, struct step *step)
{
	if (!matches(replay, step->rest, buffer_text(&replay->said)))
		FAIL(replay, "it said:\n%s", buffer_text(&replay->said));
}

static void
do_saysnot(struct replay *replay, struct step *step)
{
	if (matches(replay, step->rest, buffer_text(&replay->said)))
		FAIL(replay, "it said:\n%s", buffer_text(&replay->said));
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

static void
lmtp_expect(struct replay *replay, struct world_client *client, unsigned code)
{
	if (lmtp_reply(replay, client) != code)
		FAIL(replay, "LMTP: %s", buffer_text(&replay->said));
}

/* The block with CRLF and stuffed dots. */
static void
lmtp_data(struct world_client *client, const char *text)
{
	const char *end;

	for (; *text != '\0'; text = *end == '\0' ? end : end + 1) {
		end = text + strcspn(text, "\n");
		if (*text == '.')
			world_client_send(client, span_of("."));
		world_client_send(client, span_make(text, (size_t)(end - text)));
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

	lmtp_expect(replay, client, 220);
	lmtp_say(client, "LHLO replay.example");
	lmtp_expect(replay, client, 250);
	(void)snprintf(line, sizeof line, "MAIL FROM:<%s>",
	    strcmp(from, "<>") == 0 ? "" : from);
	lmtp_say(client, line);
	lmtp_expect(replay, client, 250);
	for (int i = 0; i < count; i++) {
		(void)snprintf(line, sizeof line, "RCPT TO:<%s>", to[i]);
		lmtp_say(client, line);
		got = lmtp_reply(replay, client);
		taken += got == 250;
	}
	if (taken > 0) {
		lmtp_say(client, "DATA");
		lmtp_expect(replay, client, 354);
		lmtp_data(client, text);
		for (int i = 0; i < taken; i++)
			got = lmtp_reply(replay, client);
	}
	if (got != code)
		FAIL(replay, "LMTP: %s", buffer_text(&replay->said));
	/* `says` is for the answer to the mail */
	said = replay->said;
	buffer_init(&replay->said, 0);
	lmtp_say(client, "QUIT");
	lmtp_expect(replay, client, 221);
	buffer_fini(&replay->said);
	replay->said = said;
	world_client_free(&client);
	world_settle(replay->world);
}

static void
do_lmtp(struct replay *replay, struct step *step)
{
	if (step->count < 3)
		FAIL(replay, "lmtp FROM TO ...");
	hand_in(replay, step->words[1], step->words + 2, step->count - 2,
	    buffer_text(&step->block), 250);
}

static void
do_lmtp_refused(struct replay *replay, struct step *step)
{
	if (step->count != 4)
		FAIL(replay, "lmtp! CODE FROM TO");
	hand_in(replay, step->words[2], step->words + 3, 1,
	    buffer_text(&step->block),
	    (unsigned)strtoul(step->words[1], NULL, 10));
}

/* ---- steps: mail out */

static struct world_mail *
next_mail(struct replay *replay, const char *address)
{
	for (size_t i = 0; i < world_mail_count(replay->world); i++) {
		struct world_mail *mail = world_mail_get(replay->world, i);

		if (!mail->seen &&
		    (address == NULL || strcmp(mail->recipient, address) == 0))
			return mail;
	}
	return NULL;
}

static void
do_mail(struct replay *replay, struct step *step)
{
	replay->at_hand = next_mail(replay, step->words[1]);
	if (replay->at_hand == NULL)
		FAIL(replay, "no mail to %s", step->words[1]);
	replay->at_hand->seen = true;
}

static void
do_nomail(struct replay *replay, struct step *step)
{
	struct world_mail *mail = next_mail(replay, step->words[1]);

	if (mail != NULL)
		FAIL(replay, "there is mail to %s:\n%s", mail->recipient,
		    mail->text);
}

static void
do_has(struct replay *replay, struct step *step)
{
	if (replay->at_hand == NULL ||
	    !matches(replay, step->rest, replay->at_hand->text))
		FAIL(replay, "the mail is:\n%s",
		    replay->at_hand == NULL ? "" : replay->at_hand->text);
}

static void
do_hasnot(struct replay *replay, struct step *step)
{
	if (replay->at_hand != NULL &&
	    matches(replay, step->rest, replay->at_hand->text))
		FAIL(replay, "the mail is:\n%s", replay->at_hand->text);
}

/* A header of the mail at hand, unfolded; "" if it is not there. Owned. */
static char *
header_of(struct replay *replay, const char *name)
{
	const char *at = replay->at_hand->text;
	struct buffer value;
	size_t len = strlen(name);

	buffer_init(&value, 0);
	while (*at != '\n' && *at != '\0') {
		const char *end = at + strcspn(at, "\n");
		bool mine = strncasecmp(at, name, len) == 0 && at[len] == ':';

		if (mine)
			buffer_append_span(&value,
			    span_trim(span_make(at + len + 1,
				(size_t)(end - at) - len - 1)));
		for (at = end; at[0] == '\n' && (at[1] == ' ' || at[1] == '\t');
		     at = end) {
			end = at + 1 + strcspn(at + 1, "\n");
			if (mine)
				buffer_append(
				    &value, at + 1, (size_t)(end - at - 1));
		}
		if (mine)
			break;
		at += *at == '\n';
	}
	return buffer_take(&value, NULL);
}

static void
do_reply(struct replay *replay, struct step *step)
{
	char *to = header_of(replay, "Reply-To"), *subject, *id, *references;
	struct buffer mail;
	char *addr, *recipient[1];

	if (*to == '\0') {
		free(to);
		to = header_of(replay, "From");
	}
	subject = step->count > 2 ? strdup(step->words[2]) :
				    header_of(replay, "Subject");
	id = header_of(replay, "Message-ID");
	references = header_of(replay, "References");
	addr = strrchr(to, '<');
	recipient[0] = addr == NULL ? to : addr + 1;
	recipient[0][strcspn(recipient[0], ">")] = '\0';
	buffer_init(&mail, 0);
	buffer_printf(&mail,
	    "From: %s\nTo: %s\nSubject: %s%s\nMessage-ID: <reply%u@%s>\n"
	    "Date: Fri, 15 Jan 2027 09:00:00 +0000\n"
	    "In-Reply-To: %s\nReferences: %s%s%s\n\n%s",
	    step->words[1], recipient[0],
	    strncasecmp(subject, "re:", 3) == 0 ? "" : "Re: ", subject,
	    ++replay->replies, "client.example", id, references,
	    *references == '\0' ? "" : " ", id, buffer_text(&step->block));
	hand_in(replay, step->words[1], recipient, 1, buffer_text(&mail), 250);
	buffer_fini(&mail);
	free(to);
	free(subject);
	free(id);
	free(references);
}

static void
do_bounce(struct replay *replay, struct step *step)
{
	const struct world_mail *at_hand = replay->at_hand;
	char *to[1] = { at_hand->envelope_from };
	const char *status = step->words[1];
	struct buffer mail;

	buffer_init(&mail, 0);
	buffer_printf(&mail,
	    "From: MAILER-DAEMON@mx.example\nTo: %s\n"
	    "Subject: Undelivered Mail\nMessage-ID: <bounce%u@mx.example>\n"
	    "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\n"
	    "\tboundary=\"=b=\"\n\n--=b=\nContent-Type: text/plain\n\n"
	    "It could not be delivered.\n--=b=\n"
	    "Content-Type: message/delivery-status\n\n"
	    "Reporting-MTA: dns; mx.example\n\n"
	    "Final-Recipient: rfc822; %s\nAction: %s\nStatus: %s\n\n--=b=--\n",
	    at_hand->envelope_from, ++replay->replies, at_hand->recipient,
	    status[0] == '4' ? "delayed" : "failed", status);
	hand_in(replay, "<>", to, 1, buffer_text(&mail), 250);
	buffer_fini(&mail);
}

/* ---- steps: news */

static struct world_client *
client_named(struct replay *replay, const char *name)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (replay->clients[i].name != NULL &&
		    strcmp(replay->clients[i].name, name) == 0)
			return replay->clients[i].client;
	}
	FAIL(replay, "no client is called %s", name);
}

static void
do_news(struct replay *replay, struct step *step)
{
	struct news_client *slot = NULL;
	const char *line;

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (replay->clients[i].name == NULL) {
			slot = &replay->clients[i];
			break;
		}
	}
	if (slot == NULL)
		FAIL(replay, "too many news clients");
	slot->name = strdup(step->words[1]);
	slot->client = world_connect_news(replay->world);
	line = world_client_line(slot->client);
	if (line == NULL || strncmp(line, "20", 2) != 0)
		FAIL(replay, "greeted with %s", line == NULL ? "" : line);
}

static void
do_send(struct replay *replay, struct step *step)
{
	struct world_client *client = client_named(replay, step->words[1]);
	const char *command = strstr(step->rest, step->words[1]) +
	    strlen(step->words[1]);

	if (step->count > 2) {
		world_client_send(client, span_trim(span_of(command)));
		world_client_send(client, span_of("\r\n"));
	}
	if (step->block.len > 0)
		lmtp_data(client, buffer_text(&step->block));
}

static void
do_expect(struct replay *replay, struct step *step)
{
	struct world_client *client = client_named(replay, step->words[1]);
	const char *line = world_client_line(client);
	const char *wanted = step->count > 2 ?
	    strstr(step->rest + strlen(step->words[1]), step->words[2]) :
	    "";

	if (line == NULL || strncmp(line, wanted, strlen(wanted)) != 0)
		FAIL(replay, "the answer is: %s", line == NULL ? "(end)" : line);
	buffer_clear(&replay->said);
	buffer_append_text(&replay->said, line);
	world_settle(replay->world);
}

static void
do_block(struct replay *replay, struct step *step)
{
	struct world_client *client = client_named(replay, step->words[1]);
	const char *line;

	buffer_clear(&replay->said);
	while ((line = world_client_line(client)) != NULL &&
	    strcmp(line, ".") != 0)
		buffer_printf(&replay->said, "%s\n", line + (*line == '.'));
}

/* ---- steps: the world */

static void
do_advance(struct replay *replay, struct step *step)
{
	world_advance(
	    replay->world, strtoull(step->words[1], NULL, 10));
}

static void
do_authserv(struct replay *replay, struct step *step)
{
	world_authserv(replay->world, step->words[1]);
}

static void
do_smarthost(struct replay *replay, struct step *step)
{
	if (strcmp(step->words[1], "up") == 0)
		world_smarthost(replay->world, true);
	else if (strcmp(step->words[1], "down") == 0)
		world_smarthost(replay->world, false);
	else
		world_smarthost_answers(replay->world, step->words[2],
		    (unsigned)strtoul(step->words[1], NULL, 10),
		    step->words[1][0] == '5' ? "5.1.1 no such user" :
					       "4.2.0 try later");
}

static void
do_restart(struct replay *replay, struct step *step)
{
	(void)step;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		world_client_free(&replay->clients[i].client);
		free(replay->clients[i].name);
		replay->clients[i].name = NULL;
	}
	replay->at_hand = NULL;
	world_restart(replay->world);
}

static const struct {
	const char *word;
	int words_min;
	void (*run)(struct replay *replay, struct step *step);
} steps[] = {
	{ "<", 2, do_expect },
	{ ">", 2, do_send },
	{ "advance", 2, do_advance },
	{ "authserv", 2, do_authserv },
	{ "block", 2, do_block },
	{ "bounce", 2, do_bounce },
	{ "control", 2, do_control },
	{ "control!", 2, do_control_refused },
	{ "has", 2, do_has },
	{ "hasnot", 2, do_hasnot },
	{ "lmtp", 3, do_lmtp },
	{ "lmtp!", 4, do_lmtp_refused },
	{ "mail", 2, do_mail },
	{ "news", 2, do_news },
	{ "nomail", 1, do_nomail },
	{ "reply", 2, do_reply },
	{ "restart", 1, do_restart },
	{ "says", 2, do_says },
	{ "saysnot", 2, do_saysnot },
	{ "smarthost", 2, do_smarthost },
};

/* ---- reading the scenario */

/* Words are separated by blanks; double quotes keep blanks. */
static void
step_split(struct replay *replay, struct step *step, char *words)
{
	char *at = words;

	step->count = 0;
	while (*(at += strspn(at, " \t")) != '\0') {
		char *to = at;
		bool quoted = false;

		if (step->count == WORDS_MAX - 1)
			FAIL(replay, "too many words");
		step->words[step->count++] = to;
		for (; *at != '\0' && (quoted || (*at != ' ' && *at != '\t')); at++) {
			if (*at == '"')
				quoted = !quoted;
			else
				*to++ = *at;
		}
		if (*at != '\0')
			at++;
		*to = '\0';
	}
	step->words[step->count] = NULL;
}

static void
step_run(struct replay *replay, struct step *step)
{
	char *line = substitute(replay, step->text);
	char *words = strdup(line);
	size_t i, count = sizeof steps / sizeof steps[0];

	step_split(replay, step, words);
	step->rest = line + strcspn(line, " \t");
	step->rest += strspn(step->rest, " \t");
	for (i = 0; i < count; i++) {
		if (strcmp(steps[i].word, step->words[0]) == 0)
			break;
	}
	if (i == count || step->count < steps[i].words_min)
		FAIL(replay, "not a step: %s", line);
	steps[i].run(replay, step);
	free(line);
	free(words);
}

/* Runs step after step; a line that begins with a tab belongs to the block. */
static void
replay_file(struct replay *replay, FILE *file)
{
	struct step step = { .text = NULL };
	char *line = NULL;
	unsigned number = 0;
	size_t room = 0;
	ssize_t len;

	buffer_init(&step.block, 0);
	do {
		len = getline(&line, &room, file);
		number++;
		if (len > 0 && line[0] == '\t') {
			char *text = substitute(replay, line + 1);

			buffer_append_text(&step.block, text);
			free(text);
			continue;
		}
		if (step.text != NULL) {
			step_run(replay, &step);
			free(step.text);
			step.text = NULL;
			buffer_clear(&step.block);
		}
		if (len > 0)
			line[strcspn(line, "\n")] = '\0';
		if (len > 0 && line[0] != '#' && line[0] != '\0') {
			step.text = strdup(line);
			replay->line = number;
		}
	} while (len > 0);
	free(line);
	buffer_fini(&step.block);
}

int
main(int argc, char **argv)
{
	struct replay replay = { .line = 0 };
	char folder[] = "/tmp/kith-replay-XXXXXX";
	FILE *file;

	if (argc != 2)
		world_fail("usage: replay SCENARIO");
	replay.path = argv[1];
	file = fopen(argv[1], "r");
	if (file == NULL || mkdtemp(folder) == NULL)
		world_fail("%s: %s", argv[1], strerror(errno));
	log_start("replay", LOG_LEVEL_WARNING);
	/* a scenario that hangs is a failure, not a wait */
	(void)alarm(60);
	buffer_init(&replay.said, 0);
	replay.world = world_new(folder);
	replay_file(&replay, file);
	(void)fclose(file);
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		world_client_free(&replay.clients[i].client);
		free(replay.clients[i].name);
	}
	world_free(&replay.world);
	for (size_t i = 0; i < GROUPS; i++)
		free(replay.groups[i]);
	buffer_fini(&replay.said);
	(void)execlp("rm", "rm", "-rf", folder, (char *)NULL);
	return 1;
}
