/* kithctl.c - the administrator's tool: sends words to kithd over the control
 * socket and prints the answer. What the words mean is kithd's business; here
 * is only what must happen on this side: files, standard input, folders.
 */
#include "build.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/control.h"
#include "tools/kithctl.h"

struct kithctl {
	const char *config_path;
	struct config *config;
	struct link link;
	bool json;
};

static void
usage(FILE *to)
{
	(void)fputs("usage: kithctl [-f conf] [--json] noun [verb] ...\n"
		    "       kithctl help [noun]   what there is; see kithctl(8)\n"
		    "       kithctl batch file    a command for each line\n",
	    to);
}

static const char *
word_at(const json_t *argv, size_t i)
{
	const char *word = json_string_value(json_array_get(argv, i));

	return word == NULL ? "" : word;
}

static bool
is_command(const json_t *argv, const char *noun, const char *verb)
{
	return strcmp(word_at(argv, 0), noun) == 0 &&
	    (verb == NULL || strcmp(word_at(argv, 1), verb) == 0);
}

/* ---- what is read on this side */

static int
read_stream(FILE *from, struct buffer *input)
{
	char *room;
	size_t got;

	while ((room = buffer_reserve(input, 65536)) != NULL &&
	    (got = fread(room, 1, 65536, from)) > 0)
		buffer_grown(input, got);
	if (buffer_failed(input))
		return -EFBIG;
	return ferror(from) ? -EIO : 0;
}

static int
read_file(const char *path, struct buffer *input)
{
	FILE *from;
	int result;

	if (strcmp(path, "-") == 0)
		return read_stream(stdin, input);
	from = fopen(path, "re");
	if (from == NULL)
		return -errno;
	result = read_stream(from, input);
	(void)fclose(from);
	return result;
}

/* A password is one line, and its end does not belong to it. */
static int
read_password(struct buffer *input)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len = getline(&line, &room, stdin);

	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (len > 0)
		buffer_append(input, line, (size_t)len);
	if (line != NULL)
		explicit_bzero(line, room);
	free(line);
	return len > 0 ? 0 : -ENODATA;
}

static bool
wants_password(const json_t *argv)
{
	size_t i;

	for (i = 2; i < json_array_size(argv); i++)
		if (strcmp(word_at(argv, i), "--password-stdin") == 0)
			return true;
	return is_command(argv, "member", "password");
}

/* backup DIR and restore DIR: kithd has another working folder. */
static int
make_absolute(json_t *argv)
{
	const char *path = word_at(argv, 1);
	char *here;
	json_t *whole;

	if (path[0] == '\0' || path[0] == '/' || path[0] == '-')
		return 0;
	here = getcwd(NULL, 0);
	if (here == NULL)
		return -errno;
	whole = json_sprintf("%s/%s", here, path);
	free(here);
	return whole != NULL && json_array_set_new(argv, 1, whole) == 0
	    ? 0
	    : -ENOMEM;
}

/* 0, or negative after an error was printed. */
static int
prepare(struct kithctl *kithctl, json_t *argv, struct buffer *input,
    const char *where)
{
	const char *what = "standard input";
	char text[512];
	int result = 0;

	if (is_command(argv, "backup", NULL) ||
	    is_command(argv, "restore", NULL)) {
		what = word_at(argv, 1);
		result = make_absolute(argv);
	} else if (is_command(argv, "subscription", "import") &&
	    json_array_size(argv) > 3 && word_at(argv, 3)[0] != '\0') {
		what = word_at(argv, 3);
		result = read_file(what, input);
	} else if (is_command(argv, "text", "set") &&
	    json_array_size(argv) > 3 && word_at(argv, 3)[0] != '\0') {
		what = word_at(argv, 3);
		result = read_file(what, input);
	} else if (is_command(argv, "ticket", "reply") ||
	    is_command(argv, "text", "set")) {
		result = read_stream(stdin, input);
	} else if (wants_password(argv)) {
		result = read_password(input);
	}
	if (result == 0)
		return 0;
	(void)snprintf(text, sizeof(text), "%s: %s", what,
	    result == -ENODATA ? "a password was expected, one line"
			       : strerror(-result));
	error_print(kithctl->json, where, "input", text);
	return result;
}

/* ---- commands */

static int
ask(struct kithctl *kithctl, json_t *argv, const char *where)
{
	struct answer answer;
	struct buffer input;
	int status = KITHCTL_REFUSED;

	buffer_init(&input, CONTROL_BYTES_MAX);
	if (prepare(kithctl, argv, &input, where) == 0) {
		if (link_ask(&kithctl->link, argv, &input, &answer) == 0) {
			status = answer_print(&answer, kithctl->json, where);
		} else {
			error_print(kithctl->json, where, "not-running",
			    "kithd ended before it answered; its log says why");
			status = KITHCTL_NOT_RUNNING;
		}
		answer_fini(&answer);
	}
	if (input.bytes != NULL)
		explicit_bzero(input.bytes, input.len);
	buffer_fini(&input);
	return status;
}

