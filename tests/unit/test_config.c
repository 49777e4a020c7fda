/* test_config.c - kithd.conf: what is read, what is refused and with which
 * words, and the flat form.
 */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/config.h"
#include "protocol/buffer.h"

static const char whole[] =
    "domain    = \"Lists.example\"  # of the spaces' addresses\n"
    "hostname  = \"news.example\"\n"
    "user      = \"_kith\"\n"
    "loops     = 0\n"
    "store     { directory = \"/var/lib/kith\" cache_mb = 64 }\n"
    "control   { path = \"/run/kith/control.sock\" }\n"
    "tls       { certificate = \"/etc/kith/cert.pem\" key = \"/etc/kith/key.pem\" }\n"
    "listen nntp  { address = {\"0.0.0.0\", \"::\"} port = 119 }\n"
    "listen nntps { address = \"0.0.0.0\" port = 563 }\n"
    "listen lmtp  { path = \"/run/kith/lmtp.sock\" mode = \"0660\" }\n"
    "listen smtp  { address = \"127.0.0.1\" port = 25 }\n"
    "listen \"inside\" { protocol = \"nntp\" address = \"10.0.0.1\" }\n"
    "transport = \"smtp\"\n"
    "smarthost { host = \"127.0.0.1\" port = 10025 tls = \"none\" }\n"
    "authserv_id = \"\"\n"
    "auth_without_tls = false\n"
    "limits    { article_size = 4194304 mail_size = 0 connections_per_address = 100 }\n"
    "bounce    { life = 604800 suspend_after = 5 }\n"
    "digest    { hour = 7 articles = 50 kilobytes = 200 }\n"
    "log       { level = \"debug\" }\n";

static const char least[] = "domain = \"a.example\"\n"
			    "store { directory = \"/s\" }\n"
			    "transport = \"maildir:/out\"\n";

/* Reads a file with this text; the path is cut off an error. */
static struct config *
read_text(const char *text, char **error_r)
{
	char path[] = "/tmp/kith-test-config-XXXXXX";
	int fd = mkstemp(path);
	struct config *config;
	char *error = NULL;
	int result;

	assert_true(fd >= 0);
	assert_int_equal(strlen(text), write(fd, text, strlen(text)));
	(void)close(fd);
	result = config_read(path, &config, &error);
	(void)unlink(path);
	assert_int_equal(result != 0, error != NULL);
	assert_int_equal(result == 0, config != NULL);
	*error_r = NULL;
	if (error != NULL) {
		assert_memory_equal(path, error, strlen(path));
		*error_r = strdup(error + strlen(path));
	}
	free(error);
	return config;
}

static void
check_whole(const struct config *config)
{
	assert_string_equal("lists.example", config->domain);
	assert_string_equal("news.example", config->hostname);
	assert_int_equal(64, config->cache_mb);
	assert_string_equal("/etc/kith/key.pem", config->tls_key);
	assert_int_equal(5, config->listener_count);
	assert_int_equal(LISTEN_NNTP, config->listeners[0].protocol);
	assert_int_equal(2, config->listeners[0].address_count);
	assert_string_equal("::", config->listeners[0].addresses[1]);
	assert_int_equal(1, config->listeners[1].address_count);
	assert_string_equal("/run/kith/lmtp.sock", config->listeners[2].path);
	assert_int_equal(0660, config->listeners[2].mode);
	assert_string_equal("inside", config->listeners[4].title);
	assert_int_equal(119, config->listeners[4].port);
	assert_int_equal(10025, config->smarthost_port);
	assert_null(config->smarthost_user);
	assert_string_equal("", config->authserv_id);
	assert_int_equal(0, config->mail_size);
	assert_int_equal(604800, config->bounce_life);
	assert_int_equal(3, config->log_level);
}

static void
the_example_of_the_manual_is_read_whole(void **state)
{
	char *error;
	struct config *config = read_text(whole, &error);

	(void)state;
	assert_null(error);
	check_whole(config);
	config_free(&config);
	assert_null(config);
}

static void
what_is_not_said_has_a_default(void **state)
{
	char *error;
	struct config *config = read_text(least, &error);

	(void)state;
	assert_null(error);
	assert_string_equal("a.example", config->hostname);
	assert_string_equal("/run/kith/control.sock", config->control_path);
	assert_int_equal(0, config->listener_count);
	assert_int_equal(4194304, config->article_size);
	assert_int_equal(100, config->connections_per_address);
	assert_null(config->tls_certificate);
	config_free(&config);
}

static void
the_flat_form_gives_the_same_configuration(void **state)
{
	char *error, *names;
	struct config *config = read_text(whole, &error), *other;
	struct buffer flat;
	size_t len;

	(void)state;
	buffer_init(&flat, 0);
	assert_int_equal(0, config_encode(config, &flat));
	assert_int_equal(0, config_decode(flat.bytes, flat.len, &other));
	check_whole(other);
	names = config_restart_needed(config, other);
	assert_string_equal("", names);
	free(names);
	config_free(&other);
	/* cut anywhere: refused, never read beyond */
	for (len = 0; len < flat.len; len++) {
		char *cut = malloc(len + 1);

		memcpy(cut, flat.bytes, len);
		assert_true(config_decode(cut, len, &other) != 0);
		assert_null(other);
		free(cut);
	}
	buffer_fini(&flat);
	config_free(&config);
}

