/* mail_action.c - the table from addresses to actions.
 */
#include <errno.h>

#include "daemon/community/intake_private.h"
#include "daemon/community/kinds.h"
#include "daemon/community/mail_command.h"
#include "daemon/community/ticket.h"

static const struct {
	enum mail_suffix suffix;
	char kind; /* of a token */
	const struct mail_action *action;
} action_table[] = {
	{ MAIL_SUFFIX_NONE, '\0', &mail_action_post },
	{ MAIL_SUFFIX_SUBSCRIBE, '\0', &mail_action_subscribe },
	{ MAIL_SUFFIX_UNSUBSCRIBE, '\0', &mail_action_unsubscribe },
	{ MAIL_SUFFIX_HELP, '\0', &mail_action_help },
	{ MAIL_SUFFIX_OWNER, '\0', &mail_action_owner },
	{ MAIL_SUFFIX_REQUEST, '\0', &mail_action_request },
	{ MAIL_SUFFIX_CONFIRM, '\0', &mail_action_confirm },
	{ MAIL_SUFFIX_TOKEN, TOKEN_CONFIRM, &mail_action_confirm },
	{ MAIL_SUFFIX_TOKEN, TOKEN_BOUNCE, &mail_action_bounce },
	{ MAIL_SUFFIX_TOKEN, TOKEN_REPLY, &mail_action_ticket_reply },
	{ MAIL_SUFFIX_TOKEN, TOKEN_MODERATE, &mail_action_moderate },
	{ MAIL_SUFFIX_TOKEN, TOKEN_MODERATE_LIST, &mail_action_moderate_list },
	{ MAIL_SUFFIX_TOKEN, TOKEN_UNSUBSCRIBE, &mail_action_unsubscribe },
};

static bool
is_postmaster(struct span local)
{
	return span_is(local, "postmaster") || span_is(local, "abuse");
}

static bool
local_exists(void *context, struct span local)
{
	struct space *space = spaces_by_mail(community_spaces(context), local);

	space_unref(space);
	return space != NULL || is_postmaster(local);
}

static const struct mail_action *
action_find(const struct mail_recipient *parsed)
{
	for (size_t i = 0; i < sizeof action_table / sizeof action_table[0];
	     i++)
		if (action_table[i].suffix == parsed->suffix &&
		    (parsed->suffix != MAIL_SUFFIX_TOKEN ||
			action_table[i].kind == parsed->kind))
			return action_table[i].action;
	return NULL;
}

/* The part before the '@'; false: not an address of our domain. */
static bool
local_part(const struct community *community, struct span address,
    struct span *local_r)
{
	const char *at = NULL;

	for (size_t i = address.len; i > 0 && at == NULL; i--)
		if (address.bytes[i - 1] == '@')
			at = address.bytes + i - 1;
	if (at == NULL) {
		*local_r = address;
		return is_postmaster(address); /* RFC 5321 4.5.1 */
	}
	*local_r = span_make(address.bytes, (size_t)(at - address.bytes));
	return span_is(span_make(at + 1, address.len - local_r->len - 1),
	    community_config(community)->domain);
}

/* For an address whose first part is no space of ours: anything before the
 * suffix. */
static bool
is_beginning(void *context, struct span local)
{
	const struct span *whole = context;

	return local.len < whole->len;
}

static struct space *
space_of_ticket(struct community *community, uint32_t number)
{
	struct store_view *view = store_view_begin(community_store(community));
	struct space *space = NULL;
	Kith__Ticket *ticket;

	if (view != NULL &&
	    ticket_get(store_view_reader(view), number, &ticket) == 0) {
		space =
		    spaces_by_id(community_spaces(community), ticket->space);
		kith__ticket__free_unpacked(ticket, NULL);
	}
	store_view_end(&view);
	return space;
}

/* A token names its space itself: what stands before it may be an address that
 * the space had once, or that another space has by now. Counted; NULL: that space
 * is gone. */
static struct space *
space_of_token(struct community *community, const struct token *token,
    struct space *before)
{
	struct spaces *spaces = community_spaces(community);

	switch (token->kind) {
	case TOKEN_REPLY:
		return space_of_ticket(community, (uint32_t)token->object);
	case TOKEN_MODERATE_LIST:
	case TOKEN_UNSUBSCRIBE:
		return spaces_by_id(spaces, (uint32_t)token->object);
	case TOKEN_CONFIRM:
		return spaces_by_id(spaces,
		    MAIL_COMMAND_CONFIRM_SPACE(token->object));
	case TOKEN_BOUNCE:
		return spaces_by_id(spaces, TOKEN_REPORT_SPACE(token->object));
	case TOKEN_MODERATE: /* names what is held, wherever that is */
	default:
		if (before != NULL)
			space_ref(before);
		return before;
	}
}

static enum reason
route_token(struct community *community, const struct mail_recipient *parsed,
    struct mail_route *route)
{
	struct space *space;

	route->token_text = parsed->token;
	route->token_state = token_read(community,
	    (enum token_kind)parsed->kind, parsed->token, &route->token);
	if (route->token_state != 0 && route->token_state != -ETIMEDOUT)
		return REASON_TOKEN_INVALID;
	space = space_of_token(community, &route->token, route->space);
	space_unref(route->space);
	route->space = space;
	return REASON_STORED;
}

enum reason
mail_route(struct community *community, const char *recipient,
    struct mail_route *route)
{
	struct mail_recipient parsed;
	const struct kind *kind;
	struct span local;

	memset(route, 0, sizeof *route);
	if (!local_part(community, span_of(recipient), &local))
		return REASON_NO_SUCH_SPACE;
	if (!mail_recipient_parse(local, local_exists, community, &parsed) &&
	    (!mail_recipient_parse(local, is_beginning, &local, &parsed) ||
		parsed.suffix != MAIL_SUFFIX_TOKEN))
		return REASON_NO_SUCH_SPACE;
	route->action = action_find(&parsed);
	if (route->action == NULL)
		return REASON_NO_SUCH_SPACE;
	route->space = spaces_by_mail(community_spaces(community), parsed.base);
	if (parsed.suffix == MAIL_SUFFIX_TOKEN &&
	    route_token(community, &parsed, route) != REASON_STORED)
		return REASON_TOKEN_INVALID;
	if (route->space == NULL) {
		/* moderators of spaces without an address answer to postmaster */
		if (parsed.suffix == MAIL_SUFFIX_NONE)
			route->action = &mail_action_postmaster;
		else if (route->action != &mail_action_moderate &&
		    route->action != &mail_action_bounce)
			return REASON_NO_SUCH_SPACE;
		return REASON_STORED;
	}
	kind = kind_of(route->space->kind);
	if (parsed.suffix == MAIL_SUFFIX_NONE && kind != NULL && kind->tickets)
		route->action = &mail_action_ticket;
	if (parsed.suffix == MAIL_SUFFIX_SUBSCRIBE &&
	    parsed.mode != MAIL_MODE_EACH)
		route->step = MAIL_COMMAND_STEP(parsed.mode);
	return REASON_STORED;
}

void
mail_route_fini(struct mail_route *route)
{
	space_unref(route->space);
	route->space = NULL;
}
