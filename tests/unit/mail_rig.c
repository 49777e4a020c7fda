/* mail_rig.c - see mail_rig.h.
 */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/messages.h"
#include "tests/unit/mail_rig.h"

/* ---- core */

static void
answer_code(struct ipc_writer *writer, unsigned code, const char *text)
{
	ipc_put_u32(writer, code);
	ipc_put_text(writer, text);
}

static void
core_recipient(struct rig *rig, struct ipc *ipc, uint32_t request,
    struct ipc_reader *fields)
{
	struct span sender = ipc_get_bytes(fields);
	struct span recipient = ipc_get_bytes(fields);
	struct ipc_writer *writer;

	(void)sender;
	if (span_starts(recipient, "late@")) {
		rig->late_request = request;
		return;
	}
	writer = ipc_writer_new(MESSAGE_RECIPIENT);
	if (span_starts(recipient, "nobody@"))
		answer_code(writer, 550, "5.1.1 No such address");
	else
		answer_code(writer, 250, "2.1.5 OK");
	(void)ipc_answer(ipc, request, writer);
}

static void
core_intake(struct rig *rig, struct ipc *ipc, uint32_t request,
    struct ipc_reader *fields)
{
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_INTAKE);
	struct span raw;
	uint32_t count, i;

	(void)ipc_get_bytes(fields);
	(void)ipc_get_bytes(fields);
	(void)ipc_get_bytes(fields);
	count = ipc_get_u32(fields);
	ipc_put_u32(writer, count);
	for (i = 0; i < count; i++) {
		struct span recipient = ipc_get_bytes(fields);

		if (span_starts(recipient, "full@"))
			answer_code(writer, 452, "4.3.1 No room");
		else if (span_starts(recipient, "closed@"))
			answer_code(writer, 550, "5.7.1 Closed");
		else
			answer_code(writer, 250, "2.0.0 Stored");
	}
	assert_int_equal(ipc_get_bytes(fields).len, 32);
	raw = ipc_get_payload(fields);
	free(rig->raw);
	rig->raw = strndup(raw.bytes, raw.len);
	rig->summary_len = ipc_get_payload(fields).len;
	assert_false(ipc_reader_bad(fields));
	rig->intakes++;
	(void)ipc_answer(ipc, request, writer);
}

static void
core_request(void *arg, struct ipc *ipc, uint16_t type, uint32_t request,
    struct ipc_reader *fields)
{
	struct rig *rig = arg;
	struct ipc_writer *writer;

	switch ((int)type) {
	case MESSAGE_RECIPIENT:
		core_recipient(rig, ipc, request, fields);
		break;
	case MESSAGE_INTAKE:
		core_intake(rig, ipc, request, fields);
		break;
	case MESSAGE_PARSE_FAILED:
		writer = ipc_writer_new(MESSAGE_PARSE_FAILED);
		ipc_put_u32(writer, ++rig->parse_failures);
		(void)ipc_answer(ipc, request, writer);
		break;
	default:
		fail();
	}
}

static void
parse_request(void *arg, struct ipc *ipc, uint16_t type, uint32_t request,
    struct ipc_reader *fields)
{
	struct rig *rig = arg;
	struct ipc_writer *writer;
	struct span plain = ipc_get_payload(fields);

	assert_int_equal(type, MESSAGE_PARSE);
	rig->parsed++;
	free(rig->plain);
	rig->plain = strndup(plain.bytes, plain.len);
	if (rig->parse_crashes) {
		rig->parse_crashed = true;
		return;
	}
	writer = ipc_writer_new(MESSAGE_PARSE);
	ipc_put_payload(writer, span_of(rig->parse_empty ? "" : "summary"));
	(void)ipc_answer(ipc, request, writer);
}

static void
channel_closed(void *arg, struct ipc *ipc)
{
	(void)arg;
	(void)ipc;
}

static const struct ipc_handler core_handler = { core_request, channel_closed };
static const struct ipc_handler parse_handler = { parse_request,
	channel_closed };

/* ---- the rig */

void
rig_settle(struct rig *rig)
{
	unsigned quiet = 0;

	while (quiet < 3) {
		quiet = loop_turn(rig->loop) ? 0 : quiet + 1;
		if (!rig->parse_crashed)
			continue;
		rig->parse_crashed = false;
		ipc_free(&rig->parse);
		quiet = 0;
	}
}

void
rig_restart_parse(struct rig *rig)
{
	int fds[2];

	ipc_free(&rig->parse);
	assert_int_equal(ipc_pair(fds), 0);
	rig->parse = ipc_new(loop_base(rig->loop), fds[0], &parse_handler, rig);
	assert_int_equal(mail_engine_connect_parse(rig->engine, fds[1]), 0);
	rig_settle(rig);
}

void
rig_lose_core(struct rig *rig)
{
	ipc_free(&rig->core);
	rig_settle(rig);
}

void
rig_late(struct rig *rig)
{
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_RECIPIENT);

	answer_code(writer, 250, "2.1.5 OK, late");
	(void)ipc_answer(rig->core, rig->late_request, writer);
	rig_settle(rig);
}

void
rig_start(struct rig *rig, enum listen_protocol protocol)
{
	static char domain[] = "lists.example", hostname[] = "mx.example",
		    none[] = "";
	struct stream *server;
	int fds[2];

	memset(rig, 0, sizeof *rig);
	rig->config.domain = domain;
	rig->config.hostname = hostname;
	rig->config.authserv_id = none;
	rig->config.mail_size = 100000;
	rig->config.connections_per_address = 100;
	rig->loop = loop_new();
	rig->engine = mail_engine_new(rig->loop, &rig->config);
	assert_non_null(rig->engine);
	assert_int_equal(ipc_pair(fds), 0);
	rig->core = ipc_new(loop_base(rig->loop), fds[0], &core_handler, rig);
	assert_int_equal(mail_engine_connect_core(rig->engine, fds[1]), 0);
	rig_restart_parse(rig);
	server = client_connect(&rig->client, rig->loop);
	assert_int_equal(mail_engine_accept_stream(rig->engine, server,
			     protocol),
	    0);
	rig_settle(rig);
}

void
rig_stop(struct rig *rig)
{
	client_close(&rig->client);
	mail_engine_free(&rig->engine);
	ipc_free(&rig->core);
	ipc_free(&rig->parse);
	loop_free(&rig->loop);
	free(rig->raw);
	free(rig->plain);
}

void
rig_say(struct rig *rig, const char *text)
{
	assert_non_null(rig->client.stream);
	client_send(&rig->client, text);
	stream_flush(rig->client.stream);
	rig_settle(rig);
}

void
rig_expect(struct rig *rig, const char *text)
{
	assert_string_equal(buffer_text(&rig->client.text), text);
	buffer_clear(&rig->client.text);
}
