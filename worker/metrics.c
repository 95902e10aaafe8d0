#include "worker/metrics.h"

#include <stdio.h>

#include "core/hash.h"

const int64_t metrics_bounds_us[METRICS_BUCKETS] = {1000,     2500,     5000,     10000,    25000,   50000,
                                                    100000,   250000,   500000,   1000000,  2500000, 5000000,
                                                    10000000, 30000000, 60000000, 300000000};
const int64_t metrics_bounds_events[METRICS_BUCKETS] = {1,   2,    5,    10,   20,    50,    100,   200,
                                                        500, 1000, 2000, 5000, 10000, 20000, 50000, 100000};

const char *const metrics_transactions[METRICS_TRANSACTIONS] = {
    [METRICS_COMMITTED] = "committed",
    [METRICS_ABORTED] = "aborted",
    [METRICS_UNCERTAIN] = "uncertain",
};

const struct metrics_pause_name metrics_pauses[METRICS_PAUSES] = {
    [METRICS_PAUSE_REDIS] = {"redis", "redis"},
    [METRICS_PAUSE_MOVED] = {"redis_moved", "redis is not where this worker left it"},
    [METRICS_PAUSE_KAFKA] = {"kafka", "kafka"},
    [METRICS_PAUSE_COMMIT] = {"commit_unanswered", "a commit without an answer"},
};

enum metrics_pause metrics_pause_of(const char *reason) {
  for (size_t i = 0; reason && i < METRICS_PAUSES; i++)
    if (strcmp(metrics_pauses[i].reason, reason) == 0)
      return (enum metrics_pause)i;
  return METRICS_PAUSES;
}

void metrics_observe(struct metrics_histogram *histogram, const int64_t bounds[METRICS_BUCKETS], int64_t value) {
  size_t i = 0;
  if (value < 0) /* a clock was set, or the producer's runs ahead */
    value = 0;
  while (i < METRICS_BUCKETS && value > bounds[i])
    i++;
  histogram->counts[i]++;
  histogram->sum += (uint64_t)value;
}

uint64_t metrics_total(const struct metrics_histogram *histogram) {
  uint64_t total = 0;
  for (size_t i = 0; i <= METRICS_BUCKETS; i++)
    total += histogram->counts[i];
  return total;
}

/* --- rows --- */

/* Rows of 'size' bytes that begin with their name. The slot of this one, or the free one where it goes. */
static uint16_t *find(uint16_t slots[METRICS_SLOTS], const void *rows, size_t size, struct wm_text name) {
  for (size_t at = wm_hash(name);; at++) {
    uint16_t *slot = &slots[at % METRICS_SLOTS];
    if (*slot == 0 || wm_text_is(name, (const char *)rows + (size_t)(*slot - 1) * size))
      return slot;
  }
}

static uint16_t *slot_of(struct metrics *metrics, struct wm_text name) {
  return find(metrics->slots, metrics->rows, sizeof metrics->rows[0], name);
}

static uint16_t *role_slot_of(struct metrics *metrics, struct wm_text name) {
  return find(metrics->role_slots, metrics->roles, sizeof metrics->roles[0], name);
}

static struct metrics_row *row_of(struct metrics *metrics, struct wm_text name) {
  struct metrics_row *others = &metrics->rows[METRICS_AUTOMATIONS + 1];
  uint16_t *slot = slot_of(metrics, name);
  if (*slot > 0)
    return &metrics->rows[*slot - 1];
  if (metrics->row_count == METRICS_AUTOMATIONS + 1 || name.size >= sizeof others->name)
    return others;
  struct metrics_row *row = &metrics->rows[metrics->row_count];
  memcpy(row->name, name.bytes, name.size);
  *slot = (uint16_t)++metrics->row_count;
  return row;
}

static struct metrics_role *role_of(struct metrics *metrics, struct wm_text name) {
  struct metrics_role *others = &metrics->roles[METRICS_ROLES];
  uint16_t *slot = role_slot_of(metrics, name);
  if (*slot > 0)
    return &metrics->roles[*slot - 1];
  if (metrics->role_count == METRICS_ROLES || name.size >= sizeof others->name)
    return others;
  struct metrics_role *role = &metrics->roles[metrics->role_count];
  memcpy(role->name, name.bytes, name.size);
  *slot = (uint16_t)++metrics->role_count;
  return role;
}

