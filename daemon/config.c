/* config.c - the options of kithd.conf, and the flat form of a configuration
 * in which the parent hands it to the other roles. Reading the file is in
 * config_read.c.
 */
#include "build.h"

#include "daemon/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config_rows.h"
#include "protocol/buffer.h"

#define TEXT_MAX      4096u
#define LISTENERS_MAX 64u
#define ADDRESSES_MAX 64u

const char *const config_protocols[] = { "nntp", "nntps", "lmtp", "smtp",
	NULL };
static const char *const tls_choices[] = { "none", "starttls", "implicit",
	NULL };
static const char *const level_choices[] = { "err", "warning", "info", "debug",
	NULL };

static const char *
check_domain(const char *text)
{
	size_t len = strlen(text), i, label = 0;

	for (i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte == '.' ? label == 0 : (!isalnum(byte) && byte != '-'))
			break;
		label = byte == '.' ? 0 : label + 1;
		if (label > 63)
			break;
	}
	if (len == 0 || len > 253 || i < len || label == 0)
		return "a domain name, as A-labels, without a dot at the end";
	return NULL;
}

static const char *
check_path(const char *text)
{
	return text[0] == '/' ? NULL : "an absolute path";
}

static const char *
check_socket(const char *text)
{
	return text[0] == '/' && strlen(text) < 104
	    ? NULL
	    : "an absolute path of less than 104 bytes";
}

static const char *
check_word(const char *text)
{
	const char *at;

	for (at = text; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f)
			return "a word in ASCII";
	return at == text ? "a word in ASCII" : NULL;
}

static const char *
check_word_or_empty(const char *text)
{
	return text[0] == '\0' ? NULL : check_word(text);
}

static const char *
check_transport(const char *text)
{
	if (strcmp(text, "smtp") == 0)
		return NULL;
	if (strncmp(text, "maildir:/", 9) == 0 && text[9] != '\0')
		return NULL;
	return "\"smtp\" or \"maildir:/some/folder\"";
}

#define AT(member) offsetof(struct config, member)
#define TEXT(section, name, member, text, check, restart)                     \
 {                                                                            \
  section, name, CONFIG_TEXT, AT(member), text, 0, 0, 0, check, NULL, restart \
 }
#define UNSIGNED(section, name, member, number, min, max, restart)          \
 {                                                                          \
  section, name, CONFIG_UNSIGNED, AT(member), NULL, number, min, max, NULL, \
      NULL, restart                                                         \
 }
#define SIZE(section, name, member, number, min, max, restart)                \
 {                                                                            \
  section, name, CONFIG_SIZE, AT(member), NULL, number, min, max, NULL, NULL, \
      restart                                                                 \
 }
#define BOOL(section, name, member, number, restart)                      \
 {                                                                        \
  section, name, CONFIG_BOOL, AT(member), NULL, number, 0, 1, NULL, NULL, \
      restart                                                             \
 }
#define CHOICE(section, name, member, text, choices, restart)             \
 {                                                                        \
  section, name, CONFIG_CHOICE, AT(member), text, 0, 0, 0, NULL, choices, \
      restart                                                             \
 }

#define GIGABYTE (UINT64_C(1) << 30)
#define DAY      86400u

