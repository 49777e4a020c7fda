/* admin_words.h - the words of kithctl for what the records count with enums,
 * both ways, and texts of records: checked, put in.
 */
#ifndef KITH_COMMUNITY_ADMIN_WORDS_H
#define KITH_COMMUNITY_ADMIN_WORDS_H

#include <stdbool.h>

#include "store/records.pb-c.h"

enum admin_words {
	ADMIN_WORDS_AUDIENCE,
	ADMIN_WORDS_MODERATION,
	ADMIN_WORDS_ROLE,
	ADMIN_WORDS_MEMBER_STATE,
	ADMIN_WORDS_MODE,
	ADMIN_WORDS_SUBSCRIPTION_STATE,
};

/* The value (>= 0) or -EINVAL. */
int admin_word_value(enum admin_words words, const char *word);
/* "?" if there is none. */
const char *admin_word(enum admin_words words, int value);
/* "anyone, members or staff", for an error message. */
const char *admin_word_choice(enum admin_words words);
/* One line of UTF-8 without control characters, at most max octets. */
bool admin_text_is_line(const char *text, unsigned max);
#define ADMIN_LOGIN_MAX 64u
/* One line of at most ADMIN_LOGIN_MAX octets without blanks or @; "" too. */
bool admin_text_is_login(const char *text);
/* A copy of `text` in place of an owned text of a record. 0 or -ENOMEM. */
int admin_text_put(char **field, const char *text);
/* A whole number in [0, max], or -EINVAL. */
long admin_number(const char *text, long max);

#endif
