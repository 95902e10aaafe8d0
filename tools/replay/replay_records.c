/* The records that a plan means, one after the other: decoded by the rules of their own topic, so that what was
 * forbidden there does not come in by a replay, and sifted by the filters. */
#include "tools/replay/replay.h"

#include "tools/lib/say.h"
#include "tools/lib/send.h"
#include "worker/clock.h"
#include "worker/kafka.h"

int replay_topic_kind(const struct settings *settings, struct wm_text topic, enum wm_topic_kind *ret) {
  *ret = WM_TOPIC_ANY;
  if (!topic.bytes)
    return EXIT_FINE;
  *ret = WM_TOPIC_EVENTS;
  for (size_t i = 0; i < settings->topics.event_count; i++)
    if (wm_text_is(topic, settings->topics.events[i]))
      return EXIT_FINE;
  *ret = WM_TOPIC_DIRECTORY;
  if (wm_text_is(topic, settings->topics.directory))
    return EXIT_FINE;
  *ret = WM_TOPIC_REQUESTS;
  if (wm_text_is(topic, settings->topics.requests))
    return EXIT_FINE;
  return say(EXIT_USAGE, "'%.*s' is none of topics.events, topics.directory and topics.requests", WM_TEXT_ARG(topic));
}

static int open_ranges(struct replay_records *records, struct ranges *client) {
  const struct replay_plan *plan = records->plan;
  struct wm_error error = {0};
  struct range *list = calloc(plan->range_count + 1, sizeof *list);
  if (!list)
    return say_memory();
  for (size_t i = 0; i < plan->range_count; i++)
    list[i] = plan->ranges[i].range;
  char *topic = strndup(plan->topic.bytes, plan->topic.size);
  int failed = topic ? ranges_begin(client, topic, list, plan->range_count, &error) : wm_error_memory(&error);
  free(topic);
  free(list);
  records->ranges = client;
  return failed ? say_error(EXIT_OUTSIDE, &error) : EXIT_FINE;
}

int replay_records_open(struct replay_records *records, const struct loaded *loaded, const struct replay_plan *plan,
                        struct ranges *client) {
  *records = (struct replay_records){.loaded = loaded, .plan = plan, .lines.fd = -1};
  records->rules = (struct wm_decode_rules){
      .event_bytes = loaded->settings.limits.event_bytes,
      .clock_skew_us = loaded->settings.limits.clock_skew_us,
      .wall_us = system_clock.wall_us(system_clock.self),
  };
  int exit_code = replay_topic_kind(&loaded->settings, plan->topic, &records->rules.topic);
  if (exit_code != EXIT_FINE)
    return exit_code;
  if (!plan->input.bytes)
    return open_ranges(records, client);
  char *path = strndup(plan->input.bytes, plan->input.size);
  exit_code = path ? lines_open(&records->lines, path) : say_memory();
  free(path);
  records->lines.path = plan->input.bytes;
  return exit_code;
}

void replay_records_close(struct replay_records *records) {
  if (records->lines.fd >= 0)
    lines_close(&records->lines);
  records->lines.fd = -1;
}

/* --- the next one --- */

static int32_t home_of(const struct replay_records *records, const struct replay_record *record) {
  const struct settings *settings = &records->loaded->settings;
  if (record->what != WM_DECODED_EVENT || !record->event.user.bytes)
    return record->record.partition;
  return kafka_home(settings->kafka.partitioner, record->event.user, settings->kafka.partitions);
}

/* Can anything become of it? What no trigger takes is not worth a copy. */
static bool is_of_use(const struct replay_records *records, const struct wm_event *event) {
  const struct wm_workspace *workspace = records->loaded->workspace;
  struct wm_text only = records->plan->filter.automation;
  if (event->event_class == WM_EVENT_RESERVED)
    return false;
  if (!only.bytes)
    return event->event_class != WM_EVENT_TRIGGERING || wm_index_takes(workspace->index, event->type);
  const struct wm_automation *automation = wm_workspace_automation(workspace, only);
  return event->event_class == WM_EVENT_TRIGGERING && automation && wm_automation_takes(automation, event->type);
}

