/* The happy path: collect.c fills it record by record; batch_run gives every item its register, decides in order,
 * appends as it goes, commits, and sends the registers to Redis.
 *
 * It can fail at the fetch (Redis), at an append or the commit (Kafka), at the apply (Redis again). Before the commit
 * everything is dropped and read again; after it the log is right whatever happens, and Redis catches up. */
#include "worker/batch.h"

#include "core/codec/register.h"
#include "worker/account.h"
#include "worker/collect.h"
#include "worker/ends.h"
#include "worker/fetch.h"
#include "worker/loop.h"
#include "worker/projection.h"

#define ARENA_LIMIT (16 * 1024 * 1024) /* a batch of large events ends before it is full */
#define IDLE_EVENTS 2000
#define IDLE_US 1000000

void batch_init(struct batch *batch) {
  *batch = (struct batch){.most = SIZE_MAX};
  wm_arena_init(&batch->arena, 1024 * 1024);
  wm_arena_init(&batch->scratch, 0);
}

void batch_release(struct batch *batch) {
  wm_arena_release(&batch->arena);
  wm_arena_release(&batch->scratch);
  free(batch->items);
  free(batch->unknown);
  free(batch->told);
  *batch = (struct batch){0};
}

static void batch_clear(struct batch *batch) {
  wm_arena_rewind(&batch->arena);
  wm_arena_rewind(&batch->scratch);
  batch->count = batch->events = batch->write_count = 0;
  batch->empty = batch->nothing = batch->ignored = 0;
  batch->unknown_count = batch->told_count = batch->looked = 0;
  batch->writes = NULL;
  batch->token = 0;
}

void batch_drop(struct loop *loop) {
  batch_clear(&loop->batch);
  loop->batch.idle_events = 0;
  users_drop_staged(&loop->users);
  partitions_dropped(&loop->partitions);
}

/* A batch may take 'limits.batch-ms' from its first record to the end of its commit: what the commit will take is not
 * waited for again, down to half. */
static int64_t window_us(const struct loop *loop) {
  int64_t half_us = loop->rules.batch_us / 2, commit_us = loop->batch.commit_us;
  return loop->rules.batch_us - (commit_us < half_us ? commit_us : half_us);
}

static size_t most_events(const struct loop *loop) {
  size_t most = loop->batch.most;
  return most < loop->rules.batch_events ? most : loop->rules.batch_events;
}

/* A batch that a slow broker can't take before the deadline would be tried for ever. */
void batch_shrink(struct loop *loop) {
  struct batch *batch = &loop->batch;
  if (batch->events > 1)
    batch->most = batch->events / 2;
}

static void grow(struct loop *loop) {
  struct batch *batch = &loop->batch;
  size_t most = most_events(loop);
  batch->most = most < loop->rules.batch_events ? most + most / 8 + 1 : SIZE_MAX;
}

bool batch_is_due(const struct loop *loop, int64_t *ret_wait_us) {
  const struct batch *batch = &loop->batch;
  *ret_wait_us = INT64_MAX;
  if (batch->events == 0)
    return false;
  *ret_wait_us = batch->began_us + window_us(loop) - loop_now(loop);
  return *ret_wait_us <= 0 || batch->events >= most_events(loop) || batch->arena.used >= ARENA_LIMIT;
}

/* --- registers --- */

/* Gives every item its entry, and lists each user once. NULL: out of memory. */
static struct users_entry **attach_users(struct loop *loop, size_t *ret_count, bool *ret_missing) {
  struct batch *batch = &loop->batch;
  struct users *users = &loop->users;
  struct users_entry **entries = WM_ARENA_ARRAY(&batch->arena, struct users_entry *, batch->count + 1);
  size_t count = 0;
  users_begin_walk(users);
  *ret_missing = false;
  for (size_t i = 0; entries && i < batch->count; i++) {
    struct batch_item *item = &batch->items[i];
    if (item->rejected || !wm_decide_needs_user(&item->event, &item->candidates))
      continue;
    item->user = users_find(users, item->event.user);
    if (!item->user)
      item->user = users_add(users, item->event.user);
    if (!item->user)
      return NULL;
    item->user->last_item = i;
    *ret_missing |= !item->user->known;
    if (users_meet(users, item->user))
      entries[count++] = item->user;
  }
  *ret_count = count;
  return entries;
}

