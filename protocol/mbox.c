/* mbox.c - splits an mbox file into messages.
 *
 * Lines are looked at one by one. A line that could be a separator waits for
 * the next one: only if that looks like a header field does a message begin.
 * What git format-patch writes as a separator (a commit id and a fixed date) is
 * found in the bodies of real mail, so it counts only in files that begin so.
 */
#include "protocol/mbox.h"

#include <errno.h>
#include <stdlib.h>

#include "protocol/date.h"
#include "protocol/header.h"

#define MBOX_LIMIT	   (64u << 20)
#define MBOX_LINE_MAX	   65536u /* longer lines go on in pieces */
#define MBOX_SEPARATOR_MAX 1000u

struct mbox {
	mbox_fn *fn;
	void *arg;
	size_t limit;
	unsigned flags;
	struct buffer line;	/* the part of a line that has come so far */
	struct buffer pending;	/* a line that may be a separator */
	struct buffer separator; /* of the message under way */
	struct buffer message;
	uint64_t at;		/* offset of the line at hand */
	uint64_t pending_at;
	uint64_t message_at;
	uint64_t index;
	bool open;	 /* a message is under way */
	bool too_large;	 /* so is its rest, which is dropped */
	bool after_blank; /* the line before was empty, or there is none */
	bool inside_line; /* a long line's first pieces are gone */
	bool git;	 /* the first separator was of git's kind */
};

struct mbox *
mbox_new(size_t limit, unsigned flags, mbox_fn *fn, void *arg)
{
	struct mbox *mbox = calloc(1, sizeof *mbox);

	if (mbox == NULL)
		return NULL;
	mbox->fn = fn;
	mbox->arg = arg;
	mbox->limit = limit == 0 ? MBOX_LIMIT : limit;
	mbox->flags = flags;
	mbox->after_blank = true;
	buffer_init(&mbox->line, 0);
	buffer_init(&mbox->pending, 0);
	buffer_init(&mbox->separator, 0);
	buffer_init(&mbox->message, 0);
	return mbox;
}

void
mbox_free(struct mbox **mbox)
{
	if (mbox == NULL || *mbox == NULL)
		return;
	buffer_fini(&(*mbox)->line);
	buffer_fini(&(*mbox)->pending);
	buffer_fini(&(*mbox)->separator);
	buffer_fini(&(*mbox)->message);
	free(*mbox);
	*mbox = NULL;
}

static struct span
mbox_line_text(struct span line)
{
	if (line.len > 0 && line.bytes[line.len - 1] == '\n')
		line.len--;
	if (line.len > 0 && line.bytes[line.len - 1] == '\r')
		line.len--;
	return line;
}

static bool
mbox_is_from(struct span line)
{
	return line.len >= 5 && memcmp(line.bytes, "From ", 5) == 0;
}

/* "From <40 or 64 hex digits> Mon Sep 17 00:00:00 2001" */
static bool
mbox_is_git(struct span text)
{
	static const char date[] = " Mon Sep 17 00:00:00 2001";
	size_t digits;

	if (text.len < 5 + sizeof date - 1)
		return false;
	digits = text.len - 5 - (sizeof date - 1);
	if ((digits != 40 && digits != 64) ||
	    memcmp(text.bytes + 5 + digits, date, sizeof date - 1) != 0)
		return false;
	for (size_t i = 0; i < digits; i++)
		if (strchr("0123456789abcdef", text.bytes[5 + i]) == NULL)
			return false;
	return true;
}

static bool
mbox_is_dated(struct span text)
{
	static const char days[] = "MonTueWedThuFriSatSun";
	int64_t seconds;
	unsigned tries = 0;

	for (size_t i = 5; i + 3 < text.len && tries < 8; i++) {
		struct span date = span_make(text.bytes + i, text.len - i);

		if (text.bytes[i - 1] != ' ')
			continue;
		for (size_t d = 0; d < sizeof days - 1; d += 3) {
			if (memcmp(date.bytes, days + d, 3) != 0)
				continue;
			tries++;
			if (memchr(date.bytes, ':', date.len) != NULL &&
			    date_parse(date, &seconds) == 0)
				return true;
		}
	}
	return false;
}

static bool
mbox_is_separator(const struct mbox *mbox, struct span line)
{
	struct span text = mbox_line_text(line);

	if (!mbox->after_blank || !mbox_is_from(text) ||
	    text.len > MBOX_SEPARATOR_MAX || !mbox_is_dated(text))
		return false;
	return !mbox->open || mbox->git || !mbox_is_git(text);
}

/* What may follow a separator: a field, an old ">From ", or no header. */
static bool
mbox_is_header_line(struct span line)
{
	struct span text = mbox_line_text(line);
	const char *colon;

	if (text.len == 0)
		return true;
	if (text.bytes[0] == '>' &&
	    mbox_is_from(span_make(text.bytes + 1, text.len - 1)))
		return true;
	colon = memchr(text.bytes, ':', text.len);
	if (colon == NULL)
		return false;
	text.len = (size_t)(colon - text.bytes);
	return header_name_is_valid(span_trim(text));
}

static int
mbox_check(const struct mbox *mbox)
{
	return buffer_failed(&mbox->line) || buffer_failed(&mbox->pending) ||
		buffer_failed(&mbox->separator) || buffer_failed(&mbox->message) ?
	    -ENOMEM :
	    0;
}

