/* draft.c - the beginning and the end of a draft.
 */
#include "daemon/community/draft.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void
draft_init(struct draft *draft)
{
	struct store_article_head *head = &draft->head;

	memset(draft, 0, offsetof(struct draft, message_id));
	draft->message_id[0] = '\0';
	draft->target_id[0] = '\0';
	draft->original_id[0] = '\0';
	/* what is hidden is as much as the counts say */
	memset(head, 0, offsetof(struct store_article_head, hidden_news));
	head->data_offset = 0;
}

void
draft_fini(struct draft *draft)
{
	free(draft->received);
	free(draft->made);
	draft->received = NULL;
	draft->made = NULL;
	draft->added = NULL;
	draft->overview = NULL;
	draft->references = NULL;
	draft->reference_count = 0;
	draft->subject = NULL;
	draft->from = NULL;
}
