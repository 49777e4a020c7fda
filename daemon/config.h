/* config.h - kithd.conf: what belongs to the machine. One table row per option
 * in config.c gives name, type, default, check and whether a reload applies it.
 */
#ifndef KITH_DAEMON_CONFIG_H
#define KITH_DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;

enum listen_protocol {
	LISTEN_NNTP,
	LISTEN_NNTPS,
	LISTEN_LMTP,
	LISTEN_SMTP,
};

struct config_listener {
	enum listen_protocol protocol;
	char *title;
	char **addresses; /* IP addresses; empty with path */
	size_t address_count;
	char *path; /* Unix socket, or NULL */
	unsigned mode;
	unsigned port;
};

enum config_tls { TLS_NONE, TLS_STARTTLS, TLS_IMPLICIT };

struct config {
	char *domain;	/* of the spaces' addresses, lower case */
	char *hostname; /* Path, greeting, Message-ID */
	char *user;
	unsigned loops; /* 0: one per processor */
	char *store_directory;
	unsigned cache_mb;    /* all caches together */
	unsigned database_mb; /* of these the database's; 0: half */
	char *control_path;
	char *tls_certificate; /* NULL: no TLS offered */
	char *tls_key;
	bool tls_required; /* of news clients from elsewhere */
	char *tls_client_ca; /* NULL: clients are not asked for a certificate */
	struct config_listener *listeners;
	size_t listener_count;
	char *transport; /* "smtp" or "maildir:/folder" */
	char *smarthost_host;
	unsigned smarthost_port;
	enum config_tls smarthost_tls;
	char *smarthost_user;
	char *smarthost_secret_file;
	char *smarthost_ca_file; /* NULL: the system's */
	unsigned smarthost_connections;
	char *feed_ca_file; /* NULL: the system's */
	char *authserv_id;  /* "": none */
	bool auth_without_tls;
	uint64_t article_size; /* bytes; 0: no limit */
	uint64_t mail_size;
	unsigned connections_per_address;
	/* of news sessions, in seconds; 0: for ever */
	unsigned command_timeout; /* also for the first one, and for TLS */
	unsigned idle_timeout;
	unsigned article_timeout;
	unsigned session_timeout;
	unsigned answers_per_hour; /* automatic answers per address */
	unsigned moderation_per_hour; /* mails about held articles of a space */
	uint64_t bounce_life;	   /* seconds */
	unsigned bounce_suspend_after;
	unsigned history_cutoff; /* days; older articles are refused; 0: none */
	unsigned history_days; /* of ids without an article; 0: for ever */
	unsigned digest_hour;
	unsigned digest_articles;
	unsigned digest_kilobytes;
	int log_level;
};

/* Reads and checks a file. 0, or negative with *error_r "FILE:LINE: what was
 * expected" (caller frees). */
int config_read(const char *path, struct config **config_r, char **error_r);
void config_free(struct config **config);
/* Flat form for the other roles; decode is hostile-safe. */
int config_encode(const struct config *config, struct buffer *out);
int config_decode(const void *bytes, size_t len, struct config **config_r);
/* What changed and only a restart applies: names for a log line, "" if
 * nothing. Caller frees. */
char *config_restart_needed(const struct config *before, const struct config *after);
/* Before a reload: what only a restart applies is carried over into `after`;
 * `before` is only good to be freed then. */
void config_carry(struct config *before, struct config *after);

#endif
