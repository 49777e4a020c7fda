/* digest.h - what gathered in a space, as one mail.
 *
 * An issue is made in one operation: the cursor of the space moves and a job
 * for each digest mode is added, so nothing is sent twice and nothing when there
 * is nothing new. The body is rendered when the job runs, from the articles that
 * are still there.
 */
#ifndef KITH_COMMUNITY_DIGEST_H
#define KITH_COMMUNITY_DIGEST_H

#include "daemon/community/community.h"
#include "protocol/buffer.h"

/* What is remembered between two looks: the cursors. One per community. */
struct digests;
struct digests *digests_new(struct community *community);
void digests_free(struct digests **digests);

/* On the community's loop: issues of all spaces whose hour has come, or that
 * gathered enough. Timer function. Costs nothing for spaces without anything
 * new. done (may be NULL) when every issue that was due is written down. */
void digest_run_due(
    struct digests *digests, void (*done)(void *arg), void *arg);
/* One space now, whatever its hour says. result: the issue and how many
 * articles it has (0: nothing new), or negative. On the community's loop. */
void digest_send(struct digests *digests, uint32_t space,
    void (*done)(void *arg, int error, unsigned issue, unsigned articles),
    void *arg);

/* The cursor of a space; zeroed if it has none yet. */
int digest_state_get(struct store_reader *reader, uint32_t space,
    Kith__DigestState *state_r);
/* In apply, when subscriptions come and go that read each of the two forms: what
 * nobody reads is not made. */
int digest_count_readers(struct store_txn *txn, uint32_t space,
    int digest_change, int plain_change);
/* In apply, after an old article was imported: it is not news, so an issue that
 * has nothing pending before it skips it. */
int digest_skip_article(
    struct store_txn *txn, uint32_t space, uint32_t number);

/* Renders the message of a digest job, header included, as unstuffed CRLF (the
 * personal head of the recipients comes before it). Plain digests need the
 * parser, so the result comes later; done on the community's loop gets an owned
 * buffer's span, borrowed, or an empty span if nothing is left to send. */
void digest_render(struct community *community, const Kith__Job *job,
    void (*done)(void *arg, struct span message),
    void *arg);

#endif
