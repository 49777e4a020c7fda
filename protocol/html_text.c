/* html_text.c - HTML and flowed text to plain text.
 */
#include "build.h"

#include "protocol/html_text.h"

#include <stdint.h>

#define QUOTE_LEVELS 32u
#define TAG_MAX      4096u

enum tag_effect {
	TAG_BREAK,     /* a new line */
	TAG_BLOCK,     /* begins on a line of its own */
	TAG_PARAGRAPH, /* with an empty line between */
	TAG_ITEM,
	TAG_RULE,
	TAG_PRE,
	TAG_QUOTE,
	TAG_HIDDEN, /* content is not shown */
	TAG_CELL,
};

static const struct {
	const char *name;
	enum tag_effect effect;
} tags[] = {
	{ "br", TAG_BREAK },
	{ "div", TAG_BLOCK },
	{ "tr", TAG_BLOCK },
	{ "table", TAG_BLOCK },
	{ "ul", TAG_BLOCK },
	{ "ol", TAG_BLOCK },
	{ "section", TAG_BLOCK },
	{ "article", TAG_BLOCK },
	{ "header", TAG_BLOCK },
	{ "footer", TAG_BLOCK },
	{ "body", TAG_BLOCK },
	{ "p", TAG_PARAGRAPH },
	{ "h1", TAG_PARAGRAPH },
	{ "h2", TAG_PARAGRAPH },
	{ "h3", TAG_PARAGRAPH },
	{ "h4", TAG_PARAGRAPH },
	{ "h5", TAG_PARAGRAPH },
	{ "h6", TAG_PARAGRAPH },
	{ "li", TAG_ITEM },
	{ "dt", TAG_BLOCK },
	{ "dd", TAG_BLOCK },
	{ "hr", TAG_RULE },
	{ "pre", TAG_PRE },
	{ "blockquote", TAG_QUOTE },
	{ "script", TAG_HIDDEN },
	{ "style", TAG_HIDDEN },
	{ "title", TAG_HIDDEN },
	{ "td", TAG_CELL },
	{ "th", TAG_CELL },
};

static const struct {
	const char *name;
	const char *text;
} entities[] = {
	{ "lt", "<" },
	{ "gt", ">" },
	{ "amp", "&" },
	{ "quot", "\"" },
	{ "apos", "'" },
	{ "nbsp", " " },
	{ "copy", "©" },
	{ "reg", "®" },
	{ "euro", "€" },
	{ "hellip", "…" },
	{ "ndash", "–" },
	{ "mdash", "—" },
	{ "lsquo", "‘" },
	{ "rsquo", "’" },
	{ "ldquo", "“" },
	{ "rdquo", "”" },
	{ "laquo", "«" },
	{ "raquo", "»" },
	{ "bull", "•" },
	{ "middot", "·" },
	{ "zwnj", "" },
	{ "zwj", "" },
	{ "shy", "" },
	{ "auml", "ä" },
	{ "ouml", "ö" },
	{ "uuml", "ü" },
	{ "Auml", "Ä" },
	{ "Ouml", "Ö" },
	{ "Uuml", "Ü" },
	{ "szlig", "ß" },
	{ "agrave", "à" },
	{ "aacute", "á" },
	{ "acirc", "â" },
	{ "atilde", "ã" },
	{ "egrave", "è" },
	{ "eacute", "é" },
	{ "ecirc", "ê" },
	{ "euml", "ë" },
	{ "igrave", "ì" },
	{ "iacute", "í" },
	{ "icirc", "î" },
	{ "iuml", "ï" },
	{ "ograve", "ò" },
	{ "oacute", "ó" },
	{ "ocirc", "ô" },
	{ "otilde", "õ" },
	{ "ugrave", "ù" },
	{ "uacute", "ú" },
	{ "ucirc", "û" },
	{ "yacute", "ý" },
	{ "ccedil", "ç" },
	{ "Agrave", "À" },
	{ "Aacute", "Á" },
	{ "Acirc", "Â" },
	{ "Egrave", "È" },
	{ "Eacute", "É" },
	{ "Ecirc", "Ê" },
	{ "Oacute", "Ó" },
	{ "Ocirc", "Ô" },
	{ "Ccedil", "Ç" },
	{ "ntilde", "ñ" },
	{ "Ntilde", "Ñ" },
	{ "aring", "å" },
	{ "Aring", "Å" },
	{ "aelig", "æ" },
	{ "oslash", "ø" },
	{ "iexcl", "¡" },
	{ "iquest", "¿" },
	{ "deg", "°" },
	{ "times", "×" },
	{ "sect", "§" },
	{ "para", "¶" },
};

struct html_writer {
	struct buffer *out;
	size_t newlines; /* owed before the next text */
	bool started;
	bool space;     /* owed */
	bool line_open; /* something stands on the line */
	size_t pre;
	size_t depth; /* of blockquotes */
	bool quote[QUOTE_LEVELS];
	const char *hidden; /* name of the tag whose end shows text again */
};

static void
writer_newlines(struct html_writer *writer, size_t count)
{
	if (writer->newlines < count)
		writer->newlines = count;
	writer->space = false;
}

