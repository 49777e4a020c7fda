/* kith-import.c - old messages into a space: an mbox file, a Maildir, or standard
 * input. Speaks to kithd over the control socket, some messages ahead of the
 * answers; what kithd has already is a duplicate, so that an import that was
 * broken off can be run again.
 */
#include "build.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/control.h"
#include "protocol/mbox.h"
#include "tools/kithctl.h"

#define IMPORT_AHEAD   32u /* messages sent and not yet answered */
#define IMPORT_CHUNK   65536u
#define IMPORT_SAID    10u /* refusals that are told one by one */
#define IMPORT_MESSAGE CONTROL_BYTES_MAX
#define BAR_WIDTH      40u

struct import {
	const char *config_path;
	const char *space;
	const char *source;
	unsigned flags; /* of mbox */
	struct config *config;
	struct link link;
	unsigned ahead;
	unsigned long read, stored, duplicate, refused;
	uint64_t bytes_done, bytes_all; /* of the source, 0: not known */
	bool bar;
	unsigned shown; /* percent */
	bool failed;    /* the connection, or kithd gave up */
};

static void
usage(void)
{
	(void)fputs("usage: kith-import [-r] [-f conf] SPACE FILE-OR-MAILDIR\n",
	    stderr);
}

/* ---- progress */

static void
bar_show(struct import *import)
{
	unsigned percent = import->bytes_all == 0
	    ? 0
	    : (unsigned)(import->bytes_done * 100 / import->bytes_all);
	unsigned full;

	if (!import->bar || percent == import->shown)
		return;
	import->shown = percent;
	full = percent * BAR_WIDTH / 100;
	(void)fprintf(stderr, "\r[");
	for (unsigned i = 0; i < BAR_WIDTH; i++)
		(void)fputc(i < full ? '#' : ' ', stderr);
	(void)fprintf(stderr, "] %3u%% %lu", percent, import->read);
}

static void
bar_end(const struct import *import)
{
	if (import->bar)
		(void)fprintf(stderr, "\r%*s\r", (int)BAR_WIDTH + 24, "");
}

/* ---- asking */

static int
request_send(struct import *import, struct span message)
{
	json_t *request = json_pack("{s:[s,s], s:I}", "argv", "import",
	    import->space, "bytes", (json_int_t)message.len);
	char *line = request == NULL ? NULL : json_dumps(request, JSON_COMPACT);
	int rc = -EIO;

	if (line != NULL && fputs(line, import->link.out) != EOF &&
	    fputc('\n', import->link.out) != EOF &&
	    fwrite(message.bytes, 1, message.len, import->link.out) ==
		message.len)
		rc = 0;
	free(line);
	json_decref(request);
	return rc;
}

static void
refusal_say(struct import *import, const char *reason, const char *detail)
{
	bar_end(import);
	if (import->refused <= IMPORT_SAID)
		(void)fprintf(stderr, "kith-import: message %lu: %s%s%s\n",
		    import->stored + import->duplicate + import->refused,
		    reason, detail[0] != '\0' ? ": " : "", detail);
}

static int
answer_judge(struct import *import, const json_t *answer)
{
	const json_t *result = json_object_get(answer, "result");
	const char *outcome =
	    json_string_value(json_object_get(result, "outcome"));
	const char *error = json_string_value(json_object_get(answer, "error"));
	const char *reason =
	    json_string_value(json_object_get(result, "reason"));
	const char *detail =
	    json_string_value(json_object_get(result, "detail"));

	if (outcome == NULL) {
		bar_end(import);
		(void)fprintf(stderr, "kith-import: %s\n",
		    error == NULL ? "kithd gave no answer" : error);
		return -EIO;
	}
	if (strcmp(outcome, "stored") == 0) {
		import->stored++;
	} else if (strcmp(outcome, "duplicate") == 0) {
		import->duplicate++;
	} else {
		import->refused++;
		refusal_say(import, reason == NULL ? "refused" : reason,
		    detail == NULL ? "" : detail);
	}
	return 0;
}

