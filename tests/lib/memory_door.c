/* The log door of a member. Every call may be the last thing that a worker does (world_touch), or fail as the seed
 * wants it. */
#include "tests/lib/memory_log_internal.h"

#include <stdlib.h>

static bool fails(struct memory_member *member, unsigned likely) {
  return world_chance(member->log->world, likely);
}

/* What the loop must never do; a test build keeps no assert. */
static void insist(bool holds) {
  if (!holds)
    abort();
}

static enum log_result again(struct wm_error *error) {
  wm_error_set(error, WM_E_KAFKA_FAILED, "not now");
  return LOG_AGAIN;
}

static enum log_result fenced(struct wm_error *error) {
  wm_error_set(error, WM_E_KAFKA_FENCED, "another producer with this transactional id is at work");
  return LOG_FATAL;
}

static bool is_fenced(const struct memory_member *member) {
  return member->epoch != member->producer->epoch;
}

/* --- reading --- */

static void forget_polled(struct memory_member *member) {
  member->polled = NULL;
  member->polled_end = &member->polled;
}

static enum log_poll hand_out(struct memory_member *member, size_t topic, int32_t p, struct log_polled *ret) {
  struct memory_log *log = member->log;
  struct memory_place *place = &member->places[topic][p];
  const struct memory_entry *entry = &log->inputs[topic][p].entries[place->next];
  *ret = (struct log_polled){
      .topic = topic,
      .record = {.topic = memory_log_input(topic),
                 .partition = p,
                 .offset = place->next,
                 .timestamp_ms = entry->timestamp_ms,
                 .key = entry->key,
                 .value = entry->value},
  };
  struct memory_consumed *item = WM_ARENA_NEW(&log->arena, struct memory_consumed);
  *item = (struct memory_consumed){.topic = topic, .partition = p, .offset = place->next};
  *member->polled_end = item;
  member->polled_end = &item->next;
  place->next++;
  return LOG_RECORD;
}

/* The last stable offset: nobody reads on behind a record whose transaction is not decided. */
static bool is_open(const struct memory_entry *entry) {
  return entry->transaction &&
         (entry->transaction->state == MEMORY_OPEN || entry->transaction->state == MEMORY_DECIDED);
}

static enum log_poll poll_records(struct memory_member *member, struct log_polled *ret) {
  struct memory_log *log = member->log;
  size_t all = MEMORY_INPUTS * (size_t)log->partition_count;
  size_t first = (size_t)world_below(log->world, all);
  for (size_t i = 0; i < all; i++) {
    size_t topic = (first + i) % all % MEMORY_INPUTS;
    int32_t p = (int32_t)((first + i) % all / MEMORY_INPUTS);
    const struct memory_place *place = &member->places[topic][p];
    const struct memory_partition *input = &log->inputs[topic][p];
    if (place->ours && !place->paused && place->next < (int64_t)input->count && !is_open(&input->entries[place->next]))
      return hand_out(member, topic, p, ret);
  }
  return LOG_NOTHING;
}

static enum log_poll door_poll(void *self, int timeout_ms, struct log_polled *ret, struct wm_error *error) {
  struct memory_member *member = self;
  struct world *world = member->log->world;
  world_touch(world);
  *ret = (struct log_polled){0};
  if (fails(member, world->faults.log_down)) {
    wm_error_set(error, WM_E_KAFKA_FAILED, "no broker");
    return LOG_DOWN;
  }
  enum log_poll event = memory_group_poll(member, ret);
  if (event != LOG_NOTHING)
    return event;
  if (is_fenced(member)) {
    fenced(error);
    return LOG_FENCED;
  }
  if (!member->told && poll_records(member, ret) == LOG_RECORD)
    return LOG_RECORD;
  world->now_us += (int64_t)timeout_ms * 1000;
  return LOG_NOTHING;
}

static enum log_result door_assign(void *self, const struct log_position *positions, size_t count,
                                   struct wm_error *error) {
  struct memory_member *member = self;
  world_touch(member->log->world);
  if (fails(member, member->log->world->faults.log_again))
    return again(error);
  memset(member->places, 0, sizeof member->places);
  forget_polled(member);
  for (size_t i = 0; i < count; i++)
    member->places[positions[i].topic][positions[i].partition] =
        (struct memory_place){.ours = true, .paused = true, .next = positions[i].offset < 0 ? 0 : positions[i].offset};
  return LOG_DONE;
}

