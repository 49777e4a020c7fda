/* kith-deliver.c - hands the mail on standard input to kithd by LMTP, for MTAs
 * that deliver into a pipe. Exits as sysexits.h says, so that the MTA knows
 * whether to try again, to bounce, or that it is done.
 */
#include "build.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/config.h"
#include "protocol/dot.h"
#include "protocol/smtp.h"

#define DELIVER_SECONDS 300
#define DELIVER_INPUT   (UINT64_C(512) << 20) /* kithd's limit is the one */
#define DELIVER_BUFFER  8192u

struct deliver {
	int fd;
	const char *sender;
	char **recipients;
	int count;
	struct buffer mail; /* wire form */
	char input[DELIVER_BUFFER];
	size_t input_len;
	struct smtp_reply reply;
};

static int
usage(void)
{
	(void)fprintf(stderr,
	    "usage: kith-deliver [-f FILE | -s SOCKET | -s HOST:PORT] "
	    "[-r SENDER] RECIPIENT...\n");
	return EX_USAGE;
}

/* ---- where kithd listens */

static int
connect_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const void *any = &address;
	int fd;

	if (strlen(path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, any, sizeof address) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int
connect_host(const char *host, const char *port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list, *at;
	int fd = -1;

	if (getaddrinfo(host, port, &hints, &list) != 0) {
		errno = EHOSTUNREACH;
		return -1;
	}
	for (at = list; at != NULL && fd < 0; at = at->ai_next) {
		fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) < 0) {
			int error = errno;

			(void)close(fd);
			fd = -1;
			errno = error;
		}
	}
	freeaddrinfo(list);
	return fd;
}

/* "SOCKET" (with a slash) or "HOST:PORT", "[ADDRESS]:PORT". */
static int
connect_text(const char *where)
{
	const char *colon = strrchr(where, ':');
	char host[256];
	size_t len;

	if (strchr(where, '/') != NULL || colon == NULL)
		return connect_path(where);
	len = (size_t)(colon - where);
	if (len >= 2 && where[0] == '[' && where[len - 1] == ']') {
		where++;
		len -= 2;
	}
	if (len >= sizeof host) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(host, where, len);
	host[len] = '\0';
	return connect_host(host, colon + 1);
}

static int
connect_listener(const struct config_listener *listener)
{
	const char *host = "127.0.0.1";
	char port[16];

	if (listener->path != NULL)
		return connect_path(listener->path);
	/* what listens everywhere listens on the loopback too */
	if (listener->address_count > 0 &&
	    strcmp(listener->addresses[0], "0.0.0.0") != 0)
		host = strcmp(listener->addresses[0], "::") == 0
		    ? "::1"
		    : listener->addresses[0];
	(void)snprintf(port, sizeof port, "%u", listener->port);
	return connect_host(host, port);
}

static int
connect_config(const char *file)
{
	struct config *config;
	char *error = NULL;
	int fd = -1;
	size_t i;

	if (config_read(file, &config, &error) < 0) {
		(void)fprintf(stderr, "kith-deliver: %s\n",
		    error == NULL ? file : error);
		free(error);
		errno = 0; /* all is said */
		return -1;
	}
	errno = ENOENT;
	for (i = 0; i < config->listener_count && fd < 0; i++)
		if (config->listeners[i].protocol == LISTEN_LMTP)
			fd = connect_listener(&config->listeners[i]);
	config_free(&config);
	return fd;
}

/* ---- the mail */

