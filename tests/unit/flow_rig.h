/* flow_rig.h - articles and mails through the doors of a fixture, waited for.
 */
#ifndef KITH_TESTS_FLOW_RIG_H
#define KITH_TESTS_FLOW_RIG_H

#include "tests/unit/community_fixture.h"

#include "daemon/community/intake.h"

#define WORDS(...)     \
 (const char *const[]) \
 {                     \
  __VA_ARGS__, NULL    \
 }

/* A fixture (fixture_setup) with a space a.talk: anyone posts to it, by mail to
 * talk@lists.example too. */
int rig_setup(void **state);

/* text has LF line ends. login: a member's address, NULL: nobody. */
struct intake_result rig_post(
    struct fixture *fixture, const char *login, const char *text);
/* As TAKETHIS of that id from a peer. */
struct intake_result rig_feed(struct fixture *fixture, uint32_t peer,
    const char *message_id, const char *text);
/* Fails the test, with what was said, unless that came of it. */
void rig_is(struct intake_result result, enum reason reason);
/* What CHECK would be told. */
enum reason rig_wants(
    struct fixture *fixture, uint32_t peer, const char *message_id);
struct intake_result rig_import(
    struct fixture *fixture, const char *space, const char *text);
/* One mail to recipients (the last NULL); replies_r has room for them. */
void rig_mail(struct fixture *fixture, const char *envelope_from,
    const char *const *recipients, const char *text,
    struct intake_reply *replies_r);
/* kithctl, that must succeed; the answer is dropped. */
void rig_do(struct fixture *fixture, const char *const *words);
/* kithctl's whole answer, owned (free). */
char *rig_ask(struct fixture *fixture, const char *const *words);
/* Whether it has that text in it. */
bool rig_says(struct fixture *fixture, const char *const *words,
    const char *text);
/* The number of articles of a space. */
unsigned rig_count(struct fixture *fixture, const char *space);
/* The first mail to that recipient; NULL: none. */
const struct fixture_mail *rig_mail_to(
    struct fixture *fixture, const char *recipient);

#endif
