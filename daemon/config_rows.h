/* config_rows.h - the table of options; for config*.c only. An option is one
 * row in config.c: reading, checking, encoding and comparing follow from it.
 */
#ifndef KITH_DAEMON_CONFIG_ROWS_H
#define KITH_DAEMON_CONFIG_ROWS_H

#include "daemon/config.h"

enum config_kind {
	CONFIG_TEXT,	 /* char *, NULL without default */
	CONFIG_UNSIGNED, /* unsigned, or an enum */
	CONFIG_SIZE,	 /* uint64_t */
	CONFIG_BOOL,
	CONFIG_CHOICE, /* one of the words, stored as its index */
};

struct config_row {
	const char *section; /* NULL: at the top */
	const char *name;
	enum config_kind kind;
	size_t offset; /* in struct config */
	const char *text; /* default */
	uint64_t number;  /* default */
	uint64_t min, max;
	/* What was expected, NULL if the text is good. */
	const char *(*check)(const char *text);
	const char *const *choices; /* ends with NULL */
	bool restart; /* a reload does not apply it */
};

extern const struct config_row config_rows[];
extern const size_t config_row_count;
extern const char *const config_protocols[]; /* by enum listen_protocol */

struct config *config_new(void);
/* The member a row is about. */
void *config_member(const struct config *config, const struct config_row *row);

#endif
