/* world.h - all of kithd in one process and on one loop, with memory instead of
 * sockets, a clock that stands still, and an outgoing mailbox instead of a
 * smarthost.
 */
#ifndef KITH_REPLAY_WORLD_H
#define KITH_REPLAY_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/buffer.h"

struct world;

/* A mail that left, as the smarthost would have got it. */
struct world_mail {
	char *envelope_from;
	char *recipient;
	char *text; /* unstuffed, LF line ends, header and body */
	bool seen;
};

/* A client's end of a connection: what arrived, line by line. */
struct world_client;

/* A world in an empty folder; exits on failure, like everything here. */
struct world *world_new(const char *folder);
void world_free(struct world **world);
/* Ends it as a stop would, and starts it again on the same folder. */
void world_restart(struct world *world);
/* The same, with a line more in the configuration. */
void world_configure(struct world *world, const char *line);

/* Runs the loop until nothing is under way any more. */
void world_settle(struct world *world);
void world_advance(struct world *world, uint64_t seconds);

struct world_client *world_connect_news(struct world *world);
struct world_client *world_connect_lmtp(struct world *world);
void world_client_free(struct world_client **client);
void world_client_send(struct world_client *client, struct span bytes);
/* The next line without CRLF, borrowed until the next call; waits for it. NULL:
 * the connection has ended. */
const char *world_client_line(struct world_client *client);

/* Runs one kithctl request; true if it was done. The output (rows as JSON
 * lines, text) or the error replaces what is in out. */
bool world_control(struct world *world, int argc, const char *const *argv,
    struct span input, struct buffer *out);

size_t world_mail_count(const struct world *world);
struct world_mail *world_mail_get(struct world *world, size_t i);
/* After so many mails it is away. */
void world_smarthost_fails_after(struct world *world, size_t mails);
/* From now on: the smarthost is there; it answers this code to a recipient
 * that contains the text (NULL: to everybody takes 250). */
void world_smarthost(struct world *world, bool up);
void world_smarthost_answers(
    struct world *world, const char *recipient, unsigned code, const char *text);

_Noreturn void world_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif
