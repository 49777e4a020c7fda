/* mail_command.h - a space's command addresses; the actions themselves are
 * declared in mail_item.h.
 */
#ifndef KITH_COMMUNITY_MAIL_COMMAND_H
#define KITH_COMMUNITY_MAIL_COMMAND_H

#include "protocol/mail_command.h"

/* What intake puts into mail_item.step for `+subscribe-digest` and its like;
 * 0 when the address names no mode. */
#define MAIL_COMMAND_STEP(mode) ((unsigned)(mode) + 1u)

/* A confirm token's object: the space and the mode asked for. */
#define MAIL_COMMAND_CONFIRM(space, mode) \
	((uint64_t)(space) << 2 | (uint64_t)(mode))
#define MAIL_COMMAND_CONFIRM_SPACE(object) ((uint32_t)((object) >> 2))
#define MAIL_COMMAND_CONFIRM_MODE(object)  ((Kith__Mode)((object)&3u))

#endif
