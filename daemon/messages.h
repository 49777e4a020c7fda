/* messages.h - what kithd's processes say to each other: the types of ipc.h's
 * frames and their fields in order. Composed and read in one place each.
 */
#ifndef KITH_DAEMON_MESSAGES_H
#define KITH_DAEMON_MESSAGES_H

enum message_type {
	/* ---- parent -> any child, over the descriptor the child is born with */
	/* role text, then role_start_encode: flags u32, config bytes, count u32
	 * of listeners, each { index u32 (listener in config), fd }, count u32
	 * of files, each { name text, payload } (certificate, key, ca, secret) ;
	 * answered empty when ready */
	MESSAGE_START = 1,
	/* as above without role and listeners; answered u32 0 or errno */
	MESSAGE_RELOAD,
	/* finish and exit; not answered. From a child: kithd is to stop */
	MESSAGE_STOP,
	/* peer text ("core", "mail", "parse", "maildir", "resolve"), fd: a
	 * channel to that process, new or in place of one that died */
	MESSAGE_PEER,
	/* child -> parent: peer text: kill it, it hangs */
	MESSAGE_KILL,
	/* core -> parent: role text ("feed", "resolve"): it is needed from now
	 * on, although the configuration does not say so; told */
	MESSAGE_WANT,

	/* ---- mail -> core (class intake) */
	/* envelope_from text, recipient text, client text -> u32 SMTP code,
	 * text (with enhanced status code) */
	MESSAGE_RECIPIENT = 32,
	/* envelope_from text, client text (IP address), protocol text, count u32,
	 * recipients text each, SHA-256 bytes, payload message (wire form:
	 * dot-stuffed CRLF without the final dot), payload summary
	 * (mail_summary_encode; empty: it could not be parsed twice) ->
	 * count u32, each { u32 SMTP code, text } */
	MESSAGE_INTAKE,
	/* SHA-256 bytes: the parser crashed or timed out on this message ->
	 * u32 how often by now (this one included) */
	MESSAGE_PARSE_FAILED,

	/* ---- core -> mail */
	/* body id u64, payload (wire form): kept until MESSAGE_BODY_FREE; many
	 * chunks use it (class bulk); answered empty */
	MESSAGE_BODY = 64,
	MESSAGE_BODY_FREE, /* body id u64; told */
	/* body id u64, count u32 (at most 100), each { envelope_from text,
	 * recipient text, head bytes (CRLF header lines that go before the
	 * body) } (class bulk) -> u32 0: tried | 1: the smarthost cannot be
	 * reached, nothing was tried (then text: why), text, count u32, each
	 * { u32 SMTP code, text reply } ; code 0: not tried */
	MESSAGE_SEND,
	/* nothing: forget back-off, try the smarthost again; told */
	MESSAGE_FLUSH,

	/* ---- mail or core -> parse */
	/* payload message (unstuffed CRLF), envelope_from text, authserv_id text,
	 * own domain text, u32 limit of text bytes -> payload summary */
	MESSAGE_PARSE = 96,
	/* payload message (unstuffed CRLF), domain text -> payload masked
	 * message (mail_mask_tokens) */
	MESSAGE_MASK,

	/* ---- mail or feed -> resolve */
	/* host text -> u32 0, count u32, IP addresses text each, in the order to
	 * try; or an EAI_ code u32, text: why. "resolve" is a peer of mail only
	 * if the transport is smtp and the host is not an address, and of feed
	 * once core wants it */
	MESSAGE_RESOLVE = 104,

	/* ---- mail -> maildir writer */
	/* envelope_from text, recipient text, payload message (unstuffed, LF) ->
	 * u32 0 or errno, once it is on disk */
	MESSAGE_MAILDIR = 112,

	/* ---- core -> feed; an endpoint is peer u32, host text, port u32, tls
	 * u32 (enum config_tls), user text ("": no login), secret bytes, u32 1:
	 * that may be said without TLS, u32 connections at a time */
	/* endpoint, count u32 (at most FEED_OFFERS_MAX), each { artid u64,
	 * Message-ID text } (class intake) -> why text ("": all were tried),
	 * count u32, each u32 (enum feed_outcome) */
	MESSAGE_OFFER = 128,
	/* endpoint, group text, first number u32, u32 seconds that it may take,
	 * count u32 (at most FEED_MISSED_MAX), each u32: numbers before that to be
	 * asked for again (class bulk) -> u32 0, or 1: it ended early; why text; u32
	 * the group's high water mark; u32 numbers up to this one are settled; u32
	 * how many of those asked for again were answered; count u32, each u32:
	 * settled numbers that the server could not give now */
	MESSAGE_PULL,

	/* ---- feed -> core (class intake) */
	/* peer u32, artid u64: of an offer that is open -> u32 0, payload (wire
	 * form); or u32 errno: it is no longer there */
	MESSAGE_FEED_ARTICLE = 144,
	/* peer u32, group text, number u32, payload (wire form) -> u32 0: go on,
	 * 1: stop */
	MESSAGE_PULLED,
};

#define FEED_OFFERS_MAX      128u
#define FEED_MISSED_MAX      64u
#define FEED_CONNECTIONS_MAX 8u

/* What became of an article that was offered to a peer. */
enum feed_outcome {
	FEED_UNTRIED, /* or its fate is unknown */
	FEED_SENT,
	FEED_HAD,     /* the peer did not want it */
	FEED_REFUSED, /* it does not take it */
	FEED_LATER,   /* it will want to be asked again */
	FEED_GONE,    /* removed here meanwhile */
	FEED_STUCK,   /* untried, and perhaps what the connection ended over */
	FEED_OUTCOMES
};

#endif
