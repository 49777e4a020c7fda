/* config_read.c - reads kithd.conf with libconfuse and checks it.
 *
 * libconfuse knows the line only while it parses, so each option is checked
 * when it has been read, and its line is kept for the checks between options.
 */
#include "build.h"

#include "daemon/config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <confuse.h>

#include "daemon/config_rows.h"
#include "protocol/buffer.h"

#define ROWS_MAX     48
#define SECTIONS_MAX 12

/* One reading. libconfuse hands no context to its callbacks. */
struct reading {
	const char *path;
	char *error; /* the first one */
	int lines[ROWS_MAX];
	int listener_line;
};
static _Thread_local struct reading *reading;

__attribute__((format(printf, 3, 0))) static void
reading_vfail(struct reading *r, int line, const char *format, va_list args)
{
	struct buffer text;

	if (r->error != NULL)
		return;
	buffer_init(&text, 0);
	buffer_printf(&text, "%s:%d: ", r->path, line > 0 ? line : 1);
	buffer_vprintf(&text, format, args);
	r->error = buffer_take(&text, NULL);
}

__attribute__((format(printf, 3, 4))) static void
reading_fail(struct reading *r, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	reading_vfail(r, line, format, args);
	va_end(args);
}

__attribute__((format(printf, 2, 0))) static void
on_error(cfg_t *cfg, const char *format, va_list args)
{
	reading_vfail(reading, cfg == NULL ? 0 : cfg->line, format, args);
}

/* ---- single options */

static size_t
choice_find(const char *const *choices, const char *word)
{
	size_t i = 0;

	while (choices[i] != NULL && strcasecmp(choices[i], word) != 0)
		i++;
	return i;
}

static void
fail_choice(int line, const char *name, const char *const *choices)
{
	struct buffer list;
	size_t i;

	buffer_init(&list, 0);
	for (i = 0; choices[i] != NULL; i++)
		buffer_printf(&list, "%s\"%s\"", i == 0 ? "" : ", ",
		    choices[i]);
	reading_fail(reading, line, "%s: expected one of %s", name,
	    buffer_text(&list));
	buffer_fini(&list);
}

static const struct config_row *
row_find(const char *section, const char *name, size_t *index_r)
{
	size_t i;

	for (i = 0; i < config_row_count; i++) {
		const struct config_row *row = &config_rows[i];

		if (strcmp(row->name, name) != 0 ||
		    (row->section == NULL) != (section == NULL))
			continue;
		if (section != NULL && strcmp(row->section, section) != 0)
			continue;
		*index_r = i;
		return row;
	}
	return NULL;
}

static int
check_number(int line, const struct config_row *row, long value)
{
	if (value >= 0 && (uint64_t)value >= row->min &&
	    (uint64_t)value <= row->max)
		return 0;
	reading_fail(reading, line,
	    "%s: expected a number from %" PRIu64 " to %" PRIu64, row->name,
	    row->min, row->max);
	return -1;
}

static int
check_text(int line, const struct config_row *row, const char *text)
{
	const char *expected;

	if (row->kind == CONFIG_CHOICE) {
		if (row->choices[choice_find(row->choices, text)] != NULL)
			return 0;
		fail_choice(line, row->name, row->choices);
		return -1;
	}
	expected = row->check == NULL ? NULL : row->check(text);
	if (expected == NULL)
		return 0;
	reading_fail(reading, line, "%s: expected %s", row->name, expected);
	return -1;
}

static int
on_option(cfg_t *cfg, cfg_opt_t *opt)
{
	bool top = strcmp(cfg->name, "root") == 0;
	size_t index = 0;
	const struct config_row *row =
	    row_find(top ? NULL : cfg->name, opt->name, &index);

	if (row == NULL)
		return 0;
	reading->lines[index] = cfg->line;
	switch (row->kind) {
	case CONFIG_UNSIGNED:
	case CONFIG_SIZE:
		return check_number(cfg->line, row, cfg_opt_getnint(opt, 0));
	case CONFIG_TEXT:
	case CONFIG_CHOICE:
		return check_text(cfg->line, row, cfg_opt_getnstr(opt, 0));
	case CONFIG_BOOL:
	default:
		return 0;
	}
}

/* ---- listeners */

static int
parse_mode(const char *text, unsigned *mode_r)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (!isdigit((unsigned char)text[0]) || *end != '\0' || mode > 0777)
		return -EINVAL;
	*mode_r = (unsigned)mode;
	return 0;
}

