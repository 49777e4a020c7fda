/* admin_password.h - a password from a request's raw bytes, hashed on a worker.
 */
#ifndef KITH_COMMUNITY_ADMIN_PASSWORD_H
#define KITH_COMMUNITY_ADMIN_PASSWORD_H

#include "daemon/community/admin_op.h"
#include "daemon/community/auth.h"

/* False: there is none, or it is no line. The caller wipes it. */
bool admin_password_read(struct control_request *request,
    char password_r[AUTH_PASSWORD_MAX + 1]);
/* Takes the operation; made gets it back with the verifier. If there is no
 * password, or no hash, the request fails and the operation is freed. */
void admin_password_make(struct admin_op *op,
    void (*made)(void *op, const struct auth_verifier *verifier));

#endif