const struct config_row config_rows[] = {
	TEXT(NULL, "domain", domain, NULL, check_domain, true),
	TEXT(NULL, "hostname", hostname, NULL, check_domain, true),
	TEXT(NULL, "user", user, "_kith", check_word, true),
	UNSIGNED(NULL, "loops", loops, 0, 0, 64, true),
	TEXT(NULL, "transport", transport, "smtp", check_transport, true),
	TEXT(NULL, "authserv_id", authserv_id, "", check_word_or_empty, false),
	BOOL(NULL, "auth_without_tls", auth_without_tls, 0, false),
	TEXT("store", "directory", store_directory, NULL, check_path, true),
	UNSIGNED("store", "cache_mb", cache_mb, 256, 8, 65536, true),
	UNSIGNED("store", "database_mb", database_mb, 0, 0, 65536, true),
	TEXT("control", "path", control_path, "/run/kith/control.sock",
	    check_socket, true),
	TEXT("tls", "certificate", tls_certificate, NULL, check_path, false),
	TEXT("tls", "key", tls_key, NULL, check_path, false),
	BOOL("tls", "required", tls_required, 0, false),
	TEXT("tls", "client_ca", tls_client_ca, NULL, check_path, false),
	TEXT("smarthost", "host", smarthost_host, NULL, check_word, false),
	UNSIGNED("smarthost", "port", smarthost_port, 25, 1, 65535, false),
	CHOICE("smarthost", "tls", smarthost_tls, "none", tls_choices, false),
	TEXT("smarthost", "user", smarthost_user, NULL, check_word, false),
	TEXT("smarthost", "secret_file", smarthost_secret_file, NULL,
	    check_path, false),
	TEXT("smarthost", "ca_file", smarthost_ca_file, NULL, check_path,
	    false),
	UNSIGNED("smarthost", "connections", smarthost_connections, 4, 1, 64,
	    false),
	TEXT("feed", "ca_file", feed_ca_file, NULL, check_path, false),
	SIZE("limits", "article_size", article_size, 4194304, 0, GIGABYTE,
	    false),
	SIZE("limits", "mail_size", mail_size, 26214400, 0, GIGABYTE, false),
	UNSIGNED("limits", "connections_per_address", connections_per_address,
	    100, 0, 1000000, false),
	UNSIGNED("limits", "command_timeout", command_timeout, 180, 10, DAY,
	    false),
	UNSIGNED("limits", "idle_timeout", idle_timeout, 600, 180, DAY, false),
	UNSIGNED("limits", "article_timeout", article_timeout, 3600, 60, DAY,
	    false),
	UNSIGNED("limits", "session_timeout", session_timeout, DAY, 0, 365 * DAY,
	    false),
	UNSIGNED("limits", "answers_per_hour", answers_per_hour, 10, 0, 1000000,
	    false),
	UNSIGNED("limits", "moderation_per_hour", moderation_per_hour, 20, 0,
	    1000000, false),
	UNSIGNED("history", "days", history_days, 90, 0, 36500, false),
	UNSIGNED("history", "cutoff", history_cutoff, 0, 0, 36500, false),
	SIZE("bounce", "life", bounce_life, 604800, 1, UINT32_MAX, false),
	UNSIGNED("bounce", "suspend_after", bounce_suspend_after, 5, 1, 1000,
	    false),
	UNSIGNED("digest", "hour", digest_hour, 7, 0, 23, false),
	UNSIGNED("digest", "articles", digest_articles, 50, 1, 10000, false),
	UNSIGNED("digest", "kilobytes", digest_kilobytes, 200, 1, 65536, false),
	CHOICE("log", "level", log_level, "info", level_choices, false),
};
const size_t config_row_count = sizeof(config_rows) / sizeof(config_rows[0]);

/* An enum is as wide as an unsigned here. */
_Static_assert(sizeof(enum config_tls) == sizeof(unsigned), "width of an enum");

struct config *
config_new(void)
{
	return calloc(1, sizeof(struct config));
}

void *
config_member(const struct config *config, const struct config_row *row)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
	return (char *)config + row->offset;
#pragma GCC diagnostic pop
}

static void
listener_fini(struct config_listener *listener)
{
	size_t i;

	for (i = 0; i < listener->address_count; i++)
		free(listener->addresses[i]);
	free(listener->addresses);
	free(listener->title);
	free(listener->path);
}

void
config_free(struct config **config_p)
{
	struct config *config = *config_p;
	size_t i;

	if (config == NULL)
		return;
	for (i = 0; i < config_row_count; i++)
		if (config_rows[i].kind == CONFIG_TEXT)
			free(*(char **)config_member(config, &config_rows[i]));
	for (i = 0; i < config->listener_count; i++)
		listener_fini(&config->listeners[i]);
	free(config->listeners);
	free(config);
	*config_p = NULL;
}

/* ---- flat form: every row in order as a number of 8 bytes or a text, then
 * the listeners */

