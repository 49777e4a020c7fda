/* test_ipc.c - frames between processes: fields, descriptors, payloads,
 * answers, credits, deadlines, and what malformed ones get.
 */
#include "build.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/ipc.h"
#include "daemon/loop.h"

struct fixture {
	struct loop *loop;
	struct ipc *a, *b;
	int raw; /* instead of a */
	/* b as server */
	uint32_t requests[512];
	unsigned request_count;
	struct ipc_reader *kept;
	bool answers;
	/* both */
	unsigned closed;
	/* a as client */
	unsigned answered, failed;
	uint32_t number;
	unsigned credit;
};

static void
on_request(void *arg, struct ipc *ipc, uint16_t type, uint32_t request,
    struct ipc_reader *fields)
{
	struct fixture *f = arg;
	struct ipc_writer *writer;

	f->requests[f->request_count++] = request;
	if (f->kept == NULL)
		f->kept = ipc_reader_keep(fields);
	if (!f->answers)
		return;
	writer = ipc_writer_new(type);
	ipc_put_u32(writer, ipc_get_u32(fields) + 1);
	assert_int_equal(0, ipc_answer(ipc, request, writer));
}

static void
on_closed(void *arg, struct ipc *ipc)
{
	struct fixture *f = arg;

	(void)ipc;
	f->closed++;
}

static void
on_answered(void *arg, struct ipc_reader *fields)
{
	struct fixture *f = arg;

	if (fields == NULL) {
		f->failed++;
		return;
	}
	f->answered++;
	f->number = ipc_get_u32(fields);
	assert_false(ipc_reader_bad(fields));
}

static void
on_credit(void *arg, enum ipc_class class)
{
	struct fixture *f = arg;

	assert_int_equal(IPC_BULK, class);
	f->credit++;
}

static const struct ipc_handler handler = { on_request, on_closed };

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fds[2];

	f->loop = loop_new();
	f->raw = -1;
	assert_int_equal(0, ipc_pair(fds));
	f->a = ipc_new(loop_base(f->loop), fds[0], &handler, f);
	f->b = ipc_new(loop_base(f->loop), fds[1], &handler, f);
	*state = f;
	return 0;
}

/* b's peer is a raw descriptor that says anything. */
static int
setup_raw(void **state)
{
	struct fixture *f;
	int fds[2];

	setup(state);
	f = *state;
	ipc_free(&f->a);
	ipc_free(&f->b);
	assert_int_equal(0, ipc_pair(fds));
	f->raw = fds[0];
	f->b = ipc_new(loop_base(f->loop), fds[1], &handler, f);
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	ipc_reader_release(&f->kept);
	ipc_free(&f->a);
	ipc_free(&f->b);
	if (f->raw >= 0)
		(void)close(f->raw);
	loop_free(&f->loop);
	free(f);
	return 0;
}

static void
run(struct fixture *f)
{
	unsigned quiet = 0;

	while (quiet < 3)
		quiet = loop_turn(f->loop) ? 0 : quiet + 1;
}

static void
fields_arrive_as_they_were_put(void **state)
{
	struct fixture *f = *state;
	struct ipc_writer *writer = ipc_writer_new(40);
	char *large = malloc(300000);
	struct span span;
	int pipes[2], fd;

	memset(large, 'L', 300000);
	assert_int_equal(0, pipe(pipes));
	ipc_put_u32(writer, 7);
	ipc_put_u64(writer, UINT64_C(0x1122334455667788));
	ipc_put_text(writer, "text");
	ipc_put_fd(writer, pipes[1]);
	ipc_put_payload(writer, span_of("small"));
	ipc_put_payload(writer, span_make(large, 300000));
	ipc_put_bytes(writer, span_make("\0x", 2));
	assert_int_equal(0, ipc_tell(f->a, writer));
	run(f);
	assert_int_equal(1, f->request_count);
	assert_int_equal(0, f->requests[0]);
	assert_int_equal(7, ipc_get_u32(f->kept));
	assert_true(ipc_get_u64(f->kept) == UINT64_C(0x1122334455667788));
	assert_true(span_is(ipc_get_bytes(f->kept), "text"));
	fd = ipc_get_fd(f->kept);
	assert_int_equal(1, write(fd, "!", 1));
	assert_true(span_is(ipc_get_payload(f->kept), "small"));
	span = ipc_get_payload(f->kept);
	assert_int_equal(300000, span.len);
	assert_memory_equal(large, span.bytes, span.len);
	span = ipc_get_bytes(f->kept);
	assert_int_equal(2, span.len);
	assert_true(ipc_reader_at_end(f->kept));
	assert_false(ipc_reader_bad(f->kept));
	assert_int_equal(0, ipc_get_u32(f->kept));
	assert_true(ipc_reader_bad(f->kept));
	(void)close(fd);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	free(large);
}

static struct ipc_writer *
number_writer(uint32_t number)
{
	struct ipc_writer *writer = ipc_writer_new(50);

	ipc_put_u32(writer, number);
	return writer;
}

static void
a_request_gets_its_answer(void **state)
{
	struct fixture *f = *state;

	f->answers = true;
	assert_int_equal(0,
	    ipc_call(f->a, number_writer(41), IPC_CONTROL, 5, on_answered, f));
	run(f);
	assert_int_equal(1, f->answered);
	assert_int_equal(42, f->number);
	/* nobody waits for it any more */
	assert_int_equal(-ENOENT,
	    ipc_answer(f->b, f->requests[0], number_writer(1)));
}

static void
on_nothing(void *arg, struct ipc_reader *fields)
{
	struct fixture *f = arg;

	assert_non_null(fields);
	(void)ipc_get_u32(fields);
	assert_true(ipc_reader_bad(fields));
	f->failed++;
}

