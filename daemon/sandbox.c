/* sandbox.c - what a role may still ask of the kernel: seccomp filters and, for
 * the Maildir writer, Landlock.
 *
 * mail, parse and maildir have a list of what is allowed; core and resolve,
 * whose libraries need much, a list of what is not. Nobody may start a program.
 */
#include "build.h"

#include "daemon/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/landlock.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <seccomp.h>

/* glibc loads a converter's module from a file and drops it when nobody uses
 * it: these stay open for the life of the process. */
static const char *const charsets[] = { "US-ASCII", "ISO-8859-1", "ISO-8859-2",
	"ISO-8859-3", "ISO-8859-4", "ISO-8859-5", "ISO-8859-6", "ISO-8859-7",
	"ISO-8859-8", "ISO-8859-9", "ISO-8859-10", "ISO-8859-13", "ISO-8859-14",
	"ISO-8859-15", "ISO-8859-16", "WINDOWS-1250", "WINDOWS-1251",
	"WINDOWS-1252", "WINDOWS-1253", "WINDOWS-1254", "WINDOWS-1255",
	"WINDOWS-1256", "WINDOWS-1257", "WINDOWS-1258", "KOI8-R", "KOI8-U",
	"TCVN5712-1", "VISCII", "GBK", "GB2312", "GB18030", "BIG5",
	"BIG5-HKSCS", "EUC-JP", "SHIFT_JIS", "CP932", "ISO-2022-JP",
	"ISO-2022-JP-2", "EUC-KR", "CP949", "ISO-2022-KR", "ISO-2022-CN", "HZ",
	"TIS-620", "WINDOWS-874", "UTF-7", "UTF-16", "UTF-32", "MACINTOSH",
	"IBM850", "IBM437" };
static iconv_t converters[sizeof(charsets) / sizeof(charsets[0])];

void
sandbox_preload(void)
{
	unsigned char some[16];
	size_t i;

	tzset();
	(void)OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS |
		OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
	    NULL);
	(void)RAND_bytes(some, sizeof(some));
	for (i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++)
		if (converters[i] == NULL)
			converters[i] = iconv_open("UTF-8", charsets[i]);
}

/* Sanitizers allocate, map and watch in ways of their own, and the leak checker
 * looks at its process from another one. */
#ifdef KITH_SANITIZERS
# define WIDE 1
#else
# define WIDE 0
#endif

#define CALLS(list) list, sizeof(list) / sizeof(list[0])

static const int calls_base[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(pread64),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendto),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(lseek),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getrandom),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(memfd_create),
	SCMP_SYS(ftruncate),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(dup),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(shutdown),
	SCMP_SYS(sysinfo),
	SCMP_SYS(getrusage),
	SCMP_SYS(setitimer),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(uname),
};

static const int calls_sockets[] = {
	SCMP_SYS(connect),
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
};

static const int calls_files[] = {
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),
	SCMP_SYS(link),
	SCMP_SYS(linkat),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(getdents64),
	SCMP_SYS(umask),
	SCMP_SYS(statx),
};

static const int calls_never[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(reboot),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(acct),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(setuid),
	SCMP_SYS(setgid),
	SCMP_SYS(setresuid),
	SCMP_SYS(setresgid),
	SCMP_SYS(setgroups),
	SCMP_SYS(ioperm),
	SCMP_SYS(iopl),
};

static const int calls_never_unwatched[] = {
	SCMP_SYS(ptrace),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(personality),
};

static int
filter_add(scmp_filter_ctx filter, uint32_t action, const int *calls,
    size_t count)
{
	int result = 0;
	size_t i;

	for (i = 0; i < count && result == 0; i++)
		result = seccomp_rule_add(filter, action, calls[i], 0);
	return result;
}

static scmp_filter_ctx
filter_of_what_is_never(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int result = -1;

	if (filter != NULL)
		result = filter_add(filter, SCMP_ACT_KILL_PROCESS,
		    CALLS(calls_never));
	if (result == 0 && !WIDE)
		result = filter_add(filter, SCMP_ACT_KILL_PROCESS,
		    CALLS(calls_never_unwatched));
	if (result != 0 && filter != NULL) {
		seccomp_release(filter);
		filter = NULL;
	}
	return filter;
}