static bool
is_address(const char *text)
{
	unsigned char address[16];

	return inet_pton(AF_INET, text, address) == 1 ||
	    inet_pton(AF_INET6, text, address) == 1;
}

static size_t
listener_protocol(cfg_t *sec)
{
	const char *word = cfg_getstr(sec, "protocol");

	return choice_find(config_protocols,
	    word != NULL ? word : cfg_title(sec));
}

static int
on_listener(cfg_t *cfg, cfg_opt_t *opt)
{
	cfg_t *sec = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
	const char *path = cfg_getstr(sec, "path");
	unsigned count = cfg_size(sec, "address"), mode, i;
	long port = cfg_getint(sec, "port");

	reading->listener_line = cfg->line;
	if (config_protocols[listener_protocol(sec)] == NULL)
		fail_choice(cfg->line, "listen: title or protocol",
		    config_protocols);
	else if ((path == NULL) == (count == 0))
		reading_fail(reading, cfg->line,
		    "listen %s: expected either address and port, or path",
		    cfg_title(sec));
	else if (path != NULL && (path[0] != '/' || strlen(path) >= 104))
		reading_fail(reading, cfg->line,
		    "path: expected an absolute path of less than 104 bytes");
	else if (parse_mode(cfg_getstr(sec, "mode"), &mode) != 0)
		reading_fail(reading, cfg->line,
		    "mode: expected an octal mode as \"0660\"");
	else if (port < 0 || port > 65535)
		reading_fail(reading, cfg->line,
		    "port: expected a number from 1 to 65535");
	for (i = 0; reading->error == NULL && i < count; i++)
		if (!is_address(cfg_getnstr(sec, "address", i)))
			reading_fail(reading, cfg->line,
			    "address: expected an IP address");
	return reading->error == NULL ? 0 : -1;
}

static int
listener_fill(struct config_listener *listener, cfg_t *sec)
{
	static const unsigned ports[] = { 119, 563, 24, 25 };
	const char *path = cfg_getstr(sec, "path");
	size_t count = cfg_size(sec, "address"),
	       protocol = listener_protocol(sec);
	long port = cfg_getint(sec, "port");

	listener->protocol = (enum listen_protocol)protocol;
	listener->title = strdup(cfg_title(sec));
	if (listener->title == NULL)
		return -ENOMEM;
	(void)parse_mode(cfg_getstr(sec, "mode"), &listener->mode);
	if (path != NULL) {
		listener->path = strdup(path);
		return listener->path == NULL ? -ENOMEM : 0;
	}
	listener->port = port > 0 ? (unsigned)port : ports[listener->protocol];
	listener->addresses = calloc(count, sizeof(*listener->addresses));
	if (listener->addresses == NULL)
		return -ENOMEM;
	while (listener->address_count < count) {
		char *address = strdup(cfg_getnstr(sec, "address",
		    (unsigned)listener->address_count));

		if (address == NULL)
			return -ENOMEM;
		listener->addresses[listener->address_count++] = address;
	}
	return 0;
}

/* ---- between options */

static int
line_of(const char *section, const char *name)
{
	size_t index = 0;

	if (row_find(section, name, &index) == NULL)
		return 1;
	return reading->lines[index];
}

static bool
listeners_meet(const struct config_listener *a, const struct config_listener *b)
{
	size_t i, j;

	if (a->path != NULL || b->path != NULL)
		return a->path != NULL && b->path != NULL &&
		    strcmp(a->path, b->path) == 0;
	if (a->port != b->port)
		return false;
	for (i = 0; i < a->address_count; i++)
		for (j = 0; j < b->address_count; j++)
			if (strcasecmp(a->addresses[i], b->addresses[j]) == 0)
				return true;
	return false;
}

static void
check_listeners(const struct config *config)
{
	size_t i, j;

	for (i = 0; i < config->listener_count; i++) {
		const struct config_listener *listener = &config->listeners[i];

		if (listener->protocol == LISTEN_NNTPS &&
		    config->tls_certificate == NULL)
			reading_fail(reading, reading->listener_line,
			    "listen %s: nntps needs tls { certificate = ... key = ... }",
			    listener->title);
		for (j = 0; j < i; j++)
			if (listeners_meet(listener, &config->listeners[j]))
				reading_fail(reading, reading->listener_line,
				    "listen %s: same address or path as listen %s",
				    listener->title,
				    config->listeners[j].title);
	}
	if (config->listener_count > 64)
		reading_fail(reading, reading->listener_line,
		    "expected at most 64 listen sections");
}

