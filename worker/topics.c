#include "worker/topics.h"

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include "worker/topics_internal.h"

enum { PATIENCE_US = 15 * 1000 * 1000, ASK_MS = 2000, ROOM = 65536 };

static const struct {
  const char *policy;
  const char *words;
} kinds[] = {
    [TOPICS_INPUT] = {NULL, "input"},
    [TOPICS_USERS] = {"compact", "compacted"},
    [TOPICS_CONTROL] = {"compact", "compacted"},
    [TOPICS_OUTPUT] = {NULL, "output"},
    [TOPICS_ROOMY] = {NULL, "output with room"},
};

void topics_say(struct topics_work *work, struct topics_plan *plan, enum topics_what what, const char *format, ...) {
  char sentence[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(sentence, sizeof sentence, format, arguments);
  va_end(arguments);
  plan->told = true;
  work->tell(work->taker, &(const struct topics_line){plan->name, what, sentence});
}

struct topics_plan *topics_find(struct topics_work *work, enum topics_kind kind) {
  struct topics_plan *plan = work->plans;
  while (plan->kind != kind)
    plan++;
  return plan;
}

/* --- the plan --- */

static void add(struct topics_work *work, const char *name, enum topics_kind kind, enum wm_topic output) {
  int32_t partitions = kind == TOPICS_CONTROL ? 1 : work->settings->kafka.partitions;
  work->plans[work->count++] = (struct topics_plan){
      .name = name, .kind = kind, .output = output, .partitions = partitions, .found = -1, .limit = SIZE_MAX};
}

static int add_dlq(struct topics_work *work, const char *input) {
  char name[300];
  int size = snprintf(name, sizeof name, "%s.dlq", input);
  const char *copy = wm_arena_copy(&work->arena, name, (size_t)size < sizeof name ? (size_t)size : sizeof name - 1);
  if (!copy)
    return -1;
  add(work, copy, TOPICS_ROOMY, WM_OUT_DLQ);
  return 0;
}

static int make_plan(struct topics_work *work) {
  const struct settings *settings = work->settings;
  const char *const others[] = {settings->topics.directory, settings->topics.requests, settings->topics.replay};
  size_t inputs = settings->topics.event_count + 3;
  work->plans = WM_ARENA_ARRAY(&work->arena, struct topics_plan, 2 * inputs + 6);
  if (!work->plans)
    return -1;
  for (size_t i = 0; i < inputs; i++)
    add(work, i < inputs - 3 ? settings->topics.events[i] : others[i - (inputs - 3)], TOPICS_INPUT,
        i == inputs - 2 ? WM_OUT_REQUESTS : WM_OUT_COUNT);
  add(work, settings->topics.users, TOPICS_USERS, WM_OUT_USERS);
  add(work, settings->topics.outcomes, TOPICS_OUTPUT, WM_OUT_OUTCOMES);
  add(work, settings->topics.changes, TOPICS_OUTPUT, WM_OUT_CHANGES);
  add(work, settings->topics.notifications, TOPICS_OUTPUT, WM_OUT_NOTIFICATIONS);
  add(work, settings->topics.control, TOPICS_CONTROL, WM_OUT_COUNT);
  add(work, settings->topics.failures, TOPICS_ROOMY, WM_OUT_FAILURES);
  for (size_t i = 0; i < inputs; i++)
    if (add_dlq(work, work->plans[i].name) != 0)
      return -1;
  return 0;
}

int topics_each(const struct settings *settings, topics_name_fn *take, void *taker) {
  struct topics_work work = {.settings = settings};
  wm_arena_init(&work.arena, 8192);
  int result = make_plan(&work);
  for (size_t i = 0; result == 0 && i < work.count; i++)
    result = take(taker, work.plans[i].name, work.plans[i].partitions);
  wm_arena_release(&work.arena);
  return result;
}

int topics_open(struct topics_work *work, const struct settings *settings, topics_fn *tell, void *taker,
                struct wm_error *error) {
  static const struct setting_pair own[] = {{NULL, NULL}};
  *work = (struct topics_work){
      .settings = settings, .tell = tell, .taker = taker, .broker = -1, .admin = {.name = "topics"}};
  work->deadline_us = kafka_now_us() + PATIENCE_US;
  wm_arena_init(&work->arena, 8192);
  if (make_plan(work) != 0)
    return wm_error_memory(error);
  return kafka_handle_open(&work->admin, RD_KAFKA_CONSUMER, settings, own, NULL, error);
}

void topics_close(struct topics_work *work) {
  kafka_handle_close(&work->admin);
  wm_arena_release(&work->arena);
}

/* --- what is there --- */

static void take_metadata(struct topics_work *work, const rd_kafka_metadata_t *metadata) {
  work->broker = metadata->broker_cnt > 0 ? metadata->brokers[0].id : -1;
  for (int i = 0; i < metadata->topic_cnt; i++) {
    const rd_kafka_metadata_topic_t *topic = &metadata->topics[i];
    for (size_t j = 0; j < work->count; j++)
      if (strcmp(work->plans[j].name, topic->topic) == 0) {
        work->plans[j].found = topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ? -1 : topic->partition_cnt;
        work->plans[j].refused = work->plans[j].found == 0 ? topic->err : RD_KAFKA_RESP_ERR_NO_ERROR;
      }
  }
}

static rd_kafka_resp_err_t ask_metadata(struct topics_work *work) {
  const rd_kafka_metadata_t *metadata;
  rd_kafka_poll(work->admin.rk, 0);
  rd_kafka_resp_err_t code = rd_kafka_metadata(work->admin.rk, 0, NULL, &metadata, ASK_MS);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    take_metadata(work, metadata);
    rd_kafka_metadata_destroy(metadata);
  }
  return code;
}

