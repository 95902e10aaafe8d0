#include "tests/lib/memory_cache.h"

#include <stdlib.h>

struct memory_connection {
  struct memory_cache *cache;
  uint64_t bit;                 /* of 'beating' */
  bool beating;                 /* has said something, so that it has to be there */
  bool broken;                  /* the next call finds out */
  struct memory_command *queue; /* writes of the applies under way */
  size_t count, capacity, done;
  enum cache_result result; /* of the writes that were executed */
};

static void *must(void *memory) {
  if (!memory)
    abort();
  return memory;
}

static void empty(struct memory_data *data) {
  *data = (struct memory_data){0};
  for (int p = 0; p < CACHE_PARTITIONS; p++)
    data->progress[p] = CACHE_NO_PROGRESS;
}

struct memory_cache *memory_cache_new(struct world *world) {
  struct memory_cache *cache = must(calloc(1, sizeof *cache));
  cache->world = world;
  wm_arena_init(&cache->arena, 64 * 1024);
  empty(&cache->data);
  return cache;
}

void memory_cache_free(struct memory_cache *cache) {
  if (!cache)
    return;
  for (size_t i = 0; i < cache->connection_count; i++) {
    free(cache->connections[i]->queue);
    free(cache->connections[i]);
  }
  free(cache->late);
  wm_arena_release(&cache->arena);
  free(cache);
}

/* --- what it holds --- */

static struct memory_user *find(struct memory_data *data, struct wm_text id) {
  for (size_t i = 0; i < data->user_count; i++)
    if (wm_text_equal(data->users[i].id, id))
      return &data->users[i];
  return NULL;
}

static struct memory_user *find_or_add(struct memory_cache *cache, struct wm_text id) {
  struct memory_user *user = find(&cache->data, id);
  if (user)
    return user;
  if (cache->data.user_count == CACHE_USERS)
    abort();
  user = &cache->data.users[cache->data.user_count++];
  *user = (struct memory_user){.id = {must(wm_arena_copy(&cache->arena, id.bytes, id.size)), id.size}};
  return user;
}

const struct memory_user *memory_cache_user(const struct memory_cache *cache, struct wm_text id) {
  return find((struct memory_data *)&cache->data, id);
}

bool memory_cache_has_role(const struct memory_cache *cache, struct wm_text id, struct wm_text role) {
  const struct memory_user *user = memory_cache_user(cache, id);
  for (size_t i = 0; user && i < user->role_count; i++)
    if (wm_text_equal(user->roles[i], role))
      return true;
  return false;
}

static void set_roles(struct memory_cache *cache, struct memory_user *user, const struct cache_write *write) {
  (void)cache; /* the write was copied into the arena already */
  user->roles = (struct wm_text *)write->roles;
  user->role_count = write->role_count;
}

static void set_end(struct memory_user *user, int64_t end_us) {
  user->has_end = end_us != INT64_MAX;
  user->end_us = end_us;
}

/* --- commands --- */

static enum cache_result execute_write(struct memory_cache *cache, const struct cache_write *write) {
  struct memory_user *user = find_or_add(cache, write->user);
  if (write->mode == CACHE_SAME) {
    if (strncmp(cache->data.catalogue[write->partition], write->stamp.bytes, write->stamp.size) != 0)
      return CACHE_STALE;
    if (!user->has_register || user->gen != write->gen || user->at != write->at)
      return CACHE_DONE;
    set_roles(cache, user, write);
    set_end(user, write->end_us);
    return CACHE_DONE;
  }
  if (cache->data.generation != 0 && cache->data.generation != write->gen)
    return CACHE_STALE;
  bool newer = !user->has_register || write->gen != user->gen || write->at > user->at;
  if (!newer)
    return CACHE_DONE;
  if (cache->written)
    cache->written(cache->self, write);
  user->has_register = true;
  user->gen = write->gen;
  user->at = write->at;
  user->json = write->json;
  set_roles(cache, user, write);
  set_end(user, write->end_us);
  return CACHE_DONE;
}

