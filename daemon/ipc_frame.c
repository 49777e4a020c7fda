/* ipc_frame.c - one frame of ipc.h: its fields, written and read.
 */
#include "build.h"

#include "daemon/ipc_frame.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAYLOAD_MAX (256u * 1024u * 1024u)
#define SEALS       (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

enum field_tag {
	FIELD_U32 = 1,
	FIELD_U64,
	FIELD_BYTES,
	FIELD_FD,
	FIELD_PAYLOAD, /* inline */
	FIELD_MEMFD,
};

static void
put_le(char *out, uint64_t value, unsigned octets)
{
	unsigned i;

	for (i = 0; i < octets; i++)
		out[i] = (char)(value >> (8 * i) & 0xff);
}

static uint64_t
get_le(const char *in, unsigned octets)
{
	uint64_t value = 0;

	while (octets-- > 0)
		value = value << 8 | (unsigned char)in[octets];
	return value;
}

/* ---- writing */

struct ipc_writer *
ipc_writer_new(uint16_t type)
{
	static const char header[IPC_HEADER];
	struct ipc_writer *writer = calloc(1, sizeof(*writer));

	if (writer == NULL)
		return NULL;
	buffer_init(&writer->bytes, IPC_FRAME_MAX);
	buffer_append(&writer->bytes, header, sizeof(header));
	writer->type = type;
	return writer;
}

void
ipc_writer_free(struct ipc_writer **writer_p)
{
	struct ipc_writer *writer = *writer_p;

	if (writer == NULL)
		return;
	while (writer->fd_count > 0)
		(void)close(writer->fds[--writer->fd_count]);
	buffer_fini(&writer->bytes);
	free(writer);
	*writer_p = NULL;
}

int
ipc_writer_finish(struct ipc_writer *writer, const struct ipc_header *header)
{
	char *out = writer->bytes.bytes;

	if (writer->error != 0)
		return writer->error;
	if (buffer_failed(&writer->bytes))
		return -EMSGSIZE;
	put_le(out, writer->bytes.len, 4);
	put_le(out + 4, header->type, 2);
	put_le(out + 6, (unsigned)header->class << 8 | IPC_VERSION, 2);
	put_le(out + 8, header->request, 4);
	return 0;
}

static void
put_field(struct ipc_writer *writer, enum field_tag tag, uint64_t value,
    unsigned octets)
{
	char field[9];

	if (writer == NULL)
		return;
	field[0] = (char)tag;
	put_le(field + 1, value, octets);
	buffer_append(&writer->bytes, field, octets + 1);
}

static void
put_run(struct ipc_writer *writer, enum field_tag tag, struct span bytes)
{
	if (writer == NULL)
		return;
	if (bytes.len > IPC_FRAME_MAX) {
		writer->error = -EMSGSIZE;
		return;
	}
	put_field(writer, tag, bytes.len, 4);
	buffer_append_span(&writer->bytes, bytes);
}

void
ipc_put_u32(struct ipc_writer *writer, uint32_t value)
{
	put_field(writer, FIELD_U32, value, 4);
}

void
ipc_put_u64(struct ipc_writer *writer, uint64_t value)
{
	put_field(writer, FIELD_U64, value, 8);
}

void
ipc_put_bytes(struct ipc_writer *writer, struct span bytes)
{
	put_run(writer, FIELD_BYTES, bytes);
}

void
ipc_put_text(struct ipc_writer *writer, const char *text)
{
	put_run(writer, FIELD_BYTES, span_of(text));
}