/* librdkafka asks for the topics that the handle knows, so it is made to know all of ours for the moment. */
int topics_look(struct topics_work *work, struct wm_error *error) {
  rd_kafka_topic_t **topics = WM_ARENA_ARRAY(&work->arena, rd_kafka_topic_t *, work->count);
  if (!topics)
    return wm_error_memory(error);
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (size_t i = 0; i < work->count; i++)
    if (!(topics[i] = rd_kafka_topic_new(work->admin.rk, work->plans[i].name, NULL)))
      code = rd_kafka_last_error();
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    do {
      code = ask_metadata(work);
    } while (code != RD_KAFKA_RESP_ERR_NO_ERROR && kafka_now_us() < work->deadline_us);
  for (size_t i = 0; i < work->count; i++)
    if (topics[i])
      rd_kafka_topic_destroy(topics[i]);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    return 0;
  char doing[300];
  snprintf(doing, sizeof doing, "brokers at '%s' can't be reached", work->settings->kafka.bootstrap);
  return kafka_fail(&work->admin, error, doing, code, NULL);
}

static void take_config(struct topics_work *work, const rd_kafka_ConfigResource_t *resource) {
  size_t count;
  const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
  for (size_t i = 0; i < work->count; i++) {
    struct topics_plan *plan = &work->plans[i];
    if (strcmp(plan->name, rd_kafka_ConfigResource_name(resource)) != 0)
      continue;
    for (size_t j = 0; j < count; j++) {
      const char *name = rd_kafka_ConfigEntry_name(entries[j]), *value = rd_kafka_ConfigEntry_value(entries[j]);
      if (value && strcmp(name, "cleanup.policy") == 0)
        snprintf(plan->policy, sizeof plan->policy, "%s", value);
      else if (value && strcmp(name, "max.message.bytes") == 0)
        plan->limit = (size_t)strtoull(value, NULL, 10);
    }
  }
}