static int
filter_add_memory(scmp_filter_ctx filter)
{
	int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

	if (result == 0)
		result =
		    seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect),
			1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (result == 0)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
		    SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, FIONREAD));
	return result;
}

/* What could reach another process of this user is left out: signals to others,
 * and F_SETOWN with F_SETSIG, which is the same. */
static int
filter_add_own(scmp_filter_ctx filter)
{
	static const uint64_t commands[] = { F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,
		F_SETFD, F_GETFL, F_SETFL, F_ADD_SEALS, F_GET_SEALS };
	int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill),
	    1, SCMP_A0(SCMP_CMP_EQ, (uint64_t)getpid()));
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]) && result == 0;
	     i++)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
		    SCMP_SYS(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, commands[i]));
	return result;
}

static int
filter_add_sockets(scmp_filter_ctx filter)
{
	static const uint64_t families[] = { AF_INET, AF_INET6 };
	int result = filter_add(filter, SCMP_ACT_ALLOW, CALLS(calls_sockets));
	size_t i;

	for (i = 0; i < 2 && result == 0; i++)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
		    SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, families[i]));
	return result;
}

static scmp_filter_ctx
filter_of_what_is_needed(enum sandbox_profile profile)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int result = -1;

	if (filter != NULL)
		result = filter_add(filter, SCMP_ACT_ALLOW, CALLS(calls_base));
	if (result == 0)
		result = filter_add_memory(filter);
	if (result == 0)
		result = filter_add_own(filter);
	if (result == 0 && profile == SANDBOX_MAIL)
		result = filter_add_sockets(filter);
	if (result == 0 && profile == SANDBOX_MAILDIR)
		result = filter_add(filter, SCMP_ACT_ALLOW, CALLS(calls_files));
	if (result != 0 && filter != NULL) {
		seccomp_release(filter);
		filter = NULL;
	}
	return filter;
}

static scmp_filter_ctx
filter_of(enum sandbox_profile profile)
{
	bool strict = profile == SANDBOX_PARSE || profile == SANDBOX_MAIL ||
	    profile == SANDBOX_MAILDIR;

	return strict && !WIDE ? filter_of_what_is_needed(profile)
			       : filter_of_what_is_never();
}

#define FOLDER_RIGHTS                                               \
 (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |    \
     LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |  \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER)

/* Everything below the folder, nothing elsewhere. Kernels without Landlock
 * leave it at the filter, and so does its first version, which forbids links
 * between folders: tmp to new is one. */
static int
landlock_enter(const char *folder)
{
	const struct landlock_ruleset_attr rights = {
		.handled_access_fs = FOLDER_RIGHTS | LANDLOCK_ACCESS_FS_EXECUTE
	};
	struct landlock_path_beneath_attr below = { .allowed_access =
							FOLDER_RIGHTS };
	long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	int rules, result = 0;

	if (version < 2)
		return 0;
	rules = (int)syscall(SYS_landlock_create_ruleset, &rights,
	    sizeof(rights), 0);
	if (rules < 0)
		return -errno;
	below.parent_fd = open(folder, O_PATH | O_CLOEXEC | O_DIRECTORY);
	if (below.parent_fd < 0 ||
	    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		&below, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    syscall(SYS_landlock_restrict_self, rules, 0) != 0)
		result = -errno;
	if (below.parent_fd >= 0)
		(void)close(below.parent_fd);
	(void)close(rules);
	return result;
}

int
sandbox_enter(enum sandbox_profile profile, const char *folder)
{
	scmp_filter_ctx filter;
	int result;

	if (profile == SANDBOX_NONE)
		return 0;
	if (folder != NULL && !WIDE) {
		result = landlock_enter(folder);
		if (result != 0)
			return result;
	}
	filter = filter_of(profile);
	if (filter == NULL)
		return -ENOMEM;
	/* threads that start() made are filtered too */
	result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (result == 0)
		result = seccomp_load(filter);
	seccomp_release(filter);
	return result;
}