static void
a_request_that_cannot_be_answered_gives_its_credit_back(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 400; i++) {
		assert_int_equal(0,
		    ipc_call(f->a, ipc_writer_new(7), IPC_INTAKE, 10,
			on_nothing, f));
		f->request_count = 0;
		run(f);
		assert_int_equal(1, f->request_count);
		assert_int_equal(0, ipc_answer(f->b, f->requests[0], NULL));
		run(f);
	}
	assert_int_equal(400, f->failed);
	assert_int_equal(0, f->closed);
}

static void
a_class_without_credit_must_wait_and_others_need_not(void **state)
{
	struct fixture *f = *state;
	unsigned sent = 0;

	ipc_set_credit_cb(f->a, on_credit, f);
	while (ipc_has_credit(f->a, IPC_BULK)) {
		assert_int_equal(0,
		    ipc_call(f->a, number_writer(sent), IPC_BULK, 0,
			on_answered, f));
		sent++;
	}
	assert_int_equal(-EAGAIN,
	    ipc_call(f->a, number_writer(0), IPC_BULK, 0, on_answered, f));
	assert_int_equal(0,
	    ipc_call(f->a, number_writer(0), IPC_CONTROL, 0, on_answered, f));
	run(f);
	assert_int_equal(sent + 1, f->request_count);
	assert_int_equal(0, ipc_answer(f->b, f->requests[3], number_writer(9)));
	run(f);
	assert_int_equal(1, f->answered);
	assert_int_equal(1, f->credit);
	assert_true(ipc_has_credit(f->a, IPC_BULK));
}

static void
open_requests_are_answered_with_nothing_when_the_peer_dies(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(0,
	    ipc_call(f->a, number_writer(1), IPC_INTAKE, 60, on_answered, f));
	run(f);
	ipc_free(&f->b);
	run(f);
	assert_int_equal(1, f->failed);
	assert_int_equal(1, f->closed);
	assert_int_equal(-ENOTCONN,
	    ipc_call(f->a, number_writer(1), IPC_INTAKE, 60, on_answered, f));
}

static void
more_than_the_socket_takes_is_sent_later_in_order(void **state)
{
	struct fixture *f = *state;
	char block[40000];
	unsigned i;

	memset(block, 'b', sizeof(block));
	for (i = 0; i < 100; i++) {
		struct ipc_writer *writer = ipc_writer_new(60);

		ipc_put_bytes(writer, span_make(block, sizeof(block)));
		assert_int_equal(0, ipc_tell(f->a, writer));
	}
	run(f);
	assert_int_equal(100, f->request_count);
}

static void
a_frame_that_is_too_large_is_not_sent(void **state)
{
	struct fixture *f = *state;
	struct ipc_writer *writer = ipc_writer_new(60);
	char *block = calloc(1, IPC_FRAME_MAX);

	ipc_put_bytes(writer, span_make(block, IPC_FRAME_MAX));
	assert_int_equal(-EMSGSIZE, ipc_tell(f->a, writer));
	run(f);
	assert_int_equal(0, f->request_count);
	free(block);
}

static void
a_malformed_frame_ends_the_channel(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(14,
	    send(f->raw, "\x0f\0\0\0\1\0\1\0\0\0\0\0ab", 14, 0));
	run(f);
	assert_int_equal(0, f->request_count);
	assert_int_equal(1, f->closed);
}

static void
the_same_request_number_twice_ends_the_channel(void **state)
{
	struct fixture *f = *state;
	unsigned i;

	for (i = 0; i < 2; i++)
		assert_int_equal(12,
		    send(f->raw, "\x0c\0\0\0\1\0\1\0\1\0\0\0", 12, 0));
	run(f);
	assert_int_equal(1, f->request_count);
	assert_int_equal(1, f->closed);
}

static void
a_field_that_claims_more_than_there_is_reads_as_bad(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(17,
	    send(f->raw, "\x11\0\0\0\1\0\1\0\0\0\0\0\3\xff\xff\xff\xff", 17,
		0));
	run(f);
	assert_int_equal(1, f->request_count);
	assert_int_equal(0, ipc_get_bytes(f->kept).len);
	assert_true(ipc_reader_bad(f->kept));
}

static void
a_payload_that_is_not_sealed_is_not_mapped(void **state)
{
	struct fixture *f = *state;
	static char frame[] = "\x15\0\0\0\1\0\1\0\0\0\0\0\6\4\0\0\0\0\0\0\0";
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET,
			  SCM_RIGHTS } };
	struct iovec bytes = { frame, 21 };
	struct msghdr message = { .msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };

	assert_int_equal(4, write(fd, "evil", 4));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	assert_int_equal(21, sendmsg(f->raw, &message, 0));
	run(f);
	assert_int_equal(1, f->request_count);
	assert_int_equal(0, ipc_get_payload(f->kept).len);
	assert_true(ipc_reader_bad(f->kept));
	(void)close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_RAW(name) \
 cmocka_unit_test_setup_teardown(name, setup_raw, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fields_arrive_as_they_were_put),
		TEST(a_request_gets_its_answer),
		TEST(a_request_that_cannot_be_answered_gives_its_credit_back),
		TEST(a_class_without_credit_must_wait_and_others_need_not),
		TEST(
		    open_requests_are_answered_with_nothing_when_the_peer_dies),
		TEST(more_than_the_socket_takes_is_sent_later_in_order),
		TEST(a_frame_that_is_too_large_is_not_sent),
		TEST_RAW(a_malformed_frame_ends_the_channel),
		TEST_RAW(the_same_request_number_twice_ends_the_channel),
		TEST_RAW(a_field_that_claims_more_than_there_is_reads_as_bad),
		TEST_RAW(a_payload_that_is_not_sealed_is_not_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
