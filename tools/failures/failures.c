#include "tools/failures/failures.h"

#include <stdlib.h>

#include "core/codec/json.h"
#include "core/moment.h"
#include "tools/lib/say.h"
#include "tools/lib/when.h"
#include "worker/clock.h"

#define FAULTS_TOLD 20
#define FOLLOW_MS 200
#define TASK_FAILED "dev.waymark.task.failed.v1"
#define EVENT_REJECTED "dev.waymark.event.rejected.v1"

struct walking {
  const struct settings *settings;
  struct failures_walk *walk;
  struct wm_arena arena; /* of one record */
  int64_t *nexts;        /* by partition: the offset behind the last one that was read */
  int64_t at_us;         /* of the failure before */
};

/* --- filter --- */

static int check_code(const char *code) {
  static const char *const names[] = {
#define WM_CODE(name, sentence) #name,
#include "core/codes.def"
#undef WM_CODE
      NULL};
  for (size_t i = 0; names[i]; i++)
    if (strcmp(names[i], code) == 0)
      return EXIT_FINE;
  const char *nearest = wm_text_nearest(wm_text_of(code), names);
  return say(EXIT_USAGE, "--code: there is no code '%s'%s%s%s", code, nearest ? " (did you mean '" : "",
             nearest ? nearest : "", nearest ? "'?)" : "");
}

static int read_times(const struct options *options, struct failures_filter *ret) {
  const char *since = options_value(options, "since"), *until = options_value(options, "until");
  int64_t now_us = system_clock.wall_us(system_clock.self);
  int exit_code = EXIT_FINE;
  ret->since_us = INT64_MIN;
  ret->until_us = INT64_MAX;
  if (since)
    exit_code = when_parse("since", since, false, now_us, &ret->since_us);
  if (exit_code == EXIT_FINE && until)
    exit_code = when_parse("until", until, true, now_us, &ret->until_us);
  if (exit_code == EXIT_FINE && ret->since_us > ret->until_us)
    return say(EXIT_USAGE, "--since is later than --until");
  return exit_code;
}

int failures_filter_read(const struct options *options, struct failures_filter *ret) {
  *ret = (struct failures_filter){.code = options_value(options, "code"),
                                  .automation = options_value(options, "automation"),
                                  .role = options_value(options, "role"),
                                  .user = options_value(options, "user"),
                                  .rejected = options_has(options, "rejected"),
                                  .failed = options_has(options, "failed")};
  if (ret->rejected && ret->failed)
    return say(EXIT_USAGE, "--rejected and --failed don't go together: without both, all are told");
  if (ret->automation && !wm_text_is_name(wm_text_of(ret->automation)))
    return say(EXIT_USAGE, "--automation: '%s' is no name of an automation", ret->automation);
  if (ret->role && !wm_text_is_name(wm_text_of(ret->role)))
    return say(EXIT_USAGE, "--role: '%s' is no name of a role", ret->role);
  if (ret->user && !wm_text_is_user_id(wm_text_of(ret->user)))
    return say(EXIT_USAGE, "'%s' is no user id: 1 to 256 bytes of text without control characters", ret->user);
  int exit_code = ret->code ? check_code(ret->code) : EXIT_FINE;
  return exit_code == EXIT_FINE ? read_times(options, ret) : exit_code;
}

static bool is(struct wm_text text, const char *wanted) {
  return !wanted || wm_text_is(text, wanted);
}

bool failures_filter_takes(const struct failures_filter *filter, const struct failure *failure) {
  if ((filter->rejected && !failure->rejected) || (filter->failed && failure->rejected))
    return false;
  return failure->at_us >= filter->since_us && failure->at_us <= filter->until_us && is(failure->code, filter->code) &&
         is(failure->automation, filter->automation) && is(failure->role, filter->role) &&
         is(failure->user, filter->user);
}

/* --- one record --- */

static const struct wm_value *get(const struct wm_value *object, const char *name) {
  return wm_value_member(object, wm_text_of(name));
}

static struct wm_text text_of(const struct wm_value *object, const char *name) {
  return wm_value_text(get(object, name));
}

