/* kithctl_words.c - splits a line into words as a shell would.
 */
#include "build.h"

#include <string.h>

#include "tools/kithctl.h"

/* One word from *at on; leaves *at behind it. */
static bool
take_word(const char **at, struct buffer *word, const char **why_r)
{
	const char *in = *at;
	char quote = '\0';

	for (; *in != '\0' && (quote != '\0' || strchr(" \t\r\n", *in) == NULL);
	     in++) {
		if (quote == '\0' && (*in == '\'' || *in == '"')) {
			quote = *in;
		} else if (*in == quote) {
			quote = '\0';
		} else if (*in == '\\' && quote != '\'') {
			if (*++in == '\0') {
				*why_r = "a backslash at the end of the line";
				return false;
			}
			buffer_append_byte(word, *in);
		} else {
			buffer_append_byte(word, *in);
		}
	}
	*at = in;
	if (quote != '\0')
		*why_r = "a quote that is not closed";
	return quote == '\0';
}

json_t *
words_split(const char *line, const char **why_r)
{
	json_t *words = json_array();
	struct buffer word;

	buffer_init(&word, 0);
	for (;;) {
		json_t *text;

		line += strspn(line, " \t\r\n");
		if (*line == '\0' || *line == '#')
			break;
		buffer_clear(&word);
		if (!take_word(&line, &word, why_r))
			goto fail;
		text = json_stringn(buffer_text(&word), word.len);
		if (text == NULL) {
			*why_r = "not UTF-8";
			goto fail;
		}
		(void)json_array_append_new(words, text);
	}
	buffer_fini(&word);
	return words;
fail:
	buffer_fini(&word);
	json_decref(words);
	return NULL;
}
