/* Two passes over the old users topic and two over the new one: who has which newest register, what the
 * new topic has of it already, writing the rest, and reading again what was written. Nobody else writes to either while
 * it runs, so the passes see the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/codec/json.h"
#include "core/codec/register.h"
#include "core/hash.h"
#include "tools/lib/progress.h"
#include "tools/lib/say.h"
#include "tools/topics/rehome_parts.h"
#include "worker/kafka.h"

#define BATCH_RECORDS 500
#define BATCH_BYTES (4 * 1024 * 1024)

static bool is_birth(const struct wm_record *record) {
  return record->key.size > 0 && record->key.bytes[0] == '\0';
}

static uint64_t hash_of(struct wm_text json) {
  uint64_t hash = wm_hash(json);
  return hash ? hash : 1;
}

/* The order of users must not count. */
static uint64_t part_of(const struct rehome_slot *slot, uint64_t hash) {
  return (slot->first ^ hash) * 0x9E3779B97F4A7C15U + slot->second;
}

typedef int record_fn(struct rehome *rehome, const struct wm_record *record);

/* Every committed record of a topic. EXIT_FINE, what 'take' said, or told. */
static int each_record(struct rehome *rehome, const char *topic, const char *doing, record_fn *take) {
  struct wm_error error = {0};
  struct wm_record record;
  struct progress progress;
  size_t done = 0;
  int more = 0, exit_code = EXIT_FINE;
  const struct client_reading reading = {
      .topic = topic, .partition = CLIENT_ALL_PARTITIONS, .from_ms = CLIENT_BEGINNING};
  /* What a command that was killed has left open in the new topic ends when this one claims its id. */
  bool ours = strcmp(topic, rehome->settings->topics.users) == 0 && !rehome->sender;
  if ((!ours && client_settle(rehome->client, topic, CLIENT_ALL_PARTITIONS, &error) != 0) ||
      client_read(rehome->client, &reading, &error) != 0)
    return say_error(EXIT_OUTSIDE, &error);
  progress_begin(&progress, doing, 0);
  while (exit_code == EXIT_FINE && (more = client_read_next(rehome->client, &record, &error)) > 0) {
    exit_code = take(rehome, &record);
    progress_set(&progress, ++done);
  }
  progress_end(&progress);
  return more < 0 ? say_error(EXIT_OUTSIDE, &error) : exit_code;
}

/* --- births --- */

static int take_birth(const struct wm_record *record, const char *topic, char ret[static REHOME_INCARNATION_SIZE]) {
  struct wm_arena arena;
  struct wm_value value;
  wm_arena_init(&arena, 1024);
  struct wm_text found = WM_NO_TEXT;
  if (record->value.bytes && wm_json_parse(record->value, &arena, &value, NULL) == 0)
    found = wm_value_text(wm_value_member(&value, WM_TEXT("incarnation")));
  bool fits = found.size > 0 && found.size < REHOME_INCARNATION_SIZE && (!ret[0] || wm_text_is(found, ret));
  if (fits)
    snprintf(ret, REHOME_INCARNATION_SIZE, "%.*s", WM_TEXT_ARG(found));
  wm_arena_release(&arena);
  return fits ? EXIT_FINE
              : say(EXIT_BAD_NEWS, "'%s' partition %d does not begin with the birth record of the others", topic,
                    (int)record->partition);
}

/* --- the old topic --- */

static int32_t home_of(const struct rehome *rehome, struct wm_text user, int32_t partitions) {
  return kafka_home(rehome->settings->kafka.partitioner, user, partitions);
}

static int count_old(struct rehome *rehome, const struct wm_record *record) {
  if (is_birth(record))
    return take_birth(record, rehome->from, rehome->old_incarnation);
  if (home_of(rehome, record->key, rehome->before) != record->partition)
    return say(EXIT_BAD_NEWS, "'%s': the register of '%.*s' stands on partition %d, which is not his home with %d",
               rehome->from, WM_TEXT_ARG(wm_text_shown(record->key)), (int)record->partition, (int)rehome->before);
  struct rehome_slot *slot = rehome_slot_at(&rehome->slots, record->key);
  if (!slot)
    return say_memory();
  if (slot->newest < 0) {
    rehome->users++;
    rehome->moved += home_of(rehome, record->key, rehome->settings->kafka.partitions) != record->partition;
  }
  slot->newest = record->offset;
  return EXIT_FINE;
}

/* --- the new topic --- */

static int count_new(struct rehome *rehome, const struct wm_record *record) {
  const char *topic = rehome->settings->topics.users;
  if (is_birth(record))
    return take_birth(record, topic, rehome->new_incarnation);
  struct rehome_slot *slot = rehome_slot_find(&rehome->slots, record->key);
  if (!slot || home_of(rehome, record->key, rehome->settings->kafka.partitions) != record->partition)
    return say(EXIT_BAD_NEWS,
               "'%s' holds a register of '%.*s' on partition %d that is no copy out of '%s': take a name for the users "
               "topic that was never used",
               topic, WM_TEXT_ARG(wm_text_shown(record->key)), (int)record->partition, rehome->from);
  slot->there = hash_of(record->value);
  return EXIT_FINE;
}

int rehome_count(struct rehome *rehome) {
  rehome_slots_release(&rehome->slots);
  rehome->users = rehome->moved = 0;
  rehome->old_incarnation[0] = rehome->new_incarnation[0] = '\0';
  int exit_code = each_record(rehome, rehome->from, "reading registers", count_old);
  if (exit_code == EXIT_FINE && rehome->new_topic)
    exit_code = each_record(rehome, rehome->settings->topics.users, "reading copies", count_new);
  return exit_code;
}

/* --- writing --- */

struct batch {
  struct wm_record records[BATCH_RECORDS];
  size_t count;
  struct wm_arena arena;
};