static enum log_result door_unassign(void *self, struct wm_error *error) {
  struct memory_member *member = self;
  world_touch(member->log->world);
  if (fails(member, member->log->world->faults.log_again))
    return again(error);
  memset(member->places, 0, sizeof member->places);
  forget_polled(member);
  member->holds = member->told = false;
  return LOG_DONE;
}

static void set_paused(struct memory_member *member, int32_t partition, bool paused) {
  world_touch(member->log->world);
  for (size_t topic = 0; topic < MEMORY_INPUTS; topic++)
    member->places[topic][partition].paused = paused;
}

static void door_resume(void *self, int32_t partition) {
  set_paused(self, partition, false);
}
static void door_pause(void *self, int32_t partition) {
  set_paused(self, partition, true);
}

/* Offsets of a transaction that is not settled are pending. */
static bool is_pending(const struct memory_log *log, const struct log_position *position) {
  for (const struct memory_transaction *each = log->transactions; each; each = each->next) {
    if (each->state != MEMORY_OPEN && (each->state != MEMORY_DECIDED || each->offsets_visible))
      continue;
    for (size_t i = 0; i < each->offset_count; i++)
      if (each->offsets[i].topic == position->topic && each->offsets[i].partition == position->partition)
        return true;
  }
  return false;
}

static enum log_result door_committed(void *self, struct log_position *positions, size_t count,
                                      struct wm_error *error) {
  struct memory_member *member = self;
  struct memory_log *log = member->log;
  world_touch(log->world);
  if (fails(member, log->world->faults.log_again))
    return again(error);
  for (size_t i = 0; i < count; i++)
    if (is_pending(log, &positions[i]))
      return again(error);
  for (size_t i = 0; i < count; i++) {
    positions[i].offset = log->committed[positions[i].topic][positions[i].partition];
    positions[i].told_us = log->told_us[positions[i].topic][positions[i].partition];
  }
  return LOG_DONE;
}

static enum log_result door_rewind(void *self, const struct log_position *positions, size_t count,
                                   struct wm_error *error) {
  struct memory_member *member = self;
  world_touch(member->log->world);
  if (fails(member, member->log->world->faults.log_again))
    return again(error);
  for (size_t i = 0; i < count; i++)
    member->places[positions[i].topic][positions[i].partition].next = positions[i].offset < 0 ? 0 : positions[i].offset;
  forget_polled(member);
  return LOG_DONE;
}

/* --- writing --- */

static enum log_result door_begin(void *self, struct wm_error *error) {
  struct memory_member *member = self;
  struct memory_log *log = member->log;
  world_touch(log->world);
  if (is_fenced(member))
    return fenced(error);
  if (fails(member, log->world->faults.log_again))
    return again(error);
  insist(!member->producer->open);
  if (member->transaction)
    memory_settle(log, member->transaction); /* a producer waits for the markers of its last transaction */
  struct memory_transaction *transaction = WM_ARENA_NEW(&log->arena, struct memory_transaction);
  *transaction = (struct memory_transaction){
      .producer = member->producer, .began_us = log->world->now_us, .next = log->transactions};
  log->transactions = transaction;
  member->transaction = member->producer->open = transaction;
  member->written_count = 0;
  return LOG_DONE;
}

static size_t size_of(const struct wm_out *out) {
  size_t size = out->key.size + out->value.size;
  for (size_t i = 0; i < out->header_count; i++)
    size += out->headers[i].name.size + out->headers[i].value.size;
  return size;
}

static size_t output_of(const struct wm_out *out) {
  size_t topic = 0;
  if (out->topic != WM_OUT_DLQ)
    return (size_t)out->topic;
  while (!wm_text_equal(memory_log_input(topic), out->dlq_of))
    topic++;
  return WM_OUT_COUNT + topic;
}