/* Takes the descriptor. */
static void
put_owned_fd(struct ipc_writer *writer, int fd)
{
	if (fd < 0 || writer->fd_count == IPC_FDS_MAX) {
		writer->error = fd < 0 ? -EBADF : -EMSGSIZE;
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	writer->fds[writer->fd_count++] = fd;
}

void
ipc_put_fd(struct ipc_writer *writer, int fd)
{
	if (writer == NULL)
		return;
	put_owned_fd(writer, fcntl(fd, F_DUPFD_CLOEXEC, 3));
	put_field(writer, FIELD_FD, 0, 0);
}

static int
memfd_make(struct span bytes)
{
	int fd = memfd_create("kith", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t at = 0;

	if (fd < 0)
		return -1;
	while (at < bytes.len) {
		ssize_t wrote = write(fd, bytes.bytes + at, bytes.len - at);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			goto fail;
		at += (size_t)wrote;
	}
	if (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) == 0)
		return fd;
fail:
	(void)close(fd);
	return -1;
}

void
ipc_put_payload(struct ipc_writer *writer, struct span bytes)
{
	if (writer == NULL)
		return;
	if (bytes.len <= IPC_INLINE_MAX &&
	    writer->bytes.len + bytes.len <= IPC_INLINE_MAX) {
		put_run(writer, FIELD_PAYLOAD, bytes);
		return;
	}
	put_owned_fd(writer, memfd_make(bytes));
	put_field(writer, FIELD_MEMFD, bytes.len, 8);
}

/* ---- reading */

struct mapping {
	void *bytes;
	size_t len;
};

struct ipc_reader {
	unsigned references;
	uint16_t type;
	bool bad;
	unsigned fd_count, fd_next; /* descriptors are used up in order */
	int fds[IPC_FDS_MAX];
	struct mapping mappings[IPC_FDS_MAX];
	unsigned mapping_count;
	size_t at, len;
	char bytes[]; /* the fields */
};

int
ipc_header_decode(const char *bytes, size_t len, struct ipc_header *header)
{
	uint64_t version;

	if (len < IPC_HEADER || len > IPC_FRAME_MAX || get_le(bytes, 4) != len)
		return -EPROTO;
	header->length = (uint32_t)len;
	header->type = (uint16_t)get_le(bytes + 4, 2);
	version = get_le(bytes + 6, 2);
	header->request = (uint32_t)get_le(bytes + 8, 4);
	if ((version & 0xff) != IPC_VERSION || version >> 8 >= IPC_CLASSES)
		return -EPROTO;
	header->class = (enum ipc_class)(version >> 8);
	return 0;
}

struct ipc_reader *
ipc_reader_new(const struct ipc_header *header, const char *bytes,
    const int *fds, unsigned fd_count)
{
	size_t len = header->length - IPC_HEADER;
	struct ipc_reader *reader = malloc(sizeof(*reader) + len);
	unsigned i;

	if (reader == NULL) {
		for (i = 0; i < fd_count; i++)
			(void)close(fds[i]);
		return NULL;
	}
	memset(reader, 0, sizeof(*reader));
	reader->references = 1;
	reader->type = header->type;
	reader->fd_count = fd_count;
	memcpy(reader->fds, fds, fd_count * sizeof(*fds));
	reader->len = len;
	memcpy(reader->bytes, bytes + IPC_HEADER, len);
	return reader;
}

struct ipc_reader *
ipc_reader_keep(struct ipc_reader *reader)
{
	reader->references++;
	return reader;
}

void
ipc_reader_release(struct ipc_reader **reader_p)
{
	struct ipc_reader *reader = *reader_p;

	*reader_p = NULL;
	if (reader == NULL || --reader->references > 0)
		return;
	while (reader->mapping_count > 0) {
		struct mapping *mapping =
		    &reader->mappings[--reader->mapping_count];

		(void)munmap(mapping->bytes, mapping->len);
	}
	for (; reader->fd_next < reader->fd_count; reader->fd_next++)
		(void)close(reader->fds[reader->fd_next]);
	free(reader);
}

bool
ipc_reader_bad(const struct ipc_reader *reader)
{
	return reader->bad;
}

bool
ipc_reader_at_end(const struct ipc_reader *reader)
{
	return reader->at == reader->len;
}

/* The next `len` bytes, NULL (and bad) if there are fewer. */
static const char *
take(struct ipc_reader *reader, size_t len)
{
	const char *bytes = reader->bytes + reader->at;

	if (reader->bad || reader->len - reader->at < len) {
		reader->bad = true;
		return NULL;
	}
	reader->at += len;
	return bytes;
}

/* 0 if the next field has not this tag. */
static bool
take_tag(struct ipc_reader *reader, enum field_tag tag)
{
	const char *byte = take(reader, 1);

	if (byte != NULL && *byte != (char)tag)
		reader->bad = true;
	return !reader->bad;
}

static uint64_t
take_number(struct ipc_reader *reader, enum field_tag tag, unsigned octets)
{
	const char *bytes = take_tag(reader, tag) ? take(reader, octets) : NULL;

	return bytes == NULL ? 0 : get_le(bytes, octets);
}

static struct span
take_run(struct ipc_reader *reader, enum field_tag tag)
{
	size_t len = (size_t)take_number(reader, tag, 4);
	const char *bytes = take(reader, len);

	return bytes == NULL ? span_make("", 0) : span_make(bytes, len);
}

uint32_t
ipc_get_u32(struct ipc_reader *reader)
{
	return (uint32_t)take_number(reader, FIELD_U32, 4);
}

uint64_t
ipc_get_u64(struct ipc_reader *reader)
{
	return take_number(reader, FIELD_U64, 8);
}

struct span
ipc_get_bytes(struct ipc_reader *reader)
{
	return take_run(reader, FIELD_BYTES);
}

static int
take_fd(struct ipc_reader *reader)
{
	if (reader->bad || reader->fd_next == reader->fd_count) {
		reader->bad = true;
		return -1;
	}
	return reader->fds[reader->fd_next++];
}

int
ipc_get_fd(struct ipc_reader *reader)
{
	return take_tag(reader, FIELD_FD) ? take_fd(reader) : -1;
}

/* Without all three seals the sender could change or cut the bytes while they
 * are read. */
static void *
memfd_map(int fd, uint64_t size)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	void *bytes;

	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) != 0 ||
	    st.st_size < 0 || (uint64_t)st.st_size != size || size == 0 ||
	    size > PAYLOAD_MAX)
		return NULL;
	bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
	return bytes == MAP_FAILED ? NULL : bytes;
}

struct span
ipc_get_payload(struct ipc_reader *reader)
{
	struct mapping mapping;
	int fd;

	if (reader->at < reader->len &&
	    reader->bytes[reader->at] == FIELD_PAYLOAD)
		return take_run(reader, FIELD_PAYLOAD);
	mapping.len = (size_t)take_number(reader, FIELD_MEMFD, 8);
	fd = take_fd(reader);
	if (fd < 0)
		return span_make("", 0);
	mapping.bytes = memfd_map(fd, mapping.len);
	(void)close(fd);
	if (mapping.bytes == NULL) {
		reader->bad = true;
		return span_make("", 0);
	}
	reader->mappings[reader->mapping_count++] = mapping;
	return span_make(mapping.bytes, mapping.len);
}
