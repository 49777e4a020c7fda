/* endpoint_text.h - "host:port" as an admin writes it: a name, an IPv4 address,
 * or an IPv6 address in brackets.
 */
#ifndef KITH_COMMUNITY_ENDPOINT_TEXT_H
#define KITH_COMMUNITY_ENDPOINT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define ENDPOINT_HOST_ROOM 256u

/* The host without brackets into host (ENDPOINT_HOST_ROOM). 0 or -EINVAL. */
int endpoint_text_parse(const char *text, char *host, unsigned *port_r);
/* The host is an address of this machine itself. */
bool endpoint_host_is_loopback(const char *host);
bool endpoint_host_is_address(const char *host);

#endif