static void
put_number(struct buffer *out, uint64_t value)
{
	char octets[8];
	int i;

	for (i = 0; i < 8; i++)
		octets[i] = (char)(value >> (8 * i) & 0xff);
	buffer_append(out, octets, sizeof(octets));
}

static void
put_text(struct buffer *out, const char *text)
{
	put_number(out, text == NULL ? UINT64_MAX : strlen(text));
	if (text != NULL)
		buffer_append_text(out, text);
}

static uint64_t
row_number(const struct config *config, const struct config_row *row)
{
	const void *member = config_member(config, row);

	switch (row->kind) {
	case CONFIG_UNSIGNED:
	case CONFIG_CHOICE:
		return *(const unsigned *)member;
	case CONFIG_SIZE:
		return *(const uint64_t *)member;
	case CONFIG_BOOL:
		return *(const bool *)member;
	case CONFIG_TEXT:
	default:
		return 0;
	}
}

int
config_encode(const struct config *config, struct buffer *out)
{
	size_t i, j;

	for (i = 0; i < config_row_count; i++) {
		const struct config_row *row = &config_rows[i];

		if (row->kind == CONFIG_TEXT)
			put_text(out,
			    *(char *const *)config_member(config, row));
		else
			put_number(out, row_number(config, row));
	}
	put_number(out, config->listener_count);
	for (i = 0; i < config->listener_count; i++) {
		const struct config_listener *listener = &config->listeners[i];

		put_number(out, listener->protocol);
		put_text(out, listener->title);
		put_text(out, listener->path);
		put_number(out, listener->mode);
		put_number(out, listener->port);
		put_number(out, listener->address_count);
		for (j = 0; j < listener->address_count; j++)
			put_text(out, listener->addresses[j]);
	}
	return buffer_failed(out) ? -ENOMEM : 0;
}

struct source {
	const unsigned char *at;
	size_t len;
	bool bad;
};

static uint64_t
take_number(struct source *source, uint64_t max)
{
	uint64_t value = 0;
	int i;

	if (source->bad || source->len < 8) {
		source->bad = true;
		return 0;
	}
	for (i = 7; i >= 0; i--)
		value = value << 8 | source->at[i];
	source->at += 8;
	source->len -= 8;
	if (value > max) {
		source->bad = true;
		return 0;
	}
	return value;
}

/* Owned; NULL if it was NULL, or bad. */
static char *
take_text(struct source *source)
{
	uint64_t len = take_number(source, UINT64_MAX);
	char *text;

	if (source->bad || len == UINT64_MAX)
		return NULL;
	if (len > TEXT_MAX || len > source->len ||
	    memchr(source->at, '\0', (size_t)len) != NULL) {
		source->bad = true;
		return NULL;
	}
	text = strndup((const char *)source->at, (size_t)len);
	if (text == NULL)
		source->bad = true;
	source->at += len;
	source->len -= (size_t)len;
	return text;
}

static uint64_t
row_max(const struct config_row *row)
{
	uint64_t count = 0;

	if (row->kind != CONFIG_CHOICE)
		return row->max;
	while (row->choices[count] != NULL)
		count++;
	return count - 1;
}

static void
take_row(struct source *source, struct config *config,
    const struct config_row *row)
{
	void *member = config_member(config, row);
	uint64_t value = 0;

	if (row->kind == CONFIG_TEXT) {
		*(char **)member = take_text(source);
		return;
	}
	value = take_number(source, row_max(row));
	if (row->kind == CONFIG_SIZE)
		*(uint64_t *)member = value;
	else if (row->kind == CONFIG_BOOL)
		*(bool *)member = value != 0;
	else
		*(unsigned *)member = (unsigned)value;
}

static void
take_listener(struct source *source, struct config_listener *listener)
{
	uint64_t protocol = take_number(source, LISTEN_SMTP);
	size_t count;

	listener->protocol = (enum listen_protocol)protocol;
	listener->title = take_text(source);
	listener->path = take_text(source);
	listener->mode = (unsigned)take_number(source, 07777);
	listener->port = (unsigned)take_number(source, 65535);
	count = (size_t)take_number(source, ADDRESSES_MAX);
	if (count == 0)
		return;
	listener->addresses = calloc(count, sizeof(*listener->addresses));
	if (listener->addresses == NULL) {
		source->bad = true;
		return;
	}
	while (!source->bad && listener->address_count < count)
		listener->addresses[listener->address_count++] =
		    take_text(source);
}

