/* dial.h - opens connections to other hosts: addresses from the resolve role
 * where the host is a name, tried in order, none of it blocking.
 */
#ifndef KITH_DAEMON_DIAL_H
#define KITH_DAEMON_DIAL_H

struct dialer;
struct loop;
struct stream;

/* stream: connected, the callee's; or NULL and why. Later, once per dial. */
typedef void (*dialer_dialed)(
    void *arg, struct stream *stream, const char *why);

struct dialer *dialer_new(struct loop *loop);
/* What is under way is dropped without dialed. Accepts NULL. */
void dialer_free(struct dialer **dialer);
/* host: a name or an IP address, copied. Negative: it cannot even begin,
 * dialed is not called. */
int dialer_dial(struct dialer *dialer, const char *host, unsigned port,
    dialer_dialed dialed, void *arg);
/* Takes fd: a channel to the resolve role, in place of the one before. */
int dialer_connect_resolve(struct dialer *dialer, int fd);

#endif
