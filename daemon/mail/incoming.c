/* incoming.c - from the final dot to core's answer.
 */
#include "build.h"

#include "daemon/mail/incoming.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "daemon/log.h"
#include "daemon/messages.h"
#include "protocol/dot.h"

enum incoming_state {
	INCOMING_PARSE_WAIT, /* for the worker */
	INCOMING_PARSING,
	INCOMING_COUNT_WAIT, /* to tell core that the parse failed */
	INCOMING_COUNTING,
	INCOMING_INTAKE_WAIT,
	INCOMING_INTAKE,
	INCOMING_DONE,
};

struct incoming {
	TAILQ_ENTRY(incoming) entry;
	struct mail_engine *engine;
	enum incoming_state state;
	uint64_t since; /* engine_seconds() at the last move */
	char *sender;
	char **recipients;
	size_t count;
	char *client;
	const char *protocol;
	char *raw;
	size_t raw_len;
	char *summary;
	size_t summary_len;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len;
	bool abandoned;
	incoming_done done;
	void *arg;
};

static void incoming_step(struct incoming *incoming);

static void
incoming_enter(struct incoming *incoming, enum incoming_state state)
{
	incoming->state = state;
	incoming->since = engine_seconds();
}

static void
incoming_free(struct incoming *incoming)
{
	size_t i;

	if (incoming->engine->parsing == incoming)
		incoming->engine->parsing = NULL;
	incoming->engine->data_bytes -= incoming->raw_len;
	TAILQ_REMOVE(&incoming->engine->incoming, incoming, entry);
	for (i = 0; i < incoming->count; i++)
		free(incoming->recipients[i]);
	free(incoming->recipients);
	free(incoming->sender);
	free(incoming->client);
	free(incoming->raw);
	free(incoming->summary);
	free(incoming);
}

static void
incoming_finish(struct incoming *incoming, const unsigned *codes,
    const char *const *texts)
{
	incoming_enter(incoming, INCOMING_DONE);
	if (!incoming->abandoned)
		incoming->done(incoming->arg, codes, texts, incoming->count);
	incoming_free(incoming);
}

/* The same answer for every recipient. */
static void
incoming_answer(struct incoming *incoming, unsigned code, const char *text)
{
	unsigned *codes = calloc(incoming->count + 1, sizeof *codes);
	const char **texts = calloc(incoming->count + 1, sizeof *texts);
	size_t i;

	for (i = 0; codes != NULL && texts != NULL && i < incoming->count;
	     i++) {
		codes[i] = code;
		texts[i] = text;
	}
	if (codes == NULL || texts == NULL) {
		/* no words left: the session closes, the sender tries again */
		incoming->count = 0;
	}
	incoming_finish(incoming, codes, texts);
	free(codes);
	free(texts);
}

static void
incoming_away(struct incoming *incoming)
{
	incoming_answer(incoming, 451,
	    "4.3.0 The message store is not available, try again");
}

/* ---- parse */

static void
parse_failed(struct incoming *incoming, bool hangs)
{
	struct mail_engine *engine = incoming->engine;
	char text[LOG_TEXT_ROOM];

	log_warning("parse %s from=\"%s\" size=%zu",
	    hangs ? "hangs" : "crashed",
	    log_text(text, sizeof text, incoming->sender,
		strlen(incoming->sender)),
	    incoming->raw_len);
	if (hangs && engine->kill_parse != NULL)
		engine->kill_parse(engine->kill_arg);
	incoming_enter(incoming, INCOMING_COUNT_WAIT);
}

static void
parse_answered(void *arg, struct ipc_reader *fields)
{
	struct incoming *incoming = arg;
	struct mail_engine *engine = incoming->engine;
	struct span summary;

	engine->parsing = NULL;
	if (fields == NULL) {
		parse_failed(incoming,
		    engine_seconds() - incoming->since + 1 >=
			ENGINE_PARSE_SECONDS);
		engine_kick(engine);
		return;
	}
	summary = ipc_get_payload(fields);
	if (ipc_reader_bad(fields))
		summary.len = 0;
	/* empty: nested too deep to be looked at; core holds it */
	if (summary.len > 0) {
		incoming->summary = malloc(summary.len);
		if (incoming->summary != NULL) {
			memcpy(incoming->summary, summary.bytes, summary.len);
			incoming->summary_len = summary.len;
		}
	}
	if (incoming->abandoned) {
		incoming_free(incoming);
	} else if (summary.len > 0 && incoming->summary == NULL) {
		incoming_away(incoming);
	} else {
		incoming_enter(incoming, INCOMING_INTAKE_WAIT);
		incoming_step(incoming);
	}
	engine_kick(engine);
}