static void judge(const struct replay_records *records, struct replay_record *ret) {
  ret->selected = ret->what == WM_DECODED_EVENT && is_of_use(records, &ret->event) &&
                  replay_filter_takes(&records->plan->filter, &ret->event);
  ret->home = home_of(records, ret);
  ret->elsewhere = ret->selected && ret->home != ret->record.partition;
  ret->event.only.automation = records->plan->filter.automation;
}

/* Of a file, which somebody can mend: which lines are none that its topic would take. */
static void tell_rejection(struct replay_records *records, const struct wm_rejection *rejection) {
  if (!records->plan->input.bytes || records->told++ >= records->tell)
    return;
  say(0, "%s:%lld: rejected: %.*s [%s]%s", records->lines.path, (long long)records->lines.number,
      WM_TEXT_ARG(rejection->message), wm_code_name(rejection->code),
      records->told == records->tell ? "; more of them are not told" : "");
}

static int decode(struct replay_records *records, struct wm_arena *arena, struct replay_record *ret) {
  struct wm_rejection rejection;
  if (wm_event_decode(&ret->record, &records->rules, arena, &ret->what, &ret->event, &rejection) < 0)
    return say_memory();
  if (ret->what == WM_DECODED_REJECTED)
    tell_rejection(records, &rejection);
  return EXIT_FINE;
}

static int next_of_topic(struct replay_records *records, struct wm_arena *arena, struct replay_record *ret,
                         bool *ret_end) {
  struct wm_error error = {0};
  int got = ranges_next(records->ranges, &ret->record, &error);
  *ret_end = got == 0;
  if (got <= 0)
    return got < 0 ? say_error(EXIT_OUTSIDE, &error) : EXIT_FINE;
  return decode(records, arena, ret);
}

/* Where it would stand if it had been sent to the topic in the order of the file. */
static int next_of_file(struct replay_records *records, struct wm_arena *arena, struct replay_record *ret,
                        bool *ret_end) {
  struct wm_text line = WM_NO_TEXT;
  int exit_code = EXIT_FINE;
  do
    exit_code = lines_next(&records->lines, &line, ret_end);
  while (exit_code == EXIT_FINE && !*ret_end && line_is_blank(line));
  if (exit_code != EXIT_FINE || *ret_end)
    return exit_code;
  records->rules.fallback_time_us = records->last_us;
  ret->record = (struct wm_record){.topic = records->plan->topic,
                                   .offset = records->lines.number - 1,
                                   .timestamp_ms = -1,
                                   .value = line,
                                   .headers = events_headers,
                                   .header_count = 1};
  exit_code = decode(records, arena, ret);
  if (exit_code != EXIT_FINE || ret->what != WM_DECODED_EVENT)
    return exit_code;
  records->last_us = ret->event.time_us;
  ret->record.timestamp_ms = ret->event.time_us / 1000;
  ret->record.key = ret->event.user;
  ret->record.partition = home_of(records, ret);
  if (!ret->record.topic.bytes)
    ret->record.topic = ret->event.origin.topic = wm_text_of(send_topic(&records->loaded->settings, &ret->event));
  ret->event.origin.partition = ret->record.partition;
  ret->event.now_us = ret->record.timestamp_ms * 1000;
  return EXIT_FINE;
}

int replay_records_next(struct replay_records *records, struct wm_arena *arena, struct replay_record *ret,
                        bool *ret_end) {
  *ret = (struct replay_record){0};
  int exit_code = records->plan->input.bytes ? next_of_file(records, arena, ret, ret_end)
                                             : next_of_topic(records, arena, ret, ret_end);
  if (exit_code == EXIT_FINE && !*ret_end)
    judge(records, ret);
  return exit_code;
}
