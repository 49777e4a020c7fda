/* test_sandbox.c - what the roles may ask of the kernel, seen from outside: each
 * try is a process of its own.
 */
#include "build.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/sandbox.h"

#ifdef KITH_SANITIZERS
# define STRICT 0
#else
# define STRICT 1
#endif

static void
try_file(void)
{
	(void)!open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static void
try_socket(void)
{
	(void)!socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void
try_program(void)
{
	(void)execl("/bin/true", "true", (char *)NULL);
}

static void
try_signal_to_parent(void)
{
	(void)syscall(SYS_tgkill, (long)getppid(), (long)getppid(), 0L);
}

static void
try_signal_to_itself(void)
{
	(void)signal(SIGUSR1, SIG_IGN);
	(void)raise(SIGUSR1);
}

static void
try_signal_by_descriptor(void)
{
	(void)fcntl(0, F_SETOWN, getppid());
}

static void
try_memory(void)
{
	char *large = malloc(8u << 20);

	if (large == NULL)
		_exit(2);
	memset(large, 1, 8u << 20);
	free(large);
}

/* True: the kernel ended it. */
static bool
is_killed(enum sandbox_profile profile, void (*try)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		sandbox_preload();
		if (sandbox_enter(profile, NULL) != 0)
			_exit(3);
		try();
		_exit(0);
	}
	assert_int_equal(pid, waitpid(pid, &status, 0));
	if (WIFSIGNALED(status))
		assert_int_equal(SIGSYS, WTERMSIG(status));
	else
		assert_int_equal(0, WEXITSTATUS(status));
	return WIFSIGNALED(status);
}

static void
the_parser_has_memory_and_nothing_else(void **state)
{
	(void)state;
	assert_false(is_killed(SANDBOX_PARSE, try_memory));
	assert_true(!STRICT || is_killed(SANDBOX_PARSE, try_file));
	assert_true(!STRICT || is_killed(SANDBOX_PARSE, try_socket));
}

static void
mail_has_sockets_and_no_files(void **state)
{
	(void)state;
	assert_false(is_killed(SANDBOX_MAIL, try_socket));
	assert_true(!STRICT || is_killed(SANDBOX_MAIL, try_file));
}

static void
the_maildir_writer_has_files_and_no_sockets(void **state)
{
	(void)state;
	assert_false(is_killed(SANDBOX_MAILDIR, try_file));
	assert_true(!STRICT || is_killed(SANDBOX_MAILDIR, try_socket));
}

static void
the_confined_signal_nobody_but_themselves(void **state)
{
	static const enum sandbox_profile profiles[] = { SANDBOX_PARSE,
		SANDBOX_MAIL, SANDBOX_MAILDIR };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		assert_false(is_killed(profiles[i], try_signal_to_itself));
		assert_true(!STRICT ||
		    is_killed(profiles[i], try_signal_to_parent));
		assert_true(!STRICT ||
		    is_killed(profiles[i], try_signal_by_descriptor));
	}
}

static void
nobody_starts_a_program(void **state)
{
	static const enum sandbox_profile profiles[] = { SANDBOX_PARSE,
		SANDBOX_MAIL, SANDBOX_RESOLVE, SANDBOX_MAILDIR, SANDBOX_CORE };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		assert_true(is_killed(profiles[i], try_program));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_parser_has_memory_and_nothing_else),
		cmocka_unit_test(mail_has_sockets_and_no_files),
		cmocka_unit_test(the_maildir_writer_has_files_and_no_sockets),
		cmocka_unit_test(the_confined_signal_nobody_but_themselves),
		cmocka_unit_test(nobody_starts_a_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
