/* core_restore.c - the offline role of `kithctl restore`: nothing may have the
 * store open while it is made from a backup, so core itself cannot do it.
 */
#include "build.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/role.h"
#include "store/admin.h"

struct restore {
	struct role_process *process;
	struct role_start *start;
	struct control *control;
};

static void
run_restore(struct control_request *request)
{
	const struct restore *restore = control_context(request);
	const char *directory = restore->start->config->store_directory;
	char *error = NULL;
	int result = store_restore(control_arg(request, 0), directory, &error);

	if (result != 0) {
		control_fail(request, "refused", "%s",
		    error == NULL ? strerror(-result) : error);
	} else {
		control_text(request, "restored into %s; kithd can be started",
		    directory);
		control_done(request);
	}
	free(error);
}

static const struct control_verb verbs[] = {
	{ "restore", NULL, "DIR", 1, 1, run_restore, 0 },
};

static void
on_closed(void *arg)
{
	struct restore *restore = arg;

	role_exit(restore->process, 0);
}

static void
restore_free(void *state)
{
	struct restore *restore = state;

	control_free(&restore->control);
	role_start_free(&restore->start);
	free(restore);
}

static int
restore_start(struct role_process *process, struct role_start *start,
    void **state_r)
{
	struct restore *restore = calloc(1, sizeof(*restore));
	int fd = start->control_fd;

	if (restore == NULL) {
		role_start_free(&start);
		return EX_OSERR;
	}
	restore->process = process;
	restore->start = start;
	restore->control = control_new(role_base(process), -1);
	start->control_fd = -1;
	if (restore->control == NULL ||
	    control_add(restore->control, verbs, 1, restore) != 0 ||
	    control_serve(restore->control, fd, on_closed, restore) != 0) {
		restore_free(restore);
		return EX_OSERR;
	}
	*state_r = restore;
	return 0;
}

const struct role restore_role = {
	.name = "restore",
	.profile = SANDBOX_CORE,
	.start = restore_start,
	.free = restore_free,
};
