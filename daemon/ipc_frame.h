/* ipc_frame.h - one frame of ipc.h: how fields are laid out, read and bounded;
 * for ipc*.c only.
 *
 * A frame is one message of a SOCK_SEQPACKET pair: header of 12 bytes, little
 * endian, then fields { tag u8, ... }.
 */
#ifndef KITH_DAEMON_IPC_FRAME_H
#define KITH_DAEMON_IPC_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/ipc.h"
#include "protocol/buffer.h"

#define IPC_HEADER  12u
#define IPC_VERSION 1u
#define IPC_ANSWER  0xffffu /* type of an answer */

struct ipc_header {
	uint32_t length; /* of the whole frame */
	uint16_t type;
	enum ipc_class class;
	uint32_t request; /* 0: told */
};

struct ipc_writer {
	struct buffer bytes; /* room for the header in front */
	int fds[IPC_FDS_MAX];
	unsigned fd_count;
	uint16_t type;
	int error;
};

void ipc_writer_free(struct ipc_writer **writer);
/* Fills in the header. 0, or the error of the composition. */
int ipc_writer_finish(struct ipc_writer *writer, const struct ipc_header *header);

/* 0 or -EPROTO: not a frame that this version could have sent. */
int ipc_header_decode(const char *bytes, size_t len, struct ipc_header *header);
/* Copies the bytes of a whole frame, takes the descriptors (on failure too).
 * One reference. */
struct ipc_reader *ipc_reader_new(const struct ipc_header *header, const char *bytes,
    const int *fds, unsigned fd_count);

#endif