/* Not being allowed to look is no reason to refuse: the worker may have fewer rights than who made the topics. */
static void take_configs(struct topics_work *work, rd_kafka_event_t *event) {
  rd_kafka_resp_err_t code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
  size_t count = 0;
  const rd_kafka_ConfigResource_t **resources = NULL;
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    resources = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
  for (size_t i = 0; i < count; i++) {
    if (rd_kafka_ConfigResource_error(resources[i]) == RD_KAFKA_RESP_ERR_NO_ERROR)
      take_config(work, resources[i]);
    else
      code = rd_kafka_ConfigResource_error(resources[i]);
  }
  bool doubtful = code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE;
  if (doubtful && !work->doubted)
    topics_say(work, topics_find(work, TOPICS_USERS), TOPICS_DOUBTFUL,
               "the settings of the topics can't be read, so it is not known whether it is compacted: %s",
               rd_kafka_err2str(code));
  work->doubted = work->doubted || doubtful;
}

/* Clean-up policies and limits of the topics that exist. */
static int look_at_configs(struct topics_work *work, struct wm_error *error) {
  rd_kafka_ConfigResource_t **resources = WM_ARENA_ARRAY(&work->arena, rd_kafka_ConfigResource_t *, work->count);
  if (!resources)
    return wm_error_memory(error);
  size_t count = 0;
  for (size_t i = 0; i < work->count; i++)
    if (work->plans[i].found >= 0)
      resources[count++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, work->plans[i].name);
  if (count == 0)
    return 0;
  rd_kafka_queue_t *queue = rd_kafka_queue_new(work->admin.rk);
  rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(work->admin.rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  rd_kafka_AdminOptions_set_request_timeout(options, 5000, NULL, 0);
  /* Every broker knows, and the embedded one has no controller that could be waited for. */
  if (work->broker >= 0)
    rd_kafka_AdminOptions_set_broker(options, work->broker, NULL, 0);
  rd_kafka_DescribeConfigs(work->admin.rk, resources, count, options, queue);
  rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 6000);
  take_configs(work, event);
  if (event)
    rd_kafka_event_destroy(event);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_queue_destroy(queue);
  rd_kafka_ConfigResource_destroy_array(resources, count);
  return 0;
}

/* --- creating --- */

static size_t largest_input(const struct topics_work *work) {
  size_t largest = 0;
  for (size_t i = 0; i < work->count; i++) {
    const struct topics_plan *plan = &work->plans[i];
    if (plan->kind == TOPICS_INPUT && plan->limit != SIZE_MAX && plan->limit > largest)
      largest = plan->limit;
  }
  return largest;
}

/* What max.message.bytes has to be; 0: whatever the broker has. */
static size_t wanted_limit(const struct topics_work *work, const struct topics_plan *plan) {
  const size_t usual = 1048588, most = 2147483647;
  size_t wanted = 0;
  if (plan->kind == TOPICS_USERS && work->settings->limits.register_bytes + ROOM > usual)
    wanted = work->settings->limits.register_bytes + ROOM;
  if (plan->kind == TOPICS_ROOMY && largest_input(work) > 0)
    wanted = largest_input(work) + ROOM;
  return wanted < most ? wanted : most;
}

static rd_kafka_NewTopic_t *new_topic(const struct topics_work *work, const struct topics_plan *plan) {
  rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(plan->name, plan->partitions, -1, NULL, 0);
  if (topic && kinds[plan->kind].policy)
    rd_kafka_NewTopic_set_config(topic, "cleanup.policy", kinds[plan->kind].policy);
  size_t limit = wanted_limit(work, plan);
  char number[24];
  snprintf(number, sizeof number, "%zu", limit);
  if (topic && limit > 0)
    rd_kafka_NewTopic_set_config(topic, "max.message.bytes", number);
  return topic;
}

static void take_created(struct topics_work *work, const rd_kafka_topic_result_t *result) {
  rd_kafka_resp_err_t code = rd_kafka_topic_result_error(result);
  for (size_t i = 0; i < work->count; i++) {
    struct topics_plan *plan = &work->plans[i];
    if (strcmp(plan->name, rd_kafka_topic_result_name(result)) != 0)
      continue;
    plan->made = code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
      topics_say(work, plan, TOPICS_CREATED, "created with %d partition%s%s", plan->partitions,
                 plan->partitions == 1 ? "" : "s", kinds[plan->kind].policy ? ", compacted" : "");
    else if (!plan->made)
      topics_say(work, plan, TOPICS_WRONG, "could not be created: %s", rd_kafka_topic_result_error_string(result));
  }
}

