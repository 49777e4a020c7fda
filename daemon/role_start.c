/* role_start.c - what a role starts from, and its form on the wire.
 */
#include "build.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/ipc.h"
#include "daemon/role.h"
#include "protocol/buffer.h"

#define FILES_MAX 8u
#define FILE_MAX  (16u * 1024u * 1024u)

void
role_start_free(struct role_start **start_p)
{
	struct role_start *start = *start_p;
	size_t i;

	if (start == NULL)
		return;
	config_free(&start->config);
	for (i = 0; i < start->listener_count; i++)
		if (start->listeners[i].fd >= 0)
			(void)close(start->listeners[i].fd);
	free(start->listeners);
	for (i = 0; i < start->file_count; i++) {
		/* among them are a key and a password */
		explicit_bzero(start->files[i].bytes, start->files[i].len);
		free(start->files[i].bytes);
		free(start->files[i].name);
	}
	free(start->files);
	if (start->control_fd >= 0)
		(void)close(start->control_fd);
	free(start);
	*start_p = NULL;
}

struct span
role_start_file(const struct role_start *start, const char *name)
{
	size_t i;

	for (i = 0; i < start->file_count; i++)
		if (strcmp(start->files[i].name, name) == 0)
			return span_make(start->files[i].bytes,
			    start->files[i].len);
	return span_make("", 0);
}

int
role_start_take_listener(struct role_start *start, size_t i)
{
	int fd = -1;

	if (i < start->listener_count) {
		fd = start->listeners[i].fd;
		start->listeners[i].fd = -1;
	}
	return fd;
}

int
role_start_encode(const struct role_start *start, struct ipc_writer *writer)
{
	struct buffer flat;
	int result;
	size_t i;

	buffer_init(&flat, 0);
	result = config_encode(start->config, &flat);
	if (result == 0) {
		ipc_put_u32(writer, start->flags);
		ipc_put_payload(writer, buffer_span(&flat));
		ipc_put_u32(writer, (uint32_t)start->listener_count);
		for (i = 0; i < start->listener_count; i++) {
			ipc_put_u32(writer, start->listeners[i].index);
			ipc_put_fd(writer, start->listeners[i].fd);
		}
		ipc_put_u32(writer, (uint32_t)start->file_count);
		for (i = 0; i < start->file_count; i++) {
			ipc_put_text(writer, start->files[i].name);
			ipc_put_payload(writer,
			    span_make(start->files[i].bytes,
				start->files[i].len));
		}
	}
	buffer_fini(&flat);
	return result;
}

static bool
decode_listeners(struct role_start *start, struct ipc_reader *fields)
{
	size_t count = ipc_get_u32(fields);

	if (ipc_reader_bad(fields) || count > IPC_FDS_MAX)
		return false;
	if (count == 0)
		return true;
	start->listeners = calloc(count, sizeof(*start->listeners));
	if (start->listeners == NULL)
		return false;
	while (start->listener_count < count && !ipc_reader_bad(fields)) {
		struct role_listener *listener =
		    &start->listeners[start->listener_count++];

		listener->index = ipc_get_u32(fields);
		listener->fd = ipc_get_fd(fields);
	}
	return !ipc_reader_bad(fields);
}

static bool
decode_file(struct role_file *file, struct ipc_reader *fields)
{
	struct span name = ipc_get_bytes(fields);
	struct span bytes = ipc_get_payload(fields);

	file->name = strndup(name.bytes, name.len);
	if (ipc_reader_bad(fields) || bytes.len > FILE_MAX)
		return false;
	file->bytes = malloc(bytes.len + 1);
	if (file->name == NULL || file->bytes == NULL)
		return false;
	memcpy(file->bytes, bytes.bytes, bytes.len);
	file->bytes[bytes.len] = '\0';
	file->len = bytes.len;
	return true;
}

static bool
decode_files(struct role_start *start, struct ipc_reader *fields)
{
	size_t count = ipc_get_u32(fields);

	if (ipc_reader_bad(fields) || count > FILES_MAX)
		return false;
	if (count == 0)
		return true;
	start->files = calloc(count, sizeof(*start->files));
	if (start->files == NULL)
		return false;
	while (start->file_count < count)
		if (!decode_file(&start->files[start->file_count++], fields))
			return false;
	return true;
}

struct role_start *
role_start_decode(struct ipc_reader *fields)
{
	struct role_start *start = calloc(1, sizeof(*start));
	struct span flat;

	if (start == NULL)
		return NULL;
	start->control_fd = -1;
	start->flags = ipc_get_u32(fields);
	flat = ipc_get_payload(fields);
	if (config_decode(flat.bytes, flat.len, &start->config) != 0 ||
	    !decode_listeners(start, fields) || !decode_files(start, fields))
		role_start_free(&start);
	return start;
}
