/* flight.c - see flight.h.
 */
#include "daemon/news/flight.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SETS    1024u
#define WAYS    8u
#define TURNS   3u    /* each as long as the caller says */
#define AGAIN   3600u /* s; then it is as if nobody had had a turn */
#define BRIEFLY 2u    /* s; what came so soon need not be remembered */

struct flight {
	uint8_t id[STORE_HASH_LEN];
	uint64_t session; /* whose turn it is; 0: nobody's */
	uint64_t since;   /* of the first turn */
	uint64_t until;   /* of the last one; 0: the slot is empty */
};

struct flights {
	pthread_mutex_t lock;
	struct flight slots[SETS][WAYS];
};

struct flights *
flights_new(void)
{
	struct flights *flights = calloc(1, sizeof *flights);

	if (flights != NULL && pthread_mutex_init(&flights->lock, NULL) != 0) {
		free(flights);
		flights = NULL;
	}
	return flights;
}

void
flights_free(struct flights **flights)
{
	if (*flights != NULL)
		(void)pthread_mutex_destroy(&(*flights)->lock);
	free(*flights);
	*flights = NULL;
}

static bool
flight_is_under_way(const struct flight *flight, uint64_t now)
{
	return flight->session != 0 && now < flight->until;
}

/* Who could push out what took long could begin with it anew. */
static bool
flight_is_remembered(const struct flight *flight, uint64_t now)
{
	return now < flight->since + AGAIN &&
	    (flight_is_under_way(flight, now) ||
		flight->until > flight->since + BRIEFLY);
}

/* The ids are keyed hashes: nobody can choose whom he meets. */
static struct flight *
flight_set(struct flights *flights, const uint8_t id[STORE_HASH_LEN])
{
	return flights->slots[((unsigned)id[0] << 8 | id[1]) % SETS];
}

static struct flight *
flight_find(struct flight set[WAYS], const uint8_t id[STORE_HASH_LEN])
{
	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].until != 0 &&
		    memcmp(set[i].id, id, sizeof set[i].id) == 0)
			return &set[i];
	return NULL;
}

/* The same, or one that is new, or NULL: all others are remembered. */
static struct flight *
flight_make(struct flight set[WAYS], const uint8_t id[STORE_HASH_LEN],
    uint64_t now)
{
	struct flight *flight = flight_find(set, id);

	if (flight != NULL && now < flight->since + AGAIN)
		return flight;
	for (unsigned i = 0; flight == NULL && i < WAYS; i++)
		if (!flight_is_remembered(&set[i], now))
			flight = &set[i];
	if (flight != NULL) {
		memcpy(flight->id, id, sizeof flight->id);
		flight->session = 0;
		flight->since = now;
	}
	return flight;
}

bool
flight_begin(struct flights *flights, const uint8_t id[STORE_HASH_LEN],
    uint64_t session, uint64_t now, unsigned seconds)
{
	bool free_for = true;
	struct flight *flight;
	uint64_t last;

	(void)pthread_mutex_lock(&flights->lock);
	flight = flight_make(flight_set(flights, id), id, now);
	if (flight != NULL) {
		free_for = !flight_is_under_way(flight, now) ||
		    flight->session == session;
		last = flight->since + (uint64_t)TURNS * seconds;
		if (free_for && now < last) {
			flight->session = session;
			flight->until =
			    now + seconds < last ? now + seconds : last;
		}
	}
	(void)pthread_mutex_unlock(&flights->lock);
	return free_for;
}

static void
flight_land(struct flight *flight, uint64_t now)
{
	flight->session = 0;
	if (now < flight->until)
		flight->until = now;
}

void
flight_end(struct flights *flights, const uint8_t id[STORE_HASH_LEN],
    uint64_t session, uint64_t now)
{
	struct flight *flight;

	(void)pthread_mutex_lock(&flights->lock);
	flight = flight_find(flight_set(flights, id), id);
	if (flight != NULL && flight->session == session)
		flight_land(flight, now);
	(void)pthread_mutex_unlock(&flights->lock);
}

void
flight_end_all(struct flights *flights, uint64_t session, uint64_t now)
{
	(void)pthread_mutex_lock(&flights->lock);
	for (unsigned set = 0; set < SETS; set++)
		for (unsigned way = 0; way < WAYS; way++)
			if (flights->slots[set][way].session == session)
				flight_land(&flights->slots[set][way], now);
	(void)pthread_mutex_unlock(&flights->lock);
}