static int send_create(struct topics_work *work, rd_kafka_NewTopic_t **topics, size_t count, struct wm_error *error) {
  rd_kafka_queue_t *queue = rd_kafka_queue_new(work->admin.rk);
  rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(work->admin.rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_AdminOptions_set_operation_timeout(options, 10000, NULL, 0);
  rd_kafka_CreateTopics(work->admin.rk, topics, count, options, queue);
  rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
  rd_kafka_resp_err_t code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
  int result = 0;
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    result =
        kafka_fail(&work->admin, error, "creating topics", code, event ? rd_kafka_event_error_string(event) : NULL);
  } else {
    size_t told;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &told);
    for (size_t i = 0; i < told; i++)
      take_created(work, results[i]);
  }
  if (event)
    rd_kafka_event_destroy(event);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_queue_destroy(queue);
  return result;
}

static int create_missing(struct topics_work *work, bool roomy, struct wm_error *error) {
  rd_kafka_NewTopic_t **topics = WM_ARENA_ARRAY(&work->arena, rd_kafka_NewTopic_t *, work->count);
  if (!topics)
    return wm_error_memory(error);
  size_t count = 0;
  for (size_t i = 0; i < work->count; i++) {
    const struct topics_plan *plan = &work->plans[i];
    if (plan->found >= 0 || (plan->kind == TOPICS_ROOMY) != roomy)
      continue;
    if (!(topics[count] = new_topic(work, plan))) {
      rd_kafka_NewTopic_destroy_array(topics, count);
      return kafka_fail(NULL, error, plan->name, RD_KAFKA_RESP_ERR__INVALID_ARG, "not a name for a topic");
    }
    count++;
  }
  int result = count > 0 ? send_create(work, topics, count, error) : 0;
  rd_kafka_NewTopic_destroy_array(topics, count);
  return result;
}

/* A broker may learn of new topics a moment after the controller has made them; what could not be made is no matter. */
static bool all_are_seen(const struct topics_work *work) {
  for (size_t i = 0; i < work->count; i++)
    if (work->plans[i].made && work->plans[i].found < 0)
      return false;
  return true;
}

static int wait_for_topics(struct topics_work *work, struct wm_error *error) {
  int64_t deadline_us = kafka_now_us() + 30 * 1000 * 1000;
  for (;;) {
    if (topics_look(work, error) != 0)
      return -1;
    if (all_are_seen(work) || kafka_now_us() >= deadline_us)
      return 0;
    nanosleep(&(struct timespec){0, 50 * 1000 * 1000}, NULL);
  }
}

/* --- checking --- */

static void check_policy(struct topics_work *work, struct topics_plan *plan) {
  if (!plan->policy[0])
    return;
  bool compacted = strstr(plan->policy, "compact") != NULL, deletes = strstr(plan->policy, "delete") != NULL;
  if (kinds[plan->kind].policy && (!compacted || deletes))
    topics_say(work, plan, TOPICS_WRONG,
               "cleanup.policy is '%s', it must be 'compact' and nothing else or state gets lost: change it with "
               "'kafka-configs --alter --topic %s --add-config cleanup.policy=compact'",
               plan->policy, plan->name);
  else if (!kinds[plan->kind].policy && compacted)
    topics_say(work, plan, plan->kind == TOPICS_INPUT ? TOPICS_DOUBTFUL : TOPICS_WRONG,
               "cleanup.policy is '%s': older records of a key would disappear, it must be 'delete'", plan->policy);
}

