#include "tests/lib/memory_log_internal.h"

#include <stdlib.h>

#include "core/codec/control.h"
#include "core/hash.h"

static void *must(void *memory) {
  if (!memory)
    abort();
  return memory;
}

struct memory_log *memory_log_new(struct world *world, int32_t partition_count) {
  struct memory_log *log = must(calloc(1, sizeof *log));
  log->world = world;
  log->partition_count = partition_count;
  wm_arena_init(&log->arena, 64 * 1024);
  memory_log_control(log, WM_TEXT("partitions"), WM_TEXT("{}"));
  for (int32_t p = 0; p < partition_count; p++) {
    log->consumed_end[p] = &log->consumed[p];
    for (size_t i = 0; i < MEMORY_INPUTS; i++)
      log->committed[i][p] = LOG_BEGINNING;
    struct memory_entry *birth = memory_append(log, &log->outputs[WM_OUT_USERS][p]);
    birth->key = (struct wm_text){"\0log", 4};
    birth->value = WM_TEXT(MEMORY_INCARNATION);
  }
  return log;
}

void memory_log_free(struct memory_log *log) {
  if (!log)
    return;
  for (size_t m = 0; m < log->member_count; m++) {
    free(log->members[m]->written);
    free(log->members[m]);
  }
  for (int32_t p = 0; p < MEMORY_PARTITIONS; p++) {
    for (size_t i = 0; i < MEMORY_INPUTS; i++)
      free(log->inputs[i][p].entries);
    for (size_t i = 0; i < WM_OUT_COUNT + MEMORY_INPUTS; i++)
      free(log->outputs[i][p].entries);
  }
  free(log->control.entries);
  wm_arena_release(&log->arena);
  free(log);
}

struct wm_text memory_log_input(size_t topic) {
  static const char *const names[MEMORY_INPUTS] = {"events", "directory", "requests"};
  return wm_text_of(names[topic]);
}

struct wm_text memory_copy(struct memory_log *log, struct wm_text text) {
  if (!text.bytes)
    return text;
  return (struct wm_text){must(wm_arena_copy(&log->arena, text.bytes, text.size)), text.size};
}

struct memory_entry *memory_append(struct memory_log *log, struct memory_partition *partition) {
  if (partition->count == partition->capacity) {
    partition->capacity = partition->capacity ? 2 * partition->capacity : 64;
    partition->entries = must(realloc(partition->entries, partition->capacity * sizeof *partition->entries));
  }
  struct memory_entry *entry = &partition->entries[partition->count++];
  *entry = (struct memory_entry){.timestamp_ms = log->world->now_us / 1000};
  return entry;
}

int64_t memory_log_produce(struct memory_log *log, size_t topic, int32_t partition, struct wm_text key,
                           struct wm_text value, int64_t timestamp_ms) {
  struct memory_entry *entry = memory_append(log, &log->inputs[topic][partition]);
  entry->key = memory_copy(log, key);
  entry->value = memory_copy(log, value);
  entry->timestamp_ms = timestamp_ms;
  return (int64_t)log->inputs[topic][partition].count - 1;
}

void memory_log_control(struct memory_log *log, struct wm_text key, struct wm_text value) {
  struct memory_entry *entry = memory_append(log, &log->control);
  entry->key = memory_copy(log, key);
  entry->value = memory_copy(log, value);
}

void memory_log_say(struct memory_log *log, enum wm_running_kind kind, const char *name, enum wm_running_state state) {
  struct wm_running_word word = {.kind = kind, .name = wm_text_of(name), .state = state, .time_us = log->world->now_us};
  struct wm_buf key = WM_BUF_INIT, value = WM_BUF_INIT;
  wm_control_key(&word, &key);
  if (state != WM_RUNNING_AS_WRITTEN)
    wm_control_value(&word, WM_TEXT("said"), &value);
  memory_log_control(log, (struct wm_text){key.bytes, key.size}, (struct wm_text){value.bytes, value.size});
  wm_buf_release(&key);
  wm_buf_release(&value);
}

