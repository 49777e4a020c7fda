/* test_delivery.c - core's orders to send, and the Maildir that embedded use
 * writes.
 */
#include "build.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/mail/maildir.h"
#include "daemon/mail/maildir_transport.h"
#include "daemon/messages.h"
#include "tests/unit/mail_rig.h"

/* ---- a transport that only takes notes */

struct capture {
	struct mail_transport transport; /* first */
	unsigned chunks;
	unsigned flushes;
	bool unreachable;
	struct mail_chunk *held; /* with hold: not answered yet */
	bool hold;
	char body[256];
};

static void
capture_send(struct mail_transport *transport, struct mail_chunk *chunk)
{
	struct capture *capture = (void *)transport;
	size_t i;

	capture->chunks++;
	(void)snprintf(capture->body, sizeof capture->body, "%.*s%.*s",
	    (int)chunk->deliveries[0].head_len, chunk->deliveries[0].head,
	    SPAN_ARG(chunk->body->bytes));
	if (capture->hold) {
		capture->held = chunk;
		return;
	}
	if (capture->unreachable)
		mail_chunk_fail(chunk, "no route");
	for (i = 0; i < chunk->count && !capture->unreachable; i++)
		mail_delivery_answer(&chunk->deliveries[i],
		    span_starts(span_of(chunk->deliveries[i].recipient), "a")
			? 250
			: 550,
		    "2.0.0 noted");
	chunk->done(chunk->arg, chunk);
}

static void
capture_flush(struct mail_transport *transport)
{
	struct capture *capture = (void *)transport;

	capture->flushes++;
}

static void
capture_free(struct mail_transport *transport)
{
	struct capture *capture = (void *)transport;

	if (capture->held != NULL)
		capture->held->done(capture->held->arg, capture->held);
	capture->held = NULL;
}

static const struct mail_transport_methods capture_methods = { capture_send,
	capture_flush, capture_free };

/* ---- core's side */

struct answer {
	unsigned count;
	uint32_t status;
	char why[64];
	uint32_t codes[4];
	bool lost;
};

static void
answered_empty(void *arg, struct ipc_reader *fields)
{
	struct answer *answer = arg;

	answer->count++;
	answer->lost = fields == NULL;
}

static void
answered_send(void *arg, struct ipc_reader *fields)
{
	struct answer *answer = arg;
	struct span why;
	uint32_t count, i;

	answer->count++;
	answer->lost = fields == NULL;
	if (fields == NULL)
		return;
	answer->status = ipc_get_u32(fields);
	why = ipc_get_bytes(fields);
	(void)snprintf(answer->why, sizeof answer->why, "%.*s", SPAN_ARG(why));
	count = ipc_get_u32(fields);
	for (i = 0; i < count && i < 4; i++) {
		answer->codes[i] = ipc_get_u32(fields);
		(void)ipc_get_bytes(fields);
	}
	assert_false(ipc_reader_bad(fields));
}

static void
core_body(struct rig *rig, uint64_t id, const char *text)
{
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_BODY);
	struct answer answer = { 0 };

	ipc_put_u64(writer, id);
	ipc_put_payload(writer, span_of(text));
	assert_int_equal(ipc_call(rig->core, writer, IPC_BULK, 10,
			     answered_empty, &answer),
	    0);
	rig_settle(rig);
	assert_int_equal(answer.count, 1);
	assert_false(answer.lost);
}

static void
core_send(struct rig *rig, uint64_t id, struct answer *answer)
{
	static const char *const recipients[] = { "a@x", "b@x" };
	struct ipc_writer *writer = ipc_writer_new(MESSAGE_SEND);
	size_t i;

	memset(answer, 0, sizeof *answer);
	ipc_put_u64(writer, id);
	ipc_put_u32(writer, 2);
	for (i = 0; i < 2; i++) {
		ipc_put_text(writer, "v+b.t@lists.example");
		ipc_put_text(writer, recipients[i]);
		ipc_put_bytes(writer, span_of("X-A: b\r\n"));
	}
	assert_int_equal(ipc_call(rig->core, writer, IPC_BULK, 60,
			     answered_send, answer),
	    0);
	rig_settle(rig);
}

