/* mail_decision.h - decisions about several things in one mail, a line each:
 * "approve 12 14", "reject 15-31", "reject 33: REASON", "show 34", "list".
 */
#ifndef KITH_PROTOCOL_MAIL_DECISION_H
#define KITH_PROTOCOL_MAIL_DECISION_H

#include "protocol/span.h"

enum mail_decision_verb {
	MAIL_DECISION_NONE, /* a line that is no decision */
	MAIL_DECISION_APPROVE, /* "accept" as well */
	MAIL_DECISION_REJECT,
	MAIL_DECISION_SHOW,
	MAIL_DECISION_LIST,
};

struct mail_decision {
	enum mail_decision_verb verb;
	struct span line; /* trimmed */
	struct span numbers; /* for mail_decision_numbers() */
	struct span reason; /* of a rejection; trimmed, may be empty */
};

/* Takes the next line that is not empty off the own text; false: there is none.
 * Only a line that is wholly a decision counts. Case does not matter; numbers and
 * ranges of them stand between blanks, commas or both, and what follows the last
 * of them (after a colon, if it begins with a digit) is a reason. Spans borrow. */
bool mail_decision_next(struct span *own_text, struct mail_decision *decision_r);
/* Takes the next range off; a number alone is one of itself. first <= last. */
bool mail_decision_numbers(struct span *numbers, uint32_t *first_r,
    uint32_t *last_r);

#endif
