/* Is all as it was planned? What is not is told with what to do about it, and nothing is begun. */
#include <stdlib.h>

#include "core/codec/json.h"
#include "tools/lib/say.h"
#include "tools/topics/rehome.h"
#include "worker/clock.h"
#include "worker/examine.h"
#include "worker/kafka.h"
#include "worker/meta.h"
#include "worker/rebuilding.h"
#include "worker/topics.h"

#define SWEPT_MS 10000 /* how long an end may wait for the worker that tells it */

/* --- what the control topic records --- */

static void take_number(struct rehome *rehome, const struct wm_value *value) {
  const size_t room = sizeof rehome->history / sizeof *rehome->history;
  if (value && value->type == WM_INTEGER && value->integer > 0 && value->integer <= INT32_MAX &&
      rehome->history_count < room)
    rehome->history[rehome->history_count++] = (int32_t)value->integer;
}

static void take_control(struct rehome *rehome, const struct wm_record *record, char partitioner[static 32]) {
  struct wm_arena arena;
  struct wm_value value;
  wm_arena_init(&arena, 1024);
  if (wm_text_is(record->key, "partitions") && record->value.bytes &&
      wm_json_parse(record->value, &arena, &value, NULL) == 0) {
    const struct wm_value *number = wm_value_member(&value, WM_TEXT("partitions"));
    const struct wm_value *before = wm_value_member(&value, WM_TEXT("before"));
    rehome->before = number && number->type == WM_INTEGER && number->integer > 0 ? (int32_t)number->integer : 0;
    rehome->history_count = 0;
    for (size_t i = 0; before && before->type == WM_LIST && i < before->list.count; i++)
      take_number(rehome, &before->list.items[i]);
    snprintf(partitioner, 32, "%.*s", WM_TEXT_ARG(wm_value_text(wm_value_member(&value, WM_TEXT("partitioner")))));
  }
  wm_arena_release(&arena);
}

static void judge_control(struct rehome *rehome, const char *partitioner) {
  const struct settings *settings = rehome->settings;
  const char *topic = settings->topics.control;
  int32_t wanted = settings->kafka.partitions;
  rehome->recorded = rehome->before == wanted;
  if (rehome->before == 0)
    rehome_say(rehome, topic, REHOME_WRONG, "has no record of the number of partitions: is it the right topic?");
  else if (strcmp(partitioner, settings->kafka.partitioner) != 0)
    rehome_say(rehome, topic, REHOME_WRONG, "records the partitioner '%s': it can't be changed", partitioner);
  else if (rehome->before > wanted)
    rehome_say(rehome, topic, REHOME_WRONG,
               "records %d partitions, kafka.partitions is %d: topics can only be given more", rehome->before, wanted);
  else if (rehome->recorded)
    rehome_say(rehome, topic, REHOME_DONE, "records %d partitions", wanted);
  else
    rehome_say(rehome, topic, REHOME_TO_DO, "records %d partitions, will record %d", rehome->before, wanted);
}

static int look_at_control(struct rehome *rehome) {
  struct wm_error error = {0};
  struct wm_record record;
  char partitioner[32] = "";
  const char *topic = rehome->settings->topics.control;
  const struct client_reading reading = {
      .topic = topic, .partition = CLIENT_ALL_PARTITIONS, .from_ms = CLIENT_BEGINNING};
  int more = -1;
  rehome->before = 0;
  if (client_settle(rehome->client, topic, CLIENT_ALL_PARTITIONS, &error) == 0 &&
      client_read(rehome->client, &reading, &error) == 0)
    while ((more = client_read_next(rehome->client, &record, &error)) > 0)
      take_control(rehome, &record, partitioner);
  if (more < 0)
    return say_error(EXIT_OUTSIDE, &error);
  judge_control(rehome, partitioner);
  return EXIT_FINE;
}

/* --- topics --- */