void metrics_init(struct metrics *metrics) {
  memset(metrics, 0, sizeof *metrics);
  row_of(metrics, WM_TEXT(METRICS_MANUAL));
  snprintf(metrics->rows[METRICS_AUTOMATIONS + 1].name, sizeof metrics->rows[0].name, METRICS_OTHER);
  snprintf(metrics->roles[METRICS_ROLES].name, sizeof metrics->roles[0].name, METRICS_OTHER);
}

static size_t type_of(const struct wm_task_type *type) {
  size_t i = 0;
  while (wm_task_types[i] && wm_task_types[i] != type)
    i++;
  return i < METRICS_TASK_TYPES ? i : METRICS_TASK_TYPES - 1;
}

const char *metrics_task_type(size_t index) {
  for (size_t i = 0; i < index; i++)
    if (!wm_task_types[i])
      return wm_delegate.name;
  return wm_task_types[index] ? wm_task_types[index]->name : wm_delegate.name;
}

static void follow_roles(struct metrics *metrics, const struct wm_workspace *workspace) {
  size_t fresh = 0;
  for (size_t i = 0; i < workspace->role_count && fresh <= METRICS_ROLES; i++)
    fresh += *role_slot_of(metrics, workspace->roles[i].name) == 0;
  if (metrics->role_count + fresh > METRICS_ROLES)
    return;
  for (size_t i = 0; i < workspace->role_count; i++)
    role_of(metrics, workspace->roles[i].name);
}

static void follow_automations(struct metrics *metrics, const struct wm_workspace *workspace) {
  size_t fresh = 0;
  for (size_t i = 0; i < workspace->automation_count && fresh <= METRICS_AUTOMATIONS; i++)
    fresh += *slot_of(metrics, workspace->automations[i].name) == 0;
  if (metrics->row_count + fresh > METRICS_AUTOMATIONS + 1)
    return;
  for (size_t i = 0; i < workspace->automation_count; i++) {
    const struct wm_automation *automation = &workspace->automations[i];
    struct metrics_row *row = row_of(metrics, automation->name);
    for (size_t t = 0; t < automation->task_count; t++)
      row->has[type_of(automation->tasks[t].type)] = true;
  }
}

void metrics_follow(struct metrics *metrics, const struct wm_workspace *workspace) {
  follow_automations(metrics, workspace);
  follow_roles(metrics, workspace);
}

void metrics_outcome(struct metrics *metrics, struct wm_text automation, const struct wm_outcome *outcome) {
  struct metrics_row *row = row_of(metrics, automation);
  size_t type = type_of(outcome->task->type);
  row->has[type] = true;
  row->tasks[type][outcome->result]++;
}

static void copy_name(char *room, size_t size, struct wm_text text) {
  size_t kept = text.size < size ? text.size : size - 1;
  if (kept > 0)
    memcpy(room, text.bytes, kept);
  room[kept] = '\0';
}

void metrics_failure(struct metrics *metrics, int64_t wall_us, enum wm_code code, struct wm_text automation,
                     int64_t sequence, struct wm_text origin) {
  struct metrics_failure *failure = &metrics->recent[metrics->recent_count++ % METRICS_RECENT];
  metrics->failures[code]++;
  failure->wall_us = wall_us;
  failure->code = code;
  failure->sequence = sequence;
  copy_name(failure->automation, sizeof failure->automation, automation);
  copy_name(failure->origin, sizeof failure->origin, origin);
}

void metrics_changed(struct metrics *metrics, const struct wm_change *changes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct metrics_role *role = role_of(metrics, changes[i].role);
    metrics->changes[changes[i].cause]++;
    role->gained += changes[i].effective;
    role->lost += !changes[i].effective;
  }
}

void metrics_unknown(struct metrics *metrics, struct wm_text automation) {
  row_of(metrics, automation)->unknown++;
}
