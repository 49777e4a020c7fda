/* mail_class.h - is it a human, and if not, what: the signals of automatic mail.
 */
#ifndef KITH_PROTOCOL_MAIL_CLASS_H
#define KITH_PROTOCOL_MAIL_CLASS_H

#include "protocol/mail_summary.h"

/* Sets class, class_reason, subject_hint and own_mark of a summary whose other
 * fields are filled. header: of the whole message. -ENOMEM. */
int mail_classify(struct mail_summary *summary, struct span header,
    const struct mail_summary_options *options);

#endif
