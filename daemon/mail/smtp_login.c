/* smtp_login.c - AUTH PLAIN in one line, AUTH LOGIN in three.
 */
#include "build.h"

#include "daemon/mail/smtp_login.h"

#include <stdio.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define PLAIN_MAX 700u

void
smtp_login_init(struct smtp_login *login, struct span offered)
{
	size_t at = 0, len;

	memset(login, 0, sizeof *login);
	for (; at < offered.len; at += len + 1) {
		struct span word;

		for (len = 0;
		     at + len < offered.len && offered.bytes[at + len] != ' ';)
			len++;
		word = span_make(offered.bytes + at, len);
		login->plain = login->plain || span_is(word, "PLAIN");
		login->login = login->login || span_is(word, "LOGIN");
	}
}

/* prefix and base64 of bytes. */
static enum smtp_login_result
encode(char *line, size_t room, const char *prefix, const unsigned char *bytes,
    size_t len)
{
	size_t prefix_len = strlen(prefix);
	void *end = line + prefix_len; /* base64 is text, OpenSSL's is not */

	if (prefix_len + (len + 2) / 3 * 4 + 1 > room)
		return SMTP_LOGIN_TOO_LONG;
	memcpy(line, prefix, prefix_len);
	(void)EVP_EncodeBlock(end, bytes, (int)len);
	return SMTP_LOGIN_SEND;
}

static enum smtp_login_result
plain_line(const char *user, struct span secret, char *line, size_t room)
{
	unsigned char bytes[PLAIN_MAX];
	size_t user_len = strlen(user);
	enum smtp_login_result result;

	if (user_len + secret.len + 2 > sizeof bytes)
		return SMTP_LOGIN_TOO_LONG;
	bytes[0] = '\0';
	memcpy(bytes + 1, user, user_len);
	bytes[1 + user_len] = '\0';
	if (secret.len > 0)
		memcpy(bytes + 2 + user_len, secret.bytes, secret.len);
	result =
	    encode(line, room, "AUTH PLAIN ", bytes, user_len + secret.len + 2);
	OPENSSL_cleanse(bytes, sizeof bytes);
	return result;
}

enum smtp_login_result
smtp_login_next(struct smtp_login *login, const char *user, struct span secret,
    char *line, size_t room)
{
	const void *bytes;

	/* the file of the secret ends with a line end that is not meant */
	while (secret.len > 0 &&
	    (secret.bytes[secret.len - 1] == '\n' ||
		secret.bytes[secret.len - 1] == '\r'))
		secret.len--;
	switch (login->step++) {
	case 0:
		if (login->plain)
			return plain_line(user, secret, line, room);
		if (!login->login)
			return SMTP_LOGIN_NO_WAY;
		(void)snprintf(line, room, "AUTH LOGIN");
		return SMTP_LOGIN_SEND;
	case 1:
		if (login->plain)
			return SMTP_LOGIN_NO_WAY;
		bytes = user;
		return encode(line, room, "", bytes, strlen(user));
	case 2:
		bytes = secret.bytes;
		return encode(line, room, "", bytes, secret.len);
	default:
		return SMTP_LOGIN_NO_WAY;
	}
}

void
smtp_login_wipe(char *bytes, size_t len)
{
	OPENSSL_cleanse(bytes, len);
}
