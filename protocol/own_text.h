/* own_text.h - what the author of a mail wrote, without what he quotes and
 * signs with. A line-class automaton with tables of words for the languages
 * and mail programs; never loses an answer that stands
 * between quoted lines.
 */
#ifndef KITH_PROTOCOL_OWN_TEXT_H
#define KITH_PROTOCOL_OWN_TEXT_H

#include "protocol/buffer.h"

/* text: UTF-8, LF. Appends the own text, blank lines at both ends cut. If
 * nothing is left, appends all of it and returns true. */
bool own_text_extract(struct buffer *out, struct span text);

#endif
