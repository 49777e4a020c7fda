/* charset.c - octets in any character set to valid UTF-8.
 */
#include "protocol/charset.h"
#include "protocol/utf8.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>

/* What mail calls it, and what iconv shall use. Names that are not here are
 * guessed: an unknown one must not make iconv search the disk. */
struct charset_alias {
	const char *name;
	const char *iconv; /* NULL: UTF-8 or a guess, without iconv */
};

static const struct charset_alias aliases[] = {
	{ "utf-8", NULL },
	{ "utf8", NULL },
	{ "us-ascii", NULL },
	{ "ascii", NULL },
	{ "ansi_x3.4-1968", NULL },
	{ "iso-8859-1", "WINDOWS-1252" },
	{ "iso8859-1", "WINDOWS-1252" },
	{ "iso_8859-1", "WINDOWS-1252" },
	{ "latin1", "WINDOWS-1252" },
	{ "iso-8859-2", "ISO-8859-2" },
	{ "iso-8859-3", "ISO-8859-3" },
	{ "iso-8859-4", "ISO-8859-4" },
	{ "iso-8859-5", "ISO-8859-5" },
	{ "iso-8859-6", "ISO-8859-6" },
	{ "iso-8859-7", "ISO-8859-7" },
	{ "iso-8859-8", "ISO-8859-8" },
	{ "iso-8859-8-i", "ISO-8859-8" },
	{ "iso-8859-9", "WINDOWS-1254" },
	{ "iso-8859-10", "ISO-8859-10" },
	{ "iso-8859-11", "WINDOWS-874" },
	{ "iso-8859-13", "ISO-8859-13" },
	{ "iso-8859-14", "ISO-8859-14" },
	{ "iso-8859-15", "ISO-8859-15" },
	{ "iso-8859-16", "ISO-8859-16" },
	{ "windows-874", "WINDOWS-874" },
	{ "tis-620", "WINDOWS-874" },
	{ "windows-1250", "WINDOWS-1250" },
	{ "cp1250", "WINDOWS-1250" },
	{ "windows-1251", "WINDOWS-1251" },
	{ "cp1251", "WINDOWS-1251" },
	{ "windows-1252", "WINDOWS-1252" },
	{ "cp1252", "WINDOWS-1252" },
	{ "windows-1253", "WINDOWS-1253" },
	{ "windows-1254", "WINDOWS-1254" },
	{ "windows-1255", "WINDOWS-1255" },
	{ "windows-1256", "WINDOWS-1256" },
	{ "windows-1257", "WINDOWS-1257" },
	{ "windows-1258", "WINDOWS-1258" },
	{ "cp1258", "WINDOWS-1258" },
	{ "cp850", "CP850" },
	{ "cp866", "CP866" },
	{ "ibm866", "CP866" },
	{ "koi8-r", "KOI8-R" },
	{ "koi8-u", "KOI8-U" },
	{ "macintosh", "MACINTOSH" },
	{ "viscii", "VISCII" },
	{ "tcvn", "TCVN" },
	{ "gb2312", "GB18030" },
	{ "gb_2312-80", "GB18030" },
	{ "gbk", "GB18030" },
	{ "cp936", "GB18030" },
	{ "x-gbk", "GB18030" },
	{ "gb18030", "GB18030" },
	{ "hz-gb-2312", "HZ" },
	{ "iso-2022-cn", "ISO-2022-CN" },
	{ "big5", "BIG5-HKSCS" },
	{ "big5-hkscs", "BIG5-HKSCS" },
	{ "cp950", "BIG5-HKSCS" },
	{ "x-x-big5", "BIG5-HKSCS" },
	{ "euc-tw", "EUC-TW" },
	{ "iso-2022-jp", "ISO-2022-JP-3" },
	{ "iso-2022-jp-1", "ISO-2022-JP-3" },
	{ "iso-2022-jp-2", "ISO-2022-JP-2" },
	{ "iso-2022-jp-3", "ISO-2022-JP-3" },
	{ "shift_jis", "CP932" },
	{ "shift-jis", "CP932" },
	{ "sjis", "CP932" },
	{ "x-sjis", "CP932" },
	{ "windows-31j", "CP932" },
	{ "cp932", "CP932" },
	{ "euc-jp", "EUC-JP" },
	{ "ks_c_5601-1987", "UHC" },
	{ "ks_c_5601", "UHC" },
	{ "ksc5601", "UHC" },
	{ "euc-kr", "UHC" },
	{ "cp949", "UHC" },
	{ "iso-2022-kr", "ISO-2022-KR" },
	{ "utf-7", "UTF-7" },
	{ "unicode-1-1-utf-7", "UTF-7" },
	{ "utf-16", "UTF-16" },
	{ "utf-16le", "UTF-16LE" },
	{ "utf-16be", "UTF-16BE" },
	{ "utf-32", "UTF-32" },
};

