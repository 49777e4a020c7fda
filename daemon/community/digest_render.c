/* digest_render.c - how an issue looks: its articles read one after the other,
 * each in a view of its own, parsed for their text when the digest is plain.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "daemon/community/digest.h"
#include "daemon/community/list_copy.h"
#include "daemon/community/meta.h"
#include "daemon/community/spaces.h"
#include "daemon/log.h"
#include "protocol/digest_compose.h"
#include "protocol/mail_compose.h"
#include "protocol/mail_summary.h"
#include "store/article.h"
#include "store/overview.h"

#define RENDER_ARTICLES_MAX 256u
#define RENDER_ARTICLE_MAX  (4u * 1024u * 1024u)
/* The parser may be busy, or be started anew: how often and how long to wait. */
#define RENDER_TRIES_MAX 100u
#define RENDER_WAIT_MS	 100

/* An article of the issue, with what its item borrows. */
struct render_article {
	struct buffer raw; /* the mail copy, CRLF, unstuffed */
	char *text;
	Kith__ArticleMeta *meta;
};

struct render {
	struct community *community;
	struct space *space;
	enum digest_form form;
	uint32_t next, upto;
	unsigned issue;
	uint64_t time;
	struct render_article articles[RENDER_ARTICLES_MAX];
	size_t count;
	unsigned tries; /* of the parse at hand */
	void (*done)(void *arg, struct span message);
	void *arg;
};

static void render_step(void *arg);
static void render_article(
    struct render *render, struct render_article *article);

static void
render_free(struct render *render)
{
	for (size_t i = 0; i < render->count; i++) {
		buffer_fini(&render->articles[i].raw);
		free(render->articles[i].text);
		if (render->articles[i].meta != NULL)
			kith__article_meta__free_unpacked(
			    render->articles[i].meta, NULL);
	}
	space_unref(render->space);
	free(render);
}

static void
render_next(struct render *render)
{
	if (loop_post(community_loop(render->community), render_step, render) != 0)
		render_step(render);
}

/* What stands for an article that does not fit: nobody shall miss it unknowingly. */
static int
article_stand_in(
    const struct community *community, struct render_article *article)
{
	const Kith__ArticleMeta *meta = article->meta;
	struct buffer *out = &article->raw;

	mail_field_write(out,
	    &(struct mail_field){ "From", meta->from, MAIL_FIELD_TEXT });
	mail_field_write(out,
	    &(struct mail_field){ "Subject", meta->subject, MAIL_FIELD_TEXT });
	mail_field_write_date(out, "Date",
	    (int64_t)(meta->date != 0 ? meta->date : meta->time));
	mail_field_write(out,
	    &(struct mail_field){
		"Message-ID", meta->message_id, MAIL_FIELD_RAW });
	buffer_printf(out,
	    "\r\n(This article is too large for a digest. A newsreader shows it:\r\n"
	    "news://%s/%.*s)\r\n",
	    community_config(community)->hostname,
	    (int)strlen(meta->message_id) - 2, meta->message_id + 1);
	return buffer_failed(out) ? -ENOMEM : 0;
}

/* Reads the article of one number; -ENOENT if it is gone. */
static int
article_load(struct render *render, struct store_reader *reader, uint32_t number,
    struct render_article *article)
{
	struct store_overview_row row;
	struct store_article_head head;
	uint8_t *bytes;
	size_t len;
	char *copy;
	int error;

	error = store_overview_get(
	    reader, render->space->id, number, &row, &copy);
	if (error != 0)
		return error;
	free(copy);
	error = meta_get(reader, row.artid, &article->meta);
	if (error != 0)
		return error;
	error = store_article_get(
	    reader, row.artid, RENDER_ARTICLE_MAX, &head, &bytes, &len);
	if (error == -EFBIG && strlen(article->meta->message_id) > 2)
		return article_stand_in(render->community, article);
	if (error != 0)
		return error;
	error = list_copy_plain(
	    &head, span_make((const char *)bytes, len), &article->raw);
	free(bytes);
	return error;
}

static void
article_parsed(void *arg, const struct mail_summary *summary)
{
	struct render *render = arg;
	struct render_article *article = &render->articles[render->count - 1];

	article->text = strdup(summary != NULL ?
		summary->text :
		"(This article could not be shown as plain text.)\n");
	render_next(render);
}

static void
render_again(evutil_socket_t fd, short what, void *arg)
{
	struct render *render = arg;

	(void)fd;
	(void)what;
	render_article(render, &render->articles[render->count - 1]);
}

