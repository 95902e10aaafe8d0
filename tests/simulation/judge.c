#include "tests/simulation/judge.h"

#include <stdarg.h>
#include <stdlib.h>

#include "core/codec/out.h"
#include "core/codec/register.h"
#include "tests/simulation/told.h"

#define OUTPUTS (WM_OUT_COUNT + MEMORY_INPUTS)

struct expected {
  struct wm_text key, value;
  bool met; /* of those whose order does not matter */
  struct expected *next;
};

struct judged_user {
  struct wm_text id;
  struct wm_user *user;
};

struct trial {
  const struct memory_log *log;
  const struct memory_cache *cache;
  struct wm_arena arena;
  struct expected *expected[OUTPUTS][MEMORY_PARTITIONS], **end[OUTPUTS][MEMORY_PARTITIONS];
  struct judged_user users[SAMPLE_USERS * 2];
  size_t user_count;
  bool steady;
  char *why;
};

static bool blame(struct trial *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool blame(struct trial *c, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(c->why, JUDGE_TEXT, format, arguments);
  va_end(arguments);
  return false;
}

/* --- deciding again --- */

static int expect(void *taker, const struct wm_out *out, struct wm_error *error) {
  struct trial *c = taker;
  size_t output = (size_t)out->topic;
  (void)error;
  for (size_t i = 0; out->topic == WM_OUT_DLQ && i < MEMORY_INPUTS; i++)
    if (wm_text_equal(memory_log_input(i), out->dlq_of))
      output = WM_OUT_COUNT + i;
  struct expected *item = WM_ARENA_NEW(&c->arena, struct expected);
  *item = (struct expected){.key = out->key, .value = out->value};
  *c->end[output][out->partition] = item;
  c->end[output][out->partition] = &item->next;
  return 0;
}

static struct judged_user *find_user(struct trial *c, struct wm_text id) {
  for (size_t i = 0; i < c->user_count; i++)
    if (wm_text_equal(c->users[i].id, id))
      return &c->users[i];
  c->users[c->user_count] = (struct judged_user){.id = id};
  return &c->users[c->user_count++];
}

static bool is_astray(const struct trial *c, const struct wm_workspace *workspace, const struct wm_event *event,
                      int32_t partition) {
  if (!event->user.bytes || event->event_class == WM_EVENT_RESERVED)
    return false;
  if (event->event_class == WM_EVENT_TRIGGERING && !wm_index_takes(workspace->index, event->type))
    return false;
  return memory_log_home(c->log, event->user) != partition;
}

static int32_t home_of(void *taker, struct wm_text user) {
  return memory_log_home(((struct trial *)taker)->log, user);
}

/* The text of this one rejection is the loop's own, so its failure record is only looked for. */
static bool expect_astray(struct trial *c, const struct memory_consumed *item, const struct wm_record *record,
                          const struct wm_event *event) {
  struct wm_out out = {.topic = WM_OUT_DLQ,
                       .dlq_of = record->topic,
                       .partition = item->partition,
                       .key = record->key,
                       .value = record->value};
  expect(c, &out, NULL);
  out = (struct wm_out){.topic = WM_OUT_FAILURES, .partition = home_of(c, event->user), .key = event->user};
  expect(c, &out, NULL);
  return true;
}

static bool decide_again(struct trial *c, const struct memory_consumed *item, struct wm_workspace *workspace) {
  static const enum wm_topic_kind kinds[MEMORY_INPUTS] = {WM_TOPIC_EVENTS, WM_TOPIC_DIRECTORY, WM_TOPIC_REQUESTS};
  const struct memory_entry *entry = &c->log->inputs[item->topic][item->partition].entries[item->offset];
  const struct wm_record record = {.topic = memory_log_input(item->topic),
                                   .partition = item->partition,
                                   .offset = item->offset,
                                   .timestamp_ms = entry->timestamp_ms,
                                   .key = entry->key,
                                   .value = entry->value};
  const struct wm_decode_rules rules = {.topic = kinds[item->topic], .event_bytes = SAMPLE_EVENT_BYTES};
  const struct wm_encode encode = {
      .group = SAMPLE_GROUP, .arena = &c->arena, .take = expect, .taker = c, .home = home_of};
  enum wm_decoded decoded;
  struct wm_event event;
  struct wm_rejection rejection;
  struct wm_decision decision;
  struct wm_error error = {0};
  wm_event_decode(&record, &rules, &c->arena, &decoded, &event, &rejection);
  if (decoded == WM_DECODED_NOTHING)
    return true;
  if (decoded == WM_DECODED_REJECTED)
    return wm_encode_rejection(&encode, &record, &rejection, &error) == 0;
  if (is_astray(c, workspace, &event, item->partition))
    return expect_astray(c, item, &record, &event);

  struct judged_user *user = event.user.bytes ? find_user(c, event.user) : NULL;
  if (wm_decide(workspace, &sample_terms, &event, user ? user->user : NULL, item->partition, NULL, &c->arena, &decision,
                &error) < 0)
    return blame(c, "deciding again failed: %s", error.text);
  if (decision.user) {
    wm_user_free(user->user);
    user->user = decision.user;
  }
  return wm_encode_decision(&encode, &record, &event, &decision, &error) == 0;
}

/* Every input record was consumed by exactly one committed transaction. */
static bool check_fates(struct trial *c) {
  for (int32_t p = 0; p < c->log->partition_count; p++) {
    for (size_t topic = 0; topic < MEMORY_INPUTS; topic++) {
      int64_t next = 0;
      for (const struct memory_consumed *item = c->log->consumed[p]; item; item = item->next)
        if (item->topic == topic && item->offset != next++)
          return blame(c, "%s/%d: offset %lld where %lld should be: lost, doubled or out of order",
                       memory_log_input(topic).bytes, p, (long long)item->offset, (long long)next - 1);
      if (next != (int64_t)c->log->inputs[topic][p].count)
        return blame(c, "%s/%d: %lld of %zu records have a fate", memory_log_input(topic).bytes, p, (long long)next,
                     c->log->inputs[topic][p].count);
    }
  }
  return true;
}

/* --- the topics --- */

static bool is_committed(const struct memory_entry *entry) {
  return !entry->marker && entry->transaction && entry->transaction->state == MEMORY_COMMITTED;
}

/* Written for a reason that is not in the inputs. */
static bool is_timely(size_t output, struct wm_text value) {
  return output == WM_OUT_CHANGES && (wm_text_contains(value, WM_TEXT("\"cause\":\"expiry\"")) ||
                                      wm_text_contains(value, WM_TEXT("\"cause\":\"catalogue\"")));
}

static bool is_same(const struct expected *expected, const struct memory_entry *entry) {
  if (!wm_text_equal(expected->key, entry->key))
    return false;
  if (!expected->value.bytes)
    return entry->cut || wm_text_contains(entry->value, WM_TEXT("EVENT_MISROUTED"));
  return entry->cut ? wm_text_starts_with(expected->value, entry->value) : wm_text_equal(expected->value, entry->value);
}

/* Past what a decision changed, and time had done and told before. */
static const struct expected *pass_told(const struct told *told, const struct expected *expected,
                                        const struct memory_entry *entry) {
  while (expected && !(entry && is_same(expected, entry)) && told_is_known(told, expected->value))
    expected = expected->next;
  return expected;
}

static bool compare_output(struct trial *c, size_t output, int32_t p) {
  const struct memory_partition *partition = &c->log->outputs[output][p];
  const struct expected *expected = c->expected[output][p];
  struct told told = {.arena = &c->arena};
  for (size_t i = 0; i < partition->count; i++) {
    const struct memory_entry *entry = &partition->entries[i];
    if (!is_committed(entry))
      continue;
    if (output == WM_OUT_CHANGES) {
      if (!is_timely(output, entry->value))
        expected = pass_told(&told, expected, entry);
      if (!told_take(&told, entry->value) && c->steady)
        return blame(c, "changes/%d at %zu: told twice: %.*s", p, i, WM_TEXT_ARG(entry->value));
    }
    if (is_timely(output, entry->value))
      continue;
    if (!expected)
      return blame(c, "output %zu/%d: one too many at %zu: %.*s", output, p, i, WM_TEXT_ARG(entry->value));
    if (!is_same(expected, entry))
      return blame(c, "output %zu/%d at %zu:\n  %.*s\nexpected:\n  %.*s", output, p, i, WM_TEXT_ARG(entry->value),
                   WM_TEXT_ARG(expected->value));
    expected = expected->next;
  }
  if (output == WM_OUT_CHANGES)
    expected = pass_told(&told, expected, NULL);
  return !expected || blame(c, "output %zu/%d: missing: %.*s", output, p, WM_TEXT_ARG(expected->value));
}

/* Where not all of a partition is from one input partition, each stands there once, in whatever order: requests come
 * from the homes of all givers, failures also from wherever an event went astray. */
static bool is_mixed(size_t output) {
  return output == WM_OUT_REQUESTS || output == WM_OUT_FAILURES;
}

/* One that is known byte for byte comes before one that is only looked for, which any cut record could be. */
static struct expected *find_expected(struct expected *first, const struct memory_entry *entry) {
  struct expected *found = NULL;
  for (struct expected *each = first; each; each = each->next)
    if (!each->met && is_same(each, entry) && (!found || (!found->value.bytes && each->value.bytes)))
      found = each;
  return found;
}

static bool compare_mixed(struct trial *c, size_t output, int32_t p) {
  const struct memory_partition *partition = &c->log->outputs[output][p];
  for (size_t i = 0; i < partition->count; i++) {
    const struct memory_entry *entry = &partition->entries[i];
    if (!is_committed(entry))
      continue;
    struct expected *expected = find_expected(c->expected[output][p], entry);
    if (!expected)
      return blame(c, "output %zu/%d: one too many at %zu: %.*s", output, p, i, WM_TEXT_ARG(entry->value));
    expected->met = true;
  }
  for (const struct expected *each = c->expected[output][p]; each; each = each->next)
    if (!each->met)
      return blame(c, "output %zu/%d: missing: %.*s", output, p, WM_TEXT_ARG(each->value));
  return true;
}

static bool compare_outputs(struct trial *c) {
  for (int32_t p = 0; p < c->log->partition_count; p++)
    for (size_t output = 0; output < OUTPUTS; output++)
      if (output != WM_OUT_USERS && output != WM_OUT_DLQ &&
          !(is_mixed(output) ? compare_mixed(c, output, p) : compare_output(c, output, p)))
        return false;
  return true;
}

/* The last committed register of a user; -1: none. */
static int64_t last_register(const struct trial *c, struct wm_text id, struct wm_text *ret_value) {
  int32_t p = memory_log_home(c->log, id);
  const struct memory_partition *users = &c->log->outputs[WM_OUT_USERS][p];
  for (size_t i = users->count; i-- > 1;) {
    if (!is_committed(&users->entries[i]) || !wm_text_equal(users->entries[i].key, id))
      continue;
    *ret_value = users->entries[i].value;
    return (int64_t)i;
  }
  return -1;
}

/* --- Redis --- */

static bool has_roles(const struct memory_user *cached, const struct wm_role_set *set) {
  if (cached->role_count != set->count)
    return false;
  for (size_t i = 0; i < set->count; i++)
    if (!wm_text_equal(cached->roles[i], set->roles[i]->name))
      return false;
  return true;
}

static void name_roles(const struct memory_user *cached, const struct wm_role_set *set, struct wm_buf *buf) {
  for (size_t i = 0; i < cached->role_count; i++)
    wm_buf_printf(buf, " %.*s", WM_TEXT_ARG(cached->roles[i]));
  wm_buf_add_string(buf, ", expected");
  for (size_t i = 0; i < set->count; i++)
    wm_buf_printf(buf, " %.*s", WM_TEXT_ARG(set->roles[i]->name));
}

/* An end may be up to two seconds late. */
static bool check_roles(struct trial *c, const struct judged_user *judged, const struct memory_user *cached,
                        const struct wm_workspace *workspace) {
  struct wm_role_set now, earlier;
  int64_t now_us = c->log->world->now_us;
  wm_project(workspace, judged->user, now_us, &c->arena, &now);
  wm_project(workspace, judged->user, now_us - 2000000, &c->arena, &earlier);
  if (has_roles(cached, &now) || has_roles(cached, &earlier))
    return true;
  struct wm_buf buf = WM_BUF_INIT;
  name_roles(cached, &now, &buf);
  blame(c, "redis: the roles of '%.*s' are%s", WM_TEXT_ARG(judged->id), buf.bytes);
  wm_buf_release(&buf);
  return false;
}

static bool check_user(struct trial *c, const struct judged_user *judged, const struct wm_workspace *workspace) {
  struct wm_text value = WM_NO_TEXT;
  int64_t at = last_register(c, judged->id, &value);
  if (!judged->user)
    return at < 0 || blame(c, "'%.*s' has a register and should not", WM_TEXT_ARG(judged->id));
  struct wm_buf buf = WM_BUF_INIT;
  wm_register_encode(judged->user, &buf);
  bool same = at >= 0 && wm_text_equal((struct wm_text){buf.bytes, buf.size}, value);
  if (!same)
    blame(c, "the register of '%.*s' at %lld:\n  %.*s\nexpected:\n  %s", WM_TEXT_ARG(judged->id), (long long)at,
          WM_TEXT_ARG(value), buf.bytes);
  wm_buf_release(&buf);
  if (!same)
    return false;
  const struct memory_user *cached = memory_cache_user(c->cache, judged->id);
  if (!cached || !cached->has_register || cached->at != at || !wm_text_equal(cached->json, value))
    return blame(c, "redis: '%.*s' is at %lld, the log at %lld", WM_TEXT_ARG(judged->id),
                 cached && cached->has_register ? (long long)cached->at : -1LL, (long long)at);
  int64_t end_us = wm_user_next_end(judged->user, c->log->world->now_us);
  if (end_us != WM_NEVER && (!cached->has_end || cached->end_us > end_us))
    return blame(c, "redis: the next end of '%.*s' is not known", WM_TEXT_ARG(judged->id));
  return check_roles(c, judged, cached, workspace);
}

static bool check_cache(struct trial *c, const struct wm_workspace *workspace) {
  for (size_t i = 0; i < c->user_count; i++)
    if (!check_user(c, &c->users[i], workspace))
      return false;
  for (int32_t p = 0; p < c->log->partition_count; p++) {
    const struct memory_partition *users = &c->log->outputs[WM_OUT_USERS][p];
    for (size_t i = 1; i < users->count; i++)
      if (is_committed(&users->entries[i]) && c->cache->data.progress[p] <= (int64_t)i)
        return blame(c, "redis: progress of %d is %lld, and there is a register at %zu", p,
                     (long long)c->cache->data.progress[p], i);
  }
  return true;
}

static struct wm_workspace *as_ruled(struct wm_workspace *const *versions, uint64_t rules) {
  struct wm_workspace *workspace = versions[SAMPLE_VERSION_OF(rules)];
  sample_follow(workspace, rules);
  return workspace;
}

bool judge(const struct memory_log *log, const struct memory_cache *cache,
           struct wm_workspace *const versions[SAMPLE_VERSIONS], unsigned last, bool steady,
           char ret_why[static JUDGE_TEXT]) {
  struct trial c = {.log = log, .cache = cache, .steady = steady, .why = ret_why};
  wm_arena_init(&c.arena, 256 * 1024);
  for (size_t i = 0; i < OUTPUTS; i++)
    for (size_t p = 0; p < MEMORY_PARTITIONS; p++)
      c.end[i][p] = &c.expected[i][p];
  bool right = check_fates(&c);
  for (int32_t p = 0; right && p < log->partition_count; p++)
    for (const struct memory_consumed *item = log->consumed[p]; right && item; item = item->next)
      right = decide_again(&c, item, as_ruled(versions, item->rules));
  sample_follow_control(versions[last], log);
  right = right && compare_outputs(&c) && check_cache(&c, versions[last]);
  for (size_t i = 0; i < c.user_count; i++)
    wm_user_free(c.users[i].user);
  wm_arena_release(&c.arena);
  return right;
}
