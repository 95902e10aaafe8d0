#include "worker/mock.h"

#include <stdlib.h>
#include <unistd.h>

#include "worker/kafka_internal.h"
#include "worker/topics.h"

struct mock_broker {
  rd_kafka_t *rk; /* keeps the books of the cluster */
  rd_kafka_mock_cluster_t *cluster;
};

struct mock_broker *mock_broker_open(struct wm_error *error) {
  char said[200] = "no memory";
  struct mock_broker *mock = calloc(1, sizeof *mock);
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
  if (mock)
    mock->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, said, sizeof said);
  if (mock && mock->rk)
    mock->cluster = rd_kafka_mock_cluster_new(mock->rk, 1);
  if (mock && mock->cluster)
    return mock;
  if (!mock || !mock->rk)
    rd_kafka_conf_destroy(conf);
  mock_broker_close(mock);
  wm_error_set(error, WM_E_KAFKA_FAILED, "the embedded broker does not start: %s", said);
  return NULL;
}

void mock_broker_close(struct mock_broker *mock) {
  if (!mock)
    return;
  if (mock->cluster)
    rd_kafka_mock_cluster_destroy(mock->cluster);
  if (mock->rk)
    rd_kafka_destroy(mock->rk);
  free(mock);
}

const char *mock_broker_bootstrap(const struct mock_broker *mock) {
  return rd_kafka_mock_cluster_bootstraps(mock->cluster);
}

/* The cluster's thread can miss a call that comes while it still answers the one before; then it sleeps for a second.
 */
#define BREATH_US 2000

int mock_broker_add_topic(struct mock_broker *mock, const char *topic, int32_t partitions, struct wm_error *error) {
  usleep(BREATH_US);
  rd_kafka_resp_err_t code = rd_kafka_mock_topic_create(mock->cluster, topic, partitions, 1);
  return code ? kafka_fail(NULL, error, topic, code, NULL) : 0;
}

struct adding {
  struct mock_broker *mock;
  struct wm_error *error;
};

static int add_topic(void *taker, const char *topic, int32_t partitions) {
  struct adding *adding = taker;
  return mock_broker_add_topic(adding->mock, topic, partitions, adding->error);
}

static void be_quiet(void *taker, const struct topics_line *line) {
  (void)taker;
  (void)line;
}

int mock_broker_add_topics(struct mock_broker *mock, const struct settings *settings, struct wm_error *error) {
  struct adding adding = {mock, error};
  if (topics_each(settings, add_topic, &adding) != 0)
    return -1;
  return topics_seed(settings, be_quiet, NULL, error);
}

void mock_broker_fail(struct mock_broker *mock, int16_t request, int16_t error, unsigned count, int delay_ms) {
  while (count-- > 0)
    rd_kafka_mock_broker_push_request_error_rtts(mock->cluster, 1, request, 1, (rd_kafka_resp_err_t)error, delay_ms);
}

void mock_broker_down(struct mock_broker *mock, bool down) {
  if (down)
    rd_kafka_mock_broker_set_down(mock->cluster, 1);
  else
    rd_kafka_mock_broker_set_up(mock->cluster, 1);
}
