/* parse.c - the parse worker: one mail at a time from mail and from core, its
 * meaning back. Has no file, no network, no key. A mail that costs too much time
 * or memory kills the worker, and only the worker: who asked counts that.
 */
#include "build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/mail/parse_service.h"
#include "daemon/role.h"
#include "protocol/charset.h"

#define PARSE_MEMORY      (UINT64_C(1) << 30)
#define PARSE_PEERS       4u

struct parse {
	struct role_process *process;
	char *hostname;
	struct charset_set *charsets; /* open for as long as we live */
	struct {
		char *name;
		struct parse_service *service;
	} peers[PARSE_PEERS];
};

static void
role_peer(void *state, const char *peer, int fd)
{
	struct parse *parse = state;
	size_t i = 0;

	while (i < PARSE_PEERS && parse->peers[i].name != NULL &&
	    strcmp(parse->peers[i].name, peer) != 0)
		i++;
	if (i == PARSE_PEERS) {
		log_err("too many peers");
		role_exit(parse->process, EX_SOFTWARE);
		return;
	}
	if (parse->peers[i].name == NULL)
		parse->peers[i].name = strdup(peer);
	parse_service_free(&parse->peers[i].service);
	parse->peers[i].service = parse_service_new(
	    role_base(parse->process), fd, parse->hostname);
	if (parse->peers[i].service == NULL || parse->peers[i].name == NULL)
		role_exit(parse->process, EX_OSERR);
}

static void
role_free(void *state)
{
	struct parse *parse = state;
	size_t i;

	if (parse == NULL)
		return;
	for (i = 0; i < PARSE_PEERS; i++) {
		parse_service_free(&parse->peers[i].service);
		free(parse->peers[i].name);
	}
	charset_set_free(&parse->charsets);
	free(parse->hostname);
	free(parse);
}

static void
memory_limit(void)
{
#ifndef KITH_SANITIZERS /* their shadow is larger than any limit */
	const struct rlimit limit = { PARSE_MEMORY, PARSE_MEMORY };

	if (setrlimit(RLIMIT_AS, &limit) < 0)
		log_warning("no memory limit: %s", strerror(errno));
#endif
}

static int
role_start(struct role_process *process, struct role_start *start,
    void **state_r)
{
	struct parse *parse = calloc(1, sizeof *parse);

	if (parse != NULL) {
		parse->process = process;
		parse->hostname = strdup(start->config->hostname);
		parse->charsets = charset_preload();
	}
	role_start_free(&start);
	if (parse == NULL || parse->hostname == NULL ||
	    parse->charsets == NULL) {
		role_free(parse);
		return EX_OSERR;
	}
	memory_limit();
	*state_r = parse;
	return 0;
}

const struct role parse_role = {
	.name = "parse",
	.profile = SANDBOX_PARSE,
	.start = role_start,
	.peer = role_peer,
	.free = role_free,
};