static void drop(struct memory_user *user, int64_t gen) {
  if (user && user->gen < gen)
    *user = (struct memory_user){.id = user->id};
}

static enum cache_result execute(struct memory_cache *cache, const struct memory_command *command) {
  switch (command->kind) {
  case COMMAND_WRITE:
    return execute_write(cache, &command->write);
  case COMMAND_ADVANCE:
    if (cache->data.progress[command->partition] != command->from || cache->data.generation != command->gen)
      return CACHE_STALE;
    cache->data.progress[command->partition] = command->to;
    return CACHE_DONE;
  case COMMAND_SET_END:
    set_end(find_or_add(cache, command->write.user), command->to);
    return CACHE_DONE;
  case COMMAND_DROP:
    drop(find(&cache->data, command->write.user), command->gen);
    return CACHE_DONE;
  case COMMAND_REBUILT:
    if (cache->data.rebuild[command->partition] == command->gen)
      cache->data.rebuild[command->partition] = 0;
    return CACHE_DONE;
  }
  return CACHE_BROKEN;
}

static void add_late(struct memory_cache *cache, const struct memory_command *command) {
  if (cache->late_count == cache->late_capacity) {
    cache->late_capacity = cache->late_capacity ? 2 * cache->late_capacity : 64;
    cache->late = must(realloc(cache->late, cache->late_capacity * sizeof *cache->late));
  }
  cache->late[cache->late_count++] = *command;
}

/* The connection is gone; the rest of its queue may come in later all the same, unless it was Redis that went. */
static enum cache_result lose(struct memory_connection *connection, struct wm_error *error) {
  struct memory_cache *cache = connection->cache;
  bool late = !cache->down && !connection->broken && world_chance(cache->world, cache->world->faults.cache_late);
  for (size_t i = connection->done; late && i < connection->count; i++)
    add_late(cache, &connection->queue[i]);
  connection->count = connection->done = 0;
  connection->result = CACHE_DONE;
  connection->broken = false;
  wm_error_set(error, WM_E_REDIS_FAILED, "the connection is lost");
  return CACHE_DOWN;
}

static bool is_lost(struct memory_connection *connection) {
  struct memory_cache *cache = connection->cache;
  return cache->down || connection->broken || world_chance(cache->world, cache->world->faults.cache_lost);
}

void memory_cache_set_down(struct memory_cache *cache, bool down) {
  cache->down = down;
  for (size_t i = 0; down && i < cache->connection_count; i++)
    cache->connections[i]->broken = true;
}

void memory_cache_flush(struct memory_cache *cache) {
  empty(&cache->data);
  cache->late_count = 0;
}

void memory_cache_rebuild(struct memory_cache *cache) {
  if (cache->data.generation == 0)
    return;
  cache->data.generation++;
  for (int p = 0; p < CACHE_PARTITIONS; p++) {
    cache->data.progress[p] = CACHE_NO_PROGRESS;
    cache->data.rebuild[p] = cache->data.generation;
  }
}

void memory_cache_restore(struct memory_cache *cache, const struct memory_data *snapshot) {
  cache->data = *snapshot;
  cache->late_count = 0;
  for (size_t i = 0; i < cache->connection_count; i++) {
    cache->connections[i]->broken = true;
    cache->connections[i]->count = cache->connections[i]->done = 0;
  }
}

/* Commands are executed while nobody waits for them, too. */
static void execute_next(struct memory_connection *connection) {
  enum cache_result result = execute(connection->cache, &connection->queue[connection->done++]);
  if (result != CACHE_DONE)
    connection->result = result;
}

void memory_cache_tick(struct memory_cache *cache, bool all) {
  size_t kept = 0;
  for (size_t i = 0; !cache->down && i < cache->connection_count; i++) {
    struct memory_connection *connection = cache->connections[i];
    while (!connection->broken && connection->done < connection->count && world_chance(cache->world, 5000))
      execute_next(connection);
  }
  for (size_t i = 0; i < cache->late_count; i++) {
    if (all || world_chance(cache->world, 1000))
      execute(cache, &cache->late[i]);
    else
      cache->late[kept++] = cache->late[i];
  }
  cache->late_count = kept;
}

