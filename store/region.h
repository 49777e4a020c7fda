/* region.h - memory of a cache's own: one mapping, in which pieces of any size
 * are given out and grow together again when they come back.
 *
 * What one thread allocates and another frees stays with malloc()'s arena of the
 * first; of a cache that several threads fill and empty that is as much again as
 * it holds. Here it is what the region is, whoever frees.
 */
#ifndef KITH_STORE_REGION_H
#define KITH_STORE_REGION_H

#include <stddef.h>

struct store_region;

/* Takes memory as it is used. NULL: no address space, or no room for a piece. */
struct store_region *store_region_new(size_t bytes);
/* Pieces may outlive it: the last one takes it along. Accepts NULL. */
void store_region_free(struct store_region **region);
/* Aligned for anything. NULL: no room. Any thread, as store_region_give. */
void *store_region_take(struct store_region *region, size_t size);
void store_region_give(struct store_region *region, void *piece);
/* What is given out, with what is kept of each piece. */
size_t store_region_used(struct store_region *region);

#endif
