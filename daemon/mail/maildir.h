/* maildir.h - writes mails into a Maildir, safely and in bursts: all of a burst
 * share the fsync of the folder. Nothing but files; the role around it is
 * maildir_role.c.
 */
#ifndef KITH_DAEMON_MAIL_MAILDIR_H
#define KITH_DAEMON_MAIL_MAILDIR_H

#include <stddef.h>

#include "protocol/span.h"

#define MAILDIR_BURST 64u

struct maildir;

/* Makes folder (not its parents) with cur, new and tmp, and opens them. NULL
 * with *error_r, a positive errno. */
struct maildir *maildir_open(const char *folder, const char *hostname,
    int *error_r);
void maildir_close(struct maildir **maildir);

/* Writes one mail (LF lines) to tmp, with Return-Path and Delivered-To before
 * it. Returns its place in the burst, 0 to MAILDIR_BURST - 1, or negative errno;
 * -EAGAIN: the burst is full. */
int maildir_write(struct maildir *maildir, struct span envelope_from,
    struct span recipient, struct span message);
/* Ends the burst: fsync of each file, rename into new, one fsync of the folder.
 * errors_r[place]: 0 or a positive errno. Returns how many there were. */
size_t maildir_commit(struct maildir *maildir, int errors_r[MAILDIR_BURST]);

#endif
