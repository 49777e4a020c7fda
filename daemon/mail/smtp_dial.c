/* smtp_dial.c - see smtp_dial.h.
 */
#include "build.h"

#include "daemon/mail/smtp_dial.h"

#include <stdlib.h>

#include "daemon/config.h"
#include "daemon/dial.h"

struct socket_dialer {
	struct smtp_dialer dialer; /* first */
	struct dialer *sockets;
	const struct config *config;
};

static int
socket_dial(struct smtp_dialer *base, smtp_dialed dialed, void *arg)
{
	struct socket_dialer *dialer = (void *)base;

	return dialer_dial(dialer->sockets, dialer->config->smarthost_host,
	    dialer->config->smarthost_port, dialed, arg);
}

static void
socket_dialer_free(struct smtp_dialer *base)
{
	struct socket_dialer *dialer = (void *)base;

	dialer_free(&dialer->sockets);
	free(dialer);
}

static const struct smtp_dialer_methods socket_methods = {
	socket_dial,
	socket_dialer_free,
};

struct smtp_dialer *
smtp_dialer_new(struct loop *loop, const struct config *config)
{
	struct socket_dialer *dialer = calloc(1, sizeof *dialer);

	if (dialer == NULL)
		return NULL;
	dialer->dialer.methods = &socket_methods;
	dialer->config = config;
	dialer->sockets = dialer_new(loop);
	if (dialer->sockets == NULL) {
		free(dialer);
		return NULL;
	}
	return &dialer->dialer;
}

void
smtp_dialer_set_config(struct smtp_dialer *base, const struct config *config)
{
	struct socket_dialer *dialer = (void *)base;

	dialer->config = config;
}

int
smtp_dialer_connect_resolve(struct smtp_dialer *base, int fd)
{
	struct socket_dialer *dialer = (void *)base;

	return dialer_connect_resolve(dialer->sockets, fd);
}