int32_t memory_log_home(const struct memory_log *log, struct wm_text user) {
  return (int32_t)(wm_hash(user) % (uint64_t)log->partition_count);
}

struct wm_text memory_log_register(const struct memory_log *log, int32_t partition, int64_t offset) {
  const struct memory_partition *users = &log->outputs[WM_OUT_USERS][partition];
  if (offset < 0 || offset >= (int64_t)users->count)
    return WM_NO_TEXT;
  const struct memory_entry *entry = &users->entries[offset];
  bool decided = entry->transaction &&
                 (entry->transaction->state == MEMORY_DECIDED || entry->transaction->state == MEMORY_COMMITTED);
  return decided && !entry->marker ? entry->value : WM_NO_TEXT;
}

/* --- transactions --- */

static void show_offsets(struct memory_log *log, struct memory_transaction *transaction) {
  if (transaction->offsets_visible)
    return;
  transaction->offsets_visible = true;
  for (size_t i = 0; i < transaction->offset_count; i++) {
    const struct log_position *position = &transaction->offsets[i];
    log->committed[position->topic][position->partition] = position->offset;
    log->told_us[position->topic][position->partition] = position->told_us;
  }
}

/* Control records take an offset in every partition that was written to. */
static void write_markers(struct memory_log *log, struct memory_transaction *transaction) {
  for (size_t i = 0; i < WM_OUT_COUNT + MEMORY_INPUTS; i++) {
    for (int32_t p = 0; p < log->partition_count; p++) {
      if (!(transaction->touched[i] & (UINT64_C(1) << p)))
        continue;
      struct memory_entry *marker = memory_append(log, &log->outputs[i][p]);
      marker->marker = true;
      marker->transaction = transaction;
    }
  }
}

/* What goes to the topic of requests comes in again, once it is committed. */
static void pass_requests(struct memory_log *log, const struct memory_transaction *transaction) {
  for (int32_t p = 0; p < log->partition_count; p++) {
    const struct memory_partition *requests = &log->outputs[WM_OUT_REQUESTS][p];
    bool touched = transaction->touched[WM_OUT_REQUESTS] & (UINT64_C(1) << p);
    for (size_t i = 0; touched && i < requests->count; i++) {
      const struct memory_entry *entry = &requests->entries[i];
      if (entry->transaction == transaction && !entry->marker)
        memory_log_produce(log, MEMORY_REQUESTS, p, entry->key, entry->value, entry->timestamp_ms);
    }
  }
}

void memory_settle(struct memory_log *log, struct memory_transaction *transaction) {
  if (transaction->state != MEMORY_DECIDED)
    return;
  show_offsets(log, transaction);
  write_markers(log, transaction);
  transaction->state = MEMORY_COMMITTED;
  pass_requests(log, transaction);
}

/* From here on nobody can undo it. */
static void note_consumed(struct memory_log *log, struct memory_transaction *transaction) {
  for (struct memory_consumed *item = transaction->consumed, *next; item; item = next) {
    next = item->next;
    item->next = NULL;
    *log->consumed_end[item->partition] = item;
    log->consumed_end[item->partition] = &item->next;
  }
  transaction->consumed = NULL;
}

void memory_decide(struct memory_log *log, struct memory_transaction *transaction, bool commit) {
  if (transaction->state != MEMORY_OPEN)
    return;
  for (size_t i = 0; i < log->producer_count; i++)
    if (log->producers[i].open == transaction)
      log->producers[i].open = NULL;
  if (!commit) {
    transaction->state = MEMORY_ABORTED;
    write_markers(log, transaction);
    return;
  }
  transaction->state = MEMORY_DECIDED;
  note_consumed(log, transaction);
  if (!world_chance(log->world, log->world->faults.late_marker)) {
    memory_settle(log, transaction);
  } else if (world_chance(log->world, 5000)) {
    show_offsets(log, transaction); /* the group's marker is first: KAFKA-10167 */
  }
}

