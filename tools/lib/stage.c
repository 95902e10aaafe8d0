#include "tools/lib/stage.h"

#include <string.h>

#include "tools/lib/play.h"

#define PARTITIONS_LIMIT 4 /* of the embedded broker: a first look needs no more */

/* What is ours is not the workspace's. */
static void override_settings(struct stage *stage, const struct loaded *loaded) {
  stage->settings = loaded->settings;
  stage->settings.instance = "dev";
  stage->settings.kafka.bootstrap = mock_broker_bootstrap(stage->broker);
  stage->settings.kafka.exactly_once = false; /* the embedded broker knows transactions only by name */
  stage->settings.kafka.property_count = 0;
  if (stage->settings.kafka.partitions > PARTITIONS_LIMIT)
    stage->settings.kafka.partitions = PARTITIONS_LIMIT;
  stage->settings.redis.address = stage->private_redis.socket;
  stage->settings.redis.username = "";
  stage->settings.redis.password_file = "";
}

static int open_loop(struct stage *stage, struct wm_workspace *workspace, struct wm_error *error) {
  struct loop_doors doors = {.clock = system_clock, .logger = &stage->logger};
  stage->kafka = kafka_open(&stage->settings, &stage->logger, &doors.log, error);
  if (stage->kafka)
    stage->redis = redis_open(&stage->settings, &stage->logger, &doors.cache, error);
  if (stage->redis)
    stage->look_redis = redis_open(&stage->settings, &stage->logger, &stage->look, error);
  if (!stage->look_redis) {
    wm_workspace_free(workspace);
    return -1;
  }
  struct loop_rules rules = {
      .terms = play_terms(&stage->settings, true),
      .event_bytes = stage->settings.limits.event_bytes,
      .clock_skew_us = stage->settings.limits.clock_skew_us,
      .batch_events = stage->settings.limits.batch_events,
      .batch_us = stage->settings.limits.batch_us,
  };
  stage->loop = loop_new(&doors, &rules, wm_text_of(stage->settings.kafka.group), workspace);
  return stage->loop ? 0 : wm_error_memory(error);
}

static int open_clients(struct stage *stage, struct wm_error *error) {
  stage->client = client_open(&stage->settings, error);
  stage->failures = stage->client ? client_open(&stage->settings, error) : NULL;
  if (!stage->failures || client_follow(stage->client, stage->settings.topics.outcomes, true, error) < 0)
    return -1;
  return client_follow(stage->failures, stage->settings.topics.failures, true, error);
}

int stage_open(struct stage *stage, const struct loaded *loaded, struct wm_workspace *workspace,
               struct wm_error *error) {
  *stage = (struct stage){.logger = {.level = LOGGER_ERROR, .fd = 2, .burst = 50}};
  if (private_redis_start(&stage->private_redis, error) < 0)
    goto failed;
  stage->broker = mock_broker_open(error);
  if (!stage->broker)
    goto failed;
  override_settings(stage, loaded);
  if (mock_broker_add_topics(stage->broker, &stage->settings, error) < 0)
    goto failed;
  if (open_clients(stage, error) < 0)
    goto failed;
  return open_loop(stage, workspace, error);
failed:
  wm_workspace_free(workspace);
  return -1;
}

/* The worker leaves in peace: it commits what it has, and its clients go before their broker. */
void stage_close(struct stage *stage) {
  if (stage->loop) {
    loop_stop(stage->loop);
    while (loop_step(stage->loop))
      ;
    loop_free(stage->loop);
  }
  redis_close(stage->look_redis);
  redis_close(stage->redis);
  kafka_close(stage->kafka);
  client_close(stage->failures);
  client_close(stage->client);
  mock_broker_close(stage->broker);
  private_redis_stop(&stage->private_redis);
}

int stage_step(struct stage *stage, struct wm_error *error) {
  if (loop_step(stage->loop))
    return 0;
  *error = stage->loop->exit_error;
  if (error->code == WM_OK)
    wm_error_set(error, WM_E_KAFKA_FAILED, "the worker has stopped with %d", stage->loop->exit_code);
  return -1;
}

bool stage_is_ready(const struct stage *stage) {
  return stage->loop->ready;
}

uint64_t stage_events(const struct stage *stage) {
  return stage->loop->counters.events;
}