/* --- appending --- */

static size_t out_size(const struct wm_out *out) {
  size_t size = out->key.size + out->value.size;
  for (size_t i = 0; i < out->header_count; i++)
    size += out->headers[i].name.size + out->headers[i].value.size;
  return size;
}

static enum log_result append_one(struct loop *loop, const struct wm_out *out, struct wm_error *error) {
  if (!loop->in_transaction) {
    loop->in_transaction = true;
    enum log_result result = LOOP_LOG(loop, begin, error);
    if (result != LOG_DONE)
      return result;
  }
  return LOOP_LOG(loop, append, out, loop->batch.token, error);
}

/* A register stands in the log with the moment up to which all is told what time changed of it: whoever catches up
 * begins there. Not with one that is still to come, of an event whose producer's clock is ahead. */
static int64_t told_ms(const struct loop *loop, const struct users_entry *entry) {
  int64_t wall_us = loop_wall(loop);
  return (entry->telling_us < wall_us ? entry->telling_us : wall_us) / 1000;
}

/* Takes a record from an encoder. What the broker is known to refuse goes out cut and marked; a register can't be cut,
 * so its topic must have room for 'limits.register-bytes'. */
static int append(void *taker, const struct wm_out *out, struct wm_error *error) {
  struct loop *loop = taker;
  struct batch *batch = &loop->batch;
  size_t limit = LOOP_LOG(loop, cut_limit, out->topic);
  struct wm_out cut;
  batch->result = LOG_DONE;
  if (out_size(out) > limit) {
    if (out->topic == WM_OUT_USERS)
      return wm_error_set(error, WM_E_TOPIC_INVALID,
                          "the broker refuses the register of user '%.*s' (%zu bytes): 'max.message.bytes' of the "
                          "users topic has to be larger than 'limits.register-bytes'",
                          WM_TEXT_ARG(out->key), out->value.size);
    if (wm_out_cut(out, limit, &batch->scratch, &cut) < 0)
      return wm_error_memory(error);
    out = &cut;
  }
  if (out->topic == WM_OUT_USERS)
    batch->writes[batch->token - 1].json = out->value;
  struct wm_out timed = *out;
  if (out->topic == WM_OUT_USERS)
    timed.timestamp_ms = told_ms(loop, batch->written[batch->token - 1]);
  batch->result = append_one(loop, &timed, error);
  return batch->result == LOG_DONE ? 0 : -1;
}

/* Only what a task adds is measured against 'limits.register-bytes' (contract 6). Beyond it a register can still grow,
 * by a profile, a sign-in, the clocks of removals, journeys that have run; one that the users topic is known to refuse
 * would stop every worker that meets it. The event is rejected, the register stays as it was. */
static int refuse_growth(struct loop *loop, struct batch_item *item, struct wm_error *error) {
  size_t limit = LOOP_LOG(loop, cut_limit, WM_OUT_USERS), size = 0, register_size = 0;
  struct wm_error why = {0};
  if (item->decision.user && limit < SIZE_MAX) {
    register_size = wm_register_size(item->decision.user);
    size = item->event.user.size + register_size;
  }
  if (size <= limit || !item->whole ||
      (!collect_may_grow(&item->event) && register_size <= loop->rules.terms.register_bytes))
    return 0;
  wm_error_set(&why, WM_E_EVENT_OVERSIZE,
               "with this event the register would have %zu bytes, the users topic takes up to %zu", size, limit);
  if (wm_rejection_of(&item->event, "oversize", &why, &loop->batch.arena, &item->rejection) < 0)
    return wm_error_memory(error);
  wm_user_free(item->decision.user);
  item->decision = (struct wm_decision){0};
  item->rejected = true;
  return 0;
}

