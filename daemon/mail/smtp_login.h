/* smtp_login.h - AUTH PLAIN and LOGIN, the client's side (RFC 4954, RFC 4616).
 */
#ifndef KITH_DAEMON_MAIL_SMTP_LOGIN_H
#define KITH_DAEMON_MAIL_SMTP_LOGIN_H

#include "protocol/span.h"

#define SMTP_LOGIN_LINE 1024u

struct smtp_login {
	bool plain;
	bool login;
	unsigned step;
};

enum smtp_login_result {
	SMTP_LOGIN_SEND,   /* the line is to be sent */
	SMTP_LOGIN_NO_WAY, /* no mechanism that both know */
	SMTP_LOGIN_TOO_LONG,
};

/* offered: what stands behind AUTH in the EHLO reply. */
void smtp_login_init(struct smtp_login *login, struct span offered);
/* The next line, without CRLF; wipe it after use. */
enum smtp_login_result smtp_login_next(struct smtp_login *login,
    const char *user, struct span secret, char *line, size_t room);
void smtp_login_wipe(char *bytes, size_t len);

#endif
