/* cancel.h - the headers by which an article asks for another one to be taken
 * away: Control (RFC 5536 3.2.3), and the lists of Cancel-Lock and Cancel-Key
 * (RFC 8315). Syntax alone: what a key opens is not known here.
 */
#ifndef KITH_PROTOCOL_CANCEL_H
#define KITH_PROTOCOL_CANCEL_H

#include "protocol/span.h"

/* The verb of a raw Control value; empty if it has no syntax of one. */
struct span control_verb(struct span raw);
/* The Message-ID that "cancel <id>" names (RFC 5537 5.3): valid as
 * msgid_is_valid() means it. An empty span for every other value. Borrowed. */
struct span control_cancel_target(struct span raw);

/* One of the elements "scheme:text" of a Cancel-Lock or Cancel-Key. */
struct cancel_element {
	struct span scheme; /* to be compared without regard to case */
	struct span text;   /* base64 octets, not empty, perhaps ill padded */
};

/* Takes the next element off the raw value in *rest; false at its end. Folds
 * and comments are passed over, and so is what is no element (RFC 8315 2.1). */
bool cancel_element_next(struct span *rest, struct cancel_element *element_r);
/* True if the value holds an element, and nothing that is none. */
bool cancel_list_is_valid(struct span raw);

#endif
