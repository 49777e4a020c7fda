/* logs.h - Berkeley DB's log files are made before they are needed.
 *
 * With each flush of a file that grows, or whose blocks are not written yet, the
 * file system writes its inode too: a second wait for the disk, and half of the
 * CPU of the flush. So the files that come next are filled with zeros by the keeper,
 * out of those that no recovery needs any more. Berkeley DB takes a file of the right
 * name as it is, and one of zeros for one that has not begun.
 */
#ifndef KITH_STORE_LOGS_H
#define KITH_STORE_LOGS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define STORE_SPARE_FILE "spare" /* what the next log file is made of */

struct store;

struct store_logs {
	/* Held while a file gets its name, and by who answers for what is in
	 * the log: a name must not be lost with the power after that. */
	pthread_mutex_t naming;
	pthread_mutex_t spare;
	_Atomic uint32_t made; /* files up to that are there, or were */
	_Atomic bool off;      /* it failed, and was told */
};

/* Where the log ends. */
struct store_logs_end {
	uint32_t file, offset;
	uint64_t written; /* octets since the last checkpoint */
};

int store_logs_init(struct store *store);
/* Any thread. A failure is the beginning of the log. */
struct store_logs_end store_logs_end(struct store *store);
/* The flusher: all of the log is on the disk. A code of Berkeley DB's. */
int store_logs_flush(struct store *store);
/* Whether there is something for store_logs_prepare to do. Any thread. */
bool store_logs_are_due(
    struct store *store, const struct store_logs_end *end);
/* The keeper: makes what is missing of the files that come next. What cannot be made
 * is made by Berkeley DB, as always. */
void store_logs_prepare(struct store *store);
/* The keeper, after a checkpoint: files that no recovery needs go, and one of them is
 * the spare. 0 or negative. */
int store_logs_remove(struct store *store);

#endif