static int decide(struct loop *loop, struct batch_item *item, struct ends *ret_before, struct ends *ret_after,
                  struct wm_error *error) {
  *ret_before = *ret_after = (struct ends){0};
  const struct wm_user *before = item->user ? users_current(item->user) : NULL;
  if (wm_decide(loop->workspace, &loop->rules.terms, &item->event, before, item->record.partition, &item->candidates,
                &loop->batch.arena, &item->decision, error) < 0 ||
      refuse_growth(loop, item, error) < 0)
    return -1;
  if (account_unknown(&loop->batch, item->decision.unknown, item->decision.unknown_count) < 0)
    return wm_error_memory(error);
  const struct ends_span span = {item->event.now_us, loop_wall(loop), wm_event_clock(&item->event, NULL, 0)};
  if (item->decision.user &&
      ends_around(loop->workspace, item->user, &item->decision, &span, &loop->batch.scratch, ret_before, ret_after) < 0)
    return wm_error_memory(error);
  if (account_told(&loop->batch, ret_before) < 0 || account_told(&loop->batch, ret_after) < 0)
    return wm_error_memory(error);
  if (item->decision.user)
    users_stage(&loop->users, item->user, item->decision.user);
  return 0;
}

static int32_t home_of(void *taker, struct wm_text user) {
  struct loop *loop = taker;
  return LOOP_LOG(loop, home, user);
}

/* One register per user, as it is after his last event of the batch: it goes out at once, so that it is on its way to
 * the broker while others are decided. It stays in the arena for Redis. */
static int append_register(struct loop *loop, struct users_entry *entry, struct wm_error *error) {
  struct batch *batch = &loop->batch;
  struct wm_encode encode = {.group = loop->group, .arena = &batch->arena, .take = append, .taker = loop};
  batch->written[batch->write_count] = entry;
  batch->token = ++batch->write_count;
  int result = wm_encode_register(&encode, entry->staged, error);
  batch->token = 0;
  return result;
}

/* What time changed before it, the decision, and what of what was told does not hold any more. */
static int encode_decision(const struct wm_encode *encode, const struct batch_item *item, const struct ends *before,
                           const struct ends *after, struct wm_error *error) {
  const struct wm_user *user = item->user ? users_current(item->user) : NULL;
  if (ends_encode(encode, user, before, error) < 0 ||
      wm_encode_decision(encode, &item->record, &item->event, &item->decision, error) < 0)
    return -1;
  return ends_encode(encode, user, after, error);
}

static int decide_and_append(struct loop *loop, struct wm_error *error) {
  struct batch *batch = &loop->batch;
  struct wm_encode encode = {
      .group = loop->group, .arena = &batch->scratch, .take = append, .taker = loop, .home = home_of};
  for (size_t i = 0; i < batch->count; i++) {
    struct batch_item *item = &batch->items[i];
    struct ends before, after;
    wm_arena_rewind(&batch->scratch);
    if (!item->rejected && decide(loop, item, &before, &after, error) < 0)
      return -1;
    if (item->rejected ? wm_encode_rejection(&encode, &item->record, &item->rejection, error) < 0
                       : encode_decision(&encode, item, &before, &after, error) < 0)
      return -1;
    if (item->user && item->user->last_item == i && item->user->staged && append_register(loop, item->user, error) < 0)
      return -1;
  }
  return 0;
}

/* --- committing --- */

static bool commit(struct loop *loop, const struct log_written **ret_written, size_t *ret_count) {
  struct wm_error error = {0};
  size_t count;
  const struct log_position *positions = partitions_moved(&loop->partitions, &count);
  int64_t began_us = loop_now(loop);
  enum log_result result = LOOP_LOG(loop, commit, positions, count, ret_written, ret_count, &error);
  metrics_observe(&loop->metrics.transactions_us, metrics_bounds_us, loop_now(loop) - began_us);
  loop->batch.commit_us += (loop_now(loop) - began_us - loop->batch.commit_us) / 8;
  if (result != LOG_DONE) {
    recover_from_log(loop, result, &error);
    return false;
  }
  loop->in_transaction = false;
  loop->metrics.transactions[METRICS_COMMITTED]++;
  loop->batch.idle_events = 0;
  partitions_committed(&loop->partitions);
  recover_succeeded(loop);
  grow(loop);
  return true;
}

/* Everything up to the commit. -1 with 'error', and batch->result when it was the log that failed. */
static int write_batch(struct loop *loop, struct users_entry **entries, size_t count, const struct wm_role_set *roles,
                       struct wm_error *error) {
  struct batch *batch = &loop->batch;
  struct wm_encode encode = {.group = loop->group, .arena = &batch->arena, .take = append, .taker = loop};
  batch->token = 0;
  batch->result = LOG_DONE;
  batch->writes = WM_ARENA_ARRAY(&batch->arena, struct cache_write, count + 1);
  batch->written = WM_ARENA_ARRAY(&batch->arena, struct users_entry *, count + 1);
  batch->write_count = 0;
  if (!batch->writes || !batch->written)
    return wm_error_memory(error);
  for (size_t i = 0; i < count; i++)
    entries[i]->telling_us = entries[i]->told_us;
  if (roles && reproject_ahead(loop, &encode, entries, roles, count, error) < 0)
    return -1;
  return decide_and_append(loop, error);
}

