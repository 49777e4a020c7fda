/* maildir_transport.h - the transport "maildir:/folder": each delivery goes to
 * the Maildir writer, a bounded number at a time.
 */
#ifndef KITH_DAEMON_MAIL_MAILDIR_TRANSPORT_H
#define KITH_DAEMON_MAIL_MAILDIR_TRANSPORT_H

#include "daemon/mail/transport.h"

struct loop;

struct mail_transport *maildir_transport_new(struct loop *loop);
/* Takes fd: a channel to the writer, in place of the one before. */
int maildir_transport_connect(struct mail_transport *transport, int fd);

#endif
