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
 *   mails COUNT REGEX      so many mails not looked at yet go to such addresses
 *   reply FROM [SUBJECT]   answers the mail at hand as a mail client would
 *   quote FROM [SUBJECT]   the same, and the whole mail at hand follows as a quote,
 *                          header and all, as office programs do it
 *   forward FROM TO        hands it on to somebody else, inline
 *   redeliver              the mail at hand is handed in where it went, as it is
 *   bounce STATUS [TO]     the mail at hand comes back with a delivery status
 *   complaint TYPE [TO]    its reader's provider complains (RFC 5965)
 *                          TO: not to where it came from, but to that address, or
 *                          to that local part with the token of the mail's own
 *   nomail [ADDRESS]       no mail (to that address) is left to look at
 *   news NAME              a news client connects (and is greeted)
 *   door NAME              a mail server connects to LMTP (and is greeted)
 *   > NAME COMMAND         it sends a line (with a block: that, and a dot)
 *   raw NAME TEXT          it sends just that; \r, \n, \0 and \\ are what they are in C
 *   < NAME TEXT            the next line begins so
 *   answer NAME CODE       the next reply, of several lines perhaps, has the code
 *   drop NAME              its connection is cut
 *   block NAME             reads a multi-line block, for `says`
 *   advance SECONDS        time passes, what is due is done
 *   smarthost up|down      can it be reached
 *   smarthost fails-after N  it takes N more mails, and is away then
 *   smarthost CODE ADDRESS what it answers for this recipient
 *   restart                kithd stops and starts
 *   config LINE            kithd starts anew with this line in its configuration
 *   subscribers SPACE N    r1@bulk.example ... rN@bulk.example subscribe
 *   keep NAME TEXT         ${NAME} stands for it from now on
 *   times N STEP           does the step N times; ${n} is 1, 2, ...
 *
 * In a block, "%repeat N TEXT" is N lines, "%run N TEXT" one line of N times TEXT.
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
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/log.h"
#include "protocol/buffer.h"
#include "tests/replay/replay.h"

/* ---- patterns */

bool
replay_matches(struct replay *replay, const char *pattern, const char *text)
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

static void
keep(struct replay *replay, const char *name, const char *text)
{
	struct kept *kept = replay->kept, *end = kept + replay->kept_count;

	while (kept < end && strcmp(kept->name, name) != 0)
		kept++;
	if (kept == replay->kept + KEPT_MAX)
		FAIL(replay, "too much to keep");
	if (kept == end) {
		kept->name = strdup(name);
		replay->kept_count++;
	} else {
		free(kept->text);
	}
	kept->text = strdup(text);
}

/* "${NAME}" at the beginning of the line: what is kept; its length. */
static const char *
kept_find(struct replay *replay, const char *line, size_t *len_r)
{
	if (line[0] != '$' || line[1] != '{')
		return NULL;
	for (size_t i = 0; i < replay->kept_count; i++) {
		const struct kept *kept = &replay->kept[i];
		size_t len = strlen(kept->name);

		if (strncmp(line + 2, kept->name, len) == 0 &&
		    line[2 + len] == '}') {
			*len_r = len + 3;
			return kept->text;
		}
	}
	return NULL;
}

/* "$1", "${NAME}" and their like in a line. Owned. */
static char *
substitute(struct replay *replay, const char *line)
{
	struct buffer out;
	const char *text;
	size_t len;

	buffer_init(&out, 0);
	for (; *line != '\0'; line++) {
		text = kept_find(replay, line, &len);
		if (text != NULL) {
			buffer_append_text(&out, text);
			line += len - 1;
		} else if (line[0] == '$' && isdigit((unsigned char)line[1]) &&
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
	if (!replay_matches(replay, step->rest, buffer_text(&replay->said)))
		FAIL(replay, "it said:\n%s", buffer_text(&replay->said));
}

static void
do_saysnot(struct replay *replay, struct step *step)
{
	if (replay_matches(replay, step->rest, buffer_text(&replay->said)))
		FAIL(replay, "it said:\n%s", buffer_text(&replay->said));
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
client_add(struct replay *replay, const char *name, struct world_client *client)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (replay->clients[i].name != NULL)
			continue;
		replay->clients[i].name = strdup(name);
		replay->clients[i].client = client;
		return;
	}
	FAIL(replay, "too many clients");
}

static void
do_news(struct replay *replay, struct step *step)
{
	struct world_client *client = world_connect_news(replay->world);
	const char *line = world_client_line(client);

	if (line == NULL || strncmp(line, "20", 2) != 0)
		FAIL(replay, "greeted with %s", line == NULL ? "" : line);
	client_add(replay, step->words[1], client);
}

static void
do_door(struct replay *replay, struct step *step)
{
	struct world_client *client = world_connect_lmtp(replay->world);

	replay_lmtp_expect(replay, client, 220);
	client_add(replay, step->words[1], client);
}

static void
do_answer(struct replay *replay, struct step *step)
{
	replay_lmtp_expect(replay, client_named(replay, step->words[1]),
	    (unsigned)strtoul(step->words[2], NULL, 10));
	world_settle(replay->world);
}

static void
do_drop(struct replay *replay, struct step *step)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (replay->clients[i].name == NULL ||
		    strcmp(replay->clients[i].name, step->words[1]) != 0)
			continue;
		world_client_free(&replay->clients[i].client);
		free(replay->clients[i].name);
		replay->clients[i].name = NULL;
	}
	world_settle(replay->world);
}

