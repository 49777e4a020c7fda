/* html_text.h - HTML to plain text that keeps paragraphs and who is quoted, and
 * format=flowed to paragraphs (RFC 3676). Not a browser: linear, no tree.
 */
#ifndef KITH_PROTOCOL_HTML_TEXT_H
#define KITH_PROTOCOL_HTML_TEXT_H

#include "protocol/buffer.h"

/* html: valid UTF-8. Appends text with LF; what a mail program marked as a quote
 * gets "> " per level, other blockquotes are indented. */
void html_to_text(struct buffer *out, struct span html);

/* Joins the soft-broken lines of format=flowed text; LF line ends. */
void flowed_to_text(struct buffer *out, struct span text, bool delsp);

#endif
