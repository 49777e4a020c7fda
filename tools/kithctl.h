/* kithctl.h - the parts of kithctl: words, the connection, what is printed.
 */
#ifndef KITH_TOOLS_KITHCTL_H
#define KITH_TOOLS_KITHCTL_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include <jansson.h>

#include "protocol/buffer.h"

enum kithctl_exit {
	KITHCTL_DONE = 0,
	KITHCTL_REFUSED = 1,
	KITHCTL_USAGE = 2,
	KITHCTL_NOT_RUNNING = 69,
};

/* ---- kithctl_words.c */

/* Splits a line as a shell would: blanks, '...', "...", \. A comment begins
 * with # at the start of a word. Array of strings (empty: nothing to do), or
 * NULL with *why_r. */
json_t *words_split(const char *line, const char **why_r);

/* ---- kithctl_link.c */

struct link {
	FILE *in, *out;
	pid_t offline; /* the kithd that was started for us; 0: none */
};

struct config;

/* Connects to the running kithd. 0 or negative errno. */
int link_open(struct link *link, const char *path);
/* Starts kithd with a mode of ours ("--offline", "--restore"). */
int link_open_offline(struct link *link, const char *mode, const char *config_path,
    const struct config *config);
void link_close(struct link *link);

struct answer {
	json_t *last; /* the line with "ok" */
	json_t *rows; /* array of objects */
	char *bytes;
	size_t len;
};

/* Takes nothing. 0, or negative: the connection is of no use. */
int link_ask(struct link *link, json_t *argv, const struct buffer *input, struct answer *answer);
void answer_fini(struct answer *answer);

/* ---- kithctl_print.c */

/* What the answer says, to stdout, or why not, to stderr. `where` is put before
 * an error ("FILE:3: "). Returns the exit status. */
int answer_print(const struct answer *answer, bool json, const char *where);
void error_print(bool json, const char *where, const char *code, const char *text);

#endif