#define ALIAS_COUNT (sizeof aliases / sizeof aliases[0])

struct charset_set {
	iconv_t open[ALIAS_COUNT];
};

struct charset_set *
charset_preload(void)
{
	struct charset_set *set = calloc(1, sizeof *set);

	if (set == NULL)
		return NULL;
	for (size_t i = 0; i < ALIAS_COUNT; i++) {
		const char *name = aliases[i].iconv;

		set->open[i] =
		    iconv_open("UTF-8", name == NULL ? "UTF-8" : name);
	}
	return set;
}

static bool
descriptor_is_open(iconv_t descriptor)
{
	return (intptr_t)descriptor != -1;
}

void
charset_set_free(struct charset_set **set)
{
	if (*set == NULL)
		return;
	for (size_t i = 0; i < ALIAS_COUNT; i++) {
		if (descriptor_is_open((*set)->open[i]))
			(void)iconv_close((*set)->open[i]);
	}
	free(*set);
	*set = NULL;
}

/* What iconv writes, with NUL taken out. */
static void
converted_append(struct buffer *out, const char *bytes, size_t len)
{
	size_t start = 0;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != '\0')
			continue;
		buffer_append(out, bytes + start, i - start);
		buffer_append_text(out, UTF8_REPLACEMENT);
		start = i + 1;
	}
	buffer_append(out, bytes + start, len - start);
}

static void
convert(struct buffer *out, struct span bytes, iconv_t descriptor)
{
	char chunk[4096];
	char *in = (char *)(uintptr_t)bytes.bytes;
	size_t in_len = bytes.len;
	bool flushed = false;

	while (!flushed && !buffer_failed(out)) {
		char *to = chunk;
		size_t room = sizeof chunk;
		size_t rc;

		flushed = in_len == 0;
		/* the last call writes what a converter still holds: windows-1258
		 * keeps a letter back, waiting for its tone mark */
		rc = flushed ? iconv(descriptor, NULL, NULL, &to, &room)
			     : iconv(descriptor, &in, &in_len, &to, &room);
		if (rc == (size_t)-1 && errno == E2BIG && to == chunk)
			break;
		if (rc == (size_t)-1 && errno == E2BIG)
			flushed = false;
		converted_append(out, chunk, (size_t)(to - chunk));
		if (rc == (size_t)-1 && errno != E2BIG && in_len > 0) {
			buffer_append_text(out, UTF8_REPLACEMENT);
			in++;
			in_len--;
		}
	}
}

/* A name without its language ("utf-8*vi") and quotes. */
static struct span
charset_bare(struct span charset)
{
	const char *star;

	charset = span_trim(charset);
	while (charset.len > 0 &&
	    (charset.bytes[0] == '"' || charset.bytes[0] == '\''))
		charset = span_make(charset.bytes + 1, charset.len - 1);
	while (charset.len > 0 &&
	    (charset.bytes[charset.len - 1] == '"' ||
		charset.bytes[charset.len - 1] == '\''))
		charset.len--;
	star =
	    charset.len == 0 ? NULL : memchr(charset.bytes, '*', charset.len);
	if (star != NULL)
		charset.len = (size_t)(star - charset.bytes);
	return charset;
}

static const char *
charset_iconv_name(struct span charset)
{
	charset = charset_bare(charset);
	if (charset.len == 0)
		return NULL;
	for (size_t i = 0; i < ALIAS_COUNT; i++) {
		if (span_is(charset, aliases[i].name))
			return aliases[i].iconv;
	}
	return NULL;
}

static bool
charset_is_utf8(struct span charset)
{
	charset = charset_bare(charset);
	return span_is(charset, "utf-8") || span_is(charset, "utf8");
}

/* Sets in which text of other sets rarely is valid UTF-8 by chance: a label of
 * them over valid multi-octet UTF-8 is a lie. */
static bool
charset_is_single(const char *name)
{
	return strncmp(name, "WINDOWS-", 8) == 0 ||
	    strncmp(name, "ISO-8859-", 9) == 0 || strncmp(name, "KOI8", 4) == 0;
}

void
charset_to_utf8(struct buffer *out, struct span bytes, struct span charset)
{
	const char *name;
	iconv_t descriptor;

	if (bytes.len == 0)
		return;
	if (charset_is_utf8(charset)) {
		utf8_append(out, bytes);
		return;
	}
	name = charset_iconv_name(charset);
	if ((name == NULL || charset_is_single(name)) && utf8_valid(bytes)) {
		buffer_append_span(out, bytes);
		return;
	}
	descriptor = iconv_open("UTF-8", name == NULL ? "WINDOWS-1252" : name);
	if (!descriptor_is_open(descriptor)) {
		utf8_append(out, bytes);
		return;
	}
	convert(out, bytes, descriptor);
	(void)iconv_close(descriptor);
}
