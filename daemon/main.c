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

static void
usage(void)
{
	(void)fputs("usage: kithd [-dnTvV] [-f conf]\n", stderr);
}

int
main(int argc, char **argv)
{
	static const struct option long_options[] = { { "offline", no_argument,
							  NULL, 'o' },
		{ "restore", no_argument, NULL, 'r' }, { NULL, 0, NULL, 0 } };
	struct parent_options options = { .config_path = KITH_CONFIG_FILE };
	const struct role *alone = NULL;
	bool check = false;
	struct config *config;
	char *error;
	int option;

	if (argc == 3 && strcmp(argv[1], "--role") == 0)
		return main_role(argv[2]);
	while ((option = getopt_long(argc, argv, "dnTvVf:", long_options,
		    NULL)) != -1) {
		switch (option) {
		case 'd':
			options.own_user = true;
			break;
		case 'n':
			check = true;
			break;
		case 'T':
			options.test_clock = true;
			break;
		case 'v':
			options.verbose = true;
			break;
		case 'f':
			options.config_path = optarg;
			break;
		case 'o':
			alone = &core_role;
			break;
		case 'r':
			alone = &restore_role;
			break;
		case 'V':
			(void)printf("%s\n", PACKAGE_STRING);
			return 0;
		default:
			usage();
			return 2;
		}
	}
	if (optind != argc) {
		usage();
		return 2;
	}
	if (config_read(options.config_path, &config, &error) != 0) {
		(void)fprintf(stderr, "%s\n", error);
		free(error);
		return 1;
	}
	if (check) {
		int result = parent_files_check(config);

		config_free(&config);
		return result == 0 ? 0 : 1;
	}
	return alone != NULL ? main_alone(alone, config, &options)
			     : parent_run(config, &options);
}