static bool integer_of(const struct wm_value *object, const char *name, int64_t limit, int64_t *ret) {
  const struct wm_value *member = get(object, name);
  *ret = member && member->type == WM_INTEGER ? member->integer : 0;
  return member && member->type == WM_INTEGER && *ret <= limit;
}

static bool read_origin(const struct wm_value *value, struct wm_origin *ret) {
  int64_t partition;
  if (!integer_of(value, "partition", INT32_MAX, &partition) || partition < 0 ||
      !integer_of(value, "offset", INT64_MAX, &ret->offset) || ret->offset < 0)
    return false;
  ret->topic = text_of(value, "topic");
  ret->partition = (int32_t)partition;
  return ret->topic.size > 0;
}

static bool read_task(const struct wm_value *data, struct failure *ret) {
  const struct wm_value *task = get(data, "task");
  if (!task)
    return false;
  ret->automation = text_of(data, "automation").size ? text_of(data, "automation") : WM_TEXT("manual");
  ret->code = text_of(task, "code");
  ret->message = text_of(task, "message");
  ret->task_name = text_of(task, "name");
  ret->task_type = text_of(task, "type");
  ret->role = text_of(task, "role");
  return integer_of(task, "sequence", INT64_MAX, &ret->sequence);
}

/* False: it is no failure. */
static bool read_failure(const struct wm_value *value, struct failure *ret) {
  const struct wm_value *data = get(value, "data"), *event = get(data, "event");
  *ret = (struct failure){
      .id = text_of(value, "id"),
      .user = text_of(value, "subject"),
      .run = text_of(data, "run"),
      .code = text_of(data, "code"),
      .message = text_of(data, "message"),
      .event_source = text_of(event, "source"),
      .event_id = text_of(event, "id"),
      .event_type = text_of(event, "type"),
      .rejected = wm_text_is(text_of(value, "type"), EVENT_REJECTED),
      .value = value,
  };
  if (!ret->rejected && (!wm_text_is(text_of(value, "type"), TASK_FAILED) || !read_task(data, ret)))
    return false;
  return ret->id.size && ret->code.size && read_origin(get(data, "origin"), &ret->origin);
}

static void tell_fault(struct walking *walking, const char *where, const char *what) {
  if (++walking->walk->faults <= FAULTS_TOLD)
    say(0, "%s is passed over: %s", where, what);
}

/* 'at_us' INT64_MIN: the time that the record names, else that of the one before. */
static int take_text(struct walking *walking, const char *where, struct wm_text text, int64_t at_us) {
  struct wm_value value;
  struct wm_error error = {0};
  struct failure failure;
  struct failures_walk *walk = walking->walk;
  wm_arena_rewind(&walking->arena);
  if (wm_json_parse(text, &walking->arena, &value, &error) < 0 || !read_failure(&value, &failure)) {
    tell_fault(walking, where, error.code ? error.text : "it is no failure");
    return EXIT_FINE;
  }
  failure.at_us = at_us;
  if (at_us == INT64_MIN && !wm_moment_parse(text_of(&value, "time"), &failure.at_us))
    failure.at_us = walking->at_us;
  walking->at_us = failure.at_us;
  failure.json = text;
  return failures_filter_takes(&walk->filter, &failure) ? walk->take(walk->taker, &failure) : EXIT_FINE;
}

/* --- the topic --- */

static int take_record(struct walking *walking, const struct wm_record *record) {
  char where[400];
  const struct failures_filter *filter = &walking->walk->filter;
  if (filter->user && !wm_text_is(record->key, filter->user))
    return EXIT_FINE;
  if (record->timestamp_ms * 1000 > filter->until_us)
    return EXIT_FINE;
  snprintf(where, sizeof where, "%s/%d@%lld", record->topic.bytes, record->partition, (long long)record->offset);
  return take_text(walking, where, record->value, record->timestamp_ms * 1000);
}

/* A record is read once, though what is there and what comes overlap. */
static bool is_next(struct walking *walking, const struct wm_record *record) {
  if (record->partition < 0 || record->partition >= walking->settings->kafka.partitions)
    return true;
  int64_t *next = &walking->nexts[record->partition];
  if (record->offset < *next)
    return false;
  *next = record->offset + 1;
  return true;
}

