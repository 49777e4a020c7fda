/* flight.c - see flight.h.
 */
#include "daemon/news/flight.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define FLIGHT_SLOTS 4096u

struct flight {
	uint8_t id[STORE_HASH_LEN];
	uint64_t session; /* 0: empty */
	uint64_t until;
};

struct flights {
	pthread_mutex_t lock;
	struct flight slots[FLIGHT_SLOTS];
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

/* The ids are keyed hashes: nobody can choose his slot. */
static struct flight *
flight_slot(struct flights *flights, const uint8_t id[STORE_HASH_LEN])
{
	return &flights->slots[((unsigned)id[0] << 8 | id[1]) % FLIGHT_SLOTS];
}

bool
flight_begin(struct flights *flights, const uint8_t id[STORE_HASH_LEN],
    uint64_t session, uint64_t now, unsigned seconds)
{
	struct flight *slot = flight_slot(flights, id);
	bool free_for;

	(void)pthread_mutex_lock(&flights->lock);
	free_for = slot->session == 0 || slot->session == session ||
	    slot->until <= now || memcmp(slot->id, id, sizeof slot->id) != 0;
	if (free_for) {
		memcpy(slot->id, id, sizeof slot->id);
		slot->session = session;
		slot->until = now + seconds;
	}
	(void)pthread_mutex_unlock(&flights->lock);
	return free_for;
}

void
flight_end(struct flights *flights, const uint8_t id[STORE_HASH_LEN],
    uint64_t session)
{
	struct flight *slot = flight_slot(flights, id);

	(void)pthread_mutex_lock(&flights->lock);
	if (slot->session == session &&
	    memcmp(slot->id, id, sizeof slot->id) == 0)
		slot->session = 0;
	(void)pthread_mutex_unlock(&flights->lock);
}