static int take_topic(void *taker, const struct topics_found *topic) {
  struct rehome *rehome = taker;
  bool users = strcmp(topic->topic, rehome->settings->topics.users) == 0;
  if (users)
    rehome->new_topic = topic->found >= 0;
  if (topic->found < 0) {
    rehome->topics_to_make++;
    rehome_say(rehome, topic->topic, REHOME_TO_DO, "will be made with %d partitions", topic->wanted);
  } else if (topic->found == 0) {
    rehome_say(rehome, topic->topic, REHOME_WRONG, "can't be looked at: it needs the right to describe it");
  } else if (topic->found == topic->wanted) {
    rehome_say(rehome, topic->topic, REHOME_DONE, "%d partition%s", topic->found, topic->found == 1 ? "" : "s");
  } else if (topic->found == rehome->before && !users) {
    rehome->topics_to_grow++;
    rehome_say(rehome, topic->topic, REHOME_TO_DO, "%d partitions, will have %d", topic->found, topic->wanted);
  } else {
    rehome_say(rehome, topic->topic, REHOME_WRONG, "has %d partitions, expected %s%d: %s", topic->found,
               users ? "" : "the old number or ", topic->wanted,
               users ? "take a name for the users topic that was never used" : "it was not made by Waymark's plan");
  }
  return 0;
}

struct old_users {
  const char *topic;
  int32_t found;
};

static int take_old(void *taker, const struct topics_found *topic) {
  struct old_users *old = taker;
  if (strcmp(topic->topic, old->topic) == 0)
    old->found = topic->found;
  return 0;
}

static struct settings old_settings(const struct rehome *rehome) {
  struct settings settings = *rehome->settings;
  settings.kafka.partitions = rehome->before;
  settings.topics.users = rehome->from;
  return settings;
}

/* Half of the topics with the new number and half with the old one would be no place to stop at. */
static void take_refused(void *taker, const struct topics_line *line) {
  rehome_say(taker, line->topic, REHOME_WRONG, "%s", line->sentence);
}

static int look_at_topics(struct rehome *rehome) {
  struct wm_error error = {0};
  struct settings before = old_settings(rehome);
  struct old_users old = {.topic = rehome->from, .found = -1};
  rehome->topics_to_make = rehome->topics_to_grow = 0;
  if (topics_survey(rehome->settings, take_topic, rehome, &error) != 0 ||
      topics_survey(&before, take_old, &old, &error) != 0)
    return say_error(EXIT_OUTSIDE, &error);
  if (rehome->topics_to_grow > 0 && topics_may_grow(rehome->settings, take_refused, rehome, &error) != 0)
    return say_error(EXIT_OUTSIDE, &error);
  if (old.found < 0)
    rehome_say(rehome, rehome->from, REHOME_WRONG, "is missing: --from names the users topic until now");
  else if (old.found != rehome->before)
    rehome_say(rehome, rehome->from, REHOME_WRONG, "has %d partitions, not the %d on record", old.found,
               rehome->before);
  return EXIT_FINE;
}

/* --- workers --- */

static int look_at_group(struct rehome *rehome) {
  struct wm_error error = {0};
  struct wm_arena arena;
  struct examined_kafka found;
  struct settings before = old_settings(rehome);
  char what[300];
  snprintf(what, sizeof what, "group %.200s", rehome->settings->kafka.group);
  wm_arena_init(&arena, 0);
  int exit_code = examine_kafka(&before, &arena, &found, &error) == 0 ? EXIT_FINE : say_error(EXIT_OUTSIDE, &error);
  if (exit_code == EXIT_FINE && found.group_error[0])
    rehome_say(rehome, what, REHOME_WRONG, "can't be asked: %s", found.group_error);
  else if (exit_code == EXIT_FINE && found.members > 0)
    rehome_say(rehome, what, REHOME_WRONG, "has %d worker%s: stop them all (SIGTERM) and wait until they have ended",
               found.members, found.members == 1 ? "" : "s");
  else if (exit_code == EXIT_FINE)
    rehome_say(rehome, what, REHOME_FINE, "no worker is in it");
  wm_arena_release(&arena);
  return exit_code;
}

