/* fuzz_dsn.c - delivery reports, complaints and Authentication-Results. */
#include <stdint.h>
#include <stdlib.h>

#include "protocol/mail_auth.h"
#include "protocol/mail_report.h"
#include "protocol/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make((const char *)data, size);
	struct mail_report report = { 0 };
	struct mail_auth auth;

	if (mail_report_parse(text, &report) == 0) {
		for (size_t i = 0; i < report.count; i++) {
			if (!utf8_valid(
				span_of(report.recipients[i].diagnostic)))
				abort();
		}
		if (mail_report_parse_feedback(text, &report) == 0 &&
		    (!utf8_valid(span_of(report.feedback_type)) ||
			!utf8_valid(span_of(report.original_mail_from))))
			abort();
	}
	mail_report_fini(&report);
	mail_auth_read(text, span_of("mx.example"), span_of("example.com"),
	    &auth);
	if (auth.aligned_pass && !auth.found)
		abort();
	return 0;
}
