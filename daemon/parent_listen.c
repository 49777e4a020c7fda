/* parent_listen.c - binds what a configuration listens on.
 */
#include "build.h"

#include "daemon/parent_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/log.h"

#define BACKLOG 1024

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static socklen_t
address_of(const char *text, unsigned port, union address *address)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &address->in.sin_addr) == 1) {
		address->in.sin_family = AF_INET;
		address->in.sin_port = htons((uint16_t)port);
		return sizeof(address->in);
	}
	(void)inet_pton(AF_INET6, text, &address->in6.sin6_addr);
	address->in6.sin6_family = AF_INET6;
	address->in6.sin6_port = htons((uint16_t)port);
	return sizeof(address->in6);
}

static int
listen_ip(const char *text, unsigned port)
{
	union address address;
	socklen_t len = address_of(text, port, &address);
	int fd = socket(address.any.sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* "::" beside "0.0.0.0" must not claim IPv4 too */
	if (address.any.sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
		    sizeof(one));
	if (bind(fd, &address.any, len) != 0 || listen(fd, BACKLOG) != 0) {
		int error = errno;

		(void)close(fd);
		return -error;
	}
	return fd;
}

/* A socket file that nobody answers on is left from a crash. */
static int
remove_stale(const union address *address)
{
	struct stat st;
	int fd, result = 0;

	if (lstat(address->un.sun_path, &st) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, &address->any, sizeof(address->un)) == 0 ||
	    errno == EAGAIN)
		result = -EADDRINUSE;
	else if (errno == ECONNREFUSED)
		result = unlink(address->un.sun_path) == 0 ? 0 : -errno;
	else
		result = -errno;
	(void)close(fd);
	return result;
}

static int
listen_unix(const char *path, unsigned mode, uid_t uid, gid_t gid)
{
	union address address;
	int fd, result;
	mode_t before;

	memset(&address, 0, sizeof(address));
	address.un.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address.un.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.un.sun_path, path, strlen(path));
	result = remove_stale(&address);
	if (result != 0)
		return result;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* nobody gets in before owner and mode are right */
	before = umask(0777);
	result = bind(fd, &address.any, sizeof(address.un)) == 0 ? 0 : -errno;
	(void)umask(before);
	if (result == 0 && geteuid() == 0 && chown(path, uid, gid) != 0)
		result = -errno;
	if (result == 0 && (chmod(path, mode) != 0 || listen(fd, BACKLOG) != 0))
		result = -errno;
	if (result != 0) {
		(void)close(fd);
		return result;
	}
	return fd;
}

static int
sockets_add(struct parent_sockets *sockets, unsigned index, int fd)
{
	if (fd < 0)
		return fd;
	if (sockets->count == PARENT_SOCKETS_MAX) {
		(void)close(fd);
		return -E2BIG;
	}
	sockets->list[sockets->count++] = (struct role_listener){ index, fd };
	return 0;
}

static int
listen_one(const struct config_listener *listener, unsigned index, uid_t uid,
    gid_t gid, struct parent_sockets *sockets)
{
	int result = 0;
	size_t i;

	if (listener->path != NULL) {
		result = sockets_add(sockets, index,
		    listen_unix(listener->path, listener->mode, uid, gid));
		if (result != 0)
			log_err("cannot listen on %s: %s", listener->path,
			    strerror(-result));
		return result;
	}
	for (i = 0; i < listener->address_count && result == 0; i++) {
		result = sockets_add(sockets, index,
		    listen_ip(listener->addresses[i], listener->port));
		if (result != 0)
			log_err("cannot listen on %s port %u: %s",
			    listener->addresses[i], listener->port,
			    strerror(-result));
	}
	return result;
}

int
parent_listen(const struct config *config, uid_t uid, gid_t gid,
    struct parent_sockets *sockets)
{
	size_t i;
	int result;

	sockets->count = 0;
	/* first: who cannot have it runs beside another kithd */
	result = sockets_add(sockets, ROLE_CONTROL,
	    listen_unix(config->control_path, 0660, uid, gid));
	if (result != 0)
		log_err("cannot listen on %s: %s", config->control_path,
		    strerror(-result));
	for (i = 0; i < config->listener_count && result == 0; i++)
		result = listen_one(&config->listeners[i], (unsigned)i, uid,
		    gid, sockets);
	if (result != 0 && sockets->count > 0)
		parent_listen_close(config, sockets);
	return result;
}

void
parent_listen_close(const struct config *config, struct parent_sockets *sockets)
{
	while (sockets->count > 0) {
		const struct role_listener *socket =
		    &sockets->list[--sockets->count];
		const char *path = socket->index == ROLE_CONTROL
		    ? config->control_path
		    : config->listeners[socket->index].path;

		if (path != NULL)
			(void)unlink(path);
		(void)close(socket->fd);
	}
}
