/* The cache door of the simulation is a model of the one to Redis: whatever is asked of both, at random, both answer
 * the same, and hold the same afterwards. */
#include "tests/lib/memory_cache.h"
#include "tests/unit/redis_server.h"

enum { USERS = 50, ROLES = 2500, MOST_WRITES = 60, ROUNDS = 120 };

static struct world world;
static struct memory_cache *memory;
static struct cache_door doors[2]; /* Redis, memory */
static char user_names[USERS][16], role_names[ROLES][8];
static struct wm_text roles[ROLES]; /* sorted */

static void begin(uint64_t seed) {
  set_up();
  world_init(&world, seed);
  memory = memory_cache_new(&world);
  doors[0] = server.door;
  memory_cache_connect(memory, &doors[1]);
  for (int i = 0; i < USERS; i++)
    snprintf(user_names[i], sizeof user_names[i], i % 7 ? "user-%d" : "{%d}%%", i);
  for (int i = 0; i < ROLES; i++) {
    snprintf(role_names[i], sizeof role_names[i], "r%04d", i);
    roles[i] = wm_text_of(role_names[i]);
  }
}

static void end(void) {
  memory_cache_free(memory);
  tear_down();
}

static int below(uint64_t limit) {
  return (int)world_below(&world, limit);
}

static struct wm_text any_user(void) {
  return wm_text_of(user_names[below(USERS)]);
}

static void any_meta(struct cache_meta *ret) {
  static const char *const catalogues[] = {"one 1 0", "one 1 done", "two 2 0"}, *const stamps[] = {"", "one 1 ",
                                                                                                   "two "};
  *ret = (struct cache_meta){.generation = below(3)};
  snprintf(ret->incarnation, sizeof ret->incarnation, "%s", below(20) ? "" : below(8) ? "this" : "other");
  snprintf(ret->catalogue, sizeof ret->catalogue, "%s", catalogues[below(3)]);
  snprintf(ret->was, sizeof ret->was, "%s", stamps[below(3)]);
}

/* Few roles mostly, more words than a script takes sometimes. */
static struct cache_write any_write(void) {
  static const char *const stamps[] = {"one 1 ", "one 1 ", "two 2 ", "three "};
  size_t count = (size_t)below(below(30) ? 5 : ROLES), first = (size_t)below(ROLES - count + 1);
  struct cache_write write = write_of("", 1 + below(2), below(40), roles + first, count);
  write.user = any_user();
  write.mode = below(3) ? CACHE_NEWER : CACHE_SAME;
  write.partition = below(CACHE_PARTITIONS);
  write.stamp = wm_text_of(stamps[below(4)]);
  write.end_us = below(2) ? INT64_MAX : 1795255200000000 + below(1000);
  return write;
}

/* Some applies, one wait; Redis may forget its script in between. */
static void apply_some(void) {
  for (int applies = 1 + below(4); applies > 0; applies--) {
    struct cache_write writes[MOST_WRITES];
    size_t count = (size_t)(1 + below(MOST_WRITES));
    int same = below(3); /* often of one fence */
    for (size_t i = 0; i < count; i++) {
      writes[i] = any_write();
      if (same && i > 0) {
        writes[i].mode = writes[0].mode;
        writes[i].gen = writes[0].gen;
        writes[i].partition = writes[0].partition;
        writes[i].stamp = writes[0].stamp;
      }
    }
    for (int d = 0; d < 2; d++)
      cr_assert_eq(doors[d].ops->apply(doors[d].self, writes, count, &server.error), CACHE_DONE);
    if (below(10) == 0)
      redis("SCRIPT FLUSH");
  }
  enum cache_result result = doors[0].ops->wait(doors[0].self, &server.error);
  cr_assert_eq(result, doors[1].ops->wait(doors[1].self, &server.error), "redis: %d", (int)result);
}

static void ask_something(void) {
  enum cache_result results[2];
  const struct wm_text user = any_user();
  struct cache_meta meta;
  any_meta(&meta);
  int what = below(5), p = below(CACHE_PARTITIONS), gen = 1 + below(2), to = below(3);
  int64_t from = memory->data.progress[p] + (below(5) ? 0 : 1), end_us = below(2) ? INT64_MAX : 1795255200000000 + to;
  for (int d = 0; d < 2; d++) {
    const struct cache_ops *ops = doors[d].ops;
    void *self = doors[d].self;
    results[d] = what == 0   ? ops->advance(self, p, gen, from, to, &server.error)
                 : what == 1 ? ops->set_meta(self, p, &meta, &server.error)
                 : what == 2 ? ops->beat(self, true, 1000000, &server.error)
                 : what == 3 ? ops->drop(self, user, gen, &server.error)
                             : ops->set_end(self, user, end_us, &server.error);
  }
  cr_assert_eq(results[0], results[1], "%d: redis says %d, the model %d", what, (int)results[0], (int)results[1]);
}

static void compare_user(const struct cache_user *a, const struct cache_user *b) {
  cr_assert(a->gen == b->gen && a->at == b->at && a->end_us == b->end_us && wm_text_equal(a->json, b->json), "%.*s",
            WM_TEXT_ARG(a->id));
  cr_assert_eq(a->role_count, b->role_count, "%.*s", WM_TEXT_ARG(a->id));
  for (size_t i = 0; i < a->role_count; i++)
    cr_assert(wm_text_equal(a->roles[i], b->roles[i]), "%.*s", WM_TEXT_ARG(a->id));
}

static void compare(void) {
  struct cache_user users[2][USERS];
  struct cache_progress progress[2][CACHE_PARTITIONS];
  struct cache_meta meta[2][CACHE_PARTITIONS];
  for (int d = 0; d < 2; d++) {
    for (int i = 0; i < USERS; i++)
      users[d][i] = (struct cache_user){.id = wm_text_of(user_names[i])};
    for (int p = 0; p < CACHE_PARTITIONS; p++) {
      progress[d][p].partition = p;
      cr_assert_eq(doors[d].ops->get_meta(doors[d].self, p, &meta[d][p], &server.error), CACHE_DONE);
    }
    cr_assert_eq(doors[d].ops->fetch(doors[d].self, users[d], USERS, true, progress[d], CACHE_PARTITIONS, &server.arena,
                                     &server.error),
                 CACHE_DONE);
  }
  for (int i = 0; i < USERS; i++)
    compare_user(&users[0][i], &users[1][i]);
  for (int p = 0; p < CACHE_PARTITIONS; p++) {
    cr_assert_eq(progress[0][p].next, progress[1][p].next);
    cr_assert_eq(meta[0][p].generation, meta[1][p].generation);
    cr_assert_str_eq(meta[0][p].catalogue, meta[1][p].catalogue);
    cr_assert_str_eq(meta[0][p].incarnation, meta[1][p].incarnation);
  }
}

Test(doors, both_say_and_hold_the_same, .timeout = 300) {
  for (uint64_t seed = 1; seed <= 3; seed++) {
    begin(seed);
    for (int round = 0; round < ROUNDS; round++) {
      wm_arena_rewind(&server.arena);
      apply_some();
      ask_something();
      compare();
    }
    end();
  }
}