static int read_there(struct client *client, struct walking *walking) {
  struct failures_walk *walk = walking->walk;
  struct wm_record record;
  struct wm_error error = {0};
  int exit_code = EXIT_FINE, more = 0;
  bool first = true;
  while (exit_code == EXIT_FINE && (more = client_read_next(client, &record, &error)) > 0) {
    if (first && walk->filter.since_us == INT64_MIN && client_read_is_cut(client))
      walk->begins_us = record.timestamp_ms * 1000;
    first = false;
    if (is_next(walking, &record))
      exit_code = take_record(walking, &record);
  }
  return more < 0 ? say_error(EXIT_OUTSIDE, &error) : exit_code;
}

static int read_coming(struct client *client, struct walking *walking) {
  struct failures_walk *walk = walking->walk;
  struct wm_record record;
  struct wm_error error = {0};
  int exit_code = EXIT_FINE, more = 0;
  while (exit_code == EXIT_FINE && (more = client_next(client, more > 0 ? 0 : FOLLOW_MS, &record, &error)) >= 0) {
    if (more == 0 && walk->pause)
      walk->pause(walk->taker);
    if (more > 0 && is_next(walking, &record))
      exit_code = take_record(walking, &record);
  }
  return more < 0 ? say_error(EXIT_OUTSIDE, &error) : exit_code;
}

/* What comes is followed before what is there is read, so that nothing is missed. All partitions are read for one user
 * too: earlier versions left the failure of an event that went astray where it had come. */
static int read_topic(struct client *client, struct walking *walking) {
  const struct failures_walk *walk = walking->walk;
  const struct settings *settings = walking->settings;
  struct wm_error error = {0};
  struct client_reading reading = {.topic = settings->topics.failures,
                                   .partition = CLIENT_ALL_PARTITIONS,
                                   .from_ms = walk->filter.since_us == INT64_MIN ? CLIENT_BEGINNING
                                                                                 : walk->filter.since_us / 1000};
  if (walk->follow && client_follow(client, settings->topics.failures, false, &error) < 0)
    return say_error(EXIT_OUTSIDE, &error);
  if (client_read(client, &reading, &error) < 0)
    return say_error(EXIT_OUTSIDE, &error);
  int exit_code = read_there(client, walking);
  if (exit_code == EXIT_FINE && walk->pause)
    walk->pause(walk->taker);
  return exit_code == EXIT_FINE && walk->follow ? read_coming(client, walking) : exit_code;
}

static int each_in_topic(struct walking *walking) {
  struct wm_error error = {0};
  walking->nexts = calloc((size_t)walking->settings->kafka.partitions, sizeof *walking->nexts);
  struct client *client = walking->nexts ? client_open(walking->settings, &error) : NULL;
  int exit_code = client           ? read_topic(client, walking)
                  : walking->nexts ? say_error(EXIT_OUTSIDE, &error)
                                   : say_memory();
  client_close(client);
  free(walking->nexts);
  return exit_code;
}

static int take_line(void *walking, const struct lines *lines, struct wm_text line) {
  char where[400];
  snprintf(where, sizeof where, "%s:%lld", lines->path, (long long)lines->number);
  return take_text(walking, where, line, INT64_MIN);
}

int failures_each(const struct loaded *loaded, const struct options *options, struct failures_walk *walk) {
  const char *path = options_value(options, "failures");
  struct walking walking = {.settings = &loaded->settings, .walk = walk};
  walk->faults = 0;
  walk->begins_us = INT64_MIN;
  wm_arena_init(&walking.arena, 0);
  int exit_code = path ? lines_each(path, take_line, &walking) : each_in_topic(&walking);
  wm_arena_release(&walking.arena);
  return exit_code == FAILURES_ENOUGH ? EXIT_FINE : exit_code;
}

void failure_what(const struct failure *failure, struct wm_buf *buf) {
  if (failure->rejected) {
    wm_buf_add_string(buf, "rejected event");
    return;
  }
  if (wm_text_is(failure->automation, "manual"))
    wm_buf_add_string(buf, "request by hand");
  else
    wm_buf_printf(buf, "%.*s, task %lld", WM_TEXT_ARG(failure->automation), (long long)failure->sequence);
  if (failure->task_name.size)
    wm_buf_printf(buf, " %.*s", WM_TEXT_ARG(failure->task_name));
}