static void
a_reload_names_what_only_a_restart_applies(void **state)
{
	char *error, *names;
	struct config *before = read_text(least, &error);
	struct config *after =
	    read_text("domain = \"a.example\"\n"
		      "hostname = \"n.example\"\n"
		      "store { directory = \"/s\" cache_mb = 16 }\n"
		      "transport = \"maildir:/out\"\n"
		      "log { level = \"err\" }\n"
		      "listen nntp { address = \"::1\" }\n",
		&error);

	(void)state;
	names = config_restart_needed(before, after);
	assert_string_equal("hostname store.cache_mb listen", names);
	free(names);
	config_free(&before);
	config_free(&after);
}

struct bad {
	const char *text;
	const char *error;
};

static const struct bad bad[] = {
	{ "domain = \"a_b\"\n",
	    ":1: domain: expected a domain name, as A-labels, without a dot at the end" },
	{ "\n\nloops = 100\n", ":3: loops: expected a number from 0 to 64" },
	{ "loops = many\n", ":1: invalid integer value for option 'loops'" },
	{ "lops = 1\n", ":1: no such option 'lops'" },
	{ "store {\n directory = \"x\"\n}\n",
	    ":2: directory: expected an absolute path" },
	{ "log { level = \"loud\" }\n",
	    ":1: level: expected one of \"err\", \"warning\", \"info\", \"debug\"" },
	{ "transport = \"pigeon\"\n",
	    ":1: transport: expected \"smtp\" or \"maildir:/some/folder\"" },
	{ "listen ftp { address = \"::1\" }\n",
	    ":1: listen: title or protocol: expected one of \"nntp\", \"nntps\", "
	    "\"lmtp\", \"smtp\"" },
	{ "listen nntp { address = \"localhost\" }\n",
	    ":1: address: expected an IP address" },
	{ "listen nntp {\n}\n",
	    ":2: listen nntp: expected either address and port, or path" },
	{ "listen lmtp { path = \"/x\" mode = \"999\" }\n",
	    ":1: mode: expected an octal mode as \"0660\"" },
	{ "listen nntp { address = \"::1\" port = 70000 }\n",
	    ":1: port: expected a number from 1 to 65535" },
	{ "store { directory = \"/s\" }\ntransport = \"maildir:/x\"\n",
	    ":1: expected domain = \"lists.example\"" },
	{ "domain = \"a.b\"\nstore { directory = \"/s\" }\n\ntransport = \"smtp\"\n",
	    ":4: transport \"smtp\" needs smarthost { host = ... }, or expected "
	    "transport = \"maildir:/some/folder\"" },
	{ "domain = \"a.b\"\nstore { directory = \"/s\" }\ntransport = \"maildir:/x\"\n"
	  "listen nntps { address = \"::1\" }\n",
	    ":4: listen nntps: nntps needs tls { certificate = ... key = ... }" },
	{ "domain = \"a.b\"\nstore { directory = \"/s\" }\ntransport = \"maildir:/x\"\n"
	  "listen nntp { address = \"::1\" }\n"
	  "listen b { protocol = \"nntp\" address = \"::1\" }\n",
	    ":5: listen b: same address or path as listen nntp" },
	{ "domain = \"a.b\"\nstore { directory = \"/s\" }\n"
	  "smarthost { host = \"mx.b\" user = \"u\" secret_file = \"/f\" }\n",
	    ":3: smarthost: user needs tls = \"starttls\" or \"implicit\", the password "
	    "would be sent in the clear" },
	{ "domain = \"a.b\"\ntls { key = \"/k\" }\nstore { directory = \"/s\" }\n"
	  "transport = \"maildir:/x\"\n",
	    ":2: tls: expected both certificate and key" },
	{ "domain = \"a.b\"\ntls { client_ca = \"/k\" }\n"
	  "store { directory = \"/s\" }\ntransport = \"maildir:/x\"\n",
	    ":2: tls: client_ca needs certificate and key" },
	{ "domain = \"a.b\"\nstore { directory = \"/s\" }\n"
	  "tls { required = true }\ntransport = \"maildir:/x\"\n",
	    ":3: tls: required needs certificate and key" },
	{ "limits { idle_timeout = 60 }\n",
	    ":1: idle_timeout: expected a number from 180 to 86400" },
};

static void
a_mistake_is_told_with_its_line_and_what_was_expected(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *error;
		struct config *config = read_text(bad[i].text, &error);

		assert_null(config);
		assert_string_equal(bad[i].error, error);
		free(error);
	}
}

static void
a_file_that_is_not_there_is_said_so(void **state)
{
	struct config *config;
	char *error;

	(void)state;
	assert_true(config_read("/nowhere/kithd.conf", &config, &error) != 0);
	assert_string_equal(
	    "/nowhere/kithd.conf:1: cannot be read: No such file or directory",
	    error);
	free(error);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_manual_is_read_whole),
		cmocka_unit_test(what_is_not_said_has_a_default),
		cmocka_unit_test(the_flat_form_gives_the_same_configuration),
		cmocka_unit_test(a_reload_names_what_only_a_restart_applies),
		cmocka_unit_test(
		    a_mistake_is_told_with_its_line_and_what_was_expected),
		cmocka_unit_test(a_file_that_is_not_there_is_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
