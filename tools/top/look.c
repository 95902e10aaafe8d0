#include "tools/top/look.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/codec/json.h"
#include "core/moment.h"
#include "tools/lib/http_get.h"
#include "worker/clock.h"
#include "worker/metrics.h"

#define NUMBER_MAX (INT64_C(1) << 53) /* sums of a thousand of them are no overflow */

static void take(struct look *look, const char *url, int timeout_ms, struct wm_buf *body) {
  struct wm_error error = {0};
  int status = http_get(url, "/status.json", timeout_ms, body, &error);
  look->heard_us = system_clock.monotonic_us(system_clock.self);
  if (status < 0) {
    snprintf(look->trouble, sizeof look->trouble, "%s", error.text);
  } else if (status != 200) {
    snprintf(look->trouble, sizeof look->trouble, "is no worker of Waymark: HTTP status %d", status);
  } else if (body->size > LOOK_BYTES) {
    snprintf(look->trouble, sizeof look->trouble, "is no worker of Waymark: an answer of %zu bytes", body->size);
  } else if (wm_json_parse((struct wm_text){body->bytes, body->size}, &look->arena, &look->value, &error) < 0) {
    snprintf(look->trouble, sizeof look->trouble, "is no worker of Waymark: %s", error.text);
  } else if (!look_text(look, "worker").bytes || !look_text(look, "state").bytes) {
    snprintf(look->trouble, sizeof look->trouble, "is no worker of Waymark: JSON without 'worker' and 'state'");
  }
}

struct look *look_ask(const char *url, int timeout_ms) {
  struct wm_buf body = WM_BUF_INIT;
  struct look *look = calloc(1, sizeof *look);
  if (!look)
    return NULL;
  look->time_us = LOOK_UNKNOWN;
  wm_arena_init(&look->arena, 0);
  take(look, url, timeout_ms, &body);
  wm_buf_release(&body);
  if (look_is_heard(look))
    wm_moment_parse(look_text(look, "time"), &look->time_us);
  return look;
}

void look_free(struct look *look) {
  if (look)
    wm_arena_release(&look->arena);
  free(look);
}

bool look_is_heard(const struct look *look) {
  return look && !look->trouble[0];
}

/* --- members --- */

const struct wm_value *look_member(const struct look *look, const char *group, const char *name) {
  const struct wm_value *in = &look->value;
  if (group)
    in = wm_value_member(in, wm_text_of(group));
  return wm_value_member(in, wm_text_of(name));
}

struct wm_text look_text(const struct look *look, const char *name) {
  return wm_value_text(look_member(look, NULL, name));
}

int64_t look_count(const struct wm_value *value) {
  bool sane = value && value->type == WM_INTEGER && value->integer >= 0 && value->integer <= NUMBER_MAX;
  return sane ? value->integer : LOOK_UNKNOWN;
}

int64_t look_number(const struct look *look, const char *group, const char *name) {
  return look_count(look_member(look, group, name));
}

bool look_truth(const struct look *look, const char *name) {
  const struct wm_value *value = look_member(look, NULL, name);
  return value && value->type == WM_BOOLEAN && value->boolean;
}

size_t look_items(const struct wm_value *value, const struct wm_value **ret_items) {
  bool list = value && value->type == WM_LIST;
  *ret_items = list ? value->list.items : NULL;
  return list ? value->list.count : 0;
}

/* --- between two looks --- */

static int64_t between_us(const struct look *before, const struct look *now) {
  if (!look_is_heard(before) || !look_is_heard(now) || before->time_us < 0 || now->time_us <= before->time_us)
    return LOOK_UNKNOWN;
  return now->time_us - before->time_us;
}

int64_t look_rate(const struct look *before, const struct look *now, const char *group, const char *name) {
  int64_t took_us = between_us(before, now);
  if (took_us < 0)
    return LOOK_UNKNOWN;
  int64_t first = look_number(before, group, name), last = look_number(now, group, name);
  if (first < 0 && look_member(before, NULL, group))
    first = 0;
  if (first < 0 || last < first)
    return LOOK_UNKNOWN;
  double rate = (double)(last - first) * 1e7 / (double)took_us;
  return rate < (double)NUMBER_MAX ? (int64_t)rate : NUMBER_MAX;
}

/* How many came into each bucket. False: that can't be told. */
static bool differ(const struct look *before, const struct look *now, const char *name,
                   int64_t ret[static METRICS_BUCKETS + 1]) {
  const struct wm_value *first, *last;
  struct wm_text counts = WM_TEXT("counts");
  if (between_us(before, now) < 0 ||
      look_items(wm_value_member(look_member(before, "times", name), counts), &first) != METRICS_BUCKETS + 1 ||
      look_items(wm_value_member(look_member(now, "times", name), counts), &last) != METRICS_BUCKETS + 1)
    return false;
  for (size_t i = 0; i <= METRICS_BUCKETS; i++) {
    ret[i] = look_count(&last[i]) - look_count(&first[i]);
    if (look_count(&first[i]) < 0 || ret[i] < 0)
      return false;
  }
  return true;
}

/* The bounds as the worker has them: another version may have others. */
static bool read_bounds(const struct look *look, int64_t ret[static METRICS_BUCKETS]) {
  const struct wm_value *items;
  if (look_items(look_member(look, "times", "bounds-us"), &items) != METRICS_BUCKETS)
    return false;
  for (size_t i = 0; i < METRICS_BUCKETS; i++) {
    ret[i] = look_count(&items[i]);
    if (ret[i] < 1 || (i > 0 && ret[i] <= ret[i - 1]))
      return false;
  }
  return true;
}

int64_t look_quantile(const struct look *before, const struct look *now, const char *name, int percent) {
  int64_t counts[METRICS_BUCKETS + 1], bounds[METRICS_BUCKETS], total = 0, below = 0;
  if (!differ(before, now, name, counts) || !read_bounds(now, bounds))
    return LOOK_UNKNOWN;
  for (size_t i = 0; i <= METRICS_BUCKETS; i++)
    total += counts[i];
  if (total == 0)
    return LOOK_UNKNOWN;
  double wanted = (double)total * percent / 100;
  for (size_t i = 0; i < METRICS_BUCKETS; below += counts[i++]) {
    if ((double)(below + counts[i]) < wanted || counts[i] == 0)
      continue;
    int64_t from = i == 0 ? 0 : bounds[i - 1];
    return from + (int64_t)((double)(bounds[i] - from) * (wanted - (double)below) / (double)counts[i]);
  }
  return bounds[METRICS_BUCKETS - 1];
}
