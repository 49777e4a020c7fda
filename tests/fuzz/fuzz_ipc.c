/* fuzz_ipc.c - frames from a peer that went bad: { length u16, frame } ... over
 * a real channel, every kind of field read from each.
 */
#include "build.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/ipc.h"
#include "daemon/loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_request(void *arg, struct ipc *ipc, uint16_t type, uint32_t request,
    struct ipc_reader *fields)
{
	int fd;

	(void)arg;
	while (!ipc_reader_bad(fields) && !ipc_reader_at_end(fields)) {
		switch (type++ % 5) {
		case 0:
			(void)ipc_get_u32(fields);
			break;
		case 1:
			(void)ipc_get_u64(fields);
			break;
		case 2:
			(void)ipc_get_bytes(fields);
			break;
		case 3:
			(void)ipc_get_payload(fields);
			break;
		default:
			fd = ipc_get_fd(fields);
			if (fd >= 0)
				(void)close(fd);
		}
	}
	if (request % 2 == 1)
		(void)ipc_answer(ipc, request, ipc_writer_new(1));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ipc_handler handler = { on_request, NULL };
	struct loop *loop = loop_new();
	struct ipc *ipc;
	int fds[2];

	if (loop == NULL || ipc_pair(fds) != 0)
		abort();
	ipc = ipc_new(loop_base(loop), fds[1], &handler, NULL);
	if (ipc == NULL)
		abort();
	while (size > 2) {
		size_t len = (size_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		(void)!send(fds[0], data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		data += len;
		size -= len;
		(void)loop_turn(loop);
	}
	(void)close(fds[0]);
	(void)loop_turn(loop);
	ipc_free(&ipc);
	loop_free(&loop);
	return 0;
}