static void
render_article(struct render *render, struct render_article *article)
{
	const struct parse_port *port = community_parse(render->community);
	const struct timeval wait = { .tv_usec = RENDER_WAIT_MS * 1000 };

	if (render->form == DIGEST_MIME) {
		render_next(render);
		return;
	}
	if (port->parse(port->arg, buffer_span(&article->raw), NULL,
		article_parsed, render) == 0) {
		render->tries = 0;
		return;
	}
	if (++render->tries >= RENDER_TRIES_MAX ||
	    event_base_once(loop_base(community_loop(render->community)), -1,
		EV_TIMEOUT, render_again, render, &wait) != 0) {
		render->tries = 0;
		article_parsed(render, NULL);
	}
}

static void
fill_item(const struct render_article *article, struct digest_item *item)
{
	item->raw = buffer_span(&article->raw);
	item->subject = article->meta->subject;
	item->from = article->meta->from;
	item->date = (int64_t)(article->meta->date != 0 ? article->meta->date :
							   article->meta->time);
	item->message_id = article->meta->message_id;
	item->text = span_of(article->text == NULL ? "" : article->text);
}

static unsigned
year_of(uint64_t time)
{
	time_t seconds = (time_t)time;
	struct tm utc;

	return gmtime_r(&seconds, &utc) == NULL ? 1970u :
						  (unsigned)utc.tm_year + 1900u;
}

static void
render_finish(struct render *render)
{
	const struct config *config = community_config(render->community);
	struct digest_item *items =
	    calloc(render->count == 0 ? 1 : render->count, sizeof *items);
	char address[300], id[600], outro[700];
	struct buffer out;
	struct digest_issue issue = { .list_name = render->space->name,
		.volume = year_of(render->time),
		.number = render->issue,
		.date = (int64_t)render->time,
		.from_name = render->space->name,
		.from = address,
		.to = address,
		.message_id = id,
		.outro = outro,
		.items = items,
		.item_count = render->count };

	(void)snprintf(address, sizeof address, "%s@%s", render->space->mail,
	    config->domain);
	(void)snprintf(id, sizeof id, "<digest.%u.%u.%c@%s>", render->space->id,
	    render->issue, render->form == DIGEST_MIME ? 'm' : 'p',
	    config->hostname);
	(void)snprintf(outro, sizeof outro,
	    "To write to everybody: %s@%s\n"
	    "To leave: a mail to %s+unsubscribe@%s\n",
	    render->space->mail, config->domain, render->space->mail,
	    config->domain);
	buffer_init(&out, 0);
	for (size_t i = 0; items != NULL && i < render->count; i++)
		fill_item(&render->articles[i], &items[i]);
	if (items == NULL || render->count == 0 ||
	    digest_compose(&out, &issue, render->form) != 0 ||
	    buffer_failed(&out)) {
		if (render->count > 0)
			log_err("digest space=%s issue=%u cannot be composed",
			    render->space->name, render->issue);
		buffer_clear(&out);
	}
	render->done(render->arg, buffer_span(&out));
	buffer_fini(&out);
	free(items);
	render_free(render);
}

static void
render_step(void *arg)
{
	struct render *render = arg;
	struct store_view *view;
	int error = -ENOENT;

	while (error != 0 && render->next <= render->upto &&
	    render->count < RENDER_ARTICLES_MAX) {
		struct render_article *article =
		    &render->articles[render->count];

		memset(article, 0, sizeof *article);
		buffer_init(&article->raw, 0);
		view = store_view_begin(community_store(render->community));
		error = view == NULL ? -ENOMEM :
				       article_load(render,
					   store_view_reader(view),
					   render->next, article);
		store_view_end(&view);
		render->next++;
		if (error == 0)
			render->count++;
		else if (article->meta != NULL)
			kith__article_meta__free_unpacked(article->meta, NULL);
		if (error != 0)
			buffer_fini(&article->raw);
	}
	if (error == 0)
		render_article(render, &render->articles[render->count - 1]);
	else
		render_finish(render);
}

void
digest_render(struct community *community, const Kith__Job *job,
    void (*done)(void *arg, struct span message),
    void *arg)
{
	struct render *render = calloc(1, sizeof *render);

	if (render != NULL)
		render->space =
		    spaces_by_id(community_spaces(community), job->space);
	if (render == NULL || render->space == NULL) {
		free(render);
		done(arg, span_make(NULL, 0));
		return;
	}
	render->community = community;
	render->form = job->mode == KITH__MODE__MODE_PLAIN ? DIGEST_PLAIN :
							     DIGEST_MIME;
	render->next = job->from_number + 1;
	render->upto = job->upto_number;
	render->issue = job->issue;
	render->time = job->created;
	render->done = done;
	render->arg = arg;
	render_step(render);
}
