/* address.h - mailboxes and lists of them (RFC 5322 3.4, with its obsolete
 * forms, RFC 6532), read by a scanner of our own: linear, no recursion, and it
 * goes on after what it cannot read.
 */
#ifndef KITH_PROTOCOL_ADDRESS_H
#define KITH_PROTOCOL_ADDRESS_H

#include "protocol/buffer.h"

#define ADDRESS_LOCAL_MAX 64u
#define ADDRESS_MAX	  254u

struct address {
	char *name;	/* display name or comment, UTF-8; "" if none */
	char *text;	/* local@domain as written, quotes dropped if needless */
	char *compared; /* compared form; see address_compare_form() */
};

struct address_list {
	struct address *items;
	size_t count;
	bool truncated; /* there were more than the maximum */
	bool malformed; /* something between commas was no mailbox */
};

/* Reads at most max mailboxes (group members included, group names dropped).
 * Clears *list first; on -ENOMEM it is empty. An address that is not valid is
 * left out and sets malformed. */
int address_list_parse(struct span value, size_t max, struct address_list *list);
/* Frees the content; accepts zeroed. */
void address_list_fini(struct address_list *list);

/* Is the value one mailbox in the form that nearly all have, words <local@domain>
 * or local@domain, in ASCII and without quotes or comments? False says nothing:
 * address_list_parse() knows. */
bool address_is_plain_mailbox(struct span value);
/* Is it local@domain with a valid local part (<= 64 octets) and domain, at most
 * 254 octets? A domain literal is taken; no white space, no control. */
bool address_is_valid(struct span address);
/* Where the local part ends (the '@'); address.len if there is none. */
size_t address_local_len(struct span address);
/* Appends the compared form: domain as lower-case A-label, local part case-folded
 * (ASCII and simple UTF-8), never plus- or dot-folded. -EINVAL (and nothing
 * appended) if the address is not valid. */
int address_compare_form(struct buffer *out, struct span address);

/* Appends `"Name" <local@domain>` (or the address alone) for a header; name is
 * UTF-8 and is quoted or encoded as needed. column: as words_encode(). */
void address_format(struct buffer *out, struct span name, struct span address,
    size_t column);

#endif
