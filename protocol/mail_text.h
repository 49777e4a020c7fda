/* mail_text.h - the useful text of a mail, from its parts.
 */
#ifndef KITH_PROTOCOL_MAIL_TEXT_H
#define KITH_PROTOCOL_MAIL_TEXT_H

#include "protocol/mime.h"

struct mail_text_flags {
	bool from_html;
	bool truncated;
	bool encrypted; /* inline PGP */
	bool is_signed;
};

/* Is the leaf shown as text (not an attachment)? */
bool mail_text_is_body(const struct mime_entity *entity);
/* Appends at most max octets of UTF-8 with LF: of each alternative the plain one,
 * HTML where there is no other or the plain one is blank. */
void mail_text_build(struct buffer *out, struct span message,
    const struct mime_tree *tree, size_t max, struct mail_text_flags *flags);

#endif