/* One at a time: a crash or a hang is then this mail's own. */
static void
parse_begin(struct incoming *incoming)
{
	struct mail_engine *engine = incoming->engine;
	struct ipc *parse = engine_parse(engine);
	struct ipc_writer *writer;
	struct buffer plain;

	if (parse == NULL || engine->parsing != NULL ||
	    !ipc_has_credit(parse, IPC_INTAKE))
		return;
	buffer_init(&plain, 0);
	dot_unstuff(&plain, span_make(incoming->raw, incoming->raw_len));
	if (buffer_failed(&plain)) {
		buffer_fini(&plain);
		incoming_away(incoming);
		return;
	}
	writer = ipc_writer_new(MESSAGE_PARSE);
	ipc_put_payload(writer, buffer_span(&plain));
	ipc_put_text(writer, incoming->sender);
	ipc_put_text(writer, engine->config->authserv_id);
	ipc_put_text(writer, engine->config->domain);
	ipc_put_u32(writer, 0);
	buffer_fini(&plain);
	incoming_enter(incoming, INCOMING_PARSING);
	engine->parsing = incoming;
	if (ipc_call(parse, writer, IPC_INTAKE, ENGINE_PARSE_SECONDS,
		parse_answered, incoming) < 0) {
		engine->parsing = NULL;
		incoming_away(incoming);
	}
}

/* ---- a parse that failed */

static void
count_answered(void *arg, struct ipc_reader *fields)
{
	struct incoming *incoming = arg;
	uint32_t count = fields == NULL ? 0 : ipc_get_u32(fields);

	if (fields != NULL && ipc_reader_bad(fields))
		count = 0;
	if (incoming->abandoned) {
		incoming_free(incoming);
	} else if (count < 2) {
		incoming_answer(incoming, 451,
		    "4.3.0 The message could not be parsed, try again");
	} else {
		incoming_enter(incoming, INCOMING_INTAKE_WAIT);
		incoming_step(incoming);
	}
}

static void
count_begin(struct incoming *incoming)
{
	struct ipc *core = engine_core(incoming->engine);
	struct ipc_writer *writer;

	if (core == NULL) {
		incoming_away(incoming);
		return;
	}
	if (!ipc_has_credit(core, IPC_INTAKE))
		return;
	writer = ipc_writer_new(MESSAGE_PARSE_FAILED);
	ipc_put_bytes(writer,
	    span_make((const char *)(const void *)incoming->digest,
		incoming->digest_len));
	incoming_enter(incoming, INCOMING_COUNTING);
	if (ipc_call(core, writer, IPC_INTAKE, ENGINE_RECIPIENT_SECONDS,
		count_answered, incoming) < 0)
		incoming_away(incoming);
}

/* ---- intake */

/* Reads core's answer. False: not one for this mail. */
static bool
intake_read(struct incoming *incoming, struct ipc_reader *fields,
    unsigned *codes, char **texts)
{
	size_t i;

	if (ipc_get_u32(fields) != incoming->count)
		return false;
	for (i = 0; i < incoming->count; i++) {
		codes[i] = ipc_get_u32(fields);
		texts[i] = engine_reply_text(ipc_get_bytes(fields));
		if (texts[i] == NULL || codes[i] < 200 || codes[i] > 599)
			return false;
	}
	return !ipc_reader_bad(fields);
}

static void
intake_answered(void *arg, struct ipc_reader *fields)
{
	struct incoming *incoming = arg;
	size_t count = incoming->count, i;
	unsigned *codes = calloc(count + 1, sizeof *codes);
	char **texts = calloc(count + 1, sizeof *texts);
	const char **borrowed = calloc(count + 1, sizeof *borrowed);

	if (codes != NULL && texts != NULL && borrowed != NULL &&
	    fields != NULL && intake_read(incoming, fields, codes, texts)) {
		for (i = 0; i < count; i++)
			borrowed[i] = texts[i];
		incoming_finish(incoming, codes, borrowed);
	} else {
		incoming_away(incoming);
	}
	for (i = 0; texts != NULL && i < count; i++)
		free(texts[i]);
	free(codes);
	free(texts);
	free(borrowed);
}

