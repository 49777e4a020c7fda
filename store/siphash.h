/* siphash.h - SipHash-2-4 with 128 bits of output: a keyed hash, fast on short
 * input, for which nobody without the key can find two inputs that meet.
 */
#ifndef KITH_STORE_SIPHASH_H
#define KITH_STORE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

void store_siphash(const uint8_t key[16], const void *bytes, size_t len,
    uint8_t hash_r[16]);
/* Fewer rounds, 1 and 3: twice as fast on long input, and as hard to meet as far
 * as is known, with less to spare. */
void store_siphash_1_3(const uint8_t key[16], const void *bytes, size_t len,
    uint8_t hash_r[16]);

#endif