static bool
is_loopback(const char *host)
{
	return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
	    strcasecmp(host, "localhost") == 0;
}

static void
check_smarthost(const struct config *config)
{
	if (strcmp(config->transport, "smtp") == 0 &&
	    config->smarthost_host == NULL)
		reading_fail(reading, line_of(NULL, "transport"),
		    "transport \"smtp\" needs smarthost { host = ... }, or expected "
		    "transport = \"maildir:/some/folder\"");
	if ((config->smarthost_user == NULL) !=
	    (config->smarthost_secret_file == NULL))
		reading_fail(reading, line_of("smarthost", "user"),
		    "smarthost: expected both user and secret_file, or none");
	if (config->smarthost_user != NULL &&
	    config->smarthost_tls == TLS_NONE &&
	    config->smarthost_host != NULL &&
	    !is_loopback(config->smarthost_host))
		reading_fail(reading, line_of("smarthost", "user"),
		    "smarthost: user needs tls = \"starttls\" or \"implicit\", the "
		    "password would be sent in the clear");
}

static void
check_between(const struct config *config)
{
	if (config->domain == NULL)
		reading_fail(reading, 1, "expected domain = \"lists.example\"");
	if (config->store_directory == NULL)
		reading_fail(reading, 1,
		    "expected store { directory = \"/var/lib/kith\" }");
	if ((config->tls_certificate == NULL) != (config->tls_key == NULL))
		reading_fail(reading,
		    line_of("tls",
			config->tls_key == NULL ? "certificate" : "key"),
		    "tls: expected both certificate and key");
	if (config->tls_required && config->tls_certificate == NULL)
		reading_fail(reading, line_of("tls", "required"),
		    "tls: required needs certificate and key");
	if (config->tls_client_ca != NULL && config->tls_certificate == NULL)
		reading_fail(reading, line_of("tls", "client_ca"),
		    "tls: client_ca needs certificate and key");
	if (reading->error == NULL) {
		check_listeners(config);
		check_smarthost(config);
	}
}

/* ---- libconfuse's own table, made from ours */

struct grammar {
	cfg_opt_t top[ROWS_MAX];
	cfg_opt_t sections[SECTIONS_MAX][ROWS_MAX];
	const char *names[SECTIONS_MAX];
	size_t section_count;
};

static cfg_opt_t
row_option(const struct config_row *row)
{
	cfg_opt_t text = CFG_STR(row->name, row->text, CFGF_NONE);
	cfg_opt_t number = CFG_INT(row->name, (long)row->number, CFGF_NONE);
	cfg_opt_t boolean = CFG_BOOL(row->name,
	    row->number != 0 ? cfg_true : cfg_false, CFGF_NONE);

	if (row->kind == CONFIG_BOOL)
		return boolean;
	return row->kind == CONFIG_TEXT || row->kind == CONFIG_CHOICE ? text
								      : number;
}

static void
option_add(cfg_opt_t *list, cfg_opt_t option)
{
	static const cfg_opt_t end = CFG_END();

	while (list->name != NULL)
		list++;
	list[0] = option;
	list[1] = end;
}

static cfg_opt_t *
grammar_section(struct grammar *grammar, const char *name)
{
	size_t i = 0;

	while (
	    i < grammar->section_count && strcmp(grammar->names[i], name) != 0)
		i++;
	if (i == grammar->section_count)
		grammar->names[grammar->section_count++] = name;
	return grammar->sections[i];
}

static void
grammar_fill(struct grammar *grammar)
{
	cfg_opt_t *listen = grammar_section(grammar, "listen");
	size_t i;

	option_add(listen, (cfg_opt_t)CFG_STR("protocol", NULL, CFGF_NONE));
	option_add(listen, (cfg_opt_t)CFG_STR_LIST("address", NULL, CFGF_NONE));
	option_add(listen, (cfg_opt_t)CFG_STR("path", NULL, CFGF_NONE));
	option_add(listen, (cfg_opt_t)CFG_STR("mode", "0660", CFGF_NONE));
	option_add(listen, (cfg_opt_t)CFG_INT("port", 0, CFGF_NONE));
	for (i = 0; i < config_row_count; i++) {
		const struct config_row *row = &config_rows[i];

		option_add(row->section == NULL
			? grammar->top
			: grammar_section(grammar, row->section),
		    row_option(row));
	}
	for (i = 0; i < grammar->section_count; i++)
		option_add(grammar->top,
		    (cfg_opt_t)CFG_SEC(grammar->names[i], grammar->sections[i],
			i == 0 ? CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES
			       : CFGF_NONE));
}

