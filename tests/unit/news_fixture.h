/* news_fixture.h - a community with a real store in a temporary folder, served
 * to clients over pairs in memory. For the tests and the fuzz target of
 * daemon/news.
 */
#ifndef KITH_TESTS_NEWS_FIXTURE_H
#define KITH_TESTS_NEWS_FIXTURE_H

#include <stdint.h>

#include "daemon/community/community.h"
#include "daemon/news/news.h"
#include "tests/client.h"

struct event;

struct news_fixture {
	char directory[64];
	struct config *config; /* may be changed before clients come */
	struct store *store;
	struct clock *clock; /* stands at NEWS_FIXTURE_NOW */
	struct loop *loop;
	struct store_inbox *inbox;
	struct worker_pool *workers;
	struct community *community;
	struct news_server *server;
	struct event *drain;
	struct ssl_ctx_st *tls; /* NULL: none is offered; freed at the end */
};

#define NEWS_FIXTURE_NOW 1795000000u /* 2026-11-18 11:06:40 */

int news_fixture_open(struct news_fixture *f);
void news_fixture_close(struct news_fixture *f);

struct fixture_space {
	const char *name;
	const char *description;
	Kith__Audience read;
	Kith__Audience post;
	Kith__Moderation moderation;
	uint64_t created;
};
/* The id; 0: failed. */
uint32_t fixture_space_add(struct news_fixture *f,
    const struct fixture_space *space);
/* As kithctl space set does. */
int fixture_space_set(struct news_fixture *f, uint32_t id, bool closed,
    uint32_t suggested);
void fixture_space_remove(struct news_fixture *f, uint32_t id);
int fixture_member_add(struct news_fixture *f, const char *login,
    const char *password, Kith__Role role);
/* A peer that logs in and may feed the spaces of a wildmat. */
int fixture_peer_add(struct news_fixture *f, const char *login,
    const char *password, const char *spaces);

/* An article as the door would store it, in one or several spaces. */
struct fixture_article {
	const char *message_id;
	const char *subject;
	const char *added;    /* header lines of kith's, or NULL */
	const char *received; /* wire form; NULL: made from id and subject */
	const char *hidden;   /* a line of received that news does not see */
	uint32_t spaces[4];   /* ends with 0 */
	uint64_t time;        /* 0: now */
};
/* Its number in the first space. */
uint32_t fixture_article_add(struct news_fixture *f,
    const struct fixture_article *article);
void fixture_number_remove(struct news_fixture *f, uint32_t space,
    uint32_t number);
/* Many rows without articles behind them. */
int fixture_rows_add(struct news_fixture *f, uint32_t space, unsigned count);

void client_open(struct news_fixture *f, struct client *client);
/* Over a pair of sockets, so that it can speak TLS. */
void client_open_socket(struct news_fixture *f, struct client *client,
    bool implicit_tls);
/* Sends a line and returns its whole answer, up to the answer to a DATE sent
 * behind it. Borrowed until the next call. */
const char *client_ask(struct client *client, const char *line);
void fixture_turn(struct news_fixture *f);

#endif