/* --- the door --- */

static struct wm_text copy(struct memory_cache *cache, struct wm_text text) {
  if (!text.bytes)
    return text;
  return (struct wm_text){must(wm_arena_copy(&cache->arena, text.bytes, text.size)), text.size};
}

static enum cache_result door_check(void *self, struct wm_error *error) {
  struct memory_connection *connection = self;
  world_touch(connection->cache->world);
  return is_lost(connection) ? lose(connection, error) : CACHE_DONE;
}

static void fetch_user(struct memory_cache *cache, struct cache_user *user, bool with_roles, struct wm_arena *arena) {
  const struct memory_user *found = memory_cache_user(cache, user->id);
  user->json = found && found->has_register && !user->bare ? found->json : WM_NO_TEXT;
  user->gen = found ? found->gen : 0;
  user->at = found && found->has_register ? found->at : -1;
  user->end_us = found && found->has_end ? found->end_us : INT64_MAX;
  user->roles = NULL;
  user->role_count = 0;
  if (user->json.bytes)
    user->json.bytes = must(wm_arena_copy(arena, user->json.bytes, user->json.size));
  if (!found || !with_roles)
    return;
  user->role_count = found->role_count;
  user->roles = must(wm_arena_array(arena, found->role_count + 1, sizeof *user->roles));
  if (found->role_count > 0)
    memcpy(user->roles, found->roles, found->role_count * sizeof *user->roles);
}

/* Users first, progress last: whatever happens to Redis in between shows in progress. */
static enum cache_result door_fetch(void *self, struct cache_user *users, size_t count, bool with_roles,
                                    struct cache_progress *progress, size_t progress_count, struct wm_arena *arena,
                                    struct wm_error *error) {
  struct memory_connection *connection = self;
  struct memory_cache *cache = connection->cache;
  world_touch(cache->world);
  for (size_t i = 0; i < count; i++) {
    if (is_lost(connection))
      return lose(connection, error);
    fetch_user(cache, &users[i], with_roles, arena);
    world_touch(cache->world);
  }
  if (is_lost(connection))
    return lose(connection, error);
  for (size_t i = 0; i < progress_count; i++)
    progress[i].next = cache->data.progress[progress[i].partition];
  return CACHE_DONE;
}

static struct memory_command *next_command(struct memory_connection *connection) {
  if (connection->count == connection->capacity) {
    connection->capacity = connection->capacity ? 2 * connection->capacity : 16;
    connection->queue = must(realloc(connection->queue, connection->capacity * sizeof *connection->queue));
  }
  return &connection->queue[connection->count++];
}

static enum cache_result door_apply(void *self, const struct cache_write *writes, size_t count,
                                    struct wm_error *error) {
  struct memory_connection *connection = self;
  struct memory_cache *cache = connection->cache;
  world_touch(cache->world);
  if (is_lost(connection))
    return lose(connection, error);
  for (size_t i = 0; i < count; i++) {
    struct memory_command *command = next_command(connection);
    *command = (struct memory_command){.kind = COMMAND_WRITE, .write = writes[i]};
    command->write.user = copy(cache, writes[i].user);
    command->write.json = copy(cache, writes[i].json);
    command->write.stamp = copy(cache, writes[i].stamp);
    struct wm_text *roles = must(wm_arena_array(&cache->arena, writes[i].role_count + 1, sizeof *roles));
    for (size_t j = 0; j < writes[i].role_count; j++)
      roles[j] = copy(cache, writes[i].roles[j]);
    command->write.roles = roles;
  }
  return CACHE_DONE;
}

static enum cache_result door_wait(void *self, struct wm_error *error) {
  struct memory_connection *connection = self;
  struct memory_cache *cache = connection->cache;
  while (connection->done < connection->count) {
    world_touch(cache->world);
    if (is_lost(connection))
      return lose(connection, error);
    if (connection->done < connection->count)
      execute_next(connection);
  }
  world_touch(cache->world);
  if (is_lost(connection))
    return lose(connection, error);
  enum cache_result result = connection->result;
  connection->count = connection->done = 0;
  connection->result = CACHE_DONE;
  return result;
}