struct copying {
  struct rehome *rehome;
  struct batch batch;
  struct wm_buf json;
};

static int flush(struct copying *copying) {
  struct wm_error error = {0};
  struct batch *batch = &copying->batch;
  if (batch->count > 0 && sender_send(copying->rehome->sender, batch->records, batch->count, &error) != 0)
    return say_error(EXIT_OUTSIDE, &error);
  copying->rehome->written += batch->count;
  batch->count = 0;
  wm_arena_rewind(&batch->arena);
  return EXIT_FINE;
}

static int put(struct copying *copying, const struct wm_record *record, int32_t home) {
  struct batch *batch = &copying->batch;
  struct wm_record *copy = &batch->records[batch->count];
  *copy = (struct wm_record){.topic = wm_text_of(copying->rehome->settings->topics.users),
                             .partition = home,
                             .timestamp_ms = copying->rehome->stamp_ms};
  if (wm_arena_text(&batch->arena, record->key, &copy->key) < 0 ||
      wm_arena_text(&batch->arena, (struct wm_text){copying->json.bytes, copying->json.size}, &copy->value) < 0)
    return say_memory();
  batch->count++;
  return batch->count == BATCH_RECORDS || batch->arena.used > BATCH_BYTES ? flush(copying) : EXIT_FINE;
}

/* The register as it is, but for its home. */
static int encode(struct copying *copying, const struct wm_record *record, int32_t home) {
  struct wm_error why = {0};
  struct wm_user *user = record->value.bytes ? wm_register_decode(record->value, &why) : NULL;
  bool fits = user && wm_text_equal(user->id, record->key);
  wm_buf_clear(&copying->json);
  if (fits) {
    user->home = home;
    wm_register_encode(user, &copying->json);
  }
  wm_user_free(user);
  if (copying->json.failed || why.code == WM_E_OUT_OF_MEMORY)
    return say_memory();
  return fits ? EXIT_FINE
              : say(EXIT_BAD_NEWS, "the register of '%.*s' at %s/%d/%lld: %s", WM_TEXT_ARG(wm_text_shown(record->key)),
                    copying->rehome->from, (int)record->partition, (long long)record->offset,
                    why.code ? why.text : "it is not a register of this user");
}

static int copy_one(struct copying *copying, const struct wm_record *record) {
  struct rehome *rehome = copying->rehome;
  struct rehome_slot *slot = is_birth(record) ? NULL : rehome_slot_find(&rehome->slots, record->key);
  if (!slot || slot->newest != record->offset)
    return EXIT_FINE;
  int32_t home = home_of(rehome, record->key, rehome->settings->kafka.partitions);
  int exit_code = encode(copying, record, home);
  if (exit_code != EXIT_FINE)
    return exit_code;
  uint64_t hash = hash_of((struct wm_text){copying->json.bytes, copying->json.size});
  rehome->old_hash += part_of(slot, hash);
  return slot->there == hash ? EXIT_FINE : put(copying, record, home);
}

static int copy_all(struct copying *copying) {
  struct rehome *rehome = copying->rehome;
  struct wm_error error = {0};
  struct wm_record record;
  struct progress progress;
  size_t done = 0;
  int more = 0, exit_code = EXIT_FINE;
  const struct client_reading reading = {
      .topic = rehome->from, .partition = CLIENT_ALL_PARTITIONS, .from_ms = CLIENT_BEGINNING};
  if (client_read(rehome->client, &reading, &error) != 0)
    return say_error(EXIT_OUTSIDE, &error);
  progress_begin(&progress, "registers copied", rehome->users);
  while (exit_code == EXIT_FINE && (more = client_read_next(rehome->client, &record, &error)) > 0) {
    exit_code = copy_one(copying, &record);
    done += exit_code == EXIT_FINE && !is_birth(&record);
    progress_set(&progress, done < rehome->users ? done : rehome->users);
  }
  progress_end(&progress);
  if (more < 0)
    return say_error(EXIT_OUTSIDE, &error);
  return exit_code == EXIT_FINE ? flush(copying) : exit_code;
}

/* --- once more, from what is there --- */

static int compare(struct rehome *rehome) {
  size_t found = 0;
  rehome->new_hash = 0;
  for (size_t i = 0; i < rehome->slots.capacity; i++)
    rehome->slots.items[i].there = 0;
  int exit_code = each_record(rehome, rehome->settings->topics.users, "reading copies", count_new);
  for (size_t i = 0; exit_code == EXIT_FINE && i < rehome->slots.capacity; i++) {
    const struct rehome_slot *slot = &rehome->slots.items[i];
    if (!slot->there)
      continue;
    found++;
    rehome->new_hash += part_of(slot, slot->there);
  }
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (found == rehome->users && rehome->new_hash == rehome->old_hash)
    return EXIT_FINE;
  return say(EXIT_BAD_NEWS,
             "the copies are not what was copied (%zu of %zu users, hash %016llx and not %016llx): "
             "somebody else has written to '%s' or '%s'; nothing was changed besides",
             found, rehome->users, (unsigned long long)rehome->new_hash, (unsigned long long)rehome->old_hash,
             rehome->from, rehome->settings->topics.users);
}

int rehome_copy(struct rehome *rehome) {
  struct copying *copying = calloc(1, sizeof *copying);
  if (!copying)
    return say_memory();
  copying->rehome = rehome;
  wm_arena_init(&copying->batch.arena, 0);
  rehome->old_hash = 0;
  rehome->written = 0;
  int exit_code = copy_all(copying);
  wm_arena_release(&copying->batch.arena);
  wm_buf_release(&copying->json);
  free(copying);
  return exit_code == EXIT_FINE ? compare(rehome) : exit_code;
}
