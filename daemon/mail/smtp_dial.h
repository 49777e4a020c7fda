/* smtp_dial.h - opens connections to the smarthost of the configuration, with
 * dial.h.
 */
#ifndef KITH_DAEMON_MAIL_SMTP_DIAL_H
#define KITH_DAEMON_MAIL_SMTP_DIAL_H

struct config;
struct loop;
struct smtp_dialer;
struct stream;

/* stream: connected, the callee's; or NULL and why. Later, once per dial. */
typedef void (*smtp_dialed)(void *arg, struct stream *stream, const char *why);

struct smtp_dialer_methods {
	/* Negative: it cannot even begin, dialed is not called. */
	int (*dial)(struct smtp_dialer *dialer, smtp_dialed dialed, void *arg);
	/* What is under way is dropped without dialed. */
	void (*free)(struct smtp_dialer *dialer);
};

/* First member of every kind; tests bring their own. */
struct smtp_dialer {
	const struct smtp_dialer_methods *methods;
};

/* Over sockets. config is borrowed. */
struct smtp_dialer *smtp_dialer_new(struct loop *loop,
    const struct config *config);
/* config is borrowed, for dials that begin from now on. */
void smtp_dialer_set_config(struct smtp_dialer *dialer,
    const struct config *config);
/* Takes fd: a channel to the resolve role, in place of the one before. */
int smtp_dialer_connect_resolve(struct smtp_dialer *dialer, int fd);

#endif