static void check_room(struct topics_work *work, struct topics_plan *plan) {
  size_t wanted = plan->kind == TOPICS_USERS ? work->settings->limits.register_bytes + ROOM / 16 : 0;
  if (plan->limit < wanted)
    topics_say(work, plan, TOPICS_WRONG,
               "max.message.bytes is %zu, registers of limits.register-bytes (%zu) do not fit: raise it to %zu",
               plan->limit, work->settings->limits.register_bytes, wanted);
  if (plan->kind == TOPICS_ROOMY && plan->limit <= largest_input(work))
    topics_say(work, plan, TOPICS_DOUBTFUL,
               "max.message.bytes is %zu, the inputs take up to %zu: the largest records would be cut, raise it to %zu",
               plan->limit, largest_input(work), largest_input(work) + ROOM);
}

static void check_one(struct topics_work *work, struct topics_plan *plan) {
  if (plan->found < 0) {
    topics_say(work, plan, TOPICS_WRONG, "is missing: make it with 'waymark topics create'");
    return;
  }
  if (plan->refused) {
    topics_say(work, plan, TOPICS_WRONG, "can't be looked at: %s; it needs the right to describe it, or is not there",
               rd_kafka_err2str(plan->refused));
    return;
  }
  if (plan->found != plan->partitions)
    topics_say(
        work, plan, TOPICS_WRONG, "has %d partition%s, expected %d: %s", plan->found, plan->found == 1 ? "" : "s",
        plan->partitions,
        plan->kind == TOPICS_CONTROL
            ? "make it anew"
            : "set kafka.partitions to what all topics have; for another number there is 'waymark topics rehome'");
  check_policy(work, plan);
  check_room(work, plan);
}

static int check_all(struct topics_work *work, struct wm_error *error) {
  if (look_at_configs(work, error) != 0)
    return -1;
  for (size_t i = 0; i < work->count; i++)
    check_one(work, &work->plans[i]);
  if (topics_check_records(work, error) != 0)
    return -1;
  for (size_t i = 0; i < work->count; i++) {
    struct topics_plan *plan = &work->plans[i];
    if (!plan->told)
      topics_say(work, plan, TOPICS_FINE, "%d partition%s, %s", plan->found, plan->found == 1 ? "" : "s",
                 kinds[plan->kind].words);
  }
  return 0;
}

static void take_limits(const struct topics_work *work, struct topics_limits *ret) {
  for (int i = 0; i < WM_OUT_COUNT; i++)
    ret->bytes[i] = SIZE_MAX;
  for (size_t i = 0; i < work->count; i++) {
    const struct topics_plan *plan = &work->plans[i];
    if (plan->output != WM_OUT_COUNT && plan->limit < ret->bytes[plan->output])
      ret->bytes[plan->output] = plan->limit;
  }
}

int topics_check(const struct settings *settings, topics_fn *tell, void *taker, struct topics_limits *ret_limits,
                 struct wm_error *error) {
  struct topics_work work;
  int result = topics_open(&work, settings, tell, taker, error);
  if (result == 0)
    result = topics_look(&work, error);
  if (result == 0)
    result = check_all(&work, error);
  if (result == 0 && ret_limits)
    take_limits(&work, ret_limits);
  topics_close(&work);
  return result;
}

/* Roomy topics are made last, when the limits of the others are known. */
int topics_make_missing(struct topics_work *work, struct wm_error *error) {
  if (topics_look(work, error) != 0 || create_missing(work, false, error) != 0 || wait_for_topics(work, error) != 0 ||
      look_at_configs(work, error) != 0 || create_missing(work, true, error) != 0 || wait_for_topics(work, error) != 0)
    return -1;
  return topics_write_records(work, error);
}

int topics_create(const struct settings *settings, topics_fn *tell, void *taker, struct wm_error *error) {
  struct topics_work work;
  int result = topics_open(&work, settings, tell, taker, error);
  if (result == 0)
    result = topics_make_missing(&work, error);
  if (result == 0)
    result = check_all(&work, error);
  topics_close(&work);
  return result;
}

int topics_seed(const struct settings *settings, topics_fn *tell, void *taker, struct wm_error *error) {
  struct topics_work work;
  int result = topics_open(&work, settings, tell, taker, error);
  if (result == 0)
    result = topics_look(&work, error);
  if (result == 0)
    result = topics_write_records(&work, error);
  topics_close(&work);
  return result;
}
