/* auth_delay.c - see auth_delay.h.
 */
#include "daemon/community/auth_delay.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SETS	     512u
#define WAYS	     8u
#define FREE	     3u	  /* failures without a delay */
#define FAILURES_MAX 16u
#define STEP_FIRST   250u /* milliseconds, doubled with each failure */
#define STEP_MAX     8000u
#define HALVED_AFTER UINT64_C(600000)
#define TRUSTED_FOR  UINT64_C(2592000000) /* 30 days */
#define TRUST_WEIGHT 8u

struct entry {
	uint8_t key[AUTH_DELAY_KEY];
	uint64_t since;	  /* of the last failure, or halving */
	uint64_t free_at; /* when the next attempt may be looked at */
	uint64_t good;	  /* the last right password, of a pair; 0: none */
	unsigned failures;
	bool used;
};

struct auth_delay {
	pthread_mutex_t lock;
	struct entry entries[SETS][WAYS];
};

struct auth_delay *
auth_delay_new(void)
{
	struct auth_delay *delays = calloc(1, sizeof *delays);

	if (delays != NULL && pthread_mutex_init(&delays->lock, NULL) != 0) {
		free(delays);
		delays = NULL;
	}
	return delays;
}

void
auth_delay_free(struct auth_delay **delays_p)
{
	struct auth_delay *delays = *delays_p;

	*delays_p = NULL;
	if (delays == NULL)
		return;
	(void)pthread_mutex_destroy(&delays->lock);
	free(delays);
}

static unsigned
step_of(const struct entry *entry)
{
	unsigned step = STEP_FIRST;

	if (entry->failures < FREE)
		return 0;
	for (unsigned i = FREE; i < entry->failures && step < STEP_MAX; i++)
		step *= 2;
	return step;
}

static void
entry_decay(struct entry *entry, uint64_t now)
{
	uint64_t halvings = (now - entry->since) / HALVED_AFTER;

	entry->failures = halvings > 8 ? 0 : entry->failures >> halvings;
	entry->since += halvings * HALVED_AFTER;
}

static bool
entry_is_trusted(const struct entry *entry, uint64_t now)
{
	return entry != NULL && entry->good != 0 &&
	    now - entry->good < TRUSTED_FOR;
}

static unsigned
entry_weight(const struct entry *entry, uint64_t now)
{
	return entry->failures +
	    (entry_is_trusted(entry, now) ? TRUST_WEIGHT : 0);
}

/* The entry of a key, brought up to now, or NULL. */
static struct entry *
entry_find(struct auth_delay *delays, const uint8_t key[AUTH_DELAY_KEY],
    uint64_t now)
{
	struct entry *set =
	    delays->entries[(((unsigned)key[0] << 8) | key[1]) % SETS];

	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].used && memcmp(set[i].key, key, sizeof set[i].key) == 0) {
			entry_decay(&set[i], now);
			return &set[i];
		}
	return NULL;
}

/* The same, made in place of the lightest of its set. */
static struct entry *
entry_make(struct auth_delay *delays, const uint8_t key[AUTH_DELAY_KEY],
    uint64_t now)
{
	struct entry *set =
	    delays->entries[(((unsigned)key[0] << 8) | key[1]) % SETS];
	struct entry *entry = entry_find(delays, key, now), *lightest = set;

	if (entry != NULL)
		return entry;
	for (unsigned i = 0; i < WAYS && lightest->used; i++) {
		if (!set[i].used) {
			lightest = &set[i];
			break;
		}
		entry_decay(&set[i], now);
		if (entry_weight(&set[i], now) < entry_weight(lightest, now))
			lightest = &set[i];
	}
	memset(lightest, 0, sizeof *lightest);
	memcpy(lightest->key, key, sizeof lightest->key);
	lightest->used = true;
	lightest->since = now;
	return lightest;
}

static uint64_t
entry_wait(const struct entry *entry, uint64_t now)
{
	return entry != NULL && entry->free_at > now ? entry->free_at - now : 0;
}

static void
entry_take_place(struct entry *entry, uint64_t start, uint64_t now)
{
	if (entry == NULL || step_of(entry) == 0)
		return;
	entry->free_at = start + step_of(entry);
	/* whoever comes later finds the same queue, not a longer one */
	if (entry->free_at > now + AUTH_DELAY_MAX)
		entry->free_at = now + AUTH_DELAY_MAX;
}

/* In one's own queue one is told no when it is full; in a queue that strangers
 * have made, never. */
struct lanes {
	struct entry *own;
	struct entry *others; /* NULL: they do not matter here */
};

static struct lanes
lanes_of(struct auth_delay *delays, const struct auth_try *who, uint64_t now)
{
	struct entry *pair = entry_find(delays, who->pair, now);

	if (entry_is_trusted(pair, now))
		return (struct lanes){ pair, NULL };
	return (struct lanes){ entry_find(delays, who->address, now),
		entry_find(delays, who->account, now) };
}

bool
auth_delay_book(struct auth_delay *delays, const struct auth_try *who,
    uint64_t now, unsigned *wait_r)
{
	uint64_t wait, other;
	struct lanes lanes;
	bool granted;

	(void)pthread_mutex_lock(&delays->lock);
	lanes = lanes_of(delays, who, now);
	wait = entry_wait(lanes.own, now);
	granted = lanes.own == NULL ||
	    wait + step_of(lanes.own) <= AUTH_DELAY_MAX;
	other = entry_wait(lanes.others, now);
	if (other > wait)
		wait = other;
	if (granted) {
		entry_take_place(lanes.own, now + wait, now);
		entry_take_place(lanes.others, now + wait, now);
	}
	(void)pthread_mutex_unlock(&delays->lock);
	*wait_r = wait > AUTH_DELAY_MAX ? AUTH_DELAY_MAX : (unsigned)wait;
	return granted;
}

static void
entry_blame(struct entry *entry, uint64_t now)
{
	entry->failures += entry->failures < FAILURES_MAX;
	entry->since = now;
	if (entry->free_at < now + step_of(entry))
		entry->free_at = now + step_of(entry);
}

static void
entry_forgive(struct entry *entry, unsigned failures)
{
	if (entry == NULL || failures == 0)
		return;
	entry->failures -=
	    failures < entry->failures ? failures : entry->failures;
	if (step_of(entry) == 0)
		entry->free_at = 0;
}

void
auth_delay_note(struct auth_delay *delays, const struct auth_try *who,
    bool good, uint64_t now)
{
	struct entry *pair;

	(void)pthread_mutex_lock(&delays->lock);
	if (good) {
		pair = entry_make(delays, who->pair, now);
		entry_forgive(entry_find(delays, who->address, now),
		    pair->failures);
		entry_forgive(entry_find(delays, who->account, now),
		    pair->failures);
		entry_forgive(pair, pair->failures);
		pair->good = now == 0 ? 1 : now;
	} else {
		/* one by one: making the next may end the one before */
		entry_blame(entry_make(delays, who->address, now), now);
		entry_blame(entry_make(delays, who->account, now), now);
		entry_blame(entry_make(delays, who->pair, now), now);
	}
	(void)pthread_mutex_unlock(&delays->lock);
}
