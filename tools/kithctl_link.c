/* kithctl_link.c - the connection to kithd: the running one, or one that is
 * started for this purpose behind the same protocol.
 */
#include "build.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/config.h"
#include "tools/kithctl.h"

#define CHANNEL_FD 3
#define BYTES_MAX  (1024 * 1024 * 1024)

static int
link_adopt(struct link *link, int fd)
{
	int other = dup(fd);

	link->in = fdopen(fd, "r");
	link->out = other < 0 ? NULL : fdopen(other, "w");
	return link->in == NULL || link->out == NULL ? -ENOMEM : 0;
}

int
link_open(struct link *link, const char *path)
{
	union {
		struct sockaddr any;
		struct sockaddr_un un;
	} address = { .un = { .sun_family = AF_UNIX } };
	int fd;

	memset(link, 0, sizeof(*link));
	if (strlen(path) >= sizeof(address.un.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.un.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, &address.any, sizeof(address.un)) != 0) {
		int error = errno;

		(void)close(fd);
		return -error;
	}
	return link_adopt(link, fd);
}

/* Beside us, as in a build folder, or where it was installed. */
static void
find_kithd(char *path, size_t room)
{
	static const char *const places[] = { "kithd", "../sbin/kithd" };
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;
	size_t i;

	if (len > 0) {
		self[len] = '\0';
		slash = strrchr(self, '/');
		if (slash != NULL)
			slash[1] = '\0';
		for (i = 0; i < 2; i++) {
			int need =
			    snprintf(path, room, "%s%s", self, places[i]);

			if (need > 0 && (size_t)need < room &&
			    access(path, X_OK) == 0)
				return;
		}
	}
	(void)snprintf(path, room, "%s", KITHD_PATH);
}

/* A store that belongs to root, or will lie in a folder of root's, is one of
 * kithd -d. */
static bool
store_is_roots(const struct config *config)
{
	char *path = strdup(config->store_directory), *slash;
	struct stat st;
	bool roots = false;

	if (path != NULL && stat(path, &st) != 0) {
		slash = strrchr(path, '/');
		if (slash != NULL)
			slash[slash == path ? 1 : 0] = '\0';
		roots = stat(path, &st) == 0 && st.st_uid == 0;
	} else {
		roots = path != NULL && st.st_uid == 0;
	}
	free(path);
	return roots;
}

int
link_open_offline(struct link *link, const char *mode, const char *config_path,
    const struct config *config)
{
	char kithd[PATH_MAX], flag[] = "-df";
	int fds[2];
	pid_t pid;

	memset(link, 0, sizeof(*link));
	if (!store_is_roots(config))
		memcpy(flag, "-f", 3);
	find_kithd(kithd, sizeof(kithd));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		if (fds[1] == CHANNEL_FD ? fcntl(CHANNEL_FD, F_SETFD, 0) < 0
					 : dup2(fds[1], CHANNEL_FD) < 0)
			_exit(127);
		(void)execl(kithd, "kithd", mode, flag, config_path,
		    (char *)NULL);
		(void)dprintf(STDERR_FILENO, "kithctl: %s: %s\n", kithd,
		    strerror(errno));
		_exit(127);
	}
	(void)close(fds[1]);
	if (pid < 0) {
		(void)close(fds[0]);
		return -EAGAIN;
	}
	link->offline = pid;
	return link_adopt(link, fds[0]);
}

void
link_close(struct link *link)
{
	int status;

	if (link->in != NULL)
		(void)fclose(link->in);
	if (link->out != NULL)
		(void)fclose(link->out);
	if (link->offline != 0)
		(void)waitpid(link->offline, &status, 0);
	memset(link, 0, sizeof(*link));
}

/* ---- asking */

static int
send_request(struct link *link, json_t *argv, const struct buffer *input)
{
	json_t *request = json_pack("{s:O}", "argv", argv);
	char *line;
	int result = -EIO;

	if (input->len > 0)
		(void)json_object_set_new(request, "bytes",
		    json_integer((json_int_t)input->len));
	line = json_dumps(request, JSON_COMPACT);
	if (line != NULL && fputs(line, link->out) != EOF &&
	    fputc('\n', link->out) != EOF &&
	    (input->len == 0 ||
		fwrite(input->bytes, 1, input->len, link->out) == input->len) &&
	    fflush(link->out) == 0)
		result = 0;
	free(line);
	json_decref(request);
	return result;
}

static int
read_bytes(struct link *link, struct answer *answer)
{
	json_int_t len =
	    json_integer_value(json_object_get(answer->last, "bytes"));

	if (len <= 0)
		return 0;
	if (len > BYTES_MAX)
		return -EPROTO;
	answer->bytes = malloc((size_t)len);
	if (answer->bytes == NULL)
		return -ENOMEM;
	answer->len = (size_t)len;
	return fread(answer->bytes, 1, answer->len, link->in) == answer->len
	    ? 0
	    : -EIO;
}

int
link_ask(struct link *link, json_t *argv, const struct buffer *input,
    struct answer *answer)
{
	char *line = NULL;
	size_t room = 0;
	int result = send_request(link, argv, input);
	ssize_t len;

	memset(answer, 0, sizeof(*answer));
	answer->rows = json_array();
	while (result == 0 && answer->last == NULL) {
		json_t *said = NULL, *row;

		len = getline(&line, &room, link->in);
		if (len > 0)
			said = json_loadb(line, (size_t)len, 0, NULL);
		row = json_object_get(said, "row");
		if (said == NULL)
			result = -EIO;
		else if (row != NULL)
			(void)json_array_append(answer->rows, row);
		else
			answer->last = json_incref(said);
		json_decref(said);
	}
	free(line);
	return result == 0 ? read_bytes(link, answer) : result;
}

void
answer_fini(struct answer *answer)
{
	json_decref(answer->last);
	json_decref(answer->rows);
	free(answer->bytes);
}