static int
answer_read(struct import *import)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	json_t *answer = NULL;
	int rc;

	if (fflush(import->link.out) != 0)
		return -EIO;
	len = getline(&line, &room, import->link.in);
	if (len > 0)
		answer = json_loadb(line, (size_t)len, 0, NULL);
	import->ahead--;
	rc = answer_judge(import, answer);
	json_decref(answer);
	free(line);
	return rc;
}

static int
message_import(struct import *import, struct span message)
{
	int rc = request_send(import, message);

	import->read++;
	import->ahead++;
	while (rc == 0 && import->ahead >= IMPORT_AHEAD)
		rc = answer_read(import);
	bar_show(import);
	if (rc != 0)
		import->failed = true;
	return rc;
}

static int
import_finish(struct import *import)
{
	int rc = 0;

	while (rc == 0 && import->ahead > 0)
		rc = answer_read(import);
	if (rc != 0)
		import->failed = true;
	return rc;
}

/* ---- mbox */

static int
mbox_visit(void *arg, const struct mbox_message *message)
{
	struct import *import = arg;

	if (message->bytes.len == 0)
		return 0;
	if (message->too_large) {
		import->read++;
		import->refused++;
		refusal_say(import, "too-large", "above 64 MB");
		return 0;
	}
	return message_import(import, message->bytes);
}

static int
import_mbox(struct import *import, FILE *from)
{
	struct mbox *mbox =
	    mbox_new(IMPORT_MESSAGE, import->flags, mbox_visit, import);
	char *chunk = malloc(IMPORT_CHUNK);
	size_t got;
	int rc = mbox == NULL || chunk == NULL ? -ENOMEM : 0;

	while (rc == 0 && (got = fread(chunk, 1, IMPORT_CHUNK, from)) > 0) {
		import->bytes_done += got;
		rc = mbox_feed(mbox, span_make(chunk, got));
	}
	if (rc == 0 && ferror(from))
		rc = -EIO;
	if (rc == 0)
		rc = mbox_finish(mbox);
	mbox_free(&mbox);
	free(chunk);
	return rc;
}

/* ---- Maildir */

struct names {
	char **items; /* paths below the Maildir */
	size_t count;
	size_t room;
};

static int
names_add(struct names *names, const char *folder, const char *name)
{
	size_t len = strlen(folder) + strlen(name) + 2;
	char **items, *path;

	if (names->count == names->room) {
		size_t room = names->room == 0 ? 256 : names->room * 2;

		items = realloc(names->items, room * sizeof *items);
		if (items == NULL)
			return -ENOMEM;
		names->items = items;
		names->room = room;
	}
	path = malloc(len);
	if (path == NULL)
		return -ENOMEM;
	(void)snprintf(path, len, "%s/%s", folder, name);
	names->items[names->count++] = path;
	return 0;
}

static int
names_read(struct names *names, const char *maildir, const char *folder)
{
	char path[4096];
	struct dirent *entry;
	int rc = 0;
	DIR *dir;

	(void)snprintf(path, sizeof path, "%s/%s", maildir, folder);
	dir = opendir(path);
	if (dir == NULL)
		return errno == ENOENT ? 0 : -errno;
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			rc = names_add(names, folder, entry->d_name);
	(void)closedir(dir);
	return rc;
}

/* File names begin with the time of delivery; the folder is no matter. */
static int
names_compare(const void *a, const void *b)
{
	const char *one = *(char *const *)a, *two = *(char *const *)b;
	long first = strtol(strchr(one, '/') + 1, NULL, 10);
	long second = strtol(strchr(two, '/') + 1, NULL, 10);

	if (first != second)
		return first < second ? -1 : 1;
	return strcmp(strchr(one, '/'), strchr(two, '/'));
}