static void note_written(struct memory_member *member, uint64_t token, int64_t offset) {
  if (token == 0)
    return;
  if (member->written_count == member->written_capacity) {
    member->written_capacity = member->written_capacity ? 2 * member->written_capacity : 16;
    member->written = realloc(member->written, member->written_capacity * sizeof *member->written);
    if (!member->written)
      abort();
  }
  member->written[member->written_count++] = (struct log_written){.token = token, .offset = offset};
}

static bool is_cut(const struct wm_out *out) {
  for (size_t i = 0; i < out->header_count; i++)
    if (wm_text_is(out->headers[i].name, "wm-truncated"))
      return true;
  return false;
}

static enum log_result door_append(void *self, const struct wm_out *out, uint64_t token, struct wm_error *error) {
  struct memory_member *member = self;
  struct memory_log *log = member->log;
  world_touch(log->world);
  if (is_fenced(member))
    return fenced(error);
  if (fails(member, log->world->faults.log_again / 10))
    return again(error);
  if (fails(member, log->world->faults.log_abort / 10)) {
    wm_error_set(error, WM_E_KAFKA_FAILED, "a record was not taken");
    return LOG_ABORT;
  }
  size_t largest = log->largest[out->topic];
  if (largest > 0 && size_of(out) > largest) {
    member->cut_limits[out->topic] = largest;
    wm_error_set(error, WM_E_KAFKA_FAILED, "a record is too large");
    return LOG_TOO_LARGE;
  }
  size_t output = output_of(out);
  struct memory_partition *partition = &log->outputs[output][out->partition];
  struct memory_entry *entry = memory_append(log, partition);
  entry->transaction = member->transaction;
  entry->key = memory_copy(log, out->key);
  entry->value = memory_copy(log, out->value);
  entry->cut = is_cut(out);
  if (out->timestamp_ms >= 0)
    entry->timestamp_ms = out->timestamp_ms;
  member->transaction->touched[output] |= UINT64_C(1) << out->partition;
  note_written(member, token, (int64_t)partition->count - 1);
  return LOG_DONE;
}

/* TxnOffsetCommit: only who is in the group's present generation may add offsets. With nothing to add nobody asks. */
static enum log_result add_offsets(struct memory_member *member, const struct log_position *positions, size_t count,
                                   struct wm_error *error) {
  struct memory_log *log = member->log;
  if (count > 0 && (!member->in_group || member->generation != log->generation)) {
    wm_error_set(error, WM_E_KAFKA_FAILED, "illegal generation");
    return LOG_ABORT;
  }
  for (size_t i = 0; i < count; i++) {
    struct log_position position = positions[i];
    if (position.offset < 0)
      position.offset = 0;
    member->transaction->offsets[member->transaction->offset_count++] = position;
  }
  return LOG_DONE;
}

/* Which polled records the commit is about: those before its positions. */
static void take_consumed(struct memory_member *member, const struct log_position *positions, size_t count) {
  struct memory_log *log = member->log;
  uint64_t rules = log->rules_of ? log->rules_of(log->self, member) : 0;
  struct memory_consumed **end = &member->transaction->consumed, **link = &member->polled;
  while (*link) {
    struct memory_consumed *item = *link;
    bool covered = false;
    for (size_t i = 0; i < count; i++)
      covered |= positions[i].topic == item->topic && positions[i].partition == item->partition &&
                 item->offset < positions[i].offset;
    if (!covered) {
      link = &item->next;
      continue;
    }
    *link = item->next;
    item->next = NULL;
    item->rules = rules;
    *end = item;
    end = &item->next;
  }
  member->polled_end = link;
}

/* The answer is lost. What it would have said: the request never arrived, it will arrive later, or it was obeyed. */
static enum log_result lose_answer(struct memory_member *member, struct wm_error *error) {
  switch (world_below(member->log->world, 3)) {
  case 0:
    break;
  case 1:
    member->producer->late_commit = true;
    break;
  default:
    memory_decide(member->log, member->transaction, true);
  }
  wm_error_set(error, WM_E_KAFKA_FAILED, "no answer");
  return LOG_UNCERTAIN;
}