/* Executed and answered; or lost before or after it was executed. */
static enum cache_result command_now(struct memory_connection *connection, const struct memory_command *command,
                                     struct wm_error *error) {
  struct memory_cache *cache = connection->cache;
  world_touch(cache->world);
  if (is_lost(connection)) {
    *next_command(connection) = *command;
    return lose(connection, error);
  }
  enum cache_result result = execute(cache, command);
  world_touch(cache->world);
  return is_lost(connection) ? lose(connection, error) : result;
}

static enum cache_result door_advance(void *self, int32_t partition, int64_t gen, int64_t from, int64_t to,
                                      struct wm_error *error) {
  struct memory_command command = {.kind = COMMAND_ADVANCE, .partition = partition, .gen = gen, .from = from, .to = to};
  return command_now(self, &command, error);
}

static enum cache_result door_rebuilt(void *self, int32_t partition, int64_t gen, struct wm_error *error) {
  struct memory_command command = {.kind = COMMAND_REBUILT, .partition = partition, .gen = gen};
  return command_now(self, &command, error);
}

static enum cache_result door_drop(void *self, struct wm_text user, int64_t gen, struct wm_error *error) {
  struct memory_connection *connection = self;
  struct memory_command command = {.kind = COMMAND_DROP, .write = {.user = copy(connection->cache, user)}, .gen = gen};
  return command_now(connection, &command, error);
}

/* Two at a time; the cursor is where it goes on. */
static enum cache_result door_scan(void *self, char cursor[static CACHE_CURSOR_SIZE], struct wm_arena *arena,
                                   struct cache_user **ret_users, size_t *ret_count, struct wm_error *error) {
  struct memory_connection *connection = self;
  const struct memory_data *data = &connection->cache->data;
  world_touch(connection->cache->world);
  if (is_lost(connection))
    return lose(connection, error);
  size_t at = strtoul(cursor, NULL, 10);
  *ret_users = must(wm_arena_array(arena, 2, sizeof **ret_users));
  *ret_count = 0;
  for (; at < data->user_count && *ret_count < 2; at++) {
    const struct memory_user *user = &data->users[at];
    if (user->has_register || user->role_count > 0)
      (*ret_users)[(*ret_count)++] = (struct cache_user){.id = user->id, .gen = user->gen};
  }
  snprintf(cursor, CACHE_CURSOR_SIZE, "%zu", at < data->user_count ? at : 0);
  return CACHE_DONE;
}

static enum cache_result door_get_meta(void *self, int32_t partition, struct cache_meta *ret, struct wm_error *error) {
  struct memory_connection *connection = self;
  const struct memory_data *data = &connection->cache->data;
  world_touch(connection->cache->world);
  if (is_lost(connection))
    return lose(connection, error);
  *ret = (struct cache_meta){.generation = data->generation};
  memcpy(ret->incarnation, data->incarnation, sizeof ret->incarnation);
  if (partition >= 0)
    memcpy(ret->catalogue, data->catalogue[partition], sizeof ret->catalogue);
  if (partition >= 0)
    ret->rebuild = data->rebuild[partition];
  return CACHE_DONE;
}