/* --- applying --- */

/* What the log has written becomes the committed layer, and goes to Redis. */
static int prepare_writes(struct loop *loop, const struct log_written *written, size_t count) {
  struct batch *batch = &loop->batch;
  for (size_t i = 0; i < count; i++) {
    struct cache_write *write = &batch->writes[written[i].token - 1];
    struct users_entry *entry = batch->written[written[i].token - 1];
    struct partition *home = &loop->partitions.items[LOOP_LOG(loop, home, entry->id)];
    write->mode = CACHE_NEWER;
    write->gen = home->generation;
    write->at = written[i].offset;
    users_commit(&loop->users, entry, write->gen, write->at);
    if (projection_write(loop, entry->committed, entry->told_us, &batch->arena, write) < 0)
      return -1;
    if (home->applied <= write->at)
      home->applied = write->at + 1;
  }
  return 0;
}

static void apply(struct loop *loop, const struct log_written *written, size_t count) {
  struct batch *batch = &loop->batch;
  struct wm_error error = {0};
  if (count == 0 || !loop_make_room(loop))
    return;
  if (count != batch->write_count) {
    wm_error_set(&error, WM_E_KAFKA_FAILED, "%zu of %zu registers have no offset", batch->write_count - count,
                 batch->write_count);
    loop_fail(loop, &error);
  } else if (prepare_writes(loop, written, count) < 0) {
    loop_fail_memory(loop);
  } else {
    account_sent(loop);
    loop_apply(loop, batch->writes, count);
  }
}

static void be_idle(struct batch *batch, size_t events, int64_t now_us) {
  if (batch->idle_events == 0)
    batch->idle_us = now_us;
  batch->idle_events += events;
}

void batch_pass(struct loop *loop, const struct log_position *position) {
  be_idle(&loop->batch, 1, loop_now(loop));
  loop->partitions.items[position->partition].inputs[position->topic].next = position->offset;
}

static void finish(struct loop *loop) {
  struct batch *batch = &loop->batch;
  const struct log_written *written;
  size_t count;
  if (loop->in_transaction) {
    if (!commit(loop, &written, &count))
      return;
    account_batch(loop);
    apply(loop, written, count);
  } else {
    be_idle(batch, batch->events, loop_now(loop));
    account_batch(loop);
  }
  batch_clear(batch);
  users_trim(&loop->users);
}

void batch_commit_idle(struct loop *loop, bool now) {
  struct batch *batch = &loop->batch;
  const struct log_written *written;
  size_t count;
  struct wm_error error = {0};
  if (batch->idle_events == 0 || batch->events > 0 || !recover_is_clear(loop))
    return;
  if (!now && batch->idle_events < IDLE_EVENTS && loop_now(loop) - batch->idle_us < IDLE_US)
    return;
  loop->in_transaction = true;
  enum log_result result = LOOP_LOG(loop, begin, &error);
  if (result == LOG_DONE)
    commit(loop, &written, &count);
  else
    recover_from_log(loop, result, &error);
}

void batch_run(struct loop *loop) {
  struct batch *batch = &loop->batch;
  struct wm_error error = {0};
  size_t count;
  bool missing;
  if (batch->events == 0)
    return;
  struct users_entry **entries = attach_users(loop, &count, &missing);
  struct wm_role_set *roles = NULL;
  if (entries && reproject_is_pending(loop))
    roles = WM_ARENA_ARRAY(&batch->arena, struct wm_role_set, count + 1);
  if (!entries) {
    loop_fail_memory(loop);
    return;
  }
  if ((missing || roles) && !fetch_users(loop, entries, count, &batch->arena, roles))
    return;
  if (write_batch(loop, entries, count, roles, &error) < 0) {
    if (batch->result == LOG_DONE)
      loop_fail(loop, &error);
    else
      recover_from_log(loop, batch->result, &error);
    return;
  }
  finish(loop);
}
