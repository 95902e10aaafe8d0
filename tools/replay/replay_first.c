/* What went wrong the first time, as far as topics.failures still has it: contract 13 promises that a replay changes
 * nothing only where nothing did. */
#include "core/codec/json.h"
#include "tools/lib/say.h"
#include "tools/replay/replay.h"
#include "worker/client.h"

static const struct wm_value *member(const struct wm_value *object, const char *name) {
  return wm_value_member(object, wm_text_of(name));
}

static int64_t number_in(const struct wm_value *object, const char *name) {
  const struct wm_value *value = member(object, name);
  return value && value->type == WM_INTEGER ? value->integer : -1;
}

static bool is_in(const struct replay_plan *plan, const struct wm_value *origin) {
  int64_t partition = number_in(origin, "partition"), offset = number_in(origin, "offset");
  if (!wm_text_equal(wm_value_text(member(origin, "topic")), plan->topic))
    return false;
  for (size_t i = 0; i < plan->range_count; i++)
    if (plan->ranges[i].range.partition == partition && plan->ranges[i].range.from <= offset &&
        offset < plan->ranges[i].range.to)
      return true;
  return false;
}

/* The types and users that the filters leave; what a failure does not say may be meant. What --where leaves is not
 * known here: a failure does not hold the data of its event. */
static bool is_meant(const struct replay_filter *filter, const struct wm_value *event) {
  struct wm_text type = wm_value_text(member(member(member(event, "data"), "event"), "type"));
  return (!type.bytes || replay_filter_takes_type(filter, type)) &&
         user_list_has(&filter->users, wm_value_text(member(event, "subject")));
}

/* Of the live run: what failed in an earlier replay is no matter. A rejected event has no automation. */
static bool counts(const struct replay_plan *plan, const struct wm_value *event) {
  const struct wm_value *data = member(event, "data");
  struct wm_text run = wm_value_text(member(data, "run")), automation = wm_value_text(member(data, "automation"));
  struct wm_text only = plan->filter.automation;
  if (run.bytes && !wm_text_is(run, "live"))
    return false;
  if (only.bytes && automation.bytes && !wm_text_equal(only, automation))
    return false;
  return is_meant(&plan->filter, event) && is_in(plan, member(data, "origin"));
}

int replay_count_first(const struct loaded *loaded, struct replay_plan *plan, int64_t from_ms) {
  const struct client_reading reading = {.topic = loaded->settings.topics.failures,
                                         .partition = CLIENT_ALL_PARTITIONS,
                                         .from_ms = from_ms,
                                         .optional = true};
  struct wm_error error = {0};
  struct wm_record record;
  struct wm_arena arena;
  wm_arena_init(&arena, 0);
  struct client *client = client_open(&loaded->settings, &error);
  bool settled = client && client_settle(client, reading.topic, reading.partition, &error) == 0;
  int got = settled && client_read(client, &reading, &error) == 0 ? 1 : -1;
  while (got > 0 && (got = client_read_next(client, &record, &error)) > 0) {
    struct wm_value event;
    struct wm_error unread;
    wm_arena_rewind(&arena);
    if (record.value.bytes && wm_json_parse(record.value, &arena, &event, &unread) == 0)
      plan->counts.failed_first += counts(plan, &event);
  }
  client_close(client);
  wm_arena_release(&arena);
  return got < 0 ? say_error(EXIT_OUTSIDE, &error) : EXIT_FINE;
}