/* The empty line that belongs to the next separator. */
static void
mbox_drop_blank(struct buffer *message)
{
	struct span text = buffer_span(message);
	size_t len = text.len;

	if (len == 0 || text.bytes[len - 1] != '\n')
		return;
	len--;
	if (len > 0 && text.bytes[len - 1] == '\r')
		len--;
	if (len > 0 && text.bytes[len - 1] != '\n')
		return;
	message->len = len;
	message->bytes[len] = '\0';
}

static int
mbox_emit(struct mbox *mbox)
{
	struct mbox_message message = { 0 };
	int rc;

	if (!mbox->open)
		return 0;
	if (!mbox->too_large)
		mbox_drop_blank(&mbox->message);
	message.bytes = buffer_span(&mbox->message);
	message.separator = mbox_line_text(buffer_span(&mbox->separator));
	message.offset = mbox->message_at;
	message.index = mbox->index++;
	message.too_large = mbox->too_large;
	rc = mbox_check(mbox);
	if (rc == 0)
		rc = mbox->fn(mbox->arg, &message);
	buffer_clear(&mbox->message);
	mbox->open = false;
	mbox->too_large = false;
	return rc;
}

static int
mbox_begin(struct mbox *mbox)
{
	int rc = mbox_emit(mbox);

	if (rc != 0)
		return rc;
	if (mbox->index == 0)
		mbox->git =
		    mbox_is_git(mbox_line_text(buffer_span(&mbox->pending)));
	buffer_clear(&mbox->separator);
	buffer_append_span(&mbox->separator, buffer_span(&mbox->pending));
	buffer_clear(&mbox->pending);
	mbox->message_at = mbox->pending_at;
	mbox->open = true;
	return mbox_check(mbox);
}

static void
mbox_keep(struct mbox *mbox, struct span piece)
{
	size_t room;

	if (mbox->too_large)
		return;
	room = mbox->limit - mbox->message.len;
	if (piece.len > room) {
		piece.len = room;
		mbox->too_large = true;
	}
	buffer_append_span(&mbox->message, piece);
}

/* ">From ", ">>From ", ... (mboxrd) */
static bool
mbox_is_quoted(struct span line)
{
	size_t at = 0;

	while (at < line.len && line.bytes[at] == '>')
		at++;
	return at > 0 &&
	    mbox_is_from(span_make(line.bytes + at, line.len - at));
}

/* A line, or the first piece of a long one, with its line end if it has one. */
static int
mbox_line(struct mbox *mbox, struct span line)
{
	int rc;

	if (mbox->pending.len > 0) {
		if (mbox_is_header_line(line)) {
			rc = mbox_begin(mbox);
			if (rc != 0)
				return rc;
		} else if (mbox->open) {
			mbox_keep(mbox, buffer_span(&mbox->pending));
			buffer_clear(&mbox->pending);
		} else {
			return -EBADMSG;
		}
	}
	if (mbox_is_separator(mbox, line)) {
		mbox->pending_at = mbox->at;
		buffer_append_span(&mbox->pending, line);
	} else if (mbox->open) {
		if ((mbox->flags & MBOX_UNQUOTE) != 0 && mbox_is_quoted(line))
			line = span_make(line.bytes + 1, line.len - 1);
		mbox_keep(mbox, line);
	} else if (mbox_line_text(line).len > 0) {
		return -EBADMSG;
	}
	mbox->after_blank = mbox_line_text(line).len == 0;
	return mbox_check(mbox);
}

static int
mbox_piece(struct mbox *mbox, struct span piece, bool ends)
{
	size_t len = piece.len;
	int rc = 0;

	if (mbox->inside_line)
		mbox_keep(mbox, piece);
	else
		rc = mbox_line(mbox, piece);
	mbox->inside_line = !ends;
	mbox->at += len;
	return rc != 0 ? rc : mbox_check(mbox);
}

/* The line that has been gathered in mbox->line. */
static int
mbox_flush(struct mbox *mbox, bool ends)
{
	int rc = mbox_piece(mbox, buffer_span(&mbox->line), ends);

	buffer_clear(&mbox->line);
	return rc;
}

int
mbox_feed(struct mbox *mbox, struct span chunk)
{
	int rc = 0;

	while (rc == 0 && chunk.len > 0) {
		const char *lf = memchr(chunk.bytes, '\n', chunk.len);
		struct span piece = chunk;

		if (lf != NULL)
			piece.len = (size_t)(lf + 1 - chunk.bytes);
		else if (piece.len > MBOX_LINE_MAX)
			piece.len = MBOX_LINE_MAX;
		chunk.bytes += piece.len;
		chunk.len -= piece.len;
		if (mbox->line.len == 0 && lf != NULL) {
			rc = mbox_piece(mbox, piece, true);
			continue;
		}
		buffer_append_span(&mbox->line, piece);
		rc = mbox_check(mbox);
		if (rc == 0 && (lf != NULL || mbox->line.len >= MBOX_LINE_MAX))
			rc = mbox_flush(mbox, lf != NULL);
	}
	return rc;
}

int
mbox_finish(struct mbox *mbox)
{
	int rc = 0;

	if (mbox->line.len > 0)
		rc = mbox_flush(mbox, true);
	if (rc == 0 && mbox->pending.len > 0) {
		if (mbox->open)
			mbox_keep(mbox, buffer_span(&mbox->pending));
		else
			rc = mbox_begin(mbox);
	}
	if (rc == 0)
		rc = mbox_emit(mbox);
	return rc;
}
