/* client.h - the client's end of a connection in the tests: it sends, and keeps
 * what arrives. It knows no protocol.
 */
#ifndef KITH_TESTS_CLIENT_H
#define KITH_TESTS_CLIENT_H

#include "daemon/loop.h"
#include "daemon/stream.h"
#include "protocol/buffer.h"

struct client {
	struct loop *loop;
	struct stream *stream; /* NULL: it has ended */
	struct buffer text;    /* received */
	size_t limit;          /* reads no further than that, 0: no limit */
};

/* Both return the server's end; a test without memory ends there. */
struct stream *client_connect(struct client *client, struct loop *loop);
/* Over a pair of sockets, so that it can speak TLS; with a context the server
 * begins with it. */
struct stream *client_connect_socket(struct client *client, struct loop *loop,
    struct ssl_ctx_st *tls);
void client_close(struct client *client);
/* Nothing happens before the loop turns. Does nothing once it has ended. */
void client_send(struct client *client, const char *text);
void client_send_bytes(struct client *client, const void *bytes, size_t len);
/* Turns the loop until the client has received `text` or 10 s have passed; then
 * everything received so far. */
const char *client_wait(struct client *client, const char *text);
/* Until the stream has ended. */
const char *client_wait_end(struct client *client);

/* Turns a loop until nothing is to be done at once. */
void client_settle(struct loop *loop);

#endif