static void
writer_begin_line(struct html_writer *writer)
{
	size_t levels =
	    writer->depth < QUOTE_LEVELS ? writer->depth : QUOTE_LEVELS;

	for (size_t i = 0; i < levels; i++)
		buffer_append_text(writer->out, writer->quote[i] ? "> " : "  ");
	writer->line_open = true;
}

static void
writer_text(struct html_writer *writer, const char *bytes, size_t len)
{
	if (writer->hidden != NULL || len == 0)
		return;
	if (writer->started && writer->newlines > 0) {
		for (size_t i = 0; i < writer->newlines && i < 3; i++)
			buffer_append_byte(writer->out, '\n');
		writer->line_open = false;
	}
	if (!writer->line_open)
		writer_begin_line(writer);
	else if (writer->space)
		buffer_append_byte(writer->out, ' ');
	writer->newlines = 0;
	writer->space = false;
	writer->started = true;
	buffer_append(writer->out, bytes, len);
}

static void
writer_byte(struct html_writer *writer, char c)
{
	if (c == '\r')
		return;
	if (writer->pre > 0 && c == '\n') {
		writer->newlines++;
		return;
	}
	if (c == ' ' || c == '\t' || c == '\n' || c == '\f') {
		if (writer->pre > 0)
			writer_text(writer, " ", 1);
		else if (writer->line_open && writer->newlines == 0)
			writer->space = true;
		return;
	}
	writer_text(writer, &c, 1);
}

