/* locks.h - the locks that kith hangs on what is injected here, and what opens
 * locks (RFC 8315).
 *
 * The key of an article is HMAC-SHA256(secret, uid + Message-ID), its uid the
 * member's number, or nothing for who has none; the secret is drawn from each of
 * the community's keys (token.h). So nothing has to be kept, and what one member
 * publishes opens no other member's articles. Any thread.
 */
#ifndef KITH_COMMUNITY_LOCKS_H
#define KITH_COMMUNITY_LOCKS_H

#include "protocol/buffer.h"
#include "store/store.h"

struct locks;

/* After tokens_new(), which makes the first key. */
int locks_new(struct locks **locks_r, struct store *store);
void locks_free(struct locks **locks);

/* Appends "sha256:LOCK" for an article of this member (0: of nobody known). 0
 * or -EIO. */
int locks_append_lock(struct locks *locks, uint32_t member,
    const char *message_id, struct buffer *out);
/* Appends what opens it, an element for each secret there ever was. */
int locks_append_keys(struct locks *locks, uint32_t member,
    const char *message_id, struct buffer *out);
/* True if one of the keys in a raw Cancel-Key value opens one of those in a raw
 * Cancel-Lock value. sha256, sha512 and the old sha1; what is known by no name
 * is passed over. At most 16 keys are tried. */
bool locks_open(const struct locks *locks, struct span cancel_lock,
    struct span cancel_key);
/* True if there is a key that could open something. */
bool locks_has_key(struct span cancel_key);

/* Both call fn with "sha256:LOCK" and its like, for 16 elements of names that are
 * known at most, until it returns other than 0, and return that. Of a raw Cancel-Key
 * value, the locks that it opens; of a raw Cancel-Lock, itself. */
int locks_each_opened(const struct locks *locks, struct span cancel_key,
    int (*fn)(void *arg, const char *lock), void *arg);
int locks_each(struct span cancel_lock, int (*fn)(void *arg, const char *lock),
    void *arg);

#endif
