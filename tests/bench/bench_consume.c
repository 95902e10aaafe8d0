/* The yardstick: the same consumer as the worker's, consuming only.
 *
 *   bench_consume BOOTSTRAP TOPIC COUNT   reads COUNT records of TOPIC from the beginning as a new consumer group and
 *                                         prints records per second from the first to the last. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static rd_kafka_t *open_consumer(const char *bootstrap) {
  char text[512], group[64];
  snprintf(group, sizeof group, "yardstick-%d", (int)getpid());
  const char *const settings[][2] = {{"bootstrap.servers", bootstrap},
                                     {"group.id", group},
                                     {"isolation.level", "read_committed"},
                                     {"auto.offset.reset", "earliest"},
                                     {"enable.auto.commit", "false"},
                                     {"enable.auto.offset.store", "false"},
                                     {"partition.assignment.strategy", "range"},
                                     {"socket.nagle.disable", "true"}};
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
    if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text) != RD_KAFKA_CONF_OK)
      return fprintf(stderr, "bench_consume: %s\n", text), NULL;
  rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
  if (consumer == NULL)
    return fprintf(stderr, "bench_consume: %s\n", text), NULL;
  rd_kafka_poll_set_consumer(consumer);
  return consumer;
}

int main(int argc, char **argv) {
  if (argc != 4)
    return fprintf(stderr, "usage: bench_consume BOOTSTRAP TOPIC COUNT\n"), 2;
  long count = strtol(argv[3], NULL, 10), seen = 0;
  rd_kafka_t *consumer = open_consumer(argv[1]);
  if (consumer == NULL)
    return 1;
  rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, argv[2], RD_KAFKA_PARTITION_UA);
  rd_kafka_subscribe(consumer, topics);
  rd_kafka_topic_partition_list_destroy(topics);

  double first = 0, give_up = seconds() + 120;
  while (seen < count && seconds() < give_up) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 100);
    if (message == NULL)
      continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && seen++ == 0)
      first = seconds();
    rd_kafka_message_destroy(message);
  }
  double took = seconds() - first;
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  if (seen < count)
    return fprintf(stderr, "bench_consume: only %ld of %ld records\n", seen, count), 1;
  printf("%.0f\n", (double)count / took);
  return 0;
}
