/* ipc.h - typed frames between kithd's processes over a socketpair.
 *
 * One frame is one message of a SOCK_SEQPACKET pair: ipc_pair() makes one.
 * Header { length u32, type u16, version u16, request u32 }, frames of at most
 * 64 KB, typed fields; a malformed frame ends the channel. A payload above
 * IPC_INLINE_MAX travels as a sealed memfd beside its frame; seals and size are
 * checked before it is mapped. Credits bound the requests outstanding per class
 * and direction, so that bulk cannot starve control.
 */
#ifndef KITH_DAEMON_IPC_H
#define KITH_DAEMON_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/span.h"

struct event_base;
struct ipc;
struct ipc_writer; /* composes the fields of one frame */
struct ipc_reader; /* reads them in order */

#define IPC_FRAME_MAX  65536u
#define IPC_INLINE_MAX 49152u

enum ipc_class { IPC_CONTROL, IPC_INTAKE, IPC_BULK, IPC_CLASSES };

/* request: called for each request of the other side. The reader is borrowed
 * for the call. Answer now or later with ipc_answer(ipc, request, ...). NULL:
 * the other side has nothing to ask; what it asks all the same is dropped, and
 * when its credit is used up the channel ends.
 * closed: the channel ended (peer died, malformed frame); every request that
 * was open has been answered with NULL before. May be NULL. */
struct ipc_handler {
	void (*request)(void *arg, struct ipc *ipc, uint16_t type,
	    uint32_t request, struct ipc_reader *fields);
	void (*closed)(void *arg, struct ipc *ipc);
};

/* A connected pair (SOCK_SEQPACKET, close-on-exec). 0 or negative errno. */
int ipc_pair(int fds[2]);

/* Takes the descriptor. After closed() the channel is inert; the owner frees
 * it, there or later. Callbacks on the base's thread only. */
struct ipc *ipc_new(struct event_base *base, int fd,
    const struct ipc_handler *handler, void *arg);
void ipc_free(struct ipc **ipc); /* open requests are answered with NULL */

/* Starts a frame of a type; then fields; then ipc_call, ipc_answer or
 * ipc_tell, each of which takes the writer. NULL: out of memory (calls accept
 * a NULL writer or channel and fail). */
struct ipc_writer *ipc_writer_new(uint16_t type);
void ipc_put_u32(struct ipc_writer *writer, uint32_t value);
void ipc_put_u64(struct ipc_writer *writer, uint64_t value);
void ipc_put_bytes(struct ipc_writer *writer, struct span bytes);
void ipc_put_text(struct ipc_writer *writer, const char *text);
/* Passes a duplicate of the descriptor; at most IPC_FDS_MAX a frame. */
void ipc_put_fd(struct ipc_writer *writer, int fd);
/* Inline, or as a sealed memfd when it is large. */
void ipc_put_payload(struct ipc_writer *writer, struct span bytes);
#define IPC_FDS_MAX 64u

/* answered: reader of the answer, or NULL (deadline passed, channel ended).
 * -EAGAIN when the class has no credit: try again from `ipc_set_credit_cb`. */
typedef void (*ipc_answered)(void *arg, struct ipc_reader *fields);
int ipc_call(struct ipc *ipc, struct ipc_writer *writer, enum ipc_class class,
    unsigned deadline_seconds, ipc_answered answered, void *arg);
/* NULL for what cannot be answered: the other side gets an answer that holds
 * nothing, whose reader turns bad. */
int ipc_answer(struct ipc *ipc, uint32_t request, struct ipc_writer *writer);
/* One way, no answer, no credit: for control only. */
int ipc_tell(struct ipc *ipc, struct ipc_writer *writer);
bool ipc_has_credit(const struct ipc *ipc, enum ipc_class class);
/* Called when a class that had no credit has some again. */
void ipc_set_credit_cb(
    struct ipc *ipc, void (*fn)(void *arg, enum ipc_class class), void *arg);

/* Reads the next field; a wrong type or the end sets the reader bad and gives
 * 0 or empty. Check ipc_reader_bad() once at the end. Bytes and payload are
 * borrowed: payload (and its mapping) lives until the reader's frame is
 * released; ipc_reader_keep() keeps it beyond the callback. */
uint32_t ipc_get_u32(struct ipc_reader *reader);
uint64_t ipc_get_u64(struct ipc_reader *reader);
struct span ipc_get_bytes(struct ipc_reader *reader);
struct span ipc_get_payload(struct ipc_reader *reader);
int ipc_get_fd(struct ipc_reader *reader); /* owned; -1 if bad */
bool ipc_reader_bad(const struct ipc_reader *reader);
bool ipc_reader_at_end(const struct ipc_reader *reader);
struct ipc_reader *ipc_reader_keep(struct ipc_reader *reader);
void ipc_reader_release(struct ipc_reader **reader);

#endif