/* --- records that nobody has decided --- */

struct undecided {
  size_t records, movers; /* movers: of users who get another home, by the records' keys */
  int32_t partition;      /* of the first */
  int64_t offset;
};

static int read_undecided(struct rehome *rehome, const char *topic, int32_t p, int64_t from, struct undecided *ret) {
  const struct settings *settings = rehome->settings;
  const struct client_reading reading = {
      .topic = topic, .partition = p, .from_ms = CLIENT_BEGINNING, .from_offset = from};
  struct wm_error error = {0};
  struct wm_record record;
  int more = client_read(rehome->client, &reading, &error);
  while (more == 0 && (more = client_read_next(rehome->client, &record, &error)) > 0) {
    if (ret->records++ == 0)
      *ret = (struct undecided){1, ret->movers, p, record.offset};
    ret->movers +=
        record.key.bytes && kafka_home(settings->kafka.partitioner, record.key, settings->kafka.partitions) != p;
    more = 0;
  }
  return more < 0 ? say_error(EXIT_OUTSIDE, &error) : EXIT_FINE;
}

static int count_undecided(struct rehome *rehome, const char *topic, struct undecided *ret) {
  struct wm_error error = {0};
  if (client_settle(rehome->client, topic, CLIENT_ALL_PARTITIONS, &error) != 0)
    return say_error(EXIT_OUTSIDE, &error);
  for (int32_t p = 0; p < rehome->before; p++) {
    int64_t committed, end;
    if (client_committed(rehome->client, topic, p, &committed, &error) != 0 ||
        client_end(rehome->client, topic, p, &end, &error) != 0)
      return say_error(EXIT_OUTSIDE, &error);
    int exit_code = committed < end ? read_undecided(rehome, topic, p, committed, ret) : EXIT_FINE;
    if (exit_code != EXIT_FINE)
      return exit_code;
  }
  return EXIT_FINE;
}

struct inputs {
  struct rehome *rehome;
  struct undecided all;
  size_t grown; /* records on topics that have the new number already */
  int exit_code;
};

static int take_input(void *taker, const struct topics_found *topic) {
  struct inputs *inputs = taker;
  struct undecided here = {0};
  if (!topic->input || topic->found < inputs->rehome->before)
    return 0;
  inputs->exit_code = count_undecided(inputs->rehome, topic->topic, &here);
  if (inputs->exit_code != EXIT_FINE)
    return 1;
  bool grown = topic->found == topic->wanted;
  if (here.records > 0)
    rehome_say(inputs->rehome, topic->topic, inputs->rehome->leave ? REHOME_FINE : REHOME_WRONG,
               "%zu record%s from %d/%lld on %s not decided, %zu of users who get another home: %s", here.records,
               here.records == 1 ? "" : "s", here.partition, (long long)here.offset, here.records == 1 ? "is" : "are",
               here.movers,
               inputs->rehome->leave ? "these will be EVENT_MISROUTED"
               : grown ? "it was given partitions before it was drained, no worker can; see --leave-undecided"
                       : "stop who writes there, and let the workers come to the end");
  inputs->all.records += here.records;
  return 0;
}

static int look_at_inputs(struct rehome *rehome) {
  struct wm_error error = {0};
  struct inputs inputs = {.rehome = rehome};
  int surveyed = topics_survey(rehome->settings, take_input, &inputs, &error);
  if (surveyed < 0)
    return say_error(EXIT_OUTSIDE, &error);
  if (surveyed == 0 && inputs.all.records == 0)
    rehome_say(rehome, "inputs", REHOME_FINE, "every record is decided");
  return inputs.exit_code;
}

/* --- Redis --- */

