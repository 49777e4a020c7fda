/* replay.h - what the two halves of the scenario language share: the state of a run,
 * and one step of it.
 */
#ifndef KITH_REPLAY_REPLAY_H
#define KITH_REPLAY_REPLAY_H

#include <stdio.h>

#include "protocol/buffer.h"
#include "tests/replay/world.h"

#define WORDS_MAX   32
#define CLIENTS_MAX 8
#define GROUPS      10
#define KEPT_MAX    32

struct news_client {
	char *name;
	struct world_client *client;
};

struct kept {
	char *name;
	char *text;
};

struct replay {
	struct world *world;
	const char *path;
	unsigned line;
	struct kept kept[KEPT_MAX];
	size_t kept_count;
	struct news_client clients[CLIENTS_MAX];
	struct buffer said;
	size_t at_hand; /* its place plus 1: mails move as more come */
	char *groups[GROUPS];
	unsigned replies;
};

/* One step: its words, the rest of its line, and its indented block. */
struct step {
	char *text;
	const char *raw_text; /* as written, before "$1" stands for anything */
	const char *raw_block;
	char *words[WORDS_MAX];
	int count;
	const char *rest;    /* after the first word */
	struct buffer block; /* LF */
};

#define FAIL(replay, ...)                                     \
 (fprintf(stderr, "%s:%u: ", (replay)->path, (replay)->line), \
     world_fail(__VA_ARGS__))

/* Does the text match? Then "$1" ... stand for what the groups found. */
bool replay_matches(struct replay *replay, const char *pattern,
    const char *text);

/* The next reply of an LMTP session must have this code. */
void replay_lmtp_expect(struct replay *replay, struct world_client *client,
    unsigned code);
/* The text with CRLF and stuffed dots, and the dot that ends it. */
void replay_lmtp_data(struct world_client *client, const char *text);

/* Steps about mail: replay_mail.c. */
void replay_lmtp(struct replay *replay, struct step *step);
void replay_lmtp_refused(struct replay *replay, struct step *step);
void replay_mail(struct replay *replay, struct step *step);
void replay_mails(struct replay *replay, struct step *step);
void replay_nomail(struct replay *replay, struct step *step);
void replay_has(struct replay *replay, struct step *step);
void replay_hasnot(struct replay *replay, struct step *step);
void replay_reply(struct replay *replay, struct step *step);
void replay_quote(struct replay *replay, struct step *step);
void replay_forward(struct replay *replay, struct step *step);
void replay_redeliver(struct replay *replay, struct step *step);
void replay_bounce(struct replay *replay, struct step *step);
void replay_complaint(struct replay *replay, struct step *step);

#endif
