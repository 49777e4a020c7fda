/* endpoint_text.c - see endpoint_text.h.
 */
#include "daemon/community/endpoint_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static int
port_parse(const char *text, unsigned *port_r)
{
	unsigned port = 0;
	size_t digits = 0;

	for (; text[digits] >= '0' && text[digits] <= '9' && digits < 6;
	     digits++)
		port = port * 10 + (unsigned)(text[digits] - '0');
	if (digits == 0 || text[digits] != '\0' || port == 0 || port > 65535)
		return -EINVAL;
	*port_r = port;
	return 0;
}

static bool
is_name(const char *host)
{
	return host[0] != '\0' && host[0] != '-' &&
	    strspn(host,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789.-_") == strlen(host);
}

int
endpoint_text_parse(const char *text, char *host, unsigned *port_r)
{
	const char *end, *begin = text;
	unsigned char address[16];
	size_t len;

	if (text[0] == '[') {
		begin = text + 1;
		end = strchr(begin, ']');
		if (end == NULL || end[1] != ':')
			return -EINVAL;
		len = (size_t)(end - begin);
		end++;
	} else {
		end = strchr(text, ':');
		if (end == NULL)
			return -EINVAL;
		len = (size_t)(end - begin);
	}
	if (len >= ENDPOINT_HOST_ROOM)
		return -EINVAL;
	memcpy(host, begin, len);
	host[len] = '\0';
	if (text[0] == '[' ? inet_pton(AF_INET6, host, address) != 1
			   : !is_name(host))
		return -EINVAL;
	return port_parse(end + 1, port_r);
}

bool
endpoint_host_is_address(const char *host)
{
	unsigned char address[16];

	return inet_pton(AF_INET, host, address) == 1 ||
	    inet_pton(AF_INET6, host, address) == 1;
}

bool
endpoint_host_is_loopback(const char *host)
{
	unsigned char address[16];

	if (inet_pton(AF_INET, host, address) == 1)
		return address[0] == 127;
	return strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0;
}
