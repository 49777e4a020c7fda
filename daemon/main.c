/* main.c - kithd: takes its role and runs it.
 */
#include "build.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/parent.h"
#include "daemon/parent_files.h"
#include "daemon/role.h"

#define CHANNEL_FD 3

static const struct role *const roles[] = {
	&core_role,
	&mail_role,
	&feed_role,
	&parse_role,
	&maildir_role,
	&resolve_role,
};

/* kithd --role NAME: what the parent starts. */
static int
main_role(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(roles[i]->name, name) == 0)
			return role_run(roles[i], CHANNEL_FD);
	return EX_USAGE;
}

static int
drop_to(const char *name)
{
	const struct passwd *user;

	if (geteuid() != 0)
		return 0;
	user = getpwnam(name);
	if (user == NULL || setgroups(0, NULL) != 0 ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0) {
		log_err("cannot become user %s", name);
		return -EPERM;
	}
	return 0;
}

/* kithd --offline, --restore: a role alone, with one client on the inherited
 * descriptor; kithctl starts it when kithd does not run. Takes the
 * configuration. */
static int
main_alone(const struct role *role, struct config *config,
    const struct parent_options *options)
{
	struct role_start *start = calloc(1, sizeof(*start));

	log_start("offline", LOG_LEVEL_WARNING);
	config->log_level =
	    options->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING;
	if (start == NULL ||
	    (!options->own_user && drop_to(config->user) != 0)) {
		free(start);
		config_free(&config);
		return EX_NOPERM;
	}
	start->config = config;
	start->control_fd = CHANNEL_FD;
	start->flags =
	    ROLE_OFFLINE | (options->test_clock ? ROLE_TEST_CLOCK : 0);
	return role_run_alone(role, start);
}

struct command_line {
	struct parent_options options;
	const struct role *alone; /* NULL: the daemon */
	bool check;
	bool version;
};

/* False: it is not understood. */
static bool
command_line_read(int argc, char **argv, struct command_line *line)
{
	static const struct option long_options[] = { { "offline", no_argument,
							  NULL, 'o' },
		{ "restore", no_argument, NULL, 'r' }, { NULL, 0, NULL, 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "dnTvVf:", long_options,
		    NULL)) != -1) {
		switch (option) {
		case 'd':
			line->options.own_user = true;
			break;
		case 'n':
			line->check = true;
			break;
		case 'T':
			line->options.test_clock = true;
			break;
		case 'v':
			line->options.verbose = true;
			break;
		case 'f':
			line->options.config_path = optarg;
			break;
		case 'o':
			line->alone = &core_role;
			break;
		case 'r':
			line->alone = &restore_role;
			break;
		case 'V':
			line->version = true;
			return true;
		default:
			return false;
		}
	}
	return optind == argc;
}

/* kithd -n. Takes the configuration. */
static int
main_check(struct config *config)
{
	int result = parent_files_check(config);

	config_free(&config);
	return result == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct command_line line = { .options = {
					 .config_path = KITH_CONFIG_FILE } };
	struct config *config;
	char *error;

	if (argc == 3 && strcmp(argv[1], "--role") == 0)
		return main_role(argv[2]);
	if (!command_line_read(argc, argv, &line)) {
		(void)fputs("usage: kithd [-dnTvV] [-f conf]\n", stderr);
		return 2;
	}
	if (line.version) {
		(void)printf("%s\n", PACKAGE_STRING);
		return 0;
	}
	if (config_read(line.options.config_path, &config, &error) != 0) {
		(void)fprintf(stderr, "%s\n", error);
		free(error);
		return 1;
	}
	if (line.check)
		return main_check(config);
	return line.alone != NULL
	    ? main_alone(line.alone, config, &line.options)
	    : parent_run(config, &line.options);
}
