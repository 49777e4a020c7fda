/* admin_password.c - hashing is slow by design, so never on the loop.
 */
#include "daemon/community/admin_password.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct hashing {
	struct admin_op *op;
	void (*made)(void *op, const struct auth_verifier *verifier);
	char password[AUTH_PASSWORD_MAX + 1];
	struct auth_verifier verifier;
	int rc;
};

static void
hash_work(void *arg)
{
	struct hashing *hashing = arg;

	hashing->rc = auth_verifier_make(hashing->password, &hashing->verifier);
}

static void
hash_done(void *arg)
{
	struct hashing *hashing = arg;

	community_busy(hashing->op->community, -1);
	if (hashing->rc == 0)
		hashing->made(hashing->op, &hashing->verifier);
	else
		admin_op_fail(hashing->op, "error",
		    "the password could not be hashed");
	OPENSSL_cleanse(hashing, sizeof *hashing);
	free(hashing);
}

bool
admin_password_read(struct control_request *request,
    char password_r[AUTH_PASSWORD_MAX + 1])
{
	struct span input = control_input(request);

	/* echo and printf end it with a newline, which nobody means */
	if (input.len > 0 && input.bytes[input.len - 1] == '\n')
		input.len--;
	if (input.len > 0 && input.bytes[input.len - 1] == '\r')
		input.len--;
	if (input.len == 0 || input.len > AUTH_PASSWORD_MAX ||
	    memchr(input.bytes, '\0', input.len) != NULL ||
	    memchr(input.bytes, '\n', input.len) != NULL)
		return false;
	memcpy(password_r, input.bytes, input.len);
	password_r[input.len] = '\0';
	return true;
}

/* Says so; takes the operation. */
static void
admin_password_fail(struct admin_op *op)
{
	admin_op_fail(op, CONTROL_USAGE,
	    "give the password on standard input: one line of 1 to %u octets",
	    AUTH_PASSWORD_MAX);
}

void
admin_password_make(struct admin_op *op,
    void (*made)(void *op, const struct auth_verifier *verifier))
{
	struct hashing *hashing = calloc(1, sizeof *hashing);

	if (hashing == NULL) {
		admin_op_fail(op, "no-memory", "kithd is out of memory");
		return;
	}
	if (!admin_password_read(op->request, hashing->password)) {
		free(hashing);
		admin_password_fail(op);
		return;
	}
	hashing->op = op;
	hashing->made = made;
	community_busy(op->community, 1);
	if (worker_submit(community_workers(op->community),
		community_loop(op->community), hash_work, hash_done,
		hashing) == 0)
		return;
	hashing->rc = -ENOMEM;
	hash_done(hashing);
}
