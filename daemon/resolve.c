/* resolve.c - the role that looks up the names of the smarthost and of the
 * peers' servers: neither the parent nor mail nor feed may read files or parse
 * answers of name servers. One question at a time; it may block.
 */
#include "build.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/ipc.h"
#include "daemon/messages.h"
#include "daemon/role.h"

#define ADDRESSES_MAX 16u
#define HOST_ROOM     256

struct resolve {
	struct role_process *process;
	struct ipc *mail;
	struct ipc *feed;
};

static void
put_addresses(struct ipc_writer *answer, const struct addrinfo *list)
{
	const struct addrinfo *at;
	uint32_t count = 0;
	char text[NI_MAXHOST];

	for (at = list; at != NULL && count < ADDRESSES_MAX; at = at->ai_next)
		count++;
	ipc_put_u32(answer, count);
	for (at = list; count > 0; at = at->ai_next, count--) {
		if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof(text),
			NULL, 0, NI_NUMERICHOST) != 0)
			text[0] = '\0';
		ipc_put_text(answer, text);
	}
}

static void
resolve_answer(struct ipc *ipc, uint32_t request, struct ipc_reader *fields)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct ipc_writer *answer = ipc_writer_new(MESSAGE_RESOLVE);
	struct span name = ipc_get_bytes(fields);
	struct addrinfo *list = NULL;
	char host[HOST_ROOM];
	int error = EAI_NONAME;

	if (name.len > 0 && name.len < sizeof(host)) {
		memcpy(host, name.bytes, name.len);
		host[name.len] = '\0';
		error = getaddrinfo(host, NULL, &hints, &list);
	}
	ipc_put_u32(answer, (uint32_t)abs(error));
	if (error != 0) {
		ipc_put_text(answer, gai_strerror(error));
	} else {
		put_addresses(answer, list);
		freeaddrinfo(list);
	}
	(void)ipc_answer(ipc, request, answer);
}

static void
on_request(void *arg, struct ipc *ipc, uint16_t type, uint32_t request,
    struct ipc_reader *fields)
{
	(void)arg;
	if (type == MESSAGE_RESOLVE)
		resolve_answer(ipc, request, fields);
}

static const struct ipc_handler resolve_handler = { on_request, NULL };

static int
resolve_start(struct role_process *process, struct role_start *start,
    void **state_r)
{
	struct resolve *resolve = calloc(1, sizeof(*resolve));

	role_start_free(&start);
	if (resolve == NULL)
		return 1;
	resolve->process = process;
	*state_r = resolve;
	return 0;
}

static void
resolve_peer(void *state, const char *peer, int fd)
{
	struct resolve *resolve = state;
	struct ipc **ipc = NULL;

	if (strcmp(peer, "mail") == 0)
		ipc = &resolve->mail;
	else if (strcmp(peer, "feed") == 0)
		ipc = &resolve->feed;
	if (ipc == NULL) {
		(void)close(fd);
		return;
	}
	ipc_free(ipc);
	*ipc = ipc_new(role_base(resolve->process), fd, &resolve_handler,
	    resolve);
}

static void
resolve_free(void *state)
{
	struct resolve *resolve = state;

	ipc_free(&resolve->mail);
	ipc_free(&resolve->feed);
	free(resolve);
}

const struct role resolve_role = {
	.name = "resolve",
	.profile = SANDBOX_RESOLVE,
	.start = resolve_start,
	.peer = resolve_peer,
	.free = resolve_free,
};
