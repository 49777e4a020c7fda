/* nntp_reply.c - see nntp_reply.h.
 */
#include "protocol/nntp_reply.h"

#include "protocol/range.h"

static bool
is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

bool
nntp_reply_parse(struct span line, struct nntp_reply *reply_r)
{
	unsigned code = 0;

	if (line.len < 3 || (line.len > 3 && line.bytes[3] != ' '))
		return false;
	for (size_t i = 0; i < 3; i++) {
		if (!is_digit(line.bytes[i]))
			return false;
		code = code * 10 + (unsigned)(line.bytes[i] - '0');
	}
	if (code < 100 || code > 599)
		return false;
	reply_r->code = code;
	reply_r->text = span_trim(span_make(line.bytes + 3, line.len - 3));
	return true;
}

struct span
nntp_reply_word(struct span *rest)
{
	struct span word = *rest;
	size_t at = 0;

	while (at < rest->len && !span_blank_at(*rest, at))
		at++;
	word.len = at;
	*rest = span_trim(span_make(rest->bytes + at, rest->len - at));
	return word;
}

struct span
nntp_reply_id(const struct nntp_reply *reply)
{
	struct span rest = reply->text;
	struct span word = nntp_reply_word(&rest);

	if (word.len < 3 || word.bytes[0] != '<' ||
	    word.bytes[word.len - 1] != '>')
		word.len = 0;
	return word;
}

/* Digits alone; too large a number is the largest. */
static bool
reply_number(struct span word, uint32_t *number_r)
{
	uint64_t number = 0;

	if (word.len == 0)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (!is_digit(word.bytes[i]))
			return false;
		if (number <= RANGE_NUMBER_MAX)
			number = number * 10 + (uint64_t)(word.bytes[i] - '0');
	}
	*number_r =
	    number > RANGE_NUMBER_MAX ? RANGE_NUMBER_MAX : (uint32_t)number;
	return true;
}

bool
nntp_reply_group(const struct nntp_reply *reply,
    struct nntp_reply_group *group_r)
{
	struct span rest = reply->text;
	uint32_t count, low, high;

	if (!reply_number(nntp_reply_word(&rest), &count) ||
	    !reply_number(nntp_reply_word(&rest), &low) ||
	    !reply_number(nntp_reply_word(&rest), &high))
		return false;
	group_r->low = low;
	group_r->high = high;
	return true;
}

bool
nntp_reply_number(struct span line, uint32_t *number_r)
{
	struct span rest = span_trim(line);

	return reply_number(nntp_reply_word(&rest), number_r);
}

const char *
nntp_reply_printable(struct span text, char *out, size_t size)
{
	size_t len = text.len < size ? text.len : size - 1;

	for (size_t i = 0; i < len; i++)
		out[i] = text.bytes[i] >= ' ' && text.bytes[i] <= '~'
		    ? text.bytes[i]
		    : '?';
	out[len] = '\0';
	return out;
}