static void
intake_begin(struct incoming *incoming)
{
	struct ipc *core = engine_core(incoming->engine);
	struct ipc_writer *writer;
	size_t i;

	if (core == NULL) {
		incoming_away(incoming);
		return;
	}
	if (!ipc_has_credit(core, IPC_INTAKE))
		return;
	writer = ipc_writer_new(MESSAGE_INTAKE);
	ipc_put_text(writer, incoming->sender);
	ipc_put_text(writer, incoming->client);
	ipc_put_text(writer, incoming->protocol);
	ipc_put_u32(writer, (uint32_t)incoming->count);
	for (i = 0; i < incoming->count; i++)
		ipc_put_text(writer, incoming->recipients[i]);
	ipc_put_bytes(writer,
	    span_make((const char *)(const void *)incoming->digest,
		incoming->digest_len));
	ipc_put_payload(writer, span_make(incoming->raw, incoming->raw_len));
	ipc_put_payload(writer,
	    span_make(incoming->summary, incoming->summary_len));
	incoming_enter(incoming, INCOMING_INTAKE);
	if (ipc_call(core, writer, IPC_INTAKE, ENGINE_INTAKE_SECONDS,
		intake_answered, incoming) < 0)
		incoming_away(incoming);
}

/* Does what can be done now. May free the mail. */
static void
incoming_step(struct incoming *incoming)
{
	if (incoming->state == INCOMING_PARSE_WAIT)
		parse_begin(incoming);
	else if (incoming->state == INCOMING_COUNT_WAIT)
		count_begin(incoming);
	else if (incoming->state == INCOMING_INTAKE_WAIT)
		intake_begin(incoming);
}

static bool
incoming_waits(const struct incoming *incoming)
{
	return incoming->state == INCOMING_PARSE_WAIT ||
	    incoming->state == INCOMING_COUNT_WAIT ||
	    incoming->state == INCOMING_INTAKE_WAIT;
}

void
incoming_go_on(struct mail_engine *engine)
{
	struct incoming *incoming, *next;

	/* a step frees at most its own mail: sessions that are told do not
	 * begin another before the loop's next turn */
	for (incoming = TAILQ_FIRST(&engine->incoming); incoming != NULL;
	     incoming = next) {
		next = TAILQ_NEXT(incoming, entry);
		incoming_step(incoming);
	}
}

void
incoming_tick(struct mail_engine *engine)
{
	struct incoming *incoming, *next;
	uint64_t now = engine_seconds();

	for (incoming = TAILQ_FIRST(&engine->incoming); incoming != NULL;
	     incoming = next) {
		next = TAILQ_NEXT(incoming, entry);
		if (incoming_waits(incoming) &&
		    now - incoming->since > ENGINE_PARSE_WAIT)
			incoming_away(incoming);
		else
			incoming_step(incoming);
	}
}

void
incoming_drop_all(struct mail_engine *engine)
{
	struct incoming *incoming;

	while ((incoming = TAILQ_FIRST(&engine->incoming)) != NULL)
		incoming_free(incoming);
}

void
incoming_abandon(struct incoming *incoming)
{
	incoming->abandoned = true;
	if (incoming->state == INCOMING_PARSE_WAIT ||
	    incoming->state == INCOMING_INTAKE_WAIT)
		incoming_free(incoming);
}

struct incoming *
incoming_begin(struct mail_engine *engine, struct incoming_envelope *envelope,
    struct buffer *raw, incoming_done done, void *arg)
{
	struct incoming *incoming = calloc(1, sizeof *incoming);
	struct span bytes = buffer_span(raw);

	if (incoming == NULL)
		return NULL;
	incoming->engine = engine;
	incoming->client = strdup(envelope->client);
	if (incoming->client == NULL ||
	    EVP_Digest(bytes.bytes, bytes.len, incoming->digest,
		&incoming->digest_len, EVP_sha256(), NULL) != 1 ||
	    (incoming->raw = buffer_take(raw, &incoming->raw_len)) == NULL) {
		free(incoming->client);
		free(incoming);
		return NULL;
	}
	incoming->sender = envelope->sender;
	incoming->recipients = envelope->recipients;
	incoming->count = envelope->count;
	envelope->sender = NULL;
	envelope->recipients = NULL;
	envelope->count = 0;
	incoming->protocol = envelope->protocol;
	incoming->done = done;
	incoming->arg = arg;
	TAILQ_INSERT_TAIL(&engine->incoming, incoming, entry);
	engine->data_bytes += incoming->raw_len;
	incoming_enter(incoming, INCOMING_PARSE_WAIT);
	engine_kick(engine);
	return incoming;
}
