/* mail_rig.h - the mail engine between a client in memory, a core that answers
 * from a table and a parse worker that does as it is told.
 */
#ifndef KITH_TESTS_MAIL_RIG_H
#define KITH_TESTS_MAIL_RIG_H

#include "daemon/config.h"
#include "daemon/ipc.h"
#include "daemon/loop.h"
#include "daemon/mail/engine.h"
#include "tests/client.h"

struct rig {
	struct config config;
	struct loop *loop;
	struct mail_engine *engine;
	struct ipc *core;  /* core's end */
	struct ipc *parse; /* the worker's end */
	struct client client;

	/* core: by local part. nobody: 550 at RCPT; full: 452, closed: 550 after
	 * DATA; late: its RCPT is answered by rig_late() */
	uint32_t late_request;
	unsigned intakes;
	unsigned parse_failures;
	char *raw; /* of the last intake */
	size_t summary_len;

	bool parse_crashes;
	bool parse_crashed;
	bool parse_empty;
	unsigned parsed;
	char *plain; /* of the last parse */
};

void rig_start(struct rig *rig, enum listen_protocol protocol);
void rig_stop(struct rig *rig);
/* Until nothing happens any more. */
void rig_settle(struct rig *rig);
void rig_say(struct rig *rig, const char *text);
/* What was said since the last look must be this. */
void rig_expect(struct rig *rig, const char *text);
void rig_late(struct rig *rig);
void rig_restart_parse(struct rig *rig);
void rig_lose_core(struct rig *rig);

#endif
