/* fuzz_control.c - what comes over the control socket: JSON lines, raw bytes,
 * arguments and options.
 */
#include "build.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/control.h"
#include "daemon/loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
run_echo(struct control_request *request)
{
	const char *kind = control_option(request, "--kind");

	if (kind != NULL)
		control_fail(request, "kind", "%s", kind);
	else
		control_done(request);
}

static const struct control_verb verbs[] = {
	{ "a", "b", "NAME [--kind KIND] [--fast]", 0, 2, run_echo,
	    CONTROL_TAKES_BYTES },
	{ "c", NULL, "", 0, 0, run_echo, 0 },
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct loop *loop = loop_new();
	struct control *control;
	int fds[2], i;

	if (loop == NULL ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
		abort();
	control = control_new(loop_base(loop), -1);
	if (control == NULL || control_add(control, verbs, 2, NULL) != 0 ||
	    control_serve(control, fds[0], NULL, NULL) != 0)
		abort();
	(void)!write(fds[1], data, size);
	for (i = 0; i < 64 && loop_turn(loop); i++)
		;
	(void)close(fds[1]);
	for (i = 0; i < 8; i++)
		(void)loop_turn(loop);
	control_free(&control);
	loop_free(&loop);
	return 0;
}
