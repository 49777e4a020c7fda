/* smtp_client_greet.c - from the greeting until the first mail may be sent:
 * EHLO, STARTTLS, AUTH.
 */
#include "build.h"

#include <stdlib.h>

#include "daemon/mail/smtp_client_private.h"

void
smtp_client_ehlo(struct smtp_client *client)
{
	stream_printf(client->stream, "EHLO %s\r\n", client->options->hostname);
	smtp_client_expect(client, EXPECT_EHLO);
}

static void
login_step(struct smtp_client *client)
{
	char line[SMTP_LOGIN_LINE];

	switch (smtp_login_next(&client->login, client->options->user,
	    client->options->secret, line, sizeof line)) {
	case SMTP_LOGIN_SEND:
		stream_printf(client->stream, "%s\r\n", line);
		smtp_client_expect(client, EXPECT_LOGIN);
		break;
	case SMTP_LOGIN_NO_WAY:
		smtp_client_fail(client,
		    "the smarthost offers neither AUTH PLAIN nor "
		    "AUTH LOGIN",
		    "");
		break;
	case SMTP_LOGIN_TOO_LONG:
		smtp_client_fail(client, "user or secret is too long", "");
		break;
	}
	smtp_login_wipe(line, sizeof line);
}

static void
client_login(struct smtp_client *client)
{
	const char *user = client->options->user;

	if (user == NULL || user[0] == '\0') {
		smtp_client_ready(client);
		return;
	}
	if (!stream_is_tls(client->stream) &&
	    !stream_peer_is_loopback(client->stream)) {
		smtp_client_fail(client, "a secret is not sent without TLS",
		    "");
		return;
	}
	login_step(client);
}

void
smtp_client_on_ehlo(struct smtp_client *client)
{
	const struct smtp_reply *reply = &client->reply;
	struct span args;

	if (reply->code / 100 != 2) {
		smtp_client_fail(client, "EHLO was refused", reply->text);
		return;
	}
	client->pipelining = smtp_reply_offers(reply, "PIPELINING", NULL);
	client->eight_bit = smtp_reply_offers(reply, "8BITMIME", NULL);
	client->utf8 = smtp_reply_offers(reply, "SMTPUTF8", NULL);
	client->size = smtp_reply_offers(reply, "SIZE", &args);
	client->size_limit = 0;
	if (client->size && args.len > 0 && args.len < 19)
		client->size_limit = strtoull(args.bytes, NULL, 10);
	smtp_login_init(&client->login,
	    smtp_reply_offers(reply, "AUTH", &args) ? args : span_of(""));
	if (client->options->tls != TLS_STARTTLS ||
	    stream_is_tls(client->stream)) {
		client_login(client);
		return;
	}
	if (!smtp_reply_offers(reply, "STARTTLS", NULL)) {
		smtp_client_fail(client,
		    "the smarthost does not offer STARTTLS", "");
		return;
	}
	stream_printf(client->stream, "STARTTLS\r\n");
	smtp_client_expect(client, EXPECT_STARTTLS);
}

void
smtp_client_on_starttls(struct smtp_client *client)
{
	if (client->reply.code != 220) {
		smtp_client_fail(client, "STARTTLS was refused",
		    client->reply.text);
		return;
	}
	client->securing = true;
	/* what stood behind the reply in plain is dropped by the stream */
	if (stream_connect_tls(client->stream, client->options->ctx,
		client->options->host) < 0)
		smtp_client_fail(client, "TLS cannot be begun", "");
}

void
smtp_client_on_login(struct smtp_client *client)
{
	const struct smtp_reply *reply = &client->reply;

	if (reply->code == 334)
		login_step(client);
	else if (reply->code == 235)
		smtp_client_ready(client);
	else
		smtp_client_fail(client, "AUTH was refused", reply->text);
}

void
smtp_client_on_greeting(struct smtp_client *client)
{
	if (client->reply.code != 220)
		smtp_client_fail(client, "greeting", client->reply.text);
	else
		smtp_client_ehlo(client);
}
