/* core_mail.h - core's end of the channels to the mail and parse processes:
 * what they ask is handed to the door, what the community sends goes out as
 * frames. Not the rules: those are community/'s.
 */
#ifndef KITH_DAEMON_CORE_MAIL_H
#define KITH_DAEMON_CORE_MAIL_H

#include "daemon/community/ports.h"

struct community;
struct config;
struct core_mail;
struct core_parse;
struct event_base;

/* The ports work from the start; without a channel they answer -ENOTCONN. */
struct core_mail *core_mail_new(struct event_base *base);
void core_mail_free(struct core_mail **mail);
const struct mail_port *core_mail_port(struct core_mail *mail);
/* Who is asked; before the first connect. */
void core_mail_set_community(
    struct core_mail *mail, struct community *community);
/* Takes fd, in place of the channel before. */
void core_mail_connect(struct core_mail *mail, int fd);
/* Answers nothing any more: what is open gets 451 from the mail process. */
void core_mail_close(struct core_mail *mail);

struct core_parse *core_parse_new(struct event_base *base);
void core_parse_free(struct core_parse **parse);
const struct parse_port *core_parse_port(struct core_parse *parse);
/* borrowed until the next call */
void core_parse_set_config(
    struct core_parse *parse, const struct config *config);
/* Called when the worker hangs on a message; a new channel follows. */
void core_parse_set_kill(
    struct core_parse *parse, void (*fn)(void *arg), void *arg);
void core_parse_connect(struct core_parse *parse, int fd);

#endif
