/* stats.c - figures for `status`.
 */
#include "store/private.h"

#include <string.h>

void
store_stats_get(struct store *store, struct store_stats *stats_r)
{
	struct store_view *view = store_view_begin(store);

	memset(stats_r, 0, sizeof *stats_r);
	if (view != NULL) {
		stats_r->commits = view->reader.system.commit;
		stats_r->articles = view->reader.system.articles;
	}
	store_view_end(&view);
	stats_r->free_bytes = atomic_load(&store->room.free_bytes);
	stats_r->reserve_bytes = atomic_load(&store->room.reserve_bytes);
	stats_r->operations = atomic_load(&store->writer.operations);
	store_cache_counts(store->objects, &stats_r->cache_hits,
	    &stats_r->cache_misses);
	stats_r->schema = STORE_SCHEMA;
}