static void
do_send(struct replay *replay, struct step *step)
{
	struct world_client *client = client_named(replay, step->words[1]);
	const char *command =
	    strstr(step->rest, step->words[1]) + strlen(step->words[1]);

	if (step->count > 2) {
		world_client_send(client, span_trim(span_of(command)));
		world_client_send(client, span_of("\r\n"));
	}
	if (step->block.len > 0)
		replay_lmtp_data(client, buffer_text(&step->block));
}

static void
do_raw(struct replay *replay, struct step *step)
{
	const char *at = strstr(step->rest, step->words[1]) +
	    strlen(step->words[1]) + 1;
	struct buffer bytes;

	buffer_init(&bytes, 0);
	for (; *at != '\0'; at++) {
		char c = *at;

		if (c == '\\' && at[1] != '\0') {
			at++;
			c = *at == 'r' ? '\r' : *at == 'n' ? '\n' : *at;
			c = *at == '0' ? '\0' : c;
		}
		buffer_append_byte(&bytes, c);
	}
	world_client_send(client_named(replay, step->words[1]),
	    buffer_span(&bytes));
	buffer_fini(&bytes);
}

static void
do_expect(struct replay *replay, struct step *step)
{
	struct world_client *client = client_named(replay, step->words[1]);
	const char *line = world_client_line(client);
	const char *wanted = step->count > 2
	    ? strstr(step->rest + strlen(step->words[1]), step->words[2])
	    : "";

	if (line == NULL || strncmp(line, wanted, strlen(wanted)) != 0)
		FAIL(replay, "the answer is: %s",
		    line == NULL ? "(end)" : line);
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
	world_advance(replay->world, strtoull(step->words[1], NULL, 10));
}

static void
do_smarthost(struct replay *replay, struct step *step)
{
	if (strcmp(step->words[1], "up") == 0)
		world_smarthost(replay->world, true);
	else if (strcmp(step->words[1], "down") == 0)
		world_smarthost(replay->world, false);
	else if (strcmp(step->words[1], "fails-after") == 0)
		world_smarthost_fails_after(replay->world,
		    strtoul(step->words[2], NULL, 10));
	else
		world_smarthost_answers(replay->world, step->words[2],
		    (unsigned)strtoul(step->words[1], NULL, 10),
		    step->words[1][0] == '5' ? "5.1.1 no such user"
					     : "4.2.0 try later");
}

static void
clients_end(struct replay *replay)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		world_client_free(&replay->clients[i].client);
		free(replay->clients[i].name);
		replay->clients[i].name = NULL;
	}
}

static void
do_restart(struct replay *replay, struct step *step)
{
	(void)step;
	clients_end(replay);
	world_restart(replay->world);
}

static void
do_config(struct replay *replay, struct step *step)
{
	clients_end(replay);
	world_configure(replay->world, step->rest);
}

static void
do_subscribers(struct replay *replay, struct step *step)
{
	const char *argv[] = { "subscription", "import", step->words[1] };
	unsigned long count = strtoul(step->words[2], NULL, 10);
	struct buffer input;

	buffer_init(&input, 0);
	for (unsigned long i = 1; i <= count; i++)
		buffer_printf(&input, "r%lu@bulk.example\n", i);
	if (!world_control(replay->world, 3, argv, buffer_span(&input),
		&replay->said))
		FAIL(replay, "%s", buffer_text(&replay->said));
	buffer_fini(&input);
}

static void
do_keep(struct replay *replay, struct step *step)
{
	const char *text =
	    strstr(step->rest, step->words[1]) + strlen(step->words[1]);

	keep(replay, step->words[1], text + strspn(text, " "));
}

static void do_times(struct replay *replay, struct step *step);