static int
import_file(struct import *import, const char *name)
{
	char path[4096];
	struct buffer message;
	size_t got = 1;
	char *room;
	FILE *from;
	int rc = 0;

	(void)snprintf(path, sizeof path, "%s/%s", import->source, name);
	from = fopen(path, "re");
	if (from == NULL)
		return errno == ENOENT ? 0 : -errno; /* moved meanwhile */
	buffer_init(&message, IMPORT_MESSAGE);
	while (got > 0 &&
	    (room = buffer_reserve(&message, IMPORT_CHUNK)) != NULL) {
		got = fread(room, 1, IMPORT_CHUNK, from);
		buffer_grown(&message, got);
	}
	if (ferror(from)) {
		rc = -EIO;
	} else if (buffer_failed(&message)) {
		import->read++;
		import->refused++;
		refusal_say(import, "too-large", name);
	} else if (message.len > 0) {
		rc = message_import(import, buffer_span(&message));
	}
	buffer_fini(&message);
	(void)fclose(from);
	return rc;
}

static int
import_maildir(struct import *import)
{
	struct names names = { 0 };
	int rc = names_read(&names, import->source, "cur");

	if (rc == 0)
		rc = names_read(&names, import->source, "new");
	if (rc == 0 && names.count > 0)
		qsort(names.items, names.count, sizeof(char *), names_compare);
	import->bytes_all = names.count;
	for (size_t i = 0; i < names.count; i++) {
		if (rc == 0)
			rc = import_file(import, names.items[i]);
		import->bytes_done = i + 1;
		free(names.items[i]);
	}
	free(names.items);
	return rc;
}

/* ---- */

static int
import_source(struct import *import)
{
	struct stat st;
	FILE *from;
	int rc;

	if (strcmp(import->source, "-") == 0)
		return import_mbox(import, stdin);
	if (stat(import->source, &st) != 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return import_maildir(import);
	from = fopen(import->source, "re");
	if (from == NULL)
		return -errno;
	import->bytes_all = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	rc = import_mbox(import, from);
	(void)fclose(from);
	return rc;
}

static int
import_open(struct import *import)
{
	char *error = NULL;
	int rc = config_read(import->config_path, &import->config, &error);

	if (rc < 0) {
		(void)fprintf(stderr, "kith-import: %s\n",
		    error == NULL ? strerror(-rc) : error);
		free(error);
		return EX_CONFIG;
	}
	if (link_open(&import->link, import->config->control_path) != 0) {
		link_close(&import->link);
		if (link_open_offline(&import->link, "--offline",
			import->config_path, import->config) != 0) {
			(void)fputs("kith-import: kithd is not running\n",
			    stderr);
			return EX_UNAVAILABLE;
		}
	}
	return 0;
}

static int
import_run(struct import *import)
{
	int status = import_open(import), rc;

	if (status == 0) {
		rc = import_source(import);
		if (!import->failed)
			(void)import_finish(import);
		bar_end(import);
		if (rc == -EBADMSG)
			(void)fprintf(stderr,
			    "kith-import: %s: not an mbox file: it must begin "
			    "with a line \"From \"\n",
			    import->source);
		else if (rc != 0 && !import->failed)
			(void)fprintf(stderr, "kith-import: %s: %s\n",
			    import->source, strerror(-rc));
		(void)
		    printf("%lu read, %lu stored, %lu duplicate, %lu refused\n",
			import->read, import->stored, import->duplicate,
			import->refused);
		status = rc != 0 || import->failed || import->refused > 0;
	}
	link_close(&import->link);
	config_free(&import->config);
	return status;
}

int
main(int argc, char **argv)
{
	struct import import = { .config_path = KITH_CONFIG_FILE };
	int option;

	while ((option = getopt(argc, argv, "f:r")) != -1)
		switch (option) {
		case 'f':
			import.config_path = optarg;
			break;
		case 'r':
			import.flags |= MBOX_UNQUOTE;
			break;
		default:
			usage();
			return 2;
		}
	if (argc - optind != 2) {
		usage();
		return 2;
	}
	import.space = argv[optind];
	import.source = argv[optind + 1];
	(void)signal(SIGPIPE, SIG_IGN);
	import.bar = isatty(STDERR_FILENO) != 0;
	import.shown = 1000;
	return import_run(&import);
}