static int
mail_read(struct buffer *out)
{
	struct buffer file;
	struct span text;
	const char *end;
	ssize_t got;
	char *room;

	buffer_init(&file, DELIVER_INPUT);
	for (;;) {
		room = buffer_reserve(&file, 65536);
		got = room == NULL ? -1 : read(STDIN_FILENO, room, 65536);
		if (got < 0 && errno == EINTR && room != NULL)
			continue;
		if (got <= 0)
			break;
		buffer_grown(&file, (size_t)got);
	}
	if (got < 0) {
		buffer_fini(&file);
		return -1;
	}
	text = buffer_span(&file);
	/* the separator of an mbox, not a header */
	if (text.len >= 5 && memcmp(text.bytes, "From ", 5) == 0 &&
	    (end = memchr(text.bytes, '\n', text.len)) != NULL)
		text = span_make(end + 1,
		    text.len - (size_t)(end + 1 - text.bytes));
	dot_from_file(out, text, NULL);
	buffer_fini(&file);
	return buffer_failed(out) ? -1 : 0;
}

/* ---- the dialogue */

static int
send_all(struct deliver *deliver, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t sent =
		    send(deliver->fd, bytes.bytes, bytes.len, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return -1;
		bytes = span_make(bytes.bytes + sent, bytes.len - (size_t)sent);
	}
	return 0;
}

/* The code of the next reply, 0 if the connection is of no use any more. */
static unsigned
reply_read(struct deliver *deliver)
{
	size_t used;
	ssize_t got;
	int rc;

	smtp_reply_init(&deliver->reply);
	for (;;) {
		rc = smtp_reply_read(&deliver->reply,
		    span_make(deliver->input, deliver->input_len), &used);
		if (rc < 0)
			return 0;
		memmove(deliver->input, deliver->input + used,
		    deliver->input_len - used);
		deliver->input_len -= used;
		if (rc > 0)
			return deliver->reply.code;
		if (used > 0)
			continue;
		if (deliver->input_len == sizeof deliver->input)
			return 0;
		got = recv(deliver->fd, deliver->input + deliver->input_len,
		    sizeof deliver->input - deliver->input_len, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return 0;
		deliver->input_len += (size_t)got;
	}
}

static unsigned
command(struct deliver *deliver, const char *verb, const char *argument,
    const char *end)
{
	struct buffer line;
	int rc;

	buffer_init(&line, SMTP_LINE_MAX);
	buffer_printf(&line, "%s%s%s\r\n", verb, argument, end);
	rc = buffer_failed(&line) ? -1 : send_all(deliver, buffer_span(&line));
	buffer_fini(&line);
	return rc < 0 ? 0 : reply_read(deliver);
}

/* The exit status that a reply means. */
static int
status_of(const struct smtp_reply *reply, unsigned code)
{
	if (code / 100 == 2 || code / 100 == 3)
		return EX_OK;
	if (code / 100 != 5)
		return EX_TEMPFAIL;
	if (reply->status[1] == 1)
		return EX_NOUSER;
	return reply->status[1] == 7 ? EX_NOPERM : EX_DATAERR;
}

/* Of two recipients' statuses: whatever makes the MTA try again comes first;
 * who has the mail already gets it once all the same. */
static int
status_worse(int a, int b)
{
	if (a == EX_TEMPFAIL || b == EX_TEMPFAIL)
		return EX_TEMPFAIL;
	return a != EX_OK ? a : b;
}

static int
complain(const struct deliver *deliver, unsigned code, const char *about)
{
	if (code == 0)
		(void)fprintf(stderr, "kith-deliver: %s: connection lost\n",
		    about);
	else
		(void)fprintf(stderr, "kith-deliver: %s: %u %s\n", about, code,
		    deliver->reply.text);
	return status_of(&deliver->reply, code);
}

/* Replies to the final dot, one per recipient that was accepted. */
static int
finish(struct deliver *deliver, char *const *accepted, int count)
{
	int status = EX_OK, i;
	unsigned code;

	for (i = 0; i < count; i++) {
		code = reply_read(deliver);
		if (code / 100 != 2)
			status = status_worse(status,
			    complain(deliver, code, accepted[i]));
		if (code == 0)
			return EX_TEMPFAIL;
	}
	(void)command(deliver, "QUIT", "", "");
	return status;
}

static int
transaction(struct deliver *deliver, char **accepted)
{
	int status = EX_OK, count = 0, i;
	unsigned code = reply_read(deliver);

	if (code != 220)
		return complain(deliver, code, "greeting");
	code = command(deliver, "LHLO ", "localhost", "");
	if (code != 250)
		return complain(deliver, code, "LHLO");
	code = command(deliver, "MAIL FROM:<", deliver->sender,
	    smtp_reply_offers(&deliver->reply, "SMTPUTF8", NULL)
		? "> BODY=8BITMIME SMTPUTF8"
		: ">");
	if (code != 250)
		return complain(deliver, code, "sender");
	for (i = 0; i < deliver->count; i++) {
		code =
		    command(deliver, "RCPT TO:<", deliver->recipients[i], ">");
		if (code == 250 || code == 251)
			accepted[count++] = deliver->recipients[i];
		else
			status = status_worse(status,
			    complain(deliver, code, deliver->recipients[i]));
		if (code == 0)
			return EX_TEMPFAIL;
	}
	if (count == 0) {
		(void)command(deliver, "QUIT", "", "");
		return status;
	}
	code = command(deliver, "DATA", "", "");
	if (code != 354)
		return status_worse(status, complain(deliver, code, "DATA"));
	if (send_all(deliver, buffer_span(&deliver->mail)) < 0 ||
	    send_all(deliver, span_of(".\r\n")) < 0)
		return complain(deliver, 0, "data");
	return status_worse(status, finish(deliver, accepted, count));
}

/* ---- arguments */

static bool
is_address(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || *text == '<' ||
		    *text == '>' || *text == 127)
			return false;
	return true;
}

