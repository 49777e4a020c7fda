/* memo.h - rows that the writer read or wrote lately.
 *
 * An article on its way in asks for the article that it answers, which mostly
 * came just before it, as do its own copies from other peers. Only the writer
 * thread writes, so what it remembers is right until a transaction is undone.
 * Not for views.
 */
#ifndef KITH_STORE_MEMO_H
#define KITH_STORE_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_memo;

/* NULL: out of memory. */
struct store_memo *store_memo_new(void);
void store_memo_free(struct store_memo **memo);

/* What is known of the row of that key, at most 16 octets: 0, and its bytes
 * (borrowed until the next change); -ENOENT: there is none; 1: nothing. */
int store_memo_get(struct store_memo *memo, const void *key, size_t key_len,
    const uint8_t **bytes_r, size_t *len_r);
/* Notes a row; bytes NULL: there is none. */
void store_memo_set(struct store_memo *memo, const void *key, size_t key_len,
    const void *bytes, size_t len);
/* A transaction was undone. */
void store_memo_forget(struct store_memo *memo);

#endif
