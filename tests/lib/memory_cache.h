/* Redis in memory, as far as the cache door can see it: fenced writes, progress by compare-and-set, ends, meta.
 * Connections break between any two commands; what was under way on one may still be executed, later. */
#ifndef WM_TESTS_MEMORY_CACHE_H
#define WM_TESTS_MEMORY_CACHE_H

#include "tests/lib/world.h"
#include "worker/cache.h"

#define CACHE_USERS 512
#define CACHE_PARTITIONS 4
#define CACHE_CONNECTIONS 64

struct memory_user {
  struct wm_text id, json;
  int64_t gen, at;
  struct wm_text *roles;
  size_t role_count;
  bool has_register;
  bool has_end;
  int64_t end_us;
};

/* Everything that Redis holds: copied whole for a snapshot (its texts are never changed in place). */
struct memory_data {
  struct memory_user users[CACHE_USERS];
  size_t user_count;
  int64_t progress[CACHE_PARTITIONS];
  char incarnation[64];
  int64_t generation;
  int64_t rebuild[CACHE_PARTITIONS];
  char catalogue[CACHE_PARTITIONS][64];
  bool ready;
  int64_t alive_us;
  uint64_t beating; /* a bit for each connection that has said something */
};

struct memory_connection;

/* A command on its way. */
struct memory_command {
  enum { COMMAND_WRITE, COMMAND_ADVANCE, COMMAND_SET_END, COMMAND_DROP, COMMAND_REBUILT } kind;
  struct cache_write write; /* copied */
  int32_t partition;
  int64_t gen, from, to;
};

struct memory_cache {
  struct world *world;
  struct wm_arena arena;
  struct memory_data data;
  bool down;
  struct memory_connection *connections[CACHE_CONNECTIONS];
  size_t connection_count;
  struct memory_command *late; /* sent on connections that are gone, not executed yet */
  size_t late_count, late_capacity;
  /* Told of every register that is really written, before it is: a role in Redis has to be explained by the log. */
  void (*written)(void *self, const struct cache_write *write);
  void *self;
};

struct memory_cache *memory_cache_new(struct world *world);
void memory_cache_free(struct memory_cache *cache);

/* A connection of one worker; it belongs to the cache. */
void memory_cache_connect(struct memory_cache *cache, struct cache_door *ret);

void memory_cache_set_down(struct memory_cache *cache, bool down);
void memory_cache_flush(struct memory_cache *cache);
/* What `waymark rebuild` does. Nothing if no worker has filled it yet. */
void memory_cache_rebuild(struct memory_cache *cache);
/* Another state of the past: every connection breaks, and nothing that was under way survives. */
void memory_cache_restore(struct memory_cache *cache, const struct memory_data *snapshot);

/* As time goes by: commands that are under way are executed, late ones may come in ('all': they do). */
void memory_cache_tick(struct memory_cache *cache, bool all);

const struct memory_user *memory_cache_user(const struct memory_cache *cache, struct wm_text id);
bool memory_cache_has_role(const struct memory_cache *cache, struct wm_text id, struct wm_text role);

#endif