static void
a_chunk_is_answered_recipient_by_recipient(void **state)
{
	struct capture capture = { .transport.methods = &capture_methods };
	struct ipc_writer *writer;
	struct answer answer;
	struct rig rig;

	(void)state;
	rig_start(&rig, LISTEN_LMTP);
	mail_engine_set_transport(rig.engine, &capture.transport);
	core_body(&rig, 7, "Subject: x\r\n\r\ntext\r\n");
	core_send(&rig, 7, &answer);
	assert_int_equal(answer.count, 1);
	assert_int_equal(answer.status, 0);
	assert_int_equal(answer.codes[0], 250);
	assert_int_equal(answer.codes[1], 550);
	assert_string_equal(capture.body,
	    "X-A: b\r\nSubject: x\r\n\r\ntext\r\n");
	capture.unreachable = true;
	core_send(&rig, 7, &answer);
	assert_int_equal(answer.status, 1);
	assert_string_equal(answer.why, "no route");
	writer = ipc_writer_new(MESSAGE_BODY_FREE);
	ipc_put_u64(writer, 7);
	assert_int_equal(ipc_tell(rig.core, writer), 0);
	assert_int_equal(ipc_tell(rig.core, ipc_writer_new(MESSAGE_FLUSH)), 0);
	core_send(&rig, 7, &answer);
	assert_int_equal(answer.status, 1);
	assert_string_equal(answer.why, "the body is not known");
	assert_int_equal(capture.flushes, 1);
	assert_int_equal(capture.chunks, 2);
	rig_stop(&rig);
}

static void
a_body_lives_as_long_as_a_chunk_that_uses_it(void **state)
{
	struct capture capture = { .transport.methods = &capture_methods,
		.hold = true };
	struct answer answer;
	struct rig rig;

	(void)state;
	rig_start(&rig, LISTEN_LMTP);
	mail_engine_set_transport(rig.engine, &capture.transport);
	core_body(&rig, 7, "Subject: x\r\n\r\ntext\r\n");
	core_send(&rig, 7, &answer);
	rig_lose_core(&rig);
	assert_int_equal(answer.count, 1);
	assert_true(answer.lost);
	assert_int_equal(capture.held->body->references, 1);
	assert_true(span_starts(capture.held->body->bytes, "Subject: x"));
	rig_stop(&rig);
	assert_null(capture.held);
}

/* ---- Maildir */

struct folder {
	char path[64];
};

static void
folder_make(struct folder *folder)
{
	(void)snprintf(folder->path, sizeof folder->path,
	    "/tmp/kith-maildir-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
}

/* Files in a part of the folder; removes them, keeps the text of the last. */
static unsigned
folder_empty(const struct folder *folder, const char *part, char *text,
    size_t room)
{
	char path[512];
	struct dirent *entry;
	unsigned count = 0;
	size_t got;
	FILE *file;
	DIR *dir;

	(void)snprintf(path, sizeof path, "%s/%s", folder->path, part);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof path, "%s/%s/%s", folder->path,
		    part, entry->d_name);
		file = fopen(path, "r");
		assert_non_null(file);
		got = fread(text, 1, room - 1, file);
		text[got] = '\0';
		(void)fclose(file);
		assert_int_equal(unlink(path), 0);
		count++;
	}
	(void)closedir(dir);
	return count;
}

static void
folder_remove(struct folder *folder)
{
	static const char *const parts[] = { "cur", "new", "tmp" };
	char path[512], text[16];
	size_t i;

	for (i = 0; i < 3; i++) {
		(void)folder_empty(folder, parts[i], text, sizeof text);
		(void)snprintf(path, sizeof path, "%s/%s", folder->path,
		    parts[i]);
		assert_int_equal(rmdir(path), 0);
	}
	assert_int_equal(rmdir(folder->path), 0);
}

