/* parse_service.h - one channel of a parse worker: mails in, their meaning out.
 * The worker itself, a process, is parse.c; the replay harness has one of these
 * in its own process.
 */
#ifndef KITH_DAEMON_MAIL_PARSE_SERVICE_H
#define KITH_DAEMON_MAIL_PARSE_SERVICE_H

struct event_base;
struct parse_service;

/* Takes the descriptor of the channel. hostname: ours, copied. NULL: out of
 * memory. A mail may take 8 s of CPU time, then SIGPROF ends the process. */
struct parse_service *parse_service_new(
    struct event_base *base, int fd, const char *hostname);
void parse_service_free(struct parse_service **service);

#endif
