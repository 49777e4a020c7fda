/* admin_list.h - a table of the store as rows of an answer, in slices, so that
 * neither the loop nor memory is filled by a long one.
 */
#ifndef KITH_COMMUNITY_ADMIN_LIST_H
#define KITH_COMMUNITY_ADMIN_LIST_H

#include "daemon/community/admin_op.h"

/* One row of the answer, owned; NULL: none for this record. The request is for
 * its arguments and its context, the community. */
typedef json_t *(*admin_list_row)(struct control_request *request,
    struct store_reader *reader, const struct store_key *key,
    const ProtobufCMessage *message);

/* Takes the request (its columns are declared): all rows whose key starts with
 * prefix (NULL: the whole table). */
void admin_list_run(struct control_request *request, enum store_table table,
    const struct store_key *prefix, admin_list_row row);

#endif
