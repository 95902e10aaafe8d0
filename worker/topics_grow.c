/* More partitions for topics that are there. Kafka only ever adds them, and moves no record. */
#include <time.h>

#include "worker/topics_internal.h"

enum { GROWN_US = 30 * 1000 * 1000, PAUSE_NS = 50 * 1000 * 1000 };

int topics_survey(const struct settings *settings, topics_found_fn *take, void *taker, struct wm_error *error) {
  struct topics_work work;
  int result = topics_open(&work, settings, NULL, NULL, error);
  if (result == 0)
    result = topics_look(&work, error);
  for (size_t i = 0; result == 0 && i < work.count; i++)
    result = take(taker, &(const struct topics_found){.topic = work.plans[i].name,
                                                      .input = work.plans[i].kind == TOPICS_INPUT,
                                                      .wanted = work.plans[i].partitions,
                                                      .found = work.plans[i].found});
  topics_close(&work);
  return result;
}

int topics_make(const struct settings *settings, topics_fn *tell, void *taker, struct wm_error *error) {
  struct topics_work work;
  int result = topics_open(&work, settings, tell, taker, error);
  if (result == 0)
    result = topics_make_missing(&work, error);
  topics_close(&work);
  return result;
}

/* A new users topic holds registers by their new homes from its first record on: it is never grown. */
static bool may_grow(const struct topics_plan *plan) {
  return plan->kind != TOPICS_CONTROL && plan->kind != TOPICS_USERS && plan->found > 0 &&
         plan->found < plan->partitions;
}

static struct topics_plan *plan_of(struct topics_work *work, const char *name) {
  for (size_t i = 0; i < work->count; i++)
    if (strcmp(work->plans[i].name, name) == 0)
      return &work->plans[i];
  return NULL;
}

static void take_grown(struct topics_work *work, const rd_kafka_topic_result_t *result, bool look) {
  struct topics_plan *plan = plan_of(work, rd_kafka_topic_result_name(result));
  bool fine = rd_kafka_topic_result_error(result) == RD_KAFKA_RESP_ERR_NO_ERROR;
  if (!plan || (fine && look))
    return;
  if (fine)
    topics_say(work, plan, TOPICS_CREATED, "has %d partitions now, not %d", plan->partitions, plan->found);
  else
    topics_say(work, plan, TOPICS_WRONG,
               "can't be given %d partitions: %s; let its owner do it ('kafka-topics --alter --topic %s --partitions "
               "%d'), then run this again",
               plan->partitions, rd_kafka_topic_result_error_string(result), plan->name, plan->partitions);
}

static int send_grow(struct topics_work *work, rd_kafka_NewPartitions_t **list, size_t count, bool look,
                     struct wm_error *error) {
  rd_kafka_queue_t *queue = rd_kafka_queue_new(work->admin.rk);
  rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(work->admin.rk, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS);
  rd_kafka_AdminOptions_set_operation_timeout(options, 10000, NULL, 0);
  rd_kafka_AdminOptions_set_validate_only(options, look, NULL, 0);
  rd_kafka_CreatePartitions(work->admin.rk, list, count, options, queue);
  rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
  rd_kafka_resp_err_t code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
  size_t told = 0;
  const rd_kafka_topic_result_t **results = NULL;
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    results = rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &told);
  for (size_t i = 0; i < told; i++)
    take_grown(work, results[i], look);
  int result = code ? kafka_fail(&work->admin, error, "adding partitions", code,
                                 event ? rd_kafka_event_error_string(event) : NULL)
                    : 0;
  if (event)
    rd_kafka_event_destroy(event);
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_queue_destroy(queue);
  return result;
}

static int grow_all(struct topics_work *work, bool look, struct wm_error *error) {
  rd_kafka_NewPartitions_t **list = WM_ARENA_ARRAY(&work->arena, rd_kafka_NewPartitions_t *, work->count);
  char reason[300];
  size_t count = 0;
  if (!list)
    return wm_error_memory(error);
  for (size_t i = 0; i < work->count; i++) {
    const struct topics_plan *plan = &work->plans[i];
    if (!may_grow(plan))
      continue;
    list[count] = rd_kafka_NewPartitions_new(plan->name, (size_t)plan->partitions, reason, sizeof reason);
    if (!list[count]) {
      rd_kafka_NewPartitions_destroy_array(list, count);
      return kafka_fail(NULL, error, plan->name, RD_KAFKA_RESP_ERR__INVALID_ARG, reason);
    }
    count++;
  }
  int result = count > 0 ? send_grow(work, list, count, look, error) : 0;
  rd_kafka_NewPartitions_destroy_array(list, count);
  return result;
}

static size_t still_small(const struct topics_work *work) {
  size_t count = 0;
  for (size_t i = 0; i < work->count; i++)
    count += may_grow(&work->plans[i]);
  return count;
}

int topics_grow(const struct settings *settings, topics_fn *tell, void *taker, size_t *ret_left,
                struct wm_error *error) {
  struct topics_work work;
  int64_t deadline_us = kafka_now_us() + GROWN_US;
  int result = topics_open(&work, settings, tell, taker, error);
  if (result == 0)
    result = topics_look(&work, error);
  if (result == 0)
    result = grow_all(&work, false, error);
  do {
    nanosleep(&(struct timespec){0, PAUSE_NS}, NULL);
    if (result == 0)
      result = topics_look(&work, error);
    *ret_left = still_small(&work);
  } while (result == 0 && *ret_left > 0 && kafka_now_us() < deadline_us);
  topics_close(&work);
  return result;
}

int topics_may_grow(const struct settings *settings, topics_fn *tell, void *taker, struct wm_error *error) {
  struct topics_work work;
  int result = topics_open(&work, settings, tell, taker, error);
  if (result == 0)
    result = topics_look(&work, error);
  if (result == 0)
    result = grow_all(&work, true, error);
  topics_close(&work);
  return result;
}