static void
mails_of_a_burst_appear_together_in_new(void **state)
{
	int errors[MAILDIR_BURST], error, i;
	struct maildir *maildir;
	struct folder folder;
	char text[256];

	(void)state;
	folder_make(&folder);
	maildir = maildir_open(folder.path, "mx/example", &error);
	assert_non_null(maildir);
	for (i = 0; i < (int)MAILDIR_BURST; i++)
		assert_int_equal(maildir_write(maildir, span_of("v@x\nEvil: y"),
				     span_of("a@x"),
				     span_of("Subject: x\n\ntext\n")),
		    i);
	assert_int_equal(maildir_write(maildir, span_of(""), span_of("a@x"),
			     span_of("")),
	    -EAGAIN);
	assert_int_equal(folder_empty(&folder, "new", text, sizeof text), 0);
	assert_int_equal(maildir_commit(maildir, errors), MAILDIR_BURST);
	assert_int_equal(errors[0], 0);
	assert_int_equal(folder_empty(&folder, "new", text, sizeof text),
	    MAILDIR_BURST);
	assert_string_equal(text,
	    "Return-Path: <v@xEvil: y>\nDelivered-To: a@x\n"
	    "Subject: x\n\ntext\n");
	assert_int_equal(maildir_write(maildir, span_of(""), span_of("a@x"),
			     span_of("")),
	    0);
	maildir_close(&maildir);
	assert_int_equal(folder_empty(&folder, "tmp", text, sizeof text), 0);
	folder_remove(&folder);
}

static void
a_folder_that_cannot_be_made_is_named(void **state)
{
	int error = 0;

	(void)state;
	assert_null(maildir_open("/proc/none/maildir", "mx", &error));
	assert_int_equal(error, ENOENT);
}

static void
writer_request(void *arg, struct ipc *ipc, uint16_t type, uint32_t request,
    struct ipc_reader *fields)
{
	struct ipc_writer *writer = ipc_writer_new(type);
	struct buffer *seen = arg;
	struct span recipient;

	(void)ipc_get_bytes(fields);
	recipient = ipc_get_bytes(fields);
	buffer_append_span(seen, ipc_get_payload(fields));
	ipc_put_u32(writer, span_starts(recipient, "a") ? 0 : ENOSPC);
	(void)ipc_answer(ipc, request, writer);
}

static const struct ipc_handler writer_handler = { writer_request, NULL };

static void
the_maildir_gets_lines_as_files_have_them(void **state)
{
	struct mail_transport *maildir;
	struct answer answer;
	struct buffer seen;
	struct ipc *writer;
	struct rig rig;
	int fds[2];

	(void)state;
	rig_start(&rig, LISTEN_LMTP);
	buffer_init(&seen, 0);
	maildir = maildir_transport_new(rig.loop);
	mail_engine_set_transport(rig.engine, maildir);
	core_body(&rig, 7, "Subject: x\r\n\r\n..dot\r\n");
	core_send(&rig, 7, &answer);
	assert_int_equal(answer.count, 0); /* waits for the writer */
	assert_int_equal(ipc_pair(fds), 0);
	writer = ipc_new(loop_base(rig.loop), fds[0], &writer_handler, &seen);
	assert_int_equal(maildir_transport_connect(maildir, fds[1]), 0);
	rig_settle(&rig);
	assert_int_equal(answer.count, 1);
	assert_int_equal(answer.codes[0], 250);
	assert_int_equal(answer.codes[1], 452);
	assert_string_equal(buffer_text(&seen),
	    "X-A: b\nSubject: x\n\n.dot\nX-A: b\nSubject: x\n\n.dot\n");
	rig_stop(&rig);
	ipc_free(&writer);
	buffer_fini(&seen);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chunk_is_answered_recipient_by_recipient),
		cmocka_unit_test(a_body_lives_as_long_as_a_chunk_that_uses_it),
		cmocka_unit_test(mails_of_a_burst_appear_together_in_new),
		cmocka_unit_test(a_folder_that_cannot_be_made_is_named),
		cmocka_unit_test(the_maildir_gets_lines_as_files_have_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