static void
writer_code_point(struct html_writer *writer, uint32_t c)
{
	char text[4];
	size_t len;

	if (c == 0xa0 || c == 9 || c == 10 || c == 13) {
		writer_byte(writer, ' ');
		return;
	}
	if (c < 0x20 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	if (c < 0x80) {
		text[0] = (char)c;
		len = 1;
	} else if (c < 0x800) {
		text[0] = (char)(0xc0 | (c >> 6));
		len = 2;
	} else if (c < 0x10000) {
		text[0] = (char)(0xe0 | (c >> 12));
		len = 3;
	} else {
		text[0] = (char)(0xf0 | (c >> 18));
		len = 4;
	}
	for (size_t i = 1; i < len; i++)
		text[i] = (char)(0x80 | ((c >> (6 * (len - 1 - i))) & 0x3f));
	writer_text(writer, text, len);
}

static uint32_t
number_of(struct span digits)
{
	uint32_t base = 10, value = 0;
	size_t i = 0;

	if (digits.len > 0 &&
	    (digits.bytes[0] == 'x' || digits.bytes[0] == 'X')) {
		base = 16;
		i = 1;
	}
	for (; i < digits.len && value <= 0x10ffff; i++) {
		char c = digits.bytes[i];

		if (c >= '0' && c <= '9')
			value = value * base + (uint32_t)(c - '0');
		else if (base == 16 && (c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value =
			    value * base + (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return 0xfffd;
	}
	return value;
}

/* From '&' on; returns its length, 0 if it is no entity. */
static size_t
write_entity(struct html_writer *writer, struct span at)
{
	size_t room = at.len < 12 ? at.len : 12;
	const char *end = memchr(at.bytes, ';', room);
	struct span name;

	if (end == NULL)
		return 0;
	name = span_make(at.bytes + 1, (size_t)(end - at.bytes) - 1);
	if (name.len > 1 && name.bytes[0] == '#') {
		writer_code_point(writer,
		    number_of(span_make(name.bytes + 1, name.len - 1)));
		return name.len + 2;
	}
	for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
		if (!span_equal(name, span_of(entities[i].name)))
			continue;
		if (strcmp(entities[i].text, " ") == 0)
			writer_byte(writer, ' ');
		else
			writer_text(writer, entities[i].text,
			    strlen(entities[i].text));
		return name.len + 2;
	}
	return 0;
}

static bool
contains(struct span text, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + len <= text.len; i++) {
		if (strncasecmp(text.bytes + i, word, len) == 0)
			return true;
	}
	return false;
}

/* Did a mail program write it around what is answered? */
static bool
is_citation(struct span attributes)
{
	return contains(attributes, "cite") || contains(attributes, "quote") ||
	    contains(attributes, "border-left") ||
	    contains(attributes, "replied");
}

static void
quote_change(struct html_writer *writer, bool closing, struct span attributes)
{
	writer_newlines(writer, 2);
	if (closing) {
		if (writer->depth > 0)
			writer->depth--;
	} else {
		if (writer->depth < QUOTE_LEVELS)
			writer->quote[writer->depth] = is_citation(attributes);
		writer->depth++;
	}
}

static void
apply_tag(struct html_writer *writer, size_t index, bool closing,
    struct span attributes)
{
	switch (tags[index].effect) {
	case TAG_BREAK:
		writer->newlines++;
		writer->space = false;
		break;
	case TAG_BLOCK:
		writer_newlines(writer, writer->started ? 1 : 0);
		break;
	case TAG_PARAGRAPH:
		writer_newlines(writer, writer->started ? 2 : 0);
		break;
	case TAG_ITEM:
		writer_newlines(writer, 1);
		if (!closing)
			writer_text(writer, "- ", 2);
		break;
	case TAG_RULE:
		writer_newlines(writer, 1);
		writer_text(writer, "________________________________", 32);
		writer_newlines(writer, 1);
		break;
	case TAG_PRE:
		writer_newlines(writer, 1);
		if (!closing)
			writer->pre++;
		else if (writer->pre > 0)
			writer->pre--;
		break;
	case TAG_QUOTE:
		quote_change(writer, closing, attributes);
		break;
	case TAG_HIDDEN:
		writer->hidden = closing ? NULL : tags[index].name;
		break;
	case TAG_CELL:
		if (writer->line_open && writer->newlines == 0)
			writer->space = true;
		break;
	}
}

/* From '<' on; returns the length of the tag. */
static size_t
read_tag(struct html_writer *writer, struct span at)
{
	const char *end;
	struct span name;
	bool closing;
	size_t i;

	if (at.len >= 4 && memcmp(at.bytes, "<!--", 4) == 0) {
		end = memmem(at.bytes + 4, at.len - 4, "-->", 3);
		return end == NULL ? at.len : (size_t)(end - at.bytes) + 3;
	}
	end = memchr(at.bytes, '>', at.len < TAG_MAX ? at.len : TAG_MAX);
	if (end == NULL || at.len < 3 ||
	    (strchr("/!?", at.bytes[1]) == NULL &&
		((at.bytes[1] | 0x20) < 'a' || (at.bytes[1] | 0x20) > 'z'))) {
		writer_byte(writer, '<');
		return 1;
	}
	closing = at.bytes[1] == '/';
	at.len = (size_t)(end - at.bytes) + 1;
	i = closing ? 2 : 1;
	name = span_make(at.bytes + i, 0);
	while (i < at.len && strchr(" \t\r\n/>", at.bytes[i]) == NULL)
		i++;
	name.len = (size_t)(at.bytes + i - name.bytes);
	for (size_t k = 0; k < sizeof tags / sizeof tags[0]; k++) {
		if (!span_is(name, tags[k].name))
			continue;
		if (writer->hidden == NULL ||
		    (closing && strcmp(writer->hidden, tags[k].name) == 0))
			apply_tag(writer, k, closing,
			    span_make(at.bytes + i, at.len - i));
		break;
	}
	return at.len;
}

void
html_to_text(struct buffer *out, struct span html)
{
	struct html_writer writer = { .out = out };
	size_t at = 0, used;

	while (at < html.len && !buffer_failed(out)) {
		struct span rest = span_make(html.bytes + at, html.len - at);

		used = 0;
		if (rest.bytes[0] == '<')
			used = read_tag(&writer, rest);
		else if (rest.bytes[0] == '&')
			used = write_entity(&writer, rest);
		/* U+00A0 is a blank like others here */
		else if (rest.len > 1 &&
		    memcmp(rest.bytes, "\xc2\xa0", 2) == 0) {
			writer_byte(&writer, ' ');
			used = 2;
		}
		if (used == 0) {
			writer_byte(&writer, rest.bytes[0]);
			used = 1;
		}
		at += used;
	}
	if (writer.started)
		buffer_append_byte(out, '\n');
}

/* ---- flowed */

struct flowed_line {
	struct span text; /* without quote marks and stuffing */
	size_t depth;
};

static struct flowed_line
flowed_read(struct span line)
{
	struct flowed_line read = { line, 0 };

	while (read.text.len > 0 && read.text.bytes[0] == '>') {
		read.text = span_make(read.text.bytes + 1, read.text.len - 1);
		read.depth++;
	}
	if (read.text.len > 0 && read.text.bytes[0] == ' ')
		read.text = span_make(read.text.bytes + 1, read.text.len - 1);
	return read;
}

static void
flowed_begin(struct buffer *out, size_t depth)
{
	for (size_t i = 0; i < depth; i++)
		buffer_append_byte(out, '>');
	if (depth > 0)
		buffer_append_byte(out, ' ');
}

void
flowed_to_text(struct buffer *out, struct span text, bool delsp)
{
	bool open = false;
	size_t depth = 0;

	while (text.len > 0) {
		const char *end = memchr(text.bytes, '\n', text.len);
		size_t len =
		    end == NULL ? text.len : (size_t)(end - text.bytes);
		struct flowed_line line;
		bool soft;

		line = flowed_read(span_make(text.bytes, len));
		text = span_make(text.bytes + len + (end != NULL),
		    text.len - len - (end != NULL));
		soft = line.text.len > 0 &&
		    line.text.bytes[line.text.len - 1] == ' ' &&
		    !span_is(line.text, "-- ");
		if (open &&
		    (line.depth != depth || span_is(line.text, "-- "))) {
			buffer_append_byte(out, '\n');
			open = false;
		}
		if (!open)
			flowed_begin(out, line.depth);
		depth = line.depth;
		if (soft && delsp)
			line.text.len--;
		buffer_append_span(out, line.text);
		open = soft;
		if (!soft)
			buffer_append_byte(out, '\n');
	}
	if (open)
		buffer_append_byte(out, '\n');
}
