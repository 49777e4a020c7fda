/* parent_files.c - reads the files that children get as bytes.
 */
#include "build.h"

#include "daemon/parent_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/tls.h"

#define FILE_MAX (4 * 1024 * 1024)

/* Where Debian, and most others, keep the authorities that all trust. */
#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

static int
read_all(int fd, struct role_file *file)
{
	struct stat st;
	size_t room;

	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return -EINVAL;
	room = (size_t)st.st_size;
	file->bytes = malloc(room + 1);
	if (file->bytes == NULL)
		return -ENOMEM;
	while (file->len < room) {
		ssize_t got =
		    read(fd, file->bytes + file->len, room - file->len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0 ? -EIO : -errno;
		file->len += (size_t)got;
	}
	file->bytes[room] = '\0';
	return 0;
}

static int
load(struct parent_files *files, const char *name, const char *path)
{
	struct role_file *file;
	int fd, result;

	if (path == NULL)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	result = fd < 0 ? -errno : 0;
	if (result == 0) {
		file = &files->list[files->count++];
		file->name = strdup(name);
		result = file->name == NULL ? -ENOMEM : read_all(fd, file);
		(void)close(fd);
	}
	if (result != 0)
		log_err("%s file %s cannot be read: %s", name, path,
		    strerror(-result));
	return result;
}

static struct span
file_named(const struct parent_files *files, const char *name)
{
	size_t i;

	for (i = 0; i < files->count; i++)
		if (strcmp(files->list[i].name, name) == 0)
			return span_make(files->list[i].bytes,
			    files->list[i].len);
	return span_make("", 0);
}

/* What the children could not use must not replace what they can: one that is
 * started again later gets these files too. */
static int
check_tls(const struct config *config, const struct parent_files *files)
{
	struct span certificate = file_named(files, "certificate");
	struct span key = file_named(files, "key");
	struct span ca = file_named(files, "ca");
	struct ssl_ctx_st *ctx;
	const char *why;

	if (config->tls_certificate != NULL) {
		ctx = tls_server_new(certificate, key, &why);
		if (ctx == NULL) {
			log_err("tls: %s and %s cannot be used: %s",
			    config->tls_certificate, config->tls_key, why);
			return -EINVAL;
		}
		if (config->tls_client_ca != NULL &&
		    tls_server_ask_clients(ctx, file_named(files, "client_ca"),
			&why) != 0) {
			log_err("tls: client_ca %s cannot be used: %s",
			    config->tls_client_ca, why);
			tls_free(&ctx);
			return -EINVAL;
		}
		tls_free(&ctx);
	}
	if (config->smarthost_tls != TLS_NONE) {
		ctx = tls_client_new(ca, &why);
		if (ctx == NULL) {
			log_err("smarthost: ca_file %s cannot be used: %s",
			    config->smarthost_ca_file != NULL
				? config->smarthost_ca_file
				: SYSTEM_CA,
			    why);
			return -EINVAL;
		}
		tls_free(&ctx);
	}
	if (config->feed_ca_file == NULL)
		return 0;
	ctx = tls_client_new(file_named(files, "feed-ca"), &why);
	if (ctx == NULL) {
		log_err("feed: ca_file %s cannot be used: %s",
		    config->feed_ca_file, why);
		return -EINVAL;
	}
	tls_free(&ctx);
	return 0;
}

/* The system's bundle may be missing: then no peer is reached over TLS, and
 * whoever has none need not care. */
static const char *
feed_ca(const struct config *config)
{
	if (config->feed_ca_file != NULL)
		return config->feed_ca_file;
	return access(SYSTEM_CA, R_OK) == 0 ? SYSTEM_CA : NULL;
}

int
parent_files_load(const struct config *config, struct parent_files *files)
{
	const char *ca = NULL;
	int result;

	memset(files, 0, sizeof(*files));
	if (config->smarthost_tls != TLS_NONE)
		ca = config->smarthost_ca_file != NULL
		    ? config->smarthost_ca_file
		    : SYSTEM_CA;
	result = load(files, "certificate", config->tls_certificate);
	if (result == 0)
		result = load(files, "key", config->tls_key);
	if (result == 0)
		result = load(files, "client_ca", config->tls_client_ca);
	if (result == 0)
		result = load(files, "ca", ca);
	if (result == 0)
		result = load(files, "secret", config->smarthost_secret_file);
	if (result == 0)
		result = load(files, "feed-ca", feed_ca(config));
	if (result == 0)
		result = check_tls(config, files);
	if (result != 0)
		parent_files_free(files);
	return result;
}

void
parent_files_free(struct parent_files *files)
{
	while (files->count > 0) {
		struct role_file *file = &files->list[--files->count];

		if (file->bytes != NULL)
			explicit_bzero(file->bytes, file->len);
		free(file->bytes);
		free(file->name);
	}
}

static struct span
file_bytes(const struct parent_files *files, const char *name)
{
	for (size_t i = 0; i < files->count; i++)
		if (strcmp(files->list[i].name, name) == 0)
			return span_make(files->list[i].bytes,
			    files->list[i].len);
	return span_make(NULL, 0);
}

int
parent_files_check(const struct config *config)
{
	struct parent_files files;
	struct ssl_ctx_st *ctx;
	const char *why = "";
	int result = parent_files_load(config, &files);

	if (result != 0 || config->tls_certificate == NULL) {
		parent_files_free(&files);
		return result;
	}
	ctx = tls_server_new(file_bytes(&files, "certificate"),
	    file_bytes(&files, "key"), &why);
	if (ctx == NULL) {
		log_err("certificate %s and key %s cannot be used: %s",
		    config->tls_certificate, config->tls_key, why);
		result = -EINVAL;
	}
	tls_free(&ctx);
	parent_files_free(&files);
	return result;
}
