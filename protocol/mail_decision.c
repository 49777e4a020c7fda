/* mail_decision.c - decisions in the lines of a mail.
 */
#include "protocol/mail_decision.h"

static const struct {
	const char *word;
	enum mail_decision_verb verb;
} words[] = {
	{ "approve", MAIL_DECISION_APPROVE },
	{ "accept", MAIL_DECISION_APPROVE },
	{ "reject", MAIL_DECISION_REJECT },
	{ "show", MAIL_DECISION_SHOW },
	{ "list", MAIL_DECISION_LIST },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Takes what is before `end` off, or all of it. */
static struct span
take_to(struct span *text, char end)
{
	const char *found =
	    text->len == 0 ? NULL : memchr(text->bytes, end, text->len);
	struct span taken = *text;

	if (found != NULL)
		taken.len = (size_t)(found - text->bytes);
	text->bytes += taken.len + (found != NULL);
	text->len -= taken.len + (found != NULL);
	return taken;
}

static void
skip(struct span *text, size_t count)
{
	text->bytes += count;
	text->len -= count;
}

static size_t
letters(struct span text)
{
	size_t len = 0;

	while (len < text.len &&
	    ((unsigned char)text.bytes[len] | 0x20) >= 'a' &&
	    ((unsigned char)text.bytes[len] | 0x20) <= 'z')
		len++;
	return len;
}

static size_t
separators(struct span text)
{
	size_t len = 0;

	while (len < text.len &&
	    (span_blank_at(text, len) || text.bytes[len] == ','))
		len++;
	return len;
}

/* Its digits; 0: there is no number, or none of 32 bits. */
static size_t
number(struct span text, uint32_t *number_r)
{
	uint64_t value = 0;
	size_t len = 0;

	for (;
	     len < text.len && text.bytes[len] >= '0' && text.bytes[len] <= '9';
	     len++) {
		value = value * 10 + (unsigned)(text.bytes[len] - '0');
		if (value > UINT32_MAX)
			return 0;
	}
	*number_r = (uint32_t)value;
	return len;
}

/* The octets of "12" or "12-31" at the beginning; 0: of neither, or of a word
 * that only begins so. */
static size_t
range(struct span text, uint32_t *first_r, uint32_t *last_r)
{
	size_t first = number(text, first_r), last, len = first;

	*last_r = *first_r;
	if (first == 0)
		return 0;
	if (len < text.len && text.bytes[len] == '-') {
		len++;
		last =
		    number(span_make(text.bytes + len, text.len - len), last_r);
		if (last == 0 || *last_r < *first_r)
			return 0;
		len += last;
	}
	return len == text.len || span_blank_at(text, len) ||
		text.bytes[len] == ',' || text.bytes[len] == ':' ||
		(text.bytes[len] == '.' && len + 1 == text.len)
	    ? len
	    : 0;
}

/* Splits what follows the verb: numbers, and the rest after a colon or blank. */
static struct span
take_numbers(struct span *text)
{
	struct span numbers = *text;
	uint32_t first = 0, last = 0;
	size_t len;

	for (;;) {
		size_t apart = separators(*text);
		struct span at =
		    span_make(text->bytes + apart, text->len - apart);

		len = range(at, &first, &last);
		if (len == 0)
			break;
		skip(text, apart + len);
	}
	numbers.len = (size_t)(text->bytes - numbers.bytes);
	*text = span_trim(*text);
	if (text->len > 0 && text->bytes[0] == ':') {
		skip(text, 1);
		*text = span_trim(*text);
	} else if (text->len == 1 && text->bytes[0] == '.') {
		text->len = 0;
	}
	return numbers;
}

static bool
is_whole(const struct mail_decision *decision)
{
	bool numbers = span_trim(decision->numbers).len > 0;
	bool rest = decision->reason.len > 0;

	switch (decision->verb) {
	case MAIL_DECISION_APPROVE:
	case MAIL_DECISION_SHOW:
		return numbers && !rest;
	case MAIL_DECISION_REJECT:
		return numbers;
	case MAIL_DECISION_LIST:
		return !numbers && !rest;
	case MAIL_DECISION_NONE:
		break;
	}
	return false;
}

bool
mail_decision_next(struct span *own_text, struct mail_decision *decision_r)
{
	struct mail_decision decision = { .verb = MAIL_DECISION_NONE };
	struct span rest, verb;

	do {
		if (own_text->len == 0)
			return false;
		decision.line = span_trim(take_to(own_text, '\n'));
	} while (decision.line.len == 0);
	rest = decision.line;
	verb = span_make(rest.bytes, letters(rest));
	skip(&rest, verb.len);
	for (size_t i = 0; i < COUNT(words); i++)
		if (span_is(verb, words[i].word))
			decision.verb = words[i].verb;
	if (rest.len > 0 && rest.bytes[0] == ':') /* "reject: 12" */
		skip(&rest, 1);
	else if (rest.len > 0 && !span_blank_at(rest, 0) &&
	    !(rest.len == 1 && rest.bytes[0] == '.'))
		decision.verb = MAIL_DECISION_NONE; /* another word */
	decision.numbers = take_numbers(&rest);
	decision.reason = rest;
	if (!is_whole(&decision))
		decision.verb = MAIL_DECISION_NONE;
	*decision_r = decision;
	return true;
}

bool
mail_decision_numbers(struct span *numbers, uint32_t *first_r, uint32_t *last_r)
{
	size_t len;

	skip(numbers, separators(*numbers));
	len = range(*numbers, first_r, last_r);
	skip(numbers, len);
	return len > 0;
}
