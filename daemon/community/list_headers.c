/* list_headers.c - what a list adds to the mails it sends.
 */
#include "daemon/community/list_copy.h"

#include "daemon/community/spaces.h"
#include "protocol/header.h"

static void
append_mailto(struct buffer *out, const char *name, const struct space *space,
    const char *suffix, const char *domain)
{
	buffer_printf(out, "%s: <mailto:%s%s@%s>\r\n", name, space->mail,
	    suffix, domain);
}

/* RFC 3986: an id may hold what a URI may not. */
static void
append_uri(struct buffer *out, struct span text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~!$&'*+,;=:@";

	for (size_t i = 0; i < text.len; i++) {
		char byte = text.bytes[i];

		if (byte != '\0' && strchr(plain, byte) != NULL)
			buffer_append_byte(out, byte);
		else
			buffer_printf(out, "%%%02X",
			    (unsigned)(unsigned char)byte);
	}
}

void
list_loop_mark(struct buffer *out, struct community *community,
    const struct space *space)
{
	/* not the name: a stranger who writes to a hidden space reads this */
	if (space->mail[0] != '\0')
		buffer_printf(out, "%s/%s",
		    community_config(community)->domain, space->mail);
	else
		buffer_printf(out, "%s/%u",
		    community_config(community)->domain, space->id);
}

void
list_headers_append(struct buffer *out, struct community *community,
    const struct space *space, const char *message_id)
{
	const struct config *config = community_config(community);

	buffer_printf(out, "List-Id: <%s.%s>\r\n", space->mail, config->domain);
	append_mailto(out, "List-Post", space, "", config->domain);
	append_mailto(out, "List-Help", space, "+help", config->domain);
	append_mailto(out, "List-Owner", space, "+owner", config->domain);
	append_mailto(out, "List-Subscribe", space, "+subscribe",
	    config->domain);
	if (message_id != NULL && strlen(message_id) > 2) {
		buffer_printf(out, "Archived-At: <news://%s/",
		    config->hostname);
		append_uri(out,
		    span_make(message_id + 1, strlen(message_id) - 2));
		buffer_append_text(out, ">\r\n");
	}
	buffer_append_text(out, "Precedence: list\r\nKith-Loop: ");
	list_loop_mark(out, community, space);
	buffer_append_text(out, "\r\n");
}
