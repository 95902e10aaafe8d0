/* What `waymark verify` keeps of every user: 48 bytes in an open table that is between 7/16 and 7/8 full once it has
 * grown. */
#ifndef WM_TOOLS_VERIFY_SLOTS_H
#define WM_TOOLS_VERIFY_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOT_NONE (-1)  /* no register there */
#define SLOT_STRAY (-2) /* in Redis: something is there, but nothing that says which register it is */
#define SLOT_NO_END UINT32_MAX

struct verify_slot {
  uint64_t hash;                   /* of the user id; 0: the slot is free */
  int64_t log_at, cache_at;        /* offsets of the registers, or SLOT_* */
  uint64_t log_state, cache_state; /* hashes of register and role set */
  uint32_t end_s;                  /* the user's next end in Redis, in whole seconds since 1970, or SLOT_NO_END */
  uint16_t partition;
  uint8_t drifts;  /* of enum verify_drift, as far as they are known */
  bool moving : 1; /* what Redis has is not what it had when it was looked at before */
  bool late : 1;   /* the end in Redis is later than the register's */
  bool seen : 1;   /* in the last pass over Redis */
};

struct verify_slots {
  struct verify_slot *items;
  size_t count, capacity;
};

/* The user's slot, a new one with SLOT_NONE on both sides if he has none; it stays until the next call. NULL: out of
 * memory. */
struct verify_slot *verify_slots_at(struct verify_slots *slots, uint64_t hash);

/* NULL: he has none. */
struct verify_slot *verify_slots_find(const struct verify_slots *slots, uint64_t hash);
void verify_slots_release(struct verify_slots *slots);

/* The next slot that is taken, from '*at' on (0 at first); NULL: that was all. */
struct verify_slot *verify_slots_next(const struct verify_slots *slots, size_t *at);

/* Do both sides say the same, as far as the slot knows? */
bool verify_slot_agrees(const struct verify_slot *slot);

#endif
