/* news_check.h - how the tests of news sessions begin, and how they look at
 * answers. Needs cmocka, as news_fixture.h does not.
 */
#ifndef KITH_TESTS_NEWS_CHECK_H
#define KITH_TESTS_NEWS_CHECK_H

#include "tests/unit/news_fixture.h"

/* The one of this program: all its tests share it. */
extern struct news_fixture fixture;
/* Closes it, as a tear-down of cmocka. */
int news_teardown(void **state);

#define ARRAY_LEN(a) (sizeof(a) / sizeof(a)[0])

/* A space that anyone reads and posts to, made at second 1. */
#define SPACE_FOR_ANYONE(name)                                                \
 {                                                                            \
  name, "", KITH__AUDIENCE__AUDIENCE_ANYONE, KITH__AUDIENCE__AUDIENCE_ANYONE, \
      KITH__MODERATION__MODERATION_NONE, 1                                    \
 }
/* One for staff. */
#define SPACE_FOR_STAFF(name)                                               \
 {                                                                          \
  name, "", KITH__AUDIENCE__AUDIENCE_STAFF, KITH__AUDIENCE__AUDIENCE_STAFF, \
      KITH__MODERATION__MODERATION_NONE, 1                                  \
 }

/* Opens the fixture with these spaces, whose ids are 1, 2, ... 0 or -1, as a
 * set-up of cmocka returns. */
int news_open_with(struct news_fixture *f, const struct fixture_space *spaces,
    size_t count);
/* A client that has read the greeting of a server that takes posts. */
void client_open_greeted(struct news_fixture *f, struct client *client);

/* The text must begin so. */
void begins(const char *text, const char *with);
/* The text must have this in it, or must not. */
void contains(const char *text, const char *what);
void lacks(const char *text, const char *what);

struct answer {
	const char *line;
	const char *answer; /* whole; ending in '*': only its start */
};
/* Asks one after the other. */
void check_answers(struct client *client, const struct answer *answers,
    size_t count);
/* The same of a client of its own. */
void check_session(const struct answer *answers, size_t count);

/* All that a client is sent that says this and closes its side; owned. */
void say_and_close(const char *said, char **text_r);

/* POST with this article, which ends in its lone dot; what came after 340. */
const char *client_post(struct client *client, const char *article);

#endif