int
config_decode(const void *bytes, size_t len, struct config **config_r)
{
	struct source source = { bytes, len, false };
	struct config *config = config_new();
	size_t i, count;

	*config_r = NULL;
	if (config == NULL)
		return -ENOMEM;
	for (i = 0; i < config_row_count; i++)
		take_row(&source, config, &config_rows[i]);
	count = (size_t)take_number(&source, LISTENERS_MAX);
	if (count > 0) {
		config->listeners = calloc(count, sizeof(*config->listeners));
		if (config->listeners == NULL)
			source.bad = true;
	}
	while (!source.bad && config->listener_count < count)
		take_listener(&source,
		    &config->listeners[config->listener_count++]);
	if (source.bad || source.len != 0 || config->domain == NULL ||
	    config->hostname == NULL || config->store_directory == NULL) {
		config_free(&config);
		return -EPROTO;
	}
	*config_r = config;
	return 0;
}

/* ---- reload */

static bool
text_differs(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a != b : strcmp(a, b) != 0;
}

static bool
listener_differs(const struct config_listener *a,
    const struct config_listener *b)
{
	size_t i;

	if (a->protocol != b->protocol || text_differs(a->path, b->path) ||
	    a->mode != b->mode || a->port != b->port ||
	    a->address_count != b->address_count)
		return true;
	for (i = 0; i < a->address_count; i++)
		if (text_differs(a->addresses[i], b->addresses[i]))
			return true;
	return false;
}

static bool
row_differs(const struct config *a, const struct config *b,
    const struct config_row *row)
{
	if (row->kind == CONFIG_TEXT)
		return text_differs(*(char *const *)config_member(a, row),
		    *(char *const *)config_member(b, row));
	return row_number(a, row) != row_number(b, row);
}

char *
config_restart_needed(const struct config *before, const struct config *after)
{
	struct buffer names;
	bool listeners = before->listener_count != after->listener_count;
	size_t i;

	buffer_init(&names, 0);
	for (i = 0; i < config_row_count; i++) {
		const struct config_row *row = &config_rows[i];

		if (row->restart && row_differs(before, after, row))
			buffer_printf(&names, "%s%s%s%s",
			    names.len > 0 ? " " : "",
			    row->section != NULL ? row->section : "",
			    row->section != NULL ? "." : "", row->name);
	}
	for (i = 0; !listeners && i < before->listener_count; i++)
		listeners = listener_differs(&before->listeners[i],
		    &after->listeners[i]);
	if (listeners)
		buffer_append_text(&names,
		    names.len > 0 ? " listen" : "listen");
	return names.len == 0 ? strdup("") : buffer_take(&names, NULL);
}

/* Both are of one row's size: a pointer, or a number that the row knows. */
static void
row_swap(struct config *a, struct config *b, const struct config_row *row)
{
	void *in_a = config_member(a, row), *in_b = config_member(b, row);

	if (row->kind == CONFIG_TEXT) {
		char *text = *(char **)in_a;

		*(char **)in_a = *(char **)in_b;
		*(char **)in_b = text;
	} else if (row->kind == CONFIG_SIZE) {
		*(uint64_t *)in_b = *(const uint64_t *)in_a;
	} else if (row->kind == CONFIG_BOOL) {
		*(bool *)in_b = *(const bool *)in_a;
	} else {
		*(unsigned *)in_b = *(const unsigned *)in_a;
	}
}

void
config_carry(struct config *before, struct config *after)
{
	struct config_listener *listeners = after->listeners;
	size_t count = after->listener_count, i;

	for (i = 0; i < config_row_count; i++)
		if (config_rows[i].restart)
			row_swap(before, after, &config_rows[i]);
	after->listeners = before->listeners;
	after->listener_count = before->listener_count;
	before->listeners = listeners;
	before->listener_count = count;
}