static int
run(struct deliver *deliver, const char *where, const char *file)
{
	const struct timeval patience = { DELIVER_SECONDS, 0 };
	char **accepted;
	int status;

	if (mail_read(&deliver->mail) < 0) {
		(void)fprintf(stderr,
		    "kith-deliver: the mail cannot be read\n");
		return EX_TEMPFAIL;
	}
	deliver->fd =
	    where != NULL ? connect_text(where) : connect_config(file);
	if (deliver->fd < 0) {
		/* EX_UNAVAILABLE would make an MTA bounce what a restart of
		 * kithd, or a corrected file, can still deliver */
		if (errno != 0)
			(void)fprintf(stderr, "kith-deliver: %s: %s\n",
			    where != NULL ? where : file, strerror(errno));
		return EX_TEMPFAIL;
	}
	(void)setsockopt(deliver->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof patience);
	(void)setsockopt(deliver->fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
	    sizeof patience);
	accepted = calloc((size_t)deliver->count, sizeof *accepted);
	status =
	    accepted == NULL ? EX_TEMPFAIL : transaction(deliver, accepted);
	free(accepted);
	(void)close(deliver->fd);
	return status;
}

int
main(int argc, char **argv)
{
	static struct deliver deliver;
	const char *file = KITH_CONFIG_FILE, *where = NULL;
	const char *sender = getenv("SENDER");
	int option, i, status;

	while ((option = getopt(argc, argv, "f:r:s:")) != -1) {
		switch (option) {
		case 'f':
			file = optarg;
			break;
		case 'r':
			sender = optarg;
			break;
		case 's':
			where = optarg;
			break;
		default:
			return usage();
		}
	}
	if (optind == argc)
		return usage();
	deliver.sender =
	    sender == NULL || strcmp(sender, "<>") == 0 ? "" : sender;
	deliver.recipients = argv + optind;
	deliver.count = argc - optind;
	for (i = 0; i < deliver.count; i++)
		if (!is_address(deliver.recipients[i]))
			return usage();
	if (!is_address(deliver.sender))
		return usage();
	buffer_init(&deliver.mail, 0);
	status = run(&deliver, where, file);
	buffer_fini(&deliver.mail);
	return status;
}