/* One line of a batch: KITHCTL_DONE for an empty one. */
static int
batch_line(struct kithctl *kithctl, const char *line, const char *where)
{
	const char *why = "";
	json_t *argv = words_split(line, &why);
	int status = KITHCTL_DONE;

	if (argv == NULL) {
		error_print(kithctl->json, where, CONTROL_USAGE, why);
		return KITHCTL_USAGE;
	}
	if (json_array_size(argv) > 0)
		status = ask(kithctl, argv, where);
	json_decref(argv);
	return status;
}

static int
batch(struct kithctl *kithctl, const char *path)
{
	FILE *from = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *line = NULL, where[256];
	size_t room = 0;
	unsigned number = 0;
	int status = KITHCTL_DONE;

	if (from == NULL) {
		(void)snprintf(where, sizeof(where), "%s: %s", path,
		    strerror(errno));
		error_print(kithctl->json, "", "input", where);
		return KITHCTL_REFUSED;
	}
	while (
	    status != KITHCTL_NOT_RUNNING && getline(&line, &room, from) >= 0) {
		int result;

		(void)snprintf(where, sizeof(where), "%s:%u: ", path, ++number);
		result = batch_line(kithctl, line, where);
		if (result != KITHCTL_DONE)
			status = result == KITHCTL_NOT_RUNNING
			    ? result
			    : KITHCTL_REFUSED;
	}
	free(line);
	if (from != stdin)
		(void)fclose(from);
	return status;
}

/* With kithd down only what needs no running service is done. */
static bool
works_offline(const json_t *argv)
{
	return is_command(argv, "restore", NULL) ||
	    is_command(argv, "check", NULL) || is_command(argv, "backup", NULL) ||
	    is_command(argv, "space", "compact");
}

static int
run(struct kithctl *kithctl, json_t *argv)
{
	char text[512];
	int result = link_open(&kithctl->link, kithctl->config->control_path);
	bool restores = is_command(argv, "restore", NULL);

	if (result == 0 && restores) {
		error_print(kithctl->json, "", "running",
		    "kithd is running: kithctl stop first, then restore into an "
		    "empty store");
		return KITHCTL_REFUSED;
	}
	if ((result == -ENOENT || result == -ECONNREFUSED) &&
	    works_offline(argv))
		result = link_open_offline(&kithctl->link,
		    restores ? "--restore" : "--offline", kithctl->config_path,
		    kithctl->config);
	if (result != 0) {
		(void)snprintf(text, sizeof(text),
		    "kithd is not running (%s: %s)",
		    kithctl->config->control_path, strerror(-result));
		error_print(kithctl->json, "", "not-running", text);
		return KITHCTL_NOT_RUNNING;
	}
	if (!is_command(argv, "batch", NULL))
		return ask(kithctl, argv, "");
	if (json_array_size(argv) == 2)
		return batch(kithctl, word_at(argv, 1));
	error_print(kithctl->json, "", CONTROL_USAGE,
	    "usage: kithctl batch FILE");
	return KITHCTL_USAGE;
}

/* Options before the noun are ours; --json is taken anywhere before "--". */
static int
parse_arguments(struct kithctl *kithctl, int argc, char **argv, json_t *words)
{
	bool ours = true, options = true;
	int i;

	for (i = 1; i < argc; i++) {
		json_t *word;

		if (options && strcmp(argv[i], "--json") == 0) {
			kithctl->json = true;
			continue;
		}
		if (ours && strcmp(argv[i], "-f") == 0 && i + 1 < argc) {
			kithctl->config_path = argv[++i];
			continue;
		}
		if (ours && argv[i][0] == '-')
			return -EINVAL;
		ours = false;
		if (strcmp(argv[i], "--") == 0)
			options = false;
		word = json_string(argv[i]);
		if (word == NULL)
			return -EILSEQ;
		(void)json_array_append_new(words, word);
	}
	return json_array_size(words) > 0 ? 0 : -EINVAL;
}

int
main(int argc, char **argv)
{
	struct kithctl kithctl = { .config_path = KITH_CONFIG_FILE };
	json_t *words = json_array();
	char *error = NULL;
	int status = KITHCTL_USAGE;

	if (argc == 2 && strcmp(argv[1], "-V") == 0) {
		(void)printf("%s\n", PACKAGE_STRING);
		json_decref(words);
		return KITHCTL_DONE;
	}
	if (argc == 2 &&
	    (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)) {
		usage(stdout);
		json_decref(words);
		return KITHCTL_DONE;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	switch (parse_arguments(&kithctl, argc, argv, words)) {
	case 0:
		break;
	case -EILSEQ:
		error_print(kithctl.json, "", CONTROL_USAGE,
		    "arguments must be UTF-8");
		goto out;
	default:
		usage(stderr);
		goto out;
	}
	if (config_read(kithctl.config_path, &kithctl.config, &error) != 0) {
		error_print(kithctl.json, "", "configuration", error);
		status = KITHCTL_REFUSED;
		goto out;
	}
	status = run(&kithctl, words);
	link_close(&kithctl.link);
out:
	free(error);
	config_free(&kithctl.config);
	json_decref(words);
	return status;
}
