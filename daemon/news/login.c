/* login.c - see login.h.
 */
#include "daemon/news/login.h"

#include "daemon/log.h"

#define FAILED_LOGINS_MAX 5u

void
session_log_login(const struct session *s, const char *by,
    const struct identity *identity)
{
	log_info("session=%llu event=login ok=%d by=%s member=%u peer=%u"
		 " address=%s",
	    (unsigned long long)s->id, identity != NULL, by,
	    identity == NULL ? 0 : identity->member,
	    identity == NULL ? 0 : identity->peer, stream_peer(s->stream));
}

int
session_login(struct session *s, const struct identity *identity)
{
	int rc = session_become(s, identity);

	if (rc == 0)
		s->logged_in = true;
	return rc;
}

void
session_login_refused(struct session *s, int code)
{
	if (++s->failed_logins < FAILED_LOGINS_MAX) {
		if (code == 403)
			session_reply_text(s, 403, "busy, try again later");
		else
			session_reply(s, code);
		return;
	}
	session_reply_text(s, 400, "too many failed logins");
	session_close(s);
}
