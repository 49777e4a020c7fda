/* newsgroup.h - syntax of newsgroup names and of the headers made of them.
 */
#ifndef KITH_PROTOCOL_NEWSGROUP_H
#define KITH_PROTOCOL_NEWSGROUP_H

#include "protocol/span.h"

#define NEWSGROUP_MAX 200u /* octets of a name that kith takes */

/* Syntax alone (RFC 5536 3.1.4). */
bool newsgroup_is_valid(struct span name);
/* Names that no group may have (RFC 5536 3.1.4): poster, junk, control, example.*,
 * to.*, control.*, components all and ctl. */
bool newsgroup_is_reserved(struct span name);
/* The names in a raw Newsgroups or Followup-To value, blanks and folds allowed
 * around the commas; repeated names are dropped. Returns the count (>= 1) or
 * -EINVAL (syntax), -E2BIG (more than max). Names are borrowed from raw. */
int newsgroup_list_parse(struct span raw, struct span *names, size_t max);
/* Followup-To: poster (RFC 5536 3.2.6). */
bool newsgroup_is_poster(struct span raw);
/* Path (RFC 5536 3.1.5), tolerant of folds. */
bool path_is_valid(struct span raw);
/* True if `host` is one of the path-identities of Path: not its tail, nor what
 * an injecting agent found there (RFC 5537 3.6). */
bool path_has(struct span raw, struct span host);
/* The leftmost path-identity; empty if there is none. Borrowed. */
struct span path_first(struct span raw);
/* True if Path holds the diagnostic POSTED: somebody injected it already. */
bool path_is_posted(struct span raw);
/* Distribution (RFC 5536 3.2.4). */
bool distribution_is_valid(struct span raw);

#endif