void memory_fence(struct memory_log *log, struct memory_producer *producer) {
  producer->epoch++;
  producer->late_commit = false;
  if (producer->open)
    memory_decide(log, producer->open, false);
  for (struct memory_transaction *each = log->transactions; each; each = each->next)
    if (each->producer == producer)
      memory_settle(log, each);
}

static struct memory_producer *find_producer(struct memory_log *log, const char *id) {
  for (size_t i = 0; i < log->producer_count; i++)
    if (strcmp(log->producers[i].id, id) == 0)
      return &log->producers[i];
  struct memory_producer *producer = &log->producers[log->producer_count++];
  snprintf(producer->id, sizeof producer->id, "%s", id);
  return producer;
}

/* --- members --- */

struct memory_member *memory_log_join(struct memory_log *log, const char *id, struct log_door *ret) {
  static const char *const names[MEMORY_INPUTS] = {"events", "directory", "requests"};
  static const enum wm_topic_kind kinds[MEMORY_INPUTS] = {WM_TOPIC_EVENTS, WM_TOPIC_DIRECTORY, WM_TOPIC_REQUESTS};
  if (log->member_count == MEMORY_MEMBERS)
    abort();
  struct memory_member *member = must(calloc(1, sizeof *member));
  log->members[log->member_count++] = member;
  member->log = log;
  member->producer = find_producer(log, id);
  memory_fence(log, member->producer);
  member->epoch = member->producer->epoch;
  member->reading.partition = member->sample.partition = -1;
  member->event = LOG_NOTHING;
  member->polled_end = &member->polled;
  for (int i = 0; i < WM_OUT_COUNT; i++)
    member->cut_limits[i] = SIZE_MAX;
  member->alive = true;
  memory_group_join(member);
  *ret = (struct log_door){.ops = &memory_log_ops,
                           .self = member,
                           .transactions = true,
                           .users_topic = "users",
                           .partition_count = log->partition_count,
                           .input_count = MEMORY_INPUTS,
                           .input_kinds = kinds,
                           .inputs = names};
  return member;
}

void memory_log_kill(struct memory_member *member) {
  member->alive = false;
}

void memory_log_leave(struct memory_member *member) {
  member->alive = false;
  memory_group_leave(member);
}

int64_t memory_log_generation(const struct memory_member *member) {
  return member->generation;
}

bool memory_log_is_paused(const struct memory_member *member, size_t topic, int32_t partition) {
  return member->places[topic][partition].paused;
}

void memory_log_tell(struct memory_member *member, enum log_poll event, const struct log_position *positions,
                     size_t count) {
  member->event = event;
  member->given_count = count;
  for (size_t i = 0; i < count; i++)
    member->given[i] = positions[i];
}

/* A transaction that outlives its time is aborted, and its producer fenced. */
static void expire_transactions(struct memory_log *log) {
  for (size_t i = 0; i < log->producer_count; i++) {
    struct memory_producer *producer = &log->producers[i];
    if (producer->open && log->world->now_us - producer->open->began_us > TRANSACTION_US)
      memory_fence(log, producer);
  }
}

void memory_log_tick(struct memory_log *log, bool all) {
  for (size_t i = 0; i < log->producer_count; i++) {
    struct memory_producer *producer = &log->producers[i];
    if (producer->late_commit && (all || world_chance(log->world, 500))) {
      producer->late_commit = false;
      if (producer->open)
        memory_decide(log, producer->open, true);
    }
  }
  for (struct memory_transaction *each = log->transactions; each; each = each->next)
    if (each->state == MEMORY_DECIDED && (all || world_chance(log->world, 1000)))
      memory_settle(log, each);
  expire_transactions(log);
  memory_group_tick(log);
}
