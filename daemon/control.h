/* control.h - the control socket: one JSON object a line.
 *
 *   request   {"argv": ["space", "add", "NAME", "--kind", "talk"], "bytes": N?}
 *             then N raw bytes
 *   answer    any number of {"row": {...}}, then one of
 *             {"ok": true, "columns": [...]?, "result": {...}?, "text": "..."?,
 *              "bytes": N?} then N raw bytes
 *             {"ok": false, "error": "...", "code": "...", "usage": true?}
 *
 * One request after the other on a connection. What a verb means is in the
 * tables that are given to control_add(). All calls on the base's thread.
 */
#ifndef KITH_DAEMON_CONTROL_H
#define KITH_DAEMON_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "protocol/span.h"

struct control;
struct control_request;
struct event_base;

#define CONTROL_LINE_MAX    65536u
#define CONTROL_BYTES_MAX   (64u * 1024u * 1024u)
#define CONTROL_CONNECTIONS 64u

enum control_flags {
	CONTROL_TAKES_BYTES = 1, /* raw bytes after the request are allowed */
};

struct control_verb {
	const char *noun;
	const char *verb; /* NULL: the noun alone ("status") */
	/* What follows the verb, as in the manual: "NAME --kind KIND
	 * [--mail LOCALPART] [--incoming]". The options that are accepted are
	 * those named here: one that is followed by a blank and a letter takes
	 * a value, any other is a flag. */
	const char *usage;
	unsigned args_min; /* positional ones */
	unsigned args_max;
	void (*run)(struct control_request *request);
	unsigned flags;
};

/* Takes the listening descriptor, -1: none. */
struct control *control_new(struct event_base *base, int listener);
void control_free(struct control **control);
/* The table is borrowed and must live as long; context is handed to its
 * verbs. */
int control_add(struct control *control, const struct control_verb *verbs,
    size_t count, void *context);
/* Serves one connected descriptor (takes it); closed, if not NULL, is called
 * when it ends (the offline role). */
int control_serve(
    struct control *control, int fd, void (*closed)(void *arg), void *arg);

/* A request lives from run() until control_done or control_fail, at once or
 * later; both take it. If the client went away meanwhile, what is said is
 * dropped. Arguments are valid UTF-8 without NUL. */
void *control_context(const struct control_request *request);
/* Positional argument i, NULL: not given. */
const char *control_arg(const struct control_request *request, unsigned i);
/* Value of an option ("--kind"), "" for a flag that is given, NULL: not
 * given. Given twice: the last. */
const char *control_option(const struct control_request *request, const char *name);
/* The raw bytes; empty: none. Borrowed for the life of the request. */
struct span control_input(const struct control_request *request);

/* Names of the members of each row, in the order of text output (tab
 * separated, no heading); the list ends with NULL. --json prints the rows as an
 * array of objects, an empty one too once columns are declared. */
void control_columns(struct control_request *request, const char *first, ...)
    __attribute__((sentinel));
/* Takes the object. Sent at once. */
void control_row(struct control_request *request, json_t *row);
/* True while the client is slow to read rows: a long list may wait (run again
 * from control_when_drained) instead of filling memory. */
bool control_is_full(const struct control_request *request);
void control_when_drained(
    struct control_request *request, void (*fn)(void *arg), void *arg);
/* One object: --json prints it, text output prints "name: value" lines unless
 * control_text says something better. Takes it. */
void control_result(struct control_request *request, json_t *result);
void control_text(struct control_request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Raw bytes for stdout (an article). Copied. */
void control_output(struct control_request *request, const void *bytes, size_t len);
void control_done(struct control_request *request);
/* code: a short name for scripts ("not-found", "exists", "refused", ...);
 * the text says what to do. CONTROL_USAGE as code makes kithctl exit 2. */
void control_fail(struct control_request *request, const char *code,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
#define CONTROL_USAGE "usage"

#endif
