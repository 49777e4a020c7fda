/* auth_delay.h - what wrong passwords cost: who has to wait how long before the
 * next one is looked at. Pure: the time is an argument, nothing sleeps here.
 *
 * Counted are an address, an account and the pair of them. An address waits for
 * its own failures, whatever the account. An account waits for everybody's, at
 * most AUTH_DELAY_MAX however many try. Where its password was right lately, only
 * the pair's own failures count: not those of others elsewhere, nor of others
 * behind the same address. So a stranger delays a member somewhere new, and
 * never locks him out. Failures are halved by the time that passes, and a right
 * password takes back what was mistyped from the same address.
 */
#ifndef KITH_COMMUNITY_AUTH_DELAY_H
#define KITH_COMMUNITY_AUTH_DELAY_H

#include <stdbool.h>
#include <stdint.h>

#define AUTH_DELAY_KEY 16u
#define AUTH_DELAY_MAX 30000u /* milliseconds */

struct auth_delay;

/* Who tries. The keys are digests under a secret, so that nobody can choose
 * whom he meets in the table. */
struct auth_try {
	uint8_t address[AUTH_DELAY_KEY];
	uint8_t account[AUTH_DELAY_KEY];
	uint8_t pair[AUTH_DELAY_KEY];
};

/* A table of fixed size; where it is full, the least guilty is forgotten.
 * NULL: no memory. */
struct auth_delay *auth_delay_new(void);
void auth_delay_free(struct auth_delay **delays);
/* Milliseconds until this attempt may be looked at, and its place in the queue
 * is taken: attempts side by side gain nothing. False: as many attempts of its
 * own (of the address, or the pair) wait as AUTH_DELAY_MAX has room for; it is
 * not to be looked at.
 * now: milliseconds of any clock that only grows. Any thread. */
bool auth_delay_book(struct auth_delay *delays, const struct auth_try *who,
    uint64_t now, unsigned *wait_r);
/* What became of it. Any thread. */
void auth_delay_note(struct auth_delay *delays, const struct auth_try *who,
    bool good, uint64_t now);

#endif
