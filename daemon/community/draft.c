/* draft.c - the end of a draft.
 */
#include "daemon/community/draft.h"

#include <stdlib.h>

void
draft_fini(struct draft *draft)
{
	free(draft->received);
	free(draft->added);
	free(draft->overview);
	for (size_t i = 0; i < draft->reference_count; i++)
		free(draft->references[i].id);
	free(draft->references);
	free(draft->subject);
	free(draft->from);
	draft->received = NULL;
	draft->added = NULL;
	draft->overview = NULL;
	draft->references = NULL;
	draft->reference_count = 0;
	draft->subject = NULL;
	draft->from = NULL;
}