static const struct {
	const char *word;
	int words_min;
	void (*run)(struct replay *replay, struct step *step);
} steps[] = {
	{ "<", 2, do_expect },
	{ ">", 2, do_send },
	{ "advance", 2, do_advance },
	{ "answer", 3, do_answer },
	{ "block", 2, do_block },
	{ "bounce", 2, replay_bounce },
	{ "complaint", 2, replay_complaint },
	{ "config", 2, do_config },
	{ "control", 2, do_control },
	{ "control!", 2, do_control_refused },
	{ "door", 2, do_door },
	{ "drop", 2, do_drop },
	{ "forward", 3, replay_forward },
	{ "has", 2, replay_has },
	{ "hasnot", 2, replay_hasnot },
	{ "keep", 3, do_keep },
	{ "lmtp", 3, replay_lmtp },
	{ "lmtp!", 4, replay_lmtp_refused },
	{ "mail", 2, replay_mail },
	{ "mails", 3, replay_mails },
	{ "news", 2, do_news },
	{ "nomail", 1, replay_nomail },
	{ "quote", 2, replay_quote },
	{ "raw", 3, do_raw },
	{ "redeliver", 1, replay_redeliver },
	{ "reply", 2, replay_reply },
	{ "restart", 1, do_restart },
	{ "says", 2, do_says },
	{ "saysnot", 2, do_saysnot },
	{ "smarthost", 2, do_smarthost },
	{ "subscribers", 3, do_subscribers },
	{ "times", 3, do_times },
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
		for (; *at != '\0' && (quoted || (*at != ' ' && *at != '\t'));
		     at++) {
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

/* One line of a block, with what generates bulk. */
static void
block_line(struct buffer *block, const char *line)
{
	bool run = strncmp(line, "%run ", 5) == 0;
	unsigned long count = 1;
	char *text;

	if (!run && strncmp(line, "%repeat ", 8) != 0) {
		buffer_append_text(block, line);
		return;
	}
	count = strtoul(line + (run ? 5 : 8), &text, 10);
	text += *text == ' ';
	text[strcspn(text, "\n")] = '\0';
	for (unsigned long i = 0; i < count; i++)
		buffer_printf(block, "%s%s", text, run ? "" : "\n");
	if (run)
		buffer_append_text(block, "\n");
}

static void
step_run(struct replay *replay, const char *text, const char *block)
{
	struct step step = { .text = substitute(replay, text) };
	char *filled = substitute(replay, block);
	char *words = strdup(step.text);
	size_t i, count = sizeof steps / sizeof steps[0];

	buffer_init(&step.block, 0);
	for (char *at = filled; *at != '\0';) {
		size_t len = strcspn(at, "\n") + 1;
		char *line = strndup(at, len);

		block_line(&step.block, line);
		at += strlen(line);
		free(line);
	}
	step.raw_block = block;
	step.raw_text = text;
	step_split(replay, &step, words);
	step.rest = step.text + strcspn(step.text, " \t");
	step.rest += strspn(step.rest, " \t");
	for (i = 0; i < count; i++) {
		if (strcmp(steps[i].word, step.words[0]) == 0)
			break;
	}
	if (i == count || step.count < steps[i].words_min)
		FAIL(replay, "not a step: %s", step.text);
	steps[i].run(replay, &step);
	buffer_fini(&step.block);
	free(step.text);
	free(filled);
	free(words);
}

static void
do_times(struct replay *replay, struct step *step)
{
	unsigned long count = strtoul(step->words[1], NULL, 10);
	const char *inner = step->raw_text + strcspn(step->raw_text, " ") + 1;
	char number[24];

	inner += strcspn(inner, " ") + 1;
	for (unsigned long i = 1; i <= count; i++) {
		(void)snprintf(number, sizeof number, "%lu", i);
		keep(replay, "n", number);
		step_run(replay, inner, step->raw_block);
	}
}

/* Runs step after step; a line that begins with a tab belongs to the block. */
static void
replay_file(struct replay *replay, FILE *file)
{
	char *line = NULL, *text = NULL;
	struct buffer block;
	unsigned number = 0;
	size_t room = 0;
	ssize_t len;

	buffer_init(&block, 0);
	do {
		len = getline(&line, &room, file);
		number++;
		if (len > 0 && line[0] == '\t') {
			buffer_append_text(&block, line + 1);
			continue;
		}
		if (text != NULL)
			step_run(replay, text, buffer_text(&block));
		free(text);
		text = NULL;
		buffer_clear(&block);
		if (len > 0)
			line[strcspn(line, "\n")] = '\0';
		if (len > 0 && line[0] != '#' && line[0] != '\0') {
			text = strdup(line);
			replay->line = number;
		}
	} while (len > 0);
	free(line);
	buffer_fini(&block);
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
	/* A scenario that hangs or turns in a circle is a failure, not a wait;
	 * one on a machine that is busy with other things is neither. */
	(void)alarm(300);
	(void)setrlimit(RLIMIT_CPU,
	    &(struct rlimit){ .rlim_cur = 60, .rlim_max = 60 });
	buffer_init(&replay.said, 0);
	replay.world = world_new(folder);
	replay_file(&replay, file);
	(void)fclose(file);
	clients_end(&replay);
	world_free(&replay.world);
	for (size_t i = 0; i < GROUPS; i++)
		free(replay.groups[i]);
	for (size_t i = 0; i < replay.kept_count; i++) {
		free(replay.kept[i].name);
		free(replay.kept[i].text);
	}
	buffer_fini(&replay.said);
	(void)execlp("rm", "rm", "-rf", folder, (char *)NULL);
	return 1;
}