static enum cache_result door_set_meta(void *self, int32_t partition, const struct cache_meta *meta,
                                       struct wm_error *error) {
  struct memory_connection *connection = self;
  struct memory_data *data = &connection->cache->data;
  world_touch(connection->cache->world);
  if (is_lost(connection))
    return lose(connection, error);
  if (meta->incarnation[0] && data->incarnation[0] && strcmp(meta->incarnation, data->incarnation) != 0) {
    wm_error_set(error, WM_E_LOG_TRUNCATED, "another incarnation");
    return CACHE_BROKEN;
  }
  if (meta->generation > 0 && data->generation > meta->generation)
    return CACHE_STALE;
  if (partition >= 0 && meta->catalogue[0] &&
      (meta->was[0] ? strncmp(data->catalogue[partition], meta->was, strlen(meta->was)) != 0
                    : data->catalogue[partition][0] != '\0'))
    return CACHE_STALE;
  if (meta->incarnation[0])
    memcpy(data->incarnation, meta->incarnation, sizeof data->incarnation);
  if (meta->generation > 0)
    data->generation = meta->generation;
  if (partition >= 0 && meta->catalogue[0])
    memcpy(data->catalogue[partition], meta->catalogue, sizeof meta->catalogue);
  world_touch(connection->cache->world);
  return is_lost(connection) ? lose(connection, error) : CACHE_DONE;
}

static enum cache_result door_beat(void *self, bool ready, int64_t wall_us, struct wm_error *error) {
  struct memory_connection *connection = self;
  world_touch(connection->cache->world);
  if (is_lost(connection))
    return lose(connection, error);
  struct memory_data *data = &connection->cache->data;
  bool lost = connection->beating && !(data->beating & connection->bit);
  connection->beating = true;
  data->beating |= connection->bit;
  data->ready = ready;
  data->alive_us = wall_us;
  return data->generation && !lost ? CACHE_DONE : CACHE_STALE;
}

static int by_end(const void *a, const void *b) {
  const struct memory_user *x = *(const struct memory_user *const *)a, *y = *(const struct memory_user *const *)b;
  return x->end_us != y->end_us ? (x->end_us < y->end_us ? -1 : 1) : wm_text_compare(x->id, y->id);
}

static enum cache_result door_due(void *self, int64_t until_us, size_t skip, size_t limit, struct wm_arena *arena,
                                  struct wm_text **ret_users, int64_t **ret_ends, size_t *ret_count,
                                  struct wm_error *error) {
  struct memory_connection *connection = self;
  struct memory_data *data = &connection->cache->data;
  const struct memory_user *due[CACHE_USERS];
  size_t count = 0;
  world_touch(connection->cache->world);
  if (is_lost(connection))
    return lose(connection, error);
  for (size_t i = 0; i < data->user_count; i++)
    if (data->users[i].has_end && data->users[i].end_us <= until_us)
      due[count++] = &data->users[i];
  qsort(due, count, sizeof *due, by_end);
  count = count > skip ? count - skip : 0;
  count = count > limit ? limit : count;
  *ret_users = must(wm_arena_array(arena, count + 1, sizeof **ret_users));
  *ret_ends = must(wm_arena_array(arena, count + 1, sizeof **ret_ends));
  for (size_t i = 0; i < count; i++) {
    (*ret_users)[i] = due[skip + i]->id;
    (*ret_ends)[i] = due[skip + i]->end_us;
  }
  *ret_count = count;
  return CACHE_DONE;
}

static enum cache_result door_set_end(void *self, struct wm_text user, int64_t end_us, struct wm_error *error) {
  struct memory_connection *connection = self;
  struct memory_command command = {
      .kind = COMMAND_SET_END, .write = {.user = copy(connection->cache, user)}, .to = end_us};
  return command_now(connection, &command, error);
}

static const struct cache_ops ops = {
    .check = door_check,
    .fetch = door_fetch,
    .apply = door_apply,
    .wait = door_wait,
    .advance = door_advance,
    .get_meta = door_get_meta,
    .set_meta = door_set_meta,
    .beat = door_beat,
    .due = door_due,
    .set_end = door_set_end,
    .scan = door_scan,
    .drop = door_drop,
    .rebuilt = door_rebuilt,
};

void memory_cache_connect(struct memory_cache *cache, struct cache_door *ret) {
  if (cache->connection_count == CACHE_CONNECTIONS)
    abort();
  struct memory_connection *connection = must(calloc(1, sizeof *connection));
  connection->cache = cache;
  connection->bit = UINT64_C(1) << cache->connection_count;
  cache->connections[cache->connection_count++] = connection;
  *ret = (struct cache_door){.ops = &ops, .self = connection};
}