static enum log_result door_commit(void *self, const struct log_position *positions, size_t count,
                                   const struct log_written **ret_written, size_t *ret_written_count,
                                   struct wm_error *error) {
  struct memory_member *member = self;
  struct world *world = member->log->world;
  world_touch(world);
  if (is_fenced(member))
    return fenced(error);
  if (fails(member, world->faults.log_again))
    return again(error);
  enum log_result result = add_offsets(member, positions, count, error);
  if (result != LOG_DONE)
    return result;
  world_touch(world); /* between the offsets and the end of the transaction */
  if (is_fenced(member))
    return fenced(error);
  bool slow = member->log->slow_above > 0 && member->written_count > member->log->slow_above;
  if (slow || fails(member, world->faults.log_abort)) {
    wm_error_set(error, WM_E_KAFKA_FAILED, "the transaction has to be aborted");
    return LOG_ABORT;
  }
  take_consumed(member, positions, count);
  if (fails(member, world->faults.log_uncertain))
    return lose_answer(member, error);
  memory_decide(member->log, member->transaction, true);
  world_touch(world); /* it is committed, and the answer on its way */
  *ret_written = member->written;
  *ret_written_count = member->written_count;
  return LOG_DONE;
}

static enum log_result door_abort(void *self, struct wm_error *error) {
  struct memory_member *member = self;
  world_touch(member->log->world);
  if (is_fenced(member))
    return fenced(error);
  if (fails(member, member->log->world->faults.log_again))
    return again(error);
  if (member->producer->open)
    memory_decide(member->log, member->producer->open, false);
  return LOG_DONE;
}

static enum log_result door_recycle(void *self, struct wm_error *error) {
  struct memory_member *member = self;
  world_touch(member->log->world);
  if (is_fenced(member))
    return fenced(error);
  if (fails(member, member->log->world->faults.log_again))
    return again(error);
  memory_fence(member->log, member->producer);
  member->epoch = member->producer->epoch;
  return LOG_DONE;
}

static size_t door_cut_limit(void *self, enum wm_topic topic) {
  return ((struct memory_member *)self)->cut_limits[topic];
}

/* --- the users topic --- */

static enum log_result door_users_end(void *self, int32_t partition, int64_t *ret_start, int64_t *ret_end,
                                      struct wm_error *error) {
  struct memory_member *member = self;
  world_touch(member->log->world);
  if (fails(member, member->log->world->faults.log_again))
    return again(error);
  *ret_start = 0;
  *ret_end = (int64_t)member->log->outputs[WM_OUT_USERS][partition].count;
  return LOG_DONE;
}

static enum log_result begin_reading(struct memory_member *member, struct memory_reading *reading, int32_t partition,
                                     int64_t from, struct wm_error *error) {
  world_touch(member->log->world);
  if (fails(member, member->log->world->faults.log_again))
    return again(error);
  insist(reading->partition < 0);
  reading->partition = partition;
  reading->position = from < 0 ? 0 : from;
  return LOG_DONE;
}

static enum log_poll read_on(struct memory_member *member, struct memory_reading *reading, int timeout_ms,
                             struct wm_record *ret, int64_t *ret_position, struct wm_error *error) {
  struct world *world = member->log->world;
  const struct memory_partition *users = &member->log->outputs[WM_OUT_USERS][reading->partition];
  world_touch(world);
  *ret_position = reading->position;
  if (fails(member, world->faults.log_down)) {
    wm_error_set(error, WM_E_KAFKA_FAILED, "no broker");
    return LOG_DOWN;
  }
  while (reading->position < (int64_t)users->count) {
    const struct memory_entry *entry = &users->entries[reading->position];
    enum memory_state state = entry->transaction ? entry->transaction->state : MEMORY_COMMITTED;
    if (is_open(entry))
      break;
    int64_t offset = reading->position++;
    *ret_position = reading->position;
    if (entry->marker || state == MEMORY_ABORTED)
      continue;
    *ret = (struct wm_record){.topic = WM_TEXT("users"),
                              .partition = reading->partition,
                              .offset = offset,
                              .timestamp_ms = entry->timestamp_ms,
                              .key = entry->key,
                              .value = entry->value};
    return LOG_RECORD;
  }
  world->now_us += (int64_t)timeout_ms * 1000;
  return LOG_NOTHING;
}

