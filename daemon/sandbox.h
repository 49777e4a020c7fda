/* sandbox.h - what a role may still ask of the kernel once it has started.
 *
 * One profile per role: a seccomp filter over all threads, and Landlock for
 * the Maildir writer where the kernel has it. A call that is not in the
 * profile kills the process with SIGSYS, which the parent logs with the role's
 * name. Builds with sanitizers use a wider filter.
 */
#ifndef KITH_DAEMON_SANDBOX_H
#define KITH_DAEMON_SANDBOX_H

enum sandbox_profile {
	SANDBOX_NONE,
	SANDBOX_PARSE,	 /* memory and open descriptors only */
	SANDBOX_MAIL,	 /* sockets too, no files */
	SANDBOX_RESOLVE, /* sockets, files for reading */
	SANDBOX_MAILDIR, /* files below one folder, no sockets */
	SANDBOX_CORE,	 /* files and sockets, nothing started */
};

/* Before sandbox_enter: character sets, time zone, OpenSSL's tables are loaded
 * while files can still be opened. */
void sandbox_preload(void);
/* folder: of SANDBOX_MAILDIR, else NULL. 0 or negative errno. */
int sandbox_enter(enum sandbox_profile profile, const char *folder);

#endif