static void
grammar_watch(cfg_t *cfg)
{
	char name[64];
	size_t i;

	for (i = 0; i < config_row_count; i++) {
		const struct config_row *row = &config_rows[i];

		(void)snprintf(name, sizeof(name), "%s%s%s",
		    row->section != NULL ? row->section : "",
		    row->section != NULL ? "|" : "", row->name);
		(void)cfg_set_validate_func(cfg, name, on_option);
	}
	(void)cfg_set_validate_func(cfg, "listen", on_listener);
}

/* ---- from libconfuse's values to ours */

static int
row_fill(struct config *config, const struct config_row *row, cfg_t *cfg)
{
	void *member = config_member(config, row);
	cfg_t *sec = row->section == NULL ? cfg : cfg_getsec(cfg, row->section);
	const char *text;

	switch (row->kind) {
	case CONFIG_TEXT:
		text = cfg_getstr(sec, row->name);
		*(char **)member = text == NULL ? NULL : strdup(text);
		return text != NULL && *(char **)member == NULL ? -ENOMEM : 0;
	case CONFIG_CHOICE:
		*(unsigned *)member = (unsigned)choice_find(row->choices,
		    cfg_getstr(sec, row->name));
		return 0;
	case CONFIG_SIZE:
		*(uint64_t *)member = (uint64_t)cfg_getint(sec, row->name);
		return 0;
	case CONFIG_BOOL:
		*(bool *)member = cfg_getbool(sec, row->name) == cfg_true;
		return 0;
	case CONFIG_UNSIGNED:
	default:
		*(unsigned *)member = (unsigned)cfg_getint(sec, row->name);
		return 0;
	}
}

static void
lower(char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		*text = (char)tolower((unsigned char)*text);
}

static int
config_fill(struct config *config, cfg_t *cfg)
{
	size_t count = cfg_size(cfg, "listen"), i;

	for (i = 0; i < config_row_count; i++)
		if (row_fill(config, &config_rows[i], cfg) != 0)
			return -ENOMEM;
	lower(config->domain);
	lower(config->hostname);
	if (config->hostname == NULL && config->domain != NULL) {
		config->hostname = strdup(config->domain);
		if (config->hostname == NULL)
			return -ENOMEM;
	}
	if (count == 0)
		return 0;
	config->listeners = calloc(count, sizeof(*config->listeners));
	if (config->listeners == NULL)
		return -ENOMEM;
	while (config->listener_count < count) {
		struct config_listener *listener =
		    &config->listeners[config->listener_count];
		cfg_t *sec = cfg_getnsec(cfg, "listen",
		    (unsigned)config->listener_count++);

		if (listener_fill(listener, sec) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int
config_parse(struct reading *r, cfg_t *cfg, struct config **config_r)
{
	struct config *config = NULL;
	int result;

	(void)cfg_set_error_function(cfg, on_error);
	grammar_watch(cfg);
	result = cfg_parse(cfg, r->path);
	if (result == CFG_FILE_ERROR) {
		reading_fail(r, 1, "cannot be read: %s", strerror(errno));
		return -ENOENT;
	}
	if (result != CFG_SUCCESS || r->error != NULL) {
		reading_fail(r, cfg->line, "a syntax error");
		return -EINVAL;
	}
	config = config_new();
	if (config == NULL || config_fill(config, cfg) != 0) {
		config_free(&config);
		return -ENOMEM;
	}
	check_between(config);
	if (r->error != NULL) {
		config_free(&config);
		return -EINVAL;
	}
	*config_r = config;
	return 0;
}

int
config_read(const char *path, struct config **config_r, char **error_r)
{
	struct reading here = { .path = path };
	struct grammar *grammar = calloc(1, sizeof(*grammar));
	cfg_t *cfg = NULL;
	int result = -ENOMEM;

	*config_r = NULL;
	*error_r = NULL;
	if (grammar == NULL)
		return -ENOMEM;
	grammar_fill(grammar);
	cfg = cfg_init(grammar->top, CFGF_NONE);
	if (cfg != NULL) {
		reading = &here;
		result = config_parse(&here, cfg, config_r);
		reading = NULL;
		(void)cfg_free(cfg);
	}
	free(grammar);
	if (result != 0 && here.error == NULL)
		here.error = strdup("out of memory");
	*error_r = here.error;
	return result;
}