static int64_t alive_ms(const struct meta_field *fields, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (wm_text_is(fields[i].name, "alive-at")) {
      char number[24];
      snprintf(number, sizeof number, "%.*s", WM_TEXT_ARG(fields[i].value));
      return strtoll(number, NULL, 10);
    }
  return 0;
}

/* Ends of grants that came when no worker was there to tell them are told by the first that starts: it takes a copy's
 * timestamp for the moment up to which they were. */
static int look_at_clock(struct rehome *rehome) {
  struct wm_error error = {0};
  struct wm_arena arena;
  struct meta_field *fields;
  size_t count = 0;
  wm_arena_init(&arena, 0);
  int failed = meta_read(rehome->settings, &arena, &fields, &count, &error);
  int64_t alive = failed ? 0 : alive_ms(fields, count);
  rehome->stamp_ms = alive > SWEPT_MS ? alive - SWEPT_MS : -1;
  wm_arena_release(&arena);
  return failed ? say_error(EXIT_OUTSIDE, &error) : EXIT_FINE;
}

static int look_at_redis(struct rehome *rehome) {
  static const struct {
    enum rehome_state state;
    const char *sentence;
  } answers[] = {
      [REBUILDING_MOVED] = {REHOME_TO_DO, "will be rebuilt in place, under the next generation"},
      [REBUILDING_EMPTY] = {REHOME_FINE, "is empty: the workers fill it"},
      [REBUILDING_DONE] = {REHOME_DONE, "belongs to the new users topic"},
      [REBUILDING_FOREIGN] = {REHOME_WRONG, "was filled from another users topic than --from: which one is right?"},
      [REBUILDING_PROJECTING] = {REHOME_WRONG, "role sets do not follow the newest catalogue everywhere: start the "
                                               "workers with the old settings until 'catalogue:' is 'done'"},
      [REBUILDING_WAITING] = {REHOME_WRONG, "a rebuild is under way: start the workers with the old settings until "
                                            "it is done"},
  };
  struct wm_error error = {0};
  enum rebuilding_moved found;
  struct rebuilding *redis = rebuilding_open(rehome->settings, &error);
  const struct rebuilding_move move = {.from = rehome->old_incarnation,
                                       .to = rehome->new_incarnation[0] ? rehome->new_incarnation : "-",
                                       .topic = rehome->settings->topics.users,
                                       .from_count = rehome->before,
                                       .reason = WM_TEXT("")};
  int failed = redis ? rebuilding_move(redis, &move, true, &found, &error) : -1;
  rebuilding_close(redis);
  if (failed)
    return say_error(EXIT_OUTSIDE, &error);
  rehome_say(rehome, "redis", answers[found].state, "%s", answers[found].sentence);
  return look_at_clock(rehome);
}

/* --- all of it --- */

static int look_at_registers(struct rehome *rehome) {
  int exit_code = rehome_count(rehome);
  if (exit_code == EXIT_FINE)
    rehome_say(rehome, rehome->from, REHOME_TO_DO, "%zu registers to copy, %zu of them to another partition",
               rehome->users, rehome->moved);
  return exit_code;
}

int rehome_look(struct rehome *rehome) {
  int exit_code = look_at_control(rehome);
  if (exit_code != EXIT_FINE || rehome->wrong > 0 || rehome->recorded)
    return exit_code;
  exit_code = look_at_topics(rehome);
  if (exit_code == EXIT_FINE && rehome->wrong == 0)
    exit_code = look_at_group(rehome);
  if (exit_code == EXIT_FINE && rehome->wrong == 0)
    exit_code = look_at_inputs(rehome);
  if (exit_code == EXIT_FINE && rehome->wrong == 0)
    exit_code = look_at_registers(rehome);
  return exit_code == EXIT_FINE && rehome->wrong == 0 ? look_at_redis(rehome) : exit_code;
}

int rehome_look_again(struct rehome *rehome) {
  int exit_code = look_at_group(rehome);
  return exit_code == EXIT_FINE && rehome->wrong == 0 ? look_at_inputs(rehome) : exit_code;
}
