#include "core/hash.h"

/* SipHash-1-3 (Aumasson, Bernstein): one round per word, three at the end. */
#define KEY_0 UINT64_C(0x6b72616d796177)   /* "waymark" */
#define KEY_1 UINT64_C(0x7265747369676572) /* "register" */

static inline uint64_t rotate(uint64_t x, int by) {
  return x << by | x >> (64 - by);
}

static inline void sip_round(uint64_t v[4]) {
  v[0] += v[1];
  v[1] = rotate(v[1], 13) ^ v[0];
  v[0] = rotate(v[0], 32);
  v[2] += v[3];
  v[3] = rotate(v[3], 16) ^ v[2];
  v[0] += v[3];
  v[3] = rotate(v[3], 21) ^ v[0];
  v[2] += v[1];
  v[1] = rotate(v[1], 17) ^ v[2];
  v[2] = rotate(v[2], 32);
}

/* The next 'count' (up to 8) bytes, the first one lowest whatever the machine. */
static inline uint64_t word(const unsigned char *bytes, size_t count) {
  uint64_t result = 0;
  for (size_t i = 0; i < count; i++)
    result |= (uint64_t)bytes[i] << (8 * i);
  return result;
}

static uint64_t sip(uint64_t key_0, uint64_t key_1, struct wm_text text) {
  const unsigned char *bytes = (const unsigned char *)text.bytes;
  uint64_t v[4] = {
      key_0 ^ UINT64_C(0x736f6d6570736575),
      key_1 ^ UINT64_C(0x646f72616e646f6d),
      key_0 ^ UINT64_C(0x6c7967656e657261),
      key_1 ^ UINT64_C(0x7465646279746573),
  };
  size_t at = 0;
  for (; text.size - at >= 8; at += 8) {
    uint64_t m = word(bytes + at, 8);
    v[3] ^= m;
    sip_round(v);
    v[0] ^= m;
  }
  uint64_t last = (uint64_t)text.size << 56 | (text.size > at ? word(bytes + at, text.size - at) : 0);
  v[3] ^= last;
  sip_round(v);
  v[0] ^= last;
  v[2] ^= 0xff;
  for (int i = 0; i < 3; i++)
    sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t wm_hash(struct wm_text text) {
  return sip(KEY_0, KEY_1, text);
}

/* The second text is hashed with a key that the first one makes. */
uint64_t wm_hash_pair(struct wm_text first, struct wm_text second) {
  return sip(KEY_0 ^ sip(KEY_0, KEY_1, first), ~KEY_1, second);
}