static enum log_result door_read_begin(void *self, int32_t partition, int64_t from, struct wm_error *error) {
  return begin_reading(self, &((struct memory_member *)self)->reading, partition, from, error);
}

static enum log_poll door_read_next(void *self, int timeout_ms, struct wm_record *ret, int64_t *ret_position,
                                    struct wm_error *error) {
  return read_on(self, &((struct memory_member *)self)->reading, timeout_ms, ret, ret_position, error);
}

static void door_read_end(void *self) {
  ((struct memory_member *)self)->reading.partition = -1;
}

static enum log_result door_sample_begin(void *self, int32_t partition, int64_t from, struct wm_error *error) {
  return begin_reading(self, &((struct memory_member *)self)->sample, partition, from, error);
}

static enum log_poll door_sample_next(void *self, int timeout_ms, struct wm_record *ret, int64_t *ret_position,
                                      struct wm_error *error) {
  return read_on(self, &((struct memory_member *)self)->sample, timeout_ms, ret, ret_position, error);
}

static void door_sample_end(void *self) {
  ((struct memory_member *)self)->sample.partition = -1;
}

static enum log_result door_incarnation(void *self, int32_t partition, char ret[static 64], struct wm_error *error) {
  struct memory_member *member = self;
  world_touch(member->log->world);
  if (fails(member, member->log->world->faults.log_again))
    return again(error);
  struct wm_text value = member->log->outputs[WM_OUT_USERS][partition].entries[0].value;
  insist(member->reading.partition < 0); /* kafka.c reads the birth record with the reader */
  snprintf(ret, 64, "%.*s", WM_TEXT_ARG(value));
  return LOG_DONE;
}

/* --- the control topic --- */

static enum log_result door_control_end(void *self, int64_t *ret_end, struct wm_error *error) {
  struct memory_member *member = self;
  world_touch(member->log->world);
  if (fails(member, member->log->world->faults.log_again))
    return again(error);
  *ret_end = (int64_t)member->log->control.count;
  return LOG_DONE;
}

static enum log_poll door_control_next(void *self, int timeout_ms, struct wm_record *ret, int64_t *ret_position,
                                       struct wm_error *error) {
  struct memory_member *member = self;
  struct world *world = member->log->world;
  world_touch(world);
  *ret_position = member->control_position;
  if (fails(member, world->faults.log_down)) {
    wm_error_set(error, WM_E_KAFKA_FAILED, "no broker");
    return LOG_DOWN;
  }
  if (member->control_position == (int64_t)member->log->control.count) {
    world->now_us += (int64_t)timeout_ms * 1000;
    return LOG_NOTHING;
  }
  const struct memory_entry *entry = &member->log->control.entries[member->control_position];
  *ret = (struct wm_record){.topic = WM_TEXT("control"),
                            .offset = member->control_position,
                            .timestamp_ms = entry->timestamp_ms,
                            .key = entry->key,
                            .value = entry->value};
  *ret_position = ++member->control_position;
  return LOG_RECORD;
}

static bool door_heard(void *self, size_t topic, int32_t partition, int64_t *ret_start, int64_t *ret_end) {
  const struct memory_log *log = ((struct memory_member *)self)->log;
  *ret_start = 0;
  *ret_end = (int64_t)log->inputs[topic][partition].count;
  return true;
}

static int32_t door_home(void *self, struct wm_text user) {
  return memory_log_home(((struct memory_member *)self)->log, user);
}

const struct log_ops memory_log_ops = {
    .poll = door_poll,
    .assign = door_assign,
    .unassign = door_unassign,
    .resume = door_resume,
    .pause = door_pause,
    .committed = door_committed,
    .rewind = door_rewind,
    .begin = door_begin,
    .append = door_append,
    .commit = door_commit,
    .abort = door_abort,
    .recycle = door_recycle,
    .cut_limit = door_cut_limit,
    .users_end = door_users_end,
    .read_begin = door_read_begin,
    .read_next = door_read_next,
    .read_end = door_read_end,
    .sample_begin = door_sample_begin,
    .sample_next = door_sample_next,
    .sample_end = door_sample_end,
    .incarnation = door_incarnation,
    .control_end = door_control_end,
    .control_next = door_control_next,
    .heard = door_heard,
    .home = door_home,
};
