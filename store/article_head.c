/* article_head.c - the encoded head at the start of an article's part 0.
 *
 * A version octet, then numbers of 7 bits per octet, low bits first: flags,
 * lengths, and the hidden ranges, each as (gap after the one before, length).
 */
#include "store/private.h"

#include <errno.h>
#include <string.h>

#define HEAD_VERSION 1u
#define FLAGS_KNOWN \
 (STORE_ARTICLE_STUFFED | STORE_ARTICLE_MULTI | STORE_ARTICLE_8BIT)

struct head_in {
	const uint8_t *p, *end;
	bool bad;
};

static bool
ranges_ok(const struct store_range *ranges, uint32_t count, uint32_t len)
{
	uint64_t at = 0;

	if (count > STORE_HIDDEN_MAX)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (ranges[i].offset < at || ranges[i].len == 0)
			return false;
		at = (uint64_t)ranges[i].offset + ranges[i].len;
	}
	return at <= len;
}

int
store_head_check(const struct store_article_head *head)
{
	if ((uint64_t)head->added_len + head->received_len > UINT32_MAX)
		return -EINVAL;
	if ((head->flags & ~(uint32_t)FLAGS_KNOWN) != 0 ||
	    head->header_len > head->received_len)
		return -EINVAL;
	if (!ranges_ok(head->hidden_news, head->hidden_news_count,
		head->header_len) ||
	    !ranges_ok(head->hidden_mail, head->hidden_mail_count,
		head->header_len))
		return -EINVAL;
	return 0;
}

static uint8_t *
number_put(uint8_t *p, uint32_t value)
{
	for (; value > 0x7f; value >>= 7)
		*p++ = (uint8_t)(value | 0x80);
	*p++ = (uint8_t)value;
	return p;
}

static uint8_t *
ranges_put(uint8_t *p, const struct store_range *ranges, uint32_t count)
{
	uint32_t at = 0;

	p = number_put(p, count);
	for (uint32_t i = 0; i < count; i++) {
		p = number_put(p, ranges[i].offset - at);
		p = number_put(p, ranges[i].len);
		at = ranges[i].offset + ranges[i].len;
	}
	return p;
}

size_t
store_head_encode(const struct store_article_head *head,
    uint8_t bytes_r[STORE_HEAD_MAX])
{
	uint8_t *p = bytes_r;

	*p++ = HEAD_VERSION;
	p = number_put(p, head->flags);
	p = number_put(p, head->added_len);
	p = number_put(p, head->received_len);
	p = number_put(p, head->header_len);
	p = ranges_put(p, head->hidden_news, head->hidden_news_count);
	p = ranges_put(p, head->hidden_mail, head->hidden_mail_count);
	return (size_t)(p - bytes_r);
}

static uint32_t
number_get(struct head_in *in)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t octet;

	do {
		if (in->p == in->end || shift > 28) {
			in->bad = true;
			return 0;
		}
		octet = *in->p++;
		value |= (uint64_t)(octet & 0x7f) << shift;
		shift += 7;
	} while ((octet & 0x80) != 0);
	if (value > UINT32_MAX) {
		in->bad = true;
		return 0;
	}
	return (uint32_t)value;
}

static uint32_t
ranges_get(struct head_in *in, struct store_range *ranges)
{
	uint32_t count = number_get(in);
	uint64_t at = 0;

	if (count > STORE_HIDDEN_MAX) {
		in->bad = true;
		return 0;
	}
	for (uint32_t i = 0; i < count; i++) {
		at += number_get(in);
		ranges[i].offset = (uint32_t)at;
		ranges[i].len = number_get(in);
		at += ranges[i].len;
		if (at > UINT32_MAX) {
			in->bad = true;
			return 0;
		}
	}
	return count;
}

int
store_head_parse(const uint8_t *bytes, size_t len,
    struct store_article_head *head_r)
{
	struct head_in in = { bytes, bytes + len, false };
	uint64_t all;

	if (len == 0 || *in.p++ != HEAD_VERSION)
		return -EBADMSG;
	head_r->flags = number_get(&in);
	head_r->added_len = number_get(&in);
	head_r->received_len = number_get(&in);
	head_r->header_len = number_get(&in);
	head_r->hidden_news_count = ranges_get(&in, head_r->hidden_news);
	head_r->hidden_mail_count = ranges_get(&in, head_r->hidden_mail);
	if (in.bad || store_head_check(head_r) != 0)
		return -EBADMSG;
	head_r->data_offset = (uint32_t)(in.p - bytes);
	/* Part 0 is full unless it is the last. */
	all = (uint64_t)head_r->data_offset + head_r->added_len +
	    head_r->received_len;
	if (len > STORE_PART_MAX ||
	    len != (all < STORE_PART_MAX ? all : STORE_PART_MAX))
		return -EBADMSG;
	return 0;
}
